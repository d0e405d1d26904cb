/* SPDX-License-Identifier: Apache-2.0 */
/* capacity_page.h - what came out of a search, as one page: the rates that were tried and what came
 * of each, then a section for each run as page.h tells it. */
#pragma once

#include "bench/capacity_probe.h"
#include "runtime/text.h"

/* How much room the page takes at most. */
size_t capacity_page_bytes(const struct probes *probes);
void capacity_page_print(const struct probes *probes, struct ln_text *out);
