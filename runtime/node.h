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
 * Called from outside all actors, by the thread that opened the node; ln_node_stop by any.
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
    /* Processes and handlers that wait, together. Beyond it spawning a process is -EAGAIN, and a
     * handler that would have to wait ends its actor. 0: 30,000 where a stack's guard takes a
     * mapping (before Linux 6.13, and at io_level 6.1), else what memory allows. */
    uint32_t stacks_max;
    /* An actor that holds its scheduler for longer, counted in the thread's CPU time, is named with
     * a backtrace (crash.h), and one that goes through its mailbox ends its turn a little earlier.
     * 0: 10; LN_NEVER: no watchdog. Under sim there is none. */
    uint32_t watchdog_ms;
    uint32_t stuck_ms; /* a scheduler held for so long ends the process, with a report; 0: 10,000 */
    /* Takes a report of a crash or a stall, perhaps of several lines, without the last newline. On
     * a scheduler's thread, maybe in an actor's turn: it neither blocks nor calls back. NULL:
     * standard error. */
    void (*log)(void *context, const char *report);
    void *log_context;
};
#define LN_NEVER UINT32_MAX

/* Borrows the driver until close. Never NULL. */
LN_API struct ln_node *ln_node_open(struct io_driver *driver,
                                    const struct ln_node_options *options);
/* What to spawn on scheduler 0 when it starts; `argument` is copied. Before ln_node_start. */
LN_API void ln_node_root(struct ln_node *node, const struct ln_behaviour *behaviour,
                         const void *argument, size_t bytes);
/* Begins to run; the root exists when this returns. 0 or a negative errno of the driver: then
 * nothing runs, and the node can only be closed. */
LN_API LN_MUST_CHECK int ln_node_start(struct ln_node *node);
/* Asks the root to shut down, within the options' stop_ms. Any thread, any time after start; again:
 * no effect. */
LN_API void ln_node_stop(struct ln_node *node);
/* Waits until every scheduler has stopped. Returns why the root ended. */
LN_API struct ln_reason ln_node_join(struct ln_node *node);
/* Frees the node, which has been joined or never started, and nulls it; NULL inside is allowed. */
LN_API void ln_node_close(struct ln_node **node);

/* All of the above for a program that is nothing but a node: opens the real driver (uring.h) with a
 * scheduler per core, runs this root to its end and closes everything. 0 when the root ended
 * normally or was shut down, else 1, having told standard error why: what main returns. From the
 * main thread, not from inside an actor. */
LN_API int ln_node_run(const struct ln_behaviour *root, const void *argument, size_t bytes);

/* --------------------------------------------------------------------------------- other threads
 *
 * How main, or a library's own thread, speaks to actors: any thread but a scheduler's (which has
 * linnet.h), from ln_node_start until ln_node_close begins. Data is copied. -ESRCH: there is no
 * such actor, or the node has stopped. The functions that wait must not be called where the node
 * runs on the calling thread (sim, before ln_node_join). */

/* The root's pid; who waits for the node to be up asks it. */
LN_API ln_pid ln_node_root_pid(const struct ln_node *node);
/* Sends without waiting; in order, as between two actors. 0, -EAGAIN (LN_DOOR_MAX wait for that
 * scheduler already) or -ESRCH (it has stopped; an actor that ended is no error). */
LN_API LN_MUST_CHECK int ln_node_send(struct ln_node *node, ln_pid to, uint32_t tag,
                                      enum ln_lane lane, const void *data, size_t bytes);
/* Asks and waits, as ln_call does: 0, the callee's error, -ESRCH, -EAGAIN or -ETIMEDOUT. Up to
 * *out_bytes of the answer's data are copied to `out`, and *out_bytes is how many it has; NULL:
 * none. A shared payload of the answer is dropped. */
LN_API LN_MUST_CHECK int ln_node_call(struct ln_node *node, ln_pid to, uint32_t tag,
                                      const void *data, size_t bytes, uint64_t timeout_ms,
                                      void *out, size_t *out_bytes);
/* Never waits and takes no lock. 0: no one. */
LN_API ln_pid ln_node_whereis(struct ln_node *node, const char *name);
/* Wait. 0 or the errors of ln_register and ln_unregister. */
LN_API LN_MUST_CHECK int ln_node_register(struct ln_node *node, const char *name, ln_pid pid);
LN_API LN_MUST_CHECK int ln_node_unregister(struct ln_node *node, const char *name);

LN_END
