/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/presence_table.h"

#include "tests/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTITION = 7,
    LEASE_S = 10,
    ALICE = 1000,
    BOB = 2000,
    TOLD_MAX = 4096,
    WATCHERS_MAX = 3,
};

static struct presence_table table;
static struct presence_now now;
static struct told {
    ln_pid connection;
    struct presence_update update;
} told[TOLD_MAX];
static uint32_t told_count;

static int
begin(void **state)
{
    (void)state;
    presence_table_init(&table, WATCHERS_MAX);
    now = (struct presence_now){.s = 100, .wall_s = 1700000000};
    told_count = 0;
    return 0;
}

static int
end(void **state)
{
    (void)state;
    presence_table_fini(&table);
    return 0;
}

static void
hear(void *context, ln_pid connection, const struct presence_update *update)
{
    (void)context;
    assert_true(told_count < TOLD_MAX);
    told[told_count++] = (struct told){connection, *update};
}

static unsigned again;
static uint32_t asked[BOB + 1]; /* [subject] */
static void
hear_again(uint64_t subject, ln_pid connection)
{
    assert_in_range(connection, 1, 3);
    asked[subject]++;
    again++;
}

/* A second passes and is walked through, with so much to tell. Returns how much was told. */
static uint32_t
pass_telling(uint32_t left)
{
    struct presence_teller teller = {.tell = hear, .again = hear_again, .left = left};
    struct presence_visit visit = {0};
    told_count = 0;
    now.s++;
    now.wall_s++;
    do {
        visit.places_left = 3;
        teller.slice_left = 2;
    } while (!presence_table_walk(&table, PARTITION, &visit, now.s, &teller));
    return told_count;
}

static uint32_t
pass(void)
{
    return pass_telling(TOLD_MAX);
}

static void
foreground(uint64_t user, ln_pid connection)
{
    presence_table_foreground(&table, PARTITION, user, connection, &now, LEASE_S);
}

static int
watch(uint64_t subject, uint64_t user, ln_pid connection, uint8_t sees)
{
    struct presence_watcher watcher = {.user = user, .connection = connection, .sees = sees};
    return presence_table_watch(&table, PARTITION, subject, &watcher, 0);
}

static uint32_t
types(uint64_t subject, uint64_t user, const uint64_t *to, uint32_t to_count, uint8_t kind)
{
    struct presence_teller teller = {.tell = hear, .left = TOLD_MAX};
    struct presence_typing typing = {
        .subject = subject, .user = user, .to = to, .to_count = to_count, .kind = kind};
    told_count = 0;
    return presence_table_typing(&table, PARTITION, &typing, now.s, &teller);
}

enum { ALL = PRESENCE_SEES_ONLINE | PRESENCE_SEES_LAST_SEEN };

static bool
online(uint64_t user)
{
    const struct presence_subject *subject = presence_table_find(&table, PARTITION, user);
    return subject != NULL && presence_subject_online(subject);
}

static uint32_t
unlogged(bool all)
{
    struct store_seen_user users[8];
    return presence_table_unlogged(&table, PARTITION, all, users, 8);
}

static void
a_lease_ends_when_it_is_not_renewed(void **state)
{
    (void)state;
    foreground(ALICE, 1);
    for (unsigned i = 0; i < 2 * LEASE_S; i++) {
        (void)pass();
        assert_true(online(ALICE));
        foreground(ALICE, 1);
    }
    uint32_t seen_s = now.wall_s;
    for (unsigned i = 1; i < LEASE_S; i++) {
        (void)pass();
        assert_true(online(ALICE));
    }
    (void)pass();
    assert_false(online(ALICE));
    assert_int_equal(presence_table_find(&table, PARTITION, ALICE)->seen_s, seen_s);
    assert_int_equal(table.leases.count, 0);
}

static void
each_connection_has_a_lease(void **state)
{
    (void)state;
    foreground(ALICE, 1);
    foreground(ALICE, 2);
    foreground(ALICE, 3);
    presence_table_background(&table, PARTITION, ALICE, 2, &now);
    presence_table_background(&table, PARTITION, ALICE, 2, &now);
    presence_table_background(&table, PARTITION, ALICE, 9, &now);
    assert_true(online(ALICE));
    presence_table_background(&table, PARTITION, ALICE, 1, NULL);
    assert_true(online(ALICE));
    presence_table_background(&table, PARTITION, ALICE, 3, NULL);
    assert_false(online(ALICE));
    presence_table_background(&table, PARTITION, BOB, 3, NULL); /* who was never there */
    assert_null(presence_table_find(&table, PARTITION, BOB));
}

static void
only_what_is_said_is_seen(void **state)
{
    (void)state;
    foreground(ALICE, 1);
    uint32_t seen_s = now.wall_s;
    (void)pass();
    presence_table_background(&table, PARTITION, ALICE, 1, NULL); /* its end */
    assert_int_equal(presence_table_find(&table, PARTITION, ALICE)->seen_s, seen_s);
    foreground(ALICE, 1);
    (void)pass();
    presence_table_background(&table, PARTITION, ALICE, 1, &now); /* it says so */
    assert_int_equal(presence_table_find(&table, PARTITION, ALICE)->seen_s, now.wall_s);
    (void)pass();
    presence_table_background(&table, PARTITION, ALICE, 1, &now); /* it was not there */
    assert_int_equal(presence_table_find(&table, PARTITION, ALICE)->seen_s, now.wall_s - 1);
    presence_table_act(&table, PARTITION, ALICE, &now);
    assert_int_equal(presence_table_find(&table, PARTITION, ALICE)->seen_s, now.wall_s);
}

static void
changes_are_told_once(void **state)
{
    (void)state;
    assert_int_equal(watch(ALICE, BOB, 5, ALL), 0);
    assert_int_equal(pass(), 0);
    foreground(ALICE, 1);
    assert_int_equal(pass(), 1);
    assert_int_equal(told[0].connection, 5);
    assert_int_equal(told[0].update.kind, PRESENCE_ONLINE);
    assert_int_equal(told[0].update.user, ALICE);
    foreground(ALICE, 1);
    assert_int_equal(pass(), 0);
    presence_table_background(&table, PARTITION, ALICE, 1, &now);
    foreground(ALICE, 1); /* within the second: nothing happened */
    assert_int_equal(pass(), 0);
    presence_table_background(&table, PARTITION, ALICE, 1, &now);
    uint32_t seen_s = now.wall_s;
    assert_int_equal(pass(), 1);
    assert_int_equal(told[0].update.kind, PRESENCE_OFFLINE);
    assert_int_equal(told[0].update.seen_s, seen_s);
    presence_table_act(&table, PARTITION, ALICE, &now);
    presence_table_act(&table, PARTITION, ALICE, &now);
    assert_int_equal(pass(), 1);
}

/* Who begins to watch is told by the answer what is. What then comes he is told, even if for all
 * others it is nothing new. */
static void
a_new_watcher_misses_nothing(void **state)
{
    (void)state;
    assert_int_equal(watch(ALICE, BOB, 5, ALL), 0);
    foreground(ALICE, 1);
    assert_int_equal(pass(), 1);
    presence_table_background(&table, PARTITION, ALICE, 1, &now);
    assert_int_equal(watch(ALICE, BOB, 6, ALL), 0); /* is told: offline */
    foreground(ALICE, 1);
    assert_int_equal(pass(), 2);
    assert_int_equal(told[0].update.kind, PRESENCE_ONLINE);
}

static void
what_may_not_be_told_now_is_told_later(void **state)
{
    (void)state;
    enum { SUBJECTS = 20 };
    for (uint64_t i = 1; i <= SUBJECTS; i++) {
        assert_int_equal(watch(i, BOB, 5, ALL), 0);
        assert_int_equal(watch(i, BOB, 6, ALL), 0);
        foreground(i, 100 + i);
    }
    uint32_t sum = 0;
    for (unsigned i = 0; i < 2 * SUBJECTS / 5 + 2; i++) {
        uint32_t count = pass_telling(5);
        assert_true(count <= 5 && count % 2 == 0); /* all of a subject's watchers, or none */
        sum += count;
        for (uint64_t user = 1; user <= SUBJECTS; user++) {
            foreground(user, 100 + user);
        }
    }
    assert_int_equal(sum, 2 * SUBJECTS);
    assert_int_equal(pass(), 0);
}

static void
watches_have_limits_and_ends(void **state)
{
    (void)state;
    assert_int_equal(watch(ALICE, BOB, 1, ALL), 0);
    assert_int_equal(watch(ALICE, BOB, 1, ALL), -EALREADY);
    assert_int_equal(watch(ALICE, BOB, 2, ALL), 0);
    assert_int_equal(watch(ALICE, BOB, 3, ALL), 0);
    assert_int_equal(watch(ALICE, BOB, 4, ALL), -ENOBUFS);
    presence_table_unwatch(&table, PARTITION, ALICE, 2);
    presence_table_unwatch(&table, PARTITION, ALICE, 2);
    presence_table_unwatch(&table, PARTITION, BOB, 2);
    assert_int_equal(watch(ALICE, BOB, 4, ALL), 0);
    assert_int_equal(table.watches_count, 3);
    foreground(ALICE, 9);
    assert_int_equal(pass(), 3);
}

static void
count_again(uint64_t subject, ln_pid connection)
{
    assert_int_equal(subject, ALICE);
    assert_true(connection == 1 || connection == 3);
    again++;
}

static void
one_watcher_can_be_shown_out(void **state)
{
    (void)state;
    again = 0;
    assert_int_equal(watch(ALICE, BOB, 1, ALL), 0);
    assert_int_equal(watch(ALICE, BOB + 1, 2, ALL), 0);
    assert_int_equal(watch(ALICE, BOB, 3, ALL), 0);
    presence_table_unwatch_all(&table, PARTITION, ALICE, BOB, count_again);
    assert_int_equal(again, 2);
    foreground(ALICE, 9);
    assert_int_equal(pass(), 1);
    assert_int_equal(told[0].connection, 2);
    presence_table_unwatch_all(&table, PARTITION, ALICE, 0, NULL);
    assert_int_equal(table.watches_count, 0);
}

static void
all_ask_again_in_the_course_of_seconds(void **state)
{
    (void)state;
    const uint64_t to = BOB;
    again = 0;
    memset(asked, 0, sizeof asked);
    assert_int_equal(watch(BOB, ALICE, 1, ALL), 0);
    for (ln_pid connection = 1; connection <= 3; connection++) {
        assert_int_equal(watch(ALICE, BOB, connection, ALL), 0);
    }
    presence_table_ask_again(&table, PARTITION);
    foreground(ALICE, 9); /* of which nobody is told who may have been shown out */
    assert_int_equal(types(ALICE, ALICE, &to, 1, 1), 3);
    assert_int_equal(told_count, 0);
    assert_int_equal(pass_telling(0), 0);
    assert_int_equal(again, 0);
    assert_int_equal(pass_telling(2), 0); /* there are three of hers */
    assert_int_equal(asked[ALICE], 0);
    assert_int_equal(asked[BOB], 1);
    assert_int_equal(pass_telling(3), 0);
    assert_int_equal(asked[ALICE], 3);
    assert_int_equal(table.watches_count, 0);
    /* Whoever has asked is told as before. */
    assert_int_equal(watch(ALICE, BOB, 2, ALL), 0);
    presence_table_background(&table, PARTITION, ALICE, 9, &now);
    assert_int_equal(pass(), 1);
    assert_int_equal(types(ALICE, ALICE, &to, 1, 1), 0);
    assert_int_equal(told_count, 1);
    /* And an end that is no end of all leaves nothing behind. */
    presence_table_ask_again(&table, PARTITION);
    presence_table_unwatch(&table, PARTITION, ALICE, 2);
    assert_int_equal(watch(ALICE, BOB, 3, ALL), 0);
    assert_int_equal(types(ALICE, ALICE, &to, 1, 0), 0);
    assert_int_equal(again, 4);
}

static void
nobody_is_told_what_he_may_not_see(void **state)
{
    (void)state;
    enum { SEES_ONLINE = 1, SEES_LAST_SEEN = 2 };
    assert_int_equal(watch(ALICE, BOB, SEES_ONLINE, PRESENCE_SEES_ONLINE), 0);
    assert_int_equal(watch(ALICE, BOB, SEES_LAST_SEEN, PRESENCE_SEES_LAST_SEEN), 0);
    foreground(ALICE, 9);
    assert_int_equal(pass(), 1);
    assert_int_equal(told[0].connection, SEES_ONLINE);
    assert_int_equal(told[0].update.seen_s, 0);
    presence_table_background(&table, PARTITION, ALICE, 9, &now);
    assert_int_equal(pass(), 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(told[i].update.kind, PRESENCE_OFFLINE);
        assert_int_equal(told[i].update.seen_s != 0, told[i].connection == SEES_LAST_SEEN);
    }
    presence_table_act(&table, PARTITION, ALICE, &now);
    assert_int_equal(pass(), 1); /* that he has done something is last seen's alone */
    assert_int_equal(told[0].connection, SEES_LAST_SEEN);
}

/* --------------------------------------------------------------------------------------- typing */

static void
typing_is_told_at_once_then_by_the_walk(void **state)
{
    (void)state;
    const uint64_t to = BOB;
    assert_int_equal(watch(ALICE, BOB, 5, ALL), 0);
    assert_int_equal(watch(ALICE, BOB + 1, 6, ALL), 0);
    assert_int_equal(types(ALICE, ALICE, &to, 1, 1), 0);
    assert_int_equal(told_count, 1);
    assert_int_equal(told[0].connection, 5);
    assert_int_equal(told[0].update.typing, 1);
    for (uint8_t kind = 0; kind < 3; kind++) {
        assert_int_equal(types(ALICE, ALICE, &to, 1, kind), 0);
        assert_int_equal(told_count, 0);
    }
    assert_int_equal(pass(), 1);
    assert_int_equal(told[0].update.kind, PRESENCE_TYPING);
    assert_int_equal(told[0].update.typing, 2); /* the newest */
    assert_int_equal(pass(), 0);
    assert_int_equal(types(ALICE, ALICE, &to, 1, 0), 0);
    assert_int_equal(told_count, 1);
}

static void
typing_reaches_those_it_is_meant_for(void **state)
{
    (void)state;
    enum { GROUP = 5000 };
    const uint64_t to[] = {BOB, BOB + 2};
    assert_int_equal(watch(GROUP, BOB, 1, ALL), 0);
    assert_int_equal(watch(GROUP, ALICE, 2, ALL), 0);
    assert_int_equal(watch(GROUP, BOB + 2, 3, PRESENCE_SEES_LAST_SEEN), 0);
    assert_int_equal(types(GROUP, ALICE, NULL, 0, 1), 0); /* all who look, but not himself */
    assert_int_equal(told_count, 1);
    assert_int_equal(told[0].connection, 1);
    assert_int_equal(told[0].update.subject, GROUP);
    assert_int_equal(told[0].update.user, ALICE);
    assert_int_equal(types(GROUP, BOB + 9, to, 2, 1), 1); /* another in the same second: left out */
    assert_int_equal(told_count, 0);
    (void)pass();
    assert_int_equal(types(GROUP, BOB + 9, to, 2, 1), 0);
    assert_int_equal(told_count, 1);
    assert_int_equal(types(ALICE, ALICE, to, 2, 1), 0); /* whom nobody watches */
    assert_int_equal(told_count, 0);
}

/* --------------------------------------------------------------------------------- to the store */

static void
who_was_seen_is_taken_out_once(void **state)
{
    (void)state;
    struct store_seen_user users[4];
    foreground(ALICE, 1);
    presence_table_act(&table, PARTITION, BOB, &now);
    assert_int_equal(unlogged(false), 0);
    assert_int_equal(presence_table_unlogged(&table, PARTITION, true, users, 4), 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(users[i].user == ALICE || users[i].user == BOB);
        assert_int_equal(users[i].at_ms, UINT64_C(1700000000000));
    }
    assert_int_equal(unlogged(true), 0);
    foreground(ALICE, 1);
    presence_table_background(&table, PARTITION, ALICE, 1, NULL);
    assert_true(table.users[PARTITION].left);
    assert_int_equal(unlogged(false), 1);
    assert_false(table.users[PARTITION].left);
    presence_table_relog(&table, PARTITION);
    assert_int_equal(presence_table_unlogged(&table, PARTITION, true, users, 1), 1); /* in parts */
    assert_int_equal(unlogged(true), 1);
}

static void
nobody_is_forgotten_before_the_store_knows(void **state)
{
    (void)state;
    presence_table_act(&table, PARTITION, ALICE, &now);
    (void)pass();
    assert_int_equal(table.users_count, 1);
    assert_int_equal(unlogged(true), 1);
    table.users[PARTITION].kept = true;
    (void)pass();
    assert_int_equal(table.users_count, 1);
    table.users[PARTITION].kept = false;
    (void)pass();
    assert_int_equal(table.users_count, 0);
    assert_int_equal(presence_table_bytes(&table), 0);
}

static void
a_removed_user_is_forgotten_at_once(void **state)
{
    (void)state;
    foreground(ALICE, 1);
    assert_int_equal(watch(ALICE, BOB, 5, ALL), 0);
    presence_table_forget(&table, PARTITION, ALICE);
    presence_table_forget(&table, PARTITION, ALICE);
    assert_int_equal(table.users_count + table.leases.count + table.watches_count, 0);
    assert_int_equal(unlogged(true), 0);
    (void)pass();
    assert_int_equal(presence_table_bytes(&table), 0);
}

/* ----------------------------------------------------------------------------------------- many */

static uint64_t chance = 1;
static uint64_t
pick(uint64_t below)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (chance >> 33) % below;
}

/* Come and go at random, against a list. */
static void
many_come_and_go(void **state)
{
    (void)state;
    enum { USERS = 500, STEPS = 20000 };
    static bool there[USERS + 1];
    memset(there, 0, sizeof there);
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t user = 1 + pick(USERS);
        switch (pick(4)) {
        case 0:
        case 1:
            presence_table_foreground(&table, PARTITION, user, user, &now, UINT32_MAX / 2);
            there[user] = true;
            break;
        case 2:
            presence_table_background(&table, PARTITION, user, user, &now);
            there[user] = false;
            break;
        default:
            if (pick(20) == 0) {
                while (unlogged(true) == 8) {
                }
                (void)pass();
            }
            break;
        }
        uint64_t other = 1 + pick(USERS);
        assert_int_equal(online(other), there[other]);
    }
    for (uint64_t user = 1; user <= USERS; user++) {
        assert_int_equal(online(user), there[user]);
        presence_table_background(&table, PARTITION, user, user, NULL);
    }
    while (unlogged(true) > 0) {
    }
    (void)pass();
    assert_int_equal(table.users_count, 0);
    assert_int_equal(presence_table_bytes(&table), 0);
}

#define STORY(title, function)                \
    {                                         \
        (title), (function), begin, end, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        STORY("a lease that is not renewed ends, and the last sign is the last seen",
              a_lease_ends_when_it_is_not_renewed),
        STORY("each connection has a lease of its own", each_connection_has_a_lease),
        STORY("an end is not seen, leaving and acting is", only_what_is_said_is_seen),
        STORY("a change is told once, and none when it was undone within a second",
              changes_are_told_once),
        STORY("who begins to watch between two walks misses nothing", a_new_watcher_misses_nothing),
        STORY("what may not be told in this second is told in a later one",
              what_may_not_be_told_now_is_told_later),
        STORY("watches have limits and ends", watches_have_limits_and_ends),
        STORY("a watcher can be shown out with all his connections", one_watcher_can_be_shown_out),
        STORY("all can be made to ask again: so many in a second, and till then they are told "
              "nothing",
              all_ask_again_in_the_course_of_seconds),
        STORY("nobody is told what he may not see", nobody_is_told_what_he_may_not_see),
        STORY("typing is told at once, and the rest of the second by the walk",
              typing_is_told_at_once_then_by_the_walk),
        STORY("typing reaches those who look and whom it is meant for",
              typing_reaches_those_it_is_meant_for),
        STORY("who was seen is taken out once, who has left first", who_was_seen_is_taken_out_once),
        STORY("nobody is forgotten before the store knows when he was seen",
              nobody_is_forgotten_before_the_store_knows),
        STORY("a removed user is forgotten at once", a_removed_user_is_forgotten_at_once),
        STORY("many come and go, and memory goes back", many_come_and_go),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
