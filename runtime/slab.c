/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/slab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    REGION_BYTES = 2 * 1024 * 1024, /* a huge page */
    CHUNK_BYTES = 32 * 1024, /* small enough that 28 classes, hardly used, waste under a megabyte */
};

struct slab_region {
    struct slab_region *next;
    unsigned char *base;
};

/* In front of a block from malloc. */
struct slab_large {
    struct slab_large *next, **previous;
    unsigned char data[] __attribute__((aligned(16)));
};

/* Steps of 16 while objects are small, then four to a power of two: at most a fifth of a block is
 * lost. */
static const uint16_t class_bytes[SLAB_CLASSES] = {
    16,  32,  48,  64,  80,  96,   112,  128,  160,  192,  224,  256,  320,  384,
    448, 512, 640, 768, 896, 1024, 1280, 1536, 2048, 2560, 3072, 4096, 6144, 8192,
};

const uint8_t slab_small_class[SLAB_SMALL_BYTES_MAX / SLAB_GRAIN_BYTES + 1] = {
    0,  0,  1,  2,  3,  4,  5,  6,  7,  8,  8,  9,  9,  10, 10, 11, 11, 12, 12, 12, 12, 13,
    13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15, 16, 16, 16, 16, 16, 16, 16, 16, 17, 17, 17,
    17, 17, 17, 17, 17, 18, 18, 18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19,
};

unsigned
slab_class(size_t bytes)
{
    if (bytes <= SLAB_SMALL_BYTES_MAX) {
        return slab_small_class[(bytes + SLAB_GRAIN_BYTES - 1) / SLAB_GRAIN_BYTES];
    }
    unsigned kind = slab_small_class[SLAB_SMALL_BYTES_MAX / SLAB_GRAIN_BYTES];
    while (class_bytes[kind] < bytes) {
        kind++;
    }
    return kind;
}

size_t
slab_class_bytes(unsigned kind)
{
    return class_bytes[kind];
}

size_t
slab_block_bytes(size_t bytes)
{
    return bytes > SLAB_BYTES_MAX ? bytes : class_bytes[slab_class(bytes)];
}

uint64_t
slab_blocks_used(const struct slab *slab)
{
    uint64_t blocks = slab->large_used;
    for (unsigned kind = 0; kind < SLAB_CLASSES; kind++) {
        blocks += slab->used[kind];
    }
    return blocks;
}

uint64_t
slab_bytes_used(const struct slab *slab)
{
    uint64_t bytes = slab->large_bytes_used;
    for (unsigned kind = 0; kind < SLAB_CLASSES; kind++) {
        bytes += (uint64_t)slab->used[kind] * class_bytes[kind];
    }
    return bytes;
}

static void *
check_memory(void *memory)
{
    ASSERT(memory != NULL && memory != MAP_FAILED && "out of memory");
    return memory;
}

void *
slab_map(size_t bytes)
{
    /* Of what shall be huge pages more is mapped and the ends are given back, so that it lies on
     * their bounds. */
    size_t more = bytes >= REGION_BYTES ? REGION_BYTES : 0;
    unsigned char *raw = check_memory(mmap(NULL, bytes + more, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (more == 0) {
        return raw;
    }
    size_t before = (size_t)(-(uintptr_t)raw & (REGION_BYTES - 1));
    if (before > 0) {
        (void)munmap(raw, before);
    }
    (void)munmap(raw + before + bytes, more - before);
    (void)madvise(raw + before, bytes, MADV_HUGEPAGE);
    return raw + before;
}

void
slab_unmap(void *memory, size_t bytes)
{
    int error = munmap(memory, bytes);
    ASSERT(error == 0);
}

void
slab_init(struct slab *slab)
{
    memset(slab, 0, sizeof *slab);
}

void
slab_fini(struct slab *slab)
{
    while (slab->large != NULL) {
        struct slab_large *large = slab->large;
        slab->large = large->next;
        free(large);
    }
    while (slab->regions != NULL) {
        struct slab_region *region = slab->regions;
        slab->regions = region->next;
        slab_unmap(region->base, REGION_BYTES);
        free(region);
    }
    memset(slab, 0, sizeof *slab);
}

static void
region_add(struct slab *slab)
{
    unsigned char *base = slab_map(REGION_BYTES);
    struct slab_region *region = check_memory(malloc(sizeof *region));
    region->base = base;
    region->next = slab->regions;
    slab->regions = region;
    slab->region = base;
    slab->region_end = base + REGION_BYTES;
    slab->bytes_mapped += REGION_BYTES;
}

static void *
block_fresh(struct slab *slab, unsigned kind)
{
    size_t bytes = class_bytes[kind];
    if ((size_t)(slab->fresh_end[kind] - slab->fresh[kind]) < bytes) {
        if (slab->region == slab->region_end) {
            region_add(slab);
        }
        slab->fresh[kind] = slab->region;
        slab->fresh_end[kind] = slab->region + CHUNK_BYTES;
        slab->region += CHUNK_BYTES;
    }
    void *block = slab->fresh[kind];
    slab->fresh[kind] += bytes;
    return block;
}

static void *
large_alloc(struct slab *slab, size_t bytes)
{
    struct slab_large *large = check_memory(malloc(sizeof *large + bytes));
    large->next = slab->large;
    large->previous = &slab->large;
    if (large->next != NULL) {
        large->next->previous = &large->next;
    }
    slab->large = large;
    slab->large_used++;
    slab->large_bytes_used += bytes;
    return large->data;
}

static void
large_free(struct slab *slab, void *block, size_t bytes)
{
    struct slab_large *large = (void *)((unsigned char *)block - offsetof(struct slab_large, data));
    *large->previous = large->next;
    if (large->next != NULL) {
        large->next->previous = large->previous;
    }
    ASSERT(slab->large_used > 0);
    slab->large_used--;
    slab->large_bytes_used -= bytes;
    free(large);
}

void *
slab_alloc_any(struct slab *slab, size_t bytes)
{
    if (SLAB_MALLOC_ONLY || bytes > SLAB_BYTES_MAX) {
        return large_alloc(slab, bytes);
    }
    unsigned kind = slab_class(bytes);
    slab->used[kind]++;
    struct slab_block *block = slab->free[kind];
    if (block == NULL) {
        return block_fresh(slab, kind);
    }
    slab->free[kind] = block->next;
    return block;
}

void
slab_free_any(struct slab *slab, void *memory, size_t bytes)
{
    if (memory == NULL) {
        return;
    }
    if (SLAB_MALLOC_ONLY || bytes > SLAB_BYTES_MAX) {
        large_free(slab, memory, bytes);
        return;
    }
    unsigned kind = slab_class(bytes);
    ASSERT(slab->used[kind] > 0);
    slab->used[kind]--;
    struct slab_block *block = memory;
    block->next = slab->free[kind];
    slab->free[kind] = block;
}
