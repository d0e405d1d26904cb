/* SPDX-License-Identifier: Apache-2.0 */
/* The node as a whole: status, settings, store. */
#include "tools/linnet_json.h"
#include "tools/linnet_show.h"
#include "tools/linnet_table.h"

#include <stdio.h>
#include <string.h>

static void
line_print(const char *name, const char *text)
{
    printf("%-14s %s\n", name, text);
}

/* How much of the last second or more its thread ran. */
static const char *
busy_text(yajl_val row, char out[LINNET_NUMBER_BYTES])
{
    uint64_t all_us = linnet_json_number(row, "lately_us");
    uint64_t busy_us = linnet_json_number(row, "lately_busy_us");
    (void)snprintf(out, LINNET_NUMBER_BYTES, "%llu%%",
                   (unsigned long long)(all_us > 0 ? (100 * busy_us + all_us / 2) / all_us : 0));
    return out;
}

static void
scheduler_fill(struct linnet_table *table, yajl_val row)
{
    char busy[LINNET_NUMBER_BYTES];
    linnet_table_number(table, linnet_json_number(row, "scheduler"));
    linnet_table_text(table, busy_text(row, busy));
    linnet_table_number(table, linnet_json_number(row, "ready"));
    linnet_table_number(table, linnet_json_number(row, "actors"));
    linnet_table_number(table, linnet_json_number(row, "sockets"));
    linnet_table_number(table, linnet_json_number(row, "stacks"));
    linnet_table_number(table, linnet_json_number(row, "messages"));
    linnet_table_number(table, linnet_json_number(row, "crashed"));
    linnet_table_number(table, linnet_json_number(row, "stalls"));
    linnet_table_bytes(table, linnet_json_number(row, "memory_used_bytes"));
}

static void
schedulers_print(yajl_val schedulers)
{
    static const struct linnet_column columns[] = {
        {"SCHEDULER", true}, {"BUSY", true},   {"READY", true},    {"ACTORS", true},
        {"SOCKETS", true},   {"STACKS", true}, {"MESSAGES", true}, {"CRASHED", true},
        {"STALLS", true},    {"MEMORY", true},
    };
    linnet_table_show(columns, sizeof columns / sizeof columns[0], schedulers, scheduler_fill);
}

static void
ring_fill(struct linnet_table *table, yajl_val row)
{
    linnet_table_number(table, linnet_json_number(row, "scheduler"));
    linnet_table_number(table, linnet_json_number(row, "io_enters"));
    linnet_table_number(table, linnet_json_number(row, "io_submitted"));
    linnet_table_number(table, linnet_json_number(row, "io_completed"));
    linnet_table_number(table, linnet_json_number(row, "io_wakes"));
    linnet_table_number(table, linnet_json_number(row, "io_receives"));
    linnet_table_bytes(table, linnet_json_number(row, "io_receive_bytes"));
    linnet_table_number(table, linnet_json_number(row, "io_sends"));
    linnet_table_bytes(table, linnet_json_number(row, "io_send_bytes"));
    linnet_table_number(table, linnet_json_number(row, "io_syncs"));
    linnet_table_bytes(table, linnet_json_number(row, "io_file_bytes"));
}

static void
rings_print(yajl_val schedulers)
{
    static const struct linnet_column columns[] = {
        {"RING", true},  {"ENTERS", true},   {"SUBMITTED", true}, {"COMPLETED", true},
        {"WAKES", true}, {"RECEIVES", true}, {"RECEIVED", true},  {"SENDS", true},
        {"SENT", true},  {"SYNCS", true},    {"SYNCED", true},
    };
    linnet_table_show(columns, sizeof columns / sizeof columns[0], schedulers, ring_fill);
}

static void
work_fill(struct linnet_table *table, yajl_val row)
{
    linnet_table_text(table, linnet_json_text(row, "kind"));
    linnet_table_number(table, linnet_json_number(row, "under_way"));
    linnet_table_number(table, linnet_json_number(row, "oldest_us"));
    linnet_table_number(table, linnet_json_number(row, "done"));
    linnet_table_number(table, linnet_json_number(row, "taken_back"));
    linnet_table_number(table, linnet_json_number(row, "queued_us_mean"));
    linnet_table_number(table, linnet_json_number(row, "queued_us_max"));
    linnet_table_number(table, linnet_json_number(row, "run_us_mean"));
    linnet_table_number(table, linnet_json_number(row, "run_us_max"));
}

static void
work_print(yajl_val work)
{
    static const struct linnet_column columns[] = {
        {"WORK", false},      {"UNDER WAY", true},  {"OLDEST US", true},
        {"DONE", true},       {"TAKEN BACK", true}, {"QUEUED US", true},
        {"QUEUED MAX", true}, {"RUN US", true},     {"RUN MAX", true},
    };
    linnet_table_show(columns, sizeof columns / sizeof columns[0], work, work_fill);
}

static uint64_t
accepts_failed(yajl_val schedulers)
{
    uint64_t count = 0;
    for (size_t i = 0; i < linnet_json_count(schedulers); i++) {
        count += linnet_json_number(linnet_json_at(schedulers, i), "accepts_failed");
    }
    return count;
}

static void
counters_print(yajl_val counters, yajl_val schedulers)
{
    printf("connections    %llu now, %llu since the start, %llu refused, %llu accepts failed\n",
           (unsigned long long)linnet_json_number(counters, "connections"),
           (unsigned long long)linnet_json_number(counters, "connections_accepted"),
           (unsigned long long)linnet_json_number(counters, "connections_refused"),
           (unsigned long long)accepts_failed(schedulers));
    printf("online         %llu devices of %llu users\n",
           (unsigned long long)linnet_json_number(counters, "devices"),
           (unsigned long long)linnet_json_number(counters, "users_online"));
    printf("logins         %llu by token, %llu by password, %llu failed\n",
           (unsigned long long)linnet_json_number(counters, "logins_token"),
           (unsigned long long)linnet_json_number(counters, "logins_password"),
           (unsigned long long)linnet_json_number(counters, "logins_failed"));
    printf("messages       %llu accepted, %llu delivered, %llu acknowledgements\n",
           (unsigned long long)linnet_json_number(counters, "messages_accepted"),
           (unsigned long long)linnet_json_number(counters, "deliveries"),
           (unsigned long long)linnet_json_number(counters, "acks"));
}

static void
store_brief_print(yajl_val store)
{
    char log[LINNET_NUMBER_BYTES];
    char delta[LINNET_NUMBER_BYTES];
    printf("store          %llu commands in %llu batches of %llu us, log %s, delta %s, %llu "
           "folds%s\n",
           (unsigned long long)linnet_json_number(store, "commands"),
           (unsigned long long)linnet_json_number(store, "batches"),
           (unsigned long long)linnet_json_number(store, "batch_us_mean"),
           linnet_bytes_text(linnet_json_number(store, "log_bytes"), log),
           linnet_bytes_text(linnet_json_number(store, "delta_bytes"), delta),
           (unsigned long long)linnet_json_number(store, "folds"),
           linnet_json_true(store, "disk_full") ? "; THE DISK IS FULL" : "");
}

static void
status_print(yajl_val tree)
{
    char uptime[LINNET_NUMBER_BYTES];
    char started[LINNET_NUMBER_BYTES];
    printf("linnetd %s, %s, %s\n", linnet_json_text(tree, "version"),
           linnet_json_text(tree, "state"), linnet_json_text(tree, "io"));
    line_print("listening on", linnet_json_text(tree, "listen"));
    line_print("data", linnet_json_text(tree, "data"));
    printf("up             %s, since %s UTC\n",
           linnet_span_text(linnet_json_number(tree, "uptime_ms"), uptime),
           linnet_time_text(linnet_json_number(tree, "started_at_ms"), started));
    counters_print(linnet_json_member(tree, "counters"), linnet_json_member(tree, "schedulers"));
    store_brief_print(linnet_json_member(tree, "store"));
    printf("\n");
    schedulers_print(linnet_json_member(tree, "schedulers"));
    printf("\n");
    rings_print(linnet_json_member(tree, "schedulers"));
    printf("\n");
    work_print(linnet_json_member(tree, "work"));
}

int
linnet_status(struct linnet_call *call)
{
    const char *words[] = {"status"};
    return linnet_show(call, words, 1, status_print);
}

/* --------------------------------------------------------------------------------------- config */

static const struct linnet_column setting_columns[] = {
    {"SETTING", false}, {"VALUE", false}, {"ORIGIN", false}};

static void
setting_fill(struct linnet_table *table, yajl_val row)
{
    linnet_table_text(table, linnet_json_text(row, "name"));
    linnet_table_text(table, linnet_json_text(row, "text"));
}

static void
setting_fill_origin(struct linnet_table *table, yajl_val row)
{
    char text[LINNET_NUMBER_BYTES];
    unsigned line = (unsigned)linnet_json_number(row, "line");
    setting_fill(table, row);
    (void)snprintf(text, sizeof text, line > 0 ? "%s, line %u" : "%s",
                   linnet_json_text(row, "origin"), line);
    linnet_table_text(table, text);
}

static void
settings_print_plain(yajl_val settings)
{
    linnet_table_show(setting_columns, 2, settings, setting_fill);
}

static void
settings_print_origin(yajl_val settings)
{
    linnet_table_show(setting_columns, 3, settings, setting_fill_origin);
}

int
linnet_config_show(struct linnet_call *call)
{
    const char *words[] = {"config", "show"};
    bool origin = (call->flags & LINNET_ORIGIN) != 0;
    return linnet_show(call, words, 2, origin ? settings_print_origin : settings_print_plain);
}
