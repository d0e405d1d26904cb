/* SPDX-License-Identifier: Apache-2.0 */
/* due.h - who is to be woken: the record that says so comes and goes with its reasons (wake.h).
 *
 *     head.newest = entry->number;                     something worth waking for has come
 *     due_consider(ledger, effects, user, &head, cursor);
 *     ... the cursor acknowledged, or the device was woken ...
 *     due_consider(ledger, effects, user, &head, cursor);
 *
 * A device is due when it has a subscription, and the newest entry worth waking for lies above what
 * it has acknowledged and above what it was woken for. The cursor remembers whether the record is
 * there, so a device that has no subscription costs nothing and one that is due already costs no
 * more. Changes the head, which its owner writes back. Part of apply: never yields.
 */
#pragma once

#include "store/effects.h"
#include "store/ledger.h"
#include "store/record_inbox.h"
#include "store/record_wake.h"

/* In EFFECT_DUE's `devices`. */
enum { DUE_URGENT = 1 };

/* Writes or deletes the device's record, if that changes. */
void due_consider(struct ledger *ledger, struct effects *effects, uint64_t user,
                  const struct record_head *head, struct record_cursor *cursor);
/* An entry has come that is worth waking for: all of the user's devices. Urgent: somebody calls;
 * devices that are due already are told of again. */
void due_newest(struct ledger *ledger, struct effects *effects, uint64_t user,
                struct record_head *head, uint64_t number, bool urgent);
/* It has been woken; what may have come since is for due_consider. */
void due_delete(struct ledger *ledger, uint64_t user, struct record_cursor *cursor);
/* The device has no subscription any more. */
void due_unsubscribe(struct ledger *ledger, uint64_t user, struct record_cursor *cursor);
