/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts at random events, over many seeds: no acknowledged message lost, none twice, no number
 * given again, windows and acknowledgements kept, streams complete. And the judge is judged: two
 * planted bugs must be found.
 *
 *     LINNET_SEED_FIRST=17 LINNET_SEED_COUNT=1 ./store_power_test        replays one seed
 */
#include "tests/spec.h"
#include "tests/store/people.h"

enum {
    SEEDS = 40,
    LIVES = 5,
    EVENTS_MAX = 12000, /* of a life before the power goes */
    LIFE_MS = 4000,
    SETTLE_MS = 60000,
    /* Within so many seeds each planted bug must be caught. */
    PLANTED_SEEDS = 10,
};

static struct rig rig;
static struct people people;

/* One life that ends with the lights going out. False: something is wrong already. */
static bool
cut_life(struct chance *chance)
{
    rig.crash_event = 1 + chance_below(chance, EVENTS_MAX);
    if (rig_boot(&rig) != 0) {
        rig_wrong(&rig, "the store does not open: %s", rig.report.why);
        return false;
    }
    (void)rig_run(&rig, LIFE_MS);
    if (!sim_crashed(rig.driver)) {
        sim_crash(rig.driver);
    }
    rig_bury(&rig);
    return rig.wrong[0] == '\0';
}

static void
last_life(void)
{
    rig.crash_event = 0;
    people.finishing = true;
    if (rig_boot(&rig) != 0) {
        rig_wrong(&rig, "the store does not open: %s", rig.report.why);
        return;
    }
    for (unsigned ms = 0; ms < SETTLE_MS && !people_done(&people) && rig.wrong[0] == '\0';
         ms += 20) {
        (void)rig_run(&rig, 20);
    }
    if (!people_done(&people)) {
        rig_wrong(&rig, "not everything arrived");
    }
    rig_stop(&rig);
    rig_bury(&rig);
}

/* Whether anything was found wrong. */
static bool
run(uint64_t seed, bool drop_syncs, bool answer_early)
{
    struct chance chance = {.state = seed};
    rig_open(&rig, seed);
    rig.schedulers = 1 + (unsigned)(seed % 3);
    rig.drop_syncs = drop_syncs;
    rig.work_delay_ns_max = UINT64_C(4000000) * (seed % 5);
    rig.options.plant_answer_before_sync = answer_early;
    rig.options.segment_bytes = seed % 2 == 0 ? 64 << 10 : 256 << 10;
    rig.options.replay_commands_max = seed % 4 == 0 ? 0 : 40 * (seed % 7 + 1);
    people_begin(&people, seed);
    people_enter(&people, &rig);
    bool fine = true;
    for (unsigned life = 0; fine && life < LIVES; life++) {
        fine = cut_life(&chance);
    }
    if (fine) {
        last_life();
    }
    bool wrong = rig.wrong[0] != '\0';
    rig_close(&rig);
    return wrong;
}

static void
keeps_its_promises(void **state)
{
    (void)state;
    uint64_t first = rig_setting("LINNET_SEED_FIRST", 1);
    uint64_t count = rig_setting("LINNET_SEED_COUNT", SEEDS);
    uint64_t said = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (run(seed, false, false)) {
            print_message("replay: LINNET_SEED_FIRST=%llu LINNET_SEED_COUNT=1\n",
                          (unsigned long long)seed);
            fail_msg("%s", rig.wrong);
        }
        said += people_said(&people);
    }
    print_message("%llu messages over %llu seeds\n", (unsigned long long)said,
                  (unsigned long long)count);
}

static void
caught_within(bool drop_syncs, bool answer_early)
{
    for (uint64_t seed = 1; seed <= PLANTED_SEEDS; seed++) {
        if (run(seed, drop_syncs, answer_early)) {
            print_message("seed %llu: %s\n", (unsigned long long)seed, rig.wrong);
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
    uint64_t said[2];
    unsigned entries[2];
    for (unsigned i = 0; i < 2; i++) {
        assert_false(run(3, false, false));
        said[i] = people_said(&people);
        entries[i] = people.persons[0].entries_count;
    }
    assert_int_equal(said[0], said[1]);
    assert_int_equal(entries[0], entries[1]);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("power cuts lose nothing that was answered, repeat nothing, reorder nothing",
             keeps_its_promises),
        SPEC("a removed sync is caught within 10 seeds", catches_a_removed_sync),
        SPEC("an answer before the sync is caught within 10 seeds", catches_an_early_answer),
        SPEC("the same seed is the same run", same_seed_same_run),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
