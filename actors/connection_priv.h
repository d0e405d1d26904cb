/* SPDX-License-Identifier: Apache-2.0 */
/* connection_priv.h - the connection as its own files see it:
 *
 *     connection.c           its life: start, dispatch of what comes, clock, end
 *     connection_http.c      the request's head: upgrade, /livez and the like
 *     connection_login.c     who is it: password or token, the move home, joining the session
 *     connection_command.c   frames in: commands become requests, answers become frames
 *     connection_event.c     frames out: every event that a client is sent
 */
#pragma once

#include "actors/connection.h"
#include "net/protocol.h"
#include "net/websocket.h"

enum connection_phase {
    CONNECTION_HTTP,
    CONNECTION_ECHO,
    CONNECTION_LOGIN,
    CONNECTION_ENTERING, /* known, not joined yet */
    CONNECTION_READY,
    CONNECTION_CLOSING, /* our close is sent; what comes is read and dropped */
};

/* A command that a partition works on. */
struct pending {
    struct pending *next;
    uint64_t request; /* ln_request's reference */
    uint64_t number, ref;
    uint32_t tag; /* the store's */
};

struct connection {
    struct ln_resource own; /* what the websocket holds, and the counters */
    struct messenger *messenger;
    struct ln_socket *socket;
    struct websocket websocket;
    uint64_t user;
    uint64_t node_number; /* for the next message that its device does not number */
    ln_pid session;
    struct pending *pending, *pending_last;
    struct connection_start *start; /* moved: until it has entered */
    unsigned char *head;            /* of a request that is not complete yet */
    uint64_t heard_at_ns;
    uint32_t head_bytes;
    uint32_t pending_count;
    uint16_t device;
    uint16_t devices;
    uint8_t phase;
    uint8_t form;
    uint8_t bad_frames;
    uint8_t logins; /* tried in vain */
    bool pinged;
    bool paused;
    bool counted; /* among the authenticated */
    struct store_name name;
};

enum {
    /* A login that was tried so often in one connection has a person at the end who should be shown
     * the door. */
    CONNECTION_LOGINS_MAX = 5,
    /* How long the peer has for its half of the closing handshake. */
    CONNECTION_CLOSE_MS = 5000,
    /* What a partition takes at most for an answer that a login or a name waits for. */
    CONNECTION_CALL_MS = 10000,
};

/* connection.c */
/* Sends a close frame and waits for the peer's, then ends. No-op when it is closing already. */
void connection_close(struct connection *connection, uint16_t code, const char *reason);
/* Feeds bytes to the WebSocket and handles what comes out. They may be overwritten. */
void connection_input(struct connection *connection, unsigned char *bytes, size_t count);
struct websocket_rules;
const struct websocket_rules *connection_rules(const struct connection *connection);

/* connection_http.c */
/* Takes bytes of the head; true when a WebSocket has begun and *out tells what is left of the
 * input. */
bool connection_http_input(struct connection *connection, unsigned char *bytes, size_t count,
                           struct websocket_input *out);

/* connection_login.c: all yield; afterwards the connection may have moved: then its actor is
 * ending, and `left`, the input behind the command, has gone with it. */
void connection_authenticate(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                             struct websocket_input *left);
void connection_login_token(struct connection *connection, const char *token, size_t bytes,
                            struct websocket_input *left);
/* Joins the session and welcomes the client. */
void connection_enter(struct connection *connection, const struct connection_start *start);

/* connection_command.c */
void connection_frame(struct connection *connection, unsigned char *bytes, size_t count,
                      struct websocket_input *left);
/* The answer to one of its requests. */
void connection_answered(struct connection *connection, const struct ln_msg *answer);

/* connection_event.c */
void event_send(struct connection *connection, Linnet__V1__ServerFrame *frame);
void event_error(struct connection *connection, uint64_t number, uint64_t ref,
                 Linnet__V1__Error__Code code, const char *text, uint64_t retry_after_ms);
void event_done(struct connection *connection, uint64_t number, uint64_t ref);
void event_entries(struct connection *connection, struct ln_buffer *buffer, uint32_t offset,
                   uint32_t bytes);
void event_resync(struct connection *connection, uint64_t number);
