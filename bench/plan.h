/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - what a population needs: from people and their habits, and from what one node was
 * measured to take, to nodes, memory, disk and bandwidth. Arithmetic only, each step told with its
 * operands, so that anybody can check it and say which assumption is wrong.
 *
 *     people                      rates                      hosts
 *     dau, messages a day  ──►    messages/s, ticks/s   ──►  nodes by CPU
 *     share online         ──►    connections           ──►  nodes by memory
 *     bytes, copies, years ──►    storage               ──►  nodes by disk
 *                                 bandwidth             ──►  nodes by link
 */
#pragma once

#include "runtime/text.h"

#include <stdbool.h>
#include <stddef.h>

struct plan_people {
    double dau;              /* who come on a day */
    double mau;              /* who come in a month: whose accounts are kept; 0: dau */
    double online;           /* share of dau connected at the busiest time */
    double messages_per_day; /* that each of dau writes */
    double text_bytes;
    double media_share; /* of messages that carry one */
    double media_bytes;
    double fan_out;        /* recipients of a message, on the average */
    double replicas;       /* copies of each record */
    double retention_days; /* 0: for ever */
    double years;
    double peak;        /* the busiest second over the average one */
    double connections; /* 0: dau x online */
};

/* What one node was seen to take. */
struct plan_measured {
    double message_cpu_us;          /* of the node, for a message with its ticks */
    double connection_cpu_us_per_s; /* of the node, for a silent connection */
    double connection_bytes;        /* of user space */
    double connection_kernel_bytes;
    double hot_bytes;     /* of memory, for a user who is active */
    double record_bytes;  /* of disk, for a message beyond its text */
    double account_bytes; /* of disk, for a user with one device */
};

struct plan_host {
    double cores;
    double memory_bytes;
    double disk_bytes;
    double link_bytes_per_s; /* each way */
    double used;             /* the share that is planned to be in use at the busiest time */
};

struct plan {
    struct plan_people people;
    struct plan_measured measured;
    struct plan_host host;
};

enum plan_row {
    PLAN_MESSAGES_PER_DAY,
    PLAN_MESSAGES_PER_S,
    PLAN_MESSAGES_PER_S_PEAK,
    PLAN_WRITES_PER_S,
    PLAN_DELIVERIES_PER_S,
    PLAN_TICKS_PER_S,
    PLAN_MESSAGE_BYTES,
    PLAN_BANDWIDTH_IN,
    PLAN_BANDWIDTH_OUT,
    PLAN_STORAGE_PER_DAY,
    PLAN_STORAGE_PER_S,
    PLAN_STORAGE_KEPT,
    PLAN_STORAGE_ACCOUNTS,
    PLAN_HOT_SET,
    PLAN_HOT_SET_RULE,
    PLAN_CONNECTIONS,
    PLAN_CONNECTION_USER_MEMORY,
    PLAN_CONNECTION_KERNEL_MEMORY,
    PLAN_CONNECTION_CORES,
    PLAN_ONE_HOST_MEMORY,
    PLAN_ONE_HOST_CORES,
    PLAN_NODES_CPU,
    PLAN_NODES_MEMORY,
    PLAN_NODES_DISK,
    PLAN_NODES_LINK,
    PLAN_NODES,
    PLAN_ROWS
};

enum plan_unit {
    PLAN_COUNT,
    PLAN_RATE, /* a second */
    PLAN_BYTES,
    PLAN_BYTES_PER_S,
    PLAN_CORES,
    PLAN_HOSTS, /* whole ones */
};

enum { PLAN_HOW_BYTES = 160 };

struct plan_result {
    double value;
    char how[PLAN_HOW_BYTES]; /* "1e+09 x 10": the operands as they are printed */
};

/* What it comes to if nothing is said: a population of a million and the host that the figures were
 * measured on. */
extern const struct plan plan_default;

/* A figure of a node: what it is, and where the default's comes from. docs/benchmark.md has the
 * same table, and a test compares them. */
struct plan_figure {
    size_t offset; /* in struct plan_measured */
    const char *name, *text;
    const char *from;
};
enum { PLAN_FIGURES = 7 };
extern const struct plan_figure plan_figures[PLAN_FIGURES];

static inline double
plan_figure_value(const struct plan_measured *measured, unsigned figure)
{
    return *(const double *)(const void *)((const char *)measured + plan_figures[figure].offset);
}

/* Fills all rows. Fields of *plan are finite and not negative; cores, memory, disk, link and used
 * are above 0. */
void plan_compute(const struct plan *plan, struct plan_result rows[PLAN_ROWS]);

/* "messages_per_day", as JSON has it; and for people. */
const char *plan_row_name(enum plan_row row);
const char *plan_row_text(enum plan_row row);
enum plan_unit plan_row_unit(enum plan_row row);

/* A value with its unit, by thousands: "0.347 M/s", "284.7 PB". */
void plan_value_print(double value, enum plan_unit unit, struct ln_text *out);
