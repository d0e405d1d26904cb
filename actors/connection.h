/* SPDX-License-Identifier: Apache-2.0 */
/* connection.h - one client's connection, from its first byte to its last: an actor with a socket.
 *
 *   HTTP -----> LOGIN -----> READY -----> CLOSING       what it waits for: the request's head;
 *    | |                       ^             ^          who it is; commands; the peer's close
 *    | +--token in the head----+             |
 *    +--/livez and the like, bad requests----+
 *    +--/export: EXPORT, page after page-----+
 *
 * It begins on any scheduler. Once it knows whose it is, or a token in the head says so, it moves
 * to the scheduler where that user is at home: the descriptor and what was read but not yet used go
 * to a new actor there (struct connection_start), and this one ends. There it attaches to its
 * device's inbox: the partition pushes what is new, and what the device has no credit for yet is
 * read in pages later.
 *
 * Commands go straight to the partitions as requests; their answers come back as messages and leave
 * as frames. When commands_unanswered_max of them are under way, the socket is not read any
 * further.
 */
#pragma once

#include "actors/auth.h"
#include "actors/messenger.h"
#include "runtime/linnet.h"
#include "runtime/socket.h"
#include "store/account.h"

/* The argument of a new connection: fresh from the listener, or moved here after its login. */
struct connection_start {
    struct messenger *messenger;
    uint64_t ticket; /* with which the descriptor is taken: handoff.h */
    io_socket descriptor;
    bool moved; /* what follows is set */
    uint8_t form;
    uint16_t device;
    uint64_t user;
    uint32_t address;      /* peer.h */
    uint32_t since_tenths; /* when it was accepted, in tenths of a second; for those that move */
    struct store_name name;
    /* It is not known yet whether it is the device: it brought a token with this hash. */
    bool proves;
    unsigned char token_hash[AUTH_HASH_BYTES];
    char new_token[AUTH_TOKEN_TEXT_BYTES]; /* to be told in the welcome; empty: none */
    uint32_t answer_bytes;                 /* to the upgrade; they leave with what comes next */
    uint32_t input_bytes;                  /* read from the socket already, and not yet used */
    unsigned char bytes[];                 /* the answer, then the input */
};

static inline size_t
connection_start_bytes(const struct connection_start *start)
{
    return sizeof *start + start->answer_bytes + start->input_bytes;
}

extern const struct ln_behaviour connection_behaviour;

/* A connection's messages to itself, but for the last. */
enum connection_tag {
    CONNECTION_TICK = 0x00020000,
    CONNECTION_ENTER,
    CONNECTION_SLOW,       /* does it read now? */
    CONNECTION_RECEIPTS,   /* receipts that were held back are due */
    CONNECTION_READ_AGAIN, /* a page that the partition had no time for */
    CONNECTION_PAGE,       /* of an export */
    CONNECTION_LOOK,       /* the clock's: is the client there still? */
};
