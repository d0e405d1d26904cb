/* SPDX-License-Identifier: Apache-2.0 */
#include "store/table_record.h"

#include <string.h>

struct table_record *
table_record_new(struct pool *pool, const struct store_key *key, size_t bytes)
{
    size_t room = bytes < sizeof(void *) || bytes > RECORD_ROOM_MAX ? sizeof(void *) : bytes;
    room = pool_piece_bytes(sizeof(struct table_record) + room) - sizeof(struct table_record);
    room = room < RECORD_ROOM_MAX ? room - room % RECORD_GRAIN : RECORD_ROOM_MAX;
    struct table_record *record = pool_take(pool, sizeof(*record) + room);
    ASSERT((uintptr_t)record >> RECORD_ADDRESS_BITS == 0);
    *record = (struct table_record){
        .owner = key->owner,
        .a = key->a,
        .b = key->b,
        .partition = key->partition,
        .table = key->table,
        .room_grains = (uint8_t)(room / RECORD_GRAIN),
    };
    return record;
}

/* The piece that the value lies in; NULL: it lies in the record. */
static unsigned char *
piece_of(struct table_record *record)
{
    return record->value_bytes > table_record_room(record) ? *(unsigned char **)record->room : NULL;
}

void
table_record_free(struct pool *pool, struct table_record *record)
{
    unsigned char *piece = piece_of(record);
    if (piece != NULL) {
        pool_give(pool, piece, record->value_bytes);
    }
    pool_give(pool, record, sizeof(*record) + table_record_room(record));
}

/* The old piece is given back last. */
unsigned char *
table_record_set(struct pool *pool, struct table_record *record, const void *from, size_t bytes)
{
    unsigned char *piece = piece_of(record);
    size_t piece_bytes = record->value_bytes;
    bool inside = bytes <= table_record_room(record);
    pool_use(record->room, table_record_room(record), table_record_room(record));
    bool stays = !inside && piece != NULL && pool_fits(piece_bytes, bytes);
    unsigned char *to = inside ? record->room : stays ? piece : pool_take(pool, bytes);
    if (from != NULL && bytes > 0) {
        memmove(to, from, bytes);
    }
    if (!inside) {
        *(unsigned char **)record->room = to;
    }
    if (piece != NULL && !stays) {
        pool_give(pool, piece, piece_bytes);
    }
    record->value_bytes = (uint32_t)bytes;
    pool_use(record->room, inside ? bytes : sizeof(void *), table_record_room(record));
    return to;
}
