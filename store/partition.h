/* SPDX-License-Identifier: Apache-2.0 */
/* partition.h - one of the 256: the actor that takes requests, and what it keeps.
 *
 * Requests wait in one queue, and are served in its order: a partition alone decides, so its order
 * is the order. A request that needs records which are not in memory asks the cell's reader for
 * them, together with what all others in the queue lack; meanwhile the queue waits, and other
 * partitions don't. When all is known a read is answered, and a change is handed to the journal as
 * a command; its answer follows when it has been applied.
 *
 * The struct outlives its actor. When the actor is killed, requests that had not reached the
 * journal are lost (their callers are told so by the runtime); everything else goes on: applies
 * don't need the actor.
 *
 * Everything runs on the partition's home scheduler: functions of this file are called by the
 * partition's actor, by the journal, and by the folder, and never yield.
 */
#pragma once

#include "store/apply.h"
#include "store/ask.h"
#include "store/attached.h"
#include "store/cell.h"
#include "store/counter.h"
#include "store/fan.h"
#include "store/hot.h"
#include "store/ledger.h"

enum {
    /* Requests waiting for records or for room; beyond it they are refused. A few thousand
     * connections may have a request each in the same partition at once, after a restart for
     * instance. */
    PARTITION_WAITING_MAX = 16384,
    /* Records of a stream that may be under way to another partition; the rest waits in the
     * outbox. */
    PARTITION_STREAM_WINDOW = 256,
    /* Records of all streams that wait: beyond it groups are told to wait, whose messages become
     * one for each partition that has members. */
    PARTITION_OUTBOX_MAX = 1 << 18, /* and store_options.outbox_bytes_max */
    /* Of one message between partitions. */
    PARTITION_STREAM_BYTES = 256 << 10,
    /* A stream whose acknowledgement does not come is sent again, and what LMDB did not give is
     * asked for again, should nothing else have made that happen before. */
    PARTITION_TICK_MS = 1000,
    /* What is due is removed at most once in so long. */
    PARTITION_SWEEP_MS = 1000,
    /* After a start a partition looks once what is due. They take turns over so long, since each
     * look is a read of the database. */
    PARTITION_SWEEP_FIRST_MS = 10000,
};

/* This side's volatile knowledge of the streams with one other partition. */
struct partition_stream {
    uint64_t sent;       /* to it, up to here */
    uint64_t sent_acked; /* what it had acknowledged at the last tick */
    uint64_t acking;     /* what it has acknowledged, as far as that is in the journal */
    uint64_t taken;      /* from it: up to here it waits in our queue, or has got further */
    uint64_t admitted;   /* from it: up to here it is in the journal, or applied */
};

/* How far the look for what is due by its time has got (partition_round.c). */
struct partition_round {
    uint64_t after; /* owners above this */
    bool inboxes;   /* it has been through the devices */
};

struct partition {
    struct store *store;
    struct cell *cell;
    struct journal *journal;
    struct ledger ledger;
    struct attached attached;
    struct ask_queue waiting;
    struct ask_queue awaiting; /* applied; answered when a stream has got so far */
    uint64_t fetch_ticket;
    uint64_t fetch_ref;
    struct partition *stalled_next;
    struct partition *touched_next;
    uint64_t share_batch; /* the journal's, when it last appended; and so many bytes to that one */
    uint32_t share_bytes;
    uint32_t groups_ticks; /* so far: a group is told of at every fourth */
    uint32_t ranges_asked; /* by the fetch under way */
    bool ranges_held;      /* some that wait may hold what was found of them */
    bool fetching;
    bool stalled; /* in the journal's list, or in the cell's */
    bool touched; /* in the journal's list */
    bool ticking;
    bool groups_ticking;
    bool fan_waiting;            /* for the actor's timer */
    bool history_looking;        /* an ask of it waits */
    bool history_removed;        /* by the last look */
    bool history_none;           /* it found that there are none */
    struct store_key history_at; /* so far all histories have been looked through */
    uint64_t last_time_ms;
    /* Nothing is due before; 0: not known. UINT64_MAX: nothing is. */
    uint64_t expiry_at_ms;
    uint64_t expiry_awaited_ms; /* before that look: the first of those that somebody waits for */
    uint64_t alarm;             /* the actor's timer, and when it rings; 0: none is set */
    uint64_t alarm_at_ms;
    struct partition_round round;
    struct fan fan;           /* of what groups say */
    struct hot hot_groups;    /* which say most */
    uint64_t sends_due[4];    /* a bit per partition: its stream may have something to send */
    uint64_t streams_full[4]; /* likewise: more waits there than may be under way */
    uint64_t acks_due[4]; /* a bit per partition: it is to be told how far its stream was applied */
    bool stream_waits;    /* the first in the queue, for an apply: the next flush wakes it */
    struct partition_stream streams[STORE_PARTITIONS];
    uint64_t size_bytes, size_entries, size_live; /* as last counted into the cell */
    _Atomic ln_pid pid;
    struct counter commands, last_number, delta_bytes, delta_entries, waiting_count, sessions,
        outbox_records;
};

void partition_init(struct partition *partition, struct store *store, uint8_t index);
void partition_fini(struct partition *partition);

/* Its argument is a struct partition *. */
extern const struct ln_behaviour partition_behaviour;

/* ----------------------------------------------------------------------------- from the journal */

/* The command is in the open batch: notes that the message is accepted. */
void partition_trace_accepted(struct partition *partition, const struct command *command);
/* The command has been applied: notes the steps of messages that this was (steps.h). */
void partition_trace(struct partition *partition, const struct command *command,
                     const struct result *result, const struct effects *effects);
/* The ask's command has been applied: tells sessions and streams, and answers. Takes the ask. */
void partition_applied(struct partition *partition, struct ask *ask, const struct result *result,
                       struct effects *effects);
/* The ask had no command; now is its turn. Takes the ask. */
void partition_passed(struct partition *partition, struct ask *ask);
/* The batch is through: sends what streams and acknowledgements are due. */
void partition_flush(struct partition *partition);
/* A session of the user had no room for a push. */
void partition_push_refused(struct partition *partition, uint64_t user, ln_pid session);
/* It stalled; it may go on. From any actor of the scheduler. */
void partition_wake(struct partition *partition);
/* Counts the delta into its cell. */
void partition_measure(struct partition *partition);
