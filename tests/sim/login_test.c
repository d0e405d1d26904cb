/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes in, and what those are told who don't. */
#include "actors/auth.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

static struct world world;
static struct wire wire, other;
static char token[PROTOCOL_TOKEN_BYTES_MAX + 1];

#define LOGIN(name, password)                                                               \
    "{\"number\":\"7\",\"ref\":\"8\",\"authenticate\":{\"passwordLogin\":{\"name\":\"" name \
    "\",\"password\":\"" password "\"}}}"

/* Alice has a device, whose token is kept. */
static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    (void)wire_join(&wire, &world, seed % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON, "alice");
    memcpy(token, wire.token, sizeof token);
    assert_int_equal(strlen(token), AUTH_TOKEN_TEXT_BYTES - 1);
    wire_end(&wire);
    world_run(&world, 10);
}

static void
end(void)
{
    assert_int_equal(messenger_counted(&world.messenger.counters.logins_pending), 0);
    world_close(&world);
}

static void
a_token_comes_in_three_ways(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        enum protocol_form form = seed % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON;
        char text[1024];
        begin(seed);
        wire_open(&wire, &world, form);
        wire_login(&wire, token);
        assert_string_equal(wire.token, "");
        wire_end(&wire);

        wire_open(&wire, &world, form);
        (void)snprintf(text, sizeof text, "Sec-WebSocket-Protocol: linnet.token.%s\r\n", token);
        wire_upgrade(&wire, text);
        (void)wire_expect(&wire, "\"name\":\"alice\"");
        assert_null(strstr(wire.answer, token));
        wire_end(&wire);

        wire_open(&wire, &world, form);
        wire_upgrade(&wire, "");
        (void)snprintf(text, sizeof text, "{\"authenticate\":{\"token\":\"%s\"}}", token);
        wire_say(&wire, text);
        (void)wire_expect(&wire, "\"welcome\"");
        wire_end(&wire);
        end();
    }
}

static void
commands_may_come_right_behind_the_login(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        begin(seed);
        wire_open(&wire, &world, seed % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON);
        wire_upgrade(&wire, "");
        char text[512];
        (void)snprintf(text, sizeof text, "{\"authenticate\":{\"token\":\"%s\"}}", token);
        wire_say(&wire, text);
        for (int i = 0; i < 200; i++) {
            (void)snprintf(text, sizeof text, "{\"ref\":\"%d\",\"ping\":{}}", i + 1);
            wire_say(&wire, text);
        }
        (void)wire_expect(&wire, "\"welcome\"");
        for (int i = 0; i < 200; i++) {
            (void)snprintf(text, sizeof text, "\"ref\":\"%d\"", i + 1);
            (void)wire_expect(&wire, text);
        }
        wire_end(&wire);
        end();
    }
}

static void
a_wrong_name_hears_what_a_wrong_password_hears(void **state)
{
    (void)state;
    begin(1);
    world.settings.registration = REGISTRATION_CLOSED;
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_upgrade(&wire, "");
    wire_say(&wire, LOGIN("alice", "battery staple"));
    const char *wrong_password = wire_expect(&wire, "\"WRONG_CREDENTIALS\"");
    assert_non_null(strstr(wrong_password, "\"number\":\"7\",\"ref\":\"8\""));
    wire_say(&wire, LOGIN("nobody", "battery staple"));
    const char *wrong_name = wire_hear(&wire);
    assert_string_equal(wrong_password, wrong_name);
    wire_say(&wire, LOGIN("alice", "correct horse"));
    (void)wire_expect(&wire, "\"welcome\"");
    wire_end(&wire);
    end();
}

static void
open_registration_takes_only_good_names(void **state)
{
    (void)state;
    begin(2);
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_upgrade(&wire, "");
    wire_say(&wire, LOGIN("4711", "correct horse"));
    (void)wire_expect(&wire,
                      "\"code\":\"NAME_INVALID\",\"text\":\"authenticate.passwordLogin.name:");
    wire_say(&wire, LOGIN(" bob", "correct horse"));
    (void)wire_expect(&wire, "\"NAME_INVALID\"");
    wire_say(&wire, LOGIN("", "correct horse"));
    (void)wire_expect(&wire, "\"NAME_INVALID\"");
    wire_say(&wire, LOGIN("bob", ""));
    (void)wire_expect(&wire, "\"WRONG_CREDENTIALS\"");
    wire_say(&wire, LOGIN("bob", "correct horse"));
    (void)wire_expect(&wire, "\"name\":\"bob\"");
    wire_end(&wire);
    end();
}

static void
the_fifth_failed_try_is_the_last(void **state)
{
    (void)state;
    begin(3);
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_upgrade(&wire, "");
    for (int i = 0; i < 5; i++) {
        wire_say(&wire, LOGIN("alice", "battery staple"));
        (void)wire_expect(&wire, "\"WRONG_CREDENTIALS\"");
    }
    assert_int_equal(wire_closed(&wire), PROTOCOL_CLOSE_UNAUTHENTICATED);
    wire_end(&wire);
    end();
}

static void
a_busy_node_is_no_failed_try(void **state)
{
    (void)state;
    begin(4);
    world.settings.logins_pending_max = 0;
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_upgrade(&wire, "");
    for (int i = 0; i < 8; i++) {
        wire_say(&wire, LOGIN("alice", "correct horse"));
        (void)wire_expect(&wire, "\"OVERLOADED\"");
    }
    world.settings.logins_pending_max = 1;
    wire_say(&wire, LOGIN("alice", "correct horse"));
    (void)wire_expect(&wire, "\"welcome\"");
    wire_end(&wire);
    end();
}

static void
a_bad_token_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "Authorization: Bearer AQEAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
        "Authorization: Bearer nonsense\r\n",
        "Sec-WebSocket-Protocol: linnet.token.nonsense\r\n",
    };
    begin(5);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        wire_open(&wire, &world, PROTOCOL_JSON);
        wire_upgrade(&wire, fields[i]);
        (void)wire_expect(&wire, "\"TOKEN_INVALID\"");
        assert_int_equal(wire_closed(&wire), PROTOCOL_CLOSE_UNAUTHENTICATED);
        wire_end(&wire);
    }
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_upgrade(&wire, "");
    wire_say(&wire, "{\"authenticate\":{\"token\":\"nonsense\"}}");
    (void)wire_expect(&wire, "\"TOKEN_INVALID\"");
    wire_say(&wire, LOGIN("alice", "correct horse"));
    (void)wire_expect(&wire, "\"welcome\"");
    wire_end(&wire);
    end();
}

static void
nothing_goes_before_the_login_nor_a_second_one(void **state)
{
    (void)state;
    begin(6);
    wire_open(&wire, &world, PROTOCOL_BINARY);
    wire_upgrade(&wire, "");
    wire_say(&wire,
             "{\"number\":\"3\",\"sendMessage\":{\"chat\":{\"userId\":\"1\"},\"text\":\"x\"}}");
    (void)wire_expect(&wire, "\"number\":\"3\",\"error\":{\"code\":\"UNAUTHENTICATED\"");
    wire_say(&wire, LOGIN("alice", "correct horse"));
    (void)wire_expect(&wire, "\"welcome\"");
    (void)wire_expect(&wire, "\"LINKED\"");
    wire_say(&wire, LOGIN("alice", "correct horse"));
    (void)wire_expect(&wire, "\"NOT_EXPECTED\"");
    wire_end(&wire);
    end();
}

static void
who_does_not_log_in_is_let_go(void **state)
{
    (void)state;
    begin(7);
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_upgrade(&wire, "");
    world_run(&world, world.settings.login_timeout_ms / 2);
    assert_false(wire.ended);
    assert_int_equal(wire_closed(&wire), PROTOCOL_CLOSE_UNAUTHENTICATED);
    wire_end(&wire);
    end();
}

static void
the_same_device_replaces_itself(void **state)
{
    (void)state;
    for (uint64_t seed = 8; seed <= 13; seed++) {
        begin(seed);
        wire_open(&wire, &world, PROTOCOL_JSON);
        wire_login(&wire, token);
        wire_open(&other, &world, PROTOCOL_JSON);
        wire_login(&other, token);
        assert_int_equal(wire_closed(&wire), PROTOCOL_CLOSE_REPLACED);
        wire_say(&other, "{\"ping\":{}}");
        (void)wire_expect(&other, "\"pong\"");
        assert_int_equal(messenger_counted(&world.messenger.counters.devices), 1);
        wire_end(&wire);
        wire_end(&other);
        end();
    }
}

/* Over seeds that accept the two on each scheduler. */
static void
a_forged_token_pushes_out_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = 8; seed <= 13; seed++) {
        char forged[sizeof token];
        char text[sizeof forged + 32];
        begin(seed);
        memcpy(forged, token, sizeof forged);
        char *last = forged + strlen(forged) - 2;
        *last = *last == 'A' ? 'B' : 'A';
        (void)snprintf(text, sizeof text, "Authorization: Bearer %s\r\n", forged);
        wire_open(&wire, &world, PROTOCOL_JSON);
        wire_login(&wire, token);
        wire_open(&other, &world, PROTOCOL_JSON);
        wire_upgrade(&other, text);
        (void)wire_expect(&other, "\"TOKEN_INVALID\"");
        assert_int_equal(wire_closed(&other), PROTOCOL_CLOSE_UNAUTHENTICATED);
        wire_say(&wire, "{\"ref\":\"1\",\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},"
                        "\"text\":\"still here\"}}");
        (void)wire_expect(&wire, "still here");
        assert_int_equal(messenger_counted(&world.messenger.counters.devices), 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.logins_failed), 1);
        wire_end(&wire);
        wire_end(&other);
        end();
    }
}

/* As that of a phone may that has changed networks while the node had much to do. */
static void
a_late_login_on_an_older_connection_replaces_no_newer_one(void **state)
{
    (void)state;
    for (uint64_t seed = 8; seed <= 13; seed++) {
        begin(seed);
        wire_open(&wire, &world, PROTOCOL_JSON);
        world_run(&world, 200);
        wire_open(&other, &world, PROTOCOL_JSON);
        wire_login(&other, token);
        wire_login(&wire, token);
        assert_int_equal(wire_closed(&wire), PROTOCOL_CLOSE_REPLACED);
        wire_say(&other, "{\"ref\":\"1\",\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},"
                         "\"text\":\"to myself\"}}");
        (void)wire_expect(&other, "to myself"); /* it is told what is new */
        assert_false(other.ended);
        assert_int_equal(messenger_counted(&world.messenger.counters.devices), 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.invariant_violations), 0);
        wire_end(&wire);
        wire_end(&other);
        end();
    }
}

static void
a_user_has_only_so_many_devices(void **state)
{
    (void)state;
    begin(14);
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_upgrade(&wire, "");
    unsigned devices = 1;
    const char *answer = NULL;
    do {
        wire_end(&wire);
        wire_open(&wire, &world, PROTOCOL_JSON);
        wire_upgrade(&wire, "");
        wire_say(&wire, LOGIN("alice", "correct horse"));
        answer = wire_hear(&wire);
        assert_non_null(answer);
        devices += strstr(answer, "\"welcome\"") != NULL;
    } while (strstr(answer, "\"welcome\"") != NULL && devices < 100);
    assert_non_null(strstr(answer, "\"TOO_MANY_DEVICES\""));
    assert_int_equal(devices, world.settings.devices_max);
    wire_end(&wire);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a token comes as a field, as a subprotocol, or in a frame",
             a_token_comes_in_three_ways),
        SPEC("commands may come right behind the login, wherever the user is at home",
             commands_may_come_right_behind_the_login),
        SPEC("a wrong name hears what a wrong password hears",
             a_wrong_name_hears_what_a_wrong_password_hears),
        SPEC("open registration takes only good names, and passwords that are there",
             open_registration_takes_only_good_names),
        SPEC("the fifth failed try is the last", the_fifth_failed_try_is_the_last),
        SPEC("a busy node is no failed try", a_busy_node_is_no_failed_try),
        SPEC("a forged token pushes out nobody", a_forged_token_pushes_out_nobody),
        SPEC("a bad token is refused wherever it stands",
             a_bad_token_is_refused_wherever_it_stands),
        SPEC("nothing goes before the login, nor a second one",
             nothing_goes_before_the_login_nor_a_second_one),
        SPEC("who does not log in is let go in time", who_does_not_log_in_is_let_go),
        SPEC("a device's new connection replaces its old one", the_same_device_replaces_itself),
        SPEC("a login that comes late on an older connection replaces no newer one",
             a_late_login_on_an_older_connection_replaces_no_newer_one),
        SPEC("a user has only so many devices", a_user_has_only_so_many_devices),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
