/* SPDX-License-Identifier: Apache-2.0 */
/* What a durable batch costs through the ring: batches of 1, 10, 100 and 1,000 commands of 200
 * bytes, one in flight at a time, each written and synced before the next. One line of JSON each.
 *
 *     bench_store_log FOLDER       an empty folder on the disk to be measured
 *
 * It is what a journal does without anything to apply: the bound of durable commands per second. */
#include "runtime/io/uring.h"
#include "store/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_BYTES = 200,
    BATCHES_MAX = 20000,
};
static const uint64_t RUN_NS = 1000000000;

struct bench {
    struct io *io;
    struct log *log;
    struct io_op op;
    struct log_write write;
    uint64_t started_at_ns;
    uint64_t sealed_at_ns;
    uint64_t times_ns[BATCHES_MAX];
    unsigned batch_commands;
    unsigned batches;
    bool stopped;
};

static void
fail(const char *what, int error)
{
    (void)fprintf(stderr, "bench_store_log: %s: %s\n", what, strerrordesc_np(-error));
    _Exit(1);
}

/* The next segment is made right here: its time is in the run's, as a worker's would not be, but in
 * no batch's. */
static void
segment_make(struct bench *bench)
{
    uint32_t number;
    uint32_t recycle;
    struct log_segment segment;
    if (log_segment_wanted(bench->log, &number, &recycle)) {
        int result = log_segment_make(log_place_of(bench->log), number, recycle, &segment);
        if (result < 0) {
            fail("can't make a segment", result);
        }
        log_segment_ready(bench->log, &segment);
    }
}

static void
batch_start(struct bench *bench)
{
    static const unsigned char body[BODY_BYTES] = {1};
    struct log_command command = {.kind = 1, .version = 1, .body = body, .body_bytes = BODY_BYTES};
    struct log_batch batch;
    segment_make(bench);
    bench->sealed_at_ns = io_now_ns(bench->io);
    for (unsigned i = 0; i < bench->batch_commands; i++) {
        if (log_append(bench->log, &command) < 0) {
            fail("a batch is too small", -ENOSPC);
        }
    }
    if (log_seal(bench->log, &batch, &bench->write) < 0) {
        fail("no segment is ready", -ENOSPC);
    }
    io_write_sync(bench->io, &bench->op, bench->write.file, &bench->write.piece, 1,
                  bench->write.offset);
}

static void
batch_done(struct io_op *op, int32_t result)
{
    struct bench *bench = (struct bench *)((char *)op - offsetof(struct bench, op));
    if (result < 0) {
        fail("can't write", result);
    }
    uint64_t now = io_now_ns(bench->io);
    log_written(bench->log);
    bench->times_ns[bench->batches++] = now - bench->sealed_at_ns;
    if (bench->batches == BATCHES_MAX || now - bench->started_at_ns > RUN_NS) {
        bench->stopped = true;
        return;
    }
    batch_start(bench);
}

static uint64_t
turn(void *context)
{
    struct bench *bench = context;
    if (bench->started_at_ns == 0) {
        bench->started_at_ns = io_now_ns(bench->io);
        batch_start(bench);
    }
    return IO_NEVER;
}

static bool
idle(void *context)
{
    (void)context;
    return true;
}

static bool
stopped(void *context)
{
    const struct bench *bench = context;
    return bench->stopped;
}

static int
compare(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x;
    uint64_t b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

static void
report(struct bench *bench, const char *driver)
{
    uint64_t sum_ns = 0;
    for (unsigned i = 0; i < bench->batches; i++) {
        sum_ns += bench->times_ns[i];
    }
    qsort(bench->times_ns, bench->batches, sizeof(bench->times_ns[0]), compare);
    double commands = (double)bench->batches * bench->batch_commands;
    uint64_t p50_ns = bench->times_ns[bench->batches / 2];
    uint64_t p99_ns = bench->times_ns[bench->batches * 99ull / 100];
    (void)printf("{\"bench\":\"store_log\",\"batch_commands\":%u,\"body_bytes\":%d,\"batches\":%u,"
                 "\"commands_per_s\":%.0f,\"commit_p50_us\":%.1f,\"commit_p99_us\":%.1f,"
                 "\"driver\":\"%s\"}\n",
                 bench->batch_commands, BODY_BYTES, bench->batches, commands * 1e9 / (double)sum_ns,
                 (double)p50_ns / 1e3, (double)p99_ns / 1e3, driver);
}

static void
measure(const char *folder, unsigned batch_commands)
{
    struct uring_options options = {.loops = 1, .workers = 2};
    struct log_place place = {.folder = folder, .generation = batch_commands};
    struct log_end end;
    char why[LOG_WHY_BYTES];
    struct bench *bench = calloc(1, sizeof(*bench));
    if (bench == NULL) {
        fail("no memory", -ENOMEM);
    }
    int result = uring_open(&options, &place.driver, why, sizeof(why));
    log_end_fresh(&end);
    if (result == 0) {
        result = log_open(&place, &end, &bench->log, why);
    }
    if (result < 0) {
        fail(why, result);
    }
    bench->io = io_of(place.driver, 0);
    bench->op.done = batch_done;
    bench->batch_commands = batch_commands;
    struct io_loop loop = {.turn = turn, .idle = idle, .stopped = stopped, .context = bench};
    result = io_start(place.driver, &loop);
    if (result < 0) {
        fail("can't start", result);
    }
    io_join(place.driver);
    report(bench, io_driver_name(place.driver));
    log_close(&bench->log);
    result = log_segments_remove(&place, 1, 64);
    if (result < 0) {
        fail("can't remove the segments", result);
    }
    io_driver_close(place.driver);
    free(bench);
}

int
main(int argc, char **argv)
{
    static const unsigned sizes[] = {1, 10, 100, 1000};
    if (argc != 2) {
        (void)fprintf(stderr, "usage: bench_store_log FOLDER\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        measure(argv[1], sizes[i]);
    }
    return 0;
}
