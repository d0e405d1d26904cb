/* SPDX-License-Identifier: Apache-2.0 */
/* phone.h - one user's device: a client of the protocol (net/client.h) on a socket, which calls the
 * node again when it is cut off.
 *
 *     phone_init(&phone, crowd, user, end);
 *     phone_call(&phone);                            connects; yields
 *     on LN_TAG_DATA:  while (phone_next(&phone, &input, &event)) ...
 *                      phone_flush(&phone);
 *     on CLIENT_CLOSED or LN_TAG_CLOSED:  phone_cut(&phone)
 *     phone_close(&phone);
 *
 * Embedded in an actor's state; what was not answered survives a cut in the client's outbox.
 */
#pragma once

#include "bench/crowd.h"
#include "runtime/socket.h"

struct phone {
    struct crowd *crowd;
    const struct user *user;
    struct client client;
    struct client_login login;
    struct ln_socket *socket; /* NULL: not connected */
    uint32_t end;             /* which of its actor's phones: in the CROWD_CALL to itself */
    uint32_t tries;           /* calls since the last welcome */
    uint64_t called_at_ns;    /* the last call */
    uint64_t cut_at_ns;       /* since when it is not connected; 0: it is */
    uint64_t left_ns;         /* when it last left a connection that stood or was being made */
    uint64_t returned_ns;     /* when it was last to be back; 0: it never left */
    struct ln_socket *asleep; /* the connection that it fell asleep on, until that is reset */
    bool calling;             /* a CROWD_CALL is on its way, or being done */
    bool welcomed;            /* since it was connected */
    bool seeking;             /* it is to be connected, and is not logged in */
    bool away;                /* it is not to be connected */
};

/* Of a user of the crowd's process, by index. */
void phone_init(struct phone *phone, struct crowd *crowd, uint32_t user, uint32_t end);
/* Gives back the client's memory. Its socket is its actor's, and goes with it. */
void phone_fini(struct phone *phone);

/* Connects and sends the login; in case of failure the next call is on its way, until the node has
 * been gone for --patience: then the crowd has failed. Yields. */
void phone_call(struct phone *phone);

/* True with the next event; false: the input is used up. A welcome and a close are noted. */
bool phone_next(struct phone *phone, struct client_input *input, struct client_event *out_event);
/* Sends what the client wants to say. */
void phone_flush(struct phone *phone);

/* The connection is over: closes the socket and calls again after a pause. */
void phone_cut(struct phone *phone);
/* Cuts the connection itself, with a reset, and calls again: `due_ns` is when that was to be. */
void phone_drop(struct phone *phone, uint64_t due_ns);
/* Goes offline until phone_return: with a goodbye; or without, and the connection stays open for
 * the node, neither read nor answered. */
void phone_leave(struct phone *phone);
void phone_sleep(struct phone *phone);
/* Is back: `due_ns` is when that was to be, and the call comes after a pause. The connection that
 * it fell asleep on is reset before the call or after the login, by chance. */
void phone_return(struct phone *phone, uint64_t due_ns, uint64_t pause_ms);
/* Does it make sense to call again after such a close? If not, the crowd has failed. */
bool phone_may_return(struct phone *phone, const struct client_event *closed);
/* Says goodbye and closes. */
void phone_close(struct phone *phone);
