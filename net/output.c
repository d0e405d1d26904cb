/* SPDX-License-Identifier: Apache-2.0 */
#include "net/output.h"

#include <stdlib.h>
#include <string.h>

enum {
    OUTPUT_CAPACITY_MIN = 512, /* a few commands of common size */
};

unsigned char *
output_reserve(struct output *output, size_t bytes)
{
    if (output->bytes != NULL && bytes <= output->capacity - output->end) {
        return output->bytes + output->end;
    }
    size_t waiting = output->end - output->start;
    if (bytes > OUTPUT_BYTES_MAX - waiting) {
        return NULL;
    }
    size_t capacity = OUTPUT_CAPACITY_MIN;
    while (capacity < waiting + bytes) {
        capacity *= 2;
    }
    unsigned char *larger = malloc(capacity);
    if (larger == NULL) {
        return NULL;
    }
    if (output->bytes != NULL) {
        memcpy(larger, output->bytes + output->start, waiting);
    }
    free(output->bytes);
    *output =
        (struct output){.bytes = larger, .end = (uint32_t)waiting, .capacity = (uint32_t)capacity};
    return larger + waiting;
}

void
output_commit(struct output *output, size_t bytes)
{
    ASSERT(bytes <= output->capacity - output->end);
    output->end += (uint32_t)bytes;
}

size_t
output_peek(const struct output *output, const unsigned char **out_bytes)
{
    *out_bytes = output->bytes != NULL ? output->bytes + output->start : NULL;
    return output->end - output->start;
}

void
output_pop(struct output *output, size_t bytes)
{
    ASSERT(bytes <= output->end - output->start);
    output->start += (uint32_t)bytes;
    if (output->start == output->end) {
        output_clear(output);
    }
}

void
output_clear(struct output *output)
{
    free(output->bytes);
    *output = (struct output){0};
}
