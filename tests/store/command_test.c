/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command.h"
#include "store/expiry.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_MAX = 4096,
    /* What logs of older linnets don't have, at the end. */
    OPEN_NEWER_BYTES = 8,           /* history_ms */
    REMOVE_NEWER_BYTES = 4 + 2 * 8, /* who waits */
    HOLD_NEWER_BYTES = 8,           /* until_ms */
    /* Time, source, number; and a round's count. */
    STREAM_HEAD_BYTES = 8 + 1 + 8,
    ROUND_HEAD_BYTES = STREAM_HEAD_BYTES + 4,
};

static unsigned char pairs[4 * COMMAND_PAIR_BYTES];
static unsigned char payload[256];
static unsigned char records[256]; /* two messages of a group */
static size_t records_bytes;
static unsigned char history[2 * COMMAND_HISTORY_ROW_BYTES];
static unsigned char expiry_rows[2 * EXPIRY_ROW_BYTES];

static size_t
put_kinds(struct command *out, const struct command *commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = commands[i];
        out[i].partition = 17;
        out[i].time_ms = 55;
    }
    return count;
}

static size_t
put_message(unsigned char *out, uint64_t group)
{
    unsigned char record[128];
    struct payload said = {.kind = PAYLOAD_GROUP_MESSAGE,
                           .group_message = {.group = group,
                                             .message = {.sender = 8,
                                                         .chat_number = 3,
                                                         .body = (const unsigned char *)"hi",
                                                         .body_bytes = 2}}};
    payload_encode(&said, record);
    payload_pack((struct store_value){.bytes = record, .count = payload_bytes(&said)}, out);
    return PAYLOAD_LENGTH_BYTES + payload_bytes(&said);
}

static void
put_round(void)
{
    records_bytes = put_message(records, 9);
    records_bytes += put_message(records + records_bytes, 9);
}

static size_t
stream_kinds(struct command *out)
{
    struct payload receipt = {.kind = PAYLOAD_RECEIPT, .receipt = {.reader = 1, .peer = 2}};
    payload_encode(&receipt, payload);
    put_round();
    const struct command commands[] = {
        {.kind = COMMAND_STREAM,
         .stream = {.source = 5,
                    .number = 6,
                    .payload = {.bytes = payload, .count = payload_bytes(&receipt)}}},
        {.kind = COMMAND_STREAM_ACK,
         .stream_ack = {.destination = 5, .number = 6, .receipts = {.count = 2, .bytes = pairs}}},
        {.kind = COMMAND_STREAM_ROUND,
         .stream_round = {.source = 5,
                          .first = 6,
                          .count = 2,
                          .records = {.bytes = records, .count = records_bytes}}},
    };
    return put_kinds(out, commands, sizeof(commands) / sizeof(commands[0]));
}

static size_t
first_kinds(struct command *out)
{
    const struct store_name name = {.bytes = 3, .text = "bob"};
    const struct command commands[] = {
        {.kind = COMMAND_OPEN, .open = {.inbox_entries_max = 5, .devices_max = 3}},
        {.kind = COMMAND_NAME_CLAIM,
         .claim = {.name = name,
                   .password = (const unsigned char *)"$a",
                   .password_bytes = 2,
                   .device_name = name}},
        {.kind = COMMAND_USER_REMOVE,
         .user_remove = {.user = 9,
                         .groups = {.count = 3, .bytes = pairs},
                         .waiting = {.count = 2, .bytes = pairs + 24}}},
        {.kind = COMMAND_PASSWORD_SET,
         .password = {.user = 9, .bytes = 2, .text = (const unsigned char *)"$b"}},
        {.kind = COMMAND_DEVICE_ADD, .device_add = {.user = 9, .name = name}},
        {.kind = COMMAND_DEVICE_ATTACH, .device = {.user = 9, .device = 2}},
        {.kind = COMMAND_DEVICE_REVOKE, .device = {.user = 9, .device = 2}},
        {.kind = COMMAND_MESSAGE,
         .message = {.recipient = 9,
                     .copy = true,
                     .message = {.sender = 8,
                                 .sender_number = 7,
                                 .time_ms = 55,
                                 .sender_name = "al",
                                 .sender_name_bytes = 2,
                                 .body = (const unsigned char *)"hi",
                                 .body_bytes = 2}}},
        {.kind = COMMAND_ACK,
         .ack = {.user = 9, .device = 1, .number = 4, .chats = {.count = 4, .bytes = pairs}}},
        {.kind = COMMAND_READ, .read = {.user = 9, .peer = 8, .chat_number = 3}},
        {.kind = COMMAND_ACK_READ,
         .ack = {.user = 9,
                 .device = 1,
                 .number = 4,
                 .chats = {.count = 4, .bytes = pairs},
                 .peer = 8,
                 .chat_number = 3}},
        {.kind = COMMAND_SEEN, .seen = {.count = 3, .bytes = pairs}},
        {.kind = COMMAND_WAKE_SET,
         .wake_set = {.user = 9,
                      .device = 2,
                      .wake = {.kind = STORE_WAKE_WEBPUSH,
                               .endpoint = (const unsigned char *)"https://h/",
                               .endpoint_bytes = 10,
                               .app = (const unsigned char *)"app",
                               .app_bytes = 3}}},
        {.kind = COMMAND_WAKE_CLEAR, .wake_clear = {.user = 9, .device = 2, .id = 77}},
        {.kind = COMMAND_WAKE_DONE, .wake_done = {.user = 9, .device = 2, .id = 77, .newest = 78}},
        {.kind = COMMAND_STATE,
         .state = {.user = 9,
                   .number = 3,
                   .subject = 8,
                   .kind = STORE_STATE_CONTACT,
                   .value = {.bytes = (const unsigned char *)"al", .count = 2}}},
        {.kind = COMMAND_DEVICE_RENAME,
         .rename = {.user = 9, .number = 3, .by = 1, .device = 2, .name = name}},
        {.kind = COMMAND_LINK_CREATE,
         .link_create = {.user = 9, .device = 2, .lifetime_ms = 5, .tries = 3}},
        {.kind = COMMAND_LINK_REDEEM, .link_redeem = {.add = {.user = 9, .name = name}}},
        {.kind = COMMAND_INBOX_EXPIRE,
         .ack = {.user = 9, .number = 4, .chats = {.count = 4, .bytes = pairs}}},
        {.kind = COMMAND_DEVICE_UNSEEN,
         .unseen = {.user = 9, .device = 2, .seen_at_ms = 5, .verdict = UNSEEN_WARN}},
    };
    return put_kinds(out, commands, sizeof(commands) / sizeof(commands[0]));
}

static size_t
group_kinds(struct command *out)
{
    const struct command commands[] = {
        {.kind = COMMAND_GROUP_CREATE,
         .group_create = {.user = 9,
                          .number = 3,
                          .device = 1,
                          .name = "us",
                          .name_bytes = 2,
                          .members = {.count = 3, .bytes = pairs}}},
        {.kind = COMMAND_GROUP_CHANGE,
         .group_change = {.group = 77,
                          .user = 9,
                          .number = 4,
                          .kind = STORE_GROUP_ADD,
                          .members_max = 100,
                          .text = "?",
                          .text_bytes = 1,
                          .subjects = {.count = 2, .bytes = pairs}}},
        {.kind = COMMAND_GROUP_MESSAGE,
         .message = {.recipient = 77,
                     .message = {.sender = 8,
                                 .sender_number = 7,
                                 .time_ms = 55,
                                 .body = (const unsigned char *)"hi",
                                 .body_bytes = 2}}},
        {.kind = COMMAND_GROUP_READ, .read = {.user = 9, .peer = 77, .chat_number = 3}},
        {.kind = COMMAND_GROUP_REPORT, .group_report = 77},
        {.kind = COMMAND_HISTORY, .history = {.count = 2, .rows = history}},
        {.kind = COMMAND_GROUP_TELL,
         .group_tell = {.group = 77,
                        .receipts = 6,
                        .count = 2,
                        .rows = pairs,
                        .forgotten = {.count = 2, .bytes = pairs}}},
    };
    return put_kinds(out, commands, sizeof(commands) / sizeof(commands[0]));
}

static void
expiry_rows_fill(void)
{
    unsigned char record[EXPIRY_BYTES];
    struct expiry expiry = {.kind = EXPIRY_ENTRY, .user = 9, .a = 4};
    struct expiry_row row = {
        .at_ms = 50, .number = 4, .record = {.bytes = record, .count = EXPIRY_BYTES}};
    expiry_encode(&expiry, record);
    expiry_row_put(expiry_rows, 0, &row);
    expiry = (struct expiry){.kind = EXPIRY_TOMBSTONE, .user = 9, .a = 8, .b = 3};
    row.number = 6;
    expiry_encode(&expiry, record);
    expiry_row_put(expiry_rows, 1, &row);
}

static size_t
change_kinds(struct command *out)
{
    expiry_rows_fill();
    const struct command commands[] = {
        {.kind = COMMAND_CHANGE,
         .change = {.owner = 9,
                    .peer = 8,
                    .until_ms = 77,
                    .kept_until_ms = 78,
                    .original = 5,
                    .expires_at_ms = 79,
                    .change = {.kind = STORE_CHANGE_EDIT,
                               .author = 8,
                               .message = {.sender = 8,
                                           .sender_number = 7,
                                           .chat_number = 3,
                                           .time_ms = 55,
                                           .expires_at_ms = 99,
                                           .body = (const unsigned char *)"hi",
                                           .body_bytes = 2}}}},
        {.kind = COMMAND_CHAT_TTL,
         .chat_ttl =
             {.recipient = 9, .user = 8, .number = 7, .ttl_ms = 60000, .device = 1, .met = true}},
        {.kind = COMMAND_GROUP_REVISE,
         .change = {.owner = 77,
                    .peer = 77,
                    .until_ms = 900,
                    .change = {.kind = STORE_CHANGE_DELETE,
                               .author = 8,
                               .message = {.sender = 8,
                                           .sender_number = 7,
                                           .chat_number = 3,
                                           .time_ms = 55}}}},
        {.kind = COMMAND_SWEEP, .sweep = {.count = 2, .rows = expiry_rows}},
    };
    return put_kinds(out, commands, sizeof(commands) / sizeof(commands[0]));
}

static size_t
hold_kinds(struct command *out)
{
    const struct store_name name = {.bytes = 3, .text = "bob"};
    const struct command commands[] = {
        {.kind = COMMAND_NAME_HOLD, .name_hold = name},
        {.kind = COMMAND_HOLD,
         .hold = {.user = 9, .recipient = 8, .recipients_max = 7, .until_ms = 6, .back = true}},
    };
    return put_kinds(out, commands, sizeof(commands) / sizeof(commands[0]));
}

static size_t
call_kinds(struct command *out)
{
    const struct store_call_id id = {.caller = 9, .number = 5, .device = 2};
    const unsigned char *content = (const unsigned char *)"sdp";
    const struct command commands[] = {
        {.kind = COMMAND_CALL_OFFER,
         .call_offer = {.callee = 8,
                        .ring_ms = 60000,
                        .call = {.id = id,
                                 .state = STORE_CALL_RINGING,
                                 .video = true,
                                 .name = "al",
                                 .name_bytes = 2,
                                 .content = content,
                                 .content_bytes = 3}}},
        {.kind = COMMAND_CALL_ANSWER,
         .call = {.user = 8, .id = id, .device = 1, .content = content, .content_bytes = 3}},
        {.kind = COMMAND_CALL_END,
         .call = {.user = 8, .id = id, .device = 1, .reason = STORE_CALL_DECLINE}},
        {.kind = COMMAND_CALL_CHECK, .call = {.user = 8, .id = id, .present = true}},
    };
    return put_kinds(out, commands, sizeof(commands) / sizeof(commands[0]));
}

static size_t
all_kinds(struct command out[COMMAND_KINDS])
{
    for (uint32_t i = 0; i < 4; i++) {
        command_pair_put(pairs, i, i + 1, i + 100);
    }
    size_t count = first_kinds(out);
    count += stream_kinds(out + count);
    count += change_kinds(out + count);
    count += hold_kinds(out + count);
    count += call_kinds(out + count);
    return count + group_kinds(out + count);
}

static struct log_command
logged(const struct command *command, unsigned char body[BODY_MAX])
{
    return (struct log_command){
        .partition = command->partition,
        .kind = (uint8_t)command->kind,
        .version = COMMAND_VERSION,
        .body = body,
        .body_bytes = (uint32_t)command_encode(command, body, BODY_MAX),
    };
}

static const struct command *
command_of(const struct command *commands, enum command_kind kind)
{
    while (commands->kind != kind) {
        commands++;
    }
    return commands;
}

static size_t
kinds_named(void)
{
    size_t count = 0;
    for (int kind = 1; kind < COMMAND_KINDS; kind++) {
        count += strcmp(command_kind_name((enum command_kind)kind), "UNKNOWN") != 0;
    }
    return count;
}

static void
encodes_again_alike(void **state)
{
    (void)state;
    struct command commands[COMMAND_KINDS];
    size_t count = all_kinds(commands);
    assert_int_equal(count, kinds_named());
    for (size_t i = 0; i < count; i++) {
        unsigned char body[BODY_MAX];
        unsigned char again[BODY_MAX];
        struct command decoded;
        struct log_command head = logged(&commands[i], body);
        assert_int_equal(command_decode(&head, &decoded), 0);
        assert_int_equal(decoded.partition, 17);
        assert_int_equal(decoded.kind, commands[i].kind);
        assert_int_equal(command_encode(&decoded, again, sizeof(again)), head.body_bytes);
        assert_memory_equal(body, again, head.body_bytes);
    }
}

static uint32_t
newer_bytes(uint8_t kind)
{
    if (kind == COMMAND_OPEN) {
        return OPEN_NEWER_BYTES;
    }
    if (kind == COMMAND_USER_REMOVE) {
        return REMOVE_NEWER_BYTES;
    }
    return kind == COMMAND_HOLD ? HOLD_NEWER_BYTES : 0;
}

static void
refuses_cut_and_long(void **state)
{
    (void)state;
    struct command commands[COMMAND_KINDS];
    size_t count = all_kinds(commands);
    for (size_t i = 0; i < count; i++) {
        unsigned char body[BODY_MAX];
        struct command decoded;
        struct log_command head = logged(&commands[i], body);
        uint32_t whole = head.body_bytes;
        for (head.body_bytes = 0; head.body_bytes < whole; head.body_bytes++) {
            unsigned char *exact =
                malloc(head.body_bytes + 1); /* a sanitizer sees every step beyond */
            memcpy(exact, body, head.body_bytes);
            head.body = exact;
            bool older = head.body_bytes == whole - newer_bytes(head.kind);
            assert_int_equal(command_decode(&head, &decoded), older ? 0 : -EBADMSG);
            free(exact);
        }
        head.body = body;
        head.body_bytes = whole + 1;
        body[whole] = 0;
        assert_int_equal(command_decode(&head, &decoded), -EBADMSG);
    }
}

/* What is due is read once, when the command is: apply relies on it. */
static void
refuses_spoilt_expiries(void **state)
{
    (void)state;
    struct command commands[COMMAND_KINDS];
    unsigned char body[BODY_MAX];
    struct command decoded;
    (void)all_kinds(commands);
    struct log_command head = logged(command_of(commands, COMMAND_SWEEP), body);
    assert_int_equal(command_decode(&head, &decoded), 0);
    body[head.body_bytes - EXPIRY_BYTES + RECORD_HEADER_BYTES] = 99;
    assert_int_equal(command_decode(&head, &decoded), -EBADMSG);
}

static void
refuses_the_future(void **state)
{
    (void)state;
    struct command commands[COMMAND_KINDS];
    unsigned char body[BODY_MAX];
    struct command decoded;
    (void)all_kinds(commands);
    struct log_command head = logged(&commands[0], body);
    head.version = COMMAND_VERSION + 1;
    assert_int_equal(command_decode(&head, &decoded), -EPROTO);
    head.version = COMMAND_VERSION;
    head.kind = COMMAND_KINDS;
    assert_int_equal(command_decode(&head, &decoded), -EPROTO);
    head.kind = 0;
    assert_int_equal(command_decode(&head, &decoded), -EPROTO);
}

/* Where each field that can't be anything stands in its body. */
static void
refuses_impossible_fields(void **state)
{
    (void)state;
    struct command commands[COMMAND_KINDS];
    (void)all_kinds(commands);
    struct {
        enum command_kind kind;
        size_t at;
        unsigned char byte;
    } cases[] = {
        {COMMAND_NAME_CLAIM, 8, 65},        /* a name too long */
        {COMMAND_NAME_CLAIM, 12, 129},      /* a password too long */
        {COMMAND_NAME_CLAIM, 15, 2},        /* a flag that is neither */
        {COMMAND_PASSWORD_SET, 16, 200},    /* a password too long */
        {COMMAND_DEVICE_ADD, 48, 65},       /* a name too long */
        {COMMAND_MESSAGE, 16, 8},           /* a flag that is none of them */
        {COMMAND_MESSAGE, 17 + 16, 1},      /* numbered in its chat before it was decided */
        {COMMAND_MESSAGE, 17 + 24, 1},      /* another time than the command's */
        {COMMAND_MESSAGE, 17 + 35, 65},     /* a name too long */
        {COMMAND_MESSAGE, 17 + 38, 0xff},   /* a body too long */
        {COMMAND_ACK, 8 + 34 + 1, 0xff},    /* a list too long */
        {COMMAND_ACK_READ, 8 + 38 + 64, 0}, /* read, but nobody's messages */
        {COMMAND_ACK_READ, 8 + 46 + 64, 0}, /* read up to none */
        {COMMAND_STREAM, 8 + 9, 0},         /* a payload that is none */
        {COMMAND_STREAM_ACK, 8 + 17, 0xff}, /* a list longer than the body */
        {COMMAND_STREAM_ROUND, 8 + 9, 3},   /* more messages than there are */
        {COMMAND_STREAM_ROUND, 8 + 13, 1},  /* a length that leaves something */
        {COMMAND_STREAM_ROUND, 8 + 17, 0},  /* a message that is none */
        {COMMAND_STREAM_ROUND, 8 + 20, 10}, /* messages of two groups */
        {COMMAND_SEEN, 8, 0xff},            /* likewise */
        {COMMAND_WAKE_SET, 8 + 10, 3},      /* a kind of subscription that is none */
        {COMMAND_WAKE_SET, 8 + 93, 5},      /* an endpoint too long */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char body[BODY_MAX];
        struct command decoded;
        struct log_command head = logged(command_of(commands, cases[i].kind), body);
        assert_int_equal(head.kind, cases[i].kind);
        assert_int_not_equal(body[cases[i].at], cases[i].byte);
        body[cases[i].at] = cases[i].byte;
        assert_int_equal(command_decode(&head, &decoded), -EBADMSG);
    }
}

/* Whatever became of the payloads. */
static void
tells_what_is_received(void **state)
{
    (void)state;
    struct command commands[COMMAND_KINDS];
    unsigned char body[BODY_MAX];
    struct command_received received;
    (void)all_kinds(commands);
    const struct command *stream = command_of(commands, COMMAND_STREAM);
    const struct command *round = command_of(commands, COMMAND_STREAM_ROUND);
    struct log_command head = logged(stream, body);
    memset(body + STREAM_HEAD_BYTES, 0, head.body_bytes - STREAM_HEAD_BYTES);
    assert_true(command_receives(&head, &received));
    assert_int_equal(received.source, stream->stream.source);
    assert_int_equal(received.first, stream->stream.number);
    assert_int_equal(received.last, stream->stream.number);
    head.body_bytes = STREAM_HEAD_BYTES - 1;
    assert_false(command_receives(&head, &received));
    head = logged(round, body);
    memset(body + ROUND_HEAD_BYTES, 0, head.body_bytes - ROUND_HEAD_BYTES);
    assert_true(command_receives(&head, &received));
    assert_int_equal(received.source, 5);
    assert_int_equal(received.first, 6);
    assert_int_equal(received.last, 7);
    head.version++;
    assert_false(command_receives(&head, &received));
    head = logged(command_of(commands, COMMAND_STREAM_ACK), body);
    assert_false(command_receives(&head, &received));
}

static void
weighs(void **state)
{
    (void)state;
    struct command commands[COMMAND_KINDS];
    (void)all_kinds(commands);
    assert_int_equal(command_weight(command_of(commands, COMMAND_STREAM)), 1);
    assert_int_equal(command_weight(command_of(commands, COMMAND_MESSAGE)), 1);
    assert_int_equal(command_weight(command_of(commands, COMMAND_STREAM_ROUND)), 2);
}

static void
names_kinds(void **state)
{
    (void)state;
    assert_string_equal(command_kind_name(COMMAND_MESSAGE), "MESSAGE");
    assert_string_equal(command_kind_name((enum command_kind)0), "UNKNOWN");
    assert_string_equal(command_kind_name(COMMAND_KINDS), "UNKNOWN");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a sweep with a record that is none is no command", refuses_spoilt_expiries),
        SPEC("every kind of command is decoded to what was encoded", encodes_again_alike),
        SPEC("a body that is too short or too long is refused", refuses_cut_and_long),
        SPEC("kinds and versions of a later linnet are refused as such", refuses_the_future),
        SPEC("fields that can't be are refused", refuses_impossible_fields),
        SPEC("what a command brings of a stream is told from its head", tells_what_is_received),
        SPEC("a round weighs as much as its messages", weighs),
        SPEC("every kind has a name", names_kinds),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
