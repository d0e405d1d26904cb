/* SPDX-License-Identifier: Apache-2.0 */
/* A supervisor is a behaviour like any other: it traps exits, monitors its children, and its
 * handler may wait. Children of a table live in an array in the table's order, those of a dynamic
 * supervisor are found by the index in their monitor's handle. Should the supervisor itself crash
 * or be killed, its children go with it (children_kill). */
#include "runtime/supervisor.h"

#include "runtime/bounds.h"
#include "runtime/check.h"
#include "runtime/text.h"

#include <errno.h>
#include <string.h>

enum supervisor_tag { SUPERVISOR_START_CHILD = LN_TAG_RUNTIME + 0x200 };

struct child {
    const struct ln_child *spec;
    ln_pid pid; /* 0: not running */
    uint64_t monitor;
    void *argument; /* a dynamic child's own copy for its restarts; NULL: the spec's */
    size_t bytes;
};

struct supervisor {
    struct ln_resource own;
    struct ln_supervision spec;
    struct child **children; /* by position in the table, or by index of the monitor's handle */
    uint32_t children_max;
    uint32_t running;
    uint64_t *restarts_ns; /* the last `intensity` of them, a ring */
    uint64_t restarts_count;
};

/* ------------------------------------------------------------------------------------- children */

static bool
dynamic(const struct supervisor *supervisor)
{
    return supervisor->spec.strategy == LN_DYNAMIC;
}

static void
children_reserve(struct supervisor *supervisor, uint32_t index)
{
    if (index < supervisor->children_max) {
        return;
    }
    uint32_t children_max = supervisor->children_max == 0 ? 16 : supervisor->children_max;
    while (children_max <= index) {
        children_max *= 2;
    }
    struct child **children = ln_alloc(children_max * sizeof(struct child *));
    if (supervisor->children != NULL) {
        memcpy(children, supervisor->children, supervisor->children_max * sizeof(struct child *));
        ln_free(supervisor->children);
    }
    supervisor->children = children;
    supervisor->children_max = children_max;
}

static uint32_t
index_of(const struct supervisor *supervisor, const struct child *child)
{
    return dynamic(supervisor) ? (uint32_t)child->monitor
                               : (uint32_t)(child->spec - supervisor->spec.children);
}

static struct child *
child_of_monitor(const struct supervisor *supervisor, uint64_t monitor)
{
    if (dynamic(supervisor)) {
        uint32_t index = (uint32_t)monitor;
        struct child *child = index < supervisor->children_max ? supervisor->children[index] : NULL;
        return child != NULL && child->monitor == monitor ? child : NULL;
    }
    for (uint32_t i = 0; i < supervisor->spec.children_count; i++) {
        if (supervisor->children[i]->pid != 0 && supervisor->children[i]->monitor == monitor) {
            return supervisor->children[i];
        }
    }
    return NULL;
}

static int
child_start(struct supervisor *supervisor, struct child *child)
{
    const struct ln_child *spec = child->spec;
    struct ln_spawn_options options = {.name = spec->name,
                                       .monitor = true,
                                       .elsewhere = spec->elsewhere,
                                       .scheduler = spec->scheduler,
                                       .out_monitor = &child->monitor};
    const void *argument = child->argument != NULL ? child->argument : spec->argument;
    size_t bytes = child->argument != NULL ? child->bytes : spec->bytes;
    int error = ln_start(spec->behaviour, argument, bytes, &options, &child->pid);
    if (error != 0) {
        return error;
    }
    uint32_t index = index_of(supervisor, child);
    children_reserve(supervisor, index);
    supervisor->children[index] = child;
    supervisor->running++;
    return 0;
}

static void
child_forget(struct supervisor *supervisor, struct child *child)
{
    if (dynamic(supervisor)) {
        ln_free(child->argument);
        ln_free(child);
    }
}

/* It is down: takes it out of the books of those that run. */
static void
child_ended(struct supervisor *supervisor, struct child *child)
{
    ASSERT(child->pid != 0 && supervisor->running > 0);
    if (dynamic(supervisor)) {
        supervisor->children[index_of(supervisor, child)] = NULL;
    }
    child->pid = 0;
    supervisor->running--;
}

/* ------------------------------------------------------------------------------------- stopping */

static bool
is_down(const struct ln_msg *msg, void *monitor)
{
    return msg->tag == LN_TAG_DOWN && (monitor == NULL || msg->ref == *(const uint64_t *)monitor);
}

/* Asks, waits, kills, waits. */
static void
child_stop(struct supervisor *supervisor, struct child *child)
{
    struct ln_msg *down = NULL;
    uint32_t shutdown_ms =
        child->spec->shutdown_ms != 0 ? child->spec->shutdown_ms : LN_SHUTDOWN_MS;
    uint64_t timeout_ms = child->spec->behaviour == &ln_supervisor ? LN_FOREVER : shutdown_ms;
    ln_kill(child->pid, LN_EXIT_SHUTDOWN);
    int error = ln_receive_match(is_down, &child->monitor, timeout_ms, &down);
    if (error == -ETIMEDOUT) {
        ln_kill(child->pid, LN_EXIT_KILLED);
        error = ln_receive_match(is_down, &child->monitor, LN_FOREVER, &down);
    }
    ln_msg_free(&down);
    if (error == 0) {
        child_ended(supervisor, child);
    } /* else we are being killed ourselves, and children_kill does the rest */
}

static void
children_stop_from(struct supervisor *supervisor, uint32_t first)
{
    for (uint32_t i = supervisor->spec.children_count; i-- > first;) {
        if (supervisor->children[i]->pid != 0) {
            child_stop(supervisor, supervisor->children[i]);
        }
    }
}

static void
dynamic_end_all(struct supervisor *supervisor, enum ln_exit_kind kind)
{
    for (uint32_t i = 0; i < supervisor->children_max; i++) {
        if (supervisor->children[i] != NULL) {
            ln_kill(supervisor->children[i]->pid, kind);
        }
    }
}

/* Dynamic children stop together, under one deadline. */
static void
dynamic_stop(struct supervisor *supervisor)
{
    uint32_t shutdown_ms = supervisor->spec.children[0].shutdown_ms;
    uint64_t deadline_ns =
        ln_now_ns() + (uint64_t)(shutdown_ms != 0 ? shutdown_ms : LN_SHUTDOWN_MS) * 1000000;
    bool killed = false;
    dynamic_end_all(supervisor, LN_EXIT_SHUTDOWN);
    while (supervisor->running > 0) {
        uint64_t now_ns = ln_now_ns();
        uint64_t left_ms = now_ns < deadline_ns ? (deadline_ns - now_ns) / 1000000 : 0;
        struct ln_msg *down = NULL;
        int error = ln_receive_match(is_down, NULL, killed ? LN_FOREVER : left_ms, &down);
        if (error == -ETIMEDOUT) {
            killed = true;
            dynamic_end_all(supervisor, LN_EXIT_KILLED);
            continue;
        }
        if (error != 0) {
            return;
        }
        struct child *child = child_of_monitor(supervisor, down->ref);
        ln_msg_free(&down);
        if (child != NULL) {
            child_ended(supervisor, child);
            child_forget(supervisor, child);
        }
    }
}

static void
children_stop(struct supervisor *supervisor)
{
    if (dynamic(supervisor)) {
        dynamic_stop(supervisor);
    } else {
        children_stop_from(supervisor, 0);
    }
}

/* However the supervisor ends, its children do not outlive it. */
static void
children_kill(struct ln_resource *own)
{
    struct supervisor *supervisor = (struct supervisor *)own;
    for (uint32_t i = 0; i < supervisor->children_max; i++) {
        if (supervisor->children[i] != NULL && supervisor->children[i]->pid != 0) {
            ln_kill(supervisor->children[i]->pid, LN_EXIT_KILLED);
        }
    }
}

/* ----------------------------------------------------------------------------------- restarting */

static bool
too_often(struct supervisor *supervisor)
{
    uint32_t intensity = supervisor->spec.intensity;
    if (intensity == 0) {
        return true;
    }
    uint64_t now_ns = ln_now_ns();
    uint64_t period_ns = (uint64_t)supervisor->spec.period_ms * 1000000;
    uint64_t *oldest = &supervisor->restarts_ns[supervisor->restarts_count % intensity];
    bool exceeded = supervisor->restarts_count >= intensity && now_ns - *oldest <= period_ns;
    *oldest = now_ns;
    supervisor->restarts_count++;
    return exceeded;
}

static bool
shall_restart(const struct child *child, enum ln_exit_kind kind)
{
    switch (child->spec->restart) {
    case LN_PERMANENT:
        return true;
    case LN_TRANSIENT:
        return kind != LN_EXIT_NORMAL && kind != LN_EXIT_SHUTDOWN;
    case LN_TEMPORARY:
        return false;
    }
    return false;
}

static uint32_t
first_to_restart(const struct supervisor *supervisor, const struct child *child)
{
    return supervisor->spec.strategy == LN_ONE_FOR_ALL ? 0 : index_of(supervisor, child);
}

static int
start_not_running(struct supervisor *supervisor, uint32_t first)
{
    for (uint32_t i = first; i < supervisor->spec.children_count; i++) {
        struct child *child = supervisor->children[i];
        bool wanted = child->pid == 0 && child->spec->restart != LN_TEMPORARY;
        int error = wanted ? child_start(supervisor, child) : 0;
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int
restart_once(struct supervisor *supervisor, struct child *child)
{
    if (supervisor->spec.strategy == LN_ONE_FOR_ONE || dynamic(supervisor)) {
        return child_start(supervisor, child);
    }
    uint32_t first = first_to_restart(supervisor, child);
    children_stop_from(supervisor, first);
    return start_not_running(supervisor, first);
}

static void
child_down(struct supervisor *supervisor, struct child *child, const struct ln_down *down)
{
    child_ended(supervisor, child);
    if (!shall_restart(child, down->reason.kind)) {
        child_forget(supervisor, child);
        return;
    }
    /* A restart whose init fails is a restart too, and is tried again until that was too often. */
    int error;
    do {
        if (too_often(supervisor)) {
            children_stop(supervisor);
            ln_stop(LN_EXIT_ERROR, "children restarted too often");
            return;
        }
        error = restart_once(supervisor, child);
    } while (error != 0 && error != -ECANCELED);
}

/* -------------------------------------------------------------------------------- the behaviour */

static int
supervisor_init(void *state, const void *argument)
{
    struct supervisor *supervisor = state;
    supervisor->spec = *(const struct ln_supervision *)argument;
    supervisor->restarts_ns = ln_alloc(supervisor->spec.intensity * sizeof(uint64_t));
    ln_own(&supervisor->own, children_kill);
    if (dynamic(supervisor)) {
        ASSERT(supervisor->spec.children_count == 1);
        return 0;
    }
    children_reserve(supervisor, supervisor->spec.children_count);
    for (uint32_t i = 0; i < supervisor->spec.children_count; i++) {
        supervisor->children[i] = ln_alloc(sizeof(struct child));
        supervisor->children[i]->spec = &supervisor->spec.children[i];
    }
    for (uint32_t i = 0; i < supervisor->spec.children_count; i++) {
        int error = child_start(supervisor, supervisor->children[i]);
        if (error != 0) {
            children_stop(supervisor);
            return error;
        }
    }
    return 0;
}

static void
start_child(struct supervisor *supervisor, struct ln_msg *request)
{
    struct ln_caller caller = ln_caller(request);
    if (!dynamic(supervisor)) {
        ln_reply_error(caller, -EINVAL);
        return;
    }
    struct child *child = ln_alloc(sizeof *child);
    child->spec = &supervisor->spec.children[0];
    child->bytes = request->bytes;
    child->argument = request->data;
    int error = child_start(supervisor, child);
    child->argument = NULL;
    if (error == 0 && child->spec->restart != LN_TEMPORARY) {
        void *kept = ln_alloc(request->bytes);
        memcpy(kept, request->data, request->bytes);
        child->argument = kept;
    }
    if (error != 0) {
        child_forget(supervisor, child);
        ln_reply_error(caller, error);
        return;
    }
    struct ln_msg *answer = ln_msg_new(SUPERVISOR_START_CHILD, LN_REPLY, sizeof child->pid);
    memcpy(answer->data, &child->pid, sizeof child->pid);
    ln_reply(caller, &answer);
}

static void
supervisor_handle(void *state, struct ln_msg **msg)
{
    struct supervisor *supervisor = state;
    struct child *child = NULL;
    switch ((*msg)->tag) {
    case LN_TAG_DOWN:
        child = child_of_monitor(supervisor, (*msg)->ref);
        if (child != NULL) {
            child_down(supervisor, child, (const struct ln_down *)(const void *)(*msg)->data);
        }
        break;
    case LN_TAG_STOP:
        children_stop(supervisor);
        ln_stop(LN_EXIT_SHUTDOWN, "stopped");
        break;
    case SUPERVISOR_START_CHILD:
        start_child(supervisor, *msg);
        break;
    default:
        break;
    }
}

static void
supervisor_print(const void *state, struct ln_text *out)
{
    static const char *const names[] = {"one_for_one", "one_for_all", "rest_for_one", "dynamic"};
    const struct supervisor *supervisor = state;
    ln_text_print(out, "%s, %u running, at most %u restarts in %u ms",
                  names[supervisor->spec.strategy], supervisor->running, supervisor->spec.intensity,
                  supervisor->spec.period_ms);
}

const struct ln_behaviour ln_supervisor = {
    .name = "supervisor",
    .state_bytes = sizeof(struct supervisor),
    .init = supervisor_init,
    .handle = supervisor_handle,
    .print = supervisor_print,
    .trap_exit = true,
};

int
ln_supervisor_start_child(ln_pid supervisor, const void *argument, size_t bytes, ln_pid *out)
{
    struct ln_msg *request = ln_msg_new(SUPERVISOR_START_CHILD, LN_DURABLE, bytes);
    if (bytes > 0) {
        memcpy(request->data, argument, bytes);
    }
    struct ln_msg *answer = NULL;
    int error = ln_call(supervisor, &request, LN_FOREVER, &answer);
    if (error == 0) {
        memcpy(out, answer->data, sizeof *out);
        ln_msg_free(&answer);
    }
    return error;
}
