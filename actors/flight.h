/* SPDX-License-Identifier: Apache-2.0 */
/* flight.h - the entries that a device was sent and has not acknowledged: how much credit it has
 * left.
 *
 * Numbers rise; an acknowledgement is cumulative. Empty, it holds no memory. Part of a
 * connection, whose memory it uses.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct flight_entry {
    uint64_t number;
    uint64_t bytes;
};

struct flight {
    struct flight_entry *entries; /* a ring of `room` */
    uint32_t room;
    uint32_t first, count;
    uint64_t bytes;
};

/* For the calling actor. */
void flight_add(struct flight *flight, uint64_t number, uint64_t bytes);
/* Everything up to `number` has been acknowledged. */
void flight_ack(struct flight *flight, uint64_t number);
void flight_fini(struct flight *flight);
