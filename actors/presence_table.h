/* SPDX-License-Identifier: Apache-2.0 */
/* presence_table.h - who is there, when the others were last seen, and who watches whom: what a
 * scheduler knows of the users at home on it.
 *
 * A user is online while one of his connections holds a lease, which each sign of life from its
 * foreground renews. He stands in the table as long as he is online, is watched, or was seen at an
 * instant that is not in the store yet; all others cost nothing. A watch belongs to one connection
 * of the watcher.
 *
 *     presence_table_foreground(&table, partition, alice, connection, &now, lease_s);
 *     error = presence_table_watch(&table, partition, alice, &watcher, seen_s);
 *     ... once a second, partition by partition:
 *     while (!presence_table_walk(&table, partition, &visit, now.s, &teller)) { ... }
 *     count = presence_table_unlogged(&table, partition, all, users, users_max);
 *
 * Changes are only noted when they happen; the walk tells them, so each watcher hears of each
 * subject at most once a second, and the newest. What the walk may not tell any more in this second
 * is told in the next. What somebody types is told at once, but likewise once a second.
 *
 * Users lie in a hash table per partition (presence_users.h); leases in lists through a pool; a
 * user's watches side by side, since all of them are told at once. Owned by one scheduler; nothing
 * yields, nothing reads a clock.
 */
#pragma once

#include "actors/presence_pool.h"
#include "actors/presence_users.h"
#include "runtime/linnet.h"
#include "store/key.h"
#include "store/presence.h"

#include <stdbool.h>
#include <stdint.h>

struct presence_table {
    struct presence_users users[STORE_PARTITIONS];
    struct presence_pool leases;
    uint64_t users_count;
    uint64_t watches_count;
    uint64_t watches_room; /* that they take the memory of */
    uint32_t watchers_max; /* of one subject */
};

/* An instant on the clock that never jumps and on the wall's. */
struct presence_now {
    uint32_t s;
    uint32_t wall_s; /* since 1970 */
};

/* What a watcher may see. */
enum presence_sees { PRESENCE_SEES_ONLINE = 1, PRESENCE_SEES_LAST_SEEN = 2 };
struct presence_watcher {
    uint64_t user;
    ln_pid connection;
    uint8_t sees;
};

enum presence_kind { PRESENCE_OFFLINE, PRESENCE_ONLINE, PRESENCE_TYPING };

/* What a watcher is told. */
struct presence_update {
    uint64_t subject; /* what is watched */
    uint64_t user;    /* whose it is */
    uint32_t seen_s;  /* 0: not for this watcher's eyes */
    uint8_t kind;     /* presence_kind */
    uint8_t typing;   /* TYPING: what, in the protocol's numbers */
    bool in_group;    /* the subject is a group, which nobody watches */
};

/* Whom to tell, and how much more may be told: in all, and in this slice, which the last subject of
 * it may exceed. */
struct presence_teller {
    void (*tell)(void *context, ln_pid connection, const struct presence_update *update);
    void (*again)(uint64_t subject, ln_pid connection); /* the walk's alone: a watch has ended */
    void *context;
    uint32_t left;
    int32_t slice_left;
    bool no_typing; /* typing waits for another walk */
};

/* How far a walk has got through a partition, and how many more places this slice may visit. */
struct presence_visit {
    uint32_t place; /* 0: it begins */
    uint32_t places_left;
};

/* Your memory. */
void presence_table_init(struct presence_table *table, uint32_t watchers_max);
void presence_table_fini(struct presence_table *table);

/* NULL: nothing is known of the user. Borrowed until the next change. */
const struct presence_subject *presence_table_find(const struct presence_table *table,
                                                   uint8_t partition, uint64_t user);
static inline bool
presence_subject_online(const struct presence_subject *subject)
{
    return subject->leases != 0;
}

/* A sign of life from the foreground: the connection's lease is good for `lease_s` from now. */
void presence_table_foreground(struct presence_table *table, uint8_t partition, uint64_t user,
                               ln_pid connection, const struct presence_now *now, uint32_t lease_s);
/* The connection has left the foreground: by saying so (now: when), or because it has ended (NULL:
 * nobody was seen). No effect where it held no lease. */
void presence_table_background(struct presence_table *table, uint8_t partition, uint64_t user,
                               ln_pid connection, const struct presence_now *now_or_null);
/* The user has done something. */
void presence_table_act(struct presence_table *table, uint8_t partition, uint64_t user,
                        const struct presence_now *now);

/* Begins a watch; `seen_s` is what the store knows, 0: nothing. 0; -EALREADY: the connection has it
 * already; -ENOBUFS: as many watch the subject as may. */
MUST_CHECK int presence_table_watch(struct presence_table *table, uint8_t partition,
                                    uint64_t subject, const struct presence_watcher *watcher,
                                    uint32_t seen_s);
/* Ends it, if it is there. */
void presence_table_unwatch(struct presence_table *table, uint8_t partition, uint64_t subject,
                            ln_pid connection);
/* Ends all watches of a subject by this user, 0: by anybody, and tells `each` of them, which may
 * be NULL. */
void presence_table_unwatch_all(struct presence_table *table, uint8_t partition, uint64_t subject,
                                uint64_t watcher,
                                void (*each)(uint64_t subject, ln_pid connection));
/* The walk ends all watches that the partition's users have now, subject by subject, as far as it
 * may tell in each second. Until it has come to a subject nobody is told of it. */
void presence_table_ask_again(struct presence_table *table, uint8_t partition);
/* The user is no more: nothing about him is told or stored. */
void presence_table_forget(struct presence_table *table, uint8_t partition, uint64_t user);

/* Somebody types, records, or has stopped. `to`: users; NULL: all who watch the subject but the
 * user himself. One to one, the subject is the user. */
struct presence_typing {
    uint64_t subject;
    uint64_t user;
    const uint64_t *to;
    uint32_t to_count;
    uint8_t kind;
};
/* Tells those of them who watch the subject and may see whether it is online. Who has heard of it
 * in this second is told by the walk, if the subject is the user. Returns how many were passed over
 * for good. */
uint32_t presence_table_typing(struct presence_table *table, uint8_t partition,
                               const struct presence_typing *typing, uint32_t now_s,
                               struct presence_teller *teller);

/* Tells all connections that hold a lease of the user, as far as the teller goes. Returns how many
 * were passed over. */
uint32_t presence_table_tell_online(const struct presence_table *table, uint8_t partition,
                                    uint64_t user, const struct presence_update *update,
                                    struct presence_teller *teller);

/* Visits places of a partition as far as the slice goes: ends leases, tells what changed, forgets
 * whom nothing is kept of. True at the partition's end, with the place at 0. */
bool presence_table_walk(struct presence_table *table, uint8_t partition,
                         struct presence_visit *visit, uint32_t now_s,
                         struct presence_teller *teller);

/* Takes users out who were seen since they were last taken out: all, or only those who have left
 * the foreground. Returns how many; when `max`, there may be more. */
uint32_t presence_table_unlogged(struct presence_table *table, uint8_t partition, bool all,
                                 struct store_seen_user *out, uint32_t max);
/* All are to be taken out again: what became of the last ones is not known. */
void presence_table_relog(struct presence_table *table, uint8_t partition);

/* What it holds of the heap. */
uint64_t presence_table_bytes(const struct presence_table *table);
