/* SPDX-License-Identifier: Apache-2.0 */
#include "net/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/net/frames.h"
#include "tests/spec.h"

enum {
    FRAME_BYTES_MAX = 4096,
};

static int
read_as(const ProtobufCMessageDescriptor *type, const char *text, struct arena *arena,
        ProtobufCMessage **out_message, struct protocol_error *out_error)
{
    struct schema_input input = {
        .type = type,
        .bytes = (const uint8_t *)text,
        .count = strlen(text),
        .arena = arena,
        .skip_unknown = type == &linnet__v1__server_frame__descriptor,
    };
    *out_error = (struct protocol_error){0};
    return json_decode(&input, out_message, out_error);
}

static void
expect_text(const ProtobufCMessage *message, const char *json)
{
    char text[FRAME_BYTES_MAX];
    size_t bytes = json_encode(message, text, sizeof(text));
    assert_true(bytes < sizeof(text));
    text[bytes] = '\0';
    assert_string_equal(text, json);
}

static void
writes_the_mapping(void **state)
{
    (void)state;
    for (size_t i = 0; i < client_frames_count; i++) {
        expect_text(client_frames[i].message, client_frames[i].json);
    }
    for (size_t i = 0; i < server_frames_count; i++) {
        expect_text(server_frames[i].message, server_frames[i].json);
    }
}

/* At every place of strings of every length, so that no word boundary hides one. */
static void
escapes_everywhere(void **state)
{
    (void)state;
    static const unsigned char characters[] = {1, 0x1F, '"', '\\', 0x20, 0x21, '[', 0x7F, 0xFF};
    for (size_t length = 1; length <= 20; length++) {
        for (size_t at = 0; at < length * sizeof(characters); at++) {
            unsigned char c = characters[at % sizeof(characters)];
            char text[24] = "";
            memset(text, 'x', length);
            text[at / sizeof(characters)] = (char)c;
            Linnet__V1__Sender sender = LINNET__V1__SENDER__INIT;
            sender.name = text;
            size_t escape = c < 0x20 ? 5 : c == '"' || c == '\\' ? 1 : 0;
            size_t expected = strlen("{\"name\":\"\"}") + length + escape;
            assert_int_equal(json_encode(&sender.base, NULL, 0), expected);
        }
    }
}

static void
measures_and_stops(void **state)
{
    (void)state;
    for (size_t i = 0; i < server_frames_count; i++) {
        size_t bytes = strlen(server_frames[i].json);
        assert_int_equal(json_encode(server_frames[i].message, NULL, 0), bytes);
        for (size_t room = 0; room < bytes; room++) {
            char text[FRAME_BYTES_MAX];
            memset(text, '#', sizeof(text));
            assert_int_equal(json_encode(server_frames[i].message, text, room), bytes);
            assert_int_equal(text[room], '#');
        }
    }
}

/* Texts that mean the same frame as the second column, which is the form we write ourselves. */
static void
reads_all_spellings(void **state)
{
    (void)state;
    static const char *const spellings[][2] = {
        {"{}", "{}"},
        {" \t\r\n{ \"number\" : 1 } \n", "{\"number\":\"1\"}"},
        {"{\"number\":\"1\"}", "{\"number\":\"1\"}"},
        {"{\"number\":1.0}", "{\"number\":\"1\"}"},
        {"{\"number\":\"1e2\"}", "{\"number\":\"100\"}"},
        {"{\"number\":12e-1e}", NULL},
        {"{\"number\":0}", "{}"},
        {"{\"number\":-0}", "{}"},
        {"{\"number\":null}", "{}"},
        {"{\"number\":9007199254740991}", "{\"number\":\"9007199254740991\"}"},
        {"{\"n\\u0075mber\":3}", "{\"number\":\"3\"}"},
        {"{\"send_message\":{\"chat\":{\"user_name\":\"bob\"}}}",
         "{\"sendMessage\":{\"chat\":{\"userName\":\"bob\"}}}"},
        {"{\"authenticate\":null,\"ping\":{\"data\":null}}", "{\"ping\":{}}"},
        {"{\"sendMessage\":{\"content\":null,\"text\":\"x\",\"chat\":null,\"attachments\":null}}",
         "{\"sendMessage\":{\"text\":\"x\"}}"},
        {"{\"sendMessage\":{\"attachments\":[]}}", "{\"sendMessage\":{}}"},
        {"{\"sendMessage\":{\"attachments\":[{},{\"sizeBytes\":1},{},{},{},{},{},{},{}]}}",
         "{\"sendMessage\":{\"attachments\":[{},{\"sizeBytes\":\"1\"},{},{},{},{},{},{},{}]}}"},
        {"{\"sendMessage\":{\"text\":\"\"}}", "{\"sendMessage\":{\"text\":\"\"}}"},
        {"{\"sendMessage\":{\"content\":\"\"}}", "{\"sendMessage\":{\"content\":\"\"}}"},
        {"{\"sendMessage\":{\"content\":\"-_-_\"}}", "{\"sendMessage\":{\"content\":\"+/+/\"}}"},
        {"{\"sendMessage\":{\"content\":\"Zg\"}}", "{\"sendMessage\":{\"content\":\"Zg==\"}}"},
        {"{\"sendMessage\":{\"content\":\"\\u005ag==\"}}",
         "{\"sendMessage\":{\"content\":\"Zg==\"}}"},
        {"{\"sendMessage\":{\"text\":\"\\u00e4\\/\\\"\\\\\\b\\f\\n\\r\\t\"}}",
         "{\"sendMessage\":{\"text\":\"\xC3\xA4/\\\"\\\\\\b\\f\\n\\r\\t\"}}"},
        {"{\"sendMessage\":{\"text\":\"\\uD83D\\udc26 \\\\ud83d\"}}",
         "{\"sendMessage\":{\"text\":\"\xF0\x9F\x90\xA6 \\\\ud83d\"}}"},
        {"{\"sendMessage\":{\"text\":\"\x7F\xE2\x80\xA8\xEF\xBF\xBF\xF4\x8F\xBF\xBF\"}}",
         "{\"sendMessage\":{\"text\":\"\x7F\xE2\x80\xA8\xEF\xBF\xBF\xF4\x8F\xBF\xBF\"}}"},
    };
    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        struct arena arena;
        arena_init(&arena, NULL, 0, 1 << 20);
        ProtobufCMessage *message;
        struct protocol_error error;
        int rc = read_as(&linnet__v1__client_frame__descriptor, spellings[i][0], &arena, &message,
                         &error);
        if (spellings[i][1] == NULL) {
            assert_int_equal(rc, -EPROTO);
        } else if (rc < 0) {
            fail_msg("%s: %s", spellings[i][0], error.text);
        } else {
            expect_text(message, spellings[i][1]);
        }
        arena_fini(&arena);
    }
}

/* Texts, and what is told of them. */
static const char *const faults[][2] = {
    /* not JSON */
    {" ", "not JSON near byte 1: parse error: premature EOF"},
    {"{", "not JSON near byte 1: parse error: premature EOF"},
    {"{\"number\":1", "not JSON near byte 11: parse error: premature EOF"},
    {"{\"number\":1}}", "not JSON near byte 13: parse error: trailing garbage"},
    {"{\"number\":1}{}", "not JSON near byte 13: parse error: trailing garbage"},
    {"{\"number\":1,}",
     "not JSON near byte 13: parse error: invalid object key (must be a string)"},
    {"{number:1}", "not JSON near byte 3: lexical error: invalid string in json text."},
    {"{'number':1}", "not JSON near byte 2: lexical error: invalid char in json text."},
    {"{\"number\":+1}", "not JSON near byte 11: lexical error: invalid char in json text."},
    {"{\"number\":1.}",
     "not JSON near byte 12: lexical error: malformed number, a digit is required after the "
     "decimal point."},
    {"{\"number\":NaN}", "not JSON near byte 11: lexical error: invalid char in json text."},
    {"{/**/}",
     "not JSON near byte 1: lexical error: probable comment found in input text, comments are "
     "not enabled."},
    {"\xEF\xBB\xBF{}", "not JSON near byte 1: lexical error: invalid char in json text."},
    {"{\"ping\":{\"data\":\"\n\"}}",
     "not JSON near byte 17: lexical error: invalid character inside string."},
    {"{\"ping\":{\"data\":\"\\x\"}}",
     "not JSON near byte 18: lexical error: inside a string, '\\' occurs before a character "
     "which it may not."},
    {"{\"ping\":{\"data\":\"\\u12g4\"}}",
     "not JSON near byte 21: lexical error: invalid (non-hex) character occurs after '\\u' "
     "inside string."},
    /* not an object */
    {"[]", "not a JSON object"},
    {"1", "not a JSON object"},
    {"null", "not a JSON object"},
    {"\"{}\"", "not a JSON object"},
    /* keys */
    {"{\"numbr\":1}", "unknown field \"numbr\""},
    {"{\"Number\":1}", "unknown field \"Number\""},
    {"{\"\":1}", "unknown field \"\""},
    {"{\"sendMessage\":{\"chat\":{\"userid\":1}}}", "sendMessage.chat: unknown field \"userid\""},
    {"{\"number\":1,\"number\":1}", "number: given twice"},
    {"{\"number\":null,\"number\":1}", "number: given twice"},
    {"{\"sendMessage\":{},\"send_message\":{}}", "sendMessage: given twice"},
    {"{\"sendMessage\":{\"attachments\":[],\"attachments\":[]}}",
     "sendMessage.attachments: given twice"},
    {"{\"ping\":{},\"ack\":{}}", "ack: given beside another of which only one may be given"},
    {"{\"sendMessage\":{\"text\":\"\",\"content\":\"\"}}",
     "sendMessage.content: given beside another of which only one may be given"},
    /* numbers */
    {"{\"number\":9007199254740992}", "number: above 2^53 - 1"},
    {"{\"number\":9007199254740993}", "number: above 2^53 - 1"},
    {"{\"number\":\"9223372036854775808\"}", "number: above 2^53 - 1"},
    {"{\"number\":18446744073709551615}", "number: above 2^53 - 1"},
    {"{\"number\":18446744073709551616}", "number: above 2^53 - 1"},
    {"{\"number\":1e400}", "number: above 2^53 - 1"},
    {"{\"number\":-1}", "number: not an unsigned 64-bit number"},
    {"{\"number\":1.5}", "number: not an unsigned 64-bit number"},
    {"{\"number\":\"\"}", "number: not an unsigned 64-bit number"},
    {"{\"number\":\" 1\"}", "number: not an unsigned 64-bit number"},
    {"{\"number\":\"0x1\"}", "number: not an unsigned 64-bit number"},
    {"{\"number\":true}", "number: not an unsigned 64-bit number"},
    {"{\"number\":{}}", "number: not an unsigned 64-bit number"},
    {"{\"number\":[1]}", "number: not an unsigned 64-bit number"},
    /* other types */
    {"{\"ping\":1}", "ping: not an object"},
    {"{\"ping\":\"\"}", "ping: not an object"},
    {"{\"ping\":[]}", "ping: not an object"},
    {"{\"ping\":{\"data\":1}}", "ping.data: not base64"},
    {"{\"ping\":{\"data\":\"?\"}}", "ping.data: not base64"},
    {"{\"ping\":{\"data\":false}}", "ping.data: not base64"},
    {"{\"authenticate\":{\"token\":1}}", "authenticate.token: not a string"},
    {"{\"authenticate\":{\"token\":{}}}", "authenticate.token: not a string"},
    {"{\"sendMessage\":{\"attachments\":{}}}", "sendMessage.attachments: not an array"},
    {"{\"sendMessage\":{\"attachments\":1}}", "sendMessage.attachments: not an array"},
    {"{\"sendMessage\":{\"attachments\":[{},1]}}", "sendMessage.attachments[1]: not an object"},
    {"{\"sendMessage\":{\"attachments\":[null]}}", "sendMessage.attachments[0]: not an object"},
    {"{\"sendMessage\":{\"attachments\":[[]]}}", "sendMessage.attachments[0]: not an object"},
    {"{\"sendMessage\":{\"attachments\":[{},{},{\"sizeBytes\":\"x\"}]}}",
     "sendMessage.attachments[2].sizeBytes: not an unsigned 64-bit number"},
    /* characters */
    {"{\"ping\":{\"data\":\"\xFF\"}}", "not UTF-8"},
    {"{\"ping\":{\"data\":\"\xC0\x80\"}}", "not UTF-8"},
    {"{\"ping\":{\"data\":\"\xED\xA0\x80\"}}", "not UTF-8"},
    {"{\"sendMessage\":{\"text\":\"\xF4\x90\x80\x80\"}}", "not UTF-8"},
    {"{\"sendMessage\":{\"text\":\"\xE2\x82\"}}", "not UTF-8"},
    {"{\"sendMessage\":{\"text\":\"\\ud83d\"}}", "not JSON at byte 24: a lone surrogate"},
    {"{\"sendMessage\":{\"text\":\"\\udc26\"}}", "not JSON at byte 24: a lone surrogate"},
    {"{\"sendMessage\":{\"text\":\"\\ud83d\\ud83d\"}}", "not JSON at byte 24: a lone surrogate"},
    {"{\"sendMessage\":{\"text\":\"\\uD83D\\uDC26\\uDC26\"}}",
     "not JSON at byte 36: a lone surrogate"},
    {"{\"sendMessage\":{\"text\":\"\\ud83d\\n\"}}", "not JSON at byte 24: a lone surrogate"},
    {"{\"sendMessage\":{\"text\":\"a\\u0000\"}}", "sendMessage.text: holds a U+0000"},
};

static void
tells_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        struct arena arena;
        arena_init(&arena, NULL, 0, 1 << 20);
        ProtobufCMessage *message;
        struct protocol_error error;
        int rc =
            read_as(&linnet__v1__client_frame__descriptor, faults[i][0], &arena, &message, &error);
        if (rc != -EPROTO || strcmp(error.text, faults[i][1]) != 0 ||
            error.code != LINNET__V1__ERROR__CODE__BAD_FRAME) {
            fail_msg("%s: %d, \"%s\"", faults[i][0], rc, error.text);
        }
        arena_fini(&arena);
    }
}

/* Frames of a node, each read as its text, or refused with it. */
static void
expect_of_node(const char *const spellings[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        arena_init(&arena, NULL, 0, 1 << 20);
        ProtobufCMessage *message;
        struct protocol_error error;
        int rc = read_as(&linnet__v1__server_frame__descriptor, spellings[i][0], &arena, &message,
                         &error);
        if (rc < 0) {
            assert_string_equal(error.text, spellings[i][1]);
        } else {
            expect_text(message, spellings[i][1]);
        }
        arena_fini(&arena);
    }
}

static void
reads_enums_and_bools(void **state)
{
    (void)state;
    static const char *const spellings[][2] = {
        {"{\"resync\":{\"reason\":\"INBOX_EXPIRED\"}}",
         "{\"resync\":{\"reason\":\"INBOX_EXPIRED\"}}"},
        {"{\"resync\":{\"reason\":2}}", "{\"resync\":{\"reason\":\"INBOX_EXPIRED\"}}"},
        {"{\"resync\":{\"reason\":77}}", "{\"resync\":{\"reason\":77}}"},
        {"{\"resync\":{\"reason\":\"OF_TOMORROW\"}}", "{\"resync\":{}}"},
        {"{\"answer\":{\"sent\":{\"duplicate\":true}}}",
         "{\"answer\":{\"sent\":{\"duplicate\":true}}}"},
        {"{\"answer\":{\"sent\":{\"duplicate\":false}}}", "{\"answer\":{\"sent\":{}}}"},
        {"{\"welcome\":{\"device\":4294967295}}", "{\"welcome\":{\"device\":4294967295}}"},
        {"{\"welcome\":{\"device\":\"65535\"}}", "{\"welcome\":{\"device\":65535}}"},
        {"{\"welcome\":{\"device\":4294967296}}", "welcome.device: not an unsigned 32-bit number"},
        {"{\"resync\":{\"reason\":2147483648}}", "resync.reason: not one of its names"},
        {"{\"resync\":{\"reason\":-1}}", "resync.reason: not one of its names"},
        {"{\"resync\":{\"reason\":true}}", "resync.reason: not one of its names"},
        {"{\"answer\":{\"sent\":{\"duplicate\":\"true\"}}}",
         "answer.sent.duplicate: not true or false"},
        {"{\"answer\":{\"sent\":{\"duplicate\":1}}}", "answer.sent.duplicate: not true or false"},
    };
    expect_of_node(spellings, sizeof(spellings) / sizeof(*spellings));
}

static void
refuses_unknown_enums_of_clients(void **state)
{
    (void)state;
    struct schema_input input = {
        .type = &linnet__v1__resync__descriptor,
        .bytes = (const uint8_t *)"{\"reason\":\"OF_TOMORROW\"}",
        .count = 24,
    };
    struct arena arena;
    arena_init(&arena, NULL, 0, 1 << 20);
    input.arena = &arena;
    ProtobufCMessage *message;
    struct protocol_error error = {0};
    assert_int_equal(json_decode(&input, &message, &error), -EPROTO);
    assert_string_equal(error.text, "reason: not one of its names");
    arena_fini(&arena);
}

static void
skips_what_a_newer_node_says(void **state)
{
    (void)state;
    static const char *const spellings[][2] = {
        {"{\"tomorrow\":{\"a\":[1,{\"b\":null},\"\",true]},\"resync\":{}}", "{\"resync\":{}}"},
        {"{\"resync\":{\"x\":1,\"y\":[[],[]],\"inboxNumber\":5,\"z\":{}}}",
         "{\"resync\":{\"inboxNumber\":\"5\"}}"},
        {"{\"tomorrow\":[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]}", "{}"},
        {"{\"tomorrow\":[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]}", "nested too deep"},
        {"{\"tomorrow\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
         "\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}}}}}}}}}}}",
         "nested too deep"},
        {"{\"tomorrow\":\"\\udc26\"}", "not JSON at byte 13: a lone surrogate"},
    };
    expect_of_node(spellings, sizeof(spellings) / sizeof(*spellings));
}

static void
remembers_number_and_ref(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, 1 << 20);
    ProtobufCMessage *message;
    struct protocol_error error;
    const char *text = "{\"number\":\"5\",\"ref\":6,\"sendMessage\":{\"chat\":7}}";
    assert_int_equal(read_as(&linnet__v1__client_frame__descriptor, text, &arena, &message, &error),
                     -EPROTO);
    assert_int_equal(error.number, 5);
    assert_int_equal(error.ref, 6);
    arena_fini(&arena);
}

static void
stops_at_the_arenas_limit(void **state)
{
    (void)state;
    char text[FRAME_BYTES_MAX] = "{\"sendMessage\":{\"attachments\":[{}";
    for (size_t used = strlen(text); used + 8 < sizeof(text); used += 3) {
        strcpy(text + used, ",{}");
    }
    strcat(text, "]}}");
    /* From no room at all to enough: wherever it ends, it ends with an error. */
    int rc = -ENOMEM;
    for (size_t limit = 0; rc == -ENOMEM; limit += 4096) {
        struct arena arena;
        arena_init(&arena, NULL, 0, limit);
        ProtobufCMessage *message;
        struct protocol_error error;
        rc = read_as(&linnet__v1__client_frame__descriptor, text, &arena, &message, &error);
        if (rc < 0) {
            assert_int_equal(rc, -ENOMEM);
            assert_string_equal(error.text, "needs too much memory");
        }
        arena_fini(&arena);
        assert_true(limit < 1 << 20);
    }
    assert_int_equal(rc, 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("every message is written in proto3's JSON mapping", writes_the_mapping),
        SPEC("what must be escaped is, wherever in a string it stands", escapes_everywhere),
        SPEC("a message is measured without being written, and never written past its room",
             measures_and_stops),
        SPEC("every spelling that the mapping allows is read", reads_all_spellings),
        SPEC("what is wrong is told, with the field's path", tells_what_is_wrong),
        SPEC("enums are read by name and number, bools as true and false", reads_enums_and_bools),
        SPEC("an enum's name that isn't one is refused from a client",
             refuses_unknown_enums_of_clients),
        SPEC("a client skips unknown fields of any shape, to a bounded depth",
             skips_what_a_newer_node_says),
        SPEC("number and ref are kept for the answer to a frame that fails later",
             remembers_number_and_ref),
        SPEC("a frame that needs more memory than the arena has is refused",
             stops_at_the_arenas_limit),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
