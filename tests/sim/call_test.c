/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: what each device is told, what is passed on, and what is refused. Crashes among them are
 * in call_crash_test.c. */
#include "tests/sim/callers.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SIGNAL_EVERY_MS = 30000 };
enum { SEEDS = SEEDS_OF(4), SEEDS_OF_MANY = SEEDS_OF(8), LOOKS_LONG_MS = 2 * CALLERS_LOOKS_MS };

static struct wire *const everybody[] = {&callers.alice[0], &callers.alice[1], &callers.bob[0],
                                         &callers.bob[1]};

/* All devices of the two hear how it ended, and the same. */
static void
expect_ended(const char *outcome)
{
    char part[64];
    (void)snprintf(part, sizeof part, "\"outcome\":\"%s\"", outcome);
    uint64_t ended_at_ms = 0;
    for (int i = 0; i < 4; i++) {
        const char *frame = callers_await_call(everybody[i], part);
        uint64_t at_ms = wire_number(frame, "endedAtMs");
        assert_true(ended_at_ms == 0 || at_ms == ended_at_ms);
        ended_at_ms = at_ms;
    }
}

static void
a_call_from_beginning_to_end(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        callers_begin(seed);
        callers_ring(7);
        callers_ask(&callers.bob[1], 1, "\"callRinging\":{\"call\":#7}", "\"done\"");
        const char *rings = callers_await(&callers.alice[0], "\"callSignal\"");
        assert_non_null(strstr(rings, "\"kind\":\"RINGING\",\"device\":2"));
        callers_ask(&callers.alice[0], 2, "\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}",
                    "\"done\"");
        (void)callers_await(&callers.bob[0], "\"content\":\"YQ==\"");
        (void)callers_await(&callers.bob[1], "\"content\":\"YQ==\"");
        callers_ask(&callers.bob[1], 3, "\"callAnswer\":{\"call\":#7,\"content\":\"Yg==\"}",
                    "\"done\"");
        (void)callers_await_call(&callers.bob[0], "\"answeringDevice\":2");
        (void)callers_await_call(&callers.bob[1], "\"state\":\"ANSWERED\"");
        (void)callers_await_call(&callers.alice[0], "\"content\":\"Yg==\"");
        (void)callers_await_call(&callers.alice[1], "\"state\":\"ANSWERED\"");
        callers_ask(&callers.bob[1], 4, "\"callCandidate\":{\"call\":#7,\"content\":\"Yw==\"}",
                    "\"done\"");
        (void)callers_await(&callers.alice[0], "\"content\":\"Yw==\"");
        callers_ask(&callers.alice[0], 5, "\"callCandidate\":{\"call\":#7,\"content\":\"ZA==\"}",
                    "\"done\"");
        (void)callers_await(&callers.bob[1], "\"content\":\"ZA==\"");
        assert_false(callers_hear(&callers.bob[0], 100, "\"callSignal\""));
        assert_false(callers_hear(&callers.alice[1], 0, "\"callSignal\""));
        world_run(&callers.world, 5000);
        callers_ask(&callers.alice[0], 6, "\"callHangUp\":{\"call\":#7}", "\"done\"");
        expect_ended("TALKED");
        callers_end();
    }
}

/* What a client says right behind the offer, or the answer, is not too early. */
static void
candidates_may_follow_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        callers_begin(seed);
        callers_say(&callers.alice[0],
                    "{\"number\":\"7\",\"callOffer\":{\"chat\":{\"userId\":\"@b\"}}}");
        (void)callers_await(&callers.alice[0], "\"sent\"");
        callers_say(&callers.alice[0], "{\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}}");
        for (int i = 0; i < 2; i++) {
            (void)callers_await_call(&callers.bob[i], "\"RINGING\"");
            (void)callers_await(&callers.bob[i], "\"content\":\"YQ==\"");
        }
        callers_say(&callers.bob[0], "{\"callAnswer\":{\"call\":#7}}");
        callers_say(&callers.bob[0], "{\"callCandidate\":{\"call\":#7,\"content\":\"Yg==\"}}");
        (void)callers_await(&callers.alice[0], "\"ANSWERED\"");
        (void)callers_await(&callers.alice[0], "\"content\":\"Yg==\"");
        callers_end();
    }
}

static void
nobody_answers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        callers_begin(seed);
        callers_ring(7);
        assert_false(callers_hear(&callers.alice[0], CALLERS_RING_MS - 500, "\"call\":{\"inbox"));
        expect_ended("MISSED");
        callers_ask(&callers.bob[0], 1, "\"callAnswer\":{\"call\":#7}", "\"GONE\"");
        callers_ask(&callers.bob[0], 2, "\"callRinging\":{\"call\":#7}", "\"GONE\"");
        callers_ask(&callers.alice[0], 3, "\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}",
                    "\"GONE\"");
        callers_ask(&callers.bob[0], 4, "\"callHangUp\":{\"call\":#7}", "\"done\"");
        assert_false(callers_hear(&callers.bob[1], 1000, "\"call"));
        callers_end();
    }
}

static void
it_ends_while_it_rings(void **state)
{
    (void)state;
    callers_begin(1);
    callers_ring(7);
    callers_ask(&callers.alice[0], 1, "\"callHangUp\":{\"call\":#7,\"reason\":\"CANCELLED\"}",
                "\"done\"");
    expect_ended("CANCELLED");
    callers_ring(8);
    callers_ask(&callers.bob[1], 2, "\"callHangUp\":{\"call\":#8,\"reason\":\"DECLINED\"}",
                "\"done\"");
    expect_ended("DECLINED");
    callers_ring(9);
    callers_ask(&callers.bob[1], 3, "\"callHangUp\":{\"call\":#9,\"reason\":\"BUSY\"}", "\"done\"");
    expect_ended("BUSY");
    callers_ring(10);
    callers_ask(&callers.bob[1], 4, "\"callHangUp\":{\"call\":#10,\"reason\":\"FAILED\"}",
                "\"done\"");
    expect_ended("FAILED");
    callers_ask(&callers.bob[0], 5, "\"callAnswer\":{\"call\":#10}", "\"GONE\"");
    callers_end();
}

static void
who_is_in_a_call_is_busy(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        callers_begin(seed);
        callers_talk(7);
        callers_ask(&callers.carol, 1,
                    "\"number\":\"3\",\"callOffer\":{\"chat\":{\"userName\":\"bob\"}}", "\"sent\"");
        (void)callers_await_call(&callers.carol, "\"outcome\":\"BUSY\"");
        for (int i = 0; i < 2; i++) {
            const char *missed = callers_await_call(&callers.bob[i], "\"outcome\":\"BUSY\"");
            assert_non_null(strstr(missed, "\"name\":\"carol\""));
        }
        callers_ask(&callers.alice[1], 2, "\"callOffer\":{\"chat\":{\"userId\":\"@c\"}}",
                    "\"IN_A_CALL\"");
        callers_ask(&callers.bob[1], 3, "\"callOffer\":{\"chat\":{\"userId\":\"@c\"}}",
                    "\"IN_A_CALL\"");
        callers_ask(&callers.bob[0], 4, "\"callHangUp\":{\"call\":#7}", "\"done\"");
        expect_ended("TALKED");
        callers_ask(&callers.carol, 5, "\"callOffer\":{\"chat\":{\"userId\":\"@b\"}}", "\"sent\"");
        (void)callers_await_call(&callers.bob[0], "\"RINGING\"");
        callers_end();
    }
}

#define OF_ALICE "\"caller\":{\"userId\":\"@a\",\"name\":\"alice\",\"device\":1},"
#define OF_BOB "\"caller\":{\"userId\":\"@b\",\"name\":\"bob\",\"device\":1},"

/* Whose id is lower rings at the other's, whose own call gives way and rings nowhere. */
static void
two_call_each_other_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_OF_MANY; seed++) {
        callers_begin(seed);
        callers_say(&callers.alice[0], "{\"callOffer\":{\"chat\":{\"userId\":\"@b\"}}}");
        callers_say(&callers.bob[0], "{\"callOffer\":{\"chat\":{\"userId\":\"@a\"}}}");
        world_run(&callers.world, 1000);
        bool first = callers.alice_id < callers.bob_id;
        struct wire *winner = first ? callers.alice : callers.bob;
        struct wire *other = first ? callers.bob : callers.alice;
        const char *rings =
            first ? OF_ALICE "\"state\":\"RINGING\"" : OF_BOB "\"state\":\"RINGING\"";
        const char *gives_way =
            first ? OF_BOB "\"state\":\"RINGING\"" : OF_ALICE "\"state\":\"RINGING\"";
        const char *gave_way =
            first ? OF_BOB "\"state\":\"ENDED\"" : OF_ALICE "\"state\":\"ENDED\"";
        for (int i = 0; i < 2; i++) {
            assert_int_equal(callers_count(&other[i], rings), 1);
            assert_int_equal(callers_count(&winner[i], gives_way), 0);
            assert_int_equal(callers_count(&winner[i], gave_way), 1);
            assert_int_equal(callers_count(&other[i], gave_way), 1);
            assert_int_equal(callers_count(&other[i], "\"CANCELLED\""), 1);
        }
        assert_true(callers_hear(&winner[0], CALLERS_RING_MS, "\"MISSED\""));
        callers_end();
    }
}

static void
one_who_is_blocked_rings_nobody(void **state)
{
    (void)state;
    callers_begin(2);
    callers_ask(&callers.bob[0], 1, "\"setState\":{\"chat\":{\"userId\":\"@a\"},\"blocked\":true}",
                "\"done\"");
    callers_ask(&callers.alice[0], 2,
                "\"number\":\"7\",\"callOffer\":{\"chat\":{\"userId\":\"@b\"}}", "\"sent\"");
    callers_ask(&callers.alice[0], 3, "\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}",
                "\"done\"");
    assert_false(callers_hear(&callers.alice[0], CALLERS_RING_MS - 1000, "\"ENDED\""));
    (void)callers_await_call(&callers.alice[0], "\"MISSED\"");
    assert_false(callers_hear(&callers.bob[0], 1000, "\"call"));
    assert_false(callers_hear(&callers.bob[1], 0, "\"call"));
    callers_ask(&callers.bob[0], 4, "\"callOffer\":{\"chat\":{\"userId\":\"@a\"}}", "\"sent\"");
    (void)callers_await_call(&callers.alice[0], "\"RINGING\""); /* a block works one way */
    callers_end();
}

static void
who_comes_in_time_answers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        callers_begin(seed);
        callers_leave(&callers.bob[0]);
        callers_leave(&callers.bob[1]);
        callers_ring(7);
        world_run(&callers.world, CALLERS_RING_MS / 2);
        callers_return(&callers.bob[1]);
        (void)callers_await_call(&callers.bob[1], "\"content\":\"b2ZmZXI=\"");
        callers_ask(&callers.bob[1], 1, "\"callAnswer\":{\"call\":#7}", "\"done\"");
        (void)callers_await_call(&callers.alice[0], "\"answeringDevice\":2");
        callers_return(&callers.bob[0]);
        (void)callers_await_call(&callers.bob[0], "\"ANSWERED\"");
        callers_end();
    }
}

static void
who_comes_late_has_missed_it(void **state)
{
    (void)state;
    callers_begin(3);
    callers_leave(&callers.bob[0]);
    callers_leave(&callers.bob[1]);
    callers_ring(7);
    world_run(&callers.world, CALLERS_RING_MS + 2000);
    callers_return(&callers.bob[0]);
    (void)callers_await_call(&callers.bob[0], "\"MISSED\""); /* and nothing before it */
    callers_end();
}

static void
a_revoked_device_hangs_up(void **state)
{
    (void)state;
    callers_begin(1);
    callers_talk(7);
    callers_ask(&callers.bob[1], 1, "\"revokeDevice\":{\"device\":1}", "\"done\"");
    (void)callers_await_call(&callers.alice[0], "\"TALKED\"");
    (void)callers_await_call(&callers.bob[1], "\"TALKED\"");
    callers_end();
}

static void
who_leaves_for_long_has_left_the_call(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        callers_begin(seed);
        callers_talk(7);
        callers_leave(&callers.bob[0]);
        world_run(&callers.world, STORE_CALL_LOOK_MS);
        callers_return(&callers.bob[0]); /* from a tunnel */
        assert_false(callers_hear(&callers.alice[0], LOOKS_LONG_MS, "\"ENDED\""));
        struct wire *who = seed % 2 == 0 ? &callers.bob[0] : &callers.alice[0];
        struct wire *other = seed % 2 == 0 ? &callers.alice[0] : &callers.bob[0];
        callers_leave(who);
        assert_true(callers_hear(other, CALLERS_LOOKS_MS, "\"FAILED\""));
        callers_end();
    }
}

static void
what_is_refused(void **state)
{
    (void)state;
    callers_begin(1);
    callers_ask(&callers.alice[0], 1, "\"callOffer\":{\"chat\":{\"userId\":\"@a\"}}",
                "\"NOT_PERMITTED\"");
    callers_ask(&callers.alice[0], 2, "\"callOffer\":{\"chat\":{\"userId\":\"12345\"}}",
                "\"UNKNOWN_USER\"");
    callers_ask(&callers.alice[0], 3, "\"callOffer\":{\"chat\":{\"userName\":\"nobody\"}}",
                "\"UNKNOWN_USER\"");
    callers_ask(&callers.alice[0], 4, "\"callAnswer\":{\"call\":#6}", "\"GONE\"");
    callers_ring(7);
    callers_ask(&callers.alice[0], 5, "\"callRinging\":{\"call\":#7}", "\"NOT_PERMITTED\"");
    callers_ask(&callers.alice[0], 6, "\"callAnswer\":{\"call\":#7}", "\"GONE\"");
    callers_ask(&callers.alice[1], 7, "\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}",
                "\"NOT_PERMITTED\"");
    callers_ask(&callers.alice[1], 8, "\"callHangUp\":{\"call\":#7}", "\"GONE\"");
    callers_ask(&callers.bob[0], 9, "\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}",
                "\"NOT_PERMITTED\"");
    callers_ask(&callers.carol, 10, "\"callAnswer\":{\"call\":#7}", "\"GONE\"");
    callers_ask(&callers.carol, 11, "\"callHangUp\":{\"call\":#7}", "\"done\"");
    callers_ask(&callers.bob[0], 12, "\"callAnswer\":{\"call\":#7}", "\"done\"");
    callers_ask(&callers.bob[0], 13, "\"callAnswer\":{\"call\":#7}", "\"done\"");
    callers_ask(&callers.bob[1], 14, "\"callAnswer\":{\"call\":#7}", "\"GONE\"");
    callers_ask(&callers.bob[1], 15, "\"callRinging\":{\"call\":#7}", "\"GONE\"");
    callers_ask(&callers.bob[1], 16, "\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}",
                "\"GONE\"");
    callers_ask(&callers.bob[1], 17, "\"callHangUp\":{\"call\":#7}", "\"GONE\"");
    (void)callers_await_call(&callers.alice[0], "\"ANSWERED\"");
    assert_false(callers_hear(&callers.alice[0], 1000, "\"ENDED\""));
    callers_end();
}

static void
an_offer_again_is_the_same_call(void **state)
{
    (void)state;
    callers_begin(4);
    callers_ring(7);
    callers_ask(&callers.alice[0], 1,
                "\"number\":\"7\",\"callOffer\":{\"chat\":{\"userId\":\"@b\"}}",
                "\"duplicate\":true");
    callers_ask(&callers.alice[0], 2, "\"callHangUp\":{\"call\":#7}", "\"done\"");
    expect_ended("CANCELLED");
    callers_ask(&callers.alice[0], 3,
                "\"number\":\"7\",\"callOffer\":{\"chat\":{\"userId\":\"@b\"}}",
                "\"duplicate\":true");
    assert_false(callers_hear(&callers.bob[0], 1000, "\"call"));
    callers_end();
}

static void
short_rings(struct settings *settings)
{
    settings->limits.call_ring_ms = 2000;
}

/* A partition looks for what is due some seconds after a start, in turns; a call does not wait. */
static void
a_call_right_after_a_start_rings_no_longer(void **state)
{
    (void)state;
    callers_begin_with(1, short_rings, (struct ln_child){0});
    callers_ring(7);
    assert_true(callers_hear(&callers.alice[0], 4000, "\"MISSED\""));
    callers_end();
}

static uint64_t
commands(void)
{
    struct store_stats stats;
    store_stats_read(callers.world.store, &stats);
    return stats.commands;
}

static void
what_is_over_ends_without_a_command(void **state)
{
    (void)state;
    callers_begin(1);
    uint64_t before = commands();
    for (unsigned ref = 1; ref <= 20; ref++) {
        callers_ask(&callers.alice[0], ref, "\"callHangUp\":{\"call\":#7}", "\"done\"");
    }
    assert_int_equal(commands(), before);
    callers_ring(7);
    callers_ask(&callers.alice[0], 21, "\"callHangUp\":{\"call\":#7}", "\"done\"");
    expect_ended("CANCELLED");
    world_run(&callers.world, 1000);
    before = commands();
    callers_ask(&callers.alice[0], 22, "\"callHangUp\":{\"call\":#7}", "\"done\"");
    callers_ask(&callers.bob[1], 23, "\"callHangUp\":{\"call\":#7}", "\"done\"");
    assert_int_equal(commands(), before);
    callers_end();
}

static void
few_calls(struct settings *settings)
{
    settings->user_rates[RATE_CALLS] = 1;
    settings->user_rates[RATE_SIGNALS] = 60000 / SIGNAL_EVERY_MS;
}

static void
calls_are_limited(void **state)
{
    (void)state;
    callers_begin_with(1, few_calls, (struct ln_child){0});
    callers_ring(7);
    callers_ask(&callers.alice[0], 1, "\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}",
                "\"done\"");
    callers_ask(&callers.alice[0], 2, "\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}",
                "\"done\"");
    callers_ask(&callers.alice[0], 3, "\"callCandidate\":{\"call\":#7,\"content\":\"YQ==\"}",
                "\"RATE_LIMITED\"");
    world_run(&callers.world, SIGNAL_EVERY_MS);
    callers_ask(&callers.alice[0], 4, "\"callHangUp\":{\"call\":#7}", "\"done\"");
    callers_ask(&callers.alice[0], 5, "\"callOffer\":{\"chat\":{\"userId\":\"@c\"}}",
                "\"RATE_LIMITED\"");
    callers_end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a call rings, is answered, carries candidates, ends, and all devices are told",
             a_call_from_beginning_to_end),
        SPEC("candidates may follow an offer or an answer at once", candidates_may_follow_at_once),
        SPEC("what nobody answers is missed, and every late signal is refused", nobody_answers),
        SPEC("a call that rings is cancelled, declined, refused as busy, or fails",
             it_ends_while_it_rings),
        SPEC("who is in a call is busy, and can't call", who_is_in_a_call_is_busy),
        SPEC("of two who call each other at once one rings", two_call_each_other_at_once),
        SPEC("one who is blocked rings nobody and never learns why",
             one_who_is_blocked_rings_nobody),
        SPEC("who comes while it rings finds the offer, and answers", who_comes_in_time_answers),
        SPEC("who comes later finds that he has missed it", who_comes_late_has_missed_it),
        SPEC("a device that is revoked in a call hangs up", a_revoked_device_hangs_up),
        SPEC("who is away for a moment stays in a call, who is for long has left it",
             who_leaves_for_long_has_left_the_call),
        SPEC("each signal that is not one's to give is refused", what_is_refused),
        SPEC("an offer that is sent again calls once", an_offer_again_is_the_same_call),
        SPEC("a call that begins right after a start rings no longer than others",
             a_call_right_after_a_start_rings_no_longer),
        SPEC("hanging up what is over is done, without a command",
             what_is_over_ends_without_a_command),
        SPEC("calls, and what is said in them, are limited", calls_are_limited),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
