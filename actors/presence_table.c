/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/presence_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum subject_flag {
    TOLD_ONLINE = 1, /* what watchers were told last */
    CHANGED = 2,     /* they are to be told */
    TYPES = 4,       /* some are to be told what he types */
    UNLOGGED = 8,    /* the store does not know when he was seen last */
    LEFT = 16,       /* likewise, and he is not there to be seen again soon */
    ASKS_AGAIN = 32, /* who watches may not be allowed to any more: he is told that, and no more */
};

struct lease {
    ln_pid connection;
    uint32_t until_s;
    uint32_t next;
};

struct presence_watch {
    ln_pid connection;
    uint64_t user;
    uint16_t typed_s; /* the second, of 18 hours, in which it was last told that somebody types */
    uint8_t typing;   /* what it is to be told; TYPING_TOLD: nothing */
    uint8_t sees;     /* presence_sees */
};
enum { TYPING_TOLD = UINT8_MAX };
_Static_assert(sizeof(struct presence_subject) == 32 && sizeof(struct lease) == 16 &&
                   sizeof(struct presence_watch) == 24,
               "what docs/benchmark.md counts with");

void
presence_table_init(struct presence_table *table, uint32_t watchers_max)
{
    ASSERT(watchers_max <= UINT16_MAX);
    *table = (struct presence_table){.watchers_max = watchers_max};
    presence_pool_init(&table->leases, sizeof(struct lease));
}

void
presence_table_fini(struct presence_table *table)
{
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        presence_users_fini(&table->users[i]);
    }
    presence_pool_fini(&table->leases);
    presence_table_init(table, table->watchers_max);
}

uint64_t
presence_table_bytes(const struct presence_table *table)
{
    uint64_t bytes = presence_pool_bytes(&table->leases);
    bytes += table->watches_room * sizeof(struct presence_watch);
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        bytes += table->users[i].capacity * sizeof(struct presence_subject);
    }
    return bytes;
}

/* ------------------------------------------------------------------------------------ the users */

static struct presence_subject *
find(const struct presence_table *table, uint8_t partition, uint64_t user)
{
    return presence_users_find(&table->users[partition], user);
}

static struct presence_subject *
find_or_add(struct presence_table *table, uint8_t partition, uint64_t user)
{
    struct presence_subject *subject = find(table, partition, user);
    if (subject == NULL) {
        subject = presence_users_add(&table->users[partition], user);
        table->users_count++;
    }
    return subject;
}

static void
take_out(struct presence_table *table, struct presence_users *users, uint32_t place)
{
    presence_users_take_out(users, place);
    table->users_count--;
}

const struct presence_subject *
presence_table_find(const struct presence_table *table, uint8_t partition, uint64_t user)
{
    return find(table, partition, user);
}

/* --------------------------------------------------------------------------------------- leases */

static struct lease *
lease_at(const struct presence_table *table, uint32_t number)
{
    return presence_pool_at(&table->leases, number);
}

/* The connection's number in the pool; 0: it has none. */
static uint32_t
lease_find(const struct presence_table *table, const struct presence_subject *subject,
           ln_pid connection)
{
    uint32_t number = subject->leases;
    while (number != 0 && lease_at(table, number)->connection != connection) {
        number = lease_at(table, number)->next;
    }
    return number;
}

/* The subject has just lost a lease. */
static void
lease_lost(struct presence_users *users, struct presence_subject *subject)
{
    if (subject->leases == 0) {
        subject->flags |= CHANGED;
        if ((subject->flags & UNLOGGED) != 0) {
            subject->flags |= LEFT;
            users->left = true;
        }
    }
}

/* Ends those of a subject that `ends` names: one connection's, or (0) those whose time is over. */
static bool
leases_end(struct presence_table *table, struct presence_subject *subject, ln_pid connection,
           uint32_t now_s)
{
    bool ended = false;
    uint32_t *link = &subject->leases;
    while (*link != 0) {
        uint32_t number = *link;
        struct lease *lease = lease_at(table, number);
        if (connection != 0 ? lease->connection == connection : lease->until_s <= now_s) {
            *link = lease->next;
            presence_pool_give(&table->leases, number);
            ended = true;
        } else {
            link = &lease->next;
        }
    }
    return ended;
}

static void
seen(struct presence_subject *subject, const struct presence_now *now)
{
    subject->seen_s = now->wall_s;
    subject->flags |= UNLOGGED;
}

void
presence_table_foreground(struct presence_table *table, uint8_t partition, uint64_t user,
                          ln_pid connection, const struct presence_now *now, uint32_t lease_s)
{
    struct presence_subject *subject = find_or_add(table, partition, user);
    uint32_t number = lease_find(table, subject, connection);
    if (subject->leases == 0) {
        subject->flags |= CHANGED;
        subject->flags &= (uint8_t)~LEFT;
    }
    if (number == 0) {
        number = presence_pool_take(&table->leases);
        lease_at(table, number)->connection = connection;
        lease_at(table, number)->next = subject->leases;
        subject->leases = number;
    }
    lease_at(table, number)->until_s = now->s + lease_s;
    seen(subject, now);
}

void
presence_table_background(struct presence_table *table, uint8_t partition, uint64_t user,
                          ln_pid connection, const struct presence_now *now_or_null)
{
    struct presence_subject *subject = find(table, partition, user);
    if (subject == NULL || !leases_end(table, subject, connection, 0)) {
        return;
    }
    if (now_or_null != NULL) {
        seen(subject, now_or_null);
    }
    lease_lost(&table->users[partition], subject);
}

void
presence_table_act(struct presence_table *table, uint8_t partition, uint64_t user,
                   const struct presence_now *now)
{
    struct presence_subject *subject = find_or_add(table, partition, user);
    if (subject->leases == 0 && subject->seen_s != now->wall_s) {
        subject->flags |= CHANGED;
    }
    seen(subject, now);
}

/* -------------------------------------------------------------------------------------- watches */

/* What so many watches take the memory of. */
static uint32_t
room_of(uint32_t count)
{
    uint32_t room = count > 0;
    while (room < count) {
        room *= 2;
    }
    return room;
}

/* There are so many from now on: one more, not written yet, or one less, the last. */
static void
set_watchers(struct presence_table *table, struct presence_subject *subject, uint32_t count)
{
    uint32_t before = room_of(subject->watchers);
    uint32_t room = room_of(count);
    table->watches_count += count;
    table->watches_count -= subject->watchers;
    table->watches_room += room;
    table->watches_room -= before;
    subject->watchers = (uint16_t)count;
    if (count == 0) {
        free(subject->watches);
        subject->watches = NULL;
        subject->flags &= (uint8_t)~ASKS_AGAIN;
    } else if (room != before) {
        subject->watches = realloc(subject->watches, room * sizeof(subject->watches[0]));
        ASSERT(subject->watches != NULL && "out of memory");
    }
}

static void
remove_watch(struct presence_table *table, struct presence_subject *subject, uint32_t at)
{
    ASSERT(subject->watches != NULL);
    subject->watches[at] = subject->watches[subject->watchers - 1];
    set_watchers(table, subject, subject->watchers - 1U);
}

/* The connection's; `watchers`: it has none. */
static uint32_t
watch_of(const struct presence_subject *subject, ln_pid connection)
{
    uint32_t at = 0;
    while (at < subject->watchers && subject->watches[at].connection != connection) {
        at++;
    }
    return at;
}

int
presence_table_watch(struct presence_table *table, uint8_t partition, uint64_t user,
                     const struct presence_watcher *watcher, uint32_t seen_s)
{
    struct presence_subject *subject = find_or_add(table, partition, user);
    uint32_t at = watch_of(subject, watcher->connection);
    if (subject->seen_s < seen_s) {
        subject->seen_s = seen_s;
    }
    if (at < subject->watchers) {
        subject->watches[at].sees = watcher->sees;
        return -EALREADY;
    }
    if (subject->watchers >= table->watchers_max) {
        return -ENOBUFS;
    }
    set_watchers(table, subject, at + 1);
    ASSERT(subject->watches != NULL);
    subject->watches[at] = (struct presence_watch){.connection = watcher->connection,
                                                   .user = watcher->user,
                                                   .sees = watcher->sees,
                                                   .typing = TYPING_TOLD};
    /* He is told what is; what the others were told, and may still be true for them, is not known
     * to him. */
    subject->flags &= (uint8_t)~TOLD_ONLINE;
    if (subject->leases != 0 && (subject->flags & CHANGED) == 0) {
        subject->flags |= TOLD_ONLINE;
    }
    return 0;
}

void
presence_table_unwatch(struct presence_table *table, uint8_t partition, uint64_t user,
                       ln_pid connection)
{
    struct presence_subject *subject = find(table, partition, user);
    uint32_t at = subject != NULL ? watch_of(subject, connection) : 0;
    if (subject != NULL && at < subject->watchers) {
        remove_watch(table, subject, at);
    }
}

void
presence_table_unwatch_all(struct presence_table *table, uint8_t partition, uint64_t user,
                           uint64_t watcher, void (*each)(uint64_t subject, ln_pid connection))
{
    struct presence_subject *subject = find(table, partition, user);
    for (uint32_t at = subject != NULL ? subject->watchers : 0; at > 0; at--) {
        const struct presence_watch *watch = &subject->watches[at - 1];
        if (watcher == 0 || watch->user == watcher) {
            if (each != NULL) {
                each(user, watch->connection);
            }
            remove_watch(table, subject, at - 1);
        }
    }
}

void
presence_table_ask_again(struct presence_table *table, uint8_t partition)
{
    struct presence_users *users = &table->users[partition];
    for (uint32_t at = 0; at < users->capacity; at++) {
        if (users->places[at].watchers > 0) {
            users->places[at].flags |= ASKS_AGAIN;
        }
    }
}

void
presence_table_forget(struct presence_table *table, uint8_t partition, uint64_t user)
{
    struct presence_subject *subject = find(table, partition, user);
    if (subject == NULL) {
        return;
    }
    (void)leases_end(table, subject, 0, UINT32_MAX);
    presence_table_unwatch_all(table, partition, user, 0, NULL);
    struct presence_users *users = &table->users[partition];
    take_out(table, users, (uint32_t)(subject - users->places));
}

/* ------------------------------------------------------------------------------------- telling */

static void
tell(struct presence_teller *teller, ln_pid connection, const struct presence_update *update)
{
    teller->tell(teller->context, connection, update);
    teller->left--;
    teller->slice_left--;
}

static bool
meant(const struct presence_typing *typing, uint64_t user)
{
    if (typing->to == NULL) {
        return user != typing->user;
    }
    uint32_t at = 0;
    while (at < typing->to_count && typing->to[at] != user) {
        at++;
    }
    return at < typing->to_count;
}

uint32_t
presence_table_tell_online(const struct presence_table *table, uint8_t partition, uint64_t user,
                           const struct presence_update *update, struct presence_teller *teller)
{
    const struct presence_subject *subject = presence_table_find(table, partition, user);
    uint32_t at = subject != NULL ? subject->leases : 0;
    uint32_t passed_over = 0;
    while (at != 0) {
        const struct lease *lease = presence_pool_at(&table->leases, at);
        if (teller->left > 0) {
            tell(teller, lease->connection, update);
        } else {
            passed_over++;
        }
        at = lease->next;
    }
    return passed_over;
}

uint32_t
presence_table_typing(struct presence_table *table, uint8_t partition,
                      const struct presence_typing *typing, uint32_t now_s,
                      struct presence_teller *teller)
{
    struct presence_subject *subject = find(table, partition, typing->subject);
    struct presence_update update = {.subject = typing->subject,
                                     .user = typing->user,
                                     .kind = PRESENCE_TYPING,
                                     .typing = typing->kind};
    uint32_t passed_over = 0;
    uint16_t second = (uint16_t)now_s;
    for (uint32_t at = 0; subject != NULL && at < subject->watchers; at++) {
        struct presence_watch *watch = &subject->watches[at];
        if ((watch->sees & PRESENCE_SEES_ONLINE) == 0 || !meant(typing, watch->user)) {
            continue;
        }
        bool silent = (subject->flags & ASKS_AGAIN) != 0;
        if (!silent && watch->typed_s != second && teller->left > 0) {
            watch->typed_s = second;
            watch->typing = TYPING_TOLD;
            tell(teller, watch->connection, &update);
        } else if (!silent && typing->subject == typing->user) {
            watch->typing = typing->kind;
            subject->flags |= TYPES;
        } else {
            passed_over++;
        }
    }
    return passed_over;
}

static void
tell_typing(struct presence_subject *subject, uint32_t now_s, struct presence_teller *teller)
{
    uint16_t second = (uint16_t)now_s;
    bool left = false;
    for (uint32_t at = 0; at < subject->watchers; at++) {
        struct presence_watch *watch = &subject->watches[at];
        if (watch->typing != TYPING_TOLD && watch->typed_s != second && teller->left > 0) {
            struct presence_update update = {.subject = subject->user,
                                             .user = subject->user,
                                             .kind = PRESENCE_TYPING,
                                             .typing = watch->typing};
            watch->typed_s = second;
            watch->typing = TYPING_TOLD;
            tell(teller, watch->connection, &update);
        }
        left = left || watch->typing != TYPING_TOLD;
    }
    if (!left) {
        subject->flags &= (uint8_t)~TYPES;
    }
}

/* What one of them is told of it, as far as he may see it. */
static void
tell_one(const struct presence_watch *watch, struct presence_update update, bool told_online,
         struct presence_teller *teller)
{
    bool sees_online = (watch->sees & PRESENCE_SEES_ONLINE) != 0;
    bool sees_last_seen = (watch->sees & PRESENCE_SEES_LAST_SEEN) != 0;
    bool news = update.kind == PRESENCE_ONLINE ? sees_online
                                               : sees_last_seen || (sees_online && told_online);
    if (!sees_last_seen) {
        update.seen_s = 0;
    }
    if (news) {
        tell(teller, watch->connection, &update);
    }
}

/* All of a subject's watchers or, where not so many may be told any more, none. */
static void
tell_state(struct presence_subject *subject, struct presence_teller *teller)
{
    bool online = subject->leases != 0;
    bool told_online = (subject->flags & TOLD_ONLINE) != 0;
    struct presence_update update = {.subject = subject->user,
                                     .user = subject->user,
                                     .seen_s = subject->seen_s,
                                     .kind = online ? PRESENCE_ONLINE : PRESENCE_OFFLINE};
    if (subject->watchers > teller->left) {
        return;
    }
    subject->flags &= (uint8_t) ~(CHANGED | TOLD_ONLINE);
    subject->flags |= online ? TOLD_ONLINE : 0;
    if (online && told_online) {
        return; /* he was away for less than a second */
    }
    for (uint32_t at = 0; at < subject->watchers; at++) {
        tell_one(&subject->watches[at], update, told_online, teller);
    }
}

/* All of a subject's or, where not so many may be told any more, none: who has asked again would
 * only stand behind the others once more. */
static void
end_watches(struct presence_table *table, struct presence_subject *subject,
            struct presence_teller *teller)
{
    if (subject->watchers <= teller->left) {
        teller->left -= subject->watchers;
        teller->slice_left -= subject->watchers;
        while (subject->watchers > 0) {
            uint32_t last = subject->watchers - 1U;
            teller->again(subject->user, subject->watches[last].connection);
            remove_watch(table, subject, last);
        }
    }
}

/* True: nothing is kept of the subject any more. */
static bool
visit(struct presence_table *table, struct presence_users *users, struct presence_subject *subject,
      uint32_t now_s, struct presence_teller *teller)
{
    if (subject->leases != 0 && leases_end(table, subject, 0, now_s)) {
        lease_lost(users, subject);
    }
    if ((subject->flags & ASKS_AGAIN) != 0) {
        end_watches(table, subject, teller);
    }
    if ((subject->flags & (CHANGED | ASKS_AGAIN)) == CHANGED) {
        tell_state(subject, teller);
    }
    if ((subject->flags & (TYPES | ASKS_AGAIN)) == TYPES && !teller->no_typing) {
        tell_typing(subject, now_s, teller);
    }
    return subject->leases == 0 && subject->watchers == 0 &&
           (subject->flags & (UNLOGGED | LEFT)) == 0 && !users->kept;
}

bool
presence_table_walk(struct presence_table *table, uint8_t partition, struct presence_visit *walk,
                    uint32_t now_s, struct presence_teller *teller)
{
    struct presence_users *users = &table->users[partition];
    for (; walk->place < users->capacity && walk->places_left > 0 && teller->slice_left > 0;
         walk->places_left--) {
        struct presence_subject *subject = &users->places[walk->place];
        if (subject->user != 0 && visit(table, users, subject, now_s, teller)) {
            take_out(table, users, walk->place); /* another may have moved here */
        } else {
            walk->place++;
        }
    }
    if (walk->place < users->capacity) {
        return false;
    }
    walk->place = 0;
    presence_users_fit(users);
    return true;
}

/* --------------------------------------------------------------------------------- to the store */

uint32_t
presence_table_unlogged(struct presence_table *table, uint8_t partition, bool all,
                        struct store_seen_user *out, uint32_t max)
{
    struct presence_users *users = &table->users[partition];
    uint8_t wanted = all ? UNLOGGED : LEFT;
    uint32_t count = 0;
    for (uint32_t at = 0; at < users->capacity && count < max; at++) {
        struct presence_subject *subject = &users->places[at];
        if (subject->user != 0 && (subject->flags & wanted) != 0) {
            subject->flags &= (uint8_t) ~(UNLOGGED | LEFT);
            out[count++] = (struct store_seen_user){.user = subject->user,
                                                    .at_ms = subject->seen_s * UINT64_C(1000)};
        }
    }
    if (count < max) {
        users->left = false;
    }
    return count;
}

void
presence_table_relog(struct presence_table *table, uint8_t partition)
{
    struct presence_users *users = &table->users[partition];
    for (uint32_t at = 0; at < users->capacity; at++) {
        struct presence_subject *subject = &users->places[at];
        if (subject->user != 0 && subject->seen_s != 0) {
            subject->flags |= UNLOGGED;
        }
    }
}
