/* SPDX-License-Identifier: Apache-2.0 */
/* cell_files.h - a cell's environment (store/environment.h) in a new folder, over a driver that
 * fails when a test says so (disk.h). */
#pragma once

#include "store/environment.h"
#include "tests/spec.h"
#include "tests/store/disk.h"

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
