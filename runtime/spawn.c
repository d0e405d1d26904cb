/* SPDX-License-Identifier: Apache-2.0 */
/* How an actor comes into being, here or on another scheduler:
 *
 *     the parent                             the child's scheduler
 *     SPAWN, and waits (uncancellably)  -->  makes the actor, held; answers with its pid
 *     LINK, MONITOR, BEGIN              -->  in this order: nothing of its life is missed
 *     waits for init, if asked          <--  answers BEGIN after init
 *
 * On its own scheduler the same happens without messages. A parent that is cancelled while it waits
 * for the init, or has waited long enough, kills the child, since nobody would know of it. */
#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/registry.h"
#include "runtime/scheduler.h"

#include <errno.h>
#include <string.h>

struct spawn_request {
    const struct ln_behaviour *behaviour;
    char name[LN_NAME_BYTES_MAX + 1]; /* empty: none */
    uint32_t bytes;
    bool tell_parent;
    unsigned char argument[] __attribute__((aligned(16)));
};

int
actor_spawn(struct scheduler *self, const struct ln_behaviour *behaviour, const void *argument,
            size_t bytes, const char *name, ln_pid parent, ln_pid *out)
{
    if (self->shutting_down || (behaviour->run != NULL && !node_has_stack(self->node))) {
        return -EAGAIN;
    }
    struct actor *actor = scheduler_adopt(self);
    if (actor == NULL) {
        return -EAGAIN;
    }
    actor_init(self, actor, behaviour, argument, bytes);
    int error = name != NULL ? registry_add(self->node->registry, self->index, name, actor) : 0;
    if (error != 0) {
        scheduler_forget(self, actor);
        actor_fini(self, actor);
        return error;
    }
    actor->body->parent = parent;
    self->stats.spawned++;
    *out = actor->pid;
    return 0;
}

void
spawn_arrived(struct scheduler *self, struct ln_msg **msg)
{
    const struct spawn_request *spawn = (const struct spawn_request *)(const void *)(*msg)->data;
    struct ln_caller caller = {.pid = (*msg)->from, .ref = (*msg)->ref};
    ln_pid pid = 0;
    int error = actor_spawn(self, spawn->behaviour, spawn->argument, spawn->bytes,
                            spawn->name[0] != '\0' ? spawn->name : NULL, (*msg)->from, &pid);
    if (error == 0) {
        scheduler_find(self, pid)->tells_parent = spawn->tell_parent;
    }
    struct ln_msg *answer = message_new(self, 0, LN_REPLY, sizeof pid);
    memcpy(answer->data, &pid, sizeof pid);
    message_answer(caller, &answer, error);
    ln_msg_free(msg);
}

static int
spawn_here(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
           const struct ln_spawn_options *options, ln_pid *out)
{
    struct scheduler *self = scheduler_current();
    int error = actor_spawn(self, behaviour, argument, bytes, options->name, ln_self(), out);
    if (error == 0) {
        scheduler_find(self, *out)->tells_parent = options->tell_parent;
    }
    return error;
}

static int
spawn_there(unsigned place, const struct ln_behaviour *behaviour, const void *argument,
            size_t bytes, const struct ln_spawn_options *options, ln_pid *out)
{
    const char *name = options->name;
    size_t name_bytes = name != NULL ? strnlen(name, LN_NAME_BYTES_MAX + 1) : 0;
    if (name_bytes > LN_NAME_BYTES_MAX || (name != NULL && name_bytes == 0)) {
        return -EINVAL;
    }
    struct ln_msg *request = signal_new(scheduler_current(), SIGNAL_SPAWN,
                                        offsetof(struct spawn_request, argument) + bytes);
    struct spawn_request *spawn = (struct spawn_request *)(void *)request->data;
    spawn->behaviour = behaviour;
    spawn->bytes = (uint32_t)bytes;
    spawn->tell_parent = options->tell_parent;
    if (name_bytes > 0) {
        memcpy(spawn->name, name, name_bytes);
    }
    if (bytes > 0) {
        memcpy(spawn->argument, argument, bytes);
    }
    struct ln_msg *answer = NULL;
    int error = message_call(scheduler_pid(place), &request, LN_FOREVER, false, &answer);
    if (error == 0) {
        memcpy(out, answer->data, sizeof *out);
        ln_msg_free(&answer);
    }
    return error;
}

static unsigned
spawn_place(const struct ln_spawn_options *options)
{
    if (!options->elsewhere || options->scheduler == LN_HERE) {
        return ln_scheduler();
    }
    if (options->scheduler == LN_ANYWHERE) {
        return node_least_loaded(scheduler_current()->node);
    }
    ln_actor_check(options->scheduler >= 0 && (unsigned)options->scheduler < ln_schedulers());
    return (unsigned)options->scheduler;
}

static void
begin(ln_pid pid)
{
    struct scheduler *self = scheduler_current();
    struct actor *child = scheduler_find(self, pid);
    if (child != NULL) {
        actor_begin(self, child);
        return;
    }
    struct ln_msg *signal = signal_new(self, SIGNAL_BEGIN, 0);
    message_post(self, pid, &signal);
}

static int
begin_and_wait(ln_pid pid, uint64_t timeout_ms)
{
    if (!wait_possible(scheduler_current(), actor_current())) {
        ln_kill(pid, LN_EXIT_KILLED); /* we end here, and it would be held for ever */
    }
    struct ln_msg *signal = signal_new(scheduler_current(), SIGNAL_BEGIN, 0);
    int error = message_call(pid, &signal, timeout_ms, true, NULL);
    if (error == -ETIMEDOUT) {
        ln_unlink(pid); /* the caller shall not end of it */
    }
    if (error == -ETIMEDOUT || error == -ECANCELED) {
        ln_kill(pid, LN_EXIT_KILLED);
    }
    return error;
}

static int
spawn(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
      const struct ln_spawn_options *options, bool wait_for_init, ln_pid *out)
{
    static const struct ln_spawn_options none = {0};
    options = options != NULL ? options : &none;
    unsigned place = spawn_place(options);
    ln_pid pid = 0;
    uint64_t monitor = 0;
    int error = place == ln_scheduler()
                    ? spawn_here(behaviour, argument, bytes, options, &pid)
                    : spawn_there(place, behaviour, argument, bytes, options, &pid);
    if (error != 0) {
        return error;
    }
    if (options->link) {
        ln_link(pid);
    }
    if (options->monitor) {
        monitor = ln_monitor(pid);
    }
    if (!wait_for_init) {
        begin(pid);
    } else if ((error = begin_and_wait(pid, options->init_ms != 0 ? options->init_ms
                                                                  : LN_FOREVER)) != 0) {
        ln_demonitor(monitor);
        return error;
    }
    if (options->monitor && options->out_monitor != NULL) {
        *options->out_monitor = monitor;
    }
    *out = pid;
    return 0;
}

int
ln_spawn(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
         const struct ln_spawn_options *options, ln_pid *out)
{
    return spawn(behaviour, argument, bytes, options, false, out);
}

int
ln_start(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
         const struct ln_spawn_options *options, ln_pid *out)
{
    return spawn(behaviour, argument, bytes, options, true, out);
}

int
ln_spawn_link(const struct ln_behaviour *behaviour, const void *argument, size_t bytes, ln_pid *out)
{
    static const struct ln_spawn_options options = {.link = true};
    return spawn(behaviour, argument, bytes, &options, false, out);
}

int
ln_spawn_monitor(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
                 ln_pid *out, uint64_t *out_monitor)
{
    struct ln_spawn_options options = {.monitor = true, .out_monitor = out_monitor};
    return spawn(behaviour, argument, bytes, &options, false, out);
}
