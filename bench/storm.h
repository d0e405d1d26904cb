/* SPDX-License-Identifier: Apache-2.0 */
/* storm.h - when everybody is cut off at once. */
#pragma once

#include "bench/tally.h"

/* Of so many storms in a span, the beginning of the one with this number, counted from 0: each has
 * an equal part of the span to itself, and a tenth of it passes before. */
static inline uint64_t
storm_at_ns(const struct tally_span *span, uint32_t storm, uint32_t storms)
{
    enum { BEFORE = 10 };
    uint64_t part_ns = (span->until_ns - span->from_ns) / storms;
    return span->from_ns + storm * part_ns + part_ns / BEFORE;
}
