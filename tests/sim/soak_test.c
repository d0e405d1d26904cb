/* SPDX-License-Identifier: Apache-2.0 */
/* Minutes of conversation, one to one and in groups, on several devices each, with edits, deletions
 * and calls, while everybody below the root is killed at random: LINNET_VIRTUAL_MINUTES of them
 * (virtual), LINNET_SEED_FIRST and LINNET_SEED_COUNT choose which. */
#include "tests/sim/crowd.h"
#include "tests/sim/reaper.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = SEEDS_OF(3),
    MINUTES = 1,
    MINUTE_MS = 60000,
    /* So that no supervisor sees ten restarts in ten seconds, and gives up as it should. */
    PAUSE_MS_MIN = 1100,
    PAUSE_MS_SPREAD = 300,
    KINDS_MIN = 12,
    GRACE_MS = 1000, /* until an end is seen at the other end of the line */
};

static struct crowd crowd;
static struct reaper reaper;

static uint64_t
number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable); // NOLINT(concurrency-mt-unsafe): one thread
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* Whose end closes connections that were at rest. */
static void
killed(void *context, const char *behaviour, const char *name)
{
    (void)context;
    bool one = strcmp(behaviour, "connection") == 0;
    if (one || strncmp(name, "connections.", 12) == 0) {
        crowd.may_close = one ? 1 : CROWD_DEVICES;
        crowd.may_close_ms = crowd_now_ms(&crowd) + GRACE_MS;
    }
}

static void
soak(uint64_t seed, uint64_t minutes)
{
    reaper = (struct reaper){.world = &crowd.world,
                             .pause_ms_min = PAUSE_MS_MIN,
                             .pause_ms_spread = PAUSE_MS_SPREAD,
                             .told = killed};
    crowd_open(&crowd, seed, reaper_child(&reaper));
    reaper.kills_left = UINT32_MAX;
    uint64_t until_ms = crowd_now_ms(&crowd) + minutes * MINUTE_MS;
    while (crowd_now_ms(&crowd) < until_ms) {
        crowd_step(&crowd);
    }
    reaper.kills_left = 0;
    crowd_rest(&crowd);
    print_message("seed %llu: %u messages, %u changes, %u calls, %u kills of %u kinds, %u "
                  "connections at rest closed\n",
                  (unsigned long long)seed, crowd.accepted, crowd.changes_count, crowd.calls_count,
                  reaper.kills, reaper.kinds_count, crowd.closed_at_rest);
    assert_true(reaper.kills >= 40 * minutes && reaper.kinds_count >= KINDS_MIN);
    assert_true(crowd.accepted > 400 * minutes && crowd.changes_count > 50 * minutes &&
                crowd.calls_count > 5 * minutes);
    assert_int_equal(messenger_counted(&crowd.world.messenger.counters.invariant_violations), 0);
    assert_string_equal(crowd.world.broken, "");
    crowd_close(&crowd);
}

static void
whoever_is_killed_no_promise_is_broken(void **state)
{
    (void)state;
    uint64_t first = number_of("LINNET_SEED_FIRST", 1);
    uint64_t count = number_of("LINNET_SEED_COUNT", SEEDS);
    for (uint64_t seed = first; seed < first + count; seed++) {
        soak(seed, number_of("LINNET_VIRTUAL_MINUTES", MINUTES));
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("for minutes anyone below the root is killed: nothing is lost, doubled or out of "
             "order, no tick moves back, what was deleted is not shown, calls end alike for all, "
             "and who is at rest stays connected",
             whoever_is_killed_no_promise_is_broken),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
