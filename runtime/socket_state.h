/* SPDX-License-Identifier: Apache-2.0 */
/* socket_state.h - a socket as its own files see it: socket.c, its life and what leaves;
 * socket_input.c, what comes. */
#pragma once

#include "runtime/outgoing.h"
#include "runtime/socket_priv.h"
#include "runtime/starving.h"

/* A socket's, while it receives, or wants to, or its owner has what it received. */
struct input {
    struct io_op receive;
    struct ln_socket *socket;
    struct ln_msg *event; /* the LN_TAG_DATA that is out */
    struct starving *starving;
};

/* A socket's, while bytes wait or leave. */
struct output {
    struct io_op send;
    struct ln_socket *socket;
    struct output *next;  /* in the round's list */
    struct timer company; /* until then what is queued may wait for more */
    struct outgoing queue;
    struct iovec *pieces; /* of the send under way */
    uint32_t pieces_count;
    bool queued; /* in the round's list */
    bool notify; /* DRAINED is wanted, at `low` */
    bool shutdown;
    size_t low;
};

enum farewell_step { FLUSH, DRAIN, LEAVE };

enum settling { SETTLING_NOT, SETTLING_WANTED, SETTLING_POLL_ENDS };

/* A socket's, while it closes or is detached. */
struct farewell {
    struct timer timer;
    struct ln_socket *socket;
    struct farewell *next, **previous; /* of all that close on this scheduler */
    struct wait *wait;                 /* the owner's, who detaches; NULL: it closes */
    enum farewell_step step;
    bool abort;
};

struct ln_socket {
    struct ln_resource own; /* the owner's; previous == NULL: it has none any more */
    struct io_op poll;
    struct scheduler *scheduler;
    ln_pid owner;
    struct input *input;
    struct output *output;
    struct farewell *farewell;
    io_socket descriptor;
    int32_t error; /* of a send: nothing is sent any more */
    bool readable : 1;
    bool ending : 1; /* the peer's end has arrived, perhaps behind bytes: receive until it shows */
    bool paused : 1;
    bool ended : 1;  /* the peer's side, or all of it */
    bool told : 1;   /* CLOSED was sent */
    bool failed : 1; /* and said that it has failed */
    bool settled : 1;
    uint8_t settling : 2; /* enum settling */
};
_Static_assert(sizeof(struct ln_socket) <= 112, "an idle socket fits a block of 112 bytes");

/* The socket whose `poll` has something to tell. */
static inline struct ln_socket *
socket_of_poll(struct io_op *op)
{
    struct ln_socket *socket =
        (struct ln_socket *)(void *)((char *)op - offsetof(struct ln_socket, poll));
    scheduler_enter(socket->scheduler);
    return socket;
}

static inline bool
receiving(const struct ln_socket *socket)
{
    return socket->input != NULL && socket->input->receive.active;
}

/* Its owner has bytes, or will be given them. */
static inline struct ln_msg *
event_out(const struct ln_socket *socket)
{
    return socket->input != NULL ? socket->input->event : NULL;
}

static inline bool
starves(const struct ln_socket *socket)
{
    return socket->input != NULL && socket->input->starving != NULL;
}

/* ------------------------------------------------------------------------------------ socket.c */

/* Sends its owner an event. */
void socket_tell(struct ln_socket *socket, uint32_t tag, struct ln_socket_event event);
/* It has ended, by the peer's doing or an error: its owner is told once of each. */
void socket_tell_closed(struct ln_socket *socket, int error);
/* Called whenever an operation has ended that it may wait for, in this order; after the second the
 * socket may be gone. */
void socket_settle_go_on(struct ln_socket *socket);
void socket_farewell_go_on(struct ln_socket *socket);

/* ------------------------------------------------------------------------------ socket_input.c */

/* `poll.done` of a connection. */
void socket_poll_done(struct io_op *op, int32_t result);
/* If there is something, and somebody to have it. */
void socket_receive_start(struct ln_socket *socket);
/* No bytes for the owner any more. */
void socket_event_forget(struct ln_socket *socket);
/* True: none is under way. Else it is being cancelled. */
bool socket_input_end(struct ln_socket *socket);
/* Starts what waited for a receive buffer. */
void sockets_feed(struct scheduler *scheduler);
