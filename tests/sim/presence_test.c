/* SPDX-License-Identifier: Apache-2.0 */
/* Who is online, when they were last seen, and who is told. */
#include "tests/actors/desk.h"
#include "tests/sim/reaper.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include "actors/presence.h"
#include "actors/shell.h"
#include "store/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = 6,
    SECOND = 1000,
    INTERVAL_MS = 5 * SECOND,
    /* Two signs may be missed; the walk is a second late at most. */
    LEASE_MS = 15 * SECOND,
};

static struct world world;
static struct wire alice, bob;
static uint64_t alice_id, bob_id;

static uint64_t
now_ms(void)
{
    return (uint64_t)io_wall_ms(io_of(world.driver, 0));
}

/* A command with the id in the place of its #. */
static void
say(struct wire *wire, const char *text, uint64_t id)
{
    char command[256];
    int before = (int)strcspn(text, "#");
    (void)snprintf(command, sizeof command, "%.*s%llu%s", before, text, (unsigned long long)id,
                   text + before + 1);
    wire_say(wire, command);
}

static const char ACTIVE[] = "{\"setActive\":{\"foreground\":true}}";
static const char AWAY[] = "{\"setActive\":{}}";
static const char WATCH[] = "{\"ref\":\"7\",\"watchPresence\":{\"chat\":{\"userId\":\"#\"}}}";
static const char UNWATCH[] = "{\"ref\":\"8\",\"unwatchPresence\":{\"chat\":{\"userId\":\"#\"}}}";
static const char GET[] = "{\"ref\":\"9\",\"getPresence\":{\"chat\":{\"userId\":\"#\"}}}";
static const char TYPES[] = "{\"setTyping\":{\"chat\":{\"userId\":\"#\"},\"kind\":\"TYPING\"}}";
static const char RECORDS[] =
    "{\"setTyping\":{\"chat\":{\"userId\":\"#\"},\"kind\":\"RECORDING\"}}";
static const char STOPS[] = "{\"setTyping\":{\"chat\":{\"userId\":\"#\"}}}";
static const char WRITE[] = "{\"sendMessage\":{\"chat\":{\"userId\":\"#\"},\"text\":\"hello\"}}";

/* The next frame that is no message and no receipt, within a few seconds; NULL: none. */
static const char *
hear(struct wire *wire, uint64_t ms)
{
    for (uint64_t waited = 0; waited <= ms; waited += 10) {
        while (wire->heard_at < wire->heard_count) {
            const char *frame = wire->heard[wire->heard_at++];
            bool other = strncmp(frame, "{\"newMessage\"", 13) == 0 ||
                         strncmp(frame, "{\"receipts\"", 11) == 0 ||
                         strstr(frame, "\"sent\"") != NULL;
            if (!other) {
                return frame;
            }
        }
        world_run(&world, 10);
    }
    return NULL;
}

static const char *
expect(struct wire *wire, const char *part)
{
    const char *frame = hear(wire, 30 * SECOND);
    if (frame == NULL || strstr(frame, part) == NULL) {
        fail_msg("seed %llu: expected %s, heard %s", (unsigned long long)world.seed, part,
                 frame != NULL ? frame : "nothing");
    }
    return frame;
}

static uint64_t
last_seen(const char *frame)
{
    return strstr(frame, "lastSeenMs") != NULL ? wire_number(frame, "lastSeenMs") : 0;
}

/* Instants are kept in seconds. */
static void
assert_seen(uint64_t seen_ms, uint64_t at_ms)
{
    assert_in_range(seen_ms, at_ms - SECOND, at_ms + 500);
}

static void
hush(struct wire *wire)
{
    wire->heard_at = wire->heard_count;
}

/* Alice and Bob have written to each other; instants are signs of life every five seconds. */
static void
open_world(uint64_t seed)
{
    world_open(&world, seed);
    world.settings.limits.presence_interval_ms = INTERVAL_MS;
    world.settings.limits.presence_watches_max = 3;
    world.settings.presence_watchers_max = 2;
    world_restart(&world);
}

/* Passes over others. */
static const char *
await(struct wire *wire, const char *part)
{
    const char *frame = wire_hear(wire);
    while (frame != NULL && strstr(frame, part) == NULL) {
        frame = wire_hear(wire);
    }
    assert_non_null(frame);
    return frame;
}

static void
meet(struct wire *from, uint64_t to, struct wire *recipient)
{
    say(from, WRITE, to);
    (void)await(from, "\"sent\"");
    const char *message = await(recipient, "\"newMessage\"");
    say(recipient, "{\"ack\":{\"inboxNumber\":\"#\"}}", wire_number(message, "inboxNumber"));
    (void)wire_waiting(recipient, 100);
}

static void
people_meet(uint64_t seed)
{
    wire_open(&alice, &world, PROTOCOL_JSON);
    wire_enrol(&alice, "alice");
    wire_open(&bob, &world, seed % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON);
    wire_enrol(&bob, "bob");
    alice_id = wire_number(alice.heard[0], "userId");
    bob_id = wire_number(bob.heard[0], "userId");
    meet(&alice, bob_id, &bob);
    (void)wire_waiting(&bob, 3 * SECOND);
    hush(&alice);
    hush(&bob);
}

static void
begin(uint64_t seed)
{
    open_world(seed);
    people_meet(seed);
}

static void
end(void)
{
    wire_end(&alice);
    wire_end(&bob);
    world_close(&world);
}

static struct presence_size
size(void)
{
    struct presence_size size;
    presence_size_read(&world.messenger, &size);
    return size;
}

/* --------------------------------------------------------------------------- online and offline */

static void
tells_who_watches(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        say(&bob, WATCH, alice_id);
        assert_null(strstr(expect(&bob, "\"ref\":\"7\",\"presence\":{"), "online"));
        wire_say(&alice, ACTIVE);
        uint64_t seen_ms = now_ms();
        const char *online = expect(&bob, "{\"presence\":{");
        assert_non_null(strstr(online, "\"online\":true"));
        assert_int_equal(wire_number(online, "userId"), alice_id);
        assert_seen(last_seen(online), seen_ms);
        world_run(&world, 3 * SECOND);
        wire_say(&alice, AWAY);
        seen_ms = now_ms();
        const char *offline = expect(&bob, "{\"presence\":{");
        assert_null(strstr(offline, "online"));
        assert_seen(last_seen(offline), seen_ms);
        say(&bob, UNWATCH, alice_id);
        (void)expect(&bob, "\"ref\":\"8\",\"done\"");
        wire_say(&alice, ACTIVE);
        assert_null(hear(&bob, 3 * SECOND));
        end();
    }
}

static void
answers_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        wire_say(&alice, "{\"ref\":\"5\",\"setActive\":{\"foreground\":true}}");
        (void)expect(&alice, "\"ref\":\"5\",\"done\"");
        say(&bob, GET, alice_id);
        assert_non_null(strstr(expect(&bob, "\"ref\":\"9\",\"presence\""), "\"online\":true"));
        wire_say(&alice, AWAY);
        assert_null(hear(&bob, 3 * SECOND));
        wire_say(&bob, "{\"ref\":\"9\",\"getPresence\":{\"chat\":{\"userName\":\"alice\"}}}");
        assert_null(strstr(expect(&bob, "\"ref\":\"9\",\"presence\""), "online"));
        wire_say(&bob, "{\"getPresence\":{\"chat\":{\"userName\":\"nobody\"}}}");
        (void)expect(&bob, "\"UNKNOWN_USER\"");
        say(&bob, GET, alice_id + 256);
        (void)expect(&bob, "\"UNKNOWN_USER\"");
        end();
    }
}

static void
silence_is_the_end(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        say(&bob, WATCH, alice_id);
        (void)expect(&bob, "\"presence\"");
        uint64_t seen_ms = 0;
        for (unsigned i = 0; i < 6; i++) {
            wire_say(&alice, ACTIVE);
            seen_ms = now_ms();
            world_run(&world, INTERVAL_MS);
        }
        (void)expect(&bob, "\"online\":true");
        assert_int_equal(bob.heard_at,
                         bob.heard_count); /* signs that change nothing tell nothing */
        const char *offline = expect(&bob, "{\"presence\"");
        assert_null(strstr(offline, "online"));
        assert_seen(last_seen(offline), seen_ms);
        assert_in_range(now_ms() - seen_ms, 2 * INTERVAL_MS, LEASE_MS);
        end();
    }
}

static void
a_disconnect_is_not_seen(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        say(&bob, WATCH, alice_id);
        (void)expect(&bob, "\"presence\"");
        wire_say(&alice, ACTIVE);
        uint64_t seen_ms = now_ms();
        (void)expect(&bob, "\"online\":true");
        world_run(&world, 4 * SECOND);
        wire_end(&alice);
        const char *offline = expect(&bob, "{\"presence\"");
        assert_null(strstr(offline, "online"));
        assert_seen(last_seen(offline), seen_ms);
        wire_open(&alice, &world, PROTOCOL_JSON);
        wire_enrol(&alice, "alice"); /* nor is a connection that says nothing */
        world_run(&world, 3 * SECOND);
        say(&bob, GET, alice_id);
        assert_seen(last_seen(expect(&bob, "\"presence\"")), seen_ms);
        end();
    }
}

static void
acts_are_seen(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        world_run(&world, 70 * SECOND);
        say(&bob, WATCH, alice_id);
        uint64_t first_ms = last_seen(expect(&bob, "\"presence\""));
        assert_in_range(now_ms() - first_ms, 70 * SECOND, 80 * SECOND); /* when they met */
        /* What an app does by itself is no act: it takes in and acknowledges, it pings, it leaves a
         * foreground in which it was not. */
        meet(&bob, alice_id, &alice);
        wire_say(&alice, "{\"ping\":{}}");
        wire_say(&alice, AWAY);
        assert_null(hear(&bob, 3 * SECOND));
        say(&bob, GET, alice_id);
        assert_int_equal(last_seen(expect(&bob, "\"presence\"")), first_ms);
        uint64_t read_ms = now_ms();
        say(&alice, "{\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"1\"}}", bob_id);
        assert_seen(last_seen(expect(&bob, "{\"presence\"")), read_ms);
        world_run(&world, 5 * SECOND);
        say(&alice, TYPES, bob_id);
        uint64_t typed_ms = now_ms();
        (void)expect(&bob, "{\"typing\"");
        assert_seen(last_seen(expect(&bob, "{\"presence\"")), typed_ms);
        world_run(&world, 5 * SECOND);
        say(&alice, WRITE, bob_id);
        uint64_t written_ms = now_ms();
        assert_seen(last_seen(expect(&bob, "{\"presence\"")), written_ms);
        end();
    }
}

static void
online_until_the_last_device_leaves(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct wire second;
        begin(seed);
        wire_open(&second, &world, PROTOCOL_JSON);
        wire_enrol(&second, "alice");
        say(&bob, WATCH, alice_id);
        (void)expect(&bob, "\"presence\"");
        wire_say(&alice, ACTIVE);
        wire_say(&second, ACTIVE);
        (void)expect(&bob, "\"online\":true");
        wire_say(&alice, AWAY);
        assert_null(hear(&bob, 3 * SECOND));
        wire_end(&second);
        assert_null(strstr(expect(&bob, "{\"presence\""), "online"));
        end();
    }
}

static void
told_once_a_second(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        say(&bob, WATCH, alice_id);
        (void)expect(&bob, "\"presence\"");
        for (unsigned i = 0; i < 100; i++) { /* ten seconds */
            wire_say(&alice, i % 2 == 0 ? ACTIVE : AWAY);
            world_run(&world, 100);
        }
        world_run(&world, 2 * SECOND);
        unsigned told = 0;
        const char *last = NULL;
        for (const char *next = hear(&bob, 0); next != NULL; next = hear(&bob, 0)) {
            last = next;
            told++;
        }
        assert_in_range(told, 5, 12);
        assert_null(strstr(last, "online")); /* and of all the last is true */
        end();
    }
}

/* --------------------------------------------------------------------------------------- limits */

static void
strangers_may_not_watch(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct wire eve;
        begin(seed);
        wire_open(&eve, &world, PROTOCOL_JSON);
        wire_enrol(&eve, "eve");
        say(&eve, WATCH, alice_id);
        (void)expect(&eve, "\"NOT_PERMITTED\"");
        say(&eve, GET, alice_id);
        (void)expect(&eve, "\"ref\":\"9\",\"presence\"");
        wire_say(&alice, ACTIVE);
        assert_null(hear(&eve, 3 * SECOND));
        meet(&eve, alice_id, &alice);
        say(&eve, WATCH, alice_id);
        (void)expect(&eve, "\"ref\":\"7\",\"presence\"");
        say(&eve, WATCH, alice_id); /* again is no other */
        (void)expect(&eve, "\"ref\":\"7\",\"presence\"");
        world_run(&world, 2 * SECOND);
        assert_int_equal(size().watches, 1);
        wire_end(&eve);
        end();
    }
}

static void
watches_have_limits(void **state)
{
    (void)state;
    begin(3);
    static struct wire others[4];
    uint64_t ids[4];
    for (int i = 0; i < 4; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "other%d", i);
        wire_open(&others[i], &world, PROTOCOL_JSON);
        wire_enrol(&others[i], name);
        ids[i] = wire_number(others[i].heard[0], "userId");
        meet(&bob, ids[i], &others[i]);
        meet(&others[i], alice_id, &alice);
        hush(&others[i]);
    }
    (void)wire_waiting(&bob, 3 * SECOND);
    hush(&bob);
    for (int i = 0; i < 3; i++) {
        say(&bob, WATCH, ids[i]);
        (void)expect(&bob, "\"ref\":\"7\",\"presence\"");
    }
    say(&bob, WATCH, ids[3]);
    (void)expect(&bob, "\"TOO_MANY_WATCHES\"");
    say(&bob, WATCH, ids[2]);
    (void)expect(&bob, "\"ref\":\"7\",\"presence\"");
    say(&bob, UNWATCH, ids[0]);
    (void)expect(&bob, "\"done\"");
    say(&bob, WATCH, ids[3]);
    (void)expect(&bob, "\"ref\":\"7\",\"presence\"");
    /* Two may watch alice. */
    for (int i = 0; i < 2; i++) {
        say(&others[i], WATCH, alice_id);
        (void)expect(&others[i], "\"ref\":\"7\",\"presence\"");
    }
    say(&others[2], WATCH, alice_id);
    (void)expect(&others[2], "\"OVERLOADED\"");
    wire_end(&others[0]); /* with it ends its watch */
    world_run(&world, 3 * SECOND);
    say(&others[2], WATCH, alice_id);
    (void)expect(&others[2], "\"ref\":\"7\",\"presence\"");
    for (int i = 1; i < 4; i++) {
        wire_end(&others[i]);
    }
    end();
}

static void
nothing_is_kept_of_those_who_left(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        wire_say(&alice, ACTIVE);
        say(&bob, WATCH, alice_id);
        say(&alice, WATCH, bob_id);
        world_run(&world, 3 * SECOND);
        assert_int_equal(size().users, 2);
        assert_int_equal(size().leases, 1);
        assert_int_equal(size().watches, 2);
        wire_end(&alice);
        wire_end(&bob);
        world_run(&world, 60 * SECOND);
        assert_int_equal(size().users, 0);
        assert_int_equal(size().leases, 0);
        assert_int_equal(size().watches, 0);
        assert_int_equal(size().bytes, 0);
        world_close(&world);
    }
}

/* --------------------------------------------------------------------------------------- typing */

static void
typing_is_told_to_who_watches(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        say(&alice, TYPES, bob_id);
        assert_null(hear(&bob, 2 * SECOND));
        say(&bob, WATCH, alice_id);
        (void)expect(&bob, "\"presence\"");
        say(&alice, TYPES, bob_id);
        const char *typing = expect(&bob, "{\"typing\":{\"chat\":{\"userId\":");
        assert_non_null(strstr(typing, "\"kind\":\"TYPING\""));
        assert_int_equal(wire_number(strstr(typing, "},"), "userId"), alice_id);
        (void)expect(&bob, "{\"presence\"");
        world_run(&world, 2 * SECOND);
        hush(&bob);
        say(&alice, RECORDS, bob_id);
        (void)expect(&bob, "\"kind\":\"RECORDING\"");
        world_run(&world, 2 * SECOND);
        hush(&bob);
        say(&alice, STOPS, bob_id);
        assert_null(strstr(expect(&bob, "{\"typing\""), "kind"));
        /* It is for Bob's eyes: in her chat with somebody else she types unseen by him. */
        world_run(&world, 2 * SECOND);
        hush(&bob);
        say(&alice, TYPES, bob_id + 256);
        const char *other = hear(&bob, 2 * SECOND);
        assert_true(other == NULL || strstr(other, "typing") == NULL);
        end();
    }
}

static void
typing_is_told_once_a_second(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        say(&bob, WATCH, alice_id);
        (void)expect(&bob, "\"presence\"");
        wire_say(&alice, ACTIVE);
        (void)expect(&bob, "\"online\":true");
        for (unsigned i = 0; i < 500; i++) { /* five seconds */
            say(&alice, i % 2 == 0 ? TYPES : RECORDS, bob_id);
            world_run(&world, 10);
        }
        say(&alice, STOPS, bob_id);
        world_run(&world, 3 * SECOND);
        unsigned told = 0;
        const char *last = "";
        for (const char *next = hear(&bob, 0); next != NULL; next = hear(&bob, 0)) {
            told += strstr(next, "typing") != NULL;
            last = strstr(next, "typing") != NULL ? next : last;
        }
        assert_in_range(told, 4, 8);
        assert_null(strstr(last, "kind")); /* in the end she does not type */
        end();
    }
}

/* -------------------------------------------------------------------------------------- privacy */

/* What a user sets, as his client would: an actor beside the node's tree does it when told to. */
static struct {
    bool due;
    uint64_t user, subject;
    uint8_t kind;
    bool removed;
    unsigned char value[32];
    uint32_t value_bytes;
    int error;
} wish;

static void
fulfil(void)
{
    struct store_state state = {.user = wish.user,
                                .subject = wish.subject,
                                .kind = wish.kind,
                                .value_bytes = wish.removed ? 0 : wish.value_bytes};
    struct ln_msg *request =
        ln_msg_new(wish.removed ? STORE_STATE_REMOVE : STORE_STATE_SET, LN_DURABLE, sizeof state);
    memcpy(request->data, &state, sizeof state);
    if (state.value_bytes > 0) {
        request->buffer = ln_buffer_new(state.value_bytes);
        memcpy(ln_buffer_data(request->buffer), wish.value, state.value_bytes);
    }
    wish.error = ln_call(store_user_pid(world.store, wish.user), &request, 10 * SECOND, NULL);
    wish.due = false;
}

static void
fairy_run(void *state)
{
    (void)state;
    while (ln_sleep(10) == 0) {
        if (wish.due) {
            fulfil();
        }
    }
}

static const struct ln_behaviour fairy = {.name = "fairy", .run = fairy_run};

static void
grant(void)
{
    wish.due = true;
    for (unsigned i = 0; wish.due && i < 1000; i++) {
        world_run(&world, 10);
    }
    assert_false(wish.due);
    assert_int_equal(wish.error, 0);
}

static void
alice_rules(enum store_sees what, enum store_audience audience)
{
    memset(&wish, 0, sizeof wish);
    wish.user = alice_id;
    wish.kind = (uint8_t)(STORE_STATE_RULE + what);
    wish.value_bytes = (uint32_t)rule_bytes(0);
    rule_begin((uint8_t)audience, 0, wish.value);
    grant();
}

static void
alice_sets_bob(uint8_t kind, bool removed)
{
    memset(&wish, 0, sizeof wish);
    wish.user = alice_id;
    wish.subject = bob_id;
    wish.kind = kind;
    wish.removed = removed;
    wish.value[0] = 1;
    wish.value_bytes = 1;
    grant();
}

static void
begin_with_fairy(uint64_t seed)
{
    world_open_with(&world, seed, (struct ln_child){.id = "fairy", .behaviour = &fairy});
    people_meet(seed);
}

static void
expect_nothing_seen(void)
{
    say(&bob, WATCH, alice_id);
    (void)expect(&bob, "\"NOT_PERMITTED\"");
    say(&bob, GET, alice_id);
    (void)expect(&bob, "\"NOT_PERMITTED\"");
    wire_say(&alice, ACTIVE);
    say(&alice, TYPES, bob_id);
    world_run(&world, 2 * SECOND);
    wire_say(&alice, AWAY);
    assert_null(hear(&bob, 3 * SECOND));
}

static void
bob_watches(void)
{
    say(&bob, WATCH, alice_id);
    (void)expect(&bob, "\"ref\":\"7\",\"presence\"");
}

static void
whom_one_blocks_sees_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with_fairy(seed);
        bob_watches();
        wire_say(&alice, ACTIVE);
        (void)expect(&bob, "\"online\":true");
        alice_sets_bob(STORE_STATE_BLOCKED, false);
        const char *hidden = expect(&bob, "{\"presence\"");
        assert_non_null(strstr(hidden, "\"hidden\":true"));
        assert_null(strstr(hidden, "online"));
        assert_int_equal(last_seen(hidden), 0);
        expect_nothing_seen();
        alice_sets_bob(STORE_STATE_BLOCKED, true);
        bob_watches();
        wire_say(&alice, ACTIVE);
        (void)expect(&bob, "\"online\":true");
        end();
    }
}

static void
rules_hold_while_they_change(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with_fairy(seed);
        bob_watches();
        alice_rules(STORE_SEES_LAST_SEEN, STORE_AUDIENCE_NOBODY);
        /* Still watching, and told so: online or not, and nothing else. */
        assert_int_equal(last_seen(expect(&bob, "{\"presence\"")), 0);
        wire_say(&alice, ACTIVE);
        assert_int_equal(last_seen(expect(&bob, "\"online\":true")), 0);
        wire_say(&alice, AWAY);
        const char *offline = expect(&bob, "{\"presence\"");
        assert_null(strstr(offline, "online"));
        assert_int_equal(last_seen(offline), 0);
        world_run(&world, 2 * SECOND);
        say(&alice, WRITE, bob_id); /* an act of who is offline would be a sign of life */
        assert_null(hear(&bob, 3 * SECOND));
        alice_rules(STORE_SEES_ONLINE, STORE_AUDIENCE_CONTACTS);
        assert_non_null(strstr(expect(&bob, "{\"presence\""), "\"hidden\":true"));
        expect_nothing_seen();
        alice_sets_bob(STORE_STATE_CONTACT, false);
        bob_watches();
        wire_say(&alice, ACTIVE);
        (void)expect(&bob, "\"online\":true");
        alice_sets_bob(STORE_STATE_CONTACT, true);
        assert_non_null(strstr(expect(&bob, "{\"presence\""), "\"hidden\":true"));
        end();
    }
}

static void
last_seen_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin_with_fairy(seed);
        bob_watches();
        alice_rules(STORE_SEES_ONLINE, STORE_AUDIENCE_NOBODY);
        (void)expect(&bob, "{\"presence\"");
        wire_say(&alice, ACTIVE);
        say(&alice, TYPES, bob_id);
        assert_null(hear(&bob, 3 * SECOND));
        wire_say(&alice, AWAY);
        uint64_t seen_ms = now_ms();
        assert_seen(last_seen(expect(&bob, "{\"presence\"")), seen_ms);
        wire_say(&alice, ACTIVE);
        world_run(&world, 2 * SECOND);
        say(&bob, GET, alice_id);
        assert_null(strstr(expect(&bob, "\"ref\":\"9\",\"presence\""), "online"));
        end();
    }
}

/* ---------------------------------------------------------------------------- crashes and kills */

/* Everybody's connection breaks with the node, which notices nothing before; Bob comes back. */
static void
fall(void (*how)(struct world *world))
{
    char token[sizeof bob.token];
    memcpy(token, bob.token, sizeof token);
    wire_end(&alice);
    wire_end(&bob);
    how(&world);
    wire_open(&alice, &world, PROTOCOL_JSON); /* who says nothing */
    wire_open(&bob, &world, PROTOCOL_JSON);
    wire_login(&bob, token);
    world_run(&world, 100);
    hush(&bob);
}

static void
last_seen_outlives_a_crash(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        /* For so long that the last sign is not in the store, but one of the last minute is. */
        unsigned signs = 14 + (unsigned)seed;
        uint64_t seen_ms = 0;
        for (unsigned i = 0; i < signs; i++) {
            wire_say(&alice, ACTIVE);
            seen_ms = now_ms();
            world_run(&world, INTERVAL_MS);
        }
        fall(world_crash);
        say(&bob, GET, alice_id);
        uint64_t kept_ms = last_seen(expect(&bob, "\"presence\""));
        assert_in_range(kept_ms, seen_ms - 61 * SECOND, seen_ms + SECOND);
        end();
    }
}

static void
who_has_left_is_kept_to_the_second(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        world_run(&world, 55 * SECOND);
        wire_say(&alice, ACTIVE);
        world_run(&world, 4 * SECOND);
        wire_say(&alice, AWAY);
        uint64_t seen_ms = now_ms();
        world_run(&world, 3 * SECOND);
        fall(world_crash);
        say(&bob, GET, alice_id);
        assert_seen(last_seen(expect(&bob, "\"presence\"")), seen_ms);
        end();
    }
}

static void
a_stop_forgets_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        world_run(&world, 55 * SECOND);
        wire_say(&alice, ACTIVE);
        uint64_t seen_ms = now_ms();
        world_run(&world, 500);
        fall(world_restart);
        say(&bob, GET, alice_id);
        assert_seen(last_seen(expect(&bob, "\"presence\"")), seen_ms);
        end();
    }
}

static void
watches_outlive_a_killed_presence(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct reaper reaper;
        reaper = (struct reaper){
            .world = &world, .pause_ms_min = 1500, .pause_ms_spread = 1000, .only = "presence"};
        world_open_with(&world, seed, reaper_child(&reaper));
        wire_open(&alice, &world, PROTOCOL_JSON);
        wire_enrol(&alice, "alice");
        wire_open(&bob, &world, PROTOCOL_BINARY);
        wire_enrol(&bob, "bob");
        alice_id = wire_number(alice.heard[0], "userId");
        bob_id = wire_number(bob.heard[0], "userId");
        meet(&alice, bob_id, &bob);
        hush(&bob);
        say(&bob, WATCH, alice_id);
        (void)expect(&bob, "\"presence\"");
        wire_say(&alice, ACTIVE);
        (void)expect(&bob, "\"online\":true");
        reaper.kills_left = 6;
        world_run(&world, 20 * SECOND);
        assert_int_equal(reaper.kills, 6);
        assert_int_equal(size().watches, 1);
        hush(&bob);
        wire_say(&alice, AWAY);
        assert_null(strstr(expect(&bob, "{\"presence\""), "online"));
        wire_say(&alice, ACTIVE);
        assert_non_null(strstr(expect(&bob, "{\"presence\""), "\"online\":true"));
        assert_int_equal(world.broken[0], '\0');
        end();
    }
}

static void
nothing_is_told_of_who_was_removed(void **state)
{
    (void)state;
    static struct desk desk;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        wire_say(&alice, ACTIVE);
        world_run(&world, 2 * SECOND);
        desk_open(&desk, &world);
        desk_ask(&desk, "user", "remove", "alice");
        assert_int_equal(desk.status, SHELL_DONE);
        desk_close(&desk);
        (void)wire_closed(&alice);
        say(&bob, GET, alice_id);
        (void)expect(&bob, "\"UNKNOWN_USER\"");
        world_run(&world, 60 * SECOND);
        assert_int_equal(size().users, 0);
        end();
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
        SPEC("a connection watches so many, and a user is watched by so many", watches_have_limits),
        SPEC("nothing is kept of those who left", nothing_is_kept_of_those_who_left),
        SPEC("who types is told to those who watch, in that chat alone",
             typing_is_told_to_who_watches),
        SPEC("typing is told once a second, and in the end the truth",
             typing_is_told_once_a_second),
        SPEC("whom a user blocks sees nothing of him, from that moment on",
             whom_one_blocks_sees_nothing),
        SPEC("who sees the presence but not last seen is told of comings and goings alone; rules "
             "hold while they change",
             rules_hold_while_they_change),
        SPEC("who sees last seen but not the presence is told when a user has left, not that he is "
             "there",
             last_seen_alone),
        SPEC("last seen outlives a crash to within a minute", last_seen_outlives_a_crash),
        SPEC("of who has left it outlives one to the second", who_has_left_is_kept_to_the_second),
        SPEC("a stop of the node forgets nobody", a_stop_forgets_nobody),
        SPEC("watches outlive the actors that keep them", watches_outlive_a_killed_presence),
        SPEC("nothing is told or kept of a removed user", nothing_is_told_of_who_was_removed),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
