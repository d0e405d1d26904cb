/* SPDX-License-Identifier: Apache-2.0 */
/* What changes by time alone: devices that nobody has seen for long, and entries that wait for too
 * long. Now and then a partition goes through its devices, then through its inboxes, a page at a
 * time; what it finds due becomes a command of its own, which carries the verdict, since an apply
 * has no clock. Whatever has happened since the page was read makes such a command do nothing.
 *
 *     ASK_ROUND, a page ──> ASK_UNSEEN, ASK_EXPIRE, one for each that may be due ──> commands
 *
 * A pass takes a page a second and begins an hour after the one before, or sooner where something
 * is due after less than a day; another start of the actor begins anew. */
#include "store/gather.h"
#include "store/inbox.h"
#include "store/partition_priv.h"
#include "store/record_account.h"
#include "store/store_priv.h"

enum {
    /* Not while the node is busy with its start; the last partition begins as long again later. */
    FIRST_MS = 60000,
    STEP_MS = 1000,
    PASS_MS = 3600000,
    PASSES = 24, /* in the shortest time after which something is due, at least */
    LOOKS = 4,   /* at a device that stays, in the time after which it would be unlinked */
    PAGE_ROWS = 64,
    PAGE_BYTES = 64 << 10,
};
static_assert((int)PAGE_ROWS > (int)STORE_DEVICES_LIMIT, "a page holds all devices of a user");

static uint64_t
wall_ms(void)
{
    int64_t wall = ln_wall_ms();
    return wall > 0 ? (uint64_t)wall : 0;
}

static void
later(uint64_t ms)
{
    struct ln_msg *msg = ln_msg_new(ASK_ROUND, LN_REPLY, 0);
    (void)ln_send_after(ms, ln_self(), &msg);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* STORE_NEVER is the longest; 0 of what is held: it goes with any pass. */
static uint64_t
pass_ms(const struct store_options *options)
{
    bool unlinks = options->device_unseen_ms != STORE_NEVER; /* else nobody is warned of it */
    uint64_t shortest = least(options->device_unseen_ms, options->inbox_age_ms);
    shortest = least(shortest, unlinks ? options->device_warn_ms : STORE_NEVER);
    shortest = least(shortest, options->hold_ms != 0 ? options->hold_ms : STORE_NEVER);
    uint64_t ms = least(shortest / PASSES, PASS_MS);
    return ms > STEP_MS ? ms : STEP_MS;
}

void
partition_round_start(struct partition *partition)
{
    uint64_t first_ms = least(pass_ms(&partition->store->options), FIRST_MS);
    partition->round = (struct partition_round){0};
    later(first_ms + first_ms * partition->ledger.partition / STORE_PARTITIONS);
}

void
partition_round_due(struct partition *partition)
{
    struct ask *ask = ask_new(partition, ASK_ROUND, "", 0);
    ask_queue_push(&partition->waiting, ask);
}

/* -------------------------------------------------------------------------------------- devices */

/* All devices of one user. */
struct household {
    uint64_t user;
    unsigned count;
    struct {
        uint64_t seen_at_ms; /* 0: unknown */
        uint64_t warned_at_ms;
        uint16_t device;
        bool attached;
    } devices[STORE_DEVICES_LIMIT];
};

static void
household_add(struct partition *partition, struct household *household, uint16_t device,
              struct store_value value)
{
    struct record_device record;
    int error = record_device_decode(value, &record);
    ASSERT(error == 0 && household->count < STORE_DEVICES_LIMIT);
    unsigned at = household->count++;
    household->devices[at].device = device;
    household->devices[at].seen_at_ms = record.seen_at_ms;
    household->devices[at].warned_at_ms = record.warned_at_ms;
    household->devices[at].attached =
        attached_find(&partition->attached, household->user, device) != NULL;
}

static void
push_unseen(struct partition *partition, const struct command_device_unseen *unseen)
{
    struct ask *ask = ask_new(partition, ASK_UNSEEN, unseen, sizeof(*unseen));
    ask_queue_push(&partition->waiting, ask);
}

/* The one that was here last stays whatever its age: with it the last way in might go. */
static unsigned
household_newest(const struct household *household)
{
    unsigned newest = 0;
    for (unsigned i = 1; i < household->count; i++) {
        bool attached = household->devices[i].attached && !household->devices[newest].attached;
        bool later_seen = household->devices[i].attached == household->devices[newest].attached &&
                          household->devices[i].seen_at_ms >= household->devices[newest].seen_at_ms;
        newest = attached || later_seen ? i : newest;
    }
    return newest;
}

/* 0: nothing is due. */
static uint8_t
verdict_of(const struct store_options *options, const struct household *household, unsigned i,
           uint64_t now_ms)
{
    uint64_t seen_at_ms = household->devices[i].seen_at_ms;
    uint64_t warned_at_ms = household->devices[i].warned_at_ms;
    uint64_t unseen_ms = now_ms > seen_at_ms ? now_ms - seen_at_ms : 0;
    if (household->devices[i].attached) {
        uint64_t lag_ms = least(STORE_SEEN_MS, options->device_unseen_ms / LOOKS);
        return unseen_ms >= lag_ms ? UNSEEN_ANEW : 0;
    }
    if (seen_at_ms == 0) {
        return UNSEEN_ANEW;
    }
    if (options->device_unseen_ms == STORE_NEVER || i == household_newest(household)) {
        return 0;
    }
    if (warned_at_ms == 0) {
        return unseen_ms + options->device_warn_ms >= options->device_unseen_ms ? UNSEEN_WARN : 0;
    }
    bool over =
        unseen_ms >= options->device_unseen_ms && now_ms >= warned_at_ms + options->device_warn_ms;
    return over ? UNSEEN_UNLINK : 0;
}

static void
household_judge(struct partition *partition, const struct household *household)
{
    const struct store_options *options = &partition->store->options;
    uint64_t now_ms = wall_ms();
    for (unsigned i = 0; i < household->count; i++) {
        uint64_t seen_at_ms = household->devices[i].seen_at_ms;
        uint64_t over_at_ms = seen_at_ms + options->device_unseen_ms;
        uint64_t warned_until_ms = now_ms + options->device_warn_ms;
        struct command_device_unseen unseen = {
            .user = household->user,
            .device = household->devices[i].device,
            .seen_at_ms = seen_at_ms,
            .unlink_at_ms = over_at_ms > warned_until_ms ? over_at_ms : warned_until_ms,
            .verdict = verdict_of(options, household, i, now_ms),
        };
        if (unseen.verdict != 0) {
            push_unseen(partition, &unseen);
        }
    }
}

/* Judges the users of a page. A user at the end of one that was cut is the first of the next. */
static void
devices_look(struct partition *partition, struct page *page)
{
    struct household household = {0};
    struct store_key key;
    struct store_value value;
    while (page_next(page, &key, &value)) {
        if (key.owner != household.user) {
            household_judge(partition, &household);
            household = (struct household){.user = key.owner};
        }
        household_add(partition, &household, (uint16_t)key.a, value);
    }
    if (page->cut) {
        partition->round.after = (household.user != 0 ? household.user : page->row_key.owner) - 1;
        return;
    }
    household_judge(partition, &household);
    partition->round.inboxes = true;
    partition->round.after = 0;
}

static enum ask_outcome
run_unseen(struct partition *partition, struct ask *ask, bool act)
{
    struct command command = {
        .kind = COMMAND_DEVICE_UNSEEN,
        .unseen = *ASK_DATA(command_device_unseen, ask),
    };
    /* The others have the whole time from when they are told, however long the verdict waited. */
    uint64_t warned_until_ms = wall_ms() + partition->store->options.device_warn_ms;
    if (command.unseen.verdict == UNSEEN_WARN && command.unseen.unlink_at_ms < warned_until_ms) {
        command.unseen.unlink_at_ms = warned_until_ms;
    }
    return partition_log(partition, ask, &command, act);
}

/* -------------------------------------------------------------------------------------- inboxes */

static void
inboxes_look(struct partition *partition, struct page *page)
{
    struct store_key key;
    struct store_value value;
    uint64_t last = 0;
    while (page_next(page, &key, &value)) {
        struct record_head head;
        int error = record_head_decode(value, &head);
        ASSERT(error == 0);
        last = key.owner;
        bool ages = head.unborn || partition->store->options.inbox_age_ms != STORE_NEVER;
        if (!head.removed && ages && head.low.number < head.last.number) {
            struct store_user_id id = {.user = key.owner};
            ask_queue_push(&partition->waiting, ask_new(partition, ASK_EXPIRE, &id, sizeof(id)));
        }
    }
    partition->round.inboxes = page->cut;
    partition->round.after = page->cut ? (last != 0 ? last : page->row_key.owner) : 0;
}

/* Whether the range has been read, as far as LMDB has any of it. */
static bool
has_read(struct partition *partition, struct ask *ask, unsigned which,
         const struct store_range *range, uint32_t rows_max)
{
    struct fetch_range wanted = {
        .range = *range, .rows_max = rows_max, .bytes_max = STORE_PAGE_BYTES_MAX};
    return range->low.a > delta_folded_number(partition->ledger.delta) ||
           partition_has_read(&ask->ranges[which], partition, &wanted);
}

static void
page_of(struct partition *partition, struct ask *ask, unsigned which,
        const struct store_range *range, struct page *out)
{
    const struct ask_range *read = &ask->ranges[which];
    page_start(out, partition->ledger.delta, range, read->read ? &read->rows : NULL);
}

/* Whether the inbox's oldest entry may be too old: most are told apart by that one. */
static bool
may_be_old(struct page *page, uint64_t before_ms)
{
    struct store_key key;
    struct store_value value;
    struct store_entry entry;
    if (!page_next(page, &key, &value)) {
        return page->cut;
    }
    int error = entry_decode(key.a, value.bytes, value.count, &entry);
    ASSERT(error == 0);
    return entry_time_ms(&entry) < before_ms;
}

/* What is older than that goes; 0: nothing does. A frame of its own: a head is large. */
static __attribute__((noinline)) uint64_t
expires_before_ms(const struct partition *partition, uint64_t user)
{
    const struct store_options *options = &partition->store->options;
    struct record_head head;
    uint64_t now_ms = wall_ms();
    bool unborn = inbox_head_find(&partition->ledger, user, &head) && head.unborn;
    uint64_t age_ms = unborn ? options->hold_ms : options->inbox_age_ms;
    return age_ms != STORE_NEVER && now_ms > age_ms ? now_ms - age_ms : 0;
}

static enum ask_outcome
log_expire(struct partition *partition, struct ask *ask, const struct command_ack *all,
           const struct record_place *low, bool act)
{
    uint64_t before_ms = expires_before_ms(partition, all->user);
    struct command command = {.kind = COMMAND_INBOX_EXPIRE};
    struct gather gather;
    struct page page;
    gather_start(&gather, all, low, partition->journal->pairs);
    gather.range.low.partition = partition->ledger.partition;
    gather.range.high.partition = partition->ledger.partition;
    if (!has_read(partition, ask, 0, &gather.range, 1)) {
        return ASK_MISSING;
    }
    page_of(partition, ask, 0, &gather.range, &page);
    if (!may_be_old(&page, before_ms)) {
        return act ? ASK_DONE : ASK_READY;
    }
    if (!has_read(partition, ask, 1, &gather.range, COMMAND_PAIRS_MAX)) {
        return ASK_MISSING;
    }
    page_of(partition, ask, 1, &gather.range, &page);
    gather_old(&gather, &page, before_ms);
    if (gather.entries == 0) {
        return act ? ASK_DONE : ASK_READY;
    }
    command.ack = gather.ack; /* what does not fit goes with the next pass */
    return partition_log(partition, ask, &command, act);
}

/* Where the inbox begins and ends; false: it is empty, or nobody's. A frame of its own, too. */
static __attribute__((noinline)) bool
inbox_ends(const struct partition *partition, uint64_t user, struct record_place *out_low,
           uint64_t *out_last)
{
    struct record_head head;
    if (!inbox_head_find(&partition->ledger, user, &head) || head.low.number == head.last.number) {
        return false;
    }
    *out_low = head.low;
    *out_last = head.last.number;
    return true;
}

static enum ask_outcome
run_expire(struct partition *partition, struct ask *ask, bool act)
{
    uint64_t user = ASK_DATA(store_user_id, ask)->user;
    struct command_ack all = {.user = user};
    struct record_place low;
    if (!partition_knows_record(partition, RECORD_HEAD, user, 0)) {
        return ASK_MISSING;
    }
    if (!inbox_ends(partition, user, &low, &all.number)) {
        return act ? ASK_DONE : ASK_READY;
    }
    return log_expire(partition, ask, &all, &low, act);
}

/* -------------------------------------------------------------------------------------- a page */

static enum ask_outcome
run_round(struct partition *partition, struct ask *ask, bool act)
{
    struct partition_round *round = &partition->round;
    enum record_table table = round->inboxes ? RECORD_HEAD : RECORD_DEVICE;
    struct page page;
    struct fetch_range wanted = {
        .range = key_range_table(partition->ledger.partition, (uint8_t)table),
        .rows_max = PAGE_ROWS,
        .bytes_max = PAGE_BYTES,
    };
    wanted.range.low.owner = round->after + 1;
    if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[0].rows);
    if (!round->inboxes) {
        devices_look(partition, &page);
        later(STEP_MS);
        return ASK_DONE;
    }
    inboxes_look(partition, &page);
    later(round->inboxes ? STEP_MS : pass_ms(&partition->store->options));
    return ASK_DONE;
}

const struct ask_kind ask_of_round = {.run = run_round};
const struct ask_kind ask_of_unseen = {.run = run_unseen};
const struct ask_kind ask_of_expire = {.run = run_expire};
