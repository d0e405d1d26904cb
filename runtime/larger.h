/* SPDX-License-Identifier: Apache-2.0 */
/* larger.h - of two numbers. */
#pragma once

#include <stdint.h>

static inline uint64_t
larger(uint64_t x, uint64_t y)
{
    return x > y ? x : y;
}
