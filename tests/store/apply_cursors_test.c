/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/world_spec.h"

#include <errno.h>
#include <stdio.h>

static struct world_plan plan = {
    .seed = 4, .limits = {.inbox_entries_max = 5000, .inbox_bytes_max = 1 << 24, .devices_max = 3}};

static struct store_entry entries[WORLD_PAGE_MAX];

/* Sends `count` messages with numbers from `first` on; returns the inbox number of the last. */
static uint64_t
send_many(struct world *world, uint64_t sender, uint64_t first, unsigned count, uint64_t recipient)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < count; i++) {
        (void)world_send(world, sender, 1, first + i, recipient, "m");
        number = world_effects(world)->items[0].number;
    }
    return number;
}

static void
acknowledged_entries_go(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    uint64_t second = send_many(world, alice, 1, 2, bob);
    uint64_t last = send_many(world, alice, 3, 2, bob);
    (void)world_ack(world, bob, 1, last);
    assert_int_equal(world_inbox(world, bob, 0, entries), 4); /* device 2 has stored nothing yet */
    (void)world_ack(world, bob, 2, second);
    assert_int_equal(world_inbox(world, bob, 0, entries), 2);
    (void)world_ack(world, bob, 2, last);
    assert_int_equal(world_inbox(world, bob, 0, entries), 0);
}

static void
acks_only_grow(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t first = send_many(world, alice, 1, 1, bob);
    uint64_t last = send_many(world, alice, 2, 3, bob);
    assert_int_equal(world_ack(world, bob, 1, last + 1).error, -ERANGE);
    assert_int_equal(world_ack(world, bob, 1, last).error, 0);
    assert_int_equal(world_ack(world, bob, 1, first).error, 0);
    assert_int_equal(world_device_attach(world, bob, 1).acked, last);
    assert_int_equal(world_ack(world, bob, 9, last).error, -ENOENT);
    assert_int_equal(world_ack(world, bob + 256, 1, last).error, -ENOENT);
}

static void
delivered_by_the_first_device(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    uint64_t last = send_many(world, alice, 1, 3, bob);
    (void)world_ack(world, bob, 2, last);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.peer_delivered, 3);
    assert_int_equal(chat.peer_read, 0);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    assert_int_equal(entries[0].kind, STORE_ENTRY_CURSORS);
    assert_int_equal(entries[0].peer, bob);
    assert_true(entries[0].cursors.peer_moved);
    assert_int_equal(entries[0].cursors.peer_delivered, 3);
    uint64_t mark = entries[0].number;
    (void)world_ack(world, bob, 1, last); /* nothing new for alice */
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, mark, entries), 0);
}

static void
read_implies_delivered(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)send_many(world, alice, 1, 3, bob);
    assert_int_equal(world_read(world, bob, alice, 2).error, 0);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.peer_delivered, 2);
    assert_int_equal(chat.peer_read, 2);
    assert_int_equal(world_read(world, bob, alice, 1).error, 0); /* and never goes back */
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.peer_read, 2);
}

static void
refuses_the_future(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)send_many(world, alice, 1, 3, bob);
    assert_int_equal(world_read(world, bob, alice, 4).error, -ERANGE);
    assert_int_equal(world_read(world, alice, bob, 1).error, -ERANGE);
    assert_int_equal(world_read(world, bob + 256, alice, 1).error, -ENOENT);
}

static void
one_mark_per_chat(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t carol = world_user(world, "carol", 1);
    for (uint64_t i = 1; i <= 5; i++) {
        (void)world_ack(world, bob, 1, send_many(world, alice, i, 1, bob));
        world_settle(world);
        (void)world_read(world, bob, alice, i);
        world_settle(world);
    }
    (void)world_ack(world, carol, 1, send_many(world, alice, 9, 1, carol));
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 2);
    assert_int_equal(entries[0].peer, bob);
    assert_int_equal(entries[0].cursors.peer_delivered, 5);
    assert_int_equal(entries[0].cursors.peer_read, 5);
    assert_int_equal(entries[1].peer, carol);
}

static void
old_marks_go_wherever_they_are(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    unsigned cell = world_partition(world, alice) % WORLD_CELLS;
    for (uint64_t i = 1; i <= 6; i++) {
        (void)world_ack(world, bob, 1, send_many(world, alice, i, 1, bob));
        world_settle(world);
        assert_int_equal(world_inbox(world, alice, 0, entries), 1);
        assert_int_equal(entries[0].cursors.peer_delivered, i);
        if (i == 2) {
            world_fold(world, cell);
        } else if (i == 4) {
            world_freeze(world, cell);
        } else if (i == 5) {
            world_folded(world, cell);
        }
    }
    world_fold(world, cell);
    world_restart(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    assert_int_equal(entries[0].cursors.peer_delivered, 6);
}

static void
tells_other_devices_of_reading(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    uint64_t last = send_many(world, alice, 1, 3, bob);
    (void)world_read(world, bob, alice, 3);
    assert_int_equal(world_inbox(world, bob, last, entries), 1);
    assert_int_equal(entries[0].kind, STORE_ENTRY_CURSORS);
    assert_true(entries[0].cursors.own_moved);
    assert_false(entries[0].cursors.peer_moved);
    assert_int_equal(entries[0].cursors.own_read, 3);
    (void)world_send(world, bob, 1, 1, alice, "m");
    (void)world_read(world, alice, bob, 1);
    world_settle(world);
    assert_int_equal(world_inbox(world, bob, last, entries), 1); /* one mark tells both */
    assert_true(entries[0].cursors.own_moved);
    assert_true(entries[0].cursors.peer_moved);

    uint64_t carol = world_user(world, "carol", 1);
    last = send_many(world, alice, 7, 1, carol);
    (void)world_read(world, carol, alice, 1);
    assert_int_equal(world_inbox(world, carol, last, entries), 0); /* whom should it tell */
}

static void
one_receipt_on_its_way(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint8_t to = world_partition(world, alice);
    const struct ledger *ledger = world_ledger(world, world_partition(world, bob));
    uint64_t before = ledger->streams[to].out_last;
    for (uint64_t i = 1; i <= 5; i++) {
        (void)world_ack(world, bob, 1, send_many(world, alice, i, 1, bob));
    }
    assert_int_equal(ledger->streams[to].out_last, before + 1);
    world_settle(world);
    assert_int_equal(ledger->streams[to].out_last, before + 2); /* the first, and the newest */
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.peer_delivered, 5);
}

static void
read_with_the_ack_is_told_once(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    uint64_t last = send_many(world, alice, 1, 3, bob);
    uint8_t to = world_partition(world, alice);
    const struct ledger *ledger = world_ledger(world, world_partition(world, bob));
    uint64_t before = ledger->streams[to].out_last;
    struct result result = world_ack_read(world, bob, 1, last, alice, 2);
    assert_int_equal(result.error, 0);
    assert_true(result.moved);
    world_settle(world);
    assert_int_equal(ledger->streams[to].out_last, before + 1);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    assert_int_equal(entries[0].cursors.peer_delivered, 3);
    assert_int_equal(entries[0].cursors.peer_read, 2);
    assert_int_equal(world_inbox(world, bob, last, entries), 1); /* the other device's mark */
    assert_int_equal(entries[0].kind, STORE_ENTRY_CURSORS);
    assert_int_equal(world_device_attach(world, bob, 1).acked, last);
    assert_false(world_ack_read(world, bob, 1, last, alice, 2).moved);
}

static void
the_read_or_the_ack_may_be_none(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t last = send_many(world, alice, 1, 3, bob);
    assert_int_equal(world_ack_read(world, bob, 1, last, alice, 4).error, -ERANGE);
    assert_int_equal(world_device_attach(world, bob, 1).acked, last);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.peer_delivered, 3);
    assert_int_equal(chat.peer_read, 0);
    assert_int_equal(world_ack_read(world, bob, 9, last, alice, 3).error, -ENOENT);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.peer_read, 3);
    assert_int_equal(world_ack_read(world, bob + 256, 1, last, alice, 1).error, -ENOENT);
}

static void
cuts_long_acks(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t last = send_many(world, alice, 1, 2500, bob);
    uint64_t logged = world_log_commands(world);
    assert_int_equal(world_ack(world, bob, 1, last).error, 0);
    assert_int_equal(world_log_commands(world) - logged, 3);
    assert_int_equal(world_inbox(world, bob, 0, entries), 0);
    assert_true(world_chat(world, bob, alice, &chat));
    assert_int_equal(chat.delivered, 2500);
}

static void
acks_count_what_waits(void **state)
{
    struct world *world = *state;
    struct record_head head;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t mark;
    (void)send_many(world, bob, 1, 1, alice);
    uint64_t second = send_many(world, alice, 1, 2, bob);
    (void)world_ack(world, alice, 1, world_device_attach(world, alice, 1).last);
    world_settle(world);
    assert_int_equal(world_inbox(world, bob, second, entries), 1); /* a mark: it does not count */
    mark = entries[0].number;
    (void)send_many(world, alice, 3, 2, bob);
    assert_true(world_head(world, bob, &head));
    assert_int_equal(head.last.entries - head.low.entries, 4);
    (void)world_ack(world, bob, 1, mark);
    assert_true(world_head(world, bob, &head));
    assert_int_equal(head.last.entries - head.low.entries, 2);
    (void)world_ack(world, bob, 1, mark); /* once more, with nothing between */
    assert_true(world_head(world, bob, &head));
    assert_int_equal(head.last.entries - head.low.entries, 2);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("what every device has acknowledged is gone", acknowledged_entries_go),
        IN_A_WORLD("a device's cursor only grows, and never beyond the inbox", acks_only_grow),
        IN_A_WORLD("the first device to acknowledge a message makes it delivered",
                   delivered_by_the_first_device),
        IN_A_WORLD("read implies delivered and only grows", read_implies_delivered),
        IN_A_WORLD("reading what was never written is refused", refuses_the_future),
        IN_A_WORLD("an inbox holds one mark per chat, the newest", one_mark_per_chat),
        IN_A_WORLD("an old mark goes, be it in memory, being folded, or in LMDB",
                   old_marks_go_wherever_they_are),
        IN_A_WORLD("reading on one device is told to the others", tells_other_devices_of_reading),
        IN_A_WORLD("at most one receipt of a chat is on its way", one_receipt_on_its_way),
        IN_A_WORLD("what is read with an acknowledgement is told once",
                   read_with_the_ack_is_told_once),
        IN_A_WORLD("of an acknowledgement and what was read with it one may be refused",
                   the_read_or_the_ack_may_be_none),
        IN_A_WORLD("a long acknowledgement is cut into several commands", cuts_long_acks),
        IN_A_WORLD("acknowledging keeps count of the messages that wait", acks_count_what_waits),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
