/* SPDX-License-Identifier: Apache-2.0 */
/* Several messages of a group that reach a partition together: what they do one by one, they do so,
 * too. Each spec plays in two towns alike, of which one is told in rounds. */
#include "store/state.h"
#include "tests/store/chance.h"
#include "tests/store/group_town.h"

enum { SEEDS = SEEDS_OF(12), STEPS = 160, BESIDE = 8, LITTLE_BYTES = 1500, LONG_BYTES = 700 };

struct towns {
    struct world *rounds;
    struct world *singly;
    uint64_t people[TOWN_USERS];
    uint64_t group;
    uint64_t numbers; /* of commands */
};

static void
towns_settle(struct towns *towns)
{
    world_settle(towns->rounds);
    world_settle_singly(towns->singly);
}

/* The first and the last of them have two devices. An inbox is full by entries, or (of every other
 * seed) by bytes. */
static void
towns_begin(struct towns *towns, uint64_t seed)
{
    static const struct ledger_limits few = {
        .inbox_entries_max = 12, .inbox_bytes_max = 100000, .devices_max = 3};
    static const struct ledger_limits little = {
        .inbox_entries_max = 100, .inbox_bytes_max = LITTLE_BYTES, .devices_max = 3};
    const struct ledger_limits *limits = seed % 2 == 0 ? &little : &few;
    *towns = (struct towns){
        .rounds = world_new(seed, limits), .singly = world_new(seed, limits), .numbers = 100};
    for (unsigned i = 0; i < TOWN_USERS; i++) {
        unsigned devices = i == 0 || i + 1 == TOWN_USERS ? 2 : 1;
        char name[16];
        (void)snprintf(name, sizeof(name), "user%u", i);
        towns->people[i] = world_user(towns->rounds, name, devices);
        assert_int_equal(world_user(towns->singly, name, devices), towns->people[i]);
    }
    towns->group = world_group(towns->rounds, towns->people[0], 1, &towns->people[1], 5);
    assert_int_equal(world_group(towns->singly, towns->people[0], 1, &towns->people[1], 5),
                     towns->group);
}

/* Everybody's first device is woken for what is new. */
static void
towns_wake(struct towns *towns)
{
    struct world *worlds[] = {towns->rounds, towns->singly};
    for (unsigned i = 0; i < 2 * TOWN_USERS; i++) {
        uint64_t user = towns->people[i / 2];
        struct command command = {
            .partition = world_partition(worlds[i % 2], user),
            .kind = COMMAND_WAKE_SET,
            .wake_set = {.user = user,
                         .device = 1,
                         .wake = {.kind = STORE_WAKE_WEBPUSH,
                                  .endpoint = (const unsigned char *)"https://h/x",
                                  .endpoint_bytes = 11,
                                  .app = (const unsigned char *)"mine",
                                  .app_bytes = 4}}};
        assert_int_equal(world_apply(worlds[i % 2], &command).error, 0);
    }
}

static void
towns_end(struct towns *towns)
{
    world_free(&towns->rounds);
    world_free(&towns->singly);
}

static void
towns_send(struct towns *towns, uint64_t by, const char *text, uint64_t ttl_ms)
{
    uint64_t number = towns->numbers++;
    struct result one = world_group_send_for(towns->rounds, by, number, towns->group, text, ttl_ms);
    struct result other =
        world_group_send_for(towns->singly, by, number, towns->group, text, ttl_ms);
    assert_int_equal(one.error, other.error);
    assert_int_equal(one.chat_number, other.chat_number);
}

/* Not settled. */
static void
towns_change(struct towns *towns, uint64_t by, uint8_t kind, uint64_t subject)
{
    struct world_group_change asked = {.group = towns->group,
                                       .user = by,
                                       .number = towns->numbers++,
                                       .kind = kind,
                                       .subjects = subject != 0,
                                       .ids = {subject}};
    struct result one = world_group_change(towns->rounds, &asked);
    struct result other = world_group_change(towns->singly, &asked);
    assert_int_equal(one.error, other.error);
}

/* All but so many of the newest. */
static void
towns_ack(struct towns *towns, uint64_t user, uint16_t device, size_t but)
{
    struct world *worlds[] = {towns->rounds, towns->singly};
    for (unsigned i = 0; i < 2; i++) {
        size_t count = world_inbox(worlds[i], user, 0, entries);
        if (count > but) {
            (void)world_ack(worlds[i], user, device, entries[count - 1 - but].number);
        }
    }
}

static void
expect_entry(const struct store_entry *one, const struct store_entry *other)
{
    assert_int_equal(one->kind, other->kind);
    assert_int_equal(one->peer, other->peer);
    if (one->kind == STORE_ENTRY_GROUP_MESSAGE) {
        assert_int_equal(one->message.chat_number, other->message.chat_number);
        assert_int_equal(one->message.expires_at_ms, other->message.expires_at_ms);
        assert_int_equal(one->message.body_bytes, other->message.body_bytes);
        assert_int_equal(one->message.body[0], other->message.body[0]);
    } else if (one->kind == STORE_ENTRY_GROUP_CURSORS) {
        assert_int_equal(one->group_cursors.gap_from, other->group_cursors.gap_from);
        assert_int_equal(one->group_cursors.gap_to, other->group_cursors.gap_to);
    } else if (one->kind == STORE_ENTRY_MISSED) {
        assert_int_equal(one->missed_of, other->missed_of);
    }
}

/* The place of the entry in an inbox; -1: it is not there (any more). */
static int
place_of(const struct store_entry *inbox, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (inbox[i].number == number) {
            return (int)i;
        }
    }
    return -1;
}

/* Numbers differ, since members of one partition share them; what they point to does not. */
static void
expect_inbox(struct towns *towns, uint64_t user)
{
    static struct store_entry others[WORLD_PAGE_MAX];
    size_t count = world_inbox(towns->rounds, user, 0, entries);
    assert_int_equal(count, world_inbox(towns->singly, user, 0, others));
    for (size_t i = 0; i < count; i++) {
        expect_entry(&entries[i], &others[i]);
        if (entries[i].kind == STORE_ENTRY_GROUP_MESSAGE) {
            assert_int_equal(place_of(entries, count, entries[i].message.before),
                             place_of(others, count, others[i].message.before));
            assert_int_equal(place_of(entries, count, entries[i].message.post),
                             place_of(others, count, others[i].message.post));
        }
    }
}

static void
expect_membership(struct towns *towns, uint64_t user)
{
    struct record_membership one;
    struct record_membership other;
    bool met = world_membership(towns->rounds, user, towns->group, &one);
    assert_int_equal(met, world_membership(towns->singly, user, towns->group, &other));
    if (!met) {
        return;
    }
    assert_int_equal(one.last, other.last);
    assert_int_equal(one.delivered, other.delivered);
    assert_int_equal(one.read, other.read);
    assert_int_equal(one.own_unread, other.own_unread);
    assert_int_equal(one.gap_from, other.gap_from);
    assert_int_equal(one.gap_to, other.gap_to);
    assert_int_equal(one.expired.after, other.expired.after);
    assert_int_equal(one.expired.to, other.expired.to);
    assert_int_equal(one.post_number, other.post_number);
}

/* What the group's partition knows of him. */
static void
expect_member(struct towns *towns, uint64_t user)
{
    struct record_member one;
    struct record_member other;
    bool met = world_group_member(towns->rounds, towns->group, user, &one);
    assert_int_equal(met, world_group_member(towns->singly, towns->group, user, &other));
    if (!met) {
        return;
    }
    assert_int_equal(one.role, other.role);
    assert_int_equal(one.delivered, other.delivered);
    assert_int_equal(one.expired.count, other.expired.count);
    for (unsigned i = 0; i < one.expired.count; i++) {
        assert_int_equal(one.expired.at[i].after, other.expired.at[i].after);
        assert_int_equal(one.expired.at[i].to, other.expired.at[i].to);
    }
}

/* Which devices have lost their place, how much waits for the others, and for what they are to be
 * woken. */
static void
expect_cursors(struct towns *towns, uint64_t user)
{
    static struct store_entry others[WORLD_PAGE_MAX];
    struct record_head one;
    struct record_head other;
    assert_true(world_head(towns->rounds, user, &one));
    assert_true(world_head(towns->singly, user, &other));
    size_t count = world_inbox(towns->rounds, user, 0, entries);
    (void)world_inbox(towns->singly, user, 0, others);
    assert_int_equal(place_of(entries, count, one.newest), place_of(others, count, other.newest));
    assert_int_equal(one.devices, other.devices);
    for (unsigned i = 0; i < one.devices; i++) {
        assert_int_equal(one.cursors[i].due, other.cursors[i].due);
        assert_int_equal(one.cursors[i].state, other.cursors[i].state);
        assert_int_equal(one.last.entries - one.cursors[i].acked.entries,
                         other.last.entries - other.cursors[i].acked.entries);
        assert_int_equal(one.last.bytes - one.cursors[i].acked.bytes,
                         other.last.bytes - other.cursors[i].acked.bytes);
    }
}

static void
expect_alike(struct towns *towns)
{
    for (unsigned i = 0; i < TOWN_USERS; i++) {
        expect_inbox(towns, towns->people[i]);
        expect_cursors(towns, towns->people[i]);
        expect_membership(towns, towns->people[i]);
        expect_member(towns, towns->people[i]);
    }
}

/* A letter, some of them so often that a few fill an inbox. */
static void
say(struct towns *towns, struct chance *chance, uint64_t by)
{
    char text[LONG_BYTES + 1] = "";
    size_t bytes = chance_below(chance, 5) == 0 ? 1 + chance_below(chance, LONG_BYTES) : 1;
    uint64_t ttl_ms = chance_below(chance, 4) == 0 ? 500 + chance_below(chance, 2000) : 0;
    memset(text, (int)('a' + chance_below(chance, 26)), bytes);
    towns_send(towns, by, text, ttl_ms);
}

/* One of two devices takes in what there is, but for some. */
static void
one_device_acks(struct towns *towns, struct chance *chance)
{
    uint64_t user = towns->people[chance_below(chance, 2) * (TOWN_USERS - 1)];
    uint16_t device = (uint16_t)(1 + chance_below(chance, 2));
    towns_settle(towns);
    towns_ack(towns, user, device, chance_below(chance, 4));
}

/* Mutes the group for a while, or blocks another member. */
static void
set_state(struct towns *towns, struct chance *chance, uint64_t user)
{
    struct world *worlds[] = {towns->rounds, towns->singly};
    bool mutes = chance_below(chance, 2) == 0;
    uint64_t other = towns->people[chance_below(chance, TOWN_USERS)];
    struct result results[2];
    struct command command = {
        .partition = world_partition(towns->rounds, user),
        .kind = COMMAND_STATE,
        .state = {.user = user,
                  .subject = mutes ? towns->group | STORE_STATE_GROUP : other,
                  .device = 1,
                  .kind = mutes ? STORE_STATE_MUTED : STORE_STATE_BLOCKED,
                  .removed = chance_below(chance, 3) == 0,
                  .states_max = WORLD_STATES_MAX,
                  .bytes_max = WORLD_STATE_MAX,
                  .quiet_until_ms = mutes ? world_now_ms(towns->rounds) + 1500 : 0}};
    towns_settle(towns);
    for (unsigned i = 0; i < 2; i++) {
        results[i] = world_apply(worlds[i], &command);
    }
    assert_int_equal(results[0].error, results[1].error);
}

static void
one_thing(struct towns *towns, struct chance *chance)
{
    uint64_t what = chance_below(chance, 100);
    uint64_t by = towns->people[chance_below(chance, TOWN_USERS)];
    if (what < 54) {
        say(towns, chance, by);
    } else if (what < 60) {
        set_state(towns, chance, by);
    } else if (what < 70) {
        uint64_t who = towns->people[chance_below(chance, TOWN_USERS)];
        towns_change(towns, by, what % 2 == 0 ? STORE_GROUP_REMOVE : STORE_GROUP_ADD, who);
    } else if (what < 78) {
        towns_settle(towns);
        towns_ack(towns, by, 1, chance_below(chance, 4));
    } else if (what < 85) {
        one_device_acks(towns, chance);
    } else if (what < 90) {
        towns_settle(towns);
        world_pass(towns->rounds, 400);
        world_pass(towns->singly, 400);
        assert_int_equal(world_sweep(towns->rounds), world_sweep(towns->singly));
    } else if (what < 95) { /* where one is told in rounds, folds and starts come between */
        world_fold_on(towns->rounds, (unsigned)chance_below(chance, WORLD_CELLS));
    } else if (what < 97) {
        world_restart(towns->rounds);
    } else {
        towns_settle(towns);
        world_group_report(towns->rounds);
        world_group_report(towns->singly);
    }
}

/* Full inboxes, devices that lose their place, muting and blocking, leaving and coming back, what
 * expires, and starts in between. */
static void
as_one_by_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct chance chance = {.state = seed};
        struct towns towns;
        towns_begin(&towns, seed);
        towns_wake(&towns);
        for (unsigned i = 0; i < STEPS; i++) {
            one_thing(&towns, &chance);
        }
        towns_settle(&towns);
        expect_alike(&towns);
        towns_end(&towns);
    }
}

/* ------------------------------------------------------------------------------------ by itself */

/* Of two that live in one partition each has all of it before the other has any. */
static void
member_by_member(void **state)
{
    struct world *world = *state;
    uint64_t pair[2] = {users[1], 0};
    for (unsigned i = 0; pair[1] == 0; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "beside%u", i);
        uint64_t user = world_user(world, name, 1);
        pair[1] = world_partition(world, user) == world_partition(world, pair[0]) ? user : 0;
    }
    uint64_t id = world_group(world, users[0], 1, pair, 2);
    for (uint64_t i = 0; i < BESIDE; i++) {
        (void)world_group_send(world, users[0], 2 + i, id, "m");
    }
    world_settle(world);
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(heard(world, pair[i]), "Ammmmmmmm");
        assert_int_equal(entries[BESIDE].number, entries[1].number + BESIDE - 1);
    }
}

static struct command
round_of(uint64_t group, uint8_t partition, uint64_t first, uint32_t count, const char *letters)
{
    static unsigned char packed[1024];
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        unsigned char record[128];
        struct payload said = {
            .kind = PAYLOAD_GROUP_MESSAGE,
            .group_message = {.group = group,
                              .message = {.sender = 77,
                                          .chat_number = first + i,
                                          .body = (const unsigned char *)letters + i,
                                          .body_bytes = 1}}};
        payload_encode(&said, record);
        payload_pack((struct store_value){.bytes = record, .count = payload_bytes(&said)},
                     packed + at);
        at += PAYLOAD_LENGTH_BYTES + payload_bytes(&said);
    }
    return (struct command){.partition = partition,
                            .kind = COMMAND_STREAM_ROUND,
                            .stream_round = {.source = 200,
                                             .first = first,
                                             .count = count,
                                             .records = {.bytes = packed, .count = at}}};
}

/* From a partition that had not heard how far it was taken, before a start and after it. */
static void
sent_again(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    uint8_t partition = world_partition(world, users[1]);
    assert_int_equal(world_ledger(world, partition)->streams[200].in, 0);
    struct command command = round_of(id, partition, 1, 3, "abc");
    (void)world_apply(world, &command);
    (void)world_apply(world, &command);
    assert_string_equal(heard(world, users[1]), "Aabc");
    world_fold(world, partition % WORLD_CELLS);
    world_restart(world);
    (void)world_apply(world, &command);
    command = round_of(id, partition, 2, 4, "bcde");
    (void)world_apply(world, &command);
    assert_string_equal(heard(world, users[1]), "Aabcde");
    assert_int_equal(world_ledger(world, partition)->streams[200].in, 5);
    world_restart(world);
    assert_string_equal(heard(world, users[1]), "Aabcde");
    assert_int_equal(world_ledger(world, partition)->streams[200].in, 5);
}

/* The group hears once of a member who is gone, whatever was said to him. */
static void
to_one_who_is_gone(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 2);
    (void)world_remove(world, users[2]);
    world_settle(world);
    for (uint64_t i = 0; i < 3; i++) {
        const char text[] = {(char)('a' + i), '\0'};
        (void)world_group_send(world, users[0], 2 + i, id, text);
    }
    world_settle(world);
    assert_string_equal(heard(world, users[1]), "AabcG");
}

/* Each gap that grows has one mark, as if it had grown by one: the effects still name those that
 * made way. */
static void
a_gap_within(void **state)
{
    struct world *world = *state;
    uint64_t id = world_group(world, users[0], 1, &users[1], 1);
    uint8_t partition = world_partition(world, users[1]);
    for (uint64_t i = 0; i < 17; i++) {
        (void)world_group_send(world, users[0], 2 + i, id, "m");
    }
    world_settle(world);
    uint64_t last = world_ledger(world, partition)->streams[200].in;
    struct command command = round_of(id, partition, last + 1, 6, "abcdef");
    (void)world_apply(world, &command);
    assert_int_equal(world_effects(world)->count, 6);
    assert_string_equal(heard(world, users[1]), "Ammmmmmmmmmmmmmmmmab#");
    assert_int_equal(entries[20].number, world_effects(world)->items[5].number);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a round does what its messages would do one by one", as_one_by_one),
        IN_TOWN("a member is given all of a round before the next one is", member_by_member),
        IN_TOWN("a round that is sent again, or partly, takes effect once", sent_again),
        IN_TOWN("a member who is gone is told of once", to_one_who_is_gone),
        IN_TOWN("a gap that grows within a round has one mark", a_gap_within),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
