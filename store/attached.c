/* SPDX-License-Identifier: Apache-2.0 */
#include "store/attached.h"

#include "runtime/check.h"

#include <stdlib.h>

enum {
    CAPACITY_FIRST = 16,
    FULL_NUMERATOR = 7, /* of eight: beyond that probes grow long */
    FULL_DENOMINATOR = 8,
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

/* The place behind `at` (of all, in a ring). */
static uint32_t
place_after(const struct attached *attached, uint32_t at)
{
    return (at + 1) & (attached->capacity - 1);
}

/* From `at` on: the user's next place, or the empty one where it would be. */
static struct attached_session *
probe(const struct attached *attached, uint64_t user, uint32_t at)
{
    while (attached->places[at].user != 0 && attached->places[at].user != user) {
        at = place_after(attached, at);
    }
    return &attached->places[at];
}

struct attached_session *
attached_next(const struct attached *attached, uint64_t user, const struct attached_session *before)
{
    if (attached->capacity == 0 || user == 0) {
        return NULL;
    }
    uint32_t at = before == NULL ? place_of(attached, user)
                                 : place_after(attached, (uint32_t)(before - attached->places));
    struct attached_session *session = probe(attached, user, at);
    return session->user != 0 ? session : NULL;
}

struct attached_session *
attached_find(const struct attached *attached, uint64_t user, uint16_t device)
{
    struct attached_session *session = attached_next(attached, user, NULL);
    while (session != NULL && session->device != device) {
        session = attached_next(attached, user, session);
    }
    return session;
}

/* Into an empty place. */
static void
place(struct attached *attached, const struct attached_session *session)
{
    uint32_t at = place_of(attached, session->user);
    while (attached->places[at].user != 0) {
        at = place_after(attached, at);
    }
    attached->places[at] = *session;
}

static void
grow(struct attached *attached)
{
    struct attached larger = *attached;
    larger.capacity = attached->capacity == 0 ? CAPACITY_FIRST : attached->capacity * 2;
    larger.places = calloc(larger.capacity, sizeof(larger.places[0]));
    ASSERT(larger.places != NULL);
    for (uint32_t i = 0; i < attached->capacity; i++) {
        if (attached->places[i].user != 0) {
            place(&larger, &attached->places[i]);
        }
    }
    free(attached->places);
    *attached = larger;
}

ln_pid
attached_set(struct attached *attached, uint64_t user, uint16_t device, ln_pid pid)
{
    ASSERT(user != 0);
    struct attached_session session = {.user = user, .device = device, .pid = pid};
    struct attached_session *old = attached_find(attached, user, device);
    if (old != NULL) {
        ln_pid replaced = old->pid;
        *old = session;
        return replaced;
    }
    if ((attached->count + 1) * FULL_DENOMINATOR > attached->capacity * FULL_NUMERATOR) {
        grow(attached);
    }
    attached->users += attached_next(attached, user, NULL) == NULL;
    attached->count++;
    place(attached, &session);
    return 0;
}

/* Whoever probed past the place moves up, until an empty one ends the run. */
static void
close_gap(struct attached *attached, uint32_t hole)
{
    uint32_t mask = attached->capacity - 1;
    uint32_t at = hole;
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

void
attached_remove(struct attached *attached, uint64_t user, uint16_t device, ln_pid pid)
{
    struct attached_session *gone = attached_find(attached, user, device);
    if (gone == NULL || gone->pid != pid) {
        return;
    }
    attached->count--;
    close_gap(attached, (uint32_t)(gone - attached->places));
    attached->users -= attached_next(attached, user, NULL) == NULL;
}
