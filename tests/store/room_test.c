/* SPDX-License-Identifier: Apache-2.0 */
/* What happens while folds take longer than what comes in. */
#include "runtime/larger.h"
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct rig rig;
static const uint64_t MS_NS = 1000000;

/* -------------------------------------------------------------------------------------- a pause */

static void
pauses_as_long_as_the_share_says(void **state)
{
    (void)state;
    enum { BOUND = 4096 };
    assert_int_equal(room_pause_ns(MS_NS, 0, BOUND), 0);
    assert_int_equal(room_pause_ns(MS_NS, 3072, BOUND), 0);
    assert_int_equal(room_pause_ns(MS_NS, 3584, BOUND), MS_NS);     /* half of the time */
    assert_int_equal(room_pause_ns(MS_NS, 3840, BOUND), 3 * MS_NS); /* a quarter */
    assert_int_equal(room_pause_ns(2 * MS_NS, 3840, BOUND), 6 * MS_NS);
    assert_int_equal(room_pause_ns(MS_NS, 4095, BOUND), ROOM_PAUSE_MS_MAX * MS_NS);
    assert_int_equal(room_pause_ns(0, 4095, BOUND), 0); /* who has done nothing does not pause */
    assert_int_equal(room_pause_ns(0, (1 << 30) - 1, 1 << 30), 0);
    assert_int_equal(room_pause_ns(MS_NS, 4096, BOUND), ROOM_PAUSE_MS_MAX * MS_NS);
    assert_int_equal(room_pause_ns(MS_NS, UINT64_MAX, BOUND), ROOM_PAUSE_MS_MAX * MS_NS);
    assert_int_equal(room_pause_ns(UINT64_MAX, 3584, BOUND), ROOM_PAUSE_MS_MAX * MS_NS);
    assert_int_equal(room_pause_ns(MS_NS, (UINT64_C(1) << 40) / 8 * 7, UINT64_C(1) << 40), MS_NS);
    assert_int_equal(room_pause_ns(MS_NS, UINT64_C(1) << 50, UINT64_MAX), 0);
    assert_int_equal(room_pause_ns(MS_NS, 0, 3), 0); /* too small for a quarter */
}

/* A machine that takes in 40 bytes a microsecond while it is open and folds 10 of them all the
 * time: batches of 2 ms. */
static void
comes_to_what_is_folded(void **state)
{
    (void)state;
    static const uint64_t bound = 64 << 20, in = 40, folded = 10, batch_us = 2000;
    uint64_t used = 0;
    uint64_t most = 0;
    uint64_t longest_ns = 0;
    uint64_t open_us = 0;
    uint64_t all_us = 0;
    for (unsigned batch = 0; batch < 5000; batch++) {
        used += batch_us * (in - folded);
        uint64_t pause_ns = room_pause_ns(batch_us * 1000, used, bound);
        used -= pause_ns / 1000 * folded;
        most = used > most ? used : most;
        if (batch >= 4000) { /* it has settled */
            longest_ns = pause_ns > longest_ns ? pause_ns : longest_ns;
            open_us += batch_us;
            all_us += batch_us + pause_ns / 1000;
        }
    }
    assert_true(most < bound / 16 * 15); /* a quarter of the time, so a quarter of the quarter */
    assert_true(longest_ns < 8 * MS_NS);
    assert_in_range(open_us * in / all_us, folded - 1, folded + 1);
}

/* -------------------------------------------------------------------------------------- a flood */

enum {
    MEMORY_BYTES = 16 << 20,
    FLOOD = 30000,
    FLOOD_AT_ONCE = 20,
    FOLD_MS = 2000,
};

/* What a flood has seen. */
struct flood {
    /* The most of each. */
    uint64_t delta_bytes, log_bytes, commands;
    bool slowed;              /* a cell was closed that was not full */
    struct store_stats stats; /* at the end */
};
static struct flood flood;

static void
look(struct rig *r)
{
    store_stats_read(r->store, &flood.stats);
    flood.delta_bytes = larger(flood.delta_bytes, flood.stats.delta_bytes);
    flood.log_bytes = larger(flood.log_bytes, flood.stats.log_bytes);
    flood.commands = larger(flood.commands, cell_tail_commands(&r->store->cells[0]));
    for (unsigned i = 0; i < r->store->cells_count; i++) {
        const struct cell *cell = &r->store->cells[i];
        flood.slowed = flood.slowed || (cell->room.closed && !room_full(cell));
    }
}

/* Alice of the first cell, bob of the second, and so on, one each. */
static void
user_of_each_cell(struct rig *r, uint64_t *users)
{
    unsigned count = r->store->cells_count;
    for (unsigned i = 0; i < count; i++) {
        users[i] = 0;
    }
    for (unsigned i = 0, left = count; left > 0; i++) {
        char name[16];
        uint64_t user;
        (void)snprintf(name, sizeof(name), "user%u", i);
        RIG_CHECK(r, hand_user_create(r->store, name, true, &user) == 0);
        unsigned cell = store_cell_of(r->store, store_user_partition(r->store, user));
        left -= users[cell] == 0;
        users[cell] = user;
    }
}

static void
ask_long(struct rig *r, uint64_t from, uint64_t to, uint64_t number)
{
    static char text[1001];
    memset(text, 'x', sizeof(text) - 1);
    struct hand_message message = {.from = from, .to = to, .number = number, .text = text};
    hand_message_ask(r->store, &message);
}

static void
ask_short(struct rig *r, uint64_t user, uint64_t number)
{
    struct hand_message note = {.from = user, .to = user, .number = number, .text = "note"};
    hand_message_ask(r->store, &note);
}

static void
flood_story(struct rig *r)
{
    uint64_t alice;
    uint64_t bob;
    struct store_user user;
    flood = (struct flood){0};
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    for (unsigned i = 1; i <= FLOOD + FLOOD_AT_ONCE; i++) {
        if (i <= FLOOD) {
            ask_long(r, alice, bob, i);
        }
        if (i > FLOOD_AT_ONCE) {
            RIG_CHECK(r, hand_accepted());
            look(r);
        }
    }
    RIG_CHECK(r, hand_user_get(r->store, bob, &user) == 0 && user.inbox_entries == FLOOD);
}

/* Folds are slow. */
static void
flood_open(uint64_t seed)
{
    rig_open(&rig, seed);
    rig.options.cells = 1;
    rig.options.inbox_bytes_max = 1 << 30;
    rig.options.inbox_entries_max = FLOOD;
    rig.options.segment_bytes = 4 << 20;
    rig.options.map_bytes = UINT64_C(1) << 30;
    rig.work_delay_ns_max = FOLD_MS * MS_NS;
}

static void
keeps_within_memory(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        flood_open(seed);
        rig.options.delta_bytes_max = MEMORY_BYTES;
        rig_play(&rig, flood_story);
        assert_true(flood.slowed && flood.stats.held_ns > 0);
        assert_in_range(flood.delta_bytes, MEMORY_BYTES / 4 * 3, MEMORY_BYTES + (1 << 20));
        rig_close(&rig);
    }
}

static void
keeps_within_what_a_start_may_take(void **state)
{
    (void)state;
    enum { LOG_BYTES = 8 << 20, COMMANDS = 4000 };
    for (uint64_t seed = 3; seed <= 4; seed++) {
        flood_open(seed);
        rig.options.replay_bytes_max = LOG_BYTES;
        rig_play(&rig, flood_story);
        assert_true(flood.stats.held_ns > 0);
        assert_in_range(flood.log_bytes, LOG_BYTES / 4 * 3, LOG_BYTES + (1 << 20));
        rig_close(&rig);
        flood_open(seed);
        rig.options.replay_commands_max = COMMANDS;
        rig_play(&rig, flood_story);
        assert_true(flood.stats.held_ns > 0);
        assert_in_range(flood.commands, COMMANDS / 4 * 3, COMMANDS + COMMANDS / 4);
        rig_close(&rig);
    }
}

/* Everybody's memory is one. */
static void
flood_of_all_story(struct rig *r)
{
    enum { CELLS = 4 };
    uint64_t users[CELLS];
    flood = (struct flood){0};
    user_of_each_cell(r, users);
    for (unsigned i = 0; i < FLOOD + FLOOD_AT_ONCE; i++) {
        if (i < FLOOD) {
            ask_long(r, users[i % CELLS], users[i % CELLS], 1 + i / CELLS);
        }
        if (i >= FLOOD_AT_ONCE) {
            RIG_CHECK(r, hand_accepted());
            look(r);
        }
    }
}

static void
shares_memory(void **state)
{
    (void)state;
    for (unsigned schedulers = 1; schedulers <= 4; schedulers *= 2) {
        flood_open(schedulers);
        rig.schedulers = schedulers;
        rig.options.cells = 4;
        rig.options.delta_bytes_max = MEMORY_BYTES;
        rig_play(&rig, flood_of_all_story);
        assert_in_range(flood.delta_bytes, MEMORY_BYTES / 4 * 3, MEMORY_BYTES + (2 << 20));
        rig_close(&rig);
    }
}

/* Of two cells of a journal one fills, the other has something to do all the time. */
static void
busy_story(struct rig *r)
{
    enum { ENOUGH = 20000, OTHERS = 4 };
    uint64_t users[2];
    uint64_t asked[2] = {0, 0};
    uint64_t answered = 0;
    bool closed = false;
    user_of_each_cell(r, users);
    for (unsigned i = 0; i < FLOOD_AT_ONCE; i++) {
        ask_long(r, users[0], users[0], ++asked[0]);
    }
    for (unsigned i = 0; i < OTHERS; i++) {
        ask_short(r, users[1], ++asked[1]);
        while (i == OTHERS / 2 && !r->store->journals[0].writing) {
            ln_yield(); /* the rest goes with the next batch: one is always open */
        }
    }
    while (answered < ENOUGH) {
        struct ln_msg *answer = NULL;
        if (ln_receive(60000, &answer) != 0 || answer->error != 0) {
            rig_wrong(r, "message %lu was not accepted", (unsigned long)answered);
            return;
        }
        bool other = answer->from == store_user_pid(r->store, users[1]);
        ln_msg_free(&answer);
        closed = closed ||
                 r->store->cells[store_cell_of(r->store, store_user_partition(r->store, users[0]))]
                     .room.closed;
        if (other) {
            ask_short(r, users[1], ++asked[1]);
        } else {
            answered++;
            ask_long(r, users[0], users[0], ++asked[0]);
        }
    }
    RIG_CHECK(r, closed);
    for (unsigned i = 0; i < FLOOD_AT_ONCE + OTHERS; i++) {
        RIG_CHECK(r, hand_accepted());
    }
}

static void
opens_beside_a_busy_cell(void **state)
{
    (void)state;
    flood_open(6);
    rig.options.cells = 2;
    rig.options.delta_bytes_max = MEMORY_BYTES;
    rig_play(&rig, busy_story);
    rig_close(&rig);
}

/* The database of the first takes no more. */
static void
failing_story(struct rig *r)
{
    enum { CELLS = 2, NOTES = 500 };
    uint64_t users[CELLS];
    uint64_t number = 0;
    int error = 0;
    struct store_stats stats;
    user_of_each_cell(r, users);
    while (error == 0 && number < FLOOD) {
        static char text[4001];
        memset(text, 'x', sizeof(text) - 1);
        struct hand_message message = {
            .from = users[0], .to = users[0], .number = ++number, .text = text};
        error = hand_message(r->store, &message, NULL);
    }
    RIG_CHECK(r, error == -ENOSPC);
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds_failed > 0 && !stats.disk_full);
    uint64_t before_ns = ln_now_ns();
    for (unsigned i = 1; i <= NOTES; i++) {
        struct hand_message note = {
            .from = users[1], .to = users[1], .number = i, .text = "the others go on"};
        RIG_CHECK(r, hand_message(r->store, &note, NULL) == 0);
    }
    RIG_CHECK(r, ln_now_ns() - before_ns < 10000 * MS_NS);
    RIG_CHECK(r, r->store->cells[0].journal->whole.failing == 1);
    uint64_t folds = stats.folds;
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.folds - folds < 5); /* nor do they fold for what the other has */
}

static void
a_cell_that_fails_keeps_to_itself(void **state)
{
    (void)state;
    for (unsigned schedulers = 1; schedulers <= 2; schedulers++) {
        rig_open(&rig, 7);
        rig.schedulers = schedulers;
        rig.options.cells = 2;
        rig.options.inbox_bytes_max = 1 << 30;
        rig.options.inbox_entries_max = FLOOD;
        rig.options.delta_bytes_max = MEMORY_BYTES;
        rig.options.map_bytes = 8 << 20;
        rig_play(&rig, failing_story);
        rig_close(&rig);
    }
}

/* Who opens a cell is gone before it could. */
static void
kill_story(struct rig *r)
{
    enum { KILLS = 20 };
    uint64_t alice;
    uint64_t bob;
    uint64_t number = 0;
    unsigned closed = 0;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob) == 0);
    while (closed < KILLS && number < FLOOD) {
        for (unsigned i = 0; i < FLOOD_AT_ONCE; i++) {
            ask_long(r, alice, bob, ++number);
        }
        const struct cell *cell = &r->store->cells[0];
        bool kill = cell->room.closed && !room_full(cell);
        uint64_t before_ns = ln_now_ns();
        if (kill) {
            closed++;
            ln_kill(store_pid_get(&r->store->journals[0].pid), LN_EXIT_KILLED);
        }
        RIG_CHECK(r, hand_accepted());
        RIG_CHECK(r, !kill || ln_now_ns() - before_ns < UINT64_C(4) * ROOM_PAUSE_MS_MAX * MS_NS);
        for (unsigned i = 1; i < FLOOD_AT_ONCE; i++) {
            RIG_CHECK(r, hand_accepted());
        }
    }
    RIG_CHECK(r, closed == KILLS);
}

static void
opens_after_a_kill(void **state)
{
    (void)state;
    flood_open(5);
    rig.options.replay_commands_max = 200;
    rig_play(&rig, kill_story);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the less is free of a bound's last quarter, the longer is the pause",
             pauses_as_long_as_the_share_says),
        SPEC("what is taken in comes to what is folded, in small steps", comes_to_what_is_folded),
        SPEC("while folds are slow memory stays within its bound and all is accepted",
             keeps_within_memory),
        SPEC("while folds are slow a start would not have more to do than the settings say",
             keeps_within_what_a_start_may_take),
        SPEC("all cells' memory is one, on however many schedulers", shares_memory),
        SPEC("a closed cell opens while another keeps its journal busy", opens_beside_a_busy_cell),
        SPEC("a cell whose folds fail refuses, and the others go on",
             a_cell_that_fails_keeps_to_itself),
        SPEC("a cell that its journal closed opens again when that was killed", opens_after_a_kill),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
