/* SPDX-License-Identifier: Apache-2.0 */
#include "store/expiry.h"

void
expiry_encode(const struct expiry *expiry, unsigned char out[EXPIRY_BYTES])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, EXPIRY_BYTES);
    record_begin(&cursor, RECORD_EXPIRY);
    cursor_put_u8(&cursor, (uint8_t)expiry->kind);
    cursor_put_u64(&cursor, expiry->user);
    cursor_put_u64(&cursor, expiry->a);
    cursor_put_u64(&cursor, expiry->b);
    ASSERT(!cursor.failed);
}

int
expiry_decode(struct store_value value, struct expiry *out)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_EXPIRY);
    uint8_t kind = cursor_get_u8(&in);
    out->user = cursor_get_u64(&in);
    out->a = cursor_get_u64(&in);
    out->b = cursor_get_u64(&in);
    if (kind < EXPIRY_ENTRY || kind > EXPIRY_HOLD) {
        return -EBADMSG;
    }
    out->kind = (enum expiry_kind)kind;
    return cursor_in_end(&in);
}

static struct store_key
expiry_key(uint8_t partition, uint64_t at_ms, uint64_t number)
{
    return (struct store_key){
        .partition = partition, .table = RECORD_EXPIRY, .a = at_ms, .b = number};
}

struct store_range
expiry_range(uint8_t partition)
{
    return (struct store_range){
        .low = expiry_key(partition, 0, 0),
        .high = expiry_key(partition, UINT64_MAX, UINT64_MAX),
    };
}

void
expiry_row_put(unsigned char *bytes, uint32_t index, const struct expiry_row *row)
{
    struct cursor_out out;
    cursor_out_init(&out, bytes + (size_t)index * EXPIRY_ROW_BYTES, EXPIRY_ROW_BYTES);
    cursor_put_u64(&out, row->at_ms);
    cursor_put_u64(&out, row->number);
    cursor_put_bytes(&out, row->record.bytes, row->record.count);
    ASSERT(!out.failed && cursor_out_bytes(&out) == EXPIRY_ROW_BYTES);
}

void
expiry_row_get(const unsigned char *bytes, uint32_t index, struct expiry_row *out)
{
    struct cursor_in in;
    cursor_in_init(&in, bytes + (size_t)index * EXPIRY_ROW_BYTES, EXPIRY_ROW_BYTES);
    out->at_ms = cursor_get_u64(&in);
    out->number = cursor_get_u64(&in);
    out->record =
        (struct store_value){.bytes = cursor_get_bytes(&in, EXPIRY_BYTES), .count = EXPIRY_BYTES};
}

void
expiry_put(struct ledger *ledger, struct effects *effects, uint64_t at_ms, uint64_t number,
           const struct expiry *expiry)
{
    struct store_key key = expiry_key(ledger->partition, at_ms, number);
    struct effect effect = {
        .kind = EFFECT_EXPIRY, .number = at_ms, .devices = expiry->kind == EXPIRY_CALL};
    unsigned char record[EXPIRY_BYTES];
    expiry_encode(expiry, record);
    ledger_put(ledger, &key, record, sizeof(record));
    effects_add(effects, &effect);
}

void
expiry_remove(struct ledger *ledger, uint64_t at_ms, uint64_t number)
{
    struct store_key key = expiry_key(ledger->partition, at_ms, number);
    ledger_delete(ledger, &key);
}

/* ----------------------------------------------------------------------------------- tombstones */

struct store_key
tombstone_key(uint8_t partition, uint64_t recipient, uint64_t sender, uint64_t chat_number)
{
    return (struct store_key){.partition = partition,
                              .table = RECORD_TOMBSTONE,
                              .owner = recipient,
                              .a = sender,
                              .b = chat_number};
}

bool
tombstone_there(const struct ledger *ledger, uint64_t recipient, uint64_t sender,
                uint64_t chat_number)
{
    struct store_key key = tombstone_key(ledger->partition, recipient, sender, chat_number);
    struct store_value value;
    return ledger_get(ledger, &key, &value) && value.count == RECORD_HEADER_BYTES;
}

void
tombstone_put(struct ledger *ledger, uint64_t recipient, uint64_t sender, uint64_t chat_number)
{
    struct store_key key = tombstone_key(ledger->partition, recipient, sender, chat_number);
    struct cursor_out cursor;
    unsigned char record[RECORD_HEADER_BYTES];
    cursor_out_init(&cursor, record, sizeof(record));
    record_begin(&cursor, RECORD_TOMBSTONE);
    ledger_put(ledger, &key, record, sizeof(record));
}
