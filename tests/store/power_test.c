/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts at random events, over many seeds: no acknowledged message lost, none twice, no number
 * given again, windows and acknowledgements kept, streams complete. And the judge is judged: two
 * planted bugs must be found.
 *
 *     LINNET_SEED_FIRST=17 LINNET_SEED_COUNT=1 ./store_power_test        replays one seed
 */
#include "tests/spec.h"
#include "tests/store/power.h"

enum {
    SEEDS = SEEDS_OF(40),
    FAULT_SEEDS = SEEDS_OF(6),
    /* Within so many seeds each planted bug must be caught. */
    PLANTED_SEEDS = 10,
};

static void
keeps_its_promises(void **state)
{
    (void)state;
    uint64_t first = rig_setting("LINNET_SEED_FIRST", 1);
    uint64_t count = rig_setting("LINNET_SEED_COUNT", SEEDS);
    uint64_t said = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        struct power_play play = {.seed = seed};
        if (!power_play(&play)) {
            print_message("replay: LINNET_SEED_FIRST=%llu LINNET_SEED_COUNT=1\n",
                          (unsigned long long)seed);
            fail_msg("%s", play.wrong);
        }
        said += play.said;
    }
    print_message("%llu messages over %llu seeds\n", (unsigned long long)said,
                  (unsigned long long)count);
}

static void
with_faults(struct sim_faults faults)
{
    for (uint64_t seed = 1; seed <= FAULT_SEEDS; seed++) {
        struct power_play play = {.seed = seed, .faults = faults};
        if (!power_play(&play)) {
            fail_msg("seed %llu: %s", (unsigned long long)seed, play.wrong);
        }
    }
}

static void
survives_a_failing_disk(void **state)
{
    (void)state;
    with_faults((struct sim_faults){
        .write_error_one_in = 200, .sync_error_one_in = 200, .read_error_one_in = 100});
}

static void
survives_a_disk_without_room(void **state)
{
    (void)state;
    with_faults((struct sim_faults){.full_one_in = 4, .slow_one_in = 50});
}

static void
caught_within(bool drop_syncs, bool answer_early)
{
    for (uint64_t seed = 1; seed <= PLANTED_SEEDS; seed++) {
        struct power_play play = {
            .seed = seed, .drop_syncs = drop_syncs, .answer_early = answer_early};
        if (!power_play(&play)) {
            print_message("seed %llu: %s\n", (unsigned long long)seed, play.wrong);
            return;
        }
    }
    fail_msg("not caught within %d seeds", PLANTED_SEEDS);
}

static void
catches_a_removed_sync(void **state)
{
    (void)state;
    caught_within(true, false);
}

static void
catches_an_early_answer(void **state)
{
    (void)state;
    caught_within(false, true);
}

static void
same_seed_same_run(void **state)
{
    (void)state;
    struct power_play plays[2] = {{.seed = 3}, {.seed = 3}};
    for (unsigned i = 0; i < 2; i++) {
        assert_true(power_play(&plays[i]));
    }
    assert_int_equal(plays[0].said, plays[1].said);
    assert_int_equal(plays[0].entries, plays[1].entries);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("power cuts lose nothing that was answered, repeat nothing, reorder nothing",
             keeps_its_promises),
        SPEC("a disk that fails ends lives, and loses nothing that was answered",
             survives_a_failing_disk),
        SPEC("a disk that is slow and full now and then loses nothing",
             survives_a_disk_without_room),
        SPEC("a removed sync is caught within 10 seeds", catches_a_removed_sync),
        SPEC("an answer before the sync is caught within 10 seeds", catches_an_early_answer),
        SPEC("the same seed is the same run", same_seed_same_run),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
