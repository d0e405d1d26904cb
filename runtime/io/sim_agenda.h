/* SPDX-License-Identifier: Apache-2.0 */
/* sim_agenda.h - what will happen, and when: a heap ordered by (instant, order of entry), never by
 * address.
 *
 *     sim_agenda_push(&agenda, now + delay, segment_fire, segment_drop, segment);
 *     while (sim_agenda_next_ns(&agenda) <= now) {
 *         struct sim_entry entry = sim_agenda_pop(&agenda);
 *         entry.fire(entry.context);
 *     }
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct sim_entry {
    uint64_t at_ns;
    uint64_t order;
    void (*fire)(void *context);
    void (*drop)(
        void
            *context); /* called instead of fire when it will never happen; NULL: nothing to free */
    void *context;
};

struct sim_agenda {
    struct sim_entry *entries; /* a binary heap */
    size_t count, room;
    uint64_t pushed; /* entries ever pushed: the next order number */
};

/* A zeroed agenda is empty. Drops what is left. */
void sim_agenda_fini(struct sim_agenda *agenda);
void sim_agenda_push(struct sim_agenda *agenda, uint64_t at_ns, void (*fire)(void *context),
                     void (*drop)(void *context), void *context);
/* The instant of the first entry, or IO_NEVER. */
uint64_t sim_agenda_next_ns(const struct sim_agenda *agenda);
/* The first entry; there must be one. */
struct sim_entry sim_agenda_pop(struct sim_agenda *agenda);
