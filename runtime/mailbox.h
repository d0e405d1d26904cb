/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.h - where an actor's messages wait until it asks for them.
 *
 * Only the scheduler that owns the actor touches it. Two queues: what the runtime or a supervisor
 * asks (the system lane) overtakes, LN_OVERTAKES_MAX times in a row at most, so that nobody waits
 * for ever; everything else is served in the order of arrival. Within that order each lane keeps
 * its own count, in messages and in bytes, and policy: a full durable lane refuses, a full lossy
 * lane coalesces by key, then drops. Lossy messages are chained among themselves too, so that
 * coalescing looks at them alone.
 *
 *     mailbox_init(box, &limits);
 *     verdict = mailbox_push(box, &limits, &msg);    msg is NULL afterwards unless it was refused
 *     msg = mailbox_pop(box);                        NULL: nothing waits
 */
#pragma once

#include "runtime/bounds.h"
#include "runtime/check.h"
#include "runtime/linnet.h"

struct mailbox {
    struct ln_msg *system; /* the last of a ring: its next is the oldest; NULL: empty */
    struct ln_msg *queue;  /* likewise */
    uint32_t durable_room, durable_room_bytes; /* how much more there may be */
    uint32_t lossy_count : 24;
    uint32_t overtakes : 8; /* by the system lane, since one of the others was served */
    uint32_t lossy_bytes;
    /* The last of the lossy ones, chained by ref as a pointer while they wait here. Last of all,
     * where most messages don't touch it. */
    struct ln_msg *lossy;
};

/* Where the queue of a process ended when it made a request, so that who looks for the answer need
 * not look at what came before: the newest few such places, the newest first. What came after
 * request `ref` lies behind `after`; NULL: the whole queue does. A place that is forgotten costs
 * time, no more. */
enum { MAILBOX_MARKS = 4 };
struct mailbox_marks {
    struct mailbox_mark {
        struct ln_msg *after;
        uint64_t ref; /* and those made later, up to the next place; 0: no place */
    } at[MAILBOX_MARKS];
};

enum mailbox_verdict {
    MAILBOX_TAKEN,
    MAILBOX_COALESCED, /* its content replaced that of an older one: nothing new to serve */
    MAILBOX_DROPPED,
    MAILBOX_REFUSED, /* *msg is still the caller's, to be returned or answered */
};

/* What a waiting message counts for: its block and the whole of a shared payload, since it may be
 * the last who holds that. */
static inline size_t
mailbox_message_bytes(const struct ln_msg *msg)
{
    return msg->block_bytes + (msg->buffer != NULL ? ln_buffer_bytes(msg->buffer) : 0);
}
static inline bool
mailbox_empty(const struct mailbox *box)
{
    return box->system == NULL && box->queue == NULL;
}
static inline void
mailbox_append(struct ln_msg **last, struct ln_msg *msg)
{
    if (*last == NULL) {
        msg->next = msg;
    } else {
        msg->next = (*last)->next;
        (*last)->next = msg;
    }
    *last = msg;
}

/* The same as mailbox_pop, for any message. `marks`, if not NULL, stay where they are. */
struct ln_msg *mailbox_pop_any(struct mailbox *box, struct mailbox_marks *marks);

static inline uint32_t
mailbox_durable_max(const struct ln_behaviour *limits)
{
    return limits->durable_max != 0 ? limits->durable_max : LN_DURABLE_MAX;
}
static inline uint32_t
mailbox_durable_bytes_max(const struct ln_behaviour *limits)
{
    return limits->durable_bytes_max != 0 ? limits->durable_bytes_max : LN_DURABLE_BYTES_MAX;
}
/* An empty one. */
static inline void
mailbox_init(struct mailbox *box, const struct ln_behaviour *limits)
{
    *box = (struct mailbox){.durable_room = mailbox_durable_max(limits),
                            .durable_room_bytes = mailbox_durable_bytes_max(limits)};
}
/* Whether it is empty and has all its room again: what has come has left. */
static inline bool
mailbox_settled(const struct mailbox *box, const struct ln_behaviour *limits)
{
    return mailbox_empty(box) && box->durable_room == mailbox_durable_max(limits) &&
           box->durable_room_bytes == mailbox_durable_bytes_max(limits) && box->lossy_count == 0 &&
           box->lossy_bytes == 0;
}

/* Takes a durable message within the limit, which is the plain case. False: use mailbox_push. */
static inline bool
mailbox_push_plain(struct mailbox *box, struct ln_msg *msg)
{
    if (msg->lane != LN_DURABLE || msg->buffer != NULL || box->durable_room == 0 ||
        box->durable_room_bytes < msg->block_bytes) {
        return false;
    }
    box->durable_room--;
    box->durable_room_bytes -= msg->block_bytes;
    mailbox_append(&box->queue, msg);
    return true;
}
/* Takes *msg unless it is refused. Never yields. Messages dropped or replaced are freed. `limits`
 * are those of mailbox_init. */
enum mailbox_verdict mailbox_push(struct mailbox *box, const struct ln_behaviour *limits,
                                  struct ln_msg **msg);
/* The next to serve, now the caller's; NULL when there is none. */
static inline struct ln_msg *
mailbox_pop(struct mailbox *box)
{
    if (mailbox_empty(box)) {
        return NULL;
    }
    struct ln_msg *last = box->queue;
    if (box->system != NULL || last->next->lane != LN_DURABLE || last->next->buffer != NULL) {
        return mailbox_pop_any(box, NULL);
    }
    struct ln_msg *msg = last->next;
    if (msg == last) {
        box->queue = NULL;
    } else {
        last->next = msg->next;
        __builtin_prefetch(msg->next, 1);
    }
    box->durable_room++;
    box->durable_room_bytes += msg->block_bytes;
    box->overtakes = 0;
    return msg;
}
/* The first, in order of service, that `match` accepts; now the caller's, or NULL. `marks`
 * as for mailbox_pop_any; mailbox_pop knows none. */
struct ln_msg *mailbox_pop_match(struct mailbox *box, struct mailbox_marks *marks,
                                 bool (*match)(const struct ln_msg *msg, void *context),
                                 void *context);
/* Marks the end of the queue for a request that is about to be made; `ref` is higher than all
 * before. */
void mailbox_mark(const struct mailbox *box, struct mailbox_marks *marks, uint64_t ref);
/* The same as mailbox_pop_match, but for what came before `ref`, as far as the marks tell, and the
 * system lane. */
struct ln_msg *mailbox_pop_behind(struct mailbox *box, struct mailbox_marks *marks, uint64_t ref,
                                  bool (*match)(const struct ln_msg *msg, void *context),
                                  void *context);
/* Messages waiting, and how many of each lane, and their bytes. Walks it. */
uint32_t mailbox_count(const struct mailbox *box, uint32_t lanes[LN_LANES],
                       uint64_t lane_bytes[LN_LANES]);
