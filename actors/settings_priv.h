/* SPDX-License-Identifier: Apache-2.0 */
/* settings_priv.h - the table of settings, for the sources of settings.h. */
#pragma once

#include "actors/settings.h"
#include "runtime/check.h"

enum setting_kind {
    SETTING_NUMBER, /* 0 to 2^64 - 1, in digits */
    SETTING_BYTES,  /* the same, with K, M, G or T behind: times 1,024, its square, ... */
    SETTING_SPAN,   /* in ms; written with s, m, h or d behind, without one in days, or a word */
    SETTING_SWITCH, /* true, false, yes, no, on, off */
    SETTING_CHOICE, /* one of `choices` */
    SETTING_TEXT,   /* UTF-8 without control characters */
};

struct setting {
    const char *name;
    enum setting_kind kind;
    uint16_t offset; /* in struct settings */
    uint16_t bytes;  /* of the field */
    uint64_t low, high;
    const char *zero; /* what 0 stands for, or NULL */
    /* NULL-terminated; a choice's number is its place. Of a span, or NULL: words that may be
     * written instead, the first for `low`, the second for `high`. */
    const char *const *choices;
    const char *help;
};

/* In the order in which they are shown. */
const struct setting *settings_table(unsigned *out_count);
/* Its place in the table; -ENOENT. `bytes` of name, in which '-' is the same as '_'. */
MUST_CHECK int settings_find(const char *name, size_t bytes);
/* The value as it would be written; `exact`: sizes in bytes, spans in seconds, without a unit. */
void settings_print_value(const struct settings *settings, const struct setting *setting,
                          bool exact, struct ln_text *out);
/* settings_set by place. */
MUST_CHECK int settings_set_at(struct settings *settings, unsigned place,
                               enum settings_origin origin, const char *value,
                               struct ln_text *wrong);
