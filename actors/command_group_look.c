/* SPDX-License-Identifier: Apache-2.0 */
/* What groups there are, what they are and who is in them. */
#include "actors/command_group.h"

#include "actors/event.h"
#include "actors/invite.h"

#include <errno.h>
#include <string.h>

/* Of members or groups in one answer: an event of some 30 KiB in JSON. */
enum { LOOK_ROWS_MAX = 256 };

static uint32_t
rows_max(uint32_t asked)
{
    return asked == 0 || asked > LOOK_ROWS_MAX ? LOOK_ROWS_MAX : asked;
}

static void
chat_set(Linnet__V1__Chat *chat, uint64_t group)
{
    linnet__v1__chat__init(chat);
    chat->peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
    chat->group_id = group;
}

/* -------------------------------------------------------------------------------------- getChat */

/* A text out of the answer's buffer, at *at. */
static char *
text_take(const unsigned char *bytes, size_t *at, size_t count, char *out)
{
    memcpy(out, bytes + *at, count);
    out[count] = '\0';
    *at += count;
    return out;
}

static void
got_chat(struct connection *connection, const struct pending *pending, const struct ln_msg *msg)
{
    const struct store_group *group = (const struct store_group *)(const void *)msg->data;
    const unsigned char *texts = ln_buffer_data(msg->buffer);
    size_t at = 0;
    char name[STORE_GROUP_NAME_BYTES_MAX + 1];
    char description[STORE_GROUP_DESCRIPTION_BYTES_MAX + 1];
    char picture[STORE_GROUP_PICTURE_BYTES_MAX + 1];
    char invite[INVITE_TEXT_BYTES] = "";
    Linnet__V1__Chat chat;
    chat_set(&chat, group->group);
    Linnet__V1__ChatRights rights = LINNET__V1__CHAT_RIGHTS__INIT;
    rights.only_admins_send = (group->rights & STORE_GROUP_ALL_SEND) == 0;
    rights.only_admins_add = (group->rights & STORE_GROUP_ALL_ADD) == 0;
    rights.only_admins_edit = (group->rights & STORE_GROUP_ALL_EDIT) == 0;
    if (group->invited && group->role >= STORE_GROUP_ADMIN) {
        invite_print(group->group, group->invite, invite);
    }
    Linnet__V1__ChatInfo info = LINNET__V1__CHAT_INFO__INIT;
    info.chat = &chat;
    info.name = text_take(texts, &at, group->name_bytes, name);
    info.description = text_take(texts, &at, group->description_bytes, description);
    info.picture = text_take(texts, &at, group->picture_bytes, picture);
    info.created_at_ms = group->created_at_ms;
    info.creator_user_id = group->creator;
    info.members = group->members;
    info.role = (Linnet__V1__ChatMember__Role)group->role;
    info.rights = &rights;
    info.ttl_ms = group->ttl_ms;
    info.chat_number = group->last;
    info.update = group->update;
    info.delivered_all = group->delivered_all;
    info.read_all = group->read_all;
    info.invite = invite;
    info.duplicate = pending->duplicate;
    Linnet__V1__Answer result = LINNET__V1__ANSWER__INIT;
    result.result_case = LINNET__V1__ANSWER__RESULT_CHAT;
    result.chat = &info;
    event_answer(connection, pending, &result);
}

static const struct request_kind request_get = {
    .tag = STORE_GROUP_GET, .done = got_chat, .refused = command_refuse_group};

void
command_group_show(struct connection *connection, struct pending *pending)
{
    struct ln_msg *request =
        ln_msg_new(STORE_GROUP_GET, LN_DURABLE, sizeof(struct store_group_ask));
    *(struct store_group_ask *)(void *)request->data =
        (struct store_group_ask){.group = pending->group, .user = connection->user};
    pending->kind = &request_get;
    command_pending_add(
        connection, pending,
        ln_request(store_user_pid(connection->messenger->store, pending->group), &request));
}

static void
get_chat(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct pending *pending = command_pending(&request_get, frame, frame->number);
    pending->group = frame->get_chat->chat->group_id;
    command_group_show(connection, pending);
}

const struct command_kind command_get_chat = {get_chat};

/* ----------------------------------------------------------------------------------- listGroups */

static void
got_groups(struct connection *connection, const struct pending *pending, const struct ln_msg *msg)
{
    struct group_page page;
    group_page_fill(msg, &page);
    Linnet__V1__Answer result = LINNET__V1__ANSWER__INIT;
    result.result_case = LINNET__V1__ANSWER__RESULT_GROUPS;
    result.groups = &page.list;
    event_answer(connection, pending, &result);
    group_page_free(&page);
}

static const struct request_kind request_groups = {
    .tag = STORE_GROUP_CHATS, .done = got_groups, .refused = command_refuse_own};

static void
list_groups(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_list list = {.user = connection->user,
                              .after = frame->list_groups->after_group_id,
                              .max = rows_max(frame->list_groups->max)};
    command_ask(connection, frame, &request_groups, list.user, &list, sizeof list, NULL);
}

const struct command_kind command_list_groups = {list_groups};

/* --------------------------------------------------------------- getChatMembers, getMessageInfo */

/* Whether he is listed: a member; or, where a message is asked about, one whom it was for. Who asks
 * wrote it. */
static bool
listed(const struct connection *connection, const struct pending *pending,
       const struct store_member *member)
{
    uint64_t number = pending->chat_number;
    if (number == 0) {
        return member->role != STORE_GROUP_NOBODY;
    }
    bool missed = holes_have(&member->gaps, number);
    bool gone = member->role == STORE_GROUP_NOBODY && number > member->left;
    return number > member->joined && member->user != connection->user && !missed && !gone;
}

/* The hole that the message lies in which is asked about, or the member's last. */
static const struct hole *
hole_of(const struct pending *pending, const struct store_member *member)
{
    const struct holes *expired = &member->expired;
    if (pending->chat_number != 0) {
        return holes_find(expired, pending->chat_number);
    }
    return expired->count > 0 ? &expired->at[expired->count - 1] : NULL;
}

static void
got_members(struct connection *connection, const struct pending *pending, const struct ln_msg *msg)
{
    const struct store_rows *rows = (const struct store_rows *)(const void *)msg->data;
    const struct store_member *stored = NULL;
    Linnet__V1__ChatMember *list = ln_alloc(rows->count * sizeof *list + 1);
    Linnet__V1__ChatMember **places = ln_alloc(rows->count * sizeof(void *) + 1);
    Linnet__V1__ChatMembers members = LINNET__V1__CHAT_MEMBERS__INIT;
    if (rows->count > 0) {
        stored = ln_buffer_data(msg->buffer);
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        Linnet__V1__ChatMember *member = &list[i];
        if (!listed(connection, pending, &stored[i])) {
            continue;
        }
        linnet__v1__chat_member__init(member);
        member->user_id = stored[i].user;
        member->role = (Linnet__V1__ChatMember__Role)stored[i].role;
        member->joined = stored[i].joined;
        places[members.n_members++] = member;
        if (pending->chat_number == 0 && stored[i].user != connection->user) {
            continue; /* how far others got is told to who wrote something, of that */
        }
        member->delivered = stored[i].delivered;
        member->read = stored[i].read;
        const struct hole *expired = hole_of(pending, &stored[i]);
        if (expired != NULL) {
            member->expired_after = expired->after;
            member->expired = expired->to;
        }
    }
    members.members = places;
    members.more_after_user_id = rows->more && rows->count > 0 ? stored[rows->count - 1].user : 0;
    Linnet__V1__Answer result = LINNET__V1__ANSWER__INIT;
    result.result_case = LINNET__V1__ANSWER__RESULT_MEMBERS;
    result.members = &members;
    event_answer(connection, pending, &result);
    ln_free(places);
    ln_free(list);
}

static void
members_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ERANGE) {
        event_error(
            connection, command_number(pending), pending->ref,
            LINNET__V1__ERROR__CODE__OUT_OF_RANGE,
            "getMessageInfo.chatNumber: no such message, or nothing is known of it any more", 0);
    } else if (error == -EPERM && pending->chat_number != 0) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__NOT_PERMITTED,
                    "getMessageInfo: the message is another's, or you have left the group", 0);
    } else {
        command_refuse_group(connection, pending, error);
    }
}

static const struct request_kind request_members = {
    .tag = STORE_GROUP_MEMBERS, .done = got_members, .refused = members_refused};

static void
members_ask(struct connection *connection, const Linnet__V1__ClientFrame *frame,
            struct store_group_list list)
{
    struct pending *pending = command_pending(&request_members, frame, frame->number);
    pending->group = list.group;
    pending->chat_number = list.message;
    list.user = connection->user;
    struct ln_msg *request = ln_msg_new(STORE_GROUP_MEMBERS, LN_DURABLE, sizeof list);
    memcpy(request->data, &list, sizeof list);
    command_pending_add(
        connection, pending,
        ln_request(store_user_pid(connection->messenger->store, list.group), &request));
}

static void
get_chat_members(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__GetChatMembers *get = frame->get_chat_members;
    members_ask(connection, frame,
                (struct store_group_list){.group = get->chat->group_id,
                                          .after = get->after_user_id,
                                          .max = rows_max(get->max)});
}

const struct command_kind command_get_chat_members = {get_chat_members};

static void
get_message_info(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__GetMessageInfo *get = frame->get_message_info;
    members_ask(connection, frame,
                (struct store_group_list){.group = get->chat->group_id,
                                          .after = get->after_user_id,
                                          .message = get->chat_number,
                                          .max = rows_max(get->max)});
}

const struct command_kind command_get_message_info = {get_message_info};
