/* SPDX-License-Identifier: Apache-2.0 */
/* How often partitions look for what is due by its time. */
#include "store/key.h"
#include "tests/spec.h"
#include "tests/store/rig.h"

enum {
    SECOND_MS = 1000,
    UNSEEN_MS = 5 * SECOND_MS,
    QUIET_MS = 5 * SECOND_MS,
    PATIENCE_MS = 2 * QUIET_MS
};

static struct rig rig;

static void
quiet(struct rig *r)
{
    RIG_CHECK(r, ln_sleep(QUIET_MS) == 0);
}

/* What a store reads of its database when nobody asks it for anything. */
static uint64_t
reads(uint64_t unseen_ms, uint64_t warn_ms, uint64_t age_ms)
{
    struct store_stats stats;
    rig_open(&rig, 3);
    rig.options.device_unseen_ms = unseen_ms;
    rig.options.device_warn_ms = warn_ms;
    rig.options.inbox_age_ms = age_ms;
    rig_tell(&rig, quiet);
    assert_true(rig_run(&rig, PATIENCE_MS));
    store_stats_read(rig.store, &stats);
    rig_stop(&rig);
    rig_bury(&rig);
    rig_close(&rig);
    return stats.fetches;
}

static void
looks_as_often_as_is_due(void **state)
{
    (void)state;
    uint64_t seldom = reads(STORE_NEVER, STORE_DAY_MS, STORE_NEVER);
    assert_true(reads(UNSEEN_MS, SECOND_MS, STORE_NEVER) > seldom + STORE_PARTITIONS);
    assert_true(reads(STORE_NEVER, STORE_DAY_MS, SECOND_MS) > seldom + STORE_PARTITIONS);
}

static void
is_not_hurried_by_a_warning_of_nothing(void **state)
{
    (void)state;
    assert_int_equal(reads(STORE_NEVER, SECOND_MS, STORE_NEVER),
                     reads(STORE_NEVER, STORE_DAY_MS, STORE_NEVER));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("partitions look the more often the sooner something is due",
             looks_as_often_as_is_due),
        SPEC("how long before it is unlinked a device is warned hurries nobody where none is "
             "unlinked",
             is_not_hurried_by_a_warning_of_nothing),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
