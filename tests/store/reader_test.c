/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads LMDB: workers, or the scheduler itself. */
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>

enum {
    NAMES = 2000,
    PATIENCE_MS = 60 * 1000,
    UNTIL_WARM = 256, /* reads, one by one */
    NEVER_WAITS = INT32_MAX,
};

static struct rig rig;

/* Each name is one read. */
static void
look_for_nobody(struct rig *r)
{
    for (int i = 0; i < NAMES; i++) {
        char name[32];
        uint64_t user;
        (void)snprintf(name, sizeof name, "nobody%d", i);
        RIG_CHECK(r, hand_name_find(r->store, name, &user) == -ENOENT);
    }
}

/* Of a store in whose simulation one look in so many finds that the disk was waited for. */
static struct store_stats
play(uint64_t seed, uint64_t page_wait_one_in)
{
    struct store_stats stats;
    rig_open(&rig, seed);
    rig.page_wait_one_in = page_wait_one_in;
    rig_tell(&rig, look_for_nobody);
    assert_true(rig_run(&rig, PATIENCE_MS));
    store_stats_read(rig.store, &stats);
    rig_stop(&rig);
    rig_bury(&rig);
    rig_close(&rig);
    assert_string_equal(rig.wrong, "");
    assert_in_range(stats.fetches, NAMES, UINT64_MAX);
    return stats;
}

static void
reads_memory_itself(void **state)
{
    (void)state;
    struct store_stats stats = play(1, NEVER_WAITS);
    assert_in_range(stats.fetches_waited, UNTIL_WARM, stats.fetches - NAMES + UNTIL_WARM);
}

static void
leaves_a_disk_to_workers(void **state)
{
    (void)state;
    struct store_stats stats = play(1, 1);
    assert_int_equal(stats.fetches_waited, stats.fetches);
}

static void
goes_back_to_workers(void **state)
{
    (void)state;
    enum { SEEDS = 8, ONE_IN = 1000 };
    uint64_t waited = 0;
    uint64_t fetches = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct store_stats stats = play(seed, ONE_IN);
        waited += stats.fetches_waited;
        fetches += stats.fetches;
    }
    /* Two looks at each job. */
    assert_in_range(waited, (uint64_t)2 * SEEDS * UNTIL_WARM, fetches - SEEDS * UNTIL_WARM);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a scheduler reads the database itself when reads have long not waited for the disk",
             reads_memory_itself),
        SPEC("workers read where the disk is waited for", leaves_a_disk_to_workers),
        SPEC("after one read has waited for the disk workers read again", goes_back_to_workers),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
