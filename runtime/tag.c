/* SPDX-License-Identifier: Apache-2.0 */
/* What tags are called: the runtime's own here, all others by the behaviour. */
#include "runtime/actor.h"
#include "runtime/text.h"

const char *
ln_tag_name(const struct ln_behaviour *behaviour, uint32_t tag)
{
    static const char *const messages[] = {
        "EXIT", "DOWN", "STOP", "ACCEPT", "DATA", "DRAINED", "CLOSED", "JOINED", "LEFT", "TIMEOUT",
    };
    static const char *const signals[] = {
        "SPAWN",         "BEGIN",           "END",        "LINK",        "UNLINK",
        "MONITOR",       "DEMONITOR",       "LIST",       "RELATIONS",   "INSPECT",
        "WAIT",          "REGISTER",        "UNREGISTER", "GROUP_SEND",  "GROUP_MEMBERS",
        "GROUP_MONITOR", "GROUP_DEMONITOR", "CRASHES",    "TRACE_START", "TRACE_READ",
        "TRACE_STOP",    "SHUT_DOWN",
    };
    enum {
        MESSAGES = sizeof messages / sizeof messages[0],
        SIGNALS = sizeof signals / sizeof signals[0],
    };
    _Static_assert(LN_TAG_TIMEOUT - LN_TAG_EXIT == MESSAGES - 1, "each has its name");
    _Static_assert(SIGNAL_SHUT_DOWN - SIGNAL_SPAWN == SIGNALS - 1, "each has its name");
    if (tag - LN_TAG_EXIT < MESSAGES) {
        return messages[tag - LN_TAG_EXIT];
    }
    if (tag - SIGNAL_SPAWN < SIGNALS) {
        return signals[tag - SIGNAL_SPAWN];
    }
    return behaviour->tag_name != NULL ? behaviour->tag_name(tag) : NULL;
}
