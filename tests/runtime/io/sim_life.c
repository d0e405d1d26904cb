/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/sim_life.h"

#include "tests/spec.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_BYTES_MAX = 64 };

struct io_driver *
sim_life_with(const struct sim_options *given)
{
    struct sim_options options = *given;
    struct io_driver *driver;
    options.root = SIM_LIFE_ROOT;
    assert_int_equal(sim_open(&options, &driver), 0);
    return driver;
}

struct io_driver *
sim_life(uint64_t seed)
{
    return sim_life_with(&(struct sim_options){.seed = seed});
}

void
sim_life_cut(struct io_driver *driver)
{
    sim_crash(driver);
    io_driver_close(driver);
}

static void
path_of(const char *name, char out[NAME_BYTES_MAX])
{
    (void)snprintf(out, NAME_BYTES_MAX, SIM_LIFE_ROOT "/%s", name);
}

io_file
sim_life_open(struct io_driver *driver, const char *name, int flags)
{
    char path[NAME_BYTES_MAX];
    io_file file = -1;
    path_of(name, path);
    assert_int_equal(io_file_open(driver, path, flags, &file), 0);
    return file;
}

io_file
sim_life_make(struct io_driver *driver, const char *name, char letter, size_t bytes)
{
    static char content[SIM_LIFE_FILE_BYTES_MAX];
    assert_true(bytes <= sizeof(content));
    memset(content, letter, bytes);
    io_file file = sim_life_open(driver, name, IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE);
    assert_int_equal(io_file_truncate(driver, file, 0), 0);
    assert_int_equal(io_file_write(driver, file, content, bytes, 0), 0);
    assert_int_equal(io_file_sync(driver, file), 0);
    assert_int_equal(io_sync_directory(driver, SIM_LIFE_ROOT), 0);
    return file;
}

void
sim_life_fill(struct io_driver *driver, io_file file, char letter, size_t bytes, uint64_t offset)
{
    static char content[SIM_LIFE_FILE_BYTES_MAX];
    assert_true(bytes <= sizeof(content));
    memset(content, letter, bytes);
    assert_int_equal(io_file_write(driver, file, content, bytes, offset), 0);
}

ssize_t
sim_life_content(const char *name, char *out, size_t max)
{
    char path[NAME_BYTES_MAX];
    path_of(name, path);
    FILE *stream = fopen(path, "r");
    if (!stream) {
        return -1;
    }
    size_t got = fread(out, 1, max, stream);
    (void)fclose(stream);
    return (ssize_t)got;
}

bool
sim_life_exists(const char *name)
{
    char path[NAME_BYTES_MAX];
    struct stat status;
    path_of(name, path);
    return stat(path, &status) == 0;
}

size_t
sim_life_count(const char *bytes, size_t count, char letter)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += bytes[i] == letter;
    }
    return found;
}
