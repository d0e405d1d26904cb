/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors only grow: how far a device has stored its inbox, and from it, how far a user got in each
 * chat. */
#include "runtime/larger.h"
#include "store/apply_group.h"
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/due.h"

#include <errno.h>

/* The first device to acknowledge a message makes it delivered. Not in the chat with `told`, where
 * that was taken in before; 0: there is none. */
static void
deliver(const struct apply *apply, const struct command_ack *ack, struct record_head *head,
        uint64_t told)
{
    for (uint32_t i = 0; i < ack->chats.count; i++) {
        struct record_chat chat;
        uint64_t peer;
        uint64_t chat_number;
        command_pair_get(&ack->chats, i, &peer, &chat_number);
        if (peer == told) {
            continue;
        }
        if ((peer & COMMAND_PAIR_GROUP) != 0) {
            apply_group_delivered(apply, ack->user, peer & ~COMMAND_PAIR_GROUP, chat_number);
            continue;
        }
        struct chat_owner owner = {.user = ack->user, .peer = peer, .head = head, .chat = &chat};
        if (!chat_get(apply->ledger, ack->user, peer, &chat) || chat_number <= chat.delivered) {
            continue;
        }
        ASSERT(chat_number <= chat.last);
        chat.delivered = chat_number;
        chat_tell(apply->ledger, apply->effects, &owner);
        chat_put(apply->ledger, ack->user, peer, &chat);
    }
}

void
apply_need_ack(const struct needs *needs, const struct command *command)
{
    const struct command_ack *ack = &command->ack;
    need(needs, RECORD_HEAD, ack->user, 0);
    for (uint32_t i = 0; i < ack->chats.count; i++) {
        uint64_t peer;
        uint64_t chat_number;
        command_pair_get(&ack->chats, i, &peer, &chat_number);
        bool group = (peer & COMMAND_PAIR_GROUP) != 0;
        need(needs, group ? RECORD_MEMBERSHIP : RECORD_CHAT, ack->user, peer & ~COMMAND_PAIR_GROUP);
    }
    if (ack->peer != 0) {
        need(needs, RECORD_CHAT, ack->user, ack->peer);
    }
}

/* The head is the user's; `told` as of deliver. */
static void
acknowledge(const struct apply *apply, const struct command_ack *ack, struct record_head *head,
            uint64_t told)
{
    struct record_cursor *cursor = inbox_cursor(head, ack->device);
    if (cursor == NULL) {
        apply->result->error = -ENOENT;
        return;
    }
    if (ack->number > head->last.number) {
        apply->result->error = -ERANGE;
        return;
    }
    if (cursor->state != RECORD_CURSOR_LOST && ack->number >= cursor->acked.number) {
        cursor->state = RECORD_CURSOR_HOLDS;
        cursor->acked = (struct record_place){
            .number = ack->number, .entries = ack->total_entries, .bytes = ack->total_bytes};
        due_consider(apply->ledger, apply->effects, ack->user, head, cursor);
        inbox_trim(apply->ledger, ack->user, head);
        inbox_head_put(apply->ledger, ack->user, head);
    }
    deliver(apply, ack, head, told);
}

static void
need_read(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->read.user, 0);
    need(needs, RECORD_CHAT, command->read.user, command->read.peer);
}

/* The head is the user's. `received`: up to where the chat is acknowledged at once. What moves
 * nothing may be told all the same: receipts were off, or the chat blocked. False: refused. */
static bool
mark_read(const struct apply *apply, const struct command_read *read, struct record_head *head,
          uint64_t received)
{
    struct record_chat chat;
    if (!chat_get(apply->ledger, read->user, read->peer, &chat) || read->chat_number > chat.last) {
        apply->result->error = -ERANGE;
        return false;
    }
    ASSERT(received <= chat.last);
    const struct record_chat before = chat;
    chat.read = larger(chat.read, read->chat_number);
    chat.delivered = larger(chat.delivered, larger(chat.read, received));
    apply->result->moved = chat.read > before.read;
    struct chat_owner owner = {.user = read->user, .peer = read->peer, .head = head, .chat = &chat};
    chat_tell(apply->ledger, apply->effects, &owner);
    if (apply->result->moved && head->devices > 1) {
        chat_mark(apply->ledger, apply->effects, &owner, CHAT_OWN);
        inbox_head_put(apply->ledger, read->user, head);
    }
    if (apply->result->moved || chat.delivered > before.delivered ||
        chat.told_number != before.told_number) {
        chat_put(apply->ledger, read->user, read->peer, &chat);
    }
    return true;
}

static void
run_read(const struct apply *apply, const struct command *command)
{
    struct record_head head;
    if (!inbox_head_get(apply->ledger, command->read.user, &head)) {
        apply->result->error = -ENOENT;
        return;
    }
    (void)mark_read(apply, &command->read, &head, 0);
}

const struct apply_command_kind apply_read = {need_read, run_read};

/* Up to where it acknowledges the chat with the peer; 0: not at all, or it is refused. */
static uint64_t
received_of(const struct command_ack *ack, struct record_head *head)
{
    if (inbox_cursor(head, ack->device) == NULL || ack->number > head->last.number) {
        return 0;
    }
    for (uint32_t i = 0; i < ack->chats.count; i++) {
        uint64_t peer;
        uint64_t chat_number;
        command_pair_get(&ack->chats, i, &peer, &chat_number);
        if (peer == ack->peer) {
            return chat_number;
        }
    }
    return 0;
}

/* What was read with it, and what was received of that chat, is told at once. */
static void
run_ack(const struct apply *apply, const struct command *command)
{
    const struct command_ack *ack = &command->ack;
    struct command_read read = {
        .user = ack->user, .peer = ack->peer, .chat_number = ack->chat_number};
    struct record_head head;
    if (!inbox_head_get(apply->ledger, ack->user, &head)) {
        apply->result->error = -ENOENT;
        return;
    }
    bool told = ack->peer != 0 && mark_read(apply, &read, &head, received_of(ack, &head));
    acknowledge(apply, ack, &head, told ? ack->peer : 0);
}

const struct apply_command_kind apply_ack = {apply_need_ack, run_ack};

static void
need_receipt(const struct needs *needs, const struct payload *payload)
{
    need(needs, RECORD_HEAD, payload->receipt.peer, 0);
    need(needs, RECORD_CHAT, payload->receipt.peer, payload->receipt.reader);
}

/* He has come and is gone again (apply_user.c): that is all there is to tell. */
static void
end_hold(const struct apply *apply, const struct payload_receipt *receipt, struct record_head *head,
         struct record_chat *chat)
{
    if (chat->held) {
        apply_hold_end(head, chat);
        inbox_head_put(apply->ledger, receipt->peer, head);
        chat_put(apply->ledger, receipt->peer, receipt->reader, chat);
    }
}

/* What has expired for the reader is put down at once. False: it was known. */
static __attribute__((noinline)) bool
take_over(const struct apply *apply, const struct payload_receipt *receipt,
          struct record_chat *chat)
{
    struct record_expired known;
    chat_expired(apply->ledger, receipt->peer, receipt->reader, &known);
    if (expired_equal(&known.there, &receipt->expired)) {
        return false;
    }
    known.there = receipt->expired;
    chat_put_expired(apply->ledger, receipt->peer, receipt->reader, chat, &known);
    return true;
}

/* A user who does not tell what was read is not told either. */
static void
run_receipt(const struct apply *apply, const struct payload *payload)
{
    const struct payload_receipt *receipt = &payload->receipt;
    struct record_head head;
    struct record_chat chat;
    if (!inbox_head_get(apply->ledger, receipt->peer, &head)) {
        return;
    }
    (void)chat_get(apply->ledger, receipt->peer, receipt->reader, &chat);
    uint64_t read = head.receipts_off ? 0 : receipt->read;
    bool expired = payload->kind == PAYLOAD_EXPIRED && take_over(apply, receipt, &chat);
    if (receipt->delivered <= chat.peer_delivered && read <= chat.peer_read && !expired) {
        end_hold(apply, receipt, &head, &chat);
        return;
    }
    if (receipt->delivered > chat.peer_delivered) {
        chat.peer_delivered = receipt->delivered;
    }
    if (read > chat.peer_read) {
        chat.peer_read = read;
    }
    apply_hold_end(&head, &chat); /* he has come, or what waited for him has grown too old */
    struct chat_owner owner = {
        .user = receipt->peer, .peer = receipt->reader, .head = &head, .chat = &chat};
    chat_mark(apply->ledger, apply->effects, &owner, CHAT_PEER);
    inbox_head_put(apply->ledger, receipt->peer, &head);
    chat_put(apply->ledger, receipt->peer, receipt->reader, &chat);
}

const struct apply_payload_kind apply_receipt = {need_receipt, run_receipt};
