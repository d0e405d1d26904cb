/* SPDX-License-Identifier: Apache-2.0 */
/* The store's own actors are killed at random while people write to each other: each is started
 * again and goes on where the last one was, and nothing that was answered is lost. */
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/people.h"

#include <errno.h>

enum {
    SEEDS = SEEDS_OF(24),
    LIFE_MS = 3000,
    /* Of a hundred kills of who is busy. */
    SUPERVISOR_KILLS = 5,
};

static struct rig rig;
static struct people people;
static struct chance chance;
static unsigned kills[6];

/* Who has ended and is not there again yet can't be killed. */
static ln_pid
counted(unsigned kind, ln_pid pid)
{
    kills[kind] += pid != 0;
    return pid;
}

static ln_pid
of_kind(const struct store *store, unsigned kind, unsigned index)
{
    switch (kind) {
    case 0:
        return store_pid_get(&store->partitions[index].pid);
    case 1:
        return store_pid_get(&store->journals[index % store->journals_count].pid);
    case 2:
        return store_pid_get(&store->journals[index % store->journals_count].keeper);
    case 3:
        return store_pid_get(&store->journals[index % store->journals_count].reader);
    default:
        return store_pid_get(&store->cells[index % store->cells_count].folder);
    }
}

static ln_pid
victim(const struct store *store)
{
    unsigned kind = (unsigned)chance_below(&chance, 5);
    unsigned index = (unsigned)chance_below(&chance, STORE_PARTITIONS);
    return counted(kind, of_kind(store, kind, index));
}

/* Most often the partition of somebody who is busy. */
static ln_pid
busy_victim(const struct store *store)
{
    if (chance_below(&chance, 100) < SUPERVISOR_KILLS) {
        return counted(5, ln_whereis("store"));
    }
    const struct person *person = &people.persons[chance_below(&chance, PEOPLE)];
    return person->user != 0 ? store_user_pid(store, person->user) : victim(store);
}

static void
reap(struct rig *r, unsigned index)
{
    (void)index;
    while (ln_sleep(1 + chance_below(&chance, 12)) == 0 && !people.finishing) {
        ln_pid pid = chance_below(&chance, 2) == 0 ? victim(r->store) : busy_victim(r->store);
        ln_kill(pid, LN_EXIT_KILLED);
    }
}

static void
run(uint64_t seed)
{
    chance.state = seed;
    rig_open(&rig, seed);
    rig.schedulers = 1 + (unsigned)(seed % 3);
    rig.options.replay_commands_max = 100;
    rig.options.segment_bytes = 64 << 10;
    rig.work_delay_ns_max =
        UINT64_C(5000000) * (seed % 4); /* fetches take long: queues are killed */
    people_begin(&people, seed);
    people_enter(&people, &rig);
    rig.scripts[rig.scripts_count++] = reap;
    assert_int_equal(rig_boot(&rig), 0);
    (void)rig_run(&rig, LIFE_MS);
    people.finishing = true;
    people_finish(&people, &rig);
    if (rig.wrong[0] != '\0') {
        print_message("replay: LINNET_SEED_FIRST=%llu LINNET_SEED_COUNT=1\n",
                      (unsigned long long)seed);
        fail_msg("%s", rig.wrong);
    }
    rig_close(&rig);
}

static void
survives(void **state)
{
    (void)state;
    uint64_t first = rig_setting("LINNET_SEED_FIRST", 1);
    uint64_t count = rig_setting("LINNET_SEED_COUNT", SEEDS);
    for (uint64_t seed = first; seed < first + count; seed++) {
        run(seed);
    }
    for (unsigned i = 0; i < 6; i++) {
        assert_true(kills[i] > 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("killing partitions, journals, keepers, readers, folders and their supervisor loses "
             "nothing",
             survives),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
