/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/capacity_command.h"

#include "bench/capacity_page.h"
#include "bench/page_part.h"
#include "bench/report.h"
#include "runtime/io/uring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_BYTES = 256 << 10 };

static const double ns_per_ms = 1e6;
static const double ns_per_us = 1e3;

static void
result_print(const struct probes *probes, struct ln_text *out)
{
    if (probes->code == RUN_GOOD || probes->code == RUN_MISSED) {
        ln_text_print(out, "capacity: %.0f messages a second\n", probes->search.kept);
    } else {
        ln_text_print(out, "the search was cut short: the capacity is not known\n");
    }
}

/* What the figure may be the generator's, or the machine's. */
static void
probe_print_ground(const struct probe *probe, struct ln_text *out)
{
    ln_text_print(out, "%11.1f ms%13.2f%14.2f   ", (double)probe->lag_p99_ns / ns_per_ms,
                  probe->generator_cores, probe->node_cores);
    report_print_line(probe->line_ns_before, out);
    ln_text_print(out, ", ");
    report_print_line(probe->line_ns_after, out);
    ln_text_print(out, "  %s", probe_outcome(probe));
    if (probe->skipped > 0) {
        ln_text_print(out, ", %llu skipped: the percentiles are a lower bound",
                      (unsigned long long)probe->skipped);
    }
    ln_text_print(out, "\n");
}

static void
probes_print(const struct probes *probes, struct ln_text *out)
{
    const struct objectives *objectives = &probes->options->objectives;
    ln_text_print(out, "%12s%12s", "due/s", "through/s");
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        ln_text_print(out, "%26s", objective_text((enum objective)i));
    }
    ln_text_print(out, "%14s%13s%14s   a line to the other core, before and after\n", "own lag p99",
                  "generator's", "node's cores");
    for (unsigned p = 0; p < probes->count; p++) {
        const struct probe *probe = &probes->list[p];
        if (probe->code == RUN_FAILED) {
            continue;
        }
        ln_text_print(out, "%12.0f%12.0f", probe->rate_per_s, probe->through_per_s);
        for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
            ln_text_print(out, "%23.1f ms", (double)probe->objectives[i].found_ns / ns_per_ms);
        }
        probe_print_ground(probe, out);
    }
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        if (objectives->wanted_ns[i] != 0) {
            ln_text_print(out, "objective: %s at most %.3f ms\n", objective_text((enum objective)i),
                          (double)objectives->wanted_ns[i] / ns_per_ms);
        }
    }
    result_print(probes, out);
}

static void
objectives_print_json(const struct options *options, struct ln_text *out)
{
    const char *before = "";
    ln_text_print(out, "\"objectives\":{");
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        if (options->objectives.wanted_ns[i] != 0) {
            ln_text_print(out, "%s\"%s_us\":%.3f", before, objective_name((enum objective)i),
                          (double)options->objectives.wanted_ns[i] / ns_per_us);
            before = ",";
        }
    }
    ln_text_print(out, "},");
}

static void
probe_print_json(const struct probe *probe, struct ln_text *out)
{
    ln_text_print(out, "{\"rate\":%.3f,\"per_second\":%.3f,", probe->rate_per_s,
                  probe->through_per_s);
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        ln_text_print(out, "\"%s_us\":%.3f,", objective_name((enum objective)i),
                      (double)probe->objectives[i].found_ns / ns_per_us);
    }
    ln_text_print(out,
                  "\"lag_p99_us\":%.3f,\"generator_cores\":%.3f,\"node_cores\":%.3f,"
                  "\"skipped\":%llu,\"rate_kept\":%s,%s",
                  (double)probe->lag_p99_ns / ns_per_us, probe->generator_cores, probe->node_cores,
                  (unsigned long long)probe->skipped, probe->rate_kept ? "true" : "false",
                  probe->latencies);
    report_print_line_json("line_ns_before", probe->line_ns_before, out);
    ln_text_print(out, ",");
    report_print_line_json("line_ns_after", probe->line_ns_after, out);
    ln_text_print(out, ",\"kept\":%s}", probe->code == RUN_GOOD ? "true" : "false");
}

/* The rate in it is the one that the search began with; "capacity" the highest that was kept, also
 * when the search was cut short: the exit code tells. */
static void
probes_print_json(const struct probes *probes, struct ln_text *out)
{
    const char *before = "";
    ln_text_print(out, "{");
    report_print_settings_json("capacity", probes->options, &probes->ground, out);
    objectives_print_json(probes->options, out);
    ln_text_print(out, "\"exit_code\":%d,\"capacity\":%.3f,\"probes\":[", (int)probes->code,
                  probes->search.kept);
    for (unsigned p = 0; p < probes->count; p++) {
        if (probes->list[p].code != RUN_FAILED) {
            ln_text_print(out, "%s", before);
            probe_print_json(&probes->list[p], out);
            before = ",";
        }
    }
    ln_text_print(out, "]}\n");
}

/* In the place of the one before. */
static enum run_exit
probe_run(struct probes *probes, double rate_per_s, capacity_play play)
{
    struct probe *probe = &probes->list[probes->count];
    probes->asked = *probes->options;
    probes->asked.rate_per_s = rate_per_s;
    probes->asked.report = NULL; /* the search's, of all runs */
    memset(&probes->run, 0, sizeof probes->run);
    (void)fprintf(stderr, "at %.0f messages a second:\n", rate_per_s);
    enum run_exit code = play(&probes->asked, &probes->run);
    probe_take(probe, &probes->run, code);
    probes->count++;
    probes->ground = probes->run.ground;
    if (probes->options->report != NULL) {
        capacity_page_take(probe, probes->count, &probes->run);
    }
    series_fini(&probes->run.series);
    return code;
}

/* A run after the other; its exit code when that ends the search. */
static enum run_exit
search_run(struct probes *probes, capacity_play play)
{
    double rate_per_s = 0;
    capacity_init(&probes->search, probes->options->rate_per_s);
    while (probes->count < PROBES_MAX && capacity_next(&probes->search, &rate_per_s)) {
        enum run_exit code = probe_run(probes, rate_per_s, play);
        if (code == RUN_BROKEN || code == RUN_FAILED) {
            return code;
        }
        capacity_note(&probes->search, rate_per_s, code == RUN_GOOD);
    }
    return probes->search.kept > 0 ? RUN_GOOD : RUN_MISSED;
}

/* ------------------------------------------------------------------------------------- the page */

static int
page_put(const struct probes *probes, struct io_driver *driver, io_file file)
{
    size_t bytes = capacity_page_bytes(probes);
    char *room = malloc(bytes);
    struct ln_text text;
    ASSERT(room != NULL);
    ln_text_init(&text, room, bytes);
    capacity_page_print(probes, &text);
    int error = page_write(driver, file, &text);
    free(room);
    return error;
}

/* A page that can't be had is told, and costs no other result. */
static void
page_tell(struct probes *probes, int error)
{
    (void)snprintf(probes->why, sizeof probes->why, "--report %s: %s", probes->options->report,
                   strerrordesc_np(-error));
    (void)fprintf(stderr, "linnet-bench: %s\n", probes->why);
    probes->code = probes->code == RUN_BROKEN ? RUN_BROKEN : RUN_FAILED;
}

/* The search between the opening of its page and the writing of it: nobody searches for long for a
 * result that has no place to go to. */
static void
search_with_page(struct probes *probes, capacity_play play, struct io_driver *driver)
{
    const char *path = probes->options->report;
    io_file page = -1;
    int error = path != NULL ? page_open(driver, path, &page) : 0;
    if (error < 0) {
        page_tell(probes, error);
        return;
    }
    probes->code = search_run(probes, play);
    probes->run.options = probes->options; /* whose rate is told, of all that were tried */
    if (page >= 0) {
        error = page_put(probes, driver, page);
        io_file_close(driver, page);
        if (error < 0) {
            page_tell(probes, error);
        }
    }
}

static void
probes_fini(struct probes *probes)
{
    for (unsigned p = 0; p < probes->count; p++) {
        probe_fini(&probes->list[p]);
    }
}

enum run_exit
capacity_run(const struct options *options, capacity_play play)
{
    static struct probes probes;
    static char room[ROOM_BYTES];
    const struct uring_options rings = {.loops = 1, .workers = 1};
    struct io_driver *driver = NULL;
    struct ln_text text;
    if (uring_open(&rings, &driver, room, sizeof room) < 0) {
        (void)fprintf(stderr, "linnet-bench: %s\n", room);
        return RUN_FAILED;
    }
    probes.options = options;
    probes.ground.wall_ms = io_wall_ms(io_of(driver, 0));
    machine_read(driver, options->data, &probes.ground.machine);
    search_with_page(&probes, play, driver);
    io_driver_close(driver);
    ln_text_init(&text, room, sizeof room);
    if (options->json) {
        probes_print_json(&probes, &text);
    } else {
        probes_print(&probes, &text);
    }
    (void)fputs(room, stdout);
    probes_fini(&probes);
    return probes.code;
}
