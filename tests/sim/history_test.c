/* SPDX-License-Identifier: Apache-2.0 */
/* What was said, asked for by a device that was not there yet, through power cuts. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CUTS = 12, CUT_STEP = 23, MESSAGES = 4 };

static struct world world;
static struct wire alice, bob, fresh;
static uint64_t alice_id;
static bool met; /* there is a fresh one */

static void
until_read(struct settings *settings)
{
    settings->delete_after = DELETE_AFTER_READ;
}

static void
for_days(struct settings *settings)
{
    settings->history_ms = 30 * STORE_DAY_MS;
}

static void
begin(uint64_t seed, void (*set)(struct settings *settings))
{
    world_fresh(&world, seed);
    world.set = set;
    world_begin(&world);
    alice_id = wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    (void)wire_join(&bob, &world, PROTOCOL_JSON, "bob");
}

static void
end(void)
{
    wire_end(&alice);
    wire_end(&bob);
    wire_end(&fresh);
    met = false;
    world_close(&world);
}

static void
come_back(struct wire *wire)
{
    wire_end(wire);
    wire_return(wire);
}

static void
cut(uint64_t events)
{
    world_crash_within(&world, events, 2000);
    come_back(&alice);
    come_back(&bob);
}

static void
acknowledge(struct wire *wire)
{
    (void)wire_waiting(wire, 500);
    wire_acknowledge(wire);
}

/* Until it is sent, as clients do. */
static void
write_until_sent(uint64_t number)
{
    char command[256];
    char part[64];
    (void)snprintf(part, sizeof part, "{\"answer\":{\"number\":\"%" PRIu64 "\",\"sent\"", number);
    (void)snprintf(command, sizeof command,
                   "{\"number\":\"%" PRIu64 "\",\"sendMessage\":{\"chat\":{\"userName\":\"bob\"},"
                   "\"text\":\"said %" PRIu64 "\",\"contentKind\":%u}}",
                   number, number, (unsigned)(number % 2 + 1));
    for (unsigned tries = 0; wire_heard(&alice, 0, part) == NULL; tries++) {
        assert_true(tries < 20);
        wire_say(&alice, command);
        (void)wire_waiting(&alice, 500);
    }
}

static void
read_until_done(uint64_t chat_number)
{
    char command[256];
    (void)snprintf(command, sizeof command,
                   "{\"ref\":\"31\",\"markRead\":{\"chat\":{\"userId\":\"%" PRIu64
                   "\"},\"chatNumber\":\"%" PRIu64 "\"}}",
                   alice_id, chat_number);
    for (unsigned tries = 0; wire_heard(&bob, 0, "\"ref\":\"31\",\"done\"") == NULL; tries++) {
        assert_true(tries < 20);
        wire_say(&bob, command);
        (void)wire_waiting(&bob, 500);
    }
}

/* What a new device of bob's finds, as the numbers that were said. */
static const char *
told(enum protocol_form form, const char *narrowed)
{
    static char text[64];
    char command[256];
    size_t used = 0;
    if (met) {
        wire_end(&fresh);
    }
    met = true;
    (void)wire_join(&fresh, &world, form, "bob");
    (void)wire_waiting(&fresh, 500);
    unsigned from = fresh.heard_count;
    (void)snprintf(command, sizeof command,
                   "{\"ref\":\"9\",\"getHistory\":{\"chat\":{\"userId\":\"%" PRIu64
                   "\"},\"forward\":true%s}}",
                   alice_id, narrowed);
    wire_say(&fresh, command);
    (void)wire_waiting(&fresh, 500);
    assert_non_null(wire_heard(&fresh, from, "\"history\""));
    for (unsigned i = from; i < fresh.heard_count; i++) {
        const char *said = strstr(fresh.heard[i], "\"text\":\"said ");
        if (said != NULL && strstr(fresh.heard[i], "\"inboxNumber\"") == NULL) {
            text[used++] = said[strlen("\"text\":\"said ")];
        }
    }
    text[used] = '\0';
    return text;
}

static void
keeps_what_is_unread(void **state)
{
    (void)state;
    for (unsigned step = 0; step < CUTS; step++) {
        begin(200 + step, until_read);
        assert_non_null(wire_heard(&bob, 0, "\"historyUntilRead\":true"));
        for (uint64_t number = 1; number <= MESSAGES; number++) {
            write_until_sent(number);
        }
        acknowledge(&bob);
        cut(1 + (uint64_t)step * CUT_STEP);
        acknowledge(&bob);
        assert_string_equal(told(PROTOCOL_BINARY, ""), "1234");
        wire_say(&bob, "{\"markRead\":{\"chat\":{\"userName\":\"alice\"},\"chatNumber\":\"2\"}}");
        cut(1 + (uint64_t)step * CUT_STEP);
        read_until_done(2);
        assert_string_equal(told(PROTOCOL_JSON, ""), "34");
        world_run(&world, 60000); /* it is swept */
        cut(1 + (uint64_t)step * CUT_STEP);
        assert_string_equal(told(PROTOCOL_JSON, ""), "34");
        end();
    }
}

static void
tells_kinds_and_states(void **state)
{
    (void)state;
    begin(300, for_days);
    for (uint64_t number = 1; number <= MESSAGES; number++) {
        write_until_sent(number);
    }
    acknowledge(&bob);
    cut(400);
    read_until_done(2);
    assert_string_equal(told(PROTOCOL_BINARY, ",\"contentKind\":1"), "24");
    assert_non_null(wire_heard(&fresh, 0, "\"contentKind\":1,\"state\":\"READ\""));
    assert_string_equal(told(PROTOCOL_JSON, ",\"contentKind\":2"), "13");
    assert_non_null(wire_heard(&fresh, 0, "\"contentKind\":2,\"state\":\"DELIVERED\""));
    assert_string_equal(told(PROTOCOL_JSON, ",\"contentKind\":3"), "");
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("with delete_after = read a new device finds what is unread, and nothing else, "
             "wherever the power goes",
             keeps_what_is_unread),
        SPEC("a history is told by kind, with the state of each message", tells_kinds_and_states),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
