/* SPDX-License-Identifier: Apache-2.0 */
/* shell_wire.h - what goes over the operator's socket: lists of words, in both directions.
 *
 * A list is a netstring (https://cr.yp.to/proto/netstrings.txt) of netstrings. A request begins
 * with the version, then come the words of the command. An answer is the version, the exit status
 * of the tool, where the next page begins (empty: nowhere), and a JSON document. No word holds a
 * zero byte.
 *
 *     "27:14:linnet.shell.1,6:status,," -> "linnet.shell.1", "status"
 *
 * Pure functions over the caller's memory; for node and tool alike.
 */
#pragma once

#include "runtime/check.h"

#include <stddef.h>

#define SHELL_VERSION "linnet.shell.1"

enum {
    /* A page of an import: SHELL_IMPORT_MAX names and device names of full length. */
    SHELL_REQUEST_BYTES_MAX = 512 << 10,
    /* The same page answered, each name with its number and token. */
    SHELL_ANSWER_BYTES_MAX = 1 << 20,
    SHELL_IMPORT_MAX = 2000,
    SHELL_WORDS_MAX = 2 * SHELL_IMPORT_MAX + 8,
    /* "1048576:" */
    SHELL_LENGTH_BYTES_MAX = 8,
};

/* What the tool exits with. */
enum shell_status {
    SHELL_DONE = 0,
    SHELL_FAILED = 1,
    SHELL_USAGE = 2,   /* a command that is not known, or has too few or too many words */
    SHELL_ABSENT = 3,  /* no node runs there: the tool's own */
    SHELL_UNKNOWN = 4, /* no such user, actor, ... */
};
enum shell_answer_word {
    SHELL_ANSWER_VERSION,
    SHELL_ANSWER_STATUS,
    SHELL_ANSWER_NEXT,
    SHELL_ANSWER_DOCUMENT,
    SHELL_ANSWER_WORDS,
};

/* Is a whole list at the beginning of these bytes? 0 with how many it takes, frame and all; -EAGAIN
 * more must come; -EMSGSIZE it has more than bytes_max; -EPROTO it is no list. */
MUST_CHECK int shell_wire_whole(const char *bytes, size_t count, size_t bytes_max,
                                size_t *out_bytes);
/* Cuts a whole list into its words, which are NUL-terminated where they stand. -EPROTO, or -E2BIG:
 * more than words_max. */
MUST_CHECK int shell_wire_words(char *bytes, size_t count, const char **words, unsigned words_max,
                                unsigned *out_count);

/* How many bytes the list of these words has. */
size_t shell_wire_bytes(const char *const *words, unsigned count);
/* Writes them: shell_wire_bytes of it. */
void shell_wire_write(const char *const *words, unsigned count, char *out);
