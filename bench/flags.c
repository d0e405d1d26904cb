/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/flags.h"

#include "runtime/check.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* " [chat, idle]", or nothing for all of them. */
static void
scenarios_print(const struct flags *flags, unsigned scenarios)
{
    const char *before = " [";
    unsigned all = (1u << flags->scenarios_count) - 1;
    for (unsigned i = 0; i < flags->scenarios_count && scenarios != all; i++) {
        if ((scenarios & 1u << i) != 0) {
            printf("%s%s", before, flags->scenarios[i]);
            before = ", ";
        }
    }
    printf(scenarios != all ? "]\n" : "\n");
}

void
flags_print(const struct flags *flags)
{
    for (unsigned i = 0; i < flags->count; i++) {
        const struct flag *flag = &flags->table[i];
        char left[64];
        (void)snprintf(left, sizeof left, "--%s%s%s", flag->name, flag->value != NULL ? " " : "",
                       flag->value != NULL ? flag->value : "");
        printf("  %-24s %s", left, flag->help);
        scenarios_print(flags, flag->scenarios);
    }
}

/* --------------------------------------------------------------------------------------- values */

static int
whole_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min ||
        value > max) {
        return -EINVAL;
    }
    *out = value;
    return 0;
}

/* What a unit multiplies by; 0: it is none. */
static double
unit_factor(const char *unit)
{
    static const char prefixes[] = "KMGTP";
    static const double percent = 0.01;
    static const double decimal = 1000;
    static const double binary = 1024;
    if (unit[0] == '\0') {
        return 1;
    }
    if (strcmp(unit, "%") == 0) {
        return percent;
    }
    const char *prefix = strchr(prefixes, unit[0]);
    if (prefix == NULL) {
        return 0;
    }
    int power = (int)(prefix - prefixes) + 1;
    if (strcmp(unit + 1, "B") == 0) {
        return pow(decimal, power);
    }
    return strcmp(unit + 1, "iB") == 0 ? pow(binary, power) : 0;
}

/* A decimal number that is not negative, and where its unit begins; -1: it is none. */
static double
decimal_parse(const char *text, const char **out_unit)
{
    char *unit = NULL;
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    if (text[0] < '0' || text[0] > '9' || hexadecimal) {
        return -1;
    }
    double value = strtod(text, &unit);
    *out_unit = unit;
    return value;
}

int
flags_amount_parse(const char *text, double *out)
{
    static const double amount_min = 1e-9;
    static const double amount_max = 1e18;
    const char *unit = "";
    double value = decimal_parse(text, &unit);
    double amount = value * unit_factor(unit);
    bool zero = value == 0 && unit_factor(unit) != 0;
    if (!zero && !(amount >= amount_min && amount <= amount_max)) {
        return -EINVAL;
    }
    *out = amount;
    return 0;
}

static int
text_read(const struct flag *flag, const char *text, void *field)
{
    (void)flag;
    *(const char **)field = text;
    return 0;
}

static int
number_read(const struct flag *flag, const char *text, void *field)
{
    uint64_t number = 0;
    int error = whole_parse(text, flag->min, flag->max, &number);
    if (error == 0) {
        *(uint32_t *)field = (uint32_t)number;
    }
    return error;
}

static int
seed_read(const struct flag *flag, const char *text, void *field)
{
    (void)flag;
    return whole_parse(text, 0, UINT64_MAX, field);
}

static int
amount_read(const struct flag *flag, const char *text, void *field)
{
    double amount = 0;
    int error = flags_amount_parse(text, &amount);
    if (error == 0 && flag->max != 0 && amount > flag->max) {
        error = -EINVAL;
    }
    if (error == 0) {
        *(double *)field = amount;
    }
    return error;
}

static int
span_read(const struct flag *flag, const char *text, void *field)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    static const double max_ns = 3.6e12;
    const char *unit = "";
    double value = decimal_parse(text, &unit);
    (void)flag;
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        double ns = value * units[i].ns;
        if (strcmp(unit, units[i].unit) == 0 && ns >= 1 && ns <= max_ns) {
            *(uint64_t *)field = (uint64_t)ns;
            return 0;
        }
    }
    return -EINVAL;
}

static int
on_read(const struct flag *flag, const char *text, void *field)
{
    (void)flag;
    (void)text;
    *(bool *)field = true;
    return 0;
}

static int
off_read(const struct flag *flag, const char *text, void *field)
{
    (void)flag;
    (void)text;
    *(bool *)field = false;
    return 0;
}

const struct flag_kind flag_text = {text_read, NULL};
const struct flag_kind flag_number = {number_read, NULL};
const struct flag_kind flag_seed = {seed_read, NULL};
const struct flag_kind flag_amount = {amount_read, "1e9, 20%, 250KB or 64GiB"};
const struct flag_kind flag_span = {span_read, "500us, 50ms or 2s"};
const struct flag_kind flag_on = {on_read, NULL};
const struct flag_kind flag_off = {off_read, NULL};

static void
wrong_value(const struct flag *flag, const char *text, struct ln_text *wrong)
{
    if (flag->kind == &flag_number) {
        ln_text_print(wrong, "--%s: '%s' is no number from %u to %u\n", flag->name, text, flag->min,
                      flag->max);
    } else if (flag->kind == &flag_amount && flag->max != 0) {
        ln_text_print(wrong, "--%s: '%s' is no amount from 0 to %u\n", flag->name, text, flag->max);
    } else if (flag->kind->like != NULL) {
        ln_text_print(wrong, "--%s: '%s' is not like %s\n", flag->name, text, flag->kind->like);
    } else {
        ln_text_print(wrong, "--%s: it can't be '%s'\n", flag->name, text);
    }
}

/* ---------------------------------------------------------------------------------------- flags */

static const struct flag *
flag_find(const struct flags *flags, const char *name, size_t bytes)
{
    for (unsigned i = 0; i < flags->count; i++) {
        const struct flag *flag = &flags->table[i];
        if (strlen(flag->name) == bytes && memcmp(flag->name, name, bytes) == 0) {
            return flag;
        }
    }
    return NULL;
}

/* argv[*index] and its value; moves *index past them. */
static void
flag_read(const struct flags *flags, int argc, char **argv, int *index, unsigned scenario,
          void *fields, struct ln_text *wrong)
{
    const char *argument = argv[(*index)++];
    const char *name = strncmp(argument, "--", 2) == 0 ? argument + 2 : "";
    size_t bytes = strcspn(name, "=");
    const struct flag *flag = flag_find(flags, name, bytes);
    if (flag == NULL) {
        ln_text_print(wrong, "%s: no such flag; --help lists them\n", argument);
        return;
    }
    const char *value = name[bytes] == '=' ? name + bytes + 1 : NULL;
    if (flag->value == NULL && value != NULL) {
        ln_text_print(wrong, "--%s takes no value\n", flag->name);
        return;
    }
    if (flag->value != NULL && value == NULL) {
        if (*index == argc) {
            ln_text_print(wrong, "--%s: its value is missing\n", flag->name);
            return;
        }
        value = argv[(*index)++];
    }
    if ((flag->scenarios & 1u << scenario) == 0) {
        ln_text_print(wrong, "--%s: %s does not have it\n", flag->name, flags->scenarios[scenario]);
        return;
    }
    if (flag->kind->read(flag, value, (char *)fields + flag->offset) < 0) {
        wrong_value(flag, value, wrong);
    }
}

void
flags_read(const struct flags *flags, int argc, char **argv, int index, unsigned scenario,
           void *fields, struct ln_text *wrong)
{
    ASSERT(scenario < flags->scenarios_count);
    while (index < argc) {
        flag_read(flags, argc, argv, &index, scenario, fields, wrong);
    }
}
