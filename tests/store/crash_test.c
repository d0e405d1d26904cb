/* SPDX-License-Identifier: Apache-2.0 */
/* The store's files on a disk that loses power: many lives of one small store, each cut off at a
 * seeded event.
 *
 * The store counts: command i says i. What a life has acknowledged (its batch was synced, or found
 * again and opened) the next life must find, in order and without a gap, partly in LMDB and the
 * rest in the log. */
#include "runtime/io/sim.h"
#include "runtime/io/sim_tree.h"
#include "store/directory.h"
#include "store/fold.h"
#include "store/log_scan.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = SEEDS_OF(40),
    LIVES = 25, /* of each seed */
    STEPS = 60, /* of each life, unless the power goes before */
    SEGMENT_BYTES = LOG_SEGMENT_BYTES_MIN,
    CAUGHT_WITHIN = 20, /* seeds, when syncs do nothing */
    NUMBERS_TABLE = 2,  /* each that was folded: it grows, and so lies in runs */
    OWNERS = 3,
};

static const char root[] = "disk";

struct node {
    struct io_driver *driver;
    struct directory *directory;
    struct environment *environment;
    struct log_place place;
    struct log *log;
    uint64_t folded; /* the number that LMDB holds, beside each up to it */
    uint64_t number; /* of the last command appended */
    struct log_mark mark;
    char why[LOG_WHY_BYTES];
};

static void
disk_clear(void)
{
    assert_int_equal(sim_tree_remove(root), 0);
}

/* ------------------------------------------------------------------------ a life */

static struct store_key
counter_key(void)
{
    return (struct store_key){.partition = 0, .table = 1};
}

static struct store_key
number_key(uint64_t number)
{
    return (struct store_key){
        .partition = 0, .table = NUMBERS_TABLE, .owner = number % OWNERS, .a = number};
}

static int
count_number(void *context, const struct store_key *key, struct store_value value)
{
    uint64_t *count = context;
    (void)key;
    (void)value;
    ++*count;
    return 0;
}

/* Whether each number that was folded is there. */
static int
numbers_read(struct node *node, struct environment_read *read)
{
    uint64_t count = 0;
    int result = 0;
    for (uint64_t owner = 0; result == 0 && owner < OWNERS; owner++) {
        struct store_range range = key_range_owner(0, NUMBERS_TABLE, owner);
        result = environment_range(read, &range, ENVIRONMENT_FORWARDS, count_number, &count);
    }
    if (result == 0 && count != node->folded) {
        (void)snprintf(node->why, sizeof(node->why), "%llu of %llu numbers are there",
                       (unsigned long long)count, (unsigned long long)node->folded);
        return -EUCLEAN;
    }
    return result;
}

/* What LMDB says. */
static int
folded_read(struct node *node)
{
    struct environment_read read;
    struct store_key key = counter_key();
    struct store_value value;
    int result = environment_read_begin(node->environment, &read);
    if (result < 0) {
        return result;
    }
    result = environment_mark(&read, &node->mark);
    if (result == 0) {
        result = environment_get(&read, &key, &value);
        if (result == 0) {
            memcpy(&node->folded, value.bytes, sizeof(node->folded));
        }
        result = result == -ENOENT ? 0 : result;
    }
    if (result == 0) {
        result = numbers_read(node, &read);
    }
    environment_read_end(&read);
    node->number = node->folded;
    if (node->mark.generation == 0) {
        node->mark = (struct log_mark){1, log_position_first()};
    }
    return result;
}

static int
replay(void *context, struct log_batch *batch)
{
    struct node *node = context;
    struct log_command command;
    uint64_t position;
    int result;
    while ((result = log_batch_next(batch, &command, &position)) > 0) {
        uint64_t number;
        memcpy(&number, command.body, sizeof(number));
        if (number != node->number + 1) {
            (void)snprintf(node->why, sizeof(node->why), "a gap after %llu",
                           (unsigned long long)node->number);
            return -EUCLEAN;
        }
        node->number = number;
    }
    return result;
}

static int
node_open_log(struct node *node)
{
    struct log_end end;
    struct log_scan scan = {
        .place = &node->place,
        .from = node->mark.position,
        .at_least = node->mark.position,
        .each = replay,
        .context = node,
    };
    int result = log_segments_sweep(node->driver, node->place.folder);
    if (result == 0) {
        result = log_scan_run(&scan, &end);
        if (result < 0 && scan.why[0] != '\0') {
            memcpy(node->why, scan.why, sizeof(node->why));
        }
    }
    return result < 0 ? result : log_open(&node->place, &end, &node->log, node->why);
}

/* Everything up to where a node would begin to serve. 0, or what an operator would be told. */
static int
node_open(struct node *node)
{
    static char cell[LOG_PATH_BYTES_MAX];
    struct directory_options options = {
        .driver = node->driver,
        .path = "disk/data",
        .cells = 1,
        .schedulers = 1,
    };
    int result = directory_open(&options, &node->directory, node->why);
    if (result < 0) {
        return result;
    }
    const struct directory_facts *facts = directory_facts(node->directory);
    struct environment_options environment = {
        .driver = node->driver,
        .path = cell,
        .map_bytes = 16 << 20,
        .grows = NUMBERS_TABLE,
    };
    directory_cell_path(node->directory, 0, cell);
    memcpy(environment.identity, facts->identity, LOG_IDENTITY_BYTES);
    result = environment_open(&environment, &node->environment, node->why);
    if (result == 0) {
        result = folded_read(node);
    }
    if (result < 0) {
        return result;
    }
    node->place = (struct log_place){
        .driver = node->driver,
        .folder = directory_log_path(node->directory),
        .generation = facts->log_generation,
        .segment_bytes = SEGMENT_BYTES,
        .batch_bytes_max = 1024,
    };
    memcpy(node->place.identity, facts->identity, LOG_IDENTITY_BYTES);
    return node_open_log(node);
}

static void
node_close(struct node *node)
{
    log_close(&node->log);
    environment_close(&node->environment);
    directory_close(&node->directory);
}

static void
append(struct node *node, struct chance *chance)
{
    unsigned char body[600] = {0};
    struct log_command command = {.kind = 1, .version = 1, .body = body};
    command.body_bytes = 8 + (uint32_t)chance_below(chance, 500);
    node->number++;
    memcpy(body, &node->number, sizeof(node->number));
    assert_int_equal(log_append(node->log, &command), 0);
}

static void
segment_make(struct node *node)
{
    uint32_t number;
    uint32_t recycle;
    struct log_segment segment;
    if (log_segment_wanted(node->log, &number, &recycle)) {
        assert_int_equal(log_segment_make(log_place_of(node->log), number, recycle, &segment), 0);
        log_segment_ready(node->log, &segment);
    }
}

/* Writes a batch; it counts only when it is synced, too. */
static io_file
commit_write(struct node *node, struct chance *chance)
{
    struct log_batch batch;
    struct log_write write;
    append(node, chance);
    if (log_seal(node->log, &batch, &write) < 0) {
        segment_make(node);
        assert_int_equal(log_seal(node->log, &batch, &write), 0);
    }
    int result = io_file_write(node->driver, write.file, write.piece.iov_base, write.piece.iov_len,
                               write.offset);
    assert_int_equal(result, 0);
    return write.file;
}

static void
commit(struct node *node, struct chance *chance)
{
    io_file file = commit_write(node, chance);
    assert_int_equal(io_file_sync(node->driver, file), 0);
    log_written(node->log);
    segment_make(node);
}

static void
fold_and_trim(struct node *node)
{
    struct table *table = table_new(1);
    const struct table *tables[] = {table};
    struct store_key key = counter_key();
    uint32_t first;
    uint32_t count;
    table_put(table, &key, TABLE_WRITTEN,
              (struct store_value){(const unsigned char *)&node->number, sizeof(node->number)});
    while (node->folded < node->number) {
        key = number_key(++node->folded);
        table_put(table, &key, TABLE_WRITTEN, (struct store_value){0});
    }
    struct fold fold = {
        .environment = node->environment,
        .tables = tables,
        .tables_count = 1,
        .mark = {node->place.generation, log_durable_position(node->log)},
    };
    assert_int_equal(fold_run(&fold), 0);
    table_free(&table);
    if (log_trim(node->log, fold.mark.position, &first, &count)) {
        assert_int_equal(log_segments_remove(log_place_of(node->log), first, count), 0);
    }
}

/* The process is killed between write and sync, and started again on the same machine: it finds the
 * batch in the page cache, takes it for durable, and must have made it so. */
static int
kill_and_open(struct node *node, struct chance *chance)
{
    struct io_driver *driver = node->driver;
    (void)commit_write(node, chance);
    log_written(node->log); /* it was not, but closing asks for it */
    node_close(node);
    *node = (struct node){.driver = driver};
    return node_open(node);
}

struct promise {
    uint64_t acknowledged;
    uint64_t appended;
    unsigned crashes;
};

/* One life. 0, or what went wrong; what was promised is kept in *promise. */
static int
live(uint64_t seed, unsigned life, bool drop_syncs, struct promise *promise)
{
    struct chance chance = {seed * 1000 + life};
    struct node node = {0};
    struct sim_options options = {
        .seed = chance_next(&chance), .root = root, .drop_syncs = drop_syncs};
    assert_int_equal(sim_open(&options, &node.driver), 0);
    /* Many lives end while they open, more while they work. */
    sim_crash_at(node.driver, 1 + chance_below(&chance, life % 3 == 0 ? 60 : 500));
    int result = node_open(&node);
    if (result == 0 && (node.number < promise->acknowledged || node.number > promise->appended)) {
        (void)snprintf(node.why, sizeof(node.why), "%llu found, %llu acknowledged, %llu appended",
                       (unsigned long long)node.number, (unsigned long long)promise->acknowledged,
                       (unsigned long long)promise->appended);
        result = -EUCLEAN;
    }
    for (unsigned step = 0; result == 0 && step < STEPS && !sim_crashed(node.driver); step++) {
        promise->acknowledged = node.number;
        promise->appended = node.number + 1;
        switch (chance_below(&chance, 12)) {
        case 0:
            fold_and_trim(&node);
            if (chance_below(&chance, 2) == 0) {
                uint64_t merged;
                assert_int_equal(environment_merge(node.environment, 0, &merged), 0);
            }
            break;
        case 1:
            result = kill_and_open(&node, &chance);
            break;
        default:
            commit(&node, &chance);
            break;
        }
    }
    if (result == 0 && !sim_crashed(node.driver)) {
        promise->acknowledged = node.number;
    }
    if (result < 0 && !drop_syncs) {
        print_error("seed %llu, life %u: %s\n", (unsigned long long)seed, life, node.why);
    }
    promise->crashes += sim_crashed(node.driver);
    node_close(&node);
    io_driver_close(node.driver);
    return result;
}

/* ------------------------------------------------------------------------ specs */

static void
nothing_acknowledged_is_ever_lost(void **state)
{
    (void)state;
    unsigned crashes = 0;
    uint64_t acknowledged = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct promise promise = {0};
        disk_clear();
        for (unsigned life = 0; life < LIVES; life++) {
            assert_int_equal(live(seed, life, false, &promise), 0);
        }
        crashes += promise.crashes;
        acknowledged += promise.acknowledged;
    }
    unsigned lives = SEEDS * LIVES;
    assert_true(crashes > lives / 2);
    assert_true(acknowledged > lives);
}

static void
syncs_that_do_nothing_are_caught(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= CAUGHT_WITHIN; seed++) {
        struct promise promise = {0};
        disk_clear();
        for (unsigned life = 0; life < LIVES; life++) {
            if (live(seed, life, true, &promise) < 0) {
                return;
            }
        }
    }
    fail();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("whenever the power goes, nothing acknowledged is lost and nothing is torn",
             nothing_acknowledged_is_ever_lost),
        SPEC("a disk whose syncs do nothing is caught within 20 seeds",
             syncs_that_do_nothing_are_caught),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
