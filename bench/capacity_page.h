/* SPDX-License-Identifier: Apache-2.0 */
/* capacity_page.h - what came out of a search, as one page: the rates that were tried and what came
 * of each, then a section for each run as page.h tells it. */
#pragma once

#include "bench/capacity_probe.h"
#include "runtime/text.h"

/* Keeps the section of a run that is over, the number-th of its search, with its probe, whose other
 * figures are taken already. */
void capacity_page_take(struct probe *probe, unsigned number, const struct run *run);

/* How much room the page takes at most. */
size_t capacity_page_bytes(const struct probes *probes);
/* Each run's section has been taken. */
void capacity_page_print(const struct probes *probes, struct ln_text *out);
