/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/rate.h"

#include "runtime/check.h"

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

enum rate_verdict
rate_charge(struct rate *rate, uint64_t now_ns, uint64_t amount, uint64_t per_s,
            uint64_t *out_wait_ms)
{
    ASSERT(per_s > 0 && amount < UINT64_MAX / NS_PER_S);
    uint64_t before_ns = rate->full_at_ns > now_ns ? rate->full_at_ns - now_ns : 0;
    uint64_t cost_ns = amount * NS_PER_S / per_s;
    uint64_t behind_ns = before_ns + cost_ns;
    rate->full_at_ns = now_ns + behind_ns;
    if (behind_ns > RATE_ABUSE_NS) {
        return RATE_ABUSED;
    }
    if (behind_ns > RATE_BURST_NS) {
        /* The retry costs as much again. */
        *out_wait_ms = (behind_ns + cost_ns - RATE_BURST_NS) / NS_PER_MS + 1;
        return RATE_REFUSED;
    }
    return RATE_PASSES;
}
