/* SPDX-License-Identifier: Apache-2.0 */
/* Who lives on a scheduler, and under which pid. An actor lies in its slot, so that a pid leads to
 * it by reckoning alone. A slot's generation goes up with each end, so that a stale pid finds
 * nobody; a slot that was left rests behind others, so that its generations last: half of all, 512
 * at least, while the limit of actors leaves room for that. So a pid comes again after 2^41 spawns,
 * where it could after 2^32. */
#include "runtime/scheduler.h"

#include <string.h>

enum { SLOTS_MAX = 1 << 24 };

/* Of slot 0, which has no actor: no pid that is looked for there, neither 0 nor the scheduler's. */
static const ln_pid nobody = UINT64_MAX;

static bool
slot_is_free(const struct actor *actor)
{
    return actor->pid >> 32 == 0;
}

struct actor *
scheduler_actor_at(const struct scheduler *self, uint32_t slot)
{
    struct actor *actor = pool_at(&self->actors, slot, ACTOR_BYTES);
    ASSERT(slot != 0 && slot < pool_records(&self->actors));
    return slot_is_free(actor) ? NULL : actor;
}

void
slots_init(struct scheduler *self, uint32_t actors_max)
{
    ASSERT(actors_max < SLOTS_MAX);
    self->actors_max = actors_max;
    pool_init(&self->actors, ACTOR_BYTES, actors_max + 1);
    pool_advance(&self->actors); /* so that slot 0 is there */
    ((struct actor *)pool_at(&self->actors, 0, ACTOR_BYTES))->pid = nobody;
}

void
slots_fini(struct scheduler *self)
{
    pool_fini(&self->actors);
}

/* Written by this thread alone, so it needs no locked addition: others read a hint for
 * placement. */
static void
actors_count_tell(struct scheduler *self)
{
    atomic_store_explicit(&self->actors_count, self->actors.used_count, memory_order_relaxed);
}

/* Written out, since the compiler's own way is an instruction that takes longer to begin than all
 * else here: `rep stos`. */
static inline void
slot_zero(struct actor *actor)
{
    typedef uint64_t piece __attribute__((vector_size(16), may_alias));
    piece *pieces = (piece *)actor;
    const piece zero = {0, 0};
#pragma GCC unroll 8
    for (unsigned i = 0; i < sizeof *actor / sizeof *pieces; i++) {
        pieces[i] = zero;
    }
}

struct actor *
scheduler_adopt(struct scheduler *self)
{
    if (self->actors.used_count >= self->actors_max) {
        return NULL;
    }
    uint32_t slot = pool_take(&self->actors);
    struct actor *actor = pool_at(&self->actors, slot, ACTOR_BYTES);
    ASSERT(slot_is_free(actor));
    ln_pid pid = (ln_pid)self->index << 56 | (ln_pid)slot << 32 | actor->pid;
    slot_zero(actor);
    actor->pid = pid;
    actors_count_tell(self);
    return actor;
}

void
scheduler_forget(struct scheduler *self, struct actor *actor)
{
    uint32_t slot = pid_slot(actor->pid);
    ASSERT(pool_at(&self->actors, slot, ACTOR_BYTES) == actor && !slot_is_free(actor));
    actor->pid = (uint32_t)actor->pid + 1u;
    pool_give(&self->actors, slot);
    actors_count_tell(self);
}

uint64_t
scheduler_ref(struct scheduler *self)
{
    return (uint64_t)self->index << 56 | ++self->ref_last;
}
