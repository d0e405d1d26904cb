/* SPDX-License-Identifier: Apache-2.0 */
/* What it costs to note the steps of messages, and to find a message's among them.
 *
 *     bench_store_steps FOLDER       an empty folder on the disk to be measured
 *
 * Steps are noted by an actor in turns of a hundred, as an apply does, at 200,000 a second and as
 * fast as it can; then a message that was noted first, one that was noted last, and one that is not
 * there are looked for. Lines of JSON. */
#include "runtime/io/uring.h"
#include "runtime/node.h"
#include "store/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN = 100, /* steps */
    STEPS_PACED = 2000000,
    STEPS_FAST = 2000000,
    PACED_PER_MS = 200,
    SENDER = 1,
    READER = 2,
};
#define STEPS_BYTES_MAX (UINT64_C(512) << 20)

static struct {
    struct io_driver *driver;
    struct store *store;
    struct ln_node *node;
    uint64_t noted;
} bench;

static void
fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_store_steps: %s: %s\n", what, why);
    _Exit(1);
}

/* Nanoseconds that the notes alone took. */
static uint64_t
note_turn(void)
{
    struct io *io = ln_io();
    uint64_t start_ns = io_now_ns(io);
    for (unsigned i = 0; i < TURN; i++) {
        uint64_t number = bench.noted++;
        trace_step(bench.store, STEP_DURABLE, trace_mark(bench.store, SENDER, 1, number), READER, 1,
                   number);
    }
    return io_now_ns(io) - start_ns;
}

static void
note(unsigned steps, unsigned per_ms, const char *how)
{
    struct trace_stats before;
    struct trace_stats after;
    uint64_t ns = 0;
    trace_stats_read(bench.store, &before);
    for (unsigned i = 0; i < steps; i += TURN) {
        ns += note_turn();
        if (per_ms > 0 && i % per_ms == 0) {
            (void)ln_sleep(1);
        } else {
            ln_yield();
        }
    }
    (void)ln_sleep(2000);
    trace_stats_read(bench.store, &after);
    printf("{\"part\": \"note\", \"how\": \"%s\", \"steps\": %u, \"ns_per_step\": %.1f, "
           "\"dropped\": %" PRIu64 ", \"bytes_per_step\": %.3f}\n",
           how, steps, (double)ns / steps, after.dropped - before.dropped,
           (double)(after.bytes - before.bytes) / (double)(after.noted - before.noted));
}

static void
find(const char *which, uint64_t number)
{
    struct trace trace = {.sender = SENDER, .device = 1, .number = number};
    struct io *io = ln_io();
    uint64_t start_ns = io_now_ns(io);
    int error = trace_find(bench.store, &trace);
    uint64_t ns = io_now_ns(io) - start_ns;
    if (error < 0) {
        fail("find", strerrordesc_np(-error));
    }
    printf("{\"part\": \"find\", \"which\": \"%s\", \"rows\": %u, \"ms\": %.1f, \"bytes\": %" PRIu64
           ", \"gib_per_s\": %.2f}\n",
           which, trace.count, (double)ns / 1e6, trace.bytes,
           (double)trace.bytes / (double)ns * 1e9 / (1 << 30));
    trace_free(&trace);
}

static void
bench_run(void *state)
{
    (void)state;
    note(STEPS_PACED, PACED_PER_MS, "paced");
    note(STEPS_FAST, 0, "as fast as it can");
    find("the first", 0);
    find("the last", bench.noted - 1);
    find("none", UINT64_MAX);
    (void)fflush(stdout);
    ln_node_stop(bench.node);
}

static int
bench_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    return 0;
}

static const struct ln_behaviour runner = {
    .name = "bench", .state_bytes = 8, .init = bench_init, .run = bench_run};

int
main(int argc, char **argv)
{
    char why[256];
    size_t count;
    struct store_report report;
    if (argc != 2) {
        fail("usage", "bench_store_steps FOLDER");
    }
    if (uring_open(&(struct uring_options){0}, &bench.driver, why, sizeof why) != 0) {
        fail("no io_uring", why);
    }
    struct store_options options = {
        .driver = bench.driver, .path = argv[1], .steps_bytes_max = STEPS_BYTES_MAX};
    if (store_open(&options, &bench.store, &report) != 0) {
        fail("the store can't be opened", report.why);
    }
    const struct ln_child *store = store_children(bench.store, &count);
    struct ln_supervision store_tree = {LN_ONE_FOR_ONE, 3, 5000, store, (uint32_t)count};
    struct ln_child children[] = {
        {.id = "store",
         .behaviour = &ln_supervisor,
         .argument = &store_tree,
         .bytes = sizeof store_tree},
        {.id = "bench", .behaviour = &runner, .restart = LN_TEMPORARY},
    };
    struct ln_supervision root = {LN_ONE_FOR_ONE, 3, 5000, children, 2};
    bench.node = ln_node_open(bench.driver, &(struct ln_node_options){0});
    ln_node_root(bench.node, &ln_supervisor, &root, sizeof root);
    if (ln_node_start(bench.node) != 0) {
        fail("the node can't be started", "no threads");
    }
    (void)ln_node_join(bench.node);
    ln_node_close(&bench.node);
    store_close(&bench.store);
    io_driver_close(bench.driver);
    return 0;
}
