/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.h - where an actor's messages wait until it asks for them.
 *
 * Only the scheduler that owns the actor touches it. Two queues: what the runtime or a supervisor
 * asks (the system lane) overtakes, everything else is served in the order of arrival. Within that
 * order each lane keeps its own count and policy: a full durable lane refuses, a full lossy lane
 * coalesces by key, then drops. Lossy messages are chained among themselves too, so that coalescing
 * looks at them alone.
 *
 *     verdict = mailbox_push(box, &limits, &msg);    msg is NULL afterwards unless it was refused
 *     msg = mailbox_pop(box);                        NULL: nothing waits
 */
#pragma once

#include "runtime/linnet.h"

struct mailbox {
    struct ln_msg *system; /* the last of a ring: its next is the oldest; NULL: empty */
    struct ln_msg *queue;  /* likewise */
    struct ln_msg
        *lossy; /* the last of the lossy ones, chained by ref as a pointer while they wait here */
    uint32_t durable_count;
    uint32_t lossy_count;
};

enum mailbox_verdict {
    MAILBOX_TAKEN,
    MAILBOX_COALESCED, /* its content replaced that of an older one: nothing new to serve */
    MAILBOX_DROPPED,
    MAILBOX_REFUSED, /* *msg is still the caller's, to be returned or answered */
};

/* Takes *msg unless it is refused. Never yields. Messages dropped or replaced are freed. */
enum mailbox_verdict mailbox_push(struct mailbox *box, const struct ln_behaviour *limits,
                                  struct ln_msg **msg);
/* The next to serve, now the caller's; NULL when there is none. */
struct ln_msg *mailbox_pop(struct mailbox *box);
/* The first, in order of service, that `match` accepts; now the caller's, or NULL. */
struct ln_msg *mailbox_pop_match(struct mailbox *box,
                                 bool (*match)(const struct ln_msg *msg, void *context),
                                 void *context);
static inline bool
mailbox_empty(const struct mailbox *box)
{
    return box->system == NULL && box->queue == NULL;
}
/* Messages waiting. Walks it. */
uint32_t mailbox_count(const struct mailbox *box);
