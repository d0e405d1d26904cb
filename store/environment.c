/* SPDX-License-Identifier: Apache-2.0 */
/* An environment is made, opened, put to rest and closed. */
#include "store/environment.h"

#include "runtime/io/lock.h"
#include "store/cursor.h"
#include "store/environment_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DATABASES = 3,
    FORMAT_BYTES = 4 + 4 + LOG_IDENTITY_BYTES,
    FILE_MODE = 0600,
    /* Reads are of single records all over the file: the kernel's reading ahead would be in
     * vain. */
    OPEN_FLAGS = MDB_NOTLS | MDB_NORDAHEAD,
    FORBIDDEN_FLAGS = MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_MAPASYNC | MDB_NOLOCK,
};

static const char FORMAT_KEY[] = "format";

/* ------------------------------------------------------------------------ errors */

int
environment_translated(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return 0;
    case MDB_NOTFOUND:
        return -ENOENT;
    case MDB_MAP_FULL:
        return -EFBIG;
    case MDB_READERS_FULL:
        return -EAGAIN;
    case MDB_PANIC:
        return -ENOTRECOVERABLE;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_CURSOR_FULL: /* deeper, or larger, than any sound tree */
    case MDB_PAGE_FULL:
        return -EUCLEAN;
    case MDB_TXN_FULL:
        return -E2BIG;
    default:
        /* Positive codes are errnos. What is left tells of a mistake of ours. */
        ASSERT(code > 0);
        return -code;
    }
}

PRINTF_LIKE(4, 5)
static int
explain(char why[ENVIRONMENT_WHY_BYTES], const struct environment_options *options, int error,
        const char *format, ...)
{
    va_list arguments;
    int used = snprintf(why, ENVIRONMENT_WHY_BYTES, "the LMDB environment %s ", options->path);
    va_start(arguments, format);
    if (used > 0 && used < ENVIRONMENT_WHY_BYTES) {
        (void)vsnprintf(why + used, (size_t)(ENVIRONMENT_WHY_BYTES - used), format, arguments);
    }
    va_end(arguments);
    return error;
}

/* ------------------------------------------------------------------------ opening */

static void
file_path(const struct environment_options *options, const char *name, char out[LOG_PATH_BYTES_MAX])
{
    int count = snprintf(out, LOG_PATH_BYTES_MAX, "%s/%s", options->path, name);
    ASSERT(count > 0 && count < LOG_PATH_BYTES_MAX);
}

static void
format_write(const struct environment_options *options, unsigned char out[FORMAT_BYTES])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, FORMAT_BYTES);
    cursor_put_u32(&cursor, ENVIRONMENT_FORMAT_VERSION);
    cursor_put_u32(&cursor, options->cell);
    cursor_put_bytes(&cursor, options->identity, LOG_IDENTITY_BYTES);
    ASSERT(!cursor.failed);
}

/* Opens LMDB's environment, which makes its file where there is none. */
static int
env_open(const struct environment_options *options, MDB_env **out, char why[ENVIRONMENT_WHY_BYTES])
{
    int major = 0;
    int minor = 0;
    MDB_env *env = NULL;
    unsigned flags = 0;
    (void)mdb_version(&major, &minor, NULL);
    ASSERT(major == MDB_VERSION_MAJOR && minor == MDB_VERSION_MINOR);
    int code = mdb_env_create(&env);
    if (code != MDB_SUCCESS) {
        return explain(why, options, environment_translated(code), "can't be opened: %s",
                       mdb_strerror(code));
    }
    uint64_t map_bytes = options->map_bytes > 0 ? options->map_bytes : ENVIRONMENT_MAP_BYTES;
    unsigned readers = options->readers_max > 0 ? options->readers_max : ENVIRONMENT_READERS_MAX;
    code = mdb_env_set_mapsize(env, map_bytes);
    if (code == MDB_SUCCESS) {
        code = mdb_env_set_maxreaders(env, readers);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_env_set_maxdbs(env, DATABASES);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_env_open(env, options->path, OPEN_FLAGS, FILE_MODE);
    }
    if (code != MDB_SUCCESS) {
        mdb_env_close(env);
        const char *advice = code == ENOMEM ? " (can't reserve the map: lower its size)" : "";
        return explain(why, options, environment_translated(code), "can't be opened: %s%s",
                       mdb_strerror(code), advice);
    }
    code = mdb_env_get_flags(env, &flags);
    ASSERT(code == MDB_SUCCESS && (flags & FORBIDDEN_FLAGS) == 0);
    *out = env;
    return 0;
}

static int
env_fill(MDB_env *env, const struct environment_options *options)
{
    unsigned char format[FORMAT_BYTES];
    MDB_txn *txn = NULL;
    MDB_dbi data;
    MDB_dbi runs;
    MDB_dbi meta;
    MDB_val key = {sizeof(FORMAT_KEY) - 1, (void *)(uintptr_t)FORMAT_KEY};
    MDB_val value = {sizeof(format), format};
    format_write(options, format);
    int code = mdb_txn_begin(env, NULL, 0, &txn);
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    code = mdb_dbi_open(txn, "data", MDB_CREATE, &data);
    if (code == MDB_SUCCESS) {
        code = mdb_dbi_open(txn, "runs", MDB_CREATE, &runs);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_dbi_open(txn, "meta", MDB_CREATE, &meta);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_put(txn, meta, &key, &value, 0);
    }
    if (code != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return environment_translated(code);
    }
    return environment_translated(mdb_txn_commit(txn));
}

int
environment_create(const struct environment_options *options, char why[ENVIRONMENT_WHY_BYTES])
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[LOG_PATH_BYTES_MAX];
        file_path(options, names[i], path);
        int removed = io_remove(options->driver, path);
        if (removed < 0 && removed != -ENOENT) {
            return explain(why, options, removed, "can't be made: %s", strerrordesc_np(-removed));
        }
    }
    MDB_env *env = NULL;
    int result = env_open(options, &env, why);
    if (result < 0) {
        return result;
    }
    result = env_fill(env, options);
    mdb_env_close(env);
    if (result == 0) {
        result = io_sync_directory(options->driver, options->path);
    }
    if (result < 0) {
        return explain(why, options, result, "can't be made: %s", strerrordesc_np(-result));
    }
    return 0;
}

/* Opens the databases; compares the format record with what it has to be. */
static int
environment_check(struct environment *environment, const struct environment_options *options,
                  char why[ENVIRONMENT_WHY_BYTES])
{
    unsigned char format[FORMAT_BYTES];
    MDB_txn *txn = NULL;
    MDB_val key = {sizeof(FORMAT_KEY) - 1, (void *)(uintptr_t)FORMAT_KEY};
    MDB_val value = {0};
    format_write(options, format);
    int code = mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &txn);
    if (code != MDB_SUCCESS) {
        return explain(why, options, environment_translated(code), "can't be read: %s",
                       mdb_strerror(code));
    }
    code = mdb_dbi_open(txn, "data", 0, &environment->data);
    if (code == MDB_SUCCESS) {
        code = mdb_dbi_open(txn, "meta", 0, &environment->meta);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_get(txn, environment->meta, &key, &value);
    }
    int runs = MDB_SUCCESS; /* format 1 has none: that is to be told of it */
    if (code == MDB_SUCCESS) {
        runs = mdb_dbi_open(txn, "runs", 0, &environment->runs);
    }
    int result = 0;
    if (code == MDB_NOTFOUND || (code == MDB_SUCCESS && value.mv_size < 4)) {
        result = explain(why, options, -EUCLEAN, "has no format record: it is not ours");
    } else if (code != MDB_SUCCESS) {
        result = explain(why, options, environment_translated(code), "can't be read: %s",
                         mdb_strerror(code));
    } else if (memcmp(value.mv_data, format, 4) != 0) {
        struct cursor_in in;
        cursor_in_init(&in, value.mv_data, value.mv_size);
        result = explain(why, options, -EPROTO, "has format version %u, this program knows %u",
                         cursor_get_u32(&in), ENVIRONMENT_FORMAT_VERSION);
    } else if (runs != MDB_SUCCESS) {
        result =
            explain(why, options, runs == MDB_NOTFOUND ? -EUCLEAN : environment_translated(runs),
                    "can't be read: %s", mdb_strerror(runs));
    } else if (value.mv_size != FORMAT_BYTES || memcmp(value.mv_data, format, FORMAT_BYTES) != 0) {
        result =
            explain(why, options, -EUCLEAN, "belongs to another cell or another data directory");
    }
    /* The handles of databases become everybody's when the transaction that opened them commits. */
    code = mdb_txn_commit(txn);
    ASSERT(code == MDB_SUCCESS);
    return result;
}

/* Opens LMDB's environment and its databases. Nobody else looks. */
static int
environment_begin(struct environment *environment, char why[ENVIRONMENT_WHY_BYTES])
{
    const struct environment_options *options = &environment->options;
    char path[LOG_PATH_BYTES_MAX];
    io_file file = -1;
    file_path(options, "data.mdb", path);
    int result = io_file_open(options->driver, path, IO_OPEN_READ, &file);
    if (result < 0) {
        return explain(why, options, result == -ENOENT ? -EUCLEAN : result,
                       "can't be opened: data.mdb: %s", strerrordesc_np(-result));
    }
    io_file_close(options->driver, file);
    result = env_open(options, &environment->env, why);
    if (result < 0) {
        return result;
    }
    int dead = 0;
    int code = mdb_reader_check(environment->env, &dead);
    result = environment_translated(code);
    if (result < 0) {
        (void)explain(why, options, result, "can't clear old readers: %s", mdb_strerror(code));
    } else {
        result = environment_check(environment, options, why);
    }
    if (result < 0) {
        mdb_env_close(environment->env);
        environment->env = NULL;
    }
    return result;
}

/* Closes what environment_begin has opened. */
static void
environment_end(struct environment *environment)
{
    environment_spare_free(&environment->spare);
    mdb_env_close(environment->env);
    environment->env = NULL;
}

int
environment_open(const struct environment_options *options, struct environment **out,
                 char why[ENVIRONMENT_WHY_BYTES])
{
    struct environment *environment = calloc(1, sizeof(*environment));
    if (environment == NULL || (environment->lock = lock_new()) == NULL) {
        free(environment);
        return explain(why, options, -ENOMEM, "can't be opened: no memory");
    }
    size_t path_bytes = strlen(options->path) + 1;
    ASSERT(path_bytes <= sizeof(environment->path));
    memcpy(environment->path, options->path, path_bytes);
    environment->options = *options;
    environment->options.path = environment->path;
    int result = environment_begin(environment, why);
    if (result < 0) {
        environment_close(&environment);
        return result;
    }
    *out = environment;
    return 0;
}

void
environment_close(struct environment **environment)
{
    if (*environment == NULL) {
        return;
    }
    ASSERT((*environment)->users == 0);
    if ((*environment)->env != NULL) {
        environment_end(*environment);
    }
    lock_free((*environment)->lock);
    free(*environment);
    *environment = NULL;
}

/* ------------------------------------------------------------------------ resting */

int
environment_hold(struct environment *environment)
{
    char why[ENVIRONMENT_WHY_BYTES];
    lock_take(environment->lock);
    int result = environment->env != NULL ? 0 : environment_begin(environment, why);
    environment->users += result == 0;
    lock_give(environment->lock);
    return result;
}

bool
environment_try_hold(struct environment *environment)
{
    if (!lock_try(environment->lock)) {
        return false;
    }
    bool open = environment->env != NULL;
    environment->users += open;
    lock_give(environment->lock);
    return open;
}

void
environment_let_go(struct environment *environment)
{
    lock_take(environment->lock);
    ASSERT(environment->users > 0);
    environment->users--;
    lock_give(environment->lock);
}

bool
environment_rest(struct environment *environment)
{
    lock_take(environment->lock);
    bool unused = environment->users == 0;
    if (unused && environment->env != NULL) {
        environment_end(environment);
    }
    lock_give(environment->lock);
    return unused;
}

bool
environment_rests(struct environment *environment)
{
    lock_take(environment->lock);
    bool rests = environment->env == NULL;
    lock_give(environment->lock);
    return rests;
}

/* ------------------------------------------------------------------------ facts */

static uint64_t
bytes_of(const MDB_stat *stat)
{
    return (stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages) *
           (uint64_t)stat->ms_psize;
}

int
environment_facts(struct environment *environment, struct environment_facts *out)
{
    struct environment_read read = {0};
    MDB_envinfo info = {0};
    MDB_stat stat = {0};
    MDB_stat runs = {0};
    int result = environment_read_begin(environment, &read);
    if (result < 0) {
        return result;
    }
    int code = mdb_env_info(environment->env, &info);
    if (code == MDB_SUCCESS) {
        code = mdb_stat(read.transaction, environment->data, &stat);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_stat(read.transaction, environment->runs, &runs);
    }
    environment_read_end(&read);
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    *out = (struct environment_facts){
        .map_bytes = info.me_mapsize,
        .used_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize,
        .data_bytes = bytes_of(&stat) + bytes_of(&runs),
        .records = stat.ms_entries + runs.ms_entries,
        .commits = info.me_last_txnid,
        .readers_used = info.me_numreaders,
        .readers_max = info.me_maxreaders,
    };
    return 0;
}
