/* SPDX-License-Identifier: Apache-2.0 */
/* The asker's side: each function is one call, or one request. */
#include "runtime/supervisor_priv.h"

#include <errno.h>
#include <string.h>

static struct ln_msg *
request_new(enum supervisor_tag tag, const void *data, size_t bytes)
{
    /* New children are work, and refused with it; looks and orders are not. */
    enum ln_lane lane = tag <= SUPERVISOR_ADD_CHILD ? LN_DURABLE : LN_SYSTEM;
    struct ln_msg *request = ln_msg_new(tag, lane, bytes);
    if (bytes > 0) {
        memcpy(request->data, data, bytes);
    }
    return request;
}

/* Calls with a request of `bytes`, and copies what is answered. */
static int
ask(ln_pid supervisor, enum supervisor_tag tag, const void *data, size_t bytes, uint64_t timeout_ms,
    void *out, size_t out_bytes)
{
    struct ln_msg *request = request_new(tag, data, bytes);
    struct ln_msg *answer = NULL;
    int error = ln_call(supervisor, &request, timeout_ms, &answer);
    if (error == 0 && out_bytes > 0) {
        ln_actor_check(answer->bytes >= out_bytes);
        memcpy(out, answer->data, out_bytes);
    }
    ln_msg_free(&answer);
    return error;
}

int
ln_supervisor_start_child(ln_pid supervisor, const void *argument, size_t bytes,
                          uint64_t timeout_ms, ln_pid *out)
{
    return ask(supervisor, SUPERVISOR_START_CHILD, argument, bytes, timeout_ms, out, sizeof *out);
}

uint64_t
ln_supervisor_request_child(ln_pid supervisor, const void *argument, size_t bytes)
{
    struct ln_msg *request = request_new(SUPERVISOR_START_CHILD, argument, bytes);
    return ln_request(supervisor, &request);
}

int
ln_supervisor_add_child(ln_pid supervisor, const struct ln_child *spec, uint64_t timeout_ms,
                        ln_pid *out)
{
    return ask(supervisor, SUPERVISOR_ADD_CHILD, spec, sizeof *spec, timeout_ms, out, sizeof *out);
}

static int
ask_of(ln_pid supervisor, enum supervisor_tag tag, const char *id, ln_pid pid, uint64_t timeout_ms,
       ln_pid *out)
{
    struct child_request request = {.pid = pid};
    size_t id_bytes = strnlen(id, sizeof request.id);
    if (id_bytes == sizeof request.id) {
        return -ENOENT;
    }
    memcpy(request.id, id, id_bytes);
    return ask(supervisor, tag, &request, sizeof request, timeout_ms, out,
               out != NULL ? sizeof *out : 0);
}

int
ln_supervisor_terminate_child(ln_pid supervisor, const char *id, uint64_t timeout_ms)
{
    return ask_of(supervisor, SUPERVISOR_TERMINATE_CHILD, id, 0, timeout_ms, NULL);
}

int
ln_supervisor_terminate_pid(ln_pid supervisor, ln_pid child, uint64_t timeout_ms)
{
    return child != 0 ? ask_of(supervisor, SUPERVISOR_TERMINATE_CHILD, "", child, timeout_ms, NULL)
                      : -ENOENT;
}

int
ln_supervisor_restart_child(ln_pid supervisor, const char *id, uint64_t timeout_ms, ln_pid *out)
{
    return ask_of(supervisor, SUPERVISOR_RESTART_CHILD, id, 0, timeout_ms, out);
}

int
ln_supervisor_delete_child(ln_pid supervisor, const char *id, uint64_t timeout_ms)
{
    return ask_of(supervisor, SUPERVISOR_DELETE_CHILD, id, 0, timeout_ms, NULL);
}

int
ln_supervisor_which_children(ln_pid supervisor, uint32_t *position, uint64_t timeout_ms,
                             struct ln_child_info *out, uint32_t max, uint32_t *out_count)
{
    struct ln_msg *request =
        ln_msg_new(SUPERVISOR_WHICH_CHILDREN, LN_SYSTEM, sizeof(struct children_request));
    *(struct children_request *)(void *)request->data = (struct children_request){*position, max};
    struct ln_msg *answer = NULL;
    int error = ln_call(supervisor, &request, timeout_ms, &answer);
    if (error == 0) {
        const struct children_answer *page =
            (const struct children_answer *)(const void *)answer->data;
        memcpy(out, page->children, page->count * sizeof *out);
        *out_count = page->count;
        *position = page->position;
    }
    ln_msg_free(&answer);
    return error;
}

int
ln_supervisor_count_children(ln_pid supervisor, uint64_t timeout_ms, struct ln_child_counts *out)
{
    return ask(supervisor, SUPERVISOR_COUNT_CHILDREN, NULL, 0, timeout_ms, out, sizeof *out);
}
