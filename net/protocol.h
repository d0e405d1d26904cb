/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.h - what a frame is: one schema, two forms, one set of limits.
 *
 * The messages are those of net/linnet.proto, as the structs that protoc-c makes of them. A
 * connection speaks either their binary form or their JSON form; here is the only place that knows
 * the difference. Decoding is strict: what it lets through can be encoded again in both forms and
 * decoded by any client's library.
 *
 *     struct protocol_decoder decoder = {.form = form, .limits = &limits, .arena = &arena};
 *     struct protocol_error error;
 *     Linnet__V1__ClientFrame *frame;
 *     if (protocol_decode_client(&decoder, bytes, count, &frame, &error) < 0) {
 *         ... answer error.number, error.ref with error.code, error.text ...
 *     }
 *     rc = protocol_encode(form, &event.base, room, room_bytes, &used);
 *
 * Frames are decoded into an arena and die with its reset; nothing here keeps state or takes memory
 * elsewhere. Any thread; never yields. Libraries decode: it is for lent stacks, not for small ones.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/arena.h"
#include "net/linnet.pb-c.h"
#include "runtime/check.h"

enum protocol_form {
    PROTOCOL_BINARY, /* linnet.v1.proto: binary WebSocket messages */
    PROTOCOL_JSON,   /* linnet.v1.json: text WebSocket messages */
};

/* What the node tells in its welcome and holds clients to. All are settings;
 * protocol_limits_default has the defaults. */
struct protocol_limits {
    uint32_t message_bytes_max;          /* body, references and media types of one sendMessage */
    uint32_t attachments_max;            /* of one sendMessage */
    uint32_t frame_bytes_max;            /* of one WebSocket message, either form */
    uint32_t commands_unanswered_max;    /* then the connection is not read any further */
    uint32_t unacknowledged_entries_max; /* of an inbox on the wire, per device */
    uint32_t unacknowledged_bytes_max;
    uint32_t idle_timeout_ms;      /* of silence, before the connection is closed */
    uint32_t presence_interval_ms; /* between two signs of life from the foreground */
    uint32_t presence_watches_max; /* of one connection */
    uint32_t call_ring_ms;         /* how long a call rings */
    uint32_t history_days;         /* that getHistory goes back; 0: history is off */
    uint32_t group_members_max;    /* of one group, its owner among them */
};

enum {
    /* How far below the highest accepted number of a device a retry is still recognised:
     * WireGuard's window, one word. */
    PROTOCOL_COMMAND_WINDOW = 64,
    /* Names are shown in lists and are keys of the directory: longer ones serve nobody. */
    PROTOCOL_NAME_BYTES_MAX = 64,
    /* Argon2id takes any length; the bound keeps a login from being a way to make the node hash
     * megabytes. */
    PROTOCOL_PASSWORD_BYTES_MAX = 1024,
    PROTOCOL_CONTENT_KIND_MAX = 255,
    PROTOCOL_DEVICE_NAME_BYTES_MAX = 64,
    PROTOCOL_LINK_CODE_BYTES_MAX = 64, /* however it is typed */
    /* Tokens are opaque to clients; ours are shorter, this leaves room for those of later kinds. */
    PROTOCOL_TOKEN_BYTES_MAX = 256,
    /* The longest upload URL path, and RFC 6838's bound for a media type. */
    PROTOCOL_REFERENCE_BYTES_MAX = 255,
    PROTOCOL_MEDIA_TYPE_BYTES_MAX = 127,
    /* WhatsApp's, about. The store has the same. */
    PROTOCOL_GROUP_NAME_BYTES_MAX = 100,
    PROTOCOL_GROUP_DESCRIPTION_BYTES_MAX = 512,
    PROTOCOL_GROUP_PICTURE_BYTES_MAX = 128,
    /* Whom one change of a group names: a change is one entry in each member's inbox. */
    PROTOCOL_GROUP_SUBJECTS_MAX = 256,
    /* Invitations are opaque to clients; ours are shorter. */
    PROTOCOL_INVITE_BYTES_MAX = 64,
    /* What a user calls a contact or himself, and says of himself. */
    PROTOCOL_OWN_NAME_BYTES_MAX = 128,
    PROTOCOL_ABOUT_BYTES_MAX = 512,
    /* A draft is kept for other devices while it is being written; a page of text. */
    PROTOCOL_DRAFT_BYTES_MAX = 8000,
    /* Of one rule about who may see something. */
    PROTOCOL_EXCEPTIONS_MAX = 256,
    /* As much as a WebSocket ping carries. */
    PROTOCOL_PING_BYTES_MAX = 125,
    /* A session description with all that clients put around it; the store has the same. */
    PROTOCOL_CALL_CONTENT_BYTES_MAX = 16 << 10,
    PROTOCOL_PUSH_APP_BYTES_MAX = 1024,
    PROTOCOL_PUSH_POINT_BYTES = 65,
    PROTOCOL_PUSH_AUTH_BYTES = 16,
    /* An error's text with its field's path; longer ones are cut. */
    PROTOCOL_ERROR_TEXT_BYTES = 160,
    /* A connection that sends so many undecodable frames is a program gone astray, not a typing
     * person. */
    PROTOCOL_BAD_FRAMES_MAX = 32,
    /* Nesting of JSON that is skipped as unknown (a client reading a newer node's event). */
    PROTOCOL_DEPTH_MAX = 16,
};

/* Every number of the protocol stays below 2^53 (a JavaScript client holds it exactly). A device's
 * own command numbers stay in the lower half of that; the upper half is for messages sent without a
 * number, which the node numbers. */
#define PROTOCOL_NUMBER_MAX ((UINT64_C(1) << 53) - 1)
#define PROTOCOL_COMMAND_NUMBER_MAX ((UINT64_C(1) << 52) - 1)

/* How long a message may be to last, if it is to disappear. */
#define PROTOCOL_TTL_MS_MIN UINT64_C(1000)
#define PROTOCOL_TTL_MS_MAX (UINT64_C(366) * 24 * 3600 * 1000)

/* Why a WebSocket connection was closed, as told in its close frame. Below 4000 they are RFC
 * 6455's; each says what the client does next. docs/protocol.md has the same list. */
enum protocol_close {
    PROTOCOL_CLOSE_NORMAL = 1000,         /* the client asked for it */
    PROTOCOL_CLOSE_GOING_AWAY = 1001,     /* the node goes down: reconnect, after a random while */
    PROTOCOL_CLOSE_PROTOCOL_ERROR = 1002, /* the frames broke RFC 6455: a bug in the client */
    PROTOCOL_CLOSE_UNSUPPORTED = 1003,  /* text where the subprotocol has binary, or the reverse */
    PROTOCOL_CLOSE_INVALID_UTF8 = 1007, /* a text message was not UTF-8 */
    PROTOCOL_CLOSE_TOO_BIG = 1009,      /* beyond frame_bytes_max: never send this again */
    PROTOCOL_CLOSE_INTERNAL = 1011,     /* the node failed: reconnect with back-off */
    PROTOCOL_CLOSE_UNAUTHENTICATED =
        4001, /* no login in time, too many failed, or the token was refused: log in */
    PROTOCOL_CLOSE_REPLACED = 4002, /* the same device connected anew: do not reconnect */
    PROTOCOL_CLOSE_REVOKED =
        4003, /* the device's token or the user was removed: forget the token */
    PROTOCOL_CLOSE_BAD_FRAMES =
        4004, /* PROTOCOL_BAD_FRAMES_MAX undecodable frames: a bug in the client */
    PROTOCOL_CLOSE_IDLE = 4008,         /* silent for idle_timeout_ms: reconnect */
    PROTOCOL_CLOSE_OVERLOADED = 4013,   /* no room for this connection: reconnect with back-off */
    PROTOCOL_CLOSE_SLOW = 4014,         /* it did not read what was sent: reconnect */
    PROTOCOL_CLOSE_RATE_LIMITED = 4029, /* far too fast for far too long: reconnect with back-off */
};

/* What was wrong with a frame from outside: everything its sender needs for mending it. */
struct protocol_error {
    Linnet__V1__Error__Code code;
    /* Of the command, where they could be read before the error was met; else 0. */
    uint64_t number;
    uint64_t ref;
    /* "sendMessage.chat.userId: not an unsigned 64-bit number" */
    char text[PROTOCOL_ERROR_TEXT_BYTES];
};

/* The defaults of all limits. */
extern const struct protocol_limits protocol_limits_default;

/* The name of a form's WebSocket subprotocol. */
const char *protocol_form_name(enum protocol_form form);

/* The form that a subprotocol's name (not terminated) selects; -ENOENT if it is none of ours. */
int protocol_form_of(const char *name, size_t bytes, enum protocol_form *out_form) MUST_CHECK;

/* What decoding needs beside the bytes; borrowed for each call, so it may be one per connection or
 * made on the spot. */
struct protocol_decoder {
    enum protocol_form form;
    const struct protocol_limits *limits; /* for client frames; NULL: the defaults */
    struct arena *arena;
};

/* Decodes a client's frame, and checks all that can be known without state: exactly one command, no
 * field missing, numbers and texts within their bounds, messages within the limits. What passes
 * need not be checked again.
 * -EPROTO: the peer's mistake, told in *out_error. -ENOMEM: beyond the arena's limit, told there
 * too. */
int protocol_decode_client(const struct protocol_decoder *decoder, const void *bytes, size_t count,
                           Linnet__V1__ClientFrame **out_frame,
                           struct protocol_error *out_error) MUST_CHECK;

/* The second half of that for a frame made here instead of decoded: would a node with these limits
 * take it? The strings' UTF-8 isn't looked at. -EPROTO as above. */
int protocol_check_client(const Linnet__V1__ClientFrame *frame,
                          const struct protocol_limits *limits,
                          struct protocol_error *out_error) MUST_CHECK;

/* Decodes a node's frame, for the client's side. Unknown fields and events are skipped in both
 * forms: a newer node may send them, and then no event is set. Errors as above. */
int protocol_decode_server(const struct protocol_decoder *decoder, const void *bytes, size_t count,
                           Linnet__V1__ServerFrame **out_frame,
                           struct protocol_error *out_error) MUST_CHECK;

/* How many bytes protocol_encode will write. */
size_t protocol_encoded_bytes(enum protocol_form form, const ProtobufCMessage *message);

/* Writes a message (a frame's .base) to `out`; -ENOBUFS if it does not fit into out_bytes_max.
 * *out_bytes is what the whole of it takes, either way. */
int protocol_encode(enum protocol_form form, const ProtobufCMessage *message, void *out,
                    size_t out_bytes_max, size_t *out_bytes) MUST_CHECK;

/* "BAD_FRAME" and so on; "UNKNOWN" for a code that this version doesn't know. */
const char *protocol_error_name(Linnet__V1__Error__Code code);

/* Whether the same command, sent again later with the same number, may succeed. Known from the
 * number of the code, so that it holds for codes newer than this version. */
bool protocol_error_passes(Linnet__V1__Error__Code code);
