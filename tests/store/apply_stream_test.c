/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/world_spec.h"

static struct world_plan plan = {
    .seed = 5, .limits = {.inbox_entries_max = 100, .inbox_bytes_max = 1 << 20, .devices_max = 3}};

static struct store_entry entries[WORLD_PAGE_MAX];

static struct command
copy_of(struct world *world, uint64_t user, uint64_t peer, uint64_t number)
{
    static unsigned char bytes[256];
    struct payload payload = {
        .kind = PAYLOAD_COPY,
        .copy = {.peer = peer, .message = {.sender = user, .chat_number = number}},
    };
    payload_encode(&payload, bytes);
    return (struct command){
        .partition = world_partition(world, user),
        .kind = COMMAND_STREAM,
        .stream = {.source = 200,
                   .number = number,
                   .payload = {.bytes = bytes, .count = payload_bytes(&payload)}},
    };
}

static void
takes_effect_once(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint8_t partition = world_partition(world, alice);
    uint64_t before = world_ledger(world, partition)->streams[200].in;
    for (unsigned i = 0; i < 3; i++) {
        struct command command = copy_of(world, alice, 9, before + 1);
        (void)world_apply(world, &command);
        assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    }
    world_fold(world, partition % WORLD_CELLS);
    world_restart(world);
    struct command command = copy_of(world, alice, 9, before + 1);
    (void)world_apply(world, &command);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    assert_int_equal(world_ledger(world, partition)->streams[200].in, before + 1);
}

static void
passes_over_the_departed(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send_copied(world, alice, 1, 1, bob, "m");
    (void)world_ack(world, bob, 1, world_effects(world)->items[0].number);
    (void)world_remove(world, alice); /* a copy and a receipt are on their way to her */
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 0);
    const struct ledger *ledger = world_ledger(world, world_partition(world, bob));
    const struct ledger_stream *stream = &ledger->streams[world_partition(world, alice)];
    assert_int_equal(stream->out_acked, stream->out_last);
}

static void
reader_gone_before_the_receipt_is_acknowledged(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    for (uint64_t i = 1; i <= 2; i++) {
        (void)world_send(world, alice, 1, i, bob, "m");
        (void)world_ack(world, bob, 1, world_effects(world)->items[0].number);
    }
    (void)world_remove(world, bob); /* his second receipt waits for the first one's ack */
    world_settle(world);
    struct record_chat chat;
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.peer_delivered, 1);
}

/* Counts the outbox's records, wherever they are. */
static unsigned
outbox_records(struct world *world, uint8_t partition)
{
    unsigned count = 0;
    struct table_cursor at;
    struct table_entry entry;
    struct store_range range = key_range_table(partition, RECORD_OUTBOX);
    struct delta_range each;
    struct store_key key;
    enum delta_found found;
    struct store_value value;
    delta_range_start(world_ledger(world, partition)->delta, &range, &each);
    while (delta_range_next(&each, &key, &found, &value)) {
        count += found == DELTA_PRESENT;
    }
    for (table_seek(world_folded_table(world), &range.low, &at);
         table_at(&at, &entry) && !key_less(&range.high, &entry.key); table_next(&at)) {
        count++;
    }
    return count;
}

static void
acknowledged_records_go(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    uint8_t partition = world_partition(world, bob);
    unsigned cell = partition % WORLD_CELLS;
    (void)world_send_copied(world, alice, 1, 1, bob, "in memory");
    world_settle(world);
    assert_int_equal(outbox_records(world, partition), 0);

    (void)world_send_copied(world, alice, 1, 2, bob, "folded");
    world_fold(world, cell);
    world_fold(world, cell);
    assert_int_equal(outbox_records(world, partition), 1);
    (void)world_send_copied(world, alice, 1, 3, bob, "being folded");
    world_freeze(world, cell);
    (void)world_send_copied(world, alice, 1, 4, bob, "in memory");
    world_settle(world);
    world_folded(world, cell);
    world_fold(world, cell);
    assert_int_equal(outbox_records(world, partition), 0);
    assert_int_equal(world_inbox(world, alice, 0, entries), 4);
}

static void
goes_on_after_a_restart(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    for (uint64_t i = 1; i <= 6; i++) {
        (void)world_send_copied(world, alice, 1, i, bob, "m");
        if (i == 2) {
            (void)world_step(world, 0);
            world_fold(world, world_partition(world, bob) % WORLD_CELLS);
        } else if (i == 4) {
            world_restart(world);
            (void)world_step(world, 0);
        }
    }
    world_restart(world);
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(entries[i].message.sender_number, i + 1);
    }
}

static void
what_waits_is_weighed(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    uint8_t partition = world_partition(world, bob);
    (void)world_send_copied(world, alice, 1, 1, bob, "hello");
    uint64_t bytes = world_ledger(world, partition)->outbox_bytes;
    assert_in_range(bytes, 1, 200);
    (void)world_send_copied(world, alice, 1, 2, bob, "hello");
    assert_int_equal(world_ledger(world, partition)->outbox_bytes, 2 * bytes);
    for (unsigned folds = 0; folds < 2; folds++) {
        world_restart(world);
        assert_int_equal(world_ledger(world, partition)->outbox_bytes, 2 * bytes);
        world_fold(world, partition % WORLD_CELLS);
    }
    world_settle(world);
    assert_int_equal(world_ledger(world, partition)->outbox_bytes, 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("what is sent again takes effect once, over folds and restarts",
                   takes_effect_once),
        IN_A_WORLD("a stream passes over users who are gone", passes_over_the_departed),
        IN_A_WORLD("a receipt of a reader who is gone is not followed by another",
                   reader_gone_before_the_receipt_is_acknowledged),
        IN_A_WORLD("what has arrived is forgotten, be it in memory, being folded, or in LMDB",
                   acknowledged_records_go),
        IN_A_WORLD("streams go on in order after a restart", goes_on_after_a_restart),
        IN_A_WORLD("what waits is weighed, over folds and restarts", what_waits_is_weighed),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
