/* SPDX-License-Identifier: Apache-2.0 */
/* The clock and the order of things.
 *
 * One step of the simulation is one event: either the agenda's first entry whose instant has come,
 * or one turn of one loop. Due entries go before turns; among several loops that want a turn at the
 * same instant chance chooses. When nothing is due the clock jumps to what comes next. File calls
 * made inside a step count as events of their own, so that the power can go between a write and its
 * sync, in the middle of a job.
 *
 * After the crash the rest of the step still runs, and so does whatever tears the node down: to
 * that code the machine looks alive, but nothing it does will have happened (sim_disk.h).
 */
#include "runtime/io/sim.h"

#include "runtime/io/sim_disk.h"
#include "runtime/io/sim_file.h"
#include "runtime/io/sim_host.h"
#include "runtime/io/sim_loop.h"
#include "runtime/io/sim_network.h"
#include "runtime/io/sim_work.h"
#include "runtime/io/trap.h"

#include <stdio.h>
#include <stdlib.h>

/* 2026-01-01 00:00 UTC. */
static const int64_t WALL_START_MS_DEFAULT = 1767225600000;

enum {
    NS_PER_MS = 1000 * 1000,
    PAGE_WAIT_ONE_IN_DEFAULT = 256,
};

/* Of the simulated machine: what is reckoned by it is the same everywhere. */
static const uint64_t MEMORY_BYTES = UINT64_C(8) << 30;

/* --------------------------------------------------------------------------------------- shared */

size_t
sim_pieces_bytes(const struct iovec *pieces, unsigned count)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        bytes += pieces[i].iov_len;
    }
    return bytes;
}

void *
sim_memory(size_t bytes)
{
    void *memory = calloc(1, bytes > 0 ? bytes : 1);
    ASSERT(memory != NULL);
    return memory;
}

void *
sim_resize(void *array, size_t count, size_t item_bytes)
{
    void *memory = reallocarray(array, count, item_bytes);
    ASSERT(memory != NULL);
    return memory;
}

void
sim_note(struct sim *sim, uint64_t word)
{
    sim->digest = sim_mix(sim->digest, word);
}

void
sim_note_bytes(struct sim *sim, const void *bytes, size_t count)
{
    sim->digest = sim_mix_bytes(sim->digest, bytes, count);
}

static const char *
event_name(enum sim_event event)
{
    static const char *const names[] = {
        [SIM_EVENT_AGENDA] = "agenda",         [SIM_EVENT_TURN] = "turn",
        [SIM_EVENT_FILE_WRITE] = "write",      [SIM_EVENT_FILE_SYNC] = "sync",
        [SIM_EVENT_FILE_RESIZE] = "resize",    [SIM_EVENT_NAMES] = "names",
        [SIM_EVENT_NAMES_SYNC] = "names sync",
    };
    return names[event];
}

static void
log_event(struct sim *sim, enum sim_event event, uint64_t detail)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "%llu at %llu ns: %s %llu, digest %016llx",
                   (unsigned long long)sim->events, (unsigned long long)sim->now_ns,
                   event_name(event), (unsigned long long)detail, (unsigned long long)sim->digest);
    sim->options.log(sim->options.log_context, line);
}

void
sim_happen(struct sim *sim, enum sim_event event, uint64_t detail)
{
    if (sim->crashed) {
        return;
    }
    sim->events++;
    sim_note(sim, sim_mix(sim->now_ns, sim_mix((uint64_t)event, detail)));
    if (sim->options.log) {
        log_event(sim, event, detail);
    }
    if (sim->events >= sim->crash_at_event) {
        sim_crash(&sim->base);
    }
}

void
sim_later(struct sim *sim, uint64_t delay_ns, void (*fire)(void *context),
          void (*drop)(void *context), void *context)
{
    sim_agenda_push(&sim->agenda, sim->now_ns + delay_ns, fire, drop, context);
}

/* ---------------------------------------------------------------------------------------- steps */

/* One of the loops that want a turn now; NULL: none. */
static struct sim_loop *
ready_loop(struct sim *sim)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < sim->base.loops; i++) {
        count += sim_loop_next_ns(&sim->loops[i], sim->now_ns) <= sim->now_ns;
    }
    if (count == 0) {
        return NULL;
    }
    uint64_t choice = sim_chance_below(&sim->order, count);
    for (unsigned i = 0;; i++) {
        ASSERT(i < sim->base.loops);
        if (sim_loop_next_ns(&sim->loops[i], sim->now_ns) <= sim->now_ns && choice-- == 0) {
            return &sim->loops[i];
        }
    }
}

static uint64_t
next_ns(const struct sim *sim)
{
    uint64_t next = sim_agenda_next_ns(&sim->agenda);
    for (unsigned i = 0; i < sim->base.loops; i++) {
        uint64_t wanted = sim_loop_next_ns(&sim->loops[i], sim->now_ns);
        next = wanted < next ? wanted : next;
    }
    return next;
}

static void
step(struct sim *sim)
{
    if (sim_agenda_next_ns(&sim->agenda) <= sim->now_ns) {
        sim_happen(sim, SIM_EVENT_AGENDA, 0);
        if (!sim->crashed) {
            struct sim_entry entry = sim_agenda_pop(&sim->agenda);
            entry.fire(entry.context);
        }
        return;
    }
    struct sim_loop *loop = ready_loop(sim);
    ASSERT(loop != NULL);
    sim_happen(sim, SIM_EVENT_TURN, loop->io.loop);
    if (!sim->crashed) {
        sim_loop_turn(loop);
    }
}

bool
sim_over(const struct sim *sim)
{
    if (sim->crashed) {
        return true;
    }
    for (unsigned i = 0; i < sim->base.loops; i++) {
        if (sim->loops[i].running) {
            return false;
        }
    }
    return sim->started;
}

static bool
run_until(struct sim *sim, uint64_t until_ns)
{
    while (!sim_over(sim)) {
        uint64_t next = next_ns(sim);
        if (next == IO_NEVER) {
            return false;
        }
        if (next > until_ns) {
            sim->now_ns = until_ns > sim->now_ns ? until_ns : sim->now_ns;
            return true;
        }
        sim->now_ns = next > sim->now_ns ? next : sim->now_ns;
        step(sim);
    }
    return false;
}

bool
sim_run(struct io_driver *driver, uint64_t until_ns)
{
    struct sim *sim = sim_of(driver);
    trap_enter(&sim->trap, NULL, false);
    bool more = run_until(sim, until_ns);
    trap_leave(&sim->trap);
    return more;
}

/* ------------------------------------------------------------------------------------ for tests */

void
sim_crash_at(struct io_driver *driver, uint64_t event)
{
    sim_of(driver)->crash_at_event = event;
}

void
sim_crash(struct io_driver *driver)
{
    struct sim *sim = sim_of(driver);
    if (!sim->crashed) {
        sim->crashed = true;
        sim_disk_lose_power(sim->disk);
    }
}

bool
sim_crashed(const struct io_driver *driver)
{
    return sim_of(driver)->crashed;
}

uint64_t
sim_events(const struct io_driver *driver)
{
    return sim_of(driver)->events;
}

uint64_t
sim_digest(const struct io_driver *driver)
{
    return sim_of(driver)->digest;
}

uint64_t
sim_random(struct io_driver *driver, uint64_t below)
{
    return sim_chance_below(&sim_of(driver)->test, below);
}

void
sim_work_cost_set(struct io_driver *driver, uint64_t work_cost_ns)
{
    sim_of(driver)->options.work_cost_ns = work_cost_ns;
}

uint64_t
sim_now_ns(const struct io_driver *driver)
{
    return sim_of(driver)->now_ns;
}

void
sim_at(struct io_driver *driver, uint64_t at_ns, void (*fire)(void *context), void *context)
{
    struct sim *sim = sim_of(driver);
    sim_later(sim, at_ns > sim->now_ns ? at_ns - sim->now_ns : 0, fire, NULL, context);
}

/* ----------------------------------------------------------------------------------- the driver */

static int
driver_start(struct io_driver *driver, const struct io_loop *loops)
{
    struct sim *sim = sim_of(driver);
    ASSERT(!sim->started);
    sim->started = true;
    for (unsigned i = 0; i < driver->loops; i++) {
        sim_loop_start(&sim->loops[i], &loops[i]);
    }
    return 0;
}

static void
driver_join(struct io_driver *driver)
{
    (void)sim_run(driver, IO_NEVER);
}

static void
driver_close(struct io_driver *driver)
{
    struct sim *sim = sim_of(driver);
    trap_close(&sim->trap);
    sim_agenda_fini(&sim->agenda);
    sim_network_free(sim->network);
    sim_request_free_all(sim);
    sim_work_queue_free(sim->work);
    sim_disk_close(sim->disk);
    for (unsigned i = 0; i < driver->loops; i++) {
        sim_loop_fini(&sim->loops[i]);
    }
    free(sim->loops);
    free(driver->io);
    free(sim);
}

static uint64_t
driver_now_ns(struct io *io)
{
    return sim_of_io(io)->now_ns;
}

static int64_t
driver_wall_ms(struct io *io)
{
    const struct sim *sim = sim_of_io(io);
    return sim->options.wall_start_ms + (int64_t)(sim->now_ns / NS_PER_MS);
}

static uint64_t
driver_cpu_ns(struct io *io)
{
    return sim_loop_of(io)->cpu_ns;
}

static uint64_t
driver_page_waits(struct io *io)
{
    struct sim *sim = sim_of_io(io);
    uint64_t one_in = sim->options.page_wait_one_in;
    sim->page_waits +=
        sim_chance_one_in(&sim->page_chance, one_in != 0 ? one_in : PAGE_WAIT_ONE_IN_DEFAULT);
    return sim->page_waits;
}

static void
driver_random(struct io *io, void *out, size_t bytes)
{
    sim_chance_fill(&sim_of_io(io)->keys, out, bytes);
}

static uint32_t
driver_choose(struct io *io, uint32_t below)
{
    struct sim *sim = sim_of_io(io);
    return sim->options.ready_in_order ? 0 : (uint32_t)sim_chance_below(&sim->ready, below);
}

static void
driver_stats_read(struct io *io, struct io_stats *out)
{
    *out = sim_loop_of(io)->stats;
}

static uint64_t
driver_memory_bytes(void)
{
    return MEMORY_BYTES;
}

static const char *
driver_name(const struct io_driver *driver)
{
    return sim_of(driver)->name;
}

static const struct io_ops sim_ops = {
    .start = driver_start,
    .join = driver_join,
    .close_driver = driver_close,
    .wake = sim_loop_wake,
    .now_ns = driver_now_ns,
    .wall_ms = driver_wall_ms,
    .cpu_ns = driver_cpu_ns,
    .page_waits = driver_page_waits,
    .random = driver_random,
    .choose = driver_choose,

    .resolve = sim_host_resolve,
    .listen = sim_network_listen,
    .accept = sim_network_accept,
    .connect = sim_network_connect,
    .peer = sim_network_peer,
    .poll = sim_socket_poll,
    .receive = sim_socket_receive,
    .received = sim_loop_received,
    .release = sim_loop_release,
    .receive_room = sim_loop_receive_room,
    .send = sim_socket_send,
    .shutdown = sim_socket_shutdown,
    .close = sim_network_close,
    .settle = sim_handle_settle,
    .settled_max = sim_handle_settled_max,
    .cancel = sim_request_cancel,

    .file_open = sim_file_open,
    .file_close = sim_file_close,
    .file_read = sim_file_read,
    .file_write = sim_file_write,
    .file_sync = sim_file_sync,
    .file_size = sim_file_size,
    .file_truncate = sim_file_truncate,
    .file_allocate = sim_file_allocate,
    .file_lock = sim_file_lock,
    .rename = sim_disk_rename,
    .remove = sim_disk_remove,
    .make_directory = sim_disk_make_directory,
    .sync_directory = sim_disk_sync_directory,
    .list_directory = sim_disk_list_directory,
    .free_bytes = sim_disk_free_bytes,
    .write_sync = sim_file_write_sync,

    .work_start = sim_work_start,
    .work_withdraw = sim_work_withdraw,
    .stats_read = driver_stats_read,
    .driver_name = driver_name,
    .memory_bytes = driver_memory_bytes,
};

static void
sim_seed(struct sim *sim, uint64_t seed)
{
    sim->digest = sim_mix(0, seed);
    sim_chance_init(&sim->order, seed, SIM_STREAM_ORDER);
    sim_chance_init(&sim->network_chance, seed, SIM_STREAM_NETWORK);
    sim_chance_init(&sim->disk_chance, seed, SIM_STREAM_DISK);
    sim_chance_init(&sim->crash_chance, seed, SIM_STREAM_CRASH);
    sim_chance_init(&sim->work_chance, seed, SIM_STREAM_WORK);
    sim_chance_init(&sim->keys, seed, SIM_STREAM_KEYS);
    sim_chance_init(&sim->test, seed, SIM_STREAM_TEST);
    sim_chance_init(&sim->fault_chance, seed, SIM_STREAM_FAULT);
    sim_chance_init(&sim->ready, seed, SIM_STREAM_READY);
    sim_chance_init(&sim->page_chance, seed, SIM_STREAM_PAGE);
}

int
sim_open(const struct sim_options *options, struct io_driver **out)
{
    struct sim *sim = sim_memory(sizeof(*sim));
    sim->options = *options;
    sim->options.loops = options->loops ? options->loops : 1;
    sim->options.wall_start_ms =
        options->wall_start_ms ? options->wall_start_ms : WALL_START_MS_DEFAULT;
    int error = sim_disk_open(sim, options->root, &sim->disk);
    if (error < 0) {
        free(sim);
        return error;
    }
    sim->options.root = NULL; /* the disk has its own copy */
    sim->now_ns = options->now_start_ns;
    sim->crash_at_event = IO_NEVER;
    (void)snprintf(sim->name, sizeof(sim->name), "sim seed %llu",
                   (unsigned long long)options->seed);
    sim_seed(sim, options->seed);
    sim->network = sim_network_new(sim);
    sim->work = sim_work_queue_new(sim);

    unsigned loops = sim->options.loops;
    sim->loops = sim_memory(loops * sizeof(*sim->loops));
    sim->base = (struct io_driver){.ops = &sim_ops, .loops = loops};
    sim->base.io = sim_memory(loops * sizeof(struct io *));
    for (unsigned i = 0; i < loops; i++) {
        sim_loop_init(&sim->loops[i], sim, &sim_ops, i);
        sim->base.io[i] = &sim->loops[i].io;
    }
    *out = &sim->base;
    return 0;
}
