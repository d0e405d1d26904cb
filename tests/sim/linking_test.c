/* SPDX-License-Identifier: Apache-2.0 */
/* A user's devices as clients see them: listed, named, linked by a code, shown out. */
#include "tests/actors/desk.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include "actors/shell.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(6), CODE_BYTES = 16 };

static struct world world;
static struct wire phone, tablet, bob;

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    (void)wire_join(&phone, &world, seed % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON, "alice");
}

static void
end(void)
{
    wire_end(&phone);
    world_close(&world);
}

/* Asks for a code. */
static void
code_get(char out[CODE_BYTES])
{
    wire_say(&phone, "{\"ref\":\"5\",\"createLinkCode\":{}}");
    const char *answer = wire_expect(&phone, "\"linkCode\":{\"code\":\"");
    const char *code = strstr(answer, "\"code\":\"") + strlen("\"code\":\"");
    size_t bytes = strcspn(code, "\"");
    assert_int_equal(bytes, 9);
    memcpy(out, code, bytes);
    out[bytes] = '\0';
    assert_non_null(strstr(answer, "\"ref\":\"5\""));
    assert_true(wire_number(answer, "expiresAtMs") > 0);
}

static void
say_code(struct wire *wire, const char *name, const char *code)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "{\"ref\":\"6\",\"authenticate\":{\"linkCode\":{\"name\":\"%s\",\"code\":\"%s\","
                   "\"deviceName\":\"tablet\"}}}",
                   name, code);
    wire_say(wire, text);
}

static void
link_tablet(void)
{
    char code[CODE_BYTES];
    code_get(code);
    wire_open(&tablet, &world, PROTOCOL_JSON);
    wire_upgrade(&tablet, "");
    say_code(&tablet, "alice", code);
    (void)wire_expect(&tablet, "\"welcome\"");
}

static void
a_code_links_a_device(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        char code[CODE_BYTES];
        begin(seed);
        code_get(code);
        wire_open(&tablet, &world, PROTOCOL_JSON);
        wire_upgrade(&tablet, "");
        say_code(&tablet, "alice", code);
        const char *welcome = wire_expect(&tablet, "\"welcome\"");
        assert_non_null(strstr(welcome, "\"name\":\"alice\",\"device\":2"));
        const char *token = strstr(welcome, "\"token\":\"");
        assert_non_null(token);
        const char *change = wire_expect(&phone, "\"deviceChange\"");
        assert_non_null(strstr(change, "\"change\":\"LINKED\",\"device\":2,\"name\":\"tablet\""));
        char field[256];
        token += strlen("\"token\":\"");
        (void)snprintf(field, sizeof field, "Authorization: Bearer %.*s\r\n",
                       (int)strcspn(token, "\""), token);
        wire_end(&tablet);

        /* Its token is a device's like any other. */
        wire_open(&tablet, &world, PROTOCOL_JSON);
        wire_upgrade(&tablet, field);
        (void)wire_expect(&tablet, "\"device\":2");
        wire_end(&tablet);

        /* The code was good once. */
        wire_open(&tablet, &world, PROTOCOL_JSON);
        wire_upgrade(&tablet, "");
        say_code(&tablet, "alice", code);
        (void)wire_expect(&tablet, "\"WRONG_CREDENTIALS\"");
        wire_end(&tablet);
        assert_int_equal(messenger_counted(&world.messenger.counters.logins_link), 1);
        end();
    }
}

/* However much there was to look up and to write down, it takes the same time. */
static const char *
refused(struct wire *wire, const char *name, const char *code)
{
    uint64_t began_ms = sim_now_ns(world.driver) / 1000000;
    say_code(wire, name, code);
    const char *heard = wire_hear(wire);
    assert_in_range(sim_now_ns(world.driver) / 1000000 - began_ms, 250, 260);
    return heard;
}

static void
wrong_codes_and_names_hear_the_same(void **state)
{
    (void)state;
    char code[CODE_BYTES];
    begin(1);
    code_get(code);
    wire_open(&tablet, &world, PROTOCOL_JSON);
    wire_upgrade(&tablet, "");
    const char *wrong_code = refused(&tablet, "alice", "0000-0000");
    assert_non_null(strstr(wrong_code, "\"WRONG_CREDENTIALS\""));
    assert_string_equal(refused(&tablet, "nobody", code), wrong_code);
    assert_string_equal(refused(&tablet, "alice", "no code"), wrong_code);
    say_code(&tablet, "alice", code);
    (void)wire_expect(&tablet, "\"welcome\"");
    wire_end(&tablet);
    end();
}

/* One that comes with the right code after so many wrong ones is too late, whoever guessed. */
static void
a_guesser_voids_the_code(void **state)
{
    (void)state;
    char code[CODE_BYTES];
    begin(1);
    code_get(code);
    wire_open(&tablet, &world, PROTOCOL_JSON);
    wire_upgrade(&tablet, "");
    for (unsigned i = 0; i < world.settings.link_code_tries; i++) {
        say_code(&tablet, "alice", "0000-0000");
        (void)wire_expect(&tablet, "\"WRONG_CREDENTIALS\"");
    }
    assert_int_equal(wire_closed(&tablet), PROTOCOL_CLOSE_UNAUTHENTICATED);
    wire_end(&tablet);
    wire_open(&tablet, &world, PROTOCOL_JSON);
    wire_upgrade(&tablet, "");
    say_code(&tablet, "alice", code);
    (void)wire_expect(&tablet, "\"WRONG_CREDENTIALS\"");
    wire_end(&tablet);
    end();
}

static void
a_code_ends_with_its_time(void **state)
{
    (void)state;
    char code[CODE_BYTES];
    begin(2);
    code_get(code);
    world_run(&world, world.settings.link_code_s * 1000 + 1000);
    wire_open(&tablet, &world, PROTOCOL_JSON);
    wire_upgrade(&tablet, "");
    say_code(&tablet, "alice", code);
    (void)wire_expect(&tablet, "\"WRONG_CREDENTIALS\"");
    wire_end(&tablet);
    end();
}

/* The power goes at any event of a linking: afterwards there is one device more or none, and the
 * code is gone or good. */
static void
a_crash_links_once_or_not(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        char code[CODE_BYTES];
        char token[PROTOCOL_TOKEN_BYTES_MAX + 1];
        begin(seed);
        memcpy(token, phone.token, sizeof token);
        code_get(code);
        wire_open(&tablet, &world, PROTOCOL_JSON);
        wire_upgrade(&tablet, "");
        say_code(&tablet, "alice", code);
        world_run(&world, seed % 3);
        wire_end(&phone);
        wire_end(&tablet);
        world_crash_within(&world, 3 * seed, 1000);

        wire_open(&tablet, &world, PROTOCOL_JSON);
        wire_upgrade(&tablet, "");
        say_code(&tablet, "alice", code);
        assert_non_null(wire_hear(&tablet));
        wire_end(&tablet);
        wire_open(&phone, &world, PROTOCOL_JSON);
        wire_login(&phone, token);
        wire_say(&phone, "{\"listDevices\":{}}");
        const char *list = wire_hear(&phone);
        while (strstr(list, "\"devices\"") == NULL) {
            list = wire_hear(&phone);
        }
        /* Linked before the crash, or after it: never both, never neither. */
        assert_non_null(strstr(list, "\"device\":2"));
        assert_null(strstr(list, "\"device\":3"));
        end();
    }
}

static void
devices_are_listed_and_named(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        link_tablet();
        (void)wire_expect(&phone, "\"LINKED\"");
        (void)wire_expect(&tablet, "\"LINKED\"");
        wire_say(&phone, "{\"number\":\"3\",\"ref\":\"1\",\"renameDevice\":{\"device\":2,\"name\":"
                         "\"kitchen\"}}");
        assert_int_equal(wire_waiting(&phone, 200), 2); /* the answer, and what all are told */
        for (int i = 0; i < 2; i++) {
            const char *heard = wire_hear(&phone);
            assert_true(strstr(heard, "\"number\":\"3\",\"ref\":\"1\",\"done\"") != NULL ||
                        strstr(heard, "\"change\":\"RENAMED\",\"device\":2") != NULL);
        }
        (void)wire_expect(&tablet, "\"name\":\"kitchen\"");
        wire_say(&tablet, "{\"ref\":\"2\",\"listDevices\":{}}");
        const char *list = wire_expect(&tablet, "\"ref\":\"2\",\"devices\"");
        const char *second = strstr(list, "\"device\":2");
        assert_non_null(strstr(list, "{\"device\":1,"));
        assert_non_null(second);
        assert_non_null(strstr(second, "\"name\":\"kitchen\""));
        assert_non_null(strstr(second, "\"online\":true,\"own\":true"));
        assert_true(wire_number(second, "lastSeenMs") >= wire_number(second, "linkedAtMs"));
        wire_end(&tablet);
        (void)wire_waiting(&phone, 200);
        wire_say(&phone, "{\"listDevices\":{}}");
        list = strstr(wire_expect(&phone, "\"devices\""), "\"device\":2");
        assert_null(strstr(list, "\"online\"")); /* of the second, which stands last */
        end();
    }
}

static void
a_revoked_device_is_shown_out_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        link_tablet();
        (void)wire_waiting(&phone, 200);
        wire_say(&phone, "{\"ref\":\"4\",\"revokeDevice\":{\"device\":2}}");
        assert_int_equal(wire_closed(&tablet), PROTOCOL_CLOSE_REVOKED);
        wire_end(&tablet);
        (void)wire_waiting(&phone, 200);
        (void)wire_expect(&phone, "\"LINKED\"");
        const char *first = wire_hear(&phone);
        const char *second = wire_hear(&phone);
        bool answered = strstr(first, "\"ref\":\"4\",\"done\"") != NULL;
        const char *change = answered ? second : first;
        assert_true(answered || strstr(second, "\"ref\":\"4\",\"done\"") != NULL);
        assert_non_null(strstr(change, "\"change\":\"REVOKED\",\"device\":2,\"name\":\"tablet\""));

        wire_say(&phone, "{\"ref\":\"9\",\"revokeDevice\":{\"device\":2}}");
        (void)wire_expect(&phone, "\"ref\":\"9\",\"done\"");
        wire_say(&phone, "{\"ref\":\"9\",\"revokeDevice\":{\"device\":7}}");
        (void)wire_expect(&phone, "\"UNKNOWN_DEVICE\"");
        wire_say(&phone, "{\"renameDevice\":{\"device\":2,\"name\":\"x\"}}");
        (void)wire_expect(&phone, "\"UNKNOWN_DEVICE\"");
        wire_say(&phone, "{\"revokeDevice\":{\"device\":1}}"); /* itself */
        assert_int_equal(wire_closed(&phone), PROTOCOL_CLOSE_REVOKED);
        end();
    }
}

static void
frames_without_sense_are_refused(void **state)
{
    (void)state;
    begin(1);
    wire_say(&phone, "{\"revokeDevice\":{}}");
    (void)wire_expect(&phone, "revokeDevice.device: not 1 to 65535");
    wire_say(&phone, "{\"renameDevice\":{\"device\":65536,\"name\":\"x\"}}");
    (void)wire_expect(&phone, "renameDevice.device: not 1 to 65535");
    wire_say(&phone, "{\"renameDevice\":{\"device\":1,\"name\":\"a\\nb\"}}");
    (void)wire_expect(&phone, "\"NAME_INVALID\"");
    wire_open(&tablet, &world, PROTOCOL_JSON);
    wire_upgrade(&tablet, "");
    wire_say(&tablet, "{\"authenticate\":{\"linkCode\":{\"name\":\"alice\",\"code\":\"\"}}}");
    (void)wire_expect(&tablet, "authenticate.linkCode.code: not 1 to 64 bytes");
    wire_say(&tablet, "{\"authenticate\":{}}");
    (void)wire_expect(&tablet, "neither passwordLogin, linkCode nor token");
    wire_say(&tablet, "{\"createLinkCode\":{}}");
    (void)wire_expect(&tablet, "\"UNAUTHENTICATED\"");
    wire_end(&tablet);
    end();
}

/* Who has as many as are allowed links one when another is gone, with the same code. */
static void
too_many_devices_is_told(void **state)
{
    (void)state;
    char code[CODE_BYTES];
    begin(3);
    for (unsigned i = 1; i < world.settings.devices_max; i++) {
        link_tablet();
        wire_end(&tablet);
        (void)wire_expect(&phone, "\"LINKED\"");
    }
    code_get(code);
    wire_open(&tablet, &world, PROTOCOL_JSON);
    wire_upgrade(&tablet, "");
    say_code(&tablet, "alice", code);
    (void)wire_expect(&tablet, "\"TOO_MANY_DEVICES\"");
    wire_say(&phone, "{\"revokeDevice\":{\"device\":3}}");
    (void)wire_waiting(&phone, 200);
    say_code(&tablet, "alice", code);
    (void)wire_expect(&tablet, "\"welcome\"");
    wire_end(&tablet);
    end();
}

static void
the_operator_revokes(void **state)
{
    (void)state;
    static struct desk desk;
    begin(4);
    desk_open(&desk, &world);
    desk_ask(&desk, "user", "revoke", "alice", "1");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_int_equal(wire_closed(&phone), PROTOCOL_CLOSE_REVOKED);
    desk_ask(&desk, "user", "revoke", "alice", "1");
    assert_int_equal(desk.status, SHELL_UNKNOWN);
    assert_non_null(strstr(desk.document, "has no device 1"));
    desk_ask(&desk, "user", "revoke", "nobody", "1");
    assert_int_equal(desk.status, SHELL_UNKNOWN);
    desk_ask(&desk, "user", "revoke", "alice", "first");
    assert_int_equal(desk.status, SHELL_USAGE);
    desk_close(&desk);
    end();
}

static void
what_waited_for_it_alone_is_dropped(void **state)
{
    (void)state;
    begin(5);
    link_tablet();
    (void)wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    wire_say(&bob, "{\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},\"text\":\"hello\"}}");
    (void)wire_expect(&phone, "\"LINKED\"");
    uint64_t number = wire_number(wire_expect(&phone, "\"hello\""), "inboxNumber");
    char ack[96];
    (void)snprintf(ack, sizeof ack, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)number);
    wire_say(&phone, ack);
    (void)wire_waiting(&phone, 100);
    static struct desk desk;
    desk_open(&desk, &world);
    desk_ask(&desk, "inspect", "alice");
    assert_non_null(strstr(desk.document, "\"entries\":2,")); /* the link, and the message */
    wire_say(&phone, "{\"revokeDevice\":{\"device\":2}}");
    assert_int_equal(wire_closed(&tablet), PROTOCOL_CLOSE_REVOKED);
    wire_end(&tablet);
    (void)wire_waiting(&phone, 200);
    desk_ask(&desk, "inspect", "alice");
    assert_non_null(strstr(desk.document, "\"entries\":1,")); /* that it was revoked */
    desk_close(&desk);
    wire_end(&bob);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a code links a device, once", a_code_links_a_device),
        SPEC("a wrong code and a wrong name hear the same, after the same time",
             wrong_codes_and_names_hear_the_same),
        SPEC("wrong codes void the code", a_guesser_voids_the_code),
        SPEC("a code ends with its time", a_code_ends_with_its_time),
        SPEC("a crash in the middle of a linking leaves one device more, and no second",
             a_crash_links_once_or_not),
        SPEC("devices are listed and named", devices_are_listed_and_named),
        SPEC("a revoked device is shown out at once, and the others hear of it",
             a_revoked_device_is_shown_out_at_once),
        SPEC("frames without sense are refused by field", frames_without_sense_are_refused),
        SPEC("too many devices is told, and the code stays good", too_many_devices_is_told),
        SPEC("the operator revokes a device", the_operator_revokes),
        SPEC("what waited for a revoked device alone is dropped",
             what_waited_for_it_alone_is_dropped),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
