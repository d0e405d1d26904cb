/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/presence.h"

#include "actors/presence_priv.h"
#include "actors/tag.h"
#include "runtime/text.h"
#include "store/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct presence *
presence_new(struct messenger *messenger, unsigned schedulers)
{
    struct presence *presences = calloc(schedulers, sizeof *presences);
    ASSERT(presences != NULL && "out of memory");
    for (unsigned i = 0; i < schedulers; i++) {
        struct presence *presence = &presences[i];
        presence->messenger = messenger;
        presence->scheduler = i;
        presence->schedulers = schedulers;
        presence->batches = calloc(schedulers, sizeof *presence->batches);
        ASSERT(presence->batches != NULL && "out of memory");
        presence_table_init(&presence->table, messenger->settings->presence_watchers_max);
    }
    return presences;
}

void
presence_free(struct presence *presences)
{
    unsigned schedulers = presences != NULL ? presences->schedulers : 0;
    for (unsigned i = 0; i < schedulers; i++) {
        presence_table_fini(&presences[i].table);
        free(presences[i].batches);
    }
    free(presences);
}

struct presence *
presence_at(struct presence *presences, unsigned scheduler)
{
    ASSERT(scheduler < presences->schedulers);
    return &presences[scheduler];
}

/* Acquire and release: whoever is told of a pid finds its actor there. */
ln_pid
presence_actor_pid(const struct presence *presence)
{
    return atomic_load_explicit(&presence->pid, memory_order_acquire);
}

struct presence *
presence_here(const struct messenger *messenger)
{
    return presence_at(messenger->presences, ln_scheduler());
}

uint8_t
presence_partition(const struct presence *presence, uint64_t user)
{
    return store_user_partition(presence->messenger->store, user);
}

struct presence_now
presence_clock(void)
{
    int64_t wall_ms = ln_wall_ms();
    return (struct presence_now){.s = (uint32_t)(ln_now_ns() / 1000000000),
                                 .wall_s = wall_ms > 0 ? (uint32_t)(wall_ms / 1000) : 0};
}

ln_pid
presence_pid(const struct messenger *messenger, uint64_t user)
{
    return presence_actor_pid(
        presence_at(messenger->presences, store_user_home(messenger->store, user)));
}

void
presence_size_read(const struct messenger *messenger, struct presence_size *out)
{
    *out = (struct presence_size){0};
    for (unsigned i = 0; i < messenger->presences->schedulers; i++) {
        const struct presence *presence = &messenger->presences[i];
        out->users += counter_get(&presence->users);
        out->leases += counter_get(&presence->leases);
        out->watches += counter_get(&presence->watches);
        out->bytes += counter_get(&presence->bytes);
    }
}

/* -------------------------------------------------------------------------------------- telling */

/* Under a full mailbox the newest of a subject replaces the one before. */
static uint32_t
update_key(const struct presence_update *update)
{
    uint64_t of = update->in_group ? update->subject ^ update->user << 1 : update->subject;
    uint32_t folded = (uint32_t)(of ^ of >> 32);
    uint32_t key = folded << 1 | (update->kind == PRESENCE_TYPING);
    return key != 0 ? key : 1;
}

void
presence_tell(ln_pid connection, const struct presence_update *update)
{
    struct ln_msg *msg = ln_msg_new(PRESENCE_UPDATE, LN_LOSSY, sizeof *update);
    memcpy(msg->data, update, sizeof *update);
    msg->key = update_key(update);
    ln_send(connection, &msg);
}

void
presence_tell_again(uint64_t subject, ln_pid connection)
{
    struct presence_again again = {.subject = subject};
    struct ln_msg *msg = ln_msg_new(PRESENCE_AGAIN, LN_REPLY, sizeof again);
    memcpy(msg->data, &again, sizeof again);
    ln_send(connection, &msg);
}

/* From another presence. */
static void
updates_arrived(const struct ln_msg *msg)
{
    const struct presence_told *told = (const struct presence_told *)(const void *)msg->data;
    for (uint32_t i = 0; i < msg->bytes / sizeof *told; i++) {
        presence_tell(told[i].connection, &told[i].update);
    }
}

/* ------------------------------------------------------------------------------------ the calls */

/* Two signs of life may be missed, and a little of the third's time. */
static uint32_t
lease_s(const struct messenger *messenger)
{
    return messenger->limits.presence_interval_ms * 5 / 2 / 1000 + 1;
}

void
presence_foreground(struct messenger *messenger, uint64_t user)
{
    struct presence *presence = presence_here(messenger);
    struct presence_now at = presence_clock();
    presence_table_foreground(&presence->table, presence_partition(presence, user), user, ln_self(),
                              &at, lease_s(messenger));
    messenger_count(&messenger->counters.presence_signs);
    presence_wake_actor(presence);
}

void
presence_background(struct messenger *messenger, uint64_t user)
{
    struct presence *presence = presence_here(messenger);
    struct presence_now at = presence_clock();
    presence_table_background(&presence->table, presence_partition(presence, user), user, ln_self(),
                              &at);
}

void
presence_ended(struct messenger *messenger, uint64_t user)
{
    struct presence *presence = presence_here(messenger);
    if (presence->table.leases.count > 0) {
        presence_table_background(&presence->table, presence_partition(presence, user), user,
                                  ln_self(), NULL);
    }
}

void
presence_act(struct messenger *messenger, uint64_t user)
{
    struct presence *presence = presence_here(messenger);
    struct presence_now at = presence_clock();
    presence_table_act(&presence->table, presence_partition(presence, user), user, &at);
    presence_wake_actor(presence);
}

void
presence_forget(struct messenger *messenger, uint64_t user)
{
    struct presence *presence = presence_here(messenger);
    presence_table_forget(&presence->table, presence_partition(presence, user), user);
}

/* Who may see the user has changed, durably: those who watch must ask again. */
static void
rules_changed(struct presence *presence, const struct store_rules_notice *notice)
{
    uint8_t partition = presence_partition(presence, notice->user);
    presence->ruled_at_ns[partition] = io_now_ns(ln_io());
    presence_table_unwatch_all(&presence->table, partition, notice->user, notice->watcher,
                               presence_tell_again);
}

/* ------------------------------------------------------------------------------------- requests */

static void
answer(const struct presence *presence, struct ln_caller caller, const struct presence_ask *ask)
{
    struct presence_answer answer = {.seen_ms = ask->seen_ms};
    const struct presence_subject *subject =
        presence_table_find(&presence->table, presence_partition(presence, ask->user), ask->user);
    if (subject != NULL) {
        uint64_t seen_ms = subject->seen_s * UINT64_C(1000);
        answer.online = presence_subject_online(subject);
        answer.seen_ms = seen_ms > ask->seen_ms ? seen_ms : ask->seen_ms;
    }
    if ((ask->watcher.sees & PRESENCE_SEES_ONLINE) == 0) {
        answer.online = false;
    }
    if ((ask->watcher.sees & PRESENCE_SEES_LAST_SEEN) == 0) {
        answer.seen_ms = 0;
    }
    struct ln_msg *msg = ln_msg_new(PRESENCE_ASK, LN_REPLY, sizeof answer);
    memcpy(msg->data, &answer, sizeof answer);
    ln_reply(caller, &msg);
}

static void
asked(struct presence *presence, const struct ln_msg *msg)
{
    const struct presence_ask *ask = (const struct presence_ask *)(const void *)msg->data;
    struct ln_caller caller = ln_caller(msg);
    uint8_t partition = presence_partition(presence, ask->user);
    uint64_t ruled_at_ns = presence->ruled_at_ns[partition];
    if (ruled_at_ns != 0 && ask->checked_at_ns <= ruled_at_ns) {
        ln_reply_error(caller, -ESTALE);
        return;
    }
    if (ask->watch) {
        int error = presence_table_watch(&presence->table, partition, ask->user, &ask->watcher,
                                         (uint32_t)(ask->seen_ms / 1000));
        if (error != 0 && error != -EALREADY) {
            ln_reply_error(caller, error);
            return;
        }
        presence_wake(presence);
    }
    answer(presence, caller, ask);
}

static void
unwatch(struct presence *presence, const struct ln_msg *msg)
{
    const struct presence_unwatch *unwatch =
        (const struct presence_unwatch *)(const void *)msg->data;
    for (uint32_t i = 0; i < unwatch->count; i++) {
        presence_table_unwatch(&presence->table, presence_partition(presence, unwatch->subjects[i]),
                               unwatch->subjects[i], unwatch->connection);
    }
}

/* ------------------------------------------------------------------------------------ the actor */

struct presence_actor {
    struct presence *presence;
};

/* What the actor before this one had not taken in is lost: ends of watches, and answers. The walk
 * lets all ask again, so that they do in the course of seconds. */
static void
go_on(struct presence *presence)
{
    struct presence_table *table = &presence->table;
    for (unsigned partition = 0; partition < STORE_PARTITIONS; partition++) {
        struct presence_users *users = &table->users[partition];
        presence->ruled_at_ns[partition] = io_now_ns(ln_io());
        presence->seen[partition] = (struct presence_seen){0};
        users->kept = false;
        presence_table_relog(table, (uint8_t)partition);
        presence_table_ask_again(table, (uint8_t)partition);
    }
}

static void
stop_if_logged(const struct presence *presence)
{
    if (presence->stopping && !presence_seen_under_way(presence)) {
        ln_stop(LN_EXIT_SHUTDOWN, "stopped");
    }
}

/* The node stops; the store is still there. */
static void
stop(struct presence *presence)
{
    presence->stopping = true;
    presence_seen_all(presence);
    stop_if_logged(presence);
}

static int
presence_init(void *state, const void *argument)
{
    struct presence *presence = *(struct presence *const *)argument;
    ((struct presence_actor *)state)->presence = presence;
    for (unsigned i = 0; i < presence->schedulers; i++) {
        presence->batches[i].count = 0;
    }
    presence->walk = (struct presence_walk){0};
    if (presence->started) {
        go_on(presence);
    }
    presence->started = true;
    ln_random(&presence->typing.key, sizeof presence->typing.key);
    atomic_store_explicit(&presence->pid, ln_self(), memory_order_release);
    store_presence_set(presence->messenger->store, presence->scheduler, ln_self());
    if (presence->table.users_count > 0) {
        presence_wake(presence);
    }
    return 0;
}

static void
presence_handle(void *state, struct ln_msg **msg)
{
    struct presence *presence = ((struct presence_actor *)state)->presence;
    if (((*msg)->flags & LN_MSG_ANSWER) != 0) {
        presence_seen_answered(presence, *msg);
        stop_if_logged(presence);
        return;
    }
    switch ((*msg)->tag) {
    case PRESENCE_ASK:
        asked(presence, *msg);
        break;
    case PRESENCE_UNWATCH:
        unwatch(presence, *msg);
        break;
    case PRESENCE_UPDATES:
        updates_arrived(*msg);
        break;
    case PRESENCE_CROWD:
        presence_crowd(presence, *msg);
        break;
    case PRESENCE_WAKE:
        presence_wake(presence);
        break;
    case PRESENCE_TICK:
        presence_tick(presence);
        break;
    case PRESENCE_ONWARD:
        presence_onward(presence);
        break;
    case STORE_RULES:
        rules_changed(presence, (const struct store_rules_notice *)(const void *)(*msg)->data);
        break;
    case LN_TAG_STOP:
        stop(presence);
        break;
    default:
        break;
    }
}

static void
presence_print(const void *state, struct ln_text *out)
{
    const struct presence *presence = ((const struct presence_actor *)state)->presence;
    ln_text_print(out, "%llu users known, %u leases, %llu watches%s%s",
                  (unsigned long long)presence->table.users_count, presence->table.leases.count,
                  (unsigned long long)presence->table.watches_count,
                  presence->walk.ticking ? "" : ", at rest",
                  presence->walk.busy ? ", silent: too much to do" : "");
}

const struct ln_behaviour presence_behaviour = {
    .name = "presence",
    .tag_name = messenger_tag_name,
    .state_bytes = sizeof(struct presence_actor),
    .init = presence_init,
    .handle = presence_handle,
    .print = presence_print,
    .trap_exit = true,
};
