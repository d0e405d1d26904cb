/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - records on their way from LMDB to a partition: what a worker found, in one piece of
 * memory.
 *
 *     rows_init(&rows);
 *     rows_add(&rows, &key, &value);              found
 *     rows_add(&rows, &key, NULL);                asked for and not found
 *     ... rows.bytes, rows.count travel in a shared buffer ...
 *     while (rows_next(bytes, count, &at, &key, &present, &value)) { ... }
 *
 * Our own bytes in our own memory: what can't be read ends the node. One thread at a time.
 */
#pragma once

#include "store/key.h"

/* Embedded. `bytes` is malloc's; rows_fini frees it. */
struct rows {
    unsigned char *bytes;
    size_t count;
    size_t capacity;
};

void rows_init(struct rows *rows);
void rows_fini(struct rows *rows);
/* Copies the value in. */
void rows_add(struct rows *rows, const struct store_key *key,
              const struct store_value *value_or_null);

/* Room for bytes of another kind at the end, to be filled; borrowed until the next change. */
unsigned char *rows_room(struct rows *rows, size_t bytes);

/* The row at *at (0 at first), moving it on; false at the end. *out_value is borrowed from the
 * bytes. */
bool rows_next(const unsigned char *bytes, size_t count, size_t *at, struct store_key *out_key,
               bool *out_present, struct store_value *out_value);
