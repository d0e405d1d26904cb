/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - memory that is taken piece by piece and given back all at once.
 *
 * Decoding a frame makes a small tree of structs that dies with its frame. An arena gives them room
 * from a block that the caller lends (a lent stack, a scheduler's scratch) and goes to the heap
 * only when that is full; after a reset the largest heap block stays, so that an arena in use
 * settles at no malloc at all.
 *
 *     unsigned char first[4096];
 *     struct arena arena;
 *     arena_init(&arena, first, sizeof(first), 256 << 10);
 *     ... protocol_decode_client(&decoder, bytes, count, &frame, &error) ...
 *     arena_reset(&arena);              frame is gone; the arena is ready for the next
 *     arena_fini(&arena);
 *
 * One thread at a time. The arena does not move: its allocator points into it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "runtime/check.h"

struct arena_block;

/* Embedded; the fields are for arena.c alone, but for `protobuf`, which is lent to protobuf-c. */
struct arena {
    unsigned char *next;
    unsigned char *end;
    unsigned char *first;
    unsigned char *first_end;
    struct arena_block *blocks; /* of the heap, the newest first */
    size_t heap_bytes;
    size_t heap_bytes_max;
    ProtobufCAllocator protobuf;
};

/* Borrows first_bytes at first until arena_fini; NULL and 0 are allowed. heap_bytes_max bounds what
 * it ever holds beside. */
void arena_init(struct arena *arena, void *first, size_t first_bytes, size_t heap_bytes_max);

/* Room for `bytes`, aligned for anything, uninitialised; NULL when the limit or the machine's
 * memory ends. */
void *arena_alloc(struct arena *arena, size_t bytes) MUST_CHECK;

/* Makes the piece given out last larger or smaller where it stands; false if it can't. */
bool arena_extend(struct arena *arena, void *last, size_t old_bytes, size_t bytes) MUST_CHECK;

/* Takes back everything that was given out. */
void arena_reset(struct arena *arena);

/* As arena_reset, and the heap's part is returned. */
void arena_fini(struct arena *arena);
