/* SPDX-License-Identifier: Apache-2.0 */
/* sim.h - the deterministic driver: one thread, and everything that happens follows from one seed.
 *
 * The clock is virtual: it stands still while code runs and jumps to the next event when nothing is
 * ready. Which loop takes its turn next, how long a packet or a disk takes, how a send is cut into
 * pieces: all drawn from the seed. Two runs with the same seed are the same run.
 *
 * The disk is real files under `root` (LMDB maps them), with a memory of what was not yet synced:
 * every write, by us or by LMDB (whose file calls are wrapped at link time, sim_wrap.h), keeps its
 * before-image until a sync covers it. A crash throws away a seeded subset of the unsynced writes,
 * tears some in the middle at sector bounds, and likewise undoes creations, renames and removals
 * whose directory was not synced (a file's sync does not cover its name).
 *
 * The crash is played on the files by io_driver_close: tear the dead node down before it, LMDB
 * environments included. Until then its calls seem to work, so that no error sends it down a path
 * of its own, but nothing done after the crash lasts. A driver closed without a crash leaves all
 * that was written, synced or not, as a killed process does.
 *
 * Called from the one thread that runs the simulation: between runs, or from what it calls.
 *
 *     sim_open(&options, &driver, ...);  one life of a machine: start a node, io_join till it stops
 *     sim_crash_at(driver, n);           or: the power goes at the n-th event; io_join returns with
 *                                        everything cut
 *     io_driver_close(driver);
 *     sim_open(... same root ...);       the next life finds what was left on the disk
 */
#pragma once

#include "runtime/io/io.h"

LN_BEGIN

/* What goes wrong, beyond what chance does anyway: each member says in how many cases one does, 0
 * never. They have a stream of chance of their own, so that a fault more does not change the rest
 * of a run before it strikes. */
struct sim_faults {
    /* The network. A far connection's segments fly up to far_ns_max longer, each; so do held
     * segments of any connection, and those behind them. Connections overtake each other so, bytes
     * of one never. */
    uint32_t far_one_in;    /* of the connections */
    uint32_t held_one_in;   /* of the segments */
    uint64_t far_ns_max;    /* 0: 50 ms */
    uint32_t part_one_in;   /* of the sends and receives move fewer bytes than they could; 0: 8 */
    uint32_t cut_one_in;    /* of the segments: all that flies is lost, both sides see a reset */
    uint32_t vanish_one_in; /* of the segments: from then on nothing arrives, either way, and nobody
                               is told; whoever waits so long for an acknowledgement gets
                               -ETIMEDOUT */
    uint64_t vanish_timeout_ns; /* 0: 20 s */
    uint32_t unsettled_one_in;  /* of the sockets that are to settle find no room: -ENOMEM */
    /* The disk. */
    uint32_t slow_one_in;        /* of the writes and syncs take up to slow_ns_max longer */
    uint64_t slow_ns_max;        /* 0: 500 ms */
    uint32_t full_one_in;        /* of the writes and resizes that need new room: -ENOSPC */
    uint32_t write_error_one_in; /* of the writes: some of it is written, and -EIO */
    uint32_t sync_error_one_in;  /* of the syncs: nothing is settled, and -EIO */
    uint32_t read_error_one_in;  /* of the reads: -EIO */
};

/* How often each has struck. */
struct sim_struck {
    uint64_t far, held, cut, vanished, unsettled;
    uint64_t slow, full, write_errors, sync_errors, read_errors;
};

struct sim_options {
    uint64_t seed;
    struct sim_faults faults;
    unsigned loops; /* 0: 1 */
    /* All files live below it, it is made when missing; a path that leaves it is -EACCES. NULL: no
     * disk. */
    const char *root;
    /* The wall clock at instant 0 of the virtual clock. 0: 2026-01-01 00:00 UTC. */
    int64_t wall_start_ms;
    /* Lets a later life go on where the clock was. */
    uint64_t now_start_ns;
    /* Each segment flies for up to this, in order per direction. 0: 200 us. */
    uint64_t network_delay_ns_max;
    /* Each write and sync takes up to this. 0: 1 ms. */
    uint64_t disk_delay_ns_max;
    /* Each worker job waits up to this before it runs and takes up to this. 0: 1 ms. */
    uint64_t work_delay_ns_max;
    /* Looks at io_page_waits for one that finds a wait. 0: 256. */
    uint64_t page_wait_one_in;
    /* A loop is busy for 1 ns up to this with a turn, while others go on. 0: 20 us. */
    uint64_t turn_cost_ns_max;
    /* And for so much with each piece of work in it (sim_work_cost_set). */
    uint64_t work_cost_ns;
    /* Ready actors run in the order in which they became ready, as with the real driver; else
     * chance chooses. */
    bool ready_in_order;
    /* -ENOSPC beyond it, the sizes of all files together. 0: no limit. */
    uint64_t disk_bytes_max;
    /* What one direction of a connection holds, flying or unread. 0: 64 KiB. */
    uint32_t connection_bytes_max;
    /* Per loop; -ENOBUFS when all are held. 0: 64. */
    uint32_t receive_buffers;
    /* -EMFILE beyond it, listeners and sockets of all loops together. 0: no limit. */
    uint32_t sockets_max;
    /* A planted bug for judging the judges: syncs report success and do nothing. */
    bool drop_syncs;
    /* Called with a line for each event, a digest of all before it included: equal seeds give equal
     * logs. NULL: none. */
    void (*log)(void *context, const char *line);
    void *log_context;
};

/* 0 or a negative errno; -EBUSY when another driver with a disk is open in this process. */
LN_API LN_MUST_CHECK int sim_open(const struct sim_options *options, struct io_driver **out);

/* The machine loses power when the event counter reaches `event` (counted from open): no loop takes
 * another turn, unsynced writes are thrown away by the seed, io_join returns. sim_crashed tells
 * whether that is why it returned. */
LN_API void sim_crash_at(struct io_driver *driver, uint64_t event);
/* The same at once, from inside a turn or between runs. */
LN_API void sim_crash(struct io_driver *driver);
/* Whether the power has gone. */
LN_API bool sim_crashed(const struct io_driver *driver);
/* Events since the driver was opened: what sim_crash_at counts. */
LN_API uint64_t sim_events(const struct io_driver *driver);
/* How often each of the faults has struck since then. */
LN_API void sim_struck(const struct io_driver *driver, struct sim_struck *out);
/* From now on; faults of a connection's whole life strike those that are made from now on. */
LN_API void sim_faults_set(struct io_driver *driver, const struct sim_faults *faults);
/* From now on each piece of work that a loop's turn does takes so long; of a scheduler, an actor's
 * turn is one. 0, as it begins: all of them together take no more than a turn. */
LN_API void sim_work_cost_set(struct io_driver *driver, uint64_t work_cost_ns);

/* Runs until the virtual clock reaches `until_ns`, all loops stopped, or nothing can ever happen
 * again. True while there is still something to do. io_join is this with IO_NEVER. */
LN_API bool sim_run(struct io_driver *driver, uint64_t until_ns);

/* A hash over everything that has happened (events, their order, bytes moved): equal for equal
 * seeds. */
LN_API uint64_t sim_digest(const struct io_driver *driver);

/* Chance for tests, from the same seed but a stream of its own. */
LN_API uint64_t sim_random(struct io_driver *driver, uint64_t below);

/* A host of this name has this address, a numeric one without a port (io_resolve); several calls
 * give a name several. Names that nobody has been given are unknown. */
LN_API void sim_host_add(struct io_driver *driver, const char *name, const char *address);
/* Nobody answers at this address, the last one that was named: who connects there waits for as long
 * as for one who has vanished. */
LN_API void sim_host_silence(struct io_driver *driver, const char *address);

/* A test's own peer on the simulated network, outside any loop: bytes in, bytes out, callbacks from
 * inside sim_run. */
struct sim_peer;
struct sim_peer_events {
    void (*connected)(void *context, struct sim_peer *peer, int error); /* 0 or a negative errno */
    void (*received)(void *context, struct sim_peer *peer, const unsigned char *bytes,
                     size_t count);
    void (*closed)(void *context, struct sim_peer *peer, bool reset); /* by the other side */
};
/* Connects to an address the node listens on. The peer lives until sim_peer_free (or the driver's
 * close). */
LN_API struct sim_peer *sim_peer_connect(struct io_driver *driver, const struct io_address *address,
                                         const struct sim_peer_events *events, void *context);
/* Sends bytes to the node; they are copied. */
LN_API void sim_peer_send(struct sim_peer *peer, const void *bytes, size_t count);
/* Ends the peer's side: the node sees the end after what was sent. */
LN_API void sim_peer_shutdown(struct sim_peer *peer);
/* Cuts the connection: bytes in flight in both directions are lost; the node sees a reset. */
LN_API void sim_peer_cut(struct sim_peer *peer);
/* The peer's machine is gone: nothing arrives any more, either way, and the node is told nothing.
 */
LN_API void sim_peer_vanish(struct sim_peer *peer);
/* Frees a peer; what is left of its connection is cut. */
LN_API void sim_peer_free(struct sim_peer *peer);
/* While paused a peer does not read: the node's sends to it fill up and stall. */
LN_API void sim_peer_pause(struct sim_peer *peer, bool paused);

/* Calls `fire` at an instant of the virtual clock, outside any loop: how a test's script goes
 * on. */
LN_API void sim_at(struct io_driver *driver, uint64_t at_ns, void (*fire)(void *context),
                   void *context);
/* Nanoseconds on the virtual clock. */
LN_API uint64_t sim_now_ns(const struct io_driver *driver);

LN_END
