/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a connection watches, and what it is told of them. What may be lost is not added to what
 * already waits to be read. */
#include "actors/command.h"
#include "actors/presence.h"

#include <string.h>

/* The users whom it watches, or has asked to; HIDDEN: of whom it may see nothing for now. */
#define HIDDEN (UINT64_C(1) << 63)
struct connection_watches {
    uint32_t count, room;
    uint64_t users[];
};

enum {
    WATCHES_FIRST = 4,
    /* So much may wait to leave; beyond it, presence and typing are not added. */
    PRESENCE_UNSENT_MAX = 16 << 10,
};

static uint32_t
place_of(const struct connection *connection, uint64_t user)
{
    const struct connection_watches *watches = connection->watches;
    uint32_t at = 0;
    while (watches != NULL && at < watches->count && (watches->users[at] & ~HIDDEN) != user) {
        at++;
    }
    return at;
}

bool
connection_watches(const struct connection *connection, uint64_t user)
{
    const struct connection_watches *watches = connection->watches;
    return watches != NULL && place_of(connection, user) < watches->count;
}

bool
connection_watch_hide(struct connection *connection, uint64_t user, bool hidden)
{
    if (!connection_watches(connection, user)) {
        return hidden;
    }
    uint64_t *place = &connection->watches->users[place_of(connection, user)];
    bool before = (*place & HIDDEN) != 0;
    *place = hidden ? user | HIDDEN : user;
    return before;
}

bool
connection_watch_add(struct connection *connection, uint64_t user)
{
    struct connection_watches *watches = connection->watches;
    uint32_t count = watches != NULL ? watches->count : 0;
    if (connection_watches(connection, user)) {
        return true;
    }
    if (count >= connection->messenger->limits.presence_watches_max) {
        return false;
    }
    if (watches == NULL || count == watches->room) {
        uint32_t room = watches == NULL ? WATCHES_FIRST : 2 * watches->room;
        struct connection_watches *larger =
            ln_alloc(sizeof *larger + room * sizeof larger->users[0]);
        if (count > 0) {
            memcpy(larger->users, watches->users, count * sizeof larger->users[0]);
        }
        larger->count = count;
        larger->room = room;
        ln_free(watches);
        connection->watches = watches = larger;
    }
    watches->users[watches->count++] = user;
    return true;
}

bool
connection_watch_remove(struct connection *connection, uint64_t user)
{
    struct connection_watches *watches = connection->watches;
    if (!connection_watches(connection, user)) {
        return false;
    }
    watches->users[place_of(connection, user)] = watches->users[watches->count - 1];
    watches->count--;
    if (watches->count == 0) {
        ln_free(watches);
        connection->watches = NULL;
    }
    return true;
}

/* Tells the presence of one scheduler that the watches of its users have ended. */
static void
unwatch_at(const struct connection *connection, unsigned scheduler, const uint64_t *users,
           uint32_t count)
{
    const struct messenger *messenger = connection->messenger;
    struct ln_msg *msg = ln_msg_new(PRESENCE_UNWATCH, LN_REPLY,
                                    sizeof(struct presence_unwatch) + count * sizeof users[0]);
    struct presence_unwatch *unwatch = (struct presence_unwatch *)(void *)msg->data;
    ln_pid presence = 0;
    unwatch->connection = ln_self();
    for (uint32_t i = 0; i < count; i++) {
        uint64_t user = users[i] & ~HIDDEN;
        if (store_user_home(messenger->store, user) == scheduler) {
            presence = presence_pid(messenger, user);
            unwatch->subjects[unwatch->count++] = user;
        }
    }
    if (unwatch->count > 0) {
        ln_send(presence, &msg);
    } else {
        ln_msg_free(&msg);
    }
}

void
connection_unwatch(const struct connection *connection, uint64_t user)
{
    unwatch_at(connection, store_user_home(connection->messenger->store, user), &user, 1);
}

void
connection_presence_end(struct connection *connection)
{
    const struct connection_watches *watches = connection->watches;
    if (!connection->counted) {
        return; /* it never was at home */
    }
    presence_ended(connection->messenger, connection->user);
    for (unsigned i = 0; watches != NULL && i < ln_schedulers(); i++) {
        unwatch_at(connection, i, watches->users, watches->count);
    }
}

void
connection_acted(const struct connection *connection)
{
    presence_act(connection->messenger, connection->user);
}

void
connection_told_by_presence(struct connection *connection, const struct ln_msg *msg)
{
    const struct presence_update *update = (const struct presence_update *)(const void *)msg->data;
    if (connection->phase != CONNECTION_READY || connection->socket == NULL ||
        (!update->in_group && !connection_watches(connection, update->subject))) {
        return;
    }
    if (connection->stuffed || ln_socket_unsent(connection->socket) > PRESENCE_UNSENT_MAX) {
        messenger_count(&connection->messenger->counters.presence_dropped);
        return;
    }
    messenger_count(&connection->messenger->counters.presence_events);
    event_presence_update(connection, update);
}
