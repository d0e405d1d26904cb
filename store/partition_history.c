/* SPDX-License-Identifier: Apache-2.0 */
/* Histories, told in pages. */
#include "store/partition_history.h"
#include "store/chat.h"
#include "store/group_ledger.h"
#include "store/history_ledger.h"
#include "store/history_row.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

enum { LOOK_MAX = 1000 /* rows that are looked through for one page */ };

/* ----------------------------------------------------------------------------------------- rows */

bool
history_cursors_get(struct partition *partition, uint64_t user, uint64_t chat_id,
                    struct history_cursors *out)
{
    struct ledger *ledger = &partition->ledger;
    struct record_chat chat;
    struct record_membership membership;
    bool known = partition_knows_record(partition, RECORD_CHAT, user, chat_id);
    *out = (struct history_cursors){0};
    if (!partition_knows_record(partition, RECORD_MEMBERSHIP, user, chat_id) || !known) {
        return false;
    }
    if (membership_get(ledger, user, chat_id, &membership)) {
        out->member = true;
        out->delivered = membership.delivered;
        out->read = membership.read;
        out->peer_delivered = membership.all_delivered;
        out->peer_read = membership.all_read;
        out->gap_from = membership.gap_from;
        out->gap_to = membership.gap_to;
    } else if (chat_get(ledger, user, chat_id, &chat)) {
        out->delivered = chat.delivered;
        out->read = chat.read;
        out->peer_delivered = chat.peer_delivered;
        out->peer_read = chat.peer_read;
        out->expired = chat.expired;
    }
    return true;
}

/* What is to be said of a message whatever the cursors say. */
static __attribute__((noinline)) enum expired_verdict
verdict_look(const struct partition *partition, uint64_t user, uint64_t chat, bool own,
             uint64_t chat_number)
{
    struct record_expired expired;
    chat_expired(&partition->ledger, user, chat, &expired);
    return expired_of(own ? &expired.there : &expired.here, chat_number);
}

static enum expired_verdict
verdict_of(const struct partition *partition, uint64_t user, uint64_t chat, bool own,
           uint64_t chat_number, const struct history_cursors *cursors)
{
    return cursors->expired ? verdict_look(partition, user, chat, own, chat_number) : EXPIRED_NOT;
}

bool
history_is_read(const struct partition *partition, uint64_t user, uint64_t chat,
                const struct store_entry *entry, const struct history_cursors *cursors)
{
    uint64_t number;
    bool own;
    history_place(user, chat, entry, &number, &own);
    if (!partition->store->options.history_until_read) {
        return false;
    }
    if (entry->kind == STORE_ENTRY_CALL) {
        return true;
    }
    if (entry->kind == STORE_ENTRY_GROUP_UPDATE) {
        return entry->update.chat_number < cursors->read;
    }
    bool gap = !own && number >= cursors->gap_from && number <= cursors->gap_to;
    return number <= (own ? cursors->peer_read : cursors->read) && !gap &&
           verdict_of(partition, user, chat, own, number, cursors) == EXPIRED_NOT;
}

bool
history_has_expired(const struct partition *partition, const struct store_entry *entry)
{
    const struct store_entry_message *said = entry_said(entry);
    uint64_t keep_ms = partition->ledger.limits.history_ms;
    uint64_t now_ms = (uint64_t)ln_wall_ms();
    if (keep_ms == STORE_HISTORY_OFF) {
        return true; /* of a time when it was on */
    }
    if (said != NULL && said->expires_at_ms != 0 && said->expires_at_ms <= now_ms) {
        return true;
    }
    return keep_ms != STORE_HISTORY_FOREVER && entry_time_ms(entry) + keep_ms <= now_ms;
}

/* Of what others wrote how far this user has got, of his own how far they have. */
static enum store_history_state
state_of(const struct partition *partition, uint64_t user, uint64_t chat,
         const struct store_entry *entry, const struct history_cursors *cursors)
{
    if (entry_said(entry) == NULL) {
        return STORE_HISTORY_NONE;
    }
    bool own = entry->message.sender == user && chat != user;
    uint64_t chat_number = entry->message.chat_number;
    enum expired_verdict verdict = verdict_of(partition, user, chat, own, chat_number, cursors);
    if (verdict != EXPIRED_NOT) {
        return verdict == EXPIRED_GONE ? STORE_HISTORY_EXPIRED : STORE_HISTORY_SENT;
    }
    if (chat_number <= (own ? cursors->peer_read : cursors->read)) {
        return STORE_HISTORY_READ;
    }
    return chat_number <= (own ? cursors->peer_delivered : cursors->delivered)
               ? STORE_HISTORY_DELIVERED
               : STORE_HISTORY_SENT;
}

/* -------------------------------------------------------------------------------------- telling */

/* While one page is put together. */
struct telling {
    struct partition *partition;
    struct ask *ask;
    const struct store_history *asked;
    struct rows *out;
    uint32_t max;
    uint32_t bytes_max;
    struct history_cursors cursors;
    uint64_t cursors_chat;  /* of all chats: whose those are */
    uint32_t chats_missing; /* whose are in the fetch */
    bool known;             /* nothing is */
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

/* What is asked for when questions name it. */
static enum store_history_only
is_what(const struct store_entry *entry)
{
    switch ((int)entry->kind) {
    case STORE_ENTRY_GROUP_UPDATE:
        return STORE_HISTORY_UPDATES;
    case STORE_ENTRY_CALL:
        return STORE_HISTORY_CALLS;
    default:
        return STORE_HISTORY_MESSAGES;
    }
}

static uint64_t
author_of(const struct store_entry *entry)
{
    switch ((int)entry->kind) {
    case STORE_ENTRY_GROUP_UPDATE:
        return entry->update.author;
    case STORE_ENTRY_CALL:
        return entry->call.id.caller;
    default:
        return entry->message.sender;
    }
}

static bool
is_wanted(const struct store_history *asked, const struct store_entry *entry)
{
    const struct store_entry_message *said = entry_said(entry);
    uint64_t time_ms = entry_time_ms(entry);
    uint8_t content_kind = said != NULL ? said->content_kind : 0;
    return (asked->sender == 0 || author_of(entry) == asked->sender) &&
           (asked->content_kind == 0 || content_kind == asked->content_kind) &&
           (asked->only == STORE_HISTORY_ANYTHING || asked->only == is_what(entry)) &&
           time_ms >= asked->from_ms && (asked->to_ms == 0 || time_ms < asked->to_ms);
}

/* Of a message that all have, or have read, whether the count that was last told says so, too: of
 * older ones it is told again only where it expired for somebody. */
static bool
is_as_told(const struct history_at *at, enum store_history_state state)
{
    return at->count.expired > 0 || state == STORE_HISTORY_SENT ||
           (state == STORE_HISTORY_DELIVERED && at->all);
}

/* What the user was last told of a message that he wrote to a group. */
static void
count_add(struct telling *telling, uint64_t chat, const struct store_entry *entry,
          struct history_row *row)
{
    uint64_t user = telling->asked->user;
    struct ledger *ledger = &telling->partition->ledger;
    struct store_key key =
        history_key_at(ledger->partition, user, chat, entry->message.chat_number, false);
    struct history_at at = {0};
    struct store_value value;
    if (entry->kind != STORE_ENTRY_GROUP_MESSAGE || entry->message.sender != user) {
        return;
    }
    if (!partition_knows(telling->partition, &key)) {
        telling->known = false;
        return;
    }
    if (ledger_get(ledger, &key, &value)) {
        int error = history_at_decode(value, &at);
        ASSERT(error == 0);
    }
    row->counted = at.counted && is_as_told(&at, row->state);
    row->count = at.count;
}

/* Adds the message if it is wanted. False: the page is full. */
static bool
tell_one(struct telling *telling, uint64_t chat, uint64_t number, struct store_value value)
{
    const struct store_history *asked = telling->asked;
    struct partition *partition = telling->partition;
    struct store_entry entry;
    int error = entry_decode(number, value.bytes, value.count, &entry);
    ASSERT(error == 0);
    bool gone = history_has_expired(partition, &entry) ||
                history_is_read(partition, asked->user, chat, &entry, &telling->cursors);
    if (gone || !is_wanted(asked, &entry)) {
        telling->page.reached = number;
        return true;
    }
    size_t bytes = history_row_bytes(value.count);
    bool room = telling->page.count == 0 || telling->out->count + bytes <= telling->bytes_max;
    if (telling->page.count == telling->max || !room) {
        return false;
    }
    struct history_row row = {
        .number = number,
        .record = value,
        .state = state_of(partition, asked->user, chat, &entry, &telling->cursors)};
    count_add(telling, chat, &entry, &row);
    history_row_put(&row, rows_room(telling->out, bytes));
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
        *out_more = !tell_one(telling, asked->chat, number, value);
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

/* Of all chats: the cursors are this one's now. */
static void
tell_chat(struct telling *telling, uint64_t chat)
{
    if (telling->asked->whole && telling->cursors_chat != chat) {
        telling->cursors_chat = chat;
        telling->chats_missing +=
            !history_cursors_get(telling->partition, telling->asked->user, chat, &telling->cursors);
    }
}

static bool
tell_forward(struct telling *telling, struct page *page)
{
    bool told = false; /* or passed over */
    struct store_key key;
    struct store_value value;
    while (telling->chats_missing < HISTORY_CHATS_MAX && page_next(page, &key, &value)) {
        tell_chat(telling, key.a);
        if (!tell_one(telling, key.a, key.b, value)) {
            telling->page.more = true;
            return telling->chats_missing == 0;
        }
        telling->page.chat = key.a;
        told = true;
    }
    telling->page.more = page->cut;
    if (page->cut && !told) { /* what was read is gone: on behind it */
        telling->page.chat = page->row_key.a;
        telling->page.reached = page->row_key.b;
    }
    return telling->chats_missing == 0;
}

static __attribute__((noinline)) void
tell_expired(struct telling *telling)
{
    struct record_expired expired;
    const struct store_history *asked = telling->asked;
    chat_expired(&telling->partition->ledger, asked->user, asked->chat, &expired);
    telling->page.expired = expired.here;
    telling->page.peer_expired = expired.there;
}

/* The cursors of the one chat that is asked for. False: in the fetch. */
static bool
tell_cursors(struct telling *telling)
{
    struct history_cursors *cursors = &telling->cursors;
    if (telling->asked->whole) {
        return true;
    }
    bool known = history_cursors_get(telling->partition, telling->asked->user, telling->asked->chat,
                                     cursors);
    telling->page.delivered = cursors->delivered;
    telling->page.read = cursors->read;
    telling->page.peer_delivered = cursors->peer_delivered;
    telling->page.peer_read = cursors->peer_read;
    if (cursors->expired) {
        tell_expired(telling);
    }
    return known;
}

/* A head is large: it is not to lie on its caller's stack, too. */
static __attribute__((noinline)) enum ask_outcome
page_answer(struct telling *telling)
{
    struct record_head head;
    struct ask *ask = telling->ask;
    if (!partition_head(telling->partition, ask, telling->asked->user, &head)) {
        return ASK_DONE;
    }
    if (telling->asked->in_group && !telling->cursors.member) {
        return partition_refuse(ask, -ENXIO);
    }
    ask_answer(ask, &telling->page, sizeof(telling->page), partition_buffer(telling->out));
    return ASK_DONE;
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
        .known = true,
        .page = {.reached = asked->number, .chat = asked->chat},
    };
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
    known = asked->forward ? tell_forward(&telling, &page) : tell_back(&telling, &page);
    if (!known || !telling.known) {
        return ASK_MISSING;
    }
    return act ? page_answer(&telling) : ASK_READY;
}

const struct ask_kind ask_history = {
    .bytes = sizeof(struct store_history), .valid = valid_history, .run = run_history};
