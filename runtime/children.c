/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/children.h"

#include "runtime/check.h"

#include <string.h>

enum {
    PLACES_FIRST = 16,
    FULL_NUMERATOR = 3, /* of four: beyond that probes grow long */
    FULL_DENOMINATOR = 4,
};

/* Where the search for a pid begins. */
static uint32_t
home_of(const struct children *children, ln_pid pid)
{
    uint64_t mixed = pid * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32) & (children->places - 1);
}

/* Its place, or the free one where it belongs. */
static uint32_t
find(const struct children *children, ln_pid pid)
{
    uint32_t at = home_of(children, pid);
    while (children->pids[at] != 0 && children->pids[at] != pid) {
        at = (at + 1) & (children->places - 1);
    }
    return at;
}

struct child *
children_record(const struct children *children, uint32_t place)
{
    return children->records != NULL ? children->records[place] : NULL;
}

static void
move(struct children *children, uint32_t to, ln_pid pid, struct child *record)
{
    children->pids[to] = pid;
    if (children->records != NULL) {
        children->records[to] = record;
    }
}

void
children_reserve(struct children *children, bool records)
{
    struct children old = *children;
    if ((uint64_t)(old.count + 1) * FULL_DENOMINATOR <= (uint64_t)old.places * FULL_NUMERATOR) {
        return;
    }
    struct children larger = {.places = old.places == 0 ? PLACES_FIRST : old.places * 2,
                              .count = old.count};
    larger.pids = ln_alloc(larger.places * sizeof *larger.pids);
    if (records) {
        larger.records = ln_alloc(larger.places * sizeof(struct child *));
    }
    for (uint32_t i = 0; i < old.places; i++) {
        if (old.pids[i] != 0) {
            move(&larger, find(&larger, old.pids[i]), old.pids[i], children_record(&old, i));
        }
    }
    ln_free(old.pids);
    ln_free(old.records);
    *children = larger;
}

void
children_add(struct children *children, ln_pid pid, struct child *record)
{
    uint32_t at = find(children, pid);
    ASSERT(pid != 0 && children->pids[at] == 0);
    ASSERT(record == NULL || children->records != NULL);
    children->count++;
    move(children, at, pid, record);
}

bool
children_find(const struct children *children, ln_pid pid, uint32_t *out_place)
{
    if (children->places == 0 || pid == 0) {
        return false;
    }
    *out_place = find(children, pid);
    return children->pids[*out_place] == pid;
}

bool
children_remove(struct children *children, ln_pid pid, struct child **out_record)
{
    uint32_t hole;
    if (!children_find(children, pid, &hole)) {
        return false;
    }
    uint32_t mask = children->places - 1;
    *out_record = children_record(children, hole);
    /* Those behind it move up, so that each is found again (Knuth 6.4, algorithm R). */
    for (uint32_t at = (hole + 1) & mask; children->pids[at] != 0; at = (at + 1) & mask) {
        uint32_t home = home_of(children, children->pids[at]);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            move(children, hole, children->pids[at], children_record(children, at));
            hole = at;
        }
    }
    move(children, hole, 0, NULL);
    children->count--;
    return true;
}
