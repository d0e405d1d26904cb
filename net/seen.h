/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - the message ids that a device was given last, so that none is given twice.
 *
 * Inbox numbers tell what was sent again after a reconnect; ids tell the rest: what came to the
 * inbox twice, under two numbers. Exact within the last SEEN_IDS messages, which is far more than a
 * node has any reason to repeat. For net/client.c; made with the first message, so that a client
 * that only writes doesn't pay for it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "runtime/check.h"

enum {
    SEEN_IDS = 32,
};

/* Zero is empty. Columns apart, since a device and a number don't fill two words. */
struct seen {
    uint64_t numbers[SEEN_IDS];
    uint64_t user_ids[SEEN_IDS];
    uint16_t devices[SEEN_IDS];
    uint16_t next;
};

/* True if the id was among the last ones; it is now, either way. */
static inline bool
seen_before(struct seen *seen, uint64_t user_id, uint32_t device, uint64_t number)
{
    for (unsigned i = 0; i < SEEN_IDS; i++) {
        if (seen->numbers[i] == number && seen->user_ids[i] == user_id &&
            seen->devices[i] == device) {
            return true;
        }
    }
    seen->numbers[seen->next] = number;
    seen->user_ids[seen->next] = user_id;
    seen->devices[seen->next] = (uint16_t)device;
    seen->next = (uint16_t)((seen->next + 1) % SEEN_IDS);
    return false;
}
