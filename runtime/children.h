/* SPDX-License-Identifier: Apache-2.0 */
/* children.h - the children of a dynamic supervisor that run, by pid. There may be a million, so of
 * one that is never started again its pid is all that is kept; of others a record goes along.
 *
 *     children_reserve(&children, false);                   before the child is started
 *     children_add(&children, pid, record_or_null);
 *     if (children_remove(&children, pid, &record)) { ... }
 *
 * A hash table with linear probing, the calling actor's memory. For runtime/supervisor*.c alone.
 */
#pragma once

#include "runtime/linnet.h"

struct child;

/* Embedded, zeroed at first; `pids` below `places` may be read (0: none), and `count`. */
struct children {
    ln_pid *pids;
    struct child **records; /* beside them; NULL: they have none */
    uint32_t places;        /* a power of two, or 0 */
    uint32_t count;
};

/* Room for one more, with a record or without; the same for all of them. It may end the caller, as
 * ln_alloc does; adding then does not. */
void children_reserve(struct children *children, bool records);
/* Takes the record, which may be NULL. Room is there, and the pid is not. */
void children_add(struct children *children, ln_pid pid, struct child *record);
/* Whether it is there, and at which place. */
bool children_find(const struct children *children, ln_pid pid, uint32_t *out_place);
/* The record at a place; NULL: it has none. */
struct child *children_record(const struct children *children, uint32_t place);
/* True: it was there, and *out_record is what was added with it. */
bool children_remove(struct children *children, ln_pid pid, struct child **out_record);
