/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h - a scheduler's log at work: commands become batches, batches become durable, and then
 * they happen.
 *
 *     partitions append --> open batch --> sealed, written, synced --> applied --> effects leave
 *                             ^                    |
 *                             +---- meanwhile -----+
 *
 * One batch is in flight; what arrives meanwhile forms the next, so the slower the disk, the larger
 * the batches: group commit. Nothing of a batch is applied before it is durable, and effects only
 * come from applies: nothing leaves a partition before the batch that caused it is on the disk.
 *
 * When a write or a sync fails the node ends: what the disk holds is unknown, and a later success
 * would prove nothing.
 *
 * A batch costs a write and a flush of the disk, some 50 us of CPU and a turn of the disk that a
 * message may have to wait for, however little it holds. So what nobody looks at the clock for
 * (acknowledgements, read marks, what streams between partitions) does not begin one by itself
 * within a millisecond of the last: it goes along with the next message, or alone when that
 * millisecond is over.
 *
 * Asks without a command (a session detaches) take their turn in the same queue. Between two
 * batches the journal looks after its cells: freezes the one whose turn it is to be folded
 * (turn.h), so a fold is always at a position up to which everything has been applied, and closes
 * those that are to slow down (room.h).
 *
 * The struct outlives its actor. A journal that is killed while it writes ends when that is
 * through, and the next one waits for it (post.h), then goes on where it stopped. One per scheduler
 * that is some cell's home; partitions call it directly.
 */
#pragma once

#include "runtime/check.h"
#include "store/ask.h"
#include "store/command.h"
#include "store/counter.h"
#include "store/effects.h"
#include "store/fetch.h"
#include "store/log.h"
#include "store/post.h"
#include "store/stalled.h"
#include "store/whole.h"

struct store;

struct journal {
    struct store *store;
    unsigned index; /* of the log, and of the scheduler */
    struct log *log;
    struct ask_queue open;   /* what the open batch holds, in order */
    struct ask_queue flight; /* what is being written */
    bool kicked;
    bool urgent;            /* the open batch is to begin as soon as the one before is through */
    ln_pid lingerer;        /* whose timer tells when it has waited long enough; 0: none's */
    uint64_t began_at_ns;   /* the last batch */
    uint64_t begun;         /* batches */
    uint64_t busy_since_ns; /* until when it rested */
    uint64_t looked_at_ns;  /* its cells */
    uint64_t timer_at_ns;   /* when a timer kicks; UINT64_MAX: none does */
    struct whole whole;     /* as of that look */
    struct whole_part part;
    uint32_t share_bytes; /* of the open one, that a partition gets */
    bool writing;         /* the batch in flight is sealed, and not yet applied */
    struct log_batch batch;
    struct log_write write;
    struct stalled stalled;    /* they wait for room in the open batch */
    struct partition *touched; /* they have something to tell others when the batch is through */
    /* The keeper's work (keeper.h): it outlives the keeper, too. */
    bool segment_wanted;
    uint32_t segment_number;
    uint32_t segment_recycle;
    struct post post, keeper_post;
    struct effects effects;
    struct fetch fetch;   /* scratch of partition_pump */
    struct rows rows;     /* scratch for answers */
    unsigned char *body;  /* scratch for encoding what may be too long: COMMAND_BYTES_MAX */
    unsigned char *pairs; /* scratch for gathering: GATHER_PAIRS_BYTES */
    _Atomic ln_pid pid;
    _Atomic ln_pid keeper;
    _Atomic ln_pid reader;
    _Atomic ln_pid presence; /* who is told of rules (store_presence_set); 0: nobody */
    _Atomic ln_pid waker;    /* who is told of devices that are due (store_waker_set); 0: nobody */

    struct counter commands, command_bytes, batches, batch_commands_max, batch_ns, batch_ns_max,
        apply_ns_max, requests, refused_overload, refused_full, fetches, fetches_waited,
        fetched_records, pushes, pushes_refused, stream_records, folds, folds_failed, fold_ns,
        fold_ns_max, fold_records, fold_bytes, merged_bytes, merges_failed,
        calls[STORE_CALL_COUNTS], freeze_ns_max, held_ns, delta_bytes, delta_entries, log_bytes,
        sessions, users_online;
};

void journal_init(struct journal *journal, struct store *store, unsigned index);
void journal_fini(struct journal *journal);

/* Takes the ask's command into the open batch; the ask is the journal's then. -EAGAIN: the batch is
 * full; the partition is told (ASK_PUMP) when there is room. */
MUST_CHECK int journal_append(struct journal *journal, struct ask *ask,
                              const struct command *command);
/* The ask takes its turn without a command. */
void journal_pass(struct journal *journal, struct ask *ask);

/* There may be something to do: a segment is there, a fold is through, a cell wants one. */
void journal_kick(struct journal *journal);
/* No cell needs what lies before the least of their folds: asks the keeper to remove it. */
void journal_trim(struct journal *journal);

/* The partition has streams to send when the batch has been applied. */
void journal_touch(struct journal *journal, struct partition *partition);

/* Its argument is a struct journal *. */
extern const struct ln_behaviour journal_behaviour;
