/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - a user while somebody is online: feeds the inbox to the connections of the user's
 * devices.
 *
 * One per user, at the user's home, beside the partition. The partition pushes new entries to it;
 * each device takes them as they come while it is `live`, that is: it has everything before, and
 * credit. A device that lags (it just joined, or has 256 entries or 256 KiB unacknowledged) ignores
 * pushes and reads pages from the store when credit comes back, until a page says that it has
 * reached the end. A push names the entry before it, so nothing is ever skipped.
 *
 * A session holds nothing that can't be rebuilt: when it ends or is killed, its connections close
 * and come back. It, its connections and the table of sessions tell each other of their ends
 * themselves, as a resource of theirs, which is released however an actor ends: three monitors
 * would cost an idle user a fifth of what he costs.
 */
#pragma once

#include "actors/messenger.h"
#include "runtime/linnet.h"

struct session_start {
    struct messenger *messenger;
    uint64_t user;
};

extern const struct ln_behaviour session_behaviour;

enum session_tag {
    SESSION_JOIN =
        0x00030000,      /* request: session_join -> session_joined; a store error otherwise */
    SESSION_ACKED,       /* session_acked: the store has noted it; credit comes back */
    SESSION_CONNECTIONS, /* request: ln_pid[], of the devices that are online */
    SESSION_LEFT,        /* the sender, a connection, has ended */
    /* to a sessions actor: */
    SESSIONS_FIND, /* request: session_find -> session_found; starts it if need be */
    SESSIONS_LOOK, /* the same, but starts none: -ENOENT, the user is offline */
    SESSIONS_LEFT, /* session_find: the sender, this user's session, has ended */
    /* a session to itself */
    SESSION_READ, /* asks for pages again that the partition had no time for */
    SESSION_LOOK, /* has anybody joined? */
};

/* The sender of the request is the connection. */
struct session_join {
    uint16_t device;
};
struct session_joined {
    uint64_t acked;
    uint64_t next_command;
    uint64_t node_number;
    uint16_t devices;
};
struct session_acked {
    uint64_t number;
    uint16_t device;
};
struct session_find {
    uint64_t user;
};
struct session_found {
    ln_pid session;
};
