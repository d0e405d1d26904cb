/* SPDX-License-Identifier: Apache-2.0 */
/* cell.h - some of the partitions and the LMDB environment that they are folded into together.
 *
 *     IDLE      the journal freezes the cell's deltas between two batches      cell_freeze
 *       |
 *     FROZEN    the folder writes them to LMDB on a worker, again if need be   cell_folded
 *       |
 *     RETIRING  the folder frees the tables before, when no request may look into them any more
 *       |
 *     IDLE
 *
 * The state outlives the actors that work on it: the folder after one that was killed goes on where
 * that was, when its worker is through (post.h). Everything is touched on the home scheduler only,
 * but for the pids.
 */
#pragma once

#include "runtime/linnet.h"
#include "store/counter.h"
#include "store/environment.h"
#include "store/fold.h"
#include "store/post.h"
#include "store/room.h"

struct store;
struct partition;
struct journal;

enum {
    /* Long against the pauses of people who are talking, short against those in which a node has
     * nothing to do. */
    CELL_LOOK_MS = 10000,
    /* An age (fold_age) of one. */
    CELL_FOLD_AGE = 1024,
};

enum cell_state { CELL_IDLE, CELL_FROZEN, CELL_RETIRING };

struct cell {
    struct store *store;
    struct journal *journal;
    struct environment *environment;
    unsigned index;
    enum cell_state state;
    struct log_mark folded;                       /* what LMDB is at */
    struct log_mark frozen;                       /* what it will be at */
    const struct table *tables[STORE_PARTITIONS]; /* frozen, by partition of the cell */
    struct table *kept[STORE_PARTITIONS]; /* of them, once they are in LMDB; NULL: all (keep.h) */
    uint64_t commands;                    /* applied since the last freeze */
    uint64_t commands_seen;               /* of them, at the last cell_look */
    uint64_t store_commands_seen;         /* of all cells, likewise */
    uint64_t commands_frozen;             /* those of what is being folded */
    bool store_quiet;                     /* there were hardly any between the last two looks */
    bool resting;                         /* nobody has asked for a while: fold */
    bool rests_after;        /* likewise when it was frozen: what folds it may let its files go */
    bool rested;             /* it has, since it was frozen or read last */
    uint64_t reads;          /* of its files, since the start */
    uint64_t reads_seen;     /* of them, at the last cell_look */
    bool in_use;             /* there were some between the last two looks: its files stay open */
    uint64_t folded_bytes;   /* of records, that the last fold wrote */
    uint32_t folds_unmerged; /* since runs were merged, or none were due */
    uint64_t tail_bytes;     /* of the log beyond the last fold: what a start would have to read */
    uint64_t fold_age;       /* from 0 on; of CELL_FOLD_AGE a fold should begin */
    uint64_t live_bytes;     /* what the next fold would freeze */
    uint64_t delta_bytes;    /* all generations */
    uint64_t delta_entries;
    int fold_error; /* of the last try; 0: it succeeded */
    struct room room;
    struct post fold_post;
    _Atomic ln_pid folder;
};

unsigned cell_partitions_count(const struct cell *cell);
struct partition *cell_partition(const struct cell *cell, unsigned index);

/* What a start would have to apply again to the cell. */
static inline uint64_t
cell_tail_commands(const struct cell *cell)
{
    return cell->commands + cell->commands_frozen;
}
/* Finds tail_bytes and fold_age. */
void cell_measure(struct cell *cell);
/* Called every CELL_LOOK_MS: in a cell that nobody has changed since the last time, or hardly
 * anybody against what it holds, what is in memory goes to LMDB, and at the next time what was kept
 * of it as a cache goes too: those who are online and silent hold no records in memory. True:
 * nothing is in memory, and its files may go, too, whatever other cells do. */
bool cell_look(struct cell *cell);
/* Whether a fold should begin whatever other cells do (turn.h), and whether one can. */
bool cell_fold_urgent(const struct cell *cell);
bool cell_freezable(const struct cell *cell);
/* Freezes all deltas; everything up to the log's durable position has been applied. Tells the
 * folder. */
void cell_freeze(struct cell *cell);
/* They are in LMDB. */
void cell_folded(struct cell *cell);
/* Takes one retired table, to be freed; false: none is ready. *out_left: others must be waited
 * for. */
bool cell_retired_next(struct cell *cell, struct table **out, bool *out_left);

/* Ends the node, which recovers from its log when it is started again, where a fold or a read met
 * an environment that has to be opened anew: -ENOTRECOVERABLE, LMDB's after a commit that failed,
 * and -EUCLEAN, a tree that is damaged. Any other error passes. */
void cell_expect_sound(const struct cell *cell, int error);
