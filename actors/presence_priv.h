/* SPDX-License-Identifier: Apache-2.0 */
/* presence_priv.h - a presence as its files see it:
 *
 *     presence.c         its life, what connections call, who watches
 *     presence_walk.c    once a second over all users: who watches them is told
 *     presence_seen.c    who was seen when, on its way to the store
 *     presence_typing.c  who types, one to one and in groups
 */
#pragma once

#include "actors/presence.h"
#include "actors/typing_slots.h"
#include "store/counter.h"
#include "store/presence.h"

/* Updates on their way to another scheduler's connections. */
struct presence_batch {
    uint32_t count;
    struct presence_told told[PRESENCE_BATCH];
};

struct presence_walk {
    bool ticking;     /* a tick is on its way, or goes on */
    bool busy;        /* the scheduler: nobody is told anything until the next tick */
    unsigned visited; /* partitions, from `first` on */
    uint8_t first;
    uint8_t next_first; /* where a tick has told as much as it may */
    struct presence_visit visit;
    uint64_t began_ns, due_ns, onward_ns;
    struct presence_teller teller;
};

/* What of a partition is on its way to the store. */
struct presence_seen {
    uint64_t asked;  /* the request; 0: none */
    uint32_t period; /* in which all were told last */
    bool more;       /* than one request could take */
};

struct presence {
    struct messenger *messenger;
    unsigned scheduler, schedulers;
    bool started; /* once */
    bool stopping;
    _Atomic ln_pid pid;
    struct presence_table table;
    struct typing_slots typing;
    struct presence_walk walk;
    uint32_t crowd_left; /* of what a second has to tell of typing in groups */
    struct presence_seen seen[STORE_PARTITIONS];
    /* When who may see one of a partition's users changed last; 0: never. */
    uint64_t ruled_at_ns[STORE_PARTITIONS];
    struct presence_batch *batches;
    struct counter users, leases, watches, bytes;
    struct store_seen_user scratch[STORE_SEEN_MAX];
};

/* presence.c */
/* The one on this scheduler. */
struct presence *presence_here(const struct messenger *messenger);
uint8_t presence_partition(const struct presence *presence, uint64_t user);
struct presence_now presence_clock(void);
/* Its actor's, from any scheduler; 0 before its first start. */
ln_pid presence_actor_pid(const struct presence *presence);
void presence_tell(ln_pid connection, const struct presence_update *update);
void presence_tell_again(uint64_t subject, ln_pid connection);

/* presence_walk.c */
/* From its actor: there is somebody. No effect where a tick is on its way. */
void presence_wake(struct presence *presence);
/* The same after a call that may have brought the first user: from anybody on this scheduler. */
void presence_wake_actor(struct presence *presence);
/* PRESENCE_TICK, PRESENCE_ONWARD */
void presence_tick(struct presence *presence);
void presence_onward(struct presence *presence);

/* presence_seen.c */
/* The walk was in this partition: what is due of it goes to the store. */
void presence_seen_visit(struct presence *presence, uint8_t partition);
/* Of all partitions, due or not. */
void presence_seen_all(struct presence *presence);
void presence_seen_answered(struct presence *presence, const struct ln_msg *answer);
/* The store has not answered all yet. */
bool presence_seen_under_way(const struct presence *presence);

/* presence_typing.c */
/* PRESENCE_CROWD: members of a group who are at home here. */
void presence_crowd(struct presence *presence, const struct ln_msg *msg);
