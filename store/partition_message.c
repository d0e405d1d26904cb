/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that send messages, and change what was sent. */
#include "store/change.h"
#include "store/chat.h"
#include "store/partition_priv.h"

#include <errno.h>

/* The message that begins the ask's data, with what its buffer holds. */
bool
partition_valid_message(const struct ask *ask)
{
    const struct store_message *message = ASK_DATA(store_message, ask);
    uint64_t bytes = (uint64_t)message->body_bytes + message->attachments_bytes;
    uint64_t held = ask->buffer != NULL ? ln_buffer_bytes(ask->buffer) : 0;
    return partition_valid_user(ask) && message->sender != 0 && message->number != 0 &&
           bytes <= STORE_BODY_BYTES_MAX && bytes == held &&
           partition_valid_name(&message->sender_name) && message->ttl_ms <= STORE_TTL_MS_MAX;
}

static struct store_entry_message
message_of(const struct ask *ask)
{
    const struct store_message *message = ASK_DATA(store_message, ask);
    const unsigned char *body = ask->buffer != NULL ? ln_buffer_data(ask->buffer) : NULL;
    return (struct store_entry_message){
        .sender = message->sender,
        .sender_number = message->number,
        .sender_device = message->sender_device,
        .body_kind = message->body_kind,
        .content_kind = message->content_kind,
        .sender_name_bytes = message->sender_name.bytes,
        .sender_name = message->sender_name.text,
        .body = body,
        .body_bytes = message->body_bytes,
        .attachments = body != NULL ? body + message->body_bytes : NULL,
        .attachments_bytes = message->attachments_bytes,
    };
}

void
partition_message_command(const struct ask *ask, enum command_kind kind, struct command *out)
{
    const struct store_message *message = ASK_DATA(store_message, ask);
    *out = (struct command){
        .kind = kind,
        .message = {.recipient = message->recipient,
                    .copy = message->copy,
                    .begins = message->holds,
                    .message = message_of(ask)},
    };
}

/* He must have existed once, or may wait to (hold.h): then the command says how many messages wait
 * for him at most. */
static bool
recipient_may_be(const struct partition *partition, const struct store_message *asked,
                 struct command_message *out)
{
    struct store_key key =
        record_key(partition->ledger.partition, RECORD_HEAD, asked->recipient, 0);
    struct store_value value;
    struct record_head head;
    if (!ledger_get(&partition->ledger, &key, &value)) {
        out->hold_max = asked->holds ? asked->hold_max : 0;
        return asked->holds;
    }
    int error = record_head_decode(value, &head);
    ASSERT(error == 0);
    out->hold_max = head.unborn ? asked->hold_max : 0;
    return true;
}

static enum ask_outcome
run_message(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_message *asked = ASK_DATA(store_message, ask);
    struct command command;
    struct record_chat chat;
    partition_message_command(ask, COMMAND_MESSAGE, &command);
    enum ask_outcome outcome = partition_log(partition, ask, &command, false);
    if (outcome != ASK_READY || !act) {
        return outcome;
    }
    if (asked->known_only &&
        !(chat_get(&partition->ledger, asked->recipient, asked->sender, &chat) &&
          chat_met(&chat))) {
        return partition_refuse(ask, -EUSERS);
    }
    if (!recipient_may_be(partition, asked, &command.message)) {
        return partition_refuse(ask, -ENOENT);
    }
    return partition_log_known(partition, ask, &command);
}

bool
partition_valid_change(const struct ask *ask)
{
    const struct store_change *change = ASK_DATA(store_change, ask);
    return partition_valid_message(ask) && change->kind >= STORE_CHANGE_EDIT &&
           change->kind <= STORE_CHANGE_HIDE && change->chat_number != 0 && change->author != 0 &&
           change->peer != 0;
}

void
partition_change_command(const struct ask *ask, enum command_kind kind, struct command *out)
{
    const struct store_change *change = ASK_DATA(store_change, ask);
    *out = (struct command){
        .kind = kind,
        .change =
            {
                .owner = change->message.recipient,
                .peer = change->peer,
                .in_group = change->in_group,
                .until_ms = change->until_ms,
                .kept_until_ms = change->kept_until_ms,
                .original = change->original,
                .expires_at_ms = change->expires_at_ms,
                .change = {.kind = (enum store_change_kind)change->kind,
                           .author = change->author,
                           .message = message_of(ask)},
            },
    };
    out->change.change.message.chat_number = change->chat_number;
}

static enum ask_outcome
run_change(struct partition *partition, struct ask *ask, bool act)
{
    struct command command;
    partition_change_command(ask, COMMAND_CHANGE, &command);
    return partition_log_for_user(partition, ask, &command, command.change.owner, act);
}

void
partition_answer_sent(struct ask *ask, const struct result *result)
{
    struct store_sent sent = {
        .chat_number = result->chat_number,
        .time_ms = result->time_ms,
        .entry = result->entry,
        .expires_at_ms = result->expires_at_ms,
        .looks = result->looks,
        .duplicate = result->duplicate,
    };
    ask_answer(ask, &sent, sizeof(sent), NULL);
}

/* ------------------------------------------------------------------------------------ the kinds */

const struct ask_kind ask_message = {
    .bytes = sizeof(struct store_message),
    .needs_space = true,
    .valid = partition_valid_message,
    .run = run_message,
    .answer = partition_answer_sent,
};
const struct ask_kind ask_change = {
    .bytes = sizeof(struct store_change),
    .needs_space = true,
    .valid = partition_valid_change,
    .run = run_change,
    .answer = partition_answer_sent,
};
