/* SPDX-License-Identifier: Apache-2.0 */
/* A start applies the logs' tails: what is in the log and not in LMDB yet. Each log has cells of
 * its own, so several are applied at the same time; but where it is to be seen which command ends a
 * start (replay_note_warns) they are applied one after the other. */
#include "store/recovery_priv.h"
#include "store/replay_note.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENTS_PART = 8 }; /* of the memory that the process may use */

/* One log. */
struct replay {
    struct recovery *recovery; /* borrowed; written are the log's cells and its end */
    bool ran;
    struct replay_note note;
    struct effects effects;
    struct log_place place;
    struct log_scan scan;
    uint64_t commands, skipped; /* so many were applied, and passed over */
    int error;
    char why[STORE_WHY_BYTES];
};

#define REPLAY_FAIL(replay, error, ...) \
    ((void)snprintf((replay)->why, STORE_WHY_BYTES, __VA_ARGS__), (error))

/* Fetches for one command what its apply looks up. */
struct learning {
    const struct recovery *recovery;
    struct partition *partition;
    int error;
};

static void
learn(void *context, const struct store_key *key)
{
    struct learning *learning = context;
    struct delta *delta = learning->partition->ledger.delta;
    struct environment_read *read = &learning->recovery->reads[learning->partition->cell->index];
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
apply_again(struct replay *replay, const struct log_command *logged,
            const struct position *position)
{
    struct partition *partition = &replay->recovery->store->partitions[logged->partition];
    struct learning learning = {.recovery = replay->recovery, .partition = partition};
    struct command command;
    struct result result;
    int error = command_decode(logged, &command);
    if (error != 0) {
        char name[POSITION_TEXT_BYTES];
        position_print(position, name);
        return REPLAY_FAIL(replay, error == -EPROTO ? -EPROTO : -EUCLEAN,
                           error == -EPROTO
                               ? "the command at %s was written by a later version of linnet"
                               : "the command at %s makes no sense",
                           name);
    }
    apply_needs(&partition->ledger, &command, learn, &learning);
    if (learning.error != 0) {
        return REPLAY_FAIL(replay, learning.error, "cell %u can't be read: %s",
                           partition->cell->index, strerrorname_np(-learning.error));
    }
    effects_clear(&replay->effects);
    apply_command(&partition->ledger, &command, &replay->effects, &result);
    partition->cell->commands += command_weight(&command);
    replay->commands++;
    return 0;
}

/* A full disk may have no room for it: better a start that would not know what ended it. */
static int
note_failed(struct replay *replay, int error)
{
    return error == 0 || error == -ENOSPC ? 0
                                          : REPLAY_FAIL(replay, error, "%s can't be written: %s",
                                                        replay->note.path, strerrorname_np(-error));
}

static int
note_command(struct replay *replay, const struct log_command *logged,
             const struct position *position)
{
    char name[POSITION_TEXT_BYTES];
    int error = replay_note_command(&replay->note, position);
    if (error == -ENOTRECOVERABLE) {
        position_print(position, name);
        return REPLAY_FAIL(replay, error,
                           "the node ended %d times while it applied the %s command at %s; `linnet "
                           "store skip %s` makes the next start pass over it",
                           REPLAY_NOTE_TRIES, command_kind_name((enum command_kind)logged->kind),
                           name, name);
    }
    return note_failed(replay, error);
}

/* A command that LMDB has already is passed over. */
static int
replay_command(struct replay *replay, const struct log_command *logged,
               const struct position *position)
{
    struct partition *partition = &replay->recovery->store->partitions[logged->partition];
    struct log_mark at = {.generation = position->generation, .position = position->at};
    if (partition->cell->index % recovery_facts(replay->recovery)->schedulers !=
        replay->place.log) {
        char name[POSITION_TEXT_BYTES];
        position_print(position, name);
        return REPLAY_FAIL(replay, -EUCLEAN, "the command at %s belongs into another log", name);
    }
    if (log_mark_compare(&at, &partition->cell->folded) < 0) {
        return 0;
    }
    if (skip_list_has(&replay->recovery->skips, position)) {
        apply_give_up(&partition->ledger, logged);
        replay->skipped++;
        return 0;
    }
    int error = note_command(replay, logged, position);
    return error == 0 ? apply_again(replay, logged, position) : error;
}

static int
replay_batch(void *context, struct log_batch *batch)
{
    struct replay *replay = context;
    struct log_command logged;
    struct position position = {.generation = replay->place.generation, .log = replay->place.log};
    position.at = batch->position;
    int error = note_failed(replay, replay_note_batch(&replay->note, &position));
    if (error != 0) {
        return error;
    }
    for (;;) {
        int more = log_batch_next(batch, &logged, &position.at);
        if (more <= 0) {
            return more == 0 ? 0
                             : REPLAY_FAIL(replay, -EUCLEAN, "a batch of log %u makes no sense",
                                           replay->place.log);
        }
        error = replay_command(replay, &logged, &position);
        if (error != 0) {
            return error;
        }
    }
}

/* The least and the greatest position that the log's cells are folded at. A cell that was folded
 * for a generation to come needs nothing of this one. */
static void
marks_of_log(struct replay *replay)
{
    const struct store *store = replay->recovery->store;
    uint64_t least = UINT64_MAX;
    uint64_t greatest = 0;
    for (unsigned i = replay->place.log; i < store->cells_count;
         i += recovery_facts(replay->recovery)->schedulers) {
        const struct log_mark *mark = &store->cells[i].folded;
        if (mark->generation > replay->place.generation) {
            continue;
        }
        uint64_t position = mark->generation == replay->place.generation ? mark->position : 0;
        least = position < least ? position : least;
        greatest = position > greatest ? position : greatest;
    }
    replay->scan.from = least == UINT64_MAX ? 0 : least;
    replay->scan.at_least = greatest;
}

static void
replay_log(void *context)
{
    struct replay *replay = context;
    struct log_end *end = &replay->recovery->ends[replay->place.log];
    replay->ran = true;
    marks_of_log(replay);
    replay->error = log_scan_run(&replay->scan, end);
    if (replay->error == 0) {
        replay->error = note_failed(replay, replay_note_end(&replay->note));
    }
    if (replay->error != 0 && replay->why[0] == '\0') {
        (void)REPLAY_FAIL(replay, replay->error, "%s", replay->scan.why);
    }
}

static int
replay_init(struct replay *replay, struct recovery *recovery, uint32_t log)
{
    *replay = (struct replay){.recovery = recovery, .note = {.file = -1}};
    replay->scan =
        (struct log_scan){.place = &replay->place, .each = replay_batch, .context = replay};
    effects_init(&replay->effects);
    recovery_place(recovery, recovery_facts(recovery)->log_generation, log, &replay->place);
    int error = replay_note_open(&replay->note, recovery->store->options.driver,
                                 directory_path(recovery->store->directory), log);
    return error == 0 ? 0
                      : RECOVERY_FAIL(recovery, error, "%s can't be opened: %s", replay->note.path,
                                      strerrorname_np(-error));
}

/* Of each log a whole segment is in memory while it is applied: that is to leave room for the rest,
 * and there is no use in more threads than schedulers. Segments on the disk may be larger than new
 * ones are to be. */
static uint32_t
logs_at_once(const struct recovery *recovery, const struct replay *replays, uint32_t logs)
{
    const struct store_options *options = &recovery->store->options;
    uint64_t segment_bytes = options->segment_bytes;
    segment_bytes = segment_bytes > LOG_SEGMENT_BYTES ? segment_bytes : LOG_SEGMENT_BYTES;
    uint64_t most = io_memory_bytes(options->driver) / SEGMENTS_PART / segment_bytes;
    uint32_t loops = io_loops(options->driver);
    for (uint32_t i = 0; i < logs; i++) {
        if (replay_note_warns(&replays[i].note)) {
            return 1;
        }
    }
    most = most < loops ? most : loops;
    return most > 1 ? (uint32_t)most : 1;
}

/* Returns what went wrong in the first log in which something did. */
static int
replay_all(struct recovery *recovery, struct replay *replays, uint32_t logs)
{
    int error = 0;
    uint32_t at_once = logs_at_once(recovery, replays, logs);
    void **contexts = calloc(logs, sizeof(*contexts));
    ASSERT(contexts != NULL);
    for (uint32_t i = 0; i < logs; i++) {
        contexts[i] = &replays[i];
    }
    for (uint32_t first = 0; first < logs && error == 0; first += at_once) {
        uint32_t count = logs - first < at_once ? logs - first : at_once;
        io_run_all(recovery->store->options.driver, replay_log, &contexts[first], count);
        for (uint32_t i = first; i < first + count && error == 0; i++) {
            error = replays[i].error;
            if (error != 0) {
                (void)RECOVERY_FAIL(recovery, error, "%s", replays[i].why);
            }
        }
    }
    free(contexts);
    return error;
}

/* A start that ends with an error, of the disk for one, has survived its commands. */
static void
replays_fini(struct recovery *recovery, struct replay *replays, uint32_t logs, bool survived)
{
    for (uint32_t i = 0; i < logs; i++) {
        recovery->report->commands += replays[i].commands;
        recovery->report->skipped += replays[i].skipped;
        recovery->report->torn_bytes += recovery->ends[i].torn_bytes;
        bool told = replays[i].ran || replays[i].note.batch.at == 0;
        replay_note_close(&replays[i].note, survived && told);
        effects_fini(&replays[i].effects);
    }
    free(replays);
}

int
recovery_replay(struct recovery *recovery)
{
    uint32_t logs = recovery_facts(recovery)->schedulers;
    uint32_t made = 0;
    int error = 0;
    struct replay *replays = calloc(logs, sizeof(*replays));
    recovery->ends = calloc(logs, sizeof(recovery->ends[0]));
    ASSERT(replays != NULL && recovery->ends != NULL);
    while (made < logs && error == 0) {
        error = replay_init(&replays[made], recovery, made);
        made++;
    }
    if (error == 0) {
        error = replay_all(recovery, replays, logs);
    }
    replays_fini(recovery, replays, made, error != -ENOTRECOVERABLE);
    return error;
}
