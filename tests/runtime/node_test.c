/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"
#include "runtime/socket.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <pthread.h>

/* Nodes that are started, stopped and cut by hand. */

static struct io_driver *
machine(uint64_t seed, unsigned loops)
{
    struct io_driver *driver;
    EXPECT(sim_open(&(struct sim_options){.seed = seed, .loops = loops, .root = "."}, &driver) ==
           0);
    return driver;
}

static struct ln_node *
node_on(struct io_driver *driver, const struct ln_behaviour *root, const void *argument,
        size_t bytes)
{
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, root, argument, bytes);
    EXPECT(ln_node_start(node) == 0);
    return node;
}

/* ----------------------------------------------------------------------------------- its reason */

static void
fail_run(void *state)
{
    (void)state;
    ln_exit(LN_EXIT_ERROR, "the root failed");
}
static const struct ln_behaviour failing = {.name = "failing", .run = fail_run};

static int
fail_init(void *state, const void *argument)
{
    (void)state;
    return *(const int *)argument;
}
static const struct ln_behaviour failing_init = {
    .name = "failing init", .init = fail_init, .run = fail_run};

static void
tells_why_the_root_ended(void **state)
{
    (void)state;
    struct io_driver *driver = machine(1, 2);
    struct ln_node *node = node_on(driver, &failing, NULL, 0);
    struct ln_reason reason = ln_node_join(node);
    assert_int_equal(reason.kind, LN_EXIT_ERROR);
    assert_string_equal(reason.text, "the root failed");
    ln_node_close(&node);
    assert_null(node);
    ln_node_close(&node);
    io_driver_close(driver);

    int error = -EDOM;
    driver = machine(1, 1);
    node = node_on(driver, &failing_init, &error, sizeof error);
    reason = ln_node_join(node);
    assert_int_equal(reason.kind, LN_EXIT_ERROR);
    assert_int_equal(reason.line, -EDOM);
    ln_node_close(&node);
    io_driver_close(driver);
}

static void
done_run(void *state)
{
    (void)state;
}
static const struct ln_behaviour done = {.name = "done", .run = done_run};

static void
is_run_by_one_call(void **state)
{
    (void)state;
    NEEDS_IO_URING();
    assert_int_equal(ln_node_run(&done, NULL, 0), 0);
    assert_int_equal(ln_node_run(&failing, NULL, 0), 1);
}

/* ------------------------------------------------------------------------------------- stopping */

struct patient {
    unsigned *stops;
    uint64_t grace_ms; /* after the last message */
};

static void
patient_run(void *state)
{
    const struct patient *patient = state;
    struct ln_msg *msg;
    while (ln_receive(patient->grace_ms, &msg) == 0) {
        EXPECT(msg->tag == LN_TAG_STOP);
        ++*patient->stops;
        ln_msg_free(&msg);
    }
    ln_exit(LN_EXIT_SHUTDOWN, "drained");
}

static int
patient_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(struct patient));
    return 0;
}

static const struct ln_behaviour patient = {.name = "patient",
                                            .state_bytes = sizeof(struct patient),
                                            .init = patient_init,
                                            .run = patient_run,
                                            .trap_exit = true};

static void
stop_it(void *node)
{
    ln_node_stop(node);
}

static void
stops_once(void **state)
{
    (void)state;
    unsigned stops = 0;
    struct patient argument = {&stops, 1000};
    struct io_driver *driver = machine(3, 2);
    struct ln_node *node = node_on(driver, &patient, &argument, sizeof argument);
    sim_at(driver, 500 * 1000000ull, stop_it, node);
    sim_at(driver, 600 * 1000000ull, stop_it, node); /* an impatient operator */
    struct ln_reason reason = ln_node_join(node);
    assert_int_equal(stops, 1);
    assert_string_equal(reason.text, "drained");
    assert_true(sim_now_ns(driver) >= 1500 * 1000000ull);
    ln_node_close(&node);
    io_driver_close(driver);
}

static void *
stop_soon(void *node)
{
    ln_node_stop(node);
    return NULL;
}

static void
stops_from_another_thread(void **state)
{
    (void)state;
    NEEDS_IO_URING();
    for (unsigned i = 0; i < 20; i++) {
        struct io_driver *driver;
        EXPECT(uring_open(&(struct uring_options){.loops = 2}, &driver, NULL, 0) == 0);
        unsigned stops = 0;
        struct patient argument = {&stops, 50};
        struct ln_node *node = node_on(driver, &patient, &argument, sizeof argument);
        pthread_t thread;
        EXPECT(pthread_create(&thread, NULL, stop_soon, node) == 0);
        (void)ln_node_join(node);
        EXPECT(pthread_join(thread, NULL) == 0);
        assert_true(stops <= 1);
        ln_node_close(&node);
        io_driver_close(driver);
    }
}

/* -------------------------------------------------------------------- what is left when it ends */

static unsigned terminated;
static void
stay_run(void *state)
{
    (void)state;
    (void)ln_sleep(LN_FOREVER);
}
static void
stay_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    (void)ln_sleep(LN_FOREVER);
}
static void
stay_terminate(void *state, const struct ln_reason *reason)
{
    (void)state;
    (void)reason;
    terminated++;
}
static const struct ln_behaviour staying_process = {
    .name = "process", .run = stay_run, .terminate = stay_terminate};
static const struct ln_behaviour staying_behaviour = {
    .name = "behaviour", .handle = stay_handle, .terminate = stay_terminate};

static void
flood(ln_pid to)
{
    for (unsigned n = 0; n < 3; n++) {
        struct ln_msg *msg = ln_msg_new(1, LN_DURABLE, 100);
        msg->buffer = ln_buffer_new(100);
        ln_send(to, &msg);
    }
}

static void
leave_all_story(void)
{
    for (int i = 0; i < 40; i++) {
        ln_pid pid;
        struct ln_spawn_options options = {.elsewhere = true, .scheduler = i % STAGE_LOOPS};
        EXPECT(ln_spawn(i % 4 < 2 ? &staying_process : &staying_behaviour, NULL, 0, &options,
                        &pid) == 0);
        flood(pid);
    }
    stage_settle();
}

static void
whoever_is_left_is_killed(void **state)
{
    (void)state;
    terminated = 0;
    stage_play(leave_all_story);
    assert_int_equal(terminated, 0); /* killed, not asked */
    stage_play_threads(leave_all_story, 2);
}

/* ------------------------------------------------------------------------------- simulated cuts */

enum { KEEPERS = 10 };
static unsigned released;
static ln_pid keepers[KEEPERS];

struct keeper {
    struct ln_resource own;
    uint64_t timer;
};

/* What is released may be told to others, who may be gone already. */
static void
tell_release(struct ln_resource *resource)
{
    const struct keeper *keeper = (const struct keeper *)resource;
    released++;
    (void)ln_cancel_timer(keeper->timer);
    for (unsigned i = 0; i < KEEPERS; i++) {
        struct ln_msg *told = ln_msg_new(3, LN_REPLY, 0);
        ln_send(keepers[i], &told);
    }
}

static int
keeper_init(void *state, const void *argument)
{
    struct keeper *keeper = state;
    (void)argument;
    ln_own(&keeper->own, tell_release);
    (void)ln_alloc(20000);
    return 0;
}

static void
work(void *argument)
{
    ++*(unsigned *)argument;
}

static void
keeper_handle(void *state, struct ln_msg **msg)
{
    struct keeper *keeper = state;
    unsigned worked = 0;
    if ((*msg)->tag == 3) {
        return;
    }
    if ((*msg)->tag == 4) {
        struct ln_msg *answer = ln_msg_new(4, LN_REPLY, 0);
        answer->buffer = ln_buffer_new(1000);
        ln_reply(ln_caller(*msg), &answer);
        return;
    }
    struct ln_msg *later = ln_msg_new(1, LN_LOSSY, 10);
    later->buffer = ln_buffer_new(100);
    keeper->timer = ln_send_after(30, (*msg)->from, &later);
    ln_work(work, &worked, LN_WORK_NORMAL);
    flood((*msg)->from);
    (void)ln_sleep(5);
    struct ln_msg *question = ln_msg_new(2, LN_DURABLE, 0);
    int error = ln_call((*msg)->from, &question, 20, NULL);
    struct ln_msg *answer = NULL;
    question = ln_msg_new(4, LN_SYSTEM, 0);
    if (ln_call(keepers[0], &question, 20, &answer) == 0) {
        ln_msg_free(&answer);
    }
    (void)error;
}
static const struct ln_behaviour keeper = {.name = "keeper",
                                           .state_bytes = sizeof(struct keeper),
                                           .init = keeper_init,
                                           .handle = keeper_handle};

/* A bit of everything, for the power to be cut at any of its events. */
static void
busy_story(void)
{
    struct io_address address;
    struct ln_socket *listener, *socket;
    EXPECT(io_address_parse("127.0.0.1:0", &address) == 0);
    EXPECT(ln_socket_listen(&address, &listener, &address) == 0);
    int error = ln_socket_connect(&address, 1000, &socket);
    if (error == 0) {
        ln_socket_send(socket, "hello", 5);
    }
    for (int i = 0; i < KEEPERS; i++) {
        ln_pid pid;
        struct ln_spawn_options options = {.elsewhere = true,
                                           .scheduler = i % STAGE_LOOPS,
                                           .monitor = true,
                                           .link = true,
                                           .name = i == 0 ? "first" : NULL};
        EXPECT(ln_spawn(&keeper, NULL, 0, &options, &pid) == 0);
        keepers[i] = pid;
        flood(pid);
        ln_unlink(pid);
    }
    for (unsigned n = 0; n < 100; n++) {
        struct ln_msg *msg;
        if (ln_receive(100, &msg) != 0) {
            break;
        }
        if (msg->tag == LN_TAG_ACCEPT) {
            (void)ln_socket_attach(ln_socket_event(msg)->descriptor);
        }
        ln_msg_free(&msg);
    }
}

static void
nothing_leaks_at_a_cut(void **state)
{
    (void)state;
    uint64_t event = 1;
    unsigned cuts = 0;
    while (!stage_play_until(busy_story, event, event)) {
        event += 1 + event / 16;
        cuts++;
    }
    assert_true(cuts > 20);
    assert_true(released > 0);
}

static void
a_cut_has_a_reason(void **state)
{
    (void)state;
    unsigned stops = 0;
    struct patient argument = {&stops, 1000};
    struct io_driver *driver = machine(1, 1);
    sim_crash_at(driver, 1);
    struct ln_node *node = node_on(driver, &patient, &argument, sizeof argument);
    struct ln_reason reason = ln_node_join(node);
    assert_int_equal(reason.kind, LN_EXIT_KILLED);
    assert_non_null(reason.text);
    ln_node_close(&node);
    io_driver_close(driver);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a join tells why the root ended", tells_why_the_root_ended),
        SPEC("ln_node_run opens, runs and closes a node, and tells main how its root ended",
             is_run_by_one_call),
        SPEC("a stop asks the root once, however often it is wished", stops_once),
        SPEC("a stop may come from any thread, at any time", stops_from_another_thread),
        SPEC("when the root ends, whoever is left is killed", whoever_is_left_is_killed),
        SPEC("when the power is cut, whenever, a close frees all that was alive",
             nothing_leaks_at_a_cut),
        SPEC("a node whose power was cut says so", a_cut_has_a_reason),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
