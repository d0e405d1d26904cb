/* SPDX-License-Identifier: Apache-2.0 */
/* When cells are folded that work the same. */
#include "store/store_priv.h"
#include "store/turn.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <stdio.h>

enum {
    CELLS = 8,
    REPLAY_COMMANDS = 400,
    BOUND = REPLAY_COMMANDS / 2, /* a cell that has done so much is to be folded */
    USERS = 200,
    ROUNDS = 40,
};

static struct rig rig;

static void
users_make(struct rig *r, uint64_t users[USERS])
{
    for (unsigned i = 0; i < USERS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "user%u", i);
        RIG_CHECK(r, hand_user_create(r->store, name, true, &users[i]) == 0);
    }
}

static uint64_t
folds(const struct rig *r)
{
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    return stats.folds;
}

/* All write to themselves in turn, so that all cells have about as much to do: while everybody
 * writes once, one of them gets as far as it may. */
static void
even_story(struct rig *r)
{
    uint64_t users[USERS];
    uint64_t most = 0;
    uint64_t half = 0;
    users_make(r, users);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        uint64_t before = folds(r);
        for (unsigned i = 0; i < USERS; i++) {
            struct hand_message note = {
                .from = users[i], .to = users[i], .number = round, .text = "note"};
            RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
        }
        uint64_t meanwhile = folds(r) - before;
        most = meanwhile > most ? meanwhile : most;
        half = round == ROUNDS / 2 ? folds(r) : half;
    }
    uint64_t later = folds(r) - half;
    RIG_CHECK(r, most <= 3);
    RIG_CHECK(r, later >= ROUNDS / 2 * 3 / 4 && later <= ROUNDS / 2 * 3 / 2);
}

static void
takes_turns(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        rig_open(&rig, seed);
        rig.options.cells = CELLS;
        rig.options.replay_commands_max = REPLAY_COMMANDS;
        rig_play(&rig, even_story);
        rig_close(&rig);
    }
}

/* Alice is the only one who writes. */
static void
lone_story(struct rig *r)
{
    uint64_t alice;
    uint64_t furthest = 0;
    struct hand_message note = {.text = "note"};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    note.from = note.to = alice;
    unsigned busy = store_cell_of(r->store, store_user_partition(r->store, alice));
    for (note.number = 1; note.number <= UINT64_C(5) * BOUND; note.number++) {
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
        uint64_t commands = r->store->cells[busy].commands;
        furthest = commands > furthest ? commands : furthest;
    }
    RIG_CHECK(r, furthest > BOUND * 9 / 10 && furthest <= BOUND);
}

static void
a_cell_alone_gets_to_its_bound(void **state)
{
    (void)state;
    rig_open(&rig, 4);
    rig.options.cells = CELLS;
    rig.options.replay_commands_max = REPLAY_COMMANDS;
    rig_play(&rig, lone_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("cells that work alike are folded one after the other, not all at once", takes_turns),
        SPEC("a cell that works alone is folded at its bound", a_cell_alone_gets_to_its_bound),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
