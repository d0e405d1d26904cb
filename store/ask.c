/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ask.h"

#include "runtime/prefetch.h"
#include "runtime/spares.h"
#include "store/partition.h"

#include <string.h>

struct ask *
ask_new(struct partition *partition, uint32_t tag, const void *data, size_t bytes)
{
    struct ask *ask = spares_take(sizeof(*ask));
    ASSERT(bytes <= sizeof(ask->data));
    memset(ask, 0, offsetof(struct ask, data));
    ask->partition = partition;
    ask->tag = tag;
    ask->answered = true;
    memcpy(ask->data, data, bytes);
    return ask;
}

struct ask *
ask_of_message(struct partition *partition, struct ln_msg *msg)
{
    struct ask *ask = ask_new(partition, msg->tag, msg->data, msg->bytes);
    if ((msg->flags & LN_MSG_REQUEST) != 0) {
        ask->caller = ln_caller(msg);
        ask->taker = ln_self();
        ask->answered = false;
    }
    ask->buffer = msg->buffer;
    msg->buffer = NULL;
    return ask;
}

void
ask_enter(struct ask *ask)
{
    if (!ask->ticketed) {
        ask->ticket = delta_enter(ask->partition->ledger.delta);
        ask->ticketed = true;
    }
}

void
ask_enter_with(struct ask *ask, uint64_t ticket)
{
    struct delta *delta = ask->partition->ledger.delta;
    if (ask->ticketed && ask->ticket <= ticket) {
        return; /* the older one holds what the newer one does, and more */
    }
    uint64_t newer = ask->ticket;
    ask->ticket = delta_enter_with(delta, ticket);
    if (ask->ticketed) {
        delta_leave(delta, newer);
    }
    ask->ticketed = true;
}

void
ask_leave(struct ask *ask)
{
    if (ask->ticketed) {
        delta_leave(ask->partition->ledger.delta, ask->ticket);
        ask->ticketed = false;
    }
}

void
ask_free(struct ask *ask)
{
    ask_leave(ask);
    for (unsigned i = 0; i < ASK_RANGES; i++) {
        ln_buffer_put(&ask->ranges[i].buffer);
    }
    ln_buffer_put(&ask->buffer);
    spares_give(ask, sizeof(*ask));
}

void
ask_answer(struct ask *ask, const void *data, size_t bytes, struct ln_buffer *buffer)
{
    if (ask->answered) {
        ln_buffer_put(&buffer);
        return;
    }
    struct ln_msg *answer = ln_msg_new(ask->tag, LN_REPLY, bytes);
    if (bytes > 0) {
        memcpy(answer->data, data, bytes);
    }
    answer->buffer = buffer;
    ask->answered = true;
    ln_reply(ask->caller, &answer);
}

void
ask_answer_error(struct ask *ask, int error)
{
    if (error == 0) {
        ask_answer(ask, NULL, 0, NULL);
    } else if (!ask->answered) {
        ask->answered = true;
        ln_reply_error(ask->caller, error);
    }
}

void
ask_queue_init(struct ask_queue *queue)
{
    *queue = (struct ask_queue){.end = &queue->first};
}

void
ask_queue_push(struct ask_queue *queue, struct ask *ask)
{
    ask->next = NULL;
    *queue->end = ask;
    queue->end = &ask->next;
    queue->count++;
}

struct ask *
ask_queue_pop(struct ask_queue *queue)
{
    enum { AHEAD_DATA_BYTES = 128 }; /* more of it has hardly any */
    struct ask *ask = queue->first;
    if (ask != NULL) {
        queue->first = ask->next;
        queue->count--;
        if (queue->first == NULL) {
            queue->end = &queue->first;
        } else {
            lines_prefetch(queue->first, offsetof(struct ask, data) + AHEAD_DATA_BYTES);
        }
    }
    return ask;
}

void
ask_queue_put_back(struct ask_queue *queue, struct ask *ask)
{
    ask->next = queue->first;
    if (queue->first == NULL) {
        queue->end = &ask->next;
    }
    queue->first = ask;
    queue->count++;
}

struct ask *
ask_queue_take(struct ask_queue *queue)
{
    struct ask *first = queue->first;
    ask_queue_init(queue);
    return first;
}

void
ask_queue_move(struct ask_queue *queue, struct ask_queue *to)
{
    ASSERT(to->first == NULL);
    if (queue->first != NULL) {
        *to = *queue;
        ask_queue_init(queue);
    }
}

void
ask_queue_fini(struct ask_queue *queue)
{
    struct ask *ask;
    while ((ask = ask_queue_pop(queue)) != NULL) {
        ask_free(ask);
    }
}
