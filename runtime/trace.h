/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - following the messages of chosen actors: who sent what to whom, and when; never what a
 * message says.
 *
 *     struct ln_trace_options options = {.pids = &pid, .pids_count = 1};
 *     struct ln_trace *trace;
 *     int error = ln_trace_start(&options, &trace);
 *     while (error == 0 && (error = ln_trace_read(trace, events, 64, &count, &news)) == 0) {
 *         ... print `count` events ...
 *         if (count == 0 && news.state != LN_TRACE_RUNS) break;
 *         (void)ln_sleep(50);
 *     }
 *     ln_trace_stop(&trace);
 *
 * Each scheduler on which chosen actors live keeps the events of those in a ring of LN_TRACE_KEPT
 * until they are read; what then finds no room is dropped and counted. A trace ends by itself at
 * its bounds of events and time. While nobody traces on a scheduler, a message costs one branch
 * that is never taken.
 *
 * Called from inside an actor, which owns the trace: it ends with it. ln_node_trace_start is for
 * any other thread, which then calls the rest, too. Who asks waits for the schedulers to answer
 * between two turns; they wait for nobody. */
#pragma once

#include "runtime/linnet.h"
#include "runtime/node.h"

LN_BEGIN

enum {
    LN_TRACE_ACTORS_MAX = 32,
    LN_TRACES_MAX = 8, /* at the same time, per scheduler */
    LN_TRACE_KEPT = 1024,
    LN_TRACE_PAGE = 256,
    LN_TRACE_EVENTS = 1000,     /* when nobody says how many */
    LN_TRACE_MS = 10 * 1000,    /* or how long */
    LN_TRACE_MS_MAX = 3600000,  /* whoever wants more begins another */
    LN_TRACE_FORGET_MS = 60000, /* after its end, what nobody read is freed */
};

struct ln_trace_options {
    const ln_pid *pids; /* up to LN_TRACE_ACTORS_MAX; those that are gone are left out */
    uint32_t pids_count;
    uint32_t events_max; /* told or dropped; 0: LN_TRACE_EVENTS */
    uint32_t ms_max;     /* 0: LN_TRACE_MS; LN_TRACE_MS_MAX at most */
};

enum ln_trace_kind {
    LN_TRACE_SENT,  /* by the actor to `peer`: left it, or its timer */
    LN_TRACE_TAKEN, /* by the actor, which began to handle it, or whose call it answers */
    LN_TRACE_ENDED, /* the actor itself */
};

struct ln_trace_event {
    uint64_t at_ns; /* io_now_ns */
    ln_pid actor;   /* one of the chosen */
    ln_pid peer;    /* 0: none, or a thread outside */
    uint64_t ref;   /* of a request, its answer, a monitor; 0: none */
    uint32_t tag;
    uint32_t bytes;        /* of its data */
    const char *tag_name;  /* as the actor's behaviour calls it: a literal, or NULL */
    uint64_t buffer_bytes; /* of the payload that it shares */
    int32_t error;         /* an answer's */
    uint8_t kind, lane, flags;
};

enum ln_trace_state {
    LN_TRACE_RUNS,
    LN_TRACE_ACTORS_ENDED, /* all of the chosen */
    LN_TRACE_TIME_OVER,
    LN_TRACE_EVENTS_OVER,
};

struct ln_trace_news {
    enum ln_trace_state state;
    uint64_t started_ns; /* to compare at_ns with */
    uint64_t dropped;    /* events that found no room, since the last read */
};

/* A trace, the asker's own; it begins and ends with the functions below. */
struct ln_trace;

/* Begins a trace. 0 with *out; -ESRCH when none of the actors is there; -EAGAIN when a scheduler
 * has LN_TRACES_MAX already; -EINVAL for no actor or too many. Yields. */
LN_API LN_MUST_CHECK int ln_trace_start(const struct ln_trace_options *options,
                                        struct ln_trace **out);
/* The same from a thread that is no scheduler's; or -ETIMEDOUT. It, and the reads of this trace,
 * wait for each scheduler for timeout_ms at most. */
LN_API LN_MUST_CHECK int ln_node_trace_start(struct ln_node *node,
                                             const struct ln_trace_options *options,
                                             uint64_t timeout_ms, struct ln_trace **out);
/* Takes up to `max` (at most LN_TRACE_PAGE) events in the order of time, and tells how the trace
 * does: there are more to be read as long as any come. Never waits for events. 0, or what ln_call
 * returns. Yields. */
LN_API LN_MUST_CHECK int ln_trace_read(struct ln_trace *trace, struct ln_trace_event *out,
                                       uint32_t max, uint32_t *out_count,
                                       struct ln_trace_news *news);
/* Ends it and nulls it; NULL inside is allowed. Of an actor it does not yield; any other thread
 * waits for each scheduler, timeout_ms at most: one that does not answer ends its part when its
 * time is over. */
LN_API void ln_trace_stop(struct ln_trace **trace);

LN_END
