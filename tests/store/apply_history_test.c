/* SPDX-License-Identifier: Apache-2.0 */
#include "store/history_ledger.h"
#include "tests/spec.h"
#include "tests/store/world_group.h"

#include <errno.h>

static struct world *
world_with(uint64_t history_ms)
{
    struct ledger_limits limits = {.inbox_entries_max = 5,
                                   .inbox_bytes_max = 10000,
                                   .devices_max = 3,
                                   .history_ms = history_ms};
    return world_new(11, &limits);
}

/* The first letters of a chat's messages, the oldest first, of a deleted one "-"; what is there
 * backwards must be the same. */
static const char *
history(struct world *world, uint64_t user, uint64_t chat)
{
    static char text[64];
    size_t used = 0;
    struct store_value value;
    uint8_t partition = world_partition(world, user);
    const struct ledger *ledger = world_ledger(world, partition);
    for (uint64_t number = 1; number <= 3; number++) {
        for (unsigned own = 0; own < 2; own++) {
            struct store_key at = history_key_at(partition, user, chat, number, own);
            struct store_entry entry;
            if (!world_get(world, &at, &value)) {
                continue;
            }
            struct history_at found;
            assert_int_equal(history_at_decode(value, &found), 0);
            struct store_key back = history_key_back(partition, user, chat, found.number);
            struct store_key key = history_key(partition, user, chat, found.number);
            assert_true(world_get(world, &back, &value));
            assert_true(world_get(world, &key, &value));
            assert_int_equal(entry_decode(key.b, value.bytes, value.count, &entry), 0);
            if (entry.kind == STORE_ENTRY_GROUP_UPDATE) {
                assert_int_equal(entry.update.update, number);
                continue;
            }
            text[used++] = (char)(entry.message.deleted ? '-' : entry.message.body[0]);
        }
    }
    assert_non_null(ledger);
    text[used] = '\0';
    return text;
}

static uint8_t
kind_of(struct world *world, uint64_t user, uint64_t chat, uint64_t chat_number, bool own)
{
    struct store_entry entry;
    struct store_value value;
    struct history_at found;
    uint8_t partition = world_partition(world, user);
    struct store_key at = history_key_at(partition, user, chat, chat_number, own);
    assert_true(world_get(world, &at, &value));
    assert_int_equal(history_at_decode(value, &found), 0);
    struct store_key key = history_key(partition, user, chat, found.number);
    assert_true(world_get(world, &key, &value));
    assert_int_equal(entry_decode(found.number, value.bytes, value.count, &entry), 0);
    return entry.message.content_kind;
}

static void
keeps_nothing_when_off(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_OFF);
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 1, bob, "a");
    world_settle(world);
    assert_string_equal(history(world, bob, alice), "");
    assert_string_equal(history(world, alice, bob), "");
    world_free(&world);
}

static void
keeps_both_sides(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    struct record_head head;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 1, bob, "a");
    (void)world_send(world, bob, 1, 1, alice, "b");
    (void)world_send(world, alice, 1, 2, bob, "c");
    world_settle(world);
    assert_true(world_head(world, bob, &head));
    (void)world_ack(world, bob, 1, head.last.number);
    world_fold_all(world);
    world_restart(world);
    assert_string_equal(history(world, bob, alice), "abc");
    assert_string_equal(history(world, alice, bob), "bac"); /* by sides, as this looks them up */
    world_free(&world);
}

static void
own_messages_stay_out_of_the_inbox(void **state)
{
    (void)state;
    static struct store_entry entries[WORLD_PAGE_MAX];
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t two = world_user(world, "two", 2);
    (void)world_send(world, alice, 1, 1, two, "a");
    (void)world_send_copied(world, two, 1, 1, alice, "b");
    world_settle(world);
    assert_int_equal(world_inbox(world, alice, 0, entries), 1); /* b alone */
    assert_int_equal(world_inbox(world, two, 0, entries), 2);   /* a, and the copy for the other */
    assert_string_equal(history(world, two, alice), "ab");
    world_free(&world);
}

static void
own_messages_reach_the_device_that_stays(void **state)
{
    (void)state;
    static struct store_entry entries[WORLD_PAGE_MAX];
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t two = world_user(world, "two", 2);
    uint64_t id = world_group(world, alice, 1, &two, 1);
    world_settle(world);
    world_drain(world, two);
    (void)world_send_copied(world, two, 1, 1, alice, "a");
    (void)world_group_send(world, two, 2, id, "b");
    assert_int_equal(world_device_revoke(world, two, 1).error, 0); /* both are under way */
    world_settle(world);
    size_t count = world_inbox(world, two, 0, entries);
    unsigned copies = 0;
    for (size_t i = 0; i < count; i++) {
        bool said = entries[i].kind == STORE_ENTRY_MESSAGE;
        copies += said || entries[i].kind == STORE_ENTRY_GROUP_MESSAGE;
    }
    assert_int_equal(copies, 2);
    world_free(&world);
}

static void
is_changed_in_groups(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t id = world_group(world, alice, 1, &bob, 1);
    struct world_revision revision = {.kind = STORE_CHANGE_EDIT,
                                      .group = id,
                                      .user = alice,
                                      .number = 4,
                                      .chat_number = 1,
                                      .until_ms = 1000,
                                      .text = "new"};
    (void)world_group_send(world, alice, 2, id, "a");
    (void)world_group_send(world, alice, 3, id, "b");
    assert_int_equal(world_group_revise(world, &revision).error, 0);
    world_settle(world);
    assert_string_equal(history(world, bob, id), "nb");
    assert_string_equal(history(world, alice, id), "nb");
    revision.kind = STORE_CHANGE_DELETE;
    revision.number = 5;
    assert_int_equal(world_group_revise(world, &revision).error, 0);
    struct world_change hide = {.kind = STORE_CHANGE_HIDE,
                                .sender = alice,
                                .number = 6,
                                .recipient = id,
                                .chat_number = 2,
                                .in_group = true,
                                .text = ""};
    assert_int_equal(world_change(world, &hide).error, 0); /* one's own, for oneself */
    world_settle(world);
    assert_string_equal(history(world, bob, id), "-b");
    assert_string_equal(history(world, alice, id), "-");
    world_free(&world);
}

static void
fills_what_a_full_inbox_missed(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t id = world_group(world, alice, 1, &bob, 1);
    for (uint64_t i = 1; i <= 3; i++) {
        (void)world_send(world, alice, 1, 10 + i, bob, "x");
    }
    (void)world_group_send(world, alice, 2, id, "a");
    (void)world_group_send(world, alice, 3, id, "b"); /* finds no room */
    (void)world_group_send(world, alice, 4, id, "c");
    world_settle(world);
    assert_string_equal(history(world, bob, id), "abc");
    assert_string_equal(history(world, alice, id), "abc");
    world_free(&world);
}

static void
forgets(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    unsigned char rows[2 * COMMAND_HISTORY_ROW_BYTES];
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 1, bob, "a");
    (void)world_send(world, alice, 1, 2, bob, "b");
    world_settle(world);
    struct command_history_row row = {.user = bob, .chat = alice, .chat_number = 1};
    command_history_put(rows, 0, &row);
    row.chat_number = 9; /* was never there */
    command_history_put(rows, 1, &row);
    struct command command = {.partition = world_partition(world, bob),
                              .kind = COMMAND_HISTORY,
                              .history = {.count = 2, .rows = rows}};
    (void)world_apply(world, &command);
    assert_string_equal(history(world, bob, alice), "b");
    assert_string_equal(history(world, alice, bob), "ab");
    world_free(&world);
}

static void
changes_hold(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 1, bob, "a");
    (void)world_send(world, alice, 1, 2, bob, "b");
    struct world_change change = {.kind = STORE_CHANGE_EDIT,
                                  .sender = alice,
                                  .number = 3,
                                  .recipient = bob,
                                  .chat_number = 1,
                                  .text = "changed"};
    assert_int_equal(world_change(world, &change).error, 0);
    world_settle(world);
    world_fold_all(world);
    world_restart(world);
    assert_string_equal(history(world, bob, alice), "cb");
    assert_string_equal(history(world, alice, bob), "cb");
    change.kind = STORE_CHANGE_DELETE;
    change.number = 4;
    change.text = "";
    assert_int_equal(world_change(world, &change).error, 0);
    world_settle(world);
    assert_string_equal(history(world, bob, alice), "-b");
    assert_string_equal(history(world, alice, bob), "-b");
    change.kind = STORE_CHANGE_HIDE;
    change.number = 5;
    change.chat_number = 2;
    assert_int_equal(world_change(world, &change).error, 0);
    assert_string_equal(history(world, bob, alice), "-b");
    assert_string_equal(history(world, alice, bob), "-");
    world_free(&world);
}

/* What kind of thing it was says something of it, and a search by kind would find it. */
static void
a_deleted_message_has_no_kind(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    struct command command = {.partition = world_partition(world, bob),
                              .kind = COMMAND_MESSAGE,
                              .message = {.recipient = bob,
                                          .message = {.sender = alice,
                                                      .sender_device = 1,
                                                      .sender_number = 1,
                                                      .content_kind = 7,
                                                      .body = (const unsigned char *)"a",
                                                      .body_bytes = 1}}};
    assert_int_equal(world_apply(world, &command).error, 0);
    world_settle(world);
    assert_int_equal(kind_of(world, bob, alice, 1, false), 7);
    assert_int_equal(kind_of(world, alice, bob, 1, true), 7);
    struct world_change change = {.kind = STORE_CHANGE_DELETE,
                                  .sender = alice,
                                  .number = 2,
                                  .recipient = bob,
                                  .chat_number = 1,
                                  .text = ""};
    assert_int_equal(world_change(world, &change).error, 0);
    world_settle(world);
    assert_int_equal(kind_of(world, bob, alice, 1, false), 0);
    assert_int_equal(kind_of(world, alice, bob, 1, true), 0);
    world_free(&world);
}

static void
changes_hold_while_off(void **state)
{
    (void)state;
    static struct store_entry entries[WORLD_PAGE_MAX];
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 1, bob, "a");
    (void)world_send(world, alice, 1, 2, bob, "b");
    world_settle(world);
    world_history(world, STORE_HISTORY_OFF);
    struct world_change change = {.kind = STORE_CHANGE_DELETE,
                                  .sender = alice,
                                  .number = 3,
                                  .recipient = bob,
                                  .chat_number = 1,
                                  .text = ""};
    assert_int_equal(world_change(world, &change).error, 0);
    change.kind = STORE_CHANGE_EDIT;
    change.number = 4;
    change.chat_number = 2;
    change.text = "new";
    assert_int_equal(world_change(world, &change).error, 0);
    world_settle(world);
    assert_string_equal(history(world, bob, alice), "-n");
    assert_string_equal(history(world, alice, bob), "-n");
    assert_int_equal(world_inbox(world, alice, 0, entries), 0); /* the one device made them */
    world_free(&world);
}

/* The count that the history has of one's own message in a group. */
static bool
counted(struct world *world, uint64_t user, uint64_t group, uint64_t chat_number,
        struct store_group_count *out)
{
    struct history_at found;
    struct store_value value;
    struct store_key at =
        history_key_at(world_partition(world, user), user, group, chat_number, false);
    if (!world_get(world, &at, &value)) {
        return false;
    }
    assert_int_equal(history_at_decode(value, &found), 0);
    *out = found.count;
    return found.counted;
}

static void
tell(struct world *world, uint64_t group, uint64_t user, const struct store_group_count *count,
     uint64_t all)
{
    unsigned char rows[COMMAND_TELL_BYTES];
    struct command_tell_row row = {.user = user,
                                   .chat_number = count->chat_number,
                                   .delivered = count->delivered,
                                   .read = count->read,
                                   .expired = count->expired};
    struct command_group_tell told = {
        .group = group, .delivered_all = all, .count = 1, .rows = rows};
    command_tell_put(rows, 0, &row);
    assert_int_equal(world_group_tell(world, &told).error, 0);
    world_settle(world);
}

static void
keeps_what_a_writer_was_told(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    struct record_membership membership;
    struct store_group_count count = {.chat_number = 1, .delivered = 1, .expired = 2};
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t id = world_group(world, alice, 1, &bob, 1);
    (void)world_group_send(world, alice, 2, id, "a");
    world_settle(world);
    assert_false(counted(world, alice, id, 1, &count));
    count = (struct store_group_count){.chat_number = 1, .delivered = 1, .expired = 2};
    tell(world, id, alice, &count, 1);
    world_fold_all(world);
    world_restart(world);
    assert_true(counted(world, alice, id, 1, &count));
    assert_int_equal(count.delivered, 1);
    assert_int_equal(count.read, 0);
    assert_int_equal(count.expired, 2);
    assert_true(world_membership(world, alice, id, &membership));
    assert_int_equal(membership.all_delivered, 1);
    assert_int_equal(membership.all_read, 0);
    /* Newer ones take its place; of a message that is not there any more there is none. */
    count = (struct store_group_count){.chat_number = 1, .delivered = 2, .read = 1};
    tell(world, id, alice, &count, 0);
    assert_true(counted(world, alice, id, 1, &count));
    assert_int_equal(count.delivered, 2);
    assert_true(world_membership(world, alice, id, &membership));
    assert_int_equal(membership.all_delivered, 1);
    struct world_change hide = {.kind = STORE_CHANGE_HIDE,
                                .sender = alice,
                                .number = 3,
                                .recipient = id,
                                .chat_number = 1,
                                .in_group = true,
                                .text = ""};
    assert_int_equal(world_change(world, &hide).error, 0);
    tell(world, id, alice, &(struct store_group_count){.chat_number = 1, .delivered = 3}, 1);
    assert_false(counted(world, alice, id, 1, &count));
    world_free(&world);
}

/* Which of a group's first four updates are there. */
static const char *
updates(struct world *world, uint64_t user, uint64_t group)
{
    static char text[8];
    size_t used = 0;
    struct store_value value;
    for (uint64_t update = 1; update <= 4; update++) {
        struct store_key at =
            history_key_at(world_partition(world, user), user, group, update, true);
        if (world_get(world, &at, &value)) {
            text[used++] = (char)('0' + update);
        }
    }
    text[used] = '\0';
    return text;
}

static void
change_group(struct world *world, uint64_t group, uint64_t user, uint64_t number, uint8_t kind,
             uint64_t subject)
{
    struct world_group_change change = {.group = group,
                                        .user = user,
                                        .number = number,
                                        .kind = kind,
                                        .subjects = subject != 0,
                                        .ids = {subject},
                                        .text = kind == STORE_GROUP_RENAME ? "new" : ""};
    assert_int_equal(world_group_change(world, &change).error, 0);
    world_settle(world);
}

static void
keeps_what_became_of_a_group(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_FOREVER);
    unsigned char rows[COMMAND_HISTORY_ROW_BYTES];
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t id = world_group(world, alice, 1, &bob, 1);
    (void)world_group_send(world, alice, 2, id, "a");
    change_group(world, id, alice, 3, STORE_GROUP_RENAME, 0);
    change_group(world, id, alice, 4, STORE_GROUP_REMOVE, bob);
    change_group(world, id, alice, 5, STORE_GROUP_RENAME, 0);
    (void)world_group_send(world, alice, 6, id, "b");
    world_settle(world);
    world_fold_all(world);
    world_restart(world);
    assert_string_equal(updates(world, alice, id), "1234");
    assert_string_equal(updates(world, bob, id), "123"); /* that he was removed, and no more */
    assert_string_equal(history(world, bob, id), "a");
    struct command_history_row row = {.user = bob, .chat = id, .chat_number = 1, .own = true};
    command_history_put(rows, 0, &row);
    struct command command = {.partition = world_partition(world, bob),
                              .kind = COMMAND_HISTORY,
                              .history = {.count = 1, .rows = rows}};
    (void)world_apply(world, &command);
    assert_string_equal(updates(world, bob, id), "23");
    assert_string_equal(history(world, bob, id), "a");
    world_history(world, STORE_HISTORY_OFF);
    change_group(world, id, alice, 7, STORE_GROUP_ADD, bob);
    assert_string_equal(updates(world, bob, id), "23");
    world_free(&world);
}

static void
keeps_no_counts_when_off(void **state)
{
    (void)state;
    struct world *world = world_with(STORE_HISTORY_OFF);
    struct record_membership membership;
    struct store_group_count count = {.chat_number = 1, .delivered = 1};
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t id = world_group(world, alice, 1, &bob, 1);
    (void)world_group_send(world, alice, 2, id, "a");
    world_settle(world);
    tell(world, id, alice, &count, 1);
    assert_false(counted(world, alice, id, 1, &count));
    assert_true(world_membership(world, alice, id, &membership));
    assert_int_equal(membership.all_delivered, 0);
    world_free(&world);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("history keeps nothing when it is off", keeps_nothing_when_off),
        SPEC("what was said stays for both, over acknowledgements, folds and restarts",
             keeps_both_sides),
        SPEC("what one wrote is kept without coming into the inbox of one's only device",
             own_messages_stay_out_of_the_inbox),
        SPEC("what one wrote reaches the device that stays when the one that wrote it goes",
             own_messages_reach_the_device_that_stays),
        SPEC("an edit holds in the histories of both, of what was deleted it is left that it was, "
             "what is hidden is in the other's",
             changes_hold),
        SPEC("of a deleted message a history does not tell the kind either",
             a_deleted_message_has_no_kind),
        SPEC("changes reach what is left of histories while none is kept", changes_hold_while_off),
        SPEC("edits, deletions and what one hides reach it in groups, too", is_changed_in_groups),
        SPEC("a history has what a full inbox missed", fills_what_a_full_inbox_missed),
        SPEC("what a group's writer was last told of his messages stands in his history",
             keeps_what_a_writer_was_told),
        SPEC("nothing of that is kept when it is off", keeps_no_counts_when_off),
        SPEC("what became of a group stands among what was said there, for who was in it then",
             keeps_what_became_of_a_group),
        SPEC("what has grown too old is forgotten, and what is gone already passed over", forgets),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
