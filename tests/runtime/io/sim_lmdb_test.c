/* SPDX-License-Identifier: Apache-2.0 */
/* The real LMDB, linked statically with its file calls wrapped, on a disk that loses power. */
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SEEDS = SEEDS_OF(400),
    COMMITS = 12,
    KEYS = 60,
    VALUE_BYTES = 300,
    EVENTS_MAX = 60, /* a little more than COMMITS transactions make */
    CAUGHT_WITHIN = 50,
};

static const char root[] = "disk", path[] = "disk/data";

/* Every transaction rewrites all keys with its own number, so that a state which is no
 * transaction's shows. */
static int
commit_number(MDB_env *env, uint32_t number)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    unsigned char value[VALUE_BYTES];
    int error = mdb_txn_begin(env, NULL, 0, &txn);
    if (error) {
        return error;
    }
    error = mdb_dbi_open(txn, NULL, 0, &dbi);
    for (uint32_t key = 0; key < KEYS && error == 0; key++) {
        memset(value, (int)(number + key), sizeof(value));
        memcpy(value, &number, sizeof(number));
        MDB_val k = {sizeof(key), &key}, v = {sizeof(value), value};
        error = mdb_put(txn, dbi, &k, &v, 0);
    }
    if (error) {
        mdb_txn_abort(txn);
        return error;
    }
    return mdb_txn_commit(txn);
}

/* The number of the transaction whose state is there; -1 when it is nobody's. */
static int64_t
read_number(MDB_env *env)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    int64_t found = -1;
    unsigned char expected[VALUE_BYTES];
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0) {
        return -1;
    }
    int error = mdb_dbi_open(txn, NULL, 0, &dbi);
    for (uint32_t key = 0; key < KEYS && error == 0; key++) {
        MDB_val k = {sizeof(key), &key}, v;
        uint32_t number = 0;
        error = mdb_get(txn, dbi, &k, &v);
        if (error == 0 && v.mv_size == VALUE_BYTES) {
            memcpy(&number, v.mv_data, sizeof(number));
            memset(expected, (int)(number + key), sizeof(expected));
            memcpy(expected, &number, sizeof(number));
            bool same = key == 0 || number == found;
            error = same && memcmp(v.mv_data, expected, sizeof(expected)) == 0 ? 0 : MDB_CORRUPTED;
            found = number;
        } else {
            error = error ? error : MDB_CORRUPTED;
        }
    }
    mdb_txn_abort(txn);
    return error ? -1 : found;
}

static int
env_open(MDB_env **out)
{
    MDB_env *env;
    int error = mdb_env_create(&env);
    if (error == 0) {
        error = mdb_env_set_mapsize(env, 16 << 20);
    }
    if (error == 0) {
        error = mdb_env_open(env, path, MDB_NOSUBDIR, 0600);
    }
    if (error) {
        mdb_env_close(env);
        return error;
    }
    *out = env;
    return 0;
}

static struct io_driver *
life(uint64_t seed, bool drop_syncs)
{
    struct io_driver *driver;
    struct sim_options options = {.seed = seed, .root = root, .drop_syncs = drop_syncs};
    assert_int_equal(sim_open(&options, &driver), 0);
    return driver;
}

/* An environment with transaction 0 in it, all durable. */
static void
environment_make(uint64_t seed)
{
    MDB_env *env;
    struct io_driver *driver = life(seed, false);
    sim_rig_forget(driver, path);
    sim_rig_forget(driver, "disk/data-lock");
    assert_int_equal(env_open(&env), 0);
    assert_int_equal(commit_number(env, 0), 0);
    assert_int_equal(io_sync_directory(driver, root), 0);
    mdb_env_close(env);
    io_driver_close(driver);
}

/* Commits until the power goes at a seeded event; the number of the last commit that returned
 * before. */
static uint32_t
commit_until_crash(uint64_t seed, bool drop_syncs, bool *out_crashed)
{
    MDB_env *env;
    uint32_t acknowledged = 0;
    struct io_driver *driver = life(seed, drop_syncs);
    sim_crash_at(driver, 1 + sim_random(driver, EVENTS_MAX));
    assert_int_equal(env_open(&env), 0);
    for (uint32_t number = 1; number <= COMMITS; number++) {
        assert_int_equal(commit_number(env, number), 0); /* in a dead life, too */
        acknowledged = sim_crashed(driver) ? acknowledged : number;
    }
    *out_crashed = sim_crashed(driver);
    mdb_env_close(env);
    io_driver_close(driver);
    return acknowledged;
}

/* What the next life finds. */
static int64_t
number_after(uint64_t seed)
{
    MDB_env *env;
    int64_t number = -1;
    struct io_driver *driver = life(seed, false);
    if (env_open(&env) == 0) {
        number = read_number(env);
        mdb_env_close(env);
    }
    io_driver_close(driver);
    return number;
}

static void
recovers_to_a_commit(void **state)
{
    (void)state;
    unsigned crashes = 0, more_than_acknowledged = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        bool crashed;
        environment_make(seed);
        uint32_t acknowledged = commit_until_crash(seed, false, &crashed);
        int64_t number = number_after(seed);
        assert_true(number == acknowledged || (crashed && number == (int64_t)acknowledged + 1));
        crashes += crashed;
        more_than_acknowledged += number > acknowledged;
    }
    assert_true(crashes > SEEDS / 2);
    assert_true(more_than_acknowledged > 0); /* between its durable end and its answer */
}

static void
goes_on_after_recovery(void **state)
{
    (void)state;
    uint32_t acknowledged = 0;
    bool crashed;
    environment_make(1);
    for (uint64_t seed = 0; seed < 20; seed++) {
        acknowledged = commit_until_crash(seed, false, &crashed);
        int64_t number = number_after(seed);
        assert_in_range(number, acknowledged, acknowledged + 1);
    }
}

/* Reads without LMDB, which may crash on what dropped syncs leave: the meta page of the higher
 * transaction tells which commit was the last, and a lost commit is enough to be caught. */
static bool
intact(uint64_t seed, uint32_t acknowledged)
{
    (void)seed;
    enum { PAGE = 4096, TXNID_AT = 16 + 24 + 2 * 48 + 8 };
    uint64_t newest = 0;
    int file = open(path, O_RDONLY);
    if (file < 0) {
        return false;
    }
    for (int meta = 0; meta < 2; meta++) {
        uint64_t txnid = 0;
        assert_int_equal(pread(file, &txnid, sizeof(txnid), meta * PAGE + TXNID_AT), sizeof(txnid));
        newest = txnid > newest ? txnid : newest;
    }
    (void)close(file);
    return newest >= acknowledged + 1;
}

static void
dropped_syncs_are_caught(void **state)
{
    (void)state;
    uint64_t seed = 0;
    for (bool caught = false; !caught; seed++) {
        bool crashed;
        assert_true(seed < CAUGHT_WITHIN);
        environment_make(seed);
        uint32_t acknowledged = commit_until_crash(seed, true, &crashed);
        caught = crashed && !intact(seed, acknowledged);
    }
}

static void
honest_syncs_pass_the_same_check(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < CAUGHT_WITHIN; seed++) {
        bool crashed;
        environment_make(seed);
        uint32_t acknowledged = commit_until_crash(seed, false, &crashed);
        assert_true(intact(seed, acknowledged));
    }
}

static uint64_t
lock_bytes(void)
{
    struct stat status;
    assert_int_equal(stat("disk/data-lock", &status), 0);
    return (uint64_t)status.st_size;
}

/* LMDB's own words for it: ENOSPC when nothing could be written, EIO when a write came out
 * short. */
static void
full_disk(void **state)
{
    (void)state;
    static const struct {
        uint64_t room_bytes;
        int error;
    } cases[] = {{0, ENOSPC}, {20000, EIO}};
    for (int i = 0; i < 2; i++) {
        MDB_env *env;
        struct io_driver *driver;
        struct stat status;
        environment_make(1);
        assert_int_equal(stat(path, &status), 0);
        struct sim_options options = {.root = root};
        options.disk_bytes_max = (uint64_t)status.st_size + lock_bytes() + cases[i].room_bytes;
        assert_int_equal(sim_open(&options, &driver), 0);
        assert_int_equal(env_open(&env), 0);
        int64_t number = 0;
        int error = 0;
        while (error == 0) {
            error = commit_number(env, (uint32_t)number + 1);
            number += error == 0;
        }
        assert_int_equal(error, cases[i].error);
        mdb_env_close(env);
        assert_int_equal(env_open(&env), 0);
        assert_int_equal(read_number(env), number);
        mdb_env_close(env);
        io_driver_close(driver);
    }
}

static void
same_seed_same_run(void **state)
{
    (void)state;
    uint64_t digests[2];
    for (int run = 0; run < 2; run++) {
        MDB_env *env;
        environment_make(3);
        struct io_driver *driver = life(3, false);
        assert_int_equal(env_open(&env), 0);
        for (uint32_t number = 1; number <= COMMITS; number++) {
            assert_int_equal(commit_number(env, number), 0);
        }
        assert_in_range(sim_events(driver), COMMITS * 3, EVENTS_MAX);
        digests[run] = sim_digest(driver);
        mdb_env_close(env);
        io_driver_close(driver);
    }
    assert_true(digests[0] == digests[1]);
}

/* The wrapped calls of this program itself. */
static void
plain_calls_go_through(void **state)
{
    (void)state;
    char bytes[4] = "";
    struct io_driver *driver = life(1, false);
    uint64_t events = sim_events(driver);
    int file = open("beside", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, "ab", 2), 2);
    assert_int_equal(pwrite(file, "c", 1, 2), 1);
    assert_int_equal(fsync(file), 0);
    assert_int_equal(fdatasync(file), 0);
    assert_int_equal(ftruncate(file, 3), 0);
    assert_int_equal(pread(file, bytes, 3, 0), 3);
    assert_string_equal(bytes, "abc");
    assert_int_equal(close(file), 0);
    assert_int_equal(close(-1), -1);
    assert_int_equal(pwrite(-1, "c", 1, 2), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(sim_events(driver), events);
    sim_crash(driver);
    io_driver_close(driver);
    struct stat status;
    assert_int_equal(stat("beside", &status), 0);
    assert_int_equal(status.st_size, 3);
}

static void
wrapped_calls_are_remembered(void **state)
{
    (void)state;
    unsigned lost = 0, kept = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct io_driver *driver = life(seed, false);
        int file = open("disk/own", O_RDWR | O_CREAT | O_TRUNC, 0600);
        assert_true(file >= 0);
        assert_int_equal(io_sync_directory(driver, root), 0);
        assert_int_equal(write(file, "ab", 2), 2);
        assert_int_equal(write(file, "cd", 2), 2);
        assert_int_equal(lseek(file, 0, SEEK_CUR), 4);
        assert_int_equal(fsync(file), 0);
        int durable = open("disk/own", O_WRONLY | O_DSYNC);
        assert_true(durable >= 0);
        assert_int_equal(pwrite(durable, "e", 1, 4), 1);
        assert_int_equal(close(durable), 0);
        assert_int_equal(pwrite(file, "f", 1, 600), 1);
        assert_int_equal(close(file), 0);
        sim_crash(driver);
        io_driver_close(driver);
        char bytes[1000] = "";
        file = open("disk/own", O_RDONLY);
        assert_true(file >= 0);
        ssize_t got = read(file, bytes, sizeof(bytes));
        assert_int_equal(close(file), 0);
        assert_true(got == 5 || got == 601);
        assert_memory_equal(bytes, "abcde", 5);
        lost += got == 5 || bytes[600] != 'f';
        kept += got == 601 && bytes[600] == 'f';
    }
    assert_true(lost > 0 && kept > 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("after a crash at any event LMDB is at a committed transaction, and none is lost",
             recovers_to_a_commit),
        SPEC("life after life goes on from there", goes_on_after_recovery),
        SPEC("dropped syncs are caught within 50 seeds", dropped_syncs_are_caught),
        SPEC("honest syncs pass the check that catches dropped ones",
             honest_syncs_pass_the_same_check),
        SPEC("a full disk fails the commit and leaves the last state", full_disk),
        SPEC("two runs of one seed are the same run, LMDB included", same_seed_same_run),
        SPEC("calls on files outside the root go straight through", plain_calls_go_through),
        SPEC("calls on files below the root are remembered, O_DSYNC included",
             wrapped_calls_are_remembered),
    };
    return cmocka_run_group_tests(specs, sim_rig_clean, NULL);
}
