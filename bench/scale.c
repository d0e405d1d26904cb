/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/scale.h"

#include "runtime/check.h"

#include <math.h>
#include <stdio.h>

/* ---------------------------------------------------------------------------------------- words */

struct prefix {
    double from, factor;
    const char *text;
};

static const double kib = 1024;

static void
prefix_print(const struct prefix *prefixes, unsigned count, double value,
             char out[SCALE_TEXT_BYTES])
{
    unsigned i = count - 1;
    while (i > 0 && value < prefixes[i].from) {
        i--;
    }
    (void)snprintf(out, SCALE_TEXT_BYTES, "%.3g%s", value / prefixes[i].factor, prefixes[i].text);
}

void
scale_text(enum scale_unit unit, double value, char out[SCALE_TEXT_BYTES])
{
    /* From half a unit of rounding below, so that none is told as a thousand of the one before. */
    static const struct prefix counts[] = {
        {0, 1, ""}, {999.5, 1e3, "k"}, {999500, 1e6, "M"}, {999.5e6, 1e9, "G"}};
    static const struct prefix micros[] = {{0, 1, " us"}, {999.5, 1e3, " ms"}, {999500, 1e6, " s"}};
    static const struct prefix seconds[] = {{0, 1, " s"}, {119.5, 60, " min"}, {7199, 3600, " h"}};
    const struct prefix bytes[] = {{0, 1, " B"},
                                   {999.5, kib, " KiB"},
                                   {999.5 * kib, kib * kib, " MiB"},
                                   {999.5 * kib * kib, kib * kib * kib, " GiB"}};
    switch (unit) {
    case SCALE_COUNT:
        prefix_print(counts, sizeof counts / sizeof counts[0], value, out);
        break;
    case SCALE_MICROSECONDS:
        prefix_print(micros, sizeof micros / sizeof micros[0], value, out);
        break;
    case SCALE_SECONDS:
        prefix_print(seconds, sizeof seconds / sizeof seconds[0], value, out);
        break;
    case SCALE_BYTES:
        prefix_print(bytes, sizeof bytes / sizeof bytes[0], value, out);
        break;
    case SCALE_PERCENT:
        (void)snprintf(out, SCALE_TEXT_BYTES, "%.3g %%", value);
        break;
    }
}

/* ---------------------------------------------------------------------------------------- ticks */

static void
tick_add(struct scale *scale, double value)
{
    if (scale->count < SCALE_TICKS_MAX) {
        scale->ticks[scale->count++] = value;
    }
}

/* The greatest power of `base` that is not above. */
static double
power_below(double value, double base)
{
    double power = 1;
    while (power * base <= value) {
        power *= base;
    }
    while (power > value) {
        power /= base;
    }
    return power;
}

/* A step of 1, 2 or 5 at some power of ten, or of two for bytes, such that about four fit. */
static double
step_of(double span, enum scale_unit unit)
{
    static const double steps[] = {1, 2, 5, 10};
    static const double wanted = 4;
    double least = span / wanted;
    if (unit == SCALE_BYTES && least > 1) {
        double power = power_below(least, 2);
        return power < least ? 2 * power : power;
    }
    double power = power_below(least, 10);
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i] * power >= least) {
            return steps[i] * power;
        }
    }
    return 10 * power;
}

void
scale_linear(struct scale *scale, double least, double greatest, enum scale_unit unit)
{
    ASSERT(isfinite(least) && isfinite(greatest) && least <= greatest);
    *scale = (struct scale){.unit = unit};
    double span = greatest > least ? greatest - least : greatest > 0 ? greatest : 1;
    double step = step_of(span, unit);
    double first = floor(least / step);
    double last = ceil(greatest / step);
    last = last > first ? last : first + 1;
    for (unsigned i = 0; first + i <= last; i++) {
        tick_add(scale, (first + i) * step);
    }
    scale->from = first * step;
    scale->until = last * step;
}

void
scale_log(struct scale *scale, double least, double greatest, enum scale_unit unit)
{
    static const double tenth = 10;
    ASSERT(isfinite(greatest) && least > 0 && least <= greatest);
    *scale = (struct scale){.unit = unit, .logarithmic = true};
    scale->from = power_below(least, tenth);
    scale->until = power_below(greatest, tenth);
    if (scale->until < greatest || scale->until <= scale->from) {
        scale->until *= tenth;
    }
    /* Between two powers alone, what lies between them is marked too. */
    bool few = scale->until / scale->from < tenth * tenth;
    double power = scale->from;
    while (power <= scale->until * (1 + 1e-9)) {
        tick_add(scale, power);
        if (few && power * 5 < scale->until) {
            tick_add(scale, power * 2);
            tick_add(scale, power * 5);
        }
        power *= tenth;
    }
}

void
scale_time(struct scale *scale, double greatest_s)
{
    static const double steps[] = {1,   2,   5,    10,   15,   30,   60,    120,
                                   300, 600, 1200, 1800, 3600, 7200, 10800, 21600};
    static const double ticks_wanted = 8;
    *scale = (struct scale){.unit = SCALE_SECONDS, .until = greatest_s > 0 ? greatest_s : 1};
    unsigned i = 0;
    while (i + 1 < sizeof steps / sizeof steps[0] && scale->until / steps[i] > ticks_wanted) {
        i++;
    }
    for (unsigned tick = 0; tick < SCALE_TICKS_MAX && tick * steps[i] <= scale->until; tick++) {
        tick_add(scale, tick * steps[i]);
    }
}

double
scale_place(const struct scale *scale, double value)
{
    double place = scale->logarithmic ? log(value / scale->from) / log(scale->until / scale->from)
                                      : (value - scale->from) / (scale->until - scale->from);
    return place < 0 ? 0 : place > 1 ? 1 : place;
}
