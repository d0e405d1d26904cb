/* SPDX-License-Identifier: Apache-2.0 */
/* What schedulers say to one another about their actors: links, monitors, ends.
 *
 * A link or monitor is a message that lies ready at the actor it speaks of (its `notices`): the
 * EXIT or DOWN that will be sent when that actor ends. It is allocated when the link or monitor is
 * made, so nothing can refuse it later, and it is sent after everything the actor sent before. The
 * watcher keeps a struct monitor, so that a DOWN which is no longer wanted finds nothing.
 *
 * A supervisor with a million children needs none of that: each of them notes in a bit that its
 * parent is to be told (tells_parent), and the DOWN is made when it ends. Memory never refuses it:
 * without any the node ends. */
#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/scheduler.h"
#include "runtime/trace_priv.h"

#include <errno.h>
#include <string.h>

static const char *const exit_kind_names[] = {"normal",       "shutdown", "killed", "noproc",
                                              "noconnection", "timeout",  "error"};

const char *
ln_exit_kind_name(enum ln_exit_kind kind)
{
    ASSERT((size_t)kind < sizeof exit_kind_names / sizeof exit_kind_names[0]);
    return exit_kind_names[kind];
}

static struct ln_down *
down_of(struct ln_msg *msg)
{
    ASSERT(msg->bytes >= sizeof(struct ln_down));
    return (struct ln_down *)(void *)msg->data;
}

struct ln_msg *
signal_new(struct scheduler *self, uint32_t tag, size_t bytes)
{
    struct ln_msg *msg = message_new(self, tag, LN_REPLY, bytes);
    msg->flags = LN_MSG_SIGNAL;
    return msg;
}

/* Sends a notice to whoever waits for it: the sender of the link or monitor. */
static void
notice_send(struct scheduler *self, struct ln_msg *notice, ln_pid ended, struct ln_reason reason)
{
    ln_pid to = notice->from;
    notice->from = ended;
    *down_of(notice) = (struct ln_down){ended, reason};
    message_post(self, to, &notice);
}

void
notices_send(struct scheduler *self, struct actor *actor, ln_pid pid)
{
    struct actor_body *body = actor->body;
    while (body->notices != NULL) {
        struct ln_msg *notice = body->notices;
        body->notices = notice->next;
        notice_send(self, notice, pid, *actor->ending);
    }
    if (actor->tells_parent) {
        struct ln_msg *notice = signal_new(self, LN_TAG_DOWN, sizeof(struct ln_down));
        notice->from = body->parent;
        notice_send(self, notice, pid, *actor->ending);
    }
}

static struct ln_msg *
notice_take(struct actor *actor, uint32_t tag, ln_pid watcher, uint64_t ref)
{
    for (struct ln_msg **at = &actor->body->notices; *at != NULL; at = &(*at)->next) {
        struct ln_msg *notice = *at;
        if (notice->tag == tag && notice->from == watcher && notice->ref == ref) {
            *at = notice->next;
            notice->next = NULL;
            return notice;
        }
    }
    return NULL;
}

static void
notice_drop(struct actor *actor, uint32_t tag, ln_pid watcher, uint64_t ref)
{
    struct ln_msg *notice = notice_take(actor, tag, watcher, ref);
    ln_msg_free(&notice);
}

static void
notice_keep(struct actor *actor, struct ln_msg *notice, uint32_t tag)
{
    notice->tag = tag;
    notice->next = actor->body->notices;
    actor->body->notices = notice;
}

/* ---------------------------------------------------------------------------------------- links */

void
ln_link(ln_pid pid)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = actor_current();
    if (pid == actor->pid) {
        return;
    }
    notice_drop(actor, LN_TAG_EXIT, pid, 0); /* a second link is the same link */
    struct ln_msg *ours = signal_new(self, LN_TAG_EXIT, sizeof(struct ln_down));
    ours->from = pid;
    notice_keep(actor, ours, LN_TAG_EXIT);
    struct ln_msg *theirs = signal_new(self, SIGNAL_LINK, sizeof(struct ln_down));
    theirs->from = actor->pid;
    message_post(self, pid, &theirs);
}

void
ln_unlink(ln_pid pid)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = actor_current();
    notice_drop(actor, LN_TAG_EXIT, pid, 0);
    struct ln_msg *unlink = signal_new(self, SIGNAL_UNLINK, 0);
    unlink->from = actor->pid;
    message_post(self, pid, &unlink);
}

static void
exit_arrived(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    struct ln_down *down = down_of(*msg);
    /* Without our half of the link it was unlinked while the EXIT was on its way. */
    struct ln_msg *ours = notice_take(actor, LN_TAG_EXIT, down->pid, 0);
    if (ours == NULL) {
        ln_msg_free(msg);
        return;
    }
    ln_msg_free(&ours);
    if (actor->traps_exit) {
        (*msg)->flags = 0;
        message_deliver(self, actor->pid, msg);
        return;
    }
    if (down->reason.kind != LN_EXIT_NORMAL) {
        actor_end_soon(self, actor, down->reason);
    }
    ln_msg_free(msg);
}

bool
ln_trap_exit(bool trap)
{
    struct actor *actor = actor_current();
    bool before = actor->traps_exit;
    actor->traps_exit = trap;
    return before;
}

/* ------------------------------------------------------------------------------------- monitors */

struct monitor {
    struct ln_resource own;
    ln_pid watched;
    uint64_t handle;
    ln_pid watcher;
};

static void
monitor_release(struct ln_resource *resource)
{
    struct monitor *monitor = (struct monitor *)resource;
    struct scheduler *self = scheduler_current();
    struct ln_msg *demonitor = signal_new(self, SIGNAL_DEMONITOR, 0);
    demonitor->from = monitor->watcher;
    demonitor->ref = monitor->handle;
    message_post(self, monitor->watched, &demonitor);
    (void)handle_free(&self->handles, monitor->handle);
    slab_free(&self->slab, monitor, sizeof *monitor);
}

static struct monitor *
monitor_find(struct scheduler *self, uint64_t handle)
{
    struct monitor *monitor = handle_get(&self->handles, handle);
    return monitor != NULL && monitor->own.release == monitor_release ? monitor : NULL;
}

uint64_t
ln_monitor(ln_pid pid)
{
    struct scheduler *self = scheduler_current();
    struct monitor *monitor = slab_alloc(&self->slab, sizeof *monitor);
    memset(monitor, 0, sizeof *monitor);
    uint64_t handle = handle_new(&self->handles, monitor);
    monitor->handle = handle;
    monitor->watched = pid;
    monitor->watcher = ln_self();
    ln_own(&monitor->own, monitor_release);
    struct ln_msg *notice = signal_new(self, SIGNAL_MONITOR, sizeof(struct ln_down));
    notice->from = monitor->watcher;
    notice->ref = handle;
    message_post(self, pid, &notice);
    return handle;
}

static bool
is_down_of(const struct ln_msg *msg, void *handle)
{
    return msg->tag == LN_TAG_DOWN && msg->ref == *(const uint64_t *)handle;
}

void
ln_demonitor(uint64_t handle)
{
    struct monitor *monitor = monitor_find(scheduler_current(), handle);
    if (handle == 0) {
        return;
    }
    if (monitor != NULL) {
        ln_actor_check(monitor->watcher == ln_self());
        ln_disown(&monitor->own);
        monitor_release(&monitor->own);
        return;
    }
    /* It may have come already, and wait. */
    struct ln_msg *down = actor_pop_match(actor_current(), is_down_of, &handle);
    ln_msg_free(&down);
}

static void
down_arrived(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    if ((*msg)->ref != 0) { /* else it is of a child that tells its parent */
        struct monitor *monitor = monitor_find(self, (*msg)->ref);
        if (monitor == NULL) {
            ln_msg_free(msg);
            return;
        }
        ASSERT(monitor->watcher == actor->pid);
        (void)handle_free(&self->handles, monitor->handle);
        ln_disown(&monitor->own);
        slab_free(&self->slab, monitor, sizeof *monitor);
    }
    (*msg)->flags = 0;
    message_deliver(self, actor->pid, msg);
}

void
signal_relations(const struct actor *actor, struct ln_relations *out)
{
    for (const struct ln_msg *notice = actor->body->notices; notice != NULL;
         notice = notice->next) {
        bool link = notice->tag == LN_TAG_EXIT;
        uint32_t count = link ? out->links_count++ : out->watchers_count++;
        if (count < LN_RELATIONS_MAX) {
            (link ? out->links : out->watchers)[count] = notice->from;
        }
    }
    if (actor->tells_parent && out->watchers_count++ < LN_RELATIONS_MAX) {
        out->watchers[out->watchers_count - 1] = actor->body->parent;
    }
    for (const struct ln_resource *own = actor->resources; own != NULL; own = own->next) {
        if (own->release == monitor_release && out->watching_count++ < LN_RELATIONS_MAX) {
            out->watching[out->watching_count - 1] = ((const struct monitor *)own)->watched;
        }
    }
}

/* ----------------------------------------------------------------------------------------- ends */

void
ln_kill(ln_pid pid, enum ln_exit_kind kind)
{
    struct scheduler *self = scheduler_current();
    struct ln_msg *end = signal_new(self, SIGNAL_END, sizeof(struct ln_down));
    end->from = self->current != NULL ? self->current->pid : scheduler_pid(self->index);
    *down_of(end) = (struct ln_down){end->from, {.kind = kind, .text = "ended by another"}};
    message_post(self, pid, &end);
}

/* To who traps exits: a shutdown comes as the supervisor's wish, all else as the exit it is. */
static void
end_is_told(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    if (down_of(*msg)->reason.kind == LN_EXIT_SHUTDOWN) {
        ln_msg_free(msg);
        *msg = message_new(self, LN_TAG_STOP, LN_SYSTEM, 0);
    } else {
        (*msg)->tag = LN_TAG_EXIT;
        (*msg)->flags = 0;
    }
    message_deliver(self, actor->pid, msg);
}

static void
end_arrived(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    struct ln_down end = *down_of(*msg);
    if (end.reason.kind != LN_EXIT_KILLED && actor->traps_exit && actor->ending == NULL) {
        end_is_told(self, actor, msg);
        return;
    }
    ln_msg_free(msg);
    if (end.reason.kind != LN_EXIT_NORMAL || end.pid == actor->pid) {
        actor_end_soon(self, actor, end.reason);
    }
}

static void
begin_arrived(struct scheduler *self, struct actor *actor, const struct ln_msg *signal)
{
    if ((signal->flags & LN_MSG_REQUEST) != 0) {
        actor_init_awaited(self, actor,
                           (struct ln_caller){.pid = signal->from, .ref = signal->ref});
    }
    actor_begin(self, actor);
}

/* -------------------------------------------------------------------------------------- arrival */

/* To an actor that is gone (or never was): links and monitors learn it, requests are answered, all
 * else is void. */
static void
signal_to_no_one(struct scheduler *self, struct ln_msg **msg)
{
    struct ln_msg *signal = *msg;
    if (signal->tag == SIGNAL_LINK || signal->tag == SIGNAL_MONITOR) {
        *msg = NULL;
        signal->tag = signal->tag == SIGNAL_LINK ? LN_TAG_EXIT : LN_TAG_DOWN;
        notice_send(self, signal, signal->to,
                    (struct ln_reason){.kind = LN_EXIT_NOPROC, .text = "no such actor"});
        return;
    }
    if ((signal->flags & LN_MSG_REQUEST) != 0) {
        struct ln_msg *answer = NULL;
        message_answer((struct ln_caller){.pid = signal->from, .ref = signal->ref}, &answer,
                       -ESRCH);
    }
    ln_msg_free(msg);
}

static void
signal_to_actor(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    struct ln_msg *signal = *msg;
    switch (signal->tag) {
    case LN_TAG_EXIT:
        exit_arrived(self, actor, msg);
        return;
    case LN_TAG_DOWN:
        down_arrived(self, actor, msg);
        return;
    case LN_TAG_JOINED:
    case LN_TAG_LEFT:
        group_event_arrived(self, actor, msg);
        return;
    case SIGNAL_END:
        end_arrived(self, actor, msg);
        return;
    case SIGNAL_BEGIN:
        begin_arrived(self, actor, signal);
        break;
    case SIGNAL_LINK:
        notice_drop(actor, LN_TAG_EXIT, signal->from, 0);
        notice_keep(actor, signal, LN_TAG_EXIT);
        *msg = NULL;
        return;
    case SIGNAL_MONITOR:
        notice_keep(actor, signal, LN_TAG_DOWN);
        *msg = NULL;
        return;
    case SIGNAL_UNLINK:
        notice_drop(actor, LN_TAG_EXIT, signal->from, 0);
        break;
    case SIGNAL_DEMONITOR:
        notice_drop(actor, LN_TAG_DOWN, signal->from, signal->ref);
        break;
    default:
        check_failed("a signal that no actor knows", __FILE__, __LINE__);
    }
    ln_msg_free(msg);
}

void
scheduler_signal(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    if ((*msg)->to == scheduler_pid(self->index)) {
        switch ((*msg)->tag) {
        case SIGNAL_SPAWN:
            spawn_arrived(self, msg);
            return;
        case SIGNAL_LIST:
        case SIGNAL_RELATIONS:
        case SIGNAL_INSPECT:
        case SIGNAL_WAIT:
            inspect_arrived(self, msg);
            return;
        case SIGNAL_REGISTER:
        case SIGNAL_UNREGISTER:
            name_arrived(self, msg);
            return;
        case SIGNAL_GROUP_SEND:
        case SIGNAL_GROUP_MEMBERS:
        case SIGNAL_GROUP_MONITOR:
        case SIGNAL_GROUP_DEMONITOR:
            group_signal(self, msg);
            return;
        case SIGNAL_CRASHES:
            crashes_arrived(self, msg);
            return;
        case SIGNAL_TRACE_START:
        case SIGNAL_TRACE_READ:
        case SIGNAL_TRACE_STOP:
            trace_arrived(self, msg);
            return;
        case SIGNAL_SHUT_DOWN:
            scheduler_shut_down(self);
            break;
        default:
            check_failed("a signal that no scheduler knows", __FILE__, __LINE__);
        }
        ln_msg_free(msg);
    } else if (actor == NULL) {
        signal_to_no_one(self, msg);
    } else {
        signal_to_actor(self, actor, msg);
    }
}
