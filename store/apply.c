/* SPDX-License-Identifier: Apache-2.0 */
#include "store/apply.h"

#include "store/apply_priv.h"

/* Collects the keys of one command. */
struct needs {
    const struct ledger *ledger;
    void (*each)(void *context, const struct store_key *key);
    void *context;
};

static void
need(const struct needs *needs, enum record_table table, uint64_t owner, uint64_t a)
{
    struct store_key key = record_key(needs->ledger->partition, table, owner, a);
    needs->each(needs->context, &key);
}

static void
need_name(const struct needs *needs, const struct store_name *name)
{
    struct store_key key = record_key_name(needs->ledger->seed, name);
    needs->each(needs->context, &key);
}

static void
need_message(const struct needs *needs, const struct command_message *message)
{
    need(needs, RECORD_HEAD, message->recipient, 0);
    need(needs, RECORD_CHAT, message->recipient, message->message.sender);
    if (message->message.sender_number < STORE_NODE_NUMBER_MIN) {
        need(needs, RECORD_WINDOW, message->message.sender, message->message.sender_device);
    }
}

static void
need_payload(const struct needs *needs, struct store_value bytes)
{
    struct payload payload;
    int error = payload_decode(bytes, &payload);
    ASSERT(error == 0);
    switch (payload.kind) {
    case PAYLOAD_USER_CREATE:
        break;
    case PAYLOAD_NAME_RELEASE:
        need_name(needs, &payload.release.name);
        break;
    case PAYLOAD_RECEIPT:
        need(needs, RECORD_HEAD, payload.receipt.peer, 0);
        need(needs, RECORD_CHAT, payload.receipt.peer, payload.receipt.reader);
        break;
    case PAYLOAD_COPY:
        need(needs, RECORD_HEAD, payload.copy.message.sender, 0);
        break;
    }
}

static void
need_pairs(const struct needs *needs, const struct command_stream_ack *ack)
{
    for (uint32_t i = 0; i < ack->receipts.count; i++) {
        uint64_t reader;
        uint64_t peer;
        command_pair_get(&ack->receipts, i, &reader, &peer);
        need(needs, RECORD_HEAD, reader, 0);
        need(needs, RECORD_CHAT, reader, peer);
    }
}

static void
need_ack(const struct needs *needs, const struct command_ack *ack)
{
    need(needs, RECORD_HEAD, ack->user, 0);
    for (uint32_t i = 0; i < ack->chats.count; i++) {
        uint64_t peer;
        uint64_t chat_number;
        command_pair_get(&ack->chats, i, &peer, &chat_number);
        need(needs, RECORD_CHAT, ack->user, peer);
    }
}

void
apply_needs(const struct ledger *ledger, const struct command *command,
            void (*each)(void *context, const struct store_key *key), void *context)
{
    struct needs needs = {.ledger = ledger, .each = each, .context = context};
    switch (command->kind) {
    case COMMAND_NAME_CLAIM:
        need_name(&needs, &command->claim.name);
        break;
    case COMMAND_USER_REMOVE:
        need(&needs, RECORD_HEAD, command->device.user, 0);
        need(&needs, RECORD_USER, command->device.user, 0);
        break;
    case COMMAND_PASSWORD_SET:
        need(&needs, RECORD_HEAD, command->password.user, 0);
        break;
    case COMMAND_DEVICE_ADD:
        need(&needs, RECORD_HEAD, command->device_add.user, 0);
        break;
    case COMMAND_DEVICE_ATTACH:
        need(&needs, RECORD_HEAD, command->device.user, 0);
        need(&needs, RECORD_DEVICE, command->device.user, command->device.device);
        break;
    case COMMAND_DEVICE_REVOKE:
        need(&needs, RECORD_HEAD, command->device.user, 0);
        break;
    case COMMAND_MESSAGE:
        need_message(&needs, &command->message);
        break;
    case COMMAND_ACK:
        need_ack(&needs, &command->ack);
        break;
    case COMMAND_READ:
        need(&needs, RECORD_HEAD, command->read.user, 0);
        need(&needs, RECORD_CHAT, command->read.user, command->read.peer);
        break;
    case COMMAND_STREAM:
        need_payload(&needs, command->stream.payload);
        break;
    case COMMAND_STREAM_ACK:
        need_pairs(&needs, &command->stream_ack);
        break;
    case COMMAND_OPEN:
    case COMMAND_KINDS:
        break;
    }
}

static void
apply_open(const struct apply *apply, const struct command_open *open)
{
    struct ledger_limits limits = {
        .inbox_entries_max = open->inbox_entries_max,
        .inbox_bytes_max = open->inbox_bytes_max,
        .devices_max = open->devices_max,
    };
    ledger_open(apply->ledger, apply->time_ms, &limits);
}

void
apply_command(struct ledger *ledger, const struct command *command, struct effects *effects,
              struct result *out)
{
    struct apply apply = {
        .ledger = ledger, .effects = effects, .result = out, .time_ms = command->time_ms};
    ASSERT(command->partition == ledger->partition);
    *out = (struct result){0};
    ledger->changed = true;
    if (command->time_ms > ledger->last_time_ms) {
        ledger->last_time_ms = command->time_ms;
    }
    switch (command->kind) {
    case COMMAND_OPEN:
        apply_open(&apply, &command->open);
        break;
    case COMMAND_NAME_CLAIM:
        apply_name_claim(&apply, &command->claim);
        break;
    case COMMAND_USER_REMOVE:
        apply_user_remove(&apply, command->device.user);
        break;
    case COMMAND_PASSWORD_SET:
        apply_password_set(&apply, &command->password);
        break;
    case COMMAND_DEVICE_ADD:
        apply_device_add(&apply, &command->device_add);
        break;
    case COMMAND_DEVICE_ATTACH:
        apply_device_attach(&apply, &command->device);
        break;
    case COMMAND_DEVICE_REVOKE:
        apply_device_revoke(&apply, &command->device);
        break;
    case COMMAND_MESSAGE:
        apply_message(&apply, &command->message);
        break;
    case COMMAND_ACK:
        apply_ack(&apply, &command->ack);
        break;
    case COMMAND_READ:
        apply_read(&apply, &command->read);
        break;
    case COMMAND_STREAM:
        apply_stream(&apply, &command->stream);
        break;
    case COMMAND_STREAM_ACK:
        apply_stream_ack(&apply, &command->stream_ack);
        break;
    case COMMAND_KINDS:
        ASSERT(false);
    }
}
