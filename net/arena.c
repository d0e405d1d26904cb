/* SPDX-License-Identifier: Apache-2.0 */
/* A reset keeps the largest heap block and works in it from then on; what the caller lent is then
 * left alone, since a frame that overflowed it once is likely to do so again. */
#include "net/arena.h"

#include <stdint.h>
#include <stdlib.h>

enum {
    ARENA_ALIGN = _Alignof(max_align_t),
    /* The first heap block: a frame of common size fits. */
    ARENA_BLOCK_BYTES_MIN = 4096,
    /* No frame is that large; the bound keeps the arithmetic below from overflowing. */
    ARENA_REQUEST_BYTES_MAX = 1 << 30,
};

struct arena_block {
    struct arena_block *older;
    size_t bytes;
    _Alignas(max_align_t) unsigned char room[];
};

static void *
protobuf_alloc(void *arena, size_t bytes)
{
    return arena_alloc(arena, bytes);
}

static void
protobuf_free(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

void
arena_init(struct arena *arena, void *first, size_t first_bytes, size_t heap_bytes_max)
{
    *arena = (struct arena){
        .heap_bytes_max = heap_bytes_max,
        .protobuf = {.alloc = protobuf_alloc, .free = protobuf_free, .allocator_data = arena},
    };
    if (first != NULL) {
        size_t skew = -(uintptr_t)first & (ARENA_ALIGN - 1);
        ASSERT(first_bytes >= skew);
        arena->next = (unsigned char *)first + skew;
        arena->end = (unsigned char *)first + first_bytes;
    }
    arena->first = arena->next;
    arena->first_end = arena->end;
}

/* Adds a block with room for `bytes`; false at the limit, or without memory. */
static bool
arena_grow(struct arena *arena, size_t bytes)
{
    size_t left = arena->heap_bytes_max - arena->heap_bytes;
    if (bytes > left) {
        return false;
    }
    size_t wanted = arena->blocks != NULL ? arena->blocks->bytes * 2 : ARENA_BLOCK_BYTES_MIN;
    if (wanted > left) {
        wanted = left;
    }
    if (wanted < bytes) {
        wanted = bytes;
    }
    struct arena_block *block = malloc(sizeof(*block) + wanted);
    if (block == NULL) {
        return false;
    }
    block->older = arena->blocks;
    block->bytes = wanted;
    arena->blocks = block;
    arena->heap_bytes += wanted;
    arena->next = block->room;
    arena->end = block->room + wanted;
    return true;
}

void *
arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > ARENA_REQUEST_BYTES_MAX) {
        return NULL;
    }
    size_t rounded = bytes == 0 ? ARENA_ALIGN : (bytes + ARENA_ALIGN - 1) & -(size_t)ARENA_ALIGN;
    if (__builtin_expect((size_t)(arena->end - arena->next) < rounded, 0) &&
        !arena_grow(arena, rounded)) {
        return NULL;
    }
    unsigned char *room = arena->next;
    arena->next += rounded;
    return room;
}

bool
arena_extend(struct arena *arena, void *last, size_t old_bytes, size_t bytes)
{
    size_t old = (old_bytes + ARENA_ALIGN - 1) & -(size_t)ARENA_ALIGN;
    if (bytes > ARENA_REQUEST_BYTES_MAX || (unsigned char *)last + old != arena->next) {
        return false;
    }
    size_t wanted = (bytes + ARENA_ALIGN - 1) & -(size_t)ARENA_ALIGN;
    if (wanted > (size_t)(arena->end - (unsigned char *)last)) {
        return false;
    }
    arena->next = (unsigned char *)last + wanted;
    return true;
}

/* Frees all blocks but `kept`. */
static void
arena_free_blocks(struct arena *arena, struct arena_block *kept)
{
    struct arena_block *block = arena->blocks;
    while (block != NULL) {
        struct arena_block *older = block->older;
        if (block != kept) {
            free(block);
        }
        block = older;
    }
    arena->blocks = kept;
    arena->heap_bytes = 0;
    if (kept != NULL) {
        kept->older = NULL;
        arena->heap_bytes = kept->bytes;
    }
}

void
arena_reset(struct arena *arena)
{
    if (arena->blocks == NULL) {
        arena->next = arena->first;
        return;
    }
    struct arena_block *kept = arena->blocks;
    for (struct arena_block *block = kept->older; block != NULL; block = block->older) {
        if (block->bytes > kept->bytes) {
            kept = block;
        }
    }
    arena_free_blocks(arena, kept);
    arena->next = kept->room;
    arena->end = kept->room + kept->bytes;
}

void
arena_fini(struct arena *arena)
{
    if (arena == NULL) {
        return;
    }
    arena_free_blocks(arena, NULL);
    arena->next = arena->first;
    arena->end = arena->first_end;
}
