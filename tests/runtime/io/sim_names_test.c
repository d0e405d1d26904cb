/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/sim_life.h"
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(300), READ_WRITE = IO_OPEN_READ | IO_OPEN_WRITE };

static const char root[] = SIM_LIFE_ROOT;

static int
collect(void *context, const char *name)
{
    char *names = context;
    (void)strcat(names, name);
    (void)strcat(names, " ");
    return strcmp(name, "stop") == 0 ? 7 : 0;
}

static void
calls_of_names(void **state)
{
    (void)state;
    struct io_driver *driver = sim_life(1);
    char names[64] = "";
    io_file_close(driver, sim_life_make(driver, "a", 'a', 10));
    io_file_close(driver, sim_life_make(driver, "b", 'b', 10));
    assert_int_equal(io_make_directory(driver, "disk/folder"), 0);
    assert_int_equal(io_make_directory(driver, "disk/folder"), 0);
    assert_int_equal(io_make_directory(driver, "disk/a"), -ENOTDIR);
    assert_int_equal(io_rename(driver, "disk/a", "disk/folder/c"), 0);
    assert_int_equal(io_rename(driver, "disk/a", "disk/d"), -ENOENT);
    assert_int_equal(io_rename(driver, "disk/folder", "disk/b"), -EEXIST);
    assert_int_equal(io_remove(driver, "disk/folder"), -ENOTEMPTY);
    assert_int_equal(io_rename(driver, "disk/b", "disk/folder/stop"), 0);
    assert_int_equal(io_rename(driver, "disk/folder/c", "disk/folder/stop"), 0);
    assert_int_equal(io_list_directory(driver, "disk/folder", collect, names), 7);
    assert_string_equal(names, "stop ");
    assert_int_equal(io_remove(driver, "disk/folder/stop"), 0);
    assert_int_equal(io_remove(driver, "disk/folder/stop"), -ENOENT);
    assert_int_equal(io_remove(driver, "disk/folder"), 0);
    names[0] = '\0';
    assert_int_equal(io_list_directory(driver, root, collect, names), 0);
    assert_string_equal(names, ""); /* not even the trash */
    assert_int_equal(io_sync_directory(driver, "disk/folder"), -ENOENT);
    io_driver_close(driver);
    assert_false(sim_life_exists(".sim-trash"));
}

/* ---------------------------------------------------------------------------- power cuts: names */

static void
creation_may_be_undone(void **state)
{
    (void)state;
    unsigned there = 0, gone = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = sim_life(seed);
        sim_rig_forget(driver, "disk/new");
        assert_int_equal(io_sync_directory(driver, root), 0);
        io_file file = sim_life_open(driver, "new", READ_WRITE | IO_OPEN_CREATE);
        sim_life_fill(driver, file, 'n', 10, 0);
        assert_int_equal(io_file_sync(driver, file), 0); /* the bytes, not the name */
        sim_life_cut(driver);
        char bytes[16];
        bool exists = sim_life_exists("new");
        there += exists;
        gone += !exists;
        assert_true(!exists || sim_life_content("new", bytes, sizeof(bytes)) == 10);
    }
    assert_true(there > 0 && gone > 0);
}

static void
rename_is_old_or_new(void **state)
{
    (void)state;
    unsigned old = 0, new = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char bytes[16];
        struct io_driver *driver = sim_life(seed);
        io_file_close(driver, sim_life_make(driver, "current", 'o', 10));
        io_file_close(driver, sim_life_make(driver, "next", 'n', 10));
        assert_int_equal(io_rename(driver, "disk/next", "disk/current"), 0);
        sim_life_cut(driver);
        assert_int_equal(sim_life_content("current", bytes, sizeof(bytes)), 10);
        bool undone = bytes[0] == 'o';
        assert_true(undone || bytes[0] == 'n');
        assert_int_equal(sim_life_exists("next"), undone);
        old += undone;
        new += !undone;
        driver = sim_life(seed);
        sim_rig_forget(driver, "disk/next");
        io_driver_close(driver);
    }
    assert_true(old > 0 && new > 0);
}

static void
synced_names_survive(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char bytes[16];
        struct io_driver *driver = sim_life(seed);
        io_file_close(driver, sim_life_make(driver, "current", 'o', 10));
        io_file_close(driver, sim_life_make(driver, "next", 'n', 10));
        assert_int_equal(io_make_directory(driver, "disk/folder"), 0);
        assert_int_equal(io_rename(driver, "disk/next", "disk/current"), 0);
        assert_int_equal(io_sync_directory(driver, root), 0);
        sim_life_cut(driver);
        assert_int_equal(sim_life_content("current", bytes, sizeof(bytes)), 10);
        assert_int_equal(bytes[0], 'n');
        assert_false(sim_life_exists("next"));
        assert_true(sim_life_exists("folder"));
    }
}

static void
removal_may_be_undone(void **state)
{
    (void)state;
    unsigned there = 0, gone = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char bytes[16];
        struct io_driver *driver = sim_life(seed);
        io_file_close(driver, sim_life_make(driver, "doomed", 'd', 10));
        assert_int_equal(io_remove(driver, "disk/doomed"), 0);
        assert_false(sim_life_exists("doomed"));
        sim_life_cut(driver);
        bool exists = sim_life_exists("doomed");
        assert_true(!exists || sim_life_content("doomed", bytes, sizeof(bytes)) == 10);
        there += exists;
        gone += !exists;
    }
    assert_true(there > 0 && gone > 0);
}

/* A file written beside, renamed into place and moved on: whatever is undone, what is left is one
 * of the states that the directory has been in. */
static void
names_go_back_in_order(void **state)
{
    (void)state;
    unsigned seen[5] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = sim_life(seed);
        sim_rig_forget(driver, "disk/x");
        sim_rig_forget(driver, "disk/y");
        sim_rig_forget(driver, "disk/z");
        assert_int_equal(io_sync_directory(driver, root), 0);
        io_file_close(driver, sim_life_open(driver, "x", READ_WRITE | IO_OPEN_CREATE));
        assert_int_equal(io_rename(driver, "disk/x", "disk/y"), 0);
        io_file_close(driver, sim_life_open(driver, "x", READ_WRITE | IO_OPEN_CREATE));
        assert_int_equal(io_rename(driver, "disk/y", "disk/z"), 0);
        sim_life_cut(driver);
        int now = sim_life_exists("x") + 2 * sim_life_exists("y") + 4 * sim_life_exists("z");
        static const int states[5] = {0, 1, 2, 3, 5};
        int known = -1;
        for (int i = 0; i < 5; i++) {
            known = states[i] == now ? i : known;
        }
        assert_in_range(known, 0, 4);
        seen[known]++;
    }
    for (int i = 0; i < 5; i++) {
        assert_true(seen[i] > 0);
    }
}

static void
directory_goes_with_its_files(void **state)
{
    (void)state;
    unsigned gone = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = sim_life(seed);
        sim_rig_forget(driver, "disk/deep/file");
        sim_rig_forget(driver, "disk/deep");
        assert_int_equal(io_sync_directory(driver, root), 0);
        assert_int_equal(io_make_directory(driver, "disk/deep"), 0);
        io_file_close(driver, sim_life_open(driver, "deep/file", READ_WRITE | IO_OPEN_CREATE));
        assert_int_equal(io_sync_directory(driver, "disk/deep"), 0);
        sim_life_cut(driver);
        assert_true(sim_life_exists("deep/file") == sim_life_exists("deep"));
        gone += !sim_life_exists("deep");
    }
    assert_true(gone > 0);
}

/* The rename belongs to both directories, and what it builds on was made in the other one. */
static void
rename_between_directories(void **state)
{
    (void)state;
    unsigned undone = 0, done = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        bool sync = seed % 2 == 0;
        struct io_driver *driver = sim_life(seed);
        assert_int_equal(io_make_directory(driver, "disk/one"), 0);
        assert_int_equal(io_make_directory(driver, "disk/two"), 0);
        sim_rig_forget(driver, "disk/one/file");
        sim_rig_forget(driver, "disk/two/file");
        assert_int_equal(io_sync_directory(driver, root), 0);
        assert_int_equal(io_sync_directory(driver, "disk/one"), 0);
        assert_int_equal(io_sync_directory(driver, "disk/two"), 0);
        io_file_close(driver, sim_life_open(driver, "one/file", READ_WRITE | IO_OPEN_CREATE));
        assert_int_equal(io_rename(driver, "disk/one/file", "disk/two/file"), 0);
        if (sync) {
            assert_int_equal(io_sync_directory(driver, "disk/two"), 0);
        }
        sim_life_cut(driver);
        assert_false(sim_life_exists("one/file") && sim_life_exists("two/file"));
        assert_true(sim_life_exists("two/file") || !sync);
        undone += !sim_life_exists("two/file");
        done += sim_life_exists("two/file") && !sync;
    }
    assert_true(undone > 0 && done > 0);
}

static void
renamed_directory(void **state)
{
    (void)state;
    unsigned lost = 0, kept = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char bytes[16] = "";
        struct io_driver *driver = sim_life(seed);
        sim_rig_forget(driver, "disk/after/file");
        sim_rig_forget(driver, "disk/after");
        assert_int_equal(io_make_directory(driver, "disk/before"), 0);
        io_file file = sim_life_open(driver, "before/file", READ_WRITE | IO_OPEN_CREATE);
        sim_life_fill(driver, file, 'a', 10, 0);
        assert_int_equal(io_file_sync(driver, file), 0);
        sim_life_fill(driver, file, 'b', 10, 0);
        io_file_close(driver, file);
        assert_int_equal(io_rename(driver, "disk/before", "disk/after"), 0);
        assert_int_equal(io_sync_directory(driver, root), 0);
        sim_life_cut(driver);
        assert_int_equal(sim_life_content("after/file", bytes, sizeof(bytes)), 10);
        assert_true(bytes[0] == 'a' || bytes[0] == 'b');
        lost += bytes[0] == 'a';
        kept += bytes[0] == 'b';
    }
    assert_true(lost > 0 && kept > 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the calls of names do what they say, and the trash is hidden", calls_of_names),
        SPEC("a creation whose directory was not synced may be undone", creation_may_be_undone),
        SPEC("a rename whose directory was not synced is done or undone, never half",
             rename_is_old_or_new),
        SPEC("names whose directory was synced survive every crash", synced_names_survive),
        SPEC("a removal whose directory was not synced may be undone", removal_may_be_undone),
        SPEC("changes of names are undone newest first", names_go_back_in_order),
        SPEC("a directory that is undone takes its files along", directory_goes_with_its_files),
        SPEC("a rename between directories is settled by either, with what it builds on",
             rename_between_directories),
        SPEC("the files of a renamed directory keep their unsynced past", renamed_directory),
    };
    return cmocka_run_group_tests(specs, sim_rig_clean, NULL);
}
