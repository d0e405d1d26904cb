/* SPDX-License-Identifier: Apache-2.0 */
/* cell_files.h - a cell's environment (store/environment.h) in a new folder, over a driver that
 * fails when a test says so (disk.h). */
#pragma once

#include "store/environment.h"
#include "tests/spec.h"
#include "tests/store/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cell_files {
    struct disk disk;
    struct environment_options options;
    struct environment *environment;
    char why[ENVIRONMENT_WHY_BYTES];
};

static inline void
cell_files_open(struct cell_files *files, uint64_t map_bytes)
{
    disk_init(&files->disk, "c00");
    files->options = (struct environment_options){
        .driver = &files->disk.driver,
        .path = "c00",
        .map_bytes = map_bytes,
        .cell = 3,
        .identity = "0123456789abcde",
    };
    assert_int_equal(environment_create(&files->options, files->why), 0);
    assert_int_equal(environment_open(&files->options, &files->environment, files->why), 0);
}

static inline void
cell_files_close(struct cell_files *files)
{
    environment_close(&files->environment);
}

/* How many records are folded. */
static inline uint64_t
cell_files_records(const struct cell_files *files)
{
    struct environment_facts facts;
    assert_int_equal(environment_facts(files->environment, &facts), 0);
    return facts.records;
}

/* ------------------------------------------------------------------------------ records of text */

static inline int
cell_setup(void **state)
{
    struct cell_files *cell = calloc(1, sizeof(*cell));
    assert_non_null(cell);
    cell_files_open(cell, 64 << 20);
    *state = cell;
    return 0;
}

static inline int
cell_teardown(void **state)
{
    struct cell_files *cell = *state;
    cell_files_close(cell);
    free(cell);
    return 0;
}

static inline struct store_key
cell_key(uint8_t partition, uint64_t number)
{
    return (struct store_key){.partition = partition, .table = 2, .owner = 3, .a = number};
}

static inline struct store_value
cell_text(const char *characters)
{
    return (struct store_value){(const unsigned char *)characters, strlen(characters)};
}

static inline struct environment_write *
cell_begin(struct cell_files *cell)
{
    struct environment_write *write = NULL;
    assert_int_equal(environment_write_begin(cell->environment, &write), 0);
    return write;
}

static inline void
cell_put(struct environment_write *write, uint8_t partition, uint64_t number,
         const char *characters)
{
    struct store_key key = cell_key(partition, number);
    assert_int_equal(environment_put(write, &key, cell_text(characters)), 0);
}

static inline void
cell_commit(struct environment_write *write)
{
    assert_int_equal(environment_commit(&write), 0);
    assert_null(write);
}

/* Numbers 1 to `count` in partitions 1, 2 and 3. */
static inline void
cell_fill(struct cell_files *cell, uint64_t count)
{
    struct environment_write *write = cell_begin(cell);
    for (uint8_t partition = 1; partition <= 3; partition++) {
        for (uint64_t i = 1; i <= count; i++) {
            cell_put(write, partition, i, "value");
        }
    }
    cell_commit(write);
}

/* NULL: there must be none. */
static inline void
cell_check(struct cell_files *cell, uint8_t partition, uint64_t number, const char *characters)
{
    struct environment_read read;
    struct store_key key = cell_key(partition, number);
    struct store_value value;
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    int result = environment_get(&read, &key, &value);
    assert_int_equal(result, characters != NULL ? 0 : -ENOENT);
    if (characters != NULL) {
        assert_int_equal(value.count, strlen(characters));
        assert_memory_equal(value.bytes, characters, value.count);
    }
    environment_read_end(&read);
}

#define CELL_FILES_SPEC(title, function)                     \
    {                                                        \
        (title), (function), cell_setup, cell_teardown, NULL \
    }
