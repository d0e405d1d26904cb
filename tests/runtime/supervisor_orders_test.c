/* SPDX-License-Identifier: Apache-2.0 */
/* What may be asked of a supervisor, restarts after a delay, and what becomes of the node. */
#include "runtime/io/sim.h"
#include "runtime/supervisor.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { CRASH = 1 };
enum { BACKOFF_MS = 100, BACKOFF_MAX_MS = 1000, SLACK_MS = 2 };

/* A child may be told to fail in its init, and notes when it started. */
struct plan {
    unsigned *failures;
    uint64_t *started_ns;
};

static int
child_init(void *state, const void *argument)
{
    const struct plan *plan = argument;
    (void)state;
    if (plan->started_ns != NULL) {
        *plan->started_ns = ln_now_ns();
    }
    if (plan->failures != NULL && *plan->failures > 0) {
        --*plan->failures;
        return -EBUSY;
    }
    return 0;
}

static void
child_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_actor_check((*msg)->tag != CRASH);
}

static const struct ln_behaviour child_behaviour = {
    .name = "child", .state_bytes = 8, .init = child_init, .handle = child_handle};

static const struct plan plain;

static struct ln_child
child_named(const char *name)
{
    return (struct ln_child){.id = name,
                             .name = name,
                             .behaviour = &child_behaviour,
                             .argument = &plain,
                             .bytes = sizeof plain};
}

static ln_pid
start_supervisor(const struct ln_supervision *tree, uint64_t *out_monitor)
{
    ln_pid pid = 0;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = out_monitor};
    EXPECT(ln_start(&ln_supervisor, tree, sizeof *tree, &options, &pid) == 0);
    return pid;
}

static void
crash(const char *name)
{
    EXPECT(ln_whereis(name) != 0);
    stage_say(ln_whereis(name), CRASH);
    stage_settle();
}

static bool
lives(const char *name)
{
    return ln_whereis(name) != 0;
}

static struct ln_child_counts
counts_of(ln_pid supervisor)
{
    struct ln_child_counts counts;
    EXPECT(ln_supervisor_count_children(supervisor, LN_FOREVER, &counts) == 0);
    return counts;
}

/* --------------------------------------------------------------------------------------- delays */

/* Crashes the child and returns how long it took until it started again. */
static uint64_t
delay_ms(const char *name, const uint64_t *started_ns)
{
    uint64_t before_ns = ln_now_ns();
    uint64_t old_ns = *started_ns;
    crash(name);
    while (*started_ns == old_ns || !lives(name)) {
        EXPECT(ln_sleep(1) == 0);
    }
    return (*started_ns - before_ns) / 1000000;
}

static void
delays_story(void)
{
    uint64_t monitor;
    uint64_t started_ns = 0;
    struct plan plan = {.started_ns = &started_ns};
    struct ln_child children[] = {child_named("a"), child_named("b")};
    children[0].backoff_ms = BACKOFF_MS;
    children[0].backoff_max_ms = BACKOFF_MAX_MS;
    children[0].argument = &plan;
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 100, 1000, children, 2};
    ln_pid pid = start_supervisor(&tree, &monitor);
    static const uint64_t expected_ms[] = {100, 200, 400, 800, 1000, 1000};
    for (unsigned i = 0; i < sizeof expected_ms / sizeof *expected_ms; i++) {
        uint64_t took_ms = delay_ms("a", &started_ns);
        EXPECT(took_ms >= expected_ms[i] / 2 && took_ms <= expected_ms[i] + SLACK_MS);
    }
    EXPECT(ln_sleep(BACKOFF_MAX_MS + 100) == 0); /* it has lived: from the start */
    uint64_t took_ms = delay_ms("a", &started_ns);
    EXPECT(took_ms >= BACKOFF_MS / 2 && took_ms <= BACKOFF_MS + SLACK_MS);
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
}

static void
delays_grow(void **state)
{
    (void)state;
    stage_play(delays_story);
}

static void
meanwhile_story(void)
{
    uint64_t monitor;
    struct ln_child children[] = {child_named("a"), child_named("b")};
    children[0].backoff_ms = 10000;
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 100, 1000, children, 2};
    ln_pid pid = start_supervisor(&tree, &monitor);
    uint64_t before_ns = ln_now_ns();
    crash("a");
    EXPECT(!lives("a"));
    for (unsigned i = 0; i < 5; i++) {
        crash("b");
        EXPECT(lives("b"));
    }
    struct ln_child_counts counts = counts_of(pid);
    EXPECT(counts.specs == 2 && counts.active == 1 && counts.restarting == 1);
    EXPECT(ln_now_ns() - before_ns < UINT64_C(1000000000));
    /* What waits may be stopped, and does not hold up an end. */
    ln_pid again = 0;
    EXPECT(ln_supervisor_restart_child(pid, "a", LN_FOREVER, &again) == -EBUSY);
    EXPECT(ln_supervisor_delete_child(pid, "a", LN_FOREVER) == -EBUSY);
    EXPECT(ln_supervisor_terminate_child(pid, "a", LN_FOREVER) == 0);
    EXPECT(counts_of(pid).restarting == 0);
    EXPECT(ln_sleep(11000) == 0 && !lives("a"));
    EXPECT(ln_supervisor_restart_child(pid, "a", LN_FOREVER, &again) == 0 &&
           ln_whereis("a") == again);
    crash("a");
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
    EXPECT(ln_now_ns() - before_ns < UINT64_C(12000000000));
}

static void
others_are_served(void **state)
{
    (void)state;
    stage_play(meanwhile_story);
}

static void
failing_story(void)
{
    uint64_t monitor;
    unsigned failures = 0;
    uint64_t started_ns = 0;
    struct plan plan = {&failures, &started_ns};
    struct ln_child child = child_named("a");
    child.argument = &plan;
    child.backoff_ms = BACKOFF_MS;
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 4, 60000, &child, 1};
    (void)start_supervisor(&tree, &monitor);
    failures = 2;
    uint64_t before_ns = ln_now_ns();
    crash("a");
    EXPECT(ln_sleep(UINT64_C(10) * BACKOFF_MS) == 0 && lives("a"));
    uint64_t took_ms = (started_ns - before_ns) / 1000000;
    EXPECT(failures == 0 && took_ms >= (100 + 200 + 400) / 2 && took_ms < 100 + 200 + 400 + 20);
    failures = 2; /* one restart is left of the four, then it is too much */
    crash("a");
    EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
    EXPECT(failures == 1);
}

static void
failing_inits_wait_too(void **state)
{
    (void)state;
    stage_play(failing_story);
}

static void
play_delayed_strategy(enum ln_strategy strategy, bool first_lives)
{
    uint64_t monitor;
    struct ln_child children[] = {child_named("a"), child_named("b"), child_named("c")};
    children[1].backoff_ms = BACKOFF_MS;
    struct ln_supervision tree = {strategy, 10, 60000, children, 3};
    ln_pid pid = start_supervisor(&tree, &monitor);
    crash("b");
    EXPECT(lives("a") == first_lives && !lives("b") && !lives("c"));
    EXPECT(ln_sleep(BACKOFF_MS) == 0);
    EXPECT(lives("a") && lives("b") && lives("c"));
    if (first_lives) {
        crash("b");
        EXPECT(!lives("b"));
        crash("a"); /* who stands before it brings it back at once */
        EXPECT(lives("a") && lives("b") && lives("c"));
        ln_pid second = ln_whereis("b");
        EXPECT(ln_sleep(UINT64_C(10) * BACKOFF_MS) == 0 && ln_whereis("b") == second);
    }
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    (void)stage_down(monitor);
}

static void
delayed_strategies_story(void)
{
    play_delayed_strategy(LN_ONE_FOR_ALL, false);
    play_delayed_strategy(LN_REST_FOR_ONE, true);
}

static void
strategies_wait(void **state)
{
    (void)state;
    stage_play(delayed_strategies_story);
}

static void
delayed_dynamic_story(void)
{
    uint64_t monitor;
    struct ln_child template = {
        .id = "child", .behaviour = &child_behaviour, .backoff_ms = BACKOFF_MS};
    struct ln_supervision tree = {LN_DYNAMIC, 10, 5000, &template, 1};
    ln_pid pid = start_supervisor(&tree, &monitor);
    ln_pid children[3];
    for (unsigned i = 0; i < 3; i++) {
        EXPECT(ln_supervisor_start_child(pid, &plain, sizeof plain, LN_FOREVER, &children[i]) == 0);
    }
    stage_say(children[0], CRASH);
    stage_say(children[1], CRASH);
    stage_settle();
    struct ln_child_counts counts = counts_of(pid);
    EXPECT(counts.specs == 3 && counts.active == 1 && counts.restarting == 2);
    uint32_t position = 0;
    uint32_t count = 0;
    struct ln_child_info info[3];
    EXPECT(ln_supervisor_which_children(pid, &position, LN_FOREVER, info, 3, &count) == 0);
    EXPECT(count == 3 && position == 0 && info[0].pid == children[2]);
    EXPECT(info[1].state == LN_CHILD_RESTARTING && info[2].pid == 0);
    EXPECT(ln_sleep(BACKOFF_MS) == 0);
    EXPECT(counts_of(pid).active == 3);
    stage_say(children[2], CRASH);
    stage_settle();
    EXPECT(counts_of(pid).restarting == 1);
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
}

static void
dynamic_children_wait(void **state)
{
    (void)state;
    stage_play(delayed_dynamic_story);
}

/* --------------------------------------------------------------------------------------- orders */

static void
orders_story(void)
{
    uint64_t monitor;
    struct ln_child children[] = {child_named("a"), child_named("b"), child_named("c")};
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 3};
    ln_pid pid = start_supervisor(&tree, &monitor);
    ln_pid child = 0;
    EXPECT(ln_supervisor_terminate_child(pid, "b", LN_FOREVER) == 0);
    EXPECT(!lives("b") && lives("a") && lives("c"));
    EXPECT(ln_supervisor_terminate_child(pid, "b", LN_FOREVER) == 0); /* it is down already */
    EXPECT(ln_supervisor_restart_child(pid, "b", LN_FOREVER, &child) == 0);
    EXPECT(child != 0 && ln_whereis("b") == child);
    EXPECT(ln_supervisor_restart_child(pid, "b", LN_FOREVER, &child) == -EEXIST);
    EXPECT(ln_supervisor_delete_child(pid, "b", LN_FOREVER) == -EBUSY);
    EXPECT(ln_supervisor_terminate_child(pid, "b", LN_FOREVER) == 0);
    EXPECT(ln_supervisor_delete_child(pid, "b", LN_FOREVER) == 0);
    EXPECT(ln_supervisor_delete_child(pid, "b", LN_FOREVER) == -ENOENT);
    EXPECT(ln_supervisor_restart_child(pid, "b", LN_FOREVER, &child) == -ENOENT);
    EXPECT(ln_supervisor_terminate_child(pid, "b", LN_FOREVER) == -ENOENT);
    EXPECT(ln_supervisor_terminate_pid(pid, ln_whereis("a"), LN_FOREVER) ==
           -ENOENT); /* by id, in a table */
    EXPECT(ln_supervisor_terminate_pid(pid, 0, LN_FOREVER) == -ENOENT);
    crash("c"); /* who stood behind it is still known */
    EXPECT(lives("c") && counts_of(pid).specs == 2);
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    (void)stage_down(monitor);
    EXPECT(ln_supervisor_terminate_child(pid, "a", LN_FOREVER) == -ESRCH);
    EXPECT(ln_supervisor_count_children(pid, LN_FOREVER, &(struct ln_child_counts){0}) == -ESRCH);
}

static void
takes_orders(void **state)
{
    (void)state;
    stage_play(orders_story);
}

static void
add_story(void)
{
    uint64_t monitor;
    unsigned failures = 1;
    struct plan failing = {.failures = &failures};
    struct ln_child first = child_named("a");
    struct ln_child more = child_named("b");
    struct ln_child broken = child_named("c");
    broken.argument = &failing;
    struct ln_supervision tree = {LN_ONE_FOR_ALL, 3, 5000, &first, 1};
    ln_pid pid = start_supervisor(&tree, &monitor);
    ln_pid child = 0;
    EXPECT(ln_supervisor_add_child(pid, &more, LN_FOREVER, &child) == 0 &&
           ln_whereis("b") == child);
    EXPECT(ln_supervisor_add_child(pid, &more, LN_FOREVER, &child) == -EEXIST);
    EXPECT(ln_supervisor_add_child(pid, &broken, LN_FOREVER, &child) == -EBUSY);
    EXPECT(counts_of(pid).specs == 2); /* what never started is not kept */
    crash("a");
    EXPECT(lives("b") && ln_whereis("b") != child); /* one of the family */
    EXPECT(ln_supervisor_terminate_child(pid, "b", LN_FOREVER) == 0);
    EXPECT(ln_supervisor_delete_child(pid, "b", LN_FOREVER) == 0);
    EXPECT(ln_supervisor_add_child(pid, &more, LN_FOREVER, &child) == 0);
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    (void)stage_down(monitor);
}

static void
tables_grow(void **state)
{
    (void)state;
    stage_play(add_story);
}

static void
which_story(void)
{
    uint64_t monitor;
    struct ln_child grandchild = child_named("d");
    struct ln_supervision branch = {LN_ONE_FOR_ONE, 3, 5000, &grandchild, 1};
    struct ln_child children[] = {child_named("a"), child_named("b"), child_named("c")};
    children[1].restart = LN_TEMPORARY;
    children[2].behaviour = &ln_supervisor;
    children[2].argument = &branch;
    children[2].bytes = sizeof branch;
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 3};
    ln_pid pid = start_supervisor(&tree, &monitor);
    crash("b");
    struct ln_child_counts counts = counts_of(pid);
    EXPECT(counts.specs == 3 && counts.active == 2 && counts.supervisors == 1);
    EXPECT(counts.workers == 2 && counts.restarting == 0);
    struct ln_child_info info[2];
    uint32_t position = 0;
    uint32_t count = 0;
    EXPECT(ln_supervisor_which_children(pid, &position, LN_FOREVER, info, 2, &count) == 0);
    EXPECT(count == 2 && position == 2);
    EXPECT(strcmp(info[0].id, "a") == 0 && info[0].pid == ln_whereis("a"));
    EXPECT(info[0].state == LN_CHILD_RUNNING && info[0].behaviour == &child_behaviour);
    EXPECT(info[1].pid == 0 && info[1].state == LN_CHILD_STOPPED);
    EXPECT(info[1].restart == LN_TEMPORARY);
    EXPECT(ln_supervisor_which_children(pid, &position, LN_FOREVER, info, 2, &count) == 0);
    EXPECT(count == 1 && position == 0 && info[0].behaviour == &ln_supervisor);
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    (void)stage_down(monitor);
}

static void
tells_its_children(void **state)
{
    (void)state;
    stage_play(which_story);
}

static void
dynamic_story(void)
{
    enum { CHILDREN = 600 };
    static ln_pid children[CHILDREN];
    uint64_t monitor;
    struct ln_child template = {
        .id = "child", .behaviour = &child_behaviour, .elsewhere = true, .scheduler = LN_ANYWHERE};
    struct ln_supervision tree = {LN_DYNAMIC, 10, 5000, &template, 1};
    ln_pid pid = start_supervisor(&tree, &monitor);
    for (unsigned i = 0; i < CHILDREN; i++) {
        EXPECT(ln_supervisor_start_child(pid, &plain, sizeof plain, LN_FOREVER, &children[i]) == 0);
    }
    EXPECT(ln_supervisor_terminate_pid(pid, children[1], LN_FOREVER) == 0);
    EXPECT(ln_supervisor_terminate_pid(pid, children[1], LN_FOREVER) == -ENOENT);
    EXPECT(counts_of(pid).workers == CHILDREN - 1); /* permanent, and yet not started again */
    static struct ln_child_info info[LN_CHILDREN_PAGE];
    uint32_t seen = 0;
    uint32_t position = 0;
    do {
        uint32_t count = 0;
        EXPECT(ln_supervisor_which_children(pid, &position, LN_FOREVER, info, LN_CHILDREN_PAGE,
                                            &count) == 0);
        seen += count;
    } while (position != 0);
    EXPECT(seen == CHILDREN - 1);
    ln_pid child;
    /* by pid, where all are alike */
    EXPECT(ln_supervisor_terminate_child(pid, "child", LN_FOREVER) == -ENOENT);
    EXPECT(ln_supervisor_restart_child(pid, "child", LN_FOREVER, &child) == -ENOENT);
    EXPECT(ln_supervisor_delete_child(pid, "child", LN_FOREVER) == -ENOENT);
    EXPECT(ln_supervisor_add_child(pid, &template, LN_FOREVER, &child) == -EINVAL);
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    (void)stage_down(monitor);
}

static void
dynamic_children_go_by_pid(void **state)
{
    (void)state;
    stage_play(dynamic_story);
}

/* ------------------------------------------------------------------------------------- the node */

static int
doomed_init(void *state, const void *argument)
{
    (void)argument;
    struct ln_msg *msg = ln_msg_new(CRASH, LN_DURABLE, 0);
    (void)state;
    ln_send(ln_self(), &msg);
    return 0;
}
static const struct ln_behaviour doomed = {
    .name = "doomed", .init = doomed_init, .handle = child_handle};

static void
escalates(void **state)
{
    static const struct ln_child leaf = {.id = "doomed", .behaviour = &doomed};
    static const struct ln_supervision branch = {LN_ONE_FOR_ONE, 2, 60000, &leaf, 1};
    static const struct ln_child twig = {
        .id = "branch", .behaviour = &ln_supervisor, .argument = &branch, .bytes = sizeof branch};
    static const struct ln_supervision trunk = {LN_ONE_FOR_ALL, 3, 60000, &twig, 1};
    (void)state;
    struct io_driver *driver;
    EXPECT(sim_open(&(struct sim_options){.seed = 1, .loops = 2, .root = "."}, &driver) == 0);
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &ln_supervisor, &trunk, sizeof trunk);
    EXPECT(ln_node_start(node) == 0);
    struct ln_reason reason = ln_node_join(node);
    EXPECT(reason.kind == LN_EXIT_ERROR);
    EXPECT(strcmp(reason.text, "children restarted too often") == 0);
    ln_node_close(&node);
    io_driver_close(driver);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a child with a backoff is started after delays that grow to their maximum, and anew "
             "when it has lived",
             delays_grow),
        SPEC("while a child waits for its restart the others are served, and it can be stopped",
             others_are_served),
        SPEC("a restart whose init fails is tried again after the next delay",
             failing_inits_wait_too),
        SPEC("those that restart together wait together", strategies_wait),
        SPEC("dynamic children wait for their restarts, too", dynamic_children_wait),
        SPEC("a child of a table is terminated, restarted and deleted by its id", takes_orders),
        SPEC("a table grows by children that are added", tables_grow),
        SPEC("a supervisor tells which children it has, page by page, and counts them",
             tells_its_children),
        SPEC("a dynamic child is terminated by its pid and forgotten", dynamic_children_go_by_pid),
        SPEC("supervisors that give up end their supervisors, and the root the node, with its "
             "reason",
             escalates),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
