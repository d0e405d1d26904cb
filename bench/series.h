/* SPDX-License-Identifier: Apache-2.0 */
/* series.h - what a run did second by second: throughput, latencies, CPU, memory, disk.
 *
 *     series_init(&series, start_ns);
 *     each second:
 *         struct series_look *look = series_look(&series);       cleared
 *         series_look_add(look, tally);                           of each thread
 *         look->node_resident_bytes = ...
 *         series_note(&series, now_ns);                a sample: this look beside the last
 *     series_fini(&series);
 *
 * A sample is numbers that people read: rates a second, percentiles in microseconds, CPU in cores.
 * What is not known in that second, a percentile of nothing say, is NAN.
 *
 * Plain memory of one thread; only the tallies are others'. 200 bytes a sample.
 */
#pragma once

#include "bench/tally.h"

#include <stdint.h>

enum series_value {
    SERIES_AT, /* the second's end, since the start */
    /* Each second: */
    SERIES_WRITTEN,
    SERIES_SENT,
    SERIES_DELIVERED,
    SERIES_TICKED,
    SERIES_LOGINS,
    SERIES_CUT,
    SERIES_TRIPS,
    /* Microseconds: */
    SERIES_SENT_P50,
    SERIES_SENT_P99,
    SERIES_DELIVERY_P50,
    SERIES_DELIVERY_P99,
    SERIES_TICK_P50,
    SERIES_TICK_P99,
    SERIES_LOGIN_P50,
    SERIES_LOGIN_P99,
    SERIES_TRIP_P50,
    SERIES_TRIP_P99,
    SERIES_LAG_P99,
    /* At its end: */
    SERIES_ONLINE,
    SERIES_NODE_CPU, /* cores kept busy meanwhile */
    SERIES_GENERATOR_CPU,
    SERIES_NODE_RESIDENT, /* bytes */
    SERIES_NODE_OWN,      /* of them, what is in no file: process_own */
    SERIES_DISK,
    SERIES_VALUES,
};

struct sample {
    double values[SERIES_VALUES];
};

/* Everything that has been counted up to an instant. What is not known is 0. */
struct series_look {
    uint64_t at_ns;
    uint64_t counts[TALLY_COUNTERS];
    struct meter_look meters[TALLY_DELAYS];
    uint64_t node_cpu_ms, generator_cpu_ms; /* 10 ms is the kernel's grain */
    uint64_t node_resident_bytes, node_own_bytes, disk_bytes;
};

/* Zero has no samples, and takes none: not begun. */
struct series {
    struct sample *list;
    uint32_t count, room;
    uint64_t start_ns;
    struct series_look *looks; /* two, in turn */
    unsigned next;             /* which of them is filled next */
};

/* Begins; the first look, of everything so far, makes no sample. */
void series_init(struct series *series, uint64_t start_ns);
void series_fini(struct series *series);

/* To be filled and then noted. Borrowed until series_note. */
struct series_look *series_look(struct series *series);
/* Adds what a thread's tally has counted. Any thread's. */
void series_look_add(struct series_look *look, const struct tally *tally);
/* Makes a sample of the look: what came since the one before. */
void series_note(struct series *series, uint64_t now_ns);

/* Was it ever known? */
bool series_knows(const struct series *series, enum series_value value);
/* "sent", "to_sent_p99_us", as JSON has it. */
const char *series_name(enum series_value value);
