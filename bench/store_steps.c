/* SPDX-License-Identifier: Apache-2.0 */
/* What it costs to note the steps of messages, and to find a message's among them.
 *
 *     bench_store_steps FOLDER [TURNS]     an empty folder on the disk that is meant; some 15
 *                                          seconds, or so many turns of each way at most
 *
 * An actor notes in turns of a hundred, as an apply does: first into memory that was never touched,
 * then each turn after a nap, when little of it is in a cache; ten turns after a nap; and with no
 * room, when steps are dropped. Each turn is one value of the median and the spread. Beside each
 * stands what can't be had for less, taken in the same turns: the clock, which a step reads once,
 * and 32 bytes that are copied to the next place of a buffer as large. Then messages are looked for
 * that were noted first, last, and not at all. Lines of JSON, each as soon as it is known. What is
 * not found as it was noted ends the program with exit code 1. */
#include "bench/histogram.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"
#include "store/steps.h"
#include "store/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN = 100, /* steps */
    TURNS_FIRST = 2 * STEPS_HALF / TURN,
    TURNS_PACED = 1500,
    TURNS_HOT = 10000,
    TURNS_HOT_EACH = 10, /* after a nap */
    TURNS_DROPPED = 100,
    SENDER = 1,
    READER = 2,
    FLOOR_STEPS = STEPS_HALF,
};
#define STEPS_BYTES_MAX (UINT64_C(512) << 20)

static struct {
    struct io_driver *driver;
    struct store *store;
    struct ln_node *node;
    unsigned turns_max; /* of each way */
    uint64_t noted, dropped;
} bench;

static void
fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_store_steps: %s: %s\n", what, why);
    _Exit(1);
}

/* Nanoseconds of a turn each: TURN of them are one of a step. */
struct costs {
    struct histogram note, mark, clock, copy;
};

static uint64_t
since_ns(uint64_t start_ns)
{
    return io_now_ns(ln_io()) - start_ns;
}

/* Whatever a loop has done is seen by somebody. */
static void
keep(void)
{
    __asm__ volatile("" ::: "memory");
}

static void
note_turn(struct costs *costs)
{
    uint64_t marks[TURN];
    uint64_t start_ns = io_now_ns(ln_io());
    for (unsigned i = 0; i < TURN; i++) {
        marks[i] = trace_mark(bench.store, SENDER, 1, bench.noted + i);
        keep();
    }
    histogram_record(&costs->mark, since_ns(start_ns));
    start_ns = io_now_ns(ln_io());
    for (unsigned i = 0; i < TURN; i++) {
        uint64_t number = bench.noted++;
        trace_step(bench.store, STEP_DURABLE, marks[i], READER, 1, number);
    }
    histogram_record(&costs->note, since_ns(start_ns));
}

static void
floor_turn(struct costs *costs)
{
    static unsigned char places[FLOOR_STEPS][STEP_BYTES];
    static unsigned next;
    unsigned char step[STEP_BYTES] = {1};
    uint64_t start_ns = io_now_ns(ln_io());
    for (unsigned i = 0; i < TURN; i++) {
        (void)io_now_ns(ln_io());
        keep();
    }
    histogram_record(&costs->clock, since_ns(start_ns));
    start_ns = io_now_ns(ln_io());
    for (unsigned i = 0; i < TURN; i++) {
        memcpy(places[next++ % FLOOR_STEPS], step, sizeof step);
        keep();
    }
    histogram_record(&costs->copy, since_ns(start_ns));
}

static void
print_cost(const char *name, const struct histogram *histogram)
{
    printf(", \"%s_ns\": {\"p10\": %.1f, \"median\": %.1f, \"p90\": %.1f}", name,
           (double)histogram_percentile(histogram, 10) / TURN,
           (double)histogram_percentile(histogram, 50) / TURN,
           (double)histogram_percentile(histogram, 90) / TURN);
}

static void
print_costs(const char *how, const struct costs *costs)
{
    printf("{\"part\": \"note\", \"how\": \"%s\", \"steps\": %" PRIu64, how,
           costs->note.count * TURN);
    print_cost("step", &costs->note);
    print_cost("mark", &costs->mark);
    print_cost("clock", &costs->clock);
    print_cost("copy", &costs->copy);
}

static unsigned
turns_of(unsigned turns)
{
    return turns < bench.turns_max ? turns : bench.turns_max;
}

static void
note(unsigned turns, unsigned each, const char *how)
{
    static struct costs costs;
    struct trace_stats before;
    struct trace_stats after;
    costs = (struct costs){0};
    turns = turns_of(turns);
    trace_stats_read(bench.store, &before);
    for (unsigned i = 0; i < turns; i++) {
        note_turn(&costs);
        floor_turn(&costs);
        if (i % each == each - 1) {
            (void)ln_sleep(1);
        } else {
            ln_yield();
        }
    }
    (void)ln_sleep(UINT64_C(2) * STEPS_DELAY_MS); /* until the last of them are written */
    trace_stats_read(bench.store, &after);
    print_costs(how, &costs);
    printf(", \"dropped\": %" PRIu64 ", \"bytes_per_step\": %.3f}\n",
           after.dropped - before.dropped,
           (double)(after.bytes - before.bytes) / (double)(after.noted - before.noted));
    bench.dropped += after.dropped - before.dropped;
    uint64_t lacking =
        (uint64_t)turns * TURN - (after.noted - before.noted) - (after.dropped - before.dropped);
    if (lacking != 0 || after.failed != 0) {
        fail(how, "steps were neither noted nor counted as dropped, or could not be written");
    }
}

/* Both halves are filled in one turn, so that nobody can write them; the next find no room. */
static void
note_dropped(void)
{
    static struct costs costs;
    struct trace_stats before;
    struct trace_stats after;
    unsigned turns = turns_of(TURNS_DROPPED);
    for (unsigned i = 0; i < 2 * STEPS_HALF; i++) {
        trace_step(bench.store, STEP_DURABLE, 1, READER, 1, bench.noted);
    }
    trace_stats_read(bench.store, &before);
    for (unsigned i = 0; i < turns; i++) {
        note_turn(&costs);
        floor_turn(&costs);
    }
    trace_stats_read(bench.store, &after);
    uint64_t dropped = after.dropped - before.dropped;
    print_costs("dropped", &costs);
    printf(", \"dropped\": %" PRIu64 "}\n", dropped);
    if (dropped != (uint64_t)turns * TURN) {
        fail("dropped", "some found room where there is none");
    }
    (void)ln_sleep(UINT64_C(2) * STEPS_DELAY_MS);
}

static void
find(const char *which, uint64_t number, unsigned wanted)
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
    if (trace.count != wanted && bench.dropped == 0) {
        fail(which, "it is not found as often as it was noted");
    }
    trace_free(&trace);
}

static void
bench_run(void *state)
{
    (void)state;
    note(TURNS_FIRST, TURNS_HOT_EACH, "into untouched memory");
    note(TURNS_PACED, 1, "after a nap");
    note(TURNS_HOT, TURNS_HOT_EACH, "ten turns after a nap");
    find("the first", 0, 1);
    find("the last", bench.noted - 1, 1);
    find("none", UINT64_MAX, 0);
    note_dropped();
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
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    bench.turns_max = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : TURNS_HOT;
    if (argc < 2 || argc > 3 || bench.turns_max == 0) {
        fail("usage", "bench_store_steps FOLDER [TURNS]");
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
