/* SPDX-License-Identifier: Apache-2.0 */
/* A supervisor is a behaviour like any other: it traps exits, is told of its children's ends
 * (tell_parent: as by a monitor, but without one), and its handler may wait. Children of a table
 * live in an array in the table's order, those of a dynamic supervisor in a hash table over their
 * pids. A DOWN of a pid that is not there is that of a child whose init has failed. A child
 * that waits for its restart is in a list (`waiting`); its timer's message points to it, and is
 * taken out of the mailbox whenever the wait ends otherwise. Should the supervisor itself crash or
 * be killed, its children go with it (children_kill). What it is asked for its children is in
 * supervisor_answer.c. */
#include "runtime/supervisor.h"

#include "runtime/bounds.h"
#include "runtime/check.h"
#include "runtime/scheduler.h"
#include "runtime/supervisor_priv.h"
#include "runtime/text.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- children */

static void
table_reserve(struct supervisor *supervisor, uint32_t index)
{
    if (index < supervisor->children_max) {
        return;
    }
    uint32_t children_max = supervisor->children_max == 0 ? 16 : supervisor->children_max * 2;
    struct child **children = ln_alloc(children_max * sizeof(struct child *));
    if (supervisor->children != NULL) {
        memcpy(children, supervisor->children, supervisor->children_max * sizeof(struct child *));
        ln_free(supervisor->children);
    }
    supervisor->children = children;
    supervisor->children_max = children_max;
}

static struct child *
table_child(const struct supervisor *supervisor, ln_pid pid)
{
    for (uint32_t i = 0; i < supervisor->children_count; i++) {
        if (supervisor->children[i]->pid == pid) {
            return supervisor->children[i];
        }
    }
    return NULL;
}

struct child *
supervisor_child(const struct supervisor *supervisor, ln_pid pid, struct child *passing)
{
    if (!supervisor_dynamic(supervisor)) {
        return pid != 0 ? table_child(supervisor, pid) : NULL;
    }
    uint32_t place;
    if (!children_find(&supervisor->crowd, pid, &place)) {
        return NULL;
    }
    if (supervisor_keeps_records(supervisor)) {
        return children_record(&supervisor->crowd, place);
    }
    *passing = (struct child){.spec = &supervisor->spec.children[0], .pid = pid};
    return passing;
}

/* ------------------------------------------------------------------------ waiting for a restart */

static bool
is_restart_of(const struct ln_msg *msg, void *child)
{
    return msg->tag == SUPERVISOR_RESTART &&
           *(struct child *const *)(const void *)msg->data == child;
}

static void
waiting_remove(struct supervisor *supervisor, struct child *child)
{
    struct child **at = &supervisor->waiting;
    while (*at != child) {
        at = &(*at)->next;
    }
    *at = child->next;
    child->timer = 0;
    supervisor->waiting_count--;
}

/* It is not to be started when its delay is over. */
void
supervisor_restart_cancel(struct supervisor *supervisor, struct child *child)
{
    if (child->timer == 0) {
        return;
    }
    if (ln_cancel_timer(child->timer) != 0) {
        struct ln_msg *msg = NULL; /* it has fired, and lies in the mailbox */
        int error = ln_receive_match(is_restart_of, child, 0, &msg);
        ASSERT(error == 0);
        ln_msg_free(&msg);
    }
    waiting_remove(supervisor, child);
}

/* The next delay: twice the one before, less up to half of it by chance. */
static uint64_t
restart_delay_ms(struct child *child)
{
    const struct ln_child *spec = child->spec;
    uint64_t max_ms = spec->backoff_max_ms != 0 ? spec->backoff_max_ms : LN_BACKOFF_MAX_MS;
    if (child->started_ns != 0 && ln_now_ns() - child->started_ns > max_ms * 1000000) {
        child->delays = 0;
    }
    uint64_t delay_ms = (uint64_t)spec->backoff_ms << child->delays;
    if (delay_ms < max_ms) {
        child->delays++;
    } else {
        delay_ms = max_ms;
    }
    uint32_t chance;
    ln_random(&chance, sizeof chance);
    return delay_ms - chance % (delay_ms / 2 + 1);
}

static void
restart_wait(struct supervisor *supervisor, struct child *child)
{
    ASSERT(child->pid == 0 && child->timer == 0);
    struct ln_msg *msg = ln_msg_new(SUPERVISOR_RESTART, LN_REPLY, sizeof(struct child *));
    *(struct child **)(void *)msg->data = child;
    child->timer = ln_send_after(restart_delay_ms(child), ln_self(), &msg);
    child->next = supervisor->waiting;
    supervisor->waiting = child;
    supervisor->waiting_count++;
}

/* ------------------------------------------------------------------------------------- starting */

static ln_pid
down_pid(const struct ln_msg *down)
{
    return ((const struct ln_down *)(const void *)down->data)->pid;
}

/* `pid` may be NULL: of any. */
static bool
is_down(const struct ln_msg *msg, void *pid)
{
    return msg->tag == LN_TAG_DOWN && (pid == NULL || down_pid(msg) == *(const ln_pid *)pid);
}

/* A supervisor that is killed kills its children and is gone before they are, so another may start
 * the same table while a name in it still belongs to one that is ending. Waits for that one's end,
 * though no longer than for a child that was asked to stop. False: it has not ended, or the name is
 * somebody's who stays. */
static bool
name_awaited(const char *name)
{
    ln_pid holder = name_leaving(name);
    if (holder == 0) {
        return false;
    }
    uint64_t monitor = ln_monitor(holder);
    struct ln_msg *down = NULL;
    int error = ln_receive_match(is_down, &holder, LN_SHUTDOWN_MS, &down);
    ln_msg_free(&down);
    if (error != 0) {
        ln_demonitor(monitor);
    }
    return error == 0;
}

int
supervisor_child_start(struct supervisor *supervisor, struct child *child)
{
    supervisor_restart_cancel(supervisor, child);
    const struct ln_child *spec = child->spec;
    struct ln_spawn_options options = {.name = spec->name,
                                       .tell_parent = true,
                                       .elsewhere = spec->elsewhere,
                                       .scheduler = spec->scheduler,
                                       .init_ms = spec->init_ms};
    const void *argument = child->argument != NULL ? child->argument : spec->argument;
    size_t bytes = child->argument != NULL ? child->bytes : spec->bytes;
    child->started_ns = 0;
    if (supervisor_dynamic(supervisor)) {
        /* now: it may end us, and no child must outlive us */
        children_reserve(&supervisor->crowd, supervisor_keeps_records(supervisor));
    }
    int error;
    do {
        error = ln_start(spec->behaviour, argument, bytes, &options, &child->pid);
    } while (error == -EEXIST && spec->name != NULL && name_awaited(spec->name));
    if (error != 0) {
        return error;
    }
    child->started_ns = ln_now_ns();
    if (supervisor_dynamic(supervisor)) {
        children_add(&supervisor->crowd, child->pid,
                     supervisor_keeps_records(supervisor) ? child : NULL);
    }
    supervisor->running++;
    return 0;
}

void
supervisor_child_forget(struct supervisor *supervisor, struct child *child)
{
    if (supervisor_dynamic(supervisor) && supervisor_keeps_records(supervisor)) {
        supervisor_restart_cancel(supervisor, child);
        ln_free(child->argument);
        ln_free(child);
    }
}

/* It is down: takes it out of the books of those that run. */
static void
child_ended(struct supervisor *supervisor, struct child *child)
{
    ASSERT(child->pid != 0 && supervisor->running > 0);
    if (supervisor_dynamic(supervisor)) {
        struct child *record;
        bool there = children_remove(&supervisor->crowd, child->pid, &record);
        ASSERT(there);
    }
    child->pid = 0;
    supervisor->running--;
}

/* ------------------------------------------------------------------------------------- stopping */

/* Asks, waits, kills, waits. */
void
supervisor_child_stop(struct supervisor *supervisor, struct child *child)
{
    struct ln_msg *down = NULL;
    uint32_t shutdown_ms =
        child->spec->shutdown_ms != 0 ? child->spec->shutdown_ms : LN_SHUTDOWN_MS;
    uint64_t timeout_ms = child->spec->behaviour == &ln_supervisor ? LN_FOREVER : shutdown_ms;
    ln_kill(child->pid, LN_EXIT_SHUTDOWN);
    int error = ln_receive_match(is_down, &child->pid, timeout_ms, &down);
    if (error == -ETIMEDOUT) {
        ln_kill(child->pid, LN_EXIT_KILLED);
        error = ln_receive_match(is_down, &child->pid, LN_FOREVER, &down);
    }
    ln_msg_free(&down);
    if (error == 0) {
        child_ended(supervisor, child);
    } /* else we are being killed ourselves, and children_kill does the rest */
}

static void
children_stop_from(struct supervisor *supervisor, uint32_t first)
{
    for (uint32_t i = supervisor->children_count; i-- > first;) {
        supervisor_restart_cancel(supervisor, supervisor->children[i]);
        if (supervisor->children[i]->pid != 0) {
            supervisor_child_stop(supervisor, supervisor->children[i]);
        }
    }
}

static void
dynamic_end_all(struct supervisor *supervisor, enum ln_exit_kind kind)
{
    for (uint32_t i = 0; i < supervisor->crowd.places; i++) {
        if (supervisor->crowd.pids[i] != 0) {
            ln_kill(supervisor->crowd.pids[i], kind);
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
    while (supervisor->waiting != NULL) {
        supervisor_child_forget(supervisor, supervisor->waiting);
    }
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
        struct child passing;
        struct child *child = supervisor_child(supervisor, down_pid(down), &passing);
        ln_msg_free(&down);
        if (child != NULL) {
            child_ended(supervisor, child);
            supervisor_child_forget(supervisor, child);
        }
    }
}

static void
children_stop(struct supervisor *supervisor)
{
    if (supervisor_dynamic(supervisor)) {
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
    dynamic_end_all(supervisor, LN_EXIT_KILLED);
    for (uint32_t i = 0; i < supervisor->children_count; i++) {
        if (supervisor->children[i]->pid != 0) {
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
    return supervisor->spec.strategy == LN_ONE_FOR_ALL ? 0 : child->index;
}

/* Starts those from `first` on that do not run; *out_failed is where it ended. */
static int
start_not_running(struct supervisor *supervisor, uint32_t first, struct child **out_failed)
{
    for (uint32_t i = first; i < supervisor->children_count; i++) {
        struct child *child = supervisor->children[i];
        bool wanted = child->pid == 0 && child->spec->restart != LN_TEMPORARY;
        int error = wanted ? supervisor_child_start(supervisor, child) : 0;
        if (error != 0) {
            *out_failed = child;
            return error;
        }
    }
    return 0;
}

static bool
alone(const struct supervisor *supervisor)
{
    return supervisor->spec.strategy == LN_ONE_FOR_ONE || supervisor_dynamic(supervisor);
}

/* The child, and with it those that its supervisor's strategy names; they have been stopped. */
static int
restart_once(struct supervisor *supervisor, struct child *child, struct child **out_failed)
{
    *out_failed = child;
    return alone(supervisor)
               ? supervisor_child_start(supervisor, child)
               : start_not_running(supervisor, first_to_restart(supervisor, child), out_failed);
}

/* The child ended, or its restart failed. A restart whose init fails is a restart too, and is tried
 * again until that was too often: at once, or after another delay. */
static void
restart(struct supervisor *supervisor, struct child *child)
{
    int error;
    do {
        if (too_often(supervisor)) {
            children_stop(supervisor);
            ln_stop(LN_EXIT_ERROR, "children restarted too often");
            return;
        }
        if (!alone(supervisor)) {
            children_stop_from(supervisor, first_to_restart(supervisor, child));
        }
        if (child->spec->backoff_ms != 0) {
            restart_wait(supervisor, child);
            return;
        }
        error = restart_once(supervisor, child, &child);
    } while (error != 0 && error != -ECANCELED);
}

static void
child_down(struct supervisor *supervisor, struct child *child, const struct ln_down *down)
{
    child_ended(supervisor, child);
    if (shall_restart(child, down->reason.kind)) {
        restart(supervisor, child);
    } else {
        supervisor_child_forget(supervisor, child);
    }
}

/* Its delay is over. */
static void
restart_due(struct supervisor *supervisor, struct child *child)
{
    waiting_remove(supervisor, child);
    int error = restart_once(supervisor, child, &child);
    if (error != 0 && error != -ECANCELED) {
        restart(supervisor, child);
    }
}

/* -------------------------------------------------------------------------------- the behaviour */

struct child *
supervisor_table_append(struct supervisor *supervisor, const struct ln_child *spec)
{
    struct child *child = ln_alloc(sizeof *child);
    child->spec = spec;
    child->index = supervisor->children_count;
    table_reserve(supervisor, supervisor->children_count);
    supervisor->children[supervisor->children_count++] = child;
    return child;
}

void
supervisor_table_remove(struct supervisor *supervisor, struct child *child)
{
    ASSERT(child->pid == 0 && child->timer == 0);
    supervisor->children_count--;
    for (uint32_t i = child->index; i < supervisor->children_count; i++) {
        supervisor->children[i] = supervisor->children[i + 1];
        supervisor->children[i]->index = i;
    }
    supervisor->children[supervisor->children_count] = NULL;
    ln_free(child->added);
    ln_free(child);
}

static int
supervisor_init(void *state, const void *argument)
{
    struct supervisor *supervisor = state;
    supervisor->spec = *(const struct ln_supervision *)argument;
    supervisor->restarts_ns = ln_alloc(supervisor->spec.intensity * sizeof(uint64_t));
    ln_own(&supervisor->own, children_kill);
    if (supervisor_dynamic(supervisor)) {
        ASSERT(supervisor->spec.children_count == 1);
        return 0;
    }
    for (uint32_t i = 0; i < supervisor->spec.children_count; i++) {
        (void)supervisor_table_append(supervisor, &supervisor->spec.children[i]);
    }
    for (uint32_t i = 0; i < supervisor->children_count; i++) {
        int error = supervisor_child_start(supervisor, supervisor->children[i]);
        if (error != 0) {
            children_stop(supervisor);
            return error;
        }
    }
    return 0;
}

/* Who linked it to himself takes it along, as a gen_server's parent does; other EXITs mean
 * nothing. */
static void
parent_ended(struct supervisor *supervisor, const struct ln_down *down)
{
    if (down->pid == actor_current()->body->parent) {
        children_stop(supervisor);
        ln_stop(LN_EXIT_SHUTDOWN, "its parent ended");
    }
}

static void
supervisor_handle(void *state, struct ln_msg **msg)
{
    struct supervisor *supervisor = state;
    struct child passing;
    struct child *child = NULL;
    switch ((*msg)->tag) {
    case LN_TAG_DOWN:
        child = supervisor_child(supervisor, down_pid(*msg), &passing);
        if (child != NULL) {
            child_down(supervisor, child, (const struct ln_down *)(const void *)(*msg)->data);
        }
        break;
    case LN_TAG_STOP:
        children_stop(supervisor);
        ln_stop(LN_EXIT_SHUTDOWN, "stopped");
        break;
    case SUPERVISOR_RESTART:
        restart_due(supervisor, *(struct child *const *)(const void *)(*msg)->data);
        break;
    case LN_TAG_EXIT:
        parent_ended(supervisor, (const struct ln_down *)(const void *)(*msg)->data);
        break;
    default:
        supervisor_answer(supervisor, *msg);
        break;
    }
}

static void
supervisor_print(const void *state, struct ln_text *out)
{
    static const char *const names[] = {"one_for_one", "one_for_all", "rest_for_one", "dynamic"};
    const struct supervisor *supervisor = state;
    ln_text_print(out, "%s, %u running, %u waiting for a restart, at most %u restarts in %u ms",
                  names[supervisor->spec.strategy], supervisor->running, supervisor->waiting_count,
                  supervisor->spec.intensity, supervisor->spec.period_ms);
}

static const char *
supervisor_tag_name(uint32_t tag)
{
    static const char *const names[] = {
        "START_CHILD",  "ADD_CHILD",      "TERMINATE_CHILD", "RESTART_CHILD",
        "DELETE_CHILD", "WHICH_CHILDREN", "COUNT_CHILDREN",  "RESTART",
    };
    enum { NAMES = sizeof names / sizeof names[0] };
    _Static_assert(SUPERVISOR_RESTART - SUPERVISOR_START_CHILD == NAMES - 1, "each has its name");
    return tag - SUPERVISOR_START_CHILD < NAMES ? names[tag - SUPERVISOR_START_CHILD] : NULL;
}

const struct ln_behaviour ln_supervisor = {
    .name = "supervisor",
    .state_bytes = sizeof(struct supervisor),
    .init = supervisor_init,
    .handle = supervisor_handle,
    .print = supervisor_print,
    .tag_name = supervisor_tag_name,
    .memory_bytes_max = UINT32_MAX, /* as many children as there are actors */
    .trap_exit = true,
};
