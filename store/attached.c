/* SPDX-License-Identifier: Apache-2.0 */
#include "store/attached.h"

#include "runtime/check.h"

#include <stdlib.h>

enum {
    CAPACITY_FIRST = 16,
    FULL_NUMERATOR = 3, /* of four: beyond that probes grow long */
    FULL_DENOMINATOR = 4,
};

void
attached_init(struct attached *attached)
{
    *attached = (struct attached){0};
}

void
attached_fini(struct attached *attached)
{
    free(attached->places);
    *attached = (struct attached){0};
}

/* Ids are counted up: Fibonacci's multiplier spreads neighbours. */
static uint32_t
place_of(const struct attached *attached, uint64_t user)
{
    uint64_t spread = user * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(spread >> 32) & (attached->capacity - 1);
}

/* The user's place, or the empty one where it would be. */
static struct attached_session *
probe(const struct attached *attached, uint64_t user)
{
    uint32_t at = place_of(attached, user);
    while (attached->places[at].user != 0 && attached->places[at].user != user) {
        at = (at + 1) & (attached->capacity - 1);
    }
    return &attached->places[at];
}

static void
grow(struct attached *attached)
{
    struct attached larger = {
        .count = attached->count,
        .capacity = attached->capacity == 0 ? CAPACITY_FIRST : attached->capacity * 2,
    };
    larger.places = calloc(larger.capacity, sizeof(larger.places[0]));
    ASSERT(larger.places != NULL);
    for (uint32_t i = 0; i < attached->capacity; i++) {
        if (attached->places[i].user != 0) {
            *probe(&larger, attached->places[i].user) = attached->places[i];
        }
    }
    free(attached->places);
    *attached = larger;
}

void
attached_set(struct attached *attached, uint64_t user, ln_pid pid)
{
    ASSERT(user != 0);
    if ((attached->count + 1) * FULL_DENOMINATOR > attached->capacity * FULL_NUMERATOR) {
        grow(attached);
    }
    struct attached_session *session = probe(attached, user);
    attached->count += session->user == 0;
    *session = (struct attached_session){.user = user, .pid = pid};
}

void
attached_remove(struct attached *attached, uint64_t user, ln_pid pid)
{
    struct attached_session *gone = attached_find(attached, user);
    if (gone == NULL || gone->pid != pid) {
        return;
    }
    /* Whoever probed past the place moves up, until an empty one ends the run. */
    uint32_t mask = attached->capacity - 1;
    uint32_t hole = (uint32_t)(gone - attached->places);
    uint32_t at = hole;
    attached->count--;
    for (;;) {
        attached->places[hole].user = 0;
        do {
            at = (at + 1) & mask;
            if (attached->places[at].user == 0) {
                return;
            }
        } while (((at - place_of(attached, attached->places[at].user)) & mask) <
                 ((at - hole) & mask));
        attached->places[hole] = attached->places[at];
        hole = at;
    }
}

struct attached_session *
attached_find(struct attached *attached, uint64_t user)
{
    if (attached->capacity == 0 || user == 0) {
        return NULL;
    }
    struct attached_session *session = probe(attached, user);
    return session->user != 0 ? session : NULL;
}
