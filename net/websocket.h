/* SPDX-License-Identifier: Apache-2.0 */
/* websocket.h - one end of a WebSocket connection after its handshake: bytes go in, messages come
 * out. RFC 6455.
 *
 * It knows the rules of the conversation for either end, and nothing of sockets, time or chance.
 * Whoever owns the socket hands it what arrived and asks until everything is used up:
 *
 *     struct websocket_input input = {bytes, count};
 *     while ((result = websocket_next(&ws, &input, &event)) == 0)
 *         switch (event.kind) ...          event.bytes is good until the next call
 *     ...-EAGAIN: all used up; give the buffer back and wait for more
 *
 * and sends a message as a small header with the payload behind it, by reference:
 *
 *     int bytes = websocket_header_encode(&ws, FRAME_BINARY, payload_bytes, key, header);
 *
 * Between two inputs it holds no memory unless a frame or message is cut in the middle: what is
 * missing then gathers on the heap, which grows with what has arrived, not with what was announced.
 * A message that lies whole in the input is unmasked in place and never copied.
 *
 * The owner answers pings (websocket_pong_encode), a close (websocket_close_encode, then ends the
 * stream once it is sent) and an error (the same, with event.code). One thread at a time; events
 * never depend on how the bytes were cut into inputs.
 */
#pragma once

#include "net/frame.h"
#include "net/websocket_fault.h"
#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What this end accepts. Shared by all connections of a kind; outlives them. */
struct websocket_rules {
    uint32_t frame_bytes_max;   /* payload of one frame */
    uint32_t message_bytes_max; /* all frames of one message; WEBSOCKET_MESSAGE_BYTES_MAX at most */
    bool text_refused, binary_refused;
};

enum {
    WEBSOCKET_MESSAGE_BYTES_MAX = 1 << 30, /* so that twice of it, and a header, fit 32 bits */
    WEBSOCKET_REASON_BYTES_MAX = FRAME_CONTROL_PAYLOAD_MAX - 2,
    WEBSOCKET_CONTROL_BYTES_MAX = 2 + FRAME_KEY_BYTES + FRAME_CONTROL_PAYLOAD_MAX,
};

enum websocket_role {
    WEBSOCKET_SERVER, /* reads masked frames, writes plain ones */
    WEBSOCKET_CLIENT, /* reads plain frames, writes masked ones */
};

/*          close event, error                     websocket_close_encode
 *   OPEN ----------------------> CLOSE_RECEIVED -------------------------> CLOSED
 *     |                                                                      ^
 *     +--------------------------> CLOSE_SENT -------------------------------+
 *          websocket_close_encode                   close event, error
 *
 * After a close or an error nothing more is read: what follows is swallowed. */
enum websocket_state {
    WEBSOCKET_OPEN,
    WEBSOCKET_CLOSE_RECEIVED, /* this end still owes its close */
    WEBSOCKET_CLOSE_SENT,     /* may still receive, sends no more */
    WEBSOCKET_CLOSED,
};

enum websocket_event_kind {
    WEBSOCKET_TEXT,   /* bytes: the message, valid UTF-8 */
    WEBSOCKET_BINARY, /* bytes: the message */
    WEBSOCKET_PING,   /* bytes: to be sent back in a pong */
    WEBSOCKET_PONG,   /* bytes: what it carries */
    WEBSOCKET_CLOSE,  /* code: the peer's, or WEBSOCKET_CODE_NONE; bytes: its reason, valid UTF-8 */
    WEBSOCKET_ERROR,  /* fault: what the peer did; code: what to close with */
};

/* The bytes are borrowed until the next call on this websocket, or until the input's buffer
 * goes. */
struct websocket_event {
    enum websocket_event_kind kind;
    enum websocket_fault fault;
    uint16_t code;
    unsigned char *bytes;
    size_t count;
};

/* What has arrived and is not used up yet. The bytes are overwritten where they are unmasked. */
struct websocket_input {
    unsigned char *bytes;
    size_t count;
};

struct gather;

/* Embedded in its owner; all of it is the implementation's. */
struct websocket {
    const struct websocket_rules *rules;
    struct gather *gather; /* NULL at rest */
    uint8_t role, state;
};

/* Open, at rest. Borrows the rules for as long as it lives. */
void websocket_init(struct websocket *ws, enum websocket_role role,
                    const struct websocket_rules *rules);
/* Gives back what it holds. A zeroed struct is allowed, twice is allowed. */
void websocket_fini(struct websocket *ws);

/* The next event, or -EAGAIN: the input is used up (count is 0) and *out untouched. -ENOMEM: there
 * was no memory to keep a cut piece; nothing was lost, the same call may be made again, or the
 * connection closed. */
MUST_CHECK int websocket_next(struct websocket *ws, struct websocket_input *input,
                              struct websocket_event *out);

enum websocket_state websocket_state(const struct websocket *ws);
const char *websocket_state_name(enum websocket_state state);
/* Heap bytes held for what is cut in the middle; 0 at rest. */
size_t websocket_held_bytes(const struct websocket *ws);

/* The header of a whole, unfragmented frame; returns its bytes, or -EPIPE once a close was sent or
 * received, when nothing but the close may follow. A client sends frame_mask(payload) behind it,
 * with a `key` nobody can guess; a server sends the payload as it is, and its `key` is NULL.
 * Control payloads: FRAME_CONTROL_PAYLOAD_MAX at most; closes go through websocket_close_encode
 * alone. */
MUST_CHECK int websocket_header_encode(const struct websocket *ws, enum frame_opcode opcode,
                                       uint64_t payload_bytes, const unsigned char *key,
                                       unsigned char out[FRAME_HEADER_BYTES_MAX]);

/* The whole frame that answers a ping event; returns its bytes or -EPIPE. (A ping of one's own:
 * websocket_header_encode with no payload.) */
MUST_CHECK int websocket_pong_encode(const struct websocket *ws, const struct websocket_event *ping,
                                     const unsigned char *key,
                                     unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX]);

/* The close frame, and the step in the closing handshake: the caller sends it, and nothing after
 * it. `code` is a valid one or WEBSOCKET_CODE_NONE, as a close event gave it; `reason` (NULL: none)
 * is UTF-8, cut at a character where it is too long. Returns the frame's bytes, or -EPIPE when a
 * close was sent before. */
MUST_CHECK int websocket_close_encode(struct websocket *ws, uint16_t code, const char *reason,
                                      const unsigned char *key,
                                      unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX]);
