/* SPDX-License-Identifier: Apache-2.0 */
/* Histories: told in pages, and looked through for what has grown too old. */
#include "store/chat.h"
#include "store/group_ledger.h"
#include "store/history_ledger.h"
#include "store/partition_priv.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

enum {
    /* Rows that are looked through for one page, or at one tick. */
    LOOK_MAX = 1000,
    LOOK_CHATS_MAX = 64, /* whose cursors are read for it at once */
    TICK_MS = 10000,
    TICK_OFF_MS = 1000, /* while there is more of what is kept no longer */
};

/* How far things have got in a chat; of a group, how far the user has. */
struct cursors {
    uint64_t delivered, read, peer_delivered, peer_read;
    bool member; /* the chat is a group that the user is or was in */
};

/* -------------------------------------------------------------------------------------- telling */

/* While one page is put together. */
struct telling {
    struct partition *partition;
    struct ask *ask;
    const struct store_history *asked;
    struct rows *out;
    uint32_t max;
    uint32_t bytes_max;
    struct cursors cursors;
    struct store_history_page page;
};

static bool
valid_history(const struct ask *ask)
{
    const struct store_history *asked = ASK_DATA(store_history, ask);
    return partition_valid_user(ask) && (asked->whole ? asked->forward : asked->chat != 0);
}

static struct store_range
history_range(const struct telling *telling)
{
    const struct store_history *asked = telling->asked;
    uint8_t partition = telling->partition->ledger.partition;
    struct store_range range;
    if (asked->forward) {
        range.low = history_key(partition, asked->user, asked->chat, asked->number + 1);
        range.high = history_key(partition, asked->user, asked->whole ? UINT64_MAX : asked->chat,
                                 UINT64_MAX);
    } else {
        uint64_t below = asked->number != 0 ? asked->number : UINT64_MAX;
        range.low = history_key_back(partition, asked->user, asked->chat, below - 1);
        range.high = history_key_back(partition, asked->user, asked->chat, 0);
    }
    return range;
}

static bool
is_wanted(const struct store_history *asked, const struct store_entry *entry)
{
    const struct store_entry_message *message = &entry->message;
    return (asked->sender == 0 || message->sender == asked->sender) &&
           (asked->content_kind == 0 || message->content_kind == asked->content_kind) &&
           message->time_ms >= asked->from_ms &&
           (asked->to_ms == 0 || message->time_ms < asked->to_ms);
}

/* False: in the fetch. */
static bool
cursors_get(struct partition *partition, uint64_t user, uint64_t chat_id, struct cursors *out)
{
    struct ledger *ledger = &partition->ledger;
    struct record_chat chat;
    struct record_membership membership;
    bool known = partition_knows_record(partition, RECORD_CHAT, user, chat_id);
    *out = (struct cursors){0};
    if (!partition_knows_record(partition, RECORD_MEMBERSHIP, user, chat_id) || !known) {
        return false;
    }
    if (membership_get(ledger, user, chat_id, &membership)) {
        out->member = true;
        out->delivered = membership.delivered;
        out->read = membership.read;
    } else if (chat_get(ledger, user, chat_id, &chat)) {
        out->delivered = chat.delivered;
        out->read = chat.read;
        out->peer_delivered = chat.peer_delivered;
        out->peer_read = chat.peer_read;
    }
    return true;
}

/* Written one to one by the history's own user. */
static bool
is_own(uint64_t user, uint64_t chat, const struct store_entry *entry)
{
    return entry->kind == STORE_ENTRY_MESSAGE && entry->message.sender == user && chat != user;
}

/* Whoever was to read it has, and that is how long it is kept. */
static bool
is_read(const struct partition *partition, uint64_t user, uint64_t chat,
        const struct store_entry *entry, const struct cursors *cursors)
{
    uint64_t read = is_own(user, chat, entry) ? cursors->peer_read : cursors->read;
    return partition->store->options.history_until_read && entry->message.chat_number <= read;
}

static bool
has_expired(const struct partition *partition, const struct store_entry *entry)
{
    uint64_t keep_ms = partition->ledger.limits.history_ms;
    uint64_t now_ms = (uint64_t)ln_wall_ms();
    if (keep_ms == STORE_HISTORY_OFF) {
        return true; /* of a time when it was on */
    }
    if (entry->message.expires_at_ms != 0 && entry->message.expires_at_ms <= now_ms) {
        return true;
    }
    return keep_ms != STORE_HISTORY_FOREVER && entry->message.time_ms + keep_ms <= now_ms;
}

/* Adds the message if it is wanted. False: the page is full. */
static bool
tell_one(struct telling *telling, uint64_t number, struct store_value value)
{
    struct store_entry entry;
    int error = entry_decode(number, value.bytes, value.count, &entry);
    ASSERT(error == 0);
    bool gone = has_expired(telling->partition, &entry) ||
                is_read(telling->partition, telling->asked->user, telling->asked->chat, &entry,
                        &telling->cursors);
    if (gone || !is_wanted(telling->asked, &entry)) {
        telling->page.reached = number;
        return true;
    }
    size_t bytes = ENTRY_PREFIX_BYTES + value.count;
    bool room = telling->page.count == 0 || telling->out->count + bytes <= telling->bytes_max;
    if (telling->page.count == telling->max || !room) {
        return false;
    }
    unsigned char *at = rows_room(telling->out, bytes);
    entry_prefix(number, value.count, at);
    memcpy(at + ENTRY_PREFIX_BYTES, value.bytes, value.count);
    telling->page.count++;
    telling->page.reached = number;
    return true;
}

/* Backwards the rows tell numbers only: the entries are looked up. False: some are in the fetch. */
static bool
tell_number(struct telling *telling, uint64_t number, bool *out_more)
{
    const struct store_history *asked = telling->asked;
    struct partition *partition = telling->partition;
    struct store_key key =
        history_key(partition->ledger.partition, asked->user, asked->chat, number);
    struct store_value value;
    if (!partition_knows(partition, &key)) {
        return false;
    }
    *out_more = false;
    if (ledger_get(&partition->ledger, &key, &value)) {
        *out_more = !tell_one(telling, number, value);
    }
    return true;
}

/* Whether the entries of the numbers ahead are known, as many as may be told; else they are
 * fetched, all at once. */
static bool
tell_back(struct telling *telling, struct page *page)
{
    struct store_key key;
    struct store_value value;
    bool known = true;
    uint32_t looked = 0;
    while (looked < telling->max * 2 && page_next(page, &key, &value)) {
        bool full = false;
        known = tell_number(telling, ~key.b, &full) && known;
        if (known && full) {
            telling->page.more = true;
            return true;
        }
        looked++;
    }
    telling->page.more = page->cut || looked == telling->max * 2;
    if (page->cut && looked == 0) {
        telling->page.reached = ~page->row_key.b; /* what was read is gone: on behind it */
    }
    return known;
}

static bool
tell_forward(struct telling *telling, struct page *page)
{
    bool told = false; /* or passed over */
    struct store_key key;
    struct store_value value;
    while (page_next(page, &key, &value)) {
        if (!tell_one(telling, key.b, value)) {
            telling->page.more = true;
            return true;
        }
        telling->page.chat = key.a;
        told = true;
    }
    telling->page.more = page->cut;
    if (page->cut && !told) { /* what was read is gone: on behind it */
        telling->page.chat = page->row_key.a;
        telling->page.reached = page->row_key.b;
    }
    return true;
}

/* False: in the fetch. */
static bool
tell_cursors(struct telling *telling)
{
    struct cursors *cursors = &telling->cursors;
    bool known = telling->asked->whole || cursors_get(telling->partition, telling->asked->user,
                                                      telling->asked->chat, cursors);
    telling->page.delivered = cursors->delivered;
    telling->page.read = cursors->read;
    telling->page.peer_delivered = cursors->peer_delivered;
    telling->page.peer_read = cursors->peer_read;
    return known;
}

static enum ask_outcome
run_history(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_history *asked = ASK_DATA(store_history, ask);
    struct telling telling = {
        .partition = partition,
        .ask = ask,
        .asked = asked,
        .out = &partition->journal->rows,
        .max = partition_at_most(asked->max, STORE_HISTORY_MAX),
        .bytes_max = partition_at_most(asked->bytes_max, STORE_PAGE_BYTES_MAX),
        .page = {.reached = asked->number, .chat = asked->chat},
    };
    struct record_head head;
    struct page page;
    struct fetch_range wanted = {
        .range = history_range(&telling),
        .rows_max = asked->forward ? LOOK_MAX : telling.max * 2,
        .bytes_max = STORE_PAGE_BYTES_MAX,
    };
    bool known = partition_knows_record(partition, RECORD_HEAD, asked->user, 0);
    known = tell_cursors(&telling) && known;
    if (!partition_has_read(&ask->ranges[0], partition, &wanted) || !known) {
        return ASK_MISSING;
    }
    telling.out->count = 0;
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[0].rows);
    if (!(asked->forward ? tell_forward(&telling, &page) : tell_back(&telling, &page))) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!partition_head(partition, ask, asked->user, &head)) {
        return ASK_DONE;
    }
    if (asked->in_group && !telling.cursors.member) {
        return partition_refuse(ask, -ENXIO);
    }
    ask_answer(ask, &telling.page, sizeof(telling.page), partition_buffer(telling.out));
    return ASK_DONE;
}

const struct ask_kind ask_history = {
    .bytes = sizeof(struct store_history), .valid = valid_history, .run = run_history};

/* ------------------------------------------------------------------------------------- sweeping */

/* Goes round over all histories of the partition, slowly, for as long as there are any that may
 * grow too old. Where none is kept, what there is of earlier times goes; that is over once there
 * is nothing. */
void
partition_history_watch(struct partition *partition)
{
    bool off = partition->store->options.history_ms == STORE_HISTORY_OFF;
    if (!off || !partition->history_none) {
        struct ln_msg *msg = ln_msg_new(ASK_HISTORY_TICK, LN_REPLY, 0);
        bool soon = off && partition->history_removed;
        (void)ln_send_after(soon ? TICK_OFF_MS : TICK_MS, ln_self(), &msg);
    }
}

void
partition_history_tick(struct partition *partition)
{
    if (!partition->history_looking) {
        partition->history_looking = true;
        ask_queue_push(&partition->waiting, ask_new(partition, ASK_HISTORY_LOOK, "", 0));
    }
    partition_history_watch(partition);
}

static struct store_range
sweep_range(const struct partition *partition)
{
    struct store_range range = key_range_table(partition->ledger.partition, RECORD_HISTORY);
    if (partition->history_at.owner != 0) {
        range.low = partition->history_at;
        range.low.b++; /* numbers end long before they turn over */
    }
    return range;
}

static void
sweep_add(struct command_history *out, unsigned char *rows, const struct store_key *key,
          const struct store_entry *entry)
{
    struct command_history_row row = {
        .user = key->owner,
        .chat = key->a,
        .chat_number = entry->message.chat_number,
        .own = is_own(key->owner, key->a, entry),
    };
    command_history_put(rows, out->count++, &row);
}

/* What a look needs to know of the chat that it is at. */
struct looking {
    struct partition *partition;
    uint64_t user, chat;
    struct cursors cursors;
    uint32_t missing; /* chats whose cursors are in the fetch */
};

/* Whether a row goes; also false while that is not known. */
static bool
is_over(struct looking *looking, const struct store_key *key, const struct store_entry *entry)
{
    if (has_expired(looking->partition, entry)) {
        return true;
    }
    if (!looking->partition->store->options.history_until_read) {
        return false;
    }
    if (key->owner != looking->user || key->a != looking->chat) {
        looking->user = key->owner;
        looking->chat = key->a;
        bool known = cursors_get(looking->partition, key->owner, key->a, &looking->cursors);
        looking->missing += !known;
    }
    return is_read(looking->partition, key->owner, key->a, entry, &looking->cursors);
}

static enum ask_outcome
run_look(struct partition *partition, struct ask *ask, bool act)
{
    unsigned char *rows = partition->journal->pairs;
    struct command command = {.kind = COMMAND_HISTORY, .history = {.rows = rows}};
    struct fetch_range wanted = {
        .range = sweep_range(partition), .rows_max = LOOK_MAX, .bytes_max = STORE_PAGE_BYTES_MAX};
    struct looking looking = {.partition = partition};
    struct page page;
    struct store_key key;
    struct store_key last = partition->history_at;
    struct store_value value;
    uint32_t looked = 0;
    if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
        return ASK_MISSING;
    }
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[0].rows);
    bool left = page_next(&page, &key, &value);
    while (left && looked < LOOK_MAX && command.history.count < COMMAND_HISTORY_ROWS_MAX &&
           looking.missing < LOOK_CHATS_MAX) {
        struct store_entry entry;
        int error = entry_decode(key.b, value.bytes, value.count, &entry);
        ASSERT(error == 0);
        if (is_over(&looking, &key, &entry)) {
            sweep_add(&command.history, rows, &key, &entry);
        }
        last = key;
        looked++;
        left = page_next(&page, &key, &value);
    }
    if (looking.missing > 0) {
        return ASK_MISSING;
    }
    enum ask_outcome outcome = act ? ASK_DONE : ASK_READY;
    if (command.history.count > 0) {
        outcome = partition_log(partition, ask, &command, act);
    }
    if (act && (outcome == ASK_DONE || outcome == ASK_TAKEN)) {
        bool whole = partition->history_at.owner == 0;
        partition->history_none = whole && looked == 0 && !page.cut;
        partition->history_removed = command.history.count > 0;
        last = page.cut && !left ? page.row_key : last;
        partition->history_at = left || page.cut ? last : (struct store_key){0};
        partition->history_looking = false;
    }
    return outcome;
}

const struct ask_kind ask_of_history_look = {.run = run_look};
