/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/rate_class.h"

#include "runtime/check.h"

#define MINUTE_NS (UINT64_C(60) * 1000000000)
#define HOUR_NS (60 * MINUTE_NS)
#define DAY_NS (24 * HOUR_NS)

static const uint8_t classes[] = {
    [LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE] = RATE_FREE,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE] = RATE_CHANGES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_ACK] = RATE_RECEIPTS,
    [LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ] = RATE_RECEIPTS,
    [LINNET__V1__CLIENT_FRAME__COMMAND_PING] = RATE_FREE,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_ACTIVE] = RATE_PRESENCE,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_TYPING] = RATE_TYPING,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_PRESENCE] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_WATCH_PRESENCE] = RATE_PRESENCE,
    [LINNET__V1__CLIENT_FRAME__COMMAND_UNWATCH_PRESENCE] = RATE_PRESENCE,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_CHAT] = RATE_GROUPS,
    [LINNET__V1__CLIENT_FRAME__COMMAND_MODIFY_CHAT] = RATE_CHANGES, /* but for adding */
    [LINNET__V1__CLIENT_FRAME__COMMAND_JOIN_CHAT] = RATE_GROUPS,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_CHAT] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_GROUPS] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_CHAT_MEMBERS] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_MESSAGE_INFO] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_DEVICES] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_RENAME_DEVICE] = RATE_CHANGES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_REVOKE_DEVICE] = RATE_CHANGES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_LINK_CODE] = RATE_CHANGES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_CHATS] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_STATE] = RATE_CHANGES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_HIDE_MESSAGE] = RATE_CHANGES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_HISTORY] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_STATES] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_PROFILE] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_DELETE_ACCOUNT] = RATE_FAILED_LOGINS, /* tries a password */
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_PUSH] = RATE_CHANGES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CLEAR_PUSH] = RATE_CHANGES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_PUSH] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_TURN_CREDENTIALS] = RATE_QUERIES,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_OFFER] = RATE_CALLS,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_RINGING] = RATE_SIGNALS,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_ANSWER] = RATE_SIGNALS,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_CANDIDATE] = RATE_SIGNALS,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_HANG_UP] = RATE_SIGNALS,
};

static const struct {
    const char *name;
    uint64_t period_ns;
    const char *refusal;
} kinds[RATE_CLASSES] = {
    [RATE_CHANGES] = {"changes", MINUTE_NS,
                      "more changes than this user or address may make in a minute"},
    [RATE_RECEIPTS] = {"receipts", MINUTE_NS,
                       "more receipts than this user or address may give in a minute"},
    [RATE_PRESENCE] = {"presence", MINUTE_NS,
                       "more of presence than this user or address may ask in a minute"},
    [RATE_TYPING] = {"typing", MINUTE_NS,
                     "more typing than this user or address may tell of in a minute"},
    [RATE_QUERIES] = {"queries", MINUTE_NS,
                      "more questions than this user or address may ask in a minute"},
    [RATE_GROUPS] = {"groups", HOUR_NS,
                     "more groups than this user or address may make or fill in an hour"},
    [RATE_STRANGERS] =
        {"strangers", HOUR_NS,
         "more people than this user or address may write to first, or add to groups, in an hour"},
    [RATE_CALLS] = {"calls", MINUTE_NS,
                    "more calls than this user or address may make in a minute"},
    [RATE_SIGNALS] = {"signals", MINUTE_NS,
                      "more signals of calls than this user or address may give in a minute"},
    [RATE_EXPORTS] = {"exports", DAY_NS,
                      "more exports than this user or address may ask for in a day"},
    [RATE_DELETIONS] = {"deletions", MINUTE_NS,
                        "more than this user or address may delete in large groups in a minute"},
    [RATE_FAILED_LOGINS] = {"failed_logins", HOUR_NS,
                            "too many logins from this address have failed"},
    [RATE_REGISTRATIONS] = {"registrations", HOUR_NS,
                            "more new users than this address or this node may have in an hour"},
};

enum rate_class
rate_class_of(const Linnet__V1__ClientFrame *frame)
{
    size_t which = (size_t)frame->command_case;
    if (frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_MODIFY_CHAT &&
        frame->modify_chat->change_case == LINNET__V1__MODIFY_CHAT__CHANGE_ADD) {
        return RATE_GROUPS;
    }
    return which < sizeof classes / sizeof classes[0] ? (enum rate_class)classes[which]
                                                      : RATE_CHANGES;
}

uint64_t rate_class_period_ns(enum rate_class class)
{
    ASSERT(class < RATE_CLASSES);
    return kinds[class].period_ns;
}

const char *rate_class_refusal(enum rate_class class)
{
    ASSERT(class < RATE_CLASSES);
    return kinds[class].refusal;
}

const char *rate_class_name(enum rate_class class)
{
    ASSERT(class < RATE_CLASSES);
    return kinds[class].name;
}
