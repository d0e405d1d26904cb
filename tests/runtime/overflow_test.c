/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bounds.h"
#include "runtime/inspect.h"
#include "runtime/io/sim.h"
#include "runtime/supervisor.h"
#include "tests/runtime/dive.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum tag { DIVE = 1, ASK, LATER };
enum { DEEP_STACK_BYTES = 64 * 1024 };
#if defined(LINNET_SIM_ONLY)
enum { THREADS_TOO = 0 };
#else
enum { THREADS_TOO = 1 };
#endif

/* What cmocka catches itself would never reach the runtime. */
static void
play(void (*story)(void))
{
    (void)signal(SIGSEGV, SIG_DFL);
    stage_play(story);
    stage_play_threads(story, 2);
}

/* --------------------------------------------------------------------- a handler, and a process */

static void
diver_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if ((*msg)->tag == DIVE) {
        (void)dive(0);
    } else if (((*msg)->flags & LN_MSG_REQUEST) != 0) {
        ln_reply(ln_caller(*msg), msg);
    }
}

static void
never_terminate(void *state, const struct ln_reason *reason)
{
    (void)state;
    (void)reason;
    check_failed("terminate ran on a state that may be half changed", __FILE__, __LINE__);
}

static const struct ln_behaviour diver = {
    .name = "diver", .handle = diver_handle, .terminate = never_terminate};

static void
deep_run(void *state)
{
    (void)state;
    struct ln_msg *msg;
    EXPECT(ln_receive(LN_FOREVER, &msg) == 0);
    (void)dive(0);
}
static const struct ln_behaviour deep = {
    .name = "deep", .run = deep_run, .terminate = never_terminate, .stack_bytes = DEEP_STACK_BYTES};

static int
init_dives(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    return (int)dive(0);
}
static const struct ln_behaviour unborn = {
    .name = "unborn", .init = init_dives, .handle = diver_handle};

static struct ln_reason
end_of(const struct ln_behaviour *behaviour, int scheduler)
{
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {
        .monitor = true, .out_monitor = &monitor, .elsewhere = true, .scheduler = scheduler};
    EXPECT(ln_spawn(behaviour, NULL, 0, &options, &pid) == 0);
    stage_say(pid, DIVE);
    return stage_down(monitor);
}

static void
expect_overflow(const struct ln_behaviour *behaviour, int scheduler, size_t stack_bytes)
{
    enum { FRAME_BYTES_MIN = 1024 };
    struct ln_reason reason = end_of(behaviour, scheduler);
    EXPECT(reason.kind == LN_EXIT_ERROR);
    EXPECT(strcmp(reason.text, "stack overflow") == 0);
    EXPECT(strcmp(reason.file, behaviour->name) == 0);
    EXPECT(reason.line > (int)(stack_bytes / FRAME_BYTES_MIN / 2));
    EXPECT(reason.line < (int)(stack_bytes / FRAME_BYTES_MIN) + 4);
}

static void
handler_story(void)
{
    expect_overflow(&diver, 0, LN_LENT_STACK_BYTES);
    expect_overflow(&diver, 1, LN_LENT_STACK_BYTES);
    expect_overflow(&unborn, 0, LN_LENT_STACK_BYTES);
    ln_pid pid; /* and the others live */
    struct ln_msg *ask = ln_msg_new(ASK, LN_DURABLE, 0);
    EXPECT(ln_spawn(&diver, NULL, 0, NULL, &pid) == 0);
    EXPECT(ln_call(pid, &ask, 1000, NULL) == 0);
}

static void
handler_overflows(void **state)
{
    (void)state;
    play(handler_story);
}

static void
process_story(void)
{
    expect_overflow(&deep, 0, DEEP_STACK_BYTES);
    expect_overflow(&deep, 1, DEEP_STACK_BYTES);
}

static void
process_overflows(void **state)
{
    (void)state;
    play(process_story);
}

static int
init_fails_late(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    (void)ln_sleep(1); /* the stack that overflows is one that waited before */
    return (int)dive(0);
}
static const struct ln_behaviour late = {
    .name = "late", .init = init_fails_late, .handle = diver_handle};

static void
start_story(void)
{
    ln_pid pid;
    EXPECT(ln_start(&late, NULL, 0, NULL, &pid) == -ESRCH);
}

static void
starter_learns_it(void **state)
{
    (void)state;
    play(start_story);
}

/* ---------------------------------------------------------------------------------- supervision */

static void
restart_story(void)
{
    static const struct ln_child children[] = {
        {.id = "diver", .name = "diver", .behaviour = &diver, .restart = LN_PERMANENT}};
    static const struct ln_supervision tree = {LN_ONE_FOR_ONE, 100, 1000, children, 1};
    ln_pid supervisor;
    EXPECT(ln_start(&ln_supervisor, &tree, sizeof tree, NULL, &supervisor) == 0);
    stage_settle();
    ln_pid before = ln_whereis("diver");
    for (unsigned i = 0; i < 10; i++) {
        EXPECT(before != 0);
        uint64_t monitor = ln_monitor(before);
        stage_say(before, DIVE);
        EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
        stage_settle();
        ln_pid after = ln_whereis("diver");
        EXPECT(after != 0 && after != before);
        before = after;
    }
    ln_kill(supervisor, LN_EXIT_SHUTDOWN);
}

static void
supervisor_restarts(void **state)
{
    (void)state;
    play(restart_story);
}

/* ------------------------------------------------------------------------------- nothing leaks */

static unsigned released;

static void
count_release(struct ln_resource *resource)
{
    (void)resource;
    released++;
}

/* Owns one thing of each kind when it overflows; a resource lies on the stack itself. */
static void
owner_handle(void *state, struct ln_msg **msg)
{
    struct ln_resource resource;
    (void)state;
    ln_own(&resource, count_release);
    (void)ln_alloc(100);
    struct ln_msg *later = ln_msg_new(LATER, LN_DURABLE, 50);
    (void)ln_send_after(1000000, (*msg)->from, &later);
    struct ln_msg *kept = ln_msg_new(LATER, LN_DURABLE, 50);
    kept->buffer = ln_buffer_new(10);
    (void)dive(0);
}
static const struct ln_behaviour owner = {.name = "owner", .handle = owner_handle};

static void
owner_run(void *state)
{
    struct ln_msg *msg;
    EXPECT(ln_receive(LN_FOREVER, &msg) == 0);
    owner_handle(state, &msg);
}
static const struct ln_behaviour owning = {.name = "owning", .run = owner_run};

static void
leak_story(void)
{
    enum { OVERFLOWS = 1000 };
    struct ln_scheduler_info before;
    struct ln_scheduler_info after;
    released = 0;
    EXPECT(ln_inspect_scheduler(0, &before) == 0);
    for (unsigned i = 0; i < OVERFLOWS; i++) {
        ln_pid pid;
        uint64_t monitor;
        struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
        EXPECT(ln_spawn(i % 2 == 0 ? &owner : &owning, NULL, 0, &options, &pid) == 0);
        struct ln_msg *ask = ln_msg_new(ASK, LN_DURABLE, 0);
        EXPECT(ln_call(pid, &ask, 1000, NULL) == -ESRCH);
        EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
    }
    EXPECT(ln_inspect_scheduler(0, &after) == 0);
    EXPECT(released == OVERFLOWS);
    EXPECT(after.crashed == before.crashed + OVERFLOWS);
    EXPECT(after.stacks <= before.stacks + 2);
    EXPECT(after.memory_used_bytes == before.memory_used_bytes);
}

static unsigned
mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    unsigned lines = 0;
    for (int c; (c = fgetc(maps)) != EOF;) {
        lines += c == '\n';
    }
    assert_int_equal(fclose(maps), 0);
    return lines;
}

/* On real threads, or where there are none on the simulated machine. */
static void
play_once(void (*once)(void))
{
    if (THREADS_TOO) {
        stage_play_threads(once, 1);
    } else {
        stage_play_once(once, &(struct sim_options){.seed = 1}, &(struct ln_node_options){0});
    }
}

static void
thousand_leak_nothing(void **state)
{
    (void)state;
    (void)signal(SIGSEGV, SIG_DFL);
    play_once(leak_story);
    unsigned before = mappings();
    play_once(leak_story);
    assert_true(mappings() <= before + 8);
}

/* --------------------------------------------------------------------- what ends the whole node */

static int
compare_diving(const void *one, const void *other)
{
    return (int)dive(0) + *(const int *)one - *(const int *)other;
}

static void
sort_handle(void *state, struct ln_msg **msg)
{
    int numbers[] = {3, 1, 2};
    (void)state;
    (void)msg;
    qsort(numbers, 3, sizeof numbers[0], compare_diving); /* the C library waits in the middle */
}
static const struct ln_behaviour sorter = {.name = "sorter", .handle = sort_handle};

static void
wild_handle(void *state, struct ln_msg **msg)
{
    static char *volatile nowhere = (char *)64;
    (void)state;
    (void)msg;
    *nowhere = 1;
}
static const struct ln_behaviour wild = {.name = "wild", .handle = wild_handle};

static void
library_handle(void *state, struct ln_msg **msg)
{
    static char *volatile nowhere = (char *)64;
    (void)state;
    (void)msg;
    (void)memset(nowhere, 1, (size_t)(*msg)->bytes + 100); /* the fault is in the C library */
}
static const struct ln_behaviour in_library = {.name = "in library", .handle = library_handle};

static bool
match_diving(const struct ln_msg *msg, void *context)
{
    (void)context;
    return dive(0) == msg->tag; /* called by whoever sends: perhaps another actor */
}

static void
match_run(void *state)
{
    struct ln_msg *msg;
    (void)state;
    EXPECT(ln_receive_match(match_diving, NULL, LN_FOREVER, &msg) == 0);
}
static const struct ln_behaviour matcher = {.name = "matcher", .run = match_run};

static const struct ln_behaviour *planted;

static void
planted_story(void)
{
    (void)end_of(planted, 0);
}

/* Plays it in a process of its own; returns the signal that ended it, and what it said. */
static int
end_by(const struct ln_behaviour *behaviour, bool threads, char *said, size_t said_bytes)
{
    int ends[2];
    int status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        planted = behaviour;
        if (threads) {
            stage_play_threads(planted_story, 1);
        } else {
            stage_play(planted_story);
        }
        _exit(0);
    }
    (void)close(ends[1]);
    size_t count = 0;
    ssize_t got;
    while ((got = read(ends[0], said + count, said_bytes - 1 - count)) > 0) {
        count += (size_t)got;
    }
    said[count] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
expect_node_ends(const struct ln_behaviour *behaviour, const char *also)
{
    for (unsigned threads = 0; threads <= THREADS_TOO; threads++) {
        char said[16 * 1024];
        assert_int_equal(end_by(behaviour, threads == 1, said, sizeof said), SIGSEGV);
        assert_non_null(strstr(said, "SIGSEGV at address"));
        assert_non_null(strstr(said, behaviour->name));
        assert_non_null(strstr(said, "scheduler 0, actor"));
        assert_non_null(strstr(said, "the actor is 0."));
        assert_non_null(strstr(said, "runtime_overflow(+0x")); /* the backtrace */
        assert_non_null(strstr(said, also));
    }
}

static void
faults_in_libraries_end_the_node(void **state)
{
    (void)state;
    expect_node_ends(&in_library, "address 0x40");
    expect_node_ends(&sorter, "beyond the end of its stack");
}

static void
faults_in_the_runtime_end_the_node(void **state)
{
    (void)state;
    expect_node_ends(&matcher, "beyond the end of its stack");
}

static void
wild_pointers_end_the_node(void **state)
{
    (void)state;
    expect_node_ends(&wild, "address 0x40");
}

static void
own_handler(int number)
{
    (void)number;
    _exit(77);
}

static void
handlers_are_kept(void **state)
{
    (void)state;
    pid_t child = fork();
    int status = 0;
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGSEGV, own_handler);
        planted = &wild;
        stage_play(planted_story);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 77);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a handler that overflows its stack ends its actor alone, which says so and how deep",
             handler_overflows),
        SPEC("a process that overflows its stack ends alone likewise", process_overflows),
        SPEC("who waits for an init that overflows learns that it ended", starter_learns_it),
        SPEC("a supervisor restarts who overflowed its stack", supervisor_restarts),
        SPEC("a thousand overflows leak nothing of what their actors owned", thousand_leak_nothing),
        SPEC("a fault in a library, or in what a library called, ends the node with a report",
             faults_in_libraries_end_the_node),
        SPEC("an overflow in what the runtime called back ends the node with a report",
             faults_in_the_runtime_end_the_node),
        SPEC("a fault that is no overflow ends the node with a report", wild_pointers_end_the_node),
        SPEC("a program's own handler of faults is left alone", handlers_are_kept),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
