/* SPDX-License-Identifier: Apache-2.0 */
/* client_event.h - what a client tells its owner.
 *
 *     switch (event.kind) {
 *     case CLIENT_MESSAGE:
 *         ... store event.message ...
 *         rc = client_ack(&client, event.message->inbox_number);
 *
 * Events come from client_next; see client.h.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "net/linnet.pb-c.h"

enum client_event_kind {
    CLIENT_WELCOME,   /* welcome; the outbox is on its way */
    CLIENT_MESSAGE,   /* message: new to this device; to be acknowledged when it is stored */
    CLIENT_DUPLICATE, /* message: given before; to be acknowledged once the first one is */
    CLIENT_CHANGED,   /* changed: a message was edited or deleted; to be acknowledged likewise */
    CLIENT_RECEIPTS,  /* receipts */
    CLIENT_UPDATE,    /* update, again: a group was changed; to be acknowledged like a message */
    CLIENT_GROUP_RECEIPTS, /* group_receipts */
    CLIENT_GAP,            /* gap */
    CLIENT_SENT,           /* number, ref, sent: a message is durable, and has left the outbox */
    CLIENT_DONE,           /* number, ref: a command was done */
    CLIENT_ANSWERED,       /* number, ref, answer: a command was answered with any other result */
    CLIENT_REFUSED,        /* number, ref, error; see `final` */
    CLIENT_RESYNC,         /* resync */
    CLIENT_PONG,           /* ref, pong */
    /* code, text: the connection is over; send what is left of the output, then close the socket */
    CLIENT_CLOSED,
};

/* What happened. Pointers are good until the next call of client_next on any client with the same
 * arena. */
struct client_event {
    enum client_event_kind kind;
    uint64_t number; /* of the command; 0: none */
    uint64_t ref;
    union {
        const Linnet__V1__Welcome *welcome;
        const Linnet__V1__NewMessage *message;
        const Linnet__V1__MessageChanged *changed;
        const Linnet__V1__Receipts *receipts;
        const Linnet__V1__ChatUpdate *update;
        const Linnet__V1__GroupReceipts *group_receipts;
        const Linnet__V1__ChatGap *gap;
        const Linnet__V1__Sent *sent;
        const Linnet__V1__Answer *answer;
        const Linnet__V1__Error *error;
        const Linnet__V1__Resync *resync;
        const Linnet__V1__Pong *pong;
    };
    /* Of an update or a change: it was given before, and need only be acknowledged once it is
     * stored. */
    bool again;
    /* Of a refused message: false if it stays in the outbox, to be sent again (client_resend, or
     * the next connection) or given up (client_discard); true if it has left. */
    bool final;
    /* Of a closed connection: the close code, the HTTP status of a refused upgrade, or 0 if the
     * stream was no WebSocket; whether the node said so; and a reason for people. */
    uint16_t code;
    bool by_peer;
    char text[128];
};
