/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static io_file
scratch(struct rig *rig, const char *name)
{
    io_file file = -1;
    int flags = IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE;
    assert_int_equal(io_file_open(rig->driver, name, flags, &file), 0);
    assert_int_equal(io_file_truncate(rig->driver, file, 0), 0);
    return file;
}

static void
scratch_drop(struct rig *rig, io_file file, const char *name)
{
    io_file_close(rig->driver, file);
    assert_int_equal(io_remove(rig->driver, name), 0);
}

static void
appends(void **state)
{
    (void)state;
    struct rig rig;
    struct probe writing = {0};
    char got[32];
    rig_open_this_way(&rig);
    io_file file = scratch(&rig, "append");
    struct iovec pieces[] = {rig_piece("first ", 6), rig_piece("", 0), rig_piece("second", 6)};
    rig_write_sync(&rig, 0, &writing, file, pieces, 3, 0);
    assert_int_equal(probe_await_end(&writing), 0);
    probe_reset(&writing);
    struct iovec more = rig_piece("!", 1);
    rig_write_sync(&rig, 0, &writing, file, &more, 1, 12);
    assert_int_equal(probe_await_end(&writing), 0);
    assert_int_equal(io_file_read(rig.driver, file, got, sizeof(got), 0), 13);
    assert_memory_equal(got, "first second!", 13);
    assert_int_equal(rig_stats(&rig, 0).file_syncs, 2);
    assert_int_equal(rig_stats(&rig, 0).file_bytes, 13);
    scratch_drop(&rig, file, "append");
    rig_close(&rig);
}

static void
most_pieces(void **state)
{
    (void)state;
    enum { PIECE_BYTES = 5000 };
    static unsigned char in[IO_SEND_PIECES_MAX * PIECE_BYTES];
    static unsigned char got[sizeof(in)];
    struct rig rig;
    struct probe writing = {0};
    struct iovec pieces[IO_SEND_PIECES_MAX];
    rig_open_this_way(&rig);
    io_file file = scratch(&rig, "most");
    for (size_t i = 0; i < sizeof(in); i++) {
        in[i] = (unsigned char)(i * 31 >> 3);
    }
    for (unsigned i = 0; i < IO_SEND_PIECES_MAX; i++) {
        pieces[i] = rig_piece(in + (size_t)i * PIECE_BYTES, PIECE_BYTES);
    }
    rig_write_sync(&rig, 0, &writing, file, pieces, IO_SEND_PIECES_MAX, 0);
    assert_int_equal(probe_await_end(&writing), 0);
    assert_int_equal(io_file_read(rig.driver, file, got, sizeof(got), 0), sizeof(got));
    assert_memory_equal(got, in, sizeof(in));
    scratch_drop(&rig, file, "most");
    rig_close(&rig);
}

/* Here the file system may be able to or not: the bytes are the same. */
static void
appends_past_the_page_cache(void **state)
{
    (void)state;
    enum { BYTES = 3 * IO_DIRECT_BYTES };
    _Alignas(IO_DIRECT_BYTES) static unsigned char in[BYTES], got[BYTES];
    struct rig rig;
    struct probe writing = {0};
    io_file file = -1;
    rig_open_this_way(&rig);
    int flags = IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_DIRECT;
    assert_int_equal(io_file_open(rig.driver, "direct", flags, &file), 0);
    assert_int_equal(io_file_allocate(rig.driver, file, 2 * (uint64_t)BYTES), 0);
    memset(in, 'a', BYTES);
    struct iovec piece = rig_piece(in, BYTES);
    rig_write_sync(&rig, 0, &writing, file, &piece, 1, IO_DIRECT_BYTES);
    assert_int_equal(probe_await_end(&writing), 0);
    assert_int_equal(rig_stats(&rig, 0).file_syncs, 1);
    assert_int_equal(io_file_read(rig.driver, file, got, BYTES, IO_DIRECT_BYTES), BYTES);
    assert_memory_equal(got, in, BYTES);
    scratch_drop(&rig, file, "direct");
    rig_close(&rig);
}

static void
sync_alone(void **state)
{
    (void)state;
    struct rig rig;
    struct probe writing = {0};
    rig_open_this_way(&rig);
    io_file file = scratch(&rig, "sync");
    rig_write_sync(&rig, 0, &writing, file, NULL, 0, 0);
    assert_int_equal(probe_await_end(&writing), 0);
    assert_int_equal(rig_stats(&rig, 0).file_syncs, 1);
    scratch_drop(&rig, file, "sync");
    rig_close(&rig);
}

static void
bad_files(void **state)
{
    (void)state;
    struct rig rig;
    struct probe writing = {0};
    struct iovec pieces = rig_piece("x", 1);
    io_file file = -1;
    rig_open_this_way(&rig);
    scratch_drop(&rig, scratch(&rig, "gone"), "gone");
    rig_write_sync(&rig, 0, &writing, 1000000, &pieces, 1, 0);
    assert_int_equal(probe_await_end(&writing), -EBADF);

    io_file_close(rig.driver, scratch(&rig, "reader"));
    assert_int_equal(io_file_open(rig.driver, "reader", IO_OPEN_READ, &file), 0);
    probe_reset(&writing);
    rig_write_sync(&rig, 0, &writing, file, &pieces, 1, 0);
    assert_int_equal(probe_await_end(&writing), -EBADF);
    assert_int_equal(rig_stats(&rig, 0).file_syncs, 0);
    scratch_drop(&rig, file, "reader");
    rig_close(&rig);
}

static void
goes_on(void **state)
{
    (void)state;
    /* A limit on the file's size cuts a write at 10 bytes; what is left then meets the limit
     * itself. */
    struct rig rig;
    struct probe writing = {0};
    struct rlimit before;
    char got[32];
    struct iovec pieces[] = {rig_piece("0123", 4), rig_piece("4567", 4), rig_piece("89ab", 4),
                             rig_piece("cd", 2)};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {.rlim_cur = 10, .rlim_max = before.rlim_max};
    void (*signal_before)(int) = signal(SIGXFSZ, SIG_IGN);
    rig_open_this_way(&rig);
    io_file file = scratch(&rig, "limit");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    rig_write_sync(&rig, 0, &writing, file, pieces, 4, 0);
    int32_t result = probe_await_end(&writing);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, signal_before);
    assert_int_equal(result, -EFBIG);
    assert_int_equal(rig_stats(&rig, 0).file_bytes, 10);
    assert_int_equal(io_file_read(rig.driver, file, got, sizeof(got), 0), 10);
    assert_memory_equal(got, "0123456789", 10);
    scratch_drop(&rig, file, "limit");
    rig_close(&rig);
}

enum { APPENDS = 32 };

static void
cancelled(void **state)
{
    (void)state;
    static unsigned char bytes[65536];
    struct rig rig;
    static struct probe writing[APPENDS];
    struct iovec pieces = rig_piece(bytes, sizeof(bytes));
    memset(writing, 0, sizeof(writing));
    rig_open_this_way(&rig);
    io_file file = scratch(&rig, "cancel");
    for (unsigned i = 0; i < APPENDS; i++) {
        rig_write_sync(&rig, 0, &writing[i], file, &pieces, 1, i * sizeof(bytes));
        rig_cancel(&rig, 0, &writing[i]);
    }
    for (unsigned i = 0; i < APPENDS; i++) {
        int32_t result = probe_await_end(&writing[i]);
        assert_true(result == 0 || result == -ECANCELED);
        assert_int_equal(probe_count(&writing[i]), 1);
    }
    scratch_drop(&rig, file, "cancel");
    rig_close(&rig);
}

static void
stop_lets_them_end(void **state)
{
    (void)state;
    static unsigned char bytes[65536];
    struct rig rig;
    static struct probe writing[APPENDS];
    struct iovec pieces = rig_piece(bytes, sizeof(bytes));
    uint64_t size = 0;
    memset(writing, 0, sizeof(writing));
    rig_open_this_way(&rig);
    io_file file = scratch(&rig, "stop");
    for (unsigned i = 0; i < APPENDS; i++) {
        rig_write_sync(&rig, 0, &writing[i], file, &pieces, 1, i * sizeof(bytes));
    }
    rig_stop(&rig);
    assert_int_equal(io_file_size(rig.driver, file, &size), 0);
    assert_int_equal(size, APPENDS * sizeof(bytes));
    scratch_drop(&rig, file, "stop");
    rig_close(&rig);
}

static void
files_through_the_driver(void **state)
{
    (void)state;
    struct rig rig;
    uint64_t bytes = 0;
    rig_open_this_way(&rig);
    assert_int_equal(io_make_directory(rig.driver, "d"), 0);
    io_file file = scratch(&rig, "d/a");
    assert_int_equal(io_file_lock(rig.driver, file), 0);
    assert_int_equal(io_file_allocate(rig.driver, file, 8192), 0);
    assert_int_equal(io_file_write(rig.driver, file, "x", 1, 4000), 0);
    assert_int_equal(io_file_sync(rig.driver, file), 0);
    assert_int_equal(io_file_size(rig.driver, file, &bytes), 0);
    assert_int_equal(bytes, 8192);
    assert_int_equal(io_free_bytes(rig.driver, "d", &bytes), 0);
    io_file_close(rig.driver, file);
    assert_int_equal(io_rename(rig.driver, "d/a", "d/b"), 0);
    assert_int_equal(io_sync_directory(rig.driver, "d"), 0);
    assert_int_equal(io_remove(rig.driver, "d/b"), 0);
    assert_int_equal(io_remove(rig.driver, "d"), 0);
    rig_close(&rig);
}

enum { PAGE_BYTES = 4096 };

struct look {
    struct io *io;
    io_file file;
    bool cached;    /* the page was there before */
    uint64_t waits; /* what reading it added */
};

/* Reads a page through a mapping. On a thread of its own: when a ring is closed, the kernel signals
 * the thread that made it, some milliseconds later, and a fault that a signal ends before the page
 * has come is begun again and not counted. */
static void *
look_at_page(void *argument)
{
    struct look *look = argument;
    unsigned char present;
    volatile unsigned char *map = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, look->file, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mincore((void *)(uintptr_t)map, PAGE_BYTES, &present), 0);
    uint64_t before = io_page_waits(look->io);
    assert_int_equal(map[0], 'p');
    look->waits = io_page_waits(look->io) - before;
    assert_int_equal(munmap((void *)(uintptr_t)map, PAGE_BYTES), 0);
    look->cached = (present & 1) != 0;
    return NULL;
}

static struct look
waits_for_page(struct rig *rig, io_file file)
{
    struct look look = {.io = io_of(rig->driver, 0), .file = file};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, look_at_page, &look), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return look;
}

static void
page_waits(void **state)
{
    (void)state;
    static const unsigned char page[PAGE_BYTES] = {'p'};
    struct rig rig;
    rig_open_this_way(&rig);
    io_file file = scratch(&rig, "page");
    assert_int_equal(io_file_write(rig.driver, file, page, sizeof page, 0), 0);
    assert_int_equal(io_file_sync(rig.driver, file), 0);
    struct look look = waits_for_page(&rig, file);
    assert_true(look.cached);
    assert_int_equal(look.waits, 0);
    assert_int_equal(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
    look = waits_for_page(&rig, file);
    assert_int_equal(look.waits, look.cached ? 0 : 1);
    if (look.cached) {
        (void)printf("left out, since this file system keeps it: a page that is not there\n");
    }
    scratch_drop(&rig, file, "page");
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an append is in the file when it is done", appends),
        SPEC("an append may have as many pieces as a send", most_pieces),
        SPEC("an append past the page cache is in the file when it is done",
             appends_past_the_page_cache),
        SPEC("an append of nothing syncs", sync_alone),
        SPEC("a file that cannot be written is an error", bad_files),
        SPEC("an append that was cut short goes on where it was cut", goes_on),
        SPEC("a cancelled append is done once, cancelled or complete", cancelled),
        SPEC("a loop that stops lets its appends end first", stop_lets_them_end),
        SPEC("the driver's file calls reach the files", files_through_the_driver),
        SPEC("a page of a mapping that had to be read from the disk counts as waited for",
             page_waits),
    };
    return rig_run(specs, sizeof specs / sizeof specs[0], false);
}
