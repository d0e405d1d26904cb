/* SPDX-License-Identifier: Apache-2.0 */
/* A start on the machine itself, where all logs are applied at the same time, of what a simulated
 * one has left. */
#include "runtime/io/uring.h"
#include "runtime/linnet.h"
#include "tests/spec.h"
#include "tests/store/company.h"
#include "tests/store/hand.h"

#include <stdio.h>

enum { PEOPLE = 200, LOGS = 4, SAID = 20, PARTITIONS = 256 };

static struct rig rig;
static uint64_t ids[PEOPLE];

static void
some_story(struct rig *r)
{
    uint64_t owner;
    company_create(r, &owner, ids, PEOPLE);
    uint64_t group = company_group(r, owner, 1, ids, PEOPLE);
    for (unsigned i = 0; i < SAID; i++) {
        company_done(r, company_say(r, owner, group, 2 + i, 100));
    }
    (void)ln_sleep(5000);
}

static void
all_are_there_story(struct rig *r)
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct store_user user;
        RIG_CHECK(r, hand_user_get(r->store, ids[i], &user) == 0);
        RIG_CHECK(r, user.inbox_last != 0);
    }
}

static uint64_t
start_on_the_machine(void)
{
    char why[STORE_WHY_BYTES];
    struct store_report report;
    struct store_options options = rig.options;
    struct store *store;
    struct uring_options machine = {.loops = LOGS};
    assert_int_equal(uring_open(&machine, &options.driver, why, sizeof(why)), 0);
    options.path = rig.path;
    assert_int_equal(store_open(&options, &store, &report), 0);
    store_close(&store);
    io_driver_close(options.driver);
    return report.commands;
}

static void
applies_all_logs_at_once(void **state)
{
    (void)state;
    rig_open(&rig, 1);
    rig.schedulers = LOGS;
    rig_play(&rig, some_story);
    uint64_t first = start_on_the_machine();
    assert_true(first > (uint64_t)PEOPLE * 10); /* made, told of the group, what was said */
    assert_int_equal(start_on_the_machine(), first + PARTITIONS); /* each opened, and no more */
    rig_play(&rig, all_are_there_story);
    assert_int_equal(rig.report.commands, first + UINT64_C(2) * PARTITIONS);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a start applies all logs at the same time, and as much as one by one",
             applies_all_logs_at_once),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
