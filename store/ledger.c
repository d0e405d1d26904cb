/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger.h"

#include "runtime/larger.h"
#include "store/cursor.h"

#include <stdlib.h>
#include <string.h>

enum {
    USER_PARTITION_BITS = 8,
    /* Of the partition's record: with the groups that are due since 2, with history since 3, with
     * the outbox's bytes, and pages of what is due, since 4. */
    VERSION = 4,
    DUE_REPORT = 1,
    DUE_TELL = 2,
};

void
ledger_init(struct ledger *ledger, uint8_t partition, uint64_t seed)
{
    memset(ledger, 0, sizeof(*ledger));
    ledger->partition = partition;
    ledger->seed = seed;
    ledger->delta = delta_new(seed);
}

void
ledger_fini(struct ledger *ledger)
{
    delta_free(&ledger->delta);
    group_dues_fini(&ledger->due);
}

static uint32_t
at_most_a_page(uint32_t count)
{
    return count < LEDGER_DUE_MAX ? count : LEDGER_DUE_MAX;
}

/* The next of them, from place *at on. */
static void
put_due(struct cursor_out *out, const struct group_dues *due, uint32_t count, uint32_t *at)
{
    cursor_put_u32(out, count);
    for (uint32_t left = count; left > 0; (*at)++) {
        const struct group_due *place = &due->places[*at];
        if (place->group != 0) {
            cursor_put_u64(out, place->group);
            cursor_put_u8(
                out, (uint8_t)((place->report ? DUE_REPORT : 0) | (place->tell ? DUE_TELL : 0)));
            left--;
        }
    }
}

static void
get_due(struct cursor_in *in, struct group_dues *out)
{
    for (uint32_t left = cursor_get_u32(in); left > 0 && !in->failed; left--) {
        uint64_t group = cursor_get_u64(in);
        uint8_t flags = cursor_get_u8(in);
        if (group == 0 || in->failed) {
            cursor_in_fail(in);
            return;
        }
        struct group_due *at = group_due_at(out, group);
        at->report = (flags & DUE_REPORT) != 0;
        at->tell = (flags & DUE_TELL) != 0;
    }
}

static size_t
encode(const struct ledger *ledger, unsigned char *out, size_t bytes_max, uint32_t *due_at)
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, bytes_max);
    cursor_put_u8(&cursor, RECORD_PARTITION);
    cursor_put_u8(&cursor, VERSION);
    cursor_put_u64(&cursor, ledger->last_number);
    cursor_put_u64(&cursor, ledger->last_user);
    cursor_put_u64(&cursor, ledger->last_time_ms);
    cursor_put_u32(&cursor, ledger->limits.inbox_entries_max);
    cursor_put_u64(&cursor, ledger->limits.inbox_bytes_max);
    cursor_put_u16(&cursor, ledger->limits.devices_max);
    put_due(&cursor, &ledger->due, at_most_a_page(ledger->due.count), due_at);
    cursor_put_u64(&cursor, ledger->limits.history_ms);
    cursor_put_u64(&cursor, ledger->outbox_bytes);
    cursor_put_u32(&cursor, ledger->due_pages);
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        const struct ledger_stream *stream = &ledger->streams[i];
        if (stream->out_last != 0 || stream->in != 0) {
            cursor_put_u8(&cursor, (uint8_t)i);
            cursor_put_u64(&cursor, stream->out_last);
            cursor_put_u64(&cursor, stream->out_acked);
            cursor_put_u64(&cursor, stream->in);
        }
    }
    return cursor_out_end(&cursor);
}

int
ledger_load(struct ledger *ledger, struct store_value value)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    uint8_t table = cursor_get_u8(&in);
    uint8_t version = cursor_get_u8(&in);
    if (table != RECORD_PARTITION || version == 0 || version > VERSION) {
        cursor_in_fail(&in);
    }
    ledger->last_number = cursor_get_u64(&in);
    ledger->last_user = cursor_get_u64(&in);
    ledger->last_time_ms = cursor_get_u64(&in);
    ledger->limits.inbox_entries_max = cursor_get_u32(&in);
    ledger->limits.inbox_bytes_max = cursor_get_u64(&in);
    ledger->limits.devices_max = cursor_get_u16(&in);
    if (version >= 2) {
        get_due(&in, &ledger->due);
    }
    if (version >= 3) {
        ledger->limits.history_ms = cursor_get_u64(&in);
    }
    if (version >= 4) {
        ledger->outbox_bytes = cursor_get_u64(&in);
        ledger->due_pages = cursor_get_u32(&in);
    }
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

unsigned char *
ledger_put_room(struct ledger *ledger, const struct store_key *key, size_t bytes)
{
    ASSERT(key->partition == ledger->partition);
    return delta_put_room(ledger->delta, key, bytes);
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

struct store_key
ledger_key(uint8_t partition, uint32_t page)
{
    return record_key(partition, RECORD_PARTITION, 0, page);
}

int
ledger_load_due(struct ledger *ledger, struct store_value value)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_PARTITION);
    get_due(&in, &ledger->due);
    return cursor_in_end(&in);
}

/* What does not fit into the partition's own record, and without what once did not. */
static void
pages_write(struct ledger *ledger, uint32_t pages_before, uint32_t due_at)
{
    uint32_t left = ledger->due.count - at_most_a_page(ledger->due.count);
    for (uint32_t page = 1; page <= ledger->due_pages; page++) {
        uint32_t count = at_most_a_page(left);
        size_t bytes = RECORD_HEADER_BYTES + sizeof(count) + (size_t)count * LEDGER_DUE_BYTES;
        struct store_key key = ledger_key(ledger->partition, page);
        struct cursor_out cursor;
        unsigned char *record = malloc(bytes);
        ASSERT(record != NULL);
        cursor_out_init(&cursor, record, bytes);
        record_begin(&cursor, RECORD_PARTITION);
        put_due(&cursor, &ledger->due, count, &due_at);
        ledger_put(ledger, &key, record, cursor_out_end(&cursor));
        free(record);
        left -= count;
    }
    for (uint32_t page = ledger->due_pages + 1; page <= pages_before; page++) {
        struct store_key key = ledger_key(ledger->partition, page);
        ledger_delete(ledger, &key);
    }
}

static void
record_write(struct ledger *ledger)
{
    struct store_key key = ledger_key(ledger->partition, 0);
    uint32_t pages_before = ledger->due_pages;
    uint32_t due_at = 0;
    size_t bytes_max = LEDGER_BYTES_MAX + 2 * sizeof(uint32_t) + sizeof(uint64_t) +
                       (size_t)at_most_a_page(ledger->due.count) * LEDGER_DUE_BYTES;
    unsigned char *record = malloc(bytes_max);
    ASSERT(record != NULL);
    ledger->due_pages = ledger->due.count == 0 ? 0 : (ledger->due.count - 1) / LEDGER_DUE_MAX;
    ledger_put(ledger, &key, record, encode(ledger, record, bytes_max, &due_at));
    free(record);
    pages_write(ledger, pages_before, due_at);
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
