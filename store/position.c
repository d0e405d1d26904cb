/* SPDX-License-Identifier: Apache-2.0 */
#include "store/position.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void
position_print(const struct position *position, char out[POSITION_TEXT_BYTES])
{
    (void)snprintf(out, POSITION_TEXT_BYTES, "%x-%x-%llx", position->generation, position->log,
                   (unsigned long long)position->at);
}

/* Hexadecimal digits up to `end`, which is passed over; at least one, without sign or space. */
static bool
number_parse(const char **text, char end, uint64_t max, uint64_t *out)
{
    const char *at = *text;
    uint64_t value = 0;
    while (*at != end) {
        static const char digits[] = "0123456789abcdef";
        unsigned digit = 0;
        while (digit < 16 && digits[digit] != *at) {
            digit++;
        }
        if (digit == 16 || value > max >> 4) {
            return false;
        }
        value = value << 4 | digit;
        at++;
    }
    if (at == *text || value > max) {
        return false;
    }
    *text = end == '\0' ? at : at + 1;
    *out = value;
    return true;
}

int
position_parse(const char *text, struct position *out)
{
    uint64_t generation;
    uint64_t log;
    uint64_t at;
    if (!number_parse(&text, '-', UINT32_MAX, &generation) ||
        !number_parse(&text, '-', UINT32_MAX, &log) ||
        !number_parse(&text, '\0', UINT64_MAX, &at)) {
        return -EINVAL;
    }
    *out = (struct position){.generation = (uint32_t)generation, .log = (uint32_t)log, .at = at};
    return 0;
}
