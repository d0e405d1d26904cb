/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/drift.h"

#include <math.h>
#include <stdlib.h>

enum { PARTS_MAX = 30, PARTS_MIN = 4 };

static const double hour_s = 3600;
static const double ns_per_us = 1e3;

static const struct {
    enum series_value value;
    const char *name, *text;
} told[DRIFTS] = {
    [DRIFT_MEMORY] = {SERIES_NODE_OWN, "memory", "the node's memory"},
    [DRIFT_LATENCY] = {SERIES_DELIVERY_P99, "latency", "p99 to delivery"},
    [DRIFT_DISK] = {SERIES_DISK, "disk", "the data directory"},
};

const char *
drift_name(enum drift_kind kind)
{
    return told[kind].name;
}

const char *
drift_text(enum drift_kind kind)
{
    return told[kind].text;
}

const char *
drift_verdict_name(enum drift_verdict verdict)
{
    static const char *const names[] = {
        [DRIFT_UNKNOWN] = "unknown", [DRIFT_FITTED] = "fitted", [DRIFT_KEPT] = "kept",
        [DRIFT_OPEN] = "open",       [DRIFT_MISSED] = "missed",
    };
    return names[verdict];
}

/* --------------------------------------------------------------------------------------- points */

struct point {
    double x, y;
};

static int
doubles_compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double
median(double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, doubles_compare);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* A part of the samples as one point; false: nothing is known in it. `scratch` has room for it. */
static bool
part_point(const struct sample *samples, uint32_t count, enum series_value value, double *scratch,
           struct point *out)
{
    uint32_t known = 0;
    double at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!isnan(samples[i].values[value])) {
            scratch[known++] = samples[i].values[value];
            at += samples[i].values[SERIES_AT];
        }
    }
    if (known == 0) {
        return false;
    }
    *out = (struct point){at / known, median(scratch, known)};
    return true;
}

static unsigned
points_fill(const struct series *series, enum series_value value, double from_s, double until_s,
            struct point points[PARTS_MAX])
{
    uint32_t first = 0;
    while (first < series->count && series->list[first].values[SERIES_AT] < from_s) {
        first++;
    }
    uint32_t end = first;
    while (end < series->count && series->list[end].values[SERIES_AT] <= until_s) {
        end++;
    }
    uint32_t count = end - first;
    uint32_t parts = count < PARTS_MAX ? count : PARTS_MAX;
    unsigned found = 0;
    double *scratch = malloc((count + 1) * sizeof *scratch);
    ASSERT(scratch != NULL);
    for (uint32_t i = 0; i < parts; i++) {
        uint32_t from = first + (uint32_t)((uint64_t)i * count / parts);
        uint32_t until = first + (uint32_t)((uint64_t)(i + 1) * count / parts);
        found += part_point(series->list + from, until - from, value, scratch, &points[found]);
    }
    free(scratch);
    return found;
}

/* ------------------------------------------------------------------------------------- the line */

struct line_fit {
    double slope, slope_error, middle;
};

/* At least three points that are not all at the same place. They are counted from the first one on,
 * so that what never changes has a slope of exactly 0. */
static struct line_fit
line_fit(const struct point *points, unsigned count)
{
    double x_mean = 0;
    double y_mean = 0;
    for (unsigned i = 0; i < count; i++) {
        x_mean += (points[i].x - points[0].x) / count;
        y_mean += (points[i].y - points[0].y) / count;
    }
    double xx = 0;
    double xy = 0;
    for (unsigned i = 0; i < count; i++) {
        double x = points[i].x - points[0].x - x_mean;
        xx += x * x;
        xy += x * (points[i].y - points[0].y - y_mean);
    }
    struct line_fit fit = {.slope = xy / xx, .middle = points[0].y + y_mean};
    double residues = 0;
    for (unsigned i = 0; i < count; i++) {
        double x = points[i].x - points[0].x - x_mean;
        double residue = points[i].y - points[0].y - y_mean - fit.slope * x;
        residues += residue * residue;
    }
    fit.slope_error = sqrt(residues / (count - 2) / xx);
    return fit;
}

static enum drift_verdict
judge(const struct drift *drift)
{
    if (drift->limit < 0) {
        return DRIFT_FITTED;
    }
    if (drift->per_hour - drift->error > drift->limit) {
        return DRIFT_MISSED;
    }
    return drift->per_hour + drift->error <= drift->limit ? DRIFT_KEPT : DRIFT_OPEN;
}

struct drift
drift_look(const struct series *series, enum drift_kind kind, double from_s, double until_s,
           const struct drift_limits *limits)
{
    struct point points[PARTS_MAX];
    double unit = kind == DRIFT_LATENCY ? ns_per_us : 1;
    struct drift drift = {.limit = limits->per_hour[kind]};
    unsigned count = points_fill(series, told[kind].value, from_s, until_s, points);
    if (count < PARTS_MIN) {
        return drift;
    }
    struct line_fit fit = line_fit(points, count);
    drift.per_hour = fit.slope * hour_s * unit;
    drift.error = 2 * fit.slope_error * hour_s * unit;
    drift.level = fit.middle * unit;
    drift.verdict = judge(&drift);
    return drift;
}
