/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outbox.h"

#include <string.h>

/* Room for one more record of the stream, which is marked. */
static unsigned char *
room(struct ledger *ledger, struct effects *effects, uint8_t destination, size_t bytes)
{
    struct ledger_stream *stream = &ledger->streams[destination];
    stream->out_last++;
    struct store_key key = record_key_outbox(ledger->partition, destination, stream->out_last);
    effects_stream(effects, destination);
    effects->streams_bytes += bytes;
    ledger->outbox++;
    ledger->outbox_bytes += bytes;
    return ledger_put_room(ledger, &key, bytes);
}

uint64_t
outbox_put(struct ledger *ledger, struct effects *effects, uint8_t destination,
           const struct payload *payload)
{
    payload_encode(payload, room(ledger, effects, destination, payload_bytes(payload)));
    return ledger->streams[destination].out_last;
}

/* The first is encoded, the others are copies of it where it lies. */
void
outbox_put_all(struct ledger *ledger, struct effects *effects, const uint64_t destinations[4],
               const struct payload *payload)
{
    size_t bytes = payload_bytes(payload);
    const unsigned char *first = NULL;
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        if ((destinations[i / 64] & UINT64_C(1) << i % 64) == 0) {
            continue;
        }
        unsigned char *record = room(ledger, effects, (uint8_t)i, bytes);
        if (first == NULL) {
            payload_encode(payload, record);
            first = record;
        } else {
            memcpy(record, first, bytes);
        }
    }
}

void
outbox_acked(struct ledger *ledger, uint8_t destination, uint64_t number, uint64_t bytes)
{
    struct ledger_stream *stream = &ledger->streams[destination];
    ASSERT(number <= stream->out_last);
    if (number > stream->out_acked) {
        ledger->outbox -= number - stream->out_acked;
        /* What was there before they were counted was never added. */
        ledger->outbox_bytes -= bytes < ledger->outbox_bytes ? bytes : ledger->outbox_bytes;
    }
    while (stream->out_acked < number && stream->out_acked < stream->frozen) {
        stream->out_acked++;
        struct store_key key = record_key_outbox(ledger->partition, destination, stream->out_acked);
        ledger_delete(ledger, &key);
    }
    if (stream->out_acked >= number) {
        return;
    }
    /* No fold has seen the rest: it goes as if it had never been, and LMDB with it. */
    struct store_range rest = {
        .low = record_key_outbox(ledger->partition, destination, stream->out_acked + 1),
        .high = record_key_outbox(ledger->partition, destination, number),
    };
    (void)delta_drop(ledger->delta, &rest);
    stream->out_acked = number;
}
