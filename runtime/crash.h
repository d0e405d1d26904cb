/* SPDX-License-Identifier: Apache-2.0 */
/* crash.h - what is kept of actors that failed, and of those that held their scheduler too long.
 *
 * An actor fails by its own doing: ln_exit or ln_stop with LN_EXIT_ERROR, a failed ln_actor_check
 * or init, a stack overflow, a budget. (Who ends with somebody he was linked to is not reported
 * again.) Its report goes to the node's log (struct ln_node_options), at most LN_CRASH_LOGS of them
 * a second and scheduler; the rest is counted. The newest of each scheduler are kept, and so are
 * the newest stalls: turns that took more CPU time than the watchdog allows.
 *
 *     struct ln_crash crashes[8];
 *     uint32_t count;
 *     int error = ln_crashes_read(scheduler, 0, crashes, 8, &count);       the newest first
 *
 * Called from inside an actor; a look is a request to the scheduler, as in inspect.h. Both yield.
 */
#pragma once

#include "runtime/linnet.h"

LN_BEGIN

enum {
    LN_CRASHES_KEPT = 64, /* per scheduler, likewise stalls */
    LN_CRASH_LOGS = 10,   /* a second */
    LN_CRASH_MESSAGES = 8,
    LN_CRASH_STATE_BYTES = 512,
    LN_STALL_FRAMES = 24,
};

struct ln_crash_message {
    ln_pid from;
    uint32_t tag;
    uint32_t bytes;
    const char *tag_name; /* as its behaviour calls it: a literal, or NULL */
};

struct ln_crash {
    uint64_t number; /* of its scheduler: 1, 2, ... */
    int64_t at_wall_ms;
    ln_pid pid, parent;
    const char *behaviour; /* a literal, like those of the reason */
    /* The place is file and line; of a stack overflow, and of a limit that the runtime kept, the
     * behaviour and how many calls deep it was. */
    struct ln_reason reason;
    uint32_t mailbox, reductions, memory_bytes;
    uint32_t messages_count; /* the last that it handled, the newest first */
    struct ln_crash_message messages[LN_CRASH_MESSAGES];
    char name[LN_NAME_BYTES_MAX + 1]; /* empty: none */
    char state[LN_CRASH_STATE_BYTES]; /* as its codec printed it; empty: it has none */
};

struct ln_stall {
    uint64_t number; /* of its scheduler: 1, 2, ... */
    int64_t at_wall_ms;
    ln_pid pid;
    const char *behaviour;
    uint64_t cpu_ms;          /* that it held the scheduler for, at least */
    uint64_t behaviour_count; /* stalls of this behaviour on this scheduler, up to this one */
    uint32_t frames_count;    /* where it was when it was noticed, the innermost first */
    uint64_t frames[LN_STALL_FRAMES];
};

/* Up to `max` whose number is below `before` (0: all), the newest first. 0 or what ln_call
 * returns. */
LN_API LN_MUST_CHECK int ln_crashes_read(unsigned scheduler, uint64_t before, struct ln_crash *out,
                                         uint32_t max, uint32_t *out_count);
LN_API LN_MUST_CHECK int ln_stalls_read(unsigned scheduler, uint64_t before, struct ln_stall *out,
                                        uint32_t max, uint32_t *out_count);

struct ln_text;
/* "linnetd(+0x1f3a2 in connection_handle)" for a frame of a stall or a wait: the object, the place
 * that addr2line takes, and the function, static ones of the program included unless it was
 * stripped. Not for a signal's handler. */
LN_API void ln_frame_print(uint64_t frame, struct ln_text *out);

LN_END
