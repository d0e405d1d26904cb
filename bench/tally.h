/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h - what a thread of the generator counts and measures.
 *
 * Counters are for the progress line and may be read by any thread while they grow. Delays and the
 * verdict belong to the thread that fills them; they are merged when it has stopped. Delays are
 * recorded of what was due within the measured span: after the warm-up, before the end. Meters have
 * them all, for the time series (series.h), which looks at them meanwhile.
 */
#pragma once

#include "bench/audit.h"
#include "bench/histogram.h"
#include "bench/meter.h"

#include <stdatomic.h>
#include <stdint.h>

enum tally_counter {
    TALLY_DUE,        /* letters that an open loop's schedule called for */
    TALLY_DUE_INSIDE, /* of these, within the measured span */
    TALLY_WRITTEN,    /* letters handed to a client */
    TALLY_ANSWERED,   /* the node said: sent */
    TALLY_SHOWN,      /* the reader was shown it */
    TALLY_DELIVERED,  /* the writer saw it ticked */
    TALLY_THROUGH,    /* all of that, and read; away: answered */
    TALLY_MEASURED,   /* became so within the measured span */
    TALLY_HIDDEN,     /* duplicates that comparing ids took away */
    TALLY_FOREIGN,    /* messages of other runs */
    TALLY_PUT_OFF,    /* refused for the time being */
    TALLY_SKIPPED,    /* due, but too many were waiting already */
    TALLY_CONNECTED,  /* logins, the first ones too */
    TALLY_RETRIES,    /* calls after one that brought no login */
    TALLY_CUT,        /* logged-in connections that ended without our wish */
    TALLY_LEFT,       /* ... and by our wish, before the end of the run */
    TALLY_SOUGHT,     /* phones that began to look for a connection, ... */
    TALLY_SETTLED,    /* ... and that have found it, or given up because they are to be away */
    TALLY_BEATS,      /* heartbeats sent */
    TALLY_POSTED,     /* of the letters written, to groups; ... */
    TALLY_DELIVERIES, /* ... and how often one of them was shown to a member */
    TALLY_CHANGES,    /* edits and deletions */
    TALLY_SIGNS,      /* of presence: coming to the foreground, watching, typing */
    TALLY_KILLS,      /* actors of the node that were killed */
    TALLY_TRIPS,      /* echo: round trips within the measured span */
    TALLY_COUNTERS,
};

enum tally_delay {
    TALLY_TO_ANSWER,       /* due -> sent */
    TALLY_TO_SHOWN,        /* due -> shown to its reader */
    TALLY_TO_GROUP,        /* due -> shown to one of a group */
    TALLY_TO_TICK,         /* due -> ticked as delivered */
    TALLY_LAG,             /* due -> the generator got to it: its own fault */
    TALLY_LOGIN,           /* the call -> welcome */
    TALLY_BACK,            /* cut off, or to be back -> welcome: pauses and all calls */
    TALLY_RETURN_TO_SHOWN, /* its reader was to be back -> shown, of what came meanwhile */
    TALLY_TRIP,            /* echo: there and back */
    TALLY_FILLED,          /* offline: the start -> one more writer's letters are all answered */
    TALLY_DRAINED,         /* offline: a reader was to be back -> has been shown all */
    TALLY_EMPTIED,         /* offline: the first was to be back -> one more has been shown all */
    TALLY_BEAT,            /* a heartbeat, there and back */
    TALLY_DELAYS,
};

/* What is measured apart: pairs who write alone, and all that comes after. */
enum tally_episode { TALLY_WHOLE, TALLY_ALONE, TALLY_EPISODES };

struct tally_span {
    uint64_t from_ns, until_ns;
};

/* Zero is empty. */
struct tally {
    _Atomic uint64_t counters[TALLY_COUNTERS];
    struct tally_span span;
    struct audit_verdict verdict;
    struct histogram delays[TALLY_DELAYS];
    struct meter meters[TALLY_DELAYS]; /* the same, from beginning to end; any thread looks */
};

/* The tally's own thread only. */
static inline void
tally_add(struct tally *tally, enum tally_counter counter, uint64_t count)
{
    /* One writer: no atomic addition is needed, only that readers see whole words. */
    uint64_t before = atomic_load_explicit(&tally->counters[counter], memory_order_relaxed);
    atomic_store_explicit(&tally->counters[counter], before + count, memory_order_relaxed);
}
/* Any thread. */
static inline uint64_t
tally_count(const struct tally *tally, enum tally_counter counter)
{
    return atomic_load_explicit(&tally->counters[counter], memory_order_relaxed);
}
static inline bool
tally_measures(const struct tally *tally, uint64_t at_ns)
{
    return at_ns >= tally->span.from_ns && at_ns < tally->span.until_ns;
}

/* Of something due at due_ns that has come about at now_ns. */
void tally_delay(struct tally *tally, enum tally_delay delay, uint64_t due_ns, uint64_t now_ns);
/* Adds all of `from`, whose thread has stopped. */
void tally_merge(struct tally *tally, const struct tally *from);
