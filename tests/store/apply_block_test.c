/* SPDX-License-Identifier: Apache-2.0 */
/* What a block and the receipts' switch do to messages and cursors. */
#include "store/state.h"
#include "tests/store/world_spec.h"

#include <errno.h>

static const struct ledger_limits limits = {
    .inbox_entries_max = 2, .inbox_bytes_max = 1 << 20, .devices_max = 3};

static struct store_entry entries[WORLD_PAGE_MAX];

struct two {
    struct world *world;
    uint64_t alice;
    uint64_t bob;
};

static struct two two;

static int
begin(void **state)
{
    two.world = world_new(21, &limits);
    two.alice = world_user(two.world, "alice", 1);
    two.bob = world_user(two.world, "bob", 1);
    *state = two.world;
    return 0;
}

static void
block(bool blocks)
{
    const char *value = blocks ? "b" : NULL;
    assert_int_equal(world_state(two.world, two.bob, STORE_STATE_BLOCKED, two.alice, value).error,
                     0);
}

static void
receipts(uint64_t user, bool off)
{
    const char *value = off ? "o" : NULL;
    assert_int_equal(world_state(two.world, user, STORE_STATE_RECEIPTS_OFF, 0, value).error, 0);
}

static struct result
alice_writes(uint64_t number)
{
    return world_send(two.world, two.alice, 1, number, two.bob, "hi");
}

static void
bob_stores_all(void)
{
    size_t count = world_inbox(two.world, two.bob, 0, entries);
    assert_true(count > 0);
    (void)world_ack(two.world, two.bob, 1, entries[count - 1].number);
    world_settle(two.world);
}

/* What Alice knows of how far Bob got. */
static void
expect_ticks(uint64_t delivered, uint64_t read)
{
    struct record_chat chat = {0};
    world_settle(two.world);
    (void)world_chat(two.world, two.alice, two.bob, &chat);
    assert_int_equal(chat.peer_delivered, delivered);
    assert_int_equal(chat.peer_read, read);
}

static void
swallows(void **state)
{
    (void)state;
    assert_int_equal(alice_writes(1).chat_number, 1);
    block(true);
    struct result result = alice_writes(2);
    assert_int_equal(result.error, 0);
    assert_false(result.duplicate);
    assert_true(result.chat_number > STORE_SWALLOWED_MIN);
    assert_true(result.time_ms > 0);
    assert_int_equal(world_effects(two.world)->count, 0); /* nobody is pushed anything */
    assert_int_equal(world_inbox(two.world, two.bob, 0, entries), 1);
    struct result next = alice_writes(3);
    assert_true(next.chat_number > result.chat_number);
}

static void
takes_no_room(void **state)
{
    (void)state;
    (void)alice_writes(1);
    (void)alice_writes(2);
    assert_int_equal(alice_writes(3).error, -EDQUOT);
    block(true);
    for (uint64_t number = 3; number < 60; number++) {
        assert_int_equal(alice_writes(number).error, 0);
    }
    assert_int_equal(world_inbox(two.world, two.bob, 0, entries), 2);
}

static void
knows_duplicates(void **state)
{
    (void)state;
    block(true);
    struct result first = alice_writes(100);
    (void)alice_writes(101);
    world_restart(two.world);
    struct result again = alice_writes(100);
    assert_true(again.duplicate);
    assert_int_equal(again.chat_number, first.chat_number);
    assert_int_equal(again.time_ms, first.time_ms);
    assert_int_equal(alice_writes(37).error, -ESTALE);
    block(false);
    again = alice_writes(100); /* it was swallowed, and stays so */
    assert_true(again.duplicate);
    assert_int_equal(again.chat_number, first.chat_number);
    assert_int_equal(world_inbox(two.world, two.bob, 0, entries), 0);
}

static void
never_delivered(void **state)
{
    (void)state;
    block(true);
    uint64_t swallowed = alice_writes(1).chat_number;
    (void)alice_writes(2);
    block(false);
    assert_int_equal(alice_writes(3).chat_number, 1); /* those that arrive have no gap */
    bob_stores_all();
    assert_int_equal(world_read(two.world, two.bob, two.alice, 1).error, 0);
    expect_ticks(1, 1);
    assert_true(swallowed > 1);
    assert_int_equal(world_read(two.world, two.bob, two.alice, swallowed).error, -ERANGE);
}

static void
copies_go_on(void **state)
{
    (void)state;
    (void)world_device_add(two.world, two.alice, "tablet");
    world_drain(two.world, two.alice);
    block(true);
    struct result result = world_send_copied(two.world, two.alice, 1, 1, two.bob, "hi");
    assert_int_equal(result.error, 0);
    world_settle(two.world);
    assert_int_equal(world_inbox(two.world, two.alice, 0, entries), 1);
    assert_int_equal(entries[0].message.chat_number, result.chat_number);
}

/* Alice changes the first that she wrote, which is that entry of Bob's. */
static struct result
alice_changes(enum store_change_kind kind, uint64_t number, uint64_t original, const char *text)
{
    struct world_change change = {.kind = kind,
                                  .sender = two.alice,
                                  .number = number,
                                  .recipient = two.bob,
                                  .chat_number = 1,
                                  .original = original,
                                  .text = text};
    return world_change(two.world, &change);
}

static void
takes_back(void **state)
{
    (void)state;
    uint64_t original = alice_writes(1).entry;
    block(true);
    assert_int_equal(alice_changes(STORE_CHANGE_EDIT, 2, original, "insult").error, 0);
    assert_int_equal(world_inbox(two.world, two.bob, 0, entries), 1); /* nothing new comes */
    assert_int_equal(alice_changes(STORE_CHANGE_DELETE, 3, original, "").error, 0);
    assert_int_equal(world_inbox(two.world, two.bob, 0, entries), 2);
    assert_true(entries[0].message.deleted);
    assert_int_equal(entries[0].message.body_bytes, 0);
    assert_int_equal(entries[1].kind, STORE_ENTRY_CHANGE);
    assert_int_equal(entries[1].change.kind, STORE_CHANGE_DELETE);
    assert_true(alice_changes(STORE_CHANGE_DELETE, 4, original, "").duplicate);
    bob_stores_all();
    expect_ticks(1, 0);
}

/* A refusal would tell of the block: what she writes is accepted though there is no room. */
static void
takes_back_without_room(void **state)
{
    (void)state;
    uint64_t original = alice_writes(1).entry;
    (void)alice_writes(2);
    assert_int_equal(alice_writes(3).error, -EDQUOT);
    assert_int_equal(alice_changes(STORE_CHANGE_DELETE, 3, original, "").error, -EDQUOT);
    block(true);
    struct result result = alice_changes(STORE_CHANGE_DELETE, 3, original, "");
    assert_int_equal(result.error, 0);
    assert_int_equal(result.chat_number, 1);
    assert_int_equal(world_inbox(two.world, two.bob, 0, entries), 3);
    assert_true(entries[0].message.deleted);
    assert_int_equal(entries[2].kind, STORE_ENTRY_MISSED);
    assert_true(alice_changes(STORE_CHANGE_DELETE, 4, original, "").duplicate);
}

static void
other_way(void **state)
{
    (void)state;
    block(true);
    assert_int_equal(world_send(two.world, two.bob, 1, 1, two.alice, "hi").chat_number, 1);
    assert_int_equal(world_inbox(two.world, two.alice, 0, entries), 1);
}

static void
reading_is_not_told_to_the_blocked(void **state)
{
    (void)state;
    (void)alice_writes(1);
    (void)alice_writes(2);
    block(true);
    bob_stores_all();
    (void)world_read(two.world, two.bob, two.alice, 2);
    expect_ticks(2, 0); /* they had been accepted before, and did arrive */
    block(false);
    (void)alice_writes(3);
    bob_stores_all();
    expect_ticks(3, 2);
}

static void
reading_is_not_told(void **state)
{
    (void)state;
    (void)world_device_add(two.world, two.bob, "tablet");
    world_drain(two.world, two.bob);
    (void)alice_writes(1);
    receipts(two.bob, true);
    (void)world_read(two.world, two.bob, two.alice, 1);
    expect_ticks(1, 0);
    size_t count = world_inbox(two.world, two.bob, 0, entries);
    assert_true(count > 0 && entries[count - 1].kind == STORE_ENTRY_CURSORS);
    assert_int_equal(entries[count - 1].cursors.own_read, 1); /* his other device knows */
    world_restart(two.world);
    receipts(two.bob, false);
    expect_ticks(1, 0); /* the switch by itself tells nothing */
    bob_stores_all();
    (void)alice_writes(2);
    (void)world_read(two.world, two.bob, two.alice, 2);
    expect_ticks(2, 2);
}

static void
nor_is_it_heard(void **state)
{
    (void)state;
    receipts(two.alice, true);
    (void)alice_writes(1);
    bob_stores_all();
    (void)world_read(two.world, two.bob, two.alice, 1);
    expect_ticks(1, 0);
    receipts(two.alice, false);
    expect_ticks(1, 0);
    (void)alice_writes(2);
    (void)world_read(two.world, two.bob, two.alice, 2);
    expect_ticks(2, 2);
}

/* A receipt that waits behind another is made when that has arrived: by then the switch counts. */
static void
nor_in_what_follows(void **state)
{
    (void)state;
    (void)alice_writes(1);
    bob_stores_all();
    (void)alice_writes(2);
    size_t count = world_inbox(two.world, two.bob, 0, entries);
    (void)world_ack(two.world, two.bob, 1, entries[count - 1].number); /* on its way */
    (void)world_read(two.world, two.bob, two.alice, 2);                /* waits */
    receipts(two.bob, true);
    expect_ticks(2, 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        AMONG_THEM("what the blocked write is answered as accepted, and goes nowhere", swallows),
        AMONG_THEM("it takes no room, and none is needed", takes_no_room),
        AMONG_THEM("repetitions of it are recognised, also when the block is lifted",
                   knows_duplicates),
        AMONG_THEM("it is never delivered, not even when what follows is", never_delivered),
        AMONG_THEM("the sender's other devices get it all the same", copies_go_on),
        AMONG_THEM("what the blocked take back of before goes, and no edit of it comes",
                   takes_back),
        AMONG_THEM("it goes where there is no room to tell of it, and nobody is refused",
                   takes_back_without_room),
        AMONG_THEM("who blocks may still write", other_way),
        AMONG_THEM("what was read is not told to the blocked, what was delivered is",
                   reading_is_not_told_to_the_blocked),
        AMONG_THEM("with read receipts off nobody is told what was read, but the own devices",
                   reading_is_not_told),
        AMONG_THEM("nor is the user told what others read", nor_is_it_heard),
        AMONG_THEM("a receipt that waits for another honours the switch, too", nor_in_what_follows),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
