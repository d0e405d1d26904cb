/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/idle.h"

#include "bench/phone.h"

struct idle {
    struct phone phone;
    bool welcomed;
};

static void
happened(struct idle *idle, const struct client_event *event)
{
    struct phone *phone = &idle->phone;
    int error = 0;
    switch (event->kind) {
    case CLIENT_WELCOME:
        if (!idle->welcomed) {
            idle->welcomed = true;
            crowd_tell(phone->crowd, CROWD_READY);
        }
        break;
    case CLIENT_MESSAGE:
    case CLIENT_DUPLICATE:
        error = client_ack(&phone->client, event->message->inbox_number);
        break;
    case CLIENT_RECEIPTS:
        error = client_ack(&phone->client, event->receipts->inbox_number);
        break;
    case CLIENT_RESYNC:
        error = client_ack(&phone->client, event->resync->inbox_number);
        break;
    case CLIENT_CLOSED:
        if (phone_may_return(phone, event)) {
            phone_cut(phone);
        }
        break;
    case CLIENT_SENT:
    case CLIENT_DONE:
    case CLIENT_REFUSED:
    case CLIENT_PONG:
        break;
    }
    ASSERT(error == 0);
}

static void
received(struct idle *idle, const struct ln_socket_event *data)
{
    struct phone *phone = &idle->phone;
    struct client_input input = {data->data, data->bytes};
    struct client_event event;
    while (phone->socket == data->socket && phone_next(phone, &input, &event)) {
        happened(idle, &event);
    }
    phone_flush(phone);
}

static int
idle_init(void *state, const void *argument)
{
    struct idle *idle = state;
    const struct crowd_place *place = argument;
    phone_init(&idle->phone, place->crowd, place->index, 0);
    crowd_call_after(0, 0);
    return 0;
}

static void
idle_handle(void *state, struct ln_msg **msg)
{
    struct idle *idle = state;
    struct phone *phone = &idle->phone;
    switch ((*msg)->tag) {
    case CROWD_CALL:
        phone_call(phone);
        break;
    case CROWD_FINISH:
    case CROWD_ABANDON:
        phone_close(phone);
        ln_stop(LN_EXIT_NORMAL, "finished");
        break;
    case LN_TAG_DATA:
        received(idle, ln_socket_event(*msg));
        break;
    case LN_TAG_CLOSED:
        if (ln_socket_event(*msg)->socket == phone->socket) {
            phone_cut(phone);
        }
        break;
    default:
        break;
    }
}

static void
idle_terminate(void *state, const struct ln_reason *reason)
{
    struct idle *idle = state;
    (void)reason;
    phone_fini(&idle->phone);
}

const struct ln_behaviour idle_behaviour = {
    .name = "idle",
    .state_bytes = sizeof(struct idle),
    .init = idle_init,
    .handle = idle_handle,
    .terminate = idle_terminate,
};
