/* SPDX-License-Identifier: Apache-2.0 */
/* createChat is decided in the creator's partition, where the group's id comes from; modifyChat and
 * joinChat in the group's. Who is named is looked up first, since neither partition could tell
 * whether he exists; the order of a device's commands is kept, as the connection waits
 * meanwhile. */
#include "actors/command_group.h"

#include "actors/invite.h"
#include "actors/lookup.h"
#include "store/presence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)PROTOCOL_GROUP_NAME_BYTES_MAX == (int)STORE_GROUP_NAME_BYTES_MAX &&
                   (int)PROTOCOL_GROUP_DESCRIPTION_BYTES_MAX ==
                       (int)STORE_GROUP_DESCRIPTION_BYTES_MAX &&
                   (int)PROTOCOL_GROUP_PICTURE_BYTES_MAX == (int)STORE_GROUP_PICTURE_BYTES_MAX &&
                   (int)PROTOCOL_GROUP_SUBJECTS_MAX == (int)STORE_GROUP_SUBJECTS_MAX,
               "what passes the check has room in the store");

/* ------------------------------------------------------------------------------------- refusals */

struct refusal {
    int error;
    Linnet__V1__Error__Code code;
    const char *text;
};

static const struct refusal refusals[] = {
    {-ENOENT, LINNET__V1__ERROR__CODE__UNKNOWN_CHAT,
     "there is no such group, or you were never in it"},
    {-EPERM, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
     "you are no member of the group, it leaves this to its admins, or it would have no owner"},
    {-EMFILE, LINNET__V1__ERROR__CODE__GROUP_FULL,
     "the group would have more members, or admins, than this node allows"},
    {-EINVAL, LINNET__V1__ERROR__CODE__NOT_A_MEMBER,
     "one of the participants is no member of the group, or can't be given this role"},
    {-EOVERFLOW, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
     "setTyping.chat: the group has too many members to be told"},
    {-ENOKEY, LINNET__V1__ERROR__CODE__INVITE_INVALID,
     "joinChat.invite: it was revoked, or never was one"},
};

void
command_refuse_group(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ESRCH && pending->kind->ordered) {
        command_start_over(connection);
        return;
    }
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].error == error) {
            event_error(connection, command_number(pending), pending->ref, refusals[i].code,
                        refusals[i].text, 0);
            return;
        }
    }
    command_refuse(connection, command_number(pending), pending->ref, error);
}

/* --------------------------------------------------------------------------------- participants */

/* Who is named in a command, once each. */
struct crowd {
    struct lookup_user *users; /* ln_alloc */
    unsigned count;
};

/* `known`: ids are taken as they are. */
static struct crowd
crowd_of(Linnet__V1__Participant *const *participants, size_t count, bool known)
{
    struct crowd crowd = {.count = (unsigned)count};
    crowd.users = ln_alloc(count * sizeof crowd.users[0]);
    for (size_t i = 0; i < count; i++) {
        const Linnet__V1__Participant *participant = participants[i];
        if (participant->user_case == LINNET__V1__PARTICIPANT__USER_USER_ID) {
            crowd.users[i].user = participant->user_id;
            crowd.users[i].known = known;
        } else {
            crowd.users[i].name.bytes = (uint8_t)strlen(participant->user_name);
            memcpy(crowd.users[i].name.text, participant->user_name, crowd.users[i].name.bytes);
        }
    }
    return crowd;
}
_Static_assert((int)PROTOCOL_NAME_BYTES_MAX <= (int)STORE_NAME_BYTES_MAX, "a name has room");

static int
by_id(const void *a, const void *b)
{
    uint64_t one = ((const struct lookup_user *)a)->user;
    uint64_t other = ((const struct lookup_user *)b)->user;
    return (one > other) - (one < other);
}

static bool
crowd_has(const struct crowd *crowd, uint64_t user)
{
    for (unsigned i = 0; i < crowd->count; i++) {
        if (crowd->users[i].user == user) {
            return true;
        }
    }
    return false;
}

/* Leaves each user once, and `without` not at all. */
static void
crowd_distinct(struct crowd *crowd, uint64_t without)
{
    unsigned kept = 0;
    if (crowd->count > 1) {
        qsort(crowd->users, crowd->count, sizeof crowd->users[0], by_id);
    }
    for (unsigned i = 0; i < crowd->count; i++) {
        uint64_t user = crowd->users[i].user;
        if (user != without && (kept == 0 || crowd->users[kept - 1].user != user)) {
            crowd->users[kept++].user = user;
        }
    }
    crowd->count = kept;
}

static void
refuse_nobody(struct connection *connection, uint64_t number, uint64_t ref, const char *path,
              unsigned which)
{
    char text[PROTOCOL_ERROR_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%s[%u]: no such user", path, which);
    event_error(connection, number, ref, LINNET__V1__ERROR__CODE__UNKNOWN_USER, text, 0);
}

/* Finds everybody; false: that was answered. A command that may have been accepted when somebody
 * was there who is nobody now is not refused for that: *out_gone is one more than his place, and
 * nobody was found. Yields. */
static bool
crowd_find(struct connection *connection, const Linnet__V1__ClientFrame *frame, const char *path,
           struct crowd *crowd, unsigned *out_gone)
{
    unsigned failed = 0;
    int error = lookup_users(connection->messenger, crowd->users, crowd->count, &failed);
    *out_gone = error == -ENOENT && frame->number != 0 ? failed + 1 : 0;
    if (error == 0 || *out_gone > 0) {
        return true;
    }
    if (error == -ESRCH) {
        command_start_over(connection);
    } else if (error == -ENOENT) {
        refuse_nobody(connection, frame->number, frame->ref, path, failed);
    } else {
        command_refuse(connection, frame->number, frame->ref, error);
    }
    return false;
}

/* A text, then the users' ids. */
static struct ln_buffer *
crowd_buffer(const char *text, size_t bytes, const struct crowd *crowd)
{
    struct ln_buffer *buffer = ln_buffer_new(bytes + crowd->count * sizeof(uint64_t));
    unsigned char *out = ln_buffer_data(buffer);
    memcpy(out, text, bytes);
    for (unsigned i = 0; i < crowd->count; i++) {
        memcpy(out + bytes + i * sizeof(uint64_t), &crowd->users[i].user, sizeof(uint64_t));
    }
    return buffer;
}

/* ------------------------------------------------------------------------------------ strangers */

/* Who is put into a group, and has not been met, costs as much as who is written to first. It is
 * taken before the store is asked, so that no commands behind this one spend it too, and given back
 * when nothing came of it. Where there is not so much the store is asked all the same, for what it
 * has accepted before. */
static void
strangers_take(struct connection *connection, struct pending *pending, uint32_t strangers)
{
    pending->strangers = strangers;
    pending->known_only =
        strangers > 0 && !connection_rate_takes(connection, RATE_STRANGERS, strangers);
}

/* Somebody who is named is nobody: only what was accepted when he was there is answered. */
static void
gone_take(struct pending *pending, unsigned gone)
{
    if (gone > 0) {
        pending->known_only = true;
        pending->gone = true;
        pending->strangers = gone - 1;
    }
}

/* How many of those are strangers, who are STORE_STRANGERS_MAX at most; or a negative errno.
 * Yields. */
static int
strangers_among(const struct connection *connection, const struct crowd *crowd)
{
    struct store_strangers asked = {.user = connection->user, .count = crowd->count};
    struct ln_msg *answer = NULL;
    struct ln_msg *request = ln_msg_new(STORE_STRANGERS, LN_DURABLE, sizeof asked);
    memcpy(request->data, &asked, sizeof asked);
    request->buffer = crowd_buffer("", 0, crowd);
    int error = ln_call(store_user_pid(connection->messenger->store, asked.user), &request,
                        CONNECTION_CALL_MS, &answer);
    if (error != 0) {
        return error == -ESRCH ? -EAGAIN : error;
    }
    int count = (int)((const struct store_strangers_found *)(const void *)answer->data)->count;
    ln_msg_free(&answer);
    return count;
}

/* How many of the crowd are strangers; false: that was answered. Yields. */
static bool
strangers_count(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                const struct crowd *crowd, uint32_t *out)
{
    *out = 0;
    if (!connection_rate_limits(connection, RATE_STRANGERS)) {
        return true;
    }
    for (unsigned from = 0; from < crowd->count; from += STORE_STRANGERS_MAX) {
        struct crowd some = {.users = crowd->users + from, .count = crowd->count - from};
        some.count = some.count < STORE_STRANGERS_MAX ? some.count : STORE_STRANGERS_MAX;
        int found = strangers_among(connection, &some);
        if (found < 0) {
            command_refuse(connection, frame->number, frame->ref, found);
            return false;
        }
        *out += (uint32_t)found;
    }
    return true;
}

static void
strangers_give_back(const struct connection *connection, const struct pending *pending)
{
    if (!pending->known_only && pending->strangers > 0) {
        connection_rate_gives_back(connection, RATE_STRANGERS, pending->strangers);
    }
}

/* Refused for the strangers' sake alone, it costs no group either. */
static void
strangers_refuse(struct connection *connection, const struct pending *pending)
{
    connection_rate_gives_back(connection, RATE_GROUPS, 1);
    connection_rate_say(connection, command_number(pending), pending->ref, RATE_STRANGERS,
                        pending->strangers);
}

/* ------------------------------------------------------------------------------ what is changed */

static const char create_path[] = "createChat.participants";

/* What a change of the schema is to the store. */
struct change {
    enum store_group_change_kind kind;
    const char *path; /* of the participants; NULL: there are none */
};
static const struct change changes[] = {
    [LINNET__V1__MODIFY_CHAT__CHANGE_ADD] = {STORE_GROUP_ADD, "modifyChat.add.participants"},
    [LINNET__V1__MODIFY_CHAT__CHANGE_REMOVE] = {STORE_GROUP_REMOVE,
                                                "modifyChat.remove.participants"},
    [LINNET__V1__MODIFY_CHAT__CHANGE_PROMOTE] = {STORE_GROUP_PROMOTE,
                                                 "modifyChat.promote.participants"},
    [LINNET__V1__MODIFY_CHAT__CHANGE_DEMOTE] = {STORE_GROUP_DEMOTE,
                                                "modifyChat.demote.participants"},
    [LINNET__V1__MODIFY_CHAT__CHANGE_ENTITLE] = {STORE_GROUP_ENTITLE,
                                                 "modifyChat.entitle.participants"},
    [LINNET__V1__MODIFY_CHAT__CHANGE_LEAVE] = {STORE_GROUP_LEAVE, NULL},
    [LINNET__V1__MODIFY_CHAT__CHANGE_NAME] = {STORE_GROUP_RENAME, NULL},
    [LINNET__V1__MODIFY_CHAT__CHANGE_DESCRIPTION] = {STORE_GROUP_DESCRIBE, NULL},
    [LINNET__V1__MODIFY_CHAT__CHANGE_PICTURE] = {STORE_GROUP_PICTURE, NULL},
    [LINNET__V1__MODIFY_CHAT__CHANGE_TTL_MS] = {STORE_GROUP_TTL, NULL},
    [LINNET__V1__MODIFY_CHAT__CHANGE_RIGHTS] = {STORE_GROUP_RIGHTS, NULL},
    [LINNET__V1__MODIFY_CHAT__CHANGE_INVITE] = {STORE_GROUP_INVITE, NULL},
    [LINNET__V1__MODIFY_CHAT__CHANGE_REVOKE_INVITE] = {STORE_GROUP_REVOKE, NULL},
    [LINNET__V1__MODIFY_CHAT__CHANGE_DELETE_CHAT] = {STORE_GROUP_DELETE, NULL},
};

/* -------------------------------------------------------------------------------------- answers */

static void
answer(struct connection *connection, const struct pending *pending, uint64_t group,
       const struct store_group_changed *changed)
{
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
    chat.group_id = group;
    Linnet__V1__ChatInfo info = LINNET__V1__CHAT_INFO__INIT;
    info.chat = &chat;
    info.update = changed->update;
    info.duplicate = changed->duplicate;
    Linnet__V1__Answer result = LINNET__V1__ANSWER__INIT;
    result.result_case = LINNET__V1__ANSWER__RESULT_CHAT;
    result.chat = &info;
    event_answer(connection, pending, &result);
}

static void
created(struct connection *connection, const struct pending *pending, const struct ln_msg *msg)
{
    const struct store_group_id *id = (const struct store_group_id *)(const void *)msg->data;
    if (id->duplicate) {
        strangers_give_back(connection, pending);
    }
    messenger_count(&connection->messenger->counters.chats_created);
    answer(connection, pending, id->group,
           &(struct store_group_changed){.duplicate = id->duplicate});
}

static void
changed(struct connection *connection, const struct pending *pending, const struct ln_msg *msg)
{
    const struct store_group_changed *change =
        (const struct store_group_changed *)(const void *)msg->data;
    messenger_count(&connection->messenger->counters.chats_changed);
    if (change->duplicate) {
        strangers_give_back(connection, pending);
    }
    answer(connection, pending, pending->group, change);
}

/* The answer to a retry could not tell the invitation that the first try made: so it is always read
 * from the group. */
static void
invited(struct connection *connection, const struct pending *pending, const struct ln_msg *msg)
{
    const struct store_group_changed *made =
        (const struct store_group_changed *)(const void *)msg->data;
    struct pending *shown = ln_alloc(sizeof *shown);
    messenger_count(&connection->messenger->counters.chats_changed);
    shown->number = pending->number;
    shown->ref = pending->ref;
    shown->group = pending->group;
    shown->duplicate = made->duplicate;
    command_group_show(connection, shown);
}

static void
creation_refused(struct connection *connection, const struct pending *pending, int error)
{
    strangers_give_back(connection, pending);
    if (error == -EUSERS && pending->gone) {
        refuse_nobody(connection, command_number(pending), pending->ref, create_path,
                      pending->strangers);
    } else if (error == -EUSERS) {
        strangers_refuse(connection, pending);
    } else if (error == -ENOENT) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__UNKNOWN_USER,
                    "createChat.participants: one of them is nobody any more", 0);
    } else {
        command_refuse_group(connection, pending, error);
    }
}

static void
change_refused(struct connection *connection, const struct pending *pending, int error)
{
    strangers_give_back(connection, pending);
    if (error == -EUSERS && pending->gone) {
        refuse_nobody(connection, command_number(pending), pending->ref,
                      changes[pending->mode].path, pending->strangers);
    } else if (error == -EUSERS) {
        strangers_refuse(connection, pending);
    } else {
        command_refuse_group(connection, pending, error);
    }
}

/* Which groups there are is told to nobody. */
static void
join_refused(struct connection *connection, const struct pending *pending, int error)
{
    command_refuse_group(connection, pending, error == -ENOENT ? -ENOKEY : error);
}

static const struct request_kind request_create = {
    .tag = STORE_GROUP_CREATE, .ordered = true, .done = created, .refused = creation_refused};
static const struct request_kind request_change = {
    .tag = STORE_GROUP_CHANGE, .ordered = true, .done = changed, .refused = change_refused};
static const struct request_kind request_invite = {
    .tag = STORE_GROUP_CHANGE, .ordered = true, .done = invited, .refused = command_refuse_group};
static const struct request_kind request_join = {
    .tag = STORE_GROUP_CHANGE, .ordered = true, .done = changed, .refused = join_refused};

/* ----------------------------------------------------------------------------------- createChat */

static uint8_t
rights_of(const Linnet__V1__ChatRights *rights)
{
    unsigned all = STORE_GROUP_ALL_SEND | STORE_GROUP_ALL_ADD | STORE_GROUP_ALL_EDIT;
    if (rights != NULL) {
        all &= rights->only_admins_send ? ~(unsigned)STORE_GROUP_ALL_SEND : ~0U;
        all &= rights->only_admins_add ? ~(unsigned)STORE_GROUP_ALL_ADD : ~0U;
        all &= rights->only_admins_edit ? ~(unsigned)STORE_GROUP_ALL_EDIT : ~0U;
    }
    return (uint8_t)all;
}

static void
create_chat(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__CreateChat *asked = frame->create_chat;
    struct crowd crowd = crowd_of(asked->participants, asked->n_participants, false);
    uint32_t strangers = 0;
    unsigned gone = 0;
    bool found = crowd_find(connection, frame, create_path, &crowd, &gone);
    crowd.count = gone > 0 ? 0 : crowd.count;
    if (found) {
        crowd_distinct(&crowd, connection->user);
        found = strangers_count(connection, frame, &crowd, &strangers);
    }
    if (found) {
        struct store_group_create create = {
            .user = connection->user,
            .number = command_number_new(connection, frame),
            .ttl_ms = asked->ttl_ms,
            .members = crowd.count,
            .device = connection->device,
            .rights = rights_of(asked->rights),
            .name_bytes = (uint8_t)strlen(asked->name),
        };
        struct pending *pending = command_pending(&request_create, frame, create.number);
        strangers_take(connection, pending, strangers);
        gone_take(pending, gone);
        create.known_only = pending->known_only;
        command_ask_in_order(connection, pending, create.user, &create, sizeof create,
                             crowd_buffer(asked->name, create.name_bytes, &crowd));
    }
    ln_free(crowd.users);
}

const struct command_kind command_create_chat = {create_chat};

/* ---------------------------------------------------------------------- modifyChat and joinChat */

/* What the change says beside whom it is about. */
static const char *
change_fill(const Linnet__V1__ModifyChat *modify, struct store_group_change *out)
{
    const char *text = "";
    switch ((int)out->kind) {
    case STORE_GROUP_RENAME:
        text = modify->name;
        break;
    case STORE_GROUP_DESCRIBE:
        text = modify->description;
        break;
    case STORE_GROUP_PICTURE:
        text = modify->picture;
        break;
    case STORE_GROUP_TTL:
        out->value = modify->ttl_ms;
        break;
    case STORE_GROUP_RIGHTS:
        out->value = rights_of(modify->rights);
        break;
    case STORE_GROUP_INVITE:
        ln_random(out->invite, sizeof out->invite);
        break;
    default:
        break;
    }
    out->text_bytes = (uint16_t)strlen(text);
    return text;
}

/* The change's pending; what the store is asked is filled. */
static struct pending *
change_pending(struct connection *connection, const Linnet__V1__ClientFrame *frame,
               const struct request_kind *kind, struct store_group_change *change)
{
    change->user = connection->user;
    change->device = connection->device;
    change->number = command_number_new(connection, frame);
    struct pending *pending = command_pending(kind, frame, change->number);
    pending->group = change->group;
    return pending;
}

/* Whom the change is about; false: that was answered. Yields. */
static bool
change_subjects(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                const struct change *change, struct crowd *crowd, unsigned *out_gone)
{
    /* The members of a oneof share their place. Who is a member may be removed though the user is
     * no more. */
    const Linnet__V1__Participants *named = frame->modify_chat->add;
    *crowd = crowd_of(named->participants, named->n_participants, change->kind != STORE_GROUP_ADD);
    if (!crowd_find(connection, frame, change->path, crowd, out_gone)) {
        return false;
    }
    if (*out_gone > 0) { /* numbers are compared, not contents: somebody stands for all of them */
        crowd->users[0].user = frame->modify_chat->chat->group_id;
        crowd->count = 1;
        return true;
    }
    if (change->kind == STORE_GROUP_REMOVE && crowd_has(crowd, connection->user)) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_EXPECTED,
                    "modifyChat.remove.participants: oneself is among them, who can leave", 0);
        return false;
    }
    crowd_distinct(crowd, 0);
    return true;
}

static void
modify_chat(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__ModifyChat *modify = frame->modify_chat;
    size_t which = (size_t)modify->change_case;
    if (!command_chat_is_group(modify->chat)) {
        command_chat_ttl(connection, frame);
        return;
    }
    ASSERT(which < sizeof changes / sizeof changes[0] && changes[which].kind != 0);
    struct store_group_change change = {.group = modify->chat->group_id,
                                        .kind = (uint8_t)changes[which].kind};
    struct crowd crowd = {0};
    uint32_t strangers = 0;
    unsigned gone = 0;
    bool found = changes[which].path == NULL ||
                 change_subjects(connection, frame, &changes[which], &crowd, &gone);
    if (found && change.kind == STORE_GROUP_ADD && gone == 0) {
        found = strangers_count(connection, frame, &crowd, &strangers);
    }
    if (found) {
        const char *text = change_fill(modify, &change);
        bool invites = change.kind == STORE_GROUP_INVITE;
        struct pending *pending =
            change_pending(connection, frame, invites ? &request_invite : &request_change, &change);
        pending->mode = (uint8_t)which;
        strangers_take(connection, pending, strangers);
        gone_take(pending, gone);
        change.known_only = pending->known_only;
        change.subjects = crowd.count;
        command_ask_in_order(connection, pending, change.group, &change, sizeof change,
                             crowd_buffer(text, change.text_bytes, &crowd));
    }
    ln_free(crowd.users);
}

const struct command_kind command_modify_chat = {modify_chat};

static void
join_chat(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_group_change change = {.kind = STORE_GROUP_JOIN};
    if (invite_parse(frame->join_chat->invite, &change.group, change.invite) < 0) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__INVITE_INVALID,
                    "joinChat.invite: not an invitation of this node", 0);
        return;
    }
    struct pending *pending = change_pending(connection, frame, &request_join, &change);
    command_ask_in_order(connection, pending, change.group, &change, sizeof change, NULL);
}

const struct command_kind command_join_chat = {join_chat};
