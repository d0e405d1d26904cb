/* SPDX-License-Identifier: Apache-2.0 */
/* All chains of a size are equally long, so none is ever counted or cut: a list fills one, keeps it
 * whole, and begins the next. With one kept and one begun a scheduler that takes and gives in turns
 * never comes to the node's.
 *
 * Memory order: a chain is handed on with release and taken with acquire, so its links and what
 * users left in its blocks are seen as they were. */
#include "runtime/spares.h"

#include "runtime/node_priv.h"

#include <stdlib.h>

struct spare {
    struct spare *next;
};

/* Most are small. */
static inline unsigned
class_of(size_t bytes)
{
    return bytes <= SLAB_SMALL_BYTES_MAX
               ? slab_small_class[(bytes + SLAB_GRAIN_BYTES - 1) / SLAB_GRAIN_BYTES]
               : slab_class(bytes);
}

static void *
block_new(size_t bytes)
{
    void *block = malloc(bytes);
    ASSERT(block != NULL && "out of memory");
    return block;
}

static void
chain_free(struct spare *chain)
{
    while (chain != NULL) {
        struct spare *next = chain->next;
        free(chain);
        chain = next;
    }
}

/* Takes the list's whole chain, or the node's, to be used up; false: there is none. */
static bool
refill(struct spare_list *list, unsigned kind, struct spares_surplus *surplus)
{
    list->first = list->full;
    list->full = NULL;
    if (list->first == NULL &&
        atomic_load_explicit(&surplus->chains[kind], memory_order_relaxed) != NULL) {
        list->first = atomic_exchange_explicit(&surplus->chains[kind], NULL, memory_order_acquire);
    }
    list->count = list->first != NULL ? list->chain : 0;
    return list->first != NULL;
}

/* What the list has begun is a whole chain. The one it has besides goes to the node, and what is
 * there to malloc. */
static void
begin_next(struct spare_list *list, unsigned kind, struct spares_surplus *surplus)
{
    if (list->full != NULL) {
        chain_free(
            atomic_exchange_explicit(&surplus->chains[kind], list->full, memory_order_acq_rel));
    }
    list->full = list->first;
    list->first = NULL;
    list->count = 0;
}

void
spares_init(struct spares *spares)
{
    *spares = (struct spares){0};
    for (unsigned kind = 0; kind < SLAB_CLASSES; kind++) {
        size_t blocks = SPARES_CHAIN_BYTES_MAX / slab_class_bytes(kind);
        spares->lists[kind].chain =
            (uint16_t)(blocks < SPARES_CHAIN_BLOCKS_MAX ? blocks : SPARES_CHAIN_BLOCKS_MAX);
    }
}

void *
spares_take(size_t bytes)
{
    struct scheduler *self = scheduler_self;
    if (SLAB_MALLOC_ONLY || self == NULL || bytes > SLAB_BYTES_MAX) {
        return block_new(slab_block_bytes(bytes));
    }
    unsigned kind = class_of(bytes);
    struct spare_list *list = &self->spares.lists[kind];
    if (list->first == NULL && !refill(list, kind, &self->node->surplus)) {
        return block_new(slab_class_bytes(kind));
    }
    struct spare *block = list->first;
    list->first = block->next;
    __builtin_prefetch(list->first, 1); /* it may have lain there long */
    list->count--;
    list->moved = true;
    return block;
}

void
spares_give(void *block, size_t bytes)
{
    struct scheduler *self = scheduler_self;
    if (SLAB_MALLOC_ONLY || self == NULL || bytes > SLAB_BYTES_MAX) {
        free(block);
        return;
    }
    unsigned kind = class_of(bytes);
    struct spare_list *list = &self->spares.lists[kind];
    struct spare *given = block;
    if (list->count == list->chain) {
        begin_next(list, kind, &self->node->surplus);
    }
    given->next = list->first;
    list->first = given;
    list->count++;
    list->moved = true;
}

static void
list_free(struct spare_list *list)
{
    chain_free(list->first);
    chain_free(list->full);
    list->first = NULL;
    list->full = NULL;
    list->count = 0;
}

void
spares_trim(struct spares *spares, struct spares_surplus *surplus)
{
    for (unsigned kind = 0; kind < SLAB_CLASSES; kind++) {
        struct spare_list *list = &spares->lists[kind];
        if (!list->moved && (list->first != NULL || list->full != NULL)) {
            list_free(list);
            chain_free(
                atomic_exchange_explicit(&surplus->chains[kind], NULL, memory_order_acquire));
        }
        list->moved = false;
    }
}

void
spares_fini(struct spares *spares)
{
    for (unsigned kind = 0; kind < SLAB_CLASSES; kind++) {
        list_free(&spares->lists[kind]);
    }
}

void
spares_surplus_fini(struct spares_surplus *surplus)
{
    for (unsigned kind = 0; kind < SLAB_CLASSES; kind++) {
        chain_free(atomic_exchange_explicit(&surplus->chains[kind], NULL, memory_order_acquire));
    }
}
