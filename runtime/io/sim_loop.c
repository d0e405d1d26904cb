/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_loop.h"

#include "runtime/check.h"
#include "runtime/io/sim_request.h"
#include "runtime/io/trap.h"

#include <stdlib.h>

/* Few enough that a busy test meets an empty pool now and then. */
enum { BUFFERS_DEFAULT = 64 };
/* What a turn costs at most: in the order of a busy scheduler's round. */
enum { TURN_COST_NS_MAX_DEFAULT = 20 * 1000 };

void
sim_loop_init(struct sim_loop *loop, struct sim *sim, const struct io_ops *ops, unsigned index)
{
    *loop = (struct sim_loop){
        .io = {.ops = ops, .driver = &sim->base, .loop = index},
        .deadline_ns = IO_NEVER,
        .buffers_max =
            sim->options.receive_buffers ? sim->options.receive_buffers : BUFFERS_DEFAULT,
    };
    loop->last = &loop->first;
    loop->buffers = sim_memory((loop->buffers_max + 1) * sizeof(*loop->buffers));
}

void
sim_loop_fini(struct sim_loop *loop)
{
    for (struct sim_completion *at = loop->first, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    for (uint32_t i = 1; i <= loop->buffers_max; i++) {
        free(loop->buffers[i]);
    }
    free(loop->buffers);
}

void
sim_loop_start(struct sim_loop *loop, const struct io_loop *hooks)
{
    ASSERT(hooks->turn && hooks->idle && hooks->stopped);
    loop->hooks = *hooks;
    loop->running = true;
    loop->woken = true;
}

uint64_t
sim_loop_next_ns(const struct sim_loop *loop, uint64_t now_ns)
{
    if (!loop->running) {
        return IO_NEVER;
    }
    uint64_t wanted = loop->woken || loop->first ? now_ns : loop->deadline_ns;
    return wanted > loop->busy_until_ns ? wanted : loop->busy_until_ns;
}

static struct sim_completion *
completion_new(struct sim_loop *loop)
{
    struct sim_completion *completion = sim_memory(sizeof(*completion));
    *loop->last = completion;
    loop->last = &completion->next;
    return completion;
}

void
sim_loop_complete(struct sim_loop *loop, struct sim_request *request, int32_t result, bool more)
{
    struct sim_completion *completion = completion_new(loop);
    completion->request = request;
    completion->result = result;
    completion->more = more;
}

void
sim_loop_complete_work(struct sim_loop *loop, struct io_work *work)
{
    completion_new(loop)->work = work;
}

/* Gathers first: what completes while these run waits for the next turn. */
static void
loop_run_completions(struct sim_loop *loop)
{
    struct sim_completion *at = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    for (struct sim_completion *next; at; at = next) {
        next = at->next;
        loop->stats.completed++;
        if (at->request) {
            sim_request_done(at->request, at->result, at->more);
        } else {
            at->work->done(at->work);
        }
        free(at);
    }
}

static uint64_t
loop_work(const struct sim_loop *loop)
{
    return loop->hooks.work != NULL ? loop->hooks.work(loop->hooks.context) : 0;
}

void
sim_loop_turn(struct sim_loop *loop)
{
    struct sim *sim = sim_of(loop->io.driver);
    uint64_t cost_ns_max =
        sim->options.turn_cost_ns_max ? sim->options.turn_cost_ns_max : TURN_COST_NS_MAX_DEFAULT;
    uint64_t cost_ns = 1 + sim_chance_below(&sim->order, cost_ns_max);
    trap_set_loop(&loop->hooks);
    loop->woken = false;
    loop->stats.enters++;
    loop_run_completions(loop);
    uint64_t work = loop_work(loop);
    loop->deadline_ns = loop->hooks.turn(loop->hooks.context);
    cost_ns += (loop_work(loop) - work) * sim->options.work_cost_ns;
    loop->busy_until_ns = sim->now_ns + cost_ns;
    loop->cpu_ns += cost_ns;
    trap_set_loop(NULL);
    if (loop->hooks.stopped(loop->hooks.context)) {
        loop->running = false;
        return;
    }
    bool sleeps = loop->deadline_ns > sim->now_ns && !loop->woken && !loop->first;
    if (sleeps && !loop->hooks.idle(loop->hooks.context)) {
        loop->woken = true;
    }
}

void
sim_loop_wake(struct io *io)
{
    struct sim_loop *loop = sim_loop_of(io);
    loop->stats.wakes++;
    loop->woken = true;
}

uint32_t
sim_loop_hold_buffer(struct sim_loop *loop, size_t bytes)
{
    for (uint32_t i = 1; i <= loop->buffers_max; i++) {
        if (!loop->buffers[i]) {
            loop->buffers[i] = sim_memory(bytes);
            loop->buffers_held++;
            return i;
        }
    }
    return 0;
}

const unsigned char *
sim_loop_received(struct io *io, const struct io_op *op)
{
    struct sim_loop *loop = sim_loop_of(io);
    ASSERT(op->buffer > 0 && op->buffer <= loop->buffers_max && loop->buffers[op->buffer]);
    return loop->buffers[op->buffer];
}

void
sim_loop_release(struct io *io, struct io_op *op)
{
    struct sim_loop *loop = sim_loop_of(io);
    if (op->buffer == 0 || op->buffer == IO_BUFFER_NONE) {
        return;
    }
    ASSERT(op->buffer <= loop->buffers_max && loop->buffers[op->buffer]);
    free(loop->buffers[op->buffer]);
    loop->buffers[op->buffer] = NULL;
    loop->buffers_held--;
    op->buffer = IO_BUFFER_NONE;
}

uint32_t
sim_loop_receive_room(struct io *io)
{
    const struct sim_loop *loop = sim_loop_of(io);
    return loop->buffers_max - loop->buffers_held;
}
