/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that only look. They are answered from what has been applied, so everything in an answer
 * is durable. */
#include "store/inbox.h"
#include "store/partition_priv.h"
#include "store/record_account.h"
#include "store/withdrawn.h"

#include <errno.h>
#include <string.h>

static bool
get(struct partition *partition, enum record_table table, uint64_t owner, uint64_t a,
    struct store_value *out)
{
    struct store_key key = record_key(partition->ledger.partition, table, owner, a);
    return ledger_get(&partition->ledger, &key, out);
}

static enum ask_outcome
done(struct ask *ask, const void *data, size_t bytes, struct ln_buffer *buffer)
{
    ask_answer(ask, data, bytes, buffer);
    return ASK_DONE;
}

/* ---------------------------------------------------------------------------------------- users */

static bool
valid_name(const struct ask *ask)
{
    return partition_owns_name(ask, ASK_DATA(store_name, ask));
}

static enum ask_outcome
run_name_find(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_name *name = ASK_DATA(store_name, ask);
    struct store_key key = record_key_name(partition->ledger.seed, name);
    struct record_name record;
    struct store_value value;
    if (!partition_knows(partition, &key)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!ledger_get(&partition->ledger, &key, &value)) {
        return partition_refuse(ask, -ENOENT);
    }
    int error = record_name_decode(value, &record);
    ASSERT(error == 0);
    if (record.promised || !record_names_equal(&record.name, name)) {
        return partition_refuse(ask, -ENOENT);
    }
    struct store_user_id found = {.user = record.user};
    return done(ask, &found, sizeof(found), NULL);
}

bool
partition_user_row(uint64_t id, struct store_value user, struct store_value head,
                   struct store_user *out)
{
    struct record_user user_record;
    struct record_head head_record;
    int error = record_user_decode(user, &user_record);
    ASSERT(error == 0);
    error = record_head_decode(head, &head_record);
    ASSERT(error == 0);
    memset(out, 0, sizeof(*out));
    out->user = id;
    out->created_at_ms = user_record.created_at_ms;
    out->inbox_low = head_record.low.number;
    out->inbox_last = head_record.last.number;
    out->inbox_entries = inbox_entries_above(&head_record, &head_record.low);
    out->inbox_bytes = inbox_bytes_above(&head_record, &head_record.low);
    out->devices = head_record.devices;
    out->name = user_record.name;
    return !user_record.removed;
}

/* Both are known; false: there is no such user. */
static bool
user_get(struct partition *partition, uint64_t id, struct store_user *out)
{
    struct store_value user;
    struct store_value head;
    return get(partition, RECORD_USER, id, 0, &user) && get(partition, RECORD_HEAD, id, 0, &head) &&
           partition_user_row(id, user, head, out);
}

static bool
knows_user(struct partition *partition, uint64_t user)
{
    bool head = partition_knows_record(partition, RECORD_HEAD, user, 0);
    return partition_knows_record(partition, RECORD_USER, user, 0) && head;
}

static enum ask_outcome
run_user_get(struct partition *partition, struct ask *ask, bool act)
{
    struct store_user user;
    uint64_t id = ASK_DATA(store_user_id, ask)->user;
    if (!knows_user(partition, id)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!user_get(partition, id, &user)) {
        return partition_refuse(ask, -ENOENT);
    }
    return done(ask, &user, sizeof(user), NULL);
}

static enum ask_outcome
run_password_get(struct partition *partition, struct ask *ask, bool act)
{
    uint64_t user = ASK_DATA(store_user_id, ask)->user;
    struct record_head head;
    struct record_password record;
    struct store_value value;
    bool known = partition_knows_record(partition, RECORD_HEAD, user, 0);
    if (!partition_knows_record(partition, RECORD_PASSWORD, user, 0) || !known) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!partition_head(partition, ask, user, &head)) {
        return ASK_DONE;
    }
    if (!get(partition, RECORD_PASSWORD, user, 0, &value)) {
        return partition_refuse(ask, -ENODATA);
    }
    int error = record_password_decode(value, &record);
    ASSERT(error == 0);
    struct store_password password = {.user = user, .bytes = record.bytes};
    memcpy(password.text, record.text, sizeof(password.text));
    return done(ask, &password, sizeof(password), NULL);
}

/* -------------------------------------------------------------------------------------- devices */

bool
partition_knows_device(struct partition *partition, uint64_t user, uint16_t device)
{
    bool known = knows_user(partition, user);
    return partition_knows_record(partition, RECORD_DEVICE, user, device) && known;
}

int
partition_device_check(struct partition *partition, const struct store_device_check *check,
                       struct store_user *out)
{
    struct record_device device;
    struct store_value value;
    if (!user_get(partition, check->user, out) ||
        !get(partition, RECORD_DEVICE, check->user, check->device, &value)) {
        return -ENOENT;
    }
    int error = record_device_decode(value, &device);
    ASSERT(error == 0);
    return record_hashes_equal(device.token_hash, check->token_hash) ? 0 : -EACCES;
}

static enum ask_outcome
run_device_check(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_device_check *check = ASK_DATA(store_device_check, ask);
    struct store_user user;
    if (!partition_knows_device(partition, check->user, check->device)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    int error = partition_device_check(partition, check, &user);
    return error != 0 ? partition_refuse(ask, error) : done(ask, &user, sizeof(user), NULL);
}

static void
device_fill(struct store_device *out, const struct record_head *head,
            const struct record_cursor *cursor, const struct record_device *record)
{
    bool lost = cursor->state == RECORD_CURSOR_LOST;
    memset(out, 0, sizeof(*out));
    out->device = cursor->device;
    out->added_at_ms = record->added_at_ms;
    out->seen_at_ms = record->seen_at_ms;
    out->acked = cursor->acked.number;
    out->entries = lost ? 0 : inbox_entries_above(head, &cursor->acked);
    out->bytes = lost ? 0 : inbox_bytes_above(head, &cursor->acked);
    out->resync = cursor->state != RECORD_CURSOR_HOLDS;
    out->name = record->name;
}

static ln_pid
session_pid(const struct partition *partition, uint64_t user, uint16_t device)
{
    const struct attached_session *session = attached_find(&partition->attached, user, device);
    return session != NULL ? session->pid : 0;
}

static enum ask_outcome
run_device_list(struct partition *partition, struct ask *ask, bool act)
{
    uint64_t user = ASK_DATA(store_user_id, ask)->user;
    struct record_head head;
    if (!partition_knows_record(partition, RECORD_HEAD, user, 0)) {
        return ASK_MISSING;
    }
    bool present = inbox_head_get(&partition->ledger, user, &head);
    bool known = true;
    for (unsigned i = 0; present && i < head.devices; i++) {
        known =
            partition_knows_record(partition, RECORD_DEVICE, user, head.cursors[i].device) && known;
    }
    if (!known || !act) {
        return known ? ASK_READY : ASK_MISSING;
    }
    if (!present) {
        return partition_refuse(ask, -ENOENT);
    }
    struct store_rows rows = {.count = head.devices};
    struct ln_buffer *buffer = NULL;
    if (rows.count > 0) {
        buffer = ln_buffer_new(rows.count * sizeof(struct store_device));
    }
    for (unsigned i = 0; i < head.devices; i++) {
        struct store_device *out = (struct store_device *)ln_buffer_data(buffer) + i;
        struct record_device record;
        struct store_value value;
        bool found = get(partition, RECORD_DEVICE, user, head.cursors[i].device, &value);
        ASSERT(found);
        int error = record_device_decode(value, &record);
        ASSERT(error == 0);
        device_fill(out, &head, &head.cursors[i], &record);
        out->session = session_pid(partition, user, out->device);
    }
    return done(ask, &rows, sizeof(rows), buffer);
}

/* ------------------------------------------------------------------------------------ the inbox */

/* Entries of a page, gathered in the journal's scratch. */
static void
add_entry(struct rows *out, uint64_t number, struct store_value record)
{
    unsigned char *at = rows_room(out, ENTRY_PREFIX_BYTES + record.count);
    entry_prefix(number, record.count, at);
    memcpy(at + ENTRY_PREFIX_BYTES, record.bytes, record.count);
}

struct ln_buffer *
partition_buffer(const struct rows *rows)
{
    if (rows->count == 0) {
        return NULL;
    }
    struct ln_buffer *buffer = ln_buffer_new(rows->count);
    memcpy(ln_buffer_data(buffer), rows->bytes, rows->count);
    return buffer;
}

/* What a page is made of. */
struct inbox_page {
    uint64_t user;
    uint64_t withdrawn; /* the head's */
    struct store_range range;
    uint32_t entries_max;
    uint32_t bytes_max;
    struct store_page result;
    uint64_t reached; /* nothing at or below is left to tell */
    uint64_t now_ms;
};

enum give { GIVE_WHOLE, GIVE_BLANK, GIVE_NOTHING, GIVE_UNKNOWN };

/* What of an entry is given out. What its author has taken back says nothing any more
 * (withdrawn.h). */
static enum give
give_of(struct partition *partition, const struct inbox_page *inbox, uint64_t number,
        struct store_value value)
{
    struct store_entry entry;
    struct store_key key;
    struct store_value tombstone;
    if (entry_expired(value, inbox->now_ms)) {
        return GIVE_NOTHING;
    }
    if (number > inbox->withdrawn) {
        return GIVE_WHOLE;
    }
    int error = entry_decode(number, value.bytes, value.count, &entry);
    ASSERT(error == 0);
    if (!withdrawn_key(&partition->ledger, inbox->user, &entry, &key)) {
        return GIVE_WHOLE;
    }
    if (!partition_knows(partition, &key)) {
        return GIVE_UNKNOWN;
    }
    if (!ledger_get(&partition->ledger, &key, &tombstone)) {
        return GIVE_WHOLE;
    }
    return entry.kind == STORE_ENTRY_MESSAGE ? GIVE_BLANK : GIVE_NOTHING;
}

/* The same without what it said: no longer than it was. */
static void
add_blank(struct rows *out, uint64_t number, struct store_value record)
{
    struct store_entry entry;
    int error = entry_decode(number, record.bytes, record.count, &entry);
    ASSERT(error == 0);
    entry_blank(&entry.message);
    size_t bytes = entry_bytes(&entry);
    unsigned char *at = rows_room(out, ENTRY_PREFIX_BYTES + bytes);
    entry_prefix(number, bytes, at);
    entry_encode(&entry, at + ENTRY_PREFIX_BYTES);
}

/* Fills the scratch; false: something of the range is in LMDB and has not been read. A frame of its
 * own: its caller has a head. */
static __attribute__((noinline)) bool
inbox_gather(struct partition *partition, struct ask *ask, struct inbox_page *inbox)
{
    struct delta *delta = partition->ledger.delta;
    struct rows *out = &partition->journal->rows;
    struct page page;
    struct store_key key;
    struct store_value value;
    bool unknown = false;
    if (inbox->range.low.a <= inbox->range.high.a &&
        inbox->range.low.a <= delta_folded_number(delta)) {
        struct fetch_range wanted = {
            .range = inbox->range,
            .rows_max = inbox->entries_max,
            .bytes_max = inbox->bytes_max,
        };
        if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
            return false;
        }
    }
    out->count = 0;
    page_start(&page, delta, &inbox->range, ask->ranges[0].read ? &ask->ranges[0].rows : NULL);
    while (page_next(&page, &key, &value)) {
        bool first = inbox->result.count == 0;
        enum give give = give_of(partition, inbox, key.a, value);
        unknown = unknown || give == GIVE_UNKNOWN;
        if (give == GIVE_NOTHING) {
            continue;
        }
        if (inbox->result.count == inbox->entries_max ||
            (!first && out->count + ENTRY_PREFIX_BYTES + value.count > inbox->bytes_max)) {
            inbox->result.more = true;
            return !unknown;
        }
        if (give == GIVE_BLANK) {
            add_blank(out, key.a, value);
        } else {
            add_entry(out, key.a, value);
        }
        inbox->result.count++;
    }
    inbox->result.more = page.cut;
    inbox->reached = page.cut ? page.row_key.a : inbox->range.high.a;
    return !unknown;
}

static struct inbox_page
inbox_page(const struct partition *partition, const struct ask *ask, const struct record_head *head)
{
    const struct store_inbox *asked = ASK_DATA(store_inbox, ask);
    uint64_t after = asked->after > head->low.number ? asked->after : head->low.number;
    after = ask->after > after ? ask->after : after;
    return (struct inbox_page){
        .user = asked->user,
        .withdrawn = head->withdrawn,
        .range =
            record_range_inbox(partition->ledger.partition, asked->user, after, head->last.number),
        .entries_max = partition_at_most(asked->entries_max, STORE_ROWS_MAX),
        .bytes_max = partition_at_most(asked->bytes_max, STORE_PAGE_BYTES_MAX),
        .result = {.last = head->last.number},
        .now_ms = (uint64_t)ln_wall_ms(),
    };
}

static enum ask_outcome
run_inbox(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_inbox *asked = ASK_DATA(store_inbox, ask);
    struct record_head head;
    struct inbox_page inbox;
    if (!partition_knows_record(partition, RECORD_HEAD, asked->user, 0)) {
        return ASK_MISSING;
    }
    if (!inbox_head_get(&partition->ledger, asked->user, &head)) {
        return act ? partition_refuse(ask, -ENOENT) : ASK_READY;
    }
    for (;;) {
        inbox = inbox_page(partition, ask, &head);
        if (!inbox_gather(partition, ask, &inbox)) {
            return ASK_MISSING;
        }
        if (!inbox.result.more || inbox.result.count > 0) {
            break;
        }
        ask->after = inbox.reached; /* nothing that was read is still there */
        partition_read_again(&ask->ranges[0]);
    }
    if (!act) {
        return ASK_READY;
    }
    struct attached_session *session =
        attached_find(&partition->attached, asked->user, asked->device);
    if (!inbox.result.more && session != NULL) {
        session->behind = false;
    }
    return done(ask, &inbox.result, sizeof(inbox.result),
                partition_buffer(&partition->journal->rows));
}

/* ------------------------------------------------------------------------------------ the kinds */

const struct ask_kind ask_name_find = {
    .bytes = sizeof(struct store_name), .valid = valid_name, .run = run_name_find};
const struct ask_kind ask_user_get = {
    .bytes = sizeof(struct store_user_id), .valid = partition_valid_user, .run = run_user_get};
const struct ask_kind ask_password_get = {
    .bytes = sizeof(struct store_user_id), .valid = partition_valid_user, .run = run_password_get};
const struct ask_kind ask_device_check = {
    .bytes = sizeof(struct store_device_check),
    .valid = partition_valid_user,
    .run = run_device_check,
};
const struct ask_kind ask_device_list = {
    .bytes = sizeof(struct store_user_id), .valid = partition_valid_user, .run = run_device_list};
const struct ask_kind ask_inbox = {
    .bytes = sizeof(struct store_inbox), .valid = partition_valid_user, .run = run_inbox};
