/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/slab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
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
    REGION_BYTES = 2 * 1024 * 1024, /* a huge page */
    CHUNK_BYTES = 32 * 1024, /* small enough that 28 classes, hardly used, waste under a megabyte */
    GRAIN_BYTES = 16,
    SMALL_BYTES_MAX = 1024,
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

static uint8_t small_class[SMALL_BYTES_MAX / GRAIN_BYTES + 1];

__attribute__((constructor)) static void
small_class_fill(void)
{
    unsigned kind = 0;
    for (unsigned grains = 0; grains <= SMALL_BYTES_MAX / GRAIN_BYTES; grains++) {
        while (class_bytes[kind] < grains * GRAIN_BYTES) {
            kind++;
        }
        small_class[grains] = (uint8_t)kind;
    }
}

static unsigned
class_of(size_t bytes)
{
    if (bytes <= SMALL_BYTES_MAX) {
        return small_class[(bytes + GRAIN_BYTES - 1) / GRAIN_BYTES];
    }
    unsigned kind = small_class[SMALL_BYTES_MAX / GRAIN_BYTES];
    while (class_bytes[kind] < bytes) {
        kind++;
    }
    return kind;
}

size_t
slab_block_bytes(size_t bytes)
{
    return bytes > SLAB_BYTES_MAX ? bytes : class_bytes[class_of(bytes)];
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
        int error = munmap(region->base, REGION_BYTES);
        ASSERT(error == 0);
        free(region);
    }
    memset(slab, 0, sizeof *slab);
}

static void *
check_memory(void *memory)
{
    ASSERT(memory != NULL && memory != MAP_FAILED && "out of memory");
    return memory;
}

/* Twice the size is mapped and the ends are given back, so that the region lies on a huge page's
 * bounds. */
static void
region_add(struct slab *slab)
{
    unsigned char *raw = check_memory(mmap(NULL, 2 * (size_t)REGION_BYTES, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    size_t before = (size_t)(-(uintptr_t)raw & (REGION_BYTES - 1));
    unsigned char *base = raw + before;
    if (before > 0) {
        (void)munmap(raw, before);
    }
    (void)munmap(base + REGION_BYTES, REGION_BYTES - before);
    (void)madvise(base, REGION_BYTES, MADV_HUGEPAGE);
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
    slab->bytes_used += bytes;
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
    slab->bytes_used -= bytes;
    free(large);
}

void *
slab_alloc(struct slab *slab, size_t bytes)
{
    slab->blocks_used++;
    if (SLAB_MALLOC_ONLY || bytes > SLAB_BYTES_MAX) {
        return large_alloc(slab, bytes);
    }
    unsigned kind = class_of(bytes);
    slab->bytes_used += class_bytes[kind];
    struct slab_block *block = slab->free[kind];
    if (block == NULL) {
        return block_fresh(slab, kind);
    }
    slab->free[kind] = block->next;
    return block;
}

void
slab_free(struct slab *slab, void *memory, size_t bytes)
{
    if (memory == NULL) {
        return;
    }
    ASSERT(slab->blocks_used > 0);
    slab->blocks_used--;
    if (SLAB_MALLOC_ONLY || bytes > SLAB_BYTES_MAX) {
        large_free(slab, memory, bytes);
        return;
    }
    unsigned kind = class_of(bytes);
    slab->bytes_used -= class_bytes[kind];
    struct slab_block *block = memory;
    block->next = slab->free[kind];
    slab->free[kind] = block;
}
