/* SPDX-License-Identifier: Apache-2.0 */
/* calls.h - the calls that a user is in, as apply changes them (call.h tells who says what).
 *
 *     calls_get(ledger, user, &calls);
 *     call = calls_find(&calls, &id);                 NULL: he is in no such call
 *     ... calls_tell(apply, user, call, &said); ...   its entry in the inbox is this now
 *     calls_put(apply, user, &calls);
 *
 * Part of apply: never yields.
 */
#pragma once

#include "store/apply_priv.h"
#include "store/record_call.h"

/* None: count is 0. Names are borrowed from the ledger, until its next change: keep them in
 * `names`. */
struct calls {
    struct record_calls record;
    char names[RECORD_CALLS_MAX][STORE_NAME_BYTES_MAX];
};
void calls_get(const struct ledger *ledger, uint64_t user, struct calls *out);
void calls_put(const struct apply *apply, uint64_t user, const struct calls *calls);

struct record_call *calls_find(struct calls *calls, const struct store_call_id *id);
/* The one that rings or was answered, or NULL. */
struct record_call *calls_current(struct calls *calls);
/* Whether somebody calls the user, whose partition has not heard of an answer or an end: until when
 * it rings at most, and which entry says so. */
bool calls_ring(const struct ledger *ledger, uint64_t user, uint64_t *out_entry,
                uint64_t *out_until_ms);
/* A new one of `said` with the peer; NULL: no more are remembered. */
struct record_call *calls_add(struct calls *calls, uint64_t peer,
                              const struct store_entry_call *said);
/* Takes it out: pointers to others are void. */
void calls_remove(struct calls *calls, struct record_call *call);

/* The device of the user's that is in the call, 0: none is yet. */
uint16_t calls_device(const struct record_call *call, uint64_t user);
/* What is to be said of it: as it is, without content. */
struct store_entry_call calls_said(const struct record_call *call);

/* Puts it into the user's inbox, in place of what it said of the call before; how it ended, into
 * his history, too. False: no device has room, or there is no such user; then there is nothing of
 * it in the inbox. */
bool calls_tell(const struct apply *apply, uint64_t user, struct record_call *call,
                const struct store_entry_call *said);

/* Whether there is such a user, and how many devices he has. */
bool calls_user_lives(const struct apply *apply, uint64_t user, unsigned *out_devices);
/* Tells the other one's partition. */
void calls_send(const struct apply *apply, uint64_t to, const struct payload_call *step);

/* What comes of it when it ends for this reason. */
enum store_call_outcome calls_outcome(const struct record_call *call, uint8_t reason,
                                      bool by_caller);
/* It is over. In the caller's partition: tells both sides, and takes it out of `calls`. */
void calls_end(const struct apply *apply, uint64_t caller, struct calls *calls,
               struct record_call *call, enum store_call_outcome outcome);
/* In the callee's: asks the caller's to end it. */
void calls_ask_end(const struct apply *apply, uint64_t callee, struct record_call *call,
                   uint8_t reason);
/* Either of the two. */
void calls_leave(const struct apply *apply, uint64_t user, struct calls *calls,
                 struct record_call *call, uint8_t reason);

/* The call is looked at then: apply_sweep.c. */
void calls_look_at(const struct apply *apply, uint64_t user, const struct record_call *call,
                   uint64_t at_ms);
void calls_count(const struct apply *apply, enum store_call_count what);
