/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_agenda.h"

#include "runtime/check.h"
#include "runtime/io/io.h"
#include "runtime/io/sim_priv.h"

#include <stdlib.h>

enum { AGENDA_ROOM_FIRST = 64 };

static bool
entry_before(const struct sim_entry *a, const struct sim_entry *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void
entry_swap(struct sim_entry *a, struct sim_entry *b)
{
    struct sim_entry held = *a;
    *a = *b;
    *b = held;
}

void
sim_agenda_fini(struct sim_agenda *agenda)
{
    while (agenda->count > 0) {
        struct sim_entry entry = sim_agenda_pop(agenda);
        if (entry.drop) {
            entry.drop(entry.context);
        }
    }
    free(agenda->entries);
    agenda->entries = NULL;
    agenda->room = 0;
}

void
sim_agenda_push(struct sim_agenda *agenda, uint64_t at_ns, void (*fire)(void *context),
                void (*drop)(void *context), void *context)
{
    if (agenda->count == agenda->room) {
        agenda->room = agenda->room ? agenda->room * 2 : AGENDA_ROOM_FIRST;
        agenda->entries = sim_resize(agenda->entries, agenda->room, sizeof(*agenda->entries));
    }
    size_t at = agenda->count++;
    agenda->entries[at] = (struct sim_entry){
        .at_ns = at_ns,
        .order = agenda->pushed++,
        .fire = fire,
        .drop = drop,
        .context = context,
    };
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!entry_before(&agenda->entries[at], &agenda->entries[parent])) {
            break;
        }
        entry_swap(&agenda->entries[at], &agenda->entries[parent]);
        at = parent;
    }
}

uint64_t
sim_agenda_next_ns(const struct sim_agenda *agenda)
{
    return agenda->count > 0 ? agenda->entries[0].at_ns : IO_NEVER;
}

struct sim_entry
sim_agenda_pop(struct sim_agenda *agenda)
{
    ASSERT(agenda->count > 0);
    struct sim_entry *entries = agenda->entries;
    struct sim_entry first = entries[0];
    entries[0] = entries[--agenda->count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < agenda->count; child++) {
            if (entry_before(&entries[child], &entries[least])) {
                least = child;
            }
        }
        if (least == at) {
            return first;
        }
        entry_swap(&entries[at], &entries[least]);
        at = least;
    }
}
