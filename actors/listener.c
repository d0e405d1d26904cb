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

/* Those accepted that wait for their start, in their order: a ring. They are closed with it. */
struct line {
    struct ln_resource own;
    io_socket *sockets; /* [room], a power of two */
    uint32_t first, count, room;
};

struct listener {
    struct messenger *messenger;
    struct ln_socket *socket;
    struct line line;
    unsigned next; /* scheduler */
    unsigned arrivals_count;
    struct arrival arrivals[LISTENER_ARRIVALS_MAX];
};

/* ----------------------------------------------------------------------------------------- line */

static void
line_push(struct line *line, io_socket socket)
{
    if (line->count == line->room) {
        uint32_t room = line->room > 0 ? 2 * line->room : LISTENER_ARRIVALS_MAX;
        io_socket *sockets = ln_alloc(room * sizeof *sockets);
        for (uint32_t i = 0; i < line->count; i++) {
            sockets[i] = line->sockets[(line->first + i) & (line->room - 1)];
        }
        ln_free(line->sockets);
        line->sockets = sockets;
        line->room = room;
        line->first = 0;
    }
    line->sockets[(line->first + line->count++) & (line->room - 1)] = socket;
}

static io_socket
line_pop(struct line *line)
{
    io_socket socket = line->sockets[line->first];
    line->first = (line->first + 1) & (line->room - 1);
    if (--line->count == 0) { /* a crowd was here */
        ln_free(line->sockets);
        line->sockets = NULL;
        line->room = 0;
        line->first = 0;
    }
    return socket;
}

static void
line_release(struct ln_resource *resource)
{
    struct line *line = (struct line *)resource;
    for (; line->count > 0; line->count--) {
        io_close(ln_io(), line->sockets[line->first], true);
        line->first = (line->first + 1) & (line->room - 1);
    }
}

/* ----------------------------------------------------------------------------------------- life */

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
    ln_own(&listener->line.own, line_release);
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

enum room { ROOM_LEFT, ROOM_NONE, ROOM_UNKNOWN };

/* Those under way are counted already, or not yet: where that decides, an answer has to tell. */
static enum room
room_left(const struct listener *listener)
{
    const struct messenger *messenger = listener->messenger;
    uint64_t most =
        (uint64_t)messenger->settings->connections_max + messenger->room.connections_spare;
    uint64_t counted = messenger_counted(&messenger->counters.connections);
    if (counted >= most) {
        return ROOM_NONE;
    }
    bool all = counted + listener->arrivals_count < most;
    return all && listener->arrivals_count < LISTENER_ARRIVALS_MAX ? ROOM_LEFT : ROOM_UNKNOWN;
}

static void
refuse(struct listener *listener, io_socket descriptor)
{
    messenger_count(&listener->messenger->counters.connections_refused);
    io_close(ln_io(), descriptor, true);
}

/* Asks for its connection, on the schedulers in turn. */
static void
start(struct listener *listener, io_socket descriptor)
{
    struct messenger *messenger = listener->messenger;
    struct arrival *arrival = arrival_find(listener, 0);
    ASSERT(arrival != NULL);
    if (handoff_offer(&messenger->handoffs, descriptor, &arrival->handoff) != 0) {
        refuse(listener, descriptor);
        return;
    }
    struct connection_start begin = {
        .messenger = messenger, .descriptor = descriptor, .ticket = arrival->handoff.ticket};
    char name[TREE_NAME_BYTES];
    tree_connections_name(listener->next, name);
    listener->next = (listener->next + 1) % ln_schedulers();
    arrival->ref = ln_supervisor_request_child(ln_whereis(name), &begin, sizeof begin);
    listener->arrivals_count++;
}

/* The line moves as far as is known. */
static void
go_on(struct listener *listener)
{
    enum room room;
    while (listener->line.count > 0 && (room = room_left(listener)) != ROOM_UNKNOWN) {
        io_socket descriptor = line_pop(&listener->line);
        if (room == ROOM_LEFT) {
            start(listener, descriptor);
        } else {
            refuse(listener, descriptor);
        }
    }
}

static void
accepted(struct listener *listener, io_socket descriptor)
{
    messenger_count(&listener->messenger->counters.connections_accepted);
    if (descriptor < listener->messenger->room.connections_below) {
        line_push(&listener->line, descriptor);
    } else {
        refuse(listener, descriptor);
    }
}

/* A connection has begun, or will not. */
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

static void
listener_handle(void *state, struct ln_msg **msg)
{
    struct listener *listener = state;
    if (((*msg)->flags & LN_MSG_ANSWER) != 0) {
        answered(listener, *msg);
    } else if ((*msg)->tag == LN_TAG_ACCEPT) {
        accepted(listener, ln_socket_event(*msg)->descriptor);
    } else if ((*msg)->tag == LN_TAG_CLOSED) {
        ln_stop(LN_EXIT_ERROR, "the listening socket failed");
    }
    go_on(listener);
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
