/* SPDX-License-Identifier: Apache-2.0 */
/* A live connection and the store: what a connection is told when it lags, when its device loses
 * its place, and what it finds out by itself when it was told nothing. */
#include "store/store_priv.h"
#include "tests/sim/reaper.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { IDLE_MS = 8000 };

static struct world world;
static struct wire alice, laptop, phone;
static uint64_t alice_id, bob_id;
static unsigned number;

/* With limits of one's own, from the first connection on, and a guest (NULL: none). */
static void
begin(uint64_t seed, uint32_t entries_max, bool lost_pushes, const struct ln_child *guest)
{
    world_open_with(&world, seed, guest != NULL ? *guest : (struct ln_child){0});
    world.settings.limits.idle_timeout_ms = IDLE_MS;
    world.settings.inbox_entries_max = entries_max;
    world.lost_pushes = lost_pushes;
    world_restart(&world);
    number = 0;
    alice_id = wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    bob_id = wire_join(&laptop, &world, PROTOCOL_JSON, "bob");
}

static void
end(void)
{
    wire_end(&alice);
    wire_end(&laptop);
    assert_string_equal(world.broken, "");
    world_close(&world);
}

static uint64_t
violations(void)
{
    return messenger_counted(&world.messenger.counters.invariant_violations);
}

static void
alice_writes(void)
{
    char text[160];
    number++;
    (void)snprintf(text, sizeof text,
                   "{\"number\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
                   "\"text\":\"no %u\"}}",
                   number, (unsigned long long)bob_id, number);
    wire_say(&alice, text);
}

static void
acknowledge(struct wire *wire, const char *heard)
{
    char ack[96];
    (void)snprintf(ack, sizeof ack, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)wire_number(heard, "inboxNumber"));
    wire_say(wire, ack);
}

/* The next frame with this in it, whatever comes before it. */
static const char *
hear_until(struct wire *wire, const char *part)
{
    const char *heard;
    do {
        heard = wire_hear(wire);
        if (heard == NULL) {
            fail_msg("no frame with %s", part);
        }
    } while (strstr(heard, part) == NULL);
    return heard;
}

static const char *
hear_text(struct wire *wire, unsigned n)
{
    char text[32];
    (void)snprintf(text, sizeof text, "\"text\":\"no %u\"", n);
    return hear_until(wire, text);
}

/* Nobody is silent for so long that he is closed. */
static void
stay(unsigned ms)
{
    for (unsigned at = 0; at < ms; at += IDLE_MS / 4) {
        wire_say(&alice, "{\"ping\":{}}");
        wire_say(&laptop, "{\"ping\":{}}");
        world_run(&world, IDLE_MS / 4);
    }
}

/* ---------------------------------------------------------------------------------------- a gap */

static void
a_gap_is_found_and_delivered(void **state)
{
    (void)state;
    begin(1, 1000, true, NULL);
    alice_writes();
    (void)hear_until(&alice, "\"sent\"");
    assert_int_equal(wire_waiting(&laptop, 500), 0);
    stay(3 * IDLE_MS);
    (void)hear_text(&laptop, 1);
    assert_true(violations() > 0);
    end();
}

static void
a_healthy_node_has_no_gap(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        begin(seed, 1000, false, NULL);
        for (unsigned i = 0; i < 12; i++) {
            alice_writes();
            acknowledge(&laptop, hear_text(&laptop, number));
            stay(IDLE_MS / 2);
        }
        assert_int_equal(violations(), 0);
        end();
    }
}

/* Partitions' actors end, again and again: who is connected stays so, and is told everything. */
static void
a_partition_that_ends_forgets_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct reaper reaper = {
            .world = &world, .pause_ms_min = 20, .pause_ms_spread = 40, .only = "partition"};
        struct ln_child guest = reaper_child(&reaper);
        begin(seed, 1000, false, &guest);
        for (unsigned i = 0; i < 6; i++) {
            reaper.kills_left = 100;
            stay(IDLE_MS);
            reaper.kills_left = 0;
            stay(IDLE_MS);
            alice_writes();
            acknowledge(&laptop, hear_text(&laptop, number));
        }
        assert_true(reaper.kills > 100);
        assert_int_equal(violations(), 0);
        end();
    }
}

/* ---------------------------------------------------------------------------- resync and behind */

static void
a_live_device_that_loses_its_place_goes_on(void **state)
{
    (void)state;
    enum { ENTRIES_MAX = 5 };
    begin(21, ENTRIES_MAX, false, NULL);
    (void)wire_join(&phone, &world, PROTOCOL_JSON, "bob");
    for (unsigned i = 1; i <= ENTRIES_MAX + 1; i++) {
        alice_writes();
        acknowledge(&laptop, hear_text(&laptop, i));
        (void)wire_waiting(&laptop, 100);
    }
    const char *resync = hear_until(&phone, "\"resync\""); /* it acknowledged nothing */
    assert_non_null(strstr(resync, "INBOX_FULL"));
    acknowledge(&phone, resync);
    alice_writes();
    acknowledge(&phone, hear_text(&phone, number));
    alice_writes();
    (void)hear_text(&phone, number);
    assert_false(phone.ended);
    stay(2 * IDLE_MS);
    assert_int_equal(violations(), 0);
    wire_end(&phone);
    end();
}

/* What a partition does with a session whose mailbox was full: it tells nothing more, and says
 * so. */
static struct attached_session *
session_of_laptop(void)
{
    struct partition *partition =
        &world.store->partitions[store_user_partition(world.store, bob_id)];
    return attached_find(&partition->attached, bob_id, 1);
}

static ln_pid behind; /* whom the guest tells so; 0: nobody */

static void
teller_run(void *state)
{
    (void)state;
    while (ln_sleep(10) == 0) {
        if (behind != 0) {
            struct ln_msg *msg = ln_msg_new(STORE_BEHIND, LN_REPLY, sizeof(struct store_notice));
            *(struct store_notice *)(void *)msg->data = (struct store_notice){.user = bob_id};
            ln_send(behind, &msg);
            behind = 0;
        }
    }
}

static int
teller_start(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    return 0;
}

static const struct ln_behaviour teller = {
    .name = "teller", .state_bytes = 8, .init = teller_start, .run = teller_run};

static void
a_live_device_that_was_behind_has_everything(void **state)
{
    (void)state;
    struct ln_child guest = {.id = "teller", .behaviour = &teller, .restart = LN_TEMPORARY};
    begin(22, 1000, false, &guest);
    alice_writes();
    (void)hear_text(&laptop, 1);
    session_of_laptop()->behind = true;
    alice_writes();
    alice_writes();
    (void)hear_until(&alice, "\"number\":\"3\"");
    assert_int_equal(wire_waiting(&laptop, 500), 0);
    behind = session_of_laptop()->pid;
    (void)hear_text(&laptop, 2);
    acknowledge(&laptop, hear_text(&laptop, 3));
    alice_writes();
    (void)hear_text(&laptop, 4); /* pushed again */
    assert_false(session_of_laptop()->behind);
    assert_int_equal(violations(), 0);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what a connection was not told it finds out, gets, and counts",
             a_gap_is_found_and_delivered),
        SPEC("an audit of a healthy node finds nothing", a_healthy_node_has_no_gap),
        SPEC("connections outlive their partition's actor, and are told everything",
             a_partition_that_ends_forgets_nobody),
        SPEC("a device that loses its place while it is connected is told, and goes on",
             a_live_device_that_loses_its_place_goes_on),
        SPEC("a connection that was behind reads what it missed, once",
             a_live_device_that_was_behind_has_everything),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
