/* SPDX-License-Identifier: Apache-2.0 */
/* What the node is told of a message in one segment, Bob's ack and his markRead, Alice is told in
 * one event; what is refused of it takes nothing else with it, and what lies before it goes with
 * it. */
#include "tests/seeds.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(4), MESSAGES = 16, MASKED = 0x80, TEXT_FRAME = 0x81 };

static struct world world;
static struct wire alice, bob;
static uint64_t alice_id, bob_id;

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    alice_id = wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    bob_id = wire_join(&bob, &world, PROTOCOL_JSON, "bob");
}

static void
end(void)
{
    wire_end(&alice);
    wire_end(&bob);
    world_close(&world);
}

static size_t
frame_put(unsigned char *out, const char *text)
{
    size_t bytes = strlen(text);
    assert_true(bytes < 126);
    const unsigned char head[] = {TEXT_FRAME, (unsigned char)(MASKED | bytes), 0, 0, 0, 0};
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, text, bytes);
    return sizeof head + bytes;
}

/* Alice writes; the number of what Bob is shown in his inbox. */
static uint64_t
alice_writes(void)
{
    char text[128];
    (void)snprintf(text, sizeof text,
                   "{\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":\"hello\"}}",
                   (unsigned long long)bob_id);
    wire_say(&alice, text);
    const char *frame;
    do {
        frame = wire_hear(&bob);
        assert_non_null(frame);
    } while (strstr(frame, "newMessage") == NULL);
    return wire_number(frame, "inboxNumber");
}

/* Both in one segment. */
static void
bob_takes_and_reads(uint64_t inbox_number, uint64_t chat_number)
{
    unsigned char frames[256];
    char text[128];
    (void)snprintf(text, sizeof text, "{\"ref\":\"1\",\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)inbox_number);
    size_t bytes = frame_put(frames, text);
    (void)snprintf(
        text, sizeof text,
        "{\"ref\":\"2\",\"markRead\":{\"chat\":{\"userId\":\"%llu\"},\"chatNumber\":\"%llu\"}}",
        (unsigned long long)alice_id, (unsigned long long)chat_number);
    bytes += frame_put(frames + bytes, text);
    wire_send(&bob, frames, bytes);
}

/* The network cuts a segment now and then, so that its frames come apart. */
static void
both_ticks_come_at_once(void **state)
{
    unsigned ticks = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        unsigned from = alice.heard_count;
        for (unsigned n = 1; n <= MESSAGES; n++) {
            bob_takes_and_reads(alice_writes(), n);
            world_run(&world, 100);
            wire_acknowledge(&alice);
        }
        char last[64];
        (void)snprintf(last, sizeof last, "\"delivered\":\"%d\",\"read\":\"%d\"", MESSAGES,
                       MESSAGES);
        assert_non_null(wire_heard_soon(&alice, last));
        ticks += wire_heard_times(&alice, from, "\"receipts\"");
        end();
    }
    assert_in_range(ticks, SEEDS * MESSAGES, SEEDS * MESSAGES * 3 / 2);
}

static void
each_is_refused_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        uint64_t number = alice_writes();
        bob_takes_and_reads(number, 2);
        world_run(&world, 100);
        assert_non_null(wire_heard(&bob, 0, "\"ref\":\"1\",\"done\""));
        assert_non_null(wire_heard(&bob, 0, "\"ref\":\"2\",\"error\""));
        assert_non_null(wire_heard_soon(&alice, "\"delivered\":\"1\""));
        unsigned from = bob.heard_count;
        bob_takes_and_reads(number + 1, 1);
        world_run(&world, 100);
        assert_non_null(wire_heard(&bob, from, "\"ref\":\"1\",\"error\""));
        assert_non_null(wire_heard(&bob, from, "\"ref\":\"2\",\"done\""));
        assert_non_null(wire_heard_soon(&alice, "\"delivered\":\"1\",\"read\":\"1\""));
        end();
    }
}

static void
an_ack_counts_whose_mark_is_refused_behind_its_client(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        uint64_t number = alice_writes();
        bob_takes_and_reads(number, 2);
        wire_end(&bob);
        assert_non_null(wire_heard_soon(&alice, "\"delivered\":\"1\""));
        wire_return(&bob);
        end();
    }
}

/* Of those in one segment the last goes with the ack. */
static void
each_mark_is_answered(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        unsigned char frames[512];
        char text[128];
        begin(seed);
        uint64_t number = 0;
        for (unsigned n = 1; n <= 3; n++) {
            number = alice_writes();
        }
        (void)snprintf(text, sizeof text, "{\"ref\":\"9\",\"ack\":{\"inboxNumber\":\"%llu\"}}",
                       (unsigned long long)number);
        size_t bytes = frame_put(frames, text);
        for (unsigned n = 1; n <= 3; n++) {
            (void)snprintf(text, sizeof text,
                           "{\"ref\":\"%u\",\"markRead\":{\"chat\":{\"userId\":\"%llu\"},"
                           "\"chatNumber\":\"%u\"}}",
                           n, (unsigned long long)alice_id, n);
            bytes += frame_put(frames + bytes, text);
        }
        wire_send(&bob, frames, bytes);
        assert_non_null(wire_heard_soon(&alice, "\"delivered\":\"3\",\"read\":\"3\""));
        assert_int_equal(wire_heard_times(&bob, 0, "\"done\""), 4);
        end();
    }
}

/* Bob's app acknowledges all at once: its own tick, and what Alice wrote before. */
static void
what_lies_before_a_tick_is_taken_in(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        wire_say(&bob, "{\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},\"text\":\"hi\"}}");
        assert_non_null(wire_heard_soon(&alice, "\"newMessage\""));
        uint64_t number = alice_writes();
        wire_acknowledge(&alice);
        const char *tick = wire_heard_soon(&bob, "\"receipts\"");
        assert_non_null(tick);
        assert_true(wire_number(tick, "inboxNumber") > number);
        assert_null(wire_heard(&alice, 0, "\"receipts\""));
        wire_acknowledge(&bob);
        assert_non_null(wire_heard_soon(&alice, "\"delivered\":\"1\""));
        end();
    }
}

int
main(void)
{
    const struct CMUnitTest specs[] = {
        SPEC("what is acknowledged and read in one segment is one event", both_ticks_come_at_once),
        SPEC("an ack and a markRead in one segment are refused each alone", each_is_refused_alone),
        SPEC("an ack counts whose markRead is refused, though its client has left",
             an_ack_counts_whose_mark_is_refused_behind_its_client),
        SPEC("of several markReads behind an ack each is answered", each_mark_is_answered),
        SPEC("who acknowledges a tick has what was written before it, and the writer is told",
             what_lies_before_a_tick_is_taken_in),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
