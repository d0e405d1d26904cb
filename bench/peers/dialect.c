/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/dialect.h"

#include <errno.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

void
dialect_number_print(uint64_t number, char *out)
{
    for (int i = DIALECT_NUMBER_BYTES; i-- > 0; number >>= 4) {
        out[i] = digits[number & 15];
    }
    out[DIALECT_NUMBER_BYTES] = '\0';
}

int
dialect_number_read(const char *text, size_t bytes, uint64_t *out)
{
    uint64_t number = 0;
    if (bytes < DIALECT_NUMBER_BYTES) {
        return -EPROTO;
    }
    for (int i = 0; i < DIALECT_NUMBER_BYTES; i++) {
        const char *digit = memchr(digits, text[i], sizeof digits - 1);
        if (digit == NULL) {
            return -EPROTO;
        }
        number = number << 4 | (uint64_t)(digit - digits);
    }
    *out = number;
    return 0;
}
