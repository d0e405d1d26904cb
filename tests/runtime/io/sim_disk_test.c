/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/sim_life.h"
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS = SEEDS_OF(300),
    CAUGHT_WITHIN = 20,
    SECTOR = 512,
    SECTORS_2 = 2 * SECTOR,
    SECTORS_3 = 3 * SECTOR,
    SECTORS_4 = 4 * SECTOR,
    SECTORS_6 = 6 * SECTOR,
    SECTORS_8 = 8 * SECTOR,
    SECTORS_20 = 20 * SECTOR,
    READ_WRITE = IO_OPEN_READ | IO_OPEN_WRITE,
};

static const char root[] = SIM_LIFE_ROOT;

/* ------------------------------------------------------------------------------------ plain use */

static void
calls_of_a_file(void **state)
{
    (void)state;
    struct io_driver *driver = sim_life(1);
    char bytes[16] = "";
    uint64_t size = 0;
    io_file other = -1;
    io_file file = sim_life_make(driver, "a", 'a', 10);
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
    const char *path = "disk/a";
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
    path = "disk/missing";
    assert_int_equal(io_file_open(driver, path, IO_OPEN_READ, &other), -ENOENT);
    io_driver_close(driver);
}

static void
outside_the_root(void **state)
{
    (void)state;
    struct io_driver *driver = sim_life(1);
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
    assert_true(sim_life_exists("absolute"));
    struct io_driver *diskless;
    assert_int_equal(sim_open(&(struct sim_options){.seed = 1}, &diskless), 0);
    assert_int_equal(io_file_open(diskless, path, IO_OPEN_READ, &file), -EACCES);
    io_driver_close(diskless);
}

static void
one_disk_at_a_time(void **state)
{
    (void)state;
    struct io_driver *driver = sim_life(1), *second;
    assert_int_equal(sim_open(&(struct sim_options){.root = root}, &second), -EBUSY);
    io_driver_close(driver);
}

static void
disk_full(void **state)
{
    (void)state;
    struct io_driver *driver = sim_life_with(&(struct sim_options){.seed = 1});
    io_file_close(driver, sim_life_make(driver, "a", 'a', 1000));
    io_driver_close(driver);
    driver = sim_life_with(&(struct sim_options){.seed = 1, .disk_bytes_max = 3000});
    uint64_t free_bytes = 0, size = 0;
    static char bytes[4000] = "";
    io_file file = sim_life_open(driver, "full", READ_WRITE | IO_OPEN_CREATE);
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
    driver = sim_life(1);
    assert_int_equal(io_remove(driver, "disk/full"), 0);
    io_driver_close(driver);
}

static void
no_crash_keeps_all(void **state)
{
    (void)state;
    char bytes[100];
    struct io_driver *driver = sim_life(1);
    io_file file = sim_life_make(driver, "a", 'a', 10);
    sim_life_fill(driver, file, 'b', 10, 10);
    io_file_close(driver, file);
    assert_int_equal(io_rename(driver, "disk/a", "disk/kept"), 0);
    io_driver_close(driver);
    assert_int_equal(sim_life_content("kept", bytes, sizeof(bytes)), 20);
    assert_memory_equal(bytes, "aaaaaaaaaabbbbbbbbbb", 20);
}

/* ----------------------------------------------------------------------------- power cuts: data */

static void
synced_survives(void **state)
{
    (void)state;
    static char bytes[SIM_LIFE_FILE_BYTES_MAX];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = sim_life(seed);
        io_file file = sim_life_make(driver, "a", 'a', SECTORS_8);
        size_t at = (size_t)sim_random(driver, SECTORS_8),
               count = 1 + (size_t)sim_random(driver, SECTORS_4);
        sim_life_fill(driver, file, 'b', count, at);
        assert_int_equal(io_file_sync(driver, file), 0);
        sim_life_fill(driver, file, 'c', 100, SECTORS_20); /* elsewhere, not synced */
        sim_life_cut(driver);
        ssize_t got = sim_life_content("a", bytes, sizeof(bytes));
        size_t end = at + count > SECTORS_8 ? at + count : SECTORS_8;
        assert_true(got >= (ssize_t)end);
        assert_int_equal(sim_life_count(bytes, at, 'a'), at);
        assert_int_equal(sim_life_count(bytes + at, count, 'b'), count);
        assert_int_equal(sim_life_count(bytes + at + count, end - at - count, 'a'),
                         end - at - count);
    }
}

static void
unsynced_lost_kept_torn(void **state)
{
    (void)state;
    unsigned lost = 0, kept = 0, torn = 0;
    static char bytes[SECTORS_8];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = sim_life(seed);
        io_file file = sim_life_make(driver, "a", 'a', sizeof(bytes));
        sim_life_fill(driver, file, 'b', sizeof(bytes), 0);
        sim_life_cut(driver);
        assert_int_equal(sim_life_content("a", bytes, sizeof(bytes)), sizeof(bytes));
        size_t new = sim_life_count(bytes, sizeof(bytes), 'b');
        assert_int_equal(new + sim_life_count(bytes, sizeof(bytes), 'a'), sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i += SECTOR) {
            size_t of_sector = sim_life_count(bytes + i, SECTOR, 'b');
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
    static char bytes[SECTOR];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = sim_life(seed);
        io_file file = sim_life_make(driver, "a", 'a', SECTOR);
        for (int i = 1; i < 4; i++) {
            sim_life_fill(driver, file, (char)('a' + i), SECTOR, 0);
        }
        sim_life_cut(driver);
        assert_int_equal(sim_life_content("a", bytes, sizeof(bytes)), SECTOR);
        assert_in_range(bytes[0], 'a', 'd');
        assert_int_equal(sim_life_count(bytes, SECTOR, bytes[0]), SECTOR);
        seen[bytes[0] - 'a']++;
    }
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
}

static void
growth_may_be_lost(void **state)
{
    (void)state;
    unsigned short_file = 0, zeros = 0, whole = 0;
    static char bytes[SECTORS_4];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = sim_life(seed);
        io_file file = sim_life_make(driver, "a", 'a', SECTOR);
        sim_life_fill(driver, file, 'b', SECTOR, SECTOR);
        sim_life_fill(driver, file, 'c', SECTOR, SECTORS_2);
        sim_life_cut(driver);
        ssize_t got = sim_life_content("a", bytes, sizeof(bytes));
        assert_true(got == SECTOR || got == SECTORS_2 || got == SECTORS_3);
        assert_int_equal(sim_life_count(bytes, SECTOR, 'a'), SECTOR);
        for (ssize_t i = SECTOR; i < got; i++) {
            assert_true(bytes[i] == '\0' || bytes[i] == (i < SECTORS_2 ? 'b' : 'c'));
        }
        short_file += got < SECTORS_3;
        zeros += got > SECTOR && bytes[SECTOR] == '\0';
        whole += got == SECTORS_3 && bytes[SECTOR] == 'b' && bytes[SECTORS_2] == 'c';
    }
    assert_true(short_file > 0 && zeros > 0 && whole > 0);
}

static void
truncation_is_whole(void **state)
{
    (void)state;
    unsigned undone = 0, kept = 0;
    static char bytes[SECTORS_8];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct io_driver *driver = sim_life(seed);
        io_file file = sim_life_make(driver, "a", 'a', SECTORS_4);
        assert_int_equal(io_file_truncate(driver, file, 100), 0);
        sim_life_fill(driver, file, 'b', SECTOR, 100);
        sim_life_cut(driver);
        ssize_t got = sim_life_content("a", bytes, sizeof(bytes));
        if (got == SECTORS_4) {
            undone++;
            assert_int_equal(sim_life_count(bytes, (size_t)got, 'a'), got);
        } else {
            kept++;
            assert_true(got == 100 || got == 100 + SECTOR);
            assert_int_equal(sim_life_count(bytes, 100, 'a'), 100);
            assert_int_equal(sim_life_count(bytes + 100, (size_t)got - 100, 'a'), 0);
        }
    }
    assert_true(undone > 0 && kept > 0);
}

static void
after_the_crash_nothing_lasts(void **state)
{
    (void)state;
    static char bytes[SECTOR];
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct io_driver *driver = sim_life(seed);
        io_file file = sim_life_make(driver, "a", 'a', SECTOR);
        sim_crash(driver);
        assert_true(sim_crashed(driver));
        uint64_t events = sim_events(driver);
        sim_life_fill(driver, file, 'z', SECTOR, 0);
        assert_int_equal(io_file_sync(driver, file), 0);
        assert_int_equal(io_file_read(driver, file, bytes, SECTOR, 0), SECTOR);
        assert_int_equal(bytes[0], 'z'); /* the dead life does not notice */
        assert_int_equal(io_rename(driver, "disk/a", "disk/never"), 0);
        assert_int_equal(io_sync_directory(driver, root), 0);
        assert_int_equal(sim_events(driver), events);
        io_driver_close(driver);
        assert_int_equal(sim_life_content("a", bytes, SECTOR), SECTOR);
        assert_int_equal(sim_life_count(bytes, SECTOR, 'a'), SECTOR);
        assert_false(sim_life_exists("never"));
    }
}

static void
dropped_syncs_show(void **state)
{
    (void)state;
    unsigned seeds = 0;
    static char bytes[SECTORS_8];
    for (size_t intact = sizeof(bytes); intact == sizeof(bytes); seeds++) {
        assert_in_range(seeds, 0, CAUGHT_WITHIN - 1);
        struct io_driver *driver = sim_life(seeds);
        io_file_close(driver, sim_life_make(driver, "a", 'a', sizeof(bytes)));
        io_driver_close(driver);
        driver = sim_life_with(&(struct sim_options){.seed = seeds, .drop_syncs = true});
        io_file file = sim_life_open(driver, "a", READ_WRITE);
        sim_life_fill(driver, file, 'b', sizeof(bytes), 0);
        assert_int_equal(io_file_sync(driver, file), 0);
        sim_life_cut(driver);
        assert_int_equal(sim_life_content("a", bytes, sizeof(bytes)), sizeof(bytes));
        intact = sim_life_count(bytes, sizeof(bytes), 'b');
    }
}

/* ----------------------------------------------------------------------------- through the ring */

static void
write_sync_is_durable(void **state)
{
    (void)state;
    unsigned unfinished_kept = 0, unfinished_lost = 0, finished = 0, between = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rig rig;
        struct sim_probe writing;
        static char letters[2][SECTORS_3], bytes[SECTORS_6 + 1];
        memset(letters[0], 'x', sizeof(letters[0]));
        memset(letters[1], 'y', sizeof(letters[1]));
        struct iovec pieces[2] = {{letters[0], sizeof(letters[0])},
                                  {letters[1], sizeof(letters[1])}};
        sim_rig_open(&rig, &(struct sim_options){.seed = seed, .root = root});
        io_file file = sim_life_make(rig.driver, "log", 'a', sizeof(bytes) - 1);
        sim_probe_init(&writing);
        io_write_sync(sim_rig_io(&rig, 0), &writing.op, file, pieces, 2, 0);
        sim_crash_at(rig.driver, sim_events(rig.driver) + 1 + sim_random(rig.driver, 9));
        bool applied = false;
        while (sim_run(rig.driver, sim_now_ns(rig.driver) + 1000)) {
            applied = sim_life_content("log", bytes, sizeof(bytes)) > 0 && bytes[0] == 'x';
        }
        bool done = writing.count > 0;
        between += applied && !done && sim_crashed(rig.driver);
        sim_rig_close(&rig);
        assert_int_equal(sim_life_content("log", bytes, sizeof(bytes)), sizeof(bytes) - 1);
        bool whole = sim_life_count(bytes, SECTORS_3, 'x') == SECTORS_3 &&
                     sim_life_count(bytes + SECTORS_3, SECTORS_3, 'y') == SECTORS_3;
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
    io_driver_close(sim_life(1));
    sim_rig_open(&rig, &(struct sim_options){.seed = 1, .root = root, .disk_bytes_max = 1});
    struct io *io = sim_rig_io(&rig, 0);
    sim_probe_init(&writing);
    io_write_sync(io, &writing.op, 55, &piece, 1, 0);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&writing), -EBADF);
    io_file file = sim_life_open(rig.driver, "log2", READ_WRITE | IO_OPEN_CREATE);
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
closed_while_writing(void **state)
{
    (void)state;
    struct sim_rig rig;
    struct sim_probe writing;
    char bytes[4] = "";
    struct iovec piece = {.iov_base = "new", .iov_len = 3};
    sim_rig_open(&rig, &(struct sim_options){.seed = 1, .root = root});
    io_file file = sim_life_make(rig.driver, "log", 'a', 3);
    io_file other = sim_life_make(rig.driver, "other", 'o', 3);
    sim_probe_init(&writing);
    io_write_sync(sim_rig_io(&rig, 0), &writing.op, file, &piece, 1, 0);
    io_file_close(rig.driver, file);
    io_file_close(rig.driver, other);
    assert_int_equal(sim_life_open(rig.driver, "other", READ_WRITE),
                     file); /* the number is used again */
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&writing), 0);
    sim_crash(rig.driver);
    sim_rig_close(&rig);
    assert_int_equal(sim_life_content("log", bytes, sizeof(bytes)), 3);
    assert_string_equal(bytes, "new");
    assert_int_equal(sim_life_content("other", bytes, sizeof(bytes)), 3);
    assert_string_equal(bytes, "ooo");
}

static void
later_life(void **state)
{
    (void)state;
    struct io_driver *driver =
        sim_life_with(&(struct sim_options){.seed = 1, .now_start_ns = 5000000000});
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
        SPEC("a finished write_sync is durable; a crash may come between write and sync",
             write_sync_is_durable),
        SPEC("a write_sync reports a bad file and a full disk", write_sync_errors),
        SPEC("a write_sync reaches the file it was begun on, closed or not", closed_while_writing),
        SPEC("a later life goes on where the clock was", later_life),
    };
    return cmocka_run_group_tests(specs, sim_rig_clean, NULL);
}
