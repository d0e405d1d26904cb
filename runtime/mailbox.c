/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mailbox.h"
#include "runtime/check.h"

/* Removes the one behind `before`. */
static struct ln_msg *
ring_remove_after(struct ln_msg **last, struct ln_msg *before)
{
    struct ln_msg *msg = before->next;
    if (msg == before) {
        *last = NULL;
    } else {
        before->next = msg->next;
        if (*last == msg) {
            *last = before;
        }
    }
    msg->next = NULL;
    return msg;
}

/* A lossy message is neither request nor answer, so its ref is free to be the chain's link while it
 * waits. */
static struct ln_msg *
lossy_next(const struct ln_msg *msg)
{
    return (struct ln_msg *)(uintptr_t)msg->ref; // NOLINT(performance-no-int-to-ptr)
}

static void
lossy_set_next(struct ln_msg *msg, const struct ln_msg *next)
{
    msg->ref = (uintptr_t)next;
}

static void
lossy_append(struct mailbox *box, struct ln_msg *msg)
{
    if (box->lossy == NULL) {
        lossy_set_next(msg, msg);
    } else {
        lossy_set_next(msg, lossy_next(box->lossy));
        lossy_set_next(box->lossy, msg);
    }
    box->lossy = msg;
    box->lossy_count++;
}

static void
lossy_remove(struct mailbox *box, struct ln_msg *msg)
{
    struct ln_msg *before = box->lossy;
    ASSERT(before != NULL);
    while (lossy_next(before) != msg) {
        before = lossy_next(before);
        ASSERT(before != box->lossy);
    }
    if (before == msg) {
        box->lossy = NULL;
    } else {
        lossy_set_next(before, lossy_next(msg));
        if (box->lossy == msg) {
            box->lossy = before;
        }
    }
    msg->ref = 0;
    ASSERT(box->lossy_count > 0);
    box->lossy_count--;
}

/* Puts *msg into the place of an older one of the same sender and key. */
static bool
lossy_coalesce(struct mailbox *box, struct ln_msg **msg)
{
    if ((*msg)->key == 0 || box->lossy == NULL) {
        return false;
    }
    struct ln_msg *old = box->lossy;
    do {
        old = lossy_next(old);
        if (old->key == (*msg)->key && old->from == (*msg)->from && old->tag == (*msg)->tag) {
            break;
        }
        if (old == box->lossy) {
            return false;
        }
    } while (true);
    if (old->block_bytes != (*msg)->block_bytes) {
        /* it does not fit there; it queues as itself and the older one is served first */
        return false;
    }
    struct ln_buffer *buffer = old->buffer;
    old->buffer = (*msg)->buffer;
    (*msg)->buffer = buffer;
    old->bytes = (*msg)->bytes;
    __builtin_memcpy(old->data, (*msg)->data, (*msg)->bytes);
    ln_msg_free(msg);
    return true;
}

enum mailbox_verdict
mailbox_push_any(struct mailbox *box, const struct ln_behaviour *limits, struct ln_msg **msg)
{
    struct ln_msg *taken = *msg;
    if (taken->lane == LN_DURABLE) {
        uint32_t durable_max = limits->durable_max != 0 ? limits->durable_max : LN_DURABLE_MAX;
        if (box->durable_count >= durable_max) {
            return MAILBOX_REFUSED;
        }
        box->durable_count++;
    } else if (taken->lane == LN_LOSSY) {
        if (lossy_coalesce(box, msg)) {
            return MAILBOX_COALESCED;
        }
        uint32_t lossy_max = limits->lossy_max != 0 ? limits->lossy_max : LN_LOSSY_MAX;
        if (box->lossy_count >= lossy_max) {
            ln_msg_free(msg);
            return MAILBOX_DROPPED;
        }
        lossy_append(box, taken);
    }
    *msg = NULL;
    mailbox_append(taken->lane == LN_SYSTEM ? &box->system : &box->queue, taken);
    return MAILBOX_TAKEN;
}

static struct ln_msg *
leave(struct mailbox *box, struct ln_msg *msg)
{
    if (msg->lane == LN_DURABLE) {
        ASSERT(box->durable_count > 0);
        box->durable_count--;
    } else if (msg->lane == LN_LOSSY) {
        lossy_remove(box, msg);
    }
    return msg;
}

struct ln_msg *
mailbox_pop_any(struct mailbox *box)
{
    if (box->system != NULL) {
        return ring_remove_after(&box->system, box->system);
    }
    if (box->queue != NULL) {
        return leave(box, ring_remove_after(&box->queue, box->queue));
    }
    return NULL;
}

static struct ln_msg *
ring_pop_match(struct ln_msg **last, bool (*match)(const struct ln_msg *msg, void *context),
               void *context)
{
    struct ln_msg *before = *last;
    if (before == NULL) {
        return NULL;
    }
    do {
        if (match(before->next, context)) {
            return ring_remove_after(last, before);
        }
        before = before->next;
    } while (before != *last);
    return NULL;
}

struct ln_msg *
mailbox_pop_match(struct mailbox *box, bool (*match)(const struct ln_msg *msg, void *context),
                  void *context)
{
    struct ln_msg *msg = ring_pop_match(&box->system, match, context);
    if (msg != NULL) {
        return msg;
    }
    msg = ring_pop_match(&box->queue, match, context);
    return msg != NULL ? leave(box, msg) : NULL;
}

static uint32_t
ring_count(const struct ln_msg *last, uint32_t lanes[LN_LANES])
{
    uint32_t count = 0;
    if (last != NULL) {
        const struct ln_msg *msg = last;
        do {
            count++;
            lanes[msg->lane]++;
            msg = msg->next;
        } while (msg != last);
    }
    return count;
}

uint32_t
mailbox_count(const struct mailbox *box, uint32_t lanes[LN_LANES])
{
    for (unsigned lane = 0; lane < LN_LANES; lane++) {
        lanes[lane] = 0;
    }
    return ring_count(box->system, lanes) + ring_count(box->queue, lanes);
}
