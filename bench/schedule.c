/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/schedule.h"

#include "bench/chance.h"
#include "runtime/check.h"

#include <math.h>

static const double ns_per_s = 1e9;

void
schedule_init(struct schedule *schedule, uint64_t seed, double rate_per_s, uint32_t directions)
{
    ASSERT(rate_per_s > 0.0 && directions > 0);
    *schedule = (struct schedule){
        .chance = seed, .mean_ns = ns_per_s / rate_per_s, .directions = directions};
}

void
schedule_next(struct schedule *schedule, struct schedule_due *out)
{
    /* 53 bits of chance make a fraction in (0, 1]: its logarithm is finite. */
    double fraction = (double)((chance_next(&schedule->chance) >> 11) + 1) * 0x1p-53;
    schedule->at_ns -= schedule->mean_ns * log(fraction);
    out->at_ns = (uint64_t)schedule->at_ns;
    out->direction = (uint32_t)chance_below(&schedule->chance, schedule->directions);
}
