/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "runtime/larger.h"
#include "store/folder.h"
#include "store/keeper.h"
#include "store/reader.h"
#include "store/recovery.h"
#include "store/skip_list.h"
#include "store/span.h"
#include "store/state.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELLS_DEFAULT_MIN = 8,
    /* The longest list of one command, with room to spare. */
    SEGMENT_BYTES_MIN = 32 << 10,
};

/* ------------------------------------------------------------------------------------- settings */

static unsigned
cells_default(unsigned schedulers)
{
    unsigned cells = CELLS_DEFAULT_MIN;
    while (cells < schedulers && cells < STORE_PARTITIONS) {
        cells *= 2;
    }
    return cells;
}

static uint64_t
delta_default(const struct io_driver *driver)
{
    uint64_t bytes = io_memory_bytes(driver) / STORE_DELTA_PART;
    bytes = bytes > STORE_DELTA_BYTES_LEAST ? bytes : STORE_DELTA_BYTES_LEAST;
    return bytes < STORE_DELTA_BYTES_MOST ? bytes : STORE_DELTA_BYTES_MOST;
}

static void
fill_defaults(struct store_options *options)
{
    if (options->schedulers == 0) {
        options->schedulers = io_loops(options->driver);
    }
    if (options->cells == 0) {
        options->cells = cells_default(options->schedulers);
    }
    if (options->segment_bytes == 0) {
        options->segment_bytes = LOG_SEGMENT_BYTES;
    }
    if (options->delta_bytes_max == 0) {
        options->delta_bytes_max = delta_default(options->driver);
    }
    if (options->replay_bytes_max == 0) {
        options->replay_bytes_max = STORE_REPLAY_BYTES_MAX;
    }
    if (options->replay_commands_max == 0) {
        options->replay_commands_max = STORE_REPLAY_COMMANDS_MAX;
    }
    if (options->reserve_bytes == 0) {
        options->reserve_bytes = STORE_RESERVE_BYTES;
    }
    if (options->reads_until_warm == 0) {
        options->reads_until_warm = STORE_READS_UNTIL_WARM;
    }
    if (options->inbox_entries_max == 0) {
        options->inbox_entries_max = STORE_INBOX_ENTRIES_MAX;
    }
    if (options->inbox_bytes_max == 0) {
        options->inbox_bytes_max = STORE_INBOX_BYTES_MAX;
    }
    if (options->devices_max == 0) {
        options->devices_max = STORE_DEVICES_MAX;
    }
    if (options->states_max == 0) {
        options->states_max = STORE_STATES_MAX;
    }
    if (options->states_bytes_max == 0) {
        options->states_bytes_max = STORE_STATES_BYTES_MAX;
    }
    if (options->group_members_max == 0) {
        options->group_members_max = STORE_GROUP_MEMBERS_MAX;
    }
    if (options->outbox_bytes_max == 0) {
        options->outbox_bytes_max = STORE_OUTBOX_BYTES_MAX;
    }
    if (options->group_log_ms == 0) {
        options->group_log_ms = STORE_GROUP_LOG_MS;
    }
    if (options->group_waits_max == 0) {
        options->group_waits_max = STORE_GROUP_WAITS_MAX;
    }
    if (options->device_unseen_ms == 0) {
        options->device_unseen_ms = STORE_DEVICE_UNSEEN_MS;
    }
    if (options->device_warn_ms == 0) {
        options->device_warn_ms = STORE_DEVICE_WARN_MS;
    }
    if (options->inbox_age_ms == 0) {
        options->inbox_age_ms = STORE_INBOX_AGE_MS;
    }
}

static int
check(const struct store_options *options, char why[STORE_WHY_BYTES])
{
    const char *wrong = NULL;
    if (options->devices_max > STORE_DEVICES_LIMIT) {
        wrong = "a user can't have more than 32 devices";
    } else if (options->group_members_max > STORE_GROUP_MEMBERS_LIMIT) {
        wrong = "a group can't have more than 4,096 members";
    } else if (options->segment_bytes < SEGMENT_BYTES_MIN ||
               options->segment_bytes > LOG_SEGMENT_BYTES_MAX) {
        wrong = "the log's segments must have 32 KiB to 256 MiB";
    } else if (options->delta_bytes_max < STORE_DELTA_BYTES_MIN) {
        wrong = "the deltas need 16 MiB of memory at least";
    } else if (options->schedulers > DIRECTORY_SCHEDULERS_MAX) {
        wrong = "there can't be more than 256 schedulers";
    } else if (options->steps_bytes_max != 0 &&
               options->steps_bytes_max / options->schedulers < STEPS_BYTES_MIN) {
        wrong = "the steps of messages need 1 MiB for each scheduler, or 0 to keep none";
    }
    if (wrong == NULL) {
        return 0;
    }
    (void)snprintf(why, STORE_WHY_BYTES, "%s", wrong);
    return -EINVAL;
}

/* ----------------------------------------------------------------------------------------- life */

static void
add_child(struct store *store, const char *id, const struct ln_behaviour *behaviour,
          union store_argument argument, unsigned scheduler)
{
    store->arguments[store->children_count] = argument;
    store->children[store->children_count] = (struct ln_child){
        .id = id,
        .behaviour = behaviour,
        .argument = &store->arguments[store->children_count],
        .bytes = sizeof(store->arguments[0]),
        .restart = LN_PERMANENT,
        .elsewhere = true,
        .scheduler = (int)scheduler,
    };
    store->children_count++;
}

/* Those that others need start first: a journal before its keeper, everything before the
 * partitions. */
static void
plant_children(struct store *store)
{
    ASSERT(store->cells_count > 0 && store->journals_count > 0);
    size_t count =
        3 * store->journals_count + store->cells_count + STORE_PARTITIONS + store->steps_count;
    store->children = calloc(count, sizeof(store->children[0]));
    store->arguments = calloc(count, sizeof(store->arguments[0]));
    ASSERT(store->children != NULL && store->arguments != NULL);
    for (unsigned i = 0; i < store->journals_count; i++) {
        union store_argument argument = {.journal = &store->journals[i]};
        add_child(store, "log keeper", &keeper_behaviour, argument, i);
        add_child(store, "journal", &journal_behaviour, argument, i);
        add_child(store, "reader", &reader_behaviour, argument, i);
    }
    for (unsigned i = 0; i < store->steps_count; i++) {
        union store_argument argument = {.steps = &store->steps[i]};
        add_child(store, "step writer", &steps_behaviour, argument, i);
    }
    for (unsigned i = 0; i < store->cells_count; i++) {
        union store_argument argument = {.cell = &store->cells[i]};
        add_child(store, "folder", &folder_behaviour, argument, store_journal_of(store, i));
    }
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        union store_argument argument = {.partition = &store->partitions[i]};
        add_child(store, "partition", &partition_behaviour, argument,
                  store_journal_of(store, store_cell_of(store, i)));
    }
    ASSERT(store->children_count == count);
}

static void
make_parts(struct store *store)
{
    ASSERT(store->cells_count > 0 && store->journals_count > 0);
    store->cells = calloc(store->cells_count, sizeof(store->cells[0]));
    size_t journals_bytes = store->journals_count * sizeof(store->journals[0]);
    store->journals = aligned_alloc(_Alignof(struct journal), journals_bytes);
    store->partitions = calloc(STORE_PARTITIONS, sizeof(store->partitions[0]));
    ASSERT(store->cells != NULL && store->journals != NULL && store->partitions != NULL);
    for (unsigned i = 0; i < store->journals_count; i++) {
        journal_init(&store->journals[i], store, i);
    }
    for (unsigned i = 0; i < store->cells_count; i++) {
        store->cells[i].store = store;
        store->cells[i].index = i;
        store->cells[i].journal = &store->journals[store_journal_of(store, i)];
    }
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        partition_init(&store->partitions[i], store, (uint8_t)i);
    }
}

static int
open_directory(struct store *store, struct store_report *report)
{
    static_assert((int)STORE_WHY_BYTES >= (int)LOG_WHY_BYTES, "sentences fit");
    unsigned homes = store->options.schedulers;
    struct directory_options options = {
        .driver = store->options.driver,
        .path = store->options.path,
        .cells = store->options.cells,
        .schedulers = homes < store->options.cells ? homes : store->options.cells,
    };
    int error = directory_open(&options, &store->directory, report->why);
    if (error != 0) {
        return error;
    }
    const struct directory_facts *facts = directory_facts(store->directory);
    store->seed = facts->seed;
    store->cells_count = facts->cells;
    store->journals_count = homes < facts->cells ? homes : facts->cells;
    report->created = facts->created;
    report->cells = facts->cells;
    report->logs = store->journals_count;
    return 0;
}

static int
open_steps(struct store *store, struct store_report *report)
{
    const struct store_options *options = &store->options;
    struct step_place place = {.driver = options->driver, .rows = options->schedulers};
    if (options->steps_bytes_max == 0) {
        return 0;
    }
    int count =
        snprintf(place.folder, sizeof(place.folder), "%s/steps", directory_path(store->directory));
    ASSERT(count > 0 && count < (int)sizeof(place.folder) && options->schedulers > 0);
    place.bytes_max = options->steps_bytes_max / options->schedulers;
    int error = 0;
    store->steps = calloc(options->schedulers, sizeof(store->steps[0]));
    ASSERT(store->steps != NULL);
    while (error == 0 && store->steps_count < options->schedulers) {
        place.row = store->steps_count++;
        error = steps_init(&store->steps[place.row], store, &place);
    }
    if (error < 0) {
        (void)snprintf(report->why, sizeof(report->why), "%s: %s", place.folder,
                       strerrordesc_np(-error));
    }
    return error;
}

int
store_open(const struct store_options *options, struct store **out, struct store_report *report)
{
    struct io *io = io_of(options->driver, 0);
    uint64_t start_ns = io_now_ns(io);
    struct store *store = calloc(1, sizeof(*store));
    ASSERT(store != NULL);
    *report = (struct store_report){0};
    store->options = *options;
    fill_defaults(&store->options);
    int error = check(&store->options, report->why);
    if (error == 0) {
        error = open_directory(store, report);
    }
    if (error == 0) {
        make_parts(store);
        error = recovery_run(store, report);
    }
    if (error == 0) {
        error = open_steps(store, report);
    }
    if (error != 0) {
        store_close(&store);
        return error;
    }
    plant_children(store);
    report->duration_ms = (io_now_ns(io) - start_ns) / 1000000;
    *out = store;
    return 0;
}

void
store_close(struct store **store_in)
{
    struct store *store = *store_in;
    *store_in = NULL;
    if (store == NULL) {
        return;
    }
    for (unsigned i = 0; store->journals != NULL && i < store->journals_count; i++) {
        journal_fini(&store->journals[i]);
    }
    for (unsigned i = 0; store->partitions != NULL && i < STORE_PARTITIONS; i++) {
        partition_fini(&store->partitions[i]);
    }
    for (unsigned i = 0; i < store->steps_count; i++) {
        steps_fini(&store->steps[i]);
    }
    for (unsigned i = 0; store->cells != NULL && i < store->cells_count; i++) {
        environment_close(&store->cells[i].environment);
        for (unsigned j = 0; j < STORE_PARTITIONS; j++) {
            table_free(&store->cells[i].kept[j]);
        }
    }
    span_rest();
    directory_close(&store->directory);
    free(store->journals);
    free(store->partitions);
    free(store->cells);
    free(store->steps);
    free(store->children);
    free(store->arguments);
    free(store);
}

const struct ln_child *
store_children(const struct store *store, size_t *out_count)
{
    *out_count = store->children_count;
    return store->children;
}

bool
store_disk_full(const struct store *store)
{
    return atomic_load_explicit(&store->disk_full, memory_order_relaxed);
}

/* --------------------------------------------------------------------------------- who is where */

static_assert((int)STORE_SECRET_BYTES == (int)DIRECTORY_SECRET_BYTES, "one is the other");

const unsigned char *
store_secret(const struct store *store)
{
    return directory_facts(store->directory)->secret;
}

uint8_t
store_user_partition(const struct store *store, uint64_t user)
{
    return key_partition_of_id(store->seed, user);
}

uint8_t
store_name_partition(const struct store *store, const char *name, size_t bytes)
{
    return key_partition_of_name(store->seed, name, bytes);
}

ln_pid
store_partition_pid(const struct store *store, uint8_t partition)
{
    return store_pid_get(&store->partitions[partition].pid);
}

ln_pid
store_user_pid(const struct store *store, uint64_t user)
{
    return store_partition_pid(store, store_user_partition(store, user));
}

ln_pid
store_name_pid(const struct store *store, const char *name, size_t bytes)
{
    return store_partition_pid(store, store_name_partition(store, name, bytes));
}

uint32_t
store_starts_through(const struct store *store)
{
    return atomic_load_explicit(&store->starts_through, memory_order_acquire);
}

uint32_t
store_starts_begun(const struct store *store)
{
    return atomic_load_explicit(&store->starts_begun, memory_order_relaxed);
}

unsigned
store_user_home(const struct store *store, uint64_t user)
{
    return store_journal_of(store, store_cell_of(store, store_user_partition(store, user)));
}

unsigned
store_partition_home(const struct store *store, uint8_t partition)
{
    return store_journal_of(store, store_cell_of(store, partition));
}

bool
store_log_full(const struct store *store, unsigned scheduler)
{
    return scheduler < store->journals_count && store->journals[scheduler].stalled.first != NULL;
}

void
store_waker_set(struct store *store, unsigned scheduler, ln_pid waker)
{
    if (scheduler < store->journals_count) {
        store_pid_set(&store->journals[scheduler].waker, waker);
    }
}

void
store_presence_set(struct store *store, unsigned scheduler, ln_pid presence)
{
    if (scheduler < store->journals_count) {
        store_pid_set(&store->journals[scheduler].presence, presence);
    }
}

/* ------------------------------------------------------------------------------------- operator */

static void
add_stats(const struct journal *journal, struct store_stats *out)
{
    out->commands += counter_get(&journal->commands);
    out->command_bytes += counter_get(&journal->command_bytes);
    out->batches += counter_get(&journal->batches);
    out->batch_ns += counter_get(&journal->batch_ns);
    out->requests += counter_get(&journal->requests);
    out->refused_overload += counter_get(&journal->refused_overload);
    out->refused_full += counter_get(&journal->refused_full);
    out->fetches += counter_get(&journal->fetches);
    out->fetches_waited += counter_get(&journal->fetches_waited);
    out->fetched_records += counter_get(&journal->fetched_records);
    out->pushes += counter_get(&journal->pushes);
    for (unsigned i = 0; i < STORE_CALL_COUNTS; i++) {
        out->calls[i] += counter_get(&journal->calls[i]);
    }
    out->pushes_refused += counter_get(&journal->pushes_refused);
    out->stream_records += counter_get(&journal->stream_records);
    out->folds += counter_get(&journal->folds);
    out->folds_failed += counter_get(&journal->folds_failed);
    out->fold_ns += counter_get(&journal->fold_ns);
    out->held_ns += counter_get(&journal->held_ns);
    out->fold_records += counter_get(&journal->fold_records);
    out->fold_bytes += counter_get(&journal->fold_bytes);
    out->merged_bytes += counter_get(&journal->merged_bytes);
    out->merges_failed += counter_get(&journal->merges_failed);
    out->delta_bytes += counter_get(&journal->delta_bytes);
    out->delta_entries += counter_get(&journal->delta_entries);
    out->log_bytes += counter_get(&journal->log_bytes);
    out->sessions_attached += counter_get(&journal->sessions);
    out->users_online += counter_get(&journal->users_online);
    out->batch_commands_max =
        larger(out->batch_commands_max, counter_get(&journal->batch_commands_max));
    out->batch_ns_max = larger(out->batch_ns_max, counter_get(&journal->batch_ns_max));
    out->apply_ns_max = larger(out->apply_ns_max, counter_get(&journal->apply_ns_max));
    out->fold_ns_max = larger(out->fold_ns_max, counter_get(&journal->fold_ns_max));
    out->freeze_ns_max = larger(out->freeze_ns_max, counter_get(&journal->freeze_ns_max));
}

void
store_stats_read(const struct store *store, struct store_stats *out)
{
    *out = (struct store_stats){.disk_full = store_disk_full(store)};
    out->delta_bytes_max = store->options.delta_bytes_max;
    out->spare_bytes = span_spare_bytes();
    for (unsigned i = 0; i < store->journals_count; i++) {
        add_stats(&store->journals[i], out);
    }
}

void
store_partition_info_read(const struct store *store, uint8_t index,
                          struct store_partition_info *out)
{
    const struct partition *partition = &store->partitions[index];
    uint64_t last_number = counter_get(&partition->last_number);
    *out = (struct store_partition_info){
        .partition = index,
        .cell = store_cell_of(store, index),
        .scheduler = store_journal_of(store, store_cell_of(store, index)),
        .pid = store_pid_get(&partition->pid),
        .epoch = (uint32_t)(last_number >> LEDGER_NUMBER_COUNTER_BITS),
        .last_number = last_number,
        .commands = counter_get(&partition->commands),
        .delta_bytes = counter_get(&partition->delta_bytes),
        .delta_entries = counter_get(&partition->delta_entries),
        .waiting = (uint32_t)counter_get(&partition->waiting_count),
        .sessions = (uint32_t)counter_get(&partition->sessions),
        .outbox_records = counter_get(&partition->outbox_records),
    };
}

int
store_skip(struct io_driver *driver, const char *path, const char *position,
           char why[STORE_WHY_BYTES])
{
    struct position parsed;
    if (position_parse(position, &parsed) != 0) {
        (void)snprintf(why, STORE_WHY_BYTES,
                       "'%s' is no position: three hexadecimal numbers with - between them, as the "
                       "node named it",
                       position);
        return -EINVAL;
    }
    int error = skip_list_add(driver, path, &parsed);
    if (error != 0) {
        (void)snprintf(why, STORE_WHY_BYTES, "%s/skip can't be written: %s", path,
                       strerrorname_np(-error));
    }
    return error;
}
