/* SPDX-License-Identifier: Apache-2.0 */
/* step_search.h - all steps of one message, found in the files.
 *
 * Two rounds. The first looks for the message's mark, in the newest segment first, and ends where
 * all that is left is older than the message: a trace reads about what was noted since. The second
 * looks, from that time on, for the cursors that have passed the places where the first found it
 * queued: an acknowledgement of that device from that inbox number on, a read mark of that user
 * from that number of the chat on. Of each only the first counts.
 *
 *     struct step_search search = {.driver = driver, .folder = folder, .mark = mark,
 *                                  .sender = user, .rows = rows, .rows_max = 1000};
 *     for (error = step_search_begin(&search); error == 0; error = step_search_segment(&search)) {
 *     }                                                         -ENODATA: that was all
 *     ... search.rows, search.count, in the order of time ...
 *     step_search_end(&search);
 *
 * The functions wait for the disk: worker threads. Each call looks through one segment at most,
 * some tens of milliseconds, so that others have their turn.
 */
#pragma once

#include "store/step_file.h"

enum {
    /* Of all rows; beyond it the oldest are not looked at. */
    STEP_SEARCH_SEGMENTS_MAX = 4096,
};

struct step_target;

struct step_search {
    struct io_driver *driver; /* borrowed, as all pointers */
    const char *folder;
    uint64_t mark;   /* of the message */
    uint64_t sender; /* its user */
    struct step *rows;
    unsigned rows_max;

    unsigned count;
    bool cut;        /* there are more rows */
    uint64_t bytes;  /* read */
    uint64_t oldest; /* ticks: how far back the files go; 0: there are none */
    uint64_t missed; /* steps that were not noted for want of time, of any message */

    /* The search's own. */
    struct step_segment *segments; /* the one that ends last first */
    uint64_t *ended;               /* ticks: each goes up to there */
    unsigned segments_count, at;
    unsigned char *chunk;
    uint64_t accepted_at, durable_at; /* ticks; 0: not found yet */
    uint64_t chat, chat_number;
    uint64_t queued_at; /* the earliest */
    struct step_target *targets;
    unsigned targets_count;
};

/* 0, or a negative errno. Fill in the first six fields, the rest is zeros. */
MUST_CHECK int step_search_begin(struct step_search *search);
/* 0: there is more to look at; -ENODATA: the rows are complete; or why a file can't be read. */
MUST_CHECK int step_search_segment(struct step_search *search);
/* Also after a failure. */
void step_search_end(struct step_search *search);
