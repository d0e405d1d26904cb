/* SPDX-License-Identifier: Apache-2.0 */
/* span.h - memory for what tables are made of, used again.
 *
 * Tables come and go with each fold, by hundreds of megabytes. The heap gives much of that back to
 * the kernel, and each page that is touched again is a fault and 4 KiB of zeros; and what lies in
 * small pages is looked up through tables of pages that are in no cache either. So spans are cut
 * from regions of 2 MiB, in huge pages where the kernel has them (THP: always or madvise), and what
 * is given back is kept for who comes next. In a region spans are buddies: powers of two, each
 * aligned to its length.
 *
 *     struct span span = span_take(256 << 10);
 *     ... span.memory, span.bytes ...
 *     span_give(&span);
 *
 * The regions are the process's, as its heap is; any thread. With AddressSanitizer all spans are
 * the heap's, so that it sees who uses one that was given back. Memory is never refused: where the
 * machine has none left, the node ends.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
    SPAN_BYTES_MIN = 64 << 10, /* what is smaller, larger, or no power of two is the heap's */
    SPAN_BYTES_MAX = 2 << 20,
};

struct span_region;

/* A plain value. Zeros are none. */
struct span {
    void *memory; /* aligned to a cache line; what is in it says nothing */
    size_t bytes;
    struct span_region *region; /* NULL: the heap's */
};

struct span span_take(size_t bytes);

/* Takes it and nulls it; none is allowed. */
void span_give(struct span *span);

/* To be called behind folds, from time to time: at the end of each window of ten seconds half of
 * the regions go back to the kernel that nobody has needed in it. */
void span_settle(uint64_t now_ns);

/* Gives back all that nobody has: regions, and the pages between spans. For who is quiet: meanwhile
 * nobody gets a span. */
void span_rest(void);

/* Memory of regions that nobody has: whole ones, and gaps between spans, which have no pages any
 * more behind a rest. */
uint64_t span_spare_bytes(void);
