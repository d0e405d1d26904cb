/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a stream between partitions: what arrives takes effect once, what has arrived is
 * forgotten. */
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/outbox.h"

void
apply_stream(const struct apply *apply, const struct command_stream *stream)
{
    struct ledger_stream *from = &apply->ledger->streams[stream->source];
    struct payload payload;
    if (stream->number <= from->in) {
        return; /* sent again by a partition that had not heard of our acknowledgement */
    }
    ASSERT(stream->number == from->in + 1);
    int error = payload_decode(stream->payload, &payload);
    ASSERT(error == 0);
    from->in = stream->number;
    switch (payload.kind) {
    case PAYLOAD_USER_CREATE:
        apply_user_create(apply, &payload.create);
        break;
    case PAYLOAD_NAME_RELEASE:
        apply_name_release(apply, &payload.release);
        break;
    case PAYLOAD_RECEIPT:
        apply_receipt(apply, &payload.receipt);
        break;
    case PAYLOAD_COPY:
        apply_copy(apply, &payload.copy);
        break;
    }
}

void
apply_stream_ack(const struct apply *apply, const struct command_stream_ack *ack)
{
    struct ledger *ledger = apply->ledger;
    outbox_acked(ledger, ack->destination, ack->number);
    effects_stream(apply->effects, ack->destination);
    for (uint32_t i = 0; i < ack->receipts.count; i++) {
        struct record_head head;
        struct record_chat chat;
        uint64_t reader;
        uint64_t peer;
        command_pair_get(&ack->receipts, i, &reader, &peer);
        if (!inbox_head_get(ledger, reader, &head) || !chat_get(ledger, reader, peer, &chat)) {
            continue;
        }
        uint64_t told = chat.told_number;
        chat_tell(ledger, apply->effects, reader, peer, &chat);
        if (chat.told_number != told) {
            chat_put(ledger, reader, peer, &chat);
        }
    }
}
