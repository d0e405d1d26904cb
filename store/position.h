/* SPDX-License-Identifier: Apache-2.0 */
/* position.h - the name of a logged command, as operators see it: "2-0-300000040" is generation 2,
 * log 0, position 0x300000040 (log_batch.h).
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stdint.h>

enum { POSITION_TEXT_BYTES = 40 };

struct position {
    uint32_t generation;
    uint32_t log;
    uint64_t at;
};

static inline bool
position_equal(const struct position *x, const struct position *y)
{
    return x->generation == y->generation && x->log == y->log && x->at == y->at;
}

void position_print(const struct position *position, char out[POSITION_TEXT_BYTES]);
/* 0, or -EINVAL with *out untouched. */
MUST_CHECK int position_parse(const char *text, struct position *out);
