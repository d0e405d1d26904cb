/* SPDX-License-Identifier: Apache-2.0 */
/* What a supervisor is asked for its children: to start and add them, to end, restart and delete
 * them, who they are and how many. */
#include "runtime/check.h"
#include "runtime/supervisor_priv.h"

#include <errno.h>
#include <string.h>

static void
answer_pid(struct ln_caller caller, int error, ln_pid pid)
{
    if (error != 0) {
        ln_reply_error(caller, error);
        return;
    }
    struct ln_msg *answer = ln_msg_new(0, LN_REPLY, sizeof pid);
    memcpy(answer->data, &pid, sizeof pid);
    ln_reply(caller, &answer);
}

static void
start_child(struct supervisor *supervisor, struct ln_msg *request)
{
    struct ln_caller caller = ln_caller(request);
    if (!supervisor_dynamic(supervisor)) {
        ln_reply_error(caller, -EINVAL);
        return;
    }
    struct child passing = {.spec = &supervisor->spec.children[0]};
    struct child *child = &passing;
    if (supervisor_keeps_records(supervisor)) {
        child = ln_alloc(sizeof *child);
        *child = passing;
    }
    child->bytes = request->bytes;
    child->argument = request->data;
    int error = supervisor_child_start(supervisor, child);
    child->argument = NULL;
    if (error == 0 && supervisor_keeps_records(supervisor)) {
        void *kept = ln_alloc(request->bytes);
        memcpy(kept, request->data, request->bytes);
        child->argument = kept;
    }
    answer_pid(caller, error, child->pid);
    if (error != 0) {
        supervisor_child_forget(supervisor, child);
    }
}

static struct child *
table_find(const struct supervisor *supervisor, const char *id)
{
    for (uint32_t i = 0; i < supervisor->children_count; i++) {
        if (strcmp(supervisor->children[i]->spec->id, id) == 0) {
            return supervisor->children[i];
        }
    }
    return NULL;
}

static void
add_child(struct supervisor *supervisor, const struct ln_msg *request)
{
    const struct ln_child *spec = (const struct ln_child *)(const void *)request->data;
    struct ln_caller caller = ln_caller(request);
    if (supervisor_dynamic(supervisor) || table_find(supervisor, spec->id) != NULL) {
        ln_reply_error(caller, supervisor_dynamic(supervisor) ? -EINVAL : -EEXIST);
        return;
    }
    struct ln_child *added = ln_alloc(sizeof *added);
    *added = *spec;
    struct child *child = supervisor_table_append(supervisor, added);
    child->added = added;
    int error = supervisor_child_start(supervisor, child);
    answer_pid(caller, error, child->pid);
    if (error != 0) {
        supervisor_table_remove(supervisor, child);
    }
}

/* Whom a request means; NULL: there is none. */
static struct child *
child_asked(const struct supervisor *supervisor, const struct child_request *request,
            struct child *passing)
{
    if (!supervisor_dynamic(supervisor)) {
        return request->pid == 0 ? table_find(supervisor, request->id) : NULL;
    }
    return supervisor_child(supervisor, request->pid, passing);
}

static int
terminate_child(struct supervisor *supervisor, struct child *child)
{
    supervisor_restart_cancel(supervisor, child);
    if (child->pid != 0) {
        supervisor_child_stop(supervisor, child);
    }
    if (child->pid != 0) {
        return -ECANCELED; /* we are being killed */
    }
    supervisor_child_forget(supervisor, child);
    return 0;
}

static int
delete_child(struct supervisor *supervisor, struct child *child)
{
    if (child->pid != 0 || child->timer != 0) {
        return -EBUSY;
    }
    supervisor_table_remove(supervisor, child);
    return 0;
}

static int
restart_child(struct supervisor *supervisor, struct child *child)
{
    if (child->pid != 0 || child->timer != 0) {
        return child->pid != 0 ? -EEXIST : -EBUSY;
    }
    return supervisor_child_start(supervisor, child);
}

static void
order_child(struct supervisor *supervisor, const struct ln_msg *request)
{
    struct ln_caller caller = ln_caller(request);
    struct child passing;
    struct child *child = child_asked(
        supervisor, (const struct child_request *)(const void *)request->data, &passing);
    int error = -ENOENT;
    ln_pid pid = 0;
    if (child != NULL && request->tag == SUPERVISOR_TERMINATE_CHILD) {
        error = terminate_child(supervisor, child);
    } else if (child != NULL && supervisor_dynamic(supervisor)) {
        error = -EINVAL;
    } else if (child != NULL && request->tag == SUPERVISOR_DELETE_CHILD) {
        error = delete_child(supervisor, child);
    } else if (child != NULL) {
        error = restart_child(supervisor, child);
        pid = child->pid;
    }
    answer_pid(caller, error, pid);
}

static void
child_describe(const struct child *child, struct ln_child_info *out)
{
    *out = (struct ln_child_info){
        .id = child->spec->id,
        .behaviour = child->spec->behaviour,
        .pid = child->pid,
        .state = child->pid != 0     ? LN_CHILD_RUNNING
                 : child->timer != 0 ? LN_CHILD_RESTARTING
                                     : LN_CHILD_STOPPED,
        .restart = child->spec->restart,
    };
}

/* The child at a position of the table, or of the crowd; NULL: none is there. */
static const struct child *
child_at(const struct supervisor *supervisor, uint32_t position, struct child *passing)
{
    if (!supervisor_dynamic(supervisor)) {
        return supervisor->children[position];
    }
    return supervisor_child(supervisor, supervisor->crowd.pids[position], passing);
}

/* Positions are those in the table, or in the crowd and then in the list of those that wait. */
static void
which_children(const struct supervisor *supervisor, const struct ln_msg *request)
{
    const struct children_request *asked =
        (const struct children_request *)(const void *)request->data;
    uint32_t max = asked->max < LN_CHILDREN_PAGE ? asked->max : LN_CHILDREN_PAGE;
    struct ln_msg *answer = ln_msg_new(
        0, LN_REPLY, sizeof(struct children_answer) + max * sizeof(struct ln_child_info));
    struct children_answer *page = (struct children_answer *)(void *)answer->data;
    uint32_t position = asked->position;
    uint32_t places =
        supervisor_dynamic(supervisor) ? supervisor->crowd.places : supervisor->children_count;
    for (; position < places && page->count < max; position++) {
        struct child passing;
        const struct child *child = child_at(supervisor, position, &passing);
        if (child != NULL) {
            child_describe(child, &page->children[page->count++]);
        }
    }
    uint32_t listed = places;
    const struct child *child = supervisor_dynamic(supervisor) ? supervisor->waiting : NULL;
    for (; child != NULL && page->count < max; child = child->next) {
        if (listed++ >= position) {
            child_describe(child, &page->children[page->count++]);
            position++;
        }
    }
    page->position = position < places || child != NULL ? position : 0;
    ln_reply(ln_caller(request), &answer);
}

static void
count_children(const struct supervisor *supervisor, const struct ln_msg *request)
{
    struct ln_msg *answer = ln_msg_new(0, LN_REPLY, sizeof(struct ln_child_counts));
    struct ln_child_counts *counts = (struct ln_child_counts *)(void *)answer->data;
    bool all_alike = supervisor_dynamic(supervisor);
    counts->active = supervisor->running;
    counts->restarting = supervisor->waiting_count;
    counts->specs = all_alike ? counts->active + counts->restarting : supervisor->children_count;
    for (uint32_t i = 0; !all_alike && i < supervisor->children_count; i++) {
        counts->supervisors += supervisor->children[i]->spec->behaviour == &ln_supervisor;
    }
    if (all_alike && supervisor->spec.children[0].behaviour == &ln_supervisor) {
        counts->supervisors = counts->specs;
    }
    counts->workers = counts->specs - counts->supervisors;
    ln_reply(ln_caller(request), &answer);
}

void
supervisor_answer(struct supervisor *supervisor, struct ln_msg *request)
{
    switch (request->tag) {
    case SUPERVISOR_START_CHILD:
        start_child(supervisor, request);
        break;
    case SUPERVISOR_ADD_CHILD:
        add_child(supervisor, request);
        break;
    case SUPERVISOR_TERMINATE_CHILD:
    case SUPERVISOR_RESTART_CHILD:
    case SUPERVISOR_DELETE_CHILD:
        order_child(supervisor, request);
        break;
    case SUPERVISOR_WHICH_CHILDREN:
        which_children(supervisor, request);
        break;
    case SUPERVISOR_COUNT_CHILDREN:
        count_children(supervisor, request);
        break;
    default:
        break;
    }
}
