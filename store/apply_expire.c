/* SPDX-License-Identifier: Apache-2.0 */
/* What lay in an inbox for too long goes. Devices that had not taken it in are told that they have
 * a hole, and who wrote what no device took in is told that. */
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/inbox.h"

static void
need_expire(const struct needs *needs, const struct command *command)
{
    const struct command_ack *expire = &command->ack;
    need(needs, RECORD_HEAD, expire->user, 0);
    for (uint32_t i = 0; i < expire->chats.count; i++) {
        uint64_t peer;
        uint64_t chat_number;
        command_pair_get(&expire->chats, i, &peer, &chat_number);
        if ((peer & COMMAND_PAIR_GROUP) == 0) {
            need(needs, RECORD_CHAT, expire->user, peer);
        }
    }
}

/* A hole that touches the one before makes it larger; one behind what was delivered in between
 * takes its place. */
static void
expire_chat(const struct apply *apply, uint64_t user, struct record_head *head, uint64_t peer,
            uint64_t chat_number)
{
    struct record_chat chat;
    if (!chat_get(apply->ledger, user, peer, &chat) || chat_number <= chat.delivered ||
        chat_number <= chat.expired) {
        return;
    }
    ASSERT(chat_number <= chat.last);
    if (chat.delivered >= chat.expired) {
        chat.expired_after = chat.delivered;
    }
    chat.expired = chat_number;
    struct chat_owner owner = {.user = user, .peer = peer, .head = head, .chat = &chat};
    chat_tell(apply->ledger, apply->effects, &owner);
    chat_put(apply->ledger, user, peer, &chat);
}

static void
run_expire(const struct apply *apply, const struct command *command)
{
    const struct command_ack *expire = &command->ack;
    struct record_place place = {
        .number = expire->number, .entries = expire->total_entries, .bytes = expire->total_bytes};
    struct record_head head;
    if (!inbox_head_find(apply->ledger, expire->user, &head) || place.number <= head.low.number) {
        return; /* acknowledged, or removed, since it was judged */
    }
    inbox_expire(apply->ledger, apply->effects, expire->user, &head, &place);
    inbox_head_put(apply->ledger, expire->user, &head);
    for (uint32_t i = 0; i < expire->chats.count; i++) {
        uint64_t peer;
        uint64_t chat_number;
        command_pair_get(&expire->chats, i, &peer, &chat_number);
        if ((peer & COMMAND_PAIR_GROUP) == 0) {
            expire_chat(apply, expire->user, &head, peer, chat_number);
        }
    }
}

const struct apply_command_kind apply_inbox_expire = {need_expire, run_expire};
