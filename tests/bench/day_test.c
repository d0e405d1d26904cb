/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/day.h"
#include "bench/storm.h"

#include "tests/spec.h"

#include <math.h>
#include <stdlib.h>

enum { USERS = 400 };

static const struct day_habits habits = {.online = 0.25,
                                         .messages = 40,
                                         .returns = 20,
                                         .moves = 5,
                                         .asleep = 0.5,
                                         .beat_s = 3600,
                                         .factor = 86400}; /* a day a second */
static const double day_ns = 1e9;

static void
follows_from_the_seed(void **state)
{
    (void)state;
    struct day one;
    struct day same;
    struct day another;
    unsigned differences = 0;
    day_init(&one, 5, USERS, &habits);
    day_init(&same, 5, USERS, &habits);
    day_init(&another, 6, USERS, &habits);
    for (unsigned i = 0; i < 10000; i++) {
        struct day_due due;
        struct day_due again;
        struct day_due other;
        day_next(&one, &due);
        day_next(&same, &again);
        day_next(&another, &other);
        assert_int_equal(due.at_ns, again.at_ns);
        assert_int_equal(due.user, again.user);
        assert_int_equal(due.deed, again.deed);
        differences += due.user != other.user;
    }
    assert_true(differences > 9000);
    day_fini(&one);
    day_fini(&same);
    day_fini(&another);
}

/* A user does only what one can do who is where he is. */
static void
is_possible(void **state)
{
    (void)state;
    struct day day;
    bool online[USERS];
    uint64_t last_ns = 0;
    for (unsigned i = 0; i < USERS; i++) {
        online[i] = true;
    }
    day_init(&day, 1, USERS, &habits);
    for (unsigned i = 0; i < 200000; i++) {
        struct day_due due;
        day_next(&day, &due);
        assert_true(due.at_ns >= last_ns && due.user < USERS);
        last_ns = due.at_ns;
        assert_int_equal(online[due.user], due.deed != DEED_RETURN);
        online[due.user] = due.deed != DEED_LEAVE && due.deed != DEED_SLEEP;
    }
    day_fini(&day);
}

static void
begins_within_a_second(void **state)
{
    (void)state;
    struct day day;
    struct day_due due;
    day_init(&day, 1, USERS, &habits);
    for (unsigned i = 0; i < USERS * 3 / 4; i++) {
        day_next(&day, &due);
        assert_int_equal(due.deed, DEED_LEAVE);
        assert_true(due.at_ns < 1000000000);
    }
    assert_int_equal(day.online, USERS / 4);
    day_fini(&day);
}

static bool
about(double found, double wanted)
{
    return fabs(found / wanted - 1) < 0.05;
}

static void
keeps_habits(void **state)
{
    (void)state;
    enum { DAYS = 30 };
    struct day day;
    struct day_due due = {0};
    double counts[DEEDS] = {0};
    double online_ns = 0;
    day_init(&day, 3, USERS, &habits);
    while (day.leaving > 0) {
        day_next(&day, &due);
    }
    double start_ns = day.at_ns;
    while (day.at_ns < start_ns + DAYS * day_ns) {
        double before_ns = day.at_ns;
        double online = day.online;
        day_next(&day, &due);
        online_ns += online * (day.at_ns - before_ns);
        counts[due.deed]++;
    }
    double users_days = (double)USERS * DAYS;
    assert_true(about(online_ns / day_ns / users_days, habits.online));
    assert_true(about(counts[DEED_WRITE] / users_days, habits.messages));
    assert_true(about(counts[DEED_MOVE] / users_days, habits.moves));
    assert_true(about(counts[DEED_RETURN] / users_days, habits.returns));
    assert_true(about(counts[DEED_LEAVE] / users_days, habits.returns / 2));
    assert_true(about(counts[DEED_SLEEP] / users_days, habits.returns / 2));
    assert_true(about(counts[DEED_BEAT] / users_days, 24 * habits.online));
    assert_true(about(day_rate_per_s(&habits, USERS), habits.messages * USERS));
    day_fini(&day);
}

static void
a_single_user(void **state)
{
    (void)state;
    struct day_habits awake = habits;
    struct day day;
    struct day_due due;
    awake.asleep = 0;
    awake.moves = 0;
    awake.beat_s = 0;
    day_init(&day, 4, 1, &awake);
    for (unsigned i = 0; i < 10000; i++) {
        day_next(&day, &due);
        assert_int_equal(due.user, 0);
        assert_true(due.deed == DEED_WRITE || due.deed == DEED_LEAVE || due.deed == DEED_RETURN);
    }
    day_fini(&day);
}

static void
storms(void **state)
{
    (void)state;
    struct tally_span span = {1000, 1000 + 3000};
    assert_int_equal(storm_at_ns(&span, 0, 3), 1100);
    assert_int_equal(storm_at_ns(&span, 1, 3), 2100);
    assert_int_equal(storm_at_ns(&span, 2, 3), 3100);
    assert_int_equal(storm_at_ns(&span, 0, 1), 1300);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a day follows from its seed alone", follows_from_the_seed),
        SPEC("who is away only returns, and who is online does all else", is_possible),
        SPEC("those who are away in the beginning leave within the first second",
             begins_within_a_second),
        SPEC("in the long run people keep their habits", keeps_habits),
        SPEC("one user alone has a day, too", a_single_user),
        SPEC("storms share the span between them", storms),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
