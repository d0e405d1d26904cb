/* SPDX-License-Identifier: Apache-2.0 */
/* What a group said arrives once in each partition that has members, and is put into the inbox of
 * each. A member's limits never refuse it: who has no room gets a gap instead, and a mark that says
 * so. */
#include "store/apply_group.h"
#include "store/group_find.h"
#include "store/group_left.h"
#include "store/history_ledger.h"
#include "store/outbox.h"
#include "store/record_state.h"

uint64_t
apply_group_roster_peek(const struct ledger *ledger, uint64_t group, uint32_t index)
{
    struct store_key key = record_key(ledger->partition, RECORD_ROSTER, group, 0);
    struct store_value value;
    struct record_roster roster;
    if (delta_get(ledger->delta, &key, &value) != DELTA_PRESENT) {
        return 0;
    }
    int error = record_roster_decode(value, &roster);
    ASSERT(error == 0);
    return index < roster.count ? record_roster_at(&roster, index) : 0;
}

void
need_roster(const struct needs *needs, uint64_t group)
{
    need(needs, RECORD_ROSTER, group, 0);
    uint64_t user = apply_group_roster_peek(needs->ledger, group, 0);
    for (uint32_t next = 1; user != 0; next++) {
        need(needs, RECORD_HEAD, user, 0);
        need(needs, RECORD_MEMBERSHIP, user, group);
        user = apply_group_roster_peek(needs->ledger, group, next);
    }
}

void
apply_group_missing(const struct apply *apply, uint64_t group, uint64_t user)
{
    struct payload payload = {.kind = PAYLOAD_GROUP_ABSENT,
                              .group_absent = {.group = group, .user = user}};
    (void)outbox_put(apply->ledger, apply->effects, ledger_partition_of(apply->ledger, group),
                     &payload);
    roster_remove(apply->ledger, apply->effects, group, user);
}

bool
apply_group_entry(const struct apply *apply, uint64_t user, struct record_head *head,
                  struct store_entry *entry)
{
    if (!inbox_make_room(apply->ledger, apply->effects, user, head, entry_bytes(entry))) {
        return false;
    }
    inbox_append(apply->ledger, apply->effects, user, head, entry);
    apply_expiry(apply, user, entry);
    return true;
}

void
apply_group_gap(const struct apply *apply, uint64_t user, uint64_t group, struct record_head *head,
                struct record_membership *membership)
{
    membership_mark(apply->ledger, apply->effects, user, group, head, membership, MEMBERSHIP_GAP);
    group_due_at(&apply->ledger->due, group)->report = true;
}

/* ------------------------------------------------------------------------------------- messages */

static void
need_message(const struct needs *needs, const struct payload *payload)
{
    need_roster(needs, payload->group_message.group);
}

/* The user wrote it himself: he has it, and has read it, if he had everything before. */
static void
own_message(struct record_membership *membership, uint64_t chat_number)
{
    if (membership->delivered + 1 == chat_number) {
        membership->delivered = chat_number;
    }
    if (membership->read + 1 == chat_number) {
        membership->read = chat_number;
    } else {
        membership_own_add(membership, chat_number);
    }
}

/* A gap that grows takes the place of its mark. Of another that he has not seen yet the mark stays,
 * and this one gets its own. */
static void
message_missed(const struct apply *apply, uint64_t user, uint64_t group,
               struct record_membership *membership)
{
    uint64_t number = membership->last;
    if (membership->gap_to == 0 || membership->gap_to + 1 < number) {
        membership->gap_from = number;
        if (membership->mark_gap) {
            membership->mark = 0;
        }
    }
    membership->gap_to = number;
    struct hole unseen = {.after = number - 1, .to = number};
    apply_group_unseen(apply, user, group, unseen, membership);
}

/* A member while he is given what was said. */
struct recipient {
    const struct apply *apply;
    uint64_t group;
    uint64_t user;
    bool changed; /* his inbox */
    struct record_head head;
    struct record_membership membership;
};

static void
message_to_member(struct recipient *to, const struct store_entry_message *said)
{
    const struct apply *apply = to->apply;
    struct record_membership *membership = &to->membership;
    struct store_entry entry = {
        .kind = STORE_ENTRY_GROUP_MESSAGE, .peer = to->group, .message = *said};
    bool own = to->user == said->sender;
    membership->last = said->chat_number;
    if (own) {
        own_message(membership, membership->last);
    }
    bool wanted = !own || inbox_has_others(&to->head, said->sender_device);
    entry.quiet = membership->muted_until_ms > apply->time_ms;
    group_find_point(membership, &entry.message);
    if (wanted && apply_group_entry(apply, to->user, &to->head, &entry)) {
        group_find_note(membership, &entry);
    } else if (wanted && own) { /* he has read it: it is his other devices that miss it */
        inbox_miss(apply->ledger, apply->effects, to->user, &to->head, said->sender_device);
    } else if (wanted) {
        message_missed(apply, to->user, to->group, membership);
        apply_group_gap(apply, to->user, to->group, &to->head, membership);
    }
    to->changed = to->changed || wanted;
    history_put(apply->ledger, to->user, &entry);
}

/* His records are found and put once, however much was said. */
static __attribute__((noinline)) void
messages_to_member(const struct apply *apply, uint64_t group, uint64_t user,
                   const struct store_entry_message *messages, uint32_t count)
{
    struct recipient to;
    to.apply = apply;
    to.group = group;
    to.user = user;
    to.changed = false;
    if (!inbox_head_get(apply->ledger, user, &to.head)) {
        apply_group_missing(apply, group, user);
        return;
    }
    bool met = membership_get(apply->ledger, user, group, &to.membership);
    ASSERT(met);
    for (uint32_t i = 0; i < count; i++) {
        message_to_member(&to, &messages[i]);
    }
    if (to.changed) {
        inbox_head_put(apply->ledger, user, &to.head);
    }
    membership_put(apply->ledger, user, group, &to.membership);
}

/* The roster moves when somebody is taken out of it: so from its end, and looked at anew each
 * time. */
void
apply_group_each(const struct apply *apply, const struct store_entry *entry,
                 void (*each)(const struct apply *apply, uint64_t user,
                              const struct store_entry *entry))
{
    struct record_roster roster;
    (void)roster_get(apply->ledger, entry->peer, &roster);
    for (uint32_t at = roster.count; at > 0; at--) {
        (void)roster_get(apply->ledger, entry->peer, &roster);
        each(apply, record_roster_at(&roster, at - 1), entry);
    }
}

void
apply_group_said(const struct apply *apply, uint64_t group,
                 const struct store_entry_message *messages, uint32_t count)
{
    struct record_roster roster;
    (void)roster_get(apply->ledger, group, &roster);
    for (uint32_t at = roster.count; at > 0; at--) {
        (void)roster_get(apply->ledger, group, &roster);
        messages_to_member(apply, group, record_roster_at(&roster, at - 1), messages, count);
    }
}

static void
run_message(const struct apply *apply, const struct payload *payload)
{
    const struct payload_group_message *in = &payload->group_message;
    apply_group_said(apply, in->group, &in->message, 1);
}

const struct apply_payload_kind apply_group_message_in = {need_message, run_message};

/* -------------------------------------------------------------------------------------- updates */

static bool
adds(uint8_t kind)
{
    return kind == STORE_GROUP_CREATED || kind == STORE_GROUP_ADD || kind == STORE_GROUP_JOIN;
}

static bool
takes_out(uint8_t kind)
{
    return kind == STORE_GROUP_REMOVE || kind == STORE_GROUP_LEAVE;
}

static uint64_t
subject_at(const struct store_entry_update *update, unsigned index)
{
    struct command_ids ids = {.count = update->subjects, .bytes = update->subject_ids};
    return command_id_at(&ids, index);
}

static struct store_key
muted_key(const struct ledger *ledger, uint64_t user, uint64_t group)
{
    return record_key_state(ledger->partition, user, STORE_STATE_MUTED, group | STORE_STATE_GROUP);
}

/* A group may be muted before one is in it. */
static uint64_t
muted_until_ms(const struct ledger *ledger, uint64_t user, uint64_t group)
{
    struct store_key key = muted_key(ledger, user, group);
    struct store_value value;
    struct record_state state = {0};
    if (ledger_get(ledger, &key, &value)) {
        int error = record_state_decode(value, &state);
        ASSERT(error == 0);
    }
    return state.quiet_until_ms;
}

static void
need_update(const struct needs *needs, const struct payload *payload)
{
    const struct store_entry_update *update = &payload->group_update.update;
    uint64_t group = payload->group_update.group;
    need_roster(needs, group);
    need(needs, RECORD_LEFT, group, 0);
    for (unsigned i = 0; adds(update->kind) && i < update->subjects; i++) {
        uint64_t user = subject_at(update, i);
        if (ledger_partition_of(needs->ledger, user) == needs->ledger->partition) {
            need(needs, RECORD_HEAD, user, 0);
            need(needs, RECORD_MEMBERSHIP, user, group);
            struct store_key muted = muted_key(needs->ledger, user, group);
            need_key(needs, &muted);
        }
    }
}

/* A head is large: it is not to lie on its caller's stack, too. */
static __attribute__((noinline)) void
join(const struct apply *apply, uint64_t group, uint64_t user,
     const struct store_entry_update *update)
{
    struct record_head head;
    struct record_membership membership;
    if (!inbox_head_get(apply->ledger, user, &head)) {
        apply_group_missing(apply, group, user);
        return;
    }
    bool met = membership_get(apply->ledger, user, group, &membership);
    uint64_t last = update->chat_number;
    if (!met) {
        membership.delivered = last;
        membership.read = last;
        membership.told_delivered = last;
        membership.told_read = last;
    } else if (last > membership.last) {
        membership.away = (struct hole){.after = membership.last, .to = last};
    }
    membership.role = STORE_GROUP_MEMBER;
    if (update->kind == STORE_GROUP_CREATED && user == update->author) {
        membership.role = STORE_GROUP_OWNER;
    }
    membership.gone = false;
    membership.joined = last;
    membership.last = last;
    membership.muted_until_ms = muted_until_ms(apply->ledger, user, group);
    membership_put(apply->ledger, user, group, &membership);
    roster_add(apply->ledger, apply->effects, group, user);
    group_left_remove(apply->ledger, apply->effects, group, user);
}

static uint8_t
role_after(uint8_t kind, uint8_t role)
{
    switch (kind) {
    case STORE_GROUP_PROMOTE:
        return STORE_GROUP_ADMIN;
    case STORE_GROUP_DEMOTE:
        return STORE_GROUP_MEMBER;
    case STORE_GROUP_ENTITLE:
        return STORE_GROUP_OWNER;
    default:
        return role;
    }
}

static bool
is_subject(const struct store_entry_update *update, uint64_t user)
{
    for (unsigned i = 0; i < update->subjects; i++) {
        if (subject_at(update, i) == user) {
            return true;
        }
    }
    return false;
}

static __attribute__((noinline)) void
update_to_member(const struct apply *apply, uint64_t user, const struct store_entry *said)
{
    struct store_entry its = *said;
    struct store_entry *entry = &its;
    const struct store_entry_update *update = &its.update;
    struct record_head head;
    struct record_membership membership;
    if (!inbox_head_get(apply->ledger, user, &head)) {
        apply_group_missing(apply, entry->peer, user);
        return;
    }
    bool met = membership_get(apply->ledger, user, entry->peer, &membership);
    ASSERT(met);
    bool subject = is_subject(update, user);
    if (!apply_group_entry(apply, user, &head, entry)) {
        apply_group_gap(apply, user, entry->peer, &head, &membership);
    }
    inbox_head_put(apply->ledger, user, &head);
    membership.gone = update->kind == STORE_GROUP_DELETE || (subject && takes_out(update->kind));
    if (membership.gone) {
        struct group_left left = {.user = user, .last = update->chat_number};
        membership.role = STORE_GROUP_NOBODY;
        roster_remove(apply->ledger, apply->effects, entry->peer, user);
        group_left_add(apply->ledger, apply->effects, entry->peer, &left);
    } else if (subject) {
        membership.role = role_after(update->kind, membership.role);
    }
    membership_put(apply->ledger, user, entry->peer, &membership);
    history_put(apply->ledger, user, entry);
}

static void
run_update(const struct apply *apply, const struct payload *payload)
{
    const struct payload_group_update *in = &payload->group_update;
    struct store_entry entry = {
        .kind = STORE_ENTRY_GROUP_UPDATE, .peer = in->group, .update = in->update};
    for (unsigned i = 0; adds(in->update.kind) && i < in->update.subjects; i++) {
        uint64_t user = subject_at(&in->update, i);
        if (ledger_partition_of(apply->ledger, user) == apply->ledger->partition) {
            join(apply, in->group, user, &in->update);
        }
    }
    if (in->update.kind == STORE_GROUP_CREATED) {
        /* Who is in it is asked for: a list for each of a thousand would be a million names. */
        entry.update.subjects = 0;
    }
    apply_group_each(apply, &entry, update_to_member);
    if (in->update.members == 0) {
        group_left_forget(apply->ledger, in->group); /* with the group */
    } else {
        group_left_prune(apply->ledger, apply->effects, in->group, in->log_low);
    }
}

const struct apply_payload_kind apply_group_update = {need_update, run_update};
