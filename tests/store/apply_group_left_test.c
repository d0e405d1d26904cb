/* SPDX-License-Identifier: Apache-2.0 */
/* What is deleted in a group is deleted for those, too, who have left it since. users[0] owns it,
 * users[1] and users[2] are members, each in a partition of his own. */
#include "store/change.h"
#include "store/group_left.h"
#include "store/history_ledger.h"
#include "tests/store/group_town.h"

enum { WINDOW_MS = 1000 };

static uint64_t
a_group(struct world *world)
{
    return world_group(world, users[0], 1, &users[1], 2);
}

static void
revise(struct world *world, uint64_t group, enum store_change_kind kind, uint64_t number,
       uint64_t chat_number)
{
    struct world_revision revision = {.kind = kind,
                                      .group = group,
                                      .user = users[0],
                                      .number = number,
                                      .chat_number = chat_number,
                                      .until_ms = WINDOW_MS,
                                      .text = kind == STORE_CHANGE_EDIT ? "edited" : ""};
    assert_int_equal(world_group_revise(world, &revision).error, 0);
    world_settle(world);
}

/* Of whom the partition of users[1] knows that he left. */
static uint32_t
known_to_have_left(struct world *world, uint64_t group)
{
    struct store_value value;
    const struct ledger *ledger = world_ledger(world, world_partition(world, users[1]));
    struct store_key key = group_left_key(ledger, group);
    return world_get(world, &key, &value) ? group_left_count(ledger, group) : 0;
}

static void
takes_it_from_who_was_removed(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[0], 2, id, "secret");
    (void)world_group_send(world, users[0], 3, id, "stays");
    revise(world, id, STORE_CHANGE_EDIT, 4, 1);
    (void)change(world, id, users[0], 5, STORE_GROUP_REMOVE, users[1]);
    (void)change(world, id, users[2], 1, STORE_GROUP_LEAVE, 0);
    world_fold_out(world);
    world_restart(world);
    revise(world, id, STORE_CHANGE_DELETE, 6, 1);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 1; i <= 2; i++) {
            size_t count = world_inbox(world, users[i], 0, entries);
            const struct store_entry *last = &entries[count - 1];
            assert_true(entries[1].message.deleted);
            assert_int_equal(entries[1].message.body_bytes, 0);
            assert_false(entries[2].message.deleted);
            for (size_t at = 0; at < count; at++) { /* nor does an edit say it */
                assert_true(entries[at].kind != STORE_ENTRY_GROUP_CHANGE || at == count - 1);
            }
            assert_int_equal(last->kind, STORE_ENTRY_GROUP_CHANGE);
            assert_int_equal(last->change.kind, STORE_CHANGE_DELETE);
        }
        world_fold_out(world);
        world_restart(world);
    }
}

static void
takes_it_from_who_is_back(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[0], 2, id, "secret");
    (void)change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[1]);
    (void)change(world, id, users[0], 4, STORE_GROUP_ADD, users[1]);
    assert_int_equal(known_to_have_left(world, id), 0);
    size_t before = world_inbox(world, users[1], 0, entries);
    revise(world, id, STORE_CHANGE_DELETE, 5, 1);
    assert_int_equal(world_inbox(world, users[1], 0, entries), before + 1); /* told once */
    assert_true(entries[1].message.deleted);
}

static void
tells_nothing_of_what_was_not_his(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[0], 2, id, "his");
    (void)change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[1]);
    (void)world_group_send(world, users[0], 4, id, "not his");
    size_t before = world_inbox(world, users[1], 0, entries);
    revise(world, id, STORE_CHANGE_DELETE, 5, 2);
    revise(world, id, STORE_CHANGE_EDIT, 6, 1);
    assert_int_equal(world_inbox(world, users[1], 0, entries), before);
    assert_string_equal(heard(world, users[1]), "AhC");
}

static void
takes_it_from_histories(void **state)
{
    struct world *world = *state;
    world_history(world, STORE_HISTORY_FOREVER);
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[0], 2, id, "secret");
    world_settle(world);
    world_drain(world, users[1]);
    (void)change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[1]);
    world_fold_out(world);
    revise(world, id, STORE_CHANGE_DELETE, 4, 1);
    struct store_entry entry;
    struct store_value value;
    struct history_at found;
    struct store_key at = history_key_at(world_partition(world, users[1]), users[1], id, 1, false);
    assert_true(world_get(world, &at, &value));
    assert_int_equal(history_at_decode(value, &found), 0);
    struct store_key key = history_key(at.partition, users[1], id, found.number);
    assert_true(world_get(world, &key, &value));
    assert_int_equal(entry_decode(found.number, value.bytes, value.count, &entry), 0);
    assert_true(entry.message.deleted);
    assert_int_equal(entry.message.body_bytes, 0);
}

/* Nobody is refused for him, and he is owed nothing else of the group. */
static void
needs_no_room(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    (void)world_group_send(world, users[0], 2, id, "secret");
    (void)change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[1]);
    for (uint64_t number = 1; number <= 17; number++) { /* all there is room for */
        assert_int_equal(world_send(world, users[3], 1, number, users[1], "m").error, 0);
    }
    revise(world, id, STORE_CHANGE_DELETE, 4, 1);
    assert_int_equal(world_inbox(world, users[1], 0, entries), 20);
    assert_true(entries[1].message.deleted);
}

/* Another user, of the same partition. */
static uint64_t
neighbour_of(struct world *world, uint64_t user)
{
    for (unsigned i = 0;; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "next%u", i);
        uint64_t other = world_user(world, name, 1);
        if (world_partition(world, other) == world_partition(world, user)) {
            return other;
        }
    }
}

static void
forgets_who_left(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    uint64_t neighbour = neighbour_of(world, users[1]);
    (void)world_group_send(world, users[0], 2, id, "m");
    (void)change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[1]);
    assert_int_equal(known_to_have_left(world, id), 1);
    /* The group does not know the message any more: it is not deleted. */
    struct command_group_tell tell = {.group = id, .log_low = 1};
    (void)world_group_tell(world, &tell);
    (void)change(world, id, users[0], 4, STORE_GROUP_ADD, neighbour);
    assert_int_equal(known_to_have_left(world, id), 0);
    (void)world_group_send(world, users[0], 5, id, "m");
    (void)change(world, id, users[0], 6, STORE_GROUP_REMOVE, neighbour);
    assert_int_equal(known_to_have_left(world, id), 1);
    (void)change(world, id, users[0], 7, STORE_GROUP_DELETE, 0);
    assert_int_equal(known_to_have_left(world, id), 0);
    /* So it does when it ends with its last member, and with his account. */
    id = world_group(world, users[0], 8, &users[1], 1);
    (void)world_group_send(world, users[0], 9, id, "m");
    (void)change(world, id, users[1], 1, STORE_GROUP_LEAVE, 0);
    assert_int_equal(known_to_have_left(world, id), 1);
    (void)change(world, id, users[0], 10, STORE_GROUP_LEAVE, 0);
    assert_int_equal(known_to_have_left(world, id), 0);
    id = world_group(world, users[0], 11, &users[1], 1);
    (void)world_group_send(world, users[0], 12, id, "m");
    (void)change(world, id, users[1], 2, STORE_GROUP_LEAVE, 0);
    assert_int_equal(world_remove(world, users[1]).error, 0);
    world_settle(world);
    revise(world, id, STORE_CHANGE_DELETE, 13, 1);
    assert_int_equal(known_to_have_left(world, id), 0);
}

/* Of a list by itself: who left first, and had the fewest, goes first. */
static void
keeps_the_last_of_many(void **state)
{
    struct world *world = *state;
    uint64_t id = a_group(world);
    struct ledger *ledger = world_ledger(world, 1);
    struct effects effects;
    struct group_left left;
    effects_init(&effects);
    struct store_key key = group_left_key(ledger, id);
    struct store_value value;
    assert_false(world_get(world, &key, &value)); /* it is known that there is none */
    for (uint64_t user = 1; user <= GROUP_LEFT_MAX + 1; user++) {
        left = (struct group_left){.user = user, .last = user};
        group_left_add(ledger, &effects, id, &left);
    }
    assert_int_equal(group_left_count(ledger, id), GROUP_LEFT_MAX);
    assert_true(group_left_peek(ledger, id, 0, &left));
    assert_int_equal(left.user, 2);
    group_left_prune(ledger, &effects, id, 10);
    assert_int_equal(group_left_count(ledger, id), GROUP_LEFT_MAX - 9);
    group_left_remove(ledger, &effects, id, 11);
    assert_true(group_left_peek(ledger, id, 0, &left));
    assert_int_equal(left.user, 12);
    assert_false(group_left_peek(ledger, id, GROUP_LEFT_MAX - 10, &left));
    group_left_prune(ledger, &effects, id, GROUP_LEFT_MAX + 1);
    assert_int_equal(group_left_count(ledger, id), 0);
    effects_fini(&effects);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_TOWN("a deletion reaches what waits for who has left, and its edits, over folds and "
                "restarts",
                takes_it_from_who_was_removed),
        IN_TOWN("it reaches who has left and is back once", takes_it_from_who_is_back),
        IN_TOWN("who has left hears of nothing that was not his, and of no edit",
                tells_nothing_of_what_was_not_his),
        IN_TOWN("a deletion reaches the histories of who has left", takes_it_from_histories),
        IN_TOWN("it needs no room in his inbox", needs_no_room),
        IN_TOWN("who left is forgotten with what can be deleted, with the group, and with himself",
                forgets_who_left),
        IN_TOWN("of many who left the last are known", keeps_the_last_of_many),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
