/* SPDX-License-Identifier: Apache-2.0 */
/* push_retry.h - what an answer to a push means, and when to try again. Pure; any thread. */
#pragma once

#include "runtime/check.h"
#include "store/wake.h"

#include <stdbool.h>
#include <stdint.h>

enum push_verdict {
    PUSH_ACCEPTED, /* the device will be woken, or that is somebody else's care now */
    PUSH_GONE,     /* nobody is there any more: the subscription goes, too */
    PUSH_REFUSED,  /* the same again would be refused again */
    PUSH_AGAIN,    /* it may pass */
};

/* `status` is HTTP's, or a negative errno where there was no response. RFC 8030, 7.3: 404 and 410
 * of a push service say that the subscription has ended. A webhook's server is the operator's own:
 * there 410 says so, and 404 that the operator has something to mend. */
enum push_verdict push_verdict_of(enum store_wake_kind kind, int status);

/* Whether an attempt with this status says something about the server; false: the order could not
 * be sent (keys that are none, an address that is not allowed, -EBUSY: no time to look up the
 * name), and nobody was asked. */
bool push_is_of_server(int status);

/* The pause after the attempt with this number (1, 2 ...): doubled each time from `first_ms` up to
 * `most_ms`, less a random part of up to half, so that what failed together does not come back
 * together. `chance` is any number. */
uint64_t push_pause_ms(unsigned attempt, uint64_t first_ms, uint64_t most_ms, uint32_t chance);
