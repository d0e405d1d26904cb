/* SPDX-License-Identifier: Apache-2.0 */
/* A full disk: what would fill it further is refused, what was accepted is safe, and when there is
 * room again everything goes on. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    DISK_BYTES = 64 << 20,
    LEFT_BYTES = 2 << 20,
    TEXT_BYTES = 8000,
    MESSAGES_MAX = 2000,
    SEEDS = SEEDS_OF(4),
};

static struct world world;
static struct wire alice, bob;
static uint64_t bob_id;

/* Something else that takes up the disk, but for LEFT_BYTES. */
static void
ballast(bool there)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/ballast", world.root);
    if (!there) {
        assert_int_equal(io_remove(world.driver, path), 0);
        return;
    }
    uint64_t free_bytes = 0;
    io_file file;
    assert_int_equal(io_free_bytes(world.driver, world.settings.data, &free_bytes), 0);
    assert_true(free_bytes > LEFT_BYTES);
    assert_int_equal(io_file_open(world.driver, path, IO_OPEN_WRITE | IO_OPEN_CREATE, &file), 0);
    assert_int_equal(io_file_allocate(world.driver, file, free_bytes - LEFT_BYTES), 0);
    io_file_close(world.driver, file);
}

static const char *
alice_is_answered(const char *command)
{
    const char *answer;
    wire_say(&alice, command);
    do {
        answer = wire_hear(&alice);
        assert_non_null(answer);
    } while (strstr(answer, "\"answer\"") == NULL); /* receipts come between */
    return answer;
}

/* What Alice's message of this number is answered with. */
static const char *
alice_sends(unsigned number)
{
    static char text[TEXT_BYTES + 256];
    int head = snprintf(text, sizeof text,
                        "{\"number\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
                        "\"text\":\"%06u ",
                        number, (unsigned long long)bob_id, number);
    memset(text + head, 'x', TEXT_BYTES);
    strcpy(text + head + TEXT_BYTES, "\"}}");
    return alice_is_answered(text);
}

/* What Alice's putting the chat away, or taking it back, is answered with. */
static const char *
alice_archives(unsigned chat, const char *value)
{
    char text[128];
    (void)snprintf(text, sizeof text,
                   "{\"setState\":{\"chat\":{\"userId\":\"%u\"},\"archived\":%s}}", chat, value);
    return alice_is_answered(text);
}

static void
people_log_in(void)
{
    wire_return(&alice);
    wire_return(&bob);
}

/* Bob hears the messages first .. last, once and in order, and acknowledges each tenth. */
static void
bob_hears(unsigned first, unsigned last)
{
    char text[128];
    for (unsigned n = first; n <= last; n++) {
        (void)snprintf(text, sizeof text, "\"text\":\"%06u ", n);
        const char *frame = wire_expect(&bob, text);
        if (n % 10 == 0 || n == last) {
            (void)snprintf(text, sizeof text, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                           (unsigned long long)wire_number(frame, "inboxNumber"));
            wire_say(&bob, text);
        }
    }
}

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    (void)wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    bob_id = wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    wire_end(&alice);
    wire_end(&bob);
    world.disk_bytes_max = DISK_BYTES;
    world_restart(&world);
}

static void
a_full_disk_refuses_and_recovers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        people_log_in();
        assert_non_null(strstr(alice_archives(7, "true"), "\"done\""));
        ballast(true);
        unsigned accepted = 0;
        const char *answer;
        do {
            answer = alice_sends(accepted + 1);
            accepted += strstr(answer, "\"sent\"") != NULL;
        } while (strstr(answer, "\"sent\"") != NULL && accepted < MESSAGES_MAX);
        assert_non_null(strstr(answer, "\"code\":\"STORAGE_FULL\""));
        assert_non_null(strstr(answer, "\"retryAfterMs\""));
        assert_in_range(accepted, 10, MESSAGES_MAX - 1);
        /* Nothing more is set, but it can be set back. */
        assert_non_null(strstr(alice_archives(8, "true"), "\"code\":\"STORAGE_FULL\""));
        assert_non_null(strstr(alice_archives(7, "false"), "\"done\""));
        /* What was accepted is heard, and acknowledgements are taken. */
        bob_hears(1, accepted);
        assert_int_equal(wire_waiting(&bob, 2000), 0);
        assert_true(messenger_counted(&world.messenger.counters.acks) >= accepted / 10);

        ballast(false);
        world_run(&world, 5000);
        for (unsigned n = 1; n <= 20; n++) {
            assert_non_null(strstr(alice_sends(accepted + n), "\"sent\""));
        }
        bob_hears(accepted + 1, accepted + 20);
        wire_end(&alice);
        wire_end(&bob);
        world_close(&world);
    }
}

static void
nothing_accepted_is_lost_when_a_full_node_crashes(void **state)
{
    (void)state;
    for (uint64_t seed = 5; seed <= 4 + SEEDS; seed++) {
        begin(seed);
        people_log_in();
        wire_end(&bob);
        ballast(true);
        unsigned accepted = 0;
        while (strstr(alice_sends(accepted + 1), "\"sent\"") != NULL) {
            accepted++;
            assert_true(accepted < MESSAGES_MAX);
        }
        wire_end(&alice);
        world_crash(&world);
        people_log_in();
        bob_hears(1, accepted);
        assert_int_equal(wire_waiting(&bob, 2000), 0);
        wire_end(&alice);
        wire_end(&bob);
        world_close(&world);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a full disk refuses messages, takes acknowledgements, and goes on when there is room",
             a_full_disk_refuses_and_recovers),
        SPEC("nothing that was accepted is lost when a full node crashes",
             nothing_accepted_is_lost_when_a_full_node_crashes),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
