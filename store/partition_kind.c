/* SPDX-License-Identifier: Apache-2.0 */
/* All kinds of requests that a partition takes, and of what other partitions send it. */
#include "store/audit.h"
#include "store/chat_ttl.h"
#include "store/hold.h"
#include "store/partition_priv.h"
#include "store/presence.h"
#include "store/state.h"

static const struct ask_kind *const kinds[] = {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a designator takes none */
#define KIND(tag, kind) [(tag)-STORE_TAG_FIRST] = &(kind)
    KIND(STORE_NAME_FIND, ask_name_find),
    KIND(STORE_USER_CREATE, ask_user_create),
    KIND(STORE_USER_GET, ask_user_get),
    KIND(STORE_USER_REMOVE, ask_user_remove),
    KIND(STORE_PASSWORD_GET, ask_password_get),
    KIND(STORE_PASSWORD_SET, ask_password_set),
    KIND(STORE_DEVICE_ADD, ask_device_add),
    KIND(STORE_DEVICE_CHECK, ask_device_check),
    KIND(STORE_DEVICE_LIST, ask_device_list),
    KIND(STORE_DEVICE_REVOKE, ask_device_revoke),
    KIND(STORE_ATTACH, ask_attach),
    KIND(STORE_DETACH, ask_detach),
    KIND(STORE_MESSAGE, ask_message),
    KIND(STORE_ACK, ask_ack),
    KIND(STORE_READ, ask_read),
    KIND(STORE_INBOX, ask_inbox),
    KIND(STORE_CHATS, ask_chats),
    KIND(STORE_USER_LIST, ask_user_list),
    KIND(STORE_SEEN, ask_seen),
    KIND(STORE_SEEN_GET, ask_seen_get),
    KIND(STORE_STRANGERS, ask_strangers),
    KIND(STORE_WAKE_SET, ask_wake_set),
    KIND(STORE_WAKE_CLEAR, ask_wake_clear),
    KIND(STORE_WAKE_GET, ask_wake_get),
    KIND(STORE_WAKE_DONE, ask_wake_done),
    KIND(STORE_WAKE_LIST, ask_wake_list),
    KIND(STORE_STATE_SET, ask_state_set),
    KIND(STORE_STATE_REMOVE, ask_state_remove),
    KIND(STORE_STATE_LIST, ask_state_list),
    KIND(STORE_MAY_SEE, ask_may_see),
    KIND(STORE_PROFILE, ask_profile),
    KIND(STORE_HISTORY, ask_history),
    KIND(STORE_NAME_HOLD, ask_name_hold),
    KIND(STORE_HOLD, ask_hold),
    KIND(STORE_AUDIT, ask_audit),
    KIND(ASK_HISTORY_LOOK, ask_of_history_look),
    KIND(STORE_GROUP_CREATE, ask_group_create),
    KIND(STORE_GROUP_CHANGE, ask_group_change),
    KIND(STORE_GROUP_MESSAGE, ask_group_message),
    KIND(STORE_GROUP_GET, ask_group_get),
    KIND(STORE_GROUP_MEMBERS, ask_group_members),
    KIND(STORE_GROUP_READ, ask_group_read),
    KIND(STORE_GROUP_CHATS, ask_group_chats),
    KIND(STORE_GROUP_TYPING, ask_group_typing),
    KIND(STORE_GROUP_LIST, ask_group_list),
    KIND(STORE_GROUP_REVISE, ask_group_revise),
    KIND(STORE_DEVICE_RENAME, ask_device_rename),
    KIND(STORE_LINK_CREATE, ask_link_create),
    KIND(STORE_LINK_REDEEM, ask_link_redeem),
    KIND(ASK_STREAM, ask_of_stream),
    KIND(ASK_STREAM_ACK, ask_of_stream_ack),
    KIND(ASK_GROUP_REPORT, ask_of_group_report),
    KIND(ASK_GROUP_TELL, ask_of_group_tell),
    KIND(STORE_CHANGE, ask_change),
    KIND(STORE_CHAT_TTL, ask_chat_ttl),
    KIND(ASK_SWEEP, ask_sweep),
    KIND(ASK_ROUND, ask_of_round),
    KIND(ASK_UNSEEN, ask_of_unseen),
    KIND(ASK_EXPIRE, ask_of_expire),
    KIND(STORE_CALL_LOOK, ask_call_look),
    KIND(STORE_CALL_OFFER, ask_call_offer),
    KIND(STORE_CALL_ANSWER, ask_call_answer),
    KIND(STORE_CALL_END, ask_call_end),
    KIND(STORE_CALL_SIGNAL, ask_call_signal),
    KIND(STORE_CALL_LIST, ask_call_list),
    KIND(ASK_CALL_RELAY, ask_of_call_relay),
    KIND(ASK_CALL_CHECK, ask_of_call_check),
#undef KIND
};

const struct ask_kind *
partition_kind(uint32_t tag)
{
    uint32_t index = tag - STORE_TAG_FIRST; /* below the first: far above the last */
    return index < sizeof(kinds) / sizeof(kinds[0]) ? kinds[index] : NULL;
}
