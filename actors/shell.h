/* SPDX-License-Identifier: Apache-2.0 */
/* shell.h - the operator's door: a Unix socket in the data directory that answers the `linnet`
 * tool.
 *
 * The socket is <data>/linnet.sock, for its owner only. Each connection gets an actor of its own
 * that reads a request (a list of words, shell_wire.h), does it, answers with a status and a JSON
 * document, and waits for the next. What the words mean is told by the table in shell_command.c.
 * How many connections there are, how large a request is and how long it may take are bounded, so
 * that nobody at this door is felt at the other.
 */
#pragma once

#include "actors/messenger.h"
#include "runtime/linnet.h"

enum {
    /* Tools that run at the same time; each may hold a request and an answer. */
    SHELL_CONNECTIONS_MAX = 32,
    /* From one answer, or the connection's beginning, to the next request's last byte; and for the
     * tool to take an answer. */
    SHELL_PATIENCE_MS = 30000,
};

/* The file's name within the data directory. */
#define SHELL_SOCKET_NAME "linnet.sock"

/* The listener. Its argument: a struct messenger *. */
extern const struct ln_behaviour shell_behaviour;
