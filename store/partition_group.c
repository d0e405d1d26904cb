/* SPDX-License-Identifier: Apache-2.0 */
/* Requests about groups. Buffers hold text, then ids; ids rise, so that none comes twice. */
#include "store/apply.h"
#include "store/change.h"
#include "store/group_ledger.h"
#include "store/partition_priv.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

static size_t
held_bytes(const struct ask *ask)
{
    return ask->buffer != NULL ? ln_buffer_bytes(ask->buffer) : 0;
}

/* What stands in the buffer behind `text_bytes`. */
static struct command_ids
ids_of(const struct ask *ask, size_t text_bytes, uint32_t count)
{
    const unsigned char *bytes = ask->buffer != NULL ? ln_buffer_data(ask->buffer) : NULL;
    return (struct command_ids){.count = count, .bytes = bytes != NULL ? bytes + text_bytes : NULL};
}

/* Each above the one before it, and none of them `without`. */
static bool
ids_valid(const struct command_ids *ids, uint64_t without)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < ids->count; i++) {
        uint64_t id = command_id_at(ids, i);
        if (id <= before || id == without) {
            return false;
        }
        before = id;
    }
    return true;
}

/* ------------------------------------------------------------------------------------- creation */

static bool
valid_create(const struct ask *ask)
{
    const struct store_group_create *create = ASK_DATA(store_group_create, ask);
    size_t bytes = create->name_bytes + create->members * sizeof(uint64_t);
    struct command_ids ids = ids_of(ask, create->name_bytes, create->members);
    return partition_valid_user(ask) && create->number != 0 && create->ttl_ms <= STORE_TTL_MS_MAX &&
           create->members <= STORE_GROUP_MEMBERS_LIMIT &&
           create->name_bytes <= STORE_GROUP_NAME_BYTES_MAX && bytes == held_bytes(ask) &&
           ids_valid(&ids, create->user);
}

/* Enough waits for other partitions: what a group says goes to many of them. Messages of a group
 * that has had more there than all others here get half of the room, so that those find some. */
static bool
outbox_full(const struct partition *partition, uint64_t messages_of)
{
    const struct ledger *ledger = &partition->ledger;
    const struct hot *hot = &partition->hot_groups;
    uint64_t share = messages_of != 0 && hot->count > 1 && hot_has_most(hot, messages_of) ? 2 : 1;
    return ledger->outbox >= PARTITION_OUTBOX_MAX / share ||
           ledger->outbox_bytes >= partition->store->options.outbox_bytes_max / share;
}

/* Something that goes to all members; `messages_of` 0: of no matter which. Refused where too much
 * waits already. */
static enum ask_outcome
say(struct partition *partition, struct ask *ask, struct command *command, uint64_t messages_of,
    bool act)
{
    if (act && outbox_full(partition, messages_of)) {
        return partition_refuse(ask, -EAGAIN);
    }
    return partition_log(partition, ask, command, act);
}

static enum ask_outcome
run_create(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_group_create *create = ASK_DATA(store_group_create, ask);
    struct command command = {
        .kind = COMMAND_GROUP_CREATE,
        .group_create =
            {
                .user = create->user,
                .number = create->number,
                .ttl_ms = create->ttl_ms,
                .device = create->device,
                .rights = create->rights,
                .name_bytes = create->name_bytes,
                .name = ask->buffer != NULL ? ln_buffer_data(ask->buffer) : NULL,
                .members = ids_of(ask, create->name_bytes, create->members),
            },
    };
    if (create->members + 1 > partition->store->options.group_members_max) {
        return act ? partition_refuse(ask, -EMFILE) : ASK_READY;
    }
    if (act && create->known_only && partition_log(partition, ask, &command, false) == ASK_READY &&
        apply_number_unused(&partition->ledger, create->user, create->device, create->number)) {
        return partition_refuse(ask, -EUSERS);
    }
    return partition_log_for_user(partition, ask, &command, create->user, act);
}

static void
answer_group_id(struct ask *ask, const struct result *result)
{
    struct store_group_id id = {.group = result->user, .duplicate = result->duplicate};
    ask_answer(ask, &id, sizeof(id), NULL);
}

/* -------------------------------------------------------------------------------------- changes */

/* The data begins with the id of a group that lives here. */
static bool
valid_group(const struct ask *ask)
{
    return partition_valid_user(ask);
}

static size_t
text_bytes_max(uint8_t kind)
{
    switch (kind) {
    case STORE_GROUP_RENAME:
        return STORE_GROUP_NAME_BYTES_MAX;
    case STORE_GROUP_DESCRIBE:
        return STORE_GROUP_DESCRIPTION_BYTES_MAX;
    case STORE_GROUP_PICTURE:
        return STORE_GROUP_PICTURE_BYTES_MAX;
    default:
        return 0;
    }
}

static bool
valid_change(const struct ask *ask)
{
    const struct store_group_change *change = ASK_DATA(store_group_change, ask);
    bool about_others = change->kind >= STORE_GROUP_ADD && change->kind <= STORE_GROUP_ENTITLE;
    size_t bytes = change->text_bytes + change->subjects * sizeof(uint64_t);
    struct command_ids ids = ids_of(ask, change->text_bytes, change->subjects);
    return valid_group(ask) && change->user != 0 && change->number != 0 &&
           change->kind > STORE_GROUP_CREATED && change->kind < STORE_GROUP_CHANGE_KINDS &&
           change->subjects <= STORE_GROUP_SUBJECTS_MAX &&
           change->text_bytes <= text_bytes_max(change->kind) && bytes == held_bytes(ask) &&
           (change->subjects > 0) == about_others &&
           (change->kind != STORE_GROUP_TTL || change->value <= STORE_TTL_MS_MAX) &&
           /* Who leaves says so; in all else the group passes over who asks, or refuses him. */
           ids_valid(&ids, change->kind == STORE_GROUP_REMOVE ? change->user : 0);
}

static enum ask_outcome
run_change(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_group_change *change = ASK_DATA(store_group_change, ask);
    struct command command = {
        .kind = COMMAND_GROUP_CHANGE,
        .group_change =
            {
                .group = change->group,
                .user = change->user,
                .number = change->number,
                .value = change->value,
                .members_max = partition->store->options.group_members_max,
                .device = change->device,
                .kind = change->kind,
                .text_bytes = change->text_bytes,
                .text = ask->buffer != NULL ? ln_buffer_data(ask->buffer) : NULL,
                .subjects = ids_of(ask, change->text_bytes, change->subjects),
            },
    };
    memcpy(command.group_change.invite, change->invite, sizeof(change->invite));
    if (act && change->known_only && partition_log(partition, ask, &command, false) == ASK_READY &&
        apply_number_unused(&partition->ledger, change->user, change->device, change->number)) {
        return partition_refuse(ask, -EUSERS);
    }
    return say(partition, ask, &command, 0, act);
}

static void
answer_changed(struct ask *ask, const struct result *result)
{
    struct store_group_changed changed = {.update = result->chat_number,
                                          .duplicate = result->duplicate};
    ask_answer(ask, &changed, sizeof(changed), NULL);
}

/* ------------------------------------------------------------------------------------- messages */

static enum ask_outcome
run_message(struct partition *partition, struct ask *ask, bool act)
{
    struct command command;
    partition_message_command(ask, COMMAND_GROUP_MESSAGE, &command);
    return say(partition, ask, &command, command.message.recipient, act);
}

static bool
valid_revise(const struct ask *ask)
{
    return partition_valid_change(ask) &&
           ASK_DATA(store_change, ask)->kind != (uint8_t)STORE_CHANGE_HIDE;
}

static enum ask_outcome
run_revise(struct partition *partition, struct ask *ask, bool act)
{
    struct command command;
    partition_change_command(ask, COMMAND_GROUP_REVISE, &command);
    return say(partition, ask, &command, 0, act);
}

static enum ask_outcome
run_read(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_read *read = ASK_DATA(store_read, ask);
    struct record_membership membership;
    struct command command = {
        .kind = COMMAND_GROUP_READ,
        .read = {.user = read->user, .peer = read->peer, .chat_number = read->chat_number},
    };
    if (partition_log(partition, ask, &command, false) == ASK_MISSING) {
        return ASK_MISSING;
    }
    bool met = membership_get(&partition->ledger, read->user, read->peer, &membership);
    bool unseen = met && read->chat_number > membership.delivered;
    if (!act) {
        return unseen ? partition_log_unseen(partition, &ask->ranges[0], read->user, false)
                      : ASK_READY;
    }
    if (!met) {
        return partition_refuse(ask, -ENOENT);
    }
    if (read->chat_number > membership.last) {
        return partition_refuse(ask, -ERANGE);
    }
    if (read->chat_number <= membership.read) {
        partition_answer_marked(ask, &(struct result){0});
        return ASK_DONE;
    }
    if (unseen) {
        enum ask_outcome outcome =
            partition_log_unseen(partition, &ask->ranges[0], read->user, true);
        if (outcome != ASK_READY && outcome != ASK_TAKEN) {
            return outcome;
        }
    }
    return partition_log_known(partition, ask, &command);
}

/* -------------------------------------------------------------------------------------- reading */

/* Whether the asker is in the group; if not it is answered. Both records must be known. */
static bool
in_group(struct partition *partition, struct ask *ask, uint64_t id, uint64_t user,
         struct record_group *out, uint8_t *out_role)
{
    struct record_member member;
    if (!group_get(&partition->ledger, id, out)) {
        ask_answer_error(ask, -ENOENT);
        return false;
    }
    if (user == 0) {
        *out_role = STORE_GROUP_MEMBER; /* the operator, who is shown no invitation */
        return true;
    }
    bool met = group_member_get(&partition->ledger, id, user, &member);
    if (!met || member.role == STORE_GROUP_NOBODY) {
        ask_answer_error(ask, met ? -EPERM : -ENOENT); /* a group is no news for strangers */
        return false;
    }
    *out_role = member.role;
    return true;
}

static bool
knows_group(struct partition *partition, uint64_t id, uint64_t user)
{
    bool known = partition_knows_record(partition, RECORD_GROUP, id, 0);
    return partition_knows_record(partition, RECORD_MEMBER, id, user) && known;
}

static struct ln_buffer *
group_texts(const struct record_group *group)
{
    size_t bytes = (size_t)group->name.bytes + group->description.bytes + group->picture.bytes;
    struct ln_buffer *buffer = ln_buffer_new(bytes);
    unsigned char *at = ln_buffer_data(buffer);
    const struct record_text *texts[] = {&group->name, &group->description, &group->picture};
    for (unsigned i = 0; i < 3; i++) {
        if (texts[i]->bytes > 0) {
            memcpy(at, texts[i]->text, texts[i]->bytes);
            at += texts[i]->bytes;
        }
    }
    return buffer;
}

static enum ask_outcome
run_get(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_group_ask *asked = ASK_DATA(store_group_ask, ask);
    struct record_group group;
    uint8_t role = STORE_GROUP_NOBODY;
    if (!knows_group(partition, asked->group, asked->user)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!in_group(partition, ask, asked->group, asked->user, &group, &role)) {
        return ASK_DONE;
    }
    const struct group_due *due = group_due_find(&partition->ledger.due, asked->group);
    struct store_group answer = {
        .group = asked->group,
        .created_at_ms = group.created_at_ms,
        .creator = group.creator,
        .last = group.last,
        .update = group.update,
        .ttl_ms = group.ttl_ms,
        .delivered_all = group.delivered_all,
        .read_all = group.read_all,
        .log_low = group.log_low,
        .due = due != NULL && due->tell,
        .members = group.members,
        .name_bytes = group.name.bytes,
        .description_bytes = group.description.bytes,
        .picture_bytes = group.picture.bytes,
        .rights = group.rights,
        .role = role,
    };
    if (group.invited && role >= STORE_GROUP_ADMIN) {
        answer.invited = true;
        memcpy(answer.invite, group.invite, sizeof(answer.invite));
    }
    ask_answer(ask, &answer, sizeof(answer), group_texts(&group));
    return ASK_DONE;
}

static void
add_member(struct rows *out, uint64_t user, struct store_value value)
{
    struct record_member record;
    int error = record_member_decode(value, &record);
    ASSERT(error == 0);
    struct store_member member = {
        .user = user,
        .joined = record.joined,
        .left = record.left,
        .delivered = record.delivered,
        .read = record.read,
        .gaps = record.gaps,
        .expired = record.expired,
        .role = record.role,
    };
    memcpy(rows_room(out, sizeof(member)), &member, sizeof(member));
}

/* Whether the message, which he asks about, is his; if not it is answered. */
static bool
wrote(struct partition *partition, struct ask *ask, const struct store_group_list *list)
{
    struct store_key key =
        record_key(partition->ledger.partition, RECORD_GROUP_LOG, list->group, list->message);
    struct store_value value;
    struct record_group_log row;
    if (!ledger_get(&partition->ledger, &key, &value)) {
        ask_answer_error(ask, -ERANGE);
        return false;
    }
    int error = record_group_log_decode(value, &row);
    ASSERT(error == 0);
    if (row.sender != list->user) {
        ask_answer_error(ask, -EPERM);
        return false;
    }
    return true;
}

static enum ask_outcome
run_members(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_group_list *list = ASK_DATA(store_group_list, ask);
    struct record_group group;
    uint8_t role = STORE_GROUP_NOBODY;
    struct partition_owned owned = {.table = RECORD_MEMBER,
                                    .owner = list->group,
                                    .after = list->after,
                                    .max = list->max,
                                    .add = add_member};
    bool known = knows_group(partition, list->group, list->user);
    known = (list->message == 0 ||
             partition_knows_record(partition, RECORD_GROUP_LOG, list->group, list->message)) &&
            known;
    if (!partition_owned_read(partition, ask, &owned) || !known) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!in_group(partition, ask, list->group, list->user, &group, &role) ||
        (list->message != 0 && !wrote(partition, ask, list))) {
        return ASK_DONE;
    }
    return partition_owned_answer(partition, ask, &owned);
}

static void
add_present(struct rows *out, uint64_t user, struct store_value value)
{
    struct record_member record;
    int error = record_member_decode(value, &record);
    ASSERT(error == 0);
    if (record.role != STORE_GROUP_NOBODY) {
        memcpy(rows_room(out, sizeof(user)), &user, sizeof(user));
    }
}

/* Who left long ago stands among the rows, too: where that makes them too many, some members are
 * left out. */
static enum ask_outcome
run_typing(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_group_typing *asked = ASK_DATA(store_group_typing, ask);
    struct record_group group;
    uint8_t role = STORE_GROUP_NOBODY;
    struct partition_owned owned = {
        .table = RECORD_MEMBER, .owner = asked->group, .add = add_present};
    if (!knows_group(partition, asked->group, asked->user)) {
        return ASK_MISSING;
    }
    bool few =
        group_get(&partition->ledger, asked->group, &group) && group.members <= asked->members_max;
    if (few && !partition_owned_read(partition, ask, &owned)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    if (!in_group(partition, ask, asked->group, asked->user, &group, &role)) {
        return ASK_DONE;
    }
    if ((group.rights & STORE_GROUP_ALL_SEND) == 0 && role < STORE_GROUP_ADMIN) {
        return partition_refuse(ask, -EPERM);
    }
    return few ? partition_owned_answer(partition, ask, &owned) : partition_refuse(ask, -EOVERFLOW);
}

static void
add_membership(struct rows *out, uint64_t group, struct store_value value)
{
    struct record_membership record;
    int error = record_membership_decode(value, &record);
    ASSERT(error == 0);
    struct store_membership membership = {
        .group = group,
        .joined = record.joined,
        .last = record.last,
        .delivered = record.delivered,
        .read = record.read,
        .unread =
            record.last - record.read - record.own_unread - hole_above(&record.away, record.read),
        .role = record.role,
        .gone = record.gone,
    };
    memcpy(rows_room(out, sizeof(membership)), &membership, sizeof(membership));
}

static enum ask_outcome
run_memberships(struct partition *partition, struct ask *ask, bool act)
{
    return partition_owned_of_user(partition, ask, RECORD_MEMBERSHIP, add_membership, act);
}

const struct ask_kind ask_group_create = {
    .bytes = sizeof(struct store_group_create),
    .needs_space = true,
    .valid = valid_create,
    .run = run_create,
    .answer = answer_group_id,
};
const struct ask_kind ask_group_change = {
    .bytes = sizeof(struct store_group_change),
    .needs_space = true,
    .valid = valid_change,
    .run = run_change,
    .answer = answer_changed,
};
const struct ask_kind ask_group_message = {
    .bytes = sizeof(struct store_message),
    .needs_space = true,
    .valid = partition_valid_message,
    .run = run_message,
    .answer = partition_answer_sent,
};
const struct ask_kind ask_group_revise = {
    .bytes = sizeof(struct store_change),
    .needs_space = true,
    .valid = valid_revise,
    .run = run_revise,
    .answer = partition_answer_sent,
};
const struct ask_kind ask_group_get = {
    .bytes = sizeof(struct store_group_ask), .valid = valid_group, .run = run_get};
const struct ask_kind ask_group_members = {
    .bytes = sizeof(struct store_group_list), .valid = valid_group, .run = run_members};
const struct ask_kind ask_group_typing = {
    .bytes = sizeof(struct store_group_typing),
    .yields = ASK_YIELDS_PRESENCE,
    .valid = valid_group,
    .run = run_typing,
};
const struct ask_kind ask_group_read = {
    .bytes = sizeof(struct store_read),
    .yields = ASK_YIELDS_RECEIPT,
    .valid = partition_valid_read,
    .run = run_read,
    .answer = partition_answer_marked,
};
const struct ask_kind ask_group_chats = {
    .bytes = sizeof(struct store_list), .valid = partition_valid_user, .run = run_memberships};
