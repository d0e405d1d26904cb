/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/listener.h"

#include "actors/connection.h"
#include "actors/tag.h"
#include "actors/tree.h"
#include "runtime/socket.h"
#include "runtime/supervisor.h"
#include "runtime/text.h"

#include <errno.h>
#include <string.h>

enum {
    /* A round trip to another scheduler, which may be asleep, is shared by so many connections. */
    LISTENER_ARRIVALS_MAX = 64,
};

/* A connection that is being started. */
struct arrival {
    struct handoff handoff;
    uint64_t ref; /* of what its supervisor was asked; 0: none is */
};

struct listener {
    struct messenger *messenger;
    struct ln_socket *socket;
    unsigned next; /* scheduler */
    unsigned arrivals_count;
    struct arrival arrivals[LISTENER_ARRIVALS_MAX];
};

int
listener_open(const struct io_address *address, struct ln_socket **out,
              struct io_address *out_bound)
{
    enum { PAUSE_MS = 10 };
    int error = ln_socket_listen(address, out, out_bound);
    for (unsigned ms = 0; error == -EADDRINUSE && ms < LISTENER_PATIENCE_MS; ms += PAUSE_MS) {
        if (ln_sleep(PAUSE_MS) < 0) {
            return -ECANCELED;
        }
        error = ln_socket_listen(address, out, out_bound);
    }
    return error;
}

static int
listener_init(void *state, const void *argument)
{
    struct listener *listener = state;
    listener->messenger = *(struct messenger *const *)argument;
    const char *text = listener->messenger->settings->listen;
    struct io_address address, bound;
    int error = io_address_parse(text, &address);
    if (error == 0 && atomic_load(&listener->messenger->serving)) {
        address = listener->messenger->bound; /* port 0 was asked for: the one that clients know */
    }
    if (error == 0) {
        error = listener_open(&address, &listener->socket, &bound);
    }
    if (error != 0) {
        messenger_failed(listener->messenger, error, "listen = %s: %s", text,
                         error == -EADDRINUSE ? "another program listens there already"
                                              : strerrordesc_np(-error));
        return error;
    }
    messenger_ready(listener->messenger, &bound);
    return 0;
}

/* ------------------------------------------------------------------------------------- arrivals */

static struct arrival *
arrival_find(struct listener *listener, uint64_t ref)
{
    for (unsigned i = 0; i < LISTENER_ARRIVALS_MAX; i++) {
        if (listener->arrivals[i].ref == ref) {
            return &listener->arrivals[i];
        }
    }
    return NULL;
}

/* Its connection has begun, or will not. */
static void
answered(struct listener *listener, const struct ln_msg *answer)
{
    struct arrival *arrival = arrival_find(listener, answer->ref);
    ASSERT(arrival != NULL && listener->arrivals_count > 0);
    if (answer->error != 0) {
        messenger_count(&listener->messenger->counters.connections_refused);
    }
    handoff_end(&arrival->handoff);
    arrival->ref = 0;
    listener->arrivals_count--;
}

static bool
is_answer(const struct ln_msg *msg, void *context)
{
    (void)context;
    return (msg->flags & LN_MSG_ANSWER) != 0;
}

/* Yields. */
static int
answer_await(struct listener *listener)
{
    struct ln_msg *answer = NULL;
    int error = ln_receive_match(is_answer, NULL, LN_FOREVER, &answer);
    if (error == 0) {
        answered(listener, answer);
    }
    ln_msg_free(&answer);
    return error;
}

/* Those under way are counted already, or not yet: where that decides, it waits until it is known.
 * Yields. */
static bool
room_left(struct listener *listener)
{
    const struct messenger *messenger = listener->messenger;
    uint64_t most =
        (uint64_t)messenger->settings->connections_max + messenger->room.connections_spare;
    while (
        listener->arrivals_count == LISTENER_ARRIVALS_MAX ||
        (listener->arrivals_count > 0 &&
         messenger_counted(&messenger->counters.connections) + listener->arrivals_count >= most)) {
        if (answer_await(listener) != 0) {
            return false;
        }
    }
    return messenger_counted(&messenger->counters.connections) < most;
}

/* Has it started on the schedulers in turn. */
static void
connection_start_next(struct listener *listener, struct arrival *arrival)
{
    struct connection_start start = {.messenger = listener->messenger,
                                     .descriptor = arrival->handoff.descriptor,
                                     .ticket = arrival->handoff.ticket};
    char name[TREE_NAME_BYTES];
    tree_connections_name(listener->next, name);
    listener->next = (listener->next + 1) % ln_schedulers();
    arrival->ref = ln_supervisor_request_child(ln_whereis(name), &start, sizeof start);
    listener->arrivals_count++;
}

static void
accepted(struct listener *listener, io_socket descriptor)
{
    struct messenger *messenger = listener->messenger;
    struct arrival *arrival = NULL;
    messenger_count(&messenger->counters.connections_accepted);
    if (descriptor < messenger->room.connections_below && room_left(listener)) {
        arrival = arrival_find(listener, 0);
    }
    if (arrival == NULL ||
        handoff_offer(&messenger->handoffs, descriptor, &arrival->handoff) != 0) {
        messenger_count(&messenger->counters.connections_refused);
        io_close(ln_io(), descriptor, true);
        return;
    }
    connection_start_next(listener, arrival);
}

static void
listener_handle(void *state, struct ln_msg **msg)
{
    struct listener *listener = state;
    if (is_answer(*msg, NULL)) {
        answered(listener, *msg);
    } else if ((*msg)->tag == LN_TAG_ACCEPT) {
        accepted(listener, ln_socket_event(*msg)->descriptor);
    } else if ((*msg)->tag == LN_TAG_CLOSED) {
        ln_stop(LN_EXIT_ERROR, "the listening socket failed");
    }
}

/* Its supervisor stops it first of all when the node goes down. */
static void
listener_terminate(void *state, const struct ln_reason *reason)
{
    struct listener *listener = state;
    if (reason->kind == LN_EXIT_SHUTDOWN) {
        atomic_store(&listener->messenger->draining, true);
    }
}

static void
listener_print(const void *state, struct ln_text *out)
{
    const struct listener *listener = state;
    ln_text_print(out, "%s", listener->messenger->settings->listen);
}

const struct ln_behaviour listener_behaviour = {
    .name = "listener",
    .tag_name = messenger_tag_name,
    .state_bytes = sizeof(struct listener),
    .init = listener_init,
    .handle = listener_handle,
    .terminate = listener_terminate,
    .print = listener_print,
};
