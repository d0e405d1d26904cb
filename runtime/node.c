/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/node.h"

#include "runtime/bounds.h"
#include "runtime/door.h"
#include "runtime/io/symbol.h"
#include "runtime/node_priv.h"
#include "runtime/registry.h"
#include "runtime/socket_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *
allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count, bytes);
    ASSERT(memory != NULL && "out of memory");
    return memory;
}

/* channels[i][j] leads from i to j: i writes it as out[j], j reads it as in[i]. */
static void
channels_open(struct ln_node *node)
{
    unsigned count = node->schedulers_count;
    for (unsigned i = 0; i < count; i++) {
        node->schedulers[i].out = allocate(count, sizeof(struct channel *));
        node->schedulers[i].in = allocate(count, sizeof(struct channel *));
    }
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < count; j++) {
            if (i != j) {
                node->schedulers[i].out[j] = channel_new();
                node->schedulers[j].in[i] = node->schedulers[i].out[j];
            }
        }
    }
}

/* A limit is two periods of ticks, or more. */
static void
watch_init(struct ln_node *node, const struct ln_node_options *options)
{
    enum { TICKS_STALL = 2, NS_PER_MS = 1000000 };
    uint32_t limit_ms = options->watchdog_ms != 0 ? options->watchdog_ms : LN_WATCHDOG_MS;
    uint32_t stuck_ms = options->stuck_ms != 0 ? options->stuck_ms : LN_STUCK_MS;
    uint32_t tick_ms = (limit_ms + TICKS_STALL - 1) / TICKS_STALL;
    node->log = options->log;
    node->log_context = options->log_context;
    if (limit_ms == LN_NEVER) {
        return;
    }
    node->tick_cpu_ns = (uint64_t)tick_ms * NS_PER_MS;
    for (unsigned i = 0; i < node->schedulers_count; i++) {
        node->schedulers[i].watch.tick_ms = tick_ms;
        node->schedulers[i].watch.ticks_stall = TICKS_STALL;
        node->schedulers[i].watch.ticks_stuck =
            stuck_ms / tick_ms > TICKS_STALL ? stuck_ms / tick_ms : TICKS_STALL + 1;
    }
}

struct ln_node *
ln_node_open(struct io_driver *driver, const struct ln_node_options *options)
{
    struct ln_node *node = allocate(1, sizeof *node);
    symbols_load();
    node->driver = driver;
    node->schedulers_count = io_loops(driver);
    ASSERT(node->schedulers_count >= 1 && node->schedulers_count <= LN_SCHEDULERS_MAX);
    node->turn_messages = options->turn_messages != 0 ? options->turn_messages : LN_TURN_MESSAGES;
    node->turn_us = options->turn_us != 0 ? options->turn_us : LN_TURN_US;
    node->stop_ms = options->stop_ms;
    node->registry = registry_new(node->schedulers_count);
    node->schedulers = allocate(node->schedulers_count, sizeof *node->schedulers);
    bool mapped = fiber_guards_by_mapping(io_level_is_6_1(driver));
    node->stacks_max = options->stacks_max != 0 ? options->stacks_max
                       : mapped                 ? LN_STACKS_MAX
                                                : UINT32_MAX;
    atomic_init(&node->stacks_count, 0);
    atomic_init(&node->stop_asked, false);
    atomic_init(&node->settled_count, 0);
    node->root_reason =
        (struct ln_reason){.kind = LN_EXIT_KILLED, .text = "the machine stopped under it"};
    for (unsigned i = 0; i < node->schedulers_count; i++) {
        scheduler_init(&node->schedulers[i], node, i,
                       options->actors_max != 0 ? options->actors_max : LN_ACTORS_MAX);
    }
    watch_init(node, options);
    channels_open(node);
    return node;
}

void
ln_node_root(struct ln_node *node, const struct ln_behaviour *behaviour, const void *argument,
             size_t bytes)
{
    ASSERT(node->root_behaviour == NULL);
    node->root_behaviour = behaviour;
    if (bytes > 0) {
        node->root_argument = allocate(1, bytes);
        memcpy(node->root_argument, argument, bytes);
        node->root_argument_bytes = bytes;
    }
}

int
ln_node_start(struct ln_node *node)
{
    ASSERT(node->root_behaviour != NULL && node->root == 0);
    /* The root is put on scheduler 0 before its thread exists. */
    scheduler_self = &node->schedulers[0];
    int error = actor_spawn(scheduler_self, node->root_behaviour, node->root_argument,
                            node->root_argument_bytes, NULL, 0, &node->root);
    ASSERT(error == 0);
    actor_begin(scheduler_self, scheduler_find(scheduler_self, node->root));
    scheduler_self = NULL;
    struct io_loop *loops = allocate(node->schedulers_count, sizeof *loops);
    for (unsigned i = 0; i < node->schedulers_count; i++) {
        loops[i] = (struct io_loop){.turn = scheduler_turn,
                                    .idle = scheduler_idle,
                                    .stopped = scheduler_stopped,
                                    .context = &node->schedulers[i],
                                    .fault = scheduler_faulted,
                                    .tick = watchdog_tick,
                                    .tick_cpu_ns = node->tick_cpu_ns,
                                    .work = scheduler_work};
    }
    error = io_start(node->driver, loops);
    free(loops);
    return error;
}

void
ln_node_stop(struct ln_node *node)
{
    /* Sequentially consistent, like the load in scheduler_idle: either the loop sees it before it
     * sleeps, or io_wake sees the loop asleep. */
    atomic_store_explicit(&node->stop_asked, true, memory_order_seq_cst);
    io_wake(io_of(node->driver, 0));
}

bool
node_stop_waits(struct ln_node *node)
{
    return !node->stop_told && atomic_load_explicit(&node->stop_asked, memory_order_seq_cst);
}

/* Tells all schedulers to kill what they have and to stop. On scheduler 0. */
static void
shut_down(struct ln_node *node)
{
    struct scheduler *self = scheduler_current();
    ASSERT(self->index == 0);
    if (node->shut_down) {
        return;
    }
    node->shut_down = true;
    for (unsigned i = 0; i < node->schedulers_count; i++) {
        struct ln_msg *signal = signal_new(self, SIGNAL_SHUT_DOWN, 0);
        message_post(self, scheduler_pid(i), &signal);
    }
}

static void
stop_late(struct timer *timer)
{
    static const struct ln_reason reason = {.kind = LN_EXIT_KILLED,
                                            .text = "it did not stop in time"};
    struct ln_node *node = (void *)((unsigned char *)timer - offsetof(struct ln_node, stop_timer));
    struct scheduler *self = scheduler_current();
    struct actor *root = scheduler_find(self, node->root);
    ASSERT(root != NULL);
    actor_end_soon(self, root, reason);
    /* The root may be waiting for a worker, which nothing can hurry: the others go meanwhile. */
    shut_down(node);
}

void
node_look_for_stop(struct ln_node *node)
{
    if (node_stop_waits(node)) {
        node->stop_told = true;
        if (node->stop_ms != 0 && !node->shut_down) {
            timer_set_after(&scheduler_current()->timers, &node->stop_timer, node->stop_ms,
                            stop_late);
        }
        ln_kill(node->root, LN_EXIT_SHUTDOWN);
    }
}

void
node_settle(struct ln_node *node)
{
    /* Sequentially consistent, like the load in node_settled, which scheduler_idle asks: either a
     * loop sees the last one's count before it sleeps, or io_wake sees the loop asleep. */
    unsigned before = atomic_fetch_add_explicit(&node->settled_count, 1, memory_order_seq_cst);
    ASSERT(before < node->schedulers_count);
    for (unsigned i = 0; before + 1 == node->schedulers_count && i <= before; i++) {
        io_wake(node->schedulers[i].io);
    }
}

bool
node_settled(struct ln_node *node)
{
    return atomic_load_explicit(&node->settled_count, memory_order_seq_cst) ==
           node->schedulers_count;
}

void
node_actor_ended(struct ln_node *node, ln_pid pid, const struct ln_reason *reason)
{
    if (pid != node->root) {
        return;
    }
    node->root_reason = *reason;
    timer_cancel(&scheduler_current()->timers, &node->stop_timer);
    shut_down(node);
}

unsigned
node_least_loaded(const struct ln_node *node)
{
    unsigned least = 0;
    unsigned least_count = UINT32_MAX;
    for (unsigned i = 0; i < node->schedulers_count; i++) {
        unsigned count =
            atomic_load_explicit(&node->schedulers[i].actors_count, memory_order_relaxed);
        if (count < least_count) {
            least = i;
            least_count = count;
        }
    }
    return least;
}

struct ln_reason
ln_node_join(struct ln_node *node)
{
    io_join(node->driver);
    return node->root_reason;
}

static void
discard(struct ln_msg *msg)
{
    ln_buffer_put(&msg->buffer);
    slab_free(&scheduler_self->node->schedulers[msg->home].slab, msg, msg->block_bytes);
}

void
ln_node_close(struct ln_node **node)
{
    struct ln_node *closed = *node;
    if (closed == NULL) {
        return;
    }
    *node = NULL;
    closed->closing = true;
    /* After a simulated crash actors are still there. They are released as if killed, but their
     * links, monitors and callers learn nothing any more. */
    for (unsigned i = 0; i < closed->schedulers_count; i++) {
        scheduler_discard(&closed->schedulers[i]);
        door_free(closed->schedulers[i].door);
    }
    for (unsigned i = 0; i < closed->schedulers_count; i++) {
        scheduler_self = &closed->schedulers[i];
        for (unsigned j = 0; j < closed->schedulers_count; j++) {
            channel_free(closed->schedulers[i].out[j], discard);
        }
    }
    registry_free(closed->registry);
    for (unsigned i = 0; i < closed->schedulers_count; i++) {
        free(closed->schedulers[i].out);
        free(closed->schedulers[i].in);
        scheduler_fini(&closed->schedulers[i]);
    }
    spares_surplus_fini(&closed->surplus);
    scheduler_self = NULL;
    free(closed->schedulers);
    free(closed->root_argument);
    free(closed);
}
