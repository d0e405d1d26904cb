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
    pending_list_add(&connection->pendings, pending, request);
    connection_flow(connection);
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
    ASSERT(!kind->ordered);
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
command_start_over(struct connection *connection)
{
    connection_close(connection, PROTOCOL_CLOSE_INTERNAL,
                     "a part of the node failed: what was not answered has to be sent again");
}

/* Whether an earlier request of an ordered kind to the partition went to an actor before the one
 * that the pending goes `to`; its end will be told in a moment.
 *
 * Only a start of a partition can make it so. So all that is under way is looked through when one
 * has begun since, and no more once each is found to have gone to the newest actor: as of the
 * starts that were `through` before `to` or any of these was looked at (store_starts_through). */
static bool
overtakes(struct connection *connection, const struct pending *pending, uint32_t through)
{
    const struct store *store = connection->messenger->store;
    struct pending_list *list = &connection->pendings;
    bool newest = true;
    if (store_starts_begun(store) == list->starts) {
        return false;
    }
    for (const struct pending *at = list->first; at != NULL; at = at->next) {
        if (!at->kind->ordered) {
            continue;
        }
        if (at->partition == pending->partition && at->to != pending->to) {
            return true;
        }
        newest = newest && at->to == store_partition_pid(store, at->partition);
    }
    if (newest) {
        list->starts = through;
    }
    return false;
}

void
command_ask_in_order(struct connection *connection, struct pending *pending, uint64_t owner,
                     const void *data, size_t bytes, struct ln_buffer *buffer)
{
    const struct store *store = connection->messenger->store;
    ASSERT(pending->kind->ordered);
    uint32_t through = store_starts_through(store);
    pending->partition = store_user_partition(store, owner);
    pending->to = store_partition_pid(store, pending->partition);
    if (overtakes(connection, pending, through)) {
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
