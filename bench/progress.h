/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - the line that a run prints each second, on standard error. */
#pragma once

#include "bench/sections.h"

enum { PROGRESS_MS = 1000 };

struct progress {
    uint64_t start_ns;    /* of the time in the lines; 0: none are printed */
    uint64_t shown_at_ns; /* the last line */
    uint64_t shown_count;
};

/* The next line is due when? */
uint64_t progress_next_ns(const struct progress *progress);
/* Prints it. */
void progress_show(struct progress *progress, const struct sections *sections, uint64_t now_ns);
