/* SPDX-License-Identifier: Apache-2.0 */
/* When cells are folded that work the same. */
#include "store/store_priv.h"
#include "store/turn.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELLS = 8,
    REPLAY_COMMANDS = 400,
    BOUND = REPLAY_COMMANDS / 2, /* a cell that has done so much is to be folded */
    USERS = 200,
    ROUNDS = 40,
};

/* --------------------------------------------------------------------------------------- choice */

enum { FEW = 4, HALF = CELL_FOLD_AGE / 2 };

/* A store of few cells of one journal, without files. */
struct few {
    struct store store;
    struct journal journal;
    struct cell cells[FEW];
    struct partition *partitions;
};

static int
few_setup(void **state)
{
    struct few *few = aligned_alloc(_Alignof(struct few), sizeof(*few));
    assert_non_null(few);
    memset(few, 0, sizeof(*few));
    few->partitions = calloc(STORE_PARTITIONS, sizeof(few->partitions[0]));
    assert_non_null(few->partitions);
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        few->partitions[i].ledger.delta = delta_new(1);
    }
    few->store = (struct store){.cells = few->cells,
                                .journals = &few->journal,
                                .partitions = few->partitions,
                                .cells_count = FEW,
                                .journals_count = 1};
    few->store.options.delta_bytes_max = (uint64_t)FEW << 20;
    few->journal.store = &few->store;
    for (unsigned i = 0; i < FEW; i++) {
        few->cells[i].store = &few->store;
        few->cells[i].journal = &few->journal;
        few->cells[i].index = i;
    }
    *state = few;
    return 0;
}

static int
few_teardown(void **state)
{
    struct few *few = *state;
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        delta_free(&few->partitions[i].ledger.delta);
    }
    free(few->partitions);
    free(few);
    return 0;
}

/* As whole_look says it, for this journal alone. */
static void
few_age(struct few *few, const uint64_t ages[FEW])
{
    few->journal.whole = (struct whole){.cells = FEW};
    for (unsigned i = 0; i < FEW; i++) {
        few->cells[i].fold_age = ages[i];
        few->journal.whole.ages += ages[i];
        if (few->cells[i].state == CELL_FROZEN) {
            few->journal.whole.folding++;
        } else if (ages[i] > few->journal.whole.age_max) {
            few->journal.whole.age_max = ages[i];
        }
    }
}

static struct cell *
next_of(const struct few *few)
{
    bool waits;
    struct cell *cell = turn_next(&few->journal, &waits);
    assert_true(cell == NULL || !waits);
    return cell;
}

static void
chooses_the_oldest_of_a_ladder(void **state)
{
    struct few *few = *state;
    few_age(few, (const uint64_t[FEW]){700, 600, 640, 620}); /* a ladder's are 2,560 */
    assert_null(next_of(few));
    few_age(few, (const uint64_t[FEW]){700, 600, 640, 621});
    assert_ptr_equal(next_of(few), &few->cells[0]);
    few_age(few, (const uint64_t[FEW]){0, 0, CELL_FOLD_AGE - 1, 0});
    assert_null(next_of(few));
    few_age(few, (const uint64_t[FEW]){0, 0, CELL_FOLD_AGE, 0});
    assert_ptr_equal(next_of(few), &few->cells[2]);
}

static void
leaves_it_to_others_that_are_older(void **state)
{
    struct few *few = *state;
    few_age(few, (const uint64_t[FEW]){700, 600, 640, 700});
    few->journal.whole.age_max = 800;
    assert_null(next_of(few));
    few->journal.whole.age_max = 720; /* it is as good */
    assert_ptr_equal(next_of(few), &few->cells[3]);
}

static void
does_not_fold_the_young_instead(void **state)
{
    struct few *few = *state;
    few->cells[0].state = CELL_FROZEN;
    few->cells[1].state = CELL_FROZEN;
    few_age(few, (const uint64_t[FEW]){2000, 1000, HALF - 1, 10});
    assert_null(next_of(few));
    few_age(few, (const uint64_t[FEW]){2000, 500, HALF, 10});
    assert_ptr_equal(next_of(few), &few->cells[2]);
}

static void
folds_few_at_once(void **state)
{
    struct few *few = *state;
    few_age(few, (const uint64_t[FEW]){0, 0, 2000, 0});
    few->journal.whole.folding = 3;
    assert_non_null(next_of(few));
    bool waits;
    few->journal.whole.folding = 4;
    assert_null(turn_next(&few->journal, &waits));
    assert_true(waits); /* it has to look again */
    few_age(few, (const uint64_t[FEW]){0, 0, 0, 0});
    few->journal.whole.folding = 4;
    assert_null(turn_next(&few->journal, &waits));
    assert_false(waits);
}

static void
urgent_ones_go_first(void **state)
{
    struct few *few = *state;
    few_age(few, (const uint64_t[FEW]){CELL_FOLD_AGE - 1, 0, 0, 0});
    few->cells[1].resting = true;
    assert_ptr_equal(next_of(few), &few->cells[1]);
    few->cells[1].resting = false;
    few->journal.whole.delta_bytes = few->store.options.delta_bytes_max + 1;
    few->cells[3].delta_bytes = (1 << 20) / 4;
    assert_null(next_of(few)); /* it has hardly any of that */
    few->cells[3].delta_bytes++;
    assert_ptr_equal(next_of(few), &few->cells[3]);
}

/* -------------------------------------------------------------------------------------- at work */

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
even(uint64_t seed, unsigned schedulers)
{
    rig_open(&rig, seed);
    rig.schedulers = schedulers;
    rig.options.cells = CELLS;
    rig.options.replay_commands_max = REPLAY_COMMANDS;
    rig_play(&rig, even_story);
    rig_close(&rig);
}

static void
takes_turns(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        even(seed, 1);
    }
}

static void
takes_turns_across_schedulers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        even(seed, 2);
        even(seed, CELLS); /* each has one */
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

#define TURN_SPEC(title, function)                         \
    {                                                      \
        (title), (function), few_setup, few_teardown, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        TURN_SPEC("the oldest is folded at its bound, or when all together are as old as a ladder",
                  chooses_the_oldest_of_a_ladder),
        TURN_SPEC("a journal leaves its turn to one with an older cell",
                  leaves_it_to_others_that_are_older),
        TURN_SPEC("where the old can't be folded now the young are not folded instead",
                  does_not_fold_the_young_instead),
        TURN_SPEC("only a few are folded at once", folds_few_at_once),
        TURN_SPEC("who rests, or has much of a memory that is full, goes first",
                  urgent_ones_go_first),
        SPEC("cells that work alike are folded one after the other, not all at once", takes_turns),
        SPEC("also where each has a scheduler of its own", takes_turns_across_schedulers),
        SPEC("a cell that works alone is folded at its bound", a_cell_alone_gets_to_its_bound),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
