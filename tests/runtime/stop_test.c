/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim.h"
#include "runtime/node.h"
#include "runtime/supervisor.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

/* How a node stops: in order, until its time is over. */

enum { STOP_AT_MS = 500, STOP_MS = 2000, STUBBORN = 1000, LOOPS = 2 };

static unsigned terminated;

/* ----------------------------------------------------------------------------------- the actors */

/* Takes every wish to stop, and stays. */
static void
stubborn_run(void *state)
{
    (void)state;
    struct ln_msg *msg;
    while (ln_receive(LN_FOREVER, &msg) == 0) {
        ln_msg_free(&msg);
    }
}

static void
count_terminated(void *state, const struct ln_reason *reason)
{
    (void)state;
    (void)reason;
    terminated++;
}

static const struct ln_behaviour stubborn = {
    .name = "stubborn", .run = stubborn_run, .terminate = count_terminated, .trap_exit = true};

static void
crowd_run(void *state)
{
    for (int i = 0; i < STUBBORN; i++) {
        ln_pid pid;
        struct ln_spawn_options there = {.elsewhere = true, .scheduler = i % LOOPS};
        EXPECT(ln_spawn(&stubborn, NULL, 0, &there, &pid) == 0);
    }
    stubborn_run(state);
}
static const struct ln_behaviour crowd = {.name = "crowd", .run = crowd_run, .trap_exit = true};

static void
work_long(void *argument)
{
    ++*(unsigned *)argument;
}

/* Its work, once begun, can't be hurried. */
static void
working_run(void *state)
{
    unsigned worked = 0;
    (void)state;
    do {
        ln_work(work_long, &worked, LN_WORK_NORMAL);
    } while (ln_sleep(0) == 0);
}
static const struct ln_behaviour working = {.name = "working", .run = working_run};

/* Needs this many milliseconds to end when it is asked to. */
static int
slow_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(unsigned));
    return 0;
}

static void
slow_handle(void *state, struct ln_msg **msg)
{
    if ((*msg)->tag == LN_TAG_STOP) {
        (void)ln_sleep(*(const unsigned *)state);
        ln_stop(LN_EXIT_SHUTDOWN, "drained");
    }
}

static const struct ln_behaviour slow = {.name = "slow",
                                         .state_bytes = sizeof(unsigned),
                                         .init = slow_init,
                                         .handle = slow_handle,
                                         .terminate = count_terminated,
                                         .trap_exit = true};

/* ------------------------------------------------------------------------------------ the stage */

struct stop {
    uint64_t ended_ms;
    struct ln_reason reason;
};

static void
stop_it(void *node)
{
    ln_node_stop(node);
}

/* Asks the node to stop at STOP_AT_MS. */
static struct stop
stop_node(uint64_t seed, const struct ln_behaviour *root, const void *argument, size_t bytes,
          uint32_t stop_ms)
{
    struct io_driver *driver;
    struct sim_options machine = {.seed = seed,
                                  .loops = LOOPS,
                                  .work_delay_ns_max =
                                      1000000000ull /* of waiting, and as much of work */};
    EXPECT(sim_open(&machine, &driver) == 0);
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){.stop_ms = stop_ms});
    ln_node_root(node, root, argument, bytes);
    EXPECT(ln_node_start(node) == 0);
    sim_at(driver, STOP_AT_MS * 1000000ull, stop_it, node);
    struct stop stop = {.reason = ln_node_join(node)};
    stop.ended_ms = sim_now_ns(driver) / 1000000;
    ln_node_close(&node);
    io_driver_close(driver);
    return stop;
}

/* -------------------------------------------------------------------------------------- stories */

static void
kills_whoever_is_late(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= STAGE_SEEDS; seed++) {
        terminated = 0;
        struct stop stop = stop_node(seed, &crowd, NULL, 0, STOP_MS);
        assert_int_equal(stop.reason.kind, LN_EXIT_KILLED);
        assert_string_equal(stop.reason.text, "it did not stop in time");
        assert_in_range(stop.ended_ms, STOP_AT_MS + STOP_MS, STOP_AT_MS + STOP_MS + 100);
        assert_int_equal(terminated, 0); /* killed, not asked */
    }
}

static void
waits_for_work_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= STAGE_SEEDS; seed++) {
        struct stop stop = stop_node(seed, &working, NULL, 0, 1);
        assert_in_range(stop.ended_ms, STOP_AT_MS, STOP_AT_MS + 2100);
    }
}

static void
lets_the_punctual_finish(void **state)
{
    (void)state;
    unsigned slow_ms = STOP_MS - 100;
    terminated = 0;
    struct stop stop = stop_node(7, &slow, &slow_ms, sizeof slow_ms, STOP_MS);
    assert_int_equal(stop.reason.kind, LN_EXIT_SHUTDOWN);
    assert_string_equal(stop.reason.text, "drained");
    assert_int_equal(terminated, 1);
    assert_in_range(stop.ended_ms, STOP_AT_MS + slow_ms, STOP_AT_MS + STOP_MS);
}

static void
waits_for_ever_by_default(void **state)
{
    (void)state;
    unsigned slow_ms = 3600 * 1000;
    struct stop stop = stop_node(8, &slow, &slow_ms, sizeof slow_ms, 0);
    assert_int_equal(stop.reason.kind, LN_EXIT_SHUTDOWN);
    assert_true(stop.ended_ms >= STOP_AT_MS + slow_ms);
}

/* The deadline is the node's: a tree that is being stopped in order, each child within its own
 * time, has no more than that for all. */
static void
cuts_a_tree_short(void **state)
{
    static const unsigned slow_ms = 900;
    static const struct ln_child children[] = {
        {.id = "a", .behaviour = &slow, .argument = &slow_ms, .bytes = sizeof slow_ms},
        {.id = "b", .behaviour = &slow, .argument = &slow_ms, .bytes = sizeof slow_ms},
        {.id = "c", .behaviour = &slow, .argument = &slow_ms, .bytes = sizeof slow_ms},
    };
    static const struct ln_supervision tree = {.strategy = LN_ONE_FOR_ONE,
                                               .intensity = 1,
                                               .period_ms = 1000,
                                               .children = children,
                                               .children_count = 3};
    (void)state;
    terminated = 0;
    struct stop stop = stop_node(9, &ln_supervisor, &tree, sizeof tree, STOP_MS);
    assert_int_equal(stop.reason.kind, LN_EXIT_KILLED);
    assert_int_equal(terminated, 2); /* c and b, in reverse; a was killed */
    assert_in_range(stop.ended_ms, STOP_AT_MS + STOP_MS, STOP_AT_MS + STOP_MS + 100);

    terminated = 0;
    stop = stop_node(9, &ln_supervisor, &tree, sizeof tree, 0);
    assert_int_equal(stop.reason.kind, LN_EXIT_SHUTDOWN);
    assert_int_equal(terminated, 3);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("after stop_ms whoever is left is killed, and the node ends", kills_whoever_is_late),
        SPEC("work that has begun is waited for, and nothing else", waits_for_work_alone),
        SPEC("a root that stops in time ends as it wants to", lets_the_punctual_finish),
        SPEC("without a deadline the root takes as long as it takes", waits_for_ever_by_default),
        SPEC("a tree stops in reverse order until the node's time is over", cuts_a_tree_short),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
