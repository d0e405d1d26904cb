/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/power.h"

#include "tests/store/own_end.h"

#include <string.h>

enum {
    LIVES = 5,
    EVENTS_MAX = 12000, /* of a life before the power goes */
    LIFE_MS = 4000,
};

static struct rig rig;
static struct people people;

/* False: something is wrong. A disk that fails may keep the store from opening. */
static bool
boot(bool *out_stands)
{
    int error = rig_boot(&rig);
    *out_stands = error == 0;
    if (error != 0 && !rig.disk_failed) {
        rig_wrong(&rig, "the store does not open: %s", rig.report.why);
        return false;
    }
    return true;
}

/* One life that ends with the lights going out. False: something is wrong already. */
static bool
cut_life(struct chance *chance)
{
    bool stands;
    rig.crash_event = 1 + chance_below(chance, EVENTS_MAX);
    if (!boot(&stands)) {
        return false;
    }
    if (stands) {
        (void)rig_run(&rig, LIFE_MS);
        if (!sim_crashed(rig.driver)) {
            sim_crash(rig.driver);
        }
        rig_bury(&rig);
    }
    return rig.wrong[0] == '\0';
}

static void
last_life(void)
{
    bool stands;
    rig.crash_event = 0;
    rig.faults = (struct sim_faults){0};
    people.finishing = true;
    if (!boot(&stands) || !stands) {
        return;
    }
    people_finish(&people, &rig);
}

bool
power_play(struct power_play *play)
{
    struct chance chance = {.state = play->seed};
    uint64_t seed = play->seed;
    rig_open(&rig, seed);
    rig.schedulers = 1 + (unsigned)(seed % 3);
    rig.faults = play->faults;
    rig.log = play->log;
    rig.log_context = play->log_context;
    rig.drop_syncs = play->drop_syncs;
    rig.work_delay_ns_max = UINT64_C(4000000) * (seed % 5);
    rig.options.plant_answer_before_sync = play->answer_early;
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
    play->said = people_said(&people);
    play->entries = people.persons[0].entries_count;
    memcpy(play->wrong, rig.wrong, sizeof(rig.wrong));
    rig_close(&rig);
    return play->wrong[0] == '\0';
}
