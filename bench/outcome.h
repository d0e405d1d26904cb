/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.h - what was wanted of a run, whether it was kept, and so what the program exits with:
 * the objectives that were stated, and what is wanted of every run of its kind. The same in the
 * text, in JSON and on the page, so that no exit code comes without its reason.
 */
#pragma once

#include "bench/conductor.h"

/* The first are those of enum objective. */
enum {
    OUTCOME_RATE = OBJECTIVES, /* an open loop: what was due came through */
    OUTCOME_CUT,               /* idle: no connection was cut */
    OUTCOME_DRIFT,             /* soak: one for each of enum drift_kind */
    OUTCOMES = OUTCOME_DRIFT + DRIFTS,
    OUTCOME_TEXT_BYTES = 256,
};

struct outcome {
    bool stated; /* it is wanted of this run */
    bool kept;   /* what is not stated is */
    char text[OUTCOME_TEXT_BYTES];
};

void outcome_look(const struct run *run, unsigned index, struct outcome *out);
/* One JSON object of those that are stated. */
void outcomes_print_json(const struct run *run, struct ln_text *out);

/* What the process exits with. */
enum run_exit run_exit_code(const struct run *run);
/* soak: what it fitted. */
struct drift run_drift(const struct run *run, enum drift_kind kind);
