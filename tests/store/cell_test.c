/* SPDX-License-Identifier: Apache-2.0 */
/* When a cell rests, and when it does not. */
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"
#include "tests/store/told.h"

#include <stdio.h>

static struct rig rig;

static unsigned
cells_at_rest(const struct store *store)
{
    unsigned count = 0;
    for (unsigned i = 0; i < store->cells_count; i++) {
        count += environment_rests(store->cells[i].environment);
    }
    return count;
}

/* What is online and silent costs the store a place among the attached, no more. */
static void
rest_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    struct store_attached attached;
    struct store_stats stats;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    RIG_CHECK(r, hand_attach(r->store, bob, 1, &attached) == 0);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.delta_entries > 0);
    (void)ln_sleep(UINT64_C(4) * CELL_LOOK_MS);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.delta_entries == 0 && stats.sessions_attached == 1);
    unsigned at_rest = cells_at_rest(r->store);
    uint64_t folds = stats.folds;
    (void)ln_sleep(UINT64_C(4) * CELL_LOOK_MS);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds == folds); /* it sleeps now */
    struct hand_message hello = {.from = alice, .to = bob, .number = 1, .text = "hello"};
    RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
    struct ln_msg *push = told();
    RIG_CHECK(r, push != NULL && push->tag == STORE_PUSH);
    RIG_CHECK(r, at_rest > 0 && cells_at_rest(r->store) < at_rest);
    ln_msg_free(&push);
}

static void
rests(void **state)
{
    (void)state;
    rig_play_once(&rig, 10, rest_story);
}

/* Alice writes to herself, and never stops; cells in which nobody acts rest all the same. */
static void
lone_rest_story(struct rig *r)
{
    uint64_t alice;
    struct store_attached attached;
    struct hand_message note = {.text = "note"};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_attach(r->store, alice, 1, &attached) == 0);
    note.from = note.to = alice;
    for (unsigned i = 0; i < 50; i++) {
        note.number = i + 1;
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
        (void)ln_sleep(CELL_LOOK_MS / 10);
    }
    unsigned busy = store_cell_of(r->store, store_user_partition(r->store, alice));
    for (unsigned i = 0; i < r->store->cells_count; i++) {
        RIG_CHECK(r, environment_rests(r->store->cells[i].environment) == (i != busy));
    }
}

static void
cells_rest_alone(void **state)
{
    (void)state;
    rig_play_once(&rig, 11, lone_rest_story);
}

/* Alice has written a lot to herself; then she writes a word in each look. */
static void
trickle_story(struct rig *r)
{
    enum { BUSY = 1100, WORDS = 5 };
    uint64_t alice;
    struct store_stats stats;
    struct hand_message note = {.text = "note"};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    note.from = note.to = alice;
    for (note.number = 1; note.number <= BUSY; note.number++) {
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
    }
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.delta_entries > BUSY);
    for (; note.number <= BUSY + WORDS; note.number++) {
        (void)ln_sleep(CELL_LOOK_MS);
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
    }
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.delta_entries < BUSY / 10);
    /* Of so little none is folded before she falls silent. */
    uint64_t folds = stats.folds;
    for (; note.number <= BUSY + 4 * WORDS; note.number++) {
        (void)ln_sleep(CELL_LOOK_MS / 2);
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
    }
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds == folds);
}

static void
rests_in_a_trickle(void **state)
{
    (void)state;
    rig_play_once(&rig, 12, trickle_story);
}

/* Users are asked for who are not in memory, again and again, and nobody writes. */
static void
read_story(struct rig *r)
{
    enum { USERS = 64 };
    uint64_t users[USERS];
    unsigned count = 0;
    unsigned busy = 0;
    for (unsigned i = 0; i < USERS; i++) {
        char name[16];
        uint64_t user;
        (void)snprintf(name, sizeof(name), "reader%u", i);
        RIG_CHECK(r, hand_user_create(r->store, name, false, &user) == 0);
        unsigned cell = store_cell_of(r->store, store_user_partition(r->store, user));
        busy = i == 0 ? cell : busy;
        if (cell == busy) {
            users[count++] = user;
        }
    }
    (void)ln_sleep(UINT64_C(6) * CELL_LOOK_MS);
    RIG_CHECK(r, count > 4);
    uint64_t reads = r->store->cells[busy].reads;
    for (unsigned i = 0; i < 4 * count; i++) {
        struct store_user user;
        RIG_CHECK(r, hand_user_get(r->store, users[i % count], &user) == 0);
        (void)ln_sleep(CELL_LOOK_MS / 8);
        RIG_CHECK(r, !environment_rests(r->store->cells[busy].environment));
    }
    RIG_CHECK(r, r->store->cells[busy].reads > reads + count);
    (void)ln_sleep(UINT64_C(6) * CELL_LOOK_MS);
    RIG_CHECK(r, environment_rests(r->store->cells[busy].environment));
}

static void
cells_that_are_read_stay_open(void **state)
{
    (void)state;
    rig_play_once(&rig, 12, read_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a store that nobody changes keeps no records in memory, and sleeps", rests),
        SPEC("a cell in which nobody acts rests, whatever others do", cells_rest_alone),
        SPEC("what was written in a busy hour leaves the memory, though somebody writes now and "
             "then",
             rests_in_a_trickle),
        SPEC("a cell that is read keeps its files open, though nobody writes",
             cells_that_are_read_stay_open),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
