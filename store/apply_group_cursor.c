/* SPDX-License-Identifier: Apache-2.0 */
/* How far the members of a group have got. There are as many receipts as deliveries, so they are
 * gathered on their way: a member's partition reports all of its members at once, the group's tells
 * those who wrote, in counts. Both happen when a timer says so (partition_group_tell.c); what is
 * due stands in the ledger. */
#include "store/apply_group.h"

#include "runtime/larger.h"
#include "runtime/spares.h"
#include "store/outbox.h"

#include <errno.h>

/* ---------------------------------------------------------------------- in a member's partition */

void
apply_group_delivered(const struct apply *apply, uint64_t user, uint64_t group,
                      uint64_t chat_number)
{
    struct record_membership membership;
    if (!membership_get(apply->ledger, user, group, &membership) ||
        chat_number <= membership.delivered) {
        return;
    }
    ASSERT(chat_number <= membership.last);
    membership.delivered = chat_number;
    membership_put(apply->ledger, user, group, &membership);
    group_due_at(&apply->ledger->due, group)->report = true;
}

void
apply_group_expired(const struct apply *apply, uint64_t user, uint64_t group, uint64_t after,
                    uint64_t chat_number)
{
    struct record_membership membership;
    if (!membership_get(apply->ledger, user, group, &membership) ||
        chat_number <= membership.delivered) {
        return;
    }
    ASSERT(chat_number <= membership.last);
    struct hole unseen = {.after = larger(after, membership.delivered), .to = chat_number};
    apply_group_unseen(apply, user, group, unseen, &membership);
    membership_put(apply->ledger, user, group, &membership);
}

static void
need_read(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->read.user, 0);
    need(needs, RECORD_MEMBERSHIP, command->read.user, command->read.peer);
}

static void
run_read(const struct apply *apply, const struct command *command)
{
    const struct command_read *read = &command->read;
    struct record_head head;
    struct record_membership membership;
    if (!inbox_head_get(apply->ledger, read->user, &head) ||
        !membership_get(apply->ledger, read->user, read->peer, &membership)) {
        apply->result->error = -ENOENT;
        return;
    }
    if (read->chat_number > membership.last) {
        apply->result->error = -ERANGE;
        return;
    }
    if (read->chat_number <= membership.read) {
        return;
    }
    membership.read = read->chat_number;
    apply->result->moved = true;
    membership.delivered = larger(membership.delivered, membership.read);
    membership_own_read(&membership);
    group_due_at(&apply->ledger->due, read->peer)->report = true;
    if (head.devices > 1) {
        membership_mark(apply->ledger, apply->effects, read->user, read->peer, &head, &membership,
                        MEMBERSHIP_OWN);
        inbox_head_put(apply->ledger, read->user, &head);
    }
    membership_put(apply->ledger, read->user, read->peer, &membership);
}

const struct apply_command_kind apply_group_read = {need_read, run_read};

static void
need_report(const struct needs *needs, const struct command *command)
{
    need_roster(needs, command->group_report);
}

/* Rows that are gathered for one group. */
struct report {
    const struct apply *apply;
    uint64_t group;
    uint32_t count;
    unsigned char *rows;
};

static void
report_send(struct report *report)
{
    struct payload payload = {
        .kind = PAYLOAD_GROUP_RECEIPTS,
        .group_receipts = {.group = report->group, .count = report->count, .rows = report->rows}};
    if (report->count > 0) {
        (void)outbox_put(report->apply->ledger, report->apply->effects,
                         ledger_partition_of(report->apply->ledger, report->group), &payload);
    }
    report->count = 0;
}

/* The member's row; he is told of then. */
static void
report_one(struct report *report, uint64_t user, struct record_membership *membership)
{
    struct payload_group_receipt receipt = {.user = user,
                                            .delivered = membership->delivered,
                                            .read = membership->read,
                                            .expired = membership->expired};
    payload_receipt_put(report->rows, report->count++, &receipt);
    membership->told_delivered = membership->delivered;
    membership->told_read = membership->read;
    membership->expired = (struct hole){0};
}

/* Of two that lie apart the first is reported at once. */
void
apply_group_unseen(const struct apply *apply, uint64_t user, uint64_t group, struct hole unseen,
                   struct record_membership *membership)
{
    if (!hole_join(&membership->expired, &unseen)) {
        unsigned char row[PAYLOAD_RECEIPT_BYTES];
        struct report report = {.apply = apply, .group = group, .rows = row};
        report_one(&report, user, membership);
        report_send(&report);
        membership->expired = unseen;
    }
    group_due_at(&apply->ledger->due, group)->report = true;
}

static bool
is_told(const struct record_membership *membership)
{
    return membership->delivered == membership->told_delivered &&
           membership->read == membership->told_read && membership->expired.to == 0;
}

static void
run_report(const struct apply *apply, const struct command *command)
{
    uint64_t group = command->group_report;
    struct report report = {.apply = apply, .group = group};
    struct record_roster roster;
    struct group_due *due = group_due_find(&apply->ledger->due, group);
    if (due != NULL) {
        due->report = false;
        due->report_asked = false;
        group_due_settle(&apply->ledger->due, due);
    }
    if (!roster_get(apply->ledger, group, &roster)) {
        return;
    }
    uint32_t count = roster.count;
    size_t bytes = (size_t)count * PAYLOAD_RECEIPT_BYTES;
    report.rows = spares_take(bytes);
    for (uint32_t i = 0; i < count; i++) {
        struct record_membership membership;
        (void)roster_get(apply->ledger, group, &roster);
        uint64_t user = record_roster_at(&roster, i);
        if (membership_get(apply->ledger, user, group, &membership) && !is_told(&membership)) {
            report_one(&report, user, &membership);
            membership_put(apply->ledger, user, group, &membership);
        }
    }
    report_send(&report);
    spares_give(report.rows, bytes);
}

const struct apply_command_kind apply_group_report = {need_report, run_report};

/* --------------------------------------------------------------------- in the group's partition */

static void
need_receipts(const struct needs *needs, const struct payload *payload)
{
    const struct payload_group_receipts *receipts = &payload->group_receipts;
    need(needs, RECORD_GROUP, receipts->group, 0);
    for (uint32_t i = 0; i < receipts->count; i++) {
        struct payload_group_receipt receipt;
        payload_receipt_get(receipts, i, &receipt);
        need(needs, RECORD_MEMBER, receipts->group, receipt.user);
    }
}

/* Also of one who has left meanwhile: what he had before stays so. */
static void
receipt_note(const struct apply *apply, uint64_t group, const struct payload_group_receipt *receipt)
{
    struct record_member member;
    if (!group_member_get(apply->ledger, group, receipt->user, &member)) {
        return;
    }
    member.delivered = larger(member.delivered, receipt->delivered);
    member.read = larger(member.read, receipt->read);
    if (receipt->expired.to != 0) {
        uint64_t gone = holes_add(&member.expired, receipt->expired.after, receipt->expired.to);
        member.joined = larger(member.joined, gone);
    }
    group_member_put(apply->ledger, group, receipt->user, &member);
}

static void
run_receipts(const struct apply *apply, const struct payload *payload)
{
    const struct payload_group_receipts *receipts = &payload->group_receipts;
    struct record_group group;
    if (!group_get(apply->ledger, receipts->group, &group)) {
        return;
    }
    group.receipts++;
    group_put(apply->ledger, apply->effects, receipts->group, &group);
    for (uint32_t i = 0; i < receipts->count; i++) {
        struct payload_group_receipt receipt;
        payload_receipt_get(receipts, i, &receipt);
        receipt_note(apply, receipts->group, &receipt);
    }
    group_due_at(&apply->ledger->due, receipts->group)->tell = true;
}

const struct apply_payload_kind apply_group_receipts = {need_receipts, run_receipts};

static void
need_tell(const struct needs *needs, const struct command *command)
{
    const struct command_group_tell *tell = &command->group_tell;
    need(needs, RECORD_GROUP, tell->group, 0);
    for (uint32_t i = 0; i < tell->forgotten.count; i++) {
        need(needs, RECORD_MEMBER, tell->group, command_id_at(&tell->forgotten, i));
    }
}

/* How far all were before a tell. */
struct told_before {
    uint64_t delivered_all;
    uint64_t read_all;
};

/* Whether this is the last that is told of a message: it expired for somebody, and the cursors of
 * all pass it. */
static bool
row_is_last(const struct command_group_tell *tell, const struct told_before *before,
            const struct command_tell_row *row)
{
    uint64_t number = row->chat_number;
    bool delivered = number > before->delivered_all && number <= tell->delivered_all;
    bool read = number > before->read_all && number <= tell->read_all;
    return row->expired > 0 && (delivered || read);
}

static bool
row_is_news(const struct command_group_tell *tell, const struct command_tell_row *row)
{
    return row->chat_number > tell->read_all || row->expired > 0;
}

/* One user's rows, which stand together: those that are the last of their messages, and of the
 * others the newest. */
static void
tell_rows(const struct command_group_tell *tell, const struct told_before *before, uint32_t first,
          uint32_t end, struct store_entry_group_counts *counts, unsigned char *rows)
{
    struct command_tell_row row;
    uint32_t last = 0;
    uint32_t others = 0;
    for (uint32_t at = first; at < end; at++) {
        command_tell_get(tell, at, &row);
        bool is_last = row_is_last(tell, before, &row);
        last += is_last;
        others += !is_last && row_is_news(tell, &row);
    }
    uint32_t room = last < STORE_GROUP_COUNTS_MAX ? STORE_GROUP_COUNTS_MAX - last : 0;
    uint32_t skip = others > room ? others - room : 0;
    uint32_t skip_last = last > STORE_GROUP_COUNTS_MAX ? last - STORE_GROUP_COUNTS_MAX : 0;
    for (uint32_t at = first; at < end; at++) {
        command_tell_get(tell, at, &row);
        bool is_last = row_is_last(tell, before, &row);
        uint32_t *passes = is_last ? &skip_last : &skip;
        if (!row_is_news(tell, &row)) {
            continue;
        }
        if (*passes > 0) {
            (*passes)--;
            continue;
        }
        struct store_group_count count = {.chat_number = row.chat_number,
                                          .delivered = row.delivered,
                                          .read = row.read,
                                          .expired = row.expired};
        entry_set_group_count(rows, counts->count++, &count);
    }
}

/* Returns the index behind the user's last row. */
static uint32_t
tell_user(const struct apply *apply, const struct command_group_tell *tell,
          const struct told_before *before, const struct record_group *group, uint32_t first)
{
    struct command_tell_row row;
    struct payload payload = {.kind = PAYLOAD_GROUP_COUNTS};
    struct store_entry_group_counts *counts = &payload.group_counts.counts;
    unsigned char rows[STORE_GROUP_COUNTS_MAX * STORE_GROUP_COUNT_BYTES];
    command_tell_get(tell, first, &row);
    uint64_t user = row.user;
    payload.group_counts.group = tell->group;
    payload.group_counts.user = user;
    counts->delivered_all = group->delivered_all;
    counts->read_all = group->read_all;
    counts->members = group->members;
    counts->counts = rows;
    uint32_t end = first;
    while (end < tell->count && row.user == user) {
        end++;
        if (end < tell->count) {
            command_tell_get(tell, end, &row);
        }
    }
    tell_rows(tell, before, first, end, counts, rows);
    (void)outbox_put(apply->ledger, apply->effects, ledger_partition_of(apply->ledger, user),
                     &payload);
    return end;
}

static void
log_forget(const struct apply *apply, uint64_t group, uint64_t from, uint64_t to)
{
    for (uint64_t number = from + 1; number <= to; number++) {
        struct store_key key =
            record_key(apply->ledger->partition, RECORD_GROUP_LOG, group, number);
        ledger_delete(apply->ledger, &key);
    }
}

/* But for those who have come back meanwhile. */
static void
members_forget(const struct apply *apply, const struct command_group_tell *tell, uint64_t log_low)
{
    for (uint32_t i = 0; i < tell->forgotten.count; i++) {
        struct record_member member;
        uint64_t user = command_id_at(&tell->forgotten, i);
        if (group_member_get(apply->ledger, tell->group, user, &member) &&
            member.role == STORE_GROUP_NOBODY && member.left <= log_low) {
            struct store_key key =
                record_key(apply->ledger->partition, RECORD_MEMBER, tell->group, user);
            ledger_delete(apply->ledger, &key);
        }
    }
}

static void
run_tell(const struct apply *apply, const struct command *command)
{
    const struct command_group_tell *tell = &command->group_tell;
    struct group_due *due = group_due_find(&apply->ledger->due, tell->group);
    struct record_group group;
    bool there = group_get(apply->ledger, tell->group, &group);
    if (due != NULL) {
        /* More has come meanwhile, or there was more than one command tells. */
        due->tell = there && (group.receipts != tell->receipts || tell->more);
        due->tell_asked = false;
        group_due_settle(&apply->ledger->due, due);
    }
    if (!there) {
        return;
    }
    struct told_before before = {.delivered_all = group.delivered_all, .read_all = group.read_all};
    group.delivered_all = larger(group.delivered_all, tell->delivered_all);
    group.read_all = larger(group.read_all, tell->read_all);
    uint64_t log_from = group.log_low;
    uint64_t log_to = tell->log_low < group.last ? tell->log_low : group.last;
    group.log_low = larger(log_from, log_to);
    group_put(apply->ledger, apply->effects, tell->group, &group);
    log_forget(apply, tell->group, log_from, log_to);
    members_forget(apply, tell, group.log_low);
    for (uint32_t at = 0; at < tell->count;) {
        at = tell_user(apply, tell, &before, &group, at);
    }
}

const struct apply_command_kind apply_group_tell = {need_tell, run_tell};
