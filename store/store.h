/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - the store as a whole: opened before the schedulers run, then a set of actors that
 * answer requests.
 *
 *     struct store_options options = {.driver = driver, .path = "/var/lib/linnet"};
 *     struct store_report report;
 *     if (store_open(&options, &store, &report) < 0) {
 *         ... report.why says in one sentence what is wrong, and how to mend it ...
 *     }
 *     children = store_children(store, &count);              for a supervisor of the node's tree
 *     ... and in any actor, with the requests of request.h:
 *     error = ln_call(store_user_pid(store, user), &request, timeout_ms, &answer);
 *     ... the node has been joined ...
 *     store_close(&store);
 *
 * What is opened: the data directory and its lock, an LMDB environment per cell, a log per
 * scheduler. What the logs hold beyond the environments is applied again, and each partition begins
 * a new epoch, durably, before store_open returns. What it promises once it runs:
 * docs/guarantees.md.
 *
 * store_open and store_close are for start-up and shutdown, on one thread. Everything else: any
 * thread, never yields.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"
#include "runtime/supervisor.h"
#include "store/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum {
    STORE_WHY_BYTES = 512,
    STORE_SECRET_BYTES = 32,

    /* Defaults of the settings below. */
    /* About a week of a busy person who reads on another device. */
    STORE_INBOX_ENTRIES_MAX = 10000,
    STORE_INBOX_BYTES_MAX = 32 << 20,
    /* As WhatsApp has. */
    STORE_DEVICES_MAX = 5,
    /* How far a log may reach beyond a fold: what a start must apply again, some 400,000 commands
     * a second and log. */
    STORE_REPLAY_BYTES_MAX = 384 << 20,
    /* Commands applied to a cell since its last fold, whatever their size. */
    STORE_REPLAY_COMMANDS_MAX = 500000,
    STORE_READS_UNTIL_WARM = 256,
    STORE_GROUP_MEMBERS_MAX = 1024,
    /* Freed when the disk is full, so that acknowledgements, removals and folds go on. */
    STORE_RESERVE_BYTES = 64 << 20,
    /* How many of a group's newest messages are remembered beyond their time because a member may
     * still miss them: a short row each. */
    STORE_GROUP_WAITS_MAX = 1 << 20,
};
#define STORE_OUTBOX_BYTES_MAX (UINT64_C(64) << 20)
/* How long a group remembers at least who wrote a message, and when: a week. */
#define STORE_GROUP_LOG_MS (UINT64_C(7) * 24 * 3600 * 1000)
/* Memory of all partitions' deltas together: a cell is folded when it has half of its part, and
 * from three quarters of all on new work slows down (room.h). By default a part of what the process
 * may use, within these bounds. */
enum { STORE_DELTA_PART = 8 };
/* Less is refused: the tables of 256 partitions with a little in each would be full of
 * themselves. */
#define STORE_DELTA_BYTES_MIN (UINT64_C(16) << 20)
#define STORE_DELTA_BYTES_LEAST (UINT64_C(64) << 20)
#define STORE_DELTA_BYTES_MOST (UINT64_C(4) << 30)

/* A setting of time that is not to come. */
#define STORE_NEVER UINT64_MAX
#define STORE_DAY_MS UINT64_C(86400000)
#define STORE_DEVICE_UNSEEN_MS (30 * STORE_DAY_MS)
#define STORE_DEVICE_WARN_MS (7 * STORE_DAY_MS)
#define STORE_INBOX_AGE_MS (30 * STORE_DAY_MS)
/* How far a device that stays attached may lag behind in when it was last seen. */
#define STORE_SEEN_MS (STORE_DAY_MS / 4)

/* Settings; 0 stands for the default. What may differ between two starts does; cells may not. */
struct store_options {
    struct io_driver *driver; /* borrowed until store_close */
    const char *path;         /* the data directory; made when missing, its parent must exist */
    unsigned cells; /* at creation only: a power of two; 0: the schedulers rounded up, at least 8 */
    unsigned schedulers;    /* 0: as many as the driver has loops */
    uint64_t map_bytes;     /* of each cell's environment: address space, neither memory nor disk */
    uint32_t segment_bytes; /* of the log */
    uint64_t delta_bytes_max;
    uint64_t replay_bytes_max;
    uint64_t replay_commands_max;
    uint64_t reserve_bytes;
    /* Of each device. Logged at every open, since what is decided must be decided alike when it is
     * applied again. */
    uint32_t inbox_entries_max;
    uint64_t inbox_bytes_max;
    uint16_t devices_max; /* of each user; STORE_DEVICES_LIMIT at most */
    /* What a user may have set (state.h), in number and bytes. Logged with each change. */
    uint32_t states_max;
    uint32_t states_bytes_max;
    uint32_t group_members_max; /* STORE_GROUP_MEMBERS_LIMIT at most */
    uint64_t group_log_ms;
    uint32_t group_waits_max; /* messages; see STORE_GROUP_WAITS_MAX */
    uint64_t history_ms;      /* how long what was said is kept (history.h); 0: not at all */
    bool history_until_read;  /* no longer than until it has been read */
    /* Of the files that steps of messages are noted in (trace.h); 0: none are. */
    uint64_t steps_bytes_max;
    /* Or STORE_NEVER. A device unseen for so long is unlinked; warned of so long before; entries
     * are kept in an inbox for so long. */
    uint64_t device_unseen_ms;
    uint64_t device_warn_ms;
    uint64_t inbox_age_ms;
    /* What is written to somebody who is not there yet waits for him so long (hold.h). 0: it goes
     * with the next round, and the messenger lets nobody write such. */
    uint64_t hold_ms;
    /* What the partition of groups has to tell others, and they have not taken in yet: beyond it
     * groups are told to wait, whose messages become one for each partition that has members. */
    uint64_t outbox_bytes_max;
    /* Jobs of a scheduler's reader in a row that have not waited for the disk, until it expects the
     * next not to (reader.h). */
    uint32_t reads_until_warm;
    /* A judge's hook, for tests alone: commands are applied and answered before they are
     * durable. */
    bool plant_answer_before_sync;
    bool plant_lost_pushes; /* likewise: sessions are told of nothing new */
};

/* What opening found and did. */
struct store_report {
    char why[STORE_WHY_BYTES]; /* one sentence, when it failed */
    bool created;              /* the directory is new */
    uint32_t cells;
    uint32_t logs;
    uint64_t commands;   /* applied again */
    uint64_t skipped;    /* passed over because an operator said so (store_skip) */
    uint64_t torn_bytes; /* of a last batch that a crash cut off: nobody had been told of it */
    bool logs_renewed;   /* the number of schedulers changed: all was folded and new logs began */
    uint64_t duration_ms;
};

/* 0, or a negative errno with report->why: -EWOULDBLOCK another process has the directory; -EPROTO
 * it has another format version; -EUCLEAN damage; -ENOTRECOVERABLE a command ended the node twice
 * when it was applied again (why names its position for store_skip); -EINVAL a setting; else the
 * errno of what failed. Waits for the disk. */
MUST_CHECK int store_open(const struct store_options *options, struct store **out,
                          struct store_report *report);

/* Takes the store; NULL is allowed. The node has been joined and closed. Does not fold: the next
 * start applies again. */
void store_close(struct store **store);

/* What a supervisor starts, in this order: per scheduler a journal and a reader, per cell a folder,
 * the 256 partitions. Borrowed from the store. They are permanent, at home on their schedulers, and
 * keep what must outlive them in the store, so that each may be killed and started again alone
 * (one_for_one). */
const struct ln_child *store_children(const struct store *store, size_t *out_count);

/* --------------------------------------------------------------------------------- who is where */

/* The partition of a user's records, and of a name. */
uint8_t store_user_partition(const struct store *store, uint64_t user);
uint8_t store_name_partition(const struct store *store, const char *name, size_t bytes);

/* The data directory's secret, STORE_SECRET_BYTES of it: for whoever has to know later what it has
 * given out itself. Borrowed until store_close; never to be shown. */
const unsigned char *store_secret(const struct store *store);

/* Whom to send requests to. It changes when a partition is started again: do not keep it. 0 before
 * the first start. */
ln_pid store_partition_pid(const struct store *store, uint8_t partition);
/* The same, of the user's or the name's partition. */
ln_pid store_user_pid(const struct store *store, uint64_t user);
ln_pid store_name_pid(const struct store *store, const char *name, size_t bytes);
/* How many starts of partitions' actors are through, and how many have begun: of all partitions,
 * since the store was opened. Who reads `through`, then a pid, the pid again later and then
 * `begun`, and finds as many begun as were through, has read the same pid twice. */
uint32_t store_starts_through(const struct store *store);
uint32_t store_starts_begun(const struct store *store);

/* The scheduler where a user's partition is at home, and where session and connections should
 * be. */
unsigned store_user_home(const struct store *store, uint64_t user);

/* The scheduler where a partition is at home. */
unsigned store_partition_home(const struct store *store, uint8_t partition);

/* Whether commands wait there for room in the log's next batch. On that scheduler. */
bool store_log_full(const struct store *store, unsigned scheduler);

/* From now on this actor is told (STORE_WAKE_DUE) when devices become due whose partitions are at
 * home on the scheduler; 0: nobody is. Of a scheduler without partitions: no effect. */
void store_waker_set(struct store *store, unsigned scheduler, ln_pid waker);

/* From now on this actor, too, is told (STORE_RULES) when who may see what has changed of a user
 * who is at home on the scheduler, whether he has sessions or not; 0: nobody is. */
void store_presence_set(struct store *store, unsigned scheduler, ln_pid presence);

/* ------------------------------------------------------------------------------------- operator */

/* Counters since the start, but for those "now". Each is read by itself. */
struct store_stats {
    uint64_t commands, command_bytes; /* logged */
    uint64_t batches, batch_commands_max;
    uint64_t batch_ns, batch_ns_max; /* write and sync, sum and longest */
    uint64_t apply_ns_max;           /* of one batch */
    uint64_t requests;               /* taken in by partitions */
    uint64_t refused_overload, refused_full;
    uint64_t fetches, fetched_records; /* reads of LMDB for partitions, and records found */
    uint64_t fetches_waited; /* of them those that a worker read, since the disk might be slow */
    uint64_t pushes, pushes_refused;
    uint64_t stream_records; /* sent between partitions, repetitions included */
    uint64_t folds, folds_failed, fold_ns, fold_ns_max, fold_records, fold_bytes;
    uint64_t merged_bytes, merges_failed; /* of runs (runs.h), behind folds */
    uint64_t calls[STORE_CALL_COUNTS];
    uint64_t freeze_ns_max;     /* the pause that the beginning of a fold costs */
    uint64_t delta_bytes;       /* now */
    uint64_t spare_bytes;       /* memory of tables that nobody has, kept for the next (span.h) */
    uint64_t delta_bytes_max;   /* how much there may be */
    uint64_t held_ns;           /* so long cells were closed (room.h); added up */
    uint64_t delta_entries;     /* now */
    uint64_t log_bytes;         /* now: what a start would have to read */
    uint64_t sessions_attached; /* now: devices that are online */
    uint64_t users_online;      /* now: users with one of them or more */
    bool disk_full;             /* now: new messages are refused */
};
void store_stats_read(const struct store *store, struct store_stats *out);

struct store_partition_info {
    uint8_t partition;
    unsigned cell;
    unsigned scheduler;
    ln_pid pid;
    uint32_t epoch;
    uint64_t last_number;
    uint64_t commands; /* applied since the start */
    uint64_t delta_bytes, delta_entries;
    uint32_t waiting; /* requests */
    uint32_t sessions;
    uint64_t outbox_records; /* not yet acknowledged by their partitions */
};
/* A snapshot; each field is read by itself. */
void store_partition_info_read(const struct store *store, uint8_t partition,
                               struct store_partition_info *out);

/* Makes the next store_open pass over the command at `position` (as its `why` named it). The node
 * is down. 0 or a negative errno with one sentence in `why`. */
MUST_CHECK int store_skip(struct io_driver *driver, const char *path, const char *position,
                          char why[STORE_WHY_BYTES]);
