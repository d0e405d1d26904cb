/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.h - what a partition has to forget at a time of its own: messages that disappear, and the
 * tombstones of messages that were taken back.
 *
 *     EXPIRY  0  time  number    ->  what: an entry of an inbox, or a tombstone
 *
 * The table is in the order of time, so what is due is its beginning. Now and then the partition
 * looks there (partition_sweep.c) and logs what it found as one command, a bounded number at a
 * time; apply removes it. Between its time and that sweep a disappearing message is still on the
 * disk, but nobody is given it any more (entry_expired).
 *
 * A record stays until its time even if what it means has gone before, since whoever acknowledges a
 * message does not look into it.
 *
 * A call is looked at, too, when it has rung for so long, and now and then when it was answered.
 *
 * So is what a sender has counted somebody for who never came (apply_hold.c).
 *
 * A tombstone tells that a message of a chat has been taken back, for as long as somebody could ask
 * for another change of it. Before that the same record holds where edits of the message wait
 * (apply_edits.c).
 *
 * Part of apply: never yields.
 */
#pragma once

#include "store/effects.h"
#include "store/ledger.h"

enum expiry_kind {
    EXPIRY_ENTRY = 1,     /* `a` of the user's inbox */
    EXPIRY_TOMBSTONE = 2, /* of the user's chat with `a`, number `b` of what `a` wrote */
    EXPIRY_CALL = 3,      /* the user's call `b` of `a`: it is looked at */
    EXPIRY_HOLD = 4,      /* the user's count of `a` (hold.h) */
};

struct expiry {
    enum expiry_kind kind;
    uint64_t user;
    uint64_t a;
    uint64_t b;
};

enum {
    EXPIRY_BYTES = RECORD_HEADER_BYTES + 1 + 3 * 8,
    /* In a sweep's command: time and number before it. */
    EXPIRY_ROW_BYTES = 2 * 8 + EXPIRY_BYTES,
    EXPIRY_ROWS_MAX = 256, /* of one sweep */
};

void expiry_encode(const struct expiry *expiry, unsigned char out[EXPIRY_BYTES]);
/* 0, or -EBADMSG with *out undefined. */
MUST_CHECK int expiry_decode(struct store_value value, struct expiry *out);

/* The range of all of a partition's. */
struct store_range expiry_range(uint8_t partition);

/* A row of a sweep's command: the record's time and number, and the record. Borrows the bytes. */
struct expiry_row {
    uint64_t at_ms;
    uint64_t number;
    struct store_value record;
};
void expiry_row_put(unsigned char *bytes, uint32_t index, const struct expiry_row *row);
void expiry_row_get(const unsigned char *bytes, uint32_t index, struct expiry_row *out);

/* It is to happen at that time; `number` is an inbox number of the apply that asks for it, each for
 * one kind alone. The partition is told (EFFECT_EXPIRY). */
void expiry_put(struct ledger *ledger, struct effects *effects, uint64_t at_ms, uint64_t number,
                const struct expiry *expiry);
void expiry_remove(struct ledger *ledger, uint64_t at_ms, uint64_t number);

/* ----------------------------------------------------------------------------------- tombstones */

struct store_key tombstone_key(uint8_t partition, uint64_t recipient, uint64_t sender,
                               uint64_t chat_number);
/* Whether it has been taken back. Its key must be known. */
bool tombstone_there(const struct ledger *ledger, uint64_t recipient, uint64_t sender,
                     uint64_t chat_number);
void tombstone_put(struct ledger *ledger, uint64_t recipient, uint64_t sender,
                   uint64_t chat_number);
