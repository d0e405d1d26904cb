/* SPDX-License-Identifier: Apache-2.0 */
/* plan_published.h - estimates that others have published for such systems, reckoned again by our
 * arithmetic with their assumptions. */
#pragma once

#include "bench/plan.h"

struct plan_claim {
    enum plan_row row;
    double value;
};

enum { PLAN_CLAIMS_MAX = 6 };

struct plan_published {
    const char *text;
    struct plan plan;
    struct plan_claim claims[PLAN_CLAIMS_MAX];
    unsigned claims_count;
};

enum { PLAN_PUBLISHED = 2 };
extern const struct plan_published plan_published[PLAN_PUBLISHED];

/* By how much a claim differs from what we get: 0.05 is 5 % above ours. */
double plan_claim_difference(const struct plan_claim *claim,
                             const struct plan_result rows[PLAN_ROWS]);
/* Whether it is more than rounding: above 3 %. */
bool plan_claim_differs(const struct plan_claim *claim, const struct plan_result rows[PLAN_ROWS]);
