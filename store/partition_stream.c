/* SPDX-License-Identifier: Apache-2.0 */
/* Streams between partitions, at work (outbox.h is what stands in the ledger).
 *
 *     here, after a batch:   what is new in the outbox  --ASK_STREAM-->      there: into its log
 *     here: into our log     <--ASK_STREAM_ACK-- there, after that batch: how far it has applied
 *
 * At most PARTITION_STREAM_WINDOW records are under way, so the queues at the other end are bounded
 * without a refusal. Messages are lost only when a partition's actor is killed or was not there
 * yet; when it starts it tells all others, who send again what it has not acknowledged (of any two,
 * the later one tells the earlier). A tick sends again what was lost otherwise. */
#include "store/partition_priv.h"
#include "store/store_priv.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

static ln_pid
pid_of(const struct partition *partition, uint8_t other)
{
    return store_pid_get(&partition->store->partitions[other].pid);
}

static bool
take_bit(uint64_t bits[4], uint8_t *out)
{
    for (unsigned i = 0; i < 4; i++) {
        if (bits[i] != 0) {
            *out = (uint8_t)(i * 64 + (unsigned)__builtin_ctzll(bits[i]));
            bits[i] &= bits[i] - 1;
            return true;
        }
    }
    return false;
}

static void
set_bit(uint64_t bits[4], uint8_t other)
{
    bits[other / 64] |= UINT64_C(1) << other % 64;
}

/* -------------------------------------------------------------------------------------- sending */

/* A timer ends with the actor that sets it, and most records are sent by the journal's: so the
 * partition's own is asked to. */
static void
tick_later(struct partition *partition)
{
    if (!partition->ticking) {
        struct ln_msg *msg = ln_msg_new(ASK_WATCH, LN_REPLY, 0);
        partition->ticking = true;
        ln_send(store_pid_get(&partition->pid), &msg);
    }
}

void
partition_watch(void)
{
    struct ln_msg *msg = ln_msg_new(ASK_TICK, LN_REPLY, 0);
    (void)ln_send_after(PARTITION_TICK_MS, ln_self(), &msg);
}

static void
send_records(struct partition *partition, uint8_t other, const struct ask_stream *head,
             const struct rows *records)
{
    struct ln_msg *msg = ln_msg_new(ASK_STREAM, LN_REPLY, sizeof(*head));
    memcpy(msg->data, head, sizeof(*head));
    msg->buffer = ln_buffer_new(records->count);
    memcpy(ln_buffer_data(msg->buffer), records->bytes, records->count);
    counter_add(&partition->journal->stream_records, head->count);
    ln_send(pid_of(partition, other), &msg);
    tick_later(partition);
}

/* Sends one message; true when there may be more to send. *out_missing: a record is not in
 * memory. */
static bool
send_some(struct partition *partition, uint8_t other, bool *out_missing)
{
    const struct ledger_stream *stream = &partition->ledger.streams[other];
    struct partition_stream *at = &partition->streams[other];
    struct rows *records = &partition->journal->rows;
    uint64_t limit = stream->out_acked + PARTITION_STREAM_WINDOW;
    limit = limit < stream->out_last ? limit : stream->out_last;
    if (at->sent < stream->out_acked) {
        at->sent = stream->out_acked;
    }
    struct ask_stream head = {.first = at->sent + 1, .source = partition->ledger.partition};
    records->count = 0;
    while (at->sent < limit && records->count < PARTITION_STREAM_BYTES) {
        struct store_key key = record_key_outbox(partition->ledger.partition, other, at->sent + 1);
        struct store_value value;
        enum delta_found found = delta_get(partition->ledger.delta, &key, &value);
        if (found == DELTA_UNKNOWN) {
            *out_missing = true;
            break;
        }
        ASSERT(found == DELTA_PRESENT);
        payload_pack(value, rows_room(records, PAYLOAD_LENGTH_BYTES + value.count));
        head.count++;
        at->sent++;
    }
    if (head.count > 0) {
        send_records(partition, other, &head, records);
    }
    if (at->sent == limit && limit < stream->out_last) {
        set_bit(partition->streams_full, other);
    }
    return head.count > 0 && at->sent < limit && !*out_missing;
}

/* Wants the records that the stream needs next; only after a start they are not in memory. */
static void
want_records(struct partition *partition, uint8_t other)
{
    const struct ledger_stream *stream = &partition->ledger.streams[other];
    uint64_t from = partition->streams[other].sent + 1;
    uint64_t to = stream->out_acked + PARTITION_STREAM_WINDOW;
    to = to < stream->out_last ? to : stream->out_last;
    for (uint64_t number = from; number <= to; number++) {
        struct store_key key = record_key_outbox(partition->ledger.partition, other, number);
        (void)partition_knows(partition, &key);
    }
}

void
partition_streams_send(struct partition *partition, bool may_fetch)
{
    uint64_t left[4] = {0};
    uint8_t other;
    bool any_left = false;
    while (take_bit(partition->sends_due, &other)) {
        bool missing = false;
        while (send_some(partition, other, &missing)) {
        }
        if (!missing) {
            continue;
        }
        set_bit(left, other);
        any_left = true;
        if (may_fetch && !fetch_enough(&partition->journal->fetch)) {
            want_records(partition, other);
        }
    }
    memcpy(partition->sends_due, left, sizeof(left));
    if (any_left && !may_fetch) {
        partition_wake(partition);
    }
}

/* Of two that start at once on two schedulers one at least sees the other: each has stored its pid
 * before it loads the other's. */
static void
tell_others(const struct partition *partition)
{
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        ln_pid other = pid_of(partition, (uint8_t)i);
        if (other == 0 || other == ln_self()) {
            continue; /* one that is not there yet will tell us */
        }
        struct ask_started started = {.partition = partition->ledger.partition};
        struct ln_msg *msg = ln_msg_new(ASK_STARTED, LN_REPLY, sizeof(started));
        memcpy(msg->data, &started, sizeof(started));
        ln_send(other, &msg);
    }
}

bool
partition_stream_again(struct partition *partition, const struct ask_started *started)
{
    const struct ledger_stream *stream = &partition->ledger.streams[started->partition];
    if (stream->out_last == stream->out_acked) {
        return false;
    }
    partition->streams[started->partition].sent = stream->out_acked;
    set_bit(partition->sends_due, started->partition);
    return true;
}

/* What waits for its round in a stream that is not full goes on waiting. */
void
partition_stream_acknowledged(struct partition *partition, uint8_t other)
{
    uint64_t bit = UINT64_C(1) << other % 64;
    partition->sends_due[other / 64] |= partition->streams_full[other / 64] & bit;
    partition->streams_full[other / 64] &= ~bit;
}

void
partition_streams_resume(struct partition *partition)
{
    partition->ticking = false;
    memset(partition->streams_full, 0, sizeof(partition->streams_full));
    partition_fan_resume(partition);
    counter_set(&partition->outbox_records, partition->ledger.outbox);
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        struct partition_stream *at = &partition->streams[i];
        at->sent = partition->ledger.streams[i].out_acked;
        if (at->admitted < partition->ledger.streams[i].in) {
            at->admitted = partition->ledger.streams[i].in;
        }
        at->taken = at->admitted;
        if (at->sent < partition->ledger.streams[i].out_last) {
            set_bit(partition->sends_due, (uint8_t)i);
        }
    }
    partition_groups_resume(partition);
    partition->history_looking = false;
    partition_history_watch(partition);
    tell_others(partition);
}

void
partition_tick(struct partition *partition)
{
    bool outstanding = false;
    partition->ticking = false;
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        const struct ledger_stream *stream = &partition->ledger.streams[i];
        struct partition_stream *at = &partition->streams[i];
        if (at->sent > stream->out_acked && at->sent_acked == stream->out_acked) {
            at->sent = stream->out_acked;
            set_bit(partition->sends_due, (uint8_t)i);
        }
        outstanding = outstanding || stream->out_last > stream->out_acked;
        at->sent_acked = stream->out_acked;
    }
    if (outstanding) {
        tick_later(partition);
    }
}

/* ------------------------------------------------------------------------------------ receiving */

static void
acknowledge(struct partition *partition, uint8_t source)
{
    struct ask_stream_ack ack = {
        .number = partition->ledger.streams[source].in,
        .destination = partition->ledger.partition,
    };
    struct ln_msg *msg = ln_msg_new(ASK_STREAM_ACK, LN_REPLY, sizeof(ack));
    memcpy(msg->data, &ack, sizeof(ack));
    ln_send(pid_of(partition, source), &msg);
}

/* How many of the records from *at on, `count` of them, make one command; moves over them. A round
 * brings several messages of a group at once: each member is given them together. */
static uint32_t
take_records(struct store_value records, uint32_t count, size_t *at)
{
    struct store_value record;
    size_t start = *at;
    size_t next = start;
    uint32_t taken = 0;
    uint64_t group = 0;
    while (taken < count && taken < COMMAND_ROUND_MAX) {
        bool more = payload_next(records, &next, &record);
        ASSERT(more);
        uint64_t of = payload_group(record);
        if (taken > 0 && (of == 0 || of != group || next - start > COMMAND_ROUND_BYTES_MAX)) {
            break;
        }
        group = of;
        *at = next;
        taken++;
    }
    return taken;
}

static void
queue_records(struct partition *partition, struct ln_buffer *buffer, const struct ask_stream *some,
              struct store_value records)
{
    struct ask *ask = ask_new(partition, ASK_STREAM, some, sizeof(*some));
    ask->buffer = ln_buffer_get(buffer);
    ask->records = records;
    ask_queue_push(&partition->waiting, ask);
    partition->streams[some->source].taken += some->count;
}

void
partition_stream_arrived(struct partition *partition, struct ln_msg *msg)
{
    struct ask_stream some = *(const struct ask_stream *)(const void *)msg->data;
    const struct partition_stream *stream = &partition->streams[some.source];
    struct store_value records = {.bytes = ln_buffer_data(msg->buffer),
                                  .count = ln_buffer_bytes(msg->buffer)};
    uint64_t end = some.first + some.count;
    size_t at = 0;
    if (end <= partition->ledger.streams[some.source].in + 1) {
        acknowledge(partition, some.source); /* sent again: what we said of it got lost */
        return;
    }
    for (; some.first <= stream->taken && some.first < end; some.first++) {
        struct store_value known;
        bool more = payload_next(records, &at, &known);
        ASSERT(more);
    }
    while (some.first == stream->taken + 1 && some.first < end) {
        size_t start = at;
        some.count = take_records(records, (uint32_t)(end - some.first), &at);
        struct store_value these = {.bytes = records.bytes + start, .count = at - start};
        queue_records(partition, msg->buffer, &some, these);
        some.first += some.count;
    }
}

/* What the record needs is not certain before those ahead of it in its stream have been applied;
 * they are in the journal. partition_flush sees to it that it is tried again. */
static bool
must_wait(struct partition *partition, const struct command *command)
{
    const struct command_stream *stream = &command->stream;
    return command->kind == COMMAND_STREAM &&
           stream->number > partition->ledger.streams[stream->source].in + 1 &&
           apply_stream_follows(stream);
}

static void
stream_command(const struct partition *partition, const struct ask *ask, struct command *out)
{
    const struct ask_stream *some = ASK_DATA(ask_stream, ask);
    *out = (struct command){.partition = partition->ledger.partition, .kind = COMMAND_STREAM_ROUND};
    if (some->count > 1) {
        out->stream_round = (struct command_stream_round){.source = some->source,
                                                          .first = some->first,
                                                          .count = some->count,
                                                          .records = ask->records};
        return;
    }
    size_t at = 0;
    out->kind = COMMAND_STREAM;
    out->stream = (struct command_stream){.source = some->source, .number = some->first};
    bool any = payload_next(ask->records, &at, &out->stream.payload);
    ASSERT(any);
}

static enum ask_outcome
run_stream(struct partition *partition, struct ask *ask, bool act)
{
    const struct ask_stream *some = ASK_DATA(ask_stream, ask);
    struct command command;
    stream_command(partition, ask, &command);
    bool early = must_wait(partition, &command);
    enum ask_outcome outcome = partition_log(partition, ask, &command, act && !early);
    if (early && act) {
        partition->stream_waits = true;
        return ASK_MISSING;
    }
    if (outcome == ASK_TAKEN) {
        partition->streams[some->source].admitted = some->first + some->count - 1;
    }
    return outcome;
}

void
partition_flush(struct partition *partition)
{
    uint8_t source;
    while (take_bit(partition->acks_due, &source)) {
        acknowledge(partition, source);
    }
    if (partition->stream_waits) {
        partition->stream_waits = false;
        partition_wake(partition);
    }
    partition_fan_flush(partition);
    partition_streams_send(partition, false);
    partition_groups_flush(partition);
    counter_set(&partition->outbox_records, partition->ledger.outbox);
}

/* ----------------------------------------------------------------------------- acknowledgements */

void
partition_stream_acked(struct partition *partition, const struct ask_stream_ack *ack)
{
    if (ack->number > partition->ledger.streams[ack->destination].out_acked) {
        struct ask *ask = ask_new(partition, ASK_STREAM_ACK, ack, sizeof(*ack));
        ask_queue_push(&partition->waiting, ask);
    }
}

/* The receipts among what is acknowledged: their chats may have moved on meanwhile. False: a record
 * is not in memory. */
static bool
receipts_gather(struct partition *partition, const struct ask_stream_ack *ack, uint64_t acked,
                struct command_stream_ack *out)
{
    unsigned char *pairs = partition->journal->pairs;
    bool known = true;
    *out = (struct command_stream_ack){.destination = ack->destination, .number = ack->number};
    if (out->number > acked + COMMAND_PAIRS_MAX) {
        out->number = acked + COMMAND_PAIRS_MAX;
    }
    out->receipts.bytes = pairs;
    for (uint64_t number = acked + 1; number <= out->number; number++) {
        struct store_key key =
            record_key_outbox(partition->ledger.partition, ack->destination, number);
        struct payload payload;
        struct store_value value;
        if (!partition_knows(partition, &key)) {
            known = false;
            continue;
        }
        bool present = ledger_get(&partition->ledger, &key, &value);
        ASSERT(present);
        int error = payload_decode(value, &payload);
        ASSERT(error == 0);
        out->bytes += value.count;
        if (payload_is_receipt(&payload)) {
            command_pair_put(pairs, out->receipts.count++, payload.receipt.reader,
                             payload.receipt.peer);
        }
    }
    return known;
}

static enum ask_outcome
run_stream_ack(struct partition *partition, struct ask *ask, bool act)
{
    const struct ask_stream_ack *ack = ASK_DATA(ask_stream_ack, ask);
    struct command command = {.partition = partition->ledger.partition, .kind = COMMAND_STREAM_ACK};
    struct partition_stream *at = &partition->streams[ack->destination];
    uint64_t acked = partition->ledger.streams[ack->destination].out_acked;
    /* Each record is acknowledged, and counted, by one command. */
    acked = acked > at->acking ? acked : at->acking;
    if (ack->number <= acked) {
        return act ? ASK_DONE : ASK_READY;
    }
    if (!receipts_gather(partition, ack, acked, &command.stream_ack)) {
        return ASK_MISSING;
    }
    uint64_t number = command.stream_ack.number;
    enum ask_outcome outcome = partition_log(partition, ask, &command, act);
    if (outcome == ASK_TAKEN) {
        at->acking = number;
    }
    return outcome;
}

const struct ask_kind ask_of_stream = {.run = run_stream};
const struct ask_kind ask_of_stream_ack = {.run = run_stream_ack};
