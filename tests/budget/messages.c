/* SPDX-License-Identifier: Apache-2.0 */
/* budget_messages: two people on a simulated machine write to each other a given number of times,
 * and what the node's counters say of it is printed, one `name value` a line.
 *
 *     budget_messages single 400       one message each way, then a pause of 5 ms
 *     budget_messages crowded 400      25 each way before each pause
 *     budget_messages group 8000       so many deliveries to the members of a group, in which
 *                                      eight write at once
 *     budget_messages idle 8           so many people, by twos: one message each way, then silence,
 *                                      and what the runtime's memory holds is told
 *
 * Everything follows from the seed, so two runs of a build print the same. The counters are those
 * of the whole life: whoever wants them per message, or per person, compares two runs of different
 * lengths. */
#include "runtime/node_priv.h"
#include "runtime/scheduler.h"
#include "tests/budget/group.h"
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
    world_open(&world, SEED);
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

/* What is said in a group of a thousand, some of it at a time; `count` deliveries. */
static void
a_group_is_written_to(void **state)
{
    static struct world world;
    (void)state;
    world_fresh(&world, SEED);
    world.roomy = true;
    world.set = group_settings;
    world_begin(&world);
    group_open(&world);
    for (uint32_t said = 0; said < asked.count / GROUP_MEMBERS; said += GROUP_AT_ONCE) {
        group_hears(&world, GROUP_AT_ONCE);
    }
    put_counters(&world);
    group_close();
    world_close(&world);
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

static int
play_idle(void)
{
    if (asked.count == 0 || asked.count % 2 != 0 || asked.count > WORLD_PEOPLE_MAX) {
        (void)fprintf(stderr, "idle: an even number of people, up to %d\n", WORLD_PEOPLE_MAX);
        return 2;
    }
    const struct CMUnitTest specs[] = {
        SPEC("people write to each other once and fall silent", they_fall_silent),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}

static int
play_group(void)
{
    if (asked.count == 0 || asked.count % (GROUP_AT_ONCE * GROUP_MEMBERS) != 0) {
        (void)fprintf(stderr, "group: a multiple of %d deliveries\n",
                      GROUP_AT_ONCE * GROUP_MEMBERS);
        return 2;
    }
    const struct CMUnitTest specs[] = {
        SPEC("the members of a large group write to it", a_group_is_written_to),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}

int
main(int count, char **words)
{
    asked.at_once = count > 1 && strcmp(words[1], "crowded") == 0 ? CROWD : 1;
    asked.count = count == 3 ? (uint32_t)strtoul(words[2], NULL, 10) : 0;
    if (count == 3 && strcmp(words[1], "idle") == 0) {
        return play_idle();
    }
    if (count == 3 && strcmp(words[1], "group") == 0) {
        return play_group();
    }
    if (asked.count == 0 || asked.count % (2 * asked.at_once) != 0) {
        (void)fprintf(stderr,
                      "usage: budget_messages single|crowded|idle|group COUNT\n"
                      "COUNT is a multiple of what is said at once: 2, or %d\n",
                      2 * CROWD);
        return 2;
    }
    const struct CMUnitTest specs[] = {
        SPEC("two people write to each other", they_write_to_each_other),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
