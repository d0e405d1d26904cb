/* SPDX-License-Identifier: Apache-2.0 */
/* flags.h - a command line read by a table: what each flag is, and where its value goes.
 *
 * Flags are --name VALUE or --name=VALUE. Help and errors come from the table; each error is told
 * on a line of its own, and reading goes on.
 */
#pragma once

#include "runtime/text.h"

#include <stddef.h>
#include <stdint.h>

struct flag;

/* A kind of value. One of a scenario's own is made the same way. */
struct flag_kind {
    /* Fills the field; `text` is NULL for a flag without a value. 0 or a negative errno, and then
     * the field is untouched. */
    int (*read)(const struct flag *flag, const char *text, void *field);
    const char *like; /* an example, or NULL */
};
extern const struct flag_kind flag_text;   /* const char *, borrowed from the command line */
extern const struct flag_kind flag_number; /* uint32_t, from min to max */
extern const struct flag_kind flag_seed;   /* uint64_t */
extern const struct flag_kind flag_amount; /* double up to max (0: any): 1e9, 20%, 250KB, 64GiB */
extern const struct flag_kind flag_span;   /* uint64_t, nanoseconds: 50ms, 500us, 2s */
extern const struct flag_kind flag_on;     /* bool; has no value */
extern const struct flag_kind flag_off;

struct flag {
    const char *name;
    const struct flag_kind *kind;
    unsigned scenarios; /* the bits of those that have it */
    size_t offset;      /* of its field in the struct that is filled */
    uint32_t min, max;
    const char *value; /* of the help; NULL: it has none */
    const char *help;
};

struct flags {
    const struct flag *table;
    unsigned count;
    const char *const *scenarios; /* their names, by bit */
    unsigned scenarios_count;
};

/* Reads all of argv from `index` on as flags of one scenario into the struct at `fields`; what is
 * wrong is appended to `wrong`. */
void flags_read(const struct flags *flags, int argc, char **argv, int index, unsigned scenario,
                void *fields, struct ln_text *wrong);
/* A line per flag, on standard output. */
void flags_print(const struct flags *flags);

/* 0, or -EINVAL: *out is untouched. Amounts are 0, or from 1e-9 to 1e18, so that no product of some
 * of them leaves a double. "%" is a hundredth; KB to PB are powers of 1000, KiB to PiB of
 * 1024. */
int flags_amount_parse(const char *text, double *out);
