/* SPDX-License-Identifier: Apache-2.0 */
/* Who types in a group, and who is told. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(4), PEOPLE = 4 };
#define SECOND_MS UINT64_C(1000)

static struct world world;
static struct wire people[PEOPLE];
static struct wire *const alice = &people[0], *const bob = &people[1], *const carol = &people[2],
                          *const dave = &people[3];
static uint64_t group;

static void
small_groups(struct settings *settings)
{
    settings->group_typing_members_max = 3;
}

/* Each scheduler tells one in a second. */
static void
little_to_tell(struct settings *settings)
{
    settings->presence_watchers_max = 1;
    settings->presence_updates_per_s = 1;
}

/* The number of the group goes to the place of the #. */
static void
says(struct wire *wire, const char *text)
{
    char command[512];
    const char *at = strchr(text, '#');
    (void)snprintf(command, sizeof command, "%.*s%" PRIu64 "%s", (int)(at - text), text, group,
                   at + 1);
    wire_say(wire, command);
}

static void
types(struct wire *wire, const char *kind)
{
    char command[256];
    (void)snprintf(command, sizeof command,
                   "{\"setTyping\":{\"chat\":{\"groupId\":\"#\"},\"kind\":\"%s\"}}", kind);
    says(wire, command);
}

static void
times_pass(uint64_t ms)
{
    (void)wire_waiting(alice, ms);
}

/* alice, bob and carol are in it; bob looks at his screen. */
static void
begin_with(uint64_t seed, void (*set)(struct settings *settings))
{
    static const char *const names[PEOPLE] = {"alice", "bob", "carol", "dave"};
    world_fresh(&world, seed);
    world.set = set;
    world_begin(&world);
    for (unsigned i = 0; i < PEOPLE; i++) {
        (void)wire_join(&people[i], &world, i % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY, names[i]);
    }
    wire_say(alice, "{\"ref\":\"1\",\"createChat\":{\"name\":\"walkers\",\"participants\":[{"
                    "\"userName\":\"bob\"},{\"userName\":\"carol\"}]}}");
    times_pass(SECOND_MS);
    group = wire_number(wire_heard(alice, 0, "\"ref\":\"1\""), "groupId");
    wire_say(bob, "{\"setActive\":{\"foreground\":true}}");
    wire_say(alice, "{\"setActive\":{\"foreground\":true}}");
    times_pass(2 * SECOND_MS);
}

static void
begin(uint64_t seed)
{
    begin_with(seed, small_groups);
}

static void
end(void)
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        wire_end(&people[i]);
    }
    world_close(&world);
}

static void
tells_members_who_are_there(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        uint64_t alice_id = wire_number(alice->heard[0], "userId");
        types(alice, "TYPING");
        times_pass(100);
        const char *typing = wire_heard(bob, 0, "{\"typing\"");
        assert_non_null(typing);
        assert_int_equal(wire_number(typing, "groupId"), group);
        assert_int_equal(wire_number(typing, "userId"), alice_id);
        assert_non_null(strstr(typing, "\"kind\":\"TYPING\""));
        types(alice, "RECORDING");
        times_pass(100);
        assert_non_null(wire_heard(bob, 0, "\"kind\":\"RECORDING\""));
        assert_null(wire_heard(alice, 0, "{\"typing\"")); /* oneself */
        assert_null(wire_heard(carol, 0, "{\"typing\"")); /* she does not look at her screen */
        assert_null(wire_heard(dave, 0, "{\"typing\""));  /* no member */
        end();
    }
}

static void
tells_the_same_once_a_second(void **state)
{
    (void)state;
    struct store_stats before;
    struct store_stats after;
    begin(5);
    times_pass(SECOND_MS - (world.now_ns / 1000000) % SECOND_MS); /* a second begins */
    store_stats_read(world.store, &before);
    for (unsigned i = 0; i < 20; i++) {
        types(alice, "TYPING");
        times_pass(20);
    }
    store_stats_read(world.store, &after);
    assert_int_equal(after.commands, before.commands); /* nothing of it is logged */
    unsigned told = wire_heard_times(bob, 0, "{\"typing\"");
    assert_true(told >= 1 && told <= 2);
    for (unsigned i = 0; i < 20; i++) {
        types(alice, i % 2 == 0 ? "RECORDING" : "NONE");
        times_pass(20);
    }
    assert_true(wire_heard_times(bob, 0, "{\"typing\"") <= told + 8);
    times_pass(2 * SECOND_MS);
    unsigned from = bob->heard_count;
    types(alice, "TYPING");
    times_pass(100);
    assert_int_equal(wire_heard_times(bob, from, "{\"typing\""), 1);
    end();
}

static uint64_t
shed(void)
{
    return messenger_counted(&world.messenger.counters.shed[PRESSURE_TYPING]);
}

static void
press(unsigned scheduler)
{
    pressure_note(&world.messenger.gauges[scheduler], PRESSURE_TYPING, sim_now_ns(world.driver));
}

/* First where she is at home, who types, then where he is, who would be told. */
static void
gives_way_first(void **state)
{
    (void)state;
    unsigned apart = 0;
    for (uint64_t seed = 1; seed <= UINT64_C(2) * SEEDS; seed++) {
        begin(seed);
        unsigned here = store_user_home(world.store, wire_number(alice->heard[0], "userId"));
        unsigned there = store_user_home(world.store, wire_number(bob->heard[0], "userId"));
        press(here);
        for (unsigned i = 0; i < 5; i++) {
            says(alice, "{\"ref\":\"9\",\"setTyping\":{\"chat\":{\"groupId\":\"#\"},\"kind\":"
                        "\"TYPING\"}}");
        }
        times_pass(100);
        assert_null(wire_heard(bob, 0, "{\"typing\""));
        assert_int_equal(wire_heard_times(alice, 0, "\"ref\":\"9\""), 5);
        assert_int_equal(shed(), 5);
        times_pass(SECOND_MS);
        if (here != there) {
            press(there);
            types(alice, "TYPING");
            times_pass(100);
            assert_null(wire_heard(bob, 0, "{\"typing\""));
            assert_int_equal(shed(), 6);
            times_pass(SECOND_MS);
            apart++;
        }
        types(alice, "TYPING");
        times_pass(100);
        assert_non_null(wire_heard(bob, 0, "{\"typing\""));
        end();
    }
    assert_true(apart > 0);
}

static void
is_no_more_than_a_second_may_tell(void **state)
{
    (void)state;
    begin_with(9, little_to_tell);
    times_pass(300); /* far from the second's beginning for those who tell */
    for (unsigned i = 0; i < 4; i++) {
        types(alice, i % 2 == 0 ? "TYPING" : "RECORDING");
    }
    times_pass(100);
    assert_int_equal(wire_heard_times(bob, 0, "{\"typing\""), 1);
    assert_int_equal(messenger_counted(&world.messenger.counters.presence_dropped), 3);
    times_pass(2 * SECOND_MS);
    types(alice, "TYPING");
    times_pass(100);
    assert_int_equal(wire_heard_times(bob, 0, "{\"typing\""), 2);
    end();
}

static void
is_members_business(void **state)
{
    (void)state;
    begin(6);
    says(dave, "{\"ref\":\"2\",\"setTyping\":{\"chat\":{\"groupId\":\"#\"},\"kind\":\"TYPING\"}}");
    times_pass(500);
    assert_non_null(wire_heard(dave, 0, "\"UNKNOWN_CHAT\""));
    says(alice, "{\"ref\":\"3\",\"modifyChat\":{\"chat\":{\"groupId\":\"#\"},\"remove\":{"
                "\"participants\":[{\"userName\":\"bob\"}]}}}");
    times_pass(500);
    types(alice, "TYPING");
    says(bob, "{\"ref\":\"2\",\"setTyping\":{\"chat\":{\"groupId\":\"#\"},\"kind\":\"TYPING\"}}");
    times_pass(500);
    assert_non_null(wire_heard(bob, 0, "\"NOT_PERMITTED\""));
    assert_null(wire_heard(bob, 0, "{\"typing\""));
    assert_null(wire_heard(alice, 0, "{\"typing\""));
    end();
}

static void
stays_small(void **state)
{
    (void)state;
    begin(7);
    says(alice, "{\"ref\":\"3\",\"modifyChat\":{\"chat\":{\"groupId\":\"#\"},\"add\":{"
                "\"participants\":[{\"userName\":\"dave\"}]}}}");
    times_pass(500);
    types(alice, "TYPING");
    times_pass(500);
    const char *refusal = wire_heard(alice, 0, "\"NOT_PERMITTED\"");
    assert_non_null(refusal);
    assert_non_null(strstr(refusal, "too many members"));
    assert_null(wire_heard(bob, 0, "{\"typing\""));
    end();
}

static void
outlives_a_crash(void **state)
{
    (void)state;
    begin(8);
    types(alice, "TYPING");
    world_crash_within(&world, 3, 100);
    for (unsigned i = 0; i < 2; i++) {
        wire_end(&people[i]);
        wire_return(&people[i]);
    }
    wire_say(bob, "{\"setActive\":{\"foreground\":true}}");
    times_pass(SECOND_MS);
    types(alice, "TYPING");
    times_pass(500);
    assert_int_equal(wire_heard_times(bob, 0, "{\"typing\""), 1);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("who types or records in a group is told to members in the foreground, on all "
             "schedulers",
             tells_members_who_are_there),
        SPEC("the same is told once a second, and none of it is logged",
             tells_the_same_once_a_second),
        SPEC("with too much to do none of it is told, and that is counted", gives_way_first),
        SPEC("no more of it is told than a scheduler may tell in a second",
             is_no_more_than_a_second_may_tell),
        SPEC("who is no member, or no longer, is refused, and told nothing", is_members_business),
        SPEC("in a group that is too large nobody is told, and who types hears so", stays_small),
        SPEC("after a crash it goes on", outlives_a_crash),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
