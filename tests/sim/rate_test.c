/* SPDX-License-Identifier: Apache-2.0 */
/* Who is too fast is told so and loses nothing; who goes on like that is shown the door. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static struct wire alice;
static struct wire bob;
static uint64_t bob_id;

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    world.settings.commands_per_s = 10;
    (void)wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    bob_id = wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    (void)wire_waiting(&alice, 2000); /* the login is forgotten */
}

static void
end(void)
{
    wire_end(&alice);
    wire_end(&bob);
    world_close(&world);
}

static void
alice_writes(unsigned number)
{
    char text[160];
    (void)snprintf(text, sizeof text,
                   "{\"number\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
                   "\"text\":\"no %u\"}}",
                   number, (unsigned long long)bob_id, number);
    wire_say(&alice, text);
}

static void
too_fast_is_told_when_to_come_again(void **state)
{
    (void)state;
    begin(1);
    for (unsigned i = 1; i <= 11; i++) {
        alice_writes(i);
    }
    unsigned sent = 0;
    uint64_t wait_ms = 0;
    for (unsigned i = 0; i < 11; i++) {
        const char *heard = wire_hear(&alice);
        assert_non_null(heard);
        sent += strstr(heard, "\"sent\"") != NULL;
        if (strstr(heard, "RATE_LIMITED") != NULL) {
            assert_non_null(strstr(heard, "\"number\":\"11\""));
            wait_ms = wire_number(heard, "retryAfterMs");
        }
    }
    assert_int_equal(sent, 10);
    assert_in_range(wait_ms, 1, 200);
    (void)wire_waiting(&alice, (unsigned)wait_ms + 100);
    alice_writes(11);
    (void)wire_expect(&alice, "\"sent\"");
    for (unsigned i = 1; i <= 11; i++) {
        (void)wire_expect(&bob, "\"newMessage\"");
    }
    assert_int_equal(wire_waiting(&bob, 1000), 0);
    end();
}

static void
an_acknowledgement_is_never_refused(void **state)
{
    (void)state;
    begin(2);
    char ack[64];
    alice_writes(1);
    uint64_t number = wire_number(wire_expect(&bob, "\"newMessage\""), "inboxNumber");
    (void)snprintf(ack, sizeof ack, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)number);
    for (unsigned i = 0; i < 50; i++) {
        wire_say(&bob, ack);
    }
    assert_int_equal(wire_waiting(&bob, 1000), 0);
    wire_say(&bob, "{\"ping\":{}}");
    (void)wire_expect(&bob, "RATE_LIMITED");
    end();
}

static void
who_goes_on_is_closed(void **state)
{
    (void)state;
    begin(3);
    for (unsigned i = 0; i < 120; i++) {
        wire_say(&alice, "{\"ping\":{}}");
    }
    assert_int_equal(wire_closed(&alice), PROTOCOL_CLOSE_RATE_LIMITED);
    wire_say(&bob, "{\"ping\":{}}"); /* nobody else notices */
    (void)wire_expect(&bob, "\"pong\"");
    assert_int_equal(messenger_counted(&world.messenger.counters.rate_closed), 1);
    end();
}

static void
bytes_count_too(void **state)
{
    (void)state;
    static char text[40000];
    begin(4);
    world.settings.commands_per_s = 1000;
    world.settings.command_bytes_per_s = 100000;
    static char body[30001];
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    (void)snprintf(text, sizeof text,
                   "{\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":\"%s\"}}",
                   (unsigned long long)bob_id, body);
    unsigned refused = 0;
    for (unsigned i = 0; i < 4; i++) {
        wire_say(&alice, text);
    }
    for (unsigned i = 0; i < 4; i++) {
        refused += strstr(wire_hear(&alice), "RATE_LIMITED") != NULL;
    }
    assert_int_equal(refused, 1);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("who is too fast is told when to come again, and loses nothing",
             too_fast_is_told_when_to_come_again),
        SPEC("an acknowledgement is never refused, but counts",
             an_acknowledgement_is_never_refused),
        SPEC("who goes on ten times as fast is closed with 4029", who_goes_on_is_closed),
        SPEC("bytes have a rate of their own", bytes_count_too),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
