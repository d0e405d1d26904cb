/* SPDX-License-Identifier: Apache-2.0 */
/* A start applies the logs' tails: what is in the log and not in LMDB yet. */
#include "store/recovery_priv.h"

#include "store/log_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fetches for one command what its apply looks up. */
struct learning {
    struct recovery *recovery;
    struct partition *partition;
    int error;
};

static void
learn(void *context, const struct store_key *key)
{
    struct learning *learning = context;
    struct delta *delta = learning->partition->ledger.delta;
    const struct environment_read *read =
        &learning->recovery->reads[learning->partition->cell->index];
    struct store_value value;
    if (learning->error != 0 || delta_get(delta, key, &value) != DELTA_UNKNOWN) {
        return;
    }
    int error = environment_get(read, key, &value);
    if (error == 0 || error == -ENOENT) {
        delta_learn(delta, key, error == 0 ? &value : NULL);
    } else {
        learning->error = error;
    }
}

static int
apply_again(struct recovery *recovery, const struct log_command *logged, const char *name)
{
    struct partition *partition = &recovery->store->partitions[logged->partition];
    struct learning learning = {.recovery = recovery, .partition = partition};
    struct command command;
    struct result result;
    int error = command_decode(logged, &command);
    if (error != 0) {
        return RECOVERY_FAIL(recovery, error == -EPROTO ? -EPROTO : -EUCLEAN,
                             error == -EPROTO
                                 ? "the command at %s was written by a later version of linnet"
                                 : "the command at %s makes no sense",
                             name);
    }
    apply_needs(&partition->ledger, &command, learn, &learning);
    if (learning.error != 0) {
        return RECOVERY_FAIL(recovery, learning.error, "cell %u can't be read: %s",
                             partition->cell->index, strerrorname_np(-learning.error));
    }
    effects_clear(&recovery->effects);
    apply_command(&partition->ledger, &command, &recovery->effects, &result);
    partition->cell->commands += command_weight(&command);
    recovery->report->commands++;
    return 0;
}

/* A command that LMDB has already is passed over. */
static int
replay_command(struct recovery *recovery, const struct log_command *logged,
               const struct position *position)
{
    char name[POSITION_TEXT_BYTES];
    const struct cell *cell = recovery->store->partitions[logged->partition].cell;
    struct log_mark at = {.generation = position->generation, .position = position->at};
    if (log_mark_compare(&at, &cell->folded) < 0) {
        return 0;
    }
    if (skip_list_has(&recovery->skips, position)) {
        apply_give_up(&recovery->store->partitions[logged->partition].ledger, logged);
        recovery->report->skipped++;
        return 0;
    }
    position_print(position, name);
    int error = replay_note_command(&recovery->note, position);
    if (error == -ENOTRECOVERABLE) {
        return RECOVERY_FAIL(
            recovery, error,
            "the node ended %d times while it applied the %s command at %s; `linnet store "
            "skip %s` makes the next start pass over it",
            REPLAY_NOTE_TRIES, command_kind_name((enum command_kind)logged->kind), name, name);
    }
    if (error != 0) {
        return RECOVERY_FAIL(recovery, error, "%s can't be written: %s", recovery->note.path,
                             strerrorname_np(-error));
    }
    return apply_again(recovery, logged, name);
}

static int
replay_batch(void *context, struct log_batch *batch)
{
    struct recovery *recovery = context;
    struct log_command logged;
    struct position position = {.generation = recovery->place.generation,
                                .log = recovery->place.log};
    position.at = batch->position;
    int error = replay_note_batch(&recovery->note, &position);
    if (error != 0) {
        return RECOVERY_FAIL(recovery, error, "%s can't be written: %s", recovery->note.path,
                             strerrorname_np(-error));
    }
    for (;;) {
        int more = log_batch_next(batch, &logged, &position.at);
        if (more <= 0) {
            return more == 0 ? 0
                             : RECOVERY_FAIL(recovery, -EUCLEAN, "a batch of log %u makes no sense",
                                             recovery->place.log);
        }
        error = replay_command(recovery, &logged, &position);
        if (error != 0) {
            return error;
        }
    }
}

/* The least and the greatest position that the log's cells are folded at. A cell that was folded
 * for a generation to come needs nothing of this one. */
static void
marks_of_log(const struct recovery *recovery, struct log_scan *scan)
{
    const struct store *store = recovery->store;
    uint64_t least = UINT64_MAX;
    uint64_t greatest = 0;
    for (unsigned i = recovery->place.log; i < store->cells_count;
         i += recovery_facts(recovery)->schedulers) {
        const struct log_mark *mark = &store->cells[i].folded;
        if (mark->generation > recovery->place.generation) {
            continue;
        }
        uint64_t position = mark->generation == recovery->place.generation ? mark->position : 0;
        least = position < least ? position : least;
        greatest = position > greatest ? position : greatest;
    }
    scan->from = least == UINT64_MAX ? 0 : least;
    scan->at_least = greatest;
}

int
recovery_replay(struct recovery *recovery)
{
    struct store *store = recovery->store;
    uint32_t logs = recovery_facts(recovery)->schedulers;
    recovery->ends = calloc(logs, sizeof(recovery->ends[0]));
    struct log_scan *scan = calloc(1, sizeof(*scan));
    ASSERT(recovery->ends != NULL && scan != NULL);
    int error =
        replay_note_open(&recovery->note, store->options.driver, directory_path(store->directory));
    if (error != 0) {
        (void)RECOVERY_FAIL(recovery, error, "%s can't be opened: %s", recovery->note.path,
                            strerrorname_np(-error));
    }
    for (uint32_t i = 0; error == 0 && i < logs; i++) {
        recovery_place(recovery, recovery_facts(recovery)->log_generation, i, &recovery->place);
        *scan =
            (struct log_scan){.place = &recovery->place, .each = replay_batch, .context = recovery};
        marks_of_log(recovery, scan);
        error = log_scan_run(scan, &recovery->ends[i]);
        recovery->report->torn_bytes += recovery->ends[i].torn_bytes;
        if (error != 0 && recovery->report->why[0] == '\0') {
            (void)RECOVERY_FAIL(recovery, error, "%s", scan->why);
        }
    }
    /* A start that ends with an error, of the disk for one, has survived its commands. */
    replay_note_close(&recovery->note, error != -ENOTRECOVERABLE);
    free(scan);
    return error;
}
