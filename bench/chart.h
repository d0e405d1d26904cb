/* SPDX-License-Identifier: Apache-2.0 */
/* chart.h - drawings in SVG that stand in a page: lines over time, and how values are spread.
 *
 * They are complete in themselves but for their colours, which are the page's (chart_style): so
 * they follow its light or dark scheme. Every line has a colour and a dash of its own, and every
 * point tells its numbers when it is pointed at. Nothing runs in it.
 */
#pragma once

#include "bench/histogram.h"
#include "bench/scale.h"
#include "bench/series.h"
#include "runtime/text.h"

enum { CHART_LINES_MAX = 4 };

struct chart_line {
    enum series_value value;
    const char *name; /* of the legend */
};

struct chart {
    const char *title;
    enum scale_unit unit;
    bool logarithmic;
    bool peaks; /* where points fall together: the greatest of them, else their mean */
    struct chart_line lines[CHART_LINES_MAX];
    double from_s, until_s; /* the measured span, shaded otherwise; equal: none */
};

/* The rules for a page's style sheet. */
void chart_style(struct ln_text *out);
/* A figure of those of its lines that are known. False: none is, and nothing is printed. */
bool chart_lines(const struct chart *chart, const struct series *series, struct ln_text *out);
/* How nanoseconds are spread: the share of each quarter of a power of two, with the percentiles.
 * Likewise when it is empty. */
bool chart_spread(const char *title, const struct histogram *histogram, struct ln_text *out);
