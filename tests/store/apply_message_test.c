/* SPDX-License-Identifier: Apache-2.0 */
#include "store/request.h"
#include "tests/store/world_spec.h"

#include <errno.h>

static struct world_plan plan = {
    .seed = 3, .limits = {.inbox_entries_max = 100, .inbox_bytes_max = 1000, .devices_max = 3}};

static struct store_entry entries[WORLD_PAGE_MAX];

static void
arrives(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    struct result result = world_send(world, alice, 1, 7, bob, "hello");
    assert_int_equal(result.error, 0);
    assert_int_equal(result.chat_number, 1);
    assert_false(result.duplicate);
    const struct effects *effects = world_effects(world);
    assert_int_equal(effects->count, 1);
    assert_int_equal(effects->items[0].kind, EFFECT_PUSH);
    assert_int_equal(effects->items[0].user, bob);
    assert_int_equal(world_inbox(world, bob, 0, entries), 1);
    assert_int_equal(entries[0].number, effects->items[0].number);
    assert_int_equal(entries[0].kind, STORE_ENTRY_MESSAGE);
    assert_int_equal(entries[0].peer, alice);
    assert_int_equal(entries[0].message.sender, alice);
    assert_int_equal(entries[0].message.sender_device, 1);
    assert_int_equal(entries[0].message.sender_number, 7);
    assert_int_equal(entries[0].message.chat_number, 1);
    assert_int_equal(entries[0].message.time_ms, result.time_ms);
    assert_memory_equal(entries[0].message.body, "hello", 5);
    assert_memory_equal(entries[0].message.sender_name, "who", 3);
}

static void
counts_each_direction(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t carol = world_user(world, "carol", 1);
    assert_int_equal(world_send(world, alice, 1, 1, bob, "m").chat_number, 1);
    assert_int_equal(world_send(world, alice, 1, 2, bob, "m").chat_number, 2);
    assert_int_equal(world_send(world, bob, 1, 1, alice, "m").chat_number, 1);
    assert_int_equal(world_send(world, carol, 1, 1, bob, "m").chat_number, 1);
    assert_int_equal(world_send(world, alice, 1, 3, bob, "m").chat_number, 3);
}

static void
numbers_rise(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t last = 0;
    for (uint64_t i = 1; i <= 9; i++) {
        (void)world_send(world, alice, 1, i, bob, "m");
        const struct effect *push = &world_effects(world)->items[0];
        assert_true(push->number > last && push->number < UINT64_C(1) << 53);
        assert_int_equal(push->previous, last);
        last = push->number;
        if (i % 3 == 0) {
            world_restart(world); /* at the same instant, even */
        }
    }
}

static void
answers_duplicates_alike(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    struct result first = world_send(world, alice, 1, 7, bob, "hello");
    (void)world_send(world, alice, 1, 8, bob, "next");
    world_pass(world, 5000);
    struct result again = world_send(world, alice, 1, 7, bob, "hello");
    assert_int_equal(again.error, 0);
    assert_true(again.duplicate);
    assert_int_equal(again.chat_number, first.chat_number);
    assert_int_equal(again.time_ms, first.time_ms);
    assert_int_equal(world_effects(world)->count, 0);
    assert_int_equal(world_inbox(world, bob, 0, entries), 2);
    assert_false(world_send(world, alice, 2, 7, bob, "another device's 7").duplicate);
    assert_false(world_send(world, bob, 1, 7, bob, "another user's 7").duplicate);
}

static void
refuses_too_old(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 100, bob, "m");
    assert_int_equal(world_send(world, alice, 1, 36, bob, "m").error, -ESTALE);
    assert_int_equal(world_send(world, alice, 1, 37, bob, "m").error, 0);
}

static void
remembers_across_folds_and_restarts(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    unsigned cell = world_partition(world, bob) % WORLD_CELLS;
    struct result first = world_send(world, alice, 1, 70, bob, "m");
    world_restart(world);
    assert_true(world_send(world, alice, 1, 70, bob, "m").duplicate);
    world_fold(world, cell);
    world_fold(world, cell);
    world_restart(world);
    struct result again = world_send(world, alice, 1, 70, bob, "m");
    assert_true(again.duplicate);
    assert_int_equal(again.chat_number, first.chat_number);
    assert_int_equal(again.time_ms, first.time_ms);
    assert_int_equal(world_send(world, alice, 1, 6, bob, "m").error, -ESTALE);
}

static void
node_numbers_have_no_window(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 5, bob, "mine");
    assert_int_equal(world_send(world, alice, 1, STORE_NODE_NUMBER_MIN + 9, bob, "m").error, 0);
    assert_int_equal(world_send(world, alice, 1, STORE_NODE_NUMBER_MIN + 1, bob, "m").error, 0);
    assert_true(world_send(world, alice, 1, 5, bob, "mine").duplicate);
    assert_int_equal(world_send(world, alice, 1, 6, bob, "mine").error, 0);
    assert_int_equal(world_inbox(world, bob, 0, entries), 4);
}

static void
refuses_strangers(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    assert_int_equal(world_send(world, alice, 1, 1, alice + 256, "m").error, -ENOENT);
    /* A refusal uses no number up. */
    world_settle(world);
    assert_int_equal(world_send(world, alice, 1, 1, alice + 256, "m").error, -ENOENT);
}

static void
refuses_what_fits_nowhere(void **state)
{
    struct world *world = *state;
    static const char text[300] = {[0 ... 298] = 'x'};
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    uint64_t first = 0;
    assert_int_equal(world_send(world, alice, 1, 1, bob, text).error, 0);
    first = world_effects(world)->items[0].number;
    assert_int_equal(world_send(world, alice, 1, 2, bob, text).error, 0);
    assert_int_equal(world_send(world, alice, 1, 3, bob, text).error, -EDQUOT); /* 1,000 bytes */
    assert_int_equal(world_effects(world)->count, 0);
    assert_int_equal(world_inbox(world, bob, 0, entries), 2);
    (void)world_ack(world, bob, 1, first);
    struct result retried = world_send(world, alice, 1, 3, bob, text);
    assert_int_equal(retried.error, 0);
    assert_false(retried.duplicate);
    assert_int_equal(retried.chat_number, 3);
}

static void
copies_to_other_devices(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    struct result sent = world_send_copied(world, alice, 1, 7, bob, "hello");
    assert_int_equal(world_inbox(world, alice, 0, entries), 0);
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    assert_int_equal(entries[0].peer, bob);
    assert_int_equal(entries[0].message.sender, alice);
    assert_int_equal(entries[0].message.sender_number, 7);
    assert_int_equal(entries[0].message.chat_number, sent.chat_number);
    assert_int_equal(entries[0].message.time_ms, sent.time_ms);
    assert_memory_equal(entries[0].message.body, "hello", 5);
    (void)world_send_copied(world, alice, 1, 7, bob, "hello"); /* a duplicate is copied once */
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    /* Nobody is told that one's own message was delivered to oneself. */
    (void)world_ack(world, alice, 2, entries[0].number);
    world_settle(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), 1);
}

/* One mark stands behind all that is missing. */
static void
marks_what_finds_no_room(void **state)
{
    struct world *world = *state;
    static const char text[600] = {[0 ... 598] = 'x'};
    static const char *const names[] = {"carol", "dave", "erin", "frank", "grace", "heidi"};
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, bob, 1, 1, alice, text);
    uint64_t mark = 0;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t peer = world_user(world, names[i], 1);
        assert_int_equal(world_send_copied(world, alice, 1, i + 1, peer, text).error, 0);
        world_settle(world);
        assert_int_equal(world_inbox(world, peer, 0, entries), 1);
        assert_int_equal(world_inbox(world, alice, 0, entries), 2);
        assert_int_equal(entries[0].kind, STORE_ENTRY_MESSAGE);
        assert_int_equal(entries[1].kind, STORE_ENTRY_MISSED);
        assert_int_equal(entries[1].missed_of, 1); /* which misses nothing */
        assert_true(entries[1].number > mark);
        mark = entries[1].number;
        if (i == 0) {
            world_fold_out(world);
            world_restart(world);
        }
    }
    for (unsigned i = 3; i < 5; i++) { /* device 2, then 1 again */
        uint64_t peer = world_user(world, names[i], 1);
        uint16_t device = (uint16_t)(5 - i);
        assert_int_equal(world_send_copied(world, alice, device, i + 1, peer, text).error, 0);
        world_settle(world);
        assert_int_equal(world_inbox(world, alice, mark, entries), 1);
        assert_int_equal(entries[0].kind, STORE_ENTRY_MISSED);
        assert_int_equal(entries[0].missed_of, 0); /* each misses something of the other's */
        mark = entries[0].number;
    }
    world_drain(world, alice);
    uint64_t heidi = world_user(world, names[5], 1);
    assert_int_equal(world_send_copied(world, alice, 1, 6, heidi, text).error, 0);
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, mark, entries), 1);
    assert_int_equal(entries[0].kind, STORE_ENTRY_MESSAGE);
}

static void
writes_to_oneself(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    assert_int_equal(world_send_copied(world, alice, 1, 1, alice, "note").chat_number, 1);
    uint64_t number = world_effects(world)->items[0].number;
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    assert_int_equal(world_ack(world, alice, 2, number).error, 0);
    world_settle(world);
    struct record_chat chat;
    assert_true(world_chat(world, alice, alice, &chat));
    assert_int_equal(chat.delivered, 1);
    assert_int_equal(chat.peer_delivered, 1);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("a message arrives as it was sent, with its numbers and time", arrives),
        IN_A_WORLD("a chat counts each direction by itself", counts_each_direction),
        IN_A_WORLD("inbox numbers rise, over restarts too", numbers_rise),
        IN_A_WORLD("a retry is answered as the original was, and stored once",
                   answers_duplicates_alike),
        IN_A_WORLD("a number below the window is not guessed at", refuses_too_old),
        IN_A_WORLD("windows outlive folds and restarts", remembers_across_folds_and_restarts),
        IN_A_WORLD("the node's own numbers need no window and move none",
                   node_numbers_have_no_window),
        IN_A_WORLD("a message to no one is refused", refuses_strangers),
        IN_A_WORLD("a message that no device can take is refused, and may be sent again",
                   refuses_what_fits_nowhere),
        IN_A_WORLD("the sender's other devices get a copy, once", copies_to_other_devices),
        IN_A_WORLD("of copies that find no room it is told that they are missing",
                   marks_what_finds_no_room),
        IN_A_WORLD("one may write to oneself", writes_to_oneself),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
