/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command.h"

#include "store/cursor.h"
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

static void
pairs_put(struct cursor_out *out, const struct command_pairs *pairs)
{
    ASSERT(pairs->count <= COMMAND_PAIRS_MAX);
    cursor_put_u32(out, pairs->count);
    cursor_put_bytes(out, pairs->bytes, (size_t)pairs->count * COMMAND_PAIR_BYTES);
}

static void
pairs_get(struct cursor_in *in, struct command_pairs *out)
{
    out->count = cursor_get_u32(in);
    if (out->count > COMMAND_PAIRS_MAX) {
        cursor_in_fail(in);
        out->count = 0;
    }
    out->bytes = cursor_get_bytes(in, (size_t)out->count * COMMAND_PAIR_BYTES);
}

static bool
flag_get(struct cursor_in *in)
{
    uint8_t flag = cursor_get_u8(in);
    if (flag > 1) {
        cursor_in_fail(in);
    }
    return flag == 1;
}

static void
claim_put(struct cursor_out *out, const struct command_name_claim *claim)
{
    record_put_name(out, &claim->name);
    cursor_put_u8(out, claim->password_bytes);
    cursor_put_bytes(out, claim->password, claim->password_bytes);
    cursor_put_u8(out, claim->with_device);
    cursor_put_bytes(out, claim->token_hash, STORE_TOKEN_HASH_BYTES);
    record_put_name(out, &claim->device_name);
}

static void
claim_get(struct cursor_in *in, struct command_name_claim *out)
{
    record_get_name(in, &out->name);
    out->password_bytes = cursor_get_u8(in);
    out->password = cursor_get_bytes(in, out->password_bytes);
    out->with_device = flag_get(in);
    cursor_get_copy(in, out->token_hash, STORE_TOKEN_HASH_BYTES);
    record_get_name(in, &out->device_name);
    if (out->password_bytes > STORE_PASSWORD_BYTES_MAX || out->name.bytes == 0) {
        cursor_in_fail(in);
    }
}

static void
ack_put(struct cursor_out *out, const struct command_ack *ack)
{
    cursor_put_u64(out, ack->user);
    cursor_put_u16(out, ack->device);
    cursor_put_u64(out, ack->number);
    cursor_put_u64(out, ack->total_entries);
    cursor_put_u64(out, ack->total_bytes);
    pairs_put(out, &ack->chats);
}

static void
ack_get(struct cursor_in *in, struct command_ack *out)
{
    out->user = cursor_get_u64(in);
    out->device = cursor_get_u16(in);
    out->number = cursor_get_u64(in);
    out->total_entries = cursor_get_u64(in);
    out->total_bytes = cursor_get_u64(in);
    pairs_get(in, &out->chats);
}

static void
device_put(struct cursor_out *out, const struct command_device *device)
{
    cursor_put_u64(out, device->user);
    cursor_put_u16(out, device->device);
}

static void
device_get(struct cursor_in *in, struct command_device *out)
{
    out->user = cursor_get_u64(in);
    out->device = cursor_get_u16(in);
}

static void
message_get(struct cursor_in *in, uint64_t time_ms, struct command_message *out)
{
    out->recipient = cursor_get_u64(in);
    out->copy = flag_get(in);
    entry_get_message(in, &out->message);
    const struct store_entry_message *message = &out->message;
    if (message->sender_name_bytes > STORE_NAME_BYTES_MAX || message->time_ms != time_ms ||
        message->chat_number != 0 ||
        (uint64_t)message->body_bytes + message->attachments_bytes > STORE_BODY_BYTES_MAX) {
        cursor_in_fail(in);
    }
}

size_t
command_encode(const struct command *command, unsigned char *out, size_t bytes_max)
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, bytes_max);
    cursor_put_u64(&cursor, command->time_ms);
    switch (command->kind) {
    case COMMAND_OPEN:
        cursor_put_u32(&cursor, command->open.inbox_entries_max);
        cursor_put_u64(&cursor, command->open.inbox_bytes_max);
        cursor_put_u16(&cursor, command->open.devices_max);
        break;
    case COMMAND_NAME_CLAIM:
        claim_put(&cursor, &command->claim);
        break;
    case COMMAND_PASSWORD_SET:
        cursor_put_u64(&cursor, command->password.user);
        cursor_put_u8(&cursor, command->password.bytes);
        cursor_put_bytes(&cursor, command->password.text, command->password.bytes);
        break;
    case COMMAND_DEVICE_ADD:
        cursor_put_u64(&cursor, command->device_add.user);
        cursor_put_bytes(&cursor, command->device_add.token_hash, STORE_TOKEN_HASH_BYTES);
        record_put_name(&cursor, &command->device_add.name);
        break;
    case COMMAND_USER_REMOVE:
    case COMMAND_DEVICE_ATTACH:
    case COMMAND_DEVICE_REVOKE:
        device_put(&cursor, &command->device);
        break;
    case COMMAND_MESSAGE:
        cursor_put_u64(&cursor, command->message.recipient);
        cursor_put_u8(&cursor, command->message.copy);
        entry_put_message(&cursor, &command->message.message);
        break;
    case COMMAND_ACK:
        ack_put(&cursor, &command->ack);
        break;
    case COMMAND_READ:
        cursor_put_u64(&cursor, command->read.user);
        cursor_put_u64(&cursor, command->read.peer);
        cursor_put_u64(&cursor, command->read.chat_number);
        break;
    case COMMAND_STREAM:
        cursor_put_u8(&cursor, command->stream.source);
        cursor_put_u64(&cursor, command->stream.number);
        cursor_put_bytes(&cursor, command->stream.payload.bytes, command->stream.payload.count);
        break;
    case COMMAND_STREAM_ACK:
        cursor_put_u8(&cursor, command->stream_ack.destination);
        cursor_put_u64(&cursor, command->stream_ack.number);
        pairs_put(&cursor, &command->stream_ack.receipts);
        break;
    case COMMAND_KINDS:
        ASSERT(false);
    }
    ASSERT(!cursor.failed);
    return cursor_out_bytes(&cursor);
}

/* The payload is the rest; it is decoded here once, so that apply may rely on it. */
static void
stream_get(struct cursor_in *in, struct command_stream *out)
{
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
body_get(struct cursor_in *in, struct command *out)
{
    switch (out->kind) {
    case COMMAND_OPEN:
        out->open.inbox_entries_max = cursor_get_u32(in);
        out->open.inbox_bytes_max = cursor_get_u64(in);
        out->open.devices_max = cursor_get_u16(in);
        break;
    case COMMAND_NAME_CLAIM:
        claim_get(in, &out->claim);
        break;
    case COMMAND_PASSWORD_SET:
        out->password.user = cursor_get_u64(in);
        out->password.bytes = cursor_get_u8(in);
        out->password.text = cursor_get_bytes(in, out->password.bytes);
        if (out->password.bytes > STORE_PASSWORD_BYTES_MAX) {
            cursor_in_fail(in);
        }
        break;
    case COMMAND_DEVICE_ADD:
        out->device_add.user = cursor_get_u64(in);
        cursor_get_copy(in, out->device_add.token_hash, STORE_TOKEN_HASH_BYTES);
        record_get_name(in, &out->device_add.name);
        break;
    case COMMAND_USER_REMOVE:
    case COMMAND_DEVICE_ATTACH:
    case COMMAND_DEVICE_REVOKE:
        device_get(in, &out->device);
        break;
    case COMMAND_MESSAGE:
        message_get(in, out->time_ms, &out->message);
        break;
    case COMMAND_ACK:
        ack_get(in, &out->ack);
        break;
    case COMMAND_READ:
        out->read.user = cursor_get_u64(in);
        out->read.peer = cursor_get_u64(in);
        out->read.chat_number = cursor_get_u64(in);
        break;
    case COMMAND_STREAM:
        stream_get(in, &out->stream);
        break;
    case COMMAND_STREAM_ACK:
        out->stream_ack.destination = cursor_get_u8(in);
        out->stream_ack.number = cursor_get_u64(in);
        pairs_get(in, &out->stream_ack.receipts);
        break;
    case COMMAND_KINDS:
        cursor_in_fail(in);
        break;
    }
}

int
command_decode(const struct log_command *logged, struct command *out)
{
    struct cursor_in in;
    if (logged->kind == 0 || logged->kind >= COMMAND_KINDS || logged->version != COMMAND_VERSION) {
        return -EPROTO;
    }
    cursor_in_init(&in, logged->body, logged->body_bytes);
    out->partition = logged->partition;
    out->kind = (enum command_kind)logged->kind;
    out->time_ms = cursor_get_u64(&in);
    body_get(&in, out);
    return cursor_in_end(&in);
}

const char *
command_kind_name(enum command_kind kind)
{
    static const char *const names[COMMAND_KINDS] = {
        [COMMAND_OPEN] = "OPEN",
        [COMMAND_NAME_CLAIM] = "NAME_CLAIM",
        [COMMAND_USER_REMOVE] = "USER_REMOVE",
        [COMMAND_PASSWORD_SET] = "PASSWORD_SET",
        [COMMAND_DEVICE_ADD] = "DEVICE_ADD",
        [COMMAND_DEVICE_ATTACH] = "DEVICE_ATTACH",
        [COMMAND_DEVICE_REVOKE] = "DEVICE_REVOKE",
        [COMMAND_MESSAGE] = "MESSAGE",
        [COMMAND_ACK] = "ACK",
        [COMMAND_READ] = "READ",
        [COMMAND_STREAM] = "STREAM",
        [COMMAND_STREAM_ACK] = "STREAM_ACK",
    };
    return kind > 0 && kind < COMMAND_KINDS ? names[kind] : "UNKNOWN";
}
