/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger.h"

#include "store/cursor.h"

#include <stdlib.h>
#include <string.h>

enum { USER_PARTITION_BITS = 8 };

void
ledger_init(struct ledger *ledger, uint8_t partition, uint64_t seed)
{
    memset(ledger, 0, sizeof(*ledger));
    ledger->partition = partition;
    ledger->seed = seed;
    ledger->delta = delta_new();
}

void
ledger_fini(struct ledger *ledger)
{
    delta_free(&ledger->delta);
}

static size_t
encode(const struct ledger *ledger, unsigned char *out, size_t bytes_max)
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, bytes_max);
    record_begin(&cursor, RECORD_PARTITION);
    cursor_put_u64(&cursor, ledger->last_number);
    cursor_put_u64(&cursor, ledger->last_user);
    cursor_put_u64(&cursor, ledger->last_time_ms);
    cursor_put_u32(&cursor, ledger->limits.inbox_entries_max);
    cursor_put_u64(&cursor, ledger->limits.inbox_bytes_max);
    cursor_put_u16(&cursor, ledger->limits.devices_max);
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        const struct ledger_stream *stream = &ledger->streams[i];
        if (stream->out_last != 0 || stream->in != 0) {
            cursor_put_u8(&cursor, (uint8_t)i);
            cursor_put_u64(&cursor, stream->out_last);
            cursor_put_u64(&cursor, stream->out_acked);
            cursor_put_u64(&cursor, stream->in);
        }
    }
    ASSERT(!cursor.failed);
    return cursor_out_bytes(&cursor);
}

int
ledger_load(struct ledger *ledger, struct store_value value)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_PARTITION);
    ledger->last_number = cursor_get_u64(&in);
    ledger->last_user = cursor_get_u64(&in);
    ledger->last_time_ms = cursor_get_u64(&in);
    ledger->limits.inbox_entries_max = cursor_get_u32(&in);
    ledger->limits.inbox_bytes_max = cursor_get_u64(&in);
    ledger->limits.devices_max = cursor_get_u16(&in);
    while (cursor_in_left(&in) > 0) {
        struct ledger_stream *stream = &ledger->streams[cursor_get_u8(&in)];
        stream->out_last = cursor_get_u64(&in);
        stream->out_acked = cursor_get_u64(&in);
        stream->in = cursor_get_u64(&in);
        stream->frozen = stream->out_last;
        ledger->outbox += stream->out_last - stream->out_acked;
    }
    ledger->frozen_number = ledger->last_number;
    delta_set_folded_number(ledger->delta, ledger->last_number);
    return cursor_in_end(&in);
}

bool
ledger_get(const struct ledger *ledger, const struct store_key *key, struct store_value *out)
{
    enum delta_found found = delta_get(ledger->delta, key, out);
    ASSERT(found != DELTA_UNKNOWN);
    return found == DELTA_PRESENT;
}

void
ledger_put(struct ledger *ledger, const struct store_key *key, const void *bytes, size_t count)
{
    ASSERT(key->partition == ledger->partition);
    delta_put(ledger->delta, key, (struct store_value){.bytes = bytes, .count = count});
}

void
ledger_delete(struct ledger *ledger, const struct store_key *key)
{
    ASSERT(key->partition == ledger->partition);
    delta_delete(ledger->delta, key);
}

uint64_t
ledger_seconds(uint64_t time_ms)
{
    return time_ms > LEDGER_EPOCH_MS ? (time_ms - LEDGER_EPOCH_MS) / 1000 : 0;
}

static uint64_t
larger(uint64_t x, uint64_t y)
{
    return x > y ? x : y;
}

void
ledger_open(struct ledger *ledger, uint64_t time_ms, const struct ledger_limits *limits)
{
    uint64_t seconds = ledger_seconds(time_ms);
    uint64_t reached = ledger->last_number >> LEDGER_NUMBER_COUNTER_BITS;
    ledger->last_number = larger(seconds, reached + 1) << LEDGER_NUMBER_COUNTER_BITS;
    uint64_t users_reached = ledger->last_user >> LEDGER_USER_COUNTER_BITS;
    ledger->last_user = larger(seconds, users_reached + 1) << LEDGER_USER_COUNTER_BITS;
    ledger->limits = *limits;
}

uint64_t
ledger_number_next(struct ledger *ledger)
{
    return ++ledger->last_number;
}

uint64_t
ledger_user_next(struct ledger *ledger)
{
    ledger->last_user++;
    return ledger->last_user << USER_PARTITION_BITS | ledger->partition;
}

static void
record_write(struct ledger *ledger)
{
    struct store_key key = record_key(ledger->partition, RECORD_PARTITION, 0, 0);
    unsigned char *record = malloc(LEDGER_BYTES_MAX);
    ASSERT(record != NULL);
    ledger_put(ledger, &key, record, encode(ledger, record, LEDGER_BYTES_MAX));
    free(record);
}

const struct table *
ledger_freeze(struct ledger *ledger)
{
    if (ledger->changed) {
        record_write(ledger);
        ledger->changed = false;
    }
    ledger->frozen_number = ledger->last_number;
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        ledger->streams[i].frozen = ledger->streams[i].out_last;
    }
    return delta_freeze(ledger->delta, ledger->last_number);
}
