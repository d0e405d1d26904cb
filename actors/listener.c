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

struct listener {
    struct messenger *messenger;
    struct ln_socket *socket;
    unsigned next;          /* scheduler */
    struct handoff handoff; /* of the connection that is being started */
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

/* Starts it on the schedulers in turn. Yields. */
static int
connection_start_next(struct listener *listener, const struct connection_start *start)
{
    char name[TREE_NAME_BYTES];
    ln_pid connection;
    tree_connections_name(listener->next, name);
    listener->next = (listener->next + 1) % ln_schedulers();
    return ln_supervisor_start_child(ln_whereis(name), start, sizeof *start, LN_FOREVER,
                                     &connection);
}

static void
accepted(struct listener *listener, io_socket descriptor)
{
    struct messenger *messenger = listener->messenger;
    struct messenger_counters *counters = &messenger->counters;
    const struct messenger_room *room = &messenger->room;
    uint64_t most = (uint64_t)messenger->settings->connections_max + room->connections_spare;
    messenger_count(&counters->connections_accepted);
    if (descriptor >= room->connections_below ||
        messenger_counted(&counters->connections) >= most ||
        handoff_offer(&messenger->handoffs, descriptor, &listener->handoff) != 0) {
        messenger_count(&counters->connections_refused);
        io_close(ln_io(), descriptor, true);
        return;
    }
    struct connection_start start = {
        .messenger = messenger, .descriptor = descriptor, .ticket = listener->handoff.ticket};
    if (connection_start_next(listener, &start) != 0) {
        messenger_count(&counters->connections_refused);
    }
    handoff_end(&listener->handoff);
}

static void
listener_handle(void *state, struct ln_msg **msg)
{
    struct listener *listener = state;
    if ((*msg)->tag == LN_TAG_ACCEPT) {
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
