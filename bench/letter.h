/* SPDX-License-Identifier: Apache-2.0 */
/* letter.h - what a message of the generator says, so that whoever is shown it can judge it.
 *
 *     @4d1f00aa>00000c#0000000011+0000000f4240=9ae16a3b2f90404f and then whatever makes it longer
 *      run      line   sequence   written at   checksum
 *
 * All hexadecimal. `run` is this run's random number: letters of earlier runs that still lay in an
 * inbox are told apart. `line` is the direction in which it goes, `sequence` counts a line's
 * letters from 1, `at_ns` is when it was due, since the run's start. The checksum covers everything
 * before and behind it.
 *
 * Pure functions over the caller's memory; any thread.
 */
#pragma once

#include "runtime/check.h"

#include <stddef.h>
#include <stdint.h>

enum {
    /* What stands in front of the padding, with a blank. */
    LETTER_HEAD_BYTES = 58,
    LETTER_BYTES_MIN = 64,
    /* As the node's own default, message_bytes_max. */
    LETTER_BYTES_MAX = 32768,
};

struct letter {
    uint32_t run;
    uint32_t line;     /* 24 bits */
    uint64_t sequence; /* 40 bits */
    uint64_t at_ns;    /* 48 bits: three days */
};

enum letter_verdict {
    LETTER_OK,
    LETTER_FOREIGN, /* not one of ours, or of another run */
    LETTER_DAMAGED, /* one of this run, changed on its way */
};

/* Writes a letter of `bytes` (LETTER_BYTES_MIN at least) and a NUL behind it. */
void letter_write(const struct letter *letter, char *out, size_t bytes);
/* Reads one of the run `run`. *out is good after LETTER_OK. */
MUST_CHECK enum letter_verdict letter_read(const char *text, size_t bytes, uint32_t run,
                                           struct letter *out);
