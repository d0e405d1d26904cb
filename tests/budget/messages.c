/* SPDX-License-Identifier: Apache-2.0 */
/* budget_messages: two people on a simulated machine write to each other a given number of times,
 * and what the node's counters say of it is printed, one `name value` a line.
 *
 *     budget_messages single 400       one message each way, then a pause of 5 ms
 *     budget_messages binary 400       the same in the binary form
 *     budget_messages crowded 400      25 each way before each pause
 *     budget_messages pairs 2000       so many by five hundred pairs, each of whom has one under
 *                                      way
 *     budget_messages group 8000       so many deliveries to the members of a group, in which
 *                                      eight write at once
 *     budget_messages idle 8           so many people, by twos: one message each way, then silence,
 *                                      and what the runtime's memory holds is told
 *
 * But for the silent ones the store is roomy: nothing is folded meanwhile.
 *
 * Everything follows from the seed, so two runs of a build print the same. The counters are those
 * of the whole life: whoever wants them per message, or per person, compares two runs of different
 * lengths. */
#include "runtime/node_priv.h"
#include "runtime/scheduler.h"
#include "tests/budget/group.h"
#include "tests/budget/pairs.h"
#include "tests/sim/judge.h"
#include "tests/sim/world.h"
#include "tests/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEED = 1,
    PAUSE_MS = 5,
    CROWD = 25,
    GROUP_AT_ONCE = 8,
    SILENCE_MS = 20000,
    LOOKED_MS = 21000
};

static struct {
    uint32_t at_once; /* messages each way before a pause */
    uint32_t count;   /* in all; of people, when idle */
    bool binary;      /* they speak that form, not JSON */
} asked;

static void
put(const char *name, uint64_t value)
{
    (void)printf("%s %" PRIu64 "\n", name, value);
}

static void
put_counters(struct world *world)
{
    struct store_stats store;
    uint64_t enters = 0, operations = 0, receives = 0, sends = 0, file_bytes = 0;
    store_stats_read(world->store, &store);
    for (unsigned i = 0; i < io_loops(world->driver); i++) {
        struct io_stats io;
        io_stats_read(io_of(world->driver, i), &io);
        enters += io.enters;
        operations += io.submitted;
        receives += io.receives;
        sends += io.sends;
        file_bytes += io.file_bytes;
    }
    put("enters", enters);
    put("operations", operations);
    put("receives", receives);
    put("sends", sends);
    put("commands", store.commands);
    put("batches", store.batches);
    put("log_bytes", file_bytes);
}

static void
they_write_to_each_other(void **state)
{
    static struct world world;
    (void)state;
    world_fresh(&world, SEED);
    world.roomy = true;
    world_begin(&world);
    world.config.form = asked.binary ? PROTOCOL_BINARY : PROTOCOL_JSON;
    world_run(&world, LOOKED_MS); /* each partition knows by then when something is due */
    struct person *alice = world_person(&world, "alice");
    struct person *bob = world_person(&world, "bob");
    assert_true(world_settle(&world));
    for (uint32_t said = 0; said < asked.count; said += 2 * asked.at_once) {
        person_says(alice, bob, asked.at_once);
        person_says(bob, alice, asked.at_once);
        world_run(&world, PAUSE_MS);
    }
    assert_true(world_settle(&world));
    judge_rest(&world);
    assert_string_equal(world.broken, "");
    put_counters(&world);
    world_close(&world);
}

/* For members. */
static void
begin(struct world *world)
{
    world_fresh(world, SEED);
    world->roomy = true;
    world->set = members_settings;
    world_begin(world);
}

static void
end(struct world *world)
{
    put_counters(world);
    members_close();
    world_close(world);
}

/* What is said in a group of a thousand, some of it at a time; `count` deliveries. */
static void
a_group_is_written_to(void **state)
{
    static struct world world;
    (void)state;
    begin(&world);
    group_open(&world);
    for (uint32_t said = 0; said < asked.count / MEMBERS; said += GROUP_AT_ONCE) {
        group_hears(&world, GROUP_AT_ONCE);
    }
    end(&world);
}

/* Five hundred pairs, each of whom has one message under way; `count` of them. */
static void
pairs_write_to_each_other(void **state)
{
    static struct world world;
    (void)state;
    begin(&world);
    pairs_open(&world);
    pairs_write(&world, asked.count);
    world_run(&world, PAUSE_MS);
    end(&world);
}

/* What is in use of the schedulers' memory: actors, sockets, messages, timers. */
static uint64_t
runtime_bytes(const struct ln_node *node)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < node->schedulers_count; i++) {
        const struct scheduler *scheduler = &node->schedulers[i];
        bytes += slab_bytes_used(&scheduler->slab) + pool_bytes_used(&scheduler->actors) +
                 pool_bytes_used(&scheduler->alarms);
    }
    return bytes;
}

static void
they_fall_silent(void **state)
{
    static const char *const names[WORLD_PEOPLE_MAX] = {"alice", "bob",   "carol", "dave",
                                                        "erin",  "frank", "grace", "heidi"};
    static struct world world;
    (void)state;
    world_open(&world, SEED);
    for (uint32_t i = 0; i < asked.count; i++) {
        (void)world_person(&world, names[i]);
    }
    assert_true(world_settle(&world));
    for (uint32_t i = 0; i < asked.count; i++) {
        person_says(&world.people[i], &world.people[i ^ 1], 1);
    }
    assert_true(world_settle(&world));
    world_run(&world, SILENCE_MS);
    judge_rest(&world);
    assert_string_equal(world.broken, "");
    put("runtime_bytes", runtime_bytes(world.node));
    world_close(&world);
}

/* ------------------------------------------------------------------------------- what is played */

static const struct pattern {
    const char *name;
    uint32_t at_once; /* messages each way before a pause */
    bool binary;
    uint32_t multiple; /* the count is one of it, */
    uint32_t count_max;
    struct CMUnitTest spec;
} patterns[] = {
    {"single", 1, false, 2, UINT32_MAX,
     SPEC("two people write to each other", they_write_to_each_other)},
    {"binary", 1, true, 2, UINT32_MAX,
     SPEC("two people write to each other in the binary form", they_write_to_each_other)},
    {"crowded", CROWD, false, 2 * CROWD, UINT32_MAX,
     SPEC("two people write much to each other", they_write_to_each_other)},
    {"pairs", 1, true, 1, UINT32_MAX,
     SPEC("five hundred pairs write to each other", pairs_write_to_each_other)},
    {"group", 1, true, GROUP_AT_ONCE *MEMBERS, UINT32_MAX,
     SPEC("the members of a large group write to it", a_group_is_written_to)},
    {"idle", 1, false, 2, WORLD_PEOPLE_MAX,
     SPEC("people write to each other once and fall silent", they_fall_silent)},
};

static const struct pattern *
pattern_named(const char *name)
{
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (strcmp(patterns[i].name, name) == 0) {
            return &patterns[i];
        }
    }
    return NULL;
}

int
main(int count, char **words)
{
    const struct pattern *pattern = count == 3 ? pattern_named(words[1]) : NULL;
    if (pattern == NULL) {
        (void)fprintf(stderr,
                      "usage: budget_messages single|binary|crowded|pairs|group|idle COUNT\n");
        return 2;
    }
    asked.at_once = pattern->at_once;
    asked.binary = pattern->binary;
    asked.count = (uint32_t)strtoul(words[2], NULL, 10);
    if (asked.count == 0 || asked.count % pattern->multiple != 0 ||
        asked.count > pattern->count_max) {
        (void)fprintf(stderr, "%s: COUNT is a multiple of %u, from there to %u\n", pattern->name,
                      pattern->multiple, pattern->count_max);
        return 2;
    }
    const struct CMUnitTest specs[] = {pattern->spec};
    return cmocka_run_group_tests(specs, NULL, NULL);
}
