/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command.h"

#include "store/command_priv.h"

#include "store/record.h"

#include <errno.h>

void
command_pair_put(unsigned char *bytes, uint32_t index, uint64_t first, uint64_t second)
{
    struct cursor_out out;
    cursor_out_init(&out, bytes + (size_t)index * COMMAND_PAIR_BYTES, COMMAND_PAIR_BYTES);
    cursor_put_u64(&out, first);
    cursor_put_u64(&out, second);
    ASSERT(!out.failed);
}

void
command_pair_get(const struct command_pairs *pairs, uint32_t index, uint64_t *out_first,
                 uint64_t *out_second)
{
    struct cursor_in in;
    ASSERT(index < pairs->count);
    cursor_in_init(&in, pairs->bytes + (size_t)index * COMMAND_PAIR_BYTES, COMMAND_PAIR_BYTES);
    *out_first = cursor_get_u64(&in);
    *out_second = cursor_get_u64(&in);
}

void
command_put_pairs(struct cursor_out *out, const struct command_pairs *pairs)
{
    ASSERT(pairs->count <= COMMAND_PAIRS_MAX);
    cursor_put_u32(out, pairs->count);
    cursor_put_bytes(out, pairs->bytes, (size_t)pairs->count * COMMAND_PAIR_BYTES);
}

void
command_get_pairs(struct cursor_in *in, struct command_pairs *out)
{
    out->count = cursor_get_u32(in);
    if (out->count > COMMAND_PAIRS_MAX) {
        cursor_in_fail(in);
        out->count = 0;
    }
    out->bytes = cursor_get_bytes(in, (size_t)out->count * COMMAND_PAIR_BYTES);
}

bool
command_get_flag(struct cursor_in *in)
{
    uint8_t flag = cursor_get_u8(in);
    if (flag > 1) {
        cursor_in_fail(in);
    }
    return flag == 1;
}

/* ---------------------------------------------------------------------------------------- users */

static void
open_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u32(out, command->open.inbox_entries_max);
    cursor_put_u64(out, command->open.inbox_bytes_max);
    cursor_put_u16(out, command->open.devices_max);
    cursor_put_u64(out, command->open.history_ms);
}

static void
open_get(struct cursor_in *in, struct command *out)
{
    out->open.inbox_entries_max = cursor_get_u32(in);
    out->open.inbox_bytes_max = cursor_get_u64(in);
    out->open.devices_max = cursor_get_u16(in);
    /* Logs of before there were histories have none. */
    out->open.history_ms = cursor_in_left(in) > 0 ? cursor_get_u64(in) : 0;
}

static void
claim_put(struct cursor_out *out, const struct command *command)
{
    const struct command_name_claim *claim = &command->claim;
    record_put_name(out, &claim->name);
    cursor_put_u8(out, claim->password_bytes);
    cursor_put_bytes(out, claim->password, claim->password_bytes);
    cursor_put_u8(out, claim->with_device);
    cursor_put_bytes(out, claim->token_hash, STORE_TOKEN_HASH_BYTES);
    record_put_name(out, &claim->device_name);
}

static void
claim_get(struct cursor_in *in, struct command *command)
{
    struct command_name_claim *out = &command->claim;
    record_get_name(in, &out->name);
    out->password_bytes = cursor_get_u8(in);
    out->password = cursor_get_bytes(in, out->password_bytes);
    out->with_device = command_get_flag(in);
    cursor_get_copy(in, out->token_hash, STORE_TOKEN_HASH_BYTES);
    record_get_name(in, &out->device_name);
    if (out->password_bytes > STORE_PASSWORD_BYTES_MAX || out->name.bytes == 0) {
        cursor_in_fail(in);
    }
}

static void
password_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->password.user);
    cursor_put_u8(out, command->password.bytes);
    cursor_put_bytes(out, command->password.text, command->password.bytes);
}

static void
password_get(struct cursor_in *in, struct command *out)
{
    out->password.user = cursor_get_u64(in);
    out->password.bytes = cursor_get_u8(in);
    out->password.text = cursor_get_bytes(in, out->password.bytes);
    if (out->password.bytes > STORE_PASSWORD_BYTES_MAX) {
        cursor_in_fail(in);
    }
}

/* -------------------------------------------------------------------------------------- devices */

static void
device_add_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->device_add.user);
    cursor_put_bytes(out, command->device_add.token_hash, STORE_TOKEN_HASH_BYTES);
    record_put_name(out, &command->device_add.name);
}

static void
device_add_get(struct cursor_in *in, struct command *out)
{
    out->device_add.user = cursor_get_u64(in);
    cursor_get_copy(in, out->device_add.token_hash, STORE_TOKEN_HASH_BYTES);
    record_get_name(in, &out->device_add.name);
}

static void
device_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->device.user);
    cursor_put_u16(out, command->device.device);
}

static void
device_get(struct cursor_in *in, struct command *out)
{
    out->device.user = cursor_get_u64(in);
    out->device.device = cursor_get_u16(in);
}

/* ------------------------------------------------------------------------- messages and cursors */

enum {
    MESSAGE_COPY = 1,
    MESSAGE_BEGINS = 2,
    MESSAGE_HELD = 4, /* hold_max follows */
    MESSAGE_FLAGS = MESSAGE_COPY | MESSAGE_BEGINS | MESSAGE_HELD,
};

static void
message_put(struct cursor_out *out, const struct command *command)
{
    const struct command_message *message = &command->message;
    unsigned flags = message->copy ? MESSAGE_COPY : 0;
    flags |= message->begins ? MESSAGE_BEGINS : 0;
    flags |= message->hold_max != 0 ? MESSAGE_HELD : 0;
    cursor_put_u64(out, message->recipient);
    cursor_put_u8(out, (uint8_t)flags);
    if (message->hold_max != 0) {
        cursor_put_u32(out, message->hold_max);
    }
    entry_put_message(out, &message->message);
}

void
command_check_message(struct cursor_in *in, const struct command *command,
                      const struct store_entry_message *message)
{
    if (message->sender_name_bytes > STORE_NAME_BYTES_MAX || message->time_ms != command->time_ms ||
        (uint64_t)message->body_bytes + message->attachments_bytes > STORE_BODY_BYTES_MAX) {
        cursor_in_fail(in);
    }
}

static void
message_get(struct cursor_in *in, struct command *out)
{
    const struct store_entry_message *message = &out->message.message;
    out->message.recipient = cursor_get_u64(in);
    unsigned flags = cursor_get_u8(in);
    out->message.copy = (flags & MESSAGE_COPY) != 0;
    out->message.begins = (flags & MESSAGE_BEGINS) != 0;
    bool held = (flags & MESSAGE_HELD) != 0;
    out->message.hold_max = held ? cursor_get_u32(in) : 0;
    entry_get_message(in, &out->message.message);
    command_check_message(in, out, message);
    bool odd = flags > MESSAGE_FLAGS || held != (out->message.hold_max != 0);
    if (message->chat_number != 0 || odd) {
        cursor_in_fail(in);
    }
}

static void
ack_put(struct cursor_out *out, const struct command *command)
{
    const struct command_ack *ack = &command->ack;
    cursor_put_u64(out, ack->user);
    cursor_put_u16(out, ack->device);
    cursor_put_u64(out, ack->number);
    cursor_put_u64(out, ack->total_entries);
    cursor_put_u64(out, ack->total_bytes);
    command_put_pairs(out, &ack->chats);
}

static void
ack_get(struct cursor_in *in, struct command *command)
{
    struct command_ack *out = &command->ack;
    out->user = cursor_get_u64(in);
    out->device = cursor_get_u16(in);
    out->number = cursor_get_u64(in);
    out->total_entries = cursor_get_u64(in);
    out->total_bytes = cursor_get_u64(in);
    command_get_pairs(in, &out->chats);
    out->peer = 0;
    out->chat_number = 0;
}

static void
ack_read_put(struct cursor_out *out, const struct command *command)
{
    ack_put(out, command);
    cursor_put_u64(out, command->ack.peer);
    cursor_put_u64(out, command->ack.chat_number);
}

static void
ack_read_get(struct cursor_in *in, struct command *command)
{
    ack_get(in, command);
    command->ack.peer = cursor_get_u64(in);
    command->ack.chat_number = cursor_get_u64(in);
    if (command->ack.peer == 0 || command->ack.chat_number == 0) {
        cursor_in_fail(in);
    }
}

static void
read_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->read.user);
    cursor_put_u64(out, command->read.peer);
    cursor_put_u64(out, command->read.chat_number);
}

static void
read_get(struct cursor_in *in, struct command *out)
{
    out->read.user = cursor_get_u64(in);
    out->read.peer = cursor_get_u64(in);
    out->read.chat_number = cursor_get_u64(in);
}

/* -------------------------------------------------------------------------------------- streams */

static void
stream_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u8(out, command->stream.source);
    cursor_put_u64(out, command->stream.number);
    cursor_put_bytes(out, command->stream.payload.bytes, command->stream.payload.count);
}

/* The payload is the rest; it is decoded here once, so that apply may rely on it. */
static void
stream_get(struct cursor_in *in, struct command *command)
{
    struct command_stream *out = &command->stream;
    struct payload payload;
    out->source = cursor_get_u8(in);
    out->number = cursor_get_u64(in);
    size_t count = cursor_in_left(in);
    out->payload = (struct store_value){.bytes = cursor_get_bytes(in, count), .count = count};
    if (in->failed || payload_decode(out->payload, &payload) != 0) {
        cursor_in_fail(in);
    }
}

static void
stream_round_put(struct cursor_out *out, const struct command *command)
{
    const struct command_stream_round *round = &command->stream_round;
    cursor_put_u8(out, round->source);
    cursor_put_u64(out, round->first);
    cursor_put_u32(out, round->count);
    cursor_put_bytes(out, round->records.bytes, round->records.count);
}

/* Whether they are so many messages of one group, each of which can be decoded. */
static bool
round_valid(const struct command_stream_round *round)
{
    struct store_value record;
    struct payload payload;
    uint64_t group = 0;
    uint32_t count = 0;
    size_t at = 0;
    for (; payload_next(round->records, &at, &record); count++) {
        if (payload_decode(record, &payload) != 0 || payload.kind != PAYLOAD_GROUP_MESSAGE ||
            (count > 0 && payload.group_message.group != group)) {
            return false;
        }
        group = payload.group_message.group;
    }
    return at == round->records.count && count == round->count && count > 0 &&
           count <= COMMAND_ROUND_MAX;
}

static void
stream_round_get(struct cursor_in *in, struct command *command)
{
    struct command_stream_round *out = &command->stream_round;
    out->source = cursor_get_u8(in);
    out->first = cursor_get_u64(in);
    out->count = cursor_get_u32(in);
    size_t count = cursor_in_left(in);
    out->records = (struct store_value){.bytes = cursor_get_bytes(in, count), .count = count};
    if (in->failed || !round_valid(out)) {
        cursor_in_fail(in);
    }
}

static void
stream_ack_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u8(out, command->stream_ack.destination);
    cursor_put_u64(out, command->stream_ack.number);
    cursor_put_u64(out, command->stream_ack.bytes);
    command_put_pairs(out, &command->stream_ack.receipts);
}

static void
stream_ack_get(struct cursor_in *in, struct command *out)
{
    out->stream_ack.destination = cursor_get_u8(in);
    out->stream_ack.number = cursor_get_u64(in);
    out->stream_ack.bytes = cursor_get_u64(in);
    command_get_pairs(in, &out->stream_ack.receipts);
}

/* ------------------------------------------------------------------------------------- presence */

static void
seen_put(struct cursor_out *out, const struct command *command)
{
    command_put_pairs(out, &command->seen);
}

static void
seen_get(struct cursor_in *in, struct command *out)
{
    command_get_pairs(in, &out->seen);
}

/* ------------------------------------------------------------------------------------ the table */

/* Kinds without a place are nobody's. */
static const struct command_coding codings[COMMAND_KINDS] = {
    [COMMAND_OPEN] = {"OPEN", open_put, open_get},
    [COMMAND_NAME_CLAIM] = {"NAME_CLAIM", claim_put, claim_get},
    [COMMAND_USER_REMOVE] = {"USER_REMOVE", command_put_user_remove, command_get_user_remove},
    [COMMAND_PASSWORD_SET] = {"PASSWORD_SET", password_put, password_get},
    [COMMAND_DEVICE_ADD] = {"DEVICE_ADD", device_add_put, device_add_get},
    [COMMAND_DEVICE_ATTACH] = {"DEVICE_ATTACH", device_put, device_get},
    [COMMAND_DEVICE_REVOKE] = {"DEVICE_REVOKE", device_put, device_get},
    [COMMAND_MESSAGE] = {"MESSAGE", message_put, message_get},
    [COMMAND_ACK] = {"ACK", ack_put, ack_get},
    [COMMAND_READ] = {"READ", read_put, read_get},
    [COMMAND_ACK_READ] = {"ACK_READ", ack_read_put, ack_read_get},
    [COMMAND_STREAM] = {"STREAM", stream_put, stream_get},
    [COMMAND_STREAM_ACK] = {"STREAM_ACK", stream_ack_put, stream_ack_get},
    [COMMAND_STREAM_ROUND] = {"STREAM_ROUND", stream_round_put, stream_round_get},
    [COMMAND_SEEN] = {"SEEN", seen_put, seen_get},
    [COMMAND_WAKE_SET] = {"WAKE_SET", command_put_wake_set, command_get_wake_set},
    [COMMAND_WAKE_CLEAR] = {"WAKE_CLEAR", command_put_wake_clear, command_get_wake_clear},
    [COMMAND_WAKE_DONE] = {"WAKE_DONE", command_put_wake_done, command_get_wake_done},
    [COMMAND_STATE] = {"STATE", command_put_state, command_get_state},
    [COMMAND_GROUP_CREATE] = {"GROUP_CREATE", command_put_group_create, command_get_group_create},
    [COMMAND_GROUP_CHANGE] = {"GROUP_CHANGE", command_put_group_change, command_get_group_change},
    [COMMAND_GROUP_MESSAGE] = {"GROUP_MESSAGE", message_put, message_get},
    [COMMAND_GROUP_READ] = {"GROUP_READ", read_put, read_get},
    [COMMAND_GROUP_REPORT] = {"GROUP_REPORT", command_put_group_report, command_get_group_report},
    [COMMAND_HISTORY] = {"HISTORY", command_put_old_history, command_get_old_history},
    [COMMAND_NAME_HOLD] = {"NAME_HOLD", command_put_name_hold, command_get_name_hold},
    [COMMAND_HOLD] = {"HOLD", command_put_hold, command_get_hold},
    [COMMAND_GROUP_TELL] = {"GROUP_TELL", command_put_group_tell, command_get_group_tell},
    [COMMAND_GROUP_REVISE] = {"GROUP_REVISE", command_put_change, command_get_change},
    [COMMAND_CHANGE] = {"CHANGE", command_put_change, command_get_change},
    [COMMAND_CHAT_TTL] = {"CHAT_TTL", command_put_chat_ttl, command_get_chat_ttl},
    [COMMAND_SWEEP] = {"SWEEP", command_put_sweep, command_get_sweep},
    [COMMAND_DEVICE_RENAME] = {"DEVICE_RENAME", device_rename_put, device_rename_get},
    [COMMAND_LINK_CREATE] = {"LINK_CREATE", link_create_put, link_create_get},
    [COMMAND_LINK_REDEEM] = {"LINK_REDEEM", link_redeem_put, link_redeem_get},
    [COMMAND_INBOX_EXPIRE] = {"INBOX_EXPIRE", ack_put, ack_get},
    [COMMAND_DEVICE_UNSEEN] = {"DEVICE_UNSEEN", device_unseen_put, device_unseen_get},
    [COMMAND_CALL_OFFER] = {"CALL_OFFER", command_put_call_offer, command_get_call_offer},
    [COMMAND_CALL_ANSWER] = {"CALL_ANSWER", command_put_call, command_get_call},
    [COMMAND_CALL_END] = {"CALL_END", command_put_call, command_get_call},
    [COMMAND_CALL_CHECK] = {"CALL_CHECK", command_put_call, command_get_call},
};

size_t
command_encode(const struct command *command, unsigned char *out, size_t bytes_max)
{
    struct cursor_out cursor;
    ASSERT(command->kind < COMMAND_KINDS && codings[command->kind].put != NULL);
    cursor_out_init(&cursor, out, bytes_max);
    cursor_put_u64(&cursor, command->time_ms);
    codings[command->kind].put(&cursor, command);
    return cursor_out_end(&cursor);
}

int
command_decode(const struct log_command *logged, struct command *out)
{
    struct cursor_in in;
    if (logged->kind >= COMMAND_KINDS || codings[logged->kind].get == NULL ||
        logged->version != COMMAND_VERSION) {
        return -EPROTO;
    }
    cursor_in_init(&in, logged->body, logged->body_bytes);
    out->partition = logged->partition;
    out->kind = (enum command_kind)logged->kind;
    out->time_ms = cursor_get_u64(&in);
    codings[logged->kind].get(&in, out);
    return cursor_in_end(&in);
}

uint32_t
command_weight(const struct command *command)
{
    return command->kind == COMMAND_STREAM_ROUND ? command->stream_round.count : 1;
}

bool
command_receives(const struct log_command *logged, struct command_received *out)
{
    struct cursor_in in;
    bool round = logged->kind == COMMAND_STREAM_ROUND;
    if (logged->version != COMMAND_VERSION || (!round && logged->kind != COMMAND_STREAM)) {
        return false;
    }
    cursor_in_init(&in, logged->body, logged->body_bytes);
    (void)cursor_get_u64(&in); /* its time */
    out->source = cursor_get_u8(&in);
    out->first = cursor_get_u64(&in);
    uint32_t count = round ? cursor_get_u32(&in) : 1;
    out->last = out->first + count - 1;
    return !in.failed && count > 0 && count <= COMMAND_ROUND_MAX;
}

const char *
command_kind_name(enum command_kind kind)
{
    bool known = kind < COMMAND_KINDS && codings[kind].name != NULL;
    return known ? codings[kind].name : "UNKNOWN";
}
