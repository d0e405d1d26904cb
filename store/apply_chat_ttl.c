/* SPDX-License-Identifier: Apache-2.0 */
/* How long messages of a chat of two live: set in the other one's partition, then in one's own.
 * Each has the value in its record of the chat, since each decides one direction.
 *
 * What a user sets whom the other has blocked holds for him alone: he is answered and told as
 * ever, messages that he writes (which go nowhere) and that he gets live so long on his devices;
 * for the other, who is told nothing, all is as it was. So it is until either sets it again. */
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/group.h"
#include "store/outbox.h"

#include <errno.h>

/* Both may set it at once: the partitions hear of the two in different orders, and keep the same.
 * Whoever had heard of the other's comes behind it, whatever the clocks say. */
static bool
is_newer(const struct record_chat *chat, const struct payload_chat_ttl *set)
{
    return set->time_ms > chat->ttl_at_ms ||
           (set->time_ms == chat->ttl_at_ms && set->user >= chat->ttl_by);
}

static void
keep(const struct apply *apply, uint64_t user, uint64_t peer, const struct payload_chat_ttl *set,
     struct record_chat *chat)
{
    chat->ttl_ms = set->ttl_ms;
    chat->ttl_at_ms = set->time_ms;
    chat->ttl_by = set->user;
    chat->ttl_alone.set = false;
    chat->peer_ttl_alone.set = false;
    chat_put(apply->ledger, user, peer, chat);
}

static struct store_entry
entry_of(uint64_t peer, const struct payload_chat_ttl *set)
{
    return (struct store_entry){
        .kind = STORE_ENTRY_CHAT_TTL,
        .peer = peer,
        .update = {.time_ms = set->time_ms,
                   .author = set->user,
                   .value = set->ttl_ms,
                   .kind = STORE_GROUP_TTL},
    };
}

static struct store_entry_message
id_of(const struct command_chat_ttl *command)
{
    return (struct store_entry_message){.sender = command->user,
                                        .sender_device = command->device,
                                        .sender_number = command->number};
}

static void
need_chat_ttl(const struct needs *needs, const struct command *whole)
{
    const struct command_chat_ttl *command = &whole->chat_ttl;
    struct store_entry_message id = id_of(command);
    need(needs, RECORD_HEAD, command->recipient, 0);
    need(needs, RECORD_CHAT, command->recipient, command->user);
    need_number(needs, &id);
}

/* For the user's other devices. A head is large: it is not to lie on its callers' stack, too. */
static __attribute__((noinline)) void
tell_own(const struct apply *apply, uint64_t user, uint64_t peer,
         const struct payload_chat_ttl *set)
{
    struct store_entry entry = entry_of(peer, set);
    struct record_head head;
    if (inbox_head_get(apply->ledger, user, &head) && head.devices > 1) {
        (void)apply_own_entry(apply, user, &entry);
    }
}

/* False: no device of the recipient has room. */
static bool
take_in(const struct apply *apply, uint64_t recipient, struct record_head *head,
        const struct payload_chat_ttl *set, struct record_chat *chat)
{
    struct store_entry entry = entry_of(set->user, set);
    if (!inbox_make_room(apply->ledger, apply->effects, recipient, head, entry_bytes(&entry))) {
        return false;
    }
    inbox_append(apply->ledger, apply->effects, recipient, head, &entry);
    inbox_head_put(apply->ledger, recipient, head);
    keep(apply, recipient, set->user, set, chat);
    return true;
}

/* In the recipient's partition: 0, or why it may not be. As large as tell_own. */
static __attribute__((noinline)) int
set_here(const struct apply *apply, const struct command_chat_ttl *command,
         struct payload_chat_ttl *set)
{
    struct record_head head;
    struct record_chat chat;
    if (!inbox_head_get(apply->ledger, command->recipient, &head)) {
        return -ENOENT;
    }
    (void)chat_get(apply->ledger, command->recipient, command->user, &chat);
    if (!command->met && !chat_met(&chat)) {
        return -ENOMSG;
    }
    if (set->time_ms <= chat.ttl_at_ms) {
        set->time_ms = chat.ttl_at_ms + 1;
    }
    if (chat.blocked) {
        set->alone = true;
        chat.peer_ttl_alone = (struct record_ttl_alone){true, set->ttl_ms};
        chat_put(apply->ledger, command->recipient, set->user, &chat);
        return 0;
    }
    if (command->recipient == command->user) {
        keep(apply, set->user, set->user, set, &chat);
        tell_own(apply, set->user, set->user, set);
        return 0;
    }
    return take_in(apply, command->recipient, &head, set, &chat) ? 0 : -EDQUOT;
}

static void
run_chat_ttl(const struct apply *apply, const struct command *whole)
{
    const struct command_chat_ttl *command = &whole->chat_ttl;
    struct store_entry_message id = id_of(command);
    struct payload payload = {.kind = PAYLOAD_CHAT_TTL,
                              .chat_ttl = {.peer = command->recipient,
                                           .user = command->user,
                                           .ttl_ms = command->ttl_ms,
                                           .time_ms = apply->time_ms}};
    if (!apply_number_is_new(apply, &id)) {
        return;
    }
    apply->result->error = set_here(apply, command, &payload.chat_ttl);
    if (apply->result->error != 0) {
        return;
    }
    if (command->recipient != command->user) {
        uint8_t destination = ledger_partition_of(apply->ledger, command->user);
        (void)outbox_put(apply->ledger, apply->effects, destination, &payload);
    }
    id.time_ms = payload.chat_ttl.time_ms;
    apply_number_accept(apply, &id);
    apply->result->time_ms = id.time_ms;
}

const struct apply_command_kind apply_chat_ttl = {need_chat_ttl, run_chat_ttl};

static void
need_set(const struct needs *needs, const struct payload *payload)
{
    need(needs, RECORD_HEAD, payload->chat_ttl.user, 0);
    need(needs, RECORD_CHAT, payload->chat_ttl.user, payload->chat_ttl.peer);
}

static void
run_set(const struct apply *apply, const struct payload *payload)
{
    const struct payload_chat_ttl *set = &payload->chat_ttl;
    struct record_head head;
    struct record_chat chat;
    if (!inbox_head_get(apply->ledger, set->user, &head)) {
        return;
    }
    (void)chat_get(apply->ledger, set->user, set->peer, &chat);
    if (!is_newer(&chat, set)) {
        return;
    }
    if (set->alone) {
        chat.ttl_alone = (struct record_ttl_alone){true, set->ttl_ms};
        chat_put(apply->ledger, set->user, set->peer, &chat);
    } else {
        keep(apply, set->user, set->peer, set, &chat);
    }
    tell_own(apply, set->user, set->peer, set);
}

const struct apply_payload_kind apply_chat_ttl_set = {need_set, run_set};
