/* SPDX-License-Identifier: Apache-2.0 */
/* history_ledger.h - histories (history.h) in the ledger.
 *
 *     table         owner  a     b                value
 *     HISTORY       user   chat  number           the entry, as the inbox holds it
 *     HISTORY_BACK  user   chat  ~number          nothing: the way from newer to older
 *     HISTORY_AT    user   chat  chat number, side  the number, for who would delete a message; of
 *                                                   one's own in a group, the count last told
 *
 * Numbers are the inbox's, or taken from the same counter for what never was in it. Part of apply:
 * never yields.
 */
#pragma once

#include "store/effects.h"
#include "store/entry.h"
#include "store/history.h"
#include "store/ledger.h"

static inline struct store_key
history_key(uint8_t partition, uint64_t user, uint64_t chat, uint64_t number)
{
    return (struct store_key){
        .partition = partition, .table = RECORD_HISTORY, .owner = user, .a = chat, .b = number};
}
static inline struct store_key
history_key_back(uint8_t partition, uint64_t user, uint64_t chat, uint64_t number)
{
    return (struct store_key){.partition = partition,
                              .table = RECORD_HISTORY_BACK,
                              .owner = user,
                              .a = chat,
                              .b = ~number};
}
/* A call has no number in its chat: it stands under that of its entry, and this, above all
 * others. */
#define HISTORY_CALL (UINT64_C(1) << 62)

/* `own`: one to one, the user wrote it; in a group, the number is that of an update. */
static inline struct store_key
history_key_at(uint8_t partition, uint64_t user, uint64_t chat, uint64_t chat_number, bool own)
{
    return (struct store_key){.partition = partition,
                              .table = RECORD_HISTORY_AT,
                              .owner = user,
                              .a = chat,
                              .b = chat_number << 1 | own};
}

/* What history_key_at is given for a row of the user's history; the entry has its number. */
void history_place(uint64_t user, uint64_t chat, const struct store_entry *entry,
                   uint64_t *out_number, bool *out_own);

/* Whether something that is said is kept at all. */
bool history_is_on(const struct ledger *ledger);

/* Keeps a message, a group's update, or how a call ended; its number is 0 when it was not put into
 * the inbox: it gets one then. No effect while history is off. */
void history_put(struct ledger *ledger, uint64_t user, struct store_entry *entry);

/* Forgets what history_place names so, if it is there. HISTORY_AT's key must be known. */
void history_forget(struct ledger *ledger, uint64_t user, uint64_t chat, uint64_t chat_number,
                    bool own);

/* Of a message, if it is there, nothing is left but that there was one. HISTORY_AT's key must be
 * known, and that of the entry of which it tells; likewise below. */
void history_delete(struct ledger *ledger, struct effects *effects, uint64_t user, uint64_t chat,
                    uint64_t chat_number, bool own);

/* Gives a message another body, attachments and end, if it is there. */
void history_edit(struct ledger *ledger, struct effects *effects, uint64_t user, uint64_t chat,
                  bool own, const struct store_entry_message *edit);

/* How many have a message that the user wrote to a group: what his devices are told of it, if it is
 * there; `all`: beside it, that all have it. HISTORY_AT's key must be known. */
void history_count(struct ledger *ledger, uint64_t user, uint64_t group,
                   const struct store_group_count *count, bool all);

/* HISTORY_AT's value. */
struct history_at {
    uint64_t number; /* of the entry */
    bool counted;
    bool all; /* that all have it was told with the count */
    struct store_group_count count;
};
MUST_CHECK int history_at_decode(struct store_value value, struct history_at *out);
