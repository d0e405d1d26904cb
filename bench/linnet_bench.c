/* SPDX-License-Identifier: Apache-2.0 */
/* linnet-bench: loads a node as its clients would, and judges what it does. The run is the
 * conductor's (conductor.h); here is what stands around it. */
#include "bench/capacity_command.h"
#include "bench/conductor.h"
#include "bench/interrupt.h"
#include "bench/outcome.h"
#include "bench/page.h"
#include "bench/page_part.h"
#include "bench/placement.h"
#include "bench/plan_command.h"
#include "bench/report.h"
#include "bench/worker.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WHY_BYTES = 512, WRONG_BYTES = 8 << 10, STALL_MS = 100 };

/* A connection takes a descriptor: as many as this user may have. How many that are. */
static uint64_t
descriptors_raise(void)
{
    enum { LEAST = 1024 }; /* what every system gives, if it does not say */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return LEAST;
    }
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

static void
run_init(struct run *run, const struct options *options, struct io_driver *driver)
{
    run->options = options;
    run->driver = driver;
    run->ground.wall_ms = io_wall_ms(io_of(driver, 0));
    machine_read(driver, options->data, &run->ground.machine);
    io_random(io_of(driver, 0), &run->number, sizeof run->number);
    run->here = options->processes == 1 ? section_new(options, driver) : NULL;
}

static void
run_play(struct run *run)
{
    struct ln_node *node =
        ln_node_open(run->driver, &(struct ln_node_options){.watchdog_ms = STALL_MS});
    struct conductor_start start = {run};
    ln_node_root(node, &conductor_behaviour, &start, sizeof start);
    int error = ln_node_start(node);
    if (error < 0) {
        run->failed = true;
        (void)snprintf(run->why, sizeof run->why, "its threads can't be started: %s",
                       strerrordesc_np(-error));
    } else {
        struct ln_reason reason = ln_node_join(node);
        if (reason.kind != LN_EXIT_NORMAL && !run->failed) {
            run->failed = true;
            (void)snprintf(run->why, sizeof run->why, "the generator itself failed: %s",
                           reason.text != NULL ? reason.text : ln_exit_kind_name(reason.kind));
        }
    }
    ln_node_close(&node);
}

static void
run_report(const struct run *run)
{
    size_t bytes = report_json_bytes(run);
    char *room = malloc(bytes);
    struct ln_text text;
    ASSERT(room != NULL);
    ln_text_init(&text, room, bytes);
    if (run->options->json) {
        report_print_json(run, &text);
    } else if (!run->failed || audit_verdict_count(&run->tally.verdict) > 0) {
        report_print(run, &text);
    }
    printf("%s", room);
    free(room);
    if (run->failed && run->why[0] != '\0') {
        (void)fprintf(stderr, "linnet-bench: %s\n", run->why);
    }
    if (run->page_error < 0) {
        (void)fprintf(stderr, "linnet-bench: --report %s: %s\n", run->options->report,
                      strerrordesc_np(-run->page_error));
    }
}

/* Before the run: nobody waits for a result that has no place to go to. */
static int
report_open(struct run *run, io_file *out_file)
{
    const char *path = run->options->report;
    int error = path != NULL ? page_open(run->driver, path, out_file) : 0;
    if (error < 0) {
        run->failed = true;
        (void)snprintf(run->why, sizeof run->why, "--report %s: %s", path, strerrordesc_np(-error));
    }
    return error;
}

static int
report_page(const struct run *run, io_file file)
{
    char *room = malloc(PAGE_BYTES);
    struct ln_text text;
    ASSERT(room != NULL);
    ln_text_init(&text, room, PAGE_BYTES);
    page_print(run, &text);
    int error = page_write(run->driver, file, &text);
    free(room);
    return error;
}

static void
run_measured(struct run *run)
{
    run->line_ns_before = placement_line_ns();
    run_play(run);
    run->line_ns_after = placement_line_ns();
}

/* Plays it; *run has what came out. */
static enum run_exit
play(const struct options *options, struct run *run)
{
    char why[WHY_BYTES] = "";
    struct io_driver *driver = NULL;
    io_file page = -1;
    /* Where other processes play, the conductor is alone here. */
    const struct uring_options rings = {.loops = options->processes == 1 ? options->threads : 1,
                                        .workers = 1};
    run->options = options;
    if (uring_open(&rings, &driver, why, sizeof why) < 0) {
        run->failed = true;
        (void)snprintf(run->why, sizeof run->why, "%s", why);
        return RUN_FAILED;
    }
    run_init(run, options, driver);
    if (report_open(run, &page) == 0) {
        run_measured(run);
    }
    if (page >= 0) {
        run->page_error = report_page(run, page);
        io_file_close(driver, page);
    }
    io_driver_close(driver);
    section_free(run->here);
    run->here = NULL;
    return run_exit_code(run);
}

/* One of a search's. What ends the search is told in full, beside the search's own result. */
static enum run_exit
play_probe(const struct options *options, struct run *run)
{
    static char room[REPORT_BYTES];
    struct ln_text text;
    enum run_exit code = play(options, run);
    ln_text_init(&text, room, sizeof room);
    if (code == RUN_BROKEN) {
        report_print(run, &text);
    } else if (code == RUN_FAILED && run->why[0] != '\0') {
        ln_text_print(&text, "linnet-bench: %s\n", run->why);
    }
    (void)fputs(room, stderr);
    return code;
}

static int
bench(const struct options *options)
{
    struct run *run = calloc(1, sizeof *run);
    ASSERT(run != NULL);
    enum run_exit code = play(options, run);
    run_report(run);
    series_fini(&run->series);
    free(run);
    return (int)code;
}

/* Everything but plan. */
static int
options_play(struct options *options, enum options_action action, bool worker,
             struct ln_text *wrong)
{
    uint64_t descriptors = descriptors_raise();
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (options_divide(options, descriptors, cores > 0 ? (unsigned)cores : 1, wrong) < 0) {
        (void)fputs(wrong->data, stderr);
        return RUN_FAILED;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (worker) {
        return worker_run(options);
    }
    interrupt_catch();
    return action == OPTIONS_CAPACITY ? (int)capacity_run(options, play_probe) : bench(options);
}

int
main(int argc, char **argv)
{
    static char room[WRONG_BYTES];
    static struct options options;
    struct ln_text wrong;
    enum options_action action = OPTIONS_RUN;
    bool worker = argc > 2 && strcmp(argv[1], "worker") == 0;
    ln_text_init(&wrong, room, sizeof room);
    if (options_read(argc - worker, argv + worker, &options, &action, &wrong) < 0) {
        (void)fputs(room, stderr);
        return RUN_FAILED;
    }
    if (action == OPTIONS_DONE) {
        return RUN_GOOD;
    }
    if (action == OPTIONS_PLAN) {
        return (int)plan_command_run(argc, argv);
    }
    return options_play(&options, action, worker, &wrong);
}
