/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

int
check_change(const Linnet__V1__Change *change, size_t bytes, struct protocol_error *out_error)
{
    if (change->kind != LINNET__V1__CHANGE__KIND__EDIT &&
        change->kind != LINNET__V1__CHANGE__KIND__DELETE) {
        return check_fail(out_error, "sendMessage.change.kind: neither EDIT nor DELETE");
    }
    if (change->chat_number == 0) {
        return check_fail(out_error, "sendMessage.change.chatNumber: 0");
    }
    if (change->kind == LINNET__V1__CHANGE__KIND__DELETE && bytes > 0) {
        return check_fail(out_error, "sendMessage: content beside a deletion");
    }
    return 0;
}

int
check_hide_message(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                   struct protocol_error *out_error)
{
    const Linnet__V1__HideMessage *hide = frame->hide_message;
    (void)limits;
    int rc = check_chat_any("hideMessage.chat", "hideMessage.chat.userName", hide->chat, out_error);
    if (rc < 0) {
        return rc;
    }
    if (hide->author_user_id == 0) {
        return check_fail(out_error, "hideMessage.authorUserId: 0");
    }
    return hide->chat_number == 0 ? check_fail(out_error, "hideMessage.chatNumber: 0") : 0;
}
