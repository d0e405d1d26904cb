/* SPDX-License-Identifier: Apache-2.0 */
/* How long messages of a chat of two live: what either of them sets, for both. */
#include "store/chat.h"
#include "store/history.h"
#include "store/state.h"
#include "tests/store/world_group.h"
#include "tests/store/world_spec.h"

#include <errno.h>

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };

static const struct ledger_limits limits = {
    .inbox_entries_max = 8, .inbox_bytes_max = 10000, .devices_max = 3};

static struct store_entry entries[WORLD_PAGE_MAX];
static uint64_t alice, bob;

/* Who have met: alice has written once, which has been taken in. */
static int
begin(void **state)
{
    struct world *world = world_new(13, &limits);
    alice = world_user(world, "alice", 2);
    bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 1, bob, "hello");
    world_drain(world, bob);
    world_settle(world);
    world_drain(world, alice);
    *state = world;
    return 0;
}

static uint64_t
ttl_of(struct world *world, uint64_t user, uint64_t peer)
{
    struct record_chat chat;
    assert_true(world_chat(world, user, peer, &chat));
    return chat.ttl_ms;
}

/* The only entry of the user's inbox tells that it was set. */
static void
expect_told(struct world *world, uint64_t user, uint64_t peer, uint64_t author, uint64_t ttl_ms)
{
    assert_int_equal(world_inbox(world, user, 0, entries), 1);
    assert_int_equal(entries[0].kind, STORE_ENTRY_CHAT_TTL);
    assert_int_equal(entries[0].peer, peer);
    assert_int_equal(entries[0].update.author, author);
    assert_int_equal(entries[0].update.value, ttl_ms);
}

static void
is_told_to_both(void **state)
{
    struct world *world = *state;
    struct result result = world_chat_ttl(world, alice, 2, bob, HOUR_MS);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.time_ms, world_now_ms(world));
    world_settle(world);
    expect_told(world, bob, alice, alice, HOUR_MS);
    expect_told(world, alice, bob, alice, HOUR_MS); /* her other device */
    assert_int_equal(ttl_of(world, alice, bob), HOUR_MS);
    assert_int_equal(ttl_of(world, bob, alice), HOUR_MS);
    world_drain(world, bob);
    world_drain(world, alice);
    (void)world_chat_ttl(world, bob, 1, alice, 0);
    world_settle(world);
    expect_told(world, alice, bob, bob, 0);
    assert_int_equal(world_inbox(world, bob, 0, entries), 0); /* his one device knows */
    assert_int_equal(ttl_of(world, alice, bob), 0);
    assert_int_equal(ttl_of(world, bob, alice), 0);
}

static uint64_t
lives_for(struct world *world, uint64_t sender, uint64_t number, uint64_t recipient,
          uint64_t ttl_ms)
{
    struct result sent = ttl_ms == 0
                             ? world_send(world, sender, 1, number, recipient, "m")
                             : world_send_for(world, sender, number, recipient, "m", ttl_ms);
    assert_int_equal(sent.error, 0);
    size_t count = world_inbox(world, recipient, 0, entries);
    uint64_t at_ms = entries[count - 1].message.expires_at_ms;
    return at_ms == 0 ? 0 : at_ms - world_now_ms(world);
}

static void
holds_for_messages_of_both(void **state)
{
    struct world *world = *state;
    (void)world_chat_ttl(world, alice, 2, bob, HOUR_MS);
    world_settle(world);
    assert_int_equal(lives_for(world, alice, 3, bob, 0), HOUR_MS);
    assert_int_equal(lives_for(world, bob, 1, alice, 0), HOUR_MS);
    assert_int_equal(lives_for(world, bob, 2, alice, MINUTE_MS), MINUTE_MS); /* as he says */
    assert_int_equal(lives_for(world, alice, 4, bob, UINT64_C(2) * HOUR_MS), HOUR_MS);
    (void)world_chat_ttl(world, bob, 3, alice, 0);
    world_settle(world);
    assert_int_equal(lives_for(world, alice, 5, bob, 0), 0);
    world_pass(world, HOUR_MS);
    (void)world_sweep(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), 2); /* the setting, and the last */
}

static void
edits_live_no_longer(void **state)
{
    struct world *world = *state;
    (void)world_chat_ttl(world, alice, 2, bob, HOUR_MS);
    world_settle(world);
    struct world_change edit = {.kind = STORE_CHANGE_EDIT,
                                .sender = alice,
                                .number = 3,
                                .recipient = bob,
                                .chat_number = 1,
                                .text = "hi"};
    assert_int_equal(world_change(world, &edit).error, 0);
    world_settle(world);
    for (unsigned i = 0; i < 2; i++) {
        size_t count = world_inbox(world, i == 0 ? bob : alice, 0, entries);
        const struct store_entry *last = &entries[count - 1];
        assert_int_equal(last->kind, STORE_ENTRY_CHANGE);
        assert_int_equal(last->change.message.expires_at_ms, world_now_ms(world) + HOUR_MS);
    }
}

/* Both at once: the partitions hear of the two in different orders. */
static void
the_later_one_holds_for_both(void **state)
{
    struct world *world = *state;
    for (unsigned round = 0; round < 3; round++) {
        bool alice_first = round == 0;
        uint64_t first_ttl = alice_first ? HOUR_MS : MINUTE_MS;
        (void)world_chat_ttl(world, alice_first ? alice : bob, 10 + round,
                             alice_first ? bob : alice, first_ttl);
        world_pass(world, round == 2 ? 0 : 1);
        (void)world_chat_ttl(world, alice_first ? bob : alice, 20 + round,
                             alice_first ? alice : bob, first_ttl / 2);
        world_settle(world);
        assert_int_equal(ttl_of(world, alice, bob), ttl_of(world, bob, alice));
        assert_true(round == 2 || ttl_of(world, alice, bob) == first_ttl / 2);
        world_pass(world, 1);
        world_drain(world, alice);
        world_drain(world, bob);
    }
}

static void
a_retry_sets_once(void **state)
{
    struct world *world = *state;
    struct result first = world_chat_ttl(world, alice, 2, bob, HOUR_MS);
    world_settle(world);
    world_pass(world, 10);
    (void)world_chat_ttl(world, bob, 1, alice, 0);
    world_settle(world);
    struct result again = world_chat_ttl(world, alice, 2, bob, HOUR_MS);
    assert_true(again.duplicate);
    assert_int_equal(again.time_ms, first.time_ms);
    assert_int_equal(ttl_of(world, bob, alice), 0);
}

static void
outlives_folds_and_restarts(void **state)
{
    struct world *world = *state;
    (void)world_chat_ttl(world, alice, 2, bob, HOUR_MS);
    world_settle(world);
    world_fold_out(world);
    world_restart(world);
    assert_int_equal(lives_for(world, alice, 3, bob, 0), HOUR_MS);
    assert_int_equal(lives_for(world, bob, 1, alice, 0), HOUR_MS);
}

static void
is_refused(void **state)
{
    struct world *world = *state;
    uint64_t carol = world_user(world, "carol", 1);
    assert_int_equal(world_chat_ttl(world, carol, 1, bob, HOUR_MS).error, -ENOMSG);
    assert_int_equal(world_chat_ttl(world, alice, 2, bob + 256, HOUR_MS).error, -ENOENT);
    for (uint64_t number = 2; number <= 9; number++) {
        assert_int_equal(world_send(world, alice, 1, number, bob, "m").error, 0);
    }
    assert_int_equal(world_chat_ttl(world, alice, 10, bob, HOUR_MS).error, -EDQUOT);
    assert_int_equal(ttl_of(world, bob, alice), 0);
    world_drain(world, bob);
    assert_int_equal(world_chat_ttl(world, alice, 10, bob, HOUR_MS).error, 0); /* not used up */
}

static void
is_marked_where_own_devices_have_no_room(void **state)
{
    struct world *world = *state;
    uint64_t carol = world_user(world, "carol", 1);
    for (uint64_t number = 1; world_send(world, carol, 1, number, alice, "m").error == 0;) {
        number++;
    }
    assert_int_equal(world_chat_ttl(world, alice, 2, bob, HOUR_MS).error, 0);
    world_settle(world);
    size_t count = world_inbox(world, alice, 0, entries);
    assert_int_equal(entries[count - 1].kind, STORE_ENTRY_MISSED);
    assert_int_equal(ttl_of(world, alice, bob), HOUR_MS);
}

/* What the user sees as the chat's. */
static uint64_t
ttl_seen(struct world *world, uint64_t user, uint64_t peer)
{
    struct record_chat chat;
    assert_true(world_chat(world, user, peer, &chat));
    return chat_ttl_ms(&chat);
}

/* What the blocked can't tell. */
static void
is_nothing_to_who_has_blocked(void **state)
{
    struct world *world = *state;
    (void)world_state(world, bob, STORE_STATE_BLOCKED, alice, "");
    size_t before = world_inbox(world, bob, 0, entries);
    assert_int_equal(world_chat_ttl(world, alice, 2, bob, HOUR_MS).error, 0);
    world_settle(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), before);
    expect_told(world, alice, bob, alice, HOUR_MS); /* her other device */
    world_fold_out(world);
    world_restart(world);
    assert_int_equal(ttl_seen(world, alice, bob), HOUR_MS);
    assert_int_equal(ttl_seen(world, bob, alice), 0);
    (void)world_chat_ttl(world, bob, 1, alice, MINUTE_MS);
    world_settle(world);
    assert_int_equal(ttl_seen(world, alice, bob), MINUTE_MS);
    assert_int_equal(ttl_seen(world, bob, alice), MINUTE_MS);
}

/* She goes by it, he does not. */
static void
shortens_nothing_of_who_has_blocked(void **state)
{
    struct world *world = *state;
    (void)world_state(world, bob, STORE_STATE_BLOCKED, alice, "");
    (void)world_chat_ttl(world, alice, 2, bob, MINUTE_MS);
    world_settle(world);
    struct result hers = world_send(world, alice, 1, 3, bob, "is swallowed");
    assert_int_equal(hers.expires_at_ms, world_now_ms(world) + MINUTE_MS);
    assert_int_equal(world_send(world, alice, 1, 3, bob, "again").expires_at_ms,
                     hers.expires_at_ms);
    struct result his = world_send_copied(world, bob, 1, 1, alice, "from who has blocked");
    assert_int_equal(his.expires_at_ms, 0);
    size_t count = world_inbox(world, alice, 0, entries);
    assert_int_equal(entries[count - 1].message.expires_at_ms, world_now_ms(world) + MINUTE_MS);
    world_settle(world);
    count = world_inbox(world, bob, 0, entries);
    assert_int_equal(entries[count - 1].message.expires_at_ms, 0); /* his copy */
    struct world_change edit = {.kind = STORE_CHANGE_EDIT,
                                .sender = bob,
                                .number = 2,
                                .recipient = alice,
                                .chat_number = 1,
                                .text = "edited"};
    assert_int_equal(world_change(world, &edit).error, 0);
    world_settle(world);
    count = world_inbox(world, bob, 0, entries);
    assert_int_equal(entries[count - 1].change.message.expires_at_ms, 0);
    /* Nor does it come to hold for him when he lifts the block. */
    (void)world_state(world, bob, STORE_STATE_BLOCKED, alice, NULL);
    assert_int_equal(lives_for(world, alice, 4, bob, 0), 0);
    (void)world_chat_ttl(world, alice, 5, bob, HOUR_MS);
    world_settle(world);
    assert_int_equal(lives_for(world, alice, 6, bob, 0), HOUR_MS);
    assert_int_equal(world_send(world, bob, 1, 3, alice, "m").expires_at_ms,
                     world_now_ms(world) + HOUR_MS);
}

/* A stranger is answered alike, whatever the other one has set. */
static void
strangers_learn_nothing_from_it(void **state)
{
    struct world *world = *state;
    uint64_t carol = world_user(world, "carol", 1);
    uint64_t dave = world_user(world, "dave", 1);
    (void)world_state(world, bob, STORE_STATE_BLOCKED, carol, "");
    (void)world_state(world, bob, STORE_STATE_MUTED, dave, "");
    assert_int_equal(world_chat_ttl(world, carol, 1, bob, HOUR_MS).error, -ENOMSG);
    assert_int_equal(world_chat_ttl(world, dave, 1, bob, HOUR_MS).error, -ENOMSG);
    (void)world_send(world, carol, 1, 2, bob, "is swallowed");
    (void)world_send(world, dave, 1, 2, bob, "arrives");
    assert_int_equal(world_chat_ttl(world, carol, 3, bob, HOUR_MS).error, 0);
    assert_int_equal(world_chat_ttl(world, dave, 3, bob, HOUR_MS).error, 0);
}

/* Of what he has not acknowledged his partition alone knows. */
static void
who_was_written_to_may_set_it(void **state)
{
    struct world *world = *state;
    uint64_t carol = world_user(world, "carol", 1);
    (void)world_send(world, bob, 1, 1, carol, "hello");
    struct command command = {
        .partition = world_partition(world, bob),
        .kind = COMMAND_CHAT_TTL,
        .chat_ttl = {.recipient = bob, .user = carol, .number = 1, .ttl_ms = HOUR_MS, .device = 1}};
    assert_int_equal(world_apply(world, &command).error, -ENOMSG);
    command.chat_ttl.met = true;
    assert_int_equal(world_apply(world, &command).error, 0);
    world_settle(world);
    assert_int_equal(ttl_of(world, bob, carol), HOUR_MS);
    assert_int_equal(ttl_of(world, carol, bob), HOUR_MS);
}

static void
with_oneself(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 2, alice, "note");
    world_drain(world, alice);
    world_settle(world);
    world_drain(world, alice);
    assert_int_equal(world_chat_ttl(world, alice, 3, alice, HOUR_MS).error, 0);
    world_settle(world);
    expect_told(world, alice, alice, alice, HOUR_MS);
    assert_int_equal(lives_for(world, alice, 4, alice, 0), HOUR_MS);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        AMONG_THEM("either sets it, and both are told, on all devices", is_told_to_both),
        AMONG_THEM("it holds for what either of them sends from then on",
                   holds_for_messages_of_both),
        AMONG_THEM("edits live no longer", edits_live_no_longer),
        AMONG_THEM("where both set it at once, one of the two holds for both",
                   the_later_one_holds_for_both),
        AMONG_THEM("a retry sets it once", a_retry_sets_once),
        AMONG_THEM("it outlives folds and restarts", outlives_folds_and_restarts),
        AMONG_THEM("who have not met, nobody, and a full inbox are refused", is_refused),
        AMONG_THEM("where the other devices have no room they are told that something is missing",
                   is_marked_where_own_devices_have_no_room),
        AMONG_THEM("who has blocked the other one is told nothing, and nothing is set for him",
                   is_nothing_to_who_has_blocked),
        AMONG_THEM("what the blocked one set holds for him alone",
                   shortens_nothing_of_who_has_blocked),
        AMONG_THEM("strangers hear nothing of blocks and mutes by it",
                   strangers_learn_nothing_from_it),
        AMONG_THEM("who was written to, and has not acknowledged it, may set it",
                   who_was_written_to_may_set_it),
        AMONG_THEM("one has a chat with oneself", with_oneself),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
