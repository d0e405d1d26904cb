/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/tally.h"

void
tally_delay(struct tally *tally, enum tally_delay delay, uint64_t due_ns, uint64_t now_ns)
{
    uint64_t value_ns = now_ns > due_ns ? now_ns - due_ns : 0;
    meter_record(&tally->meters[delay], value_ns);
    if (tally_measures(tally, due_ns)) {
        histogram_record(&tally->delays[delay], value_ns);
    }
}

void
tally_merge(struct tally *tally, const struct tally *from)
{
    for (unsigned i = 0; i < TALLY_COUNTERS; i++) {
        tally_add(tally, (enum tally_counter)i, tally_count(from, (enum tally_counter)i));
    }
    for (unsigned i = 0; i < TALLY_DELAYS; i++) {
        histogram_merge(&tally->delays[i], &from->delays[i]);
    }
    audit_verdict_merge(&tally->verdict, &from->verdict);
}
