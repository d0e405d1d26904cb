/* SPDX-License-Identifier: Apache-2.0 */
/* What a page is drawn with: text, axes, charts. That a whole page is well-formed XML is shown by
 * page_test.py. */
#include "bench/chart.h"
#include "bench/html.h"

#include "tests/spec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char room[256 << 10];
static struct ln_text out;

static const char *
text_of(const char *string)
{
    ln_text_init(&out, room, sizeof room);
    html_text(&out, string);
    return room;
}

static void
marks(void **state)
{
    (void)state;
    assert_string_equal(
        text_of("<script>alert(\"it's\" & 'me')</script>"),
        "&lt;script&gt;alert(&quot;it&#39;s&quot; &amp; &#39;me&#39;)&lt;/script&gt;");
}

static void
what_is_no_text(void **state)
{
    (void)state;
    assert_string_equal(text_of("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6"),
                        "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6");
    assert_string_equal(text_of("a\tb\nc"), "a\tb\nc");
    assert_string_equal(text_of("\x01\x1f\x7f"), "???");
    assert_string_equal(text_of("\xff\xc3"), "??");
    assert_string_equal(text_of("\xed\xa0\x80"), "???");   /* a surrogate */
    assert_string_equal(text_of("x\xef\xbf\xbf"), "x???"); /* U+FFFF: UTF-8, and not XML */
}

/* ----------------------------------------------------------------------------------------- axes */

static void
words(void **state)
{
    (void)state;
    static const struct {
        enum scale_unit unit;
        double value;
        const char *text;
    } cases[] = {
        {SCALE_COUNT, 0, "0"},
        {SCALE_COUNT, 999, "999"},
        {SCALE_COUNT, 999.7, "1k"},
        {SCALE_COUNT, 2500000, "2.5M"},
        {SCALE_MICROSECONDS, 20, "20 us"},
        {SCALE_MICROSECONDS, 50000, "50 ms"},
        {SCALE_MICROSECONDS, 3e6, "3 s"},
        {SCALE_BYTES, 64.0 * (1 << 20), "64 MiB"},
        {SCALE_BYTES, 1000.0 * (1 << 20), "0.977 GiB"},
        {SCALE_SECONDS, 90, "90 s"},
        {SCALE_SECONDS, 180, "3 min"},
        {SCALE_SECONDS, 7200, "2 h"},
        {SCALE_PERCENT, 12.5, "12.5 %"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[SCALE_TEXT_BYTES];
        scale_text(cases[i].unit, cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void
contains(const struct scale *scale, double least, double greatest)
{
    assert_true(scale->count >= 2 && scale->count <= SCALE_TICKS_MAX);
    assert_true(scale->from <= least && scale->until >= greatest && scale->from < scale->until);
    for (unsigned i = 0; i < scale->count; i++) {
        double place = scale_place(scale, scale->ticks[i]);
        assert_true(place >= 0 && place <= 1);
        assert_true(i == 0 || scale->ticks[i] > scale->ticks[i - 1]);
    }
}

static void
axes(void **state)
{
    (void)state;
    static const double values[] = {1e-9, 0.3, 1, 7, 99, 100, 101, 65536, 1e6, 123456789, 1e15};
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct scale scale;
        for (unsigned j = 0; j <= i; j++) {
            scale_linear(&scale, values[j], values[i], SCALE_COUNT);
            contains(&scale, values[j], values[i]);
            scale_linear(&scale, values[j], values[i], SCALE_BYTES);
            contains(&scale, values[j], values[i]);
            scale_log(&scale, values[j] < 1 ? 1 : values[j], values[i] < 1 ? 1 : values[i],
                      SCALE_MICROSECONDS);
            assert_true(scale.count >= 2);
        }
        scale_time(&scale, values[i]);
        assert_true(scale.count >= 1 && scale.ticks[0] == 0);
    }
    struct scale nothing;
    scale_linear(&nothing, 0, 0, SCALE_COUNT);
    contains(&nothing, 0, 0);
}

static void
ticks(void **state)
{
    (void)state;
    struct scale scale;
    scale_linear(&scale, 0, 1234, SCALE_COUNT);
    assert_int_equal(scale.count, 4);
    assert_true(scale.ticks[1] == 500 && scale.until == 1500);
    scale_log(&scale, 30, 40000, SCALE_MICROSECONDS);
    assert_int_equal(scale.count, 5);
    assert_true(scale.from == 10 && scale.until == 100000);
    assert_true(fabs(scale_place(&scale, 1000) - 0.5) < 1e-9);
    scale_time(&scale, 21);
    assert_int_equal(scale.count, 5);
    assert_true(scale.ticks[4] == 20 && scale.until == 21);
}

/* --------------------------------------------------------------------------------------- charts */

static const struct chart chart = {
    .title = "a <b> chart",
    .unit = SCALE_COUNT,
    .peaks = true,
    .lines = {{SERIES_WRITTEN, "written & sent"}, {SERIES_NODE_CPU, "unknown"}},
};

/* Every other second nothing is known. */
static struct series
series_of(uint32_t count)
{
    struct series series = {.list = calloc(count, sizeof *series.list), .count = count};
    assert_non_null(series.list);
    for (uint32_t i = 0; i < count; i++) {
        series.list[i].values[SERIES_AT] = i + 1;
        series.list[i].values[SERIES_WRITTEN] = i % 2 == 0 ? (double)i : (double)NAN;
        series.list[i].values[SERIES_NODE_CPU] = NAN;
    }
    return series;
}

static unsigned
times(const char *text)
{
    unsigned count = 0;
    for (const char *at = strstr(room, text); at != NULL; at = strstr(at + 1, text)) {
        count++;
    }
    return count;
}

static void
lines(void **state)
{
    (void)state;
    struct series series = series_of(9);
    ln_text_init(&out, room, sizeof room);
    assert_true(chart_lines(&chart, &series, &out));
    assert_int_equal(times("a &lt;b&gt; chart"), 2);
    assert_int_equal(times("written &amp; sent"), 1 + 9);
    assert_int_equal(times("unknown"), 0);
    assert_int_equal(times("written &amp; sent: none"), 4);
    assert_int_equal(times("h0"), 5); /* points without neighbours */
    assert_int_equal(times("nan"), 0);
    free(series.list);
}

static void
many_points(void **state)
{
    (void)state;
    struct series series = series_of(86400);
    ln_text_init(&out, room, sizeof room);
    assert_true(chart_lines(&chart, &series, &out));
    assert_false(out.cut);
    assert_true(out.bytes < 40000);
    assert_int_equal(times("class=\"hit\""), 240);
    assert_int_equal(times("86.4k"), 1); /* the greatest of the last point, which is 86398 */
    free(series.list);
}

static void
nothing_known(void **state)
{
    (void)state;
    struct series series = series_of(1);
    struct series none = {0};
    struct histogram *histogram = calloc(1, sizeof *histogram);
    ln_text_init(&out, room, sizeof room);
    series.list[0].values[SERIES_WRITTEN] = NAN;
    assert_false(chart_lines(&chart, &series, &out));
    assert_false(chart_lines(&chart, &none, &out));
    assert_false(chart_spread("x", histogram, &out));
    assert_int_equal(out.bytes, 0);
    free(histogram);
    free(series.list);
}

static void
spread(void **state)
{
    (void)state;
    struct histogram *histogram = calloc(1, sizeof *histogram);
    histogram_record(histogram, 0);
    for (unsigned i = 0; i < 3; i++) {
        histogram_record(histogram, 100000);
    }
    ln_text_init(&out, room, sizeof room);
    assert_true(chart_spread("to <sent>", histogram, &out));
    assert_int_equal(times("to &lt;sent&gt;"), 2);
    assert_int_equal(times("class=\"bar\""), 2);
    assert_int_equal(times(": 25 %"), 1);
    assert_int_equal(times(": 75 %"), 1);
    assert_int_equal(times("p50 100 us"), 1);
    free(histogram);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("text is text, whatever stands in it", marks),
        SPEC("what is no UTF-8, or can't be said in XML, is a question mark", what_is_no_text),
        SPEC("numbers are told short, in units that people use", words),
        SPEC("an axis contains its values and ends at ticks", axes),
        SPEC("ticks are round numbers", ticks),
        SPEC("a chart has the lines that are known, and tells where they are not", lines),
        SPEC("a day's samples are drawn as points that can be told apart", many_points),
        SPEC("of nothing, nothing is drawn", nothing_known),
        SPEC("a spread's bars are shares of the whole", spread),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
