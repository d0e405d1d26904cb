/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/posix_file.h"
#include "tests/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 256 };

/* Each test has an empty folder of its own: scratch/<n>. */
static char folder[PATH_BYTES];

static int
folder_make(void **state)
{
    (void)state;
    static unsigned made;
    (void)snprintf(folder, sizeof(folder), "linnet-files-%d-%u", (int)getpid(), ++made);
    return mkdir(folder, 0700);
}

static int
remove_one(void *context, const char *name)
{
    char path[2 * PATH_BYTES];
    (void)context;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return posix_file_remove(path);
}

static int
folder_remove(void **state)
{
    (void)state;
    int error = posix_file_list_directory(folder, remove_one, NULL);
    return error != 0 ? error : posix_file_remove(folder);
}

static const char *
path_of(const char *name)
{
    static char path[2 * PATH_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static io_file
make(const char *name)
{
    io_file file = -1;
    assert_int_equal(
        posix_file_open(path_of(name), IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE, &file), 0);
    return file;
}

static void
read_back(void **state)
{
    (void)state;
    char got[16] = "";
    io_file file = make("a");
    assert_int_equal(posix_file_write(file, "hello, disk", 11, 5), 0);
    assert_int_equal(posix_file_read(file, got, 11, 5), 11);
    assert_memory_equal(got, "hello, disk", 11);
    assert_int_equal(posix_file_read(file, got, 5, 0), 5);
    assert_memory_equal(got, "\0\0\0\0\0", 5);
    posix_file_close(file);
}

static void
short_read(void **state)
{
    (void)state;
    char got[16];
    io_file file = make("a");
    assert_int_equal(posix_file_write(file, "0123456789", 10, 0), 0);
    assert_int_equal(posix_file_read(file, got, sizeof(got), 4), 6);
    assert_int_equal(posix_file_read(file, got, sizeof(got), 10), 0);
    assert_int_equal(posix_file_read(file, got, sizeof(got), 1000), 0);
    posix_file_close(file);
}

static void
open_flags(void **state)
{
    (void)state;
    io_file file = -2;
    char byte = 'x';
    struct stat status;
    assert_int_equal(posix_file_open(path_of("a"), IO_OPEN_READ, &file), -ENOENT);
    assert_int_equal(posix_file_open(path_of("a"), 0, &file), -EINVAL);
    assert_int_equal(posix_file_open(path_of("a"), IO_OPEN_CREATE, &file), -EINVAL);
    assert_int_equal(posix_file_open(path_of("a"), IO_OPEN_WRITE | IO_OPEN_EXCLUSIVE, &file),
                     -EINVAL);
    assert_int_equal(file, -2);

    int exclusive = IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE;
    assert_int_equal(posix_file_open(path_of("a"), exclusive, &file), 0);
    assert_int_equal(posix_file_read(file, &byte, 1, 0), -EBADF);
    assert_int_equal(fstat(file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    posix_file_close(file);
    assert_int_equal(posix_file_open(path_of("a"), exclusive, &file), -EEXIST);

    assert_int_equal(posix_file_open(path_of("a"), IO_OPEN_READ, &file), 0);
    assert_int_equal(posix_file_write(file, &byte, 1, 0), -EBADF);
    posix_file_close(file);
}

static void
truncates(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    io_file file = make("a");
    assert_int_equal(posix_file_write(file, "0123456789", 10, 0), 0);
    assert_int_equal(posix_file_truncate(file, 4), 0);
    assert_int_equal(posix_file_size(file, &bytes), 0);
    assert_int_equal(bytes, 4);
    assert_int_equal(posix_file_sync(file), 0);
    posix_file_close(file);
}

static void
allocates(void **state)
{
    (void)state;
    enum { BYTES = 200 * 1000 };
    static unsigned char got[BYTES];
    uint64_t bytes = 0;
    struct stat status;
    io_file file = make("a");
    assert_int_equal(posix_file_write(file, "kept", 4, 0), 0);
    assert_int_equal(posix_file_allocate(file, BYTES), 0);
    assert_int_equal(posix_file_size(file, &bytes), 0);
    assert_int_equal(bytes, BYTES);
    assert_int_equal(posix_file_read(file, got, BYTES, 0), BYTES);
    assert_memory_equal(got, "kept", 4);
    for (size_t i = 4; i < BYTES; i++) {
        assert_int_equal(got[i], 0);
    }
    assert_int_equal(fstat(file, &status), 0);
    assert_true((uint64_t)status.st_blocks * 512 >= BYTES);

    /* Less than there is takes nothing away. */
    assert_int_equal(posix_file_allocate(file, 4), 0);
    assert_int_equal(posix_file_size(file, &bytes), 0);
    assert_int_equal(bytes, BYTES);
    posix_file_close(file);
}

/* A pipe's name stands for what can't do without the page cache. */
static void
does_without_where_it_can(void **state)
{
    (void)state;
    io_file file = -1;
    int flags = IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_DIRECT;
    struct statx status = {0};
    posix_file_close(make("a"));
    assert_int_equal(posix_file_open(path_of("a"), flags, &file), 0);
    assert_int_equal(statx(file, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status), 0);
    bool able = (status.stx_mask & STATX_DIOALIGN) != 0 && status.stx_dio_offset_align != 0 &&
                status.stx_dio_offset_align <= IO_DIRECT_BYTES;
    assert_int_equal(posix_file_is_direct(file), able);
    posix_file_close(file);
    assert_int_equal(mkfifo(path_of("b"), 0600), 0);
    assert_int_equal(posix_file_open(path_of("b"), flags, &file), 0);
    assert_false(posix_file_is_direct(file));
    posix_file_close(file);
    assert_false(posix_file_is_direct(-1));
}

static void
locks(void **state)
{
    (void)state;
    io_file file = make("a");
    assert_int_equal(posix_file_lock(file), 0);
    assert_int_equal(posix_file_lock(file), 0); /* ours already */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        io_file other;
        int error = posix_file_open(path_of("a"), IO_OPEN_WRITE, &other);
        error = error == 0 ? posix_file_lock(other) : error;
        _exit(error == -EWOULDBLOCK ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    posix_file_close(file);
    file = make("a");
    assert_int_equal(posix_file_lock(file), 0);
    posix_file_close(file);
}

static int
collect(void *context, const char *name)
{
    char *all = context;
    size_t length = strlen(all);
    (void)snprintf(all + length, PATH_BYTES - length, "%s ", name);
    return strcmp(name, "stop") == 0 ? 7 : 0;
}

static void
lists(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "B", "a", "00", ".hidden", "zz"};
    char all[PATH_BYTES] = "";
    assert_int_equal(posix_file_list_directory(folder, collect, all), 0);
    assert_string_equal(all, "");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        posix_file_close(make(names[i]));
    }
    assert_int_equal(posix_file_list_directory(folder, collect, all), 0);
    assert_string_equal(all, ".hidden 00 B a b zz ");

    posix_file_close(make("stop"));
    all[0] = '\0';
    assert_int_equal(posix_file_list_directory(folder, collect, all), 7);
    assert_string_equal(all, ".hidden 00 B a b stop ");
    assert_int_equal(posix_file_list_directory("absent", collect, all), -ENOENT);
}

static void
renames_and_removes(void **state)
{
    (void)state;
    char from[2 * PATH_BYTES];
    char got[4];
    io_file file = make("from");
    assert_int_equal(posix_file_write(file, "new", 3, 0), 0);
    posix_file_close(file);
    posix_file_close(make("to"));
    (void)snprintf(from, sizeof(from), "%s", path_of("from"));
    assert_int_equal(posix_file_rename(from, path_of("to")), 0);
    assert_int_equal(posix_file_rename(from, path_of("to")), -ENOENT);
    assert_int_equal(posix_file_open(path_of("to"), IO_OPEN_READ, &file), 0);
    assert_int_equal(posix_file_read(file, got, sizeof(got), 0), 3);
    posix_file_close(file);
    assert_int_equal(posix_file_sync_directory(folder), 0);
    assert_int_equal(posix_file_remove(path_of("to")), 0);
    assert_int_equal(posix_file_remove(path_of("to")), -ENOENT);
}

static void
directories(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(posix_file_make_directory(path_of("d")), 0);
    assert_int_equal(posix_file_make_directory(path_of("d")), 0);
    assert_int_equal(stat(path_of("d"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(posix_file_make_directory(path_of("no/d")), -ENOENT);
    posix_file_close(make("f"));
    assert_int_equal(posix_file_make_directory(path_of("f")), -ENOTDIR);
    assert_int_equal(posix_file_sync_directory(path_of("f")), -ENOTDIR);
    assert_int_equal(posix_file_sync_directory(path_of("none")), -ENOENT);
}

static void
free_space(void **state)
{
    (void)state;
    uint64_t bytes = 1;
    assert_int_equal(posix_file_free_bytes("absent", &bytes), -ENOENT);
    assert_int_equal(bytes, 1);
    assert_int_equal(posix_file_free_bytes(folder, &bytes), 0);
    assert_true(bytes > 1024);
}

static void
bad_file(void **state)
{
    (void)state;
    char byte = 0;
    uint64_t bytes = 1;
    assert_int_equal(posix_file_read(-1, &byte, 1, 0), -EBADF);
    assert_int_equal(posix_file_write(-1, &byte, 1, 0), -EBADF);
    assert_int_equal(posix_file_sync(-1), -EBADF);
    assert_int_equal(posix_file_size(-1, &bytes), -EBADF);
    assert_int_equal(posix_file_truncate(-1, 0), -EBADF);
    assert_int_equal(posix_file_allocate(-1, 1), -EBADF);
    assert_int_equal(posix_file_lock(-1), -EBADF);
    assert_int_equal(bytes, 1);
}

#define IN_FOLDER(title, function)                            \
    {                                                         \
        (title), (function), folder_make, folder_remove, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_FOLDER("what was written is read back, and holes read as zeros", read_back),
        IN_FOLDER("a read is short only at the file's end", short_read),
        IN_FOLDER("a file opens for what was asked and no more, and is its owner's alone",
                  open_flags),
        IN_FOLDER("a truncated file has the new size", truncates),
        IN_FOLDER("allocated space is there, zero, and leaves what was written", allocates),
        IN_FOLDER("a file does without the page cache where its file system can",
                  does_without_where_it_can),
        IN_FOLDER("a lock keeps another process out until the file is closed", locks),
        IN_FOLDER("a directory lists its names sorted by bytes, until told to stop", lists),
        IN_FOLDER("a rename replaces, a removal removes", renames_and_removes),
        IN_FOLDER("a directory may be made twice, but not on top of a file", directories),
        IN_FOLDER("free space is told", free_space),
        SPEC("a file that is not open is an error in every call", bad_file),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
