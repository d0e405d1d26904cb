/* SPDX-License-Identifier: Apache-2.0 */
/* sim.h - the deterministic driver: one thread, and everything that happens follows from one seed.
 *
 * The clock is virtual: it stands still while code runs and jumps to the next event when nothing is ready. Which loop
 * takes its turn next, how long a packet or a disk takes, how a send is cut into pieces: all drawn from the seed. Two
 * runs with the same seed are the same run.
 *
 * The disk is real files under `root` (LMDB maps them), with a memory of what was not yet synced: every write, by us
 * or by LMDB (whose file calls are wrapped at link time, sim_wrap.h), keeps its before-image until a sync covers it.
 * sim_crash throws away a seeded subset of the unsynced writes, tears some in the middle at sector bounds, and
 * likewise undoes creations, renames and removals whose directory was not synced.
 *
 *     sim_open(&options, &driver, ...);   one life of a machine: start a node on it, io_join until it stops
 *     sim_crash_at(driver, n);            or: the power goes at the n-th event; io_join returns with everything cut
 *     io_driver_close(driver);
 *     sim_open(... same root ...);        the next life finds what was left on the disk
 */
#pragma once

#include "runtime/io/io.h"

struct sim_options {
    uint64_t seed;
    unsigned loops;        /* 0: 1 */
    const char *root;      /* all files live below it; absolute paths handed to io must be inside */
    int64_t wall_start_ms; /* 0: 2026-01-01 00:00 UTC */
    uint64_t now_start_ns; /* lets a later life go on where the clock was */
    uint64_t
        network_delay_ns_max; /* each segment is delayed by up to this, in order per connection; 0: 200 us */
    uint64_t disk_delay_ns_max; /* each write and sync takes up to this; 0: 1 ms */
    uint64_t work_delay_ns_max; /* each worker job waits up to this; 0: 1 ms */
    uint64_t disk_bytes_max;    /* -ENOSPC beyond it, sizes of all files together; 0: no limit */
    uint64_t
        turn_cost_ns_max; /* a loop is busy this long at most with a turn, at least 1; 0: 20 us */
    uint32_t
        connection_bytes_max; /* what one direction of a connection holds, flying or unread; 0: 64 KiB */
    uint32_t receive_buffers; /* per loop; 0: 64 */
    uint32_t sockets_max;     /* -EMFILE beyond it, all loops together; 0: no limit */
    bool drop_syncs; /* a planted bug for judging the judges: syncs report success and do nothing */
};

MUST_CHECK int sim_open(const struct sim_options *options, struct io_driver **out);

/* The machine loses power when the event counter reaches `event` (counted from open): no loop takes another turn,
 * unsynced writes are thrown away by the seed, io_join returns. sim_crashed tells whether that is why it returned. */
void sim_crash_at(struct io_driver *driver, uint64_t event);
/* The same at once, from inside a turn or between runs. */
void sim_crash(struct io_driver *driver);
bool sim_crashed(const struct io_driver *driver);
uint64_t sim_events(const struct io_driver *driver);

/* Runs until the virtual clock reaches `until_ns`, all loops stopped, or nothing can ever happen again. True while
 * there is still something to do. io_join is this with IO_NEVER. */
bool sim_run(struct io_driver *driver, uint64_t until_ns);

/* A hash over everything that has happened (events, their order, bytes moved): equal for equal seeds. */
uint64_t sim_digest(const struct io_driver *driver);

/* Chance for tests, from the same seed but a stream of its own. */
uint64_t sim_random(struct io_driver *driver, uint64_t below);

/* A test's own peer on the simulated network, outside any loop: bytes in, bytes out, callbacks from inside sim_run. */
struct sim_peer;
struct sim_peer_events {
    void (*connected)(void *context, struct sim_peer *peer, int error); /* 0 or a negative errno */
    void (*received)(void *context, struct sim_peer *peer, const unsigned char *bytes,
                     size_t count);
    void (*closed)(void *context, struct sim_peer *peer, bool reset); /* by the other side */
};
/* Connects to an address the node listens on. The peer lives until sim_peer_free (or the driver's close). */
struct sim_peer *sim_peer_connect(struct io_driver *driver, const struct io_address *address,
                                  const struct sim_peer_events *events, void *context);
void sim_peer_send(struct sim_peer *peer, const void *bytes, size_t count);
void sim_peer_shutdown(struct sim_peer *peer);
/* Cuts the connection: bytes in flight in both directions are lost; the node sees a reset. */
void sim_peer_cut(struct sim_peer *peer);
void sim_peer_free(struct sim_peer *peer);
/* While paused a peer does not read: the node's sends to it fill up and stall. */
void sim_peer_pause(struct sim_peer *peer, bool paused);

/* Calls `fire` at an instant of the virtual clock, outside any loop: how a test's script goes on. */
void sim_at(struct io_driver *driver, uint64_t at_ns, void (*fire)(void *context), void *context);
uint64_t sim_now_ns(const struct io_driver *driver);
