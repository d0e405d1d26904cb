/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - where is my message: what actors tell of it, and what operators ask.
 *
 *     mark = trace_mark(store, user, device, number);                         of a message's id
 *     trace_step(store, STEP_WRITTEN, mark, reader, device, inbox_number);    any actor
 *
 *     struct trace trace = {.sender = user, .device = 1, .number = 17};
 *     error = trace_find(store, &trace);                                      yields
 *     ... trace.rows[0 .. trace.count - 1], the oldest first ...
 *     trace_free(&trace);
 *
 * Steps are kept only if the store was opened with steps_bytes_max.
 */
#pragma once

#include "runtime/check.h"
#include "store/step.h"
#include "store/store.h"

/* Never 0. Any thread, never yields. */
uint64_t trace_mark(const struct store *store, uint64_t sender, uint16_t device, uint64_t number);

/* Notes a step on the calling actor's scheduler. Never yields, never fails; some 40 ns. */
void trace_step(const struct store *store, enum step_kind kind, uint64_t mark, uint64_t user,
                uint16_t device, uint64_t number);

struct trace {
    uint64_t sender; /* the message's id: the first three are filled in by the caller */
    uint16_t device;
    uint64_t number;

    struct step *rows; /* the oldest first */
    unsigned count;
    bool cut;           /* there are more */
    uint64_t bytes;     /* read */
    uint64_t oldest_ms; /* wall clock: how far back steps go; 0: there are none */
    uint64_t missed;    /* steps of any message that found no room, in what was read */
};

/* Looks through the steps, workers do, after all that is noted now was written. 0 with *trace to be
 * freed, even if nothing was found; -ENODATA: no steps are kept; or why they can't be read. Yields,
 * for some seconds if the message is unknown. */
MUST_CHECK int trace_find(const struct store *store, struct trace *trace);
void trace_free(struct trace *trace);

/* Counters since the start, but for those "now". Each is read by itself; any thread. */
struct trace_stats {
    uint64_t noted, dropped, failed; /* steps, steps for which there was no room, writes */
    uint64_t bytes;                  /* now, of the files */
    uint64_t oldest_ms;              /* now, wall clock; 0: there are none */
};
void trace_stats_read(const struct store *store, struct trace_stats *out);
