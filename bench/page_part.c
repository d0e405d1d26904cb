/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/page_part.h"

#include "bench/chart.h"
#include "bench/html.h"
#include "bench/report.h"

#include <errno.h>

/* Colours: blue, orange, green and purple of Okabe and Ito's set, which the colour-blind tell
 * apart; lighter in the dark. */
static const char style[] =
    ":root{color-scheme:light dark;--paper:#fbfbf9;--card:#fff;--ink:#1c1e21;--soft:#5b6067;"
    "--rule:#dfe1e4;--grid:#e4e6e9;--span:#f1f4f8;--hit:#0000000d;"
    "--c0:#0072b2;--c1:#c44e00;--c2:#00805c;--c3:#8a4a87;--good:#00704f;--bad:#b3261e;"
    "--warn:#8a5a00}\n"
    "@media (prefers-color-scheme:dark){:root{--paper:#15171a;--card:#1d2024;--ink:#e8e9eb;"
    "--soft:#a3a9b1;--rule:#33383e;--grid:#2c3136;--span:#23282e;--hit:#ffffff12;"
    "--c0:#56b4e9;--c1:#f0a04b;--c2:#3ecf9d;--c3:#d69ad2;--good:#3ecf9d;--bad:#ff8a80;"
    "--warn:#f0c04b}}\n"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}"
    "main{max-width:1180px;margin:0 auto;padding:2rem 1.25rem 3rem}"
    "h1{font-size:1.6rem;margin:0 .8rem 0 0;display:inline-block}"
    "h2{font-size:1.05rem;margin:2.2rem 0 .8rem}"
    "h3{font-size:.92rem;margin:1.5rem 0 .6rem;color:var(--soft)}"
    "h2+.tiles{margin-top:.4rem}.step{border-top:2px solid var(--rule);margin-top:2.4rem}"
    ".sub{color:var(--soft);margin:.3rem 0 0}"
    ".badge{font-weight:600;border:1.5px solid;border-radius:99px;padding:.12rem .8rem;"
    "white-space:nowrap}"
    ".good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.8rem;"
    "margin-top:1.4rem}"
    ".tile,figure{background:var(--card);border:1px solid var(--rule);border-radius:10px;"
    "padding:.8rem 1rem}"
    ".tile b{display:block;font-size:1.35rem;line-height:1.3;font-variant-numeric:tabular-nums}"
    ".tile span{color:var(--soft);font-size:.82rem}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));"
    "gap:1rem}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;"
    "width:100%}"
    "th,td{text-align:right;padding:.3rem .7rem;border-bottom:1px solid var(--rule);"
    "white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left}thead th{color:var(--soft);font-weight:500}"
    ".text td{text-align:left;white-space:normal;overflow-wrap:anywhere}"
    ".text td:first-child{color:var(--soft);white-space:nowrap;width:14rem}\n";

/* ------------------------------------------------------------------------------------- the head */

void
page_head(const struct page_head *head, struct ln_text *out)
{
    char date[REPORT_DATE_BYTES];
    ln_text_print(out,
                  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>"
                  "<title>linnet-bench %s</title><style>%s",
                  head->name, style);
    chart_style(out);
    ln_text_print(out, "</style></head><body><main>\n<header><h1>linnet-bench %s</h1>", head->name);
    ln_text_print(out, "<span class=\"badge %s\">%s %s</span><p class=\"sub\">version %s on ws://",
                  head->verdict.tone, head->verdict.mark, head->verdict.text, LINNET_VERSION);
    html_text(out, head->options->url.host);
    html_text(out, head->options->url.path);
    ln_text_print(out, ", ");
    report_date(head->wall_ms, date);
    ln_text_print(out, "%s</p>", date);
    page_why(head->why, out);
    ln_text_print(out, "</header>\n");
}

void
page_why(const char *why, struct ln_text *out)
{
    if (why[0] != '\0') {
        ln_text_print(out, "<p class=\"bad\">");
        html_text(out, why);
        ln_text_print(out, "</p>");
    }
}

void
page_tail(struct ln_text *out)
{
    ln_text_print(out, "</main></body></html>\n");
}

/* --------------------------------------------------------------------------- tiles and tables */

void
page_tile(const char *value, const char *what, struct ln_text *out)
{
    ln_text_print(out, "<div class=\"tile\"><b>");
    html_text(out, value);
    ln_text_print(out, "</b><span>");
    html_text(out, what);
    ln_text_print(out, "</span></div>");
}

void
page_tile_number(enum scale_unit unit, double value, const char *what, struct ln_text *out)
{
    char text[SCALE_TEXT_BYTES];
    scale_text(unit, value, text);
    page_tile(text, what, out);
}

void
page_row(const char *name, const char *value, struct ln_text *out)
{
    ln_text_print(out, "<tr><td>");
    html_text(out, name);
    ln_text_print(out, "</td><td>");
    html_text(out, value);
    ln_text_print(out, "</td></tr>\n");
}

void
page_row_number(const char *name, uint64_t value, struct ln_text *out)
{
    ln_text_print(out, "<tr><td>%s</td><td>%llu</td></tr>\n", name, (unsigned long long)value);
}

void
page_table_open(const char *heading, const char *title, struct ln_text *out)
{
    ln_text_print(out, "<%s>%s</%s><div class=\"wide\"><table class=\"text\"><tbody>\n", heading,
                  title, heading);
}

void
page_table_close(struct ln_text *out)
{
    ln_text_print(out, "</tbody></table></div>\n");
}

/* ------------------------------------------------------------------------------------- the file */

int
page_open(struct io_driver *driver, const char *path, io_file *out_file)
{
    return io_file_open(driver, path, IO_OPEN_WRITE | IO_OPEN_CREATE, out_file);
}

int
page_write(struct io_driver *driver, io_file file, const struct ln_text *page)
{
    int error = page->cut ? -EFBIG : 0;
    if (error == 0) {
        error = io_file_write(driver, file, page->data, page->bytes, 0);
    }
    if (error == 0) {
        error = io_file_truncate(driver, file, page->bytes);
    }
    return error;
}
