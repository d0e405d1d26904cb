/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts at seeded moments, over many seeds: LINNET_SEED_FIRST and LINNET_SEED_COUNT choose
 * which. A failure prints the one command that replays it. */
#include "tests/sim/story.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS_DEFAULT = SEEDS_OF(60), FAULT_SEEDS = SEEDS_OF(12), PLANTED_SEEDS_MAX = 60 };

static uint64_t
number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable); // NOLINT(concurrency-mt-unsafe): one thread
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void
nothing_is_lost_in_power_cuts(void **state)
{
    (void)state;
    uint64_t first = number_of("LINNET_SEED_FIRST", 1);
    uint64_t count = number_of("LINNET_SEED_COUNT", SEEDS_DEFAULT);
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct story_play play = {.seed = seed};
        story_chat(&play);
        if (play.broken[0] != '\0') {
            print_error("seed %llu: %s\nreplay: LINNET_SEED_FIRST=%llu LINNET_SEED_COUNT=1 "
                        "./sim_crash_test\n",
                        (unsigned long long)seed, play.broken, (unsigned long long)seed);
        }
        assert_string_equal(play.broken, "");
    }
}

static unsigned
seeds_until_caught(bool drop_syncs, bool answer_early)
{
    for (unsigned seed = 1; seed <= PLANTED_SEEDS_MAX; seed++) {
        struct story_play play = {
            .seed = seed, .drop_syncs = drop_syncs, .answer_early = answer_early};
        story_chat(&play);
        if (play.broken[0] != '\0') {
            print_message("caught at seed %u: %s\n", seed, play.broken);
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

/* Each fault by itself, with the power cuts. */
static void
with_faults(struct sim_faults faults)
{
    for (uint64_t seed = 1; seed <= FAULT_SEEDS; seed++) {
        struct story_play play = {.seed = seed, .faults = faults};
        story_chat(&play);
        if (play.broken[0] != '\0') {
            print_error("seed %llu: %s\n", (unsigned long long)seed, play.broken);
        }
        assert_string_equal(play.broken, "");
    }
}

static void
a_slow_network_loses_nothing(void **state)
{
    (void)state;
    with_faults((struct sim_faults){.far_one_in = 2, .held_one_in = 20, .part_one_in = 2});
}

static void
cuts_lose_nothing(void **state)
{
    (void)state;
    with_faults((struct sim_faults){.cut_one_in = 60});
}

static void
peers_that_vanish_lose_nothing(void **state)
{
    (void)state;
    with_faults((struct sim_faults){.vanish_one_in = 100});
}

static void
a_slow_disk_loses_nothing(void **state)
{
    (void)state;
    with_faults((struct sim_faults){.slow_one_in = 20});
}

static void
a_disk_that_is_full_now_and_then_loses_nothing(void **state)
{
    (void)state;
    with_faults((struct sim_faults){.full_one_in = 3});
}

static void
a_failing_disk_ends_the_node_which_recovers(void **state)
{
    (void)state;
    with_faults((struct sim_faults){.write_error_one_in = 40, .sync_error_one_in = 40});
}

static void
a_disk_that_cannot_be_read_is_an_error_at_the_start(void **state)
{
    (void)state;
    with_faults((struct sim_faults){.read_error_one_in = 20});
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
        SPEC("far connections, held segments and halves of sends cost time, nothing else",
             a_slow_network_loses_nothing),
        SPEC("connections that break lose, repeat and reorder nothing", cuts_lose_nothing),
        SPEC("people whose machine vanished hang up, come back, and have lost nothing",
             peers_that_vanish_lose_nothing),
        SPEC("a disk that takes half a second now and then loses nothing",
             a_slow_disk_loses_nothing),
        SPEC("a disk that has no room now and then loses nothing",
             a_disk_that_is_full_now_and_then_loses_nothing),
        SPEC("a write or sync that fails ends the node; started again it has lost nothing",
             a_failing_disk_ends_the_node_which_recovers),
        SPEC("a read that fails is an error at the start, and the next start goes well",
             a_disk_that_cannot_be_read_is_an_error_at_the_start),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
