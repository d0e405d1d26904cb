/* SPDX-License-Identifier: Apache-2.0 */
/* drift.h - does something grow, hour by hour, that should stay as it is?
 *
 * A line is fitted to what a series has of it (least squares). Neighbouring seconds are alike, and
 * single ones are far off, so the line goes through the medians of up to 30 equal parts of the
 * span: that many independent points, of which none counts for much. The slope comes with twice its
 * standard error: for about one in twenty such spans the true slope lies further off.
 *
 * Pure functions; any thread.
 */
#pragma once

#include "bench/series.h"

#include <stdbool.h>

enum drift_kind { DRIFT_MEMORY, DRIFT_LATENCY, DRIFT_DISK, DRIFTS };

/* What may be added in an hour: bytes, nanoseconds, bytes; below 0: nothing is wanted. */
struct drift_limits {
    double per_hour[DRIFTS];
};

enum drift_verdict {
    DRIFT_UNKNOWN, /* too few points to fit a line to */
    DRIFT_FITTED,  /* nothing was wanted */
    DRIFT_KEPT,    /* even the upper end of the slope is within the limit */
    DRIFT_OPEN,    /* the limit lies within the slope's error: a longer run would tell */
    DRIFT_MISSED,  /* even the lower end is beyond it */
};

struct drift {
    enum drift_verdict verdict;
    double per_hour; /* in the unit of the limits */
    double error;    /* twice its standard error */
    double level;    /* the line's middle */
    double limit;    /* below 0: none */
};

/* Of the samples within these seconds of the series. */
struct drift drift_look(const struct series *series, enum drift_kind kind, double from_s,
                        double until_s, const struct drift_limits *limits);

/* "memory", and for people; and of a verdict: "kept". */
const char *drift_name(enum drift_kind kind);
const char *drift_text(enum drift_kind kind);
const char *drift_verdict_name(enum drift_verdict verdict);
