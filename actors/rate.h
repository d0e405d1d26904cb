/* SPDX-License-Identifier: Apache-2.0 */
/* rate.h - how fast something may come: a token bucket, kept as the instant at which it would be
 * full again (GCRA's "theoretical arrival time").
 *
 *     struct rate rate = {0};
 *     switch (rate_charge(&rate, now_ns, 1, per_s, &wait_ms)) { ... }
 *
 * A bucket holds one second's worth, RATE_BURST_NS, so that what gathered on its way passes. What
 * is refused is charged all the same: who waits as told passes, who goes on as before falls further
 * behind, and at RATE_ABUSE_NS it is enough. Plain values.
 */
#pragma once

#include <stdint.h>

#define RATE_BURST_NS UINT64_C(1000000000)
#define RATE_ABUSE_NS (10 * RATE_BURST_NS)

struct rate {
    uint64_t full_at_ns;
};

enum rate_verdict { RATE_PASSES, RATE_REFUSED, RATE_ABUSED };

/* Charges `amount` where `per_s` of it may come in a second. REFUSED: the
 * same amount passes when *out_wait_ms have passed, if nothing else came. */
enum rate_verdict rate_charge(struct rate *rate, uint64_t now_ns, uint64_t amount, uint64_t per_s,
                              uint64_t *out_wait_ms);
