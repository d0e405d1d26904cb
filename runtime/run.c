/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/uring.h"
#include "runtime/node.h"

#include <stdio.h>
#include <string.h>

static int
run(struct ln_node *node, const struct ln_behaviour *root, const void *argument, size_t bytes)
{
    ln_node_root(node, root, argument, bytes);
    int error = ln_node_start(node);
    if (error != 0) {
        (void)fprintf(stderr, "the node does not start: %s\n", strerrordesc_np(-error));
        return 1;
    }
    struct ln_reason reason = ln_node_join(node);
    if (reason.kind == LN_EXIT_NORMAL || reason.kind == LN_EXIT_SHUTDOWN) {
        return 0;
    }
    (void)fprintf(stderr, "%s ended, %s: %s\n", root->name, ln_exit_kind_name(reason.kind),
                  reason.text);
    return 1;
}

int
ln_node_run(const struct ln_behaviour *root, const void *argument, size_t bytes)
{
    char why[256];
    struct io_driver *driver;
    if (uring_open(&(struct uring_options){0}, &driver, why, sizeof why) != 0) {
        (void)fprintf(stderr, "%s\n", why);
        return 1;
    }
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    int status = run(node, root, argument, bytes);
    ln_node_close(&node);
    io_driver_close(driver);
    return status;
}
