/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts at seeded moments, over many seeds: LINNET_SEED_FIRST and LINNET_SEED_COUNT choose
 * which. A failure prints the one command that replays it. */
#include "tests/sim/judge.h"
#include "tests/sim/world.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS_DEFAULT = 60, CRASHES = 4, PLANTED_SEEDS_MAX = 60 };

static struct world world;

static uint64_t
number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable); // NOLINT(concurrency-mt-unsafe): one thread
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* Three people talk while the power fails now and then. */
static void
live_through_crashes(uint64_t seed, bool drop_syncs, bool answer_early)
{
    world_open(&world, seed);
    world.drop_syncs = drop_syncs;
    world.answer_early = answer_early;
    struct person *people[3] = {world_person(&world, "alice"), world_person(&world, "bob"),
                                world_person(&world, "carol")};
    if (!world_settle(&world)) {
        judge_broken(&world, "they did not enrol");
    }
    if (drop_syncs || answer_early) {
        world_restart(&world); /* the plants are in the ground from the next life on */
    }
    for (unsigned crash = 0; crash < CRASHES && world.broken[0] == '\0'; crash++) {
        for (unsigned i = 0; i < 3; i++) {
            person_says(people[i], people[(i + 1) % 3], 5 + (uint32_t)(seed % 7));
            person_says(people[i], people[(i + 2) % 3], 1);
        }
        uint64_t events = 1 + (seed * 2654435761u + crash * UINT64_C(40503)) % 1500;
        world_crash_within(&world, events, 2000);
    }
    if (world.broken[0] == '\0' && !world_settle(&world)) {
        judge_broken(&world, "they did not come to rest");
    }
    if (world.broken[0] == '\0') {
        judge_rest(&world);
    }
}

static void
nothing_is_lost_in_power_cuts(void **state)
{
    (void)state;
    uint64_t first = number_of("LINNET_SEED_FIRST", 1);
    uint64_t count = number_of("LINNET_SEED_COUNT", SEEDS_DEFAULT);
    for (uint64_t seed = first; seed < first + count; seed++) {
        live_through_crashes(seed, false, false);
        if (world.broken[0] != '\0') {
            print_error("seed %llu: %s\nreplay: LINNET_SEED_FIRST=%llu LINNET_SEED_COUNT=1 "
                        "./sim_crash_test\n",
                        (unsigned long long)seed, world.broken, (unsigned long long)seed);
        }
        assert_string_equal(world.broken, "");
        world_close(&world);
    }
}

static unsigned
seeds_until_caught(bool drop_syncs, bool answer_early)
{
    for (unsigned seed = 1; seed <= PLANTED_SEEDS_MAX; seed++) {
        live_through_crashes(seed, drop_syncs, answer_early);
        bool caught = world.broken[0] != '\0';
        world_abandon(&world);
        if (caught) {
            print_message("caught at seed %u: %s\n", seed, world.broken);
            return seed;
        }
    }
    return UINT32_MAX;
}

static void
a_removed_sync_is_caught(void **state)
{
    (void)state;
    assert_true(seeds_until_caught(true, false) <= PLANTED_SEEDS_MAX);
}

static void
an_answer_before_the_sync_is_caught(void **state)
{
    (void)state;
    assert_true(seeds_until_caught(false, true) <= PLANTED_SEEDS_MAX);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("no message that was sent is lost, repeated or reordered by power cuts",
             nothing_is_lost_in_power_cuts),
        SPEC("a removed sync is caught within 60 seeds", a_removed_sync_is_caught),
        SPEC("an answer before the sync is caught within 60 seeds",
             an_answer_before_the_sync_is_caught),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
