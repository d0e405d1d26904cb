/* SPDX-License-Identifier: Apache-2.0 */
/* bodies.h - a store's partitions with the inboxes of groups' members, in which a message's body
 * stands in one of two ways: in each inbox, as linnetd keeps it, or once for each partition that
 * has members, with a count of those who have not acknowledged it.
 *
 *     INBOX  user   number         an entry; its body within it, or none
 *     BODY   group  chat number    shared: record's head 2 | count 4 | the body
 *
 * Keys, entries, heads, tables, folds, environments and their cells are the store's own; what is
 * not there is the log, the streams, and the actors. Puts go to the partitions' tables in memory,
 * as an apply's do, and bodies_fold carries them to LMDB, cell after cell, as a folder does.
 *
 * One thread, which waits for the disk. What fails ends the program: a benchmark has no use for
 * half a result.
 */
#pragma once

#include "bench/histogram.h"
#include "store/environment.h"
#include "store/record_inbox.h"
#include "store/table.h"

enum bodies_way { BODIES_EACH, BODIES_SHARED, BODIES_WAYS };

enum {
    BODIES_CELLS = 8, /* store_cells of a node with up to eight schedulers */
    BODIES_PATH_BYTES = 512,
    BODIES_BYTES_MAX = 16 << 10, /* of a body */
};

struct bodies_member {
    uint64_t user;
    uint8_t partition;
    struct record_head head;
};

/* A group: members next to each other, and how many of them each partition has. */
struct bodies_group {
    uint64_t id;
    struct bodies_member *members;
    uint32_t count;
    uint32_t shares[STORE_PARTITIONS];
};

struct bodies_message {
    uint64_t chat_number;
    const unsigned char *body;
    uint32_t body_bytes;
};

/* What folds have cost since it was set to zero. */
struct bodies_folds {
    struct histogram cell_ns; /* one cell's fold each */
    uint64_t ns, records, written_bytes;
};

struct bodies {
    enum bodies_way way;
    struct io_driver *driver;
    struct environment *cells[BODIES_CELLS];
    struct table *tables[STORE_PARTITIONS];
    uint64_t folded; /* how often */
    struct bodies_folds folds;
};

/* Makes it anew in a folder, which is made where there is none. */
void bodies_open(struct bodies *bodies, enum bodies_way way, struct io_driver *driver,
                 const char *folder);
void bodies_close(struct bodies *bodies);

/* A member's head, as it is now. */
void bodies_put_head(struct bodies *bodies, const struct bodies_member *member);
/* The newest message of an inbox, whose head has been moved to it. Shared, the body is put with the
 * first entry of its partition that is not there yet. */
void bodies_put_entry(struct bodies *bodies, const struct bodies_group *group,
                      const struct bodies_member *member, const struct bodies_message *message);
/* The member has acknowledged the group's messages from `first` to `last`; its head, from which the
 * fold takes what is gone, is put by the caller. Nothing is to do where each has its own. */
void bodies_count_back(struct bodies *bodies, const struct bodies_group *group,
                       const struct bodies_member *member, uint64_t first, uint64_t last);
/* Carries all that was put to LMDB. */
void bodies_fold(struct bodies *bodies);

/* Copies the bodies of all that waits for a member to `out`, as a page does; how many bytes. */
size_t bodies_drain(struct bodies *bodies, const struct bodies_member *member, unsigned char *out,
                    size_t bytes_max);

struct bodies_size {
    uint64_t data_bytes; /* of the pages that the records stand in */
    uint64_t records;
};
void bodies_size(struct bodies *bodies, struct bodies_size *out);
