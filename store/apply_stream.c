/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a stream between partitions: what arrives takes effect once, what has arrived is
 * forgotten. */
#include "store/apply_priv.h"
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
stream_payload(const struct command_stream *stream, struct payload *out)
{
    int error = payload_decode(stream->payload, out);
    ASSERT(error == 0);
    ASSERT(payloads[out->kind] != NULL);
}

bool
apply_stream_follows(const struct command_stream *stream)
{
    struct payload payload;
    stream_payload(stream, &payload);
    /* Of each who is in the group by then what he was given last is looked for. */
    return payload.kind == PAYLOAD_GROUP_CHANGED;
}

uint64_t
apply_stream_group(const struct command_stream *stream)
{
    struct payload payload;
    stream_payload(stream, &payload);
    return payload.kind == PAYLOAD_GROUP_MESSAGE ? payload.group_message.group : 0;
}

static void
need_stream(const struct needs *needs, const struct command *command)
{
    struct payload payload;
    stream_payload(&command->stream, &payload);
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
    stream_payload(stream, &payload);
    from->in = stream->number;
    payloads[payload.kind]->run(apply, &payload);
}

const struct apply_command_kind apply_stream = {need_stream, run_stream};

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
    effects_stream(apply->effects, ack->destination);
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
