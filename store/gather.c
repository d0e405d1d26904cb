/* SPDX-License-Identifier: Apache-2.0 */
#include "store/gather.h"

#include "store/expiry.h"

const struct record_place *
gather_base(const struct record_head *head, const struct record_cursor *cursor)
{
    /* A lost cursor may lie below what is still there. */
    return cursor->acked.number >= head->low.number ? &cursor->acked : &head->low;
}

void
gather_start(struct gather *gather, const struct command_ack *asked,
             const struct record_place *base, unsigned char *pairs)
{
    *gather = (struct gather){.ack = *asked, .reached = base->number, .pairs = pairs};
    gather->ack.total_entries = base->entries;
    gather->ack.total_bytes = base->bytes;
    gather->ack.chats = (struct command_pairs){.bytes = pairs};
    gather->range = record_range_inbox(0, asked->user, base->number, asked->number);
}

/* The chat's newest number replaces an older one. */
static void
add_chat(struct gather *gather, uint64_t peer, uint64_t chat_number)
{
    struct command_pairs *chats = &gather->ack.chats;
    for (uint32_t i = 0; i < chats->count; i++) {
        uint64_t known_peer;
        uint64_t known_number;
        command_pair_get(chats, i, &known_peer, &known_number);
        if (known_peer == peer) {
            uint64_t newest = chat_number > known_number ? chat_number : known_number;
            command_pair_put(gather->pairs, i, peer, newest);
            return;
        }
    }
    command_pair_put(gather->pairs, chats->count++, peer, chat_number);
}

/* Somebody else's message whose time is over. */
static bool
has_expired(const struct gather *gather, const struct store_entry *entry)
{
    bool said = entry->kind == STORE_ENTRY_MESSAGE || entry->kind == STORE_ENTRY_GROUP_MESSAGE;
    return said && entry->message.sender != gather->ack.user && entry->message.expires_at_ms != 0 &&
           entry->message.expires_at_ms <= gather->now_ms;
}

bool
gather_add(struct gather *gather, uint64_t number, struct store_value record)
{
    struct store_entry entry;
    if (gather->entries == COMMAND_PAIRS_MAX || gather->expired == EXPIRY_ROWS_MAX) {
        gather->left = true;
        return false;
    }
    int error = entry_decode(number, record.bytes, record.count, &entry);
    ASSERT(error == 0);
    /* The user's own messages, copied from another device, are nobody's to have delivered. */
    bool said = entry.kind == STORE_ENTRY_MESSAGE || entry.kind == STORE_ENTRY_GROUP_MESSAGE;
    gather->fleeting = gather->fleeting || (said && entry.message.expires_at_ms != 0);
    if (gather->fleeting && has_expired(gather, &entry)) {
        gather->expired++;
    } else if (entry.kind == STORE_ENTRY_MESSAGE && entry.message.sender == entry.peer) {
        add_chat(gather, entry.peer, entry.message.chat_number);
    } else if (entry.kind == STORE_ENTRY_GROUP_MESSAGE) {
        add_chat(gather, entry.peer | COMMAND_PAIR_GROUP, entry.message.chat_number);
    }
    gather->ack.total_entries = entry.total_entries;
    gather->ack.total_bytes = entry.total_bytes;
    gather->reached = number;
    gather->entries++;
    gather->counted += entry_takes_room(&entry);
    return true;
}

/* An entry's totals count it, if it takes room, and all that ever came before it and did; those at
 * a cursor count at most what came up to there. So when they differ by what the entry itself takes,
 * nothing that takes room ever lay between: no message did. Marks may, and tell nothing here. */
bool
gather_one(struct gather *gather, const struct delta *delta)
{
    uint64_t before = gather->ack.total_entries;
    struct store_key key = record_key(gather->range.high.partition, RECORD_INBOX, gather->ack.user,
                                      gather->ack.number);
    struct store_value value;
    if (gather->ack.number <= gather->reached || delta_get(delta, &key, &value) != DELTA_PRESENT) {
        return false;
    }
    (void)gather_add(gather, gather->ack.number, value);
    return gather->ack.total_entries == before + gather->counted;
}

uint32_t
gather_expired(const struct gather *gather, struct page *page, unsigned char *rows)
{
    struct store_key key;
    struct store_value value;
    uint32_t count = 0;
    while (count < gather->expired && page_next(page, &key, &value)) {
        unsigned char record[EXPIRY_BYTES];
        struct expiry expiry = {.kind = EXPIRY_ENTRY, .user = gather->ack.user, .a = key.a};
        struct store_entry entry;
        int error = entry_decode(key.a, value.bytes, value.count, &entry);
        ASSERT(error == 0);
        if (has_expired(gather, &entry)) {
            struct expiry_row row = {.at_ms = entry.message.expires_at_ms,
                                     .number = key.a,
                                     .record = {.bytes = record, .count = sizeof(record)}};
            expiry_encode(&expiry, record);
            expiry_row_put(rows, count++, &row);
        }
    }
    return count;
}

void
gather_end(struct gather *gather, bool cut)
{
    gather->left = gather->left || cut;
    if (gather->left) {
        gather->ack.number = gather->reached;
    }
}

void
gather_old(struct gather *gather, struct page *page, uint64_t before_ms)
{
    struct store_key key;
    struct store_value value;
    while (page_next(page, &key, &value)) {
        struct store_entry entry;
        int error = entry_decode(key.a, value.bytes, value.count, &entry);
        ASSERT(error == 0);
        uint64_t time_ms = entry_time_ms(&entry);
        if (time_ms >= before_ms || (time_ms != 0 && !gather_add(gather, key.a, value))) {
            break;
        }
    }
    gather_end(gather, true);
}
