/* SPDX-License-Identifier: Apache-2.0 */
/* What lay in an inbox for too long goes. Devices that had not taken it in are told that they have
 * a hole, and who wrote what no device took in is told that. */
#include "store/apply_group.h"
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/inbox.h"

void
apply_chat_expired(const struct apply *apply, const struct apply_expired *expired,
                   struct record_head *head)
{
    struct record_chat chat;
    uint64_t peer = expired->peer;
    if (!chat_get(apply->ledger, expired->user, peer, &chat)) {
        return;
    }
    struct record_expired known;
    chat_expired(apply->ledger, expired->user, peer, &known);
    if (!expired_add(&known.here, chat.delivered, expired->after, expired->to)) {
        return;
    }
    ASSERT(expired->to <= chat.last);
    chat.expired_due = true;
    chat_put_expired(apply->ledger, expired->user, peer, &chat, &known);
    struct chat_owner owner = {.user = expired->user, .peer = peer, .head = head, .chat = &chat};
    chat_tell(apply->ledger, apply->effects, &owner);
    chat_put(apply->ledger, expired->user, peer, &chat);
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
        struct apply_expired expired = {.user = expire->user, .peer = peer, .to = chat_number};
        if ((peer & COMMAND_PAIR_GROUP) != 0) {
            apply_group_expired(apply, expire->user, peer & ~COMMAND_PAIR_GROUP, 0, chat_number);
        } else {
            apply_chat_expired(apply, &expired, &head);
        }
    }
}

const struct apply_command_kind apply_inbox_expire = {apply_need_ack, run_expire};
