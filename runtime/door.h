/* SPDX-License-Identifier: Apache-2.0 */
/* door.h - how threads that are no scheduler's speak to actors. For runtime/ alone.
 *
 * Each scheduler has a door: a bounded stack of letters that any thread pushes with one
 * compare-and-swap, and the scheduler empties at the beginning of a turn, oldest first. A letter is
 * memory of malloc; the scheduler makes a message of its own of it. A letter that wants an answer
 * has a struct door_call, shared by the thread that waits and the node: whoever lets go last frees
 * it, so that a wait that timed out leaves nothing behind.
 */
#pragma once

#include "runtime/actor.h"

struct door;
struct ln_node;

struct door *door_new(void);
/* Nothing runs any more. NULL is allowed. */
void door_free(struct door *door);

/* ----------------------------------------------------------------------------- any other thread */

struct door_answer {
    void *data; /* the asker's, to be freed; NULL: none */
    size_t bytes;
};

/* A message for an actor, or, where `signal`, for what the runtime itself knows at that pid. 0,
 * -EAGAIN (too many wait) or -ESRCH (no such scheduler, or it has stopped). */
int door_send(struct ln_node *node, ln_pid to, uint32_t tag, enum ln_lane lane, const void *data,
              size_t bytes);
/* The same, and waits for the answer: 0, its error, or -ETIMEDOUT. */
int door_call(struct ln_node *node, ln_pid to, uint32_t tag, bool signal, const void *data,
              size_t bytes, uint64_t timeout_ms, struct door_answer *out);

/* -------------------------------------------------------------------------------- the scheduler */

/* Delivers what came through. */
void door_receive(struct scheduler *scheduler);
/* Whether something waits; ordered after an earlier announcement that the loop sleeps. */
bool door_waiting(struct door *door);
/* Nobody lives here any more: what waits, and what comes, is answered -ESRCH. */
void door_close(struct scheduler *scheduler);
/* The answer to a call. Takes *msg. */
void door_answered(struct scheduler *scheduler, struct ln_msg **msg);
