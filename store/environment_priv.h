/* SPDX-License-Identifier: Apache-2.0 */
/* environment_priv.h - what the environment's files use of each other. LMDB's own codes and structs
 * stay in these.
 */
#pragma once

#include "store/environment.h"

#include <lmdb.h>

struct environment {
    struct environment_options options; /* to open it again */
    char path[LOG_PATH_BYTES_MAX];      /* the options' */
    struct lock *lock;                  /* of what follows; without it for who is a user */
    unsigned users;                     /* transactions under way */
    MDB_env *env;                       /* NULL: at rest */
    MDB_dbi data;
    MDB_dbi runs;
    MDB_dbi meta;
    /* A reading transaction that has ended, to be renewed: it keeps its memory and its place among
     * the readers, and holds no pages back. */
    struct environment_spare {
        MDB_txn *txn; /* NULL: none */
        MDB_cursor *cursor;
        MDB_cursor *runs_cursor;
        struct runs *runs; /* room for those of a partition */
    } spare;
};

/* The cursor stays where the last key went: what comes in order goes there without a search. */
struct environment_write {
    struct environment *environment;
    MDB_txn *txn;
    MDB_cursor *cursor;
    struct runs_write *runs; /* environment_runs_write.c; NULL: not needed so far */
};

/* LMDB's code as an errno's negative; 0: it went well. */
int environment_translated(int code);
/* For one transaction, until environment_let_go. Opens what rests, while others wait who want it,
 * too. */
MUST_CHECK int environment_hold(struct environment *environment);
/* Likewise, if it does not rest and is neither opened nor closed at this moment. Never waits; nor
 * does anybody for longer than a few instructions until it is let go, since what is held is neither
 * opened nor closed. */
MUST_CHECK bool environment_try_hold(struct environment *environment);
void environment_let_go(struct environment *environment);

/* environment_read.c */
/* What of it is NULL is passed over. */
void environment_spare_free(struct environment_spare *spare);
/* Stands on the first record of a walk that goes this way from the key. An LMDB code. */
MUST_CHECK int environment_walk_begin(MDB_cursor *cursor, const MDB_val *from,
                                      enum environment_order order, MDB_val *key, MDB_val *value);

/* environment_runs.c */
enum { RUN_KEY_BYTES = 8 + 1 + 8 + 8 };

static inline bool
environment_grows(const struct environment *environment, const struct store_key *key)
{
    return environment->options.grows != 0 && key->table == environment->options.grows;
}

void run_key_encode(uint64_t run, const struct store_key *key, unsigned char out[RUN_KEY_BYTES]);
/* 0 or -EUCLEAN. */
MUST_CHECK int run_key_decode(const struct environment *environment, const MDB_val *name,
                              uint64_t *run, struct store_key *out);
/* The part of a range that is in the run with this index. False: none of it. */
MUST_CHECK bool run_part(const struct runs *runs, uint32_t index, const struct store_range *range,
                         struct store_range *out);
MUST_CHECK int environment_runs_load(const struct environment *environment, MDB_txn *txn,
                                     uint8_t partition, struct runs *out);
MUST_CHECK int environment_runs_store(struct environment_write *write, uint8_t partition,
                                      const struct runs *runs);
MUST_CHECK int environment_runs_get(struct environment_read *read, const struct store_key *key,
                                    struct store_value *out);
MUST_CHECK int environment_runs_range(struct environment_read *read,
                                      const struct store_range *range, enum environment_order order,
                                      int (*each)(void *context, const struct store_key *key,
                                                  struct store_value value),
                                      void *context);

/* environment_runs_write.c */
struct runs_changed {
    struct runs runs;
    uint64_t next; /* the runs', as this transaction found it: from here on all is new */
    bool added;    /* a run for that */
    bool changed;
};

struct runs_write {
    MDB_cursor *cursor;                             /* anywhere */
    MDB_cursor *append;                             /* at the end */
    uint64_t id;                                    /* the greatest that there is */
    uint64_t id_new;                                /* of what is new; 0: nothing is, so far */
    unsigned char last[RUN_KEY_BYTES];              /* no key is above it */
    struct runs_changed *changed[STORE_PARTITIONS]; /* NULL: not needed so far */
};

/* What this transaction knows of the partition's runs; *out is the transaction's. */
MUST_CHECK int environment_runs_of(struct environment_write *write, uint8_t partition,
                                   struct runs_changed **out);
MUST_CHECK int environment_runs_put(struct environment_write *write, const struct store_key *key,
                                    struct store_value value);
MUST_CHECK int environment_runs_delete(struct environment_write *write,
                                       const struct store_key *key);
MUST_CHECK int environment_runs_delete_range(struct environment_write *write,
                                             const struct store_range *range, uint64_t *count);
/* Puts a record at the end of a run that has the greatest id. */
MUST_CHECK int environment_runs_append(struct environment_write *write, uint64_t run,
                                       const struct store_key *key, struct store_value value);
/* Deletes all that a partition has in a run. */
MUST_CHECK int environment_runs_drop(struct environment_write *write, uint64_t run,
                                     uint8_t partition);
/* Writes down what has changed: last. */
MUST_CHECK int environment_runs_save(struct environment_write *write);
void environment_runs_free(struct environment_write *write);
