/* SPDX-License-Identifier: Apache-2.0 */
#include "net/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/json.h"
#include "tests/net/frames.h"
#include "tests/spec.h"

enum {
    FRAME_BYTES_MAX = 24 << 10,
};

static int
read_client(enum protocol_form form, const void *bytes, size_t count, struct arena *arena,
            Linnet__V1__ClientFrame **out_frame)
{
    struct protocol_decoder decoder = {.form = form, .arena = arena};
    struct protocol_error error;
    int rc = protocol_decode_client(&decoder, bytes, count, out_frame, &error);
    if (rc < 0) {
        print_message("%s\n", error.text);
    }
    return rc;
}

static int
read_server(enum protocol_form form, const void *bytes, size_t count, struct arena *arena,
            Linnet__V1__ServerFrame **out_frame)
{
    struct protocol_decoder decoder = {.form = form, .arena = arena};
    struct protocol_error error;
    int rc = protocol_decode_server(&decoder, bytes, count, out_frame, &error);
    if (rc < 0) {
        print_message("%s\n", error.text);
    }
    return rc;
}

static void
expect_json(const ProtobufCMessage *message, const char *json)
{
    char text[FRAME_BYTES_MAX];
    size_t bytes;
    assert_int_equal(protocol_encode(PROTOCOL_JSON, message, text, sizeof(text) - 1, &bytes), 0);
    text[bytes] = '\0';
    assert_string_equal(text, json);
}

static void
reads_what_it_wrote(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, 1 << 20);
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        char bytes[FRAME_BYTES_MAX];
        size_t count;
        for (size_t i = 0; i < client_frames_count; i++) {
            const ProtobufCMessage *message = client_frames[i].message;
            Linnet__V1__ClientFrame *frame;
            assert_int_equal(protocol_encode(form, message, bytes, sizeof(bytes), &count), 0);
            assert_int_equal(protocol_encoded_bytes(form, message), count);
            assert_int_equal(read_client(form, bytes, count, &arena, &frame), 0);
            expect_json(&frame->base, client_frames[i].json);
            arena_reset(&arena);
        }
        for (size_t i = 0; i < server_frames_count; i++) {
            const ProtobufCMessage *message = server_frames[i].message;
            Linnet__V1__ServerFrame *frame;
            assert_int_equal(protocol_encode(form, message, bytes, sizeof(bytes), &count), 0);
            assert_int_equal(protocol_encoded_bytes(form, message), count);
            assert_int_equal(read_server(form, bytes, count, &arena, &frame), 0);
            expect_json(&frame->base, server_frames[i].json);
            arena_reset(&arena);
        }
    }
    arena_fini(&arena);
}

static void
minds_its_room(void **state)
{
    (void)state;
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        const ProtobufCMessage *message = client_frames[2].message;
        size_t bytes = protocol_encoded_bytes(form, message);
        char out[FRAME_BYTES_MAX];
        size_t used = 77;
        assert_int_equal(protocol_encode(form, message, out, bytes - 1, &used), -ENOBUFS);
        assert_int_equal(used, bytes);
        used = 77;
        assert_int_equal(protocol_encode(form, message, out, 0, &used), -ENOBUFS);
        assert_int_equal(used, bytes);
        assert_int_equal(protocol_encode(form, message, out, bytes, &used), 0);
        assert_int_equal(used, bytes);
    }
}

/* ---- What makes no sense, in both forms ---- */

static const struct {
    const char *json;
    const char *code;
    const char *text;
} refusals[] = {
    {"{\"number\":1}", "BAD_FRAME", "no command, or none that this node knows"},
    {"{\"number\":4503599627370496,\"ping\":{}}", "BAD_FRAME", "number: above 2^52 - 1"},
    {"{\"authenticate\":{}}", "BAD_FRAME",
     "authenticate: neither passwordLogin, linkCode nor token"},
    {"{\"authenticate\":{\"token\":\"\"}}", "TOKEN_INVALID",
     "authenticate.token: not 1 to 256 bytes"},
    {"{\"authenticate\":{\"token\":\"%257\"}}", "TOKEN_INVALID",
     "authenticate.token: not 1 to 256 bytes"},
    {"{\"authenticate\":{\"passwordLogin\":{\"password\":\"x\"}}}", "NAME_INVALID",
     "authenticate.passwordLogin.name: empty"},
    {"{\"authenticate\":{\"passwordLogin\":{\"name\":\"%65\",\"password\":\"x\"}}}", "NAME_INVALID",
     "authenticate.passwordLogin.name: above 64 bytes"},
    {"{\"authenticate\":{\"passwordLogin\":{\"name\":\"a\\nb\",\"password\":\"x\"}}}",
     "NAME_INVALID", "authenticate.passwordLogin.name: holds a control character"},
    {"{\"authenticate\":{\"passwordLogin\":{\"name\":\"a\"}}}", "WRONG_CREDENTIALS",
     "authenticate.passwordLogin.password: not 1 to 1024 bytes"},
    {"{\"authenticate\":{\"passwordLogin\":{\"name\":\"a\",\"password\":\"%1025\"}}}",
     "WRONG_CREDENTIALS", "authenticate.passwordLogin.password: not 1 to 1024 bytes"},
    {"{\"authenticate\":{\"passwordLogin\":{\"name\":\"a\",\"password\":\"x\",\"deviceName\":"
     "\"%65\"}}}",
     "NAME_INVALID", "authenticate.passwordLogin.deviceName: above 64 bytes"},
    {"{\"authenticate\":{\"passwordLogin\":{\"name\":\"a\",\"password\":\"x\",\"deviceName\":"
     "\"a\\u001b[2J\"}}}",
     "NAME_INVALID", "authenticate.passwordLogin.deviceName: holds a control character"},
    {"{\"authenticate\":{\"passwordLogin\":{\"name\":\"a\\u009b2J\",\"password\":\"x\"}}}",
     "NAME_INVALID", "authenticate.passwordLogin.name: holds a control character"},
    {"{\"sendMessage\":{\"text\":\"x\"}}", "BAD_FRAME",
     "sendMessage.chat: names neither userId, userName nor groupId"},
    {"{\"sendMessage\":{\"text\":\"x\",\"chat\":{}}}", "BAD_FRAME",
     "sendMessage.chat: names neither userId, userName nor groupId"},
    {"{\"sendMessage\":{\"text\":\"x\",\"chat\":{\"userId\":0}}}", "BAD_FRAME",
     "sendMessage.chat: userId is 0"},
    {"{\"sendMessage\":{\"text\":\"x\",\"chat\":{\"userName\":\"\"}}}", "NAME_INVALID",
     "sendMessage.chat.userName: empty"},
    {"{\"sendMessage\":{\"text\":\"x\",\"chat\":{\"userName\":\"%65\"}}}", "NAME_INVALID",
     "sendMessage.chat.userName: above 64 bytes"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1}}}", "BAD_FRAME",
     "sendMessage: neither content, text nor attachments"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"text\":\"\"}}", "BAD_FRAME",
     "sendMessage: neither content, text nor attachments"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"text\":\"%101\"}}", "MESSAGE_TOO_LARGE",
     "sendMessage: its length in bytes, 101, is above 100"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"text\":\"%90\",\"attachments\":["
     "{\"reference\":\"12345\",\"mediaType\":\"123456\"}]}}",
     "MESSAGE_TOO_LARGE", "sendMessage: its length in bytes, 101, is above 100"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"attachments\":[{\"reference\":\"a\"},"
     "{\"reference\":\"a\"},{\"reference\":\"a\"}]}}",
     "MESSAGE_TOO_LARGE", "sendMessage: the number of attachments, 3, is above 2"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"attachments\":[{\"reference\":\"a\"},{}]}}",
     "BAD_FRAME", "sendMessage.attachments[1].reference: not 1 to 255 bytes"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"attachments\":[{\"reference\":\"%256\"}]}}",
     "BAD_FRAME", "sendMessage.attachments[0].reference: not 1 to 255 bytes"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"attachments\":[{\"reference\":\"a\","
     "\"mediaType\":\"%128\"}]}}",
     "BAD_FRAME", "sendMessage.attachments[0].mediaType: above 127 bytes"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"text\":\"x\",\"change\":{\"chatNumber\":1}}}",
     "BAD_FRAME", "sendMessage.change.kind: neither EDIT nor DELETE"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"text\":\"x\",\"change\":{\"kind\":1}}}",
     "BAD_FRAME", "sendMessage.change.chatNumber: 0"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"text\":\"x\",\"change\":{\"kind\":2,"
     "\"chatNumber\":1}}}",
     "BAD_FRAME", "sendMessage: content beside a deletion"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"change\":{\"kind\":1,\"chatNumber\":1}}}",
     "BAD_FRAME", "sendMessage: neither content, text nor attachments"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"text\":\"x\",\"ttlMs\":999}}", "BAD_FRAME",
     "sendMessage.ttlMs: not a second to 366 days"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"text\":\"x\",\"ttlMs\":31622400001}}",
     "BAD_FRAME", "sendMessage.ttlMs: not a second to 366 days"},
    {"{\"hideMessage\":{\"authorUserId\":1,\"chatNumber\":1}}", "BAD_FRAME",
     "hideMessage.chat: names neither userId, userName nor groupId"},
    {"{\"hideMessage\":{\"chat\":{\"groupId\":0},\"authorUserId\":1,\"chatNumber\":1}}",
     "BAD_FRAME", "hideMessage.chat: groupId is 0"},
    {"{\"hideMessage\":{\"chat\":{\"userId\":1},\"chatNumber\":1}}", "BAD_FRAME",
     "hideMessage.authorUserId: 0"},
    {"{\"hideMessage\":{\"chat\":{\"userId\":1},\"authorUserId\":1}}", "BAD_FRAME",
     "hideMessage.chatNumber: 0"},
    {"{\"callOffer\":{}}", "BAD_FRAME", "callOffer.chat: names neither userId nor userName"},
    {"{\"callOffer\":{\"chat\":{\"groupId\":5}}}", "BAD_FRAME",
     "callOffer.chat: names neither userId nor userName"},
    {"{\"callOffer\":{\"chat\":{\"userName\":\"\"}}}", "NAME_INVALID",
     "callOffer.chat.userName: empty"},
    {"{\"callOffer\":{\"chat\":{\"userId\":1},\"content\":\"%21848\"}}", "MESSAGE_TOO_LARGE",
     "callOffer: its content is above 16384 bytes"},
    {"{\"callRinging\":{}}", "BAD_FRAME",
     "callRinging.call: not the id of a call: userId, device, number"},
    {"{\"callRinging\":{\"call\":{\"userId\":1,\"device\":65536,\"number\":1}}}", "BAD_FRAME",
     "callRinging.call: not the id of a call: userId, device, number"},
    {"{\"callAnswer\":{\"call\":{\"userId\":1,\"number\":1}}}", "BAD_FRAME",
     "callAnswer.call: not the id of a call: userId, device, number"},
    {"{\"callAnswer\":{\"call\":{\"userId\":1,\"device\":1,\"number\":1},\"content\":\"%21848\"}}",
     "MESSAGE_TOO_LARGE", "callAnswer: its content is above 16384 bytes"},
    {"{\"callCandidate\":{\"call\":{\"device\":1,\"number\":1},\"content\":\"Pw==\"}}", "BAD_FRAME",
     "callCandidate.call: not the id of a call: userId, device, number"},
    {"{\"callCandidate\":{\"call\":{\"userId\":1,\"device\":1,\"number\":1}}}", "BAD_FRAME",
     "callCandidate: no content"},
    {"{\"callCandidate\":{\"call\":{\"userId\":1,\"device\":1,\"number\":1},\"content\":\"%21848\"}"
     "}",
     "MESSAGE_TOO_LARGE", "callCandidate: its content is above 16384 bytes"},
    {"{\"callHangUp\":{\"call\":{\"userId\":1,\"device\":1}}}", "BAD_FRAME",
     "callHangUp.call: not the id of a call: userId, device, number"},
    {"{\"callHangUp\":{\"call\":{\"userId\":1,\"device\":1,\"number\":1},\"reason\":5}}",
     "BAD_FRAME", "callHangUp.reason: none that this node knows"},
    {"{\"ack\":{}}", "BAD_FRAME", "ack.inboxNumber: 0"},
    {"{\"markRead\":{\"chatNumber\":1}}", "BAD_FRAME",
     "markRead.chat: names neither userId, userName nor groupId"},
    {"{\"markRead\":{\"chat\":{\"userName\":\"a\\u007fb\"},\"chatNumber\":1}}", "NAME_INVALID",
     "markRead.chat.userName: holds a control character"},
    {"{\"markRead\":{\"chat\":{\"userId\":1}}}", "BAD_FRAME", "markRead.chatNumber: 0"},
    {"{\"ping\":{\"data\":\"%168\"}}", "BAD_FRAME", "ping.data: above 125 bytes"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":1},\"text\":\"x\",\"contentKind\":256}}", "BAD_FRAME",
     "sendMessage.contentKind: above 255"},
    {"{\"getHistory\":{\"chat\":{\"userId\":1},\"contentKind\":256}}", "BAD_FRAME",
     "getHistory.contentKind: above 255"},
    {"{\"getHistory\":{\"chat\":{\"userId\":1},\"contentKind\":7,\"only\":\"CHAT_UPDATES\"}}",
     "BAD_FRAME", "getHistory.contentKind: only messages have one"},
    {"{\"getHistory\":{\"chat\":{\"userId\":1},\"only\":9}}", "BAD_FRAME",
     "getHistory.only: nothing that this node knows"},
    {"{\"setTyping\":{\"chat\":{\"userId\":1},\"kind\":3}}", "BAD_FRAME",
     "setTyping.kind: none that this node knows"},
    {"{\"setTyping\":{\"kind\":1}}", "BAD_FRAME",
     "setTyping.chat: names neither userId, userName nor groupId"},
    {"{\"setTyping\":{\"chat\":{\"userName\":\"\"}}}", "NAME_INVALID",
     "setTyping.chat.userName: empty"},
    {"{\"getPresence\":{}}", "BAD_FRAME", "getPresence.chat: names neither userId nor userName"},
    {"{\"getPresence\":{\"chat\":{\"userName\":\"\"}}}", "NAME_INVALID",
     "getPresence.chat.userName: empty"},
    {"{\"watchPresence\":{\"chat\":{\"userId\":0}}}", "BAD_FRAME",
     "watchPresence.chat: userId is 0"},
    {"{\"watchPresence\":{\"chat\":{\"userName\":\"\"}}}", "NAME_INVALID",
     "watchPresence.chat.userName: empty"},
    {"{\"unwatchPresence\":{}}", "BAD_FRAME",
     "unwatchPresence.chat: names neither userId nor userName"},
    {"{\"unwatchPresence\":{\"chat\":{\"userName\":\"\"}}}", "NAME_INVALID",
     "unwatchPresence.chat.userName: empty"},
    {"{\"sendMessage\":{\"text\":\"x\",\"chat\":{\"groupId\":0}}}", "BAD_FRAME",
     "sendMessage.chat: groupId is 0"},
    {"{\"createChat\":{}}", "NAME_INVALID", "createChat.name: empty"},
    {"{\"createChat\":{\"name\":\"%101\"}}", "NAME_INVALID", "createChat.name: above 100 bytes"},
    {"{\"createChat\":{\"name\":\"a\\nb\"}}", "NAME_INVALID",
     "createChat.name: holds a control character"},
    {"{\"createChat\":{\"name\":\"n\",\"participants\":[{\"userId\":2},{\"userId\":3},"
     "{\"userId\":4}]}}",
     "GROUP_FULL", "createChat.participants: 3 and oneself are above 3"},
    {"{\"createChat\":{\"name\":\"n\",\"participants\":[{\"userId\":2},{}]}}", "BAD_FRAME",
     "createChat.participants[1]: names neither userId nor userName"},
    {"{\"createChat\":{\"name\":\"n\",\"participants\":[{\"userId\":0}]}}", "BAD_FRAME",
     "createChat.participants[0]: userId is 0"},
    {"{\"createChat\":{\"name\":\"n\",\"participants\":[{\"userName\":\"%65\"}]}}", "NAME_INVALID",
     "createChat.participants[0].userName: above 64 bytes"},
    {"{\"modifyChat\":{\"leave\":{}}}", "BAD_FRAME", "modifyChat.chat: names no groupId"},
    {"{\"modifyChat\":{\"chat\":{\"userId\":5},\"leave\":{}}}", "BAD_FRAME",
     "modifyChat.chat: names no groupId"},
    {"{\"modifyChat\":{\"chat\":{\"userId\":0},\"ttlMs\":0}}", "BAD_FRAME",
     "modifyChat.chat: userId is 0"},
    {"{\"modifyChat\":{\"chat\":{\"userName\":\"bob\"},\"ttlMs\":999}}", "BAD_FRAME",
     "modifyChat.ttlMs: neither 0 nor a second to 366 days"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"ttlMs\":999}}", "BAD_FRAME",
     "modifyChat.ttlMs: neither 0 nor a second to 366 days"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"ttlMs\":31622400001}}", "BAD_FRAME",
     "modifyChat.ttlMs: neither 0 nor a second to 366 days"},
    {"{\"createChat\":{\"name\":\"g\",\"ttlMs\":999}}", "BAD_FRAME",
     "createChat.ttlMs: neither 0 nor a second to 366 days"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":0},\"leave\":{}}}", "BAD_FRAME",
     "modifyChat.chat: groupId is 0"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5}}}", "BAD_FRAME",
     "modifyChat: no change, or none that this node knows"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"add\":{}}}", "BAD_FRAME",
     "modifyChat.add.participants: nobody"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"remove\":{\"participants\":[{}]}}}", "BAD_FRAME",
     "modifyChat.remove.participants[0]: names neither userId nor userName"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"promote\":{\"participants\":[{\"userName\":"
     "\"\"}]}}}",
     "NAME_INVALID", "modifyChat.promote.participants[0].userName: empty"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"demote\":{}}}", "BAD_FRAME",
     "modifyChat.demote.participants: nobody"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"entitle\":{}}}", "BAD_FRAME",
     "modifyChat.entitle.participants: nobody"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"name\":\"\"}}", "NAME_INVALID",
     "modifyChat.name: empty"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"description\":\"%513\"}}", "BAD_FRAME",
     "modifyChat.description: above 512 bytes"},
    {"{\"modifyChat\":{\"chat\":{\"groupId\":5},\"picture\":\"%129\"}}", "BAD_FRAME",
     "modifyChat.picture: above 128 bytes"},
    {"{\"joinChat\":{}}", "INVITE_INVALID", "joinChat.invite: not 1 to 64 bytes"},
    {"{\"joinChat\":{\"invite\":\"%65\"}}", "INVITE_INVALID", "joinChat.invite: not 1 to 64 bytes"},
    {"{\"getChat\":{}}", "BAD_FRAME", "getChat.chat: names no groupId"},
    {"{\"getChatMembers\":{\"chat\":{\"userName\":\"bob\"}}}", "BAD_FRAME",
     "getChatMembers.chat: names no groupId"},
    {"{\"getMessageInfo\":{\"chatNumber\":1}}", "BAD_FRAME",
     "getMessageInfo.chat: names no groupId"},
    {"{\"getMessageInfo\":{\"chat\":{\"groupId\":5}}}", "BAD_FRAME",
     "getMessageInfo.chatNumber: 0"},
    {"{\"setState\":{\"chat\":{\"userId\":1}}}", "BAD_FRAME",
     "setState: no value, or none that this node knows"},
    {"{\"setState\":{\"inboxNumber\":1,\"readReceipts\":true}}", "BAD_FRAME",
     "setState.inboxNumber: the node gives it"},
    {"{\"setState\":{\"archived\":true}}", "BAD_FRAME",
     "setState.chat: names neither userId, userName nor groupId"},
    {"{\"setState\":{\"chat\":{\"groupId\":7},\"blocked\":true}}", "BAD_FRAME",
     "setState.chat: names neither userId nor userName"},
    {"{\"setState\":{\"blocked\":true}}", "BAD_FRAME",
     "setState.chat: names neither userId nor userName"},
    {"{\"setState\":{\"chat\":{\"userId\":1},\"readReceipts\":true}}", "BAD_FRAME",
     "setState.chat: what is set is about no chat"},
    {"{\"setState\":{\"chat\":{\"userId\":1},\"draft\":{\"text\":\"%8001\"}}}", "BAD_FRAME",
     "setState.draft: above 8000 bytes"},
    {"{\"setState\":{\"chat\":{\"userId\":1},\"contact\":{\"name\":\"%129\"}}}", "BAD_FRAME",
     "setState.contact.name: above 128 bytes"},
    {"{\"setState\":{\"chat\":{\"userId\":1},\"contact\":{\"name\":\"a\\nb\"}}}", "BAD_FRAME",
     "setState.contact.name: holds a control character"},
    {"{\"setState\":{\"profile\":{\"displayName\":\"%129\"}}}", "BAD_FRAME",
     "setState.profile.displayName: above 128 bytes"},
    {"{\"setState\":{\"profile\":{\"about\":\"%513\"}}}", "BAD_FRAME",
     "setState.profile.about: above 512 bytes"},
    {"{\"setState\":{\"profile\":{\"picture\":{}}}}", "BAD_FRAME",
     "setState.profile.picture.reference: not 1 to 255 bytes"},
    {"{\"setState\":{\"profile\":{\"picture\":{\"reference\":\"a\",\"mediaType\":\"%128\"}}}}",
     "BAD_FRAME", "setState.profile.picture.mediaType: above 127 bytes"},
    {"{\"setState\":{\"lastSeenRule\":{\"exceptions\":[{\"userId\":1},{\"userName\":\"b\"}]}}}",
     "BAD_FRAME", "setState.lastSeenRule.exceptions[1]: names no userId"},
    {"{\"setState\":{\"onlineRule\":{\"exceptions\":[{\"userId\":0}]}}}", "BAD_FRAME",
     "setState.onlineRule.exceptions[0]: names no userId"},
    {"{\"setState\":{\"profileRule\":{\"who\":7}}}", "BAD_FRAME",
     "setState.profileRule.who: none that this node knows"},
    {"{\"listStates\":{\"kind\":9}}", "BAD_FRAME", "listStates.kind: none that this node knows"},
    {"{\"getProfile\":{}}", "BAD_FRAME", "getProfile.chat: names neither userId nor userName"},
    {"{\"deleteAccount\":{}}", "NAME_INVALID", "deleteAccount.name: empty"},
    {"{\"deleteAccount\":{\"name\":\"a\",\"password\":\"%1025\"}}", "WRONG_CREDENTIALS",
     "deleteAccount.password: above 1024 bytes"},
    {"{\"setPush\":{}}", "BAD_FRAME", "setPush: neither webPush nor webhook"},
    {"{\"setPush\":{\"webhook\":{},\"app\":\"%1368\"}}", "BAD_FRAME",
     "setPush.app: above 1024 bytes"},
    {"{\"setPush\":{\"webPush\":{\"endpoint\":\"ftp://h/\"}}}", "BAD_FRAME",
     "setPush.webPush.endpoint: no URL of https"},
    {"{\"setPush\":{\"webPush\":{\"endpoint\":\"https://h/%1015\"}}}", "BAD_FRAME",
     "setPush.webPush.endpoint: no URL of https"},
    {"{\"setPush\":{\"webPush\":{\"endpoint\":\"https://h/\",\"p256dh\":\"BAAA\"}}}", "BAD_FRAME",
     "setPush.webPush.p256dh: no uncompressed point of 65 bytes"},
    {"{\"setPush\":{\"webPush\":{\"endpoint\":\"https://h/\",\"p256dh\":"
     "\"A2FhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\"}"
     "}}",
     "BAD_FRAME", "setPush.webPush.p256dh: no uncompressed point of 65 bytes"},
    {"{\"setPush\":{\"webPush\":{\"endpoint\":\"https://h/\",\"p256dh\":"
     "\"BGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\","
     "\"auth\":\"YWFh\"}}}",
     "BAD_FRAME", "setPush.webPush.auth: not 16 bytes"},
};

/* Writes the text with each %N as N letters. */
static size_t
blow_up(const char *text, char *out)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        if (*text != '%') {
            out[used++] = *text;
            continue;
        }
        size_t letters = 0;
        for (; text[1] >= '0' && text[1] <= '9'; text++) {
            letters = letters * 10 + (size_t)(text[1] - '0');
        }
        memset(out + used, 'A', letters);
        used += letters;
    }
    return used;
}

static void
expect_refusal(const struct protocol_decoder *decoder, const void *bytes, size_t count, size_t row)
{
    Linnet__V1__ClientFrame *frame = NULL;
    struct protocol_error error;
    int rc = protocol_decode_client(decoder, bytes, count, &frame, &error);
    if (rc != -EPROTO || strcmp(error.text, refusals[row].text) != 0 ||
        strcmp(protocol_error_name(error.code), refusals[row].code) != 0) {
        fail_msg("%s: %d, %s, \"%s\"", refusals[row].json, rc, protocol_error_name(error.code),
                 error.text);
    }
    assert_null(frame);
}

static void
refuses_what_makes_no_sense(void **state)
{
    (void)state;
    struct protocol_limits limits = protocol_limits_default;
    limits.message_bytes_max = 100;
    limits.attachments_max = 2;
    limits.group_members_max = 3;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        struct arena arena;
        arena_init(&arena, NULL, 0, 1 << 20);
        char bytes[FRAME_BYTES_MAX];
        size_t count = blow_up(refusals[i].json, bytes);
        struct protocol_decoder json = {.form = PROTOCOL_JSON, .limits = &limits, .arena = &arena};
        expect_refusal(&json, bytes, count, i);
        /* The same frame, translated. */
        struct schema_input input = {
            .type = &linnet__v1__client_frame__descriptor,
            .bytes = (uint8_t *)bytes,
            .count = count,
            .arena = &arena,
        };
        ProtobufCMessage *message;
        struct protocol_error error;
        assert_int_equal(json_decode(&input, &message, &error), 0);
        assert_int_equal(protocol_encode(PROTOCOL_BINARY, message, bytes, sizeof(bytes), &count),
                         0);
        struct protocol_decoder binary = {.limits = &limits, .arena = &arena};
        expect_refusal(&binary, bytes, count, i);
        arena_fini(&arena);
    }
}

static void
takes_what_just_fits(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"number\":4503599627370495,\"ref\":9007199254740991,\"ping\":{\"data\":\"%164\"}}",
        "{\"authenticate\":{\"token\":\"%256\"}}",
        "{\"authenticate\":{\"passwordLogin\":{\"name\":\"%64\",\"password\":\"%1024\","
        "\"deviceName\":\"%64\"}}}",
        "{\"sendMessage\":{\"chat\":{\"userName\":\"%64\"},\"text\":\"%100\"}}",
        "{\"sendMessage\":{\"chat\":{\"userId\":9007199254740991},\"text\":\"\",\"attachments\":["
        "{\"reference\":\"%98\"},{\"reference\":\"a\",\"mediaType\":\"b\"}]}}",
        "{\"ack\":{\"inboxNumber\":1}}",
        "{\"createChat\":{\"name\":\"%100\",\"participants\":[{\"userId\":2},{\"userName\":\"%64\"}"
        "]}}",
        "{\"createChat\":{\"name\":\"alone\"}}",
        "{\"modifyChat\":{\"chat\":{\"groupId\":5},\"description\":\"%512\"}}",
        "{\"modifyChat\":{\"chat\":{\"groupId\":5},\"picture\":\"%128\"}}",
        "{\"modifyChat\":{\"chat\":{\"groupId\":5},\"ttlMs\":0}}",
        "{\"joinChat\":{\"invite\":\"%64\"}}",
        "{\"listGroups\":{}}",
    };
    struct protocol_limits limits = protocol_limits_default;
    limits.message_bytes_max = 100;
    limits.attachments_max = 2;
    limits.group_members_max = 3;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct arena arena;
        arena_init(&arena, NULL, 0, 1 << 20);
        char bytes[FRAME_BYTES_MAX];
        size_t count = blow_up(texts[i], bytes);
        struct protocol_decoder json = {.form = PROTOCOL_JSON, .limits = &limits, .arena = &arena};
        Linnet__V1__ClientFrame *frame;
        struct protocol_error error;
        if (protocol_decode_client(&json, bytes, count, &frame, &error) < 0) {
            fail_msg("%s: %s", texts[i], error.text);
        }
        arena_fini(&arena);
    }
}

static void
keeps_number_and_ref(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, 1 << 20);
    struct protocol_decoder decoder = {.form = PROTOCOL_JSON, .arena = &arena};
    Linnet__V1__ClientFrame *frame;
    struct protocol_error error;
    const char *text = "{\"ack\":{},\"ref\":8,\"number\":7}";
    assert_int_equal(protocol_decode_client(&decoder, text, strlen(text), &frame, &error), -EPROTO);
    assert_int_equal(error.number, 7);
    assert_int_equal(error.ref, 8);
    text = "{\"number\":4503599627370496,\"ping\":{}}";
    assert_int_equal(protocol_decode_client(&decoder, text, strlen(text), &frame, &error), -EPROTO);
    assert_int_equal(error.number, 0);
    arena_fini(&arena);
}

static void
refuses_nothing_at_all(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, 1 << 20);
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        struct protocol_decoder decoder = {.form = form, .arena = &arena};
        Linnet__V1__ClientFrame *client;
        Linnet__V1__ServerFrame *server;
        struct protocol_error error;
        assert_int_equal(protocol_decode_client(&decoder, NULL, 0, &client, &error), -EPROTO);
        assert_string_equal(error.text, "empty");
        assert_int_equal(protocol_decode_server(&decoder, NULL, 0, &server, &error), -EPROTO);
        assert_string_equal(error.text, "empty");
    }
    arena_fini(&arena);
}

static void
judges_frames_made_here(void **state)
{
    (void)state;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    struct protocol_error error;
    assert_int_equal(protocol_check_client(&frame, &protocol_limits_default, &error), -EPROTO);
    Linnet__V1__Ping ping = LINNET__V1__PING__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_PING;
    frame.ping = &ping;
    assert_int_equal(protocol_check_client(&frame, &protocol_limits_default, &error), 0);
}

static void
names_the_forms(void **state)
{
    (void)state;
    enum protocol_form form = PROTOCOL_BINARY;
    assert_int_equal(protocol_form_of("linnet.v1.json", 14, &form), 0);
    assert_int_equal(form, PROTOCOL_JSON);
    assert_int_equal(protocol_form_of("linnet.v1.proto+", 15, &form), 0);
    assert_int_equal(form, PROTOCOL_BINARY);
    assert_int_equal(protocol_form_of("linnet.v1.proto+", 16, &form), -ENOENT);
    assert_int_equal(protocol_form_of("linnet.v1.", 10, &form), -ENOENT);
    assert_int_equal(protocol_form_of("", 0, &form), -ENOENT);
    assert_string_equal(protocol_form_name(PROTOCOL_BINARY), "linnet.v1.proto");
    assert_string_equal(protocol_form_name(PROTOCOL_JSON), "linnet.v1.json");
}

static void
groups_the_errors(void **state)
{
    (void)state;
    assert_false(protocol_error_passes(LINNET__V1__ERROR__CODE__UNSPECIFIED));
    assert_false(protocol_error_passes(LINNET__V1__ERROR__CODE__TOO_OLD));
    assert_false(protocol_error_passes(LINNET__V1__ERROR__CODE__TOKEN_INVALID));
    assert_true(protocol_error_passes(LINNET__V1__ERROR__CODE__RECIPIENT_FULL));
    assert_true(protocol_error_passes(LINNET__V1__ERROR__CODE__INTERNAL));
    assert_true(protocol_error_passes((Linnet__V1__Error__Code)99));
    assert_string_equal(protocol_error_name(LINNET__V1__ERROR__CODE__TOO_OLD), "TOO_OLD");
    assert_string_equal(protocol_error_name((Linnet__V1__Error__Code)99), "UNKNOWN");
}

static void
stops_calling_malloc(void **state)
{
    (void)state;
    unsigned char first[4096];
    struct arena arena;
    arena_init(&arena, first, sizeof(first), 0);
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        char bytes[FRAME_BYTES_MAX];
        size_t count;
        assert_int_equal(
            protocol_encode(form, client_frames[3].message, bytes, sizeof(bytes), &count), 0);
        for (int i = 0; i < 100; i++) {
            Linnet__V1__ClientFrame *frame;
            assert_int_equal(read_client(form, bytes, count, &arena, &frame), 0);
            arena_reset(&arena);
        }
        assert_null(arena.blocks);
    }
    arena_fini(&arena);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("every frame is read as it was written, in both forms", reads_what_it_wrote),
        SPEC("a frame that doesn't fit its room is not written", minds_its_room),
        SPEC("a command that makes no sense is refused alike in both forms, with its own code",
             refuses_what_makes_no_sense),
        SPEC("what just fits its limit is taken", takes_what_just_fits),
        SPEC("a refused command's number and ref are kept wherever they stand",
             keeps_number_and_ref),
        SPEC("an empty frame is refused", refuses_nothing_at_all),
        SPEC("a frame made here is judged like one that came", judges_frames_made_here),
        SPEC("a form is selected by the exact name of its subprotocol", names_the_forms),
        SPEC("an error's group is known from its number, also if its name isn't",
             groups_the_errors),
        SPEC("common frames need 4 KiB of lent memory and no malloc", stops_calling_malloc),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
