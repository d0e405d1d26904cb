/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - the memory of one table: pieces cut from chunks, all given back together.
 *
 * Pieces are rounded up to one of a few sizes and a freed piece waits in a list for the next of its
 * size, so a table whose values come and go stays as large as it was at its fullest. Whoever gives
 * a piece back says how large it is: a piece has no header. Pieces above POOL_PIECE_BYTES_MAX are
 * the heap's, and return to it.
 *
 *     piece = pool_take(&pool, 150);            160 bytes, aligned to 16
 *     pool_give(&pool, piece, 150);
 *     while (!pool_free_slice(&pool, 64)) { }   everything, in slices
 *
 * One thread at a time; any thread. Never fails: where the machine has no memory left, the node
 * ends.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POOL_PIECE_BYTES_MAX = 8192,
    POOL_CHUNK_BYTES_MIN = 4096,      /* the first: most tables stay small */
    POOL_CHUNK_BYTES_MAX = 256 << 10, /* each doubles up to this: freeing one must stay short */
    POOL_SIZES = 36,                  /* see pool.c */
};

struct pool_chunk;
struct pool_large;
struct pool_piece;

/* Embedded; the fields are for pool.c alone. Zeros are an empty pool. */
struct pool {
    unsigned char *next;
    unsigned char *end;
    struct pool_chunk *chunks;
    struct pool_large *larges;
    size_t chunk_bytes;
    uint64_t bytes;
    struct pool_piece *free[POOL_SIZES];
};

/* `bytes` is above 0. */
void *pool_take(struct pool *pool, size_t bytes);

/* `bytes` as it was taken. */
void pool_give(struct pool *pool, void *piece, size_t bytes);

/* How much a piece that is taken for so many bytes has room for. */
size_t pool_piece_bytes(size_t bytes);

/* Of `bytes` from there on, which lie in one piece, only the first `used` are to be touched from
 * now on: tells AddressSanitizer. */
void pool_use(void *memory, size_t used, size_t bytes);

/* Whether a piece taken for `from` bytes may hold `to` bytes and be given back as such. */
bool pool_fits(size_t from, size_t to);

/* All that the pool holds. */
uint64_t pool_bytes(const struct pool *pool);

/* Frees at most so many chunks and large pieces; true when nothing is left and the pool is empty as
 * at first. Between the calls it may only be freed further. */
bool pool_free_slice(struct pool *pool, unsigned chunks_max);
