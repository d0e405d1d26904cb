/* SPDX-License-Identifier: Apache-2.0 */
/* What expires for a member of a group its writer is told, whatever else the node remembers of it
 * by then, and however much it is. Hours stand for the days of the settings. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { HOUR_MS = 3600000, AGE_HOURS = 13, LOG_HOURS = 3, MANY = 40 };

static struct world world;
static struct wire alice, bob;
static bool alice_is_here;
static uint64_t group;

static void
in_hours(struct settings *settings)
{
    settings->inbox_age_ms = (uint64_t)AGE_HOURS * HOUR_MS;
    settings->group_log_ms = (uint64_t)LOG_HOURS * HOUR_MS;
    settings->edit_window_ms = HOUR_MS;
    settings->delete_window_ms = HOUR_MS;
    settings->history_ms = 30 * STORE_DAY_MS;
    settings->limits.idle_timeout_ms = 24 * HOUR_MS;
    memset(settings->user_rates, 0, sizeof settings->user_rates);
}

/* Alice makes a group with Bob, who goes away. Of what waits for him so much is known beyond its
 * time; 0: as by default. */
static void
begin(uint64_t seed, uint32_t waits_max)
{
    world_fresh(&world, seed);
    world.group_waits_max = waits_max;
    world.set = in_hours;
    world_begin(&world);
    (void)wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    (void)wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    alice_is_here = true;
    wire_say(&alice, "{\"createChat\":{\"name\":\"walkers\",\"participants\":[{\"userName\":"
                     "\"bob\"}]}}");
    const char *answer = wire_expect(&alice, "\"answer\"");
    group = wire_number(answer, "groupId");
    wire_end(&bob);
}

static void
end(void)
{
    wire_end(&alice);
    world_close(&world);
}

static void
alice_writes(unsigned count)
{
    char command[160];
    (void)snprintf(command, sizeof command,
                   "{\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"text\":\"hello\"}}",
                   (unsigned long long)group);
    for (unsigned i = 0; i < count; i++) {
        wire_say(&alice, command);
    }
    (void)wire_waiting(&alice, 1000);
}

static void
hours_pass(unsigned hours)
{
    for (unsigned i = 0; i < hours; i++) {
        world_run(&world, HOUR_MS);
        if (alice_is_here) {
            wire_say(&alice, "{\"ping\":{}}");
        }
    }
}

/* From then on every message up to `last` that all are said to have, or to have read, stands as
 * expired in that frame or in one before. */
static void
expect_expired(unsigned last)
{
    bool told[MANY + 1] = {false};
    uint64_t all = 0;
    for (unsigned i = 0; i < alice.heard_count; i++) {
        const char *frame = alice.heard[i];
        if (strstr(frame, "\"groupReceipts\"") == NULL) {
            continue;
        }
        for (unsigned number = 1; number <= last; number++) {
            char count[64];
            (void)snprintf(count, sizeof count, "{\"chatNumber\":\"%u\",\"expired\":1}", number);
            told[number] = told[number] || strstr(frame, count) != NULL;
        }
        all = wire_number_in(frame, "deliveredAll");
        assert_int_equal(wire_number_in(frame, "readAll"), all);
        for (unsigned number = 1; number <= all; number++) {
            assert_true(told[number]);
        }
    }
    assert_int_equal(all, last);
}

/* What a device that comes later shows beside each of them. */
static void
expect_history(unsigned last)
{
    struct wire fresh;
    char command[160];
    (void)wire_join(&fresh, &world, PROTOCOL_JSON, "alice");
    (void)snprintf(command, sizeof command,
                   "{\"getHistory\":{\"chat\":{\"groupId\":\"%llu\"},\"max\":%u,\"only\":"
                   "\"MESSAGES\"}}",
                   (unsigned long long)group, last);
    wire_say(&fresh, command);
    (void)wire_waiting(&fresh, 1000);
    assert_int_equal(wire_heard_times(&fresh, 0, "\"state\":\"READ\",\"count\":{\"expired\":1}"),
                     last);
    wire_end(&fresh);
}

static void
the_log_lasts(void **state)
{
    (void)state;
    begin(1, 0);
    alice_writes(1);
    hours_pass(2 * LOG_HOURS);
    alice_writes(1);
    hours_pass(AGE_HOURS - 2 * LOG_HOURS + 2); /* the first expires, and the group looks */
    expect_expired(1);
    hours_pass(2 * LOG_HOURS);
    expect_expired(2);
    expect_history(2);
    end();
}

/* What the answer is when Alice asks whom her message has reached. */
static void
expect_info(unsigned chat_number, const char *part)
{
    char command[160];
    (void)snprintf(command, sizeof command,
                   "{\"getMessageInfo\":{\"chat\":{\"groupId\":\"%llu\"},\"chatNumber\":\"%u\"}}",
                   (unsigned long long)group, chat_number);
    unsigned from = alice.heard_count;
    wire_say(&alice, command);
    (void)wire_waiting(&alice, 1000);
    assert_true(alice.heard_count > from);
    assert_non_null(strstr(alice.heard[alice.heard_count - 1], part));
}

static void
the_log_is_bounded(void **state)
{
    (void)state;
    for (uint32_t waits_max = 1; waits_max <= 2; waits_max++) {
        begin(4, waits_max);
        alice_writes(1);
        hours_pass(2 * LOG_HOURS);
        alice_writes(2);
        hours_pass(AGE_HOURS - 2 * LOG_HOURS + 2); /* the first expires: the group looks */
        expect_info(1, "\"OUT_OF_RANGE\"");
        expect_info(2, waits_max == 1 ? "\"OUT_OF_RANGE\"" : "\"members\"");
        expect_info(3, "\"members\"");
        end();
    }
}

static void
many_at_once(void **state)
{
    (void)state;
    begin(2, 0);
    alice_writes(MANY);
    hours_pass(AGE_HOURS + 2);
    expect_expired(MANY);
    expect_history(MANY);
    end();
}

/* Her inbox has marks then, of which newer ones take the place of older ones. */
static void
while_she_is_away(void **state)
{
    (void)state;
    begin(3, 0);
    alice_writes(MANY / 2);
    hours_pass(3);
    alice_writes(MANY / 2);
    wire_end(&alice);
    alice_is_here = false;
    hours_pass(AGE_HOURS + 2);
    wire_return(&alice);
    (void)wire_waiting(&alice, 2000);
    expect_expired(MANY);
    expect_history(MANY);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what expires long after the days for which a group knows who wrote it is told",
             the_log_lasts),
        SPEC("of a group's messages that somebody lacks so many are known beyond their time",
             the_log_is_bounded),
        SPEC("however many expire at once, each is told before all are said to have it",
             many_at_once),
        SPEC("who is away while they expire is told of each when she comes", while_she_is_away),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
