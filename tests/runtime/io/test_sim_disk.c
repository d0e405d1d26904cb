/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SEEDS = 300,
    SECTOR = 512,
    READ_WRITE = IO_OPEN_READ | IO_OPEN_WRITE,
    FILE_BYTES_MAX = 64 * 1024,
};

static const char root[] = "disk";

/* ------------------------------------------------------------------------------------------------ a small vocabulary */

/* One life of the machine, on what earlier ones left. */
static struct io_driver *
life_with(const struct sim_options *given)
{
    struct sim_options options = *given;
    struct io_driver *driver;
    options.root = root;
    assert_int_equal(sim_open(&options, &driver), 0);
    return driver;
}

static struct io_driver *
life(uint64_t seed)
{
    return life_with(&(struct sim_options){.seed = seed});
}

static void
power_cut(struct io_driver *driver)
{
    sim_crash(driver);
    io_driver_close(driver);
}

static void
path_of(const char *name, char out[64])
{
    (void)snprintf(out, 64, "%s/%s", root, name);
}

static io_file
file_open(struct io_driver *driver, const char *name, int flags)
{
    char path[64];
    io_file file = -1;
    path_of(name, path);
    assert_int_equal(io_file_open(driver, path, flags, &file), 0);
    return file;
}

/* A durable file of `bytes` bytes of `letter`. */
static io_file
file_make(struct io_driver *driver, const char *name, char letter, size_t bytes)
{
    static char content[FILE_BYTES_MAX];
    assert_true(bytes <= sizeof(content));
    memset(content, letter, bytes);
    io_file file = file_open(driver, name, READ_WRITE | IO_OPEN_CREATE);
    assert_int_equal(io_file_truncate(driver, file, 0), 0);
    assert_int_equal(io_file_write(driver, file, content, bytes, 0), 0);
    assert_int_equal(io_file_sync(driver, file), 0);
    assert_int_equal(io_sync_directory(driver, root), 0);
    return file;
}

static void
file_fill(struct io_driver *driver, io_file file, char letter, size_t bytes, uint64_t offset)
{
    static char content[FILE_BYTES_MAX];
    assert_true(bytes <= sizeof(content));
    memset(content, letter, bytes);
    assert_int_equal(io_file_write(driver, file, content, bytes, offset), 0);
}

/* The content in the real file, as the next life would find it; -1: there is none. */
static ssize_t
file_content(const char *name, char *out, size_t max)
{
    char path[64];
    path_of(name, path);
    FILE *stream = fopen(path, "r");
    if (!stream) {
        return -1;
    }
    size_t got = fread(out, 1, max, stream);
    (void)fclose(stream);
    return (ssize_t)got;
}

static bool
file_exists(const char *name)
{
    char path[64];
    struct stat status;
    path_of(name, path);
    return stat(path, &status) == 0;
}

static size_t
count_letter(const char *bytes, size_t count, char letter)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += bytes[i] == letter;
    }
    return found;
}

/* ------------------------------------------------------------------------------------------------ plain use */

static void
calls_of_a_file(void **state)
{
    (void)state;
    struct io_driver *driver = life(1);
    char bytes[16] = "";
    uint64_t size = 0;
    io_file other = -1;
    char path[64];
    io_file file = file_make(driver, "a", 'a', 10);
    assert_int_equal(io_file_read(driver, file, bytes, sizeof(bytes), 0), 10);
    assert_int_equal(io_file_read(driver, file, bytes, 4, 8), 2);
    assert_int_equal(io_file_size(driver, file, &size), 0);
    assert_int_equal(size, 10);
    assert_int_equal(io_file_allocate(driver, file, 100), 0);
    assert_int_equal(io_file_allocate(driver, file, 50), 0);
    assert_int_equal(io_file_size(driver, file, &size), 0);
    assert_int_equal(size, 100);
    assert_int_equal(io_file_truncate(driver, file, 3), 0);
    assert_int_equal(io_file_read(driver, file, bytes, sizeof(bytes), 0), 3);
    path_of("a", path);
    assert_int_equal(
        io_file_open(driver, path, READ_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE, &other),
        -EEXIST);
    assert_int_equal(io_file_open(driver, path, IO_OPEN_CREATE, &other), -EINVAL);
    assert_int_equal(io_file_open(driver, path, IO_OPEN_READ, &other), 0);
    assert_int_equal(io_file_write(driver, other, "x", 1, 0), -EBADF);
    assert_int_equal(io_file_lock(driver, file), 0);
    assert_int_equal(io_file_lock(driver, file), 0);
    assert_int_equal(io_file_lock(driver, other), -EWOULDBLOCK);
    io_file_close(driver, file);
    assert_int_equal(io_file_lock(driver, other), 0);
    io_file_close(driver, other);
    assert_int_equal(io_file_read(driver, other, bytes, 1, 0), -EBADF);
    path_of("missing", path);
    assert_int_equal(io_file_open(driver, path, IO_OPEN_READ, &other), -ENOENT);
    io_driver_close(driver);
}

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
    struct io_driver *driver = life(1);
    char names[64] = "";
    io_file_close(driver, file_make(driver, "a", 'a', 10));
    io_file_close(driver, file_make(driver, "b", 'b', 10));
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
    assert_false(file_exists(".sim-trash"));
}

static void
outside_the_root(void **state)
{
    (void)state;
    struct io_driver *driver = life(1);
    io_file file;
    char here[512], path[600];
    assert_int_equal(io_file_open(driver, "/etc/passwd", IO_OPEN_READ, &file), -EACCES);
    assert_int_equal(io_file_open(driver, "disk/../outside", READ_WRITE | IO_OPEN_CREATE, &file),
                     -EACCES);
    assert_int_equal(io_file_open(driver, "diskette", READ_WRITE | IO_OPEN_CREATE, &file), -EACCES);
    assert_int_equal(io_rename(driver, "disk/a", "/tmp/a"), -EACCES);
    assert_non_null(realpath(root, here));
    (void)snprintf(path, sizeof(path), "%s//./x/../absolute", here);
    assert_int_equal(io_file_open(driver, path, READ_WRITE | IO_OPEN_CREATE, &file), 0);
    io_driver_close(driver);
    assert_true(file_exists("absolute"));
    struct io_driver *diskless;
    assert_int_equal(sim_open(&(struct sim_options){.seed = 1}, &diskless), 0);
    assert_int_equal(io_file_open(diskless, path, IO_OPEN_READ, &file), -EACCES);
    io_driver_close(diskless);
}

static void
one_disk_at_a_time(void **state)
{
    (void)state;
    struct io_driver *driver = life(1), *second;
    assert_int_equal(sim_open(&(struct sim_options){.root = root}, &second), -EBUSY);
    io_driver_close(driver);
}

static void
disk_full(void **state)
{
    (void)state;
    struct io_driver *driver = life_with(&(struct sim_options){.seed = 1});
    io_file_close(driver, file_make(driver, "a", 'a', 1000));
    io_driver_close(driver);
    driver = life_with(&(struct sim_options){.seed = 1, .disk_bytes_max = 3000});
    uint64_t free_bytes = 0, size = 0;
    char bytes[4000] = "";
    io_file file = file_open(driver, "full", READ_WRITE | IO_OPEN_CREATE);
    assert_int_equal(io_free_bytes(driver, root, &free_bytes), 0);
    uint64_t room = free_bytes;
    assert_true(room <= 2000);
    assert_int_equal(io_file_write(driver, file, bytes, sizeof(bytes), 0), -ENOSPC);
    assert_int_equal(io_file_size(driver, file, &size), 0);
    assert_int_equal(size, room); /* what fitted is there, as with a real disk */
    assert_int_equal(io_file_write(driver, file, bytes, 100, 0), 0); /* in place */
    assert_int_equal(io_file_write(driver, file, bytes, 1, room), -ENOSPC);
    assert_int_equal(io_file_allocate(driver, file, room + 1), -ENOSPC);
    assert_int_equal(io_free_bytes(driver, root, &free_bytes), 0);
    assert_int_equal(free_bytes, 0);
    assert_int_equal(io_remove(driver, "disk/a"), 0);
    assert_int_equal(io_free_bytes(driver, root, &free_bytes), 0);
    assert_int_equal(free_bytes, 1000);
    assert_int_equal(io_file_write(driver, file, bytes, 1000, room), 0);
    assert_int_equal(io_file_truncate(driver, file, 10), 0);
    assert_int_equal(io_free_bytes(driver, root, &free_bytes), 0);
    assert_int_equal(free_bytes, room + 1000 - 10);
    io_driver_close(driver);
    driver = life(1);
    assert_int_equal(io_remove(driver, "disk/full"), 0);
    io_driver_close(driver);
}

static void
no_crash_keeps_all(void **state)
{
    (void)state;
    char bytes[100];
    struct io_driver *driver = life(1);
    io_file file = file_make(driver, "a", 'a', 10);
    file_fill(driver, file, 'b', 10, 10);
    io_file_close(driver, file);
    assert_int_equal(io_rename(driver, "disk/a", "disk/kept"), 0);
    io_driver_close(driver);
    assert_int_equal(file_content("kept", bytes, sizeof(bytes)), 20);
    assert_memory_equal(bytes, "aaaaaaaaaabbbbbbbbbb", 20);
}

/* ------------------------------------------------------------------------------------------------ power cuts: data */

static void
synced_survives(void **state)
{
    (void)state;
    char bytes[FILE_BYTES_MAX];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = life(seed);
        io_file file = file_make(driver, "a", 'a', 8 * SECTOR);
        size_t at = (size_t)sim_random(driver, 8 * SECTOR),
               count = 1 + (size_t)sim_random(driver, 4 * SECTOR);
        file_fill(driver, file, 'b', count, at);
        assert_int_equal(io_file_sync(driver, file), 0);
        file_fill(driver, file, 'c', 100, 20 * SECTOR); /* elsewhere, not synced */
        power_cut(driver);
        ssize_t got = file_content("a", bytes, sizeof(bytes));
        size_t end = at + count > 8 * SECTOR ? at + count : 8 * SECTOR;
        assert_true(got >= (ssize_t)end);
        assert_int_equal(count_letter(bytes, at, 'a'), at);
        assert_int_equal(count_letter(bytes + at, count, 'b'), count);
        assert_int_equal(count_letter(bytes + at + count, end - at - count, 'a'), end - at - count);
    }
}

static void
unsynced_lost_kept_torn(void **state)
{
    (void)state;
    unsigned lost = 0, kept = 0, torn = 0;
    char bytes[8 * SECTOR];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = life(seed);
        io_file file = file_make(driver, "a", 'a', sizeof(bytes));
        file_fill(driver, file, 'b', sizeof(bytes), 0);
        power_cut(driver);
        assert_int_equal(file_content("a", bytes, sizeof(bytes)), sizeof(bytes));
        size_t new = count_letter(bytes, sizeof(bytes), 'b');
        assert_int_equal(new + count_letter(bytes, sizeof(bytes), 'a'), sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i += SECTOR) {
            size_t of_sector = count_letter(bytes + i, SECTOR, 'b');
            assert_true(of_sector == 0 || of_sector == SECTOR);
        }
        lost += new == 0;
        kept += new == sizeof(bytes);
        torn += new > 0 && new < sizeof(bytes);
    }
    assert_true(lost > SEEDS / 10 && kept > SEEDS / 10 && torn > SEEDS / 10);
}

static void
any_state_of_a_sector(void **state)
{
    (void)state;
    unsigned seen[4] = {0};
    char bytes[SECTOR];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = life(seed);
        io_file file = file_make(driver, "a", 'a', SECTOR);
        for (char letter = 'b'; letter <= 'd'; letter++) {
            file_fill(driver, file, letter, SECTOR, 0);
        }
        power_cut(driver);
        assert_int_equal(file_content("a", bytes, sizeof(bytes)), SECTOR);
        assert_in_range(bytes[0], 'a', 'd');
        assert_int_equal(count_letter(bytes, SECTOR, bytes[0]), SECTOR);
        seen[bytes[0] - 'a']++;
    }
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
}

static void
growth_may_be_lost(void **state)
{
    (void)state;
    unsigned short_file = 0, zeros = 0, whole = 0;
    char bytes[4 * SECTOR];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = life(seed);
        io_file file = file_make(driver, "a", 'a', SECTOR);
        file_fill(driver, file, 'b', SECTOR, SECTOR);
        file_fill(driver, file, 'c', SECTOR, 2 * SECTOR);
        power_cut(driver);
        ssize_t got = file_content("a", bytes, sizeof(bytes));
        assert_true(got == SECTOR || got == 2 * SECTOR || got == 3 * SECTOR);
        assert_int_equal(count_letter(bytes, SECTOR, 'a'), SECTOR);
        for (ssize_t i = SECTOR; i < got; i++) {
            assert_true(bytes[i] == '\0' || bytes[i] == (i < 2 * SECTOR ? 'b' : 'c'));
        }
        short_file += got < 3 * SECTOR;
        zeros += got > SECTOR && bytes[SECTOR] == '\0';
        whole += got == 3 * SECTOR && bytes[SECTOR] == 'b' && bytes[2 * SECTOR] == 'c';
    }
    assert_true(short_file > 0 && zeros > 0 && whole > 0);
}

static void
truncation_is_whole(void **state)
{
    (void)state;
    unsigned undone = 0, kept = 0;
    char bytes[8 * SECTOR];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = life(seed);
        io_file file = file_make(driver, "a", 'a', 4 * SECTOR);
        assert_int_equal(io_file_truncate(driver, file, 100), 0);
        file_fill(driver, file, 'b', SECTOR, 100);
        power_cut(driver);
        ssize_t got = file_content("a", bytes, sizeof(bytes));
        if (got == 4 * SECTOR) {
            undone++;
            assert_int_equal(count_letter(bytes, (size_t)got, 'a'), got);
        } else {
            kept++;
            assert_true(got == 100 || got == 100 + SECTOR);
            assert_int_equal(count_letter(bytes, 100, 'a'), 100);
            assert_int_equal(count_letter(bytes + 100, (size_t)got - 100, 'a'), 0);
        }
    }
    assert_true(undone > 0 && kept > 0);
}

static void
after_the_crash_nothing_lasts(void **state)
{
    (void)state;
    char bytes[SECTOR];
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct io_driver *driver = life(seed);
        io_file file = file_make(driver, "a", 'a', SECTOR);
        sim_crash(driver);
        assert_true(sim_crashed(driver));
        uint64_t events = sim_events(driver);
        file_fill(driver, file, 'z', SECTOR, 0);
        assert_int_equal(io_file_sync(driver, file), 0);
        assert_int_equal(io_file_read(driver, file, bytes, SECTOR, 0), SECTOR);
        assert_int_equal(bytes[0], 'z'); /* the dead life does not notice */
        assert_int_equal(io_rename(driver, "disk/a", "disk/never"), 0);
        assert_int_equal(io_sync_directory(driver, root), 0);
        assert_int_equal(sim_events(driver), events);
        io_driver_close(driver);
        assert_int_equal(file_content("a", bytes, SECTOR), SECTOR);
        assert_int_equal(count_letter(bytes, SECTOR, 'a'), SECTOR);
        assert_false(file_exists("never"));
    }
}

static void
dropped_syncs_show(void **state)
{
    (void)state;
    unsigned seeds = 0;
    char bytes[8 * SECTOR];
    for (size_t intact = sizeof(bytes); intact == sizeof(bytes); seeds++) {
        io_driver_close(life(0)); /* leaves the file below as it is */
        struct io_driver *driver = life(seeds);
        io_file_close(driver, file_make(driver, "a", 'a', sizeof(bytes)));
        io_driver_close(driver);
        driver = life_with(&(struct sim_options){.seed = seeds, .drop_syncs = true});
        io_file file = file_open(driver, "a", READ_WRITE);
        file_fill(driver, file, 'b', sizeof(bytes), 0);
        assert_int_equal(io_file_sync(driver, file), 0);
        power_cut(driver);
        assert_int_equal(file_content("a", bytes, sizeof(bytes)), sizeof(bytes));
        intact = count_letter(bytes, sizeof(bytes), 'b');
    }
    assert_in_range(seeds, 1, 20);
}

/* ------------------------------------------------------------------------------------------------ power cuts: names */

static void
creation_may_be_undone(void **state)
{
    (void)state;
    unsigned there = 0, gone = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = life(seed);
        sim_rig_forget(driver, "disk/new");
        assert_int_equal(io_sync_directory(driver, root), 0);
        io_file file = file_open(driver, "new", READ_WRITE | IO_OPEN_CREATE);
        file_fill(driver, file, 'n', 10, 0);
        assert_int_equal(io_file_sync(driver, file), 0); /* the bytes, not the name */
        power_cut(driver);
        char bytes[16];
        bool exists = file_exists("new");
        there += exists;
        gone += !exists;
        assert_true(!exists || file_content("new", bytes, sizeof(bytes)) == 10);
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
        struct io_driver *driver = life(seed);
        io_file_close(driver, file_make(driver, "current", 'o', 10));
        io_file_close(driver, file_make(driver, "next", 'n', 10));
        assert_int_equal(io_rename(driver, "disk/next", "disk/current"), 0);
        power_cut(driver);
        assert_int_equal(file_content("current", bytes, sizeof(bytes)), 10);
        bool undone = bytes[0] == 'o';
        assert_true(undone || bytes[0] == 'n');
        assert_int_equal(file_exists("next"), undone);
        old += undone;
        new += !undone;
        driver = life(seed);
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
        struct io_driver *driver = life(seed);
        io_file_close(driver, file_make(driver, "current", 'o', 10));
        io_file_close(driver, file_make(driver, "next", 'n', 10));
        assert_int_equal(io_make_directory(driver, "disk/folder"), 0);
        assert_int_equal(io_rename(driver, "disk/next", "disk/current"), 0);
        assert_int_equal(io_sync_directory(driver, root), 0);
        power_cut(driver);
        assert_int_equal(file_content("current", bytes, sizeof(bytes)), 10);
        assert_int_equal(bytes[0], 'n');
        assert_false(file_exists("next"));
        assert_true(file_exists("folder"));
    }
}

static void
removal_may_be_undone(void **state)
{
    (void)state;
    unsigned there = 0, gone = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char bytes[16];
        struct io_driver *driver = life(seed);
        io_file_close(driver, file_make(driver, "doomed", 'd', 10));
        assert_int_equal(io_remove(driver, "disk/doomed"), 0);
        assert_false(file_exists("doomed"));
        power_cut(driver);
        bool exists = file_exists("doomed");
        assert_true(!exists || file_content("doomed", bytes, sizeof(bytes)) == 10);
        there += exists;
        gone += !exists;
    }
    assert_true(there > 0 && gone > 0);
}

/* A file written beside, renamed into place and moved on: whatever is undone, what is left is one of the states that
 * the directory has been in. */
static void
names_go_back_in_order(void **state)
{
    (void)state;
    unsigned seen[5] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = life(seed);
        sim_rig_forget(driver, "disk/x");
        sim_rig_forget(driver, "disk/y");
        sim_rig_forget(driver, "disk/z");
        assert_int_equal(io_sync_directory(driver, root), 0);
        io_file_close(driver, file_open(driver, "x", READ_WRITE | IO_OPEN_CREATE));
        assert_int_equal(io_rename(driver, "disk/x", "disk/y"), 0);
        io_file_close(driver, file_open(driver, "x", READ_WRITE | IO_OPEN_CREATE));
        assert_int_equal(io_rename(driver, "disk/y", "disk/z"), 0);
        power_cut(driver);
        int now = file_exists("x") + 2 * file_exists("y") + 4 * file_exists("z");
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
        struct io_driver *driver = life(seed);
        sim_rig_forget(driver, "disk/deep/file");
        sim_rig_forget(driver, "disk/deep");
        assert_int_equal(io_sync_directory(driver, root), 0);
        assert_int_equal(io_make_directory(driver, "disk/deep"), 0);
        io_file_close(driver, file_open(driver, "deep/file", READ_WRITE | IO_OPEN_CREATE));
        assert_int_equal(io_sync_directory(driver, "disk/deep"), 0);
        power_cut(driver);
        assert_true(file_exists("deep/file") == file_exists("deep"));
        gone += !file_exists("deep");
    }
    assert_true(gone > 0);
}

/* ------------------------------------------------------------------------------------------------ through the ring */

static void
write_sync_is_durable(void **state)
{
    (void)state;
    unsigned unfinished_kept = 0, unfinished_lost = 0, finished = 0, between = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rig rig;
        struct sim_probe writing;
        char letters[2][3 * SECTOR], bytes[6 * SECTOR + 1];
        memset(letters[0], 'x', sizeof(letters[0]));
        memset(letters[1], 'y', sizeof(letters[1]));
        struct iovec pieces[2] = {{letters[0], sizeof(letters[0])},
                                  {letters[1], sizeof(letters[1])}};
        sim_rig_open(&rig, &(struct sim_options){.seed = seed, .root = root});
        io_file file = file_make(rig.driver, "log", 'a', sizeof(bytes) - 1);
        sim_probe_init(&writing);
        io_write_sync(sim_rig_io(&rig, 0), &writing.op, file, pieces, 2, 0);
        sim_crash_at(rig.driver, sim_events(rig.driver) + 1 + sim_random(rig.driver, 9));
        bool applied = false;
        while (sim_run(rig.driver, sim_now_ns(rig.driver) + 1000)) {
            applied = file_content("log", bytes, sizeof(bytes)) > 0 && bytes[0] == 'x';
        }
        bool done = writing.count > 0;
        between += applied && !done && sim_crashed(rig.driver);
        sim_rig_close(&rig);
        assert_int_equal(file_content("log", bytes, sizeof(bytes)), sizeof(bytes) - 1);
        bool whole = count_letter(bytes, 3 * SECTOR, 'x') == 3 * SECTOR &&
                     count_letter(bytes + 3 * SECTOR, 3 * SECTOR, 'y') == 3 * SECTOR;
        if (done) {
            assert_int_equal(sim_probe_only(&writing), 0);
            assert_true(whole);
        }
        finished += done;
        unfinished_kept += !done && whole;
        unfinished_lost += !done && !whole;
    }
    assert_true(finished > 0 && unfinished_kept > 0 && unfinished_lost > 0 && between > 0);
}

static void
write_sync_errors(void **state)
{
    (void)state;
    struct sim_rig rig;
    struct sim_probe writing;
    char bytes[100] = "";
    struct iovec piece = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    io_driver_close(life(1));
    sim_rig_open(&rig, &(struct sim_options){.seed = 1, .root = root, .disk_bytes_max = 1});
    struct io *io = sim_rig_io(&rig, 0);
    sim_probe_init(&writing);
    io_write_sync(io, &writing.op, 55, &piece, 1, 0);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&writing), -EBADF);
    io_file file = file_open(rig.driver, "log2", READ_WRITE | IO_OPEN_CREATE);
    sim_probe_init(&writing);
    io_write_sync(io, &writing.op, file, &piece, 1, 0);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&writing), -ENOSPC);
    sim_probe_init(&writing);
    io_write_sync(io, &writing.op, file, &piece, 1, 0);
    io_cancel(io, &writing.op);
    sim_rig_settle(&rig);
    assert_true(sim_probe_only(&writing) == -ECANCELED || sim_probe_only(&writing) == -ENOSPC);
    sim_rig_close(&rig);
}

static void
later_life(void **state)
{
    (void)state;
    struct io_driver *driver =
        life_with(&(struct sim_options){.seed = 1, .now_start_ns = 5000000000});
    struct io *io = io_of(driver, 0);
    assert_int_equal(io_now_ns(io), 5000000000);
    assert_int_equal(io_wall_ms(io), 1767225600000 + 5000);
    assert_string_equal(io_driver_name(driver), "sim seed 1");
    io_driver_close(driver);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the calls of a file do what they say", calls_of_a_file),
        SPEC("the calls of names do what they say, and the trash is hidden", calls_of_names),
        SPEC("a path outside the root is refused", outside_the_root),
        SPEC("a process has one simulated disk at a time", one_disk_at_a_time),
        SPEC("a full disk takes what fits, and writes in place", disk_full),
        SPEC("a life that ends without a crash leaves all it wrote", no_crash_keeps_all),
        SPEC("a synced write survives every crash", synced_survives),
        SPEC("an unsynced write is sometimes lost, sometimes kept, sometimes torn by sectors",
             unsynced_lost_kept_torn),
        SPEC("a sector written several times is left in any of its states", any_state_of_a_sector),
        SPEC("a file's growth may be lost, or be there with zeros", growth_may_be_lost),
        SPEC("a truncation is undone whole or not at all", truncation_is_whole),
        SPEC("what is done after the crash seems to work and never happened",
             after_the_crash_nothing_lasts),
        SPEC("dropped syncs are caught within 20 seeds", dropped_syncs_show),
        SPEC("a creation whose directory was not synced may be undone", creation_may_be_undone),
        SPEC("a rename whose directory was not synced is done or undone, never half",
             rename_is_old_or_new),
        SPEC("names whose directory was synced survive every crash", synced_names_survive),
        SPEC("a removal whose directory was not synced may be undone", removal_may_be_undone),
        SPEC("changes of names are undone newest first", names_go_back_in_order),
        SPEC("a directory that is undone takes its files along", directory_goes_with_its_files),
        SPEC("a finished write_sync is durable; a crash may come between write and sync",
             write_sync_is_durable),
        SPEC("a write_sync reports a bad file and a full disk", write_sync_errors),
        SPEC("a later life goes on where the clock was", later_life),
    };
    return cmocka_run_group_tests(specs, sim_rig_clean, NULL);
}
