/* SPDX-License-Identifier: Apache-2.0 */
/* command_group.h - what commands about groups share: command_group.c changes them,
 * command_group_look.c looks at them, command_message.c and command_cursor.c use them.
 *
 * All of it runs in the connection's actor.
 */
#pragma once

#include "actors/command.h"
#include "store/group.h"

/* Answers with what the store's error means in a group. A partition that failed makes the device
 * start over if the request was of an ordered kind. */
void command_refuse_group(struct connection *connection, const struct pending *pending, int error);

/* command_group_look.c */
/* Asks what the pending's group is, and answers with that: an invitation was made. Takes the
 * pending. */
void command_group_show(struct connection *connection, struct pending *pending);
