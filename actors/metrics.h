/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - the node's counters in Prometheus' text format, version 0.0.4. */
#pragma once

#include "actors/messenger.h"

#include <stddef.h>

/* Room for all of them, of so many schedulers. */
size_t metrics_bytes_max(unsigned schedulers);

/* Prints into `out`, which has that room; returns the bytes. Asks every scheduler: yields. */
size_t metrics_print(struct messenger *messenger, char *out, size_t out_bytes_max);
