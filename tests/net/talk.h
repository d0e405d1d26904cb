/* SPDX-License-Identifier: Apache-2.0 */
/* talk.h - a vocabulary for WebSocket conversations: what one end says, frame by frame, and what
 * the other hears.
 *
 *     struct talk talk = {.from = WEBSOCKET_CLIENT};
 *     say(&talk, FRAME_TEXT, "hello");
 *     say_part(&talk, FRAME_BINARY, "be");
 *     say(&talk, FRAME_CONTINUATION, "gin");
 *     assert_heard(&talk, &rules, "text hello; binary begin; ");
 *
 * What is heard is written as text, one event after another. assert_heard hears the same bytes
 * whole, byte by byte and in many random cuts, each piece in memory of exactly its size that is
 * freed before the next: the account must be the same each time.
 */
#pragma once

#include "net/websocket.h"

#include <stddef.h>
#include <stdint.h>

enum { TALK_BYTES_MAX = 1 << 20, TALK_RANDOM_CUTS = 40 };

/* What is said so far. `from` is the role of who says it. Zero the rest, talk_fini at the end. */
struct talk {
    enum websocket_role from;
    unsigned char *bytes;
    size_t count;
};

void talk_fini(struct talk *talk);

void say_raw(struct talk *talk, const void *bytes, size_t count);
/* A frame as the header says, whether right or wrong; masked only when it says so. The payload is
 * header.payload_bytes long. */
void say_frame(struct talk *talk, const struct frame_header *header, const void *payload);
/* A right frame of this end, with a terminated text; the last of its message, and not the last. */
void say(struct talk *talk, enum frame_opcode opcode, const char *text);
void say_part(struct talk *talk, enum frame_opcode opcode, const char *text);
/* The same with bytes that may be anything. */
void say_bytes(struct talk *talk, enum frame_opcode opcode, const void *bytes, size_t count);

/* How a stream is cut into inputs: 0 not at all, 1 byte by byte, else at random from this seed. */
struct hearing {
    const struct websocket_rules *rules;
    enum websocket_role role;
    uint64_t cuts;
    bool closing; /* this end has sent its close before it hears */
};

/* What is heard of a stream, terminated, to be freed by the caller: "text hello; ping; close 1000
 * bye; ". A payload of over 64 bytes, or with unprintable bytes, is told by its length and a hash.
 * Ends the process when a promise of websocket.h is broken on the way. */
char *heard(const struct hearing *hearing, const unsigned char *bytes, size_t count);

/* Ends the test unless the other end hears exactly this, however the bytes are cut. Forgets what
 * was said. */
void assert_heard(struct talk *talk, const struct websocket_rules *rules, const char *expected);

/* A small generator of chance, the same everywhere: splitmix64. */
uint64_t chance(uint64_t *state);
