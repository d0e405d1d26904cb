/* SPDX-License-Identifier: Apache-2.0 */
/* sampler.h - looks at a run each second, for its series: what its sections have counted, /proc,
 * the data directory.
 *
 *     sampler_begin(&sampler, run, sections, start_ns)
 *     each time that a section has spoken, or a while has passed:
 *         sampler_go_on(&sampler, now_ns)
 *
 * A look is asked for and comes: sections are asked all at once (SECTION_LOOK), and a sample is
 * made when the last of them has answered, so that all of them tell of the same instant.
 *
 * From inside the conductor.
 */
#pragma once

#include "bench/sections.h"
#include "bench/series.h"

struct run;

/* Zero has not begun. */
struct sampler {
    struct run *run;
    struct sections *sections;
    uint64_t asked_at_ns; /* the last time */
    bool asked;           /* and not all have answered */
};

/* Begins the run's series at start_ns, which is now; once. */
void sampler_begin(struct sampler *sampler, struct run *run, struct sections *sections,
                   uint64_t start_ns);
/* Asks when a sample is due (--sample); takes it when all have answered. Yields. */
void sampler_go_on(struct sampler *sampler, uint64_t now_ns);
