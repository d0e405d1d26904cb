/* SPDX-License-Identifier: Apache-2.0 */
/* Credit in both directions: what a client has not acknowledged, what the node has not answered,
 * what nobody reads. */
#include "runtime/inspect.h"
#include "tests/sim/judge.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

static struct world world;
static struct wire alice, bob;
static uint64_t bob_id;

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    (void)wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    bob_id = wire_join(&bob, &world, seed % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON, "bob");
}

static void
end(void)
{
    wire_end(&alice);
    wire_end(&bob);
    world_close(&world);
}

/* Alice writes `count` messages of `bytes` each to Bob, and hears that all were sent. */
static void
alice_writes(unsigned count, size_t bytes)
{
    static char text[65536];
    char body[32768];
    memset(body, 'x', bytes);
    body[bytes] = '\0';
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":\"%s\"}}",
                       (unsigned long long)bob_id, body);
        wire_say(&alice, text);
        if (i % 32 == 31 || i + 1 == count) {
            for (unsigned j = 0; j <= i % 32; j++) {
                (void)wire_expect(&alice, "\"sent\"");
            }
        }
    }
}

static void
bob_acks(uint64_t number)
{
    char text[128];
    (void)snprintf(text, sizeof text, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)number);
    wire_say(&bob, text);
}

/* The number of the last of so many messages. */
static uint64_t
bob_hears(unsigned count)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t next = wire_number(wire_expect(&bob, "\"newMessage\""), "inboxNumber");
        assert_true(next > number);
        number = next;
    }
    return number;
}

static void
who_does_not_acknowledge_gets_256_entries(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        begin(seed);
        alice_writes(600, 10);
        assert_int_equal(wire_waiting(&bob, 1000), 256);
        uint64_t number = bob_hears(256);
        bob_acks(number - 1); /* all but one */
        assert_int_equal(wire_waiting(&bob, 1000), 255);
        number = bob_hears(255);
        bob_acks(number);
        assert_int_equal(wire_waiting(&bob, 1000), 600 - 256 - 255);
        (void)bob_hears(600 - 256 - 255);
        end();
    }
}

/* Alice makes a group of both, which Bob hears of. */
static uint64_t
alice_founds(void)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "{\"number\":\"1\",\"createChat\":{\"name\":\"we\",\"participants\":[{"
                   "\"userId\":\"%llu\"}]}}",
                   (unsigned long long)bob_id);
    wire_say(&alice, text);
    uint64_t group = wire_number(wire_expect(&alice, "\"groupId\""), "groupId");
    (void)wire_expect(&bob, "\"chatUpdate\"");
    (void)wire_waiting(&alice, 1000);
    wire_forget(&alice);
    return group;
}

/* What a group says at once is pushed at once: of that, too, as much as there is credit for. */
static void
of_what_a_group_says_at_once_comes_what_there_is_credit_for(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        char text[128];
        begin(seed);
        uint64_t group = alice_founds();
        (void)snprintf(text, sizeof text,
                       "{\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"text\":\"more\"}}",
                       (unsigned long long)group);
        for (unsigned i = 0; i < 600; i++) {
            wire_say(&alice, text);
            if (i % 50 == 49) {
                (void)wire_waiting(&alice, 1000);
            }
        }
        assert_int_equal(wire_waiting(&bob, 2000), 255); /* and the update */
        bob_acks(bob_hears(255));
        assert_int_equal(wire_waiting(&bob, 2000), 256);
        bob_acks(bob_hears(256));
        assert_int_equal(wire_waiting(&bob, 2000), 600 - 255 - 256);
        (void)bob_hears(600 - 255 - 256);
        end();
    }
}

static void
who_does_not_acknowledge_gets_256_kib(void **state)
{
    (void)state;
    for (uint64_t seed = 5; seed <= 8; seed++) {
        begin(seed);
        alice_writes(40, 16000);
        /* The one that crosses the limit is still sent. */
        assert_int_equal(wire_waiting(&bob, 1000), 17);
        bob_acks(bob_hears(17));
        assert_int_equal(wire_waiting(&bob, 1000), 17);
        end();
    }
}

static void
an_acknowledgement_of_what_never_was_is_an_error_and_no_credit(void **state)
{
    (void)state;
    begin(9);
    alice_writes(300, 10);
    assert_int_equal(wire_waiting(&bob, 1000), 256);
    uint64_t number = bob_hears(256);
    bob_acks(number + 1000000);
    (void)wire_expect(&bob, "\"OUT_OF_RANGE\",\"text\":\"ack.inboxNumber");
    assert_int_equal(wire_waiting(&bob, 1000), 0);
    bob_acks(number);
    assert_int_equal(wire_waiting(&bob, 1000), 44);
    bob_acks(number - 5); /* back: no effect */
    wire_say(&bob, "{\"ref\":\"5\",\"ping\":{}}");
    (void)bob_hears(44);
    (void)wire_expect(&bob, "\"ref\":\"5\"");
    end();
}

static void
entries_acknowledged_unseen_are_not_sent(void **state)
{
    (void)state;
    begin(10);
    alice_writes(300, 10);
    assert_int_equal(wire_waiting(&bob, 1000), 256);
    uint64_t number = bob_hears(256);
    /* What Alice writes next has a number that Bob can guess from the last. */
    bob_acks(number + 40);
    (void)wire_waiting(&bob, 1000);
    uint64_t next = wire_number(wire_expect(&bob, "\"newMessage\""), "inboxNumber");
    assert_true(next > number + 40);
    end();
}

/* 1,000 commands in one piece: each is answered, in order, though 64 are under way at most. */
static void
a_flood_of_commands_is_answered_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 16; seed++) {
        begin(seed);
        char text[256];
        for (unsigned i = 1; i <= 1000; i++) {
            (void)snprintf(text, sizeof text,
                           "{\"number\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
                           "\"text\":\"%u\"}}",
                           i, (unsigned long long)bob_id, i);
            wire_say(&alice, text);
        }
        for (unsigned i = 1; i <= 1000; i++) {
            (void)snprintf(text, sizeof text, "\"answer\":{\"number\":\"%u\",\"sent\"", i);
            (void)wire_expect(&alice, text);
        }
        assert_int_equal(wire_waiting(&alice, 1000), 0);
        end();
    }
}

static uint32_t commands_most;

static void
watcher_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    for (unsigned scheduler = 0; scheduler < ln_schedulers(); scheduler++) {
        uint32_t slot = 0, count = 0;
        struct ln_actor_info *list = ln_alloc(LN_INSPECT_PAGE * sizeof *list);
        char text[LN_INSPECT_TEXT_MAX];
        struct ln_actor_info info;
        do {
            if (ln_inspect_list(scheduler, &slot, list, LN_INSPECT_PAGE, &count) != 0) {
                break;
            }
            for (uint32_t i = 0; i < count; i++) {
                unsigned commands = 0;
                if (strcmp(list[i].behaviour, "connection") == 0 &&
                    ln_inspect_actor(list[i].pid, &info, text) == 0 &&
                    sscanf(strstr(text, "commands="), "commands=%u", &commands) == 1 &&
                    commands > commands_most) {
                    commands_most = commands;
                }
            }
        } while (slot != 0);
        ln_free(list);
    }
    (void)ln_send_after(1, ln_self(), msg);
}

static int
watcher_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    struct ln_msg *msg = ln_msg_new(1, LN_REPLY, 0);
    (void)ln_send_after(1, ln_self(), &msg);
    return 0;
}

static const struct ln_behaviour watcher = {
    .name = "watcher", .init = watcher_init, .handle = watcher_handle};

static void
no_more_than_64_commands_are_under_way(void **state)
{
    (void)state;
    world_open_with(&world, 17, (struct ln_child){.id = "watcher", .behaviour = &watcher});
    bob_id = wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    commands_most = 0;
    char text[256];
    for (unsigned i = 1; i <= 1000; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"number\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
                       "\"text\":\"%u\"}}",
                       i, (unsigned long long)bob_id, i);
        wire_say(&alice, text);
    }
    unsigned answers = 0;
    while (answers < 1000) {
        const char *frame = wire_hear(&alice);
        assert_non_null(frame);
        answers += strstr(frame, "\"sent\"") != NULL;
    }
    assert_in_range(commands_most, 32, 64);
    wire_end(&alice);
    world_close(&world);
}

static void
who_does_not_read_is_not_read(void **state)
{
    (void)state;
    for (uint64_t seed = 18; seed <= 20; seed++) {
        begin(seed);
        char ping[512] = "{\"ping\":{\"data\":\"";
        memset(ping + strlen(ping), 'A', 164);
        strcat(ping, "\"}}");
        sim_peer_pause(bob.peer, true);
        for (unsigned i = 0; i < 20000; i++) {
            wire_say(&bob, ping);
        }
        world_run(&world, 2000);
        /* 5 MB of pings are on their way; the node has taken in what it can owe an answer to. */
        assert_true(messenger_counted(&world.messenger.counters.frames_received) < 2500);
        wire_say(&alice, "{\"ping\":{}}");
        (void)wire_expect(&alice, "\"pong\"");
        assert_int_equal(messenger_counted(&world.messenger.counters.slow), 0);
        world_run(&world, 65000);
        assert_int_equal(messenger_counted(&world.messenger.counters.slow), 1);
        assert_int_equal(messenger_counted(&world.messenger.counters.connections), 1);
        end();
    }
}

static void
who_reads_late_hears_everything(void **state)
{
    (void)state;
    for (uint64_t seed = 21; seed <= 24; seed++) {
        begin(seed);
        char text[256];
        sim_peer_pause(bob.peer, true);
        for (unsigned i = 1; i <= 3000; i++) {
            (void)snprintf(
                text, sizeof text,
                "{\"ref\":\"%u\",\"ping\":{\"data\":\"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"
                "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\"}}",
                i);
            wire_say(&bob, text);
        }
        world_run(&world, 20000);
        sim_peer_pause(bob.peer, false);
        for (unsigned i = 1; i <= 3000; i++) {
            (void)snprintf(text, sizeof text, "\"ref\":\"%u\"", i);
            (void)wire_expect(&bob, text);
        }
        end();
    }
}

static void
a_silent_client_is_pinged_and_then_closed(void **state)
{
    (void)state;
    begin(25);
    world.messenger.limits.idle_timeout_ms = 10000;
    wire_end(&bob);
    wire_open(&bob, &world, PROTOCOL_JSON);
    wire_login(&bob, alice.token); /* replaces Alice's connection */
    /* It answers pings: it stays. */
    world_run(&world, 60000);
    assert_false(bob.ended);
    /* It does not: it goes. */
    sim_peer_pause(bob.peer, true);
    world_run(&world, 30000);
    assert_int_equal(messenger_counted(&world.messenger.counters.idle), 1);
    sim_peer_pause(bob.peer, false);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("who does not acknowledge gets 256 entries, and more when he does",
             who_does_not_acknowledge_gets_256_entries),
        SPEC("of what a group says at once comes as much as there is credit for",
             of_what_a_group_says_at_once_comes_what_there_is_credit_for),
        SPEC("who does not acknowledge gets 256 KiB, and more when he does",
             who_does_not_acknowledge_gets_256_kib),
        SPEC("an acknowledgement of what never was is an error and brings no credit",
             an_acknowledgement_of_what_never_was_is_an_error_and_no_credit),
        SPEC("entries that were acknowledged unseen are not sent",
             entries_acknowledged_unseen_are_not_sent),
        SPEC("a flood of commands is answered in order", a_flood_of_commands_is_answered_in_order),
        SPEC("no more than 64 commands of a connection are under way",
             no_more_than_64_commands_are_under_way),
        SPEC("who does not read is not read, disturbs nobody, and is closed",
             who_does_not_read_is_not_read),
        SPEC("who reads late hears everything", who_reads_late_hears_everything),
        SPEC("a client that answers pings stays, one that does not is closed",
             a_silent_client_is_pinged_and_then_closed),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
