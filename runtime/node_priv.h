/* SPDX-License-Identifier: Apache-2.0 */
/* node_priv.h - the node as its schedulers see it. For runtime/ alone. */
#pragma once

#include "runtime/inspect.h"
#include "runtime/node.h"
#include "runtime/scheduler.h"

struct ln_node {
    struct io_driver *driver;
    unsigned schedulers_count;
    struct scheduler *schedulers; /* [schedulers_count] */
    struct registry *registry;
    uint32_t turn_messages;
    uint32_t turn_us;
    uint64_t tick_cpu_ns; /* 0: no watchdog */
    void (*log)(void *context, const char *report);
    void *log_context;
    struct spares_surplus surplus; /* of all schedulers */
    uint32_t stacks_max;
    atomic_uint stacks_count; /* of all schedulers: processes, waiting handlers, idle loops */
    ln_pid root;
    struct ln_reason root_reason; /* scheduler 0's, then join's */
    atomic_bool stop_asked;       /* any thread's; scheduler 0 looks at it every turn */
    bool stop_told;               /* scheduler 0's: the root knows */
    uint32_t stop_ms;             /* 0: no deadline */
    struct timer stop_timer;      /* scheduler 0's, from then until the root has ended */
    bool shut_down;               /* scheduler 0's: all schedulers were told */
    bool closing;                 /* nothing runs any more: what is sent is freed */
    atomic_uint settled_count;    /* schedulers on which nothing lives any more */
    const struct ln_behaviour *root_behaviour;
    void *root_argument;
    size_t root_argument_bytes;
};

/* Whether another stack may be made; a hint, since others make some meanwhile. */
static inline bool
node_has_stack(struct ln_node *node)
{
    return atomic_load_explicit(&node->stacks_count, memory_order_relaxed) < node->stacks_max;
}
unsigned node_least_loaded(const struct ln_node *node);
/* Told of every end; when it is the root's, all schedulers shut down. */
void node_actor_ended(struct ln_node *node, ln_pid pid, const struct ln_reason *reason);
/* Scheduler 0, every turn: hands a wish to stop to the root. */
void node_look_for_stop(struct ln_node *node);
/* Whether there is such a wish. Scheduler 0. */
bool node_stop_waits(struct ln_node *node);
/* Counts the calling scheduler as one that has nothing left; the last one wakes all others. */
void node_settle(struct ln_node *node);
/* Whether all have. */
bool node_settled(struct ln_node *node);

/* inspect.c: a request to look into this scheduler. Takes *msg. */
void inspect_arrived(struct scheduler *scheduler, struct ln_msg **msg);
/* signal.c: its links and monitors. *out is zeroed. */
void signal_relations(const struct actor *actor, struct ln_relations *out);
