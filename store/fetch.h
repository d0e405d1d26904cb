/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - what a partition asks of its scheduler's reader: single records and ranges, out of one
 * snapshot of LMDB.
 *
 * A partition gathers what all its waiting requests lack and asks for it at once, so that a cold
 * partition costs one trip to a worker per round and not one per request.
 *
 *     fetch_want_key(&fetch, &key);
 *     index = fetch_want_range(&fetch, &range);
 *     request = fetch_message(&fetch, ASK_FETCH, cell);  to the reader, by ln_request
 *     ...
 *     rows = fetched_section(answer, 0);                 the keys', in the order asked
 *     rows = fetched_section(answer, 1 + index);         a range's
 *
 * Building is for the partition's scheduler; the reader's half is in reader.c.
 */
#pragma once

#include "runtime/linnet.h"
#include "store/page.h"

enum {
    /* One request may want a thousand chats; beyond this the next fetch takes over. */
    FETCH_KEYS_ENOUGH = 1024,
    FETCH_KEYS_MAX = 8192,
    FETCH_RANGES_MAX = 64,
};

struct fetch_range {
    struct store_range range;
    uint32_t rows_max;
    uint32_t bytes_max; /* one row at least is read */
};

/* Embedded; counts may be read. */
struct fetch {
    struct store_key *keys;
    uint32_t keys_count;
    uint32_t ranges_count;
    struct fetch_range ranges[FETCH_RANGES_MAX];
};

void fetch_init(struct fetch *fetch);
void fetch_fini(struct fetch *fetch);
void fetch_clear(struct fetch *fetch);
bool fetch_empty(const struct fetch *fetch);
/* Whether more should wait for the next one. */
bool fetch_enough(const struct fetch *fetch);

void fetch_want_key(struct fetch *fetch, const struct store_key *key);
/* Its index among the ranges. */
uint32_t fetch_want_range(struct fetch *fetch, const struct fetch_range *range);

struct cell;

/* The request's data: the head, then keys, then ranges. */
struct fetch_head {
    struct cell *cell; /* whose LMDB it is about */
    uint32_t keys_count;
    uint32_t ranges_count;
};
struct ln_msg *fetch_message(const struct fetch *fetch, uint32_t tag, struct cell *cell);
const struct store_key *fetch_message_keys(const struct fetch_head *head);
const struct fetch_range *fetch_message_ranges(const struct fetch_head *head);

/* The answer's data: one per section, the keys' first. All rows stand in its buffer. */
struct fetched {
    uint32_t at;
    uint32_t count; /* bytes */
    uint32_t more;
};
/* Borrowed from the answer. */
struct page_rows fetched_section(const struct ln_msg *answer, uint32_t index);
