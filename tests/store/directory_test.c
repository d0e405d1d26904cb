/* SPDX-License-Identifier: Apache-2.0 */
#include "store/directory.h"
#include "store/environment.h"
#include "tests/spec.h"
#include "tests/store/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct place {
    struct disk disk;
    struct directory_options options;
    struct directory *directory;
    char why[LOG_WHY_BYTES];
};

static int
setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    disk_init(&place->disk, "parent");
    place->options = (struct directory_options){
        .driver = &place->disk.driver,
        .path = "parent/data",
        .cells = 4,
        .schedulers = 2,
    };
    *state = place;
    return 0;
}

static int
teardown(void **state)
{
    struct place *place = *state;
    directory_close(&place->directory);
    free(place);
    return 0;
}

static void
open_it(struct place *place)
{
    int result = directory_open(&place->options, &place->directory, place->why);
    if (result < 0) {
        print_error("%s\n", place->why);
    }
    assert_int_equal(result, 0);
}

static void
check_refused(struct place *place, int error, const char *sentence)
{
    struct directory *directory = NULL;
    assert_int_equal(directory_open(&place->options, &directory, place->why), error);
    assert_null(directory);
    if (strstr(place->why, sentence) == NULL) {
        print_error("\"%s\" is not in \"%s\"\n", sentence, place->why);
    }
    assert_non_null(strstr(place->why, sentence));
}

/* Every cell's environment is there and belongs to the directory. */
static void
check_cells(struct place *place)
{
    const struct directory_facts *facts = directory_facts(place->directory);
    for (unsigned cell = 0; cell < facts->cells; cell++) {
        char path[LOG_PATH_BYTES_MAX];
        struct environment *environment = NULL;
        struct environment_options options = {
            .driver = &place->disk.driver,
            .path = path,
            .map_bytes = 1 << 20,
            .cell = cell,
        };
        directory_cell_path(place->directory, cell, path);
        memcpy(options.identity, facts->identity, sizeof(options.identity));
        assert_int_equal(environment_open(&options, &environment, place->why), 0);
        environment_close(&environment);
    }
}

/* ------------------------------------------------------------------------ creation */

static void
the_first_open_creates_it(void **state)
{
    struct place *place = *state;
    open_it(place);
    const struct directory_facts *facts = directory_facts(place->directory);
    assert_true(facts->created);
    assert_int_equal(facts->cells, 4);
    assert_int_equal(facts->schedulers, 2);
    assert_int_equal(facts->log_generation, 1);
    assert_true(facts->created_at_ms == 1767225600000);
    assert_string_equal(directory_path(place->directory), "parent/data");
    assert_string_equal(directory_log_path(place->directory), "parent/data/log");
    assert_false(disk_has(&place->disk, "data/linnet.creating"));
    assert_false(disk_has(&place->disk, "data/linnet.data.new"));
    check_cells(place);
}

static void
later_opens_find_the_same(void **state)
{
    struct place *place = *state;
    open_it(place);
    struct directory_facts first = *directory_facts(place->directory);
    directory_close(&place->directory);
    assert_null(place->directory);
    place->options.cells = 16; /* no longer asked */
    place->options.path = "parent/data//";
    open_it(place);
    const struct directory_facts *second = directory_facts(place->directory);
    assert_false(second->created);
    assert_int_equal(second->cells, 4);
    assert_true(second->seed == first.seed);
    assert_memory_equal(second->identity, first.identity, sizeof(first.identity));
    assert_memory_equal(second->secret, first.secret, sizeof(first.secret));
    assert_true(second->created_at_ms == first.created_at_ms);
    check_cells(place);
}

static void
two_directories_differ(void **state)
{
    struct place *place = *state;
    open_it(place);
    struct directory_facts first = *directory_facts(place->directory);
    directory_close(&place->directory);
    place->options.path = "parent/other";
    open_it(place);
    const struct directory_facts *second = directory_facts(place->directory);
    assert_memory_not_equal(second->identity, first.identity, sizeof(first.identity));
    assert_memory_not_equal(second->secret, first.secret, sizeof(first.secret));
}

static void
check_mode(const char *path, unsigned mode)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, mode);
}

static void
everything_is_its_owners_alone(void **state)
{
    struct place *place = *state;
    open_it(place);
    check_mode("parent/data", 0700);
    check_mode("parent/data/linnet.data", 0600);
    check_mode("parent/data/lock", 0600);
    check_mode("parent/data/log", 0700);
    check_mode("parent/data/cells", 0700);
    check_mode("parent/data/cells/c03", 0700);
    check_mode("parent/data/cells/c03/data.mdb", 0600);
}

static void
a_creation_cut_off_anywhere_is_begun_anew(void **state)
{
    struct place *place = *state;
    for (unsigned n = 1; n < 200; n++) {
        disk_init(&place->disk, "parent");
        disk_fail(&place->disk, n, -EIO);
        int result = directory_open(&place->options, &place->directory, place->why);
        bool failed = place->disk.calls >= place->disk.fail_at;
        disk_fail(&place->disk, 0, 0);
        if (!failed) {
            assert_int_equal(result, 0);
            assert_true(n > 30); /* steps were cut */
            return;
        }
        assert_int_equal(result, -EIO);
        assert_non_null(strstr(place->why, "parent/data"));
        open_it(place);
        assert_false(disk_has(&place->disk, "data/linnet.creating"));
        check_cells(place);
        directory_close(&place->directory);
        open_it(place);
        assert_false(directory_facts(place->directory)->created);
        directory_close(&place->directory);
    }
    fail();
}

/* ------------------------------------------------------------------------ refusals */

static void
two_nodes_never_share_it(void **state)
{
    struct place *place = *state;
    open_it(place);
    check_refused(place, -EWOULDBLOCK,
                  "the data directory parent/data is in use by another process");
    directory_close(&place->directory);
    open_it(place);
}

static void
another_format_version_is_refused(void **state)
{
    struct place *place = *state;
    open_it(place);
    directory_close(&place->directory);
    disk_patch(&place->disk, "data/linnet.data", 8, "\6", 1);
    check_refused(place, -EPROTO, "has format version 6, and this program knows version 5 only");
}

static void
a_changed_data_file_is_refused(void **state)
{
    struct place *place = *state;
    size_t bytes;
    open_it(place);
    directory_close(&place->directory);
    unsigned char *image = disk_read(&place->disk, "data/linnet.data", &bytes);
    for (size_t i = 0; i < bytes; i++) {
        unsigned char flipped = (unsigned char)(image[i] ^ 0x10);
        disk_patch(&place->disk, "data/linnet.data", i, &flipped, 1);
        bool version = i >= 8 && i < 12;
        check_refused(place, version ? -EPROTO : -EUCLEAN,
                      version ? "format version" : "is damaged");
        disk_patch(&place->disk, "data/linnet.data", i, &image[i], 1);
    }
    for (size_t i = 12; i < bytes; i++) {
        disk_write(&place->disk, "data/linnet.data", image, i);
        check_refused(place, -EUCLEAN, "is damaged");
    }
    image[bytes] = 0; /* disk_read leaves room for one more */
    disk_write(&place->disk, "data/linnet.data", image, bytes + 1);
    check_refused(place, -EUCLEAN, "is damaged");
    disk_write(&place->disk, "data/linnet.data", image, bytes);
    open_it(place);
    free(image);
}

static void
data_without_their_data_file_are_never_overwritten(void **state)
{
    struct place *place = *state;
    open_it(place);
    directory_close(&place->directory);
    assert_int_equal(io_remove(&place->disk.driver, "parent/data/linnet.data"), 0);
    check_refused(place, -EUCLEAN, "linnet.data is missing, but there are data in cells/");
    /* Even if it looks like a creation that was cut off: a log is made only after one. */
    disk_write(&place->disk, "data/linnet.creating", "", 0);
    disk_write(&place->disk, "data/log/00000001-000-00000001", "", 0);
    check_refused(place, -EUCLEAN, "linnet.data is missing, but there are data in log/");
    assert_true(disk_has(&place->disk, "data/cells/c00/data.mdb"));
}

static void
bad_settings_are_refused(void **state)
{
    struct place *place = *state;
    static const unsigned bad[] = {0, 3, 12, 257, 512};
    char path[400];
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        place->options.cells = bad[i];
        check_refused(place, -EINVAL, "cells must be a power of two from 1 to 256");
    }
    place->options.cells = 8;
    place->options.schedulers = 0;
    check_refused(place, -EINVAL, "schedulers from 1 to 256");
    place->options.schedulers = 1;
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    place->options.path = path;
    check_refused(place, -EINVAL, "path must have 1 to 319 bytes");
    place->options.path = "";
    check_refused(place, -EINVAL, "path must have 1 to 319 bytes");
}

static void
a_path_that_cannot_be_is_named(void **state)
{
    struct place *place = *state;
    place->options.path = "parent/missing/data";
    check_refused(place, -ENOENT, "the data directory parent/missing/data can't be opened");
    disk_write(&place->disk, "file", "", 0);
    place->options.path = "parent/file";
    check_refused(place, -ENOTDIR, "the data directory parent/file can't be opened");
}

/* ------------------------------------------------------------------------ generations */

static void
a_new_generation_lasts(void **state)
{
    struct place *place = *state;
    open_it(place);
    struct directory_facts first = *directory_facts(place->directory);
    assert_int_equal(directory_begin_generation(place->directory, 7), 0);
    assert_int_equal(directory_facts(place->directory)->log_generation, 2);
    directory_close(&place->directory);
    open_it(place);
    const struct directory_facts *facts = directory_facts(place->directory);
    assert_int_equal(facts->log_generation, 2);
    assert_int_equal(facts->schedulers, 7);
    assert_memory_equal(facts->secret, first.secret, sizeof(first.secret));
    assert_memory_equal(facts->identity, first.identity, sizeof(first.identity));
}

static void
a_generation_cut_off_is_the_old_or_the_new(void **state)
{
    struct place *place = *state;
    open_it(place);
    uint32_t generation = 1;
    for (unsigned n = 1; n < 20; n++) {
        disk_fail(&place->disk, n, -EIO);
        int result = directory_begin_generation(place->directory, 3);
        bool failed = place->disk.calls >= place->disk.fail_at;
        disk_fail(&place->disk, 0, 0);
        if (!failed) {
            assert_int_equal(result, 0);
            assert_true(n > 5); /* remove, create, write, sync, rename, sync */
            return;
        }
        assert_int_equal(result, -EIO);
        assert_int_equal(directory_facts(place->directory)->log_generation, generation);
        directory_close(&place->directory);
        open_it(place);
        uint32_t found = directory_facts(place->directory)->log_generation;
        assert_in_range(found, generation, generation + 1);
        assert_false(disk_has(&place->disk, "data/linnet.data.new"));
        generation = found;
    }
    fail();
}

#define PLACE_SPEC(title, function)                \
    {                                              \
        (title), (function), setup, teardown, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        PLACE_SPEC("the first open creates it, with all its cells", the_first_open_creates_it),
        PLACE_SPEC("later opens find what was fixed then", later_opens_find_the_same),
        PLACE_SPEC("two directories have different identities and secrets", two_directories_differ),
        PLACE_SPEC("everything is its owner's alone", everything_is_its_owners_alone),
        PLACE_SPEC("a creation cut off at any step is begun anew by the next open",
                   a_creation_cut_off_anywhere_is_begun_anew),
        PLACE_SPEC("two nodes never share it", two_nodes_never_share_it),
        PLACE_SPEC("another format version is refused by its number",
                   another_format_version_is_refused),
        PLACE_SPEC("a data file with any byte changed, lost or added is refused",
                   a_changed_data_file_is_refused),
        PLACE_SPEC("data without their data file are never overwritten",
                   data_without_their_data_file_are_never_overwritten),
        PLACE_SPEC("bad settings are refused and named", bad_settings_are_refused),
        PLACE_SPEC("a path that can't be is named", a_path_that_cannot_be_is_named),
        PLACE_SPEC("a new log generation lasts", a_new_generation_lasts),
        PLACE_SPEC("a new generation cut off at any step is the old one or the new",
                   a_generation_cut_off_is_the_old_or_the_new),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
