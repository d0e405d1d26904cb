/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.h - unsigned numbers as JSON writes them, exactly.
 *
 * A double can't tell 2^53 from 2^53 + 1, so no number of ours ever becomes one: its digits are
 * read one by one. "1.5e1" and "150.0e-1" are fifteen, as JSON's mapping of protobuf has it; "1.5"
 * is nobody's number. Pure functions.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "runtime/check.h"

enum {
    DECIMAL_BYTES_MAX = 20, /* of 2^64 - 1 */
};

/* -EINVAL: no number in JSON's grammar, or negative, or with a fraction; -ERANGE: above 2^64 -
 * 1. */
int decimal_parse(const char *text, size_t bytes, uint64_t *out_value) MUST_CHECK;

/* Writes the digits, not terminated, and returns how many. `out` has room for DECIMAL_BYTES_MAX. */
size_t decimal_write(uint64_t value, char *out);
