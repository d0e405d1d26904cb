/* SPDX-License-Identifier: Apache-2.0 */
/* Who lives on a scheduler, and under which pid. A slot's generation goes up with each end, so that
 * a stale pid finds nobody; a slot that was left rests behind others, so that its generations last.
 */
#include "runtime/bounds.h"
#include "runtime/scheduler.h"

#include <string.h>

struct actor *
scheduler_actor_at(const struct scheduler *self, uint32_t slot)
{
    ASSERT(slot < self->slots_used);
    return slot_at(self, slot)->actor;
}

static void
slots_add(struct scheduler *self, uint32_t chunk)
{
    size_t bytes = SLOT_CHUNK * sizeof(struct actor_slot);
    self->slots[chunk] = slab_alloc(&self->slab, bytes);
    memset(self->slots[chunk], 0, bytes);
}

void
slots_init(struct scheduler *self)
{
    slots_add(self, 0);
    self->slots_used = 1; /* slot 0 is the scheduler's own pid */
}

void
slots_fini(struct scheduler *self)
{
    for (unsigned chunk = 0; chunk < SLOT_CHUNKS && self->slots[chunk] != NULL; chunk++) {
        slab_free(&self->slab, self->slots[chunk], SLOT_CHUNK * sizeof(struct actor_slot));
    }
}

static uint32_t
slot_take(struct scheduler *self)
{
    bool full = self->slots_used > self->actors_max;
    if (self->slots_free_count > SLOTS_RESTING || (full && self->slots_free_count > 0)) {
        uint32_t slot = self->slots_free_first;
        self->slots_free_first = slot_at(self, slot)->next_free;
        self->slots_free_count--;
        return slot;
    }
    if (full) {
        return 0;
    }
    uint32_t slot = self->slots_used++;
    if (self->slots[slot / SLOT_CHUNK] == NULL) {
        slots_add(self, slot / SLOT_CHUNK);
    }
    return slot;
}

/* Written by this thread alone, so it needs no locked addition: others read a hint for
 * placement. */
static void
actors_count_add(struct scheduler *self, int change)
{
    unsigned count = atomic_load_explicit(&self->actors_count, memory_order_relaxed);
    atomic_store_explicit(&self->actors_count, count + (unsigned)change, memory_order_relaxed);
}

ln_pid
scheduler_adopt(struct scheduler *self, struct actor *actor)
{
    uint32_t slot = slot_take(self);
    if (slot == 0) {
        return 0;
    }
    struct actor_slot *taken = slot_at(self, slot);
    taken->actor = actor;
    actors_count_add(self, 1);
    return (ln_pid)self->index << 56 | (ln_pid)slot << 32 | taken->generation;
}

void
scheduler_forget(struct scheduler *self, struct actor *actor)
{
    uint32_t slot = pid_slot(actor->pid);
    struct actor_slot *left = slot_at(self, slot);
    ASSERT(left->actor == actor);
    left->actor = NULL;
    left->generation++;
    if (self->slots_free_count++ == 0) {
        self->slots_free_first = slot;
    } else {
        slot_at(self, self->slots_free_last)->next_free = slot;
    }
    self->slots_free_last = slot;
    actors_count_add(self, -1);
}

uint64_t
scheduler_ref(struct scheduler *self)
{
    return (uint64_t)self->index << 56 | ++self->ref_last;
}
