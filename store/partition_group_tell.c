/* SPDX-License-Identifier: Apache-2.0 */
/* What groups have to say that may wait (group_due.h), said when a timer fires: four times a second
 * members' cursors go to their groups, and once a second a group's senders hear how many of its
 * members have their messages.
 *
 * Counting reads all of a group's members, and who wrote its newest messages and those that not all
 * have yet; the result is in the command, since apply looks up single records only. */
#include "runtime/larger.h"
#include "store/group_ledger.h"
#include "store/partition_priv.h"
#include "store/store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 250,
    TICKS_PER_TELL = 4,
    /* Members read at once: all, but for groups that many have left. */
    MEMBERS_READ = 2 * STORE_GROUP_MEMBERS_LIMIT,
    /* Of the newest messages, counted for those who wrote them. */
    NEWEST = 32,
    /* How far the cursors of all move, and the log's end, in one tell. */
    STEP = 128,
    ROWS_MAX = NEWEST + 2 * STEP,
    /* Of members who left so many are remembered, and those who were given a message that is still
     * in the log. */
    FORMER_KEPT = 1024,
};
static_assert(STORE_GROUP_MEMBERS_LIMIT + FORMER_KEPT < MEMBERS_READ, "all of them are read");

/* ---------------------------------------------------------------------------------------- timer */

void
partition_groups_watch(void)
{
    struct ln_msg *msg = ln_msg_new(ASK_GROUP_TICK, LN_REPLY, 0);
    (void)ln_send_after(TICK_MS, ln_self(), &msg);
}

void
partition_groups_flush(struct partition *partition)
{
    if (partition->ledger.due.count > 0 && !partition->groups_ticking) {
        struct ln_msg *msg = ln_msg_new(ASK_GROUP_WATCH, LN_REPLY, 0);
        partition->groups_ticking = true;
        ln_send(store_pid_get(&partition->pid), &msg);
    }
}

void
partition_groups_resume(struct partition *partition)
{
    struct group_dues *due = &partition->ledger.due;
    partition->groups_ticking = false;
    for (uint32_t i = 0; i < due->capacity; i++) {
        due->places[i].report_asked = false; /* lost with the actor, or harmless to say twice */
        due->places[i].tell_asked = false;
    }
    partition_groups_flush(partition);
}

static void
ask_for(struct partition *partition, uint32_t tag, uint64_t group)
{
    struct store_group_id id = {.group = group};
    ask_queue_push(&partition->waiting, ask_new(partition, tag, &id, sizeof(id)));
}

/* Each group has its own of four ticks, so they don't all come at once. */
static bool
is_its_turn(const struct partition *partition, uint64_t group)
{
    return ((group >> 8) + partition->groups_ticks) % TICKS_PER_TELL == 0;
}

void
partition_groups_tick(struct partition *partition)
{
    struct group_dues *due = &partition->ledger.due;
    partition->groups_ticking = false;
    partition->groups_ticks++;
    for (uint32_t i = 0; i < due->capacity; i++) {
        struct group_due *at = &due->places[i];
        if (at->report && !at->report_asked) {
            at->report_asked = true;
            ask_for(partition, ASK_GROUP_REPORT, at->group);
        }
        if (at->tell && !at->tell_asked && is_its_turn(partition, at->group)) {
            at->tell_asked = true;
            ask_for(partition, ASK_GROUP_TELL, at->group);
        }
    }
    partition_groups_flush(partition);
}

static enum ask_outcome
run_report(struct partition *partition, struct ask *ask, bool act)
{
    struct command command = {.kind = COMMAND_GROUP_REPORT,
                              .group_report = ASK_DATA(store_group_id, ask)->group};
    return partition_log(partition, ask, &command, act);
}

const struct ask_kind ask_of_group_report = {.run = run_report};

/* ------------------------------------------------------------------------------------- counting */

static_assert((int)ROWS_MAX <= (int)COMMAND_TELL_MAX, "one command tells them all");

struct counted_member {
    uint64_t user;
    struct record_member record;
};

/* While one group is counted; on the heap. */
struct counting {
    struct partition *partition;
    uint64_t id;
    struct record_group group;
    bool complete; /* all members were read */
    uint32_t members_count;
    uint32_t members_room;
    struct counted_member *members;
    uint32_t rows_count;
    struct command_tell_row rows[ROWS_MAX];
    unsigned char bytes[ROWS_MAX * COMMAND_TELL_BYTES];
    unsigned char forgotten[COMMAND_FORGET_MAX * sizeof(uint64_t)];
};

/* Whether the rows from `first` on, `count` of them, are known; else they are in the fetch. */
static bool
knows_log(const struct counting *counting, uint64_t first, uint64_t count)
{
    bool known = true;
    for (uint64_t number = first; number < first + count && number <= counting->group.last;
         number++) {
        known =
            partition_knows_record(counting->partition, RECORD_GROUP_LOG, counting->id, number) &&
            known;
    }
    return known;
}

static uint64_t
newest_first(const struct counting *counting)
{
    return counting->group.last > NEWEST ? counting->group.last - NEWEST + 1 : 1;
}

static bool
knows_logs(const struct counting *counting)
{
    const struct record_group *group = &counting->group;
    bool newest = knows_log(counting, newest_first(counting), NEWEST);
    bool delivered = knows_log(counting, group->delivered_all + 1, STEP);
    bool read = knows_log(counting, group->read_all + 1, STEP);
    bool oldest = knows_log(counting, group->log_low + 1, STEP);
    return newest && delivered && read && oldest;
}

/* False: nothing is known of the message any more. */
static bool
log_row(const struct counting *counting, uint64_t number, struct record_group_log *out)
{
    const struct ledger *ledger = &counting->partition->ledger;
    struct store_key key = record_key(ledger->partition, RECORD_GROUP_LOG, counting->id, number);
    struct store_value value;
    if (!ledger_get(ledger, &key, &value)) {
        *out = (struct record_group_log){0};
        return false;
    }
    int error = record_group_log_decode(value, out);
    ASSERT(error == 0);
    return true;
}

/* Whether the message was for him. */
static bool
concerns(const struct counted_member *member, uint64_t number, uint64_t sender)
{
    const struct record_member *record = &member->record;
    bool missed = holes_have(&record->gaps, number);
    bool gone = record->role == STORE_GROUP_NOBODY && number > record->left;
    return number > record->joined && member->user != sender && !missed && !gone;
}

/* Whether all who have been there since have it, or have read it, but for those who never will. */
static bool
all_have(const struct counting *counting, uint64_t number, bool read)
{
    struct record_group_log row;
    (void)log_row(counting, number, &row);
    for (uint32_t i = 0; i < counting->members_count; i++) {
        const struct counted_member *member = &counting->members[i];
        uint64_t cursor = read ? member->record.read : member->record.delivered;
        bool there = member->record.role != STORE_GROUP_NOBODY && member->record.since < number;
        if (there && cursor < number && member->user != row.sender &&
            !holes_have(&member->record.expired, number)) {
            return false;
        }
    }
    return true;
}

static uint64_t
all_up_to(const struct counting *counting, uint64_t from, bool read)
{
    uint64_t number = from;
    while (counting->complete && number < counting->group.last && number < from + STEP &&
           all_have(counting, number + 1, read)) {
        number++;
    }
    return number;
}

/* False: nothing is known of the message any more. */
static bool
count_message(const struct counting *counting, uint64_t number, struct command_tell_row *out)
{
    struct record_group_log row;
    if (!log_row(counting, number, &row)) {
        return false;
    }
    *out = (struct command_tell_row){.user = row.sender, .chat_number = number};
    for (uint32_t i = 0; i < counting->members_count; i++) {
        const struct counted_member *member = &counting->members[i];
        if (!concerns(member, number, row.sender)) {
            continue;
        }
        if (holes_have(&member->record.expired, number)) {
            out->expired++; /* whatever the cursors say, which pass over it */
        } else {
            out->delivered += member->record.delivered >= number;
            out->read += member->record.read >= number;
        }
    }
    return true;
}

/* One user's rows together, in the order of numbers. */
static void
row_add(struct counting *counting, const struct command_tell_row *row)
{
    uint32_t at = counting->rows_count++;
    while (at > 0 && (counting->rows[at - 1].user > row->user ||
                      (counting->rows[at - 1].user == row->user &&
                       counting->rows[at - 1].chat_number > row->chat_number))) {
        counting->rows[at] = counting->rows[at - 1];
        at--;
    }
    counting->rows[at] = *row;
}

/* Whether somebody it was for neither has it nor will never have it: if it expires for him, who
 * wrote it is to be told. Who waits cannot be known where not all members were read. */
static bool
is_waited_for(const struct counting *counting, uint64_t number, uint64_t delivered_all)
{
    uint64_t behind = counting->group.last - number;
    return counting->complete && number > delivered_all &&
           behind < counting->partition->store->options.group_waits_max;
}

static uint64_t
log_end(const struct counting *counting, uint64_t delivered_all)
{
    uint64_t keep_ms = counting->partition->store->options.group_log_ms;
    uint64_t now_ms = (uint64_t)ln_wall_ms();
    uint64_t number = counting->group.log_low;
    struct record_group_log row;
    while (number < counting->group.last && number < counting->group.log_low + STEP) {
        bool young = log_row(counting, number + 1, &row) && row.time_ms + keep_ms > now_ms;
        if (young || is_waited_for(counting, number + 1, delivered_all)) {
            break;
        }
        number++;
    }
    return number;
}

static struct counted_member *
member_room(struct counting *counting)
{
    if (counting->members_count == counting->members_room) {
        counting->members_room = counting->members_room == 0 ? 16 : counting->members_room * 2;
        counting->members =
            realloc(counting->members, counting->members_room * sizeof(counting->members[0]));
        ASSERT(counting->members != NULL);
    }
    return &counting->members[counting->members_count++];
}

static void
read_members(struct counting *counting, const struct store_range *range,
             const struct page_rows *rows)
{
    struct page page;
    struct store_key key;
    struct store_value value;
    page_start(&page, counting->partition->ledger.delta, range, rows);
    while (counting->members_count < MEMBERS_READ && page_next(&page, &key, &value)) {
        struct counted_member *member = member_room(counting);
        member->user = key.a;
        int error = record_member_decode(value, &member->record);
        ASSERT(error == 0);
    }
    counting->complete = !page.cut && counting->members_count < MEMBERS_READ;
}

/* Members who left beyond those that are remembered, some at a time: all of them are read each
 * time. True: there are more. */
static bool
forget_members(struct counting *counting, uint64_t log_low, struct command_ids *out)
{
    uint32_t former = 0;
    out->bytes = counting->forgotten;
    for (uint32_t i = 0; i < counting->members_count; i++) {
        former += counting->members[i].record.role == STORE_GROUP_NOBODY;
    }
    for (uint32_t i = 0; i < counting->members_count && former > FORMER_KEPT; i++) {
        const struct counted_member *member = &counting->members[i];
        if (member->record.role != STORE_GROUP_NOBODY || member->record.left > log_low) {
            continue;
        }
        if (out->count == COMMAND_FORGET_MAX) {
            return true;
        }
        memcpy(counting->forgotten + out->count * sizeof(member->user), &member->user,
               sizeof(member->user));
        out->count++;
        former--;
    }
    return false;
}

static void
count_messages(struct counting *counting, uint64_t from, uint64_t to)
{
    for (uint64_t number = from; number <= to; number++) {
        struct command_tell_row row;
        if (count_message(counting, number, &row)) {
            row_add(counting, &row);
        }
    }
}

/* Whether the writer of a message that expired for somebody is told of so many others already that
 * what he hears has no room for it. */
static bool
is_crowded(const struct counting *counting, const struct command_tell_row *row)
{
    unsigned expired = 0;
    for (uint32_t i = 0; i < counting->rows_count && row->expired > 0; i++) {
        const struct command_tell_row *other = &counting->rows[i];
        expired += other->user == row->user && other->expired > 0;
    }
    return expired == STORE_GROUP_COUNTS_MAX;
}

/* What the cursor of all passes from `after` on. Where it expired for somebody it has to be told
 * now, since it is not looked at again: so the cursor stops, below `to`, where there is no room.
 * Returns how far it has got. */
static uint64_t
count_passed(struct counting *counting, uint64_t after, uint64_t to)
{
    uint64_t number = after;
    for (; number < to; number++) {
        struct command_tell_row row;
        bool known = count_message(counting, number + 1, &row);
        if (known && is_crowded(counting, &row)) {
            break;
        }
        if (known) {
            row_add(counting, &row);
        }
    }
    return number;
}

/* Moves the cursors of all, and counts what they pass and what is newest. Returns whether they got
 * as far as they may. */
static bool
count_all(struct counting *counting, struct command_group_tell *out)
{
    const struct record_group *group = &counting->group;
    uint64_t read = all_up_to(counting, group->read_all, true);
    uint64_t delivered = all_up_to(counting, group->delivered_all, false);
    out->read_all = count_passed(counting, group->read_all, read);
    uint64_t from = larger(group->delivered_all, out->read_all);
    uint64_t to = out->read_all == read ? larger(delivered, from) : from;
    out->delivered_all = count_passed(counting, from, to);
    uint64_t newest = larger(newest_first(counting), out->read_all + 1);
    count_messages(counting, newest, from);
    count_messages(counting, larger(newest, out->delivered_all + 1), group->last);
    return out->read_all == read && out->delivered_all == to && read < group->read_all + STEP &&
           delivered < group->delivered_all + STEP;
}

/* Who wrote what all have, or have read, from now on hears so, and who wrote what is newest. */
static void
count(struct counting *counting, struct command_group_tell *out)
{
    out->receipts = counting->group.receipts;
    out->more = !count_all(counting, out);
    out->log_low = log_end(counting, out->delivered_all);
    out->more = forget_members(counting, out->log_low, &out->forgotten) || out->more;
    for (uint32_t i = 0; i < counting->rows_count; i++) {
        command_tell_put(counting->bytes, i, &counting->rows[i]);
    }
    out->count = counting->rows_count;
    out->rows = counting->bytes;
}

static enum ask_outcome
tell(struct counting *counting, struct ask *ask, bool act)
{
    struct partition *partition = counting->partition;
    struct command command = {.kind = COMMAND_GROUP_TELL, .group_tell = {.group = counting->id}};
    struct fetch_range wanted = {
        .range = key_range_owner(partition->ledger.partition, RECORD_MEMBER, counting->id),
        .rows_max = MEMBERS_READ,
        .bytes_max = STORE_PAGE_BYTES_MAX,
    };
    if (!group_get(&partition->ledger, counting->id, &counting->group)) {
        return partition_log(partition, ask, &command, act);
    }
    bool known = knows_logs(counting);
    if (!partition_has_read(&ask->ranges[0], partition, &wanted) || !known) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    read_members(counting, &wanted.range, &ask->ranges[0].rows);
    count(counting, &command.group_tell);
    return partition_log(partition, ask, &command, act);
}

static enum ask_outcome
run_tell(struct partition *partition, struct ask *ask, bool act)
{
    uint64_t group = ASK_DATA(store_group_id, ask)->group;
    if (!partition_knows_record(partition, RECORD_GROUP, group, 0)) {
        return ASK_MISSING;
    }
    struct counting *counting = calloc(1, sizeof(*counting));
    ASSERT(counting != NULL);
    counting->partition = partition;
    counting->id = group;
    enum ask_outcome outcome = tell(counting, ask, act);
    free(counting->members);
    free(counting);
    return outcome;
}

const struct ask_kind ask_of_group_tell = {.run = run_tell};
