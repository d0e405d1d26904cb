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
/* Either may be NULL. */
void environment_read_free(MDB_txn *txn, MDB_cursor *cursor);
/* Stands on the first record of a walk that goes this way from the key. An LMDB code. */
MUST_CHECK int environment_walk_begin(MDB_cursor *cursor, const struct store_key *from,
                                      enum environment_order order, MDB_val *key, MDB_val *value);
