/* SPDX-License-Identifier: Apache-2.0 */
/* handle.h - numbers for objects, so that a stale number finds nothing instead of something else.
 *
 * A handle is (generation << 32 | index + 1); 0 is none. A freed index is used again under the next
 * generation, and not before HANDLES_RESTING others have been freed after it: at ten million
 * handles a second it takes five days until a number comes again. One scheduler's; no locks.
 */
#pragma once

#include "runtime/check.h"

#include <stdint.h>

enum { HANDLES_RESTING = 1024 };

struct handle_slot {
    void *object; /* NULL: free */
    uint32_t generation;
    uint32_t next_free; /* index + 1; 0: none */
};

struct handle_table {
    struct handle_slot *slots;
    uint32_t slots_max;
    uint32_t slots_used;
    uint32_t free_first, free_last; /* index + 1 of the slot freed first, and last; 0: none */
    uint32_t free_count;
    uint32_t count;
};

void handle_table_init(struct handle_table *table);
void handle_table_fini(struct handle_table *table);
/* Never 0. Without memory the node ends. */
uint64_t handle_new(struct handle_table *table, void *object);
/* NULL when it is stale. */
void *handle_get(const struct handle_table *table, uint64_t handle);
/* The object it stood for, or NULL; the handle is stale afterwards. */
void *handle_free(struct handle_table *table, uint64_t handle);
