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

enum { SLAB_CLASSES = 28, SLAB_BYTES_MAX = 8192 };

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
    struct slab_large *large; /* blocks from malloc */
    uint64_t blocks_used;
    uint64_t bytes_used;
    uint64_t bytes_mapped;
};

void slab_init(struct slab *slab);
/* Every block has been freed, or is forgotten with it. */
void slab_fini(struct slab *slab);

/* Never NULL: without memory the node ends. Not zeroed. Aligned to 16. */
void *slab_alloc(struct slab *slab, size_t bytes);
/* `bytes` as at slab_alloc. NULL is allowed. */
void slab_free(struct slab *slab, void *block, size_t bytes);
/* What a block of `bytes` really occupies. */
size_t slab_block_bytes(size_t bytes);
