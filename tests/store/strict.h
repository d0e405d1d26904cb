/* SPDX-License-Identifier: Apache-2.0 */
/* strict.h - whether a decoder takes what was written, and nothing else. */
#pragma once

#include "store/record.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Any record's decoder, behind one face. */
typedef int decode(struct store_value value, void *out);

static inline void
strict_check(decode *decode_it, const unsigned char *bytes, size_t count, void *out,
             size_t out_bytes)
{
    unsigned char *spoilt = calloc(1, count + 1);
    unsigned char *untouched = calloc(2, out_bytes);
    struct store_value value = {.bytes = bytes, .count = count};
    assert_true(spoilt != NULL && untouched != NULL);
    unsigned char *other = untouched + out_bytes;
    assert_int_equal(decode_it(value, out), 0);
    for (size_t cut = 0; cut < count; cut++) {
        memcpy(other, untouched, out_bytes);
        value.count = cut;
        assert_int_equal(decode_it(value, other), -EBADMSG);
        assert_memory_equal(other, untouched, out_bytes);
    }
    memcpy(spoilt, bytes, count);
    value = (struct store_value){.bytes = spoilt, .count = count + 1};
    assert_int_equal(decode_it(value, other), -EBADMSG);
    value.count = count;
    for (unsigned at = 0; at < RECORD_HEADER_BYTES; at++) {
        memcpy(spoilt, bytes, count);
        spoilt[at] ^= 0x40;
        assert_int_equal(decode_it(value, other), -EBADMSG);
    }
    free(untouched);
    free(spoilt);
}

/* A good record is decoded into *out; cut anywhere, with a byte too many, with another table or
 * version, it is not. */
#define check_strict(decode_it, bytes, count, out) \
    strict_check((decode_it), (bytes), (count), (out), sizeof *(out))
