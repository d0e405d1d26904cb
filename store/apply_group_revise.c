/* SPDX-License-Identifier: Apache-2.0 */
/* A message of a group is edited or deleted: decided in the group's partition, in one order with
 * its messages, and an entry in the inbox of each member. Who wrote what and when the group knows
 * itself, as long as its log goes back. */
#include "store/apply_group.h"
#include "store/group_find.h"
#include "store/group_left.h"
#include "store/history_ledger.h"
#include "store/outbox.h"

#include <errno.h>

/* --------------------------------------------------------------------- in the group's partition */

static struct store_key
log_key(const struct ledger *ledger, const struct command_change *command)
{
    return record_key(ledger->partition, RECORD_GROUP_LOG, command->owner,
                      command->change.message.chat_number);
}

static void
need_revise(const struct needs *needs, const struct command *whole)
{
    const struct command_change *command = &whole->change;
    struct store_key row = log_key(needs->ledger, command);
    need(needs, RECORD_GROUP, command->owner, 0);
    need(needs, RECORD_SPREAD, command->owner, 0);
    need(needs, RECORD_MEMBER, command->owner, command->change.message.sender);
    need_key(needs, &row);
    need_number(needs, &command->change.message);
}

/* What of the message stands in the group's log; false: nothing any more. */
static bool
row_get(const struct apply *apply, const struct command_change *command,
        struct record_group_log *out)
{
    struct store_key key = log_key(apply->ledger, command);
    struct store_value value;
    if (!ledger_get(apply->ledger, &key, &value)) {
        *out = (struct record_group_log){0};
        return false;
    }
    int error = record_group_log_decode(value, out);
    ASSERT(error == 0);
    return true;
}

/* Its author may, as long as he may write to the group at all; an admin may delete. */
static bool
is_permitted(const struct record_group *group, const struct record_member *member,
             const struct record_group_log *row, const struct store_entry_change *change)
{
    bool admin = member->role >= STORE_GROUP_ADMIN;
    bool own = row->sender == change->message.sender;
    if (change->kind == STORE_CHANGE_DELETE) {
        return own || admin;
    }
    return own && (admin || (group->rights & STORE_GROUP_ALL_SEND) != 0);
}

/* 0, or why it may not be. */
static int
judge(const struct apply *apply, const struct command_change *command,
      struct record_group_log *out_row)
{
    const struct store_entry_change *change = &command->change;
    struct record_group group;
    struct record_member member;
    if (!group_get(apply->ledger, command->owner, &group)) {
        return -ENOENT;
    }
    if (!group_member_get(apply->ledger, command->owner, change->message.sender, &member)) {
        return -ENOENT; /* a group is no news for strangers */
    }
    if (member.role == STORE_GROUP_NOBODY) {
        return -EPERM;
    }
    if (change->message.chat_number > group.last) {
        return -ERANGE;
    }
    if (!row_get(apply, command, out_row)) {
        return -ETIME;
    }
    if (!is_permitted(&group, &member, out_row, change)) {
        return -EPERM;
    }
    if (apply->time_ms >= out_row->time_ms + command->until_ms) {
        return -ETIME;
    }
    bool over = out_row->expires_at_ms != 0 && out_row->expires_at_ms <= apply->time_ms;
    return change->kind == STORE_CHANGE_EDIT && (out_row->deleted || over) ? -EIDRM : 0;
}

static void
row_delete(const struct apply *apply, const struct command_change *command,
           const struct record_group_log *row)
{
    struct store_key key = log_key(apply->ledger, command);
    struct record_group_log deleted = *row;
    unsigned char record[RECORD_BYTES_MAX];
    deleted.deleted = true;
    ledger_put(apply->ledger, &key, record, record_group_log_encode(&deleted, record));
}

/* To each partition that has members; that it was deleted also to those that had some: what they
 * were given goes, too. An edit does not outlive what it is one of. */
static void
tell(const struct apply *apply, const struct command_change *command,
     const struct record_group_log *row)
{
    struct payload payload = {
        .kind = PAYLOAD_GROUP_CHANGED,
        .group_changed = {.group = command->owner,
                          .kept_until_ms = row->time_ms + command->kept_until_ms,
                          .change = command->change}};
    struct store_entry_message *message = &payload.group_changed.change.message;
    struct record_spread spread;
    uint64_t partitions[4] = {0};
    payload.group_changed.change.author = row->sender;
    if (row->expires_at_ms != 0 &&
        (message->expires_at_ms == 0 || message->expires_at_ms > row->expires_at_ms)) {
        message->expires_at_ms = row->expires_at_ms;
    }
    group_spread_get(apply->ledger, command->owner, &spread);
    group_spread_mark(&spread, partitions);
    for (unsigned i = 0; i < 4 && command->change.kind == STORE_CHANGE_DELETE; i++) {
        partitions[i] |= spread.left[i];
    }
    outbox_put_all(apply->ledger, apply->effects, partitions, &payload);
}

/* What it costs to find the message in the inboxes of all who have not fetched it. A frame of its
 * own: a group is large. */
static __attribute__((noinline)) uint64_t
looks_for(const struct apply *apply, const struct command_change *command)
{
    struct record_group group;
    bool there = group_get(apply->ledger, command->owner, &group);
    ASSERT(there);
    return (uint64_t)group.members *
           group_find_steps(group.last, command->change.message.chat_number);
}

static void
run_revise(const struct apply *apply, const struct command *whole)
{
    const struct command_change *command = &whole->change;
    const struct store_entry_change *change = &command->change;
    struct record_group_log row;
    if (!apply_number_is_new(apply, &change->message)) {
        return;
    }
    apply->result->error = judge(apply, command, &row);
    if (apply->result->error != 0) {
        return;
    }
    apply->result->duplicate = change->kind == STORE_CHANGE_DELETE && row.deleted;
    if (!apply->result->duplicate) {
        tell(apply, command, &row);
        if (change->kind == STORE_CHANGE_DELETE) {
            row_delete(apply, command, &row);
            apply->result->looks = looks_for(apply, command);
        }
    }
    apply_number_accept(apply, &change->message);
    apply->result->chat_number = change->message.chat_number;
    apply->result->time_ms = apply->time_ms;
}

const struct apply_command_kind apply_group_revise = {need_revise, run_revise};

/* ---------------------------------------------------------------------- in a member's partition */

static void
need_history(const struct needs *needs, uint64_t user, uint64_t group, uint64_t chat_number)
{
    const struct ledger *ledger = needs->ledger;
    struct store_key at = history_key_at(ledger->partition, user, group, chat_number, false);
    struct store_value value;
    struct history_at found;
    need_key(needs, &at);
    if (delta_get(ledger->delta, &at, &value) == DELTA_PRESENT) {
        int error = history_at_decode(value, &found);
        ASSERT(error == 0);
        struct store_key key = history_key(ledger->partition, user, group, found.number);
        need_key(needs, &key);
    }
}

/* Where the message lies in the user's inbox, as far as that is known by now. */
static void
need_entry(const struct needs *needs, uint64_t user, uint64_t group, uint64_t chat_number)
{
    const struct ledger *ledger = needs->ledger;
    struct store_key head_key = record_key(ledger->partition, RECORD_HEAD, user, 0);
    struct store_key key = record_key(ledger->partition, RECORD_MEMBERSHIP, user, group);
    struct record_head head;
    struct record_membership membership;
    struct store_entry entry;
    struct store_value value;
    if (delta_get(ledger->delta, &head_key, &value) != DELTA_PRESENT ||
        delta_get(ledger->delta, &key, &value) != DELTA_PRESENT) {
        return;
    }
    int error = record_membership_decode(value, &membership);
    ASSERT(error == 0);
    if (inbox_head_get(ledger, user, &head)) {
        (void)group_find(ledger, user, head.low.number, &membership, chat_number, needs->each,
                         needs->context, &entry);
    }
}

static void
need_place(const struct needs *needs, uint64_t user, const struct payload_group_changed *changed)
{
    uint64_t chat_number = changed->change.message.chat_number;
    struct apply_edited edited = {user, changed->group, chat_number};
    need_history(needs, user, changed->group, chat_number);
    apply_edits_need(needs, &edited);
    if (changed->change.kind == STORE_CHANGE_DELETE) {
        need_entry(needs, user, changed->group, chat_number);
    }
}

static void
need_left(const struct needs *needs, const struct payload_group_changed *changed)
{
    struct group_left left;
    need(needs, RECORD_LEFT, changed->group, 0);
    for (uint32_t i = 0; group_left_peek(needs->ledger, changed->group, i, &left); i++) {
        need(needs, RECORD_HEAD, left.user, 0);
        need(needs, RECORD_MEMBERSHIP, left.user, changed->group);
        need_place(needs, left.user, changed);
    }
}

static void
need_changed(const struct needs *needs, const struct payload *payload)
{
    const struct payload_group_changed *changed = &payload->group_changed;
    need_roster(needs, changed->group);
    uint64_t user = apply_group_roster_peek(needs->ledger, changed->group, 0);
    for (uint32_t next = 1; user != 0; next++) {
        need_place(needs, user, changed);
        user = apply_group_roster_peek(needs->ledger, changed->group, next);
    }
    if (changed->change.kind == STORE_CHANGE_DELETE) {
        need_left(needs, changed);
    }
}

/* What no device may have fetched yet is not given out any more (apply_change.c). */
static void
wipe(const struct apply *apply, uint64_t user, const struct record_head *head,
     const struct record_membership *membership, uint64_t chat_number)
{
    struct store_entry entry;
    if (group_find(apply->ledger, user, head->low.number, membership, chat_number, NULL, NULL,
                   &entry)) {
        apply_wipe(apply, user, &entry);
    }
}

static __attribute__((noinline)) void
change_history(const struct apply *apply, uint64_t user, const struct store_entry *entry)
{
    const struct store_entry_message *message = &entry->change.message;
    if (entry->change.kind == STORE_CHANGE_EDIT) {
        history_edit(apply->ledger, apply->effects, user, entry->peer, false, message);
    } else {
        history_delete(apply->ledger, apply->effects, user, entry->peer, message->chat_number,
                       false);
    }
}

/* Who came later was not given the message, and is not given what it says now. That it was deleted
 * he hears: he may have been a member before. */
static bool
concerns(const struct record_membership *membership, const struct store_entry_change *change)
{
    return change->kind == STORE_CHANGE_DELETE || change->message.chat_number > membership->joined;
}

/* What each member is told, and until when the message may be taken back. */
struct change_said {
    struct store_entry entry; /* the first: apply_group_each hands it on */
    uint64_t kept_until_ms;
};

/* Into his inbox; where its text has to go when the message does. */
static void
change_told(const struct apply *apply, uint64_t user, struct record_head *head,
            struct record_membership *membership, const struct change_said *said)
{
    struct store_entry entry = said->entry;
    struct apply_edited edited = {user, entry.peer, entry.change.message.chat_number};
    if (!apply_group_entry(apply, user, head, &entry)) {
        apply_group_gap(apply, user, entry.peer, head, membership);
        membership_put(apply->ledger, user, entry.peer, membership);
    } else if (entry.change.kind == STORE_CHANGE_EDIT) {
        apply_edits_note(apply, &edited, head->low.number, entry.number, said->kept_until_ms);
    }
    inbox_head_put(apply->ledger, user, head);
}

static void
change_for_member(const struct apply *apply, uint64_t user, const struct store_entry *said)
{
    struct apply_edited edited = {user, said->peer, said->change.message.chat_number};
    struct record_head head;
    struct record_membership membership;
    if (!inbox_head_get(apply->ledger, user, &head)) {
        apply_group_missing(apply, said->peer, user);
        return;
    }
    bool met = membership_get(apply->ledger, user, said->peer, &membership);
    ASSERT(met);
    if (!concerns(&membership, &said->change)) {
        return;
    }
    if (said->change.kind == STORE_CHANGE_DELETE) {
        wipe(apply, user, &head, &membership, said->change.message.chat_number);
        apply_edits_take_out(apply, &edited, head.low.number);
    }
    change_history(apply, user, said);
    const struct store_entry_message *its = &said->change.message;
    if (user != its->sender || inbox_owes_changes(&head, its->sender_device)) {
        change_told(apply, user, &head, &membership,
                    (const struct change_said *)(const void *)said);
    }
}

/* What he was given, and no device of his has, says nothing from now on; that it was deleted he
 * hears where there is room. False: there is no such user any more. A head and a membership are
 * large: they are not to lie on its callers' stack, too. */
static __attribute__((noinline)) bool
delete_for_left(const struct apply *apply, const struct group_left *left,
                const struct change_said *said)
{
    struct store_entry entry = said->entry;
    uint64_t chat_number = entry.change.message.chat_number;
    struct apply_edited edited = {left->user, entry.peer, chat_number};
    struct record_head head;
    struct record_membership membership;
    if (!inbox_head_get(apply->ledger, left->user, &head) ||
        !membership_get(apply->ledger, left->user, entry.peer, &membership)) {
        return false;
    }
    if (chat_number > left->last) {
        return true;
    }
    wipe(apply, left->user, &head, &membership, chat_number);
    apply_edits_take_out(apply, &edited, head.low.number);
    change_history(apply, left->user, &entry);
    (void)apply_group_entry(apply, left->user, &head, &entry);
    inbox_head_put(apply->ledger, left->user, &head);
    return true;
}

static void
delete_for_all_left(const struct apply *apply, const struct change_said *said)
{
    uint64_t group = said->entry.peer;
    struct group_left left;
    for (uint32_t i = group_left_count(apply->ledger, group); i > 0; i--) {
        bool there = group_left_peek(apply->ledger, group, i - 1, &left);
        ASSERT(there);
        if (!delete_for_left(apply, &left, said)) {
            group_left_remove(apply->ledger, apply->effects, group, left.user);
        }
    }
}

static void
run_changed(const struct apply *apply, const struct payload *payload)
{
    struct change_said said = {.entry = {.kind = STORE_ENTRY_GROUP_CHANGE,
                                         .peer = payload->group_changed.group,
                                         .change = payload->group_changed.change},
                               .kept_until_ms = payload->group_changed.kept_until_ms};
    apply_group_each(apply, &said.entry, change_for_member);
    if (said.entry.change.kind == STORE_CHANGE_DELETE) {
        delete_for_all_left(apply, &said);
    }
}

const struct apply_payload_kind apply_group_changed = {need_changed, run_changed};
