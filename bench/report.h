/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what came out of a run, for people or as one JSON object. */
#pragma once

#include "bench/conductor.h"
#include "runtime/text.h"

enum { REPORT_BYTES = 16 << 10, REPORT_DATE_BYTES = 32 };

/* "2026-07-01T12:00:00Z". */
void report_date(int64_t wall_ms, char out[REPORT_DATE_BYTES]);

/* What was asked, of which version, on what: the first members of an object, with a comma behind
 * each. */
void report_print_settings_json(const char *scenario, const struct options *options,
                                const struct run_ground *ground, struct ln_text *out);
/* How far apart two cores were (placement.h): "52 ns (near)", "not known"; and in JSON. */
void report_print_line(uint32_t line_ns, struct ln_text *out);
void report_print_line_json(const char *name, uint32_t line_ns, struct ln_text *out);
/* What a run is told that broke nothing: that all promises were kept, as far as they were seen. */
const char *report_kept_text(const struct run *run);
/* Beside percentiles: that they are a lower bound, if they are. */
void report_print_lacking(const struct run *run, struct ln_text *out);
void report_print_lacking_json(const struct run *run, struct ln_text *out);
/* The percentiles, and whether they are a lower bound: members with a comma behind each. */
void report_print_latencies_json(const struct run *run, struct ln_text *out);
void report_print(const struct run *run, struct ln_text *out);
/* How much room the object takes at most. */
size_t report_json_bytes(const struct run *run);
void report_print_json(const struct run *run, struct ln_text *out);
