/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static_assert(PROTOCOL_GROUP_NAME_BYTES_MAX == 100 && PROTOCOL_GROUP_DESCRIPTION_BYTES_MAX == 512 &&
                  PROTOCOL_GROUP_PICTURE_BYTES_MAX == 128,
              "in texts");
static_assert(PROTOCOL_GROUP_SUBJECTS_MAX == 256 && PROTOCOL_INVITE_BYTES_MAX == 64, "in texts");

int
check_chat_group(const char *path, const Linnet__V1__Chat *chat, struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    if (chat == NULL || chat->peer_case != LINNET__V1__CHAT__PEER_GROUP_ID) {
        return check_fail_field(out_error, code, path, "names no groupId");
    }
    return chat->group_id == 0 ? check_fail_field(out_error, code, path, "groupId is 0") : 0;
}

static int
name_check(const char *path, const char *name, struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__NAME_INVALID;
    if (name[0] == '\0') {
        return check_fail_field(out_error, code, path, "empty");
    }
    if (strlen(name) > PROTOCOL_GROUP_NAME_BYTES_MAX) {
        return check_fail_field(out_error, code, path, "above 100 bytes");
    }
    if (check_holds_control(name)) {
        return check_fail_field(out_error, code, path, "holds a control character");
    }
    return 0;
}

static int
participant_check(const char *path, size_t index, const Linnet__V1__Participant *participant,
                  struct protocol_error *out_error)
{
    char at[PROTOCOL_ERROR_TEXT_BYTES];
    (void)snprintf(at, sizeof at, "%s[%zu]", path, index);
    switch ((int)participant->user_case) {
    case LINNET__V1__PARTICIPANT__USER_USER_ID:
        return participant->user_id == 0
                   ? check_fail_field(out_error, LINNET__V1__ERROR__CODE__BAD_FRAME, at,
                                      "userId is 0")
                   : 0;
    case LINNET__V1__PARTICIPANT__USER_USER_NAME:
        (void)snprintf(at, sizeof at, "%s[%zu].userName", path, index);
        return check_name(at, participant->user_name, out_error);
    default:
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__BAD_FRAME, at,
                                "names neither userId nor userName");
    }
}

static int
participants_check(const char *path, Linnet__V1__Participant *const *participants, size_t count,
                   struct protocol_error *out_error)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = participant_check(path, i, participants[i], out_error);
    }
    return rc;
}

/* Of a chat's messages; 0: they stay. */
static int
ttl_check(const char *path, uint64_t ttl_ms, struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    bool fits = ttl_ms == 0 || (ttl_ms >= PROTOCOL_TTL_MS_MIN && ttl_ms <= PROTOCOL_TTL_MS_MAX);
    return fits ? 0 : check_fail_field(out_error, code, path, "neither 0 nor a second to 366 days");
}

int
check_create_chat(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                  struct protocol_error *out_error)
{
    const Linnet__V1__CreateChat *create = frame->create_chat;
    int rc = name_check("createChat.name", create->name, out_error);
    if (rc < 0) {
        return rc;
    }
    rc = ttl_check("createChat.ttlMs", create->ttl_ms, out_error);
    if (rc < 0) {
        return rc;
    }
    if (create->n_participants >= limits->group_members_max) {
        char wrong[64];
        (void)snprintf(wrong, sizeof wrong, "%zu and oneself are above %u", create->n_participants,
                       limits->group_members_max);
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__GROUP_FULL,
                                "createChat.participants", wrong);
    }
    return participants_check("createChat.participants", create->participants,
                              create->n_participants, out_error);
}

/* ----------------------------------------------------------------------------------- modifyChat */

static int
subjects_check(const char *path, const Linnet__V1__Participants *subjects,
               struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    if (subjects->n_participants == 0) {
        return check_fail_field(out_error, code, path, "nobody");
    }
    if (subjects->n_participants > PROTOCOL_GROUP_SUBJECTS_MAX) {
        return check_fail_field(out_error, code, path, "above 256");
    }
    return participants_check(path, subjects->participants, subjects->n_participants, out_error);
}

/* Of a chat of two: how long its messages live, and nothing else. */
static bool
is_ttl_of_two(const Linnet__V1__ModifyChat *modify)
{
    return modify->change_case == LINNET__V1__MODIFY_CHAT__CHANGE_TTL_MS && modify->chat != NULL &&
           (modify->chat->peer_case == LINNET__V1__CHAT__PEER_USER_ID ||
            modify->chat->peer_case == LINNET__V1__CHAT__PEER_USER_NAME);
}

static int
ttl_of_two_check(const Linnet__V1__ModifyChat *modify, struct protocol_error *out_error)
{
    int rc = check_chat("modifyChat.chat", "modifyChat.chat.userName", modify->chat, out_error);
    return rc < 0 ? rc : ttl_check("modifyChat.ttlMs", modify->ttl_ms, out_error);
}

int
check_modify_chat(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                  struct protocol_error *out_error)
{
    const Linnet__V1__ModifyChat *modify = frame->modify_chat;
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    (void)limits;
    if (is_ttl_of_two(modify)) {
        return ttl_of_two_check(modify, out_error);
    }
    int rc = check_chat_group("modifyChat.chat", modify->chat, out_error);
    if (rc < 0) {
        return rc;
    }
    switch ((int)modify->change_case) {
    case LINNET__V1__MODIFY_CHAT__CHANGE__NOT_SET:
        return check_fail(out_error, "modifyChat: no change, or none that this node knows");
    case LINNET__V1__MODIFY_CHAT__CHANGE_TTL_MS:
        return ttl_check("modifyChat.ttlMs", modify->ttl_ms, out_error);
    case LINNET__V1__MODIFY_CHAT__CHANGE_ADD:
        return subjects_check("modifyChat.add.participants", modify->add, out_error);
    case LINNET__V1__MODIFY_CHAT__CHANGE_REMOVE:
        return subjects_check("modifyChat.remove.participants", modify->remove, out_error);
    case LINNET__V1__MODIFY_CHAT__CHANGE_PROMOTE:
        return subjects_check("modifyChat.promote.participants", modify->promote, out_error);
    case LINNET__V1__MODIFY_CHAT__CHANGE_DEMOTE:
        return subjects_check("modifyChat.demote.participants", modify->demote, out_error);
    case LINNET__V1__MODIFY_CHAT__CHANGE_ENTITLE:
        return subjects_check("modifyChat.entitle.participants", modify->entitle, out_error);
    case LINNET__V1__MODIFY_CHAT__CHANGE_NAME:
        return name_check("modifyChat.name", modify->name, out_error);
    case LINNET__V1__MODIFY_CHAT__CHANGE_DESCRIPTION:
        return strlen(modify->description) > PROTOCOL_GROUP_DESCRIPTION_BYTES_MAX
                   ? check_fail_field(out_error, code, "modifyChat.description", "above 512 bytes")
                   : 0;
    case LINNET__V1__MODIFY_CHAT__CHANGE_PICTURE:
        return strlen(modify->picture) > PROTOCOL_GROUP_PICTURE_BYTES_MAX
                   ? check_fail_field(out_error, code, "modifyChat.picture", "above 128 bytes")
                   : 0;
    default:
        return 0;
    }
}

int
check_join_chat(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                struct protocol_error *out_error)
{
    size_t bytes = strlen(frame->join_chat->invite);
    (void)limits;
    if (bytes == 0 || bytes > PROTOCOL_INVITE_BYTES_MAX) {
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__INVITE_INVALID,
                                "joinChat.invite", "not 1 to 64 bytes");
    }
    return 0;
}

/* -------------------------------------------------------------------------------------- looking */

int
check_get_chat(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
               struct protocol_error *out_error)
{
    (void)limits;
    return check_chat_group("getChat.chat", frame->get_chat->chat, out_error);
}

int
check_get_chat_members(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                       struct protocol_error *out_error)
{
    (void)limits;
    return check_chat_group("getChatMembers.chat", frame->get_chat_members->chat, out_error);
}

int
check_get_message_info(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                       struct protocol_error *out_error)
{
    (void)limits;
    int rc = check_chat_group("getMessageInfo.chat", frame->get_message_info->chat, out_error);
    if (rc < 0) {
        return rc;
    }
    return frame->get_message_info->chat_number == 0
               ? check_fail(out_error, "getMessageInfo.chatNumber: 0")
               : 0;
}
