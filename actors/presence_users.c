/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/presence_users.h"

#include "runtime/check.h"

#include <stdlib.h>

enum {
    CAPACITY_FIRST = 8,
    /* Of eight: fuller, probes grow long; emptier, it is made smaller. */
    FULL_EIGHTHS = 7,
    SPARSE_EIGHTHS = 1,
};

/* Ids are counted up: Fibonacci's multiplier spreads neighbours. */
static uint32_t
place_of(const struct presence_users *users, uint64_t user)
{
    uint64_t spread = user * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(spread >> 32) & (users->capacity - 1);
}

/* His place, or the empty one where he would be. */
static struct presence_subject *
probe(const struct presence_users *users, uint64_t user)
{
    uint32_t at = place_of(users, user);
    while (users->places[at].user != 0 && users->places[at].user != user) {
        at = (at + 1) & (users->capacity - 1);
    }
    return &users->places[at];
}

struct presence_subject *
presence_users_find(const struct presence_users *users, uint64_t user)
{
    if (users->count == 0 || user == 0) {
        return NULL;
    }
    struct presence_subject *subject = probe(users, user);
    return subject->user != 0 ? subject : NULL;
}

static void
resize(struct presence_users *users, uint32_t capacity)
{
    struct presence_users other = *users;
    other.capacity = capacity;
    other.places = calloc(capacity, sizeof(other.places[0]));
    ASSERT(other.places != NULL && "out of memory");
    for (uint32_t i = 0; i < users->capacity; i++) {
        if (users->places[i].user != 0) {
            *probe(&other, users->places[i].user) = users->places[i];
        }
    }
    free(users->places);
    *users = other;
}

struct presence_subject *
presence_users_add(struct presence_users *users, uint64_t user)
{
    ASSERT(user != 0);
    if ((users->count + 1) * 8 > users->capacity * FULL_EIGHTHS) {
        resize(users, users->capacity == 0 ? CAPACITY_FIRST : users->capacity * 2);
    }
    struct presence_subject *subject = probe(users, user);
    ASSERT(subject->user == 0);
    *subject = (struct presence_subject){.user = user};
    users->count++;
    return subject;
}

/* Whoever probed past the place moves up, until an empty one ends the run. */
void
presence_users_take_out(struct presence_users *users, uint32_t hole)
{
    uint32_t mask = users->capacity - 1;
    uint32_t at = hole;
    users->count--;
    for (;;) {
        users->places[hole] = (struct presence_subject){0};
        do {
            at = (at + 1) & mask;
            if (users->places[at].user == 0) {
                return;
            }
        } while (((at - place_of(users, users->places[at].user)) & mask) < ((at - hole) & mask));
        users->places[hole] = users->places[at];
        hole = at;
    }
}

void
presence_users_fit(struct presence_users *users)
{
    if (users->count == 0) {
        free(users->places);
        users->places = NULL;
        users->capacity = 0;
    } else if (users->capacity > CAPACITY_FIRST &&
               users->count * 8 < users->capacity * SPARSE_EIGHTHS) {
        resize(users, users->capacity / 2);
    }
}

void
presence_users_fini(struct presence_users *users)
{
    for (uint32_t at = 0; at < users->capacity; at++) {
        free(users->places[at].watches); /* an empty place has none */
    }
    free(users->places);
    *users = (struct presence_users){0};
}
