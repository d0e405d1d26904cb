/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a client sends, it hears what was wrong with it; the node and everybody else go on. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

static struct world world;
static struct wire good, bad;

static void
begin(uint64_t seed, enum protocol_form form)
{
    world_open(&world, seed);
    (void)wire_join(&good, &world, PROTOCOL_JSON, "alice");
    (void)wire_join(&bad, &world, form, "bob");
}

/* Nothing of it has touched the other connection, or the node. */
static void
end(void)
{
    wire_say(&good, "{\"ref\":\"1\",\"ping\":{}}");
    (void)wire_expect(&good, "\"pong\":{\"ref\":\"1\"");
    wire_end(&good);
    wire_end(&bad);
    world_close(&world);
}

struct text_row {
    const char *sent;
    const char *expected; /* of the answer */
};

static const struct text_row texts[] = {
    {"", "\"BAD_FRAME\""},
    {"{", "\"BAD_FRAME\""},
    {"{}", "\"BAD_FRAME\""},
    {"[]", "\"BAD_FRAME\""},
    {"null", "\"BAD_FRAME\""},
    {"hello", "\"BAD_FRAME\""},
    {"{\"ping\":{}} {\"ping\":{}}", "\"BAD_FRAME\""},
    {"{\"ping\":{},}", "\"BAD_FRAME\""},
    {"{\"ping\":{}/* why */}", "\"BAD_FRAME\""},
    {"{\"ping\":{},\"ping\":{}}", "\"BAD_FRAME\""},
    {"{\"ping\":{},\"ack\":{\"inboxNumber\":\"1\"}}", "\"BAD_FRAME\""},
    {"{\"ping\":{},\"nubmer\":\"45\"}", "unknown field \\\"nubmer\\\""},
    {"{\"number\":\"9\",\"ref\":\"4\",\"pong\":{}}",
     "\"number\":\"9\",\"ref\":\"4\",\"error\":{\"code\":\"BAD_FRAME\""},
    {"{\"number\":\"-1\",\"ping\":{}}", "number"},
    {"{\"number\":1.5,\"ping\":{}}", "number"},
    {"{\"number\":\"4503599627370496\",\"ping\":{}}", "number"},
    {"{\"ref\":\"9007199254740992\",\"ping\":{}}", "ref"},
    {"{\"ping\":{\"data\":\"*\"}}", "ping.data"},
    {"{\"ack\":{}}", "ack.inboxNumber"},
    {"{\"ack\":{\"inboxNumber\":\"0\"}}", "ack.inboxNumber"},
    {"{\"ack\":{\"inboxNumber\":\"9007199254740991\"}}", "\"OUT_OF_RANGE\""},
    {"{\"sendMessage\":{}}", "sendMessage.chat"},
    {"{\"sendMessage\":{\"text\":\"x\"}}", "sendMessage.chat"},
    {"{\"sendMessage\":{\"chat\":{},\"text\":\"x\"}}", "sendMessage.chat"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":\"0\"},\"text\":\"x\"}}", "sendMessage.chat"},
    {"{\"sendMessage\":{\"chat\":{\"userName\":\"\"},\"text\":\"x\"}}",
     "sendMessage.chat.userName"},
    {"{\"sendMessage\":{\"chat\":{\"userId\":\"1\",\"userName\":\"a\"},\"text\":\"x\"}}",
     "\"BAD_FRAME\""},
    {"{\"sendMessage\":{\"chat\":{\"userName\":\"alice\"}}}", "sendMessage"},
    {"{\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},\"text\":\"\"}}", "sendMessage"},
    {"{\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},\"text\":\"a\\u0000b\"}}",
     "\"BAD_FRAME\""},
    {"{\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},\"text\":\"\\ud83d\"}}", "\"BAD_FRAME\""},
    {"{\"number\":\"3\",\"sendMessage\":{\"chat\":{\"userName\":\"nobody\"},\"text\":\"x\"}}",
     "\"number\":\"3\",\"error\":{\"code\":\"UNKNOWN_USER\",\"text\":\"sendMessage.chat.userName: "
     "no "
     "such user\""},
    {"{\"number\":\"4\",\"sendMessage\":{\"chat\":{\"userId\":\"4711\"},\"text\":\"x\"}}",
     "\"number\":\"4\",\"error\":{\"code\":\"UNKNOWN_USER\",\"text\":\"sendMessage.chat.userId: no "
     "such user\""},
    {"{\"ref\":\"5\",\"markRead\":{\"chat\":{\"userName\":\"nobody\"},\"chatNumber\":\"1\"}}",
     "\"ref\":\"5\",\"error\":{\"code\":\"UNKNOWN_USER\",\"text\":\"markRead.chat.userName: no "
     "such "
     "user\""},
    {"{\"ref\":\"6\",\"markRead\":{\"chat\":{\"userName\":\"alice\"},\"chatNumber\":\"1\"}}",
     "\"ref\":\"6\",\"error\":{\"code\":\"OUT_OF_RANGE\",\"text\":\"markRead.chatNumber"},
    {"{\"markRead\":{\"chat\":{\"userName\":\"alice\"}}}", "markRead.chatNumber"},
    {"{\"authenticate\":{\"token\":\"x\"}}", "\"NOT_EXPECTED\""},
};

static void
every_bad_text_is_answered(void **state)
{
    (void)state;
    begin(1, PROTOCOL_JSON);
    unsigned undecodable = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        wire_frame(&bad, FRAME_TEXT, texts[i].sent, strlen(texts[i].sent));
        const char *answer = wire_hear(&bad);
        if (answer == NULL || strstr(answer, texts[i].expected) == NULL ||
            strstr(answer, "\"error\":{\"code\":\"") == NULL) {
            fail_msg("%s\nwas answered %s\nnot %s", texts[i].sent, answer, texts[i].expected);
        }
        undecodable += strstr(answer, "BAD_FRAME") != NULL;
        if (undecodable == 20) { /* a new connection, before this one has had too many */
            undecodable = 0;
            wire_end(&bad);
            wire_return(&bad);
        }
    }
    end();
}

struct bytes_row {
    const char *sent;
    size_t count;
    const char *expected;
};
#define BYTES(text) (text), sizeof(text) - 1

static const struct bytes_row binaries[] = {
    {BYTES(""), "\"BAD_FRAME\""},
    {BYTES("\xff"), "\"BAD_FRAME\""},
    {BYTES("\x08"), "\"BAD_FRAME\""},             /* a number that ends in the middle */
    {BYTES("\x08\x01"), "\"BAD_FRAME\""},         /* a number alone: no command */
    {BYTES("\x0b\x0c"), "\"BAD_FRAME\""},         /* a group */
    {BYTES("\x08\x01\x08\x02"), "\"BAD_FRAME\""}, /* twice */
    {BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "\"BAD_FRAME\""}, /* 2^64 - 1 */
    {BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "\"BAD_FRAME\""},
    {BYTES("\x12\x7f"), "\"BAD_FRAME\""}, /* longer than the frame */
};

static void
every_bad_binary_is_answered(void **state)
{
    (void)state;
    begin(2, PROTOCOL_BINARY);
    for (size_t i = 0; i < sizeof binaries / sizeof binaries[0]; i++) {
        wire_frame(&bad, FRAME_BINARY, binaries[i].sent, binaries[i].count);
        const char *answer = wire_hear(&bad);
        if (answer == NULL || strstr(answer, binaries[i].expected) == NULL) {
            fail_msg("row %zu was answered %s", i, answer);
        }
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bool decodes = strstr(texts[i].expected, "UNKNOWN_USER") != NULL ||
                       strstr(texts[i].expected, "OUT_OF_RANGE") != NULL ||
                       strstr(texts[i].expected, "NOT_EXPECTED") != NULL;
        if (decodes) {
            wire_say(&bad, texts[i].sent);
            (void)wire_expect(&bad, texts[i].expected);
        }
    }
    end();
}

static void
the_32nd_bad_frame_is_the_last(void **state)
{
    (void)state;
    begin(3, PROTOCOL_JSON);
    for (unsigned i = 0; i < PROTOCOL_BAD_FRAMES_MAX; i++) {
        assert_false(bad.ended);
        wire_frame(&bad, FRAME_TEXT, "?", 1);
        (void)wire_expect(&bad, "\"BAD_FRAME\"");
    }
    assert_int_equal(wire_closed(&bad), PROTOCOL_CLOSE_BAD_FRAMES);
    end();
}

static void
frames_that_break_rfc_6455_close_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        unsigned code;
    } rows[] = {
        {BYTES("\x81\x02hi"), 1002},                     /* not masked */
        {BYTES("\xc1\x80zzzz"), 1002},                   /* a reserved bit */
        {BYTES("\x83\x80zzzz"), 1002},                   /* a reserved opcode */
        {BYTES("\x09\x80zzzz"), 1002},                   /* a ping in pieces */
        {BYTES("\x80\x80zzzz"), 1002},                   /* goes on with nothing */
        {BYTES("\x81\x81zzzz\x85"), 1007},               /* 0xff: not UTF-8 */
        {BYTES("\x81\xff\0\0\0\0\x7f\0\0\0zzzz"), 1009}, /* 2 GB */
        {BYTES("\x82\x80zzzz"), 1003},                   /* binary on the text subprotocol */
        {BYTES("\x88\x80zzzz"), 1005},                   /* a close, without a code */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(4 + i, PROTOCOL_JSON);
        wire_send(&bad, rows[i].bytes, rows[i].count);
        unsigned code = wire_closed(&bad);
        if (code != rows[i].code) {
            fail_msg("row %zu was closed with %u, not %u", i, code, rows[i].code);
        }
        end();
    }
}

static void
too_large_a_message_is_an_error_too_large_a_frame_the_end(void **state)
{
    (void)state;
    static char frame[70000];
    begin(20, PROTOCOL_JSON);
    int head = snprintf(frame, sizeof frame,
                        "{\"number\":\"1\",\"sendMessage\":{\"chat\":{\"userName\":\"alice\"},"
                        "\"text\":\"");
    memset(frame + head, 'x', 32769);
    strcpy(frame + head + 32769, "\"}}");
    wire_say(&bad, frame);
    (void)wire_expect(&bad, "\"number\":\"1\",\"error\":{\"code\":\"MESSAGE_TOO_LARGE\"");
    strcpy(frame + head + 32768, "\"}}");
    wire_say(&bad, frame);
    (void)wire_expect(&bad, "\"sent\"");
    memset(frame, ' ', 65537);
    wire_frame(&bad, FRAME_TEXT, frame, 65537);
    assert_int_equal(wire_closed(&bad), PROTOCOL_CLOSE_TOO_BIG);
    (void)wire_expect(&good, "\"newMessage\"");
    end();
}

static void
a_note_to_oneself_is_a_message(void **state)
{
    (void)state;
    for (uint64_t seed = 21; seed <= 24; seed++) {
        begin(seed, PROTOCOL_BINARY);
        wire_say(&bad, "{\"number\":\"1\",\"sendMessage\":{\"chat\":{\"userName\":\"bob\"},"
                       "\"text\":\"milk\"}}");
        (void)wire_waiting(&bad, 1000);
        bool sent = false;
        uint64_t inbox = 0;
        const char *frame;
        for (int i = 0; i < 2; i++) {
            frame = wire_hear(&bad);
            assert_non_null(frame);
            sent = sent || strstr(frame, "\"sent\"") != NULL;
            if (strstr(frame, "\"milk\"") != NULL) {
                inbox = wire_number(frame, "inboxNumber");
            }
        }
        assert_true(sent && inbox != 0);
        char ack[128];
        (void)snprintf(ack, sizeof ack, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                       (unsigned long long)inbox);
        wire_say(&bad, ack);
        (void)wire_expect(&bad, "\"delivered\":\"1\"");
        end();
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("every bad text is answered with its fault", every_bad_text_is_answered),
        SPEC("every bad binary frame is answered with its fault", every_bad_binary_is_answered),
        SPEC("the 32nd undecodable frame is the last", the_32nd_bad_frame_is_the_last),
        SPEC("frames that break RFC 6455 close the connection with the right code",
             frames_that_break_rfc_6455_close_the_connection),
        SPEC("too large a message is an error, too large a frame the end",
             too_large_a_message_is_an_error_too_large_a_frame_the_end),
        SPEC("a note to oneself is a message like any other", a_note_to_oneself_is_a_message),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
