/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h - what a partition still has to tell others: its ends of the streams.
 *
 * A record is written by the apply that caused it and stays until the other partition has
 * acknowledged its number. It is sent again after every start, so the other side remembers how far
 * it has applied the stream: each record takes effect exactly once there, in the order in which it
 * was written here.
 *
 *     number = outbox_put(ledger, effects, destination, &payload);
 *     outbox_acked(ledger, destination, number, bytes);
 *
 * Part of apply: on the partition's scheduler, never yields.
 */
#pragma once

#include "store/effects.h"
#include "store/ledger.h"
#include "store/payload.h"

/* Adds a record and marks the stream in the effects. Returns its number. */
uint64_t outbox_put(struct ledger *ledger, struct effects *effects, uint8_t destination,
                    const struct payload *payload);
/* The same to each partition whose bit is set. */
void outbox_put_all(struct ledger *ledger, struct effects *effects, const uint64_t destinations[4],
                    const struct payload *payload);

/* Everything up to `number` has been applied there and is forgotten here. Numbers already
 * acknowledged are passed over. At most COMMAND_PAIRS_MAX at once. */
void outbox_acked(struct ledger *ledger, uint8_t destination, uint64_t number, uint64_t bytes);
