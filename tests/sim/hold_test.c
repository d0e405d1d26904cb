/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to a name that nobody has yet, through power cuts at any step of it. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600000, MESSAGES = 5, CUTS = 24, CUT_STEP = 17 };

static struct world world;
static struct wire alice, carol;

static void
held(struct settings *settings)
{
    settings->hold_unknown_ms = 2 * STORE_DAY_MS;
    settings->hold_messages_max = MESSAGES;
    settings->hold_recipients_max = 2;
    settings->limits.idle_timeout_ms = 24 * HOUR_MS;
}

static void
begin(uint64_t seed)
{
    world_fresh(&world, seed);
    world.set = held;
    world_begin(&world);
    (void)wire_join(&alice, &world, PROTOCOL_JSON, "alice");
}

static void
end(void)
{
    wire_end(&alice);
    world_close(&world);
}

/* The power goes so many events later, and alice comes back. */
static void
cut(uint64_t events)
{
    world_crash_within(&world, events, 2000);
    wire_end(&alice);
    wire_return(&alice);
}

static void
write_number(uint64_t number)
{
    char command[256];
    (void)snprintf(command, sizeof command,
                   "{\"number\":\"%" PRIu64 "\",\"sendMessage\":{\"chat\":{\"userName\":\"carol\"},"
                   "\"text\":\"held %" PRIu64 "\"}}",
                   number, number);
    wire_say(&alice, command);
}

/* As a client does: until it is answered with `sent`. */
static void
write_until_sent(uint64_t number)
{
    char part[64];
    (void)snprintf(part, sizeof part, "{\"answer\":{\"number\":\"%" PRIu64 "\",\"sent\"", number);
    for (unsigned tries = 0; wire_heard(&alice, 0, part) == NULL; tries++) {
        assert_true(tries < 20);
        write_number(number);
        (void)wire_waiting(&alice, 500);
    }
}

static void
carol_comes(enum protocol_form form)
{
    (void)wire_join(&carol, &world, form, "carol");
    (void)wire_waiting(&carol, 1000);
}

/* Each once and in order, whatever else there is. */
static void
carol_has(uint64_t count)
{
    uint64_t next = 1;
    for (unsigned i = 0; i < carol.heard_count; i++) {
        const char *text = strstr(carol.heard[i], "\"text\":\"held ");
        if (text != NULL) {
            assert_int_equal(strtoull(text + strlen("\"text\":\"held "), NULL, 10), next);
            assert_int_equal(wire_number(carol.heard[i], "chatNumber"), next);
            next++;
        }
    }
    assert_int_equal(next, count + 1);
}

static void
waits_for_him(void **state)
{
    (void)state;
    begin(1);
    for (uint64_t number = 1; number <= MESSAGES; number++) {
        write_until_sent(number);
    }
    const char *sent = wire_heard(&alice, 0, "\"sent\"");
    uint64_t promised = wire_number(sent, "heldUserId");
    write_number(MESSAGES + 1);
    (void)wire_waiting(&alice, 1000);
    assert_non_null(wire_heard(&alice, 0, "\"RECIPIENT_FULL\""));
    wire_say(&alice, "{\"getPresence\":{\"chat\":{\"userName\":\"carol\"}}}");
    (void)wire_waiting(&alice, 1000);
    assert_non_null(wire_heard(&alice, 0, "\"UNKNOWN_USER\""));
    carol_comes(PROTOCOL_BINARY);
    assert_int_equal(wire_number(carol.heard[0], "userId"), promised);
    carol_has(MESSAGES);
    wire_acknowledge(&carol);
    (void)wire_waiting(&alice, 1000);
    assert_non_null(wire_heard(&alice, 0, "\"delivered\":\"5\""));
    write_number(MESSAGES + 1);
    (void)wire_waiting(&carol, 1000);
    carol_has(MESSAGES + 1);
    assert_int_equal(messenger_counted(&world.messenger.counters.messages_held), MESSAGES);
    assert_int_equal(messenger_counted(&world.messenger.counters.hold_refused), 1);
    wire_end(&carol);
    end();
}

/* The power goes while alice writes, and again while carol comes, each time a little later. */
static void
comes_once_over_cuts(void **state)
{
    (void)state;
    for (unsigned step = 0; step < CUTS; step++) {
        begin(100 + step);
        write_number(1);
        write_number(2);
        write_number(3);
        cut(1 + (uint64_t)step * CUT_STEP);
        for (uint64_t number = 1; number <= 3; number++) {
            write_until_sent(number);
        }
        wire_open(&carol, &world, PROTOCOL_JSON);
        wire_upgrade(&carol, "");
        wire_say(&carol, "{\"authenticate\":{\"passwordLogin\":{\"name\":\"carol\",\"password\":"
                         "\"correct horse\"}}}");
        write_number(4);
        cut(1 + (uint64_t)step * CUT_STEP);
        wire_end(&carol);
        for (uint64_t number = 1; number <= 4; number++) {
            write_until_sent(number);
        }
        carol_comes(PROTOCOL_JSON);
        carol_has(4);
        wire_end(&carol);
        end();
    }
}

static void
expires(void **state)
{
    (void)state;
    begin(3);
    write_until_sent(1);
    wire_say(&alice, "{\"sendMessage\":{\"chat\":{\"userName\":\"dave\"},\"text\":\"hi\"}}");
    wire_say(&alice, "{\"sendMessage\":{\"chat\":{\"userName\":\"erin\"},\"text\":\"hi\"}}");
    (void)wire_waiting(&alice, 1000);
    assert_non_null(wire_heard(&alice, 0, "\"TOO_MANY_HELD\""));
    for (unsigned hour = 0; hour < 50; hour++) {
        world_run(&world, HOUR_MS);
        wire_say(&alice, "{\"ping\":{}}");
    }
    (void)wire_waiting(&alice, 1000);
    const char *told = wire_heard(&alice, 0, "\"expired\":\"1\"");
    assert_non_null(told);
    assert_null(strstr(told, "\"delivered\""));
    unsigned from = alice.heard_count;
    wire_say(&alice, "{\"sendMessage\":{\"chat\":{\"userName\":\"erin\"},\"text\":\"hi\"}}");
    (void)wire_waiting(&alice, 1000);
    assert_non_null(wire_heard(&alice, from, "\"sent\""));
    carol_comes(PROTOCOL_JSON);
    carol_has(0);
    wire_end(&carol);
    end();
}

/* Whether alice may write to one more name that nobody has. */
static bool
may_write_to(const char *name)
{
    char command[128];
    unsigned from = alice.heard_count;
    (void)snprintf(command, sizeof command,
                   "{\"sendMessage\":{\"chat\":{\"userName\":\"%s\"},\"text\":\"hi\"}}", name);
    wire_say(&alice, command);
    (void)wire_waiting(&alice, 1000);
    return wire_heard(&alice, from, "\"sent\"") != NULL;
}

static void
is_gone_again(void **state)
{
    (void)state;
    begin(4);
    write_until_sent(1);
    assert_true(may_write_to("dave"));
    assert_false(may_write_to("erin"));
    (void)wire_join(&carol, &world, PROTOCOL_JSON, "carol");
    wire_say(&carol, "{\"deleteAccount\":{\"name\":\"carol\"}}");
    (void)wire_waiting(&alice, 1000);
    assert_true(may_write_to("erin"));
    assert_false(may_write_to("frank"));
    wire_end(&carol);
    end();
}

/* Alice never heard the answer to what has expired since, and says it again. */
static void
says_again_what_expired(void **state)
{
    (void)state;
    begin(5);
    write_until_sent(1);
    for (unsigned hour = 0; hour < 50; hour++) {
        world_run(&world, HOUR_MS);
        wire_say(&alice, "{\"ping\":{}}");
    }
    unsigned from = alice.heard_count;
    write_number(1);
    (void)wire_waiting(&alice, 1000);
    assert_non_null(wire_heard(&alice, from, "\"duplicate\":true"));
    assert_true(may_write_to("dave"));
    assert_true(may_write_to("erin"));
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what is written to a name that nobody has waits for whoever takes it, in order, and "
             "ticks as ever",
             waits_for_him),
        SPEC("it comes once, wherever the power goes", comes_once_over_cuts),
        SPEC(
            "after its days it has expired, which its sender is told, and others may be written to",
            expires),
        SPEC("who comes and deletes his account at once is waited for no more", is_gone_again),
        SPEC("a message that is said again after it has expired makes nobody wait",
             says_again_what_expired),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
