/* SPDX-License-Identifier: Apache-2.0 */
/* Who looks after the log's files. */
#include "runtime/inspect.h"
#include "runtime/io/sim_priv.h"
#include "runtime/io/sim_work.h"
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <string.h>

static struct rig rig;
static const uint64_t S_NS = 1000000000;

enum {
    AT_ONCE = 20,
    BEHIND_FOLD = 6000, /* messages of a kilobyte, so several segments */
    MESSAGES_MAX = 50000,
    LONG_S = 60,
    LIFE_MS = 10 * LONG_S * 1000,
};

/* As a fold of somebody else would be. */
static void
take_long(void *argument)
{
    sim_work_charge(argument, LONG_S * S_NS);
}

static bool
fold_is_under_way(const struct rig *r)
{
    return r->store->cells[0].state == CELL_FROZEN;
}

/* Behind the fold that is under way, before what its end brings. */
static void
long_work(struct rig *r, unsigned index)
{
    (void)index;
    while (!fold_is_under_way(r)) {
        if (ln_sleep(1) != 0) {
            return;
        }
    }
    ln_work(take_long, sim_of_io(ln_io()), LN_WORK_LOW);
}

static void
ask(struct rig *r, uint64_t user, uint64_t number)
{
    static char text[1001];
    memset(text, 'x', sizeof(text) - 1);
    struct hand_message note = {.from = user, .to = user, .number = number, .text = text};
    hand_message_ask(r->store, &note);
}

static void
write_on(struct rig *r, unsigned index)
{
    (void)index;
    uint64_t user;
    struct store_stats stats = {0};
    uint64_t folded_ns = 0;
    unsigned behind = 0;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &user) == 0);
    for (unsigned i = 1; behind < BEHIND_FOLD && i <= MESSAGES_MAX; i++) {
        ask(r, user, i);
        if (i <= AT_ONCE) {
            continue;
        }
        RIG_CHECK(r, hand_accepted());
        if (stats.folds == 0) {
            store_stats_read(r->store, &stats);
            folded_ns = ln_now_ns();
        } else {
            behind++;
        }
    }
    RIG_CHECK(r, behind == BEHIND_FOLD);
    struct ln_scheduler_info info;
    RIG_CHECK(r, ln_inspect_scheduler(ln_scheduler(), &info) == 0);
    RIG_CHECK(r, info.work[LN_WORK_LONG].done >= 2); /* files are made as that, so no read waits */
    RIG_CHECK(r, ln_now_ns() - folded_ns < LONG_S * S_NS / 2);
    r->done = true;
}

static void
gets_its_next_file(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        rig_open(&rig, seed);
        rig.work_delay_ns_max = S_NS / 10;
        rig.options.cells = 1;
        rig.options.inbox_bytes_max = 1 << 30;
        rig.options.inbox_entries_max = MESSAGES_MAX;
        rig.options.segment_bytes = 2 << 20;
        rig.options.replay_bytes_max = 32 << 20;
        rig.options.map_bytes = UINT64_C(1) << 30;
        rig.scripts[rig.scripts_count++] = write_on;
        rig.scripts[rig.scripts_count++] = long_work;
        assert_int_equal(rig_boot(&rig), 0);
        assert_true(rig_run(&rig, LIFE_MS));
        rig_stop(&rig);
        rig_bury(&rig);
        assert_string_equal(rig.wrong, "");
        rig_close(&rig);
    }
}

static void
charged_story(struct rig *r)
{
    struct ln_scheduler_info info;
    ln_work(take_long, sim_of_io(ln_io()), LN_WORK_LOW);
    RIG_CHECK(r, ln_inspect_scheduler(ln_scheduler(), &info) == 0);
    RIG_CHECK(r, info.work[LN_WORK_LOW].run_ns_max >= LONG_S * S_NS);
    RIG_CHECK(r, info.work[LN_WORK_LOW].queued_ns_max < S_NS);
}

static void
work_takes_what_it_is_charged(void **state)
{
    (void)state;
    rig_play_once(&rig, 1, charged_story);
}

int
main(void)
{
    const struct CMUnitTest specs[] = {
        SPEC("a log gets its next file while what is removed waits for others' folds",
             gets_its_next_file),
        SPEC("simulated work is counted with the time that it is charged with",
             work_takes_what_it_is_charged),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
