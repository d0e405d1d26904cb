/* SPDX-License-Identifier: Apache-2.0 */
#include "store/request.h"
#include "tests/store/group_town.h"

#include <errno.h>

static void
reaches_all(void **state)
{
    struct world *world = *state;
    struct record_group group;
    struct record_membership membership;
    uint64_t id = world_group(world, users[0], 1, &users[1], 3);
    assert_true(world_group_get(world, id, &group));
    assert_int_equal(group.members, 4);
    assert_int_equal(group.creator, users[0]);
    assert_memory_equal(group.name.text, "us", 2);
    for (unsigned i = 0; i < 4; i++) {
        assert_string_equal(heard(world, users[i]), "A");
        assert_int_equal(entries[0].peer, id);
        assert_int_equal(entries[0].update.author, users[0]);
        assert_int_equal(entries[0].update.members, 4);
        assert_true(world_membership(world, users[i], id, &membership));
        assert_int_equal(membership.role, i == 0 ? STORE_GROUP_OWNER : STORE_GROUP_MEMBER);
    }
    assert_string_equal(heard(world, users[4]), "");
}

static void
is_no_user(void **state)
{
    struct world *world = *state;
    struct record_head head;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    assert_false(world_head(world, id, &head));
    assert_int_equal(world_send(world, users[1], 1, 9, id, "m").error, -ENOENT);
    assert_int_equal(world_group_send(world, users[1], 10, users[0], "m").error, -ENOENT);
    assert_true(world_user(world, "later", 1) != id);
}

static void
retried_creation(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 7, &users[1], 2);
    struct result again = world_group_create(world, users[0], 7, &users[1], 2);
    world_settle(world);
    assert_int_equal(again.error, 0);
    assert_true(again.duplicate);
    assert_int_equal(again.user, id);
    assert_string_equal(heard(world, users[1]), "A");
}

static void
one_order(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 3);
    for (uint64_t i = 0; i < 8; i++) {
        const char text[] = {(char)('a' + i), '\0'};
        struct result sent = world_group_send(world, users[i % 4], 2 + i, id, text);
        assert_int_equal(sent.error, 0);
        assert_int_equal(sent.chat_number, i + 1);
    }
    world_settle(world);
    /* Each but what he wrote himself: his one device has that. */
    assert_string_equal(heard(world, users[0]), "Abcdfgh");
    assert_string_equal(heard(world, users[3]), "Aabcefg");
    assert_int_equal(entries[1].message.chat_number, 1);
    assert_int_equal(entries[4].message.chat_number, 5);
}

static void
copies_for_devices(void **state)
{
    struct world *world = *state;
    uint64_t two = world_user(world, "two", 2);
    uint64_t id = world_group(world, users[0], 1, &two, 1);
    assert_int_equal(world_group_send(world, two, 1, id, "m").error, 0);
    world_settle(world);
    assert_string_equal(heard(world, two), "Am");
    assert_string_equal(heard(world, users[0]), "Am");
}

static void
retried_message(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    struct result first = world_group_send(world, users[0], 2, id, "m");
    world_pass(world, 1000);
    struct result again = world_group_send(world, users[0], 2, id, "m");
    world_settle(world);
    assert_true(again.duplicate);
    assert_int_equal(again.chat_number, first.chat_number);
    assert_int_equal(again.time_ms, first.time_ms);
    assert_string_equal(heard(world, users[1]), "Am");
}

static void
members_alone(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    assert_int_equal(world_group_send(world, users[2], 1, id, "m").error, -ENOENT);
    assert_int_equal(change(world, id, users[2], 2, STORE_GROUP_ADD, users[3]).error, -ENOENT);
    assert_int_equal(world_group_send(world, users[2], 1, id + 256, "m").error, -ENOENT);
    assert_int_equal(change(world, id, users[1], 3, STORE_GROUP_LEAVE, 0).error, 0);
    assert_int_equal(world_group_send(world, users[1], 4, id, "m").error, -EPERM);
    assert_int_equal(change(world, id, users[1], 5, STORE_GROUP_ADD, users[3]).error, -EPERM);
}

static void
nothing_later_nothing_earlier(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "a");
    assert_int_equal(change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[1]).error, 0);
    assert_int_equal(change(world, id, users[0], 4, STORE_GROUP_ADD, users[3]).error, 0);
    (void)world_group_send(world, users[0], 5, id, "b");
    world_settle(world);
    assert_string_equal(heard(world, users[1]), "AaC");
    assert_string_equal(heard(world, users[2]), "AaCBb");
    assert_string_equal(heard(world, users[3]), "Bb");
    assert_int_equal(world_group_send(world, users[1], 1, id, "m").error, -EPERM);
}

/* The message was on its way to his partition when he was removed: it is behind nothing there. */
static void
sent_while_removed(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    struct world_group_change remove = {.group = id,
                                        .user = users[0],
                                        .number = 2,
                                        .kind = STORE_GROUP_REMOVE,
                                        .subjects = 1,
                                        .ids = {users[1]}};
    (void)world_group_send(world, users[2], 1, id, "a");
    (void)world_group_change(world, &remove);
    (void)world_group_send(world, users[2], 2, id, "b");
    world_settle(world);
    assert_string_equal(heard(world, users[1]), "AaC");
    assert_string_equal(heard(world, users[0]), "AaCb");
}

static void
comes_back(void **state)
{
    struct world *world = *state;
    struct record_member member;
    struct record_membership membership;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "a");
    (void)change(world, id, users[1], 1, STORE_GROUP_LEAVE, 0);
    (void)world_group_send(world, users[0], 3, id, "b");
    (void)world_group_send(world, users[0], 4, id, "c");
    (void)change(world, id, users[0], 5, STORE_GROUP_ADD, users[1]);
    (void)world_group_send(world, users[0], 6, id, "d");
    world_settle(world);
    assert_string_equal(heard(world, users[1]), "AaGBd");
    assert_true(world_group_member(world, id, users[1], &member));
    assert_int_equal(member.gaps.count, 1);
    assert_int_equal(member.gaps.at[0].after, 1); /* the two of the time when he was away */
    assert_int_equal(member.gaps.at[0].to, 3);
    assert_true(world_membership(world, users[1], id, &membership));
    assert_int_equal(membership.joined, 3);
    assert_int_equal(membership.last, 4);
    assert_false(membership.gone);
}

static void
absent_members(void **state)
{
    struct world *world = *state;
    struct record_group group;
    assert_int_equal(world_remove(world, users[2]).error, 0);
    world_settle(world);
    uint64_t id = world_group(world, users[0], 1, &users[1], 3);
    assert_true(world_group_get(world, id, &group));
    assert_int_equal(group.members, 3);
    assert_string_equal(heard(world, users[1]), "AG"); /* and he left */
    assert_int_equal(world_remove(world, users[3]).error, 0);
    (void)world_group_send(world, users[0], 2, id, "a");
    world_settle(world);
    assert_true(world_group_get(world, id, &group));
    assert_int_equal(group.members, 2);
    assert_string_equal(heard(world, users[1]), "AGaG");
}

static void
full_inboxes(void **state)
{
    struct world *world = *state;
    struct record_membership membership;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    for (uint64_t i = 0; i < 25; i++) {
        assert_int_equal(world_group_send(world, users[0], 2 + i, id, "m").error, 0);
    }
    world_settle(world);
    /* The update and 19 messages; then one mark that tells of all the others. */
    assert_string_equal(heard(world, users[1]), "Ammmmmmmmmmmmmmmmmmm#");
    assert_int_equal(entries[20].group_cursors.gap_from, 20);
    assert_int_equal(entries[20].group_cursors.gap_to, 25);
    assert_true(entries[20].group_cursors.gap_moved);
    assert_true(world_membership(world, users[1], id, &membership));
    assert_int_equal(membership.last, 25);
    /* Who writes to him alone hears so, as ever. */
    assert_int_equal(world_send(world, users[3], 1, 1, users[1], "m").error, -EDQUOT);
}

static void
own_messages_without_room_are_marked(void **state)
{
    struct world *world = *state;
    uint64_t two = world_user(world, "two", 2);
    uint64_t id = world_group(world, two, 1, &users[1], 1);
    for (uint64_t i = 0; i < 25; i++) {
        assert_int_equal(world_group_send(world, two, 2 + i, id, "m").error, 0);
        world_settle(world);
        world_drain(world, users[1]);
    }
    size_t count = world_inbox(world, two, 0, entries);
    unsigned marks = 0;
    for (size_t i = 0; i < count; i++) {
        marks += entries[i].kind == STORE_ENTRY_MISSED ? 1 : 0;
    }
    assert_int_equal(marks, 1);
}

/* Streams carried in many orders, cells folded and everything restarted in between: always the
 * same. */
static void
survives_everything(void **state)
{
    struct world *world = *state;
    uint64_t pick = 88172645463325252;
    uint64_t id = world_group(world, users[0], 1, &users[1], 4);
    for (uint64_t i = 0; i < 60; i++) {
        pick ^= pick << 13;
        pick ^= pick >> 7;
        pick ^= pick << 17;
        const char text[] = {(char)('a' + i % 26), '\0'};
        (void)world_group_send(world, users[i % 5], 2 + i, id, text);
        while (pick % 3 != 0 && world_step(world, pick)) {
            pick = pick * 6364136223846793005 + 1442695040888963407;
        }
        if (pick % 5 == 0) {
            world_fold(world, (unsigned)(pick / 5 % WORLD_CELLS));
        }
        if (pick % 7 == 0) {
            world_restart(world);
        }
        if (i % 4 == 3) {
            size_t count = world_inbox(world, users[i % 5], 0, entries);
            if (count > 0) {
                (void)world_ack(world, users[i % 5], 1, entries[count - 1].number);
            }
        }
    }
    world_settle(world);
    for (unsigned i = 0; i < 5; i++) {
        struct record_membership membership;
        size_t count = world_inbox(world, users[i], 0, entries);
        uint64_t before = 0;
        for (size_t at = 0; at < count; at++) {
            if (entries[at].kind == STORE_ENTRY_GROUP_MESSAGE) {
                assert_true(entries[at].message.chat_number > before);
                before = entries[at].message.chat_number;
            }
        }
        assert_true(world_membership(world, users[i], id, &membership));
        assert_int_equal(membership.last, 60);
    }
}

static void
messages_disappear(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "stays");
    struct world_group_change ttl = {
        .group = id, .user = users[0], .number = 3, .kind = STORE_GROUP_TTL, .value = 5000};
    assert_int_equal(world_group_change(world, &ttl).error, 0);
    (void)world_group_send(world, users[0], 4, id, "goes");
    world_settle(world);
    uint64_t expires_at_ms = world_now_ms(world) + 5000;
    size_t count = world_inbox(world, users[1], 0, entries);
    assert_int_equal(entries[count - 1].message.expires_at_ms, expires_at_ms);
    world_pass(world, 4999);
    assert_int_equal(world_sweep(world), 0);
    world_pass(world, 1);
    assert_true(world_sweep(world) >= 2);
    assert_int_equal(world_inbox(world, users[1], 0, entries), count - 1);
    assert_int_equal(world_inbox(world, users[2], 0, entries), count - 1);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_TOWN("what is written to a group disappears when the group says so", messages_disappear),
        IN_TOWN("a new group reaches all of its members, with an update that says so", reaches_all),
        IN_TOWN("a group is no user, and no user a group", is_no_user),
        IN_TOWN("a creation that is repeated is the same group", retried_creation),
        IN_TOWN("messages come to all members in the order of their numbers", one_order),
        IN_TOWN("a sender who has other devices gets his message, too", copies_for_devices),
        IN_TOWN("a message that is repeated is the same message", retried_message),
        IN_TOWN("who is no member can neither write to a group nor change it", members_alone),
        IN_TOWN("a removed member gets nothing later, a new one nothing earlier",
                nothing_later_nothing_earlier),
        IN_TOWN("messages on their way when a member is removed come before it or not at all",
                sent_while_removed),
        IN_TOWN("who comes back gets nothing of the time when he was away", comes_back),
        IN_TOWN("a member who does not exist, or not any more, leaves", absent_members),
        IN_TOWN("a full inbox gets a gap, and refuses no message of a group", full_inboxes),
        IN_TOWN("who writes to a group on one device is told on the others what found no room",
                own_messages_without_room_are_marked),
        IN_TOWN("folds, restarts and any order of streams change nothing", survives_everything),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
