/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/plan_published.h"

#include <math.h>

/* They speak of contents alone; what hosts they would run on they do not say. */
#define THEIR_HOST                                                                       \
    {                                                                                    \
        .cores = 1, .memory_bytes = 1, .disk_bytes = 1, .link_bytes_per_s = 1, .used = 1 \
    }

const struct plan_published plan_published[PLAN_PUBLISHED] = {
    {
        .text = "a thousand million people, 10 messages a day of 100 bytes, one in a hundred with "
                "250 KB of media, three copies, kept for ten years",
        .plan =
            {
                .people = {.dau = 1e9,
                           .messages_per_day = 10,
                           .text_bytes = 100,
                           .media_share = 0.01,
                           .media_bytes = 250e3,
                           .fan_out = 1,
                           .replicas = 3,
                           .years = 10,
                           .peak = 1},
                .host = THEIR_HOST,
            },
        .claims =
            {
                {PLAN_WRITES_PER_S, 0.34e6},
                {PLAN_STORAGE_PER_DAY, 78e12},
                {PLAN_STORAGE_KEPT, 284e15},
                {PLAN_STORAGE_PER_S, 950e6},
            },
        .claims_count = 4,
    },
    {
        .text = "five hundred million people, 40 messages a day of 100 bytes, one copy, kept for "
                "five years",
        .plan =
            {
                .people = {.dau = 5e8,
                           .messages_per_day = 40,
                           .text_bytes = 100,
                           .fan_out = 1,
                           .replicas = 1,
                           .years = 5,
                           .peak = 1},
                .host = THEIR_HOST,
            },
        .claims =
            {
                {PLAN_MESSAGES_PER_DAY, 20e9},
                {PLAN_STORAGE_PER_DAY, 2e12},
                {PLAN_BANDWIDTH_IN, 25e6},
                {PLAN_STORAGE_KEPT, 5e15},
            },
        .claims_count = 4,
    },
};

double
plan_claim_difference(const struct plan_claim *claim, const struct plan_result rows[PLAN_ROWS])
{
    return claim->value / rows[claim->row].value - 1;
}

bool
plan_claim_differs(const struct plan_claim *claim, const struct plan_result rows[PLAN_ROWS])
{
    static const double rounding = 0.03;
    return fabs(plan_claim_difference(claim, rows)) > rounding;
}
