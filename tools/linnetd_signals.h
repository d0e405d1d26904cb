/* SPDX-License-Identifier: Apache-2.0 */
/* linnetd_signals.h - SIGINT, SIGTERM and SIGHUP, waited for by a thread of their own.
 *
 * They are blocked before any thread starts, so none of ours ever runs a handler. The first stops
 * the node, which drains it; the second ends the process where it stands, which the store survives.
 * Before there is a node the first does what the second does. SIGPIPE is ignored: a closed pipe is
 * an error where it was written to.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/node.h"

/* Blocks them and starts the thread. Before any other thread. 0 or a negative errno. */
MUST_CHECK int linnetd_signals_start(void);
/* From now on the first signal stops this node. NULL: it has been joined, and the next ends the
 * process. Borrows it until then. */
void linnetd_signals_serve(struct ln_node *node);
