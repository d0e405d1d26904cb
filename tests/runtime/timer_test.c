/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/timer.h"
#include "tests/spec.h"

#include <string.h>

/* A wheel against the plainest of models: an array of instants, looked through at every step. */

enum { TIMERS = 400, STEPS = 20000 };

static uint64_t chance_state;

static uint64_t
chance(uint64_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return chance_state % below;
}

struct alarm {
    struct timer timer;
    uint64_t due_ms; /* 0: not set */
    uint64_t order;  /* in which they were set */
};

static struct timer_wheel wheel;
static struct alarm alarms[TIMERS];
static uint64_t order_last;
static uint64_t fired_count, fired_due_ms, fired_order;

static void
fire(struct timer *timer)
{
    struct alarm *alarm = (struct alarm *)timer;
    assert_true(alarm->due_ms != 0);
    assert_false(timer_is_set(timer));
    assert_true(alarm->due_ms <= wheel.now_ms);
    assert_true(alarm->due_ms >= fired_due_ms);
    if (alarm->due_ms == fired_due_ms) {
        assert_true(alarm->order > fired_order);
    }
    fired_due_ms = alarm->due_ms;
    fired_order = alarm->order;
    alarm->due_ms = 0;
    fired_count++;
}

static void
begin(uint64_t now_ms, uint64_t seed)
{
    timer_wheel_fini(&wheel);
    timer_wheel_init(&wheel, now_ms);
    memset(alarms, 0, sizeof alarms);
    order_last = fired_count = fired_due_ms = fired_order = 0;
    chance_state = seed;
}

static void
set(struct alarm *alarm, uint64_t at_ms)
{
    alarm->due_ms = at_ms > wheel.now_ms ? at_ms : wheel.now_ms + 1;
    alarm->order = ++order_last;
    timer_set(&wheel, &alarm->timer, at_ms, fire);
}

static uint64_t
earliest_ms(void)
{
    uint64_t earliest = UINT64_MAX;
    for (unsigned i = 0; i < TIMERS; i++) {
        if (alarms[i].due_ms != 0 && alarms[i].due_ms < earliest) {
            earliest = alarms[i].due_ms;
        }
    }
    return earliest;
}

static uint64_t
set_count(void)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < TIMERS; i++) {
        count += alarms[i].due_ms != 0;
        assert_int_equal(alarms[i].due_ms != 0, timer_is_set(&alarms[i].timer));
    }
    return count;
}

static void
step(uint64_t span_ms)
{
    struct alarm *alarm = &alarms[chance(TIMERS)];
    switch (chance(4)) {
    case 0:
        timer_cancel(&wheel, &alarm->timer);
        alarm->due_ms = 0;
        break;
    case 1:
    case 2:
        if (alarm->due_ms == 0) {
            set(alarm, wheel.now_ms + chance(span_ms));
        }
        break;
    default:
        fired_due_ms = 0;
        timer_wheel_advance(&wheel, wheel.now_ms + chance(span_ms / 16 + 2));
        assert_true(earliest_ms() > wheel.now_ms);
        break;
    }
    assert_true(timer_wheel_next_ms(&wheel) <= earliest_ms());
    assert_true(timer_wheel_next_ms(&wheel) > wheel.now_ms);
}

static void
agrees_with_a_list(void **state)
{
    (void)state;
    static const uint64_t spans_ms[] = {10, 100, 5000, 300000, 1u << 25, 1ull << 33, 1ull << 37};
    for (unsigned i = 0; i < sizeof spans_ms / sizeof spans_ms[0]; i++) {
        begin(1000 + i, 0x9e3779b97f4a7c15u + i);
        for (unsigned n = 0; n < STEPS; n++) {
            step(spans_ms[i]);
        }
        assert_int_equal(wheel.set_count, set_count());
        assert_true(fired_count > 0);
    }
}

static void
crosses_every_boundary(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 40; bits++) {
        uint64_t edge = (uint64_t)1 << bits;
        begin(edge - 1, bits + 1);
        set(&alarms[0], edge);
        set(&alarms[1], edge + 1);
        set(&alarms[2], 2 * edge);
        timer_wheel_advance(&wheel, edge - 1);
        assert_int_equal(fired_count, 0);
        timer_wheel_advance(&wheel, edge);
        assert_int_equal(alarms[0].due_ms, 0);
        timer_wheel_advance(&wheel, 2 * edge + 1);
        assert_int_equal(fired_count, 3);
        assert_int_equal(timer_wheel_next_ms(&wheel), UINT64_MAX);
    }
}

static void
waits_beyond_its_horizon(void **state)
{
    (void)state;
    uint64_t far_ms = 3 * ((uint64_t)1 << (TIMER_LEVELS * TIMER_SLOT_BITS)) + 12345;
    begin(77, 1);
    set(&alarms[0], far_ms);
    set(&alarms[1], far_ms); /* the last of its slot, unlinked where its digits do not lead */
    timer_cancel(&wheel, &alarms[1].timer);
    while (timer_wheel_next_ms(&wheel) < far_ms) {
        uint64_t next_ms = timer_wheel_next_ms(&wheel);
        assert_int_equal(fired_count, 0);
        timer_wheel_advance(&wheel, next_ms);
    }
    timer_wheel_advance(&wheel, far_ms);
    assert_int_equal(fired_count, 1);
}

static struct alarm *victims[2];

static void
fire_and_cancel(struct timer *timer)
{
    (void)timer;
    fired_count++;
    for (unsigned i = 0; i < 2; i++) {
        timer_cancel(&wheel, &victims[i]->timer);
        victims[i]->due_ms = 0;
    }
}

static void
cancels_while_firing(void **state)
{
    (void)state;
    begin(0, 1);
    timer_set(&wheel, &alarms[0].timer, 5, fire_and_cancel);
    set(&alarms[1], 5); /* the same slot, next to fire */
    set(&alarms[2], 5);
    set(&alarms[3], 500);
    victims[0] = &alarms[1];
    victims[1] = &alarms[3];
    timer_wheel_advance(&wheel, 1000);
    assert_int_equal(fired_count, 2);
    assert_int_equal(alarms[2].due_ms, 0);
    assert_int_equal(wheel.set_count, 0);
}

static void
fire_and_set(struct timer *timer)
{
    fired_count++;
    if (fired_count < 5) {
        timer_set(&wheel, timer, wheel.now_ms, fire_and_set); /* past: the next millisecond */
    }
}

static void
sets_while_firing(void **state)
{
    (void)state;
    begin(0, 1);
    timer_set(&wheel, &alarms[0].timer, 63, fire_and_set);
    timer_wheel_advance(&wheel, 65);
    assert_int_equal(fired_count, 3);
    timer_wheel_advance(&wheel, 66);
    assert_int_equal(fired_count, 4);
}

static void
delays_begin_at_the_start(void **state)
{
    (void)state;
    begin(100, 1);
    alarms[0].due_ms = 100 + 50 + 10 + 1;
    alarms[0].order = 1;
    timer_set_after(&wheel, &alarms[0].timer, 10, fire);
    timer_wheel_advance(&wheel, 150);
    assert_int_equal(fired_count, 0);
    timer_wheel_start(&wheel, 150);
    timer_wheel_advance(&wheel, 160);
    assert_int_equal(fired_count, 0); /* ten full milliseconds may not have passed */
    timer_wheel_advance(&wheel, 161);
    assert_int_equal(fired_count, 1);
}

static void
delays_are_cancelled_before_the_start(void **state)
{
    (void)state;
    begin(100, 1);
    for (unsigned i = 0; i < 3; i++) {
        timer_set_after(&wheel, &alarms[i].timer, i, fire);
        alarms[i].due_ms = 101 + i;
        alarms[i].order = i;
    }
    timer_cancel(&wheel, &alarms[2].timer); /* the last */
    timer_cancel(&wheel, &alarms[0].timer); /* the first */
    timer_set_after(&wheel, &alarms[3].timer, 1, fire);
    alarms[3].due_ms = 102;
    alarms[3].order = 3;
    timer_wheel_start(&wheel, 100);
    timer_wheel_advance(&wheel, 1000);
    assert_int_equal(fired_count, 2);
    assert_int_equal(wheel.set_count, 0);
}

static void
delays_do_not_overflow(void **state)
{
    (void)state;
    begin(100, 1);
    timer_set_after(&wheel, &alarms[0].timer, UINT64_MAX - 5, fire);
    timer_set_after(&wheel, &alarms[1].timer, UINT64_MAX, fire);
    timer_wheel_start(&wheel, 100);
    timer_wheel_advance(&wheel, 1u << 30);
    assert_int_equal(fired_count, 0);
    timer_cancel(&wheel, &alarms[0].timer);
    timer_cancel(&wheel, &alarms[1].timer);
    assert_int_equal(timer_wheel_next_ms(&wheel), UINT64_MAX);
}

static void
slack_is_used_up_to_a_power_of_two(void **state)
{
    (void)state;
    static const struct {
        uint64_t delay_ms, slack_ms, at_ms;
    } cases[] = {
        {10, 0, 111},
        {10, 1, 112},
        {12, 1, 114},
        {11, 1, 112},
        {10, 2, 112},
        {10, 3, 112},
        {13, 3, 116},
        {10, 6, 112},
        {10, 7, 112},
        {12, 7, 120},
        {27, 100, 128},
        {28, 100, 192},
        {0, 1000, 512},
        {500, 1023, 1024},
        {4000, 4095, 8192},
        {0, 0, 101},
        {0, 1, 102},
        {1, 1ull << 40, 1ull << 40},
        {5, UINT64_MAX, 1ull << 40},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(50, 1);
        timer_set_within(&wheel, &alarms[0].timer, cases[i].delay_ms, cases[i].slack_ms, fire);
        timer_wheel_start(&wheel, 100);
        alarms[0].due_ms = cases[i].at_ms;
        alarms[0].order = 1;
        assert_int_equal(alarms[0].timer.at_ms, cases[i].at_ms);
        timer_wheel_advance(&wheel, cases[i].at_ms - 1);
        assert_int_equal(fired_count, 0);
        timer_wheel_advance(&wheel, cases[i].at_ms);
        assert_int_equal(fired_count, 1);
    }
}

/* Each portion is as large as it may be until none is left. */
static void
fires_in_portions(void **state)
{
    enum { PORTION = 7, SPAN_MS = 5 };
    (void)state;
    begin(1000, 1);
    for (unsigned i = 0; i < TIMERS; i++) {
        set(&alarms[i], 1001 + chance(SPAN_MS));
    }
    while (fired_count < TIMERS) {
        uint64_t before = fired_count;
        assert_true(timer_wheel_next_ms(&wheel) <= 1000 + SPAN_MS);
        timer_wheel_advance_some(&wheel, 1000 + SPAN_MS, PORTION);
        uint64_t expected = TIMERS - before < PORTION ? TIMERS - before : PORTION;
        assert_int_equal(fired_count - before, expected);
        timer_cancel(&wheel, &alarms[0].timer); /* whether it has fired or is left over */
        fired_count += alarms[0].due_ms != 0;
        alarms[0].due_ms = 0;
    }
    assert_int_equal(set_count(), 0);
    assert_true(timer_wheel_next_ms(&wheel) == UINT64_MAX);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("over short and long spans it fires what a plain list would, in its order",
             agrees_with_a_list),
        SPEC("timers on both sides of every power of two fire at their millisecond",
             crosses_every_boundary),
        SPEC("a timer beyond two years waits its time", waits_beyond_its_horizon),
        SPEC("a firing timer may cancel others, of its own millisecond too", cancels_while_firing),
        SPEC("a firing timer may set itself again, and fires a millisecond later",
             sets_while_firing),
        SPEC("what is due fires in portions, in its order, where it may not all at once",
             fires_in_portions),
        SPEC("a delay begins when the turn ends and never ends early", delays_begin_at_the_start),
        SPEC("a delay that has not begun can be cancelled", delays_are_cancelled_before_the_start),
        SPEC("the longest delays do not overflow into the past", delays_do_not_overflow),
        SPEC("a timer with slack waits for the power of two that its slack has room for",
             slack_is_used_up_to_a_power_of_two),
    };
    int failed = cmocka_run_group_tests(specs, NULL, NULL);
    timer_wheel_fini(&wheel);
    return failed;
}
