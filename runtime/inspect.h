/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h - looking into actors that run: lists, one actor's state, a scheduler's counters.
 *
 * A look is a request to the scheduler itself, answered between two turns of its actors, so it
 * never waits for a busy mailbox. Long lists come in pages by slot. Called from inside an actor;
 * all yield.
 */
#pragma once

#include "runtime/linnet.h"

LN_BEGIN

enum { LN_INSPECT_PAGE = 256, LN_INSPECT_TEXT_MAX = 2048 };

struct ln_actor_info {
    ln_pid pid;
    ln_pid parent;
    char name[LN_NAME_BYTES_MAX + 1]; /* empty: none */
    const char *behaviour;            /* a literal */
    const char *state;                /* held, idle, ready, running, waiting; a literal */
    uint32_t mailbox;                 /* messages waiting */
    uint32_t reductions;
    uint64_t memory_bytes; /* the actor, its state, its stack, what it allocated */
};

struct ln_scheduler_info {
    uint32_t index, actors, ready, sockets, stacks;
    uint64_t turns, actors_run, messages, messages_remote, messages_dropped, messages_refused,
        lossy_dropped;
    uint64_t accepts_failed; /* no descriptor or memory was left; accepting goes on later */
    uint64_t lossy_coalesced, answers_late, spawned, ended, crashed, parked, memory_used_bytes,
        memory_mapped_bytes;
    uint64_t sockets_bytes; /* of memory_used_bytes */
};

/* Up to `max` (at most LN_INSPECT_PAGE) actors of a scheduler from *slot on, which moves to where
 * to go on; 0 when that was all. The number is *out_count. 0 or what ln_call returns. */
LN_API LN_MUST_CHECK int ln_inspect_list(unsigned scheduler, uint32_t *slot,
                                         struct ln_actor_info *out, uint32_t max,
                                         uint32_t *out_count);
/* One actor, and its state as its codec prints it. -ESRCH: there is none. */
LN_API LN_MUST_CHECK int ln_inspect_actor(ln_pid pid, struct ln_actor_info *out,
                                          char text[LN_INSPECT_TEXT_MAX]);
LN_API LN_MUST_CHECK int ln_inspect_scheduler(unsigned scheduler, struct ln_scheduler_info *out);

LN_END
