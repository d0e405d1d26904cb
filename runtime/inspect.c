/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"

#include "runtime/inspect_priv.h"
#include "runtime/message.h"
#include "runtime/registry.h"
#include "runtime/scheduler.h"
#include "runtime/socket_priv.h"
#include "runtime/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {"held", "idle", "ready", "running", "waiting"};

static const char *const wait_names[] = {
    [WAIT_ANSWER] = "answer", [WAIT_MESSAGE] = "message", [WAIT_TIME] = "time",
    [WAIT_WORKER] = "worker", [WAIT_FILE] = "file",       [WAIT_CONNECTION] = "connection",
    [WAIT_SOCKET] = "socket",
};

/* A page ends early when so many messages were counted for it: mailboxes are walked. */
enum { LIST_MESSAGES_MAX = 16384 };

struct list_request {
    uint32_t slot;
    uint32_t max;
};

struct list_answer {
    uint32_t next_slot;
    uint32_t count;
    struct ln_actor_info actors[];
};

struct inspect_request {
    ln_pid pid; /* 0: the scheduler itself */
};

struct inspect_answer {
    struct ln_actor_info actor;
    struct ln_scheduler_info scheduler;
    char text[];
};

static void
actor_info(const struct actor *actor, struct ln_actor_info *out)
{
    const struct ln_behaviour *behaviour = actor->behaviour;
    *out = (struct ln_actor_info){
        .pid = actor->pid,
        .parent = actor->body->parent,
        .behaviour = behaviour->name,
        .state = state_names[actor->run_state],
        .reductions = actor->reductions,
        .memory_bytes = sizeof *actor + actor->body->bytes + actor->memory_bytes,
    };
    out->mailbox = mailbox_count(&actor->mailbox, out->lanes, out->lane_bytes);
    if (actor->fiber != NULL) {
        out->memory_bytes += fiber_touched_bytes(actor->fiber);
    }
    if (actor->body->name != NULL) {
        (void)strncpy(out->name, name_text(actor->body->name), LN_NAME_BYTES_MAX);
    }
}

static void
scheduler_info(struct scheduler *self, struct ln_scheduler_info *out)
{
    const struct scheduler_stats *stats = &self->stats;
    struct io_stats io;
    io_stats_read(self->io, &io);
    *out = (struct ln_scheduler_info){
        .index = self->index,
        .actors = atomic_load_explicit(&self->actors_count, memory_order_relaxed),
        .ready = self->ready_count,
        .sockets = self->sockets_count,
        .sockets_bytes = self->sockets_count * socket_bytes(),
        .stacks = self->fibers_count,
        .turns = stats->turns,
        .actors_run = stats->actors_run,
        .messages = stats->messages,
        .messages_remote = stats->messages_remote,
        .messages_dropped = stats->messages_dropped,
        .messages_refused = stats->messages_refused,
        .lossy_dropped = stats->lossy_dropped,
        .lossy_coalesced = stats->lossy_coalesced,
        .answers_late = stats->answers_late,
        .spawned = stats->spawned,
        .ended = stats->ended,
        .crashed = stats->crashed,
        .parked = stats->parked,
        .accepts_failed = stats->accepts_failed,
        .stalls = stats->stalls,
        .turns_cut = stats->turns_cut,
        .reports_left_out = stats->reports_left_out,
        .memory_used_bytes = slab_bytes_used(&self->slab) + pool_bytes_used(&self->actors) +
                             pool_bytes_used(&self->alarms) + timer_wheel_bytes_used(&self->timers),
        .memory_mapped_bytes = self->slab.bytes_mapped + pool_bytes_mapped(&self->actors) +
                               pool_bytes_mapped(&self->alarms) +
                               pool_bytes_mapped(&self->timers.chunks),
        .busy_ns = io_cpu_ns(self->io),
        .now_ns = io_now_ns(self->io),
        .io_enters = io.enters,
        .io_submitted = io.submitted,
        .io_completed = io.completed,
        .io_wakes = io.wakes,
        .io_receives = io.receives,
        .io_receive_bytes = io.receive_bytes,
        .io_sends = io.sends,
        .io_send_bytes = io.send_bytes,
        .io_accepts = io.accepts,
        .io_file_syncs = io.file_syncs,
        .io_file_bytes = io.file_bytes,
        .io_buffers_short = io.receive_buffers_short,
        .io_settled = io.settled,
        .io_settles_failed = io.settles_failed,
    };
    work_info(self->work, out->now_ns, out->work);
    const struct load_sample *since = scheduler_load_since(self, out->now_ns);
    out->lately_busy_ns = out->busy_ns - since->busy_ns;
    out->lately_ns = out->now_ns - since->now_ns;
}

/* ------------------------------------------------------------------------- the scheduler's side */

static struct ln_msg *
list(struct scheduler *self, const struct list_request *request)
{
    uint32_t max = request->max < LN_INSPECT_PAGE ? request->max : LN_INSPECT_PAGE;
    struct ln_msg *answer = message_new(
        self, 0, LN_REPLY, sizeof(struct list_answer) + max * sizeof(struct ln_actor_info));
    struct list_answer *page = (struct list_answer *)(void *)answer->data;
    uint32_t slot = request->slot > 0 ? request->slot : 1;
    uint32_t slots = pool_records(&self->actors);
    uint32_t messages = 0;
    while ((slot = pool_next(&self->actors, slot)) < slots && page->count < max &&
           messages < LIST_MESSAGES_MAX) {
        struct ln_actor_info *info = &page->actors[page->count++];
        actor_info(scheduler_actor_at(self, slot++), info);
        messages += info->mailbox;
    }
    page->next_slot = slot < slots ? slot : 0;
    return answer;
}

static struct ln_msg *
inspect(struct scheduler *self, const struct inspect_request *request)
{
    const struct actor *actor = scheduler_find(self, request->pid);
    if (actor == NULL && request->pid != 0) {
        return NULL;
    }
    struct ln_msg *answer =
        message_new(self, 0, LN_REPLY, sizeof(struct inspect_answer) + LN_INSPECT_TEXT_MAX);
    struct inspect_answer *found = (struct inspect_answer *)(void *)answer->data;
    if (actor == NULL) {
        scheduler_info(self, &found->scheduler);
        return answer;
    }
    actor_info(actor, &found->actor);
    struct ln_text text;
    ln_text_init(&text, found->text, LN_INSPECT_TEXT_MAX);
    if (actor->behaviour->print != NULL && !actor->unbegun) {
        actor->behaviour->print(actor->body->state, &text);
    }
    return answer;
}

static struct ln_msg *
relations(struct scheduler *self, const struct inspect_request *request)
{
    const struct actor *actor = scheduler_find(self, request->pid);
    if (actor == NULL) {
        return NULL;
    }
    struct ln_msg *answer = message_new(self, 0, LN_REPLY, sizeof(struct ln_relations));
    signal_relations(actor, (struct ln_relations *)(void *)answer->data);
    return answer;
}

static const char *
wait_name(const struct wait *wait)
{
    return wait_is_for_request(wait) ? "requested answer"
           : wait_chooses(wait)      ? "chosen message"
                                     : wait_names[wait->kind];
}

/* The running actor's stack changes under our feet, and has nothing to wait for. */
static struct ln_msg *
wait_look(struct scheduler *self, const struct inspect_request *request)
{
    const struct actor *actor = scheduler_find(self, request->pid);
    if (actor == NULL) {
        return NULL;
    }
    struct ln_msg *answer = message_new(self, 0, LN_REPLY, sizeof(struct ln_wait_info));
    struct ln_wait_info *found = (struct ln_wait_info *)(void *)answer->data;
    const struct wait *wait = actor->wait;
    if (actor == self->current || actor->fiber == NULL) {
        return answer;
    }
    if (wait != NULL) {
        found->what = wait_name(wait);
        found->callee = wait->callee;
        found->tag = wait->tag;
        found->tag_name = ln_tag_name(actor->behaviour, wait->tag);
        found->cancellable = wait->cancellable;
        found->waited_ns = io_now_ns(self->io) - wait->since_ns;
        found->timeout_ms = wait->timeout_ms;
    }
    found->frames_count = fiber_backtrace(actor->fiber, found->frames, LN_WAIT_FRAMES_MAX);
    return answer;
}

void
inspect_arrived(struct scheduler *self, struct ln_msg **msg)
{
    struct ln_caller caller = {.pid = (*msg)->from, .ref = (*msg)->ref};
    const void *request = (*msg)->data;
    struct ln_msg *answer = (*msg)->tag == SIGNAL_LIST        ? list(self, request)
                            : (*msg)->tag == SIGNAL_RELATIONS ? relations(self, request)
                            : (*msg)->tag == SIGNAL_WAIT      ? wait_look(self, request)
                                                              : inspect(self, request);
    message_answer(caller, &answer, answer != NULL ? 0 : -ESRCH);
    ln_msg_free(msg);
}

/* ----------------------------------------------------------------------------- the asker's side */

int
look_ask(struct look *look, unsigned scheduler, uint32_t tag, const void *request, size_t bytes)
{
    int error;
    if (look->node != NULL) {
        error = door_call(look->node, scheduler_pid(scheduler), tag, true, request, bytes,
                          look->timeout_ms, &look->outside);
        look->data = look->outside.data;
        return error;
    }
    struct ln_msg *msg = signal_new(scheduler_current(), tag, bytes);
    memcpy(msg->data, request, bytes);
    error = message_call(scheduler_pid(scheduler), &msg, LN_FOREVER, !look->whatever, &look->msg);
    look->data = error == 0 ? look->msg->data : NULL;
    return error;
}

static int
ask_about(struct look *look, ln_pid pid, uint32_t tag)
{
    struct inspect_request request = {pid};
    unsigned schedulers = look->node != NULL ? look->node->schedulers_count : ln_schedulers();
    return pid != 0 && ln_pid_scheduler(pid) < schedulers
               ? look_ask(look, ln_pid_scheduler(pid), tag, &request, sizeof request)
               : -ESRCH;
}

void
look_end(struct look *look)
{
    ln_msg_free(&look->msg);
    free(look->outside.data);
}

static int
look_list(struct look look, unsigned scheduler, uint32_t *slot, struct ln_actor_info *out,
          uint32_t max, uint32_t *out_count)
{
    struct list_request request = {*slot, max};
    int error = look_ask(&look, scheduler, SIGNAL_LIST, &request, sizeof request);
    if (error == 0) {
        const struct list_answer *page = look.data;
        memcpy(out, page->actors, page->count * sizeof *out);
        *out_count = page->count;
        *slot = page->next_slot;
    }
    look_end(&look);
    return error;
}

static int
look_actor(struct look look, ln_pid pid, struct ln_actor_info *out, char text[LN_INSPECT_TEXT_MAX])
{
    int error = ask_about(&look, pid, SIGNAL_INSPECT);
    if (error == 0) {
        const struct inspect_answer *found = look.data;
        *out = found->actor;
        memcpy(text, found->text, LN_INSPECT_TEXT_MAX);
    }
    look_end(&look);
    return error;
}

static int
look_scheduler(struct look look, unsigned scheduler, struct ln_scheduler_info *out)
{
    struct inspect_request request = {0};
    int error = look_ask(&look, scheduler, SIGNAL_INSPECT, &request, sizeof request);
    if (error == 0) {
        *out = ((const struct inspect_answer *)look.data)->scheduler;
    }
    look_end(&look);
    return error;
}

static int
look_relations(struct look look, ln_pid pid, struct ln_relations *out)
{
    int error = ask_about(&look, pid, SIGNAL_RELATIONS);
    if (error == 0) {
        memcpy(out, look.data, sizeof *out);
    }
    look_end(&look);
    return error;
}

static int
look_wait(struct look look, ln_pid pid, struct ln_wait_info *out)
{
    int error = ask_about(&look, pid, SIGNAL_WAIT);
    if (error == 0) {
        memcpy(out, look.data, sizeof *out);
    }
    look_end(&look);
    return error;
}

int
ln_inspect_list(unsigned scheduler, uint32_t *slot, struct ln_actor_info *out, uint32_t max,
                uint32_t *out_count)
{
    return look_list((struct look){0}, scheduler, slot, out, max, out_count);
}

int
ln_inspect_actor(ln_pid pid, struct ln_actor_info *out, char text[LN_INSPECT_TEXT_MAX])
{
    return look_actor((struct look){0}, pid, out, text);
}

int
ln_inspect_scheduler(unsigned scheduler, struct ln_scheduler_info *out)
{
    return look_scheduler((struct look){0}, scheduler, out);
}

int
ln_inspect_relations(ln_pid pid, struct ln_relations *out)
{
    return look_relations((struct look){0}, pid, out);
}

int
ln_inspect_wait(ln_pid pid, struct ln_wait_info *out)
{
    return look_wait((struct look){0}, pid, out);
}

int
ln_node_inspect_list(struct ln_node *node, unsigned scheduler, uint32_t *slot,
                     struct ln_actor_info *out, uint32_t max, uint32_t *out_count,
                     uint64_t timeout_ms)
{
    struct look look = {.node = node, .timeout_ms = timeout_ms};
    return look_list(look, scheduler, slot, out, max, out_count);
}

int
ln_node_inspect_actor(struct ln_node *node, ln_pid pid, struct ln_actor_info *out,
                      char text[LN_INSPECT_TEXT_MAX], uint64_t timeout_ms)
{
    return look_actor((struct look){.node = node, .timeout_ms = timeout_ms}, pid, out, text);
}

int
ln_node_inspect_scheduler(struct ln_node *node, unsigned scheduler, struct ln_scheduler_info *out,
                          uint64_t timeout_ms)
{
    struct look look = {.node = node, .timeout_ms = timeout_ms};
    return look_scheduler(look, scheduler, out);
}

int
ln_node_inspect_relations(struct ln_node *node, ln_pid pid, struct ln_relations *out,
                          uint64_t timeout_ms)
{
    return look_relations((struct look){.node = node, .timeout_ms = timeout_ms}, pid, out);
}

int
ln_node_inspect_wait(struct ln_node *node, ln_pid pid, struct ln_wait_info *out,
                     uint64_t timeout_ms)
{
    return look_wait((struct look){.node = node, .timeout_ms = timeout_ms}, pid, out);
}
