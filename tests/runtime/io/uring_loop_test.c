/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/uring_priv.h"
#include "tests/runtime/io/rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------- wake-ups between two loops */

/* Two loops hand a ball to and fro: each takes it only when it is its own, and wakes the other. A
 * lost wake-up leaves both asleep for ever. */
enum { HANDOFFS = 25000 };

struct table {
    _Atomic unsigned ball; /* its number modulo 2 is the loop that has it */
    struct io *io[2];
};

struct player {
    struct table *table;
    unsigned side;
};

static bool
ball_mine(const struct player *player)
{
    unsigned ball = atomic_load_explicit(&player->table->ball, memory_order_acquire);
    return ball % 2 == player->side && ball < HANDOFFS;
}

static uint64_t
player_turn(void *context)
{
    struct player *player = context;
    if (ball_mine(player)) {
        atomic_fetch_add_explicit(&player->table->ball, 1, memory_order_release);
        io_wake(player->table->io[1 - player->side]);
    }
    return IO_NEVER;
}

static bool
player_idle(void *context)
{
    const struct player *player = context;
    return !ball_mine(player) && atomic_load(&player->table->ball) < HANDOFFS;
}

static bool
player_stopped(void *context)
{
    const struct player *player = context;
    return atomic_load(&player->table->ball) >= HANDOFFS;
}

static void
play(unsigned spin_us)
{
    struct table table = {0};
    struct player players[2] = {{&table, 0}, {&table, 1}};
    struct io_loop loops[2];
    struct io_driver *driver;
    struct uring_options options = {.loops = 2, .level = rig_way.level, .spin_us = spin_us};
    assert_int_equal(uring_open(&options, &driver, NULL, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        table.io[i] = io_of(driver, i);
        loops[i] = (struct io_loop){.turn = player_turn,
                                    .idle = player_idle,
                                    .stopped = player_stopped,
                                    .context = &players[i]};
    }
    assert_int_equal(io_start(driver, loops), 0);
    /* The last one to move is not woken by the other when that one has left already: both see the
     * end in idle. */
    io_join(driver);
    assert_int_equal(atomic_load(&table.ball), HANDOFFS);
    io_driver_close(driver);
}

static void
no_wake_lost(void **state)
{
    (void)state;
    play(0);
}

static void
no_wake_lost_spinning(void **state)
{
    (void)state;
    play(20);
}

/* --------------------------------------------------------- wake-ups from threads without a loop */

enum { RINGERS = 3, RINGS = 20000, RINGS_ALL = RINGERS * RINGS };

struct belfry {
    struct rig *rig;
    _Atomic unsigned rung; /* by the ringers */
    unsigned heard;        /* by the loop */
    struct io *io;
};

static void *
ringer_main(void *argument)
{
    struct belfry *belfry = argument;
    for (unsigned i = 0; i < RINGS; i++) {
        atomic_fetch_add_explicit(&belfry->rung, 1, memory_order_release);
        io_wake(belfry->io);
    }
    return NULL;
}

static uint64_t
belfry_turn(void *context)
{
    struct belfry *belfry = context;
    belfry->heard = atomic_load_explicit(&belfry->rung, memory_order_acquire);
    return IO_NEVER;
}

static bool
belfry_idle(void *context)
{
    const struct belfry *belfry = context;
    return atomic_load_explicit(&belfry->rung, memory_order_acquire) == belfry->heard;
}

static bool
belfry_stopped(void *context)
{
    return ((const struct belfry *)context)->heard == RINGS_ALL;
}

static void
every_ring_heard(void **state)
{
    (void)state;
    struct belfry belfry = {0};
    struct io_driver *driver;
    struct uring_options options = {.loops = 1, .level = rig_way.level};
    struct io_loop loop = {
        .turn = belfry_turn, .idle = belfry_idle, .stopped = belfry_stopped, .context = &belfry};
    pthread_t ringers[RINGERS];
    assert_int_equal(uring_open(&options, &driver, NULL, 0), 0);
    belfry.io = io_of(driver, 0);
    /* Before the thread exists and after it ended a wake-up does nothing. */
    io_wake(belfry.io);
    assert_int_equal(io_start(driver, &loop), 0);
    for (unsigned i = 0; i < RINGERS; i++) {
        assert_int_equal(pthread_create(&ringers[i], NULL, ringer_main, &belfry), 0);
    }
    io_join(driver);
    for (unsigned i = 0; i < RINGERS; i++) {
        assert_int_equal(pthread_join(ringers[i], NULL), 0);
    }
    assert_int_equal(belfry.heard, RINGS_ALL);
    io_wake(belfry.io);
    struct io_stats stats;
    io_stats_read(belfry.io, &stats);
    assert_true(stats.wakes <= RINGS_ALL);
    io_driver_close(driver);
}

/* ------------------------------------------------------------------------ deadlines */

enum { DEADLINES = 20, DEADLINE_NS = 2000000 };

struct sleeper {
    struct io *io;
    uint64_t deadline_ns;
    unsigned turns, early, waits;
    bool at_once;
};

static uint64_t
sleeper_turn(void *context)
{
    struct sleeper *sleeper = context;
    uint64_t now_ns = io_now_ns(sleeper->io);
    sleeper->turns++;
    sleeper->early += now_ns < sleeper->deadline_ns;
    sleeper->waits++;
    sleeper->deadline_ns = now_ns + DEADLINE_NS;
    return sleeper->at_once ? 0 : sleeper->deadline_ns;
}

static bool
sleeper_idle(void *context)
{
    (void)context;
    return true;
}

static bool
sleeper_stopped(void *context)
{
    return ((const struct sleeper *)context)->waits > DEADLINES;
}

static void
sleep_through(struct sleeper *sleeper, const struct uring_options *options)
{
    struct io_driver *driver;
    struct io_loop loop = {
        .turn = sleeper_turn, .idle = sleeper_idle, .stopped = sleeper_stopped, .context = sleeper};
    assert_int_equal(uring_open(options, &driver, NULL, 0), 0);
    sleeper->io = io_of(driver, 0);
    assert_int_equal(io_start(driver, &loop), 0);
    io_join(driver);
    io_driver_close(driver);
}

static void
never_early(void **state)
{
    (void)state;
    struct sleeper sleeper = {0};
    struct sleeper spinner = {0};
    sleep_through(&sleeper, &(struct uring_options){.loops = 1, .level = rig_way.level});
    assert_int_equal(sleeper.turns, DEADLINES + 1);
    assert_int_equal(sleeper.early, 0);
    sleep_through(&spinner,
                  &(struct uring_options){.loops = 1, .level = rig_way.level, .spin_us = 50});
    assert_int_equal(spinner.turns, DEADLINES + 1);
    assert_int_equal(spinner.early, 0);
}

/* ------------------------------------------------------------------------ system calls */

struct busy {
    struct io *io;
    unsigned turns;
    struct io_stats stats;
};

static uint64_t
busy_turn(void *context)
{
    struct busy *busy = context;
    busy->turns++;
    io_stats_read(busy->io, &busy->stats);
    return 0;
}

static bool
busy_stopped(void *context)
{
    return ((const struct busy *)context)->turns == 10000;
}

static void
busy_enters_nothing(void **state)
{
    (void)state;
    struct busy busy = {0};
    struct io_driver *driver;
    struct uring_options options = {.loops = 1, .level = rig_way.level};
    struct io_loop loop = {
        .turn = busy_turn, .idle = sleeper_idle, .stopped = busy_stopped, .context = &busy};
    assert_int_equal(uring_open(&options, &driver, NULL, 0), 0);
    busy.io = io_of(driver, 0);
    assert_int_equal(io_start(driver, &loop), 0);
    io_join(driver);
    assert_int_equal(busy.stats.enters, 1); /* that arms the poll on the doorbell */
    assert_int_equal(busy.stats.submitted, 1);
    io_driver_close(driver);
}

/* ------------------------------------------------------------------------ clocks and chance */

static void
clocks(void **state)
{
    (void)state;
    enum { YEAR_2020_MS_DIV_1000 = 1577836800 };
    struct io_driver *driver;
    struct uring_options options = {.loops = 1, .level = rig_way.level};
    assert_int_equal(uring_open(&options, &driver, NULL, 0), 0);
    struct io *io = io_of(driver, 0);
    uint64_t before_ns = io_now_ns(io);
    uint64_t cpu_before_ns = io_cpu_ns(io);
    assert_true(io_wall_ms(io) / 1000 > YEAR_2020_MS_DIV_1000);
    assert_true(io_now_ns(io) >= before_ns);
    assert_true(io_cpu_ns(io) >= cpu_before_ns);
    io_driver_close(driver);
}

static void
chance(void **state)
{
    (void)state;
    enum { BYTES = 100000 };
    static unsigned char bytes[BYTES + 1];
    unsigned counts[256] = {0};
    struct io_driver *driver;
    struct uring_options options = {.loops = 1, .level = rig_way.level};
    assert_int_equal(uring_open(&options, &driver, NULL, 0), 0);
    bytes[BYTES] = 0;
    io_random(io_of(driver, 0), bytes, BYTES);
    assert_int_equal(bytes[BYTES], 0);
    for (size_t i = 0; i < BYTES; i++) {
        counts[bytes[i]]++;
    }
    for (size_t i = 0; i < 256; i++) {
        assert_in_range(counts[i], 200, 600); /* 390 expected; ten standard deviations */
    }
    io_random(io_of(driver, 0), bytes, 0);
    io_driver_close(driver);
}

/* ------------------------------------------------------------------------ side by side */

enum { SIDES = 3 };

struct side {
    _Atomic unsigned *begun; /* of all */
    sigset_t blocked;
};

/* Goes on when all have begun. */
static void
side_run(void *context)
{
    struct side *side = context;
    atomic_fetch_add(side->begun, 1);
    while (atomic_load(side->begun) < SIDES) {
        (void)sched_yield();
    }
    (void)pthread_sigmask(SIG_SETMASK, NULL, &side->blocked);
}

static void
runs_side_by_side(void **state)
{
    (void)state;
    struct io_driver *driver;
    struct uring_options options = {.loops = 1, .level = rig_way.level};
    assert_int_equal(uring_open(&options, &driver, NULL, 0), 0);
    _Atomic unsigned begun = 0;
    struct side sides[SIDES];
    void *contexts[SIDES];
    for (unsigned i = 0; i < SIDES; i++) {
        sides[i].begun = &begun;
        contexts[i] = &sides[i];
    }
    io_run_all(driver, side_run, contexts, SIDES);
    assert_int_equal(begun, SIDES);
    for (unsigned i = 0; i < SIDES; i++) {
        assert_int_equal(sigismember(&sides[i].blocked, SIGTERM), i > 0);
        assert_int_equal(sigismember(&sides[i].blocked, SIGSEGV), 0);
    }
    io_run_all(driver, side_run, contexts, 0);
    io_driver_close(driver);
}

/* ------------------------------------------------------------------------ stopping */

static void
note_signals(struct io *io, void *context)
{
    (void)io;
    (void)pthread_sigmask(SIG_SETMASK, NULL, context);
}

static void
signals_elsewhere(void **state)
{
    (void)state;
    struct rig rig;
    sigset_t blocked;
    sigset_t ours;
    rig_open_this_way(&rig);
    rig_do(&rig, 0, note_signals, &blocked);
    assert_int_equal(sigismember(&blocked, SIGTERM), 1);
    assert_int_equal(sigismember(&blocked, SIGINT), 1);
    assert_int_equal(sigismember(&blocked, SIGSEGV), 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &ours), 0);
    assert_int_equal(sigismember(&ours, SIGTERM), 0);
    rig_close(&rig);
}

static void
stop_with_active(void **state)
{
    (void)state;
    /* Operations that never end by themselves, in memory that goes at once when the loops have
     * stopped. */
    struct rig rig;
    io_socket ends[2];
    enum { BYTES = 16 << 20 };
    unsigned char *bytes = test_calloc(1, BYTES);
    struct probe *probes = test_calloc(3, sizeof(*probes));
    struct iovec pieces[] = {{.iov_base = bytes, .iov_len = BYTES},
                             {.iov_base = bytes, .iov_len = BYTES}};
    rig_open_this_way(&rig);
    rig_pair(&rig, ends);
    rig_poll(&rig, 0, &probes[0], ends[0]);
    rig_send(&rig, 0, &probes[1], ends[1], pieces, 2);
    assert_true(probe_await_end(&probes[1]) > 0);
    rig_send(&rig, 0, &probes[2], ends[1], pieces, 2);
    rig_stop(&rig);
    assert_int_equal(probes[0].ended, 0);
    test_free(probes);
    test_free(bytes);
    /* Nobody's loop any more: closed on the spot. */
    io_close(rig_io(&rig, 0), ends[0], false);
    io_close(rig_io(&rig, 0), ends[1], true);
    assert_int_equal(close(ends[0]), -1);
    assert_int_equal(close(ends[1]), -1);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("no wake-up between two sleeping loops is lost", no_wake_lost),
        SPEC("no wake-up is lost by loops that poll before they sleep", no_wake_lost_spinning),
        SPEC("wake-ups from other threads are heard, and harmless before and after",
             every_ring_heard),
        SPEC("a loop wakes at its deadline, never before", never_early),
        SPEC("a busy loop with nothing to submit makes no system call", busy_enters_nothing),
        SPEC("the clocks go forward", clocks),
        SPEC("chance is even and fills what was asked", chance),
        SPEC("what a start does side by side is done at the same time", runs_side_by_side),
        SPEC("signals for the process are left to the thread that opened the driver",
             signals_elsewhere),
        SPEC("a stopped loop touches no memory of the operations it left", stop_with_active),
    };
    return rig_run(specs, sizeof specs / sizeof specs[0], false);
}
