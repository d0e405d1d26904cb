/* SPDX-License-Identifier: Apache-2.0 */
/* Names as actors and other threads give them and look them up. Whoever gives a name to an actor of
 * another scheduler, or takes it, asks that scheduler. */
#include "runtime/door.h"
#include "runtime/node_priv.h"
#include "runtime/registry.h"
#include "runtime/scheduler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct name_order {
    ln_pid pid;
    char name[LN_NAME_BYTES_MAX + 1];
};

static int
name_give(struct scheduler *self, const struct name_order *order)
{
    struct actor *actor = scheduler_find(self, order->pid);
    return actor != NULL ? registry_add(self->node->registry, self->index, order->name, actor)
                         : -ESRCH;
}

static int
name_take(struct scheduler *self, const struct name_order *order)
{
    struct actor *actor = scheduler_find(
        self, registry_find(self->node->registry, (int)self->index, order->name, NULL));
    if (actor == NULL || actor->pid != order->pid) {
        return -ENOENT;
    }
    registry_remove(self->node->registry, self->index, actor);
    return 0;
}

void
name_arrived(struct scheduler *self, struct ln_msg **msg)
{
    const struct name_order *order = (const struct name_order *)(const void *)(*msg)->data;
    struct ln_caller caller = {.pid = (*msg)->from, .ref = (*msg)->ref};
    struct ln_msg *answer = NULL;
    message_answer(caller, &answer,
                   (*msg)->tag == SIGNAL_REGISTER ? name_give(self, order)
                                                  : name_take(self, order));
    ln_msg_free(msg);
}

/* 0 or -EINVAL. */
static int
order_fill(struct name_order *out, const char *name, ln_pid pid)
{
    size_t bytes = strnlen(name, sizeof out->name);
    if (bytes == 0 || bytes == sizeof out->name) {
        return -EINVAL;
    }
    memset(out, 0, sizeof *out);
    out->pid = pid;
    memcpy(out->name, name, bytes);
    return 0;
}

/* ----------------------------------------------------------------------------------- for actors */

static int
order_there(uint32_t tag, const struct name_order *order)
{
    if (ln_pid_scheduler(order->pid) >= ln_schedulers()) {
        return -ESRCH;
    }
    struct ln_msg *signal = signal_new(scheduler_current(), tag, sizeof *order);
    memcpy(signal->data, order, sizeof *order);
    return message_call(scheduler_pid(ln_pid_scheduler(order->pid)), &signal, LN_FOREVER, true,
                        NULL);
}

int
ln_register(const char *name, ln_pid pid)
{
    struct name_order order;
    int error = order_fill(&order, name, pid);
    if (error != 0) {
        return error;
    }
    return ln_pid_scheduler(pid) == ln_scheduler() ? name_give(scheduler_current(), &order)
                                                   : order_there(SIGNAL_REGISTER, &order);
}

int
ln_unregister(const char *name)
{
    struct name_order order;
    ln_pid pid = ln_whereis(name);
    if (pid == 0 || order_fill(&order, name, pid) != 0) {
        return -ENOENT;
    }
    return ln_pid_scheduler(pid) == ln_scheduler() ? name_take(scheduler_current(), &order)
                                                   : order_there(SIGNAL_UNREGISTER, &order);
}

ln_pid
ln_whereis(const char *name)
{
    struct scheduler *self = scheduler_current();
    return registry_find(self->node->registry, (int)self->index, name, NULL);
}

ln_pid
name_leaving(const char *name)
{
    struct scheduler *self = scheduler_current();
    bool leaving = false;
    ln_pid pid = registry_find(self->node->registry, (int)self->index, name, &leaving);
    return leaving ? pid : 0;
}

/* ---------------------------------------------------------------------------- for other threads */

static int
order_from_outside(struct ln_node *node, uint32_t tag, const struct name_order *order)
{
    struct door_answer answer = {0};
    int error = door_call(node, scheduler_pid(ln_pid_scheduler(order->pid)), tag, true, order,
                          sizeof *order, LN_FOREVER, &answer);
    free(answer.data);
    return error;
}

int
ln_node_register(struct ln_node *node, const char *name, ln_pid pid)
{
    struct name_order order;
    int error = order_fill(&order, name, pid);
    return error != 0 ? error : order_from_outside(node, SIGNAL_REGISTER, &order);
}

int
ln_node_unregister(struct ln_node *node, const char *name)
{
    struct name_order order;
    ln_pid pid = ln_node_whereis(node, name);
    if (pid == 0 || order_fill(&order, name, pid) != 0) {
        return -ENOENT;
    }
    return order_from_outside(node, SIGNAL_UNREGISTER, &order);
}

ln_pid
ln_node_whereis(struct ln_node *node, const char *name)
{
    return registry_find(node->registry, -1, name, NULL);
}
