/* SPDX-License-Identifier: Apache-2.0 */
/* node.h - a set of schedulers over an io driver, and the root of what runs on them.
 *
 *     struct io_driver *driver;
 *     uring_open(&(struct uring_options){0}, &driver, why, sizeof why);
 *     struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
 *     ln_node_root(node, &root_behaviour, &argument, sizeof argument);
 *     ln_node_start(node);            its threads run; under sim nothing does before ln_node_join
 *     ... ln_node_stop(node) from a signal's thread ...
 *     ln_node_join(node);             the root has ended, and with it everything
 *     ln_node_close(&node); io_driver_close(driver);
 *
 * The root actor runs on scheduler 0. When it ends, whatever is left is killed and the schedulers
 * stop.
 */
#pragma once

#include "runtime/io/io.h"
#include "runtime/linnet.h"

LN_BEGIN

struct ln_node;

struct ln_node_options {
    uint32_t actors_max;    /* per scheduler; 0: 16,777,215 */
    uint32_t turn_messages; /* one actor's turn; 0: 64 */
    uint32_t turn_us;       /* a scheduler's round between two looks at io; 0: 500 */
    /* What the root has, from ln_node_stop on, to shut down in its own order. Then all that is left
     * is killed and the node ends. 0: as long as it takes. */
    uint32_t stop_ms;
};

/* Borrows the driver until close. Never NULL. */
LN_API struct ln_node *ln_node_open(struct io_driver *driver,
                                    const struct ln_node_options *options);
/* What to spawn on scheduler 0 when it starts; `argument` is copied. Before ln_node_start. */
LN_API void ln_node_root(struct ln_node *node, const struct ln_behaviour *behaviour,
                         const void *argument, size_t bytes);
LN_API LN_MUST_CHECK int ln_node_start(struct ln_node *node);
/* Asks the root to shut down, within the options' stop_ms. Any thread, any time after start; again:
 * no effect. */
LN_API void ln_node_stop(struct ln_node *node);
/* Waits until every scheduler has stopped. Returns why the root ended. */
LN_API struct ln_reason ln_node_join(struct ln_node *node);
LN_API void ln_node_close(struct ln_node **node);

/* All of the above for a program that is nothing but a node: opens the real driver (uring.h) with a
 * scheduler per core, runs this root to its end and closes everything. 0 when the root ended
 * normally or was shut down, else 1, having told standard error why: what main returns. From the
 * main thread, not from inside an actor. */
LN_API int ln_node_run(const struct ln_behaviour *root, const void *argument, size_t bytes);

LN_END
