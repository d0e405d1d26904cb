/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/chart.h"

#include "bench/html.h"
#include "runtime/check.h"

#include <math.h>

/* The drawing in its own units; the page makes it as large as it likes. */
enum {
    WIDTH = 640,
    HEIGHT = 260,
    LEFT = 64,
    RIGHT = 12,
    TOP = 10,
    BOTTOM = 30,
    POINTS_MAX = 240, /* what can be told apart */
};
static const double inner_width = WIDTH - LEFT - RIGHT;
static const double inner_height = HEIGHT - TOP - BOTTOM;

void
chart_style(struct ln_text *out)
{
    ln_text_print(
        out, "figure{margin:0}figcaption{font-weight:600;margin:0 0 .35rem}"
             "svg{width:100%%;height:auto;display:block;overflow:visible}"
             "svg text{font-size:12px;fill:var(--soft)}"
             ".grid{stroke:var(--grid);stroke-width:1}.span{fill:var(--span)}"
             ".line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}"
             ".c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}"
             ".c1{stroke-dasharray:7 4}.c2{stroke-dasharray:2 4}.c3{stroke-dasharray:10 4 2 4}"
             ".bar{fill:var(--c0)}.mark{stroke:var(--c1);stroke-width:1.5}"
             "svg .note{fill:var(--ink);paint-order:stroke;stroke:var(--card);stroke-width:4px;"
             "stroke-linejoin:round}"
             ".hit{fill:transparent}.hit:hover{fill:var(--hit)}"
             ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.82rem;"
             "color:var(--soft);margin-top:.3rem}.legend svg{display:inline-block;width:28px;"
             "height:8px;margin-right:.4rem}\n");
}

static double
across(const struct scale *scale, double value)
{
    return LEFT + inner_width * scale_place(scale, value);
}

static double
down(const struct scale *scale, double value)
{
    return TOP + inner_height * (1 - scale_place(scale, value));
}

/* ----------------------------------------------------------------------------------------- axes */

static void
figure_open(const char *title, struct ln_text *out)
{
    ln_text_print(out, "<figure><figcaption>");
    html_text(out, title);
    ln_text_print(out, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
                  HEIGHT);
    html_text(out, title);
    ln_text_print(out, "\">\n");
}

static void
axis_down(const struct scale *scale, struct ln_text *out)
{
    char text[SCALE_TEXT_BYTES];
    for (unsigned i = 0; i < scale->count; i++) {
        double y = down(scale, scale->ticks[i]);
        scale_text(scale->unit, scale->ticks[i], text);
        ln_text_print(out,
                      "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
                      "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                      LEFT, y, WIDTH - RIGHT, y, LEFT - 8, y + 4, text);
    }
}

static void
axis_across(const struct scale *scale, struct ln_text *out)
{
    char text[SCALE_TEXT_BYTES];
    for (unsigned i = 0; i < scale->count; i++) {
        double x = across(scale, scale->ticks[i]);
        scale_text(scale->unit, scale->ticks[i], text);
        ln_text_print(out,
                      "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
                      "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                      x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 5, x, HEIGHT - 8, text);
    }
}

/* ---------------------------------------------------------------------------------------- lines */

/* Samples that share a point. */
struct group {
    uint32_t first, end;
};

static uint32_t
points_count(const struct series *series)
{
    return series->count < POINTS_MAX ? series->count : POINTS_MAX;
}

static struct group
group_of(const struct series *series, uint32_t point)
{
    uint64_t points = points_count(series);
    return (struct group){(uint32_t)((uint64_t)point * series->count / points),
                          (uint32_t)((uint64_t)(point + 1) * series->count / points)};
}

static double
point_at_s(const struct series *series, uint32_t point)
{
    return series->list[group_of(series, point).end - 1].values[SERIES_AT];
}

/* NAN: not known. */
static double
point_value(const struct chart *chart, const struct series *series, enum series_value value,
            uint32_t point)
{
    struct group group = group_of(series, point);
    double sum = 0;
    double greatest = 0;
    uint32_t known = 0;
    for (uint32_t i = group.first; i < group.end; i++) {
        double number = series->list[i].values[value];
        if (!isnan(number)) {
            sum += number;
            greatest = known == 0 || number > greatest ? number : greatest;
            known++;
        }
    }
    if (known == 0) {
        return NAN;
    }
    return chart->peaks ? greatest : sum / known;
}

static bool
line_shown(const struct chart *chart, const struct series *series, unsigned line)
{
    return chart->lines[line].name != NULL && series_knows(series, chart->lines[line].value);
}

/* Of all points of the lines that are shown; false: there are none. */
static bool
range_find(const struct chart *chart, const struct series *series, double *least, double *greatest)
{
    bool any = false;
    for (unsigned line = 0; line < CHART_LINES_MAX; line++) {
        for (uint32_t i = 0; line_shown(chart, series, line) && i < points_count(series); i++) {
            double value = point_value(chart, series, chart->lines[line].value, i);
            if (!isnan(value)) {
                *least = !any || value < *least ? value : *least;
                *greatest = !any || value > *greatest ? value : *greatest;
                any = true;
            }
        }
    }
    return any;
}

static void
scale_choose(const struct chart *chart, double least, double greatest, struct scale *out)
{
    static const double microsecond_least = 1;
    if (chart->logarithmic) {
        least = least > microsecond_least ? least : microsecond_least;
        scale_log(out, least, greatest > least ? greatest : least, chart->unit);
        return;
    }
    /* Memory that hardly moves is of interest for how it moves; everything else begins at zero. */
    bool near = chart->unit == SCALE_BYTES && greatest - least < least / 4;
    scale_linear(out, near ? least : 0, greatest, chart->unit);
}

static void
line_draw(const struct chart *chart, const struct series *series, unsigned line,
          const struct scale *time, const struct scale *scale, struct ln_text *out)
{
    bool pen_down = false;
    ln_text_print(out, "<path class=\"line c%u\" d=\"", line);
    for (uint32_t i = 0; i < points_count(series); i++) {
        double value = point_value(chart, series, chart->lines[line].value, i);
        if (isnan(value)) {
            pen_down = false;
            continue;
        }
        /* A point without neighbours is a dot: a line of no length has its round ends. */
        ln_text_print(out, pen_down ? "L%.1f %.1f" : "M%.1f %.1fh0",
                      across(time, point_at_s(series, i)), down(scale, value));
        pen_down = true;
    }
    ln_text_print(out, "\"/>\n");
}

/* What each point tells when it is pointed at. */
static void
points_tell(const struct chart *chart, const struct series *series, const struct scale *time,
            struct ln_text *out)
{
    char text[SCALE_TEXT_BYTES];
    double from = LEFT;
    for (uint32_t i = 0; i < points_count(series); i++) {
        double until = across(time, point_at_s(series, i));
        ln_text_print(out,
                      "<rect class=\"hit\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.0f\">"
                      "<title>at %.0f s",
                      from, TOP, until > from ? until - from : 0, inner_height,
                      point_at_s(series, i));
        for (unsigned line = 0; line < CHART_LINES_MAX; line++) {
            if (line_shown(chart, series, line)) {
                double value = point_value(chart, series, chart->lines[line].value, i);
                scale_text(chart->unit, value, text);
                ln_text_print(out, "\n");
                html_text(out, chart->lines[line].name);
                ln_text_print(out, ": %s", isnan(value) ? "none" : text);
            }
        }
        ln_text_print(out, "</title></rect>\n");
        from = until;
    }
}

static void
legend_draw(const struct chart *chart, const struct series *series, struct ln_text *out)
{
    ln_text_print(out, "<div class=\"legend\">");
    for (unsigned line = 0; line < CHART_LINES_MAX; line++) {
        if (line_shown(chart, series, line)) {
            ln_text_print(out,
                          "<span><svg viewBox=\"0 0 28 8\" aria-hidden=\"true\"><path class=\"line "
                          "c%u\" d=\"M1 4H27\"/></svg>",
                          line);
            html_text(out, chart->lines[line].name);
            ln_text_print(out, "</span>");
        }
    }
    ln_text_print(out, "</div></figure>\n");
}

bool
chart_lines(const struct chart *chart, const struct series *series, struct ln_text *out)
{
    struct scale time;
    struct scale scale;
    double least = 0;
    double greatest = 0;
    if (!range_find(chart, series, &least, &greatest)) {
        return false;
    }
    scale_time(&time, series->list[series->count - 1].values[SERIES_AT]);
    scale_choose(chart, least, greatest, &scale);
    figure_open(chart->title, out);
    if (chart->until_s > chart->from_s) {
        double from = across(&time, chart->from_s);
        ln_text_print(out,
                      "<rect class=\"span\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.0f\"/>\n",
                      from, TOP, across(&time, chart->until_s) - from, inner_height);
    }
    axis_down(&scale, out);
    axis_across(&time, out);
    for (unsigned line = 0; line < CHART_LINES_MAX; line++) {
        if (line_shown(chart, series, line)) {
            line_draw(chart, series, line, &time, &scale, out);
        }
    }
    points_tell(chart, series, &time, out);
    ln_text_print(out, "</svg>");
    legend_draw(chart, series, out);
    return true;
}

/* --------------------------------------------------------------------------------------- spread */

enum { BAR_HALF_BITS = 2, BARS = BUCKET_COUNT(BAR_HALF_BITS) };

static const double ns_per_us = 1e3;

static double
bar_from_us(unsigned bar)
{
    return bar == 0 ? 0 : ((double)bucket_end(bar - 1, BAR_HALF_BITS) + 1) / ns_per_us;
}

static double
bar_until_us(unsigned bar)
{
    return ((double)bucket_end(bar, BAR_HALF_BITS) + 1) / ns_per_us;
}

/* The percentage of each bar; the greatest of them. */
static double
bars_fill(const struct histogram *histogram, double bars[BARS])
{
    static const double hundred = 100;
    double greatest = 0;
    for (unsigned i = 0; i < BARS; i++) {
        bars[i] = 0;
    }
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t end = bucket_end(i, HISTOGRAM_HALF_BITS);
        double *bar = &bars[bucket_of(end, BAR_HALF_BITS)];
        *bar += hundred * (double)histogram->counts[i] / (double)histogram->count;
        greatest = *bar > greatest ? *bar : greatest;
    }
    return greatest;
}

static void
bars_draw(const double bars[BARS], const struct scale *time, const struct scale *scale,
          struct ln_text *out)
{
    for (unsigned i = 0; i < BARS; i++) {
        if (bars[i] > 0) {
            char from_text[SCALE_TEXT_BYTES];
            char until_text[SCALE_TEXT_BYTES];
            double from_us = bar_from_us(i) > time->from ? bar_from_us(i) : time->from;
            double from = across(time, from_us);
            double y = down(scale, bars[i]);
            double width = across(time, bar_until_us(i)) - from - 1;
            scale_text(SCALE_MICROSECONDS, bar_from_us(i), from_text);
            scale_text(SCALE_MICROSECONDS, bar_until_us(i), until_text);
            ln_text_print(out,
                          "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                          "height=\"%.1f\"><title>%s to %s: %.3g %%</title></rect>\n",
                          from, y, width > 1 ? width : 1, HEIGHT - BOTTOM - y, from_text,
                          until_text, bars[i]);
        }
    }
}

static void
percentiles_draw(const struct histogram *histogram, const struct scale *time, struct ln_text *out)
{
    static const struct {
        double percent;
        const char *name;
    } marks[] = {{50, "p50"}, {99, "p99"}, {99.9, "p99.9"}};
    enum { LINE_HEIGHT = 14 };
    for (unsigned i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        char text[SCALE_TEXT_BYTES];
        double value_us = (double)histogram_percentile(histogram, marks[i].percent) / ns_per_us;
        double x = across(time, value_us > time->from ? value_us : time->from);
        bool right = x > LEFT + inner_width * 2 / 3;
        scale_text(SCALE_MICROSECONDS, value_us, text);
        ln_text_print(out,
                      "<line class=\"mark\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
                      "<text class=\"note\" x=\"%.1f\" y=\"%u\" text-anchor=\"%s\">%s %s</text>\n",
                      x, TOP, x, HEIGHT - BOTTOM, right ? x - 5 : x + 5, TOP + 10 + i * LINE_HEIGHT,
                      right ? "end" : "start", marks[i].name, text);
    }
}

bool
chart_spread(const char *title, const struct histogram *histogram, struct ln_text *out)
{
    struct scale time;
    struct scale scale;
    double bars[BARS];
    if (histogram->count == 0) {
        return false;
    }
    double least_us = (double)histogram->least / ns_per_us;
    double greatest_us = (double)histogram->greatest / ns_per_us;
    least_us = least_us > 1 ? least_us : 1;
    scale_log(&time, least_us, greatest_us > least_us ? greatest_us : least_us, SCALE_MICROSECONDS);
    scale_linear(&scale, 0, bars_fill(histogram, bars), SCALE_PERCENT);
    figure_open(title, out);
    axis_down(&scale, out);
    axis_across(&time, out);
    bars_draw(bars, &time, &scale, out);
    percentiles_draw(histogram, &time, out);
    ln_text_print(out, "</svg></figure>\n");
    return true;
}
