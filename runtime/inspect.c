/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"

#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/registry.h"
#include "runtime/scheduler.h"
#include "runtime/socket_priv.h"
#include "runtime/text.h"

#include <errno.h>
#include <string.h>

static const char *const state_names[] = {"held", "idle", "ready", "running", "waiting"};

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
        .parent = actor->parent,
        .behaviour = behaviour->name,
        .state = state_names[actor->run_state],
        .mailbox = mailbox_count(&actor->mailbox),
        .reductions = actor->reductions,
        .memory_bytes = sizeof *actor + behaviour->state_bytes + actor->memory_bytes,
    };
    if (actor->fiber != NULL) {
        out->memory_bytes += fiber_touched_bytes(actor->fiber);
    }
    if (actor->name != NULL) {
        (void)strncpy(out->name, name_text(actor->name), LN_NAME_BYTES_MAX);
    }
}

static void
scheduler_info(struct scheduler *self, struct ln_scheduler_info *out)
{
    const struct scheduler_stats *stats = &self->stats;
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
        .memory_used_bytes = slab_bytes_used(&self->slab),
        .memory_mapped_bytes = self->slab.bytes_mapped,
    };
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
    /* A bounded walk over slots, used or not: a look never holds the scheduler for long. */
    uint32_t last = slot + SLOT_CHUNK;
    for (; slot < self->slots_used && slot < last && page->count < max; slot++) {
        const struct actor *actor = scheduler_actor_at(self, slot);
        if (actor != NULL) {
            actor_info(actor, &page->actors[page->count++]);
        }
    }
    page->next_slot = slot < self->slots_used ? slot : 0;
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
    if (actor->behaviour->print != NULL && actor->begun) {
        actor->behaviour->print(actor->state, &text);
    }
    return answer;
}

void
inspect_arrived(struct scheduler *self, struct ln_msg **msg)
{
    struct ln_caller caller = {.pid = (*msg)->from, .ref = (*msg)->ref};
    const void *request = (*msg)->data;
    struct ln_msg *answer =
        (*msg)->tag == SIGNAL_LIST ? list(self, request) : inspect(self, request);
    message_answer(caller, &answer, answer != NULL ? 0 : -ESRCH);
    ln_msg_free(msg);
}

/* ----------------------------------------------------------------------------- the asker's side */

static int
ask(unsigned scheduler, uint32_t tag, const void *request, size_t bytes, struct ln_msg **out_answer)
{
    struct ln_msg *msg = signal_new(scheduler_current(), tag, bytes);
    memcpy(msg->data, request, bytes);
    return message_call(scheduler_pid(scheduler), &msg, LN_FOREVER, true, out_answer);
}

int
ln_inspect_list(unsigned scheduler, uint32_t *slot, struct ln_actor_info *out, uint32_t max,
                uint32_t *out_count)
{
    struct list_request request = {*slot, max};
    struct ln_msg *answer = NULL;
    int error = ask(scheduler, SIGNAL_LIST, &request, sizeof request, &answer);
    if (error != 0) {
        return error;
    }
    const struct list_answer *page = (const struct list_answer *)(const void *)answer->data;
    memcpy(out, page->actors, page->count * sizeof *out);
    *out_count = page->count;
    *slot = page->next_slot;
    ln_msg_free(&answer);
    return 0;
}

static int
inspect_ask(unsigned scheduler, ln_pid pid, struct ln_msg **out_answer)
{
    struct inspect_request request = {pid};
    return ask(scheduler, SIGNAL_INSPECT, &request, sizeof request, out_answer);
}

int
ln_inspect_actor(ln_pid pid, struct ln_actor_info *out, char text[LN_INSPECT_TEXT_MAX])
{
    struct ln_msg *answer = NULL;
    if (pid == 0 || ln_pid_scheduler(pid) >= ln_schedulers()) {
        return -ESRCH;
    }
    int error = inspect_ask(ln_pid_scheduler(pid), pid, &answer);
    if (error != 0) {
        return error;
    }
    const struct inspect_answer *found = (const struct inspect_answer *)(const void *)answer->data;
    *out = found->actor;
    memcpy(text, found->text, LN_INSPECT_TEXT_MAX);
    ln_msg_free(&answer);
    return 0;
}

int
ln_inspect_scheduler(unsigned scheduler, struct ln_scheduler_info *out)
{
    struct ln_msg *answer = NULL;
    int error = inspect_ask(scheduler, 0, &answer);
    if (error == 0) {
        *out = ((const struct inspect_answer *)(const void *)answer->data)->scheduler;
        ln_msg_free(&answer);
    }
    return error;
}
