/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that partitions work on. */
#include "actors/command.h"

#include <string.h>

struct pending *
command_pending(const struct request_kind *kind, const Linnet__V1__ClientFrame *frame,
                uint64_t number)
{
    struct pending *pending = ln_alloc(sizeof *pending);
    pending->kind = kind;
    pending->number = number;
    pending->ref = frame->ref;
    return pending;
}

void
command_pending_add(struct connection *connection, struct pending *pending, uint64_t request)
{
    pending->request = request;
    pending->next = NULL;
    if (connection->pending_last == NULL) {
        connection->pending = pending;
    } else {
        connection->pending_last->next = pending;
    }
    connection->pending_last = pending;
    connection->pending_count++;
    connection_flow(connection);
}

/* Partitions answer in order, so it is nearly always the first. */
struct pending *
command_pending_take(struct connection *connection, uint64_t request)
{
    struct pending *before = NULL;
    for (struct pending *at = connection->pending; at != NULL; before = at, at = at->next) {
        if (at->request != request) {
            continue;
        }
        if (before == NULL) {
            connection->pending = at->next;
        } else {
            before->next = at->next;
        }
        if (at->next == NULL) {
            connection->pending_last = before;
        }
        connection->pending_count--;
        return at;
    }
    return NULL;
}

uint64_t
command_number(const struct pending *pending)
{
    return pending->number < STORE_NODE_NUMBER_MIN ? pending->number : 0;
}

void
command_ask(struct connection *connection, const Linnet__V1__ClientFrame *frame,
            const struct request_kind *kind, uint64_t owner, const void *data, size_t bytes,
            struct ln_buffer *buffer)
{
    struct ln_msg *request = ln_msg_new(kind->tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    request->buffer = buffer;
    uint64_t asked = ln_request(store_user_pid(connection->messenger->store, owner), &request);
    command_pending_add(connection, command_pending(kind, frame, frame->number), asked);
}

uint64_t
command_number_new(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    return frame->number != 0 ? frame->number : connection->node_number++;
}

void
command_ask_in_order(struct connection *connection, struct pending *pending, uint64_t owner,
                     const void *data, size_t bytes, struct ln_buffer *buffer)
{
    const struct store *store = connection->messenger->store;
    ASSERT(pending->kind->ordered);
    pending->partition = store_user_partition(store, owner);
    pending->to = store_partition_pid(store, pending->partition);
    if (command_overtakes(connection, pending->partition, pending->to)) {
        ln_free(pending);
        ln_buffer_put(&buffer);
        command_start_over(connection);
        return;
    }
    struct ln_msg *request = ln_msg_new(pending->kind->tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    request->buffer = buffer;
    command_pending_add(connection, pending, ln_request(pending->to, &request));
}

void
command_start_over(struct connection *connection)
{
    connection_close(connection, PROTOCOL_CLOSE_INTERNAL,
                     "a part of the node failed: what was not answered has to be sent again");
}

bool
command_overtakes(const struct connection *connection, uint8_t partition, ln_pid to)
{
    for (const struct pending *at = connection->pending; at != NULL; at = at->next) {
        if (at->kind->ordered && at->partition == partition && at->to != to) {
            return true;
        }
    }
    return false;
}
