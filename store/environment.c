/* SPDX-License-Identifier: Apache-2.0 */
/* LMDB's own codes and structs stay in this file. */
#include "store/environment.h"

#include "runtime/io/lock.h"
#include "store/cursor.h"

#include <errno.h>
#include <lmdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DATABASES = 2,
    FORMAT_BYTES = 4 + 4 + LOG_IDENTITY_BYTES,
    MARK_BYTES = 12,
    FILE_MODE = 0600,
    /* Reads are of single records all over the file: the kernel's reading ahead would be in
     * vain. */
    OPEN_FLAGS = MDB_NOTLS | MDB_NORDAHEAD,
    FORBIDDEN_FLAGS = MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_MAPASYNC | MDB_NOLOCK,
};

static const char FORMAT_KEY[] = "format";
static const char MARK_KEY[] = "mark";

struct environment {
    struct environment_options options; /* to open it again */
    char path[LOG_PATH_BYTES_MAX];      /* the options' */
    struct lock *lock;                  /* of what follows; without it for who is a user */
    unsigned users;                     /* transactions under way */
    MDB_env *env;                       /* NULL: at rest */
    MDB_dbi data;
    MDB_dbi meta;
    /* A reading transaction that has ended, with its cursor, to be renewed: it keeps its memory and
     * its place among the readers, and holds no pages back. NULL: none. */
    MDB_txn *spare_txn;
    MDB_cursor *spare_cursor;
};

/* The cursor stays where the last key went: what comes in order goes there without a search. */
struct environment_write {
    struct environment *environment;
    MDB_txn *txn;
    MDB_cursor *cursor;
};

/* ------------------------------------------------------------------------ errors */

static int
translated(int code)
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
        /* Positive codes are errnos. What is left tells of a mistake in this file. */
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
        return explain(why, options, translated(code), "can't be opened: %s", mdb_strerror(code));
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
        return explain(why, options, translated(code), "can't be opened: %s%s", mdb_strerror(code),
                       advice);
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
    MDB_dbi meta;
    MDB_val key = {sizeof(FORMAT_KEY) - 1, (void *)(uintptr_t)FORMAT_KEY};
    MDB_val value = {sizeof(format), format};
    format_write(options, format);
    int code = mdb_txn_begin(env, NULL, 0, &txn);
    if (code != MDB_SUCCESS) {
        return translated(code);
    }
    code = mdb_dbi_open(txn, "data", MDB_CREATE, &data);
    if (code == MDB_SUCCESS) {
        code = mdb_dbi_open(txn, "meta", MDB_CREATE, &meta);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_put(txn, meta, &key, &value, 0);
    }
    if (code != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return translated(code);
    }
    return translated(mdb_txn_commit(txn));
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

/* Opens both databases; compares the format record with what it has to be. */
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
        return explain(why, options, translated(code), "can't be read: %s", mdb_strerror(code));
    }
    code = mdb_dbi_open(txn, "data", 0, &environment->data);
    if (code == MDB_SUCCESS) {
        code = mdb_dbi_open(txn, "meta", 0, &environment->meta);
    }
    if (code == MDB_SUCCESS) {
        code = mdb_get(txn, environment->meta, &key, &value);
    }
    int result = 0;
    if (code == MDB_NOTFOUND || (code == MDB_SUCCESS && value.mv_size < 4)) {
        result = explain(why, options, -EUCLEAN, "has no format record: it is not ours");
    } else if (code != MDB_SUCCESS) {
        result = explain(why, options, translated(code), "can't be read: %s", mdb_strerror(code));
    } else if (memcmp(value.mv_data, format, 4) != 0) {
        struct cursor_in in;
        cursor_in_init(&in, value.mv_data, value.mv_size);
        result = explain(why, options, -EPROTO, "has format version %u, this program knows %u",
                         cursor_get_u32(&in), ENVIRONMENT_FORMAT_VERSION);
    } else if (value.mv_size != FORMAT_BYTES || memcmp(value.mv_data, format, FORMAT_BYTES) != 0) {
        result =
            explain(why, options, -EUCLEAN, "belongs to another cell or another data directory");
    }
    /* The handles of databases become everybody's when the transaction that opened them commits. */
    code = mdb_txn_commit(txn);
    ASSERT(code == MDB_SUCCESS);
    return result;
}

/* Opens LMDB's environment and both databases. Nobody else looks. */
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
    result = translated(code);
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

static void
read_free(MDB_txn *txn, MDB_cursor *cursor)
{
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
}

/* Closes what environment_begin has opened. */
static void
environment_end(struct environment *environment)
{
    read_free(environment->spare_txn, environment->spare_cursor);
    environment->spare_txn = NULL;
    environment->spare_cursor = NULL;
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

/* For one transaction, until let_go. Opens what rests, while others wait who want it, too. */
static int
hold(struct environment *environment)
{
    char why[ENVIRONMENT_WHY_BYTES];
    lock_take(environment->lock);
    int result = environment->env != NULL ? 0 : environment_begin(environment, why);
    environment->users += result == 0;
    lock_give(environment->lock);
    return result;
}

static void
let_go(struct environment *environment)
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

/* ------------------------------------------------------------------------ reading */

static void
spare_take(struct environment *environment, MDB_txn **txn, MDB_cursor **cursor)
{
    lock_take(environment->lock);
    *txn = environment->spare_txn;
    *cursor = environment->spare_cursor;
    environment->spare_txn = NULL;
    environment->spare_cursor = NULL;
    lock_give(environment->lock);
}

/* Ends the transaction; while it is held. */
static void
spare_keep(struct environment *environment, MDB_txn *txn, MDB_cursor *cursor)
{
    mdb_txn_reset(txn);
    lock_take(environment->lock);
    if (environment->spare_txn == NULL) {
        environment->spare_txn = txn;
        environment->spare_cursor = cursor;
        txn = NULL;
        cursor = NULL;
    }
    lock_give(environment->lock);
    read_free(txn, cursor);
}

int
environment_read_begin(struct environment *environment, struct environment_read *out)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    int result = hold(environment);
    if (result < 0) {
        return result;
    }
    spare_take(environment, &txn, &cursor);
    int code =
        txn != NULL ? mdb_txn_renew(txn) : mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &txn);
    if (code == MDB_SUCCESS) {
        code = cursor != NULL ? mdb_cursor_renew(txn, cursor)
                              : mdb_cursor_open(txn, environment->data, &cursor);
    }
    if (code != MDB_SUCCESS) {
        read_free(txn, cursor);
        let_go(environment);
        return translated(code);
    }
    *out = (struct environment_read){environment, txn, cursor};
    return 0;
}

void
environment_read_end(struct environment_read *read)
{
    ASSERT(read->environment != NULL);
    spare_keep(read->environment, read->transaction, read->cursor);
    let_go(read->environment);
    *read = (struct environment_read){0};
}

int
environment_get(const struct environment_read *read, const struct store_key *key,
                struct store_value *out)
{
    unsigned char name[STORE_KEY_BYTES];
    MDB_val mdb_key = {sizeof(name), name};
    MDB_val value = {0};
    key_encode(key, name);
    int code = mdb_get(read->transaction, read->environment->data, &mdb_key, &value);
    if (code != MDB_SUCCESS) {
        return translated(code);
    }
    *out = (struct store_value){value.mv_data, value.mv_size};
    return 0;
}

/* Stands on the first record of a walk that goes this way from the key. */
static int
walk_begin(MDB_cursor *cursor, const struct store_key *from, enum environment_order order,
           MDB_val *key, MDB_val *value)
{
    unsigned char name[STORE_KEY_BYTES];
    key_encode(from, name);
    *key = (MDB_val){sizeof(name), name};
    int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (order == ENVIRONMENT_FORWARDS) {
        return code;
    }
    if (code == MDB_NOTFOUND) {
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    }
    if (code == MDB_SUCCESS &&
        (key->mv_size != STORE_KEY_BYTES || memcmp(key->mv_data, name, STORE_KEY_BYTES) != 0)) {
        code = mdb_cursor_get(cursor, key, value, MDB_PREV);
    }
    return code;
}

int
environment_range(const struct environment_read *read, const struct store_range *range,
                  enum environment_order order,
                  int (*each)(void *context, const struct store_key *key, struct store_value value),
                  void *context)
{
    bool forwards = order == ENVIRONMENT_FORWARDS;
    MDB_cursor *cursor = read->cursor;
    MDB_val name = {0};
    MDB_val value = {0};
    if (key_less(&range->high, &range->low)) {
        return 0;
    }
    int result = 0;
    int code = walk_begin(cursor, forwards ? &range->low : &range->high, order, &name, &value);
    while (code == MDB_SUCCESS && result == 0) {
        struct store_key key;
        if (key_decode(name.mv_data, name.mv_size, &key) < 0) {
            result = -EUCLEAN;
            break;
        }
        if (forwards ? key_less(&range->high, &key) : key_less(&key, &range->low)) {
            break;
        }
        result = each(context, &key, (struct store_value){value.mv_data, value.mv_size});
        if (result == 0) {
            code = mdb_cursor_get(cursor, &name, &value, forwards ? MDB_NEXT : MDB_PREV);
        }
    }
    if (result == 0 && code != MDB_SUCCESS && code != MDB_NOTFOUND) {
        result = translated(code);
    }
    return result;
}

static int
mark_get(const struct environment *environment, MDB_txn *txn, struct log_mark *out)
{
    MDB_val key = {sizeof(MARK_KEY) - 1, (void *)(uintptr_t)MARK_KEY};
    MDB_val value = {0};
    struct cursor_in in;
    struct log_mark mark;
    int code = mdb_get(txn, environment->meta, &key, &value);
    if (code == MDB_NOTFOUND) {
        *out = (struct log_mark){0};
        return 0;
    }
    if (code != MDB_SUCCESS) {
        return translated(code);
    }
    cursor_in_init(&in, value.mv_data, value.mv_size);
    mark.generation = cursor_get_u32(&in);
    mark.position = cursor_get_u64(&in);
    if (cursor_in_end(&in) < 0) {
        return -EUCLEAN;
    }
    *out = mark;
    return 0;
}

int
environment_mark(const struct environment_read *read, struct log_mark *out)
{
    return mark_get(read->environment, read->transaction, out);
}

/* ------------------------------------------------------------------------ writing */

int
environment_write_begin(struct environment *environment, struct environment_write **out)
{
    struct environment_write *write = calloc(1, sizeof(*write));
    if (write == NULL) {
        return -ENOMEM;
    }
    int result = hold(environment);
    if (result < 0) {
        free(write);
        return result;
    }
    write->environment = environment;
    int code = mdb_txn_begin(environment->env, NULL, 0, &write->txn);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_open(write->txn, environment->data, &write->cursor);
    }
    if (code != MDB_SUCCESS) {
        environment_abort(&write);
        return translated(code);
    }
    *out = write;
    return 0;
}

int
environment_put(struct environment_write *write, const struct store_key *key,
                struct store_value value)
{
    unsigned char name[STORE_KEY_BYTES];
    MDB_val mdb_key = {sizeof(name), name};
    MDB_val mdb_value = {value.count, (void *)(uintptr_t)value.bytes};
    ASSERT(value.count <= ENVIRONMENT_VALUE_BYTES_MAX);
    key_encode(key, name);
    return translated(mdb_cursor_put(write->cursor, &mdb_key, &mdb_value, 0));
}

int
environment_delete(struct environment_write *write, const struct store_key *key)
{
    unsigned char name[STORE_KEY_BYTES];
    MDB_val mdb_key = {sizeof(name), name};
    MDB_val value = {0};
    key_encode(key, name);
    int code = mdb_cursor_get(write->cursor, &mdb_key, &value, MDB_SET);
    if (code == MDB_NOTFOUND) {
        return 0;
    }
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_del(write->cursor, 0);
    }
    return translated(code);
}

int
environment_delete_range(struct environment_write *write, const struct store_range *range,
                         uint64_t *count)
{
    MDB_val name = {0};
    MDB_val value = {0};
    if (key_less(&range->high, &range->low)) {
        return 0;
    }
    int code = walk_begin(write->cursor, &range->low, ENVIRONMENT_FORWARDS, &name, &value);
    while (code == MDB_SUCCESS) {
        struct store_key key;
        if (key_decode(name.mv_data, name.mv_size, &key) < 0) {
            return -EUCLEAN;
        }
        if (key_less(&range->high, &key)) {
            return 0;
        }
        code = mdb_cursor_del(write->cursor, 0);
        if (code == MDB_SUCCESS) {
            (*count)++;
            /* After a deletion the cursor stands on what followed, which NEXT then gives. */
            code = mdb_cursor_get(write->cursor, &name, &value, MDB_NEXT);
        }
    }
    return code == MDB_NOTFOUND ? 0 : translated(code);
}

int
environment_set_mark(struct environment_write *write, const struct log_mark *mark)
{
    unsigned char bytes[MARK_BYTES];
    struct cursor_out out;
    MDB_val key = {sizeof(MARK_KEY) - 1, (void *)(uintptr_t)MARK_KEY};
    MDB_val value = {sizeof(bytes), bytes};
    cursor_out_init(&out, bytes, sizeof(bytes));
    cursor_put_u32(&out, mark->generation);
    cursor_put_u64(&out, mark->position);
    ASSERT(!out.failed);
    return translated(mdb_put(write->txn, write->environment->meta, &key, &value, 0));
}

int
environment_write_mark(struct environment_write *write, struct log_mark *out)
{
    return mark_get(write->environment, write->txn, out);
}

int
environment_commit(struct environment_write **write)
{
    struct environment_write *taken = *write;
    *write = NULL;
    mdb_cursor_close(taken->cursor);
    int code = mdb_txn_commit(taken->txn); /* frees the transaction in any case */
    let_go(taken->environment);
    free(taken);
    return translated(code);
}

void
environment_abort(struct environment_write **write)
{
    struct environment_write *taken = *write;
    if (taken == NULL) {
        return;
    }
    *write = NULL;
    if (taken->cursor != NULL) {
        mdb_cursor_close(taken->cursor);
    }
    if (taken->txn != NULL) {
        mdb_txn_abort(taken->txn);
    }
    let_go(taken->environment);
    free(taken);
}

/* ------------------------------------------------------------------------ facts */

int
environment_facts(struct environment *environment, struct environment_facts *out)
{
    struct environment_read read = {0};
    MDB_envinfo info = {0};
    MDB_stat stat = {0};
    int result = environment_read_begin(environment, &read);
    if (result < 0) {
        return result;
    }
    int code = mdb_env_info(environment->env, &info);
    if (code == MDB_SUCCESS) {
        code = mdb_stat(read.transaction, environment->data, &stat);
    }
    environment_read_end(&read);
    if (code != MDB_SUCCESS) {
        return translated(code);
    }
    *out = (struct environment_facts){
        .map_bytes = info.me_mapsize,
        .used_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize,
        .data_bytes = (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
                      (uint64_t)stat.ms_psize,
        .records = stat.ms_entries,
        .commits = info.me_last_txnid,
        .readers_used = info.me_numreaders,
        .readers_max = info.me_maxreaders,
    };
    return 0;
}
