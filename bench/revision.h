/* SPDX-License-Identifier: Apache-2.0 */
/* revision.h - changes of the letters of one line, and their judge: its writer edits his last
 * letter, or takes it back, once its reader has it; one change is under way at a time, and a letter
 * is changed once at most. So the reader is shown each change that was accepted, once, in the order
 * of the letters.
 *
 * Plain memory; one thread.
 */
#pragma once

#include "bench/circle.h"

enum { REVISION_HANDLE_BYTES = 32 };

/* Zero: nothing was written yet. */
struct revision {
    uint64_t chat_number, time_ms; /* of the last letter, as its answer said */
    uint64_t sent_ns;
    unsigned char handle[REVISION_HANDLE_BYTES];
    uint32_t handle_bytes; /* 0: it can't be changed, or has been */
    bool under_way;
    uint64_t accepted, seen;
    uint64_t
        seen_chat; /* the number of the last letter that was changed, as its reader was shown */
};

/* A letter of the line was answered. */
void revision_sent(struct revision *revision, const Linnet__V1__Sent *sent, uint64_t now_ns);
/* Changes the last letter, by chance an edit or a deletion, if there is one that can be. */
void revision_make(struct revision *revision, struct circle *circle, struct line *line,
                   uint64_t ref);
/* The change was accepted. */
void revision_accepted(struct revision *revision);
/* The line's reader was shown a change, for the first time. */
void revision_seen(struct revision *revision, const struct circle *circle, const struct line *line,
                   const Linnet__V1__MessageChanged *changed);
/* Is nothing under way? */
bool revision_quiet(const struct revision *revision);
/* No more will come. */
void revision_rest(const struct revision *revision, const struct circle *circle,
                   const struct line *line);
