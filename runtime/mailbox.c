/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mailbox.h"
#include "runtime/check.h"

enum { LOSSY_COUNT_MAX = (1 << 24) - 1 }; /* what its bits hold */

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
    box->lossy_bytes += (uint32_t)mailbox_message_bytes(msg);
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
    ASSERT(box->lossy_count > 0 && box->lossy_bytes >= mailbox_message_bytes(msg));
    box->lossy_count--;
    box->lossy_bytes -= (uint32_t)mailbox_message_bytes(msg);
}

/* An older one of the same sender, tag and key. */
static struct ln_msg *
lossy_find(const struct mailbox *box, const struct ln_msg *msg)
{
    if (msg->key == 0 || box->lossy == NULL) {
        return NULL;
    }
    struct ln_msg *old = box->lossy;
    do {
        old = lossy_next(old);
        if (old->key == msg->key && old->from == msg->from && old->tag == msg->tag) {
            return old;
        }
    } while (old != box->lossy);
    return NULL;
}

/* Puts *msg into the place of an older one. What does not fit there queues as itself, and the older
 * one is served first. */
static bool
lossy_coalesce(struct mailbox *box, uint32_t bytes_max, struct ln_msg **msg)
{
    struct ln_msg *old = lossy_find(box, *msg);
    if (old == NULL || old->block_bytes != (*msg)->block_bytes) {
        return false;
    }
    uint32_t others_bytes = box->lossy_bytes - (uint32_t)mailbox_message_bytes(old);
    if (mailbox_message_bytes(*msg) > bytes_max - others_bytes) {
        return false;
    }
    box->lossy_bytes = others_bytes + (uint32_t)mailbox_message_bytes(*msg);
    struct ln_buffer *buffer = old->buffer;
    old->buffer = (*msg)->buffer;
    (*msg)->buffer = buffer;
    old->bytes = (*msg)->bytes;
    __builtin_memcpy(old->data, (*msg)->data, (*msg)->bytes);
    ln_msg_free(msg);
    return true;
}

static enum mailbox_verdict
durable_push(struct mailbox *box, const struct ln_msg *msg)
{
    size_t bytes = mailbox_message_bytes(msg);
    if (box->durable_room == 0 || bytes > box->durable_room_bytes) {
        return MAILBOX_REFUSED;
    }
    box->durable_room--;
    box->durable_room_bytes -= (uint32_t)bytes;
    return MAILBOX_TAKEN;
}

static enum mailbox_verdict
lossy_push(struct mailbox *box, const struct ln_behaviour *limits, struct ln_msg **msg)
{
    uint32_t lossy_max = limits->lossy_max != 0 ? limits->lossy_max : LN_LOSSY_MAX;
    uint32_t bytes_max =
        limits->lossy_bytes_max != 0 ? limits->lossy_bytes_max : LN_LOSSY_BYTES_MAX;
    if (lossy_coalesce(box, bytes_max, msg)) {
        return MAILBOX_COALESCED;
    }
    if (box->lossy_count >= lossy_max || box->lossy_count == LOSSY_COUNT_MAX ||
        mailbox_message_bytes(*msg) > bytes_max - box->lossy_bytes) {
        ln_msg_free(msg);
        return MAILBOX_DROPPED;
    }
    lossy_append(box, *msg);
    return MAILBOX_TAKEN;
}

enum mailbox_verdict
mailbox_push(struct mailbox *box, const struct ln_behaviour *limits, struct ln_msg **msg)
{
    enum mailbox_verdict verdict = (*msg)->lane == LN_DURABLE ? durable_push(box, *msg)
                                   : (*msg)->lane == LN_LOSSY ? lossy_push(box, limits, msg)
                                                              : MAILBOX_TAKEN;
    if (verdict == MAILBOX_TAKEN) {
        struct ln_msg *taken = *msg;
        *msg = NULL;
        mailbox_append(taken->lane == LN_SYSTEM ? &box->system : &box->queue, taken);
    }
    return verdict;
}

static struct ln_msg *
leave(struct mailbox *box, struct ln_msg *msg)
{
    box->overtakes = 0;
    if (msg->lane == LN_DURABLE) {
        box->durable_room++;
        box->durable_room_bytes += (uint32_t)mailbox_message_bytes(msg);
    } else if (msg->lane == LN_LOSSY) {
        lossy_remove(box, msg);
    }
    return msg;
}

/* The one before the first that `match` accepts behind `from`, which is in the ring; NULL: none. */
static struct ln_msg *
ring_find_behind(const struct ln_msg *last, struct ln_msg *from,
                 bool (*match)(const struct ln_msg *msg, void *context), void *context)
{
    struct ln_msg *before = from;
    do {
        if (match(before->next, context)) {
            return before;
        }
        before = before->next;
    } while (before != last);
    return NULL;
}

static struct ln_msg *
queue_remove_after(struct mailbox *box, struct mailbox_marks *marks, struct ln_msg *before)
{
    struct ln_msg *older = before != box->queue ? before : NULL;
    struct ln_msg *msg = leave(box, ring_remove_after(&box->queue, before));
    for (unsigned i = 0; marks != NULL && i < MAILBOX_MARKS && marks->at[i].ref != 0; i++) {
        if (marks->at[i].after == msg) {
            marks->at[i].after = older;
        }
    }
    return msg;
}

struct ln_msg *
mailbox_pop_any(struct mailbox *box, struct mailbox_marks *marks)
{
    bool overtakes = box->system != NULL && box->queue != NULL;
    if (box->system != NULL && (!overtakes || box->overtakes < LN_OVERTAKES_MAX)) {
        box->overtakes += overtakes;
        return ring_remove_after(&box->system, box->system);
    }
    return box->queue != NULL ? queue_remove_after(box, marks, box->queue) : NULL;
}

struct ln_msg *
mailbox_pop_match(struct mailbox *box, struct mailbox_marks *marks,
                  bool (*match)(const struct ln_msg *msg, void *context), void *context)
{
    struct ln_msg *before = NULL;
    if (box->system != NULL) {
        before = ring_find_behind(box->system, box->system, match, context);
        if (before != NULL) {
            return ring_remove_after(&box->system, before);
        }
    }
    if (box->queue != NULL) {
        before = ring_find_behind(box->queue, box->queue, match, context);
    }
    return before != NULL ? queue_remove_after(box, marks, before) : NULL;
}

void
mailbox_mark(const struct mailbox *box, struct mailbox_marks *marks, uint64_t ref)
{
    struct mailbox_mark *newest = &marks->at[0];
    ASSERT(ref > newest->ref);
    if (newest->ref != 0 && newest->after == box->queue) {
        return; /* nothing came in between: one place is enough for both */
    }
    for (unsigned i = MAILBOX_MARKS - 1; i > 0; i--) {
        marks->at[i] = marks->at[i - 1];
    }
    *newest = (struct mailbox_mark){.after = box->queue, .ref = ref};
}

struct ln_msg *
mailbox_pop_behind(struct mailbox *box, struct mailbox_marks *marks, uint64_t ref,
                   bool (*match)(const struct ln_msg *msg, void *context), void *context)
{
    unsigned place = 0;
    while (place < MAILBOX_MARKS && marks->at[place].ref > ref) {
        place++;
    }
    struct ln_msg *after = place < MAILBOX_MARKS ? marks->at[place].after : NULL;
    if (box->queue == NULL || after == box->queue) {
        return NULL;
    }
    struct ln_msg *before =
        ring_find_behind(box->queue, after != NULL ? after : box->queue, match, context);
    return before != NULL ? queue_remove_after(box, marks, before) : NULL;
}

static uint32_t
ring_count(const struct ln_msg *last, uint32_t lanes[LN_LANES], uint64_t lane_bytes[LN_LANES])
{
    uint32_t count = 0;
    if (last != NULL) {
        const struct ln_msg *msg = last;
        do {
            count++;
            lanes[msg->lane]++;
            lane_bytes[msg->lane] += mailbox_message_bytes(msg);
            msg = msg->next;
        } while (msg != last);
    }
    return count;
}

uint32_t
mailbox_count(const struct mailbox *box, uint32_t lanes[LN_LANES], uint64_t lane_bytes[LN_LANES])
{
    for (unsigned lane = 0; lane < LN_LANES; lane++) {
        lanes[lane] = 0;
        lane_bytes[lane] = 0;
    }
    return ring_count(box->system, lanes, lane_bytes) + ring_count(box->queue, lanes, lane_bytes);
}
