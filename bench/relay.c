/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/relay.h"

#include "bench/section_message.h"
#include "runtime/socket.h"

#include <errno.h>
#include <string.h>

struct relay {
    struct ln_socket *socket;
    ln_pid owner;
    unsigned char *bytes; /* of a record that is not whole yet: SECTION_RECORD_BYTES_MAX */
    size_t count;
};

static void
send_out(struct relay *relay, const struct ln_msg *msg)
{
    unsigned char head[SECTION_HEAD_BYTES];
    ASSERT(section_message_valid(msg->tag, msg->data, msg->bytes));
    section_head_write(msg->tag, msg->bytes, head);
    ln_socket_send(relay->socket, head, sizeof head);
    ln_socket_send(relay->socket, msg->data, msg->bytes);
}

/* Hands the records on that are whole. 0 or -EPROTO. */
static int
records_take(struct relay *relay)
{
    uint32_t tag = 0;
    uint32_t bytes = 0;
    int error = 0;
    while ((error = section_record_read(relay->bytes, relay->count, &tag, &bytes)) == 0) {
        size_t whole = SECTION_HEAD_BYTES + (size_t)bytes;
        struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, bytes);
        memcpy(msg->data, relay->bytes + SECTION_HEAD_BYTES, bytes);
        relay->count -= whole;
        memmove(relay->bytes, relay->bytes + whole, relay->count);
        if (!section_message_valid(tag, msg->data, bytes)) {
            ln_msg_free(&msg);
            return -EPROTO;
        }
        ln_send(relay->owner, &msg);
    }
    return error == -EAGAIN ? 0 : error;
}

static void
received(struct relay *relay, const struct ln_socket_event *event)
{
    size_t taken = 0;
    while (taken < event->bytes) {
        size_t room = SECTION_RECORD_BYTES_MAX - relay->count;
        size_t count = event->bytes - taken < room ? event->bytes - taken : room;
        memcpy(relay->bytes + relay->count, event->data + taken, count);
        relay->count += count;
        taken += count;
        if (records_take(relay) < 0) {
            ln_stop(LN_EXIT_ERROR, "what a process of the generator said makes no sense");
            return;
        }
    }
}

static int
relay_init(void *state, const void *argument)
{
    struct relay *relay = state;
    const struct relay_start *start = argument;
    relay->owner = start->owner;
    relay->bytes = ln_alloc(SECTION_RECORD_BYTES_MAX);
    relay->socket = ln_socket_attach(start->socket);
    return 0;
}

static void
relay_handle(void *state, struct ln_msg **msg)
{
    struct relay *relay = state;
    switch ((*msg)->tag) {
    case LN_TAG_DATA:
        received(relay, ln_socket_event(*msg));
        break;
    case LN_TAG_CLOSED:
        ln_stop(LN_EXIT_NORMAL, "the other end has gone");
        break;
    default:
        send_out(relay, *msg);
        break;
    }
}

const struct ln_behaviour relay_behaviour = {
    .name = "relay",
    .state_bytes = sizeof(struct relay),
    .init = relay_init,
    .handle = relay_handle,
};
