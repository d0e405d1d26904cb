/* SPDX-License-Identifier: Apache-2.0 */
/* Calls while the power fails between any two steps, and while actors of the node are killed: every
 * call ends, once, and alike on all devices of the two. Nobody acknowledges anything, so that what
 * each device was told lies in its inbox in the end. */
#include "tests/sim/callers.h"
#include "tests/sim/reaper.h"
#include "tests/spec.h"

#include "tests/store/chance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SEEDS = SEEDS_OF(36),
    SEEDS_KILL = SEEDS_OF(24),
    STEPS_MAX = 8,
    TRIES = 60,
    EVENTS_MAX = 90, /* as many as a step has, and some */
    LONG_MS = CALLERS_RING_MS + CALLERS_LOOKS_MS + 1000,
};

static struct wire *const wires[] = {&callers.alice[0], &callers.alice[1], &callers.bob[0],
                                     &callers.bob[1]};
enum { WIRES = sizeof wires / sizeof wires[0] };

static struct chance dice;
static struct reaper reaper;

/* ------------------------------------------------------------------------------- who insists */

static bool
is_there(const struct wire *wire)
{
    return wire->world != NULL && wire->life == callers.world.lives && !wire->ended;
}

/* Comes back, if the line was cut; nobody is killed meanwhile. */
static void
be_there(struct wire *wire)
{
    unsigned kills_left = reaper.kills_left;
    if (is_there(wire)) {
        return;
    }
    reaper.kills_left = 0;
    if (wire->world != NULL) {
        callers_leave(wire);
    }
    world_run(&callers.world, 1000);
    callers_return(wire);
    reaper.kills_left = kills_left;
}

static const char *
answer_to(struct wire *wire, unsigned from, unsigned ref)
{
    char part[64];
    (void)snprintf(part, sizeof part, "\"ref\":\"%u\"", ref);
    for (unsigned ms = 0; ms < 3000 && is_there(wire); ms += 5) {
        for (; from < wire->heard_count; from++) {
            if (strstr(wire->heard[from], part) != NULL) {
                return wire->heard[from];
            }
        }
        world_run(&callers.world, 5);
    }
    return NULL;
}

/* Says it until it is answered for good: in the words of a client that keeps to the protocol. The
 * power fails while the node works on the first. */
static void
insist(struct wire *wire, const char *text, bool crash)
{
    static unsigned ref;
    for (unsigned i = 0; i < TRIES; i++) {
        char command[512];
        be_there(wire);
        unsigned from = wire->heard_count;
        ref++;
        (void)snprintf(command, sizeof command, "{\"ref\":\"%u\",%s}", ref, text);
        callers_say(wire, command);
        if (crash) {
            world_crash_within(&callers.world, chance_below(&dice, EVENTS_MAX), 300);
            crash = false;
            continue;
        }
        const char *answer = answer_to(wire, from, ref);
        bool passes = answer == NULL || strstr(answer, "\"INTERNAL\"") != NULL ||
                      strstr(answer, "\"OVERLOADED\"") != NULL;
        if (!passes) {
            return;
        }
        world_run(&callers.world, 100);
    }
    fail_msg("never answered: %s", text);
}

/* --------------------------------------------------------------------------------- what they do */

struct step {
    struct wire *wire;
    const char *text;
};

static unsigned
call_of(uint64_t kind, struct step out[STEPS_MAX])
{
    struct wire *alice = &callers.alice[0];
    struct wire *bob = &callers.bob[0];
    unsigned count = 0;
    out[count++] = (struct step){
        alice,
        "\"number\":\"7\",\"callOffer\":{\"chat\":{\"userId\":\"@b\"},\"content\":\"YQ==\"}"};
    if (kind == 0) {
        return count; /* nobody answers */
    }
    out[count++] = (struct step){bob, "\"callRinging\":{\"call\":#7}"};
    if (kind == 1) {
        out[count++] = (struct step){bob, "\"callHangUp\":{\"call\":#7,\"reason\":\"DECLINED\"}"};
        return count;
    }
    if (kind == 2) {
        out[count++] = (struct step){alice, "\"callHangUp\":{\"call\":#7}"};
        return count;
    }
    out[count++] = (struct step){bob, "\"callAnswer\":{\"call\":#7,\"content\":\"Yg==\"}"};
    out[count++] = (struct step){bob, "\"callCandidate\":{\"call\":#7,\"content\":\"Yw==\"}"};
    if (kind == 3) {
        out[count++] = (struct step){bob, "\"callHangUp\":{\"call\":#7}"};
    } else if (kind == 4) {
        out[count++] = (struct step){alice, "\"callHangUp\":{\"call\":#7}"};
    }
    return count; /* else one of them goes */
}

enum { KINDS = 6 };
static const char *const outcomes[KINDS] = {"MISSED", "DECLINED", "CANCELLED",
                                            "TALKED", "TALKED",   "FAILED"};

/* Comes anew, and reads the whole inbox: one entry of the call, that it is over. */
static void
read_the_end(struct wire *wire, const char *outcome, char end[64])
{
    char part[128];
    callers_leave(wire);
    callers_return(wire);
    (void)wire_waiting(wire, 1000);
    assert_int_equal(callers_count(wire, "\"id\":#7"), 1);
    (void)snprintf(part, sizeof part, "\"outcome\":\"%s\"", outcome);
    for (unsigned i = 0; i < wire->heard_count; i++) {
        const char *at = strstr(wire->heard[i], "\"endedAtMs\"");
        if (at == NULL) {
            continue;
        }
        if (strstr(at, part) == NULL) {
            fail_msg("expected %s, heard %s", outcome, wire->heard[i]);
        }
        if (end[0] == '\0') {
            (void)snprintf(end, 64, "%.40s", at);
        }
        assert_memory_equal(end, at, strlen(end));
        return;
    }
    fail_msg("a call that never ended");
}

/* How it ended stands once in the history of the chat, as the inbox tells it. */
static void
read_the_history(struct wire *wire, const char *end)
{
    char command[128];
    bool of_alice = wire == &callers.alice[0] || wire == &callers.alice[1];
    (void)snprintf(command, sizeof command, "\"getHistory\":{\"chat\":{\"userId\":\"@%c\"}}",
                   of_alice ? 'b' : 'a');
    insist(wire, command, false);
    assert_int_equal(callers_count(wire, "{\"call\":{\"id\":#7"), 1);
    assert_int_equal(callers_count(wire, end), 2); /* the inbox's, and this */
}

static void
judge(uint64_t kind)
{
    char end[64] = "";
    world_run(&callers.world, LONG_MS);
    for (int i = 0; i < WIRES; i++) {
        if (wires[i]->world == NULL) {
            callers_return(wires[i]);
        }
        read_the_end(wires[i], outcomes[kind], end);
        read_the_history(wires[i], end);
    }
    /* And both are free. */
    insist(&callers.bob[1], "\"number\":\"9\",\"callOffer\":{\"chat\":{\"userId\":\"@a\"}}", false);
    (void)callers_await(&callers.alice[0], "\"RINGING\"");
}

static void
play(uint64_t seed, bool crashes)
{
    struct step steps[STEPS_MAX];
    dice.state = seed;
    uint64_t kind = seed % KINDS;
    unsigned count = call_of(kind, steps);
    unsigned crash_at = crashes ? (unsigned)chance_below(&dice, count) : count;
    for (unsigned i = 0; i < count; i++) {
        insist(steps[i].wire, steps[i].text, i == crash_at);
    }
    if (kind == KINDS - 1) {
        be_there(&callers.alice[0]);
        be_there(&callers.bob[0]);
        callers_leave(seed % 2 == 0 ? &callers.alice[0] : &callers.bob[0]);
    }
}

static void
short_and_kept(struct settings *settings)
{
    settings->limits.call_ring_ms = CALLERS_RING_MS;
    settings->history_ms = 30 * STORE_DAY_MS;
}

static void
the_power_fails(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        callers_begin_with(seed, short_and_kept, (struct ln_child){0});
        play(seed, true);
        judge(seed % KINDS);
        callers_end();
    }
}

static void
actors_are_killed(void **state)
{
    (void)state;
    unsigned kills = 0;
    for (uint64_t seed = 1; seed <= SEEDS_KILL; seed++) {
        static const char *const behaviours[] = {"partition", "journal", NULL};
        reaper = (struct reaper){.world = &callers.world,
                                 .pause_ms_min = 2,
                                 .pause_ms_spread = 10,
                                 .only = behaviours[seed % 3]};
        callers_begin_with(seed, short_and_kept, reaper_child(&reaper));
        reaper.kills_left = 10;
        play(seed, false);
        world_run(&callers.world, 1000);
        reaper.kills_left = 0;
        kills += reaper.kills;
        judge(seed % KINDS);
        callers_end();
    }
    assert_true(kills > SEEDS_KILL);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a call ends, and alike for all, whenever the power fails", the_power_fails),
        SPEC("so it does whichever actors are killed", actors_are_killed),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
