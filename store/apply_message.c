/* SPDX-License-Identifier: Apache-2.0 */
/* A message is decided in its recipient's partition, and counted there in its chat. What the
 * sender's other devices get of it goes through the outbox. */
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/expiry.h"
#include "store/history_ledger.h"
#include "store/outbox.h"

#include <errno.h>

void
apply_live_for(const struct apply *apply, uint64_t ttl_ms, struct store_entry_message *message)
{
    uint64_t at_ms = apply->time_ms + (ttl_ms < STORE_TTL_MS_MAX ? ttl_ms : STORE_TTL_MS_MAX);
    if (ttl_ms != 0 && (message->expires_at_ms == 0 || message->expires_at_ms > at_ms)) {
        message->expires_at_ms = at_ms;
    }
}

void
apply_expiry(const struct apply *apply, uint64_t user, const struct store_entry *entry)
{
    const struct store_entry_message *message = entry_said(entry);
    struct expiry expiry = {.kind = EXPIRY_ENTRY, .user = user, .a = entry->number};
    if (message != NULL && message->expires_at_ms != 0) {
        expiry_put(apply->ledger, apply->effects, message->expires_at_ms, entry->number, &expiry);
    }
}

static void
copy_send(const struct apply *apply, uint64_t recipient, const struct store_entry *entry)
{
    struct payload payload = {.kind = PAYLOAD_COPY,
                              .copy = {.peer = recipient, .message = entry->message}};
    uint8_t destination = ledger_partition_of(apply->ledger, entry->message.sender);
    payload.copy.message.original = entry->number;
    (void)outbox_put(apply->ledger, apply->effects, destination, &payload);
}

/* What a message needs is cold, mostly, and in one of several generations: asked for at once, it is
 * waited for once. */
static void
expect_message(const struct ledger *ledger, const struct command_message *command)
{
    const struct store_entry_message *message = &command->message;
    struct store_key keys[] = {
        record_key(ledger->partition, RECORD_HEAD, command->recipient, 0),
        record_key(ledger->partition, RECORD_CHAT, command->recipient, message->sender),
        record_key(ledger->partition, RECORD_WINDOW, message->sender, message->sender_device),
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        delta_prefetch(ledger->delta, &keys[i]);
    }
}

static void
need_message(const struct needs *needs, const struct command *whole)
{
    const struct command_message *command = &whole->message;
    expect_message(needs->ledger, command);
    need(needs, RECORD_HEAD, command->recipient, 0);
    need(needs, RECORD_CHAT, command->recipient, command->message.sender);
    need_number(needs, &command->message);
}

/* Into the inbox, as the chat's next. False: no device has room. */
static bool
take_in(const struct apply *apply, uint64_t recipient, struct record_head *head,
        struct record_chat *chat, struct store_entry *entry)
{
    struct ledger *ledger = apply->ledger;
    if (!inbox_make_room(ledger, apply->effects, recipient, head, entry_bytes(entry))) {
        return false;
    }
    entry->message.chat_number = ++chat->last;
    entry->quiet = chat->muted_until_ms > apply->time_ms;
    inbox_append(ledger, apply->effects, recipient, head, entry);
    inbox_head_put(ledger, recipient, head);
    history_put(ledger, recipient, entry);
    apply_expiry(apply, recipient, entry);
    return true;
}

/* The recipient's head; of one who is not there yet (hold.h) too, if he may still get something. 0
 * or the error. */
static int
recipient_find(const struct apply *apply, const struct command_message *command,
               struct record_head *out)
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_HEAD, command->recipient, 0);
    struct store_value value;
    if (command->begins && !ledger_get(apply->ledger, &key, &value)) {
        *out = (struct record_head){.unborn = true, .device_next = 1};
    } else if (!inbox_head_find(apply->ledger, command->recipient, out)) {
        return -ENOENT;
    }
    if (out->unborn && inbox_entries_above(out, &out->low) >= command->hold_max) {
        return command->hold_max == 0 ? -ENOENT : -EDQUOT;
    }
    return 0;
}

/* What somebody writes whom the recipient has blocked is answered as if it were accepted, and goes
 * nowhere. Its number in the chat is one that no cursor reaches, so it is never said to be
 * delivered, not even when the block is lifted; those that arrive are counted without a gap. */
static void
swallow(struct record_chat *chat, struct store_entry *entry)
{
    entry->message.chat_number = STORE_SWALLOWED_MIN + ++chat->swallowed;
}

/* A retry: its end is where it was, or where the chat lets it be by now. */
static void
answer_again(const struct apply *apply, const struct command_message *command)
{
    struct store_entry_message message = command->message;
    struct record_chat chat;
    (void)chat_get(apply->ledger, command->recipient, message.sender, &chat);
    apply_live_for(apply, chat_peer_ttl_ms(&chat), &message);
    if (apply->result->duplicate && message.expires_at_ms != 0) {
        apply->result->expires_at_ms =
            apply->result->time_ms + (message.expires_at_ms - apply->time_ms);
    }
}

static void
run_message(const struct apply *apply, const struct command *whole)
{
    const struct command_message *command = &whole->message;
    struct ledger *ledger = apply->ledger;
    uint64_t recipient = command->recipient;
    struct store_entry entry = {
        .kind = STORE_ENTRY_MESSAGE,
        .peer = command->message.sender,
        .message = command->message,
    };
    struct record_head head;
    struct record_chat chat;
    expect_message(ledger, command);
    if (!apply_number_is_new(apply, &command->message)) {
        answer_again(apply, command);
        return;
    }
    apply->result->error = recipient_find(apply, command, &head);
    if (apply->result->error != 0) {
        return;
    }
    (void)chat_get(ledger, recipient, entry.peer, &chat);
    apply_live_for(apply, chat_ttl_ms(&chat), &entry.message);
    if (chat.blocked) {
        swallow(&chat, &entry);
    } else if (!take_in(apply, recipient, &head, &chat, &entry)) {
        apply->result->error = -EDQUOT;
        return;
    }
    entry.message.expires_at_ms = command->message.expires_at_ms; /* as its sender sees it */
    apply_live_for(apply, chat_peer_ttl_ms(&chat), &entry.message);
    chat_put(ledger, recipient, entry.peer, &chat);
    apply_number_accept(apply, &entry.message);
    bool copied = command->copy || history_is_on(ledger);
    if (copied && entry.peer != recipient) {
        copy_send(apply, recipient, &entry);
    }
    apply->result->chat_number = entry.message.chat_number;
    apply->result->entry = entry.number;
    apply->result->expires_at_ms = entry.message.expires_at_ms;
    apply->result->time_ms = apply->time_ms;
}

const struct apply_command_kind apply_message = {need_message, run_message};

static void
need_copy(const struct needs *needs, const struct payload *payload)
{
    need(needs, RECORD_HEAD, payload->copy.message.sender, 0);
}

void
apply_own_append(const struct apply *apply, uint64_t user, struct record_head *head,
                 struct store_entry *entry)
{
    if (inbox_append_or_miss(apply->ledger, apply->effects, user, head, entry)) {
        apply_expiry(apply, user, entry);
    }
    inbox_head_put(apply->ledger, user, head);
}

bool
apply_own_entry(const struct apply *apply, uint64_t user, struct store_entry *entry)
{
    struct record_head head;
    if (!inbox_head_get(apply->ledger, user, &head)) {
        return false;
    }
    const struct store_entry_message *said = entry_said(entry);
    if (inbox_has_others(&head, said != NULL ? said->sender_device : 0) ||
        !history_is_on(apply->ledger)) {
        apply_own_append(apply, user, &head, entry);
    }
    return true;
}

/* The message is safe where it was written to, and the device that wrote it has it: a sender whose
 * devices have no room is told that something is missing, and to one who has no other it goes into
 * his history alone. */
static void
run_copy(const struct apply *apply, const struct payload *payload)
{
    const struct payload_copy *copy = &payload->copy;
    uint64_t user = copy->message.sender;
    struct store_entry entry = {
        .kind = STORE_ENTRY_MESSAGE, .peer = copy->peer, .message = copy->message};
    if (!apply_own_entry(apply, user, &entry)) {
        return;
    }
    history_put(apply->ledger, user, &entry);
}

const struct apply_payload_kind apply_copy = {need_copy, run_copy};
