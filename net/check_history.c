/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

int
check_get_history(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                  struct protocol_error *out_error)
{
    const Linnet__V1__GetHistory *asked = frame->get_history;
    (void)limits;
    int rc = check_chat_any("getHistory.chat", "getHistory.chat.userName", asked->chat, out_error);
    if (rc < 0) {
        return rc;
    }
    if (asked->content_kind > PROTOCOL_CONTENT_KIND_MAX) {
        return check_fail(out_error, "getHistory.contentKind: above 255");
    }
    if ((unsigned)asked->only > LINNET__V1__GET_HISTORY__ONLY__CALLS) {
        return check_fail(out_error, "getHistory.only: nothing that this node knows");
    }
    if (asked->content_kind != 0 && asked->only > LINNET__V1__GET_HISTORY__ONLY__MESSAGES) {
        return check_fail(out_error, "getHistory.contentKind: only messages have one");
    }
    bool backwards = asked->until_ms != 0 && asked->until_ms <= asked->since_ms;
    return backwards ? check_fail(out_error, "getHistory.untilMs: not above sinceMs") : 0;
}
