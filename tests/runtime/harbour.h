/* SPDX-License-Identifier: Apache-2.0 */
/* harbour.h - for stories about sockets: an echo server, and a peer that is no actor. */
#pragma once

#include "runtime/io/sim.h"
#include "runtime/socket.h"
#include "tests/runtime/stage.h"

/* Serves one connection: its argument is the descriptor. Ends when the peer ends its side. */
extern const struct ln_behaviour harbour_echo;
/* Listens on harbour_address and spawns an echo for each connection, anywhere. Crashes when it is
 * told so. */
extern const struct ln_behaviour harbour_server;
enum { HARBOUR_CRASH = 1 };

struct io_address harbour_address(void);
/* Connects to it. */
struct ln_socket *harbour_connect(void);
/* Receives until `count` bytes have come; they go to `out`. */
void harbour_receive(struct ln_socket *socket, unsigned char *out, size_t count);
void harbour_expect_closed(int error);

enum { HARBOUR_BYTES = 300000 };
/* What the story sends, and what comes back. */
extern unsigned char harbour_sent[HARBOUR_BYTES], harbour_got[HARBOUR_BYTES];
/* Fills the beginning of harbour_sent. */
void harbour_fill(size_t count, unsigned salt);

/* A simulated peer that writes down what it sees: bytes must be those of harbour_sent. */
struct witness {
    struct sim_peer *peer;
    size_t received;
    int connected; /* 1, or a negative errno */
    bool closed, reset;
};
extern struct witness harbour_witness;
/* Lets `witness` connect. */
void harbour_call(struct witness *witness);
/* Listens, lets harbour_witness connect, and returns the accepted connection, attached. */
struct ln_socket *harbour_meet(struct ln_socket **out_listener);
