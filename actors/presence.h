/* SPDX-License-Identifier: Apache-2.0 */
/* presence.h - who is online, and who is told: one actor per scheduler, for the users at home
 * there.
 *
 *     connection ── signs of life, acts, typing: a call ──> table ─ walk, once a second ─┐
 *     connection ── PRESENCE_ASK, a request ──> its user's scheduler                     │
 *     connection <── PRESENCE_UPDATE ── presence there <── PRESENCE_UPDATES, a batch ────┘
 *                                              │
 *                                   partition <┘ STORE_SEEN, many users at once
 *
 * A user's connections are at home where his partition is, and so is what is known of his presence.
 * They change it by calls, which no queue can hold up, and which leave nothing behind but a note in
 * the table (presence_table.h). Whoever watches him may be anywhere, and is told once a second in
 * batches, one message for many updates.
 *
 * All of that may be lost and goes first: an update is dropped where a mailbox is full or a client
 * does not read, and while the scheduler has too much to do, nobody is told anything. What was not
 * told is told later, and by then it is the newest. Only who was seen when goes into the store: for
 * each partition once in PRESENCE_SEEN_S, and within a second for those who leave.
 *
 * Struct presence outlives its actor: one that is started again goes on with the users it finds,
 * and its walk lets all watchers ask again, since what they had told it may be lost: so many in a
 * second as it may tell, and nothing to the others until it is their turn.
 */
#pragma once

#include "actors/messenger.h"
#include "actors/presence_table.h"
#include "runtime/linnet.h"

enum presence_tag {
    /* To a presence. */
    PRESENCE_ASK = 0x00050000, /* struct presence_ask -> struct presence_answer */
    PRESENCE_UNWATCH,          /* struct presence_unwatch, subjects: those watches have ended */
    PRESENCE_UPDATES,          /* struct presence_told [count]: from another */
    PRESENCE_CROWD,            /* struct presence_crowd: somebody types in a group */
    PRESENCE_WAKE,             /* its own: there is somebody again */
    PRESENCE_TICK,
    PRESENCE_ONWARD, /* the walk goes on */
    /* To a connection. */
    PRESENCE_UPDATE, /* struct presence_update */
    PRESENCE_AGAIN,  /* struct presence_again: a watch has ended; may it begin again? */
};

enum {
    PRESENCE_TICK_MS = 1000,
    /* How often each partition is told who was seen; with what a batch of the log takes, that stays
     * within a minute. */
    PRESENCE_SEEN_S = 50,
    /* What a slice of a walk visits and tells, so that it holds the scheduler for less than a
     * tenth of a millisecond. */
    PRESENCE_SLICE_PLACES = 1024,
    PRESENCE_SLICE_UPDATES = 128,
    PRESENCE_BATCH = 128,
    /* When everybody else's turn between two slices, or a timer's delay, has taken so long, the
     * scheduler has more to do than it can. */
    PRESENCE_BUSY_MS = 20,
    PRESENCE_LATE_MS = 100,
};

/* Is the user there? And tell me from now on, if `watch`. -ESTALE: what the caller was allowed may
 * have changed since it asked the store; -ENOBUFS: too many watch this user. */
struct presence_ask {
    uint64_t user;
    struct presence_watcher watcher;
    uint64_t seen_ms;       /* the store's */
    uint64_t checked_at_ns; /* when the store was asked */
    bool watch;
};
struct presence_answer {
    uint64_t seen_ms; /* 0: never, or not for the watcher's eyes, likewise */
    bool online;
};

struct presence_unwatch {
    ln_pid connection;
    uint32_t count;
    uint64_t subjects[];
};
struct presence_told {
    ln_pid connection;
    struct presence_update update;
};
struct presence_again {
    uint64_t subject;
};
struct presence_crowd {
    uint64_t group;
    uint64_t user; /* who types */
    uint32_t count;
    uint8_t kind; /* in the protocol's numbers */
    uint64_t members[];
};

struct presence;

/* One for each scheduler. The messenger is borrowed. Fails never. */
struct presence *presence_new(struct messenger *messenger, unsigned schedulers);
/* NULL is allowed. The node has been joined. */
void presence_free(struct presence *presences);
/* The argument of a scheduler's presence; good as long as they are. */
struct presence *presence_at(struct presence *presences, unsigned scheduler);

/* Its argument is a struct presence *. */
extern const struct ln_behaviour presence_behaviour;

/* ------------------------------------------------------- by connections, of users at home here */

/* The caller's user is in the foreground of the caller, or no more; at its end: not any more, and
 * nobody has seen him. */
void presence_foreground(struct messenger *messenger, uint64_t user);
void presence_background(struct messenger *messenger, uint64_t user);
void presence_ended(struct messenger *messenger, uint64_t user);
/* He has sent or read something. */
void presence_act(struct messenger *messenger, uint64_t user);
/* He types, one to one. */
void presence_typing(struct messenger *messenger, const struct presence_typing *typing);
/* Whether what he does in a group is to be told now: he has not said the same in this second, nor
 * too much, and there is time for it. */
bool presence_may_tell_group(struct messenger *messenger, uint64_t user, uint64_t group,
                             uint8_t kind);
/* He was removed. */
void presence_forget(struct messenger *messenger, uint64_t user);

/* -------------------------------------------------------------------------------- by anybody */

/* Whom to send to about this user; 0 before its first start. */
ln_pid presence_pid(const struct messenger *messenger, uint64_t user);
/* What all of them hold, as of their last ticks. */
struct presence_size {
    uint64_t users, leases, watches, bytes;
};
void presence_size_read(const struct messenger *messenger, struct presence_size *out);
