/* SPDX-License-Identifier: Apache-2.0 */
/* What edits and deletions do to a message of a group. users[0] owns it, users[1] and users[2] are
 * members. */
#include "store/change.h"
#include "store/group_find.h"
#include "tests/store/group_town.h"

#include <errno.h>

enum { WINDOW_MS = 1000 };

static uint64_t
a_group(struct world *world)
{
    return world_group(world, users[0], 1, &users[1], 2);
}

/* By a user, of a message; settled. */
static struct result
revise(struct world *world, uint64_t group, enum store_change_kind kind, uint64_t user,
       uint64_t number, uint64_t chat_number)
{
    struct world_revision revision = {.kind = kind,
                                      .group = group,
                                      .user = user,
                                      .number = number,
                                      .chat_number = chat_number,
                                      .until_ms = WINDOW_MS,
                                      .text = kind == STORE_CHANGE_EDIT ? "edited" : ""};
    struct result result = world_group_revise(world, &revision);
    world_settle(world);
    return result;
}

/* The last entry of a user's inbox is a change like that. */
static void
expect_change(struct world *world, uint64_t user, enum store_change_kind kind, uint64_t author,
              uint64_t chat_number)
{
    size_t count = world_inbox(world, user, 0, entries);
    assert_true(count > 0);
    const struct store_entry *entry = &entries[count - 1];
    assert_int_equal(entry->kind, STORE_ENTRY_GROUP_CHANGE);
    assert_int_equal(entry->change.kind, kind);
    assert_int_equal(entry->change.author, author);
    assert_int_equal(entry->change.message.chat_number, chat_number);
    assert_int_equal(entry->change.message.body_bytes, kind == STORE_CHANGE_EDIT ? 6 : 0);
}

static void
edits_reach_all(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "helo");
    world_settle(world);
    struct result result = revise(world, id, STORE_CHANGE_EDIT, users[1], 2, 1);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.chat_number, 1);
    expect_change(world, users[0], STORE_CHANGE_EDIT, users[1], 1);
    expect_change(world, users[2], STORE_CHANGE_EDIT, users[1], 1);
    assert_int_equal(entries[2].peer, id);
    assert_int_equal(entries[2].change.message.sender_number, 2);
    /* His one device knows what it wrote. */
    assert_string_equal(heard(world, users[1]), "A");
    /* It has taken no number. */
    assert_int_equal(world_group_send(world, users[0], 2, id, "m").chat_number, 2);
}

static void
other_devices_hear(void **state)
{
    struct world *world = *state;
    uint64_t two = world_user(world, "two", 2);
    uint64_t id = world_group(world, users[0], 1, &two, 1);
    (void)world_group_send(world, two, 1, id, "helo");
    world_settle(world);
    (void)revise(world, id, STORE_CHANGE_EDIT, two, 2, 1);
    expect_change(world, two, STORE_CHANGE_EDIT, two, 1);
}

static void
goes_with_a_copy_that_waits(void **state)
{
    struct world *world = *state;
    uint64_t two = world_user(world, "two", 2);
    uint64_t id = world_group(world, users[0], 1, &two, 1);
    (void)world_group_send(world, two, 1, id, "helo");
    world_settle(world);
    assert_int_equal(world_device_revoke(world, two, 2).error, 0);
    (void)revise(world, id, STORE_CHANGE_EDIT, two, 2, 1);
    expect_change(world, two, STORE_CHANGE_EDIT, two, 1);
    world_drain(world, two);
    size_t before = world_inbox(world, two, 0, entries);
    (void)revise(world, id, STORE_CHANGE_EDIT, two, 3, 1);
    assert_int_equal(world_inbox(world, two, 0, entries), before);
}

static void
once(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "helo");
    struct result first = revise(world, id, STORE_CHANGE_EDIT, users[1], 2, 1);
    world_pass(world, UINT64_C(5) * WINDOW_MS);
    struct result again = revise(world, id, STORE_CHANGE_EDIT, users[1], 2, 1);
    assert_int_equal(again.error, 0);
    assert_true(again.duplicate);
    assert_int_equal(again.time_ms, first.time_ms);
    assert_int_equal(world_inbox(world, users[2], 0, entries), 3);
}

static void
by_whom(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "mine");
    world_settle(world);
    /* Nobody edits what another wrote, not even the owner, who may delete it. */
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[2], 1, 1).error, -EPERM);
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[2], 2, 1).error, -EPERM);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[0], 3, 1).error, -EPERM);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[4], 4, 1).error, -ENOENT);
    assert_int_equal(revise(world, id + 256, STORE_CHANGE_EDIT, users[1], 5, 1).error, -ENOENT);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[1], 6, 2).error, -ERANGE);
    assert_string_equal(heard(world, users[2]), "Am");
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[0], 3, 1).error, 0);
    expect_change(world, users[1], STORE_CHANGE_DELETE, users[1], 1);
    /* A refusal has used no number up. */
    (void)world_group_send(world, users[2], 1, id, "next");
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[2], 2, 2).error, 0);
}

static void
former_members(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "mine");
    assert_int_equal(change(world, id, users[0], 2, STORE_GROUP_REMOVE, users[1]).error, 0);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[1], 2, 1).error, -EPERM);
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[1], 3, 1).error, -EPERM);
    /* He is told nothing of what others change either. */
    (void)world_group_send(world, users[2], 1, id, "hers");
    size_t before = world_inbox(world, users[1], 0, entries);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[2], 2, 2).error, 0);
    assert_int_equal(world_inbox(world, users[1], 0, entries), before);
}

static void
rights(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "mine");
    (void)world_group_send(world, users[0], 2, id, "owner's");
    struct world_group_change only_admins = {.group = id,
                                             .user = users[0],
                                             .number = 3,
                                             .kind = STORE_GROUP_RIGHTS,
                                             .value = STORE_GROUP_ALL_EDIT};
    assert_int_equal(world_group_change(world, &only_admins).error, 0);
    world_settle(world);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[1], 2, 1).error, -EPERM);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[0], 4, 2).error, 0);
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[1], 2, 1).error, 0);
}

static void
too_late(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "mine");
    world_pass(world, WINDOW_MS - 1);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[1], 2, 1).error, 0);
    world_pass(world, 1);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[1], 3, 1).error, -ETIME);
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[0], 2, 1).error, -ETIME);
    /* Nothing is known of it any more: it was long ago. */
    struct command_group_tell tell = {.group = id, .log_low = 1};
    (void)world_group_tell(world, &tell);
    struct world_revision revision = {.kind = STORE_CHANGE_EDIT,
                                      .group = id,
                                      .user = users[1],
                                      .number = 4,
                                      .chat_number = 1,
                                      .until_ms = UINT64_MAX / 2};
    assert_int_equal(world_group_revise(world, &revision).error, -ETIME);
}

static void
deleted_once(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "oops");
    assert_false(revise(world, id, STORE_CHANGE_DELETE, users[1], 2, 1).duplicate);
    world_fold_out(world);
    world_restart(world);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[1], 3, 1).error, -EIDRM);
    struct result again = revise(world, id, STORE_CHANGE_DELETE, users[0], 2, 1);
    assert_int_equal(again.error, 0);
    assert_true(again.duplicate);
    assert_int_equal(world_inbox(world, users[2], 0, entries), 3);
}

static void
not_what_disappeared(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send_for(world, users[1], 1, id, "soon gone", 500);
    world_settle(world);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[1], 2, 1).error, 0);
    (void)world_inbox(world, users[2], 0, entries);
    /* The edit goes when the message would have. */
    assert_int_equal(entries[2].change.message.expires_at_ms, entries[1].message.expires_at_ms);
    world_pass(world, 500);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[1], 3, 1).error, -EIDRM);
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[1], 4, 1).error, 0);
}

static void
wipes(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "a secret");
    (void)world_group_send(world, users[1], 2, id, "no secret");
    world_settle(world);
    world_fold_out(world); /* it has reached the database */
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[1], 3, 1).error, 0);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3; i += 2) {
            expect_change(world, users[i], STORE_CHANGE_DELETE, users[1], 1);
            assert_true(entries[1].message.deleted);
            assert_int_equal(entries[1].message.body_bytes, 0);
            assert_int_equal(entries[1].message.chat_number, 1);
            assert_false(entries[2].message.deleted);
        }
        world_fold_out(world);
        world_restart(world);
    }
}

static void
takes_edits_along(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "mine");
    (void)world_group_send(world, users[1], 2, id, "stays");
    (void)revise(world, id, STORE_CHANGE_EDIT, users[1], 3, 1);
    (void)revise(world, id, STORE_CHANGE_EDIT, users[1], 4, 2);
    world_fold_out(world); /* they have reached the database */
    (void)revise(world, id, STORE_CHANGE_EDIT, users[1], 5, 1);
    assert_int_equal(world_inbox(world, users[2], 0, entries), 6);
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[0], 2, 1).error, 0);
    for (unsigned round = 0; round < 2; round++) {
        expect_change(world, users[2], STORE_CHANGE_DELETE, users[1], 1);
        assert_int_equal(world_inbox(world, users[2], 0, entries), 5);
        assert_true(entries[1].message.deleted);
        assert_int_equal(entries[3].change.kind, STORE_CHANGE_EDIT);
        assert_int_equal(entries[3].change.message.chat_number, 2);
        world_fold_out(world);
        world_restart(world);
    }
}

/* Any of many is found, also where some are missing or have been acknowledged. */
static void
finds(void **state)
{
    enum { MANY = 1000, ACKED = 300 };
    static const struct ledger_limits roomy = {
        .inbox_entries_max = 5000, .inbox_bytes_max = 1 << 20, .devices_max = 3};
    struct world *world = world_new(9, &roomy);
    uint64_t owner = world_user(world, "owner", 1);
    uint64_t member = world_user(world, "member", 2);
    uint64_t id = world_group(world, owner, 1, &member, 1);
    struct record_head head;
    struct record_membership membership;
    (void)state;
    for (uint64_t number = 1; number <= MANY; number++) {
        (void)world_group_send(world, owner, number + 1, id, "m");
    }
    world_settle(world);
    (void)world_inbox(world, member, 0, entries);
    (void)world_ack(world, member, 1, entries[ACKED].number);
    (void)world_ack(world, member, 2, entries[ACKED].number);
    assert_true(world_head(world, member, &head));
    assert_true(world_membership(world, member, id, &membership));
    for (uint64_t number = 1; number <= MANY; number++) {
        struct store_entry found;
        bool there = group_find(world_ledger(world, world_partition(world, member)), member,
                                head.low.number, &membership, number, NULL, NULL, &found);
        assert_int_equal(there, number > ACKED);
        assert_true(!there || found.message.chat_number == number);
    }
    world_free(&world);
}

static void
not_earlier(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[1], 1, id, "before");
    assert_int_equal(change(world, id, users[0], 2, STORE_GROUP_ADD, users[3]).error, 0);
    assert_int_equal(revise(world, id, STORE_CHANGE_EDIT, users[1], 2, 1).error, 0);
    assert_string_equal(heard(world, users[3]), "B");
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[1], 3, 1).error, 0);
    expect_change(world, users[3], STORE_CHANGE_DELETE, users[1], 1); /* which says nothing */
}

static void
full_inbox(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    for (uint64_t number = 1; number <= 19;
         number++) { /* with the creation, all there is room for */
        (void)world_group_send(world, users[0], number + 1, id, "secret");
    }
    world_settle(world);
    assert_int_equal(revise(world, id, STORE_CHANGE_DELETE, users[0], 30, 19).error, 0);
    size_t count = world_inbox(world, users[1], 0, entries);
    assert_int_equal(count, 21);
    assert_int_equal(entries[20].kind, STORE_ENTRY_GROUP_CURSORS);
    assert_true(entries[20].group_cursors.gap_moved);
    assert_true(entries[19].message.deleted); /* there was no need of room for that */
}

static void
hides(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[0], 2, id, "hello");
    world_settle(world);
    struct world_change hide = {.kind = STORE_CHANGE_HIDE,
                                .sender = users[1],
                                .number = 1,
                                .recipient = id,
                                .chat_number = 1,
                                .in_group = true,
                                .text = ""};
    assert_int_equal(world_change(world, &hide).error, 0);
    assert_true(world_change(world, &hide).duplicate);
    world_settle(world);
    expect_change(world, users[1], STORE_CHANGE_HIDE, users[1], 1);
    assert_int_equal(world_inbox(world, users[2], 0, entries), 2);
    hide.number = 2;
    hide.chat_number = 2; /* there is none yet */
    assert_int_equal(world_change(world, &hide).error, -ENOENT);
    hide.sender = users[4];
    hide.chat_number = 1;
    assert_int_equal(world_change(world, &hide).error, -ENOENT);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_TOWN("an edit reaches all members, and is no message", edits_reach_all),
        IN_TOWN("the author's other devices hear of it", other_devices_hear),
        IN_TOWN("an edit waits with the copy of its message for who is linked later",
                goes_with_a_copy_that_waits),
        IN_TOWN("a retry is one change, however late it comes", once),
        IN_TOWN("the author alone edits; an admin may delete, too", by_whom),
        IN_TOWN("who is no member any more changes nothing, and is not told", former_members),
        IN_TOWN("who may not write to the group does not edit what he wrote", rights),
        IN_TOWN("what comes too late is refused", too_late),
        IN_TOWN("a message is deleted once, and then not edited, over folds and restarts",
                deleted_once),
        IN_TOWN("what has disappeared is not edited, and an edit lives no longer",
                not_what_disappeared),
        IN_TOWN("what no device has fetched is wiped in all inboxes", wipes),
        IN_TOWN("what a deleted message was edited to is given to no member any more",
                takes_edits_along),
        IN_TOWN("any message that waits is found", finds),
        IN_TOWN("a new member is not given what he was not given before", not_earlier),
        IN_TOWN("a full inbox refuses no change, and its owner is told", full_inbox),
        IN_TOWN("a message is hidden from oneself alone", hides),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
