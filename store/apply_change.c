/* SPDX-License-Identifier: Apache-2.0 */
/* A message is edited or deleted: an entry of its own, in order among the others, that is decided
 * where the message was. Who may do what, and until when, has been found out before the command was
 * made; what only the partition knows is whether the message has been taken back meanwhile. */
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/expiry.h"
#include "store/group_ledger.h"
#include "store/history_ledger.h"
#include "store/outbox.h"
#include "store/withdrawn.h"

#include <errno.h>

static bool
for_everyone(const struct command_change *command)
{
    return command->change.kind != STORE_CHANGE_HIDE;
}

static struct store_key
tombstone_of(const struct ledger *ledger, const struct command_change *command)
{
    return tombstone_key(ledger->partition, command->owner, command->change.author,
                         command->change.message.chat_number);
}

/* Whose chat it is in whose inbox. */
struct place {
    uint64_t user;
    uint64_t chat;
    bool in_group;
};

static struct place
place_of(const struct command_change *command)
{
    return (struct place){
        .user = command->owner, .chat = command->peer, .in_group = command->in_group};
}

/* One to one, the user wrote it. */
static bool
is_own(const struct place *place, const struct store_entry_change *change)
{
    return !place->in_group && change->author == place->user && place->chat != place->user;
}

static struct apply_edited
edited_of(const struct command_change *command)
{
    return (struct apply_edited){.user = command->owner,
                                 .by = command->change.author,
                                 .chat_number = command->change.message.chat_number};
}

/* What a history has of the message, when that is known: an edit changes it. */
static void
need_history(const struct needs *needs, const struct place *place,
             const struct store_entry_change *change)
{
    const struct ledger *ledger = needs->ledger;
    struct store_key at = history_key_at(ledger->partition, place->user, place->chat,
                                         change->message.chat_number, is_own(place, change));
    struct store_value value;
    struct history_at found;
    need_key(needs, &at); /* whether history is on or not: it may be on again */
    if (delta_get(ledger->delta, &at, &value) == DELTA_PRESENT) {
        int error = history_at_decode(value, &found);
        ASSERT(error == 0);
        struct store_key key =
            history_key(ledger->partition, place->user, place->chat, found.number);
        need_key(needs, &key);
    }
}

static void
change_history(const struct apply *apply, const struct place *place,
               const struct store_entry_change *change)
{
    struct ledger *ledger = apply->ledger;
    bool own = is_own(place, change);
    if (change->kind == STORE_CHANGE_EDIT) {
        history_edit(ledger, apply->effects, place->user, place->chat, own, &change->message);
    } else if (change->kind == STORE_CHANGE_DELETE) {
        history_delete(ledger, apply->effects, place->user, place->chat,
                       change->message.chat_number, own);
    } else {
        history_forget(ledger, place->user, place->chat, change->message.chat_number, own);
    }
}

static void
need_change(const struct needs *needs, const struct command *whole)
{
    const struct command_change *command = &whole->change;
    struct store_key tombstone = tombstone_of(needs->ledger, command);
    struct place place = place_of(command);
    need(needs, RECORD_HEAD, command->owner, 0);
    need_number(needs, &command->change.message);
    need_key(needs, &tombstone);
    need(needs, RECORD_CHAT, command->owner, command->peer);
    if (command->in_group) {
        need(needs, RECORD_MEMBERSHIP, command->owner, command->peer);
    }
    need_history(needs, &place, &command->change);
    if (command->original != 0) {
        need(needs, RECORD_INBOX, command->owner, command->original);
    }
}

/* What no device may have fetched yet is not given out any more: the message stays as an entry that
 * says only that it is gone. It goes on to count as much as it did. */
void
apply_wipe(const struct apply *apply, uint64_t user, struct store_entry *entry)
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_INBOX, user, entry->number);
    entry_blank(&entry->message);
    size_t bytes = entry_bytes(entry);
    unsigned char *record = effects_scratch(apply->effects, bytes);
    entry_encode(entry, record);
    ledger_put(apply->ledger, &key, record, bytes);
}

/* The entry is not to lie on its callers' stack, beside their own. */
static __attribute__((noinline)) void
wipe(const struct apply *apply, const struct command_change *command)
{
    struct store_key key =
        record_key(apply->ledger->partition, RECORD_INBOX, command->owner, command->original);
    struct store_value value;
    struct store_entry entry;
    /* It may have expired since it was found: then its key is not even known any more. */
    if (command->original == 0 || delta_get(apply->ledger->delta, &key, &value) != DELTA_PRESENT) {
        return;
    }
    int error = entry_decode(command->original, value.bytes, value.count, &entry);
    ASSERT(error == 0);
    if (entry.kind != STORE_ENTRY_MESSAGE || entry.message.sender != command->change.author ||
        entry.message.chat_number != command->change.message.chat_number) {
        return;
    }
    apply_wipe(apply, command->owner, &entry);
}

static void
bury(const struct apply *apply, const struct command_change *command, uint64_t number)
{
    const struct store_entry_change *change = &command->change;
    struct expiry expiry = {.kind = EXPIRY_TOMBSTONE,
                            .user = command->owner,
                            .a = change->author,
                            .b = change->message.chat_number};
    tombstone_put(apply->ledger, command->owner, change->author, change->message.chat_number);
    expiry_put(apply->ledger, apply->effects, command->kept_until_ms, number, &expiry);
}

/* Also to a sender without other devices: there may be one by then, or a history. A frame of its
 * own: its caller has a head. */
static __attribute__((noinline)) void
copy_send(const struct apply *apply, const struct command_change *command,
          const struct store_entry_change *change)
{
    struct payload payload = {.kind = PAYLOAD_CHANGE,
                              .change = {.peer = command->owner, .change = *change}};
    uint8_t destination = ledger_partition_of(apply->ledger, change->message.sender);
    (void)outbox_put(apply->ledger, apply->effects, destination, &payload);
}

/* It was done before, or can't be done: the result says which. */
static bool
settled(const struct apply *apply, const struct command_change *command)
{
    const struct ledger *ledger = apply->ledger;
    const struct store_entry_change *change = &command->change;
    if (!apply_number_is_new(apply, &change->message)) {
        return true;
    }
    if (command->until_ms != 0 && apply->time_ms >= command->until_ms) {
        apply->result->error = -ETIME;
        return true;
    }
    bool gone = for_everyone(command) && tombstone_there(ledger, command->owner, change->author,
                                                         change->message.chat_number);
    bool over = command->expires_at_ms != 0 && command->expires_at_ms <= apply->time_ms;
    if ((gone || over) && change->kind == STORE_CHANGE_EDIT) {
        apply->result->error = -EIDRM;
        return true;
    }
    if (gone) {
        apply_number_accept(apply, &change->message);
        apply->result->duplicate = true;
        apply->result->chat_number = change->message.chat_number;
        apply->result->time_ms = apply->time_ms;
    }
    return gone;
}

/* In the owner's inbox. False: no device has room; where that is not to be told, the devices hear
 * that something is missing. */
static bool
tell_owner(const struct apply *apply, const struct command_change *command,
           struct record_head *head, struct store_entry *entry, bool always)
{
    struct ledger *ledger = apply->ledger;
    uint64_t owner = command->owner;
    if (inbox_make_room(ledger, apply->effects, owner, head, entry_bytes(entry))) {
        inbox_append(ledger, apply->effects, owner, head, entry);
        apply_expiry(apply, owner, entry);
    } else if (always) {
        inbox_miss(ledger, apply->effects, owner, head, 0);
        entry->number = head->missed;
    } else {
        return false;
    }
    inbox_head_put(ledger, owner, head);
    return true;
}

static bool
take_in(const struct apply *apply, const struct command_change *command, struct record_head *head,
        struct store_entry *entry, bool always)
{
    struct place place = place_of(command);
    struct apply_edited edited = edited_of(command);
    if (!tell_owner(apply, command, head, entry, always)) {
        return false;
    }
    change_history(apply, &place, &entry->change);
    if (entry->change.kind == STORE_CHANGE_DELETE) {
        if (command->original > head->low.number) {
            wipe(apply, command);
        }
        apply_edits_take_out(apply, &edited, head->low.number);
        bury(apply, command, entry->number);
    } else if (entry->change.kind == STORE_CHANGE_EDIT) {
        apply_edits_note(apply, &edited, head->low.number, entry->number, command->kept_until_ms);
    }
    return true;
}

/* An edit by somebody whom the owner has blocked goes nowhere, as what he writes, nor do changes of
 * what was written meanwhile (apply_message.c). That it was deleted is remembered, so that he is
 * answered as ever. What he takes back of before goes: it says nothing new. */
static bool
swallowed(const struct command_change *command, const struct record_chat *chat)
{
    bool edits = command->change.kind == STORE_CHANGE_EDIT;
    return for_everyone(command) &&
           ((chat->blocked && edits) || command->change.message.chat_number > STORE_SWALLOWED_MIN);
}

/* Whether the user was ever in the group, if it is one, when the message was written. With what it
 * reads it is not to lie on its caller's stack, too. */
static __attribute__((noinline)) bool
is_met(const struct apply *apply, const struct command_change *command)
{
    struct record_membership membership;
    return !command->in_group ||
           (membership_get(apply->ledger, command->owner, command->peer, &membership) &&
            command->change.message.chat_number <= membership.last);
}

/* To be hidden is what the peer has written so far; what the user wrote is numbered elsewhere. */
static bool
is_beyond(const struct command_change *command, const struct record_chat *chat)
{
    const struct store_entry_change *change = &command->change;
    return change->kind == STORE_CHANGE_HIDE && !command->in_group &&
           change->author == command->peer && change->message.chat_number > chat->last;
}

/* An edit lives so long, and goes when the message would have. */
static void
live_as_long(const struct apply *apply, const struct command_change *command, uint64_t ttl_ms,
             struct store_entry_message *edit)
{
    uint64_t expires_at_ms = command->expires_at_ms;
    if (command->change.kind != STORE_CHANGE_EDIT) {
        return;
    }
    edit->expires_at_ms = command->change.message.expires_at_ms;
    apply_live_for(apply, ttl_ms, edit);
    if (expires_at_ms != 0 && (edit->expires_at_ms == 0 || edit->expires_at_ms > expires_at_ms)) {
        edit->expires_at_ms = expires_at_ms;
    }
}

static void
run_change(const struct apply *apply, const struct command *whole)
{
    const struct command_change *command = &whole->change;
    struct store_entry entry = {
        .kind = command->in_group ? STORE_ENTRY_GROUP_CHANGE : STORE_ENTRY_CHANGE,
        .peer = command->peer,
        .change = command->change,
    };
    struct record_head head;
    struct record_chat chat;
    if (settled(apply, command)) {
        return;
    }
    if (!inbox_head_find(apply->ledger, command->owner, &head) || !is_met(apply, command)) {
        apply->result->error = -ENOENT;
        return;
    }
    (void)chat_get(apply->ledger, command->owner, command->peer, &chat);
    if (is_beyond(command, &chat)) {
        apply->result->error = -ERANGE;
        return;
    }
    live_as_long(apply, command, chat_ttl_ms(&chat), &entry.change.message);
    if (swallowed(command, &chat)) {
        if (command->change.kind == STORE_CHANGE_DELETE) {
            bury(apply, command, ledger_number_next(apply->ledger));
        }
    } else if (!take_in(apply, command, &head, &entry, chat.blocked && for_everyone(command))) {
        apply->result->error = -EDQUOT;
        return;
    }
    live_as_long(apply, command, chat_peer_ttl_ms(&chat), &entry.change.message);
    apply_number_accept(apply, &entry.change.message);
    if (for_everyone(command) && command->peer != command->owner) {
        copy_send(apply, command, &entry.change);
    }
    apply->result->chat_number = entry.change.message.chat_number;
    apply->result->time_ms = apply->time_ms;
    apply->result->entry = entry.number;
}

const struct apply_command_kind apply_change = {need_change, run_change};

static void
need_changed(const struct needs *needs, const struct payload *payload)
{
    const struct payload_change *changed = &payload->change;
    struct place place = {.user = changed->change.message.sender, .chat = changed->peer};
    need(needs, RECORD_HEAD, changed->change.message.sender, 0);
    need_history(needs, &place, &changed->change);
}

/* What waits of it for other devices of its author says nothing from now on. */
static void
withdraw(const struct apply *apply, const struct payload_change *changed)
{
    if (changed->change.kind == STORE_CHANGE_DELETE) {
        withdrawn_put(apply, changed->change.message.sender, changed->peer,
                      changed->change.message.chat_number);
    }
}

/* As a message's copy (apply_message.c): where there is no room it is told that it is missing.
 * False: there is no such user. A frame of its own: its caller has the entry. */
static __attribute__((noinline)) bool
tell_others(const struct apply *apply, uint64_t user, struct store_entry *entry)
{
    struct record_head head;
    if (!inbox_head_get(apply->ledger, user, &head)) {
        return false;
    }
    if (inbox_owes_changes(&head, entry->change.message.sender_device)) {
        apply_own_append(apply, user, &head, entry);
    }
    return true;
}

static void
run_changed(const struct apply *apply, const struct payload *payload)
{
    const struct payload_change *changed = &payload->change;
    uint64_t user = changed->change.message.sender;
    struct place place = {.user = user, .chat = changed->peer};
    struct store_entry entry = {
        .kind = STORE_ENTRY_CHANGE, .peer = changed->peer, .change = changed->change};
    withdraw(apply, changed);
    if (tell_others(apply, user, &entry)) {
        change_history(apply, &place, &changed->change);
    }
}

const struct apply_payload_kind apply_changed = {need_changed, run_changed};
