/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bounds.h"
#include "runtime/inspect.h"
#include "runtime/io/uring.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { WORK = 1, STOP };

static struct ln_reason
reason_of(const struct ln_behaviour *behaviour, unsigned messages)
{
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
    EXPECT(ln_spawn(behaviour, NULL, 0, &options, &pid) == 0);
    for (unsigned i = 0; i < messages; i++) {
        stage_say(pid, WORK);
    }
    return stage_down(monitor);
}

/* --------------------------------------------------------------------------------------- memory */

enum { BUDGET_BYTES = 10000, PIECE_BYTES = 1000 };

static void
hoarder_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    (void)ln_alloc(PIECE_BYTES);
}
static const struct ln_behaviour hoarder = {
    .name = "hoarder", .handle = hoarder_handle, .memory_bytes_max = BUDGET_BYTES};

static void
tidy_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    ln_free(ln_alloc(BUDGET_BYTES)); /* all of it, over and over */
}
static const struct ln_behaviour tidy = {
    .name = "tidy", .handle = tidy_handle, .memory_bytes_max = BUDGET_BYTES};

static void
glutton_run(void *state)
{
    (void)state;
    (void)ln_alloc((size_t)1 << 40);
}
static const struct ln_behaviour glutton = {.name = "glutton", .run = glutton_run};

static void
memory_story(void)
{
    struct ln_reason reason = reason_of(&hoarder, BUDGET_BYTES / PIECE_BYTES + 1);
    EXPECT(reason.kind == LN_EXIT_ERROR);
    EXPECT(strcmp(reason.text, "memory over its budget") == 0);
    EXPECT(strcmp(reason.file, "hoarder") == 0);
    EXPECT(strcmp(reason_of(&glutton, 0).text, "memory over its budget") == 0);
    ln_pid pid;
    EXPECT(ln_spawn(&tidy, NULL, 0, NULL, &pid) == 0);
    for (unsigned i = 0; i < 100; i++) {
        stage_say(pid, WORK);
    }
    stage_settle();
    struct ln_actor_info info;
    char text[LN_INSPECT_TEXT_MAX];
    EXPECT(ln_inspect_actor(pid, &info, text) == 0 && info.reductions == 100);
}

static void
memory_has_a_budget(void **state)
{
    (void)state;
    stage_play(memory_story);
}

/* -------------------------------------------------------------------------------------- mailbox */

enum { MAILBOX_MAX = 10 };

static void
busy_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour brittle = {
    .name = "brittle", .handle = busy_handle, .durable_max = MAILBOX_MAX, .mailbox_kill = true};

static const struct ln_behaviour brittle_in_bytes = {.name = "brittle in bytes",
                                                     .handle = busy_handle,
                                                     .durable_bytes_max =
                                                         MAILBOX_MAX * sizeof(struct ln_msg),
                                                     .mailbox_kill = true};

static void
expect_back(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct ln_msg *back = stage_next();
        EXPECT(back->tag == WORK && (back->flags & LN_MSG_REFUSED) != 0);
        ln_msg_free(&back);
    }
}

static void
mailbox_story(void)
{
    struct ln_reason reason = reason_of(&brittle, MAILBOX_MAX + 5);
    EXPECT(reason.kind == LN_EXIT_ERROR);
    EXPECT(strcmp(reason.text, "mailbox over its limit") == 0);
    EXPECT(strcmp(reason.file, "brittle") == 0);
    expect_back(5); /* and what had no room came back, as ever */
    reason = reason_of(&brittle_in_bytes, MAILBOX_MAX + 5);
    EXPECT(reason.kind == LN_EXIT_ERROR && strcmp(reason.file, "brittle in bytes") == 0);
    expect_back(5);
    ln_pid pid;
    EXPECT(ln_spawn(&brittle, NULL, 0, NULL, &pid) == 0);
    for (unsigned i = 0; i < MAILBOX_MAX; i++) {
        stage_say(pid, WORK);
    }
    stage_settle();
    struct ln_actor_info info;
    char text[LN_INSPECT_TEXT_MAX];
    EXPECT(ln_inspect_actor(pid, &info, text) == 0 && info.reductions == MAILBOX_MAX);
}

static void
full_mailbox_kills(void **state)
{
    (void)state;
    stage_play(mailbox_story);
}

/* --------------------------------------------------------------------------------------- stacks */

enum { STACKS_MAX = 20 };

static void
rest_run(void *state)
{
    struct ln_msg *msg;
    (void)state;
    int error = ln_receive(LN_FOREVER, &msg);
    EXPECT(error == 0 || error == -ECANCELED);
}
static const struct ln_behaviour resting = {.name = "resting", .run = rest_run};

static void
nap_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    (void)ln_sleep(10);
}
static const struct ln_behaviour napper = {.name = "napper", .handle = nap_handle};

static void
stacks_story(void)
{
    static ln_pid pids[STACKS_MAX];
    for (unsigned round = 0; round < 3; round++) {
        unsigned count = 0;
        int error = 0;
        while (error == 0) {
            EXPECT(count < STACKS_MAX);
            error = ln_spawn(&resting, NULL, 0, NULL, &pids[count]);
            count += error == 0;
            stage_settle(); /* it takes its stack */
        }
        EXPECT(error == -EAGAIN && count > STACKS_MAX / 2);
        struct ln_reason reason = reason_of(&napper, 1); /* no stack to go on with meanwhile */
        EXPECT(reason.kind == LN_EXIT_ERROR);
        EXPECT(strcmp(reason.text, "no memory or mapping for a stack") == 0);
        for (unsigned i = 0; i < count; i++) {
            stage_say(pids[i], STOP);
        }
        stage_settle(); /* their stacks are given back: again, as many */
    }
}

static void
stacks_have_a_maximum(void **state)
{
    (void)state;
    stage_play_with(stacks_story, &(struct ln_node_options){.stacks_max = STACKS_MAX});
}

/* Many at once that are spawned before any of them has run: those without a stack end. */
static void
crowd_story(void)
{
    enum { CROWD = 100 };
    static ln_pid pids[CROWD];
    static uint64_t monitors[CROWD];
    unsigned stackless = 0;
    unsigned normal = 0;
    for (unsigned i = 0; i < CROWD; i++) {
        struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitors[i]};
        EXPECT(ln_spawn(&resting, NULL, 0, &options, &pids[i]) == 0);
        stage_say(pids[i], STOP);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        struct ln_reason reason = stage_down(monitors[i]);
        stackless += reason.kind == LN_EXIT_ERROR;
        normal += reason.kind == LN_EXIT_NORMAL;
    }
    EXPECT(stackless + normal == CROWD && normal > 0);
}

static void
crowds_are_answered(void **state)
{
    (void)state;
    stage_play_with(crowd_story, &(struct ln_node_options){.stacks_max = STACKS_MAX});
}

/* A handler that may not wait starts somebody by name: who starts must have a stack first. */
static void
starter_handle(void *state, struct ln_msg **msg)
{
    ln_pid pid;
    (void)state;
    (void)msg;
    int error = ln_start(&napper, NULL, 0, &(struct ln_spawn_options){.name = "half made"}, &pid);
    EXPECT(error != 0);
}
static const struct ln_behaviour starter = {.name = "starter", .handle = starter_handle};

static void
half_made_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    unsigned fillers = 0;
    EXPECT(ln_spawn_monitor(&starter, NULL, 0, &pid, &monitor) == 0);
    while (ln_spawn(&resting, NULL, 0, NULL, &(ln_pid){0}) == 0) {
        fillers++;
        stage_settle(); /* it takes its stack */
    }
    EXPECT(fillers > 0);
    stage_say(pid, STOP);
    EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
    stage_settle();
    EXPECT(ln_whereis("half made") == 0);
}

static void
nobody_is_left_half_made(void **state)
{
    (void)state;
    stage_play_with(half_made_story, &(struct ln_node_options){.stacks_max = STACKS_MAX});
}

/* At io level 6.1 guards are mappings: the stated maximum is in force without being asked for. */
static void
old_root_run(void *state)
{
    (void)state;
    ln_pid pid;
    for (unsigned i = 0; i < 100; i++) {
        EXPECT(ln_spawn(&resting, NULL, 0, NULL, &pid) == 0);
    }
    ln_yield();
}
static const struct ln_behaviour old_root = {.name = "old root", .run = old_root_run};

static void
guards_can_be_mappings(void **state)
{
    char why[256];
    struct io_driver *driver;
    (void)state;
    NEEDS_IO_URING();
    struct uring_options options = {.loops = 1, .level = IO_LEVEL_6_1};
    assert_int_equal(uring_open(&options, &driver, why, sizeof why), 0);
    assert_true(io_level_is_6_1(driver));
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    assert_int_equal(stage_stacks_max(node), LN_STACKS_MAX);
    ln_node_root(node, &old_root, NULL, 0);
    assert_int_equal(ln_node_start(node), 0);
    assert_int_equal(ln_node_join(node).kind, LN_EXIT_NORMAL);
    ln_node_close(&node);
    io_driver_close(driver);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("who takes more memory than its budget ends, who gives it back does not",
             memory_has_a_budget),
        SPEC("a mailbox over its limit ends its actor where the behaviour says so",
             full_mailbox_kills),
        SPEC("beyond the most stacks a spawn is refused and a wait ends its actor, until some are "
             "given back",
             stacks_have_a_maximum),
        SPEC("a crowd spawned at once gets the stacks there are, the rest ends",
             crowds_are_answered),
        SPEC("who may not wait for an init that it asks for leaves nobody half made",
             nobody_is_left_half_made),
        SPEC("a kernel without light guards has the stated maximum of stacks",
             guards_can_be_mappings),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
