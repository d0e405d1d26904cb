/* SPDX-License-Identifier: Apache-2.0 */
/* spares.h - memory that comes and goes with every message and belongs to no actor: what was given
 * back waits for the next who needs as much, so that malloc is not asked.
 *
 *     block = spares_take(bytes);
 *     spares_give(block, bytes);
 *
 * A slab's blocks go home to be freed; these stay with the scheduler that gives them back, in whose
 * cache they are. One that gives back more than it takes hands a chain of them on through the node
 * to one that takes more, a single atomic exchange for all of it. Each block is malloc's own: it
 * may outlive its scheduler and the node, and threads that are no scheduler's take and give it,
 * too, without keeping any. Sizes are a slab's, rounded up likewise. What is kept has a bound, and
 * goes back when a second has passed in which none of its size moved. With AddressSanitizer nothing
 * is kept, so that it sees each block's end.
 *
 * For runtime/ and what is built on it here; the library's users have ln_alloc and ln_buffer_new.
 */
#pragma once

#include "runtime/slab.h"

#include <stdatomic.h>
#include <stdbool.h>

struct spare;

enum {
    SPARES_CHAIN_BLOCKS_MAX = 1024,
    SPARES_CHAIN_BYTES_MAX = 512 << 10, /* of larger ones there are fewer in a chain */
};

/* Of one size. */
struct spare_list {
    struct spare *first;
    struct spare *full; /* a whole chain, or NULL */
    uint32_t count;     /* from `first` on */
    uint16_t chain;     /* blocks of a whole one */
    bool moved;         /* since the last trim */
};

/* A scheduler's. */
struct spares {
    struct spare_list lists[SLAB_CLASSES];
};

/* The node's: of each size one chain at most, of whoever had too many. Zeros are empty. Any
 * scheduler. */
struct spares_surplus {
    _Atomic(struct spare *) chains[SLAB_CLASSES];
};

void spares_init(struct spares *spares);
void spares_fini(struct spares *spares);
void spares_surplus_fini(struct spares_surplus *surplus);

/* Not zeroed; aligned to 16. Never NULL: without memory the node ends. Any thread. */
void *spares_take(size_t bytes);
/* `bytes` as it was taken. Any thread. */
void spares_give(void *block, size_t bytes);

/* Once in a while: gives back the sizes of which none moved since the last time. */
void spares_trim(struct spares *spares, struct spares_surplus *surplus);
