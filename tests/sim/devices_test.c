/* SPDX-License-Identifier: Apache-2.0 */
/* Users with several devices: each has its own place in the same inbox. */
#include "tests/actors/desk.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include "actors/shell.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(6) };

static struct world world;
static struct wire alice[2], bob[2];
static uint64_t bob_id;

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    for (int i = 0; i < 2; i++) {
        (void)wire_join(&alice[i], &world, PROTOCOL_JSON, "alice");
        (void)wire_join(&bob[i], &world, PROTOCOL_BINARY, "bob");
    }
    bob_id = wire_number(bob[0].heard[0], "userId");
    world_run(&world, 50); /* the first devices have been told of the second */
}

static void
end(void)
{
    for (int i = 0; i < 2; i++) {
        wire_end(&alice[i]);
        wire_end(&bob[i]);
    }
    world_close(&world);
}

static void
alice_says(const char *text)
{
    char command[256];
    (void)snprintf(command, sizeof command,
                   "{\"number\":\"1\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":"
                   "\"%s\"}}",
                   (unsigned long long)bob_id, text);
    wire_say(&alice[0], command);
}

static void
ack(struct wire *wire, uint64_t number)
{
    char command[128];
    (void)snprintf(command, sizeof command, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)number);
    wire_say(wire, command);
}

static void
all_devices_hear_and_the_senders_too(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        alice_says("hello");
        assert_non_null(wire_heard_soon(&bob[0], "\"hello\""));
        assert_non_null(wire_heard_soon(&bob[1], "\"hello\""));
        /* Copies are entries of the sender's one inbox: the device that wrote it knows the id. */
        for (int i = 0; i < 2; i++) {
            const char *copy = wire_heard_soon(&alice[i], "\"hello\"");
            assert_non_null(copy);
            assert_non_null(strstr(copy, "\"device\":1,\"number\":\"1\""));
            assert_int_equal(wire_number(strstr(copy, "\"chat\""), "userId"), bob_id);
        }
        end();
    }
}

static void
the_first_device_to_store_it_makes_it_delivered(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        alice_says("hello");
        uint64_t number = wire_number(wire_heard_soon(&bob[0], "\"hello\""), "inboxNumber");
        assert_null(wire_heard_soon(&alice[0], "\"delivered\":\"1\""));
        ack(&bob[1], number);
        assert_non_null(wire_heard_soon(&alice[0], "\"delivered\":\"1\""));
        assert_non_null(wire_heard_soon(&alice[1], "\"delivered\":\"1\""));
        end();
    }
}

static void
what_one_device_has_acknowledged_the_other_still_gets(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        wire_end(&bob[1]);
        alice_says("hello");
        ack(&bob[0], wire_number(wire_heard_soon(&bob[0], "\"hello\""), "inboxNumber"));
        (void)wire_waiting(&bob[0], 100);
        wire_return(&bob[1]);
        assert_non_null(wire_heard_soon(&bob[1], "\"hello\""));
        end();
    }
}

static void
what_is_read_on_one_device_is_told_to_the_other(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        alice_says("hello");
        assert_non_null(wire_heard_soon(&bob[0], "\"hello\""));
        char own[64];
        (void)snprintf(own, sizeof own, "\"readerUserId\":\"%llu\"", (unsigned long long)bob_id);
        wire_say(&bob[0], "{\"ref\":\"3\",\"markRead\":{\"chat\":{\"userName\":\"alice\"},"
                          "\"chatNumber\":\"1\"}}");
        assert_non_null(wire_heard_soon(&bob[0], "\"ref\":\"3\",\"done\""));
        const char *told = wire_heard_soon(&bob[1], own);
        assert_non_null(told);
        assert_non_null(strstr(told, "\"read\":\"1\""));
        assert_non_null(wire_heard_soon(&alice[0], "\"read\":\"1\""));
        end();
    }
}

static void
a_removed_user_is_shown_out_on_all_devices(void **state)
{
    (void)state;
    static struct desk desk;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        char token[sizeof bob[1].token];
        memcpy(token, bob[1].token, sizeof token);
        desk_open(&desk, &world);
        desk_ask(&desk, "user", "remove", "bob");
        assert_int_equal(desk.status, SHELL_DONE);
        desk_close(&desk);
        assert_int_equal(wire_closed(&bob[0]), PROTOCOL_CLOSE_REVOKED);
        assert_int_equal(wire_closed(&bob[1]), PROTOCOL_CLOSE_REVOKED);
        wire_end(&bob[0]);
        char field[512];
        (void)snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", token);
        wire_open(&bob[0], &world, PROTOCOL_JSON);
        wire_upgrade(&bob[0], field);
        (void)wire_expect(&bob[0], "\"TOKEN_INVALID\"");
        assert_int_equal(wire_closed(&bob[0]), PROTOCOL_CLOSE_UNAUTHENTICATED);
        alice_says("are you there?");
        assert_non_null(wire_heard_soon(&alice[0], "\"UNKNOWN_USER\""));
        end();
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("all devices of the recipient hear a message, and those of the sender",
             all_devices_hear_and_the_senders_too),
        SPEC("the first device to store a message makes it delivered",
             the_first_device_to_store_it_makes_it_delivered),
        SPEC("what one device has acknowledged the other still gets",
             what_one_device_has_acknowledged_the_other_still_gets),
        SPEC("what is read on one device is told to the other",
             what_is_read_on_one_device_is_told_to_the_other),
        SPEC("a removed user is shown out on all devices, and can't come back",
             a_removed_user_is_shown_out_on_all_devices),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
