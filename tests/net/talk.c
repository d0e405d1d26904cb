/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/talk.h"

#include "net/gather.h"
#include "tests/spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char key[FRAME_KEY_BYTES] = {0x37, 0xfa, 0x21, 0x3d};

uint64_t
chance(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* --------------------------------------------------------------------------------------- saying */

void
talk_fini(struct talk *talk)
{
    free(talk->bytes);
    talk->bytes = NULL;
    talk->count = 0;
}

void
say_raw(struct talk *talk, const void *bytes, size_t count)
{
    if (talk->bytes == NULL) {
        talk->bytes = malloc(TALK_BYTES_MAX);
        ASSERT(talk->bytes != NULL);
    }
    ASSERT(TALK_BYTES_MAX - talk->count >= count);
    if (count > 0) {
        memcpy(talk->bytes + talk->count, bytes, count);
    }
    talk->count += count;
}

void
say_frame(struct talk *talk, const struct frame_header *header, const void *payload)
{
    unsigned char encoded[FRAME_HEADER_BYTES_MAX];
    say_raw(talk, encoded, frame_header_encode(header, encoded));
    size_t count = (size_t)header->payload_bytes;
    say_raw(talk, payload, count);
    if (header->masked) {
        unsigned char *at = talk->bytes + talk->count - count;
        frame_mask(at, at, count, header->key, 0);
    }
}

static struct frame_header
header_of(const struct talk *talk, enum frame_opcode opcode, size_t count)
{
    struct frame_header header = {.payload_bytes = count, .opcode = opcode, .fin = true};
    header.masked = talk->from == WEBSOCKET_CLIENT;
    memcpy(header.key, key, FRAME_KEY_BYTES);
    return header;
}

void
say_bytes(struct talk *talk, enum frame_opcode opcode, const void *bytes, size_t count)
{
    struct frame_header header = header_of(talk, opcode, count);
    say_frame(talk, &header, bytes);
}

void
say(struct talk *talk, enum frame_opcode opcode, const char *text)
{
    say_bytes(talk, opcode, text, strlen(text));
}

void
say_part(struct talk *talk, enum frame_opcode opcode, const char *text)
{
    struct frame_header header = header_of(talk, opcode, strlen(text));
    header.fin = false;
    say_frame(talk, &header, text);
}

/* -------------------------------------------------------------------------------------- hearing */

static void
payload_print(FILE *account, const unsigned char *bytes, size_t count)
{
    bool printable = count <= 64;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++) {
        printable = printable && bytes[i] >= ' ' && bytes[i] != 0x7f;
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    if (printable) {
        (void)fprintf(account, "%s%.*s; ", count > 0 ? " " : "", (int)count, (const char *)bytes);
    } else {
        (void)fprintf(account, " %zu bytes #%016" PRIx64 "; ", count, hash);
    }
}

static void
event_print(FILE *account, const struct websocket_event *event)
{
    static const char *const names[] = {
        [WEBSOCKET_TEXT] = "text", [WEBSOCKET_BINARY] = "binary", [WEBSOCKET_PING] = "ping",
        [WEBSOCKET_PONG] = "pong", [WEBSOCKET_CLOSE] = "close",   [WEBSOCKET_ERROR] = "error",
    };
    (void)fprintf(account, "%s", names[event->kind]);
    if (event->kind == WEBSOCKET_CLOSE || event->kind == WEBSOCKET_ERROR) {
        (void)fprintf(account, " %u", event->code);
    }
    if (event->kind == WEBSOCKET_ERROR) {
        ASSERT(event->code == websocket_fault_code(event->fault));
        (void)fprintf(account, " %s; ", websocket_fault_text(event->fault));
    } else {
        payload_print(account, event->bytes, event->count);
    }
}

static void
promises_check(const struct hearing *hearing, const struct websocket *ws,
               const struct websocket_event *event)
{
    const struct websocket_rules *rules = hearing->rules;
    bool message = event->kind == WEBSOCKET_TEXT || event->kind == WEBSOCKET_BINARY;
    bool control = event->kind == WEBSOCKET_PING || event->kind == WEBSOCKET_PONG;
    ASSERT(!message || event->count <= rules->message_bytes_max);
    ASSERT(!control || event->count <= FRAME_CONTROL_PAYLOAD_MAX);
    ASSERT(event->kind != WEBSOCKET_TEXT || !rules->text_refused);
    ASSERT(event->kind != WEBSOCKET_BINARY || !rules->binary_refused);
    enum websocket_state ended = hearing->closing ? WEBSOCKET_CLOSED : WEBSOCKET_CLOSE_RECEIVED;
    enum websocket_state open = hearing->closing ? WEBSOCKET_CLOSE_SENT : WEBSOCKET_OPEN;
    ASSERT(websocket_state(ws) == (message || control ? open : ended));
}

static size_t
piece_bytes(const struct hearing *hearing, uint64_t *state, size_t left)
{
    if (hearing->cuts <= 1) {
        return hearing->cuts == 0 ? left : 1;
    }
    uint64_t bound = chance(state) % 4 == 0 ? left : 1 + chance(state) % 16;
    size_t bytes = 1 + (size_t)(chance(state) % bound);
    return bytes < left ? bytes : left;
}

/* One input, in memory of its own that is gone afterwards. */
static void
piece_hear(const struct hearing *hearing, struct websocket *ws, const unsigned char *bytes,
           size_t count, FILE *account)
{
    unsigned char *copy = malloc(count);
    ASSERT(copy != NULL);
    memcpy(copy, bytes, count);
    struct websocket_input input = {copy, count};
    struct websocket_event event;
    int result;
    while ((result = websocket_next(ws, &input, &event)) == 0) {
        event_print(account, &event);
        promises_check(hearing, ws, &event);
    }
    ASSERT(result == -EAGAIN);
    ASSERT(input.count == 0 && input.bytes == copy + count);
    ASSERT(websocket_held_bytes(ws) <=
           sizeof(struct gather) + hearing->rules->message_bytes_max + GATHER_TAIL_BYTES_MAX);
    free(copy);
}

char *
heard(const struct hearing *hearing, const unsigned char *bytes, size_t count)
{
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *account = open_memstream(&text, &text_bytes);
    ASSERT(account != NULL);
    struct websocket ws;
    websocket_init(&ws, hearing->role, hearing->rules);
    if (hearing->closing) {
        unsigned char frame[WEBSOCKET_CONTROL_BYTES_MAX];
        const unsigned char *mask = hearing->role == WEBSOCKET_CLIENT ? key : NULL;
        int written = websocket_close_encode(&ws, WEBSOCKET_CODE_NORMAL, NULL, mask, frame);
        ASSERT(written > 0);
    }
    uint64_t state = hearing->cuts;
    while (count > 0) {
        size_t piece = piece_bytes(hearing, &state, count);
        piece_hear(hearing, &ws, bytes, piece, account);
        bytes += piece;
        count -= piece;
    }
    (void)fprintf(account, "%s", websocket_held_bytes(&ws) > 0 ? "..." : "");
    websocket_fini(&ws);
    int closed = fclose(account);
    ASSERT(closed == 0);
    return text;
}

void
assert_heard(struct talk *talk, const struct websocket_rules *rules, const char *expected)
{
    struct hearing hearing = {.rules = rules};
    hearing.role = talk->from == WEBSOCKET_CLIENT ? WEBSOCKET_SERVER : WEBSOCKET_CLIENT;
    for (hearing.cuts = 0; hearing.cuts < TALK_RANDOM_CUTS; hearing.cuts++) {
        char *account = heard(&hearing, talk->bytes, talk->count);
        assert_string_equal(account, expected);
        free(account);
    }
    talk_fini(talk);
}
