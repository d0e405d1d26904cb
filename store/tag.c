/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tag.h"

#include "store/ask.h"
#include "store/audit.h"
#include "store/chat_ttl.h"
#include "store/group.h"
#include "store/presence.h"
#include "store/request.h"
#include "store/state.h"

#include <stddef.h>

/* Between the store's own actors. */
static const char *
ask_tag_name(uint32_t tag)
{
#define NAME(tag) [(tag)-STORE_TAG_INTERNAL] = #tag
    static const char *const asks[] = {
        NAME(ASK_STREAM),       NAME(ASK_STREAM_ACK),   NAME(ASK_STARTED),
        NAME(ASK_PUMP),         NAME(ASK_HISTORY_LOOK), NAME(ASK_HISTORY_TICK),
        NAME(ASK_GROUP_REPORT), NAME(ASK_GROUP_TELL),   NAME(ASK_GROUP_WATCH),
        NAME(ASK_FAN_WATCH),    NAME(ASK_FAN),          NAME(ASK_GROUP_TICK),
        NAME(ASK_WATCH),        NAME(ASK_TICK),         NAME(ASK_FETCH),
        NAME(ASK_KICK),         NAME(ASK_LINGERED),     NAME(ASK_FOLD),
        NAME(ASK_SEGMENT),      NAME(ASK_STEPS),        NAME(ASK_END),
        NAME(ASK_EXPIRY),       NAME(ASK_ALARM),        NAME(ASK_SWEEP),
        NAME(ASK_ROUND),        NAME(ASK_UNSEEN),       NAME(ASK_EXPIRE),
        NAME(ASK_CALL_RELAY),   NAME(ASK_CALL_CHECK),
    };
#undef NAME
    _Static_assert(sizeof asks / sizeof asks[0] == ASK_CALL_CHECK - ASK_STREAM + 1,
                   "the last has a name");
    uint32_t index = tag - STORE_TAG_INTERNAL; /* below the first: far above the last */
    return index < sizeof asks / sizeof asks[0] ? asks[index] : NULL;
}

#define NAME(tag) [(tag)-STORE_TAG_FIRST] = #tag
/* clang-format off */
static const char *const requests[] = {
    NAME(STORE_NAME_FIND),
    NAME(STORE_USER_CREATE),
    NAME(STORE_USER_GET),
    NAME(STORE_USER_REMOVE),
    NAME(STORE_PASSWORD_GET),
    NAME(STORE_PASSWORD_SET),
    NAME(STORE_DEVICE_ADD),
    NAME(STORE_DEVICE_CHECK),
    NAME(STORE_DEVICE_LIST),
    NAME(STORE_DEVICE_REVOKE),
    NAME(STORE_ATTACH),
    NAME(STORE_DETACH),
    NAME(STORE_MESSAGE),
    NAME(STORE_ACK),
    NAME(STORE_READ),
    NAME(STORE_INBOX),
    NAME(STORE_CHATS),
    NAME(STORE_USER_LIST),
    NAME(STORE_PUSH),
    NAME(STORE_BEHIND),
    NAME(STORE_RESYNC),
    NAME(STORE_REVOKED),
    NAME(STORE_DEVICES),
    NAME(STORE_REPLACED),
    NAME(STORE_CHANGE),
    NAME(STORE_CHAT_TTL),
    NAME(STORE_GROUP_REVISE),
    NAME(STORE_DEVICE_RENAME),
    NAME(STORE_LINK_CREATE),
    NAME(STORE_LINK_REDEEM),
    NAME(STORE_SEEN),
    NAME(STORE_SEEN_GET),
    NAME(STORE_STRANGERS),
    NAME(STORE_WAKE_SET),
    NAME(STORE_WAKE_CLEAR),
    NAME(STORE_WAKE_GET),
    NAME(STORE_WAKE_DONE),
    NAME(STORE_WAKE_LIST),
    NAME(STORE_WAKE_DUE),
    NAME(STORE_MAY_SEE),
    NAME(STORE_STATE_SET),
    NAME(STORE_STATE_REMOVE),
    NAME(STORE_STATE_LIST),
    NAME(STORE_PROFILE),
    NAME(STORE_RULES),
    NAME(STORE_CALL_LOOK),
    NAME(STORE_CALL_OFFER),
    NAME(STORE_CALL_ANSWER),
    NAME(STORE_CALL_END),
    NAME(STORE_CALL_SIGNAL),
    NAME(STORE_CALL_LIST),
    NAME(STORE_CALL_TOLD),
    NAME(STORE_GROUP_CREATE),
    NAME(STORE_GROUP_CHANGE),
    NAME(STORE_GROUP_MESSAGE),
    NAME(STORE_GROUP_GET),
    NAME(STORE_GROUP_MEMBERS),
    NAME(STORE_GROUP_READ),
    NAME(STORE_GROUP_CHATS),
    NAME(STORE_AUDIT),
    NAME(STORE_AUDITED),
    NAME(STORE_HISTORY),
};
/* clang-format on */
#undef NAME

const char *
store_tag_name(uint32_t tag)
{
    if (tag - STORE_TAG_FIRST < sizeof requests / sizeof requests[0]) {
        return requests[tag - STORE_TAG_FIRST];
    }
    return ask_tag_name(tag);
}
