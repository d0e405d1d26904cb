/* SPDX-License-Identifier: Apache-2.0 */
/* report_idle.h - what idle connections cost: the part of a report that only `idle` has. */
#pragma once

#include "bench/conductor.h"
#include "runtime/text.h"

void report_idle_print(const struct run *run, struct ln_text *out);
/* Members of an object, with a comma behind each. */
void report_idle_print_json(const struct run *run, struct ln_text *out);
