/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - where a WebSocket keeps what was cut in the middle: one heap buffer, which exists only
 * meanwhile.
 *
 *     [ message so far ............ ][ tail ............ ][ room ]
 *       message_bytes                  tail_bytes
 *
 * The tail is a header or a control frame, as it came, that is not all there. It stands behind the
 * message because a control frame may come between two fragments and may itself be cut; it is empty
 * while a payload is being gathered.
 *
 *     rc = gather_reserve(&gather, &need);            gather is made or grown
 *     memcpy(gather->bytes + gather->message_bytes, piece, piece_bytes);
 *     gather->tail_bytes += piece_bytes;
 *
 * For websocket.c alone.
 */
#pragma once

#include "net/frame.h"
#include "net/utf8.h"
#include "runtime/check.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    GATHER_TAIL_BYTES_MAX = 2 + FRAME_KEY_BYTES + FRAME_CONTROL_PAYLOAD_MAX, /* a control frame */
    GATHER_TRUST_BYTES = 4096, /* announced sizes are believed; beyond, memory follows arrival */
};

/* What the last event points at: it goes with the next call. */
enum gather_lent { GATHER_LENT_NOTHING, GATHER_LENT_MESSAGE, GATHER_LENT_TAIL };

struct gather {
    uint32_t capacity; /* of `bytes` */
    uint32_t message_bytes;
    uint32_t frame_bytes; /* payload of the current frame */
    uint32_t frame_left;  /* of it, still to come */
    unsigned char key[FRAME_KEY_BYTES];
    struct utf8 utf8; /* of a text message so far */
    uint8_t opcode; /* FRAME_TEXT or FRAME_BINARY: a message is open; FRAME_CONTINUATION: none is */
    uint8_t tail_bytes; /* GATHER_TAIL_BYTES_MAX at most */
    uint8_t lent;       /* enum gather_lent */
    bool fin;           /* the current frame ends its message */
    unsigned char bytes[];
};

struct gather_need {
    uint32_t now_bytes;       /* room for these behind what is kept */
    uint32_t announced_bytes; /* what the frame will bring in all, counted from here */
    uint32_t message_bytes_max;
    bool last; /* the message ends with them */
};

/* Makes *gather, or makes it large enough, within message_bytes_max and a tail. -ENOMEM: as it was
 * before. */
MUST_CHECK int gather_reserve(struct gather **gather, const struct gather_need *need);

/* True while a message is under way, between its first byte and the event that hands it out. */
static inline bool
gather_message_open(const struct gather *gather)
{
    return gather != NULL && gather->opcode != FRAME_CONTINUATION;
}

static inline uint32_t
gather_tail_bytes(const struct gather *gather)
{
    return gather == NULL ? 0 : gather->tail_bytes;
}

/* Drops what was lent, and frees *gather when nothing is kept. NULL is allowed. */
void gather_settle(struct gather **gather);

/* Takes *gather; NULL is allowed. */
void gather_free(struct gather **gather);
