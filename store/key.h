/* SPDX-License-Identifier: Apache-2.0 */
/* key.h - the name of a stored record, and which partition an owner lives in.
 *
 * A record belongs to an owner (a user, a group, or 0 for the partition itself) in a partition,
 * stands in one of the partition's tables, and has two numbers of its own. Keys are ordered field
 * by field, so the partition leads: one partition is one range, one owner's table within it is one
 * range, and so is "message 17 to 40 of alice's inbox".
 *
 *     struct store_key key = {.partition = p, .table = TABLE_INBOX, .owner = alice, .a = number};
 *     unsigned char name[STORE_KEY_BYTES];
 *     key_encode(&key, name);      26 bytes, big-endian: memcmp orders them as key_compare does
 *
 * In memory keys are compared as integers; encoded they are the keys of LMDB (but of inboxes:
 * runs.h). Plain values: any thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/check.h"

enum {
    STORE_PARTITIONS = 256, /* fixed for good: a partition is one byte of every key */
    STORE_KEY_BYTES = 26,
};

struct store_key {
    uint8_t partition;
    uint8_t table;
    uint64_t owner;
    uint64_t a;
    uint64_t b;
};

/* A number as names in LMDB have it, big-endian: memcmp orders them as the numbers. */
static inline void
key_put_u64(unsigned char *out, uint64_t value)
{
    uint64_t big = __builtin_bswap64(value);
    memcpy(out, &big, sizeof(big));
}

static inline uint64_t
key_get_u64(const unsigned char *in)
{
    uint64_t big;
    memcpy(&big, in, sizeof(big));
    return __builtin_bswap64(big);
}

/* Both ends belong to the range; it is empty when low is above high. */
struct store_range {
    struct store_key low;
    struct store_key high;
};

/* Bytes that somebody else owns; the function that gives them out says until when. */
struct store_value {
    const unsigned char *bytes;
    size_t count;
};

/* Partition and table as one integer: what keys are ordered by first. */
static inline uint32_t
key_place(const struct store_key *key)
{
    return (uint32_t)key->partition << 8 | key->table;
}

static inline bool
key_equal(const struct store_key *x, const struct store_key *y)
{
    return x->owner == y->owner && x->a == y->a && x->b == y->b && key_place(x) == key_place(y);
}

/* Whether x comes before y. */
static inline bool
key_less(const struct store_key *x, const struct store_key *y)
{
    if (key_place(x) != key_place(y)) {
        return key_place(x) < key_place(y);
    }
    if (x->owner != y->owner) {
        return x->owner < y->owner;
    }
    if (x->a != y->a) {
        return x->a < y->a;
    }
    return x->b < y->b;
}

/* Below 0, 0 or above 0, as x comes before, is, or comes after y. */
int key_compare(const struct store_key *x, const struct store_key *y);

void key_encode(const struct store_key *key, unsigned char out[STORE_KEY_BYTES]);

/* 0, or -EBADMSG with *out untouched when count is not STORE_KEY_BYTES. */
MUST_CHECK int key_decode(const void *bytes, size_t count, struct store_key *out);

/* Everything that a partition has. */
struct store_range key_range_partition(uint8_t partition);
/* Everything in one table of a partition. */
struct store_range key_range_table(uint8_t partition, uint8_t table);
/* Everything an owner has in one table. */
struct store_range key_range_owner(uint8_t partition, uint8_t table, uint64_t owner);

/* The partition of an id or of a name. `seed` is the data directory's (directory.h): who does
 * not know it can't choose ids that crowd into one partition. */
uint8_t key_partition_of_id(uint64_t seed, uint64_t id);
uint8_t key_partition_of_name(uint64_t seed, const void *name, size_t count);
