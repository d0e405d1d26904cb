/* SPDX-License-Identifier: Apache-2.0 */
/* runs.h - where the entries of a partition's inboxes lie in LMDB: in runs, as each fold left them.
 *
 * An inbox grows at its end, so the new entries of a million inboxes are a million places of a tree
 * that is ordered by user: a page to be read, copied and written for each. But a partition's
 * numbers only grow, over all of its users. So what is new in a fold lies above everything folded
 * before, and is written as a run of its own, by user and number, one page full after the other.
 *
 *     run 1      [ alice 3 5 | bob 1 2 7 | carol 4 6 ]        numbers 1 to 7
 *     run 2      [ alice 8 | carol 9 10 11 ]                  from 8 on
 *
 * Which run a number is in, its number says: that of the greatest `first` not above it. A user's
 * entries are read run by run, and come in order. What is acknowledged is deleted from where it is;
 * a run without records goes. So that somebody's entries are in few of them, the newest runs are
 * merged when there are eight that are alike, up to 64 MiB: a byte is written once more for each
 * time that its run becomes some eight times as large. When there are many all the same, the two
 * neighbours among the older ones that are smallest together become one, so that the largest grow
 * with what there is.
 * (The literature calls all of that a log-structured merge tree, O'Neil et al. 1996, with tiers.)
 *
 * The list of a partition's runs as a plain value; environment_runs.c has the records themselves.
 */
#pragma once

#include "runtime/check.h"
#include "store/key.h"

enum {
    /* What is new beyond this joins the last run, wherever in it that is. */
    RUNS_MAX = 48,
    /* So many, the newest, are merged where the oldest of them is no larger than RUNS_ALIKE times
     * the mean of the others. */
    RUNS_MERGED = 8,
    RUNS_ALIKE = 4,
    /* All smaller ones are as this one: they cost a look-up, their bytes nothing. */
    RUNS_SMALL_BYTES = 16 << 10,
    /* Beyond that those are left alone: it is the memory that a merge takes. */
    RUNS_MERGE_BYTES_MAX = 64 << 20,
    /* When there are more, two neighbours of the older half are merged, up to so many bytes. */
    RUNS_MANY = 32,
    RUNS_PAIR_BYTES_MAX = 256 << 20,
    RUNS_ENTRY_BYTES = 4 * 8,
    RUNS_BYTES_MAX = 8 + RUNS_MAX * RUNS_ENTRY_BYTES,
};

struct run {
    uint64_t id;    /* leads the keys of its records; never given again while there is any */
    uint64_t first; /* the lowest number that belongs here */
    uint64_t records;
    uint64_t bytes; /* of keys and values */
};

struct runs {
    uint64_t next; /* above each number that was folded */
    uint32_t count;
    struct run at[RUNS_MAX]; /* by rising first */
};

/* 0, or -EBADMSG with *out empty. */
MUST_CHECK int runs_decode(struct store_value value, struct runs *out);
size_t runs_encode(const struct runs *runs, unsigned char out[RUNS_BYTES_MAX]);

/* The index of the run that the number belongs to; runs->count: of none. */
uint32_t runs_find(const struct runs *runs, uint64_t number);
/* The highest number that belongs to the one with this index. */
uint64_t runs_last(const struct runs *runs, uint32_t index);

/* A new last run, for what is above all others. Its index; when there is no room for it, that of
 * the last one. */
uint32_t runs_add(struct runs *runs, uint64_t id, uint64_t first);
/* Lets those without records go. */
void runs_prune(struct runs *runs);

/* Runs that follow each other. */
struct runs_span {
    uint32_t from;
    uint32_t count;
    uint64_t bytes;
};
/* Whether some should be merged, and which. */
bool runs_due(const struct runs *runs, struct runs_span *out);
/* They are one now, under another id. */
void runs_merge(struct runs *runs, const struct runs_span *span, uint64_t id);
