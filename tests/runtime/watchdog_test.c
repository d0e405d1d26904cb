/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/crash.h"
#include "runtime/inspect.h"
#include "runtime/text.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Time here is the CPU time of the scheduler's thread, for the tests as for the watchdog: how busy
 * the machine is makes no difference. */

enum tag { BURN = 1, LOOK };
/* Where a hypervisor takes the processor away, CPU time passes without a tick: long enough for
 * that. */
enum { MS = 1000000, LIMIT_MS = 10, HOG_MS = 40 * LIMIT_MS };

static char heard[16384];

static void
hear(void *context, const char *report)
{
    (void)context;
    (void)snprintf(heard, sizeof heard, "%s", report);
}

static void
burn(uint64_t ms)
{
    uint64_t end_ns = io_cpu_ns(ln_io()) + ms * MS;
    while (io_cpu_ns(ln_io()) < end_ns) {
    }
}

static void
scheduler_info(struct ln_scheduler_info *out)
{
    EXPECT(ln_inspect_scheduler(0, out) == 0);
}

/* --------------------------------------------------------------------------------------- stalls */

static void
hog_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    burn(HOG_MS);
}
static const struct ln_behaviour hog = {.name = "hog", .handle = hog_handle};

static void
stall_story(void)
{
    ln_pid pid;
    EXPECT(ln_spawn(&hog, NULL, 0, NULL, &pid) == 0);
    for (unsigned i = 1; i <= 2; i++) {
        stage_say(pid, BURN);
        EXPECT(ln_sleep(1) == 0);
        EXPECT(ln_sleep(1) == 0);
        struct ln_scheduler_info info;
        struct ln_stall stall;
        uint32_t count = 0;
        scheduler_info(&info);
        EXPECT(info.stalls == i);
        EXPECT(ln_stalls_read(0, 0, &stall, 1, &count) == 0 && count == 1);
        EXPECT(stall.number == i && stall.behaviour_count == i && stall.pid == pid);
        EXPECT(strcmp(stall.behaviour, "hog") == 0);
        EXPECT(stall.cpu_ms >= LIMIT_MS && stall.frames_count > 2);
    }
    EXPECT(strstr(heard, "(hog) held its scheduler for ") != NULL);
    EXPECT(strstr(heard, "runtime_watchdog(+0x") != NULL);
}

static void
stalls_are_named(void **state)
{
    (void)state;
    stage_play_threads_with(stall_story, 1, &(struct ln_node_options){.log = hear});
}

static void
calm_story(void)
{
    struct ln_scheduler_info info;
    EXPECT(ln_sleep(50) == 0);
    for (unsigned i = 0; i < 100; i++) {
        burn(1);
        ln_yield();
    }
    scheduler_info(&info);
    EXPECT(info.stalls == 0);
}

static void
who_yields_is_not_blamed(void **state)
{
    (void)state;
    stage_play_threads(calm_story, 1);
}

static void
unwatched_story(void)
{
    struct ln_scheduler_info info;
    burn(HOG_MS);
    ln_yield();
    scheduler_info(&info);
    EXPECT(info.stalls == 0 && info.turns_cut == 0);
}

static void
watchdog_can_be_off(void **state)
{
    (void)state;
    stage_play_threads_with(unwatched_story, 1, &(struct ln_node_options){.watchdog_ms = LN_NEVER});
}

/* ---------------------------------------------------------------------------------------- turns */

enum { MESSAGES = 60 }; /* fewer than a turn may have */

struct worker {
    unsigned done;
    unsigned seen;
};
static struct worker work;

static void
worker_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    burn(2);
    work.done++;
}
static const struct ln_behaviour worker = {.name = "worker", .handle = worker_handle};

static void
looker_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    work.seen = work.done;
}
static const struct ln_behaviour looker = {.name = "looker", .handle = looker_handle};

static void
turns_story(void)
{
    ln_pid pid;
    ln_pid neighbour;
    struct ln_scheduler_info info;
    work = (struct worker){0};
    EXPECT(ln_spawn(&worker, NULL, 0, NULL, &pid) == 0);
    EXPECT(ln_spawn(&looker, NULL, 0, NULL, &neighbour) == 0);
    for (unsigned i = 0; i < MESSAGES; i++) {
        stage_say(pid, BURN);
    }
    stage_say(neighbour, LOOK);
    while (work.done < MESSAGES) {
        ln_yield();
    }
    scheduler_info(&info);
    EXPECT(work.seen > 0 && work.seen < MESSAGES); /* it did not wait for all of them */
    EXPECT(info.turns_cut > 0 && info.turns_cut < MESSAGES / 2);
}

static void
long_turns_are_cut(void **state)
{
    (void)state;
    stage_play_threads(turns_story, 1);
}

/* ---------------------------------------------------------------------------------------- stuck */

static void
stuck_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    for (volatile unsigned forever = 1; forever != 0;) {
    }
}
static const struct ln_behaviour stuck = {.name = "endless", .handle = stuck_handle};

static void
stuck_story(void)
{
    ln_pid pid;
    EXPECT(ln_spawn(&stuck, NULL, 0, NULL, &pid) == 0);
    stage_say(pid, BURN);
    (void)ln_sleep(LN_FOREVER);
}

static void
stuck_ends_the_node(void **state)
{
    char said[16384];
    int ends[2];
    int status = 0;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        stage_play_threads_with(stuck_story, 1, &(struct ln_node_options){.stuck_ms = 100});
        _exit(0);
    }
    (void)close(ends[1]);
    size_t count = 0;
    ssize_t got;
    while ((got = read(ends[0], said + count, sizeof said - 1 - count)) > 0) {
        count += (size_t)got;
    }
    said[count] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(said, "scheduler 0 is stuck: actor 0."));
    assert_non_null(strstr(said, "(endless)"));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("who holds its scheduler too long is named with a backtrace, and counted",
             stalls_are_named),
        SPEC("who sleeps, or works much and yields, is not blamed", who_yields_is_not_blamed),
        SPEC("the watchdog can be switched off", watchdog_can_be_off),
        SPEC("an actor with much to do ends its turn when its time is up, and others get theirs",
             long_turns_are_cut),
        SPEC("a scheduler that is stuck ends the node with a report", stuck_ends_the_node),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
