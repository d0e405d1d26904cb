/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a group, what it is called, its rules: decided in its partition, in one order with its
 * messages. A change is looked at as a whole before anything of it is written: all of its subjects
 * or none.
 *
 * Owners and admins are listed in the group's record, owners first. No change leaves a group
 * without an owner. When the last one's account is removed the group belongs to the first admin who
 * changes something; when there is no admin either, to the first member who does. */
#include "store/apply_group.h"
#include "store/outbox.h"

#include <errno.h>
#include <stdlib.h>

/* A change while it is applied; on the heap, since two of its parts are large. */
struct change {
    const struct apply *apply;
    const struct command_group_change *command;
    struct record_group group;
    struct record_spread spread;
    struct record_member actor;
    bool met;            /* he is, or was, a member */
    uint64_t touched[4]; /* partitions that are told */
    uint32_t listed;     /* so many more are owners or admins after it */
    uint32_t count; /* subjects that it concerns: those whom it changes nothing for are left out */
    uint64_t subjects[STORE_GROUP_SUBJECTS_MAX];
};

static void
need_change(const struct needs *needs, const struct command *command)
{
    const struct command_group_change *change = &command->group_change;
    struct store_entry_message id =
        apply_group_command(change->user, change->device, change->number);
    need(needs, RECORD_GROUP, change->group, 0);
    need(needs, RECORD_SPREAD, change->group, 0);
    need(needs, RECORD_MEMBER, change->group, change->user);
    need_number(needs, &id);
    for (uint32_t i = 0; i < change->subjects.count; i++) {
        need(needs, RECORD_MEMBER, change->group, command_id_at(&change->subjects, i));
    }
}

/* ---------------------------------------------------------------------------------------- rules */

static uint8_t
role_needed(uint8_t kind, uint8_t rights)
{
    switch ((enum store_group_change_kind)kind) {
    case STORE_GROUP_JOIN:
        return STORE_GROUP_NOBODY;
    case STORE_GROUP_LEAVE:
        return STORE_GROUP_MEMBER;
    case STORE_GROUP_ADD:
        return (rights & STORE_GROUP_ALL_ADD) != 0 ? STORE_GROUP_MEMBER : STORE_GROUP_ADMIN;
    case STORE_GROUP_RENAME:
    case STORE_GROUP_DESCRIBE:
    case STORE_GROUP_PICTURE:
    case STORE_GROUP_TTL:
        return (rights & STORE_GROUP_ALL_EDIT) != 0 ? STORE_GROUP_MEMBER : STORE_GROUP_ADMIN;
    case STORE_GROUP_REMOVE:
    case STORE_GROUP_PROMOTE:
    case STORE_GROUP_DEMOTE:
    case STORE_GROUP_RIGHTS:
    case STORE_GROUP_INVITE:
    case STORE_GROUP_REVOKE:
        return STORE_GROUP_ADMIN;
    case STORE_GROUP_ENTITLE:
    case STORE_GROUP_DELETE:
    case STORE_GROUP_CREATED:
    case STORE_GROUP_CHANGE_KINDS:
        break;
    }
    return STORE_GROUP_OWNER;
}

/* What the subject's change is for him: 0 and in the list, 0 and not, or why none of it happens. */
static int
judge_subject(struct change *change, uint64_t user)
{
    struct record_member member;
    (void)group_member_get(change->apply->ledger, change->command->group, user, &member);
    bool by_owner = change->actor.role == STORE_GROUP_OWNER;
    bool concerned = false;
    switch (change->command->kind) {
    case STORE_GROUP_ADD:
        concerned = member.role == STORE_GROUP_NOBODY;
        break;
    case STORE_GROUP_REMOVE:
        if (member.role == STORE_GROUP_OWNER && !by_owner) {
            return -EPERM;
        }
        concerned = member.role != STORE_GROUP_NOBODY;
        break;
    case STORE_GROUP_PROMOTE:
        concerned = member.role == STORE_GROUP_MEMBER;
        change->listed += concerned;
        break;
    case STORE_GROUP_DEMOTE:
        if (member.role == STORE_GROUP_OWNER && !by_owner) {
            return -EPERM;
        }
        concerned = member.role >= STORE_GROUP_ADMIN;
        break;
    case STORE_GROUP_ENTITLE:
        concerned = member.role == STORE_GROUP_MEMBER || member.role == STORE_GROUP_ADMIN;
        change->listed += member.role == STORE_GROUP_MEMBER;
        break;
    default:
        break;
    }
    bool role =
        change->command->kind != STORE_GROUP_ADD && change->command->kind != STORE_GROUP_REMOVE;
    if (role && member.role == STORE_GROUP_NOBODY) {
        return -EINVAL; /* a role for who is no member; two who remove the same one agree */
    }
    if (concerned) {
        change->subjects[change->count++] = user;
    }
    return 0;
}

static int
judge_subjects(struct change *change)
{
    const struct command_group_change *command = change->command;
    uint8_t kind = command->kind;
    for (uint32_t i = 0; i < command->subjects.count; i++) {
        int error = judge_subject(change, command_id_at(&command->subjects, i));
        if (error != 0) {
            return error;
        }
    }
    if (kind == STORE_GROUP_ADD && change->group.members + change->count > command->members_max) {
        return -EMFILE;
    }
    /* Who takes a group over becomes one of them first. */
    uint32_t heir = change->group.owners_count == 0;
    if (change->group.admins_count + change->listed + heir > STORE_GROUP_ADMINS_MAX) {
        return -EMFILE;
    }
    return 0;
}

static bool
is_owner(const struct record_group *group, uint64_t user)
{
    for (unsigned i = 0; i < group->owners_count; i++) {
        if (group->admins[i] == user) {
            return true;
        }
    }
    return false;
}

/* Whether there would be members, and none of the owners any more: they entitle another one first.
 * Who takes the group over by it is one of them. */
static bool
ends_ownerless(const struct change *change)
{
    const struct record_group *group = &change->group;
    uint8_t kind = change->command->kind;
    bool out = kind == STORE_GROUP_REMOVE || kind == STORE_GROUP_LEAVE;
    if ((!out && kind != STORE_GROUP_DEMOTE) || (out && change->count == group->members)) {
        return false;
    }
    bool heir = group->owners_count == 0 && change->actor.role == STORE_GROUP_OWNER;
    uint32_t owners = group->owners_count + (uint32_t)heir;
    for (uint32_t i = 0; i < change->count && owners > 0; i++) {
        uint64_t user = change->subjects[i];
        owners -= is_owner(group, user) || (heir && user == change->command->user);
    }
    return owners == 0 && (group->owners_count > 0 || heir);
}

static int
judge_join(struct change *change)
{
    const struct command_group_change *command = change->command;
    if (!change->group.invited ||
        memcmp(change->group.invite, command->invite, sizeof(command->invite)) != 0) {
        return -ENOKEY;
    }
    if (change->actor.role != STORE_GROUP_NOBODY) {
        return 0; /* he is in it already */
    }
    if (change->group.members >= command->members_max) {
        return -EMFILE;
    }
    change->subjects[change->count++] = command->user;
    return 0;
}

/* -------------------------------------------------------------------------------------- members */

static void
admins_remove(struct record_group *group, uint64_t user)
{
    unsigned kept = 0;
    unsigned owners = 0;
    for (unsigned i = 0; i < group->admins_count; i++) {
        if (group->admins[i] != user) {
            owners += i < group->owners_count;
            group->admins[kept++] = group->admins[i];
        }
    }
    group->admins_count = (uint16_t)kept;
    group->owners_count = (uint16_t)owners;
}

static void
admins_add(struct record_group *group, uint64_t user, bool owner)
{
    admins_remove(group, user);
    ASSERT(group->admins_count < STORE_GROUP_ADMINS_MAX);
    unsigned at = owner ? group->owners_count : group->admins_count;
    for (unsigned i = group->admins_count; i > at; i--) {
        group->admins[i] = group->admins[i - 1];
    }
    group->admins[at] = user;
    group->admins_count++;
    group->owners_count = (uint16_t)(group->owners_count + owner);
}

/* In the group's lists; the member's own record follows. */
static void
list_role(struct change *change, uint64_t user, uint8_t role)
{
    uint8_t home = ledger_partition_of(change->apply->ledger, user);
    switch (role) {
    case STORE_GROUP_NOBODY:
        admins_remove(&change->group, user);
        change->spread.members[home]--;
        if (change->spread.members[home] == 0) {
            change->spread.left[home / 64] |= UINT64_C(1) << home % 64;
        }
        change->group.members--;
        break;
    case STORE_GROUP_MEMBER:
        admins_remove(&change->group, user);
        break;
    default:
        admins_add(&change->group, user, role == STORE_GROUP_OWNER);
        break;
    }
}

static void
list_new(struct change *change, uint64_t user)
{
    change->spread.members[ledger_partition_of(change->apply->ledger, user)]++;
    change->group.members++;
}

static void
member_role(const struct change *change, uint64_t user, uint8_t role)
{
    struct ledger *ledger = change->apply->ledger;
    struct record_member member;
    (void)group_member_get(ledger, change->command->group, user, &member);
    member.role = role;
    if (role == STORE_GROUP_NOBODY) {
        member.left = change->group.last;
    }
    group_member_put(ledger, change->command->group, user, &member);
}

/* One who comes back keeps how far he had got; what was said while he was away is not his. */
static void
member_enter(const struct change *change, uint64_t user)
{
    struct ledger *ledger = change->apply->ledger;
    uint64_t last = change->group.last;
    struct record_member member;
    if (!group_member_get(ledger, change->command->group, user, &member)) {
        member.joined = last;
        member.delivered = last;
        member.read = last;
    } else if (last > member.left) {
        uint64_t gone = holes_add(&member.gaps, member.left, last);
        member.joined = gone > member.joined ? gone : member.joined;
    }
    member.role = STORE_GROUP_MEMBER;
    member.left = 0;
    member.since = last;
    group_member_put(ledger, change->command->group, user, &member);
}

/* ------------------------------------------------------------------------------------ the whole */

static uint8_t
role_given(uint8_t kind)
{
    switch (kind) {
    case STORE_GROUP_PROMOTE:
        return STORE_GROUP_ADMIN;
    case STORE_GROUP_ENTITLE:
        return STORE_GROUP_OWNER;
    case STORE_GROUP_DEMOTE:
        return STORE_GROUP_MEMBER;
    default:
        return STORE_GROUP_NOBODY;
    }
}

/* Who it is about, and whether it may be done to them. */
static int
judge_whom(struct change *change)
{
    if (change->command->kind == STORE_GROUP_JOIN) {
        return judge_join(change);
    }
    if (change->command->kind == STORE_GROUP_LEAVE) {
        change->subjects[change->count++] = change->command->user;
        return 0;
    }
    return judge_subjects(change);
}

static int
judge(struct change *change)
{
    const struct command_group_change *command = change->command;
    uint8_t kind = command->kind;
    if (kind != STORE_GROUP_JOIN && change->actor.role == STORE_GROUP_NOBODY) {
        return change->met ? -EPERM : -ENOENT; /* a group is no news for strangers */
    }
    bool heir = change->actor.role == STORE_GROUP_ADMIN || change->group.admins_count == 0;
    if (change->group.owners_count == 0 && heir && kind != STORE_GROUP_JOIN &&
        kind != STORE_GROUP_LEAVE) {
        change->actor.role = STORE_GROUP_OWNER; /* nobody's group is his who minds it */
    }
    if (change->actor.role < role_needed(kind, change->group.rights)) {
        return -EPERM;
    }
    int error = judge_whom(change);
    return error == 0 && ends_ownerless(change) ? -EPERM : error;
}

/* Whether it changes anything: those about members do for their subjects only. */
static bool
is_news(const struct change *change)
{
    uint8_t kind = change->command->kind;
    bool about_members =
        kind == STORE_GROUP_JOIN || (kind >= STORE_GROUP_ADD && kind <= STORE_GROUP_LEAVE);
    return !about_members || change->count > 0;
}

/* The group's own record, in memory; before anything is written, since its texts are borrowed. */
static void
change_group(struct change *change)
{
    const struct command_group_change *command = change->command;
    struct record_group *group = &change->group;
    struct record_text text = {.bytes = command->text_bytes, .text = command->text};
    switch ((enum store_group_change_kind)command->kind) {
    case STORE_GROUP_ADD:
    case STORE_GROUP_JOIN:
        for (uint32_t i = 0; i < change->count; i++) {
            list_new(change, change->subjects[i]);
        }
        break;
    case STORE_GROUP_REMOVE:
    case STORE_GROUP_LEAVE:
    case STORE_GROUP_PROMOTE:
    case STORE_GROUP_DEMOTE:
    case STORE_GROUP_ENTITLE:
        for (uint32_t i = 0; i < change->count; i++) {
            list_role(change, change->subjects[i], role_given(command->kind));
        }
        break;
    case STORE_GROUP_RENAME:
        group->name = text;
        break;
    case STORE_GROUP_DESCRIBE:
        group->description = text;
        break;
    case STORE_GROUP_PICTURE:
        group->picture = text;
        break;
    case STORE_GROUP_TTL:
        group->ttl_ms = command->value;
        break;
    case STORE_GROUP_RIGHTS:
        group->rights = (uint8_t)command->value;
        break;
    case STORE_GROUP_INVITE:
        group->invited = true;
        memcpy(group->invite, command->invite, sizeof(group->invite));
        break;
    case STORE_GROUP_REVOKE:
        group->invited = false;
        break;
    case STORE_GROUP_DELETE:
        group->deleted = true;
        group->members = 0;
        memset(change->spread.members, 0, sizeof(change->spread.members));
        break;
    case STORE_GROUP_CREATED:
    case STORE_GROUP_CHANGE_KINDS:
        ASSERT(false && "nobody asks for it");
    }
    group->deleted = group->deleted || group->members == 0;
}

static void
change_members(const struct change *change)
{
    uint8_t kind = change->command->kind;
    for (uint32_t i = 0; i < change->count; i++) {
        if (kind == STORE_GROUP_ADD || kind == STORE_GROUP_JOIN) {
            member_enter(change, change->subjects[i]);
        } else {
            member_role(change, change->subjects[i], role_given(kind));
        }
    }
}

static void
tell(struct change *change, uint8_t kind, const uint64_t *subjects, uint32_t count)
{
    const struct command_group_change *command = change->command;
    struct payload_group_update told = {
        .group = command->group,
        .log_low = change->group.log_low,
        .update =
            {
                .update = change->group.update,
                .chat_number = change->group.last,
                .time_ms = change->apply->time_ms,
                .author = command->user,
                .members = change->group.members,
                .subjects = (uint16_t)count,
                .kind = kind,
                .subject_ids = (const unsigned char *)subjects,
            },
    };
    if (kind == command->kind) {
        told.update.value = command->value;
        told.update.text_bytes = command->text_bytes;
        told.update.text = command->text;
    }
    group_send_update(change->apply->ledger, change->apply->effects, change->touched, &told);
}

/* Nobody's group, and somebody changes something: he is its owner now, which all are told first. */
static void
take_over(struct change *change)
{
    uint64_t user = change->command->user;
    if (change->group.owners_count > 0 || change->actor.role != STORE_GROUP_OWNER) {
        return;
    }
    struct record_member member;
    (void)group_member_get(change->apply->ledger, change->command->group, user, &member);
    admins_add(&change->group, user, true);
    member.role = STORE_GROUP_OWNER;
    change->group.update++;
    group_put(change->apply->ledger, change->apply->effects, change->command->group,
              &change->group);
    group_member_put(change->apply->ledger, change->command->group, user, &member);
    tell(change, STORE_GROUP_ENTITLE, &user, 1);
    (void)group_get(change->apply->ledger, change->command->group, &change->group);
}

/* Also where members lived who have left: what is kept of them goes with the group. */
static void
tell_all(struct change *change)
{
    for (unsigned i = 0; i < STORE_PARTITIONS / 64; i++) {
        change->touched[i] |= change->spread.left[i];
        change->spread.left[i] = 0;
    }
}

/* Of a group that is no more its members, its name and what else it said of itself go; counters
 * and times stay, so that what is asked of it is refused. */
static void
empty(struct record_group *group)
{
    *group = (struct record_group){
        .deleted = true,
        .created_at_ms = group->created_at_ms,
        .last = group->last,
        .log_low = group->log_low,
        .update = group->update,
        .receipts = group->receipts,
    };
}

static void
perform(struct change *change)
{
    const struct apply *apply = change->apply;
    uint64_t group = change->command->group;
    group_spread_get(apply->ledger, group, &change->spread);
    group_spread_mark(&change->spread, change->touched);
    take_over(change);
    change_group(change);
    group_spread_mark(&change->spread, change->touched);
    if (change->group.deleted) {
        tell_all(change);
    }
    change->group.update++;
    if (change->command->kind == STORE_GROUP_REMOVE || change->command->kind == STORE_GROUP_LEAVE) {
        change->group.receipts++; /* all may have what only they had not */
        group_due_at(&apply->ledger->due, group)->tell = true;
    }
    if (change->group.deleted) {
        empty(&change->group);
    }
    group_put(apply->ledger, apply->effects, group, &change->group);
    group_spread_put(apply->ledger, apply->effects, group, &change->spread);
    change_members(change);
    tell(change, change->command->kind, change->subjects, change->count);
}

static void
run_change(const struct apply *apply, const struct command *whole)
{
    const struct command_group_change *command = &whole->group_change;
    struct store_entry_message id =
        apply_group_command(command->user, command->device, command->number);
    if (!apply_number_is_new(apply, &id)) {
        return;
    }
    struct change *change = calloc(1, sizeof(*change));
    ASSERT(change != NULL);
    change->apply = apply;
    change->command = command;
    int error = group_get(apply->ledger, command->group, &change->group) ? 0 : -ENOENT;
    if (error == 0) {
        change->met =
            group_member_get(apply->ledger, command->group, command->user, &change->actor);
        error = judge(change);
    }
    if (error == 0 && is_news(change)) {
        perform(change);
    }
    if (error == 0) {
        id.chat_number = change->group.update;
        id.time_ms = apply->time_ms;
        apply_number_accept(apply, &id);
        apply->result->chat_number = change->group.update;
        apply->result->time_ms = apply->time_ms;
    }
    apply->result->error = error;
    free(change);
}

const struct apply_command_kind apply_group_change = {need_change, run_change};

/* --------------------------------------------------------------------------------------- absent */

static void
need_absent(const struct needs *needs, const struct payload *payload)
{
    need(needs, RECORD_GROUP, payload->group_absent.group, 0);
    need(needs, RECORD_SPREAD, payload->group_absent.group, 0);
    need(needs, RECORD_MEMBER, payload->group_absent.group, payload->group_absent.user);
}

/* A member who does not exist (any more) leaves. */
static void
run_absent(const struct apply *apply, const struct payload *payload)
{
    const struct payload_group_absent *absent = &payload->group_absent;
    struct command_group_change leave = {
        .group = absent->group, .user = absent->user, .kind = STORE_GROUP_LEAVE};
    struct change *change = calloc(1, sizeof(*change));
    ASSERT(change != NULL);
    change->apply = apply;
    change->command = &leave;
    if (group_get(apply->ledger, absent->group, &change->group) &&
        group_member_get(apply->ledger, absent->group, absent->user, &change->actor) &&
        change->actor.role != STORE_GROUP_NOBODY) {
        change->subjects[change->count++] = absent->user;
        perform(change);
    }
    free(change);
}

const struct apply_payload_kind apply_group_absent = {need_absent, run_absent};
