/* SPDX-License-Identifier: Apache-2.0 */
/* sim_network.h - the simulated network: handles, listeners, connections.
 *
 * A connection is two ends and two pipes. What an end sends is cut into segments; a segment flies
 * for a seeded time and never overtakes another of its pipe. What has arrived waits in the pipe
 * until it is received; flying and arrived bytes together never exceed the pipe's room, so a reader
 * that stops is felt by the writer.
 *
 *     end A  ---- pipe to B: [arrived | flying ...] ---->  end B
 *            <--- pipe to A ----------------------------
 *
 * An end belongs to a handle of the node, to a listener's backlog, or to a test's peer. A
 * connection lives until both ends are closed and nothing flies any more.
 */
#pragma once

#include "runtime/io/sim_request.h"

enum {
    /* The first port given away where port 0 was asked, as Linux has it. */
    SIM_PORT_EPHEMERAL = 32768,
    SIM_SETTLED = 1 << 30, /* in the handle of a settled socket */
};

/* What a handle stands for: the first member of listeners and ends. */
struct sim_socket {
    struct sim *sim;
    bool listening;
    io_socket handle; /* -1: none */
    unsigned loop;    /* that alone knows it; when it is settled */
    unsigned active;  /* operations between start and last done */
    struct sim_request *waiting_first, *waiting_last;
};

struct sim_listener {
    struct sim_socket socket;
    struct io_address address;
    unsigned backlog_max, backlog;
    struct sim_end *first, **last; /* connected, not accepted */
    struct sim_listener *next;
};

enum sim_segment_kind {
    SIM_SEGMENT_BYTES,
    SIM_SEGMENT_END,
    SIM_SEGMENT_RESET,
};

struct sim_segment {
    struct sim_pipe *pipe;
    struct sim_segment *next;
    enum sim_segment_kind kind;
    uint32_t era;
    size_t count, taken;
    unsigned char bytes[];
};

struct sim_pipe {
    struct sim_end *to;
    struct sim_segment *first, **last; /* arrived, not received */
    size_t arrived, flying;
    uint64_t last_at_ns; /* when the newest segment arrives */
    uint32_t era;        /* a cut raises it: segments of an older era never arrive */
    bool shut;           /* the writer has ended it */
    bool room_promised;  /* news of free room is on its way to the writer */
};

struct sim_end {
    struct sim_socket socket;
    struct sim_connection *connection;
    struct sim_pipe *in, *out;
    struct sim_end *other;
    struct sim_peer *peer; /* the test's peer behind it, or NULL */
    struct io_address remote;
    bool ended; /* the other side's end has arrived */
    bool reset; /* a reset has arrived, or an acknowledgement never did: */
    bool timed_out;
    bool waits_in_vain; /* the entry of the agenda that will say so */
    bool closed;        /* nobody is behind it any more */
    struct sim_end *backlog_next;
};

struct sim_connection {
    struct sim *sim;
    unsigned holds; /* one per open end, one per entry of the agenda */
    bool far;
    bool vanished; /* nothing arrives any more, either way */
    struct sim_end ends[2];
    struct sim_pipe pipes[2];
    struct sim_connection *next, *previous; /* all of the network */
};

struct sim_handles {
    struct sim_socket **sockets; /* by handle; NULL: free */
    size_t room;
};

struct sim_network {
    struct sim *sim;
    struct sim_handles handles, settled;
    size_t sockets_open; /* that are not settled */
    struct sim_listener *listeners;
    struct sim_connection *connections;
    struct sim_peer *peers;
    uint16_t port_next;
};

struct sim_network *sim_network_new(struct sim *sim);
void sim_network_free(struct sim_network *network);

/* How long something takes from one side to the other. */
uint64_t sim_network_delay_ns(struct sim *sim);

/* The answer to a connect: an end (yours, without handle) and 0, or NULL and a negative errno. */
struct sim_attempt {
    struct sim *sim;
    struct io_address address;
    struct io_address from;
    void (*answer)(struct sim_attempt *attempt, struct sim_end *end, int error);
    struct sim_request *request; /* one of these two, for `answer` */
    struct sim_peer *peer;
    struct sim_connection *connection;
    int error;
};

/* Sends the connection request; takes the attempt, which is freed after its answer. */
void sim_attempt_start(struct sim_attempt *attempt);

/* sim_stream.c */
struct sim_connection *sim_connection_new(struct sim_network *network);
void sim_connection_put(struct sim_connection *connection);
/* What can be sent now. */
size_t sim_end_room(const struct sim_end *end);
/* Sends `bytes` bytes, the first of the pieces; there must be room. */
void sim_end_send(struct sim_end *end, const struct iovec *pieces, unsigned count, size_t bytes);
/* The oldest bytes that have arrived: up to `bytes` of them; 0 when there are none. */
size_t sim_end_take(struct sim_end *end, unsigned char *out, size_t bytes);
void sim_end_shutdown(struct sim_end *end);
/* Closes: with a reset when asked or when bytes were left unread, as TCP does. */
void sim_end_close(struct sim_end *end, bool abort);
/* All that flies is lost, both ways, and the other side hears of a reset. */
void sim_end_cut(struct sim_end *end);
/* From now on nothing arrives, either way, and nobody is told. */
void sim_connection_vanish(struct sim_connection *connection);
/* What a reset end's operations get. */
int32_t sim_end_error(const struct sim_end *end);
/* Tells the end's owner once more, a little later. */
void sim_end_hear_again(struct sim_end *end);

/* sim_socket.c: what waits on an end that a handle names. */
void sim_socket_heard(struct sim_end *end);
bool sim_socket_wants_room(struct sim_end *end);
void sim_socket_has_room(struct sim_end *end);
void sim_socket_fail_sends(struct sim_end *end, int error);
void sim_socket_poll(struct io *io, struct io_op *op, io_socket socket);
void sim_socket_receive(struct io *io, struct io_op *op, io_socket socket);
void sim_socket_send(struct io *io, struct io_op *op, io_socket socket, const struct iovec *pieces,
                     unsigned count);
void sim_socket_shutdown(struct io *io, io_socket socket);

/* sim_peer.c: something has arrived, or there is room again. */
void sim_peer_heard(struct sim_peer *peer);
void sim_peer_free_all(struct sim_network *network);

/* sim_handle.c: a new handle; its end; what has it (NULL: nothing that this loop knows). */
io_socket sim_handle_give(struct sim_network *network, struct sim_socket *socket);
void sim_handle_take_back(struct sim_network *network, struct sim_socket *socket);
struct sim_socket *sim_handle_socket(struct io *io, io_socket handle);
void sim_handles_free(struct sim_network *network);

/* The end of a handle; NULL when it is none. */
struct sim_end *sim_network_end(struct io *io, io_socket handle);

/* These stand in the table of io_priv.h. */
int sim_handle_settle(struct io *io, io_socket handle, io_socket *out);
uint64_t sim_handle_settled_max(const struct io_driver *driver, uint32_t *out_each);
int sim_network_listen(struct io *io, const struct io_address *address, int backlog, io_socket *out,
                       struct io_address *out_bound);
void sim_network_accept(struct io *io, struct io_op *op, io_socket listener);
void sim_network_connect(struct io *io, struct io_op *op, const struct io_address *address);
int sim_network_peer(struct io *io, io_socket socket, struct io_address *out);
void sim_network_close(struct io *io, io_socket socket, bool abort);
