/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of all lengths arrive as they were written: whether an event is copied on its way to the
 * socket or leaves by reference depends on how long it is, on the form, and on what tells of it. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 30000, SEEDS = 4 };

/* Around what is encoded on the stack, what is copied, what a block of output holds. */
static const unsigned lengths[] = {1,    120,  130,  480,  511,  512,  513,           800,
                                   900,  940,  960,  980,  990,  1000, 1023,          1024,
                                   1025, 1100, 2000, 4095, 4096, 9000, TEXT_BYTES_MAX};
enum { LENGTHS = sizeof lengths / sizeof lengths[0] };

static struct world world;
static struct wire alice, bob[2];
static uint64_t bob_id;

static const char *
text_of(unsigned bytes)
{
    static char text[TEXT_BYTES_MAX + 1];
    for (unsigned i = 0; i < bytes; i++) {
        text[i] = (char)('a' + (i * 7 + i / 26 + bytes) % 26);
    }
    text[bytes] = '\0';
    return text;
}

/* Each second one has an attachment. */
static void
alice_writes(unsigned which)
{
    static char command[2 * TEXT_BYTES_MAX];
    const char *attached = "";
    if (which % 2 == 0) {
        attached = ",\"attachments\":[{\"reference\":\"https://files.example/of-alice\","
                   "\"mediaType\":\"text/plain\",\"sizeBytes\":\"5\"}]";
    }
    (void)snprintf(command, sizeof command,
                   "{\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":\"%s\"%s}}",
                   (unsigned long long)bob_id, text_of(lengths[which]), attached);
    wire_say(&alice, command);
}

static void
alice_writes_all(void)
{
    for (unsigned i = 0; i < LENGTHS; i++) {
        alice_writes(i);
    }
    for (unsigned i = 0; i < LENGTHS; i++) {
        (void)wire_expect(&alice, "\"sent\"");
    }
}

/* The next message; news of devices are passed over. */
static const char *
hear_message(struct wire *wire)
{
    const char *heard = wire_hear(wire);
    while (heard != NULL && strstr(heard, "\"newMessage\"") == NULL) {
        heard = wire_hear(wire);
    }
    assert_non_null(heard);
    return heard;
}

static void
hears_all(struct wire *wire)
{
    static char part[TEXT_BYTES_MAX + 16];
    for (unsigned i = 0; i < LENGTHS; i++) {
        (void)snprintf(part, sizeof part, "\"text\":\"%s\"", text_of(lengths[i]));
        const char *heard = hear_message(wire);
        assert_non_null(strstr(heard, part));
        assert_int_equal(strstr(heard, "of-alice") != NULL, i % 2 == 0);
    }
}

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    wire_open(&alice, &world, seed % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON);
    wire_enrol(&alice, "alice");
    wire_open(&bob[0], &world, PROTOCOL_BINARY);
    wire_enrol(&bob[0], "bob");
    wire_open(&bob[1], &world, PROTOCOL_JSON);
    wire_enrol(&bob[1], "bob");
    bob_id = wire_number(bob[0].heard[0], "userId");
}

static void
end(void)
{
    wire_end(&alice);
    wire_end(&bob[0]);
    wire_end(&bob[1]);
    world_close(&world);
}

static void
texts_of_all_lengths_are_pushed_as_written(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        alice_writes_all();
        hears_all(&bob[0]);
        hears_all(&bob[1]);
        end();
    }
}

static void
texts_of_all_lengths_are_read_in_pages_as_written(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        for (unsigned i = 0; i < 2; i++) {
            char token[PROTOCOL_TOKEN_BYTES_MAX + 1];
            enum protocol_form form = bob[i].form;
            memcpy(token, bob[i].token, sizeof token);
            wire_end(&bob[i]);
            wire_open(&bob[i], &world, form);
            memcpy(bob[i].token, token, sizeof token);
        }
        alice_writes_all();
        for (unsigned i = 0; i < 2; i++) {
            wire_login(&bob[i], bob[i].token);
            hears_all(&bob[i]);
        }
        end();
    }
}

static void
who_is_gone_with_long_texts_unread_leaves_nothing_behind(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        sim_peer_pause(bob[0].peer, true);
        alice_writes_all();
        hears_all(&bob[1]);
        end(); /* the first device has taken little of it; the world looks for what is left */
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("texts of all lengths are pushed to both forms as they were written",
             texts_of_all_lengths_are_pushed_as_written),
        SPEC("texts of all lengths are read in pages as they were written",
             texts_of_all_lengths_are_read_in_pages_as_written),
        SPEC("who is gone with long texts unread leaves nothing behind",
             who_is_gone_with_long_texts_unread_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
