/* SPDX-License-Identifier: Apache-2.0 */
/* What edits and deletions do to a message that was written before. */
#include "store/page.h"
#include "store/request.h"
#include "store/state.h"
#include "tests/store/world_spec.h"

#include <errno.h>

static const struct ledger_limits limits = {
    .inbox_entries_max = 4, .inbox_bytes_max = 10000, .devices_max = 3};

static struct store_entry entries[WORLD_PAGE_MAX];
static uint64_t alice, bob;

static int
begin(void **state)
{
    struct world *world = world_new(7, &limits);
    alice = world_user(world, "alice", 2);
    bob = world_user(world, "bob", 2);
    *state = world;
    return 0;
}

/* A change by alice of the first message that she wrote to bob. */
static struct world_change
change_of_first(enum store_change_kind kind, uint64_t number, const char *text)
{
    return (struct world_change){
        .kind = kind,
        .sender = alice,
        .number = number,
        .recipient = bob,
        .chat_number = 1,
        .text = text,
    };
}

static void
expect_change(const struct store_entry *entry, enum store_change_kind kind, uint64_t number,
              const char *text)
{
    assert_int_equal(entry->kind, STORE_ENTRY_CHANGE);
    assert_int_equal(entry->change.kind, kind);
    assert_int_equal(entry->change.author, alice);
    assert_int_equal(entry->change.message.sender, alice);
    assert_int_equal(entry->change.message.sender_number, number);
    assert_int_equal(entry->change.message.chat_number, 1);
    assert_int_equal(entry->change.message.body_bytes, strlen(text));
    assert_memory_equal(entry->change.message.body, text, strlen(text));
}

static void
edits_follow_the_message(void **state)
{
    struct world *world = *state;
    (void)world_send_copied(world, alice, 1, 1, bob, "helo");
    world_pass(world, 5);
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "hello");
    struct result result = world_change(world, &edit);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.chat_number, 1);
    assert_int_equal(result.time_ms, world_now_ms(world));
    assert_int_equal(world_effects(world)->items[0].kind, EFFECT_PUSH);
    assert_int_equal(world_inbox(world, bob, 0, entries), 2);
    assert_int_equal(entries[1].peer, alice);
    expect_change(&entries[1], STORE_CHANGE_EDIT, 2, "hello");
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 2);
    assert_int_equal(entries[1].peer, bob);
    expect_change(&entries[1], STORE_CHANGE_EDIT, 2, "hello");
}

static void
a_change_counts_no_message(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "one");
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "1");
    (void)world_change(world, &edit);
    assert_int_equal(world_send(world, alice, 1, 3, bob, "two").chat_number, 2);
    uint64_t last = world_effects(world)->items[0].number;
    (void)world_inbox(world, bob, 0, entries);
    struct record_chat chat;
    (void)world_ack(world, bob, 1, entries[1].number);
    assert_true(world_chat(world, bob, alice, &chat));
    assert_int_equal(chat.delivered, 1);
    (void)world_ack(world, bob, 1, last);
    assert_true(world_chat(world, bob, alice, &chat));
    assert_int_equal(chat.delivered, 2);
}

static void
a_retry_is_one_change(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "helo");
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "hello");
    edit.until_ms = world_now_ms(world) + 10;
    struct result first = world_change(world, &edit);
    world_pass(world, 100000); /* far too late for a new one */
    struct result again = world_change(world, &edit);
    assert_int_equal(again.error, 0);
    assert_true(again.duplicate);
    assert_int_equal(again.time_ms, first.time_ms);
    assert_int_equal(again.chat_number, 1);
    assert_int_equal(world_inbox(world, bob, 0, entries), 2);
}

static void
refuses_what_comes_too_late(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "helo");
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "hello");
    edit.until_ms = world_now_ms(world) + 10;
    world_pass(world, 9);
    assert_int_equal(world_change(world, &edit).error, 0);
    edit.number = 3;
    world_pass(world, 1);
    assert_int_equal(world_change(world, &edit).error, -ETIME);
    edit.until_ms++; /* the refusal has used no number up */
    assert_int_equal(world_change(world, &edit).error, 0);
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 4, "");
    deletion.until_ms = world_now_ms(world);
    assert_int_equal(world_change(world, &deletion).error, -ETIME);
    assert_int_equal(world_inbox(world, bob, 0, entries), 3);
}

static void
deletes_once_for_everyone(void **state)
{
    struct world *world = *state;
    (void)world_send_copied(world, alice, 1, 1, bob, "oops");
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 2, "");
    assert_false(world_change(world, &deletion).duplicate);
    deletion.number = 3; /* another device of alice's, say */
    struct result again = world_change(world, &deletion);
    assert_int_equal(again.error, 0);
    assert_true(again.duplicate);
    world_settle(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), 2);
    expect_change(&entries[1], STORE_CHANGE_DELETE, 2, "");
    assert_int_equal(world_inbox(world, alice, 0, entries), 2);
    expect_change(&entries[1], STORE_CHANGE_DELETE, 2, "");
}

static void
refuses_edits_of_the_deleted(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "oops");
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 2, "");
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 3, "hello");
    (void)world_change(world, &deletion);
    world_fold_out(world);
    world_restart(world);
    assert_int_equal(world_change(world, &edit).error, -EIDRM);
    edit.chat_number = 2;
    assert_int_equal(world_change(world, &edit).error, 0); /* of another message */
}

static void
lives_as_long_as_the_message(void **state)
{
    struct world *world = *state;
    struct result sent = world_send_for(world, alice, 1, bob, "soon gone", 500);
    assert_int_equal(sent.expires_at_ms, world_now_ms(world) + 500);
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "soon too");
    edit.expires_at_ms = sent.expires_at_ms;
    assert_int_equal(world_change(world, &edit).error, 0);
    (void)world_inbox(world, bob, 0, entries);
    assert_int_equal(entries[1].change.message.expires_at_ms, sent.expires_at_ms);
    world_pass(world, 500);
    /* A retry hears the same, and a later edit that it is gone. */
    assert_int_equal(world_send_for(world, alice, 1, bob, "soon gone", 500).expires_at_ms,
                     sent.expires_at_ms);
    edit.number = 3;
    assert_int_equal(world_change(world, &edit).error, -EIDRM);
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 4, "");
    deletion.expires_at_ms = sent.expires_at_ms;
    assert_int_equal(world_change(world, &deletion).error, 0);
}

static void
is_marked_where_own_devices_have_no_room(void **state)
{
    static const struct ledger_limits tight = {
        .inbox_entries_max = 3, .inbox_bytes_max = 10000, .devices_max = 3};
    (void)state;
    struct world *world = world_new(7, &tight);
    alice = world_user(world, "alice", 2);
    bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 1, bob, "one");
    for (uint64_t number = 1; number <= 3; number++) {
        assert_int_equal(world_send(world, bob, 1, number, alice, "m").error, 0);
    }
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "once");
    assert_int_equal(world_change(world, &edit).error, 0);
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 4);
    assert_int_equal(entries[3].kind, STORE_ENTRY_MISSED);
    world_free(&world);
}

static void
reaches_who_is_linked_meanwhile(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "helo");
    assert_int_equal(world_device_revoke(world, alice, 2).error, 0);
    world_drain(world, alice);
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "hello");
    assert_int_equal(world_change(world, &edit).error, 0);
    uint16_t device = world_device_add(world, alice, "tablet").device; /* it is under way */
    world_settle(world);
    struct result linked = world_device_attach(world, alice, device);
    size_t count = world_inbox(world, alice, linked.acked, entries);
    assert_int_equal(count, 2); /* that it is linked, and the edit */
    expect_change(&entries[1], STORE_CHANGE_EDIT, 2, "hello");
}

static void
goes_with_a_copy_that_waits(void **state)
{
    struct world *world = *state;
    (void)world_send_copied(world, alice, 1, 1, bob, "helo");
    world_settle(world);
    assert_int_equal(world_device_revoke(world, alice, 2).error, 0);
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "hello");
    assert_int_equal(world_change(world, &edit).error, 0);
    world_settle(world); /* alice's only device has acknowledged nothing */
    uint16_t device = world_device_add(world, alice, "tablet").device;
    struct result linked = world_device_attach(world, alice, device);
    size_t count = world_inbox(world, alice, linked.acked, entries);
    assert_int_equal(entries[0].kind, STORE_ENTRY_MESSAGE);
    bool edited = false;
    for (size_t i = 1; i < count; i++) {
        edited = edited || entries[i].kind == STORE_ENTRY_CHANGE;
    }
    assert_true(edited);
}

static void
is_nothing_for_an_only_device(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "helo");
    assert_int_equal(world_device_revoke(world, alice, 2).error, 0);
    world_settle(world);
    world_drain(world, alice);
    struct record_head before;
    assert_true(world_head(world, alice, &before));
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "hello");
    assert_int_equal(world_change(world, &edit).error, 0);
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, before.last.number, entries), 0);
}

static bool
waits_for_alice(struct world *world, uint8_t kind)
{
    size_t count = world_inbox(world, alice, 0, entries);
    bool waits = false;
    for (size_t i = 0; i < count; i++) {
        waits = waits || entries[i].kind == kind;
    }
    return waits;
}

/* Also while something waits for that one: its own doing takes no room from others. */
static void
takes_no_room_of_an_only_device(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_device_revoke(world, alice, 2).error, 0);
    world_settle(world);
    world_drain(world, alice);
    (void)world_send(world, alice, 1, 1, bob, "helo");
    assert_int_equal(world_send(world, bob, 1, 1, alice, "hm?").error, 0);
    world_settle(world);
    for (uint64_t number = 2; number < 2 + 2 * limits.inbox_entries_max; number++) {
        struct world_change edit = change_of_first(STORE_CHANGE_EDIT, number, "hello");
        assert_int_equal(world_change(world, &edit).error, 0);
        world_settle(world);
        world_drain(world, bob);
    }
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 100, "");
    assert_int_equal(world_change(world, &deletion).error, 0);
    world_settle(world);
    assert_false(waits_for_alice(world, STORE_ENTRY_CHANGE));
    assert_false(waits_for_alice(world, STORE_ENTRY_MISSED));
    for (uint64_t number = 2; number <= limits.inbox_entries_max; number++) {
        assert_int_equal(world_send(world, bob, 1, number, alice, "I see").error, 0);
    }
}

static void
reaches_the_device_that_stays(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "helo");
    world_settle(world);
    world_drain(world, alice);
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 2, "hello");
    assert_int_equal(world_change(world, &edit).error, 0);
    assert_int_equal(world_device_revoke(world, alice, 1).error, 0); /* it is under way */
    world_settle(world);
    assert_true(waits_for_alice(world, STORE_ENTRY_CHANGE));
}

/* However many there were: of the many the last ones are kept, and go. */
static void
takes_edits_along(void **state)
{
    enum { EDITS = 40 };
    static const struct ledger_limits roomy = {
        .inbox_entries_max = 100, .inbox_bytes_max = 10000, .devices_max = 3};
    (void)state;
    struct world *world = world_new(7, &roomy);
    alice = world_user(world, "alice", 1);
    bob = world_user(world, "bob", 1);
    unsigned cell = world_partition(world, bob) % WORLD_CELLS;
    struct result sent = world_send(world, alice, 1, 1, bob, "one");
    (void)world_send(world, alice, 1, 2, bob, "two");
    struct world_change other = change_of_first(STORE_CHANGE_EDIT, 3, "stays");
    other.chat_number = 2;
    (void)world_change(world, &other);
    for (uint64_t number = 4; number < 4 + EDITS; number++) {
        struct world_change edit = change_of_first(STORE_CHANGE_EDIT, number, "a secret");
        assert_int_equal(world_change(world, &edit).error, 0);
        world_fold(world, cell); /* some reach the database */
    }
    assert_int_equal(world_inbox(world, bob, 0, entries), 3 + 32);
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 100, "");
    deletion.original = sent.entry;
    assert_int_equal(world_change(world, &deletion).error, 0);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(world_inbox(world, bob, 0, entries), 4);
        assert_true(entries[0].message.deleted);
        assert_int_equal(entries[2].change.message.chat_number, 2);
        expect_change(&entries[3], STORE_CHANGE_DELETE, 100, "");
        world_fold(world, cell);
        world_fold(world, cell);
        world_restart(world);
    }
    world_free(&world);
}

static unsigned
alice_remembers(struct world *world)
{
    unsigned count = 0;
    struct store_range range =
        key_range_owner(world_partition(world, alice), RECORD_TOMBSTONE, alice);
    struct page page;
    struct store_key key;
    struct store_value value;
    world_page(world, &range, &page);
    while (page_next(&page, &key, &value)) {
        count++;
    }
    return count;
}

/* Copies of it lie in its author's inbox, and nobody knows where. */
static void
remembers_while_copies_wait(void **state)
{
    enum { DAY_MS = 24 * 3600 * 1000 };
    struct world *world = *state;
    struct record_head head;
    uint64_t last = 0;
    (void)world_send_copied(world, alice, 1, 1, bob, "a secret");
    world_settle(world);
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 2, "");
    assert_int_equal(world_change(world, &deletion).error, 0);
    world_settle(world);
    size_t count = world_inbox(world, alice, 0, entries);
    assert_int_equal(count, 2);
    for (unsigned round = 0; round < 2; round++) {
        world_pass(world, DAY_MS);
        assert_true(world_sweep(world) > 0);
        assert_true(world_head(world, alice, &head));
        assert_in_range(head.withdrawn, entries[0].number, entries[1].number - 1);
        assert_int_equal(alice_remembers(world), 1);
        world_fold(world, world_partition(world, alice) % WORLD_CELLS);
        world_restart(world);
    }
    last = entries[1].number;
    (void)world_ack(world, alice, 1, last);
    (void)world_ack(world, alice, 2, last);
    assert_true(world_head(world, alice, &head));
    assert_int_equal(head.withdrawn, 0);
    world_pass(world, DAY_MS);
    assert_true(world_sweep(world) > 0);
    assert_int_equal(alice_remembers(world), 0);
    assert_int_equal(world_sweep(world), 0);
}

/* However much is taken back behind it. */
static void
forgets_each_by_itself(void **state)
{
    enum { DAY_MS = 24 * 3600 * 1000 };
    struct world *world = *state;
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 2, "");
    (void)world_send_copied(world, alice, 1, 1, bob, "a secret");
    assert_int_equal(world_change(world, &deletion).error, 0);
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 2);
    uint64_t last = entries[1].number;
    (void)world_send_copied(world, alice, 1, 3, bob, "another one");
    deletion.number = 4;
    deletion.chat_number = 2;
    assert_int_equal(world_change(world, &deletion).error, 0);
    world_settle(world);
    assert_int_equal(alice_remembers(world), 2);
    world_fold_out(world);
    world_restart(world);
    (void)world_ack(world, alice, 1, last);
    (void)world_ack(world, alice, 2, last);
    world_pass(world, DAY_MS);
    assert_true(world_sweep(world) > 0);
    assert_int_equal(alice_remembers(world), 1);
}

/* All of alice's devices have what she wrote. */
static void
remembers_nothing_when_none_wait(void **state)
{
    struct world *world = *state;
    (void)world_send_copied(world, alice, 1, 1, bob, "a secret");
    world_settle(world);
    (void)world_inbox(world, alice, 0, entries);
    (void)world_ack(world, alice, 1, entries[0].number);
    (void)world_ack(world, alice, 2, entries[0].number);
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 2, "");
    assert_int_equal(world_change(world, &deletion).error, 0);
    world_settle(world);
    assert_int_equal(alice_remembers(world), 0);
}

static void
wipes_what_was_not_fetched(void **state)
{
    struct world *world = *state;
    struct result sent = world_send(world, alice, 1, 1, bob, "a secret");
    assert_int_not_equal(sent.entry, 0);
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 2, "");
    deletion.original = sent.entry;
    unsigned cell = world_partition(world, bob) % WORLD_CELLS;
    world_fold(world, cell); /* it has reached the database */
    (void)world_change(world, &deletion);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(world_inbox(world, bob, 0, entries), 2);
        assert_int_equal(entries[0].kind, STORE_ENTRY_MESSAGE);
        assert_true(entries[0].message.deleted);
        assert_int_equal(entries[0].message.body_bytes, 0);
        assert_int_equal(entries[0].message.chat_number, 1);
        expect_change(&entries[1], STORE_CHANGE_DELETE, 2, "");
        world_fold(world, cell);
        world_fold(world, cell);
        world_restart(world);
    }
}

static void
wipes_nothing_else(void **state)
{
    struct world *world = *state;
    uint64_t other = world_send(world, alice, 1, 1, bob, "first").entry;
    struct result sent = world_send(world, alice, 1, 2, bob, "second");
    struct world_change deletion = change_of_first(STORE_CHANGE_DELETE, 3, "");
    deletion.original = sent.entry; /* not that of the first */
    (void)world_change(world, &deletion);
    (void)world_inbox(world, bob, 0, entries);
    assert_false(entries[0].message.deleted);
    assert_false(entries[1].message.deleted);
    /* And nothing that is gone already comes back. */
    (void)world_ack(world, bob, 1, other);
    (void)world_ack(world, bob, 2, other);
    deletion.number = 4;
    deletion.chat_number = 2;
    deletion.original = other;
    assert_int_equal(world_change(world, &deletion).error, 0);
    assert_int_equal(world_inbox(world, bob, 0, entries), 3);
}

static void
hides_on_own_devices_alone(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "hello");
    struct world_change hide = change_of_first(STORE_CHANGE_HIDE, 2, "");
    assert_int_equal(world_change(world, &hide).error, 0);
    assert_true(world_change(world, &hide).duplicate);
    world_settle(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), 1);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    assert_int_equal(entries[0].peer, bob);
    expect_change(&entries[0], STORE_CHANGE_HIDE, 2, "");
    /* What one does not want to see may be edited all the same. */
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 3, "hi");
    assert_int_equal(world_change(world, &edit).error, 0);
}

static void
keeps_to_the_limits(void **state)
{
    struct world *world = *state;
    for (uint64_t number = 1; number <= 4; number++) {
        assert_int_equal(world_send(world, alice, 1, number, bob, "m").error, 0);
    }
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 5, "n");
    assert_int_equal(world_change(world, &edit).error, -EDQUOT);
    assert_int_equal(world_inbox(world, bob, 0, entries), 4);
    (void)world_ack(world, bob, 1, entries[0].number);
    assert_int_equal(world_change(world, &edit).error, 0);
    assert_false(world_change(world, &edit).error);
}

/* What the blocked can't tell. */
static void
swallows_changes_of_the_blocked(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "hello");
    (void)world_state(world, bob, STORE_STATE_BLOCKED, alice, "");
    struct result swallowed = world_send(world, alice, 1, 2, bob, "let me in");
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 3, "hi");
    struct result result = world_change(world, &edit);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.chat_number, 1);
    assert_true(world_change(world, &edit).duplicate);
    (void)world_state(world, bob, STORE_STATE_BLOCKED, alice, NULL);
    edit.number = 4; /* bob never had what he is to see edited */
    edit.chat_number = swallowed.chat_number;
    assert_int_equal(world_change(world, &edit).error, 0);
    size_t count = world_inbox(world, bob, 0, entries);
    for (size_t i = 0; i < count; i++) {
        assert_int_not_equal(entries[i].kind, STORE_ENTRY_CHANGE);
    }
    world_settle(world);
    (void)world_inbox(world, alice, 0, entries);
    expect_change(&entries[0], STORE_CHANGE_EDIT, 3, "hi"); /* her own devices keep step */
}

/* As by anybody else: a second deletion tells nobody, an edit is refused. */
static void
answers_the_blocked_as_ever(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "hello");
    (void)world_state(world, bob, STORE_STATE_BLOCKED, alice, "");
    struct result swallowed = world_send(world, alice, 1, 2, bob, "let me in");
    const uint64_t chat_numbers[] = {1, swallowed.chat_number};
    size_t before = world_inbox(world, bob, 0, entries);
    uint64_t number = 3;
    for (unsigned i = 0; i < 2; i++) {
        struct world_change change = change_of_first(STORE_CHANGE_DELETE, number++, "");
        change.chat_number = chat_numbers[i];
        assert_false(world_change(world, &change).duplicate);
        world_fold_out(world);
        change.number = number++;
        assert_true(world_change(world, &change).duplicate);
        change.kind = STORE_CHANGE_EDIT;
        change.number = number++;
        change.text = "hi";
        assert_int_equal(world_change(world, &change).error, -EIDRM);
    }
    assert_int_equal(world_inbox(world, bob, 0, entries), before + 1); /* of what he had */
    expect_change(&entries[before], STORE_CHANGE_DELETE, 3, "");
}

static void
refuses_strangers(void **state)
{
    struct world *world = *state;
    struct world_change edit = change_of_first(STORE_CHANGE_EDIT, 1, "n");
    edit.recipient = bob + 256;
    assert_int_equal(world_change(world, &edit).error, -ENOENT);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        AMONG_THEM("an edit follows the message, on all devices of both", edits_follow_the_message),
        AMONG_THEM("a change is no message of the chat, and delivers none",
                   a_change_counts_no_message),
        AMONG_THEM("a retry is one change, however late it comes", a_retry_is_one_change),
        AMONG_THEM("what comes too late is refused, and uses no number up",
                   refuses_what_comes_too_late),
        AMONG_THEM("a message is deleted once, on all devices of both", deletes_once_for_everyone),
        AMONG_THEM("a deleted message is not edited, over folds and restarts",
                   refuses_edits_of_the_deleted),
        AMONG_THEM("what a deletion finds in the inbox is wiped", wipes_what_was_not_fetched),
        AMONG_THEM("an edit goes when the message would have, and is none of what has gone",
                   lives_as_long_as_the_message),
        AMONG_THEM("what a deleted message was edited to is given to nobody any more",
                   takes_edits_along),
        AMONG_THEM("an edit that is under way reaches a device that is linked meanwhile",
                   reaches_who_is_linked_meanwhile),
        AMONG_THEM("an edit waits with the copy of its message for who is linked later",
                   goes_with_a_copy_that_waits),
        AMONG_THEM("an edit takes no room of who has one device and has taken in all",
                   is_nothing_for_an_only_device),
        AMONG_THEM("what an only device changes takes no room in its inbox, whatever waits there",
                   takes_no_room_of_an_only_device),
        AMONG_THEM("a change comes to the device that stays when the one that made it goes",
                   reaches_the_device_that_stays),
        AMONG_THEM("where the author's other devices have no room they are told that it is missing",
                   is_marked_where_own_devices_have_no_room),
        AMONG_THEM("that a message was taken back is remembered while copies of it wait",
                   remembers_while_copies_wait),
        AMONG_THEM("and of each no longer than its own do", forgets_each_by_itself),
        AMONG_THEM("and not when none do", remembers_nothing_when_none_wait),
        AMONG_THEM("a deletion wipes no other message", wipes_nothing_else),
        AMONG_THEM("a message is hidden on one's own devices alone", hides_on_own_devices_alone),
        AMONG_THEM("changes count towards an inbox's limits", keeps_to_the_limits),
        AMONG_THEM("what somebody edits whom one has blocked goes nowhere",
                   swallows_changes_of_the_blocked),
        AMONG_THEM("who is blocked is answered as ever when he deletes again, or edits what he did",
                   answers_the_blocked_as_ever),
        AMONG_THEM("a change for no one is refused", refuses_strangers),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
