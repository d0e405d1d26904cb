/* SPDX-License-Identifier: Apache-2.0 */
/* Presence and typing give way: whatever of them there is, messages come in their order, all of
 * them. */
#include "tests/sim/pair.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    MESSAGES = 120,
    SIGNS_EACH = 40, /* of life, and of typing, with each message */
};

static void
alice_writes(unsigned n)
{
    char text[192];
    (void)snprintf(text, sizeof text,
                   "{\"number\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
                   "\"text\":\"message %u\"}}",
                   n, (unsigned long long)pair.bob_id, n);
    wire_say(&pair.alice, text);
}

/* All that was written is there once, in its order; returns how much else there was. */
static unsigned
expect_messages(struct wire *wire)
{
    unsigned others = 0;
    unsigned next = 1;
    for (unsigned i = 0; i < wire->heard_count; i++) {
        char wanted[64];
        (void)snprintf(wanted, sizeof wanted, "\"text\":\"message %u\"", next);
        if (strstr(wire->heard[i], "\"text\":\"message ") == NULL) {
            others++;
        } else if (strstr(wire->heard[i], wanted) != NULL) {
            next++;
        } else {
            fail_msg("seed %llu: expected message %u, heard %s",
                     (unsigned long long)pair.world.seed, next, wire->heard[i]);
        }
    }
    assert_int_equal(next, MESSAGES + 1);
    return others;
}

static void
flood(void)
{
    for (unsigned i = 0; i < SIGNS_EACH; i++) {
        wire_say(&pair.alice, i % 2 == 0 ? PAIR_AWAY : PAIR_ACTIVE);
        pair_say(&pair.alice, i % 2 == 0 ? PAIR_TYPES : PAIR_RECORDS, pair.bob_id);
    }
}

static void
messages_come_in_their_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"presence\"");
        for (unsigned n = 1; n <= MESSAGES; n++) {
            alice_writes(n);
            flood();
            world_run(&pair.world, 50);
        }
        world_run(&pair.world, 5 * SECOND);
        (void)expect_messages(&pair.bob);
        unsigned told = 0;
        for (unsigned i = 0; i < pair.bob.heard_count; i++) {
            told += strncmp(pair.bob.heard[i], "{\"presence\"", 11) == 0 ||
                    strncmp(pair.bob.heard[i], "{\"typing\"", 9) == 0;
        }
        /* Twice a second at most, in MESSAGES / 20 + 5 of them. */
        assert_in_range(told, 4, 2 * (MESSAGES / 20 + 6));
        pair_end();
    }
}

enum { LONG_MESSAGES = 12, LONG_BYTES = 16000 };

static void
alice_writes_at_length(void)
{
    static char text[LONG_BYTES + 256];
    int bytes =
        snprintf(text, sizeof text, "{\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":\"",
                 (unsigned long long)pair.bob_id);
    memset(text + bytes, 'x', LONG_BYTES);
    memcpy(text + bytes + LONG_BYTES, "\"}}", 4);
    wire_say(&pair.alice, text);
    world_run(&pair.world, 100);
}

static void
who_does_not_read_gets_the_messages_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        pair_begin(seed);
        const struct messenger_counters *counters = &pair.world.messenger.counters;
        pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
        (void)pair_expect(&pair.bob, "\"presence\"");
        sim_peer_pause(pair.bob.peer, true);
        for (unsigned i = 0; i < LONG_MESSAGES; i++) {
            alice_writes_at_length();
        }
        world_run(&pair.world, 2 * SECOND);
        uint64_t before = messenger_counted(&counters->presence_events);
        for (unsigned i = 0; i < 10; i++) {
            wire_say(&pair.alice, i % 2 == 0 ? PAIR_ACTIVE : PAIR_AWAY);
            pair_say(&pair.alice, PAIR_TYPES, pair.bob_id);
            world_run(&pair.world, 1200);
        }
        assert_in_range(messenger_counted(&counters->presence_dropped), 15, 25);
        assert_int_equal(messenger_counted(&counters->presence_events), before);
        sim_peer_pause(pair.bob.peer, false);
        for (unsigned i = 0; i < LONG_MESSAGES; i++) {
            assert_true(strlen(pair_await(&pair.bob, "\"newMessage\"")) > LONG_BYTES);
        }
        /* And what changes from now on is told again. */
        wire_say(&pair.alice, PAIR_ACTIVE);
        (void)pair_await(&pair.bob, "\"online\":true");
        pair_end();
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("while presence and typing are flooded messages come in their order, all of them",
             messages_come_in_their_order),
        SPEC("who does not read gets messages, and presence is left out",
             who_does_not_read_gets_the_messages_alone),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
