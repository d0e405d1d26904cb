/* SPDX-License-Identifier: Apache-2.0 */
/* group.h - process groups: actors that are spoken to, and watched, together under one name.
 *
 *     ln_group_join("room 7");                   this actor is a member until it leaves or ends
 *     struct ln_msg *said = ln_msg_new(SAID, LN_DURABLE, 0);
 *     said->buffer = ln_buffer_get(text);        one payload, however many members
 *     ln_group_send("room 7", &said);            to each of them, the sender too if it is one
 *
 * OTP's pg (https://www.erlang.org/doc/apps/kernel/pg.html), between schedulers instead of nodes:
 * each scheduler knows its own members and nobody knows all. A message to a group crosses to each
 * other scheduler once and is handed out there, to whoever is a member at that moment; it takes the
 * way of every other message, so that what one actor sends to a group and to a member of it arrives
 * in the order in which it was sent. Therefore handing out is done in one go: a group of 100,000
 * members on one scheduler holds it for milliseconds. It counts as so many messages: the sender's
 * turn is over, and the turn of a scheduler takes no more such letters than fit into it.
 *
 * Called from inside an actor, on its scheduler's thread.
 *
 * A group exists as long as it has members or watchers. Names have the limits of ln_register's, and
 * are no names of actors: "room 7" may be both. Order is always that of schedulers, then of
 * joining.
 */
#pragma once

#include "runtime/linnet.h"

LN_BEGIN

/* The calling actor becomes a member. 0, -EEXIST (it is one), -EINVAL (the name). Never yields. */
LN_API LN_MUST_CHECK int ln_group_join(const char *group);
/* 0, or -ENOENT when it was none. Never yields. */
LN_API int ln_group_leave(const char *group);

/* Sends a copy of *msg to every member; what is in its buffer is shared by all. Takes *msg, which
 * is no request (ln_request, ln_call) and not LN_TAG_DATA. A member at its limit sends it back, as
 * with ln_send: `from` says which. To a group without members: nothing. Never yields. */
LN_API void ln_group_send(const char *group, struct ln_msg **msg);

/* Up to `max` members on a scheduler: an index, LN_HERE, or LN_ANYWHERE for those of all. There may
 * be more: *out_count tells how many there are. LN_HERE never yields; another scheduler answers in
 * its next turn. 0 or what ln_call returns, but no -ETIMEDOUT. */
LN_API LN_MUST_CHECK int ln_group_members(const char *group, int scheduler, ln_pid *out,
                                          uint32_t max, uint32_t *out_count);

/* Watches a group: an LN_TAG_JOINED for each member there is, then one for each that joins and an
 * LN_TAG_LEFT for each that leaves or ends, after everything that it sent. `from` is the member,
 * `ref` this watch. 0 or -EINVAL (the name). Ends with the calling actor. Never yields. */
LN_API LN_MUST_CHECK int ln_group_monitor(const char *group, uint64_t *out_monitor);
/* No message of it arrives after this. */
LN_API void ln_group_demonitor(uint64_t monitor);

LN_END
