/* SPDX-License-Identifier: Apache-2.0 */
/* The tool as a node: one scheduler, one worker thread, small rings, and one process actor that
 * runs the command. Opened and closed in well under a millisecond. */
#include "runtime/bounds.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"
#include "tools/linnet_call.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { RING_ENTRIES = 16, RECEIVE_BUFFERS = 16, ACTORS_MAX = 16 };

struct task {
    struct linnet_call *call;
    int (*run)(struct linnet_call *call);
    int *code;
};

static int
task_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(struct task));
    return 0;
}

static void
task_run(void *state)
{
    const struct task *task = state;
    *task->code = task->run(task->call);
    linnet_client_close(&task->call->client);
}

static const struct ln_behaviour task_behaviour = {
    .name = "task",
    .state_bytes = sizeof(struct task),
    .init = task_init,
    .run = task_run,
    .stack_bytes = LN_LENT_STACK_BYTES, /* yajl and printf run on it */
};

int
linnet_run(struct linnet_call *call, int (*run)(struct linnet_call *call))
{
    char why[512] = "";
    struct io_driver *driver = NULL;
    int code = SHELL_FAILED;
    struct task task = {.call = call, .run = run, .code = &code};
    const struct uring_options options = {
        .loops = 1, .workers = 1, .receive_buffers = RECEIVE_BUFFERS, .ring_entries = RING_ENTRIES};
    (void)signal(SIGPIPE, SIG_IGN);
    if (uring_open(&options, &driver, why, sizeof why) < 0) {
        (void)fprintf(stderr, "linnet: %s\n", why);
        return SHELL_FAILED;
    }
    /* The only task that there is may work for long. */
    const struct ln_node_options alone = {.actors_max = ACTORS_MAX, .watchdog_ms = LN_NEVER};
    struct ln_node *node = ln_node_open(driver, &alone);
    ln_node_root(node, &task_behaviour, &task, sizeof task);
    int error = ln_node_start(node);
    if (error < 0) {
        (void)fprintf(stderr, "linnet: no thread can be started: %s\n", strerrordesc_np(-error));
    } else {
        struct ln_reason reason = ln_node_join(node);
        if (reason.kind != LN_EXIT_NORMAL) {
            (void)fprintf(stderr, "linnet: it failed: %s\n",
                          reason.text != NULL ? reason.text : ln_exit_kind_name(reason.kind));
            code = SHELL_FAILED;
        }
    }
    ln_node_close(&node);
    io_driver_close(driver);
    return code;
}
