/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that are sent later: what they carry, what cancels them, how late they may be. */
#include "runtime/scheduler.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <string.h>

enum { MANY = 3000, BIG = 500 };
enum tag { SMALL = 1, LARGE, SHARED, KEYED, NUMBERED, SET, CANCEL };

static uint64_t chance_state;

static uint32_t
chance(uint32_t below)
{
    chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(chance_state >> 33) % below;
}

static struct ln_msg *
numbered(uint64_t number)
{
    struct ln_msg *msg = ln_msg_new(NUMBERED, LN_DURABLE, sizeof number);
    memcpy(msg->data, &number, sizeof number);
    return msg;
}

static uint64_t
number_of(const struct ln_msg *msg)
{
    uint64_t number;
    EXPECT(msg->tag == NUMBERED && msg->bytes == sizeof number && msg->from == ln_self());
    memcpy(&number, msg->data, sizeof number);
    return number;
}

/* ------------------------------------------------------------------------------ what they carry */

static void
kinds_story(void)
{
    struct ln_msg *msg = ln_msg_new(SMALL, LN_SYSTEM, 3);
    memcpy(msg->data, "abc", 3);
    (void)ln_send_after(10, ln_self(), &msg);
    msg = ln_msg_new(LARGE, LN_REPLY, BIG);
    memset(msg->data, 'x', BIG);
    (void)ln_send_after(20, ln_self(), &msg);
    msg = ln_msg_new(SHARED, LN_DURABLE, 0);
    msg->buffer = ln_buffer_new(BIG);
    (void)ln_send_after(30, ln_self(), &msg);
    msg = ln_msg_new(KEYED, LN_LOSSY, 0);
    msg->key = 7;
    (void)ln_send_after(40, ln_self(), &msg);
    EXPECT(msg == NULL);

    msg = stage_next();
    EXPECT(msg->tag == SMALL && msg->lane == LN_SYSTEM && msg->bytes == 3 && msg->key == 0);
    EXPECT(memcmp(msg->data, "abc", 3) == 0 && msg->from == ln_self() && msg->ref == 0);
    ln_msg_free(&msg);
    msg = stage_next();
    EXPECT(msg->tag == LARGE && msg->lane == LN_REPLY && msg->bytes == BIG);
    EXPECT(msg->data[0] == 'x' && msg->data[BIG - 1] == 'x' && msg->from == ln_self());
    ln_msg_free(&msg);
    msg = stage_next();
    EXPECT(msg->tag == SHARED && ln_buffer_bytes(msg->buffer) == BIG);
    ln_msg_free(&msg);
    msg = stage_next();
    EXPECT(msg->tag == KEYED && msg->lane == LN_LOSSY && msg->key == 7);
    ln_msg_free(&msg);
}

static void
carries_all_kinds(void **state)
{
    (void)state;
    stage_play(kinds_story);
}

/* ---------------------------------------------------------------------------- what cancels them */

/* Sets and cancels at random; who is left is sent, in the order of their instants. */
static void
cancel_story(void)
{
    static uint64_t timers[MANY];
    static uint64_t delays_ms[MANY];
    chance_state = ln_now_ns();
    unsigned left = 0;
    for (unsigned i = 0; i < MANY; i++) {
        struct ln_msg *msg = numbered(i);
        delays_ms[i] = 100 + chance(10000);
        timers[i] = ln_send_after(delays_ms[i], ln_self(), &msg);
        left++;
        unsigned other = chance(i + 1);
        if (chance(2) == 0 && timers[other] != 0) {
            EXPECT(ln_cancel_timer(timers[other]) == 0);
            EXPECT(ln_cancel_timer(timers[other]) == -ENOENT);
            timers[other] = 0;
            left--;
        }
    }
    EXPECT(left > MANY / 4 && left < MANY);
    uint64_t before_ms = 0;
    for (; left > 0; left--) {
        struct ln_msg *msg = stage_next();
        uint64_t number = number_of(msg);
        EXPECT(timers[number] != 0 && delays_ms[number] >= before_ms);
        EXPECT(ln_cancel_timer(timers[number]) == -ENOENT);
        before_ms = delays_ms[number];
        timers[number] = 0;
        ln_msg_free(&msg);
    }
    stage_expect_silence(20000);
}

static void
cancels_in_any_order(void **state)
{
    (void)state;
    stage_play(cancel_story);
}

static void
nothing_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour nobody = {.name = "nobody", .handle = nothing_handle};

static void
stale_story(void)
{
    struct ln_msg *msg = numbered(1);
    uint64_t stale = ln_send_after(1000, ln_self(), &msg);
    EXPECT(ln_cancel_timer(stale) == 0);
    for (unsigned i = 0; i < MANY; i++) { /* its record comes round again */
        msg = numbered(2);
        uint64_t timer = ln_send_after(1000, ln_self(), &msg);
        EXPECT(timer != stale && ln_cancel_timer(stale) == -ENOENT);
        EXPECT(ln_cancel_timer(timer) == 0);
    }
    ln_pid pid;
    EXPECT(ln_spawn(&nobody, NULL, 0, NULL, &pid) == 0);
    uint64_t monitor = ln_monitor(pid);
    EXPECT(ln_cancel_timer(monitor) == -ENOENT && ln_cancel_timer(0) == -ENOENT);
    EXPECT(ln_cancel_timer(UINT64_MAX) == -ENOENT && ln_cancel_timer(1u << 31) == -ENOENT);
    ln_kill(pid, LN_EXIT_KILLED);
    EXPECT(stage_down(monitor).kind == LN_EXIT_KILLED);
    stage_expect_silence(2000);
}

static void
stale_numbers_cancel_nothing(void **state)
{
    (void)state;
    stage_play(stale_story);
}

static void
setter_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_pid to = (*msg)->from;
    for (uint64_t i = 0; i < 20; i++) {
        struct ln_msg *later = numbered(i);
        uint64_t timer = ln_send_after(50 + i, to, &later);
        later = ln_msg_new(LARGE, LN_DURABLE, BIG);
        (void)ln_send_after(50 + i, to, &later);
        if (i % 2 == 0) {
            EXPECT(ln_cancel_timer(timer) == 0);
        }
    }
    struct ln_msg *told = ln_msg_new(SET, LN_DURABLE, 0);
    ln_send(to, &told);
    if ((*msg)->tag == CANCEL) {
        ln_exit(LN_EXIT_NORMAL, "at once, with cancelled ones not settled");
    }
}
static const struct ln_behaviour setter = {.name = "setter", .handle = setter_handle};

static void
end_story(void)
{
    ln_pid pids[2];
    for (unsigned i = 0; i < 2; i++) {
        EXPECT(ln_spawn(&setter, NULL, 0, NULL, &pids[i]) == 0);
        stage_say(pids[i], i == 0 ? SET : CANCEL);
        stage_expect(SET, NULL, 0);
    }
    ln_kill(pids[0], LN_EXIT_KILLED);
    stage_expect_silence(1000);
}

static void
ends_with_its_actor(void **state)
{
    (void)state;
    stage_play(end_story);
}

/* The second actor's timer is cancelled by us, while its owner has others on both sides of it. */
static void
keeper_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    uint64_t timers[3];
    ln_pid to = (*msg)->from;
    for (uint64_t i = 0; i < 3; i++) {
        struct ln_msg *later = ln_msg_new(KEYED, LN_DURABLE, 0);
        timers[i] = ln_send_after(50, to, &later);
    }
    struct ln_msg *told = ln_msg_new(SET, LN_DURABLE, sizeof timers);
    memcpy(told->data, timers, sizeof timers);
    ln_send(to, &told);
}
static const struct ln_behaviour keeper = {.name = "keeper", .handle = keeper_handle};

static void
other_story(void)
{
    for (unsigned victim = 0; victim < 3; victim++) {
        ln_pid pid;
        uint64_t timers[3];
        EXPECT(ln_spawn(&keeper, NULL, 0, NULL, &pid) == 0);
        stage_say(pid, SET);
        stage_expect(SET, timers, sizeof timers);
        EXPECT(ln_cancel_timer(timers[victim]) == 0);
        stage_expect(KEYED, NULL, 0);
        stage_expect(KEYED, NULL, 0);
        stage_expect_silence(200);
        ln_kill(pid, LN_EXIT_KILLED);
    }
}

static void
another_may_cancel(void **state)
{
    (void)state;
    stage_play(other_story);
}

/* ------------------------------------------------------------------------- how late they may be */

static void
slack_story(void)
{
    static uint64_t due_ns[MANY], latest_ns[MANY];
    chance_state = ln_now_ns();
    for (unsigned i = 0; i < MANY; i++) {
        struct ln_msg *msg = numbered(i);
        uint64_t delay_ms = chance(5000);
        uint64_t slack_ms = chance(1u << chance(12));
        due_ns[i] = ln_now_ns() + delay_ms * 1000000;
        latest_ns[i] = due_ns[i] + (slack_ms + 2) * 1000000;
        (void)ln_send_after_slack(delay_ms, slack_ms, ln_self(), &msg);
    }
    /* All were set at one instant of the simulation's clock. It begins a part of a millisecond
     * later, and is looked at when its millisecond is over: two at most. */
    for (unsigned i = 0; i < MANY; i++) {
        struct ln_msg *msg = stage_next();
        uint64_t number = number_of(msg);
        EXPECT(ln_now_ns() >= due_ns[number] && ln_now_ns() <= latest_ns[number]);
        ln_msg_free(&msg);
    }
    struct ln_msg *msg = numbered(0); /* whatever the slack, a century is no overflow */
    (void)ln_send_after_slack(LN_FOREVER, LN_FOREVER, ln_self(), &msg);
    stage_expect_silence(1000);
}

static void
keeps_within_its_slack(void **state)
{
    (void)state;
    stage_play(slack_story);
}

/* Turns of this scheduler while a thousand timers of the next ten seconds fire. */
static uint64_t
turns_of_a_thousand(uint64_t slack_ms)
{
    for (uint64_t i = 0; i < 1000; i++) {
        struct ln_msg *msg = numbered(i);
        (void)ln_send_after_slack(1 + i * 10, slack_ms, ln_self(), &msg);
    }
    uint64_t before = scheduler_current()->stats.turns;
    for (unsigned i = 0; i < 1000; i++) {
        struct ln_msg *msg = stage_next();
        ln_msg_free(&msg);
    }
    return scheduler_current()->stats.turns - before;
}

static void
share_story(void)
{
    EXPECT(turns_of_a_thousand(0) >= 1000);
    /* Ten seconds hold forty multiples of 256; some turns are not the timers'. */
    EXPECT(turns_of_a_thousand(300) <= 200);
}

static void
shares_wake_ups(void **state)
{
    (void)state;
    stage_play(share_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a message that is sent later arrives as it was: small, large, shared or keyed",
             carries_all_kinds),
        SPEC("timers are set and cancelled in any order; the others fire in theirs",
             cancels_in_any_order),
        SPEC("a stale number cancels nothing, nor does that of a monitor",
             stale_numbers_cancel_nothing),
        SPEC("an actor's timers end with it, whether it is killed or ends amid cancelling",
             ends_with_its_actor),
        SPEC("an actor may cancel the timer of another of its scheduler", another_may_cancel),
        SPEC("a timer with slack is never early, and late by no more than that",
             keeps_within_its_slack),
        SPEC("a thousand timers with slack wake the loop a few times", shares_wake_ups),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
