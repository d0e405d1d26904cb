/* SPDX-License-Identifier: Apache-2.0 */
/* Who is online, when they were last seen, and who is told. */
#include "tests/actors/desk.h"
#include "tests/sim/pair.h"
#include "tests/sim/reaper.h"
#include "tests/spec.h"

#include "actors/shell.h"

#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------------------- online and offline */

static void
tells_who_watches(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        assert_null(strstr(pair_expect(&pair.bob, "\"ref\":\"7\",\"presence\":{"), "online"));
        wire_say(&pair.alice, PAIR_ACTIVE);
        uint64_t seen_ms = pair_now_ms();
        const char *online = pair_expect(&pair.bob, "{\"presence\":{");
        assert_non_null(strstr(online, "\"online\":true"));
        assert_int_equal(wire_number(online, "userId"), pair.alice_id);
        pair_assert_seen(pair_last_seen(online), seen_ms);
        world_run(&pair.world, 3 * SECOND);
        wire_say(&pair.alice, PAIR_AWAY);
        seen_ms = pair_now_ms();
        const char *offline = pair_expect(&pair.bob, "{\"presence\":{");
        assert_null(strstr(offline, "online"));
        pair_assert_seen(pair_last_seen(offline), seen_ms);
        pair_say(&pair.bob, PAIR_UNWATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"ref\":\"8\",\"done\"");
        wire_say(&pair.alice, PAIR_ACTIVE);
        assert_null(pair_hear(&pair.bob, 3 * SECOND));
        pair_end();
    }
}

static void
answers_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        wire_say(&pair.alice, "{\"ref\":\"5\",\"setActive\":{\"foreground\":true}}");
        (void)pair_expect(&pair.alice, "\"ref\":\"5\",\"done\"");
        pair_say(&pair.bob, PAIR_GET, pair.alice_id);
        assert_non_null(
            strstr(pair_expect(&pair.bob, "\"ref\":\"9\",\"presence\""), "\"online\":true"));
        wire_say(&pair.alice, PAIR_AWAY);
        assert_null(pair_hear(&pair.bob, 3 * SECOND));
        wire_say(&pair.bob, "{\"ref\":\"9\",\"getPresence\":{\"chat\":{\"userName\":\"alice\"}}}");
        assert_null(strstr(pair_expect(&pair.bob, "\"ref\":\"9\",\"presence\""), "online"));
        wire_say(&pair.bob, "{\"getPresence\":{\"chat\":{\"userName\":\"nobody\"}}}");
        (void)pair_expect(&pair.bob, "\"UNKNOWN_USER\"");
        pair_say(&pair.bob, PAIR_GET, pair.alice_id + 256);
        (void)pair_expect(&pair.bob, "\"UNKNOWN_USER\"");
        pair_end();
    }
}

static void
silence_is_the_end(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"presence\"");
        uint64_t seen_ms = 0;
        for (unsigned i = 0; i < 6; i++) {
            wire_say(&pair.alice, PAIR_ACTIVE);
            seen_ms = pair_now_ms();
            world_run(&pair.world, INTERVAL_MS);
        }
        (void)pair_expect(&pair.bob, "\"online\":true");
        assert_int_equal(pair.bob.heard_at,
                         pair.bob.heard_count); /* signs that change nothing tell nothing */
        const char *offline = pair_expect(&pair.bob, "{\"presence\"");
        assert_null(strstr(offline, "online"));
        pair_assert_seen(pair_last_seen(offline), seen_ms);
        assert_in_range(pair_now_ms() - seen_ms, 2 * INTERVAL_MS, LEASE_MS);
        pair_end();
    }
}

static void
a_disconnect_is_not_seen(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"presence\"");
        wire_say(&pair.alice, PAIR_ACTIVE);
        uint64_t seen_ms = pair_now_ms();
        (void)pair_expect(&pair.bob, "\"online\":true");
        world_run(&pair.world, 4 * SECOND);
        wire_end(&pair.alice);
        const char *offline = pair_expect(&pair.bob, "{\"presence\"");
        assert_null(strstr(offline, "online"));
        pair_assert_seen(pair_last_seen(offline), seen_ms);
        /* Nor is a connection that says nothing. */
        (void)wire_join(&pair.alice, &pair.world, PROTOCOL_JSON, "alice");
        world_run(&pair.world, 3 * SECOND);
        pair_say(&pair.bob, PAIR_GET, pair.alice_id);
        pair_assert_seen(pair_last_seen(pair_expect(&pair.bob, "\"presence\"")), seen_ms);
        pair_end();
    }
}

static void
acts_are_seen(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        world_run(&pair.world, 70 * SECOND);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        uint64_t first_ms = pair_last_seen(pair_expect(&pair.bob, "\"presence\""));
        assert_in_range(pair_now_ms() - first_ms, 70 * SECOND, 80 * SECOND); /* when they met */
        /* What an app does by itself is no act: it takes in and acknowledges, it pings, it leaves a
         * foreground in which it was not. */
        pair_meet(&pair.bob, pair.alice_id, &pair.alice);
        wire_say(&pair.alice, "{\"ping\":{}}");
        wire_say(&pair.alice, PAIR_AWAY);
        assert_null(pair_hear(&pair.bob, 3 * SECOND));
        pair_say(&pair.bob, PAIR_GET, pair.alice_id);
        assert_int_equal(pair_last_seen(pair_expect(&pair.bob, "\"presence\"")), first_ms);
        uint64_t read_ms = pair_now_ms();
        pair_say(&pair.alice, "{\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"1\"}}",
                 pair.bob_id);
        pair_assert_seen(pair_last_seen(pair_expect(&pair.bob, "{\"presence\"")), read_ms);
        world_run(&pair.world, 5 * SECOND); /* what is read is said again, which is no act */
        pair_say(&pair.alice, "{\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"1\"}}",
                 pair.bob_id);
        assert_null(pair_hear(&pair.bob, 3 * SECOND));
        pair_say(&pair.alice, PAIR_TYPES, pair.bob_id);
        uint64_t typed_ms = pair_now_ms();
        (void)pair_expect(&pair.bob, "{\"typing\"");
        pair_assert_seen(pair_last_seen(pair_expect(&pair.bob, "{\"presence\"")), typed_ms);
        world_run(&pair.world, 5 * SECOND);
        pair_say(&pair.alice, PAIR_WRITE, pair.bob_id);
        uint64_t written_ms = pair_now_ms();
        pair_assert_seen(pair_last_seen(pair_expect(&pair.bob, "{\"presence\"")), written_ms);
        pair_end();
    }
}

static void
online_until_the_last_device_leaves(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct wire second;
        pair_begin(seed);
        (void)wire_join(&second, &pair.world, PROTOCOL_JSON, "alice");
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"presence\"");
        wire_say(&pair.alice, PAIR_ACTIVE);
        wire_say(&second, PAIR_ACTIVE);
        (void)pair_expect(&pair.bob, "\"online\":true");
        wire_say(&pair.alice, PAIR_AWAY);
        assert_null(pair_hear(&pair.bob, 3 * SECOND));
        wire_end(&second);
        assert_null(strstr(pair_expect(&pair.bob, "{\"presence\""), "online"));
        pair_end();
    }
}

static void
told_once_a_second(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"presence\"");
        for (unsigned i = 0; i < 100; i++) { /* ten seconds */
            wire_say(&pair.alice, i % 2 == 0 ? PAIR_ACTIVE : PAIR_AWAY);
            world_run(&pair.world, 100);
        }
        world_run(&pair.world, 2 * SECOND);
        unsigned told = 0;
        const char *last = NULL;
        for (const char *next = pair_hear(&pair.bob, 0); next != NULL;
             next = pair_hear(&pair.bob, 0)) {
            last = next;
            told++;
        }
        assert_in_range(told, 5, 12);
        assert_null(strstr(last, "online")); /* and of all the last is true */
        pair_end();
    }
}

/* --------------------------------------------------------------------------------------- limits */

/* Eve has acknowledged nothing, so nobody but her own partition knows that she has been written
 * to. */
static void
who_was_written_to_may_watch(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct wire eve;
        pair_begin(seed);
        (void)wire_join(&eve, &pair.world, PROTOCOL_JSON, "eve");
        pair_say(&pair.alice, PAIR_WRITE, wire_number(eve.heard[0], "userId"));
        (void)pair_await(&eve, "\"newMessage\"");
        pair_say(&eve, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&eve, "\"ref\":\"7\",\"presence\"");
        pair_say(&eve, PAIR_WATCH, pair.bob_id); /* who has not written to her */
        (void)pair_expect(&eve, "\"NOT_PERMITTED\"");
        wire_say(&pair.alice, PAIR_ACTIVE);
        (void)pair_expect(&eve, "\"online\":true");
        wire_end(&eve);
        pair_end();
    }
}

static void
strangers_may_not_watch(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct wire eve;
        pair_begin(seed);
        (void)wire_join(&eve, &pair.world, PROTOCOL_JSON, "eve");
        pair_say(&eve, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&eve, "\"NOT_PERMITTED\"");
        pair_say(&eve, PAIR_GET, pair.alice_id);
        (void)pair_expect(&eve, "\"ref\":\"9\",\"presence\"");
        wire_say(&pair.alice, PAIR_ACTIVE);
        assert_null(pair_hear(&eve, 3 * SECOND));
        pair_meet(&eve, pair.alice_id, &pair.alice);
        pair_say(&eve, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&eve, "\"ref\":\"7\",\"presence\"");
        pair_say(&eve, PAIR_WATCH, pair.alice_id); /* again is no other */
        (void)pair_expect(&eve, "\"ref\":\"7\",\"presence\"");
        world_run(&pair.world, 2 * SECOND);
        assert_int_equal(pair_size().watches, 1);
        wire_end(&eve);
        pair_end();
    }
}

static void
watches_have_limits(void **state)
{
    (void)state;
    pair_begin(3);
    static struct wire others[4];
    uint64_t ids[4];
    for (int i = 0; i < 4; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "other%d", i);
        ids[i] = wire_join(&others[i], &pair.world, PROTOCOL_JSON, name);
        pair_meet(&pair.bob, ids[i], &others[i]);
        pair_meet(&others[i], pair.alice_id, &pair.alice);
        pair_hush(&others[i]);
    }
    (void)wire_waiting(&pair.bob, 3 * SECOND);
    pair_hush(&pair.bob);
    for (int i = 0; i < 3; i++) {
        pair_say(&pair.bob, PAIR_WATCH, ids[i]);
        (void)pair_expect(&pair.bob, "\"ref\":\"7\",\"presence\"");
    }
    pair_say(&pair.bob, PAIR_WATCH, ids[3]);
    (void)pair_expect(&pair.bob, "\"TOO_MANY_WATCHES\"");
    pair_say(&pair.bob, PAIR_WATCH, ids[2]);
    (void)pair_expect(&pair.bob, "\"ref\":\"7\",\"presence\"");
    pair_say(&pair.bob, PAIR_UNWATCH, ids[0]);
    (void)pair_expect(&pair.bob, "\"done\"");
    pair_say(&pair.bob, PAIR_WATCH, ids[3]);
    (void)pair_expect(&pair.bob, "\"ref\":\"7\",\"presence\"");
    /* Two may watch alice. */
    for (int i = 0; i < 2; i++) {
        pair_say(&others[i], PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&others[i], "\"ref\":\"7\",\"presence\"");
    }
    pair_say(&others[2], PAIR_WATCH, pair.alice_id);
    (void)pair_expect(&others[2], "\"OVERLOADED\"");
    wire_end(&others[0]); /* with it ends its watch */
    world_run(&pair.world, 3 * SECOND);
    pair_say(&others[2], PAIR_WATCH, pair.alice_id);
    (void)pair_expect(&others[2], "\"ref\":\"7\",\"presence\"");
    for (int i = 1; i < 4; i++) {
        wire_end(&others[i]);
    }
    pair_end();
}

static void
nothing_is_kept_of_those_who_left(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        wire_say(&pair.alice, PAIR_ACTIVE);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        pair_say(&pair.alice, PAIR_WATCH, pair.bob_id);
        world_run(&pair.world, 3 * SECOND);
        assert_int_equal(pair_size().users, 2);
        assert_int_equal(pair_size().leases, 1);
        assert_int_equal(pair_size().watches, 2);
        wire_end(&pair.alice);
        wire_end(&pair.bob);
        world_run(&pair.world, 60 * SECOND);
        assert_int_equal(pair_size().users, 0);
        assert_int_equal(pair_size().leases, 0);
        assert_int_equal(pair_size().watches, 0);
        assert_int_equal(pair_size().bytes, 0);
        world_close(&pair.world);
    }
}

/* --------------------------------------------------------------------------------------- typing */

static void
typing_is_told_to_who_watches(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        pair_say(&pair.alice, PAIR_TYPES, pair.bob_id);
        assert_null(pair_hear(&pair.bob, 2 * SECOND));
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"presence\"");
        pair_say(&pair.alice, PAIR_TYPES, pair.bob_id);
        const char *typing = pair_expect(&pair.bob, "{\"typing\":{\"chat\":{\"userId\":");
        assert_non_null(strstr(typing, "\"kind\":\"TYPING\""));
        assert_int_equal(wire_number(strstr(typing, "},"), "userId"), pair.alice_id);
        (void)pair_expect(&pair.bob, "{\"presence\"");
        world_run(&pair.world, 2 * SECOND);
        pair_hush(&pair.bob);
        pair_say(&pair.alice, PAIR_RECORDS, pair.bob_id);
        (void)pair_expect(&pair.bob, "\"kind\":\"RECORDING\"");
        world_run(&pair.world, 2 * SECOND);
        pair_hush(&pair.bob);
        pair_say(&pair.alice, PAIR_STOPS, pair.bob_id);
        assert_null(strstr(pair_expect(&pair.bob, "{\"typing\""), "kind"));
        /* It is for Bob's eyes: in her chat with somebody else she types unseen by him. */
        world_run(&pair.world, 2 * SECOND);
        pair_hush(&pair.bob);
        pair_say(&pair.alice, PAIR_TYPES, pair.bob_id + 256);
        const char *other = pair_hear(&pair.bob, 2 * SECOND);
        assert_true(other == NULL || strstr(other, "typing") == NULL);
        pair_end();
    }
}

static void
typing_is_told_once_a_second(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"presence\"");
        wire_say(&pair.alice, PAIR_ACTIVE);
        (void)pair_expect(&pair.bob, "\"online\":true");
        for (unsigned i = 0; i < 500; i++) { /* five seconds */
            pair_say(&pair.alice, i % 2 == 0 ? PAIR_TYPES : PAIR_RECORDS, pair.bob_id);
            world_run(&pair.world, 10);
        }
        pair_say(&pair.alice, PAIR_STOPS, pair.bob_id);
        world_run(&pair.world, 3 * SECOND);
        unsigned told = 0;
        const char *last = "";
        for (const char *next = pair_hear(&pair.bob, 0); next != NULL;
             next = pair_hear(&pair.bob, 0)) {
            told += strstr(next, "typing") != NULL;
            last = strstr(next, "typing") != NULL ? next : last;
        }
        assert_in_range(told, 4, 8);
        assert_null(strstr(last, "kind")); /* in the end she does not type */
        pair_end();
    }
}

/* ---------------------------------------------------------------------------- crashes and kills */

/* Everybody's connection breaks with the node, which notices nothing before; Bob comes back. */
static void
fall(void (*how)(struct world *world))
{
    wire_end(&pair.alice);
    wire_end(&pair.bob);
    how(&pair.world);
    wire_open(&pair.alice, &pair.world, PROTOCOL_JSON); /* who says nothing */
    wire_return(&pair.bob);
    world_run(&pair.world, 100);
    pair_hush(&pair.bob);
}

static void
last_seen_outlives_a_crash(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        /* For so long that the last sign is not in the store, but one of the last minute is. */
        unsigned signs = 14 + (unsigned)seed;
        uint64_t seen_ms = 0;
        for (unsigned i = 0; i < signs; i++) {
            wire_say(&pair.alice, PAIR_ACTIVE);
            seen_ms = pair_now_ms();
            world_run(&pair.world, INTERVAL_MS);
        }
        fall(world_crash);
        pair_say(&pair.bob, PAIR_GET, pair.alice_id);
        uint64_t kept_ms = pair_last_seen(pair_expect(&pair.bob, "\"presence\""));
        assert_in_range(kept_ms, seen_ms - 61 * SECOND, seen_ms + SECOND);
        pair_end();
    }
}

static void
who_has_left_is_kept_to_the_second(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        world_run(&pair.world, 55 * SECOND);
        wire_say(&pair.alice, PAIR_ACTIVE);
        world_run(&pair.world, 4 * SECOND);
        wire_say(&pair.alice, PAIR_AWAY);
        uint64_t seen_ms = pair_now_ms();
        world_run(&pair.world, 3 * SECOND);
        fall(world_crash);
        pair_say(&pair.bob, PAIR_GET, pair.alice_id);
        pair_assert_seen(pair_last_seen(pair_expect(&pair.bob, "\"presence\"")), seen_ms);
        pair_end();
    }
}

static void
a_stop_forgets_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        world_run(&pair.world, 55 * SECOND);
        wire_say(&pair.alice, PAIR_ACTIVE);
        uint64_t seen_ms = pair_now_ms();
        world_run(&pair.world, 500);
        fall(world_restart);
        pair_say(&pair.bob, PAIR_GET, pair.alice_id);
        pair_assert_seen(pair_last_seen(pair_expect(&pair.bob, "\"presence\"")), seen_ms);
        pair_end();
    }
}

static void
watches_outlive_a_killed_presence(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct reaper reaper;
        reaper = (struct reaper){.world = &pair.world,
                                 .pause_ms_min = 1500,
                                 .pause_ms_spread = 1000,
                                 .only = "presence"};
        world_open_with(&pair.world, seed, reaper_child(&reaper));
        pair.alice_id = wire_join(&pair.alice, &pair.world, PROTOCOL_JSON, "alice");
        pair.bob_id = wire_join(&pair.bob, &pair.world, PROTOCOL_BINARY, "bob");
        pair_meet(&pair.alice, pair.bob_id, &pair.bob);
        pair_hush(&pair.bob);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"presence\"");
        wire_say(&pair.alice, PAIR_ACTIVE);
        (void)pair_expect(&pair.bob, "\"online\":true");
        reaper.kills_left = 6;
        world_run(&pair.world, 20 * SECOND);
        assert_int_equal(reaper.kills, 6);
        assert_int_equal(pair_size().watches, 1);
        pair_hush(&pair.bob);
        wire_say(&pair.alice, PAIR_AWAY);
        assert_null(strstr(pair_expect(&pair.bob, "{\"presence\""), "online"));
        wire_say(&pair.alice, PAIR_ACTIVE);
        assert_non_null(strstr(pair_expect(&pair.bob, "{\"presence\""), "\"online\":true"));
        assert_int_equal(pair.world.broken[0], '\0');
        pair_end();
    }
}

/* Both are told once, and not in one second. */
static void
expect_told_one_after_the_other(void)
{
    struct wire *const both[] = {&pair.alice, &pair.bob};
    uint64_t last_ms = 0;
    unsigned told = 0;
    for (unsigned i = 0; i < 400; i++) {
        if (pair_hear(both[i % 2], 0) != NULL) {
            assert_in_range(pair_now_ms() - last_ms, SECOND / 2, UINT64_MAX);
            last_ms = pair_now_ms();
            told++;
        }
    }
    assert_int_equal(told, 2);
}

static void
watches_begin_again_in_the_course_of_seconds(void **state)
{
    (void)state;
    for (uint64_t seed = 3; seed <= 9; seed += 3) { /* with one scheduler */
        static struct reaper reaper;
        reaper = (struct reaper){
            .world = &pair.world, .pause_ms_min = 100, .pause_ms_spread = 900, .only = "presence"};
        world_open_with(&pair.world, seed, reaper_child(&reaper));
        pair_enrol(seed);
        pair_say(&pair.alice, PAIR_WATCH, pair.bob_id);
        (void)pair_expect(&pair.alice, "\"ref\":\"7\",\"presence\"");
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"ref\":\"7\",\"presence\"");
        world_run(&pair.world, 3 * SECOND);
        pair_hush(&pair.alice);
        pair_hush(&pair.bob);
        pair.world.settings.presence_updates_per_s = 1;
        reaper.kills_left = 1;
        while (reaper.kills == 0) {
            world_run(&pair.world, 10);
        }
        expect_told_one_after_the_other();
        assert_int_equal(pair_size().watches, 2);
        pair_end();
    }
}

static void
nothing_is_told_of_who_was_removed(void **state)
{
    (void)state;
    static struct desk desk;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        wire_say(&pair.alice, PAIR_ACTIVE);
        world_run(&pair.world, 2 * SECOND);
        desk_open(&desk, &pair.world);
        desk_ask(&desk, "user", "remove", "alice");
        assert_int_equal(desk.status, SHELL_DONE);
        desk_close(&desk);
        (void)wire_closed(&pair.alice);
        pair_say(&pair.bob, PAIR_GET, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"UNKNOWN_USER\"");
        world_run(&pair.world, 60 * SECOND);
        assert_int_equal(pair_size().users, 0);
        pair_end();
    }
}

static void
a_refused_watch_ends_the_one_before(void **state)
{
    (void)state;
    static struct desk desk;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"ref\":\"7\",\"presence\"");
        wire_end(&pair.alice); /* of who is away when she is removed no connection says so */
        desk_open(&desk, &pair.world);
        desk_ask(&desk, "user", "remove", "alice");
        assert_int_equal(desk.status, SHELL_DONE);
        desk_close(&desk);
        world_run(&pair.world, 2 * SECOND);
        assert_int_equal(pair_size().watches, 1);
        pair_hush(&pair.bob);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"UNKNOWN_USER\"");
        world_run(&pair.world, 60 * SECOND);
        assert_int_equal(pair_size().watches, 0);
        assert_int_equal(pair_size().users, 0);
        wire_end(&pair.bob);
        world_close(&pair.world);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("who watches a user is told when he comes and goes, until it unwatches",
             tells_who_watches),
        SPEC("getPresence is answered once, also for a name", answers_once),
        SPEC("who gives no sign any more is offline, last seen at the last one",
             silence_is_the_end),
        SPEC("a disconnect is not seen, nor is a connection", a_disconnect_is_not_seen),
        SPEC("sending, reading and typing are seen, what an app does by itself is not",
             acts_are_seen),
        SPEC("a user is online until the last device leaves", online_until_the_last_device_leaves),
        SPEC("a watcher is told once a second, and in the end the truth", told_once_a_second),
        SPEC("only who has met somebody may watch, and anybody may ask", strangers_may_not_watch),
        SPEC("who was written to may watch, before he acknowledges anything",
             who_was_written_to_may_watch),
        SPEC("a connection watches so many, and a user is watched by so many", watches_have_limits),
        SPEC("nothing is kept of those who left", nothing_is_kept_of_those_who_left),
        SPEC("who types is told to those who watch, in that chat alone",
             typing_is_told_to_who_watches),
        SPEC("typing is told once a second, and in the end the truth",
             typing_is_told_once_a_second),
        SPEC("last seen outlives a crash to within a minute", last_seen_outlives_a_crash),
        SPEC("of who has left it outlives one to the second", who_has_left_is_kept_to_the_second),
        SPEC("a stop of the node forgets nobody", a_stop_forgets_nobody),
        SPEC("watches outlive the actors that keep them", watches_outlive_a_killed_presence),
        SPEC("after such an end they begin again one after the other, so many in a second",
             watches_begin_again_in_the_course_of_seconds),
        SPEC("nothing is told or kept of a removed user", nothing_is_told_of_who_was_removed),
        SPEC("a watch that is refused ends the one before it", a_refused_watch_ends_the_one_before),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
