/* SPDX-License-Identifier: Apache-2.0 */
#include "store/group_due.h"

#include "runtime/check.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 16 };

void
group_dues_init(struct group_dues *due)
{
    *due = (struct group_dues){0};
}

void
group_dues_fini(struct group_dues *due)
{
    free(due->places);
    *due = (struct group_dues){0};
}

/* Fibonacci hashing: ids of one partition differ in their middle bits. */
static uint32_t
home(const struct group_dues *due, uint64_t group)
{
    return (uint32_t)(group * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (due->capacity - 1);
}

/* Where the group is, or would be. */
static struct group_due *
place(const struct group_dues *due, uint64_t group)
{
    uint32_t at = home(due, group);
    while (due->places[at].group != 0 && due->places[at].group != group) {
        at = (at + 1) & (due->capacity - 1);
    }
    return &due->places[at];
}

static void
grow(struct group_dues *due)
{
    struct group_dues old = *due;
    due->capacity = old.capacity == 0 ? CAPACITY_MIN : old.capacity * 2;
    due->places = calloc(due->capacity, sizeof(due->places[0]));
    ASSERT(due->places != NULL);
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.places[i].group != 0) {
            *place(due, old.places[i].group) = old.places[i];
        }
    }
    free(old.places);
}

struct group_due *
group_due_at(struct group_dues *due, uint64_t group)
{
    ASSERT(group != 0);
    if ((due->count + 1) * 2 > due->capacity) {
        grow(due);
    }
    struct group_due *at = place(due, group);
    if (at->group == 0) {
        at->group = group;
        due->count++;
    }
    return at;
}

struct group_due *
group_due_find(const struct group_dues *due, uint64_t group)
{
    if (due->count == 0) {
        return NULL;
    }
    struct group_due *at = place(due, group);
    return at->group == 0 ? NULL : at;
}

/* Knuth's deletion: those behind the hole that would not be found any more move into it. */
void
group_due_settle(struct group_dues *due, struct group_due *at)
{
    uint32_t mask = due->capacity - 1;
    uint32_t hole = (uint32_t)(at - due->places);
    if (at->report || at->tell) {
        return;
    }
    for (uint32_t next = (hole + 1) & mask; due->places[next].group != 0;
         next = (next + 1) & mask) {
        uint32_t reach = (next - home(due, due->places[next].group)) & mask;
        if (reach >= ((next - hole) & mask)) {
            due->places[hole] = due->places[next];
            hole = next;
        }
    }
    due->places[hole] = (struct group_due){0};
    due->count--;
}
