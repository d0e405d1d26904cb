/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/plan.h"

#include "runtime/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static const double day_s = 86400;
static const double year_days = 365;
static const double us_per_s = 1e6;
/* Of a day's storage: what is looked at again is mostly what came last. */
static const double hot_share_of_a_day = 0.005;
/* Delivered and read, of each recipient; beside the one that says sent. */
static const double ticks_each = 2;

const struct plan plan_default = {
    .people =
        {
            .dau = 1e6,
            .online = 0.2,
            .messages_per_day = 40,
            .text_bytes = 100,
            .media_share = 0.01,
            .media_bytes = 250e3,
            .fan_out = 1,
            .replicas = 1,
            .retention_days = 30,
            .years = 5,
            .peak = 3,
        },
    .measured =
        {
            .message_cpu_us = 11.1,
            .connection_cpu_us_per_s = 0.37,
            .connection_bytes = 773,
            .connection_kernel_bytes = 4636,
            .hot_bytes = 1290,
            .record_bytes = 700,
            .account_bytes = 752,
        },
    .host =
        {
            .cores = 2,
            .memory_bytes = 24.0 * 1024 * 1024 * 1024,
            .disk_bytes = 1e12,
            .link_bytes_per_s = 125e6,
            .used = 0.5,
        },
};

#define MEASURED(field) offsetof(struct plan_measured, field)

const struct plan_figure plan_figures[PLAN_FIGURES] = {
    {MEASURED(message_cpu_us), "message_cpu_us", "us of CPU, a message with its ticks",
     "chat, 100 pairs, 16 under way: a full node, whose batches are large"},
    {MEASURED(connection_cpu_us_per_s), "connection_cpu_us",
     "us of CPU a second, a silent connection", "idle, a million users, a heartbeat a minute"},
    {MEASURED(connection_bytes), "connection_bytes", "bytes of memory, a silent connection",
     "idle, 100,000 users, two minutes of silence: all growth over an empty node"},
    {MEASURED(connection_kernel_bytes), "kernel_bytes", "bytes in the kernel, the same",
     "idle, a million users"},
    {MEASURED(hot_bytes), "hot_bytes", "bytes of memory, an active user's records",
     "mixed, 100,000 users: after a day of theirs, folded"},
    {MEASURED(record_bytes), "record_bytes", "bytes of disk, around a message's text",
     "offline, 3 million messages at random recipients, free pages with them"},
    {MEASURED(account_bytes), "account_bytes", "bytes of disk, a user with a device",
     "idle, 100,000 users, who wrote to each other once"},
};

static const struct {
    const char *name, *text;
    enum plan_unit unit;
} rows_told[PLAN_ROWS] = {
    [PLAN_MESSAGES_PER_DAY] = {"messages_per_day", "messages a day", PLAN_COUNT},
    [PLAN_MESSAGES_PER_S] = {"messages_per_s", "messages a second", PLAN_RATE},
    [PLAN_MESSAGES_PER_S_PEAK] = {"messages_per_s_peak", "  at the busiest", PLAN_RATE},
    [PLAN_WRITES_PER_S] = {"writes_per_s", "durable writes, all copies", PLAN_RATE},
    [PLAN_DELIVERIES_PER_S] = {"deliveries_per_s", "deliveries", PLAN_RATE},
    [PLAN_TICKS_PER_S] = {"ticks_per_s", "ticks", PLAN_RATE},
    [PLAN_MESSAGE_BYTES] = {"message_bytes", "bytes of a message stored", PLAN_BYTES},
    [PLAN_BANDWIDTH_IN] = {"bandwidth_in", "bandwidth in", PLAN_BYTES_PER_S},
    [PLAN_BANDWIDTH_OUT] = {"bandwidth_out", "bandwidth out", PLAN_BYTES_PER_S},
    [PLAN_STORAGE_PER_DAY] = {"storage_per_day", "storage a day, all copies", PLAN_BYTES},
    [PLAN_STORAGE_PER_S] = {"storage_per_s", "  on the average", PLAN_BYTES_PER_S},
    [PLAN_STORAGE_KEPT] = {"storage_kept", "storage in the end", PLAN_BYTES},
    [PLAN_STORAGE_ACCOUNTS] = {"storage_accounts", "storage of accounts", PLAN_BYTES},
    [PLAN_HOT_SET] = {"hot_set", "memory of active users", PLAN_BYTES},
    [PLAN_HOT_SET_RULE] = {"hot_set_rule", "  rule of thumb, for comparison", PLAN_BYTES},
    [PLAN_CONNECTIONS] = {"connections", "connections", PLAN_COUNT},
    [PLAN_CONNECTION_USER_MEMORY] = {"connection_user_memory", "  their memory", PLAN_BYTES},
    [PLAN_CONNECTION_KERNEL_MEMORY] = {"connection_kernel_memory", "  their kernel memory",
                                       PLAN_BYTES},
    [PLAN_CONNECTION_CORES] = {"connection_cores", "  cores busy while they are silent",
                               PLAN_CORES},
    [PLAN_ONE_HOST_MEMORY] = {"one_host_memory", "  one host for them all: memory", PLAN_BYTES},
    [PLAN_ONE_HOST_CORES] = {"one_host_cores", "  and cores", PLAN_CORES},
    [PLAN_NODES_CPU] = {"nodes_cpu", "nodes by CPU", PLAN_HOSTS},
    [PLAN_NODES_MEMORY] = {"nodes_memory", "nodes by memory", PLAN_HOSTS},
    [PLAN_NODES_DISK] = {"nodes_disk", "nodes by disk", PLAN_HOSTS},
    [PLAN_NODES_LINK] = {"nodes_link", "nodes by link", PLAN_HOSTS},
    [PLAN_NODES] = {"nodes", "nodes", PLAN_HOSTS},
};

const char *
plan_row_name(enum plan_row row)
{
    return rows_told[row].name;
}

const char *
plan_row_text(enum plan_row row)
{
    return rows_told[row].text;
}

enum plan_unit
plan_row_unit(enum plan_row row)
{
    return rows_told[row].unit;
}

PRINTF_LIKE(3, 4)
static double
told(struct plan_result *row, double value, const char *how, ...)
{
    va_list operands;
    va_start(operands, how);
    row->value = value;
    (void)vsnprintf(row->how, sizeof row->how, how, operands);
    va_end(operands);
    return value;
}

static void
compute_rates(const struct plan_people *people, struct plan_result *rows)
{
    double a_day = told(&rows[PLAN_MESSAGES_PER_DAY], people->dau * people->messages_per_day,
                        "%.4g people x %.4g", people->dau, people->messages_per_day);
    double a_second = told(&rows[PLAN_MESSAGES_PER_S], a_day / day_s, "%.4g / 86,400 s", a_day);
    (void)told(&rows[PLAN_MESSAGES_PER_S_PEAK], a_second * people->peak, "%.4g x %.4g", a_second,
               people->peak);
    (void)told(&rows[PLAN_WRITES_PER_S], a_second * people->replicas, "%.4g x %.4g copies",
               a_second, people->replicas);
    (void)told(&rows[PLAN_DELIVERIES_PER_S], a_second * people->fan_out, "%.4g x %.4g recipients",
               a_second, people->fan_out);
    (void)told(&rows[PLAN_TICKS_PER_S], a_second * (1 + ticks_each * people->fan_out),
               "%.4g x (sent + 2 x %.4g recipients)", a_second, people->fan_out);
}

static void
compute_bytes(const struct plan *plan, struct plan_result *rows)
{
    const struct plan_people *people = &plan->people;
    double a_second = rows[PLAN_MESSAGES_PER_S].value;
    double content = people->text_bytes + people->media_share * people->media_bytes;
    double each = told(&rows[PLAN_MESSAGE_BYTES], content + plan->measured.record_bytes,
                       "%.4g + %.4g x %.4g + %.4g around it", people->text_bytes,
                       people->media_share, people->media_bytes, plan->measured.record_bytes);
    (void)told(&rows[PLAN_BANDWIDTH_IN], a_second * content, "%.4g x %.4g", a_second, content);
    (void)told(&rows[PLAN_BANDWIDTH_OUT], a_second * content * people->fan_out,
               "%.4g x %.4g x %.4g recipients", a_second, content, people->fan_out);
    double a_day = rows[PLAN_MESSAGES_PER_DAY].value;
    double storage = told(&rows[PLAN_STORAGE_PER_DAY], a_day * each * people->replicas,
                          "%.4g x %.4g x %.4g copies", a_day, each, people->replicas);
    (void)told(&rows[PLAN_STORAGE_PER_S], storage / day_s, "%.4g / 86,400 s", storage);
    double days = people->years * year_days;
    if (people->retention_days > 0 && people->retention_days < days) {
        days = people->retention_days;
    }
    (void)told(&rows[PLAN_STORAGE_KEPT], storage * days, "%.4g x %.4g days", storage, days);
    double accounts = people->mau > people->dau ? people->mau : people->dau;
    (void)told(&rows[PLAN_STORAGE_ACCOUNTS],
               accounts * plan->measured.account_bytes * people->replicas,
               "%.4g people x %.4g x %.4g copies", accounts, plan->measured.account_bytes,
               people->replicas);
    (void)told(&rows[PLAN_HOT_SET], people->dau * plan->measured.hot_bytes, "%.4g people x %.4g",
               people->dau, plan->measured.hot_bytes);
    (void)told(&rows[PLAN_HOT_SET_RULE], storage * hot_share_of_a_day, "0.5 %% of %.4g", storage);
}

static void
compute_connections(const struct plan *plan, struct plan_result *rows)
{
    const struct plan_people *people = &plan->people;
    const struct plan_measured *measured = &plan->measured;
    double count = people->connections;
    if (count > 0) {
        (void)told(&rows[PLAN_CONNECTIONS], count, "as given");
    } else {
        count = told(&rows[PLAN_CONNECTIONS], people->dau * people->online, "%.4g people x %.4g",
                     people->dau, people->online);
    }
    (void)told(&rows[PLAN_CONNECTION_USER_MEMORY], count * measured->connection_bytes,
               "%.4g x %.4g", count, measured->connection_bytes);
    (void)told(&rows[PLAN_CONNECTION_KERNEL_MEMORY], count * measured->connection_kernel_bytes,
               "%.4g x %.4g", count, measured->connection_kernel_bytes);
    double cores =
        told(&rows[PLAN_CONNECTION_CORES], count * measured->connection_cpu_us_per_s / us_per_s,
             "%.4g x %.4g us a second", count, measured->connection_cpu_us_per_s);
    double used = plan->host.used;
    (void)told(&rows[PLAN_ONE_HOST_MEMORY],
               count * (measured->connection_bytes + measured->connection_kernel_bytes) / used,
               "%.4g x (%.4g + %.4g) / %.4g in use", count, measured->connection_bytes,
               measured->connection_kernel_bytes, used);
    (void)told(&rows[PLAN_ONE_HOST_CORES], cores / used, "%.4g / %.4g in use", cores, used);
}

enum { SUM_BYTES = 112 };

/* Of one thing that hosts have: what is needed at the busiest time, and how that was reckoned. */
struct need {
    enum plan_row row;
    double need, have;
    char sum[SUM_BYTES];
};

PRINTF_LIKE(5, 6)
static void
need_put(struct need *need, enum plan_row row, double value, double have, const char *sum, ...)
{
    va_list operands;
    va_start(operands, sum);
    need->row = row;
    need->need = value;
    need->have = have;
    (void)vsnprintf(need->sum, sizeof need->sum, sum, operands);
    va_end(operands);
}

static void
need_cpu(const struct plan *plan, const struct plan_result *rows, struct need *out)
{
    double messages = rows[PLAN_MESSAGES_PER_S_PEAK].value;
    double silent = rows[PLAN_CONNECTION_CORES].value;
    double copies = plan->people.replicas;
    double cpu_us = plan->measured.message_cpu_us;
    /* A copy is reckoned at the price of the first, and so is a recipient. */
    double recipients = plan->people.fan_out > 1 ? plan->people.fan_out : 1;
    need_put(out, PLAN_NODES_CPU, messages * recipients * copies * cpu_us / us_per_s + silent,
             plan->host.cores, "%.4g x %.4g recipients x %.4g copies x %.4g us + %.4g", messages,
             recipients, copies, cpu_us, silent);
}

static void
need_space(const struct plan *plan, const struct plan_result *rows, struct need *memory,
           struct need *disk)
{
    double hot = rows[PLAN_HOT_SET].value;
    double user = rows[PLAN_CONNECTION_USER_MEMORY].value;
    double kernel = rows[PLAN_CONNECTION_KERNEL_MEMORY].value;
    double messages = rows[PLAN_STORAGE_KEPT].value;
    double accounts = rows[PLAN_STORAGE_ACCOUNTS].value;
    need_put(memory, PLAN_NODES_MEMORY, hot + user + kernel, plan->host.memory_bytes,
             "%.4g + %.4g + %.4g B", hot, user, kernel);
    need_put(disk, PLAN_NODES_DISK, messages + accounts, plan->host.disk_bytes, "%.4g + %.4g B",
             messages, accounts);
}

static void
need_link(const struct plan *plan, const struct plan_result *rows, struct need *out)
{
    double in = rows[PLAN_BANDWIDTH_IN].value;
    double away = rows[PLAN_BANDWIDTH_OUT].value;
    double more = away > in ? away : in;
    need_put(out, PLAN_NODES_LINK, more * plan->people.peak, plan->host.link_bytes_per_s,
             "%.4g B/s x %.4g", more, plan->people.peak);
}

static void
compute_nodes(const struct plan *plan, struct plan_result *rows)
{
    enum { NEEDS = 4 };
    struct need needs[NEEDS];
    double most = -1;
    enum plan_row limit = PLAN_NODES_CPU;
    need_cpu(plan, rows, &needs[0]);
    need_space(plan, rows, &needs[1], &needs[2]);
    need_link(plan, rows, &needs[3]);
    for (unsigned i = 0; i < NEEDS; i++) {
        const struct need *need = &needs[i];
        double count = told(&rows[need->row], ceil(need->need / (need->have * plan->host.used)),
                            "(%s) / (%.4g x %.4g in use)", need->sum, need->have, plan->host.used);
        if (count > most) {
            most = count;
            limit = need->row;
        }
    }
    (void)told(&rows[PLAN_NODES], most, "the most of these: %s", plan_row_text(limit));
}

void
plan_compute(const struct plan *plan, struct plan_result rows[PLAN_ROWS])
{
    ASSERT(plan->host.cores > 0 && plan->host.memory_bytes > 0 && plan->host.disk_bytes > 0 &&
           plan->host.link_bytes_per_s > 0 && plan->host.used > 0);
    compute_rates(&plan->people, rows);
    compute_bytes(plan, rows);
    compute_connections(plan, rows);
    compute_nodes(plan, rows);
}

void
plan_value_print(double value, enum plan_unit unit, struct ln_text *out)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    static const char *const units[] = {
        [PLAN_COUNT] = "",          [PLAN_RATE] = "/s", [PLAN_BYTES] = "B",
        [PLAN_BYTES_PER_S] = "B/s", [PLAN_CORES] = "",  [PLAN_HOSTS] = "",
    };
    enum { PREFIXES = sizeof prefixes / sizeof prefixes[0] };
    static const double step = 1000;
    unsigned prefix = 0;
    static const double whole_max = 1e15;
    if (unit == PLAN_HOSTS) {
        ln_text_print(out, value < whole_max ? "%.0f" : "%.4g", value);
        return;
    }
    while (value >= step && prefix + 1 < PREFIXES) {
        value /= step;
        prefix++;
    }
    ln_text_print(out, "%.4g%s%s%s", value, prefix > 0 || units[unit][0] != '\0' ? " " : "",
                  prefixes[prefix], units[unit]);
}
