/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a stream between partitions: what arrives takes effect once, what has arrived is
 * forgotten. */
#include "store/apply_priv.h"

#include "runtime/spares.h"
#include "store/chat.h"
#include "store/outbox.h"

/* Kinds without a place are nobody's: payload_decode lets none of them in. */
static const struct apply_payload_kind *const payloads[PAYLOAD_KINDS] = {
    [PAYLOAD_USER_CREATE] = &apply_user_create,
    [PAYLOAD_NAME_RELEASE] = &apply_name_release,
    [PAYLOAD_RECEIPT] = &apply_receipt,
    [PAYLOAD_COPY] = &apply_copy,
    [PAYLOAD_GROUP_BEGIN] = &apply_group_begin,
    [PAYLOAD_GROUP_MESSAGE] = &apply_group_message_in,
    [PAYLOAD_GROUP_UPDATE] = &apply_group_update,
    [PAYLOAD_GROUP_RECEIPTS] = &apply_group_receipts,
    [PAYLOAD_GROUP_COUNTS] = &apply_group_counts,
    [PAYLOAD_GROUP_ABSENT] = &apply_group_absent,
    [PAYLOAD_EXPIRED] = &apply_receipt,
    [PAYLOAD_CHANGE] = &apply_changed,
    [PAYLOAD_GROUP_CHANGED] = &apply_group_changed,
    [PAYLOAD_CHAT_TTL] = &apply_chat_ttl_set,
    [PAYLOAD_CALL] = &apply_call_told,
};

static void
record_payload(struct store_value record, struct payload *out)
{
    int error = payload_decode(record, out);
    ASSERT(error == 0);
    ASSERT(payloads[out->kind] != NULL);
}

bool
apply_stream_follows(const struct command_stream *stream)
{
    struct payload payload;
    record_payload(stream->payload, &payload);
    /* Of each who is in the group by then what he was given last is looked for. */
    return payload.kind == PAYLOAD_GROUP_CHANGED;
}

static void
need_stream(const struct needs *needs, const struct command *command)
{
    struct payload payload;
    record_payload(command->stream.payload, &payload);
    if (payloads[payload.kind]->needs != NULL) {
        payloads[payload.kind]->needs(needs, &payload);
    }
}

static void
run_stream(const struct apply *apply, const struct command *command)
{
    const struct command_stream *stream = &command->stream;
    struct ledger_stream *from = &apply->ledger->streams[stream->source];
    struct payload payload;
    if (stream->number <= from->in) {
        return; /* sent again by a partition that had not heard of our acknowledgement */
    }
    ASSERT(stream->number == from->in + 1);
    record_payload(stream->payload, &payload);
    from->in = stream->number;
    payloads[payload.kind]->run(apply, &payload);
}

const struct apply_command_kind apply_stream = {need_stream, run_stream};

/* What its first message needs, they all do. */
static void
need_round(const struct needs *needs, const struct command *command)
{
    struct store_value record;
    struct payload payload;
    size_t at = 0;
    bool any = payload_next(command->stream_round.records, &at, &record);
    ASSERT(any);
    record_payload(record, &payload);
    payloads[payload.kind]->needs(needs, &payload);
}

static void
run_round(const struct apply *apply, const struct command *command)
{
    const struct command_stream_round *round = &command->stream_round;
    struct ledger_stream *from = &apply->ledger->streams[round->source];
    size_t bytes = round->count * sizeof(struct store_entry_message);
    struct store_entry_message *said = spares_take(bytes);
    struct store_value record;
    struct payload payload;
    uint64_t number = round->first;
    uint32_t count = 0;
    size_t at = 0;
    ASSERT(round->first <= from->in + 1);
    for (; payload_next(round->records, &at, &record); number++) {
        if (number > from->in) { /* else it was sent again, as above */
            record_payload(record, &payload);
            said[count++] = payload.group_message.message;
        }
    }
    from->in += count;
    if (count > 0) {
        apply_group_said(apply, payload.group_message.group, said, count);
    }
    spares_give(said, bytes);
}

const struct apply_command_kind apply_stream_round = {need_round, run_round};

void
apply_give_up(struct ledger *ledger, const struct log_command *logged)
{
    struct command_received received;
    if (!command_receives(logged, &received)) {
        return;
    }
    struct ledger_stream *from = &ledger->streams[received.source];
    if (received.first <= from->in + 1 && received.last > from->in) { /* else it has no place */
        from->in = received.last;
        ledger->changed = true;
    }
}

static void
need_stream_ack(const struct needs *needs, const struct command *command)
{
    const struct command_stream_ack *ack = &command->stream_ack;
    for (uint32_t i = 0; i < ack->receipts.count; i++) {
        uint64_t reader;
        uint64_t peer;
        command_pair_get(&ack->receipts, i, &reader, &peer);
        need(needs, RECORD_HEAD, reader, 0);
        need(needs, RECORD_CHAT, reader, peer);
    }
}

static void
run_stream_ack(const struct apply *apply, const struct command *command)
{
    const struct command_stream_ack *ack = &command->stream_ack;
    struct ledger *ledger = apply->ledger;
    outbox_acked(ledger, ack->destination, ack->number, ack->bytes);
    for (uint32_t i = 0; i < ack->receipts.count; i++) {
        struct record_head head;
        struct record_chat chat;
        uint64_t reader;
        uint64_t peer;
        command_pair_get(&ack->receipts, i, &reader, &peer);
        if (!inbox_head_find(ledger, reader, &head) || !chat_get(ledger, reader, peer, &chat)) {
            continue;
        }
        uint64_t told = chat.told_number;
        struct chat_owner owner = {.user = reader, .peer = peer, .head = &head, .chat = &chat};
        chat_tell(ledger, apply->effects, &owner);
        if (chat.told_number != told) {
            chat_put(ledger, reader, peer, &chat);
        }
    }
}

const struct apply_command_kind apply_stream_ack = {need_stream_ack, run_stream_ack};
