/* SPDX-License-Identifier: Apache-2.0 */
/* scale.h - an axis: where a value stands on it, which values are marked, and how they are called.
 *
 *     scale_linear(&scale, 0, 1234, SCALE_COUNT);       0 to 1500 in steps of 500
 *     for (i = 0; i < scale.count; i++) a tick at scale_place(&scale, scale.ticks[i])
 *
 * Plain memory; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum scale_unit {
    SCALE_COUNT,
    SCALE_MICROSECONDS,
    SCALE_SECONDS,
    SCALE_BYTES,
    SCALE_PERCENT,
};

enum { SCALE_TICKS_MAX = 16, SCALE_TEXT_BYTES = 32 };

struct scale {
    enum scale_unit unit;
    bool logarithmic;
    double from, until; /* from < until */
    double ticks[SCALE_TICKS_MAX];
    unsigned count;
};

/* An axis that contains `least` and `greatest`, and ends at ticks. The values are finite, and
 * least <= greatest. */
void scale_linear(struct scale *scale, double least, double greatest, enum scale_unit unit);
/* Likewise; values are above 0. */
void scale_log(struct scale *scale, double least, double greatest, enum scale_unit unit);
/* Of seconds since a start: it ends where it ends, ticks lie within. */
void scale_time(struct scale *scale, double greatest_s);

/* 0 to 1. */
double scale_place(const struct scale *scale, double value);
/* "250", "1.5k", "20 ms", "64 MiB", "3 min" */
void scale_text(enum scale_unit unit, double value, char out[SCALE_TEXT_BYTES]);
