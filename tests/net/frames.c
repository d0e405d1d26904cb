/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/frames.h"

#define TEXT(literal) ((char[]){literal})
#define BYTES(literal)                                                   \
    {                                                                    \
        .data = (uint8_t *)(char[]){literal}, .len = sizeof(literal) - 1 \
    }

/* A struct of the schema with its defaults and what is named; the values live as long as the
 * program. */
#define MESSAGE(type, descriptor_name, ...)                                                    \
    ((type[1]){{.base = PROTOBUF_C_MESSAGE_INIT(&linnet__v1__##descriptor_name##__descriptor), \
                __VA_ARGS__}})
#define CLIENT(...) &MESSAGE(Linnet__V1__ClientFrame, client_frame, __VA_ARGS__)->base
#define SERVER(...) &MESSAGE(Linnet__V1__ServerFrame, server_frame, __VA_ARGS__)->base

#define CHAT(id) \
    MESSAGE(Linnet__V1__Chat, chat, .peer_case = LINNET__V1__CHAT__PEER_USER_ID, .user_id = (id))
#define CHAT_NAMED(name)                                                           \
    MESSAGE(Linnet__V1__Chat, chat, .peer_case = LINNET__V1__CHAT__PEER_USER_NAME, \
            .user_name = TEXT(name))
#define GROUP(id) \
    MESSAGE(Linnet__V1__Chat, chat, .peer_case = LINNET__V1__CHAT__PEER_GROUP_ID, .group_id = (id))
#define PARTICIPANT(id)                           \
    MESSAGE(Linnet__V1__Participant, participant, \
            .user_case = LINNET__V1__PARTICIPANT__USER_USER_ID, .user_id = (id))
#define PARTICIPANT_NAMED(name)                   \
    MESSAGE(Linnet__V1__Participant, participant, \
            .user_case = LINNET__V1__PARTICIPANT__USER_USER_NAME, .user_name = TEXT(name))
#define PARTICIPANTS                                                   \
    .n_participants = 2, .participants = (Linnet__V1__Participant *[]) \
    {                                                                  \
        PARTICIPANT(3), PARTICIPANT_NAMED("bob")                       \
    }
#define PARTICIPANTS_JSON "\"participants\":[{\"userId\":\"3\"},{\"userName\":\"bob\"}]"
#define RIGHTS                                                                                \
    MESSAGE(Linnet__V1__ChatRights, chat_rights, .only_admins_send = 1, .only_admins_add = 1, \
            .only_admins_edit = 1)
#define RIGHTS_JSON \
    "\"rights\":{\"onlyAdminsSend\":true,\"onlyAdminsAdd\":true,\"onlyAdminsEdit\":true}"
#define NOTHING MESSAGE(Linnet__V1__Nothing, nothing, )
/* A change of a group, and its JSON behind the chat. */
#define MODIFY(change_name, change, change_json)                                                   \
    {                                                                                              \
        CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_MODIFY_CHAT,                      \
               .modify_chat =                                                                      \
                   MESSAGE(Linnet__V1__ModifyChat, modify_chat, .chat = GROUP(5),                  \
                           .change_case = LINNET__V1__MODIFY_CHAT__CHANGE_##change_name, change)), \
            "{\"modifyChat\":{\"chat\":{\"groupId\":\"5\"}," change_json "}}"                      \
    }
#define SUBJECTS MESSAGE(Linnet__V1__Participants, participants, PARTICIPANTS)
/* An update of a group, likewise. */
#define UPDATE(change_name, change, change_json)                                                   \
    {                                                                                              \
        SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_CHAT_UPDATE,                          \
               .chat_update =                                                                      \
                   MESSAGE(Linnet__V1__ChatUpdate, chat_update, .inbox_number = 9,                 \
                           .chat = GROUP(5), .update = 2, .chat_number = 1,                        \
                           .server_time_ms = 1780000000000, .author_user_id = 3, .members = 4,     \
                           .change_case = LINNET__V1__CHAT_UPDATE__CHANGE_##change_name, change)), \
            "{\"chatUpdate\":{\"inboxNumber\":\"9\",\"chat\":{\"groupId\":\"5\"},\"update\":"      \
            "\"2\","                                                                               \
            "\"chatNumber\":\"1\",\"serverTimeMs\":\"1780000000000\",\"authorUserId\":\"3\","      \
            "\"members\":4," change_json "}}"                                                      \
    }
#define MESSAGE_ID                                                             \
    MESSAGE(Linnet__V1__MessageId, message_id, .user_id = 12, .device = 65535, \
            .number = 9007199254740991)
#define MESSAGE_ID_JSON "{\"userId\":\"12\",\"device\":65535,\"number\":\"9007199254740991\"}"
#define SENDER                                                                           \
    MESSAGE(Linnet__V1__Sender, sender, .user_id = 12, .name = TEXT("\xC3\xA4 \"bob\""), \
            .device = 3)
#define ATTACHMENT                                                        \
    MESSAGE(Linnet__V1__Attachment, attachment, .reference = TEXT("m/1"), \
            .media_type = TEXT("image/png"), .size_bytes = 70000)
#define ATTACHMENT_JSON \
    "{\"reference\":\"m/1\",\"mediaType\":\"image/png\",\"sizeBytes\":\"70000\"}"
#define ATTACHMENT_BARE \
    MESSAGE(Linnet__V1__Attachment, attachment, .reference = TEXT("m/2"), .media_type = TEXT(""))
#define ATTACHMENTS                                                 \
    .n_attachments = 2, .attachments = (Linnet__V1__Attachment *[]) \
    {                                                               \
        ATTACHMENT, ATTACHMENT_BARE                                 \
    }
#define ATTACHMENTS_JSON "\"attachments\":[" ATTACHMENT_JSON ",{\"reference\":\"m/2\"}]"

#define AUTH_16 "aaaaaaaaaaaaaaaa"
#define POINT_64 AUTH_16 AUTH_16 AUTH_16 AUTH_16

const struct frame_sample client_frames[] = {
    {CLIENT(.number = 0, .ref = 1, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE,
            .authenticate = MESSAGE(
                Linnet__V1__Authenticate, authenticate,
                .method_case = LINNET__V1__AUTHENTICATE__METHOD_PASSWORD_LOGIN,
                .password_login = MESSAGE(
                    Linnet__V1__PasswordLogin, password_login, .name = TEXT("alice"),
                    .password = TEXT("\x01\b\t\n\v\f\r\x1F"), .device_name = TEXT("a \\ phone")))),
     "{\"ref\":\"1\",\"authenticate\":{\"passwordLogin\":{\"name\":\"alice\",\"password\":"
     "\"\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\",\"deviceName\":\"a \\\\ phone\"}}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE,
            .authenticate = MESSAGE(Linnet__V1__Authenticate, authenticate,
                                    .method_case = LINNET__V1__AUTHENTICATE__METHOD_TOKEN,
                                    .token = TEXT("secret"))),
     "{\"authenticate\":{\"token\":\"secret\"}}"},
    {CLIENT(.number = 4503599627370495, .ref = 9007199254740991,
            .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE,
            .send_message =
                MESSAGE(Linnet__V1__SendMessage, send_message, .chat = CHAT(9007199254740991),
                        .body_case = LINNET__V1__SEND_MESSAGE__BODY_CONTENT,
                        .content = BYTES("\x00\xFF\xFE\x01"), ATTACHMENTS)),
     "{\"number\":\"4503599627370495\",\"ref\":\"9007199254740991\",\"sendMessage\":{\"chat\":{"
     "\"userId\":\"9007199254740991\"},\"content\":\"AP/+AQ==\"," ATTACHMENTS_JSON "}}"},
    {CLIENT(.number = 7, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE,
            .send_message =
                MESSAGE(Linnet__V1__SendMessage, send_message, .chat = CHAT_NAMED("bob"),
                        .body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT,
                        .text = TEXT("hi \xF0\x9F\x90\xA6"))),
     "{\"number\":\"7\",\"sendMessage\":{\"chat\":{\"userName\":\"bob\"},\"text\":"
     "\"hi \xF0\x9F\x90\xA6\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE,
            .send_message =
                MESSAGE(Linnet__V1__SendMessage, send_message, .chat = CHAT(5), ATTACHMENTS)),
     "{\"sendMessage\":{\"chat\":{\"userId\":\"5\"}," ATTACHMENTS_JSON "}}"},
    {CLIENT(.number = 9, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE,
            .send_message =
                MESSAGE(Linnet__V1__SendMessage, send_message, .chat = CHAT(5),
                        .body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT, .text = TEXT("hi"),
                        .change = MESSAGE(Linnet__V1__Change, change,
                                          .kind = LINNET__V1__CHANGE__KIND__EDIT, .chat_number = 4,
                                          .server_time_ms = 1780000000000, .handle = BYTES("?")),
                        .ttl_ms = 5000, .content_kind = 7)),
     "{\"number\":\"9\",\"sendMessage\":{\"chat\":{\"userId\":\"5\"},\"text\":\"hi\",\"change\":{"
     "\"kind\":\"EDIT\",\"chatNumber\":\"4\",\"serverTimeMs\":\"1780000000000\",\"handle\":"
     "\"Pw==\"},\"ttlMs\":\"5000\",\"contentKind\":7}}"},
    {CLIENT(.number = 10, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE,
            .send_message = MESSAGE(Linnet__V1__SendMessage, send_message, .chat = CHAT(5),
                                    .change = MESSAGE(Linnet__V1__Change, change,
                                                      .kind = LINNET__V1__CHANGE__KIND__DELETE,
                                                      .chat_number = 4))),
     "{\"number\":\"10\",\"sendMessage\":{\"chat\":{\"userId\":\"5\"},\"change\":{\"kind\":"
     "\"DELETE\",\"chatNumber\":\"4\"}}}"},
    {CLIENT(.number = 11, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_HIDE_MESSAGE,
            .hide_message = MESSAGE(Linnet__V1__HideMessage, hide_message, .chat = CHAT(5),
                                    .author_user_id = 5, .chat_number = 4)),
     "{\"number\":\"11\",\"hideMessage\":{\"chat\":{\"userId\":\"5\"},\"authorUserId\":\"5\","
     "\"chatNumber\":\"4\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_GET_TURN_CREDENTIALS,
            .get_turn_credentials =
                MESSAGE(Linnet__V1__GetTurnCredentials, get_turn_credentials, )),
     "{\"getTurnCredentials\":{}}"},
    {CLIENT(.number = 12, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CALL_OFFER,
            .call_offer = MESSAGE(Linnet__V1__CallOffer, call_offer, .chat = CHAT(5),
                                  .content = BYTES("?"), .video = 1)),
     "{\"number\":\"12\",\"callOffer\":{\"chat\":{\"userId\":\"5\"},\"content\":\"Pw==\","
     "\"video\":true}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CALL_RINGING,
            .call_ringing = MESSAGE(Linnet__V1__CallRinging, call_ringing, .call = MESSAGE_ID)),
     "{\"callRinging\":{\"call\":" MESSAGE_ID_JSON "}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CALL_ANSWER,
            .call_answer = MESSAGE(Linnet__V1__CallAnswer, call_answer, .call = MESSAGE_ID,
                                   .content = BYTES("?"))),
     "{\"callAnswer\":{\"call\":" MESSAGE_ID_JSON ",\"content\":"
     "\"Pw==\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CALL_CANDIDATE,
            .call_candidate = MESSAGE(Linnet__V1__CallCandidate, call_candidate, .call = MESSAGE_ID,
                                      .content = BYTES("?"))),
     "{\"callCandidate\":{\"call\":" MESSAGE_ID_JSON ",\"content\":"
     "\"Pw==\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CALL_HANG_UP,
            .call_hang_up = MESSAGE(Linnet__V1__CallHangUp, call_hang_up, .call = MESSAGE_ID,
                                    .reason = LINNET__V1__CALL_HANG_UP__REASON__BUSY)),
     "{\"callHangUp\":{\"call\":" MESSAGE_ID_JSON ",\"reason\":"
     "\"BUSY\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_ACK,
            .ack = MESSAGE(Linnet__V1__Ack, ack, .inbox_number = 123456)),
     "{\"ack\":{\"inboxNumber\":\"123456\"}}"},
    {CLIENT(.number = 8, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ,
            .mark_read =
                MESSAGE(Linnet__V1__MarkRead, mark_read, .chat = CHAT(2), .chat_number = 4)),
     "{\"number\":\"8\",\"markRead\":{\"chat\":{\"userId\":\"2\"},\"chatNumber\":\"4\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_GET_HISTORY,
            .get_history =
                MESSAGE(Linnet__V1__GetHistory, get_history, .chat = GROUP(5), .from = 6,
                        .forward = 1, .max = 7, .sender_user_id = 8, .since_ms = 9, .until_ms = 10,
                        .only = LINNET__V1__GET_HISTORY__ONLY__CHAT_UPDATES)),
     "{\"getHistory\":{\"chat\":{\"groupId\":\"5\"},\"from\":\"6\",\"forward\":true,\"max\":\"7\","
     "\"senderUserId\":\"8\",\"sinceMs\":\"9\",\"untilMs\":\"10\",\"only\":\"CHAT_UPDATES\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_PING,
            .ping = MESSAGE(Linnet__V1__Ping, ping, .data = BYTES("?"))),
     "{\"ping\":{\"data\":\"Pw==\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_PING,
            .ping = MESSAGE(Linnet__V1__Ping, ping, .data = {0})),
     "{\"ping\":{}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SET_ACTIVE,
            .set_active = MESSAGE(Linnet__V1__SetActive, set_active, .foreground = 1)),
     "{\"setActive\":{\"foreground\":true}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SET_ACTIVE,
            .set_active = MESSAGE(Linnet__V1__SetActive, set_active, .foreground = 0)),
     "{\"setActive\":{}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SET_TYPING,
            .set_typing = MESSAGE(Linnet__V1__SetTyping, set_typing, .chat = CHAT(2),
                                  .kind = LINNET__V1__TYPING__KIND__RECORDING)),
     "{\"setTyping\":{\"chat\":{\"userId\":\"2\"},\"kind\":\"RECORDING\"}}"},
    {CLIENT(.ref = 4, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_GET_PRESENCE,
            .get_presence =
                MESSAGE(Linnet__V1__GetPresence, get_presence, .chat = CHAT_NAMED("bob"))),
     "{\"ref\":\"4\",\"getPresence\":{\"chat\":{\"userName\":\"bob\"}}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_WATCH_PRESENCE,
            .watch_presence = MESSAGE(Linnet__V1__WatchPresence, watch_presence, .chat = CHAT(2))),
     "{\"watchPresence\":{\"chat\":{\"userId\":\"2\"}}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_UNWATCH_PRESENCE,
            .unwatch_presence =
                MESSAGE(Linnet__V1__UnwatchPresence, unwatch_presence, .chat = CHAT(2))),
     "{\"unwatchPresence\":{\"chat\":{\"userId\":\"2\"}}}"},
    {CLIENT(.number = 9, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_CHAT,
            .create_chat = MESSAGE(Linnet__V1__CreateChat, create_chat, .name = TEXT("walkers"),
                                   PARTICIPANTS, .rights = RIGHTS, .ttl_ms = 60000)),
     "{\"number\":\"9\",\"createChat\":{\"name\":\"walkers\"," PARTICIPANTS_JSON "," RIGHTS_JSON
     ",\"ttlMs\":\"60000\"}}"},
    MODIFY(ADD, .add = SUBJECTS, "\"add\":{" PARTICIPANTS_JSON "}"),
    MODIFY(REMOVE, .remove = SUBJECTS, "\"remove\":{" PARTICIPANTS_JSON "}"),
    MODIFY(PROMOTE, .promote = SUBJECTS, "\"promote\":{" PARTICIPANTS_JSON "}"),
    MODIFY(DEMOTE, .demote = SUBJECTS, "\"demote\":{" PARTICIPANTS_JSON "}"),
    MODIFY(ENTITLE, .entitle = SUBJECTS, "\"entitle\":{" PARTICIPANTS_JSON "}"),
    MODIFY(LEAVE, .leave = NOTHING, "\"leave\":{}"),
    MODIFY(NAME, .name = TEXT("n"), "\"name\":\"n\""),
    MODIFY(DESCRIPTION, .description = TEXT(""), "\"description\":\"\""),
    MODIFY(PICTURE, .picture = TEXT("m/1"), "\"picture\":\"m/1\""),
    MODIFY(TTL_MS, .ttl_ms = 0, "\"ttlMs\":\"0\""),
    MODIFY(RIGHTS, .rights = RIGHTS, RIGHTS_JSON),
    MODIFY(INVITE, .invite = NOTHING, "\"invite\":{}"),
    MODIFY(REVOKE_INVITE, .revoke_invite = NOTHING, "\"revokeInvite\":{}"),
    MODIFY(DELETE_CHAT, .delete_chat = NOTHING, "\"deleteChat\":{}"),
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_JOIN_CHAT,
            .join_chat = MESSAGE(Linnet__V1__JoinChat, join_chat, .invite = TEXT("i"))),
     "{\"joinChat\":{\"invite\":\"i\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_GET_CHAT,
            .get_chat = MESSAGE(Linnet__V1__GetChat, get_chat, .chat = GROUP(5))),
     "{\"getChat\":{\"chat\":{\"groupId\":\"5\"}}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_LIST_GROUPS,
            .list_groups =
                MESSAGE(Linnet__V1__ListGroups, list_groups, .after_group_id = 5, .max = 10)),
     "{\"listGroups\":{\"afterGroupId\":\"5\",\"max\":10}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_GET_CHAT_MEMBERS,
            .get_chat_members = MESSAGE(Linnet__V1__GetChatMembers, get_chat_members,
                                        .chat = GROUP(5), .after_user_id = 3, .max = 10)),
     "{\"getChatMembers\":{\"chat\":{\"groupId\":\"5\"},\"afterUserId\":\"3\",\"max\":10}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_GET_MESSAGE_INFO,
            .get_message_info =
                MESSAGE(Linnet__V1__GetMessageInfo, get_message_info, .chat = GROUP(5),
                        .chat_number = 7, .after_user_id = 3, .max = 10)),
     "{\"getMessageInfo\":{\"chat\":{\"groupId\":\"5\"},\"chatNumber\":\"7\",\"afterUserId\":\"3\","
     "\"max\":10}}"},
    {CLIENT(.ref = 4, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SET_STATE,
            .set_state = MESSAGE(Linnet__V1__State, state, .chat = CHAT_NAMED("bob"),
                                 .value_case = LINNET__V1__STATE__VALUE_BLOCKED, .blocked = 1)),
     "{\"ref\":\"4\",\"setState\":{\"chat\":{\"userName\":\"bob\"},\"blocked\":true}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SET_STATE,
            .set_state = MESSAGE(
                Linnet__V1__State, state, .value_case = LINNET__V1__STATE__VALUE_PROFILE,
                .profile = MESSAGE(Linnet__V1__Profile, profile, .display_name = TEXT("Bob"),
                                   .about = TEXT("at sea"), .picture = ATTACHMENT))),
     "{\"setState\":{\"profile\":{\"displayName\":\"Bob\",\"about\":\"at "
     "sea\",\"picture\":" ATTACHMENT_JSON "}}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_LIST_STATES,
            .list_states = MESSAGE(Linnet__V1__ListStates, list_states, .after = TEXT("77"),
                                   .max = 9, .kind = LINNET__V1__STATE__KIND__CONTACT)),
     "{\"listStates\":{\"after\":\"77\",\"max\":\"9\",\"kind\":\"CONTACT\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_GET_PROFILE,
            .get_profile = MESSAGE(Linnet__V1__GetProfile, get_profile, .chat = CHAT(5))),
     "{\"getProfile\":{\"chat\":{\"userId\":\"5\"}}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_DELETE_ACCOUNT,
            .delete_account = MESSAGE(Linnet__V1__DeleteAccount, delete_account,
                                      .name = TEXT("bob"), .password = TEXT("x"))),
     "{\"deleteAccount\":{\"name\":\"bob\",\"password\":\"x\"}}"},
    {CLIENT(.ref = 3, .command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SET_PUSH,
            .set_push = MESSAGE(
                Linnet__V1__SetPush, set_push, .target_case = LINNET__V1__SET_PUSH__TARGET_WEB_PUSH,
                .web_push = MESSAGE(Linnet__V1__WebPush, web_push, .endpoint = TEXT("https://h/s"),
                                    .p256dh = BYTES("\x04" POINT_64), .auth = BYTES(AUTH_16)),
                .app = BYTES("?"))),
     "{\"ref\":\"3\",\"setPush\":{\"webPush\":{\"endpoint\":\"https://h/s\",\"p256dh\":"
     "\"BGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\","
     "\"auth\":\"YWFhYWFhYWFhYWFhYWFhYQ==\"},\"app\":\"Pw==\"}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SET_PUSH,
            .set_push = MESSAGE(Linnet__V1__SetPush, set_push,
                                .target_case = LINNET__V1__SET_PUSH__TARGET_WEBHOOK,
                                .webhook = MESSAGE(Linnet__V1__Webhook, webhook, ))),
     "{\"setPush\":{\"webhook\":{}}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CLEAR_PUSH,
            .clear_push = MESSAGE(Linnet__V1__ClearPush, clear_push, )),
     "{\"clearPush\":{}}"},
    {CLIENT(.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_GET_PUSH,
            .get_push = MESSAGE(Linnet__V1__GetPush, get_push, )),
     "{\"getPush\":{}}"},
};
const size_t client_frames_count = sizeof(client_frames) / sizeof(*client_frames);

const struct frame_sample server_frames[] = {
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_WELCOME,
            .welcome = MESSAGE(
                Linnet__V1__Welcome, welcome, .user_id = 1, .name = TEXT("alice"), .device = 2,
                .token = TEXT("t"), .next_command = 3, .inbox_acknowledged = 4, .server_time_ms = 5,
                .limits = MESSAGE(
                    Linnet__V1__Limits, limits, .message_bytes_max = 6, .attachments_max = 7,
                    .frame_bytes_max = 8, .commands_unanswered_max = 9, .command_window = 64,
                    .unacknowledged_entries_max = 256, .unacknowledged_bytes_max = 262144,
                    .idle_timeout_ms = 300000, .group_members_max = 1024,
                    .presence_interval_ms = 60000, .presence_watches_max = 256))),
     "{\"welcome\":{\"userId\":\"1\",\"name\":\"alice\",\"device\":2,\"token\":\"t\","
     "\"nextCommand\":\"3\",\"inboxAcknowledged\":\"4\",\"serverTimeMs\":\"5\",\"limits\":{"
     "\"messageBytesMax\":\"6\",\"attachmentsMax\":\"7\",\"frameBytesMax\":\"8\","
     "\"commandsUnansweredMax\":\"9\",\"commandWindow\":\"64\",\"unacknowledgedEntriesMax\":"
     "\"256\",\"unacknowledgedBytesMax\":\"262144\",\"idleTimeoutMs\":\"300000\","
     "\"groupMembersMax\":\"1024\",\"presenceIntervalMs\":\"60000\",\"presenceWatchesMax\":\"256\"}"
     "}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE,
            .new_message = MESSAGE(
                Linnet__V1__NewMessage, new_message, .inbox_number = 900000000000001,
                .id = MESSAGE_ID, .chat = CHAT(12), .chat_number = 17, .sender = SENDER,
                .server_time_ms = 1780000000000, .body_case = LINNET__V1__NEW_MESSAGE__BODY_TEXT,
                .text = TEXT(""), ATTACHMENTS)),
     "{\"newMessage\":{\"inboxNumber\":\"900000000000001\",\"id\":" MESSAGE_ID_JSON
     ",\"chat\":{\"userId\":\"12\"},\"chatNumber\":\"17\",\"sender\":{\"userId\":\"12\",\"name\":"
     "\"\xC3\xA4 "
     "\\\"bob\\\"\",\"device\":3},\"serverTimeMs\":\"1780000000000\",\"text\":"
     "\"\"," ATTACHMENTS_JSON "}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE,
            .new_message = MESSAGE(Linnet__V1__NewMessage, new_message, .id = MESSAGE_ID,
                                   .body_case = LINNET__V1__NEW_MESSAGE__BODY_CONTENT,
                                   .content = BYTES("\x80"))),
     "{\"newMessage\":{\"id\":" MESSAGE_ID_JSON ",\"content\":\"gA==\"}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE,
            .new_message =
                MESSAGE(Linnet__V1__NewMessage, new_message, .id = MESSAGE_ID, .deleted = 1,
                        .expires_at_ms = 7, .handle = BYTES("?"), .content_kind = 7, .edited = 1,
                        .state = LINNET__V1__NEW_MESSAGE__STATE__READ)),
     "{\"newMessage\":{\"id\":" MESSAGE_ID_JSON
     ",\"deleted\":true,\"expiresAtMs\":\"7\",\"handle\":\"Pw==\",\"contentKind\":7,\"edited\":"
     "true,\"state\":\"READ\"}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE,
            .new_message =
                MESSAGE(Linnet__V1__NewMessage, new_message, .id = MESSAGE_ID, .chat = GROUP(5),
                        .state = LINNET__V1__NEW_MESSAGE__STATE__DELIVERED,
                        .count = MESSAGE(Linnet__V1__MessageCount, message_count, .delivered = 3,
                                         .read = 1, .expired = 2))),
     "{\"newMessage\":{\"id\":" MESSAGE_ID_JSON
     ",\"chat\":{\"groupId\":\"5\"},\"state\":\"DELIVERED\",\"count\":{\"delivered\":3,\"read\":1,"
     "\"expired\":2}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_MESSAGE_CHANGED,
            .message_changed = MESSAGE(
                Linnet__V1__MessageChanged, message_changed, .inbox_number = 1, .id = MESSAGE_ID,
                .chat = CHAT(12), .kind = LINNET__V1__MESSAGE_CHANGED__KIND__EDITED,
                .author_user_id = 12, .chat_number = 17, .sender = SENDER, .server_time_ms = 3,
                .body_case = LINNET__V1__MESSAGE_CHANGED__BODY_TEXT, .text = TEXT("x"), ATTACHMENTS,
                .expires_at_ms = 4, .content_kind = 8)),
     "{\"messageChanged\":{\"inboxNumber\":\"1\",\"id\":" MESSAGE_ID_JSON
     ",\"chat\":{\"userId\":\"12\"},\"kind\":\"EDITED\",\"authorUserId\":\"12\",\"chatNumber\":"
     "\"17\",\"sender\":{\"userId\":\"12\",\"name\":\"\xC3\xA4 "
     "\\\"bob\\\"\",\"device\":3},\"serverTimeMs\":\"3\",\"text\":\"x\"," ATTACHMENTS_JSON
     ",\"expiresAtMs\":\"4\",\"contentKind\":8}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_RECEIPTS,
            .receipts = MESSAGE(Linnet__V1__Receipts, receipts, .inbox_number = 1, .chat = CHAT(2),
                                .reader_user_id = 2, .delivered = 30, .read = 20)),
     "{\"receipts\":{\"inboxNumber\":\"1\",\"chat\":{\"userId\":\"2\"},\"readerUserId\":\"2\","
     "\"delivered\":\"30\",\"read\":\"20\"}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_RECEIPTS,
            .receipts = MESSAGE(
                Linnet__V1__Receipts, receipts, .chat = CHAT(2), .expired_after = 9, .expired = 12,
                .n_expired_earlier = 2,
                .expired_earlier =
                    (Linnet__V1__Hole *[]){MESSAGE(Linnet__V1__Hole, hole, .to = 1),
                                           MESSAGE(Linnet__V1__Hole, hole, .after = 3, .to = 4)},
                .expired_unknown = 2)),
     "{\"receipts\":{\"chat\":{\"userId\":\"2\"},\"expiredAfter\":\"9\",\"expired\":\"12\","
     "\"expiredEarlier\":[{\"to\":\"1\"},{\"after\":\"3\",\"to\":\"4\"}],\"expiredUnknown\":\"2\"}"
     "}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer = MESSAGE(Linnet__V1__Answer, answer, .number = 1, .ref = 2,
                              .result_case = LINNET__V1__ANSWER__RESULT_SENT,
                              .sent = MESSAGE(Linnet__V1__Sent, sent, .id = MESSAGE_ID,
                                              .chat_number = 3, .server_time_ms = 4, .duplicate = 1,
                                              .handle = BYTES("?"), .held_user_id = 9))),
     "{\"answer\":{\"number\":\"1\",\"ref\":\"2\",\"sent\":{\"id\":" MESSAGE_ID_JSON
     ",\"chatNumber\":\"3\",\"serverTimeMs\":\"4\",\"duplicate\":true,\"handle\":\"Pw==\","
     "\"heldUserId\":\"9\"}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer = MESSAGE(Linnet__V1__Answer, answer, .number = 1,
                              .result_case = LINNET__V1__ANSWER__RESULT_DONE,
                              .done = MESSAGE(Linnet__V1__Done, done, ))),
     "{\"answer\":{\"number\":\"1\",\"done\":{}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer = MESSAGE(Linnet__V1__Answer, answer, .ref = 9,
                              .result_case = LINNET__V1__ANSWER__RESULT_ERROR,
                              .error = MESSAGE(Linnet__V1__Error, error,
                                               .code = LINNET__V1__ERROR__CODE__RATE_LIMITED,
                                               .text = TEXT("too fast"), .retry_after_ms = 500))),
     "{\"answer\":{\"ref\":\"9\",\"error\":{\"code\":\"RATE_LIMITED\",\"text\":\"too fast\","
     "\"retryAfterMs\":\"500\"}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer = MESSAGE(Linnet__V1__Answer, answer, .ref = 9,
                              .result_case = LINNET__V1__ANSWER__RESULT_PUSH,
                              .push = MESSAGE(Linnet__V1__Push, push, .web_push_key = BYTES("?"),
                                              .webhook = 1, .set = 1, .set_at_ms = 5))),
     "{\"answer\":{\"ref\":\"9\",\"push\":{\"webPushKey\":\"Pw==\",\"webhook\":true,"
     "\"set\":true,\"setAtMs\":\"5\"}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer =
                MESSAGE(Linnet__V1__Answer, answer, .ref = 2,
                        .result_case = LINNET__V1__ANSWER__RESULT_HISTORY,
                        .history = MESSAGE(Linnet__V1__HistoryPage, history_page, .count = 1,
                                           .expired_after = 5, .expired = 6, .n_expired_earlier = 1,
                                           .expired_earlier = (Linnet__V1__Hole *[]){MESSAGE(
                                               Linnet__V1__Hole, hole, .to = 1)},
                                           .expired_unknown = 3, .peer_expired_after = 7,
                                           .peer_expired = 8, .n_peer_expired_earlier = 1,
                                           .peer_expired_earlier = (Linnet__V1__Hole *[]){MESSAGE(
                                               Linnet__V1__Hole, hole, .to = 2)},
                                           .peer_expired_unknown = 4))),
     "{\"answer\":{\"ref\":\"2\",\"history\":{\"count\":\"1\",\"expiredAfter\":\"5\","
     "\"expired\":\"6\",\"expiredEarlier\":[{\"to\":\"1\"}],\"expiredUnknown\":\"3\","
     "\"peerExpiredAfter\":\"7\",\"peerExpired\":\"8\",\"peerExpiredEarlier\":[{\"to\":\"2\"}],"
     "\"peerExpiredUnknown\":\"4\"}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer = MESSAGE(Linnet__V1__Answer, answer, .ref = 2,
                              .result_case = LINNET__V1__ANSWER__RESULT_TURN_CREDENTIALS,
                              .turn_credentials = MESSAGE(
                                  Linnet__V1__TurnCredentials, turn_credentials, .n_servers = 1,
                                  .servers = (Linnet__V1__TurnServer *[]){MESSAGE(
                                      Linnet__V1__TurnServer, turn_server, .uri = TEXT("turn:a"))},
                                  .username = TEXT("9:1"), .password = TEXT("p"),
                                  .expires_at_ms = 9000))),
     "{\"answer\":{\"ref\":\"2\",\"turnCredentials\":{\"servers\":[{\"uri\":\"turn:a\"}],"
     "\"username\":\"9:1\",\"password\":\"p\",\"expiresAtMs\":\"9000\"}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_RESYNC,
            .resync = MESSAGE(Linnet__V1__Resync, resync, .inbox_number = 6,
                              .reason = LINNET__V1__RESYNC__REASON__INBOX_FULL)),
     "{\"resync\":{\"inboxNumber\":\"6\",\"reason\":\"INBOX_FULL\"}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_RESYNC,
            .resync = MESSAGE(Linnet__V1__Resync, resync, .inbox_number = 6,
                              .reason = LINNET__V1__RESYNC__REASON__INBOX_EXPIRED,
                              .groups = MESSAGE(Linnet__V1__Memberships, memberships, .n_groups = 1,
                                                .groups = (Linnet__V1__Membership *[]){MESSAGE(
                                                    Linnet__V1__Membership, membership,
                                                    .chat_number = 2, .unread = 1)},
                                                .more_after_group_id = 7))),
     "{\"resync\":{\"inboxNumber\":\"6\",\"reason\":\"INBOX_EXPIRED\",\"groups\":{\"groups\":["
     "{\"chatNumber\":\"2\",\"unread\":\"1\"}],\"moreAfterGroupId\":\"7\"}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_PONG,
            .pong =
                MESSAGE(Linnet__V1__Pong, pong, .ref = 1, .data = BYTES("?"), .server_time_ms = 2)),
     "{\"pong\":{\"ref\":\"1\",\"data\":\"Pw==\",\"serverTimeMs\":\"2\"}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer = MESSAGE(Linnet__V1__Answer, answer, .ref = 4,
                              .result_case = LINNET__V1__ANSWER__RESULT_PRESENCE,
                              .presence = MESSAGE(Linnet__V1__Presence, presence, .user_id = 2,
                                                  .last_seen_ms = 1780000000000))),
     "{\"answer\":{\"ref\":\"4\",\"presence\":{\"userId\":\"2\",\"lastSeenMs\":\"1780000000000\"}}"
     "}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_PRESENCE,
            .presence = MESSAGE(Linnet__V1__Presence, presence, .user_id = 2, .online = 1,
                                .last_seen_ms = 1780000000000)),
     "{\"presence\":{\"userId\":\"2\",\"online\":true,\"lastSeenMs\":\"1780000000000\"}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_PRESENCE,
            .presence = MESSAGE(Linnet__V1__Presence, presence, .user_id = 2, .hidden = 1)),
     "{\"presence\":{\"userId\":\"2\",\"hidden\":true}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_TYPING,
            .typing = MESSAGE(Linnet__V1__Typing, typing, .chat = CHAT(2), .user_id = 2,
                              .kind = LINNET__V1__TYPING__KIND__TYPING)),
     "{\"typing\":{\"chat\":{\"userId\":\"2\"},\"userId\":\"2\",\"kind\":\"TYPING\"}}"},
    UPDATE(CREATED,
           .created = MESSAGE(Linnet__V1__ChatCreated, chat_created, .name = TEXT("walkers")),
           "\"created\":{\"name\":\"walkers\"}"),
    UPDATE(ADDED, .added = SUBJECTS, "\"added\":{" PARTICIPANTS_JSON "}"),
    UPDATE(REMOVED, .removed = SUBJECTS, "\"removed\":{" PARTICIPANTS_JSON "}"),
    UPDATE(PROMOTED, .promoted = SUBJECTS, "\"promoted\":{" PARTICIPANTS_JSON "}"),
    UPDATE(DEMOTED, .demoted = SUBJECTS, "\"demoted\":{" PARTICIPANTS_JSON "}"),
    UPDATE(ENTITLED, .entitled = SUBJECTS, "\"entitled\":{" PARTICIPANTS_JSON "}"),
    UPDATE(LEFT, .left = NOTHING, "\"left\":{}"),
    UPDATE(JOINED, .joined = NOTHING, "\"joined\":{}"),
    UPDATE(NAME, .name = TEXT("n"), "\"name\":\"n\""),
    UPDATE(DESCRIPTION, .description = TEXT(""), "\"description\":\"\""),
    UPDATE(PICTURE, .picture = TEXT("m/1"), "\"picture\":\"m/1\""),
    UPDATE(TTL_MS, .ttl_ms = 0, "\"ttlMs\":\"0\""),
    UPDATE(RIGHTS, .rights = RIGHTS, RIGHTS_JSON),
    UPDATE(INVITED, .invited = NOTHING, "\"invited\":{}"),
    UPDATE(INVITE_REVOKED, .invite_revoked = NOTHING, "\"inviteRevoked\":{}"),
    UPDATE(DELETED, .deleted = NOTHING, "\"deleted\":{}"),
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_GROUP_RECEIPTS,
            .group_receipts = MESSAGE(Linnet__V1__GroupReceipts, group_receipts, .inbox_number = 9,
                                      .chat = GROUP(5), .members = 4, .delivered_all = 2,
                                      .read_all = 1, .n_counts = 1,
                                      .counts = (Linnet__V1__MessageCount *[]){MESSAGE(
                                          Linnet__V1__MessageCount, message_count, .chat_number = 3,
                                          .delivered = 2, .read = 1)})),
     "{\"groupReceipts\":{\"inboxNumber\":\"9\",\"chat\":{\"groupId\":\"5\"},\"members\":4,"
     "\"deliveredAll\":\"2\",\"readAll\":\"1\",\"counts\":[{\"chatNumber\":\"3\",\"delivered\":2,"
     "\"read\":1}]}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_CHAT_GAP,
            .chat_gap = MESSAGE(Linnet__V1__ChatGap, chat_gap, .inbox_number = 9, .chat = GROUP(5),
                                .from_chat_number = 3, .to_chat_number = 8)),
     "{\"chatGap\":{\"inboxNumber\":\"9\",\"chat\":{\"groupId\":\"5\"},\"fromChatNumber\":\"3\","
     "\"toChatNumber\":\"8\"}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer = MESSAGE(
                Linnet__V1__Answer, answer, .number = 1,
                .result_case = LINNET__V1__ANSWER__RESULT_CHAT,
                .chat = MESSAGE(Linnet__V1__ChatInfo, chat_info, .chat = GROUP(5),
                                .name = TEXT("walkers"), .description = TEXT("d"),
                                .picture = TEXT("m/1"), .created_at_ms = 1780000000000,
                                .creator_user_id = 3, .members = 4,
                                .role = LINNET__V1__CHAT_MEMBER__ROLE__OWNER, .rights = RIGHTS,
                                .ttl_ms = 60000, .chat_number = 8, .update = 2, .delivered_all = 7,
                                .read_all = 6, .invite = TEXT("i"), .duplicate = 1))),
     "{\"answer\":{\"number\":\"1\",\"chat\":{\"chat\":{\"groupId\":\"5\"},\"name\":\"walkers\","
     "\"description\":\"d\",\"picture\":\"m/1\",\"createdAtMs\":\"1780000000000\","
     "\"creatorUserId\":\"3\",\"members\":4,\"role\":\"OWNER\"," RIGHTS_JSON
     ",\"ttlMs\":\"60000\",\"chatNumber\":\"8\",\"update\":\"2\",\"deliveredAll\":\"7\","
     "\"readAll\":\"6\",\"invite\":\"i\",\"duplicate\":true}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer =
                MESSAGE(Linnet__V1__Answer, answer, .ref = 1,
                        .result_case = LINNET__V1__ANSWER__RESULT_MEMBERS,
                        .members = MESSAGE(Linnet__V1__ChatMembers, chat_members, .n_members = 1,
                                           .members = (Linnet__V1__ChatMember *[]){MESSAGE(
                                               Linnet__V1__ChatMember, chat_member, .user_id = 3,
                                               .role = LINNET__V1__CHAT_MEMBER__ROLE__ADMIN,
                                               .joined = 1, .delivered = 8, .read = 7)},
                                           .more_after_user_id = 3))),
     "{\"answer\":{\"ref\":\"1\",\"members\":{\"members\":[{\"userId\":\"3\",\"role\":\"ADMIN\","
     "\"joined\":\"1\",\"delivered\":\"8\",\"read\":\"7\"}],\"moreAfterUserId\":\"3\"}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer =
                MESSAGE(Linnet__V1__Answer, answer, .ref = 1,
                        .result_case = LINNET__V1__ANSWER__RESULT_GROUPS,
                        .groups = MESSAGE(Linnet__V1__Memberships, memberships, .n_groups = 1,
                                          .groups = (Linnet__V1__Membership *[]){MESSAGE(
                                              Linnet__V1__Membership, membership, .chat = GROUP(5),
                                              .role = LINNET__V1__CHAT_MEMBER__ROLE__MEMBER,
                                              .gone = 1, .joined = 2, .chat_number = 8,
                                              .delivered = 7, .read = 6, .unread = 2)},
                                          .more_after_group_id = 5))),
     "{\"answer\":{\"ref\":\"1\",\"groups\":{\"groups\":[{\"chat\":{\"groupId\":\"5\"},\"role\":"
     "\"MEMBER\",\"gone\":true,\"joined\":\"2\",\"chatNumber\":\"8\",\"delivered\":\"7\",\"read\":"
     "\"6\",\"unread\":\"2\"}],\"moreAfterGroupId\":\"5\"}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_CALL,
            .call = MESSAGE(
                Linnet__V1__Call, call, .inbox_number = 7, .id = MESSAGE_ID, .chat = CHAT(5),
                .caller = MESSAGE(Linnet__V1__Sender, sender, .user_id = 5, .name = TEXT("eve"),
                                  .device = 1),
                .video = 1, .state = LINNET__V1__CALL__PROGRESS__ENDED, .started_at_ms = 1000,
                .ring_until_ms = 2000, .answering_device = 2, .answered_at_ms = 1500,
                .ended_at_ms = 4600, .outcome = LINNET__V1__CALL__OUTCOME__TALKED, .duration_s = 3,
                .content = BYTES("?"))),
     "{\"call\":{\"inboxNumber\":\"7\",\"id\":" MESSAGE_ID_JSON ","
     "\"chat\":{\"userId\":\"5\"},\"caller\":{\"userId\":\"5\",\"name\":\"eve\",\"device\":1},"
     "\"video\":true,\"state\":\"ENDED\",\"startedAtMs\":\"1000\",\"ringUntilMs\":\"2000\","
     "\"answeringDevice\":2,\"answeredAtMs\":\"1500\",\"endedAtMs\":\"4600\",\"outcome\":"
     "\"TALKED\",\"durationS\":\"3\",\"content\":\"Pw==\"}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_CALL_SIGNAL,
            .call_signal =
                MESSAGE(Linnet__V1__CallSignal, call_signal, .call = MESSAGE_ID, .chat = CHAT(5),
                        .kind = LINNET__V1__CALL_SIGNAL__KIND__CANDIDATE, .device = 1,
                        .content = BYTES("?"))),
     "{\"callSignal\":{\"call\":" MESSAGE_ID_JSON ",\"chat\":{"
     "\"userId\":\"5\"},\"kind\":\"CANDIDATE\",\"device\":1,\"content\":\"Pw==\"}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_STATE,
            .state = MESSAGE(Linnet__V1__State, state, .inbox_number = 7, .chat = CHAT(2),
                             .value_case = LINNET__V1__STATE__VALUE_ARCHIVED, .archived = 0)),
     "{\"state\":{\"inboxNumber\":\"7\",\"chat\":{\"userId\":\"2\"},\"archived\":false}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_STATE,
            .state = MESSAGE(Linnet__V1__State, state, .inbox_number = 8,
                             .value_case = LINNET__V1__STATE__VALUE_ONLINE_RULE,
                             .online_rule =
                                 MESSAGE(Linnet__V1__Rule, rule,
                                         .who = LINNET__V1__RULE__WHO__NOBODY, .n_exceptions = 1,
                                         .exceptions = (Linnet__V1__Chat *[]){CHAT(3)}))),
     "{\"state\":{\"inboxNumber\":\"8\",\"onlineRule\":{\"who\":\"NOBODY\",\"exceptions\":[{"
     "\"userId\":\"3\"}]}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer = MESSAGE(
                Linnet__V1__Answer, answer, .ref = 1,
                .result_case = LINNET__V1__ANSWER__RESULT_STATES,
                .states = MESSAGE(Linnet__V1__States, states, .n_states = 1, .next = TEXT("77"),
                                  .states = (Linnet__V1__State *[]){MESSAGE(
                                      Linnet__V1__State, state, .chat = CHAT(2),
                                      .value_case = LINNET__V1__STATE__VALUE_DRAFT,
                                      .draft = MESSAGE(Linnet__V1__Draft, draft,
                                                       .body_case = LINNET__V1__DRAFT__BODY_CONTENT,
                                                       .content = BYTES("?")))}))),
     "{\"answer\":{\"ref\":\"1\",\"states\":{\"states\":[{\"chat\":{\"userId\":\"2\"},\"draft\":{"
     "\"content\":\"Pw==\"}}],\"next\":\"77\"}}}"},
    {SERVER(.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER,
            .answer = MESSAGE(Linnet__V1__Answer, answer, .ref = 1,
                              .result_case = LINNET__V1__ANSWER__RESULT_PROFILE,
                              .profile = MESSAGE(Linnet__V1__UserProfile, user_profile,
                                                 .user_id = 2, .name = TEXT("bob"),
                                                 .profile = MESSAGE(Linnet__V1__Profile, profile,
                                                                    .display_name = TEXT(""),
                                                                    .about = TEXT("hi"))))),
     "{\"answer\":{\"ref\":\"1\",\"profile\":{\"userId\":\"2\",\"name\":\"bob\",\"profile\":{"
     "\"about\":\"hi\"}}}}"},
};
const size_t server_frames_count = sizeof(server_frames) / sizeof(*server_frames);
