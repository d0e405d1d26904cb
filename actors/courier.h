/* SPDX-License-Identifier: Apache-2.0 */
/* courier.h - carries pushes to servers, one at a time, over a connection that it keeps.
 *
 *     IDLE ──order──> looks up, connects ──> HANDSHAKE ──> ASKING ──response──> IDLE
 *                                              (https)        │ or an error: the connection goes
 *
 * An order is a request (COURIER_SEND), answered with a report whatever happened, so that no
 * attempt is without an end: if the courier itself ends, the runtime answers. A server that ended a
 * kept connection just as it was used again is tried once more on a new one: nothing had come of
 * the first.
 *
 * An actor of its own, since everything it does may wait: names are looked up by a worker, connects
 * yield, and so do whoever stalls at the other end. Its handler runs on a lent stack, as libssl and
 * libcrypto need it. It ends by itself when nobody has given it an order for a while.
 */
#pragma once

#include "actors/push_request.h"
#include "runtime/linnet.h"

enum courier_tag {
    COURIER_SEND = 0x00110000, /* courier_order, buffer -> courier_report */
    COURIER_TIMEOUT,           /* its own: the attempt has taken too long */
    COURIER_BEGIN,             /* its own: the order begins anew */
};

enum {
    COURIER_IDLE_MS = 30000,
    COURIER_WHY_BYTES = 96,
};

/* The buffer holds the endpoint, then the client's own. */
struct courier_order {
    struct store_wake_set set;
    uint64_t number;
    uint32_t ttl_s;
    uint16_t attempt;
    bool call;
    bool test;
};

struct courier_report {
    int16_t status;              /* HTTP's, or a negative errno where there was no response */
    uint64_t retry_after_ms;     /* what the server asked for; 0: nothing */
    char why[COURIER_WHY_BYTES]; /* what was said, or what failed; terminated, visible ASCII */
};

/* The argument of a new courier. */
struct courier_start {
    struct messenger *messenger;
};

extern const struct ln_behaviour courier_behaviour;
