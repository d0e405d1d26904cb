/* SPDX-License-Identifier: Apache-2.0 */
/* table_filter.h - which keys a table certainly does not have.
 *
 * A record is looked for in each generation of a delta, and most have nothing of it: a way down a
 * tree of cold nodes, for nothing. So a table with more than a few entries has a Bloom filter in
 * which each key has its three bits in one word (Putze, Sanders, Singler, "Cache-, Hash- and
 * Space-Efficient Bloom Filters", 2007): one access to memory tells, wrongly of one in 20 of the
 * keys that are not there when the filter is full, and of hardly any before. Keys that are taken
 * out leave their bits behind until it is made anew, which is when as many keys have been added as
 * it has room for.
 *
 * For table*.c alone; of whoever changes the table, but filter_may, which any reader may call.
 */
#pragma once
#include "store/key.h"

struct table;

/* Embedded; zeros are one that has not been made. */
struct filter {
    uint64_t *words; /* NULL: any key may be there */
    unsigned shift;  /* 64 less the logarithm of how many there are */
    uint64_t added;
};

/* Three bits of 64, by other bits of the hash than those which choose the word. */
static inline uint64_t
filter_bits(uint64_t hash)
{
    uint64_t other = hash * UINT64_C(0xff51afd7ed558ccd);
    return UINT64_C(1) << (other >> 58) | UINT64_C(1) << (other >> 52 & 63) |
           UINT64_C(1) << (other >> 46 & 63);
}

/* False: the table does not have the key. */
static inline bool
filter_may(const struct filter *filter, uint64_t hash)
{
    if (filter->words == NULL) {
        return true;
    }
    uint64_t bits = filter_bits(hash);
    return (filter->words[hash >> filter->shift] & bits) == bits;
}

/* The table has a key more, which it did not have. */
void filter_add(struct table *table, uint64_t hash);
void filter_free(struct filter *filter);
uint64_t filter_bytes(const struct filter *filter);
