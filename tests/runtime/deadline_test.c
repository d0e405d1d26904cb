/* SPDX-License-Identifier: Apache-2.0 */
/* What waits has a deadline: work on other threads, inits, and what a supervisor is asked for. */
#include "runtime/io/sim.h"
#include "runtime/supervisor.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum tag { STUCK = 1, GO, DONE };
enum { PATIENCE_MS = 20, WORK_MS_MAX = 40, LONG_MS = 1000 };

/* Work takes up to WORK_MS_MAX to begin and as long to end. */
static const struct sim_options slow_workers = {.work_delay_ns_max =
                                                    (uint64_t)WORK_MS_MAX * 1000 * 1000};

/* ----------------------------------------------------------------------------------- the errand */

/* Doubles a number that lies in memory of its own, which whoever ends up with it frees. */
struct errand {
    unsigned *number;
    unsigned doubled;
};

static atomic_uint runs, releases;

static void
double_it(void *argument)
{
    struct errand *errand = argument;
    errand->doubled = 2 * *errand->number;
    atomic_fetch_add(&runs, 1);
}

static void
release_it(void *argument)
{
    free(((struct errand *)argument)->number);
    atomic_fetch_add(&releases, 1);
}

static const struct ln_job doubling = {.run = double_it, .release = release_it};
static const struct ln_job doubling_low = {
    .run = double_it, .release = release_it, .kind = LN_WORK_LOW};

static struct errand
errand_new(unsigned number)
{
    struct errand errand = {.number = malloc(sizeof *errand.number)};
    EXPECT(errand.number != NULL);
    *errand.number = number;
    return errand;
}

/* ----------------------------------------------------------------------------------------- work */

static unsigned in_time, gone_on, withdrawn; /* over all seeds */

static void
work_story(void)
{
    struct errand errand = errand_new(21);
    atomic_store(&runs, 0);
    atomic_store(&releases, 0);
    uint64_t began_ns = ln_now_ns();
    int error = ln_work_for(&doubling, &errand, sizeof errand, PATIENCE_MS);
    if (error == 0) {
        EXPECT(errand.doubled == 42 && runs == 1 && releases == 0);
        free(errand.number);
        in_time++;
        return;
    }
    EXPECT(error == -ETIMEDOUT && errand.doubled == 0);
    EXPECT(ln_now_ns() - began_ns < (uint64_t)(PATIENCE_MS + 2) * 1000 * 1000);
    bool begun = runs == 1;
    EXPECT(releases == (begun ? 0 : 1));
    *(begun ? &gone_on : &withdrawn) += 1;
    (void)ln_sleep(LONG_MS);
    EXPECT(runs == begun && releases == 1);
}

static void
work_has_a_deadline(void **state)
{
    (void)state;
    in_time = gone_on = withdrawn = 0;
    stage_play_machine(work_story, &slow_workers);
    EXPECT(in_time > 0 && gone_on > 0 && withdrawn > 0);
}

/* Low work waits for the low work before it. */
static void
low_run(void *state)
{
    struct errand errand = errand_new(1);
    (void)state;
    int error = ln_work_for(&doubling_low, &errand, sizeof errand, PATIENCE_MS);
    if (error == 0) {
        free(errand.number);
    }
    EXPECT(error == 0 || error == -ETIMEDOUT);
}
static const struct ln_behaviour low = {.name = "low", .run = low_run};

static void
low_story(void)
{
    enum { CROWD = 10 };
    atomic_store(&runs, 0);
    for (unsigned i = 0; i < CROWD; i++) {
        ln_pid pid;
        EXPECT(ln_spawn(&low, NULL, 0, NULL, &pid) == 0);
    }
    (void)ln_sleep(PATIENCE_MS + 1);
    unsigned begun = runs;
    EXPECT(begun < CROWD);
    struct errand errand = errand_new(21); /* behind those that were withdrawn */
    EXPECT(ln_work_for(&doubling_low, &errand, sizeof errand, LN_FOREVER) == 0);
    EXPECT(errand.doubled == 42 && runs == begun + 1);
    free(errand.number);
}

static void
withdrawn_keeps_nobody(void **state)
{
    (void)state;
    stage_play_machine(low_story, &slow_workers);
}

/* ---------------------------------------------------------------------------- who does not wait */

static int outcome;

/* Says how its work ended, and lives on or not. */
static void
worker_run(void *state)
{
    struct errand errand = errand_new(1);
    (void)state;
    outcome = ln_work_for(&doubling, &errand, sizeof errand, LN_FOREVER);
    if (outcome == 0) {
        free(errand.number);
    }
}
static const struct ln_behaviour worker = {.name = "worker", .run = worker_run};

static void
end_story(enum ln_exit_kind kind)
{
    ln_pid pid;
    uint64_t monitor;
    atomic_store(&runs, 0);
    atomic_store(&releases, 0);
    EXPECT(ln_spawn_monitor(&worker, NULL, 0, &pid, &monitor) == 0);
    (void)ln_sleep(PATIENCE_MS / 2);
    uint64_t killed_ns = ln_now_ns();
    ln_kill(pid, kind);
    struct ln_reason reason = stage_down(monitor);
    EXPECT(ln_now_ns() - killed_ns < UINT64_C(1000000));
    if (reason.kind == LN_EXIT_NOPROC || reason.kind == LN_EXIT_NORMAL) {
        EXPECT(outcome == 0 && releases == 0); /* it was through already */
        return;
    }
    EXPECT(reason.kind == kind && outcome == -ECANCELED);
    bool begun = runs == 1;
    EXPECT(releases == (begun ? 0 : 1));
    *(begun ? &gone_on : &withdrawn) += 1;
    (void)ln_sleep(LONG_MS);
    EXPECT(runs == begun && releases == 1);
}

static void
killed_story(void)
{
    end_story(LN_EXIT_KILLED);
}

static void
stopped_story(void)
{
    end_story(LN_EXIT_SHUTDOWN);
}

static void
killed_waits_for_no_work(void **state)
{
    (void)state;
    gone_on = withdrawn = 0;
    stage_play_machine(killed_story, &slow_workers);
    stage_play_machine(stopped_story, &slow_workers);
    EXPECT(gone_on > 0 && withdrawn > 0);
}

static void
late_worker_run(void *state)
{
    (void)ln_sleep(LN_FOREVER);
    worker_run(state);
}
static const struct ln_behaviour late_worker = {.name = "late worker", .run = late_worker_run};

static void
late_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    atomic_store(&runs, 0);
    atomic_store(&releases, 0);
    EXPECT(ln_spawn_monitor(&late_worker, NULL, 0, &pid, &monitor) == 0);
    (void)ln_sleep(1);
    ln_kill(pid, LN_EXIT_KILLED);
    (void)stage_down(monitor);
    EXPECT(outcome == -ECANCELED && releases == 1);
    (void)ln_sleep(LONG_MS);
    EXPECT(runs == 0 && releases == 1);
}

static void
cancelled_hands_nothing_over(void **state)
{
    (void)state;
    stage_play_machine(late_story, &slow_workers);
}

/* A process that may not wait any more is ended where it begins to. */
static void
tireless_run(void *state)
{
    do {
        worker_run(state);
    } while (true);
}
static const struct ln_behaviour tireless = {.name = "tireless", .run = tireless_run};

static void
tireless_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    atomic_store(&runs, 0);
    atomic_store(&releases, 0);
    EXPECT(ln_spawn_monitor(&tireless, NULL, 0, &pid, &monitor) == 0);
    (void)ln_sleep(1);
    ln_kill(pid, LN_EXIT_KILLED);
    (void)stage_down(monitor);
    (void)ln_sleep(LONG_MS);
    EXPECT(releases > 64); /* the last as well, which the stage's books and valgrind look after */
}

static void
ended_where_it_begins(void **state)
{
    (void)state;
    stage_play_machine(tireless_story, &slow_workers);
}

/* ----------------------------------------------------------------------------- the node's end */

static void
left_story(void)
{
    struct errand errand = errand_new(1);
    if (ln_work_for(&doubling, &errand, sizeof errand, 1) == 0) {
        free(errand.number);
    }
    ln_pid pid;
    EXPECT(ln_spawn(&worker, NULL, 0, NULL, &pid) == 0);
    (void)ln_sleep(LONG_MS);
}

/* Whoever counts allocations (valgrind, AddressSanitizer) finds none left. */
static void
power_goes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= STAGE_SEEDS; seed++) {
        for (uint64_t event = 1; !stage_play_until(left_story, seed, event); event++) {
        }
    }
}

/* ------------------------------------------------------------------------------- real threads */

static atomic_bool gate_open;

static void
wait_at_gate(void *argument)
{
    while (!atomic_load(&gate_open)) {
        (void)usleep(1000);
    }
    double_it(argument);
}

static const struct ln_job gated = {.run = wait_at_gate, .release = release_it};

static void
threads_story(void)
{
    enum { MANY = 64 }; /* more than there are workers */
    atomic_store(&gate_open, false);
    atomic_store(&runs, 0);
    atomic_store(&releases, 0);
    for (unsigned i = 0; i < MANY; i++) {
        struct errand errand = errand_new(i);
        EXPECT(ln_work_for(&gated, &errand, sizeof errand, 1) == -ETIMEDOUT);
    }
    unsigned before = releases;
    EXPECT(before >= MANY / 2 && runs == 0); /* those that never began */
    atomic_store(&gate_open, true);
    struct errand errand = errand_new(21);
    EXPECT(ln_work_for(&doubling, &errand, sizeof errand, LN_FOREVER) == 0);
    EXPECT(errand.doubled == 42);
    free(errand.number);
    while (releases < MANY) {
        (void)ln_sleep(1);
    }
    EXPECT(runs == MANY - before + 1);
}

static void
threads_are_left_alone(void **state)
{
    (void)state;
    stage_play_threads(threads_story, 1);
}

/* ----------------------------------------------------------------------------------------- init */

static int
endless_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    return ln_sleep(LN_FOREVER);
}

static void
ignore(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour endless = {
    .name = "endless", .init = endless_init, .handle = ignore};

static void
init_story(void)
{
    for (int place = 0; place < STAGE_LOOPS; place++) {
        ln_pid pid = 0;
        uint64_t monitor = 0;
        struct ln_spawn_options options = {.name = "endless",
                                           .link = true,
                                           .monitor = true,
                                           .out_monitor = &monitor,
                                           .elsewhere = true,
                                           .scheduler = place,
                                           .init_ms = PATIENCE_MS};
        uint64_t began_ns = ln_now_ns();
        EXPECT(ln_start(&endless, NULL, 0, &options, &pid) == -ETIMEDOUT);
        EXPECT(pid == 0 && monitor == 0);
        EXPECT(ln_now_ns() - began_ns >= (uint64_t)(PATIENCE_MS - 1) * 1000 * 1000);
        EXPECT(ln_now_ns() - began_ns < (uint64_t)(PATIENCE_MS + 2) * 1000 * 1000);
        stage_expect_silence(LONG_MS);
        EXPECT(ln_whereis("endless") == 0);
    }
}

static void
init_has_a_deadline(void **state)
{
    (void)state;
    stage_play(init_story); /* linked, and does not trap exits: it lives */
    stage_play_trapping(init_story);
}

static const struct ln_child slow_child = {
    .id = "endless", .name = "endless", .behaviour = &endless, .init_ms = PATIENCE_MS};

static void
child_init_story(void)
{
    static const struct ln_supervision tree = {LN_ONE_FOR_ONE, 1, LONG_MS, &slow_child, 1};
    ln_pid pid;
    EXPECT(ln_start(&ln_supervisor, &tree, sizeof tree, NULL, &pid) == -ETIMEDOUT);
    stage_settle();
    EXPECT(ln_whereis("endless") == 0);
}

static void
child_init_has_a_deadline(void **state)
{
    (void)state;
    stage_play(child_init_story);
}

/* ---------------------------------------------------------------------------------- supervisors */

/* Its init waits until the story says go. */
static int
patient_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    EXPECT(ln_register("patient", ln_self()) == 0);
    while (ln_whereis("go") == 0) {
        int error = ln_sleep(1);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}
static const struct ln_behaviour patient = {
    .name = "patient", .init = patient_init, .handle = ignore};

static const struct ln_behaviour quiet = {.name = "quiet", .handle = ignore};

static const struct ln_child plain_child = {.id = "plain", .behaviour = &quiet};
static const struct ln_child patient_child = {.id = "patient", .behaviour = &patient};

static void
expect_all_time_out(ln_pid supervisor)
{
    ln_pid pid;
    uint32_t position = 0;
    uint32_t count;
    struct ln_child_info info[1];
    struct ln_child_counts counts;
    EXPECT(ln_supervisor_terminate_child(supervisor, "no one", 1) == -ETIMEDOUT);
    EXPECT(ln_supervisor_terminate_pid(supervisor, ln_self(), 1) == -ETIMEDOUT);
    EXPECT(ln_supervisor_restart_child(supervisor, "no one", 1, &pid) == -ETIMEDOUT);
    EXPECT(ln_supervisor_delete_child(supervisor, "no one", 1) == -ETIMEDOUT);
    EXPECT(ln_supervisor_which_children(supervisor, &position, 1, info, 1, &count) == -ETIMEDOUT);
    EXPECT(ln_supervisor_count_children(supervisor, 1, &counts) == -ETIMEDOUT);
    EXPECT(ln_supervisor_start_child(supervisor, NULL, 0, 1, &pid) == -ETIMEDOUT);
    EXPECT(ln_supervisor_add_child(supervisor, &plain_child, 1, &pid) == -ETIMEDOUT);
}

static void
supervisor_story(void)
{
    static const struct ln_supervision tree = {LN_ONE_FOR_ONE, 1, LONG_MS, NULL, 0};
    ln_pid supervisor;
    ln_pid pid;
    struct ln_child_counts counts;
    EXPECT(ln_start(&ln_supervisor, &tree, sizeof tree, NULL, &supervisor) == 0);
    EXPECT(ln_supervisor_add_child(supervisor, &patient_child, PATIENCE_MS, &pid) == -ETIMEDOUT);
    expect_all_time_out(supervisor);
    EXPECT(ln_register("go", ln_self()) == 0);
    stage_settle();
    EXPECT(ln_supervisor_count_children(supervisor, LN_FOREVER, &counts) == 0);
    EXPECT(counts.specs == 2); /* what was asked for was done, if late */
    EXPECT(ln_whereis("patient") != 0);
    ln_kill(supervisor, LN_EXIT_SHUTDOWN);
}

static void
supervisor_has_a_deadline(void **state)
{
    (void)state;
    stage_play(supervisor_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("work is waited for up to its deadline; begun it goes on, else it never runs, and "
             "what nobody takes is released once",
             work_has_a_deadline),
        SPEC("work that was taken back keeps no other waiting", withdrawn_keeps_nobody),
        SPEC("who is ended or killed waits for no work that has a deadline: -ECANCELED at once",
             killed_waits_for_no_work),
        SPEC("who is being ended hands no work over", cancelled_hands_nothing_over),
        SPEC("who is ended where he begins to wait for work leaves nothing of it",
             ended_where_it_begins),
        SPEC("when the power goes no work is left", power_goes),
        SPEC("a thread that works on touches nothing of who has gone on", threads_are_left_alone),
        SPEC(
            "a start waits for init_ms: the actor is ended, its starter told -ETIMEDOUT and spared",
            init_has_a_deadline),
        SPEC("a supervisor waits for a child's init as long as its spec says",
             child_init_has_a_deadline),
        SPEC("every call of a supervisor has a deadline, and what it asked for is done later",
             supervisor_has_a_deadline),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
