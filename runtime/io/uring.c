/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/uring.h"

#include "runtime/io/posix_file.h"
#include "runtime/io/posix_host.h"
#include "runtime/io/posix_memory.h"
#include "runtime/io/uring_priv.h"
#include "runtime/io/uring_table.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOPS_FALLBACK = 1,
    WORKERS_MIN = 2,
    WORKERS_MAX = 1024, /* a typing mistake, not a machine */
    RECEIVE_BUFFERS_DEFAULT = 1024,
    RING_ENTRIES_DEFAULT = 4096,
    COMPLETIONS_PER_ENTRY = 4,
    /* Of a table. So few that what waits in its ring is quickly looked through; of the kernel's
     * hash of that there are most lists where a ring has 8,192 completions or more. */
    TABLE_SLOTS_DEFAULT = 16384,
    TABLE_ENTRIES_MAX = 256,
    TABLE_COMPLETIONS_LEAST = 8192,
    /* Of Linux 6.14; liburing 2.3 does not know it. It stands for 6.13, whose tables let go of a
     * socket when it is closed, and that has no sign of its own. */
    FEATURE_RW_ATTR = 1 << 16,
    NS_PER_US = 1000,
    NS_PER_MS = 1000000,
    MS_PER_SECOND = 1000,
};

/* ------------------------------------------------------------------------ time, chance */

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    int result = clock_gettime(clock, &now);
    ASSERT(result == 0);
    return (uint64_t)now.tv_sec * MS_PER_SECOND * NS_PER_MS + (uint64_t)now.tv_nsec;
}

uint64_t
uring_clock_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t
now_ns(struct io *io)
{
    (void)io;
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t
wall_ms(struct io *io)
{
    (void)io;
    return (int64_t)(clock_ns(CLOCK_REALTIME) / NS_PER_MS);
}

static uint64_t
cpu_ns(struct io *io)
{
    (void)io;
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static uint64_t
page_waits(struct io *io)
{
    (void)io;
    struct rusage usage;
    int error = getrusage(RUSAGE_THREAD, &usage);
    ASSERT(error == 0);
    return (uint64_t)usage.ru_majflt;
}

static void
random_bytes(struct io *io, void *out, size_t bytes)
{
    (void)io;
    unsigned char *at = out;
    while (bytes > 0) {
        ssize_t got = getrandom(at, bytes, 0);
        ASSERT(got > 0 || (got < 0 && errno == EINTR)); /* keys must not be guessed instead */
        if (got > 0) {
            at += got;
            bytes -= (size_t)got;
        }
    }
}

/* --------------------------------------------------------- files: posix_file.h behind the table */

static int
file_open(struct io_driver *driver, const char *path, int flags, io_file *out)
{
    (void)driver;
    return posix_file_open(path, flags, out);
}

static void
file_close(struct io_driver *driver, io_file file)
{
    (void)driver;
    posix_file_close(file);
}

static ssize_t
file_read(struct io_driver *driver, io_file file, void *out, size_t bytes, uint64_t offset)
{
    (void)driver;
    return posix_file_read(file, out, bytes, offset);
}

static int
file_write(struct io_driver *driver, io_file file, const void *in, size_t bytes, uint64_t offset)
{
    (void)driver;
    return posix_file_write(file, in, bytes, offset);
}

static int
file_sync(struct io_driver *driver, io_file file)
{
    (void)driver;
    return posix_file_sync(file);
}

static int
file_size(struct io_driver *driver, io_file file, uint64_t *out_bytes)
{
    (void)driver;
    return posix_file_size(file, out_bytes);
}

static int
file_truncate(struct io_driver *driver, io_file file, uint64_t bytes)
{
    (void)driver;
    return posix_file_truncate(file, bytes);
}

static int
file_allocate(struct io_driver *driver, io_file file, uint64_t bytes)
{
    (void)driver;
    return posix_file_allocate(file, bytes);
}

static int
file_lock(struct io_driver *driver, io_file file)
{
    (void)driver;
    return posix_file_lock(file);
}

static int
file_rename(struct io_driver *driver, const char *from, const char *to)
{
    (void)driver;
    return posix_file_rename(from, to);
}

static int
file_remove(struct io_driver *driver, const char *path)
{
    (void)driver;
    return posix_file_remove(path);
}

static int
make_directory(struct io_driver *driver, const char *path)
{
    (void)driver;
    return posix_file_make_directory(path);
}

static int
sync_directory(struct io_driver *driver, const char *path)
{
    (void)driver;
    return posix_file_sync_directory(path);
}

static int
list_directory(struct io_driver *driver, const char *path,
               int (*each)(void *context, const char *name), void *context)
{
    (void)driver;
    return posix_file_list_directory(path, each, context);
}

static int
free_bytes(struct io_driver *driver, const char *path, uint64_t *out_bytes)
{
    (void)driver;
    return posix_file_free_bytes(path, out_bytes);
}

static int
resolve(struct io_driver *driver, const char *host, uint16_t port,
        struct io_address out[IO_RESOLVE_MAX], unsigned *out_count)
{
    (void)driver;
    return posix_host_resolve(host, port, out, out_count);
}

/* ------------------------------------------------------------------------ statistics, name */

static uint64_t
counter_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
stats_read(struct io *io, struct io_stats *out)
{
    const struct uring *uring = uring_of(io);
    const struct uring_counters *counters = &uring->counters;
    *out = (struct io_stats){
        .enters = counter_read(&counters->enters),
        .submitted = counter_read(&counters->submitted),
        .completed = counter_read(&counters->completed),
        .receives = counter_read(&counters->receives),
        .receive_bytes = counter_read(&counters->receive_bytes),
        .sends = counter_read(&counters->sends),
        .send_bytes = counter_read(&counters->send_bytes),
        .accepts = counter_read(&counters->accepts),
        .file_syncs = counter_read(&counters->file_syncs),
        .file_bytes = counter_read(&counters->file_bytes),
        .receive_buffers_short = counter_read(&counters->receive_buffers_short),
        .wakes = counter_read(&uring->wakes),
        .settled = counter_read(&counters->settled),
        .settles_failed = counter_read(&counters->settles_failed),
    };
}

static const char *
driver_name(const struct io_driver *driver)
{
    return ((const struct uring_driver *)driver)->name;
}

/* ------------------------------------------------------------------------ open and close */

static void driver_close(struct io_driver *base);

static const struct io_ops uring_ops = {
    .start = uring_start,
    .join = uring_join,
    .run_all = uring_run_all,
    .close_driver = driver_close,
    .wake = uring_wake,
    .now_ns = now_ns,
    .wall_ms = wall_ms,
    .cpu_ns = cpu_ns,
    .page_waits = page_waits,
    .random = random_bytes,
    .resolve = resolve,
    .listen = uring_listen,
    .accept = uring_accept,
    .connect = uring_connect,
    .peer = uring_peer,
    .poll = uring_poll,
    .receive = uring_receive,
    .received = uring_received,
    .release = uring_release,
    .receive_room = uring_receive_room,
    .trim = uring_trim,
    .send = uring_send,
    .shutdown = uring_shutdown,
    .close = uring_close,
    .settle = uring_settle,
    .settled_max = uring_settled_max,
    .cancel = uring_cancel,
    .file_open = file_open,
    .file_close = file_close,
    .file_read = file_read,
    .file_write = file_write,
    .file_sync = file_sync,
    .file_size = file_size,
    .file_truncate = file_truncate,
    .file_allocate = file_allocate,
    .file_lock = file_lock,
    .rename = file_rename,
    .remove = file_remove,
    .make_directory = make_directory,
    .sync_directory = sync_directory,
    .list_directory = list_directory,
    .free_bytes = free_bytes,
    .write_sync = uring_write_sync,
    .work_start = uring_work_start,
    .work_withdraw = uring_work_withdraw,
    .stats_read = stats_read,
    .driver_name = driver_name,
    .memory_bytes = posix_memory_bytes,
};

static void
loop_close(struct uring *uring)
{
    uring_tables_close(uring);
    uring_ring_close(&uring->ring);
    uring_buffers_close(uring);
    uring_write_sync_fini(uring);
    (void)close(uring->bell_fd);
    (void)close(uring->wake_fd);
}

static int
loop_open(struct uring *uring, const struct uring_options *options)
{
    unsigned entries = options->ring_entries;
    uring->spin_ns = (uint64_t)options->spin_us * NS_PER_US;
    uring->paused_until_ns = IO_NEVER;
    uring->ring.counters = &uring->counters;
    uring->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (uring->wake_fd < 0) {
        return -errno;
    }
    int error = 0;
    uring->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (uring->bell_fd < 0) {
        error = -errno;
        goto out_wake;
    }
    error = uring_buffers_open(uring, options->receive_buffers);
    if (error < 0) {
        goto out_bell;
    }
    error = uring_ring_open(&uring->ring, entries, entries * COMPLETIONS_PER_ENTRY, options->level);
    if (error == 0) {
        return 0;
    }
    uring_buffers_close(uring);
out_bell:
    (void)close(uring->bell_fd);
out_wake:
    (void)close(uring->wake_fd);
    return error;
}

static void
driver_free(struct uring_driver *driver)
{
    if (driver != NULL) {
        free(driver->urings);
        free(driver->base.io);
        (void)pthread_mutex_destroy(&driver->start_lock);
        free(driver);
    }
}

static void
driver_close(struct io_driver *base)
{
    struct uring_driver *driver = (struct uring_driver *)base;
    ASSERT(driver->threads_count == 0 && driver->pool == NULL);
    for (unsigned i = 0; i < base->loops; i++) {
        loop_close(&driver->urings[i]);
    }
    driver_free(driver);
}

static struct uring_driver *
driver_new(const struct uring_options *options, const struct uring_host *host)
{
    struct uring_driver *driver = calloc(1, sizeof(*driver));
    if (driver == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&driver->start_lock, NULL); /* cannot fail on Linux */
    driver->base.ops = &uring_ops;
    driver->base.loops = options->loops;
    driver->workers = options->workers;
    driver->base.io = calloc(options->loops, sizeof(void *));
    size_t urings_bytes = options->loops * sizeof(*driver->urings);
    driver->urings = aligned_alloc(_Alignof(struct uring), urings_bytes);
    if (driver->base.io == NULL || driver->urings == NULL) {
        driver_free(driver);
        return NULL;
    }
    for (unsigned i = 0; i < options->loops; i++) {
        struct uring *uring = &driver->urings[i];
        *uring = (struct uring){.io = {.ops = &uring_ops, .driver = &driver->base, .loop = i}};
        driver->base.io[i] = &uring->io;
    }
    int version_length = (int)strspn(host->release, "0123456789.");
    driver->base.level_is_6_1 = options->level == IO_LEVEL_6_1;
    driver->level = options->level;
    (void)snprintf(driver->name, sizeof(driver->name), "uring %.*s (level %s)", version_length,
                   host->release, options->level == IO_LEVEL_6_1 ? "6.1" : "probe");
    return driver;
}

unsigned
uring_cores(void)
{
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof(cores), &cores) < 0) {
        return LOOPS_FALLBACK; /* more cores than the set can name */
    }
    return (unsigned)CPU_COUNT(&cores);
}

/* Once the rings are open and tell what the kernel has. */
static void
tables_measure(struct uring_driver *driver, const struct uring_options *options)
{
    struct rlimit limit;
    if (options->level == IO_LEVEL_6_1 ||
        (driver->urings[0].ring.queues.features & FEATURE_RW_ATTR) == 0 ||
        getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    driver->table_slots = options->table_slots;
    if (limit.rlim_cur < driver->table_slots) {
        driver->table_slots = (unsigned)limit.rlim_cur; /* the kernel's own limit for a table */
    }
    driver->table_entries = options->ring_entries;
    driver->table_completions = options->ring_entries * COMPLETIONS_PER_ENTRY;
    if (options->ring_entries > TABLE_ENTRIES_MAX) {
        driver->table_entries = TABLE_ENTRIES_MAX;
        driver->table_completions = TABLE_COMPLETIONS_LEAST;
    }
}

static bool
power_of_two(unsigned number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static const char *
options_fault(const struct uring_options *options)
{
    if (options->loops > URING_LOOPS_MAX) {
        return "more than 1,024 loops";
    }
    if (options->workers > WORKERS_MAX) {
        return "more than 1,024 workers";
    }
    if (!power_of_two(options->receive_buffers) ||
        options->receive_buffers > URING_RECEIVE_BUFFERS_MAX) {
        return "a number of receive buffers that is not a power of two up to 65,536";
    }
    if (!power_of_two(options->ring_entries) || options->ring_entries > URING_RING_ENTRIES_MAX) {
        return "a number of ring entries that is not a power of two up to 32,768";
    }
    if (options->table_slots > URING_TABLE_SLOTS_MAX) {
        return "more than 1,048,576 slots in a table";
    }
    return NULL;
}

unsigned
uring_workers(const struct io_driver *base)
{
    return ((const struct uring_driver *)base)->workers;
}

static struct uring_options
options_fill(const struct uring_options *given)
{
    struct uring_options options = *given;
    unsigned cores = uring_cores();
    if (options.loops == 0) {
        options.loops = cores;
    }
    if (options.workers == 0) {
        options.workers = cores > WORKERS_MIN ? cores : WORKERS_MIN;
    }
    if (options.receive_buffers == 0) {
        options.receive_buffers = RECEIVE_BUFFERS_DEFAULT;
    }
    if (options.ring_entries == 0) {
        options.ring_entries = RING_ENTRIES_DEFAULT;
    }
    if (options.table_slots == 0) {
        options.table_slots = TABLE_SLOTS_DEFAULT;
    }
    return options;
}

int
uring_open(const struct uring_options *given, struct io_driver **out, char *why, size_t why_bytes)
{
    struct uring_options options = options_fill(given);
    struct uring_host host;
    const char *fault = options_fault(&options);
    if (fault != NULL) {
        if (why != NULL) {
            (void)snprintf(why, why_bytes, "%s cannot be had", fault);
        }
        return -EINVAL;
    }
    uring_host_read(&host);
    struct uring_driver *driver = driver_new(&options, &host);
    if (driver == NULL) {
        uring_explain(&host, "opening the driver", -ENOMEM, why, why_bytes);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < options.loops; i++) {
        int error = loop_open(&driver->urings[i], &options);
        if (error < 0) {
            uring_explain(&host, "opening a ring", error, why, why_bytes);
            driver->base.loops = i;
            driver_close(&driver->base);
            return error;
        }
    }
    tables_measure(driver, &options);
    *out = &driver->base;
    return 0;
}
