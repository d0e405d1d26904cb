/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for many rows: read from LMDB in one piece, corrected by the delta, and not kept in
 * memory afterwards. */
#include "store/chat.h"
#include "store/partition_priv.h"
#include "store/record_group.h"

#include <string.h>

static enum ask_outcome
done(struct ask *ask, const struct store_rows *result, struct ln_buffer *buffer)
{
    ask_answer(ask, result, sizeof(*result), buffer);
    return ASK_DONE;
}

static uint64_t
list_after(const struct ask *ask)
{
    const struct store_list *list = ASK_DATA(store_list, ask);
    return ask->after > list->after ? ask->after : list->after;
}

static void
add_chat(struct rows *out, uint64_t peer, struct store_value value)
{
    struct record_chat record;
    struct record_expired expired;
    int error = record_chat_decode(value, &record);
    ASSERT(error == 0);
    error = record_expired_decode(value, &expired);
    ASSERT(error == 0);
    struct store_chat chat = {
        .peer = peer,
        .last = record.last,
        .delivered = record.delivered,
        .read = record.read,
        .peer_delivered = record.peer_delivered,
        .peer_read = record.peer_read,
        .peer_expired = expired.there,
        .ttl_ms = chat_ttl_ms(&record),
    };
    memcpy(rows_room(out, sizeof(chat)), &chat, sizeof(chat));
}

static struct store_range
owned_range(const struct partition *partition, const struct ask *ask,
            const struct partition_owned *owned)
{
    struct store_range range =
        key_range_owner(partition->ledger.partition, (uint8_t)owned->table, owned->owner);
    range.low.a = (ask->after > owned->after ? ask->after : owned->after) + 1;
    return range;
}

bool
partition_owned_read(struct partition *partition, struct ask *ask,
                     const struct partition_owned *owned)
{
    struct fetch_range wanted = {
        .range = owned_range(partition, ask, owned),
        .rows_max = partition_at_most(owned->max, STORE_ROWS_MAX),
        .bytes_max = STORE_PAGE_BYTES_MAX,
    };
    return partition_has_read(&ask->ranges[0], partition, &wanted);
}

enum ask_outcome
partition_owned_answer(struct partition *partition, struct ask *ask,
                       const struct partition_owned *owned)
{
    struct rows *out = &partition->journal->rows;
    struct store_rows result = {0};
    uint32_t rows_max = partition_at_most(owned->max, STORE_ROWS_MAX);
    struct store_range range = owned_range(partition, ask, owned);
    struct page page;
    struct store_key key;
    struct store_value value;
    out->count = 0;
    page_start(&page, partition->ledger.delta, &range, &ask->ranges[0].rows);
    while (result.count < rows_max && page_next(&page, &key, &value)) {
        owned->add(out, key.a, value);
        result.count++;
    }
    if (page.cut && result.count == 0) { /* none of those that were read exists any more */
        ask->after = page.row_key.a;
        partition_read_again(&ask->ranges[0]);
        bool read = partition_owned_read(partition, ask, owned);
        ASSERT(!read); /* it was given back: it is in the fetch now, which wakes the ask */
        return ASK_MISSING;
    }
    result.more = page.cut || result.count == rows_max;
    return done(ask, &result, partition_buffer(out));
}

enum ask_outcome
partition_owned_of_user(struct partition *partition, struct ask *ask, enum record_table table,
                        void (*add)(struct rows *out, uint64_t number, struct store_value value),
                        bool act)
{
    const struct store_list *list = ASK_DATA(store_list, ask);
    struct record_head head;
    struct partition_owned owned = {
        .table = table, .owner = list->user, .after = list->after, .max = list->max, .add = add};
    if (!partition_knows_record(partition, RECORD_HEAD, list->user, 0) ||
        !partition_owned_read(partition, ask, &owned)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!partition_head(partition, ask, list->user, &head)) {
        return ASK_DONE;
    }
    return partition_owned_answer(partition, ask, &owned);
}

static enum ask_outcome
run_chats(struct partition *partition, struct ask *ask, bool act)
{
    return partition_owned_of_user(partition, ask, RECORD_CHAT, add_chat, act);
}

/* Users and their heads stand in two tables in the same order; both ranges are read, and joined by
 * the owner. */
struct user_join {
    struct page users;
    struct page heads;
    struct store_key head_key;
    struct store_value head_value;
    bool head_left;
};

static bool
head_found(struct user_join *join, uint64_t user)
{
    while (join->head_left && join->head_key.owner < user) {
        join->head_left = page_next(&join->heads, &join->head_key, &join->head_value);
    }
    return join->head_left && join->head_key.owner == user;
}

/* Adds what both ranges tell, up to `rows_max`. */
static void
users_gather(struct user_join *join, struct rows *out, uint32_t rows_max, struct store_rows *result)
{
    struct store_key key;
    struct store_value value;
    struct store_user row;
    out->count = 0;
    join->head_left = page_next(&join->heads, &join->head_key, &join->head_value);
    while (result->count < rows_max && page_next(&join->users, &key, &value)) {
        if (head_found(join, key.owner) &&
            partition_user_row(key.owner, value, join->head_value, &row)) {
            memcpy(rows_room(out, sizeof(row)), &row, sizeof(row));
            result->count++;
        }
    }
    result->more = join->users.cut || result->count == rows_max;
}

static bool
users_read(struct partition *partition, struct ask *ask, uint32_t rows_max,
           struct fetch_range wanted[ASK_RANGES])
{
    static const enum record_table tables[ASK_RANGES] = {RECORD_USER, RECORD_HEAD};
    bool read = true;
    for (unsigned i = 0; i < ASK_RANGES; i++) {
        wanted[i] = (struct fetch_range){
            .range = key_range_table(partition->ledger.partition, (uint8_t)tables[i]),
            .rows_max = rows_max,
            .bytes_max = UINT32_MAX,
        };
        wanted[i].range.low.owner = list_after(ask) + 1;
        read = partition_has_read(&ask->ranges[i], partition, &wanted[i]) && read;
    }
    return read;
}

static enum ask_outcome
run_users(struct partition *partition, struct ask *ask, bool act)
{
    uint32_t rows_max = partition_at_most(ASK_DATA(store_list, ask)->max, STORE_ROWS_MAX);
    struct delta *delta = partition->ledger.delta;
    struct rows *out = &partition->journal->rows;
    struct fetch_range wanted[ASK_RANGES];
    struct store_rows result = {0};
    while (users_read(partition, ask, rows_max, wanted)) {
        struct user_join join = {0};
        if (!act) {
            return ASK_READY;
        }
        page_start(&join.users, delta, &wanted[0].range, &ask->ranges[0].rows);
        page_start(&join.heads, delta, &wanted[1].range, &ask->ranges[1].rows);
        users_gather(&join, out, rows_max, &result);
        if (!result.more || result.count > 0) {
            return done(ask, &result, partition_buffer(out));
        }
        ask->after = join.users.row_key.owner; /* none of those that were read exists any more */
        partition_read_again(&ask->ranges[0]);
        partition_read_again(&ask->ranges[1]);
    }
    return ASK_MISSING;
}

static void
add_group(struct rows *out, uint64_t id, struct store_value value)
{
    struct record_group group;
    int error = record_group_decode(value, &group);
    ASSERT(error == 0);
    struct store_group_row row = {
        .group = id,
        .created_at_ms = group.created_at_ms,
        .last = group.last,
        .update = group.update,
        .members = group.deleted ? 0 : group.members,
        .name_bytes = (uint8_t)group.name.bytes,
    };
    memcpy(row.name, group.name.text, group.name.bytes);
    memcpy(rows_room(out, sizeof(row)), &row, sizeof(row));
}

static enum ask_outcome
run_groups(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_list *list = ASK_DATA(store_list, ask);
    uint32_t rows_max = partition_at_most(list->max, STORE_ROWS_MAX);
    struct rows *out = &partition->journal->rows;
    struct fetch_range wanted = {
        .range = key_range_table(partition->ledger.partition, RECORD_GROUP),
        .rows_max = rows_max,
        .bytes_max = STORE_PAGE_BYTES_MAX,
    };
    struct store_rows result = {0};
    struct page page;
    struct store_key key;
    struct store_value value;
    wanted.range.low.owner = list->after + 1;
    if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    out->count = 0;
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[0].rows);
    /* Rows of groups are never deleted, so those that were read are there: no page is empty. */
    while (result.count < rows_max && page_next(&page, &key, &value)) {
        add_group(out, key.owner, value);
        result.count++;
    }
    result.more = page.cut || result.count == rows_max;
    return done(ask, &result, partition_buffer(out));
}

const struct ask_kind ask_group_list = {.bytes = sizeof(struct store_list), .run = run_groups};
const struct ask_kind ask_chats = {
    .bytes = sizeof(struct store_list), .valid = partition_valid_user, .run = run_chats};
const struct ask_kind ask_user_list = {.bytes = sizeof(struct store_list), .run = run_users};
