/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
check_fail_field(struct protocol_error *out_error, Linnet__V1__Error__Code code, const char *path,
                 const char *wrong)
{
    out_error->code = code;
    (void)snprintf(out_error->text, sizeof(out_error->text), "%s: %s", path, wrong);
    return -EPROTO;
}

int
check_fail_amount(struct protocol_error *out_error, const char *what, size_t amount, size_t max)
{
    out_error->code = LINNET__V1__ERROR__CODE__MESSAGE_TOO_LARGE;
    (void)snprintf(out_error->text, sizeof(out_error->text), "%s, %zu, is above %zu", what, amount,
                   max);
    return -EPROTO;
}

int
check_fail(struct protocol_error *out_error, const char *text)
{
    out_error->code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    (void)snprintf(out_error->text, sizeof(out_error->text), "%s", text);
    return -EPROTO;
}

static_assert(PROTOCOL_NAME_BYTES_MAX == 64, "its text tells the bound");

bool
check_holds_control(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (; *at != '\0'; at++) {
        if (*at < 0x20 || *at == 0x7F || (*at == 0xC2 && at[1] < 0xA0)) {
            return true;
        }
    }
    return false;
}

int
check_name(const char *path, const char *name, struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__NAME_INVALID;
    size_t bytes = strlen(name);
    if (bytes == 0) {
        return check_fail_field(out_error, code, path, "empty");
    }
    if (bytes > PROTOCOL_NAME_BYTES_MAX) {
        return check_fail_field(out_error, code, path, "above 64 bytes");
    }
    if (check_holds_control(name)) {
        return check_fail_field(out_error, code, path, "holds a control character");
    }
    return 0;
}

int
check_chat(const char *path, const char *name_path, const Linnet__V1__Chat *chat,
           struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    if (chat != NULL && chat->peer_case == LINNET__V1__CHAT__PEER_USER_NAME) {
        return check_name(name_path, chat->user_name, out_error);
    }
    if (chat == NULL || chat->peer_case != LINNET__V1__CHAT__PEER_USER_ID) {
        return check_fail_field(out_error, code, path, "names neither userId nor userName");
    }
    return chat->user_id == 0 ? check_fail_field(out_error, code, path, "userId is 0") : 0;
}

int
check_chat_any(const char *path, const char *name_path, const Linnet__V1__Chat *chat,
               struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    if (chat == NULL || chat->peer_case == LINNET__V1__CHAT__PEER__NOT_SET) {
        return check_fail_field(out_error, code, path,
                                "names neither userId, userName nor groupId");
    }
    if (chat->peer_case == LINNET__V1__CHAT__PEER_GROUP_ID) {
        return check_chat_group(path, chat, out_error);
    }
    return check_chat(path, name_path, chat, out_error);
}

static int
check_ack(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
          struct protocol_error *out_error)
{
    (void)limits;
    return frame->ack->inbox_number == 0 ? check_fail(out_error, "ack.inboxNumber: 0") : 0;
}

static_assert(PROTOCOL_PING_BYTES_MAX == 125, "its text tells the bound");

static int
check_ping(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
           struct protocol_error *out_error)
{
    (void)limits;
    bool fits = frame->ping->data.len <= PROTOCOL_PING_BYTES_MAX;
    return fits ? 0 : check_fail(out_error, "ping.data: above 125 bytes");
}

/* It holds nothing that could be wrong. */
static int
check_nothing(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
              struct protocol_error *out_error)
{
    (void)frame;
    (void)limits;
    (void)out_error;
    return 0;
}

static check_command *const checks[] = {
    [LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE] = check_authenticate,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE] = check_send_message,
    [LINNET__V1__CLIENT_FRAME__COMMAND_ACK] = check_ack,
    [LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ] = check_mark_read,
    [LINNET__V1__CLIENT_FRAME__COMMAND_PING] = check_ping,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_ACTIVE] = check_nothing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_TYPING] = check_set_typing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_PRESENCE] = check_get_presence,
    [LINNET__V1__CLIENT_FRAME__COMMAND_WATCH_PRESENCE] = check_watch_presence,
    [LINNET__V1__CLIENT_FRAME__COMMAND_UNWATCH_PRESENCE] = check_unwatch_presence,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_CHAT] = check_create_chat,
    [LINNET__V1__CLIENT_FRAME__COMMAND_MODIFY_CHAT] = check_modify_chat,
    [LINNET__V1__CLIENT_FRAME__COMMAND_JOIN_CHAT] = check_join_chat,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_CHAT] = check_get_chat,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_GROUPS] = check_nothing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_CHAT_MEMBERS] = check_get_chat_members,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_MESSAGE_INFO] = check_get_message_info,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_STATE] = check_set_state,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_STATES] = check_list_states,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_HISTORY] = check_get_history,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_PROFILE] = check_get_profile,
    [LINNET__V1__CLIENT_FRAME__COMMAND_DELETE_ACCOUNT] = check_delete_account,
    [LINNET__V1__CLIENT_FRAME__COMMAND_HIDE_MESSAGE] = check_hide_message,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_TURN_CREDENTIALS] = check_nothing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_OFFER] = check_call_offer,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_RINGING] = check_call_ringing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_ANSWER] = check_call_answer,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_CANDIDATE] = check_call_candidate,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_HANG_UP] = check_call_hang_up,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_PUSH] = check_set_push,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CLEAR_PUSH] = check_nothing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_PUSH] = check_nothing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_DEVICES] = check_nothing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_RENAME_DEVICE] = check_rename_device,
    [LINNET__V1__CLIENT_FRAME__COMMAND_REVOKE_DEVICE] = check_revoke_device,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_LINK_CODE] = check_nothing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_CHATS] = check_nothing,
};

int
protocol_check_client(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                      struct protocol_error *out_error)
{
    size_t which = (size_t)frame->command_case;
    if (frame->number > PROTOCOL_COMMAND_NUMBER_MAX) {
        return check_fail(out_error, "number: above 2^52 - 1");
    }
    if (which >= sizeof(checks) / sizeof(checks[0]) || checks[which] == NULL) {
        return check_fail(out_error, "no command, or none that this node knows");
    }
    return checks[which](frame, limits, out_error);
}
