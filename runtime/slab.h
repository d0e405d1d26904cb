/* SPDX-License-Identifier: Apache-2.0 */
/* slab.h - a scheduler's memory: blocks by size class, handed out and taken back without a lock.
 *
 * Regions of 2 MiB, advised to be huge pages, are cut into chunks of one class each; a freed block
 * goes to the head of its class's list and is the next to be used, while it is warm. Sizes are
 * known to the caller at free, so blocks carry no header. Only the owning thread allocates and
 * frees; memory freed elsewhere is sent home (channel.h). Chunks are kept until slab_fini. Above
 * SLAB_BYTES_MAX blocks come from malloc. With AddressSanitizer every block does, so that it sees
 * each one's end. Whatever was not freed goes with slab_fini.
 */
#pragma once

#include "runtime/check.h"

#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__) || defined(LINNET_VALGRIND)
#define SLAB_MALLOC_ONLY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_MALLOC_ONLY 1
#endif
#endif
#if !defined(SLAB_MALLOC_ONLY)
#define SLAB_MALLOC_ONLY 0
#endif

enum {
    SLAB_CLASSES = 28,
    SLAB_BYTES_MAX = 8192,
    SLAB_GRAIN_BYTES = 16,
    SLAB_SMALL_BYTES_MAX = 1024, /* up to here a table tells the class */
};

struct slab_block {
    struct slab_block *next;
};

struct slab_large;

struct slab {
    struct slab_block *free[SLAB_CLASSES];
    unsigned char
        *fresh[SLAB_CLASSES]; /* the rest of the class's newest chunk, never handed out yet */
    unsigned char *fresh_end[SLAB_CLASSES];
    unsigned char *region, *region_end; /* the rest of the newest region */
    struct slab_region *regions;
    struct slab_large *large;    /* blocks from malloc */
    uint32_t used[SLAB_CLASSES]; /* blocks */
    uint64_t large_used, large_bytes_used;
    uint64_t bytes_mapped;
};

void slab_init(struct slab *slab);
/* Every block has been freed, or is forgotten with it. */
void slab_fini(struct slab *slab);

/* Zeroed memory of the kernel's, whole pages, advised to be huge ones from their size on. Never
 * NULL. */
void *slab_map(size_t bytes);
void slab_unmap(void *memory, size_t bytes);

/* What is handed out now. */
uint64_t slab_blocks_used(const struct slab *slab);
uint64_t slab_bytes_used(const struct slab *slab);
/* What a block of `bytes` really occupies. */
size_t slab_block_bytes(size_t bytes);
/* The class of `bytes`, up to SLAB_BYTES_MAX, and what a block of a class occupies. */
unsigned slab_class(size_t bytes);
size_t slab_class_bytes(unsigned kind);

/* The class of so many grains, up to SLAB_SMALL_BYTES_MAX. */
extern const uint8_t slab_small_class[SLAB_SMALL_BYTES_MAX / SLAB_GRAIN_BYTES + 1];
/* The same as the two below, for any size. */
void *slab_alloc_any(struct slab *slab, size_t bytes);
void slab_free_any(struct slab *slab, void *block, size_t bytes);

/* A small block that was freed before, whole grains of it; NULL when there is none at hand. */
static inline void *
slab_take(struct slab *slab, size_t bytes)
{
    if (SLAB_MALLOC_ONLY || bytes > SLAB_SMALL_BYTES_MAX) {
        return NULL;
    }
    unsigned kind = slab_small_class[(bytes + SLAB_GRAIN_BYTES - 1) / SLAB_GRAIN_BYTES];
    struct slab_block *block = slab->free[kind];
    if (block != NULL) {
        slab->free[kind] = block->next;
        slab->used[kind]++;
    }
    return block;
}
/* Never NULL: without memory the node ends. Not zeroed. Aligned to 16. */
static inline void *
slab_alloc(struct slab *slab, size_t bytes)
{
    void *block = slab_take(slab, bytes);
    return block != NULL ? block : slab_alloc_any(slab, bytes);
}
/* `bytes` as at slab_alloc. NULL is allowed. */
static inline void
slab_free(struct slab *slab, void *block, size_t bytes)
{
    if (SLAB_MALLOC_ONLY || bytes > SLAB_SMALL_BYTES_MAX || block == NULL) {
        slab_free_any(slab, block, bytes);
        return;
    }
    unsigned kind = slab_small_class[(bytes + SLAB_GRAIN_BYTES - 1) / SLAB_GRAIN_BYTES];
    struct slab_block *freed = block;
    ASSERT_SLOW(slab->used[kind] > 0);
    slab->used[kind]--;
    freed->next = slab->free[kind];
    slab->free[kind] = freed;
}
