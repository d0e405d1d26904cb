/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/capacity_page.h"

#include "bench/figures.h"
#include "bench/page.h"
#include "bench/page_part.h"
#include "bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double ns_per_ms = 1e6;
static const double ns_per_us = 1e3;

/* ------------------------------------------------------------------------------------- the head */

static struct page_verdict
verdict_of(const struct probes *probes)
{
    switch (probes->code) {
    case RUN_GOOD:
        return (struct page_verdict){"good", "\xe2\x9c\x93", "a rate was found"};
    case RUN_BROKEN:
        return (struct page_verdict){"bad", "\xe2\x9c\x97", "a promise was broken"};
    case RUN_MISSED:
        return (struct page_verdict){"warn", "!", "not even one a second keeps the objectives"};
    case RUN_FAILED:
        break;
    }
    return (struct page_verdict){"bad", "\xe2\x9c\x97", "it could not run"};
}

/* The last run that kept its rate; the search's figures at its capacity. */
static const struct probe *
probe_kept(const struct probes *probes)
{
    const struct probe *kept = NULL;
    for (unsigned i = 0; i < probes->count; i++) {
        const struct probe *probe = &probes->list[i];
        if (probe->code == RUN_GOOD && probe->rate_per_s == probes->search.kept) {
            kept = probe;
        }
    }
    return kept;
}

static void
put_tiles(const struct probes *probes, struct ln_text *out)
{
    const struct probe *kept = probe_kept(probes);
    bool known = probes->code == RUN_GOOD || probes->code == RUN_MISSED;
    ln_text_print(out, "<section class=\"tiles\">");
    if (known) {
        page_tile_number(SCALE_COUNT, probes->search.kept, "messages a second: the capacity", out);
    } else {
        page_tile("not known", "the capacity: the search was cut short", out);
    }
    page_tile_number(SCALE_COUNT, probes->count, "runs", out);
    if (kept != NULL) {
        for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
            page_tile_number(SCALE_MICROSECONDS, (double)kept->objectives[i].found_ns / ns_per_us,
                             objective_text((enum objective)i), out);
        }
        page_tile_number(SCALE_COUNT, kept->node_cores, "cores busy with the node", out);
    }
    ln_text_print(out, "</section>\n");
}

/* ---------------------------------------------------------------------------- the table of runs */

static const char *
tone_of(const struct probe *probe)
{
    return probe->code == RUN_GOOD ? "good" : probe->code == RUN_MISSED ? "warn" : "bad";
}

static void
put_objective(const struct objective_found *found, struct ln_text *out)
{
    if (!found->known) {
        ln_text_print(out, "<td>-</td>");
        return;
    }
    ln_text_print(out, "<td class=\"%s\">%.1f ms</td>", found->kept ? "" : "warn",
                  (double)found->found_ns / ns_per_ms);
}

static void
put_probe_row(const struct probe *probe, unsigned number, struct ln_text *out)
{
    ln_text_print(
        out, "<tr><td><a href=\"#step%u\">%u</a></td><td>%.0f</td><td class=\"%s\">%.0f</td>",
        number, number, probe->rate_per_s, probe->rate_kept ? "" : "warn", probe->through_per_s);
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        put_objective(&probe->objectives[i], out);
    }
    ln_text_print(out, "<td>%.1f ms</td><td>%.2f</td><td>%.2f</td><td class=\"%s\">%s</td></tr>\n",
                  (double)probe->lag_p99_ns / ns_per_ms, probe->generator_cores, probe->node_cores,
                  tone_of(probe), probe_outcome(probe));
}

static void
put_search(const struct probes *probes, struct ln_text *out)
{
    const struct objectives *objectives = &probes->options->objectives;
    ln_text_print(out, "<h2>The rates that were tried</h2><div class=\"wide\"><table><thead><tr>"
                       "<th>run</th><th>due/s</th><th>through/s</th>");
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        ln_text_print(out, "<th>%s", objective_text((enum objective)i));
        if (objectives->wanted_ns[i] != 0) {
            ln_text_print(out, ", at most %.3f ms", (double)objectives->wanted_ns[i] / ns_per_ms);
        }
        ln_text_print(out, "</th>");
    }
    ln_text_print(out,
                  "<th>own lag p99</th><th>generator's cores</th><th>node's cores</th><th></th>"
                  "</tr></thead><tbody>\n");
    for (unsigned i = 0; i < probes->count; i++) {
        put_probe_row(&probes->list[i], i + 1, out);
    }
    ln_text_print(out, "</tbody></table></div>\n");
}

/* --------------------------------------------------------------------------- a section of a run */

static void
put_cores(const struct probe *probe, bool node_known, struct ln_text *out)
{
    char text[REPORT_DATE_BYTES];
    page_table_open("h3", "What it took", out);
    (void)snprintf(text, sizeof text, "%.2f", probe->generator_cores);
    page_row("cores busy with the generator", text, out);
    if (node_known) {
        (void)snprintf(text, sizeof text, "%.2f", probe->node_cores);
        page_row("cores busy with the node", text, out);
    }
    ln_text_print(out, "<tr><td>a cache line to the other core</td><td>");
    report_print_line(probe->line_ns_before, out);
    ln_text_print(out, " before the run, ");
    report_print_line(probe->line_ns_after, out);
    ln_text_print(out, " after it</td></tr>\n");
    page_table_close(out);
}

void
capacity_page_take(struct probe *probe, unsigned number, const struct run *run)
{
    struct ln_text text;
    char *room = malloc(PAGE_BYTES);
    ASSERT(room != NULL);
    ln_text_init(&text, room, PAGE_BYTES);
    ln_text_print(&text,
                  "<section class=\"step\" id=\"step%u\"><h2>Run %u: %.0f messages a second, "
                  "<span class=\"%s\">%s</span></h2>\n",
                  number, number, probe->rate_per_s, tone_of(probe), probe_outcome(probe));
    page_why(run->failed ? run->why : "", &text);
    page_print_run(run, "h3", &text);
    put_cores(probe, run->node_pid != 0, &text);
    ln_text_print(&text, "</section>\n");
    probe->section = realloc(room, text.bytes + 1);
    ASSERT(probe->section != NULL);
    probe->section_cut = text.cut;
}

/* ------------------------------------------------------------------------------------- the page */

size_t
capacity_page_bytes(const struct probes *probes)
{
    size_t bytes = PAGE_BYTES;
    for (unsigned i = 0; i < probes->count; i++) {
        bytes += strlen(probes->list[i].section);
    }
    return bytes;
}

void
capacity_page_print(const struct probes *probes, struct ln_text *out)
{
    const struct page_head head = {"capacity", probes->options, probes->ground.wall_ms,
                                   verdict_of(probes), probes->why};
    page_head(&head, out);
    put_tiles(probes, out);
    put_search(probes, out);
    for (unsigned i = 0; i < probes->count; i++) {
        ln_text_print(out, "%s", probes->list[i].section);
        out->cut |= probes->list[i].section_cut;
    }
    if (probes->count > 0) { /* all were asked the same, but for the rate */
        page_print_settings(&probes->run, out);
    }
    page_tail(out);
}
