/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

int
check_set_typing(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                 struct protocol_error *out_error)
{
    const Linnet__V1__SetTyping *typing = frame->set_typing;
    (void)limits;
    if ((unsigned)typing->kind > LINNET__V1__TYPING__KIND__RECORDING) {
        return check_fail(out_error, "setTyping.kind: none that this node knows");
    }
    return check_chat_any("setTyping.chat", "setTyping.chat.userName", typing->chat, out_error);
}

int
check_get_presence(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                   struct protocol_error *out_error)
{
    (void)limits;
    return check_chat("getPresence.chat", "getPresence.chat.userName", frame->get_presence->chat,
                      out_error);
}

int
check_watch_presence(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                     struct protocol_error *out_error)
{
    (void)limits;
    return check_chat("watchPresence.chat", "watchPresence.chat.userName",
                      frame->watch_presence->chat, out_error);
}

int
check_unwatch_presence(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                       struct protocol_error *out_error)
{
    (void)limits;
    return check_chat("unwatchPresence.chat", "unwatchPresence.chat.userName",
                      frame->unwatch_presence->chat, out_error);
}
