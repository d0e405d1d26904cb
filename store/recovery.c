/* SPDX-License-Identifier: Apache-2.0 */
#include "store/recovery.h"

#include "store/recovery_priv.h"
#include "store/reserve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
recovery_place(const struct recovery *recovery, uint32_t generation, uint32_t log,
               struct log_place *out)
{
    *out = (struct log_place){
        .driver = recovery->store->options.driver,
        .folder = directory_log_path(recovery->store->directory),
        .generation = generation,
        .log = log,
        .segment_bytes = recovery->store->options.segment_bytes,
    };
    memcpy(out->identity, recovery_facts(recovery)->identity, sizeof(out->identity));
}

/* ----------------------------------------------------------------------------------------- LMDB */

static int
environments_open(struct recovery *recovery)
{
    struct store *store = recovery->store;
    for (unsigned i = 0; i < store->cells_count; i++) {
        char path[LOG_PATH_BYTES_MAX];
        struct environment_options options = {
            .driver = store->options.driver,
            .path = path,
            .map_bytes = store->options.map_bytes,
            .cell = i,
            .grows = RECORD_INBOX,
        };
        directory_cell_path(store->directory, i, path);
        memcpy(options.identity, recovery_facts(recovery)->identity, sizeof(options.identity));
        int error = environment_open(&options, &store->cells[i].environment, recovery->why);
        if (error != 0) {
            return RECOVERY_FAIL(recovery, error, "%s", recovery->why);
        }
    }
    return 0;
}

static int
ledger_read(struct recovery *recovery, struct partition *partition)
{
    struct store_key key = record_key(partition->ledger.partition, RECORD_PARTITION, 0, 0);
    struct store_value value;
    int error = environment_get(&recovery->reads[partition->cell->index], &key, &value);
    if (error == 0) {
        error = ledger_load(&partition->ledger, value);
    }
    for (uint32_t page = 1; error == 0 && page <= partition->ledger.due_pages; page++) {
        key = ledger_key(partition->ledger.partition, page);
        error = environment_get(&recovery->reads[partition->cell->index], &key, &value);
        error = error == 0 ? ledger_load_due(&partition->ledger, value) : -EBADMSG;
    }
    if (error == 0 || error == -ENOENT) {
        return 0;
    }
    return RECOVERY_FAIL(recovery, error, "the record of partition %u in cell %u can't be read: %s",
                         partition->ledger.partition, partition->cell->index,
                         strerrorname_np(-error));
}

static int
ledgers_read(struct recovery *recovery)
{
    struct store *store = recovery->store;
    for (unsigned i = 0; i < store->cells_count; i++) {
        struct cell *cell = &store->cells[i];
        int error = environment_read_begin(cell->environment, &recovery->reads[i]);
        if (error == 0) {
            recovery->reads_count++;
            error = environment_mark(&recovery->reads[i], &cell->folded);
        }
        if (error != 0) {
            return RECOVERY_FAIL(recovery, error, "cell %u can't be read: %s", i,
                                 strerrorname_np(-error));
        }
    }
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        int error = ledger_read(recovery, &store->partitions[i]);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static void
reads_end(struct recovery *recovery)
{
    while (recovery->reads_count > 0) {
        environment_read_end(&recovery->reads[--recovery->reads_count]);
    }
}

/* ----------------------------------------------------------------------------- a new generation */

static bool
must_renew(const struct recovery *recovery)
{
    const struct store *store = recovery->store;
    bool folded_ahead = false;
    for (unsigned i = 0; i < store->cells_count; i++) {
        folded_ahead = folded_ahead ||
                       store->cells[i].folded.generation > recovery_facts(recovery)->log_generation;
    }
    return folded_ahead || recovery_facts(recovery)->schedulers != store->journals_count;
}

static int
fold_whole(struct recovery *recovery, struct cell *cell, const struct log_mark *mark)
{
    if (log_mark_compare(&cell->folded, mark) >= 0) {
        return 0; /* by a start that was cut off behind it */
    }
    for (unsigned i = 0; i < cell_partitions_count(cell); i++) {
        cell->tables[i] = ledger_freeze(&cell_partition(cell, i)->ledger);
    }
    struct fold fold = {
        .environment = cell->environment,
        .tables = cell->tables,
        .tables_count = cell_partitions_count(cell),
        .mark = *mark,
        .implies = record_implies,
    };
    int error = fold_run(&fold);
    if (error != 0) {
        return RECOVERY_FAIL(recovery, error,
                             "cell %u can't be folded for a new number of logs: %s", cell->index,
                             strerrorname_np(-error));
    }
    for (unsigned i = 0; i < cell_partitions_count(cell); i++) {
        delta_folded(cell_partition(cell, i)->ledger.delta, NULL);
        cell->tables[i] = NULL;
    }
    cell->folded = *mark;
    cell->commands = 0;
    return 0;
}

static int
renew_logs(struct recovery *recovery)
{
    struct store *store = recovery->store;
    struct log_mark mark = {.generation = recovery_facts(recovery)->log_generation + 1,
                            .position = log_position_first()};
    for (unsigned i = 0; i < store->cells_count; i++) {
        int error = fold_whole(recovery, &store->cells[i], &mark);
        if (error != 0) {
            return error;
        }
    }
    int error = directory_begin_generation(store->directory, store->journals_count);
    if (error != 0) {
        return RECOVERY_FAIL(recovery, error, "a new generation of logs can't begin: %s",
                             strerrorname_np(-error));
    }
    free(recovery->ends);
    recovery->ends = calloc(store->journals_count, sizeof(recovery->ends[0]));
    ASSERT(recovery->ends != NULL);
    for (unsigned i = 0; i < store->journals_count; i++) {
        log_end_fresh(&recovery->ends[i]);
    }
    recovery->report->logs_renewed = true;
    return 0;
}

/* Segments of generations before this one hold nothing that is needed. Their places are gathered
 * first: the listing must not change while it goes on. */
enum { OLD_LOGS_AT_ONCE = 64 };

struct old_logs {
    const struct recovery *recovery;
    unsigned count;
    struct position logs[OLD_LOGS_AT_ONCE];
};

static int
note_old_log(void *context, uint32_t generation, uint32_t log, uint32_t segment)
{
    struct old_logs *old = context;
    (void)segment;
    if (generation >= recovery_facts(old->recovery)->log_generation) {
        return 0;
    }
    for (unsigned i = 0; i < old->count; i++) {
        if (old->logs[i].generation == generation && old->logs[i].log == log) {
            return 0;
        }
    }
    old->logs[old->count++] = (struct position){.generation = generation, .log = log};
    return old->count == OLD_LOGS_AT_ONCE;
}

static int
remove_old_logs(struct recovery *recovery)
{
    struct old_logs old;
    int result;
    do {
        old = (struct old_logs){.recovery = recovery};
        result =
            log_segments_list(recovery->store->options.driver,
                              directory_log_path(recovery->store->directory), note_old_log, &old);
        for (unsigned i = 0; result >= 0 && i < old.count; i++) {
            struct log_place place;
            recovery_place(recovery, old.logs[i].generation, old.logs[i].log, &place);
            int error = log_scan_remove(&place);
            result = error != 0 ? error : result;
        }
    } while (result > 0);
    return result == 0 ? 0
                       : RECOVERY_FAIL(recovery, result, "old logs can't be removed: %s",
                                       strerrorname_np(-result));
}

/* ------------------------------------------------------------------------------------- the logs */

static int
logs_open(struct recovery *recovery)
{
    struct store *store = recovery->store;
    int error = log_segments_sweep(store->options.driver, directory_log_path(store->directory));
    if (error != 0) {
        return RECOVERY_FAIL(recovery, error, "half-made log segments can't be removed: %s",
                             strerrorname_np(-error));
    }
    for (unsigned i = 0; i < store->journals_count; i++) {
        struct log_place place;
        recovery_place(recovery, recovery_facts(recovery)->log_generation, i, &place);
        error = log_open(&place, &recovery->ends[i], &store->journals[i].log, recovery->why);
        if (error != 0) {
            return RECOVERY_FAIL(recovery, error, "%s", recovery->why);
        }
    }
    return 0;
}

static int
next_segment(struct log *log)
{
    struct log_segment segment;
    uint32_t number;
    uint32_t recycle;
    if (!log_segment_wanted(log, &number, &recycle)) {
        return -ENOSPC;
    }
    int error = log_segment_make(log_place_of(log), number, recycle, &segment);
    if (error == 0) {
        log_segment_ready(log, &segment);
    }
    return error;
}

/* Writes what is in the open batch, and applies it: what a journal does, without one. */
static int
write_batch(struct recovery *recovery, struct log *log)
{
    struct io_driver *driver = recovery->store->options.driver;
    struct log_batch batch;
    struct log_write write;
    struct log_command logged;
    uint64_t position;
    int error = log_seal(log, &batch, &write);
    if (error == -EAGAIN) {
        error = next_segment(log);
        if (error == 0) {
            error = log_seal(log, &batch, &write);
        }
    }
    if (error == 0) {
        error = io_file_write(driver, write.file, write.piece.iov_base, write.piece.iov_len,
                              write.offset);
    }
    if (error == 0) {
        error = io_file_sync(driver, write.file);
    }
    if (error != 0) {
        return RECOVERY_FAIL(recovery, error, "the log can't be written: %s",
                             strerrorname_np(-error));
    }
    while (log_batch_next(&batch, &logged, &position) > 0) {
        struct command command;
        struct result result;
        struct ledger *ledger = &recovery->store->partitions[logged.partition].ledger;
        error = command_decode(&logged, &command);
        ASSERT(error == 0);
        apply_command(ledger, &command, &recovery->effects, &result);
    }
    log_written(log);
    return 0;
}

static int
open_partition(struct recovery *recovery, struct partition *partition, uint64_t now_ms)
{
    const struct store_options *options = &recovery->store->options;
    struct log *log = partition->journal->log;
    unsigned char body[64];
    struct command command = {
        .partition = partition->ledger.partition,
        .kind = COMMAND_OPEN,
        .time_ms =
            now_ms > partition->ledger.last_time_ms ? now_ms : partition->ledger.last_time_ms,
        .open = {.inbox_entries_max = options->inbox_entries_max,
                 .inbox_bytes_max = options->inbox_bytes_max,
                 .devices_max = options->devices_max,
                 .history_ms = options->history_ms},
    };
    struct log_command logged = {
        .partition = command.partition,
        .kind = COMMAND_OPEN,
        .version = COMMAND_VERSION,
        .body = body,
        .body_bytes = (uint32_t)command_encode(&command, body, sizeof(body)),
    };
    int error = log_append(log, &logged);
    if (error == -EAGAIN) {
        error = write_batch(recovery, log);
        if (error == 0) {
            error = log_append(log, &logged);
        }
    }
    return error;
}

/* From here on every number given is one that was never given before. */
static int
epochs_begin(struct recovery *recovery)
{
    struct store *store = recovery->store;
    int64_t wall_ms = io_wall_ms(io_of(store->options.driver, 0));
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        int error =
            open_partition(recovery, &store->partitions[i], wall_ms > 0 ? (uint64_t)wall_ms : 0);
        if (error != 0) {
            return error;
        }
    }
    for (unsigned i = 0; i < store->journals_count; i++) {
        if (log_open_commands(store->journals[i].log) > 0) {
            int error = write_batch(recovery, store->journals[i].log);
            if (error != 0) {
                return error;
            }
        }
    }
    return 0;
}

/* ------------------------------------------------------------------------------------ all of it */

static int
recover(struct recovery *recovery)
{
    struct store *store = recovery->store;
    int error =
        skip_list_read(&recovery->skips, store->options.driver, directory_path(store->directory));
    if (error != 0) {
        return RECOVERY_FAIL(
            recovery, error, "%s/skip can't be used: %s", directory_path(store->directory),
            error == -EINVAL ? "it has a line that is no position" : strerrorname_np(-error));
    }
    error = environments_open(recovery);
    if (error == 0) {
        error = ledgers_read(recovery);
    }
    if (error == 0) {
        error = recovery_replay(recovery);
    }
    reads_end(recovery);
    if (error == 0 && must_renew(recovery)) {
        error = renew_logs(recovery);
    }
    if (error == 0) {
        error = remove_old_logs(recovery);
    }
    if (error == 0) {
        error = logs_open(recovery);
    }
    return error == 0 ? epochs_begin(recovery) : error;
}

static void
hold_reserve(struct store *store)
{
    struct reserve reserve = {
        .driver = store->options.driver,
        .directory = directory_path(store->directory),
        .bytes = store->options.reserve_bytes,
    };
    /* Without it the node serves, but refuses messages: a keeper goes on trying. */
    if (reserve_hold(&reserve) != 0) {
        atomic_store_explicit(&store->disk_full, true, memory_order_relaxed);
    }
}

int
recovery_run(struct store *store, struct store_report *report)
{
    struct recovery *recovery = calloc(1, sizeof(*recovery));
    ASSERT(recovery != NULL);
    recovery->store = store;
    recovery->report = report;
    recovery->reads = calloc(store->cells_count, sizeof(recovery->reads[0]));
    ASSERT(recovery->reads != NULL);
    effects_init(&recovery->effects);
    int error = recover(recovery);
    if (error == 0) {
        hold_reserve(store);
    }
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        partition_measure(&store->partitions[i]);
    }
    effects_fini(&recovery->effects);
    free(recovery->reads);
    free(recovery->ends);
    free(recovery);
    return error;
}
