/* SPDX-License-Identifier: Apache-2.0 */
/* connection_priv.h - the connection as its own files see it:
 *
 *     connection.c           its life: start, dispatch of what comes, clock, end
 *     connection_http.c      the request's head: upgrade, /livez and the like; connection_export.c
 *     connection_login.c     logging in, and what refuses it (connection_login.h)
 *     connection_identity.c  who is it: token, password or code
 *     connection_home.c      the move home; attached and welcomed
 *     connection_rate.c      how fast it may be
 *     connection_command.c   frames in: the table of commands (command.h, command_*.c)
 *     connection_pending.c   commands that wait for a partition's answer
 *     connection_inbox.c     the device's inbox: attaching to it, pushes, pages, credit
 *     connection_presence.c  whom it watches
 *     connection_event.c     frames out: what a client is sent; further ones in event_NOUN.c
 */
#pragma once

#include "actors/connection.h"
#include "actors/connection_rate.h"
#include "actors/flight.h"
#include "actors/pending.h"
#include "actors/rate.h"
#include "actors/short_name.h"
#include "net/http.h"
#include "net/protocol.h"
#include "net/websocket.h"
#include "store/request.h"
#include "store/state.h"

enum connection_phase {
    CONNECTION_HTTP,
    CONNECTION_EXPORT,
    CONNECTION_ECHO,
    CONNECTION_LOGIN,
    CONNECTION_ENTERING, /* known, not joined yet */
    CONNECTION_READY,
    CONNECTION_CLOSING, /* our close is sent; what comes is read and dropped */
    CONNECTION_READER,  /* nobody's: event.h */
};

/* How the device is fed while it lags behind its inbox or has entries to acknowledge. */
struct feed {
    struct flight flight;
    uint64_t asked;          /* the page request under way; 0: none */
    uint64_t missed;         /* the highest push that went by while it was not live */
    struct ln_buffer *shown; /* what the entries lie in that are being sent; borrowed; else NULL */
    bool live;               /* it has everything, and takes pushes as they come */
};

/* Input that was not used up: a request's head that is not complete, or what waits for credit. */
struct kept {
    uint32_t bytes;
    uint32_t at; /* used up of them */
    unsigned char data[];
};

struct connection {
    struct ln_resource own; /* what the websocket holds, the counters, the place in the partition */
    struct messenger *messenger;
    struct ln_socket *socket;
    struct websocket websocket;
    uint64_t user;
    union {
        uint64_t node_number; /* for the next message that its device does not number */
        uint64_t site;        /* peer.h; before it has logged in */
    };
    union {
        uint64_t fed; /* inbox entries up to here are on the wire, or acknowledged */
        struct connection_export *export; /* CONNECTION_EXPORT; NULL: it has not begun */
    };
    struct feed *feed; /* NULL: live, and nothing to acknowledge */
    struct pending_list pendings;
    struct connection_watches *watches; /* connection_presence.c; NULL: nobody */
    struct kept *kept;                  /* NULL: none */
    uint64_t heard_at_ns;
    struct rate commands, bytes;
    uint64_t timer;        /* CONNECTION_TICK */
    uint64_t slow_timer;   /* CONNECTION_SLOW, while `stuffed` */
    uint32_t address;      /* peer.h; 0: nobody's */
    uint32_t since_tenths; /* when it was accepted, in tenths of a second of the node's clock */
    uint16_t device;
    uint16_t devices;
    uint8_t phase;
    uint8_t form;
    uint8_t bad_frames;
    uint8_t slow_look; /* which CONNECTION_SLOW counts: one may have been on its way already */
    bool pinged : 1;
    bool paused : 1;        /* the socket is not read */
    bool searching : 1;     /* for a message to delete: what it costs is not known yet */
    bool stuffed : 1;       /* more waits to leave than the peer should leave unread */
    bool asks_again : 1;    /* CONNECTION_RECEIPTS is on its way */
    bool acks_late : 1;     /* one waits for the end of the input: command_cursor.c */
    bool reads_again : 1;   /* CONNECTION_READ_AGAIN is on its way */
    bool attached : 1;      /* or asked to be: its end detaches */
    bool counted : 1;       /* among the authenticated */
    bool login_counted : 1; /* among the pending logins */
    bool spare : 1;         /* came beyond connections_max */
    bool suspects : 1;      /* the last audit found something amiss */
    uint8_t looks : 3;      /* of the clock, since the last audit */
    bool settles : 1;       /* gives its descriptor back when it has logged in */
    bool patient : 1;       /* what is written now may wait for company */
    uint8_t logins : 3;     /* tried in vain, up to CONNECTION_LOGINS_MAX */
    struct short_name name;
};
/* There may be a million: what only some of them need, or only for a while, is behind a pointer or
 * in a message. */
_Static_assert(sizeof(struct connection) <= 208,
               "with what the runtime has beside it, it fits a block of 256 bytes");

enum {
    /* A login that was tried so often in one connection has a person at the end who should be shown
     * the door. */
    CONNECTION_LOGINS_MAX = 5, /* `logins` counts to 7 */
    /* Who comes beyond connections_max is there for a page or a 503: what silent ones held would be
     * missing for those. */
    CONNECTION_SPARE_MS = 1000,
    /* How long the peer has for its half of the closing handshake. */
    CONNECTION_CLOSE_MS = 5000,
    /* What a partition takes at most for an answer that a login or a name waits for. */
    CONNECTION_CALL_MS = 10000,
    /* May wait to leave before the peer is expected to read. It goes on when half has left. */
    CONNECTION_UNSENT_MAX = 128 << 10,
    /* A peer that has not taken a byte of that for so long does not read. */
    CONNECTION_SLOW_MS = 30000,
    /* When a busy or restarting partition is asked again. */
    CONNECTION_AGAIN_MS = 100,
};

/* connection.c */
/* Sends a close frame and waits for the peer's, then ends. No-op when it is closing already. */
void connection_close(struct connection *connection, uint16_t code, const char *reason);
/* From now on its silence is watched (clock.h), no longer its login. */
void connection_watch_idle(struct connection *connection);
/* Feeds bytes to the WebSocket and handles what comes out, as far as there is credit; the rest is
 * kept. They may be overwritten. */
void connection_input(struct connection *connection, unsigned char *bytes, size_t count);
/* Keeps input behind what is kept already. */
void connection_keep(struct connection *connection, const unsigned char *bytes, size_t count);
/* Stops or resumes reading, as credit is. */
void connection_flow(struct connection *connection);
/* A part of a frame. Where the connection is `patient` it leaves with the next one that is not, or
 * after PRESSURE_WAIT_MS. */
void connection_write(struct connection *connection, const void *bytes, size_t count);
/* The same of a shared payload, by reference, which it takes; this one never waits. */
void connection_write_buffer(struct connection *connection, struct ln_buffer **buffer,
                             size_t offset, size_t count);
const struct websocket_rules *connection_rules(const struct connection *connection);
/* Whether connections_max has room for it; it is among those counted. */
bool connection_room_left(const struct connection *connection);

/* connection_command.c */
void connection_frame(struct connection *connection, unsigned char *bytes, size_t count,
                      struct websocket_input *left);
/* The answer to one of its requests. */
void connection_answered(struct connection *connection, struct ln_msg *answer);
/* command_account.c: deleteAccount before any login. Yields. */
void connection_delete_account(struct connection *connection, const Linnet__V1__ClientFrame *frame);
/* command_cursor.c: CONNECTION_RECEIPTS; its end: what is held back is told to the store. */
void connection_receipts_ask(struct connection *connection);
void connection_receipts_end(const struct connection *connection);
/* The same: another command comes, or the input has been used. */
void connection_acks_ask(struct connection *connection);

/* connection_inbox.c */
/* Makes this connection the one that feeds its device. With the hash of a token it is made sure
 * that it is the device's: -EACCES. 0 or the store's error. Yields. */
MUST_CHECK int connection_attach(struct connection *connection, const unsigned char *token_hash,
                                 struct store_attached *out);
/* Begins to feed what `attached` says is there. */
void connection_feed(struct connection *connection, const struct store_attached *attached);
/* What the store tells unasked: STORE_PUSH and the others of store/request.h. STORE_RESYNC
 * yields. */
void connection_told_by_store(struct connection *connection, struct ln_msg *msg);
/* The answer to the page request, if it is one: true then. */
bool connection_page_arrived(struct connection *connection, struct ln_msg *answer);
/* Entries up to `number` are acknowledged, and the store has noted it: credit comes back. */
void connection_credit(struct connection *connection, uint64_t number);
/* CONNECTION_READ_AGAIN */
void connection_read_again(struct connection *connection);
/* At each look of the clock: now and then it asks whether it has been told everything. */
void connection_audit(struct connection *connection);
/* Whether it is pushed what its user gets from now on; else that waits for a page, or for the
 * device to acknowledge something. */
bool connection_more_comes(const struct connection *connection);
/* Its end: nothing is told to it any more. */
void connection_detach(struct connection *connection);

/* connection_event.c */
void event_send(struct connection *connection, Linnet__V1__ServerFrame *frame);
/* The same of how far others have got. Under pressure it leaves with what is sent next, which saves
 * a segment and often one that the client answers it with; or after a while. Not where more is
 * pushed only when the client has acknowledged this one, nor in a page, whose events leave together
 * as it is. */
void event_send_receipts(struct connection *connection, Linnet__V1__ServerFrame *frame);
void event_error(struct connection *connection, uint64_t number, uint64_t ref,
                 Linnet__V1__Error__Code code, const char *text, uint64_t retry_after_ms);
void event_done(struct connection *connection, uint64_t number, uint64_t ref);
/* Sends an answer that has its result, with this number and ref; or with the pending's. */
void event_answer_to(struct connection *connection, uint64_t number, uint64_t ref,
                     Linnet__V1__Answer *answer);
void event_answer(struct connection *connection, const struct pending *pending,
                  Linnet__V1__Answer *answer);
/* An entry of the inbox, and entries as the store gives them (entry_next). */
void event_entry(struct connection *connection, const struct store_entry *entry);
void event_entries(struct connection *connection, const unsigned char *entries, size_t bytes);
/* Whether the entry says nothing to this device: others miss what this one did. */
bool event_passes_over(const struct connection *connection, const struct store_entry *entry);
/* `chats` is STORE_CHATS's answer, `groups` STORE_GROUP_CHATS's; or NULL. */
void event_resync(struct connection *connection, const struct store_attached *attached,
                  const struct ln_msg *chats, const struct ln_msg *groups);

/* connection_presence.c */
/* False: it watches as many as it may. True too where it watches this one already. */
bool connection_watch_add(struct connection *connection, uint64_t user);
/* Whether it did. */
bool connection_watch_remove(struct connection *connection, uint64_t user);
bool connection_watches(const struct connection *connection, uint64_t user);
/* It may see nothing of a user that it watches, for now, or again; whether that was so before. */
bool connection_watch_hide(struct connection *connection, uint64_t user, bool hidden);
/* Tells the user's presence that the watch is over. */
void connection_unwatch(const struct connection *connection, uint64_t user);
/* The connection's end: it is in no foreground and watches nobody any more. */
void connection_presence_end(struct connection *connection);
/* Its user has sent or read something. */
void connection_acted(const struct connection *connection);
/* PRESENCE_UPDATE. */
void connection_told_by_presence(struct connection *connection, const struct ln_msg *msg);
/* command_presence.c: PRESENCE_AGAIN. */
void connection_watch_again(struct connection *connection, const struct ln_msg *msg);

/* event_presence.c */
struct presence_state {
    uint64_t user;
    uint64_t seen_ms;
    bool online;
    bool hidden;
};
struct presence_update;
void event_presence(struct connection *connection, const struct presence_state *state);
void event_presence_answer(struct connection *connection, const struct pending *pending,
                           const struct presence_state *state);
void event_presence_update(struct connection *connection, const struct presence_update *update);
