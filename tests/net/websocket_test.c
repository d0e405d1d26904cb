/* SPDX-License-Identifier: Apache-2.0 */
#include "net/websocket.h"

#include "net/gather.h"
#include "tests/net/talk.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct websocket_rules rules = {.frame_bytes_max = 70000, .message_bytes_max = 100000};
static const unsigned char key[FRAME_KEY_BYTES] = {0x37, 0xfa, 0x21, 0x3d};

/* The linker sends net's allocations here, so that memory can run out when a test wants it. */
static int allocations_left = -1;
void *__real_realloc(void *old, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

void *
__wrap_realloc(void *old, size_t bytes)
{
    if (allocations_left == 0) {
        return NULL;
    }
    allocations_left -= allocations_left > 0;
    return __real_realloc(old, bytes);
}

static struct talk
client(void)
{
    return (struct talk){.from = WEBSOCKET_CLIENT};
}

static struct talk
server(void)
{
    return (struct talk){.from = WEBSOCKET_SERVER};
}

static void
say_close(struct talk *talk, unsigned code, const char *reason)
{
    char payload[FRAME_CONTROL_PAYLOAD_MAX + 1] = {(char)(code >> 8), (char)code};
    int count = snprintf(payload + 2, sizeof(payload) - 2, "%s", reason);
    say_bytes(talk, FRAME_CLOSE, payload, 2 + (size_t)count);
}

/* ------------------------------------------------------------------------------------- messages */

static void
hears_messages(void **state)
{
    (void)state;
    struct talk talk = client();
    say(&talk, FRAME_TEXT, "hello");
    say(&talk, FRAME_BINARY, "world");
    say(&talk, FRAME_TEXT, "");
    say(&talk, FRAME_BINARY, "");
    say(&talk, FRAME_PING, "are you there");
    say(&talk, FRAME_PONG, "");
    assert_heard(&talk, &rules,
                 "text hello; binary world; text; binary; ping are you there; pong; ");
}

static void
hears_a_server(void **state)
{
    (void)state;
    struct talk talk = server();
    say(&talk, FRAME_TEXT, "hello");
    say_part(&talk, FRAME_BINARY, "be");
    say(&talk, FRAME_PING, "p");
    say(&talk, FRAME_CONTINUATION, "gin");
    say_close(&talk, 1001, "gone");
    assert_heard(&talk, &rules, "text hello; ping p; binary begin; close 1001 gone; ");
}

static void
hears_lengths(void **state)
{
    (void)state;
    static const size_t counts[] = {125, 126, 127, 4095, 4096, 4097, 65535, 65536, 70000};
    static unsigned char payload[70000];
    memset(payload, 'x', sizeof(payload));
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct talk talk = client();
        say_bytes(&talk, FRAME_TEXT, payload, counts[i]);
        say(&talk, FRAME_PING, "after");
        struct hearing hearing = {.rules = &rules, .role = WEBSOCKET_SERVER};
        char *account = heard(&hearing, talk.bytes, talk.count);
        char expected[40];
        (void)snprintf(expected, sizeof(expected), "text %zu bytes #", counts[i]);
        assert_memory_equal(account, expected, strlen(expected));
        assert_string_equal(account + strlen(account) - 12, "ping after; ");
        assert_heard(&talk, &rules, account);
        free(account);
    }
}

static void
joins_fragments(void **state)
{
    (void)state;
    struct talk talk = client();
    say_part(&talk, FRAME_TEXT, "one ");
    say_part(&talk, FRAME_CONTINUATION, "");
    say_part(&talk, FRAME_CONTINUATION, "two ");
    say(&talk, FRAME_CONTINUATION, "three");
    say_part(&talk, FRAME_BINARY, "");
    say(&talk, FRAME_CONTINUATION, "");
    say_part(&talk, FRAME_TEXT, "");
    say(&talk, FRAME_CONTINUATION, "late");
    assert_heard(&talk, &rules, "text one two three; binary; text late; ");
}

static void
joins_many_fragments(void **state)
{
    (void)state;
    struct talk talk = client();
    say_part(&talk, FRAME_BINARY, "start");
    for (unsigned i = 0; i < 2000; i++) {
        say_part(&talk, FRAME_CONTINUATION, "0123456789012345678901234567890123456789");
    }
    say(&talk, FRAME_CONTINUATION, "end");
    struct hearing hearing = {.rules = &rules, .role = WEBSOCKET_SERVER};
    char *account = heard(&hearing, talk.bytes, talk.count);
    assert_memory_equal(account, "binary 80008 bytes #", 20);
    assert_heard(&talk, &rules, account);
    free(account);
}

static void
hears_controls_between(void **state)
{
    (void)state;
    struct talk talk = client();
    say_part(&talk, FRAME_TEXT, "one ");
    say(&talk, FRAME_PING, "1");
    say_part(&talk, FRAME_CONTINUATION, "two ");
    say(&talk, FRAME_PONG, "2");
    say(&talk, FRAME_PING, "");
    say(&talk, FRAME_CONTINUATION, "three");
    assert_heard(&talk, &rules, "ping 1; pong 2; ping; text one two three; ");
    talk = client();
    say_part(&talk, FRAME_TEXT, "never ends");
    say_close(&talk, 1000, "");
    assert_heard(&talk, &rules, "close 1000; ");
}

static void
does_not_copy(void **state)
{
    (void)state;
    struct talk talk = client();
    say(&talk, FRAME_TEXT, "hello");
    say(&talk, FRAME_PING, "ping");
    struct websocket ws;
    websocket_init(&ws, WEBSOCKET_SERVER, &rules);
    struct websocket_input input = {talk.bytes, talk.count};
    struct websocket_event event;
    allocations_left = 0;
    assert_int_equal(websocket_next(&ws, &input, &event), 0);
    assert_ptr_equal(event.bytes, talk.bytes + 6);
    assert_int_equal(websocket_next(&ws, &input, &event), 0);
    assert_ptr_equal(event.bytes, talk.bytes + 6 + 5 + 6);
    assert_int_equal(websocket_next(&ws, &input, &event), -EAGAIN);
    assert_int_equal(websocket_next(&ws, &input, &event), -EAGAIN);
    talk_fini(&talk);
    talk = client();
    say(&talk, FRAME_BINARY, "to the last byte");
    input = (struct websocket_input){talk.bytes, talk.count};
    assert_int_equal(websocket_next(&ws, &input, &event), 0);
    assert_ptr_equal(event.bytes, talk.bytes + 6);
    allocations_left = -1;
    websocket_fini(&ws);
    talk_fini(&talk);
}

static void
holds_nothing_at_rest(void **state)
{
    (void)state;
    struct talk talk = client();
    say_part(&talk, FRAME_TEXT, "first ");
    size_t fragment = talk.count;
    say(&talk, FRAME_CONTINUATION, "second");
    struct websocket ws;
    websocket_init(&ws, WEBSOCKET_SERVER, &rules);
    assert_int_equal(websocket_held_bytes(&ws), 0);
    struct websocket_input input = {talk.bytes, fragment};
    struct websocket_event event;
    assert_int_equal(websocket_next(&ws, &input, &event), -EAGAIN);
    assert_true(websocket_held_bytes(&ws) > 0);
    input = (struct websocket_input){talk.bytes + fragment, talk.count - fragment};
    assert_int_equal(websocket_next(&ws, &input, &event), 0);
    assert_int_equal(websocket_next(&ws, &input, &event), -EAGAIN);
    assert_int_equal(websocket_held_bytes(&ws), 0);
    assert_true(sizeof(ws) <= 64);
    websocket_fini(&ws);
    talk_fini(&talk);
}

static void
believes_what_arrives(void **state)
{
    (void)state;
    static const struct websocket_rules large = {.frame_bytes_max = 1 << 29,
                                                 .message_bytes_max = 1 << 29};
    unsigned char bytes[] = "\x82\xff\0\0\0\0\x20\0\0\0kkkkdata";
    struct websocket ws;
    websocket_init(&ws, WEBSOCKET_SERVER, &large);
    struct websocket_input input = {bytes, sizeof(bytes) - 1};
    struct websocket_event event;
    assert_int_equal(websocket_next(&ws, &input, &event), -EAGAIN);
    assert_true(websocket_held_bytes(&ws) > 0);
    assert_true(websocket_held_bytes(&ws) < 256);
    websocket_fini(&ws);
    assert_int_equal(websocket_held_bytes(&ws), 0);
}

static void
survives_no_memory(void **state)
{
    (void)state;
    struct talk talk = client();
    static unsigned char payload[20000];
    memset(payload, 'x', sizeof(payload));
    say_bytes(&talk, FRAME_BINARY, payload, sizeof(payload));
    say_part(&talk, FRAME_TEXT, "kept ");
    say(&talk, FRAME_PING, "ping");
    say(&talk, FRAME_CONTINUATION, "whole");
    struct websocket ws;
    websocket_init(&ws, WEBSOCKET_SERVER, &rules);
    struct websocket_event event;
    unsigned failures = 0;
    unsigned events = 0;
    for (size_t at = 0; at < talk.count; at += 1000) {
        size_t piece = talk.count - at < 1000 ? talk.count - at : 1000;
        struct websocket_input input = {talk.bytes + at, piece};
        int result = 0;
        while (result != -EAGAIN) {
            allocations_left = 0;
            result = websocket_next(&ws, &input, &event);
            allocations_left = -1;
            if (result == -ENOMEM) {
                failures++;
                result = websocket_next(&ws, &input, &event);
            }
            assert_true(result == 0 || result == -EAGAIN);
            events += result == 0;
        }
    }
    assert_true(failures >= 4);
    assert_int_equal(events, 3);
    assert_int_equal(websocket_held_bytes(&ws), 0);
    websocket_fini(&ws);
    talk_fini(&talk);
}

static void
tail_survives_no_memory(void **state)
{
    (void)state;
    unsigned char bytes[] = "\x89\x84\0\0\0\0ping";
    struct websocket ws;
    websocket_init(&ws, WEBSOCKET_SERVER, &rules);
    struct websocket_event event;
    struct websocket_input input = {bytes, 1};
    allocations_left = 0;
    assert_int_equal(websocket_next(&ws, &input, &event), -ENOMEM);
    assert_int_equal(input.count, 1);
    allocations_left = -1;
    assert_int_equal(websocket_next(&ws, &input, &event), -EAGAIN);
    input = (struct websocket_input){bytes + 1, sizeof(bytes) - 2};
    assert_int_equal(websocket_next(&ws, &input, &event), 0);
    assert_int_equal(event.kind, WEBSOCKET_PING);
    assert_int_equal(event.count, 4);
    assert_memory_equal(event.bytes, "ping", 4);
    websocket_fini(&ws);
}

/* --------------------------------------------------------------------------------------- faults */

static void
refuses_by_role(void **state)
{
    (void)state;
    struct frame_header header = {.payload_bytes = 2, .opcode = FRAME_TEXT, .fin = true};
    struct talk talk = client();
    say_frame(&talk, &header, "hi");
    assert_heard(&talk, &rules, "error 1002 a client must mask its frames; ");
    header.masked = true;
    talk = server();
    say_frame(&talk, &header, "hi");
    assert_heard(&talk, &rules, "error 1002 a server must not mask its frames; ");
    header.opcode = FRAME_PING;
    talk = server();
    say_frame(&talk, &header, "hi");
    assert_heard(&talk, &rules, "error 1002 a server must not mask its frames; ");
}

static void
refuses_bad_headers(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        const char *expected;
    } cases[] = {
        {"\xc1\x80kkkk", 6, "error 1002 a reserved bit is set, but no extension was agreed on; "},
        {"\x83\x80kkkk", 6, "error 1002 the frame has a reserved opcode; "},
        {"\x09\x80kkkk", 6, "error 1002 a control frame must not be fragmented; "},
        {"\x89\xfe\x01\x00kkkk", 8, "error 1002 a control frame carries at most 125 bytes; "},
        {"\x82\xfe\x00\x01kkkk", 8, "error 1002 the frame's length is not in its shortest form; "},
        {"\x82\xff\xff\0\0\0\0\0\0\0kkkk", 14, "error 1002 the frame's length exceeds 63 bits; "},
        {"\x82\xff\0\0\0\0\0\1\x11\x71kkkk", 14,
         "error 1009 the frame is larger than is accepted here; "},
        {"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffkkkk", 14,
         "error 1009 the frame is larger than is accepted here; "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct talk talk = client();
        say(&talk, FRAME_TEXT, "fine");
        say_raw(&talk, cases[i].bytes, cases[i].count);
        say(&talk, FRAME_TEXT, "too late");
        char expected[128];
        (void)snprintf(expected, sizeof(expected), "text fine; %s", cases[i].expected);
        assert_heard(&talk, &rules, expected);
    }
}

static void
refuses_lone_continuation(void **state)
{
    (void)state;
    struct talk talk = client();
    say(&talk, FRAME_TEXT, "whole");
    say(&talk, FRAME_CONTINUATION, "more?");
    assert_heard(&talk, &rules,
                 "text whole; error 1002 a continuation frame without a message to continue; ");
    talk = client();
    say_part(&talk, FRAME_TEXT, "in ");
    say(&talk, FRAME_CONTINUATION, "two");
    say_part(&talk, FRAME_CONTINUATION, "three?");
    assert_heard(&talk, &rules,
                 "text in two; error 1002 a continuation frame without a message to continue; ");
}

static void
refuses_interruption(void **state)
{
    (void)state;
    struct talk talk = client();
    say_part(&talk, FRAME_TEXT, "");
    say(&talk, FRAME_TEXT, "another");
    assert_heard(&talk, &rules, "error 1002 a new message before the last one's final frame; ");
}

static void
refuses_kinds(void **state)
{
    (void)state;
    static const struct websocket_rules binary = {
        .frame_bytes_max = 100, .message_bytes_max = 100, .text_refused = true};
    static const struct websocket_rules text = {
        .frame_bytes_max = 100, .message_bytes_max = 100, .binary_refused = true};
    struct talk talk = client();
    say(&talk, FRAME_BINARY, "b");
    say_part(&talk, FRAME_BINARY, "b");
    say(&talk, FRAME_CONTINUATION, "b");
    say(&talk, FRAME_TEXT, "t");
    assert_heard(&talk, &binary,
                 "binary b; binary bb; error 1003 text messages are not accepted here, only binary "
                 "ones; ");
    talk = client();
    say(&talk, FRAME_TEXT, "t");
    say_part(&talk, FRAME_BINARY, "");
    assert_heard(&talk, &text,
                 "text t; error 1003 binary messages are not accepted here, only text; ");
}

static void
refuses_large_messages(void **state)
{
    (void)state;
    static const struct websocket_rules small = {.frame_bytes_max = 10, .message_bytes_max = 15};
    struct talk talk = client();
    say(&talk, FRAME_TEXT, "0123456789");
    say_part(&talk, FRAME_TEXT, "0123456789");
    say(&talk, FRAME_CONTINUATION, "01234");
    say_part(&talk, FRAME_TEXT, "0123456789");
    say(&talk, FRAME_PING, "longer than any message");
    say(&talk, FRAME_CONTINUATION, "012345");
    assert_heard(&talk, &small,
                 "text 0123456789; text 012345678901234; ping longer than any message; "
                 "error 1009 the message is larger than is accepted here; ");
    talk = client();
    say(&talk, FRAME_TEXT, "0123456789a");
    assert_heard(&talk, &small, "error 1009 the frame is larger than is accepted here; ");
}

static void
refuses_bad_text(void **state)
{
    (void)state;
    static const char refusal[] = "error 1007 the text message is not valid UTF-8; ";
    struct talk talk = client();
    say(&talk, FRAME_TEXT, "\xce\xba\xed\xa0\x80");
    assert_heard(&talk, &rules, refusal);
    talk = client();
    say(&talk, FRAME_TEXT, "ends within \xe2\x82");
    assert_heard(&talk, &rules, refusal);
    talk = client();
    say_part(&talk, FRAME_TEXT, "a \xe2");
    say_part(&talk, FRAME_CONTINUATION, "\x82");
    say(&talk, FRAME_CONTINUATION, "\xac");
    say(&talk, FRAME_BINARY, "b");
    assert_heard(&talk, &rules, "text a \xe2\x82\xac; binary b; ");
    talk = client();
    say_part(&talk, FRAME_TEXT, "a \xe2");
    say_part(&talk, FRAME_CONTINUATION, "\x82");
    say(&talk, FRAME_CONTINUATION, "");
    assert_heard(&talk, &rules, refusal);
    talk = client();
    say(&talk, FRAME_BINARY, "\x80");
    say_part(&talk, FRAME_TEXT, "fresh state ");
    say(&talk, FRAME_CONTINUATION, "\x80");
    struct hearing hearing = {.rules = &rules, .role = WEBSOCKET_SERVER};
    char *account = heard(&hearing, talk.bytes, talk.count);
    assert_non_null(strstr(account, refusal));
    assert_heard(&talk, &rules, account);
    free(account);
}

static void
refuses_bad_text_early(void **state)
{
    (void)state;
    struct talk talk = client();
    say_part(&talk, FRAME_TEXT, "bad \xff");
    assert_heard(&talk, &rules, "error 1007 the text message is not valid UTF-8; ");
    talk = client();
    say(&talk, FRAME_TEXT, "bad \xf4\x90 and then much more");
    talk.count -= 15; /* the frame is not all there, and need not be */
    assert_heard(&talk, &rules, "error 1007 the text message is not valid UTF-8; ");
}

/* -------------------------------------------------------------------------------------- closing */

static void
hears_closes(void **state)
{
    (void)state;
    struct talk talk = client();
    say(&talk, FRAME_CLOSE, "");
    say(&talk, FRAME_TEXT, "too late");
    assert_heard(&talk, &rules, "close 1005; ");
    talk = client();
    say_close(&talk, 4711, "gr\xc3\xbc\xc3\x9f dich");
    say_raw(&talk, "\xff\xff\xff rubbish", 11);
    assert_heard(&talk, &rules, "close 4711 gr\xc3\xbc\xc3\x9f dich; ");
    char reason[WEBSOCKET_REASON_BYTES_MAX + 1] = {0};
    memset(reason, 'r', WEBSOCKET_REASON_BYTES_MAX);
    talk = client();
    say_close(&talk, 1000, reason);
    struct hearing hearing = {.rules = &rules, .role = WEBSOCKET_SERVER};
    char *account = heard(&hearing, talk.bytes, talk.count);
    assert_memory_equal(account, "close 1000 123 bytes", 20);
    assert_heard(&talk, &rules, account);
    free(account);
}

static void
refuses_bad_closes(void **state)
{
    (void)state;
    struct talk talk = client();
    say(&talk, FRAME_CLOSE, "x");
    assert_heard(&talk, &rules, "error 1002 a close frame with half a code; ");
    talk = client();
    say_close(&talk, 1000, "bad \xff");
    assert_heard(&talk, &rules, "error 1007 the reason in the close frame is not valid UTF-8; ");
    talk = client();
    say_close(&talk, 1000, "cut \xe2\x82");
    assert_heard(&talk, &rules, "error 1007 the reason in the close frame is not valid UTF-8; ");
}

static void
knows_close_codes(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= 0xffff; code++) {
        bool standard = code == 1000 || code == 1001 || code == 1002 || code == 1003 ||
                        (code >= 1007 && code <= 1014);
        bool valid = standard || (code / 1000 == 3 || code / 1000 == 4);
        assert_int_equal(websocket_code_valid(code), valid);
    }
    static const unsigned bad[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct talk talk = client();
        say_close(&talk, bad[i], "");
        assert_heard(&talk, &rules, "error 1002 a close frame with a code that must not be sent; ");
    }
}

static void
closes_when_asked(void **state)
{
    (void)state;
    unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX];
    unsigned char close[] = "\x88\x82\0\0\0\0\x03\xe8";
    struct websocket_input input = {close, sizeof(close) - 1};
    struct websocket_event event;
    struct websocket ws;
    websocket_init(&ws, WEBSOCKET_SERVER, &rules);
    assert_int_equal(websocket_state(&ws), WEBSOCKET_OPEN);
    assert_int_equal(websocket_next(&ws, &input, &event), 0);
    assert_int_equal(websocket_state(&ws), WEBSOCKET_CLOSE_RECEIVED);
    assert_int_equal(websocket_header_encode(&ws, FRAME_TEXT, 1, NULL, out), -EPIPE);
    assert_int_equal(websocket_close_encode(&ws, event.code, NULL, NULL, out), 4);
    assert_memory_equal(out, "\x88\x02\x03\xe8", 4);
    assert_int_equal(websocket_state(&ws), WEBSOCKET_CLOSED);
    assert_int_equal(websocket_close_encode(&ws, event.code, NULL, NULL, out), -EPIPE);
    websocket_fini(&ws);
}

static void
closes_first(void **state)
{
    (void)state;
    unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX];
    unsigned char bytes[] = "\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0\x81\x82\0\0\0\0hi";
    struct websocket_input input = {bytes, sizeof(bytes) - 1};
    struct websocket_event event;
    struct websocket ws;
    websocket_init(&ws, WEBSOCKET_SERVER, &rules);
    assert_int_equal(websocket_close_encode(&ws, 1001, "restart", NULL, out), 11);
    assert_int_equal(websocket_state(&ws), WEBSOCKET_CLOSE_SENT);
    assert_int_equal(websocket_close_encode(&ws, 1001, "restart", NULL, out), -EPIPE);
    assert_int_equal(websocket_header_encode(&ws, FRAME_PING, 0, NULL, out), -EPIPE);
    assert_int_equal(websocket_next(&ws, &input, &event), 0);
    assert_int_equal(event.kind, WEBSOCKET_TEXT);
    assert_int_equal(websocket_next(&ws, &input, &event), 0);
    assert_int_equal(event.kind, WEBSOCKET_CLOSE);
    assert_int_equal(event.code, WEBSOCKET_CODE_NONE);
    assert_int_equal(websocket_state(&ws), WEBSOCKET_CLOSED);
    assert_int_equal(websocket_next(&ws, &input, &event), -EAGAIN);
    assert_int_equal(input.count, 0);
    websocket_fini(&ws);
}

static void
closes_after_an_error(void **state)
{
    (void)state;
    unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX];
    for (unsigned sent = 0; sent < 2; sent++) {
        unsigned char bytes[] = "\x81\x02hi";
        struct websocket_input input = {bytes, sizeof(bytes) - 1};
        struct websocket_event event;
        struct websocket ws;
        websocket_init(&ws, WEBSOCKET_SERVER, &rules);
        if (sent) {
            assert_true(websocket_close_encode(&ws, 1001, NULL, NULL, out) > 0);
        }
        assert_int_equal(websocket_next(&ws, &input, &event), 0);
        assert_int_equal(event.kind, WEBSOCKET_ERROR);
        assert_int_equal(websocket_state(&ws), sent ? WEBSOCKET_CLOSED : WEBSOCKET_CLOSE_RECEIVED);
        int bytes_out =
            websocket_close_encode(&ws, event.code, websocket_fault_text(event.fault), NULL, out);
        assert_true(sent ? bytes_out == -EPIPE : bytes_out > 4);
        assert_int_equal(websocket_state(&ws), WEBSOCKET_CLOSED);
        websocket_fini(&ws);
    }
}

/* -------------------------------------------------------------------------------------- writing */

static void
writes_frames(void **state)
{
    (void)state;
    unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX];
    struct websocket ws;
    websocket_init(&ws, WEBSOCKET_SERVER, &rules);
    assert_int_equal(websocket_header_encode(&ws, FRAME_TEXT, 5, NULL, out), 2);
    assert_memory_equal(out, "\x81\x05", 2);
    assert_int_equal(websocket_header_encode(&ws, FRAME_BINARY, 65536, NULL, out), 10);
    assert_memory_equal(out, "\x82\x7f\0\0\0\0\0\1\0\0", 10);
    struct websocket_event ping = {.kind = WEBSOCKET_PING, .bytes = (unsigned char *)"hey"};
    ping.count = 3;
    assert_int_equal(websocket_pong_encode(&ws, &ping, NULL, out), 5);
    assert_memory_equal(out, "\x8a\x03hey", 5);
    websocket_init(&ws, WEBSOCKET_CLIENT, &rules);
    assert_int_equal(websocket_header_encode(&ws, FRAME_TEXT, 5, key, out), 6);
    assert_memory_equal(out, "\x81\x85\x37\xfa\x21\x3d", 6);
    assert_int_equal(websocket_pong_encode(&ws, &ping, key, out), 9);
    frame_mask(out + 6, out + 6, 3, key, 0);
    assert_memory_equal(out, "\x8a\x83\x37\xfa\x21\x3dhey", 9);
    assert_true(websocket_close_encode(&ws, 1000, NULL, key, out) == 8);
    assert_int_equal(websocket_pong_encode(&ws, &ping, key, out), -EPIPE);
}

static void
writes_closes(void **state)
{
    (void)state;
    char reason[200] = {0};
    memset(reason, 'r', 122);
    memcpy(reason + 122, "\xe2\x82\xac and on", 9);
    unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX];
    struct websocket ws;
    websocket_init(&ws, WEBSOCKET_CLIENT, &rules);
    int bytes = websocket_close_encode(&ws, 4000, reason, key, out);
    assert_int_equal(bytes, 2 + 4 + 2 + 122); /* the character that would be cut stays away */
    struct talk talk = client();
    say_raw(&talk, out, (size_t)bytes);
    struct hearing hearing = {.rules = &rules, .role = WEBSOCKET_SERVER};
    char *account = heard(&hearing, talk.bytes, talk.count);
    assert_memory_equal(account, "close 4000 122 bytes", 20);
    free(account);
    talk_fini(&talk);
    websocket_init(&ws, WEBSOCKET_SERVER, &rules);
    assert_int_equal(websocket_close_encode(&ws, WEBSOCKET_CODE_NONE, "unsaid", NULL, out), 2);
    assert_memory_equal(out, "\x88\x00", 2);
}

static void
texts_fit_a_close(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < WEBSOCKET_FAULTS; fault++) {
        const char *text = websocket_fault_text((enum websocket_fault)fault);
        assert_non_null(text);
        assert_true(strlen(text) > 0 && strlen(text) <= WEBSOCKET_REASON_BYTES_MAX);
        assert_true(websocket_code_valid(websocket_fault_code((enum websocket_fault)fault)));
    }
    for (unsigned s = WEBSOCKET_OPEN; s <= WEBSOCKET_CLOSED; s++) {
        assert_string_not_equal(websocket_state_name((enum websocket_state)s), "invalid");
    }
}

/* Says a frame that may be said now; *open tells whether a message is under way. */
static void
say_something(struct talk *talk, bool *open, uint64_t *random)
{
    static unsigned char payload[9000];
    bool control = chance(random) % 4 == 0;
    uint64_t bound = chance(random) % 3 == 0 ? sizeof(payload) : 200;
    struct frame_header header = {.masked = talk->from == WEBSOCKET_CLIENT};
    header.payload_bytes = chance(random) % (control ? FRAME_CONTROL_PAYLOAD_MAX + 1 : bound);
    header.fin = control || chance(random) % 2 == 0;
    header.opcode = control ? FRAME_PING : *open ? FRAME_CONTINUATION : FRAME_BINARY;
    *open = control ? *open : !header.fin;
    uint32_t mask = (uint32_t)chance(random);
    memcpy(header.key, &mask, sizeof(mask));
    for (size_t i = 0; i < header.payload_bytes; i++) {
        payload[i] = (unsigned char)chance(random);
    }
    say_frame(talk, &header, payload);
}

static void
hears_random_conversations(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        uint64_t random = seed;
        struct talk talk = {.from = seed % 2 == 0 ? WEBSOCKET_CLIENT : WEBSOCKET_SERVER};
        bool open = false;
        for (unsigned i = 0; i < 30; i++) {
            say_something(&talk, &open, &random);
        }
        struct hearing hearing = {.rules = &rules};
        hearing.role = talk.from == WEBSOCKET_CLIENT ? WEBSOCKET_SERVER : WEBSOCKET_CLIENT;
        char *account = heard(&hearing, talk.bytes, talk.count);
        assert_null(strstr(account, "error"));
        assert_non_null(strstr(account, "binary"));
        assert_heard(&talk, &rules, account);
        free(account);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a server hears whole messages and control frames", hears_messages),
        SPEC("a client hears a server's plain frames", hears_a_server),
        SPEC("payloads of all three forms of length are heard", hears_lengths),
        SPEC("fragments are joined, empty ones too", joins_fragments),
        SPEC("thousands of small fragments are joined", joins_many_fragments),
        SPEC("control frames between fragments are heard at their place", hears_controls_between),
        SPEC("a frame that lies whole in the input is unmasked there, without memory",
             does_not_copy),
        SPEC("memory is held only while something is cut in the middle", holds_nothing_at_rest),
        SPEC("memory grows with what arrived, not with what was announced", believes_what_arrives),
        SPEC("a call that found no memory can be made again, and nothing is lost",
             survives_no_memory),
        SPEC("a cut header that found no memory is not lost", tail_survives_no_memory),
        SPEC("plain frames of a client and masked ones of a server are errors", refuses_by_role),
        SPEC("a header that breaks the protocol is an error, and nothing after it is heard",
             refuses_bad_headers),
        SPEC("a continuation with nothing to continue is an error", refuses_lone_continuation),
        SPEC("a new message before the last one ended is an error", refuses_interruption),
        SPEC("a kind of message that the rules refuse is an error", refuses_kinds),
        SPEC("a frame or message over its limit is an error, before it arrives",
             refuses_large_messages),
        SPEC("text that is not UTF-8 is an error, wherever its characters are cut",
             refuses_bad_text),
        SPEC("bad text is an error before its frame or message is complete",
             refuses_bad_text_early),
        SPEC("a close is heard with its code and reason, and nothing after it", hears_closes),
        SPEC("a close with half a code or a bad reason is an error", refuses_bad_closes),
        SPEC("a close with a code that must not be sent is an error", knows_close_codes),
        SPEC("a close received is answered once", closes_when_asked),
        SPEC("after a close was sent messages are heard until the other's close", closes_first),
        SPEC("an error is answered with a close unless one was sent", closes_after_an_error),
        SPEC("a server's frames are plain, a client's are masked", writes_frames),
        SPEC("the reason of a close is cut between characters", writes_closes),
        SPEC("each fault has a valid code and a text that fits a close", texts_fit_a_close),
        SPEC("random conversations are heard the same however they are cut",
             hears_random_conversations),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
