/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/group_town.h"

#include <errno.h>

/* Acknowledges all that is there. */
static void
take_all(struct world *world, uint64_t user, uint16_t device)
{
    size_t count = world_inbox(world, user, 0, entries);
    assert_int_equal(world_ack(world, user, device, entries[count - 1].number).error, 0);
}

static struct record_member
member(struct world *world, uint64_t group, uint64_t user)
{
    struct record_member record;
    assert_true(world_group_member(world, group, user, &record));
    return record;
}

/* One hole. */
static void
expect_expired(const struct record_member *record, uint64_t after, uint64_t to)
{
    assert_int_equal(record->expired.count, 1);
    assert_int_equal(record->expired.at[0].after, after);
    assert_int_equal(record->expired.at[0].to, to);
}

static void
delivered(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "a");
    (void)world_group_send(world, users[0], 3, id, "b");
    world_settle(world);
    take_all(world, users[1], 1);
    assert_int_equal(member(world, id, users[1]).delivered, 0); /* gathered, not told yet */
    world_group_report(world);
    assert_int_equal(member(world, id, users[1]).delivered, 2);
    assert_int_equal(member(world, id, users[1]).read, 0);
    assert_int_equal(member(world, id, users[2]).delivered, 0);
}

static void
read_marks(void **state)
{
    struct world *world = *state;
    struct record_membership membership;
    uint64_t two = world_user(world, "two", 2);
    uint64_t id = world_group(world, users[0], 1, &two, 1);
    (void)world_group_send(world, users[0], 2, id, "a");
    (void)world_group_send(world, users[0], 3, id, "b");
    world_settle(world);
    assert_int_equal(world_group_read(world, two, id, 3).error, -ERANGE);
    assert_int_equal(world_group_read(world, two, id, 2).error, 0);
    assert_int_equal(world_group_read(world, two, id, 1).error, 0); /* nothing new */
    assert_int_equal(world_group_read(world, users[3], id, 1).error, -ENOENT);
    world_group_report(world);
    assert_int_equal(member(world, id, two).read, 2);
    assert_int_equal(member(world, id, two).delivered, 2); /* read is delivered */
    assert_string_equal(heard(world, two), "Aab#");
    assert_true(entries[3].group_cursors.own_moved);
    assert_int_equal(entries[3].group_cursors.read, 2);
    assert_true(world_membership(world, two, id, &membership));
    assert_int_equal(membership.own_unread, 0);
}

static void
own_messages(void **state)
{
    struct world *world = *state;
    struct record_membership membership;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    (void)world_group_send(world, users[0], 2, id, "a");
    world_settle(world);
    assert_true(world_membership(world, users[0], id, &membership));
    assert_int_equal(membership.read, 1); /* he had all before it, and wrote it */
    (void)world_group_send(world, users[1], 1, id, "b");
    (void)world_group_send(world, users[0], 3, id, "c");
    world_settle(world);
    assert_true(world_membership(world, users[0], id, &membership));
    assert_int_equal(membership.last - membership.read - membership.own_unread, 1);
    (void)world_group_read(world, users[0], id, 3);
    assert_true(world_membership(world, users[0], id, &membership));
    assert_int_equal(membership.last - membership.read - membership.own_unread, 0);
}

static uint64_t
unread(struct world *world, uint64_t group, uint64_t user)
{
    struct record_membership membership;
    assert_true(world_membership(world, user, group, &membership));
    return membership.last - membership.read - membership.own_unread;
}

static void
own_among_unread(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    (void)world_group_send(world, users[0], 2, id, "a");
    (void)world_group_send(world, users[1], 1, id, "b");
    (void)world_group_send(world, users[0], 3, id, "c");
    world_settle(world);
    assert_int_equal(unread(world, id, users[1]), 2); /* a and c */
    (void)world_group_read(world, users[1], id, 2);
    assert_int_equal(unread(world, id, users[1]), 1);
    (void)world_group_read(world, users[1], id, 3);
    assert_int_equal(unread(world, id, users[1]), 0);
}

static void
due_survives(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "a");
    world_settle(world);
    take_all(world, users[1], 1);
    world_fold_all(world);
    world_restart(world);
    world_group_report(world);
    assert_int_equal(member(world, id, users[1]).delivered, 1);
    const struct group_dues *dues = &world_ledger(world, world_partition(world, id))->due;
    assert_true(group_due_find(dues, id)->tell);
    world_restart(world);
    dues = &world_ledger(world, world_partition(world, id))->due;
    assert_true(group_due_find(dues, id)->tell);
}

/* More groups than one record holds are due at a freeze. */
static void
any_number_is_due(void **state)
{
    enum { MANY = 2 * LEDGER_DUE_MAX + 1000 };
    struct world *world = *state;
    uint8_t partition = world_partition(world, users[0]);
    for (unsigned round = 0; round < 2; round++) {
        struct ledger *ledger = world_ledger(world, partition);
        for (uint64_t i = 1; i <= MANY; i++) {
            struct group_due *due = group_due_at(&ledger->due, i << 8);
            due->report = round == 0 && i % 2 == 0;
            due->tell = round == 0 && i % 2 == 1;
            group_due_settle(&ledger->due, due);
        }
        ledger->changed = true;
        world_fold(world, partition % WORLD_CELLS);
        world_restart(world);
        ledger = world_ledger(world, partition);
        assert_int_equal(ledger->due.count, round == 0 ? MANY : 0);
        for (uint64_t i = 1; i <= MANY && round == 0; i++) {
            const struct group_due *due = group_due_find(&ledger->due, i << 8);
            assert_true(due != NULL && due->report == (i % 2 == 0) && due->tell == (i % 2 == 1));
        }
    }
    struct store_value value;
    struct store_key page = ledger_key(partition, 1);
    assert_false(world_get(world, &page, &value));
}

static struct command_group_tell
tell_of(uint64_t group, uint64_t user, uint64_t number, uint32_t have, unsigned char *rows)
{
    struct command_tell_row row = {
        .user = user, .chat_number = number, .delivered = have, .read = 0};
    command_tell_put(rows, 0, &row);
    return (struct command_group_tell){
        .group = group, .receipts = 1, .delivered_all = 0, .count = 1, .rows = rows};
}

static void
counts(void **state)
{
    struct world *world = *state;
    unsigned char rows[COMMAND_TELL_BYTES];
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "a");
    world_settle(world);
    take_all(world, users[1], 1);
    world_group_report(world);
    struct command_group_tell tell = tell_of(id, users[0], 1, 1, rows);
    assert_int_equal(world_group_tell(world, &tell).error, 0);
    world_settle(world);
    assert_string_equal(heard(world, users[0]), "A=");
    struct store_group_count count = entry_group_count(&entries[1].group_counts, 0);
    assert_int_equal(count.chat_number, 1);
    assert_int_equal(count.delivered, 1);
    /* What is newer takes its place. */
    tell = tell_of(id, users[0], 1, 2, rows);
    tell.delivered_all = 1;
    assert_int_equal(world_group_tell(world, &tell).error, 0);
    world_settle(world);
    assert_string_equal(heard(world, users[0]), "A=");
    assert_int_equal(entry_group_count(&entries[1].group_counts, 0).delivered, 2);
    assert_int_equal(entries[1].group_counts.delivered_all, 1);
    /* Nothing is due any more: it had counted all receipts. */
    assert_null(group_due_find(&world_ledger(world, world_partition(world, id))->due, id));
}

static void
more_came(void **state)
{
    struct world *world = *state;
    unsigned char rows[COMMAND_TELL_BYTES];
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "a");
    world_settle(world);
    take_all(world, users[1], 1);
    world_group_report(world);
    take_all(world, users[2], 1);
    world_group_report(world);
    struct command_group_tell tell = tell_of(id, users[0], 1, 1, rows); /* of the first alone */
    (void)world_group_tell(world, &tell);
    assert_true(group_due_find(&world_ledger(world, world_partition(world, id))->due, id)->tell);
}

static void
who_leaves_is_waited_for_no_more(void **state)
{
    struct world *world = *state;
    unsigned char rows[COMMAND_TELL_BYTES];
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "a");
    world_settle(world);
    take_all(world, users[1], 1);
    world_group_report(world);
    struct command_group_tell tell = tell_of(id, users[0], 1, 1, rows);
    (void)world_group_tell(world, &tell);
    const struct group_dues *dues = &world_ledger(world, world_partition(world, id))->due;
    assert_null(group_due_find(dues, id));
    (void)change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[2]);
    assert_true(group_due_find(dues, id)->tell); /* all who are left may have it now */
}

static void
log_is_forgotten(void **state)
{
    struct world *world = *state;
    unsigned char rows[COMMAND_TELL_BYTES];
    struct record_group group;
    struct store_value value;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    for (uint64_t i = 0; i < 5; i++) {
        (void)world_group_send(world, users[0], 2 + i, id, "a");
    }
    struct command_group_tell tell = tell_of(id, users[0], 5, 0, rows);
    tell.log_low = 3;
    (void)world_group_tell(world, &tell);
    assert_true(world_group_get(world, id, &group));
    assert_int_equal(group.log_low, 3);
    for (uint64_t number = 1; number <= 5; number++) {
        struct store_key key = record_key(world_partition(world, id), RECORD_GROUP_LOG, id, number);
        assert_int_equal(world_get(world, &key, &value), number > 3);
    }
}

static void
former_members_are_forgotten(void **state)
{
    struct world *world = *state;
    struct record_member record;
    uint64_t id = world_group(world, users[0], 1, &users[1], 3);
    (void)world_group_send(world, users[0], 2, id, "a");
    (void)change(world, id, users[0], 3, STORE_GROUP_REMOVE, users[1]);
    (void)change(world, id, users[0], 4, STORE_GROUP_REMOVE, users[2]);
    (void)change(world, id, users[0], 5, STORE_GROUP_ADD, users[2]); /* he is back */
    struct command_group_tell tell = {
        .group = id, .forgotten = {.count = 3, .bytes = (const unsigned char *)&users[1]}};
    (void)world_group_tell(world, &tell); /* what they were given is still told of */
    assert_true(world_group_member(world, id, users[1], &record));
    tell.log_low = 1;
    (void)world_group_tell(world, &tell);
    assert_false(world_group_member(world, id, users[1], &record));
    assert_true(world_group_member(world, id, users[2], &record));
    assert_true(world_group_member(world, id, users[3], &record));
    /* Who comes back is as new. */
    assert_int_equal(world_group_send(world, users[1], 1, id, "m").error, -ENOENT);
    assert_int_equal(change(world, id, users[0], 6, STORE_GROUP_ADD, users[1]).error, 0);
    assert_int_equal(world_group_send(world, users[1], 1, id, "m").error, 0);
    assert_int_equal(member(world, id, users[1]).joined, 1);
}

/* What had been given to a member, and went before he took it in. */
static void
expired_by_age(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "a");
    world_settle(world);
    take_all(world, users[1], 1);
    take_all(world, users[2], 1);
    (void)world_group_send(world, users[0], 3, id, "b");
    (void)world_group_send(world, users[0], 4, id, "c");
    world_settle(world);
    take_all(world, users[2], 1);
    world_pass(world, 1000);
    (void)world_group_send(world, users[0], 5, id, "d");
    world_settle(world);
    assert_true(world_expire(world, users[1], 1000));
    world_group_report(world);
    struct record_member late = member(world, id, users[1]);
    assert_int_equal(late.delivered, 1);
    expect_expired(&late, 1, 3);
    assert_int_equal(member(world, id, users[2]).expired.count, 0);
    /* What he takes in later takes none of it back. */
    assert_string_equal(heard(world, users[1]), "d");
    take_all(world, users[1], 1);
    world_group_report(world);
    late = member(world, id, users[1]);
    assert_int_equal(late.delivered, 4);
    expect_expired(&late, 1, 3);
}

static void
expired_by_itself(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send(world, users[0], 2, id, "a");
    (void)world_group_send_for(world, users[0], 3, id, "b", 500);
    (void)world_group_send_for(world, users[0], 4, id, "c", 500);
    world_settle(world);
    take_all(world, users[2], 1);
    world_pass(world, 500);
    (void)world_sweep(world);
    world_group_report(world);
    struct record_member late = member(world, id, users[1]);
    assert_int_equal(late.delivered, 0);
    expect_expired(&late, 1, 3);
    assert_int_equal(member(world, id, users[2]).expired.count, 0);
    assert_int_equal(member(world, id, users[2]).delivered, 3);
    assert_int_equal(member(world, id, users[0]).expired.count, 0); /* it was his own */
}

static void
expired_lower_later(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_group_send_for(world, users[0], 2, id, "a", 900);
    (void)world_group_send_for(world, users[0], 3, id, "b", 500);
    world_settle(world);
    world_pass(world, 500);
    (void)world_sweep(world);
    world_group_report(world);
    assert_int_equal(member(world, id, users[1]).expired.at[0].after, 1);
    world_pass(world, 400);
    (void)world_sweep(world);
    world_group_report(world);
    struct record_member late = member(world, id, users[1]);
    expect_expired(&late, 0, 2);
}

/* Each of them, with what lies between. */
static void
several_holes(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    for (uint64_t i = 0; i < 5; i++) {
        if (i % 2 == 0) {
            (void)world_group_send(world, users[0], 2 + i, id, "a");
        } else {
            (void)world_group_send_for(world, users[0], 2 + i, id, "b", 500);
        }
    }
    world_settle(world);
    world_pass(world, 500);
    (void)world_sweep(world); /* both, before any report */
    take_all(world, users[1], 1);
    world_group_report(world);
    struct record_member late = member(world, id, users[1]);
    assert_int_equal(late.delivered, 5);
    assert_int_equal(late.expired.count, 2);
    assert_true(holes_have(&late.expired, 2) && holes_have(&late.expired, 4));
    assert_false(holes_have(&late.expired, 3) || holes_have(&late.expired, 5));
}

/* An acknowledgement or a read passes over what nobody was given any more. */
static void
passed_over_before_the_sweep(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    (void)world_group_send_for(world, users[0], 2, id, "b", 500);
    (void)world_group_send(world, users[0], 3, id, "c");
    world_settle(world);
    world_pass(world, 500);
    take_all(world, users[1], 1);
    world_group_report(world);
    struct record_member late = member(world, id, users[1]);
    assert_int_equal(late.delivered, 2);
    expect_expired(&late, 0, 1);
}

/* What did not fit is told to the group each time, beside the cursors. */
static void
full_inbox_is_reported(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    take_all(world, users[1], 1);
    for (uint64_t round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 22; i++) {
            (void)world_group_send(world, users[0], 2 + 22 * round + i, id, "m");
        }
        world_settle(world);
        take_all(world, users[1], 1);
    }
    world_group_report(world);
    struct record_member record = member(world, id, users[1]);
    assert_int_equal(record.expired.count, 2);
    assert_int_equal(record.expired.at[0].after, 20);
    assert_int_equal(record.expired.at[0].to, 22);
    assert_int_equal(record.expired.at[1].after, 42);
    assert_int_equal(record.expired.at[1].to, 44);
}

/* He is told of each gap by itself: not that what he was given in between is missing. */
static void
each_gap_has_its_mark(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    take_all(world, users[1], 1);
    for (uint64_t i = 0; i < 21; i++) {
        (void)world_group_send(world, users[0], 2 + i, id, "m");
    }
    world_settle(world);
    (void)world_inbox(world, users[1], 0, entries);
    assert_int_equal(world_ack(world, users[1], 1, entries[0].number).error, 0);
    (void)world_group_send(world, users[0], 23, id, "n");
    (void)world_group_send(world, users[0], 24, id, "n");
    world_settle(world);
    assert_string_equal(heard(world, users[1]), "mmmmmmmmmmmmmmmmmmm#n#");
    assert_int_equal(entries[19].group_cursors.gap_from, 21);
    assert_int_equal(entries[19].group_cursors.gap_to, 21);
    assert_int_equal(entries[21].group_cursors.gap_from, 23);
    assert_int_equal(entries[21].group_cursors.gap_to, 23);
}

/* Cursors, gaps and holes are as they were; only from behind his return on he is waited for. */
static void
who_comes_back_keeps_his_cursors(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    struct record_membership membership;
    struct record_member record;
    (void)world_group_send(world, users[0], 2, id, "a");
    world_settle(world);
    take_all(world, users[1], 1);
    (void)world_group_read(world, users[1], id, 1);
    (void)world_group_send(world, users[0], 3, id, "b"); /* never fetched before he goes */
    world_settle(world);
    world_group_report(world);
    for (uint64_t round = 0; round < HOLES_MAX + 1; round++) {
        (void)change(world, id, users[0], 10 * round + 10, STORE_GROUP_REMOVE, users[1]);
        (void)world_group_send(world, users[0], 10 * round + 11, id, "out");
        (void)change(world, id, users[0], 10 * round + 12, STORE_GROUP_ADD, users[1]);
        (void)world_group_send(world, users[0], 10 * round + 13, id, "in");
        world_settle(world);
        world_group_report(world);
        record = member(world, id, users[1]);
        assert_int_equal(record.delivered, 1);
        assert_int_equal(record.read, 1);
        assert_int_equal(record.since, 3 + 2 * round);
        assert_true(holes_have(&record.gaps, 3 + 2 * round));
        assert_false(holes_have(&record.gaps, 4 + 2 * round));
        /* Of the first time nothing is known after so many: it does not concern him any more. */
        assert_int_equal(record.joined, round < HOLES_MAX ? 0 : 3);
    }
    assert_true(world_membership(world, users[1], id, &membership));
    assert_int_equal(membership.read, 1);
    assert_int_equal(hole_above(&membership.away, membership.read), 1);
}

static void
expired_is_counted(void **state)
{
    struct world *world = *state;
    unsigned char rows[COMMAND_TELL_BYTES];
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    struct command_tell_row row = {
        .user = users[0], .chat_number = 1, .delivered = 1, .read = 1, .expired = 1};
    (void)world_group_send(world, users[0], 2, id, "a");
    world_settle(world);
    command_tell_put(rows, 0, &row);
    /* Told though all who could have read it. */
    struct command_group_tell tell = {
        .group = id, .receipts = 1, .delivered_all = 1, .read_all = 1, .count = 1, .rows = rows};
    assert_int_equal(world_group_tell(world, &tell).error, 0);
    world_settle(world);
    assert_string_equal(heard(world, users[0]), "A=");
    assert_int_equal(entries[1].group_counts.count, 1);
    assert_int_equal(entry_group_count(&entries[1].group_counts, 0).expired, 1);
}

/* Counts of messages `from` to `to` of the first user; of those up to `expired` it expired for one,
 * and all the others have read them. */
static void
tell_counts(struct world *world, uint64_t group, uint64_t from, uint64_t to, uint64_t expired)
{
    static unsigned char rows[COMMAND_TELL_MAX * COMMAND_TELL_BYTES];
    struct command_group_tell tell = {
        .group = group, .receipts = 1, .delivered_all = expired, .read_all = expired, .rows = rows};
    for (uint64_t number = from; number <= to; number++) {
        struct command_tell_row row = {
            .user = users[0], .chat_number = number, .expired = number <= expired};
        command_tell_put(rows, tell.count++, &row);
    }
    assert_int_equal(world_group_tell(world, &tell).error, 0);
    world_settle(world);
}

/* All numbers in the mark, as letters from 'a' on. */
static const char *
counted(const struct store_entry *mark)
{
    static char text[STORE_GROUP_COUNTS_MAX + 1];
    assert_int_equal(mark->kind, STORE_ENTRY_GROUP_COUNTS);
    for (unsigned i = 0; i < mark->group_counts.count; i++) {
        text[i] = (char)('a' + entry_group_count(&mark->group_counts, i).chat_number - 1);
    }
    text[mark->group_counts.count] = '\0';
    return text;
}

static uint64_t
group_with_messages(struct world *world, uint64_t count)
{
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    for (uint64_t i = 0; i < count; i++) {
        (void)world_group_send(world, users[0], 2 + i, id, "m");
    }
    world_settle(world);
    return id;
}

/* Over folds too: the mark is fetched. */
static void
marks_keep_what_expired(void **state)
{
    struct world *world = *state;
    uint64_t id = group_with_messages(world, 20);
    tell_counts(world, id, 1, 4, 2);
    assert_string_equal(heard(world, users[0]), "A=");
    assert_string_equal(counted(&entries[1]), "abcd");
    world_fold_all(world);
    tell_counts(world, id, 3, 5, 3); /* 1 and 2 are not told again, 3 is */
    assert_string_equal(heard(world, users[0]), "A=");
    assert_string_equal(counted(&entries[1]), "abcde");
    assert_int_equal(entries[1].group_counts.read_all, 3);
    tell_counts(world, id, 5, 5, 3); /* 4 can be told again */
    assert_string_equal(heard(world, users[0]), "A=");
    assert_string_equal(counted(&entries[1]), "abce");
}

static void
marks_without_room_stay(void **state)
{
    struct world *world = *state;
    uint64_t id = group_with_messages(world, 20);
    tell_counts(world, id, 1, 16, 16);
    tell_counts(world, id, 17, 18, 17);
    assert_string_equal(heard(world, users[0]), "A==");
    assert_string_equal(counted(&entries[1]), "abcdefghijklmnop");
    assert_string_equal(counted(&entries[2]), "qr");
    tell_counts(world, id, 18, 18, 18);
    assert_string_equal(heard(world, users[0]), "A==");
    assert_string_equal(counted(&entries[2]), "qr");
    take_all(world, users[0], 1); /* from then on nothing of it is told again */
    tell_counts(world, id, 19, 19, 19);
    assert_string_equal(heard(world, users[0]), "=");
    assert_string_equal(counted(&entries[0]), "s");
}

static void
last_counts_go_first(void **state)
{
    struct world *world = *state;
    uint64_t id = group_with_messages(world, 20);
    tell_counts(world, id, 1, 20, 2);
    assert_string_equal(heard(world, users[0]), "A=");
    assert_string_equal(counted(&entries[1]), "abghijklmnopqrst");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_TOWN("what a member's device has acknowledged is reported to the group", delivered),
        IN_TOWN("what a member has read is reported, and told to his other devices", read_marks),
        IN_TOWN("a member's own messages are not unread", own_messages),
        IN_TOWN("what is read past a message of one's own leaves the others unread",
                own_among_unread),
        IN_TOWN("what is due outlives folds and restarts", due_survives),
        IN_TOWN("any number of groups may be due", any_number_is_due),
        IN_TOWN("a sender hears how many have his message, by one mark", counts),
        IN_TOWN("receipts that come while others are counted are counted next", more_came),
        IN_TOWN("when a member goes it is counted anew who has what",
                who_leaves_is_waited_for_no_more),
        IN_TOWN("who left long ago is forgotten, unless he came back",
                former_members_are_forgotten),
        IN_TOWN("what was too old before a member took it in is reported beside his cursors",
                expired_by_age),
        IN_TOWN("so is what disappeared before", expired_by_itself),
        IN_TOWN("and so is a lower number that disappears later", expired_lower_later),
        IN_TOWN("of several holes each is reported", several_holes),
        IN_TOWN("what a cursor passes over before it was swept is reported as expired",
                passed_over_before_the_sweep),
        IN_TOWN("what a full inbox did not take is reported so, each time", full_inbox_is_reported),
        IN_TOWN("each gap is told to the member by a mark of its own", each_gap_has_its_mark),
        IN_TOWN("who is taken in again has got as far as before", who_comes_back_keeps_his_cursors),
        IN_TOWN("a sender hears for how many his message expired", expired_is_counted),
        IN_TOWN("what is told once of what expired a newer mark tells, too",
                marks_keep_what_expired),
        IN_TOWN("where a newer mark has no room for that the one before it stays",
                marks_without_room_stay),
        IN_TOWN("of more counts than a mark has room for, those told for the last time go",
                last_counts_go_first),
        IN_TOWN("who wrote an old message is forgotten", log_is_forgotten),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
