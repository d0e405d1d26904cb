/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - the node's counters in Prometheus' text format, version 0.0.4. */
#pragma once

#include "actors/messenger.h"

#include <stddef.h>

enum { METRICS_BYTES_MAX = 32 << 10 };

/* Prints into `out`; returns the bytes. Asks every scheduler: yields. */
size_t metrics_print(struct messenger *messenger, char *out, size_t out_bytes_max);
