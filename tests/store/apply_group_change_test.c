/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/group_town.h"

#include <errno.h>
#include <string.h>

static uint8_t
role(struct world *world, uint64_t group, uint64_t user)
{
    struct record_member member = {0};
    (void)world_group_member(world, group, user, &member);
    return member.role;
}

static void
set_rights(struct world *world, uint64_t group, uint64_t number, uint64_t rights)
{
    struct world_group_change asked = {.group = group,
                                       .user = users[0],
                                       .number = number,
                                       .kind = STORE_GROUP_RIGHTS,
                                       .value = rights};
    assert_int_equal(world_group_change(world, &asked).error, 0);
    world_settle(world);
}

static void
rules_for_members(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    struct world_group_change rename = {
        .group = id, .user = users[1], .number = 1, .kind = STORE_GROUP_RENAME, .text = "them"};
    assert_int_equal(world_group_change(world, &rename).error, 0);
    assert_int_equal(change(world, id, users[1], 2, STORE_GROUP_ADD, users[3]).error, 0);
    set_rights(world, id, 2, 0);
    rename.number = 3;
    assert_int_equal(world_group_change(world, &rename).error, -EPERM);
    assert_int_equal(change(world, id, users[1], 4, STORE_GROUP_ADD, users[4]).error, -EPERM);
    assert_int_equal(world_group_send(world, users[1], 5, id, "m").error, -EPERM);
    assert_int_equal(world_group_send(world, users[0], 3, id, "m").error, 0);
    const uint8_t admins[] = {STORE_GROUP_REMOVE, STORE_GROUP_PROMOTE, STORE_GROUP_DEMOTE,
                              STORE_GROUP_ENTITLE};
    for (unsigned i = 0; i < sizeof(admins); i++) {
        assert_int_equal(change(world, id, users[1], 6 + i, admins[i], users[2]).error, -EPERM);
    }
    const uint8_t others[] = {STORE_GROUP_RIGHTS, STORE_GROUP_INVITE, STORE_GROUP_REVOKE,
                              STORE_GROUP_DELETE};
    for (unsigned i = 0; i < sizeof(others); i++) {
        assert_int_equal(change(world, id, users[1], 10 + i, others[i], 0).error, -EPERM);
    }
}

static void
rules_for_admins(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 3);
    assert_int_equal(change(world, id, users[0], 2, STORE_GROUP_PROMOTE, users[1]).error, 0);
    assert_int_equal(role(world, id, users[1]), STORE_GROUP_ADMIN);
    assert_int_equal(change(world, id, users[1], 1, STORE_GROUP_PROMOTE, users[2]).error, 0);
    assert_int_equal(change(world, id, users[1], 2, STORE_GROUP_DEMOTE, users[2]).error, 0);
    assert_int_equal(role(world, id, users[2]), STORE_GROUP_MEMBER);
    assert_int_equal(change(world, id, users[1], 3, STORE_GROUP_REMOVE, users[3]).error, 0);
    assert_int_equal(change(world, id, users[1], 4, STORE_GROUP_REMOVE, users[0]).error, -EPERM);
    assert_int_equal(change(world, id, users[1], 5, STORE_GROUP_DEMOTE, users[0]).error, -EPERM);
    assert_int_equal(change(world, id, users[1], 6, STORE_GROUP_ENTITLE, users[2]).error, -EPERM);
    assert_int_equal(change(world, id, users[1], 7, STORE_GROUP_DELETE, 0).error, -EPERM);
}

static void
owners(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    assert_int_equal(change(world, id, users[0], 2, STORE_GROUP_DEMOTE, users[0]).error, -EPERM);
    assert_int_equal(change(world, id, users[0], 3, STORE_GROUP_ENTITLE, users[1]).error, 0);
    assert_int_equal(role(world, id, users[1]), STORE_GROUP_OWNER);
    assert_int_equal(change(world, id, users[0], 4, STORE_GROUP_DEMOTE, users[0]).error, 0);
    assert_int_equal(role(world, id, users[0]), STORE_GROUP_MEMBER);
    assert_int_equal(change(world, id, users[1], 1, STORE_GROUP_REMOVE, users[0]).error, 0);
    assert_int_equal(role(world, id, users[0]), STORE_GROUP_NOBODY);
}

/* By users[0], of these two. */
static int
of_both(struct world *world, uint64_t group, uint64_t number, uint8_t kind, uint64_t one,
        uint64_t other)
{
    struct world_group_change asked = {.group = group,
                                       .user = users[0],
                                       .number = number,
                                       .kind = kind,
                                       .subjects = 2,
                                       .ids = {one, other}};
    int error = world_group_change(world, &asked).error;
    world_settle(world);
    return error;
}

static void
never_ownerless(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)change(world, id, users[0], 2, STORE_GROUP_ENTITLE, users[1]);
    assert_int_equal(of_both(world, id, 3, STORE_GROUP_DEMOTE, users[0], users[1]), -EPERM);
    assert_int_equal(of_both(world, id, 4, STORE_GROUP_REMOVE, users[0], users[1]), -EPERM);
    assert_int_equal(role(world, id, users[0]), STORE_GROUP_OWNER);
    assert_int_equal(role(world, id, users[1]), STORE_GROUP_OWNER);
    assert_int_equal(of_both(world, id, 5, STORE_GROUP_DEMOTE, users[1], users[2]), 0);
    assert_int_equal(change(world, id, users[0], 6, STORE_GROUP_LEAVE, 0).error, -EPERM);
    assert_int_equal(change(world, id, users[0], 7, STORE_GROUP_REMOVE, users[0]).error, -EPERM);
    assert_int_equal(of_both(world, id, 8, STORE_GROUP_REMOVE, users[0], users[2]), -EPERM);
    assert_int_equal(change(world, id, users[0], 9, STORE_GROUP_DEMOTE, users[0]).error, -EPERM);
    assert_int_equal(change(world, id, users[0], 10, STORE_GROUP_ENTITLE, users[2]).error, 0);
    assert_int_equal(change(world, id, users[0], 11, STORE_GROUP_LEAVE, 0).error, 0);
    assert_int_equal(role(world, id, users[2]), STORE_GROUP_OWNER);
}

/* As if he had removed his account: nobody can refuse that. */
static void
remove_account(struct world *world, uint64_t group, uint64_t user)
{
    assert_int_equal(world_remove_from(world, user, &group, 1).error, 0);
    world_settle(world);
}

static void
heirs_stay(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)change(world, id, users[0], 2, STORE_GROUP_PROMOTE, users[1]);
    remove_account(world, id, users[0]);
    assert_int_equal(change(world, id, users[1], 1, STORE_GROUP_DEMOTE, users[1]).error, -EPERM);
    assert_int_equal(change(world, id, users[1], 2, STORE_GROUP_REMOVE, users[1]).error, -EPERM);
    assert_int_equal(role(world, id, users[1]), STORE_GROUP_ADMIN);
    /* It is not his yet, so he may leave. */
    assert_int_equal(change(world, id, users[1], 3, STORE_GROUP_LEAVE, 0).error, 0);
    assert_int_equal(role(world, id, users[1]), STORE_GROUP_NOBODY);
}

static void
nobodys_group(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    set_rights(world, id, 2, 0);
    remove_account(world, id, users[0]);
    assert_int_equal(role(world, id, users[1]), STORE_GROUP_MEMBER);
    assert_int_equal(change(world, id, users[2], 1, STORE_GROUP_ADD, users[3]).error, 0);
    assert_int_equal(role(world, id, users[2]), STORE_GROUP_OWNER);
    assert_int_equal(change(world, id, users[1], 1, STORE_GROUP_ADD, users[4]).error, -EPERM);
    /* Created, the rights, left, the new owner, added. */
    assert_string_equal(heard(world, users[1]), "ALGFB");
    assert_string_equal(heard(world, users[3]), "B");
}

static void
orphaned_admins(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 3);
    (void)change(world, id, users[0], 2, STORE_GROUP_PROMOTE, users[1]);
    (void)change(world, id, users[0], 3, STORE_GROUP_PROMOTE, users[2]);
    remove_account(world, id, users[0]);
    assert_int_equal(change(world, id, users[3], 1, STORE_GROUP_DELETE, 0).error, -EPERM);
    assert_int_equal(change(world, id, users[2], 1, STORE_GROUP_REMOVE, users[3]).error, 0);
    assert_int_equal(role(world, id, users[2]), STORE_GROUP_OWNER);
    assert_int_equal(role(world, id, users[1]), STORE_GROUP_ADMIN);
    assert_int_equal(change(world, id, users[1], 1, STORE_GROUP_DELETE, 0).error, -EPERM);
    assert_int_equal(change(world, id, users[2], 2, STORE_GROUP_DELETE, 0).error, 0);
}

/* As many as there may be, by one who takes the group over first: he is one of them. */
static void
heirs_among_admins(void **state)
{
    struct world *world = *state;
    static uint64_t many[STORE_GROUP_ADMINS_MAX];
    for (unsigned i = 0; i < STORE_GROUP_ADMINS_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "many%u", i);
        many[i] = world_user(world, name, 0);
    }
    uint64_t id = world_group(world, users[0], 1, many, STORE_GROUP_ADMINS_MAX);
    (void)change(world, id, users[0], 2, STORE_GROUP_ADD, users[1]);
    remove_account(world, id, users[0]);
    struct command command = {
        .partition = world_partition(world, id),
        .kind = COMMAND_GROUP_CHANGE,
        .group_change = {.group = id,
                         .user = users[1],
                         .number = 1,
                         .device = 1,
                         .members_max = 100,
                         .kind = STORE_GROUP_PROMOTE,
                         .subjects = {.count = STORE_GROUP_ADMINS_MAX,
                                      .bytes = (const unsigned char *)many}},
    };
    assert_int_equal(world_apply(world, &command).error, -EMFILE);
    command.group_change.number = 2;
    command.group_change.subjects.count = STORE_GROUP_ADMINS_MAX - 1;
    assert_int_equal(world_apply(world, &command).error, 0);
    world_settle(world);
    /* The list is full, and who is on it already can still become an owner. */
    assert_int_equal(change(world, id, users[1], 3, STORE_GROUP_ENTITLE, many[0]).error, 0);
}

/* That there was such a group, and how far it had got. */
static void
expect_emptied(struct world *world, uint64_t id, uint64_t last)
{
    struct record_group group;
    assert_true(world_group_get(world, id, &group));
    assert_true(group.deleted);
    assert_int_equal(group.last, last);
    assert_int_equal(group.name.bytes + group.description.bytes + group.picture.bytes, 0);
    assert_int_equal(group.admins_count, 0);
    assert_int_equal(group.creator, 0);
    assert_false(group.invited);
}

static void
last_one_leaves(void **state)
{
    struct world *world = *state;
    struct record_group group;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    assert_int_equal(change(world, id, users[1], 1, STORE_GROUP_LEAVE, 0).error, 0);
    assert_int_equal(change(world, id, users[0], 2, STORE_GROUP_LEAVE, 0).error, 0);
    assert_true(world_group_get(world, id, &group));
    assert_true(group.deleted);
    assert_int_equal(world_group_send(world, users[1], 2, id, "m").error, -ENOENT);
}

static void
deletion(void **state)
{
    struct world *world = *state;
    struct record_membership membership;
    struct record_member member;
    struct store_value value;
    uint64_t id = world_group(world, users[0], 1, &users[1], 3);
    (void)world_group_send(world, users[1], 1, id, "m");
    assert_int_equal(change(world, id, users[0], 2, STORE_GROUP_DELETE, 0).error, 0);
    assert_string_equal(heard(world, users[2]), "AmP");
    expect_emptied(world, id, 1);
    assert_true(world_membership(world, users[2], id, &membership));
    assert_true(membership.gone);
    assert_int_equal(world_group_send(world, users[1], 2, id, "m").error, -ENOENT);
    assert_int_equal(change(world, id, users[0], 3, STORE_GROUP_ADD, users[4]).error, -ENOENT);
    /* The next fold forgets who was in it, and who wrote what. */
    world_fold_all(world);
    world_restart(world);
    struct store_key log = record_key(world_partition(world, id), RECORD_GROUP_LOG, id, 1);
    assert_false(world_group_member(world, id, users[1], &member));
    assert_false(world_get(world, &log, &value));
}

static void
all_or_none(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    struct world_group_change asked = {.group = id,
                                       .user = users[0],
                                       .number = 2,
                                       .kind = STORE_GROUP_PROMOTE,
                                       .subjects = 2,
                                       .ids = {users[1], users[4]}};
    assert_int_equal(world_group_change(world, &asked).error, -EINVAL);
    assert_int_equal(role(world, id, users[1]), STORE_GROUP_MEMBER);
    asked.kind = STORE_GROUP_ADD;
    asked.number = 3;
    asked.members_max = 4;
    asked.subjects = 2;
    asked.ids[0] = users[4];
    asked.ids[1] = users[5];
    assert_int_equal(world_group_change(world, &asked).error, -EMFILE);
    assert_int_equal(role(world, id, users[4]), STORE_GROUP_NOBODY);
    asked.number = 4;
    asked.subjects = 1;
    assert_int_equal(world_group_change(world, &asked).error, 0);
    assert_int_equal(role(world, id, users[4]), STORE_GROUP_MEMBER);
}

static void
two_agree(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 3);
    (void)change(world, id, users[0], 2, STORE_GROUP_PROMOTE, users[1]);
    struct result first = change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[2]);
    struct result second = change(world, id, users[1], 1, STORE_GROUP_REMOVE, users[2]);
    assert_int_equal(first.error, 0);
    assert_int_equal(second.error, 0);
    assert_int_equal(second.chat_number, first.chat_number); /* nothing new */
    assert_string_equal(heard(world, users[3]), "ADC");
    /* And one who removes the other: the other's change is refused from then on. */
    assert_int_equal(change(world, id, users[0], 4, STORE_GROUP_REMOVE, users[1]).error, 0);
    assert_int_equal(change(world, id, users[1], 2, STORE_GROUP_REMOVE, users[3]).error, -EPERM);
}

static void
retried(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    struct result first = change(world, id, users[0], 2, STORE_GROUP_ADD, users[2]);
    (void)change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[2]);
    struct result again = change(world, id, users[0], 2, STORE_GROUP_ADD, users[2]);
    assert_true(again.duplicate);
    assert_int_equal(again.chat_number, first.chat_number);
    assert_int_equal(role(world, id, users[2]), STORE_GROUP_NOBODY);
}

static void
invitations(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    struct world_group_change join = {
        .group = id, .user = users[2], .number = 1, .kind = STORE_GROUP_JOIN, .secret = 7};
    struct world_group_change invite = {
        .group = id, .user = users[0], .number = 2, .kind = STORE_GROUP_INVITE, .secret = 7};
    assert_int_equal(world_group_change(world, &join).error, -ENOKEY);
    assert_int_equal(world_group_change(world, &invite).error, 0);
    join.secret = 8;
    join.number = 2;
    assert_int_equal(world_group_change(world, &join).error, -ENOKEY);
    join.secret = 7;
    join.number = 3;
    join.members_max = 2;
    assert_int_equal(world_group_change(world, &join).error, -EMFILE);
    join.number = 4;
    join.members_max = 3;
    assert_int_equal(world_group_change(world, &join).error, 0);
    world_settle(world);
    assert_int_equal(role(world, id, users[2]), STORE_GROUP_MEMBER);
    assert_string_equal(heard(world, users[2]), "O");
    assert_int_equal(change(world, id, users[0], 3, STORE_GROUP_REVOKE, 0).error, 0);
    join.user = users[3];
    assert_int_equal(world_group_change(world, &join).error, -ENOKEY);
}

static void
texts(void **state)
{
    struct world *world = *state;
    struct record_group group;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    struct world_group_change asked = {
        .group = id, .user = users[1], .number = 1, .kind = STORE_GROUP_DESCRIBE, .text = "about"};
    assert_int_equal(world_group_change(world, &asked).error, 0);
    asked.number = 2;
    asked.kind = STORE_GROUP_PICTURE;
    asked.text = "m/1";
    assert_int_equal(world_group_change(world, &asked).error, 0);
    asked.number = 3;
    asked.kind = STORE_GROUP_TTL;
    asked.text = NULL;
    asked.value = 86400000;
    assert_int_equal(world_group_change(world, &asked).error, 0);
    world_settle(world);
    assert_true(world_group_get(world, id, &group));
    assert_memory_equal(group.name.text, "us", 2);
    assert_int_equal(group.description.bytes, 5);
    assert_memory_equal(group.description.text, "about", 5);
    assert_memory_equal(group.picture.text, "m/1", 3);
    assert_int_equal(group.ttl_ms, 86400000);
    assert_string_equal(heard(world, users[0]), "AIJK");
    assert_int_equal(entries[3].update.value, 86400000);
    assert_int_equal(entries[3].update.update, 4);
}

/* As if he had left each of them himself. */
static void
who_is_removed_leaves(void **state)
{
    struct world *world = *state;
    uint64_t groups[3];
    struct record_membership membership;
    struct record_group group;
    for (unsigned i = 0; i < 3; i++) {
        groups[i] = world_group(world, users[0], 1 + i, &users[1], 2);
    }
    assert_int_equal(change(world, groups[0], users[0], 10, STORE_GROUP_ENTITLE, users[1]).error,
                     0);
    assert_int_equal(change(world, groups[2], users[0], 11, STORE_GROUP_ENTITLE, users[2]).error,
                     0);
    assert_int_equal(change(world, groups[2], users[0], 12, STORE_GROUP_LEAVE, 0).error, 0);
    assert_int_equal(world_remove_from(world, users[0], groups, 3).error, 0);
    world_settle(world);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(world_group_get(world, groups[i], &group));
        assert_int_equal(group.members, 2);
        assert_true(world_membership(world, users[1], groups[i], &membership));
        assert_int_equal(membership.role, i == 0 ? STORE_GROUP_OWNER : STORE_GROUP_MEMBER);
    }
    /* A for each, then who was entitled (F), who left (G); from the last he had gone before. */
    assert_string_equal(heard(world, users[1]), "AAAFFGGG");
    assert_int_equal(entries[5].update.author, users[0]);
    /* The group that is nobody's is hers who minds it. */
    assert_int_equal(change(world, groups[1], users[1], 1, STORE_GROUP_RENAME, 0).error, 0);
    assert_true(world_membership(world, users[1], groups[1], &membership));
    assert_int_equal(membership.role, STORE_GROUP_OWNER);
}

static void
a_group_ends_with_its_last_member(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    assert_int_equal(change(world, id, users[1], 1, STORE_GROUP_LEAVE, 0).error, 0);
    assert_int_equal(world_remove_from(world, users[0], &id, 1).error, 0);
    world_settle(world);
    expect_emptied(world, id, 0);
    assert_int_equal(change(world, id, users[1], 2, STORE_GROUP_RENAME, 0).error, -ENOENT);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_TOWN("what members may do, the group's rules say", rules_for_members),
        IN_TOWN("admins look after members, but not after owners", rules_for_admins),
        IN_TOWN("there may be several owners, and the last one stays one", owners),
        IN_TOWN("no change leaves a group without an owner, in whatever words", never_ownerless),
        IN_TOWN("who would take a group over does not do so to leave it without an owner",
                heirs_stay),
        IN_TOWN("a group whose last owner is no more belongs to who first changes it",
                nobodys_group),
        IN_TOWN("a group whose last owner is no more, but admins, belongs to the first of them who "
                "changes it",
                orphaned_admins),
        IN_TOWN("there are so many admins and no more, whoever becomes one on the way",
                heirs_among_admins),
        IN_TOWN("a group that all have left is gone", last_one_leaves),
        IN_TOWN("a deleted group tells its members, and is forgotten but for its number", deletion),
        IN_TOWN("a change happens to all of its subjects, or to none", all_or_none),
        IN_TOWN("two admins who do the same agree, who do otherwise are served in order",
                two_agree),
        IN_TOWN("a change that is repeated happened once, whatever came since", retried),
        IN_TOWN("an invitation lets in who shows it, until it is revoked", invitations),
        IN_TOWN("name, description, picture and time to live stay until changed", texts),
        IN_TOWN("who is removed from the node leaves his groups at once", who_is_removed_leaves),
        IN_TOWN("a group ends with its last member", a_group_ends_with_its_last_member),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
