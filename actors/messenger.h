/* SPDX-License-Identifier: Apache-2.0 */
/* messenger.h - what all actors of a node share: its store, its settings, its counters.
 *
 * One per node, made by the program that runs it (linnetd, or a test under sim) before the
 * schedulers start and alive until they have stopped; actors get its address in their arguments.
 * Everything but the counters and the two flags is fixed by then.
 *
 *     messenger_init(&messenger, driver, store, &settings);
 *     messenger.ready = print_address;
 *     tree_root(&messenger, ...); ln_node_start(node);
 *     ... in an actor:  messenger_count(&messenger->counters.logins);
 */
#pragma once

#include "actors/handoff.h"
#include "actors/limiter.h"
#include "actors/message_handle.h"
#include "actors/pressure.h"
#include "actors/settings.h"
#include "net/websocket.h"
#include "runtime/check.h"
#include "runtime/io/io.h"
#include "store/hot.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct push_office;

enum {
    MESSENGER_WHY_BYTES = 256,
    MESSENGER_LOOK_UPS_MAX = 64,
    /* Above the schema's highest error code. */
    MESSENGER_ERROR_CODES = 64,
};

/* Since the start, but for those "now". Written from every scheduler without order: each is read by
 * itself. */
struct messenger_counters {
    _Atomic uint64_t connections;          /* now */
    _Atomic uint64_t connections_accepted; /* sockets */
    _Atomic uint64_t connections_refused;  /* beyond connections_max, or the room */
    _Atomic uint64_t upgrades;             /* to a WebSocket */
    _Atomic uint64_t requests_bad;         /* HTTP that was no good */
    _Atomic uint64_t devices;              /* now: authenticated connections */
    _Atomic uint64_t logins_password;
    _Atomic uint64_t logins_token;
    _Atomic uint64_t logins_link;
    _Atomic uint64_t logins_failed;
    _Atomic uint64_t logins_pending; /* now: waiting for a password hash */
    _Atomic uint64_t frames_received;
    _Atomic uint64_t frames_sent;
    _Atomic uint64_t bytes_received;
    _Atomic uint64_t bytes_sent;
    _Atomic uint64_t messages_accepted; /* durable */
    _Atomic uint64_t messages_duplicate;
    _Atomic uint64_t messages_held; /* of those accepted: for names that nobody had */
    _Atomic uint64_t hold_refused;  /* such messages: too many of the name, or of the sender */
    _Atomic uint64_t deliveries;    /* newMessage events written to sockets */
    _Atomic uint64_t changes;       /* messageChanged events, likewise */
    _Atomic uint64_t acks;
    _Atomic uint64_t reads;         /* markRead commands done */
    _Atomic uint64_t receipts;      /* events written to sockets */
    _Atomic uint64_t chats_created; /* groups */
    _Atomic uint64_t chats_changed;
    _Atomic uint64_t chat_updates; /* events of groups' changes written to sockets */
    _Atomic uint64_t chat_gaps;
    _Atomic uint64_t states; /* events written to sockets */
    _Atomic uint64_t resyncs;
    _Atomic uint64_t invariant_violations; /* what an audit found, and nothing should have caused */
    _Atomic uint64_t accounts_deleted;     /* by their users */
    _Atomic uint64_t exports;              /* begun, by users */
    _Atomic uint64_t exports_cut;          /* of them, not given as a whole */
    _Atomic uint64_t replaced;    /* connections closed because their device connected anew */
    _Atomic uint64_t slow;        /* connections closed because they did not read */
    _Atomic uint64_t rate_closed; /* connections closed because they were far too fast */
    _Atomic uint64_t idle;        /* connections closed because they were silent */
    _Atomic uint64_t rate_refused[RATE_CLASSES]; /* commands, by class */
    _Atomic uint64_t push_waiting;               /* now: devices that push actors have in mind */
    _Atomic uint64_t push_couriers;              /* now */
    _Atomic uint64_t push_queued;                /* devices that became due */
    _Atomic uint64_t push_suppressed;            /* they acknowledged in time */
    _Atomic uint64_t push_attempts;
    _Atomic uint64_t push_accepted;
    _Atomic uint64_t push_retried;
    _Atomic uint64_t push_dropped; /* refused, or tried in vain for too long */
    _Atomic uint64_t push_gone;    /* subscriptions that their servers said have ended */
    _Atomic uint64_t push_missed;  /* devices that were not kept in mind for want of room */
    _Atomic uint64_t errors[MESSENGER_ERROR_CODES]; /* answers by code */
    _Atomic uint64_t presence_signs;                /* of life from the foreground */
    _Atomic uint64_t presence_updates; /* meant for watchers: who is there, who types */
    _Atomic uint64_t presence_events;  /* of them, written to sockets */
    _Atomic uint64_t presence_dropped; /* of them, not written: the client did not read */
    _Atomic uint64_t presence_busy;    /* seconds in which a scheduler had no time for them */
    _Atomic uint64_t presence_seen;    /* users told to the store */
    /* What was left out under pressure: typing not told; watches and questions refused; receipts
     * that went along with a later one. */
    _Atomic uint64_t shed[PRESSURES];
    _Atomic uint64_t receipts_held; /* for a moment, under pressure */
    _Atomic uint64_t shell_requests;
    _Atomic uint64_t shell_refused;
};

/* What the descriptors that the process may have leave to each: messenger_init leaves all that the
 * node can use, and a program that may have fewer says so before the node starts. */
struct messenger_room {
    /* So many connections beyond connections_max are served, but not upgraded: who comes then hears
     * 503 instead of a reset, and operators still reach /livez and /metrics. */
    uint32_t connections_spare;
    /* A connection's descriptor is below it; the others are the store's and the shell's. A new
     * descriptor has the lowest number that is free, so this holds however long the kernel, or a
     * peer that does not close, keeps a socket of which no actor knows any more. */
    io_socket connections_below;
    /* Whose descriptor is so high gives it back once it has logged in (ln_socket_settle). */
    io_socket connections_settle_from;
    uint32_t shell_connections_max;
};

struct presence;

/* What users have used up of their rates; of one scheduler. */
struct messenger_rates {
    struct limiter users;
    struct hot hot_users, hot_groups; /* whose commands are most; and to which groups */
};

struct turn_office;

struct messenger {
    struct store *store;                    /* borrowed */
    struct presence *presences;             /* the tree's: presence.h */
    const struct settings *settings;        /* borrowed */
    struct protocol_limits limits;          /* the settings' */
    struct websocket_rules websocket_rules; /* what clients' frames are held to: the limits' */
    struct message_handle_keys handle_keys; /* the store's */
    const struct turn_office *turn;         /* NULL: the node has no TURN server */
    struct messenger_room room;
    struct io_driver *driver; /* borrowed */
    uint64_t started_at_ns;   /* io_now_ns */
    int64_t started_wall_ms;
    /* Called once, on the listener's scheduler, when clients can connect; `bound` is where. May be
     * NULL. */
    void (*ready)(struct messenger *messenger, const struct io_address *bound);
    void *ready_context;
    struct messenger_counters counters;
    struct handoffs handoffs;      /* sockets between two actors */
    struct messenger_rates *rates; /* one per scheduler */
    struct limiter addresses;      /* likewise of addresses and sites; of the node */
    struct limiter node;           /* of all of them together: nobody takes its place */
    struct pressure_gauge *gauges; /* likewise */
    unsigned schedulers;
    const struct push_office *push; /* borrowed; NULL: this node does not push */
    /* Names of clients' that workers look up now: for which user; 0: a free place. */
    _Atomic uint64_t look_ups[MESSENGER_LOOK_UPS_MAX];
    unsigned look_ups_max; /* places there are: messenger_workers */
    /* Whose data is being given to him; 0: a free place. The settings' exports_max of them. */
    _Atomic uint64_t exports[SETTINGS_EXPORTS_MAX];

    _Atomic bool serving;          /* clients can connect: what /readyz tells */
    _Atomic bool draining;         /* the node has been asked to stop */
    _Atomic int error;             /* why the node can't start; 0: it can */
    char why[MESSENGER_WHY_BYTES]; /* one sentence beside `error`: read after the node was joined */
    struct io_address bound;       /* valid once `serving` was set */
};

/* So many workers do what waits: one of them at least has other things to do than names of
 * clients'. messenger_init takes it that there are as many as schedulers. */
void messenger_workers(struct messenger *messenger, unsigned workers);

/* Your memory; borrows all three. */
void messenger_init(struct messenger *messenger, struct io_driver *driver, struct store *store,
                    const struct settings *settings);

/* The node has been joined. */
void messenger_fini(struct messenger *messenger);

/* The calling actor's scheduler's. */
struct messenger_rates *messenger_rates(struct messenger *messenger);
struct pressure_gauge *messenger_gauge(const struct messenger *messenger);
/* What gives way there now (pressure.h). */
enum pressure messenger_pressure(const struct messenger *messenger);
/* As far as it is known: sets no timer, so that who is told something makes no work. */
enum pressure messenger_pressure_known(const struct messenger *messenger);

/* The listener listens. Any scheduler; a second call (it was started again) tells nobody. */
void messenger_ready(struct messenger *messenger, const struct io_address *bound);

/* The node can't do its work (a port in use): remembers the first such sentence. The caller ends
 * afterwards, and with it the tree. Any scheduler. */
void messenger_failed(struct messenger *messenger, int error, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The order of counters among each other means nothing, so none is asked for. */
static inline void
messenger_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}
static inline void
messenger_count(_Atomic uint64_t *counter)
{
    messenger_add(counter, 1);
}
static inline void
messenger_uncount(_Atomic uint64_t *counter)
{
    atomic_fetch_sub_explicit(counter, 1, memory_order_relaxed);
}
static inline uint64_t
messenger_counted(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}
