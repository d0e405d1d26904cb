/* SPDX-License-Identifier: Apache-2.0 */
/* The sizes: multiples of 16 up to 256, then four steps to each doubling (320, 384, 448, 512, 640
 * ... 8192): a piece wastes a fifth at most. */
#include "store/pool.h"

#include "runtime/check.h"
#include "store/span.h"

#include <assert.h>
#include <stdlib.h>

enum {
    GRAIN = 16,
    FINE_BYTES_MAX = 256,
    FINE_SIZES = FINE_BYTES_MAX / GRAIN,
    STEPS = 4, /* to a doubling */
};
static_assert(FINE_SIZES + 5 * STEPS == POOL_SIZES, "256 doubles five times to 8192");

/* AddressSanitizer is told what is given out, so that it finds a value used after the table has
 * given it back, as it would for the heap's. */
#if defined(__SANITIZE_ADDRESS__)
#define POOL_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_ADDRESS_SANITIZER 1
#endif
#endif

#if defined(POOL_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#define PIECE_HIDE(piece, bytes) __asan_poison_memory_region((piece), (bytes))
#define PIECE_SHOW(piece, bytes) __asan_unpoison_memory_region((piece), (bytes))
#else
#define PIECE_HIDE(piece, bytes) ((void)(piece), (void)(bytes))
#define PIECE_SHOW(piece, bytes) ((void)(piece), (void)(bytes))
#endif

/* The beginning of a span, which it says. */
struct pool_chunk {
    struct pool_chunk *next;
    struct span span;
};
static_assert(sizeof(struct pool_chunk) % GRAIN == 0, "pieces are aligned");

/* A piece of the heap's, in a list so that it is found when all is freed. */
struct pool_large {
    struct pool_large *next;
    struct pool_large *previous;
};
static_assert(sizeof(struct pool_large) % GRAIN == 0, "pieces are aligned");

struct pool_piece {
    struct pool_piece *next;
};

/* Which of the sizes holds so many bytes; 1 to POOL_PIECE_BYTES_MAX. */
static unsigned
size_of(size_t bytes)
{
    if (bytes <= FINE_BYTES_MAX) {
        return (unsigned)((bytes - 1) / GRAIN);
    }
    unsigned doubling = 63 - (unsigned)__builtin_clzll(bytes - 1); /* 8 for 257 to 512 */
    unsigned step = (unsigned)((bytes - 1) >> (doubling - 2)) & (STEPS - 1);
    return FINE_SIZES + (doubling - 8) * STEPS + step;
}

static size_t
bytes_of(unsigned size)
{
    if (size < FINE_SIZES) {
        return (size_t)(size + 1) * GRAIN;
    }
    unsigned doubling = 8 + (size - FINE_SIZES) / STEPS;
    return ((size_t)STEPS + (size - FINE_SIZES) % STEPS + 1) << (doubling - 2);
}

static void *
large_take(struct pool *pool, size_t bytes)
{
    struct pool_large *large = malloc(sizeof(*large) + bytes);
    if (large == NULL) {
        check_failed("out of memory", __FILE__, __LINE__);
    }
    large->previous = NULL;
    large->next = pool->larges;
    if (large->next != NULL) {
        large->next->previous = large;
    }
    pool->larges = large;
    pool->bytes += sizeof(*large) + bytes;
    return large + 1;
}

static void
large_give(struct pool *pool, void *piece, size_t bytes)
{
    struct pool_large *large = (struct pool_large *)piece - 1;
    if (large->next != NULL) {
        large->next->previous = large->previous;
    }
    if (large->previous != NULL) {
        large->previous->next = large->next;
    } else {
        ASSERT(pool->larges == large);
        pool->larges = large->next;
    }
    pool->bytes -= sizeof(*large) + bytes;
    free(large);
}

/* A chunk that has room for so many bytes at `next`. What the last one had left is lost: less than
 * one piece. */
static void
chunk_begin(struct pool *pool, size_t bytes)
{
    size_t chunk_bytes = pool->chunk_bytes > 0 ? pool->chunk_bytes : POOL_CHUNK_BYTES_MIN;
    while (chunk_bytes < sizeof(struct pool_chunk) + bytes) {
        chunk_bytes *= 2;
    }
    struct span span = span_take(chunk_bytes);
    struct pool_chunk *chunk = span.memory;
    chunk->span = span;
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->bytes += chunk_bytes;
    pool->next = (unsigned char *)(chunk + 1);
    pool->end = (unsigned char *)chunk + chunk_bytes;
    pool->chunk_bytes = chunk_bytes < POOL_CHUNK_BYTES_MAX ? chunk_bytes * 2 : chunk_bytes;
}

void *
pool_take(struct pool *pool, size_t bytes)
{
    ASSERT(bytes > 0);
    if (bytes > POOL_PIECE_BYTES_MAX) {
        return large_take(pool, bytes);
    }
    unsigned size = size_of(bytes);
    struct pool_piece *piece = pool->free[size];
    size_t piece_bytes = bytes_of(size);
    if (piece != NULL) {
        PIECE_SHOW(piece, piece_bytes);
        pool->free[size] = piece->next;
        return piece;
    }
    if ((size_t)(pool->end - pool->next) < piece_bytes) {
        chunk_begin(pool, piece_bytes);
    }
    unsigned char *fresh = pool->next;
    pool->next += piece_bytes;
    return fresh;
}

void
pool_give(struct pool *pool, void *piece, size_t bytes)
{
    ASSERT(bytes > 0);
    if (bytes > POOL_PIECE_BYTES_MAX) {
        large_give(pool, piece, bytes);
        return;
    }
    unsigned size = size_of(bytes);
    struct pool_piece *freed = piece;
    freed->next = pool->free[size];
    pool->free[size] = freed;
    PIECE_HIDE(piece, bytes_of(size));
}

size_t
pool_piece_bytes(size_t bytes)
{
    return bytes > POOL_PIECE_BYTES_MAX ? bytes : bytes_of(size_of(bytes));
}

void
pool_use(void *memory, size_t used, size_t bytes)
{
    PIECE_SHOW(memory, used);
    PIECE_HIDE((unsigned char *)memory + used, bytes - used);
}

bool
pool_fits(size_t from, size_t to)
{
    if (from == 0 || to == 0 || from > POOL_PIECE_BYTES_MAX || to > POOL_PIECE_BYTES_MAX) {
        return from == to;
    }
    return size_of(from) == size_of(to);
}

uint64_t
pool_bytes(const struct pool *pool)
{
    return pool->bytes;
}

bool
pool_free_slice(struct pool *pool, unsigned chunks_max)
{
    for (unsigned freed = 0; freed < chunks_max; freed++) {
        if (pool->larges != NULL) {
            struct pool_large *large = pool->larges;
            pool->larges = large->next;
            free(large);
        } else if (pool->chunks != NULL) {
            struct pool_chunk *chunk = pool->chunks;
            pool->chunks = chunk->next;
            struct span span = chunk->span;
            PIECE_SHOW(chunk, span.bytes);
            span_give(&span);
        } else {
            break;
        }
    }
    if (pool->larges != NULL || pool->chunks != NULL) {
        return false;
    }
    *pool = (struct pool){0};
    return true;
}
