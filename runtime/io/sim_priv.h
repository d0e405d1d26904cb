/* SPDX-License-Identifier: Apache-2.0 */
/* sim_priv.h - what the files of the sim driver share. For runtime/io/sim*.c alone.
 *
 * sim.c keeps the clock and the order of things; sim_loop.c a loop's turns and completions;
 * sim_request.c an operation between its start and its last done; sim_work.c the jobs;
 * sim_network.c addresses, listeners and connecting, sim_stream.c the bytes of a connection,
 * sim_socket.c what waits for them, sim_peer.c the peers of tests; sim_disk.c directories and life,
 * sim_file.c the file calls, sim_inode.c what a file would lose, sim_names.c what a directory would
 * lose, sim_foreign.c the descriptors that a library has opened itself, sim_fault.c what goes
 * wrong.
 */
#pragma once

#include "runtime/io/io_priv.h"
#include "runtime/io/sim.h"
#include "runtime/io/sim_agenda.h"
#include "runtime/io/sim_chance.h"
#include "runtime/io/trap.h"

struct sim_loop;
struct sim_network;
struct sim_disk;
struct sim_work_queue;
struct sim_request;

enum { SIM_HOSTS_MAX = 16 };
struct sim_host {
    char name[64];
    char address[48];
};

struct sim {
    struct io_driver base; /* first: what io.h hands around */
    struct sim_options options;
    char name[40];

    uint64_t now_ns;
    struct sim_agenda agenda;
    uint64_t events;
    uint64_t crash_at_event; /* IO_NEVER: no crash planned */
    bool crashed;
    uint64_t digest;

    struct sim_chance order, network_chance, disk_chance, crash_chance, work_chance, keys, test;
    struct sim_chance fault_chance, ready, page_chance;
    uint64_t page_waits;
    struct sim_struck struck;

    struct sim_loop *loops; /* [base.loops] */
    bool started;
    struct trap trap; /* kept from one sim_run to the next: tests call it for each millisecond */
    struct sim_request *requests; /* all that are not freed yet */
    struct sim_network *network;
    struct sim_disk *disk;
    struct sim_work_queue *work;
    struct sim_host hosts[SIM_HOSTS_MAX];
    unsigned hosts_count;
    bool silence;
    unsigned char silent_host[IO_HOST_BYTES];
};

static inline struct sim *
sim_of(const struct io_driver *driver)
{
    return (struct sim *)(uintptr_t)driver;
}

static inline struct sim *
sim_of_io(const struct io *io)
{
    return sim_of(io->driver);
}

/* What an event was, for the digest. */
enum sim_event {
    SIM_EVENT_AGENDA = 1,
    SIM_EVENT_TURN,
    SIM_EVENT_FILE_WRITE,
    SIM_EVENT_FILE_SYNC,
    SIM_EVENT_FILE_RESIZE,
    SIM_EVENT_NAMES,
    SIM_EVENT_NAMES_SYNC,
};

/* True when no loop will take a turn any more: all have stopped, or the power has gone. */
bool sim_over(const struct sim *sim);

/* Counts an event and, when it is the one at which the power goes, crashes: the caller looks at
 * sim->crashed. After the crash nothing is counted. */
void sim_happen(struct sim *sim, enum sim_event event, uint64_t detail);
/* Mixes a detail into the digest: all that could differ between two runs should be told. */
void sim_note(struct sim *sim, uint64_t word);
void sim_note_bytes(struct sim *sim, const void *bytes, size_t count);

/* sim_fault.c: whether a fault strikes now; never, and without a draw, when `one_in` is 0. */
bool sim_fault(struct sim *sim, uint32_t one_in, uint64_t *struck);
/* How much longer it takes when it does: up to `max_ns`, or `otherwise_ns` when that is 0. */
uint64_t sim_fault_delay_ns(struct sim *sim, uint64_t max_ns, uint64_t otherwise_ns);

/* Enters something into the agenda, `delay_ns` from now. */
void sim_later(struct sim *sim, uint64_t delay_ns, void (*fire)(void *context),
               void (*drop)(void *context), void *context);

/* What pieces of a write or a send come to. */
size_t sim_pieces_bytes(const struct iovec *pieces, unsigned count);

/* Zeroed memory, and a larger array. A test machine without memory has nothing to tell: both end
 * the process. */
void *sim_memory(size_t bytes);
void *sim_resize(void *array, size_t count, size_t item_bytes);
