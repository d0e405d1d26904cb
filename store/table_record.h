/* SPDX-License-Identifier: Apache-2.0 */
/* table_record.h - what a table has of one key: the key, its state, and its value.
 *
 * A record lies where it is until its key is removed, so the tree and the index both point to it.
 * It keeps the room that its first value took; a value that has outgrown it lies in a piece of its
 * own, to which the room points then.
 *
 * For table*.c alone.
 */
#pragma once
#include "store/pool.h"
#include "store/table.h"

#include <assert.h>

struct table_record {
    uint64_t owner;
    uint64_t a;
    uint64_t b;
    uint32_t value_bytes;
    uint8_t partition;
    uint8_t table;
    uint8_t state;
    uint8_t room_grains;
    unsigned char room[];
};
static_assert(sizeof(struct table_record) == 32,
              "what follows is aligned as the pool's pieces are");

enum {
    RECORD_GRAIN = 16,
    RECORD_ROOM_MAX = UINT8_MAX * RECORD_GRAIN, /* larger values lie outside */
    RECORD_ADDRESS_BITS = 48, /* of user space; who points to records uses the 16 above */
};

/* The record to which the lower bits point. */
static inline struct table_record *
table_record_at(uint64_t word)
{
    uint64_t address = word & ((UINT64_C(1) << RECORD_ADDRESS_BITS) - 1);
    return (struct table_record *)(uintptr_t)address; // NOLINT(performance-no-int-to-ptr)
}

static inline struct store_key
table_record_key(const struct table_record *record)
{
    return (struct store_key){record->partition, record->table, record->owner, record->a,
                              record->b};
}

/* Whether it is the key's. */
static inline bool
table_record_is(const struct table_record *record, const struct store_key *key)
{
    return record->owner == key->owner && record->a == key->a && record->b == key->b &&
           record->table == key->table && record->partition == key->partition;
}

static inline size_t
table_record_room(const struct table_record *record)
{
    return (size_t)record->room_grains * RECORD_GRAIN;
}

/* NULL: it has none. */
static inline const unsigned char *
table_record_value(const struct table_record *record)
{
    if (record->value_bytes == 0) {
        return NULL;
    }
    if (record->value_bytes <= table_record_room(record)) {
        return record->room;
    }
    return *(unsigned char *const *)record->room;
}

static inline void
table_record_read(const struct table_record *record, struct table_entry *out)
{
    out->key = table_record_key(record);
    out->value = (struct store_value){table_record_value(record), record->value_bytes};
    out->state = record->state;
}

/* Of the key, with room for `bytes`, and no value yet. The pool's until table_record_free. */
struct table_record *table_record_new(struct pool *pool, const struct store_key *key, size_t bytes);
void table_record_free(struct pool *pool, struct table_record *record);

static_assert(sizeof(struct table_record) + RECORD_ROOM_MAX <= POOL_PIECE_BYTES_MAX,
              "a record is one of the pool's pieces");

/* Makes the value `bytes` long, copied from there if it is not NULL (it may lie in the old value),
 * and gives out where it lies. */
unsigned char *table_record_set(struct pool *pool, struct table_record *record, const void *from,
                                size_t bytes);
