/* SPDX-License-Identifier: Apache-2.0 */
/* A tick goes through the partitions in slices, between which everybody else has a turn:
 *
 *     TICK ── slice ── ONWARD ── slice ── ONWARD ── slice ──(a second after the tick)── TICK
 *
 * Nobody known: no tick, until a call finds the table empty and sends WAKE. */
#include "actors/presence.h"

#include "actors/tag.h"
#include "actors/typing_slots.h"
#include "runtime/text.h"
#include "store/counter.h"
#include "store/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Updates on their way to another scheduler's connections. */
struct batch {
    uint32_t count;
    struct presence_told told[PRESENCE_BATCH];
};

struct walk {
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
struct seen {
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
    struct walk walk;
    uint32_t crowd_left; /* of what a second has to tell of typing in groups */
    struct seen seen[STORE_PARTITIONS];
    /* When who may see one of a partition's users changed last; 0: never. */
    uint64_t ruled_at_ns[STORE_PARTITIONS];
    struct batch *batches;
    struct counter users, leases, watches, bytes;
    struct store_seen_user scratch[STORE_SEEN_MAX];
};

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
static ln_pid
pid_get(const struct presence *presence)
{
    return atomic_load_explicit(&presence->pid, memory_order_acquire);
}

static struct presence *
here(const struct messenger *messenger)
{
    return presence_at(messenger->presences, ln_scheduler());
}

static uint8_t
partition_of(const struct presence *presence, uint64_t user)
{
    return store_user_partition(presence->messenger->store, user);
}

static struct presence_now
now(void)
{
    int64_t wall_ms = ln_wall_ms();
    return (struct presence_now){.s = (uint32_t)(ln_now_ns() / 1000000000),
                                 .wall_s = wall_ms > 0 ? (uint32_t)(wall_ms / 1000) : 0};
}

ln_pid
presence_pid(const struct messenger *messenger, uint64_t user)
{
    return pid_get(presence_at(messenger->presences, store_user_home(messenger->store, user)));
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

static void
measure(struct presence *presence)
{
    counter_set(&presence->users, presence->table.users_count);
    counter_set(&presence->leases, presence->table.leases.count);
    counter_set(&presence->watches, presence->table.watches_count);
    counter_set(&presence->bytes, presence_table_bytes(&presence->table));
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

static void
send_update(ln_pid connection, const struct presence_update *update)
{
    struct ln_msg *msg = ln_msg_new(PRESENCE_UPDATE, LN_LOSSY, sizeof *update);
    memcpy(msg->data, update, sizeof *update);
    msg->key = update_key(update);
    ln_send(connection, &msg);
}

static void
tell_again(uint64_t subject, ln_pid connection)
{
    struct presence_again again = {.subject = subject};
    struct ln_msg *msg = ln_msg_new(PRESENCE_AGAIN, LN_REPLY, sizeof again);
    memcpy(msg->data, &again, sizeof again);
    ln_send(connection, &msg);
}

static void
batch_send(struct presence *presence, unsigned scheduler)
{
    struct batch *batch = &presence->batches[scheduler];
    size_t bytes = batch->count * sizeof batch->told[0];
    if (bytes > 0) {
        struct ln_msg *msg = ln_msg_new(PRESENCE_UPDATES, LN_LOSSY, bytes);
        memcpy(msg->data, batch->told, bytes);
        batch->count = 0;
        ln_send(pid_get(presence_at(presence->messenger->presences, scheduler)), &msg);
    }
}

static void
batches_send(struct presence *presence)
{
    for (unsigned i = 0; i < presence->schedulers; i++) {
        batch_send(presence, i);
    }
}

/* The walk's. */
static void
tell_in_batches(void *context, ln_pid connection, const struct presence_update *update)
{
    struct presence *presence = context;
    unsigned scheduler = ln_pid_scheduler(connection);
    messenger_count(&presence->messenger->counters.presence_updates);
    if (scheduler == presence->scheduler) {
        send_update(connection, update);
        return;
    }
    struct batch *batch = &presence->batches[scheduler];
    batch->told[batch->count++] =
        (struct presence_told){.connection = connection, .update = *update};
    if (batch->count == PRESENCE_BATCH) {
        batch_send(presence, scheduler);
    }
}

/* From another presence. */
static void
updates_arrived(const struct ln_msg *msg)
{
    const struct presence_told *told = (const struct presence_told *)(const void *)msg->data;
    for (uint32_t i = 0; i < msg->bytes / sizeof *told; i++) {
        send_update(told[i].connection, &told[i].update);
    }
}

/* ------------------------------------------------------------------------------------ the store */

static void
log_some(struct presence *presence, uint8_t partition, bool all)
{
    struct seen *seen = &presence->seen[partition];
    struct store_seen head = {0};
    if (seen->asked != 0) {
        seen->more = seen->more || all;
        return;
    }
    head.count = presence_table_unlogged(&presence->table, partition, all, presence->scratch,
                                         STORE_SEEN_MAX);
    seen->more = all && head.count == STORE_SEEN_MAX;
    if (head.count == 0) {
        return;
    }
    size_t bytes = head.count * sizeof presence->scratch[0];
    struct ln_msg *request = ln_msg_new(STORE_SEEN, LN_DURABLE, sizeof head);
    memcpy(request->data, &head, sizeof head);
    request->buffer = ln_buffer_new(bytes);
    memcpy(ln_buffer_data(request->buffer), presence->scratch, bytes);
    presence->table.users[partition].kept = true;
    seen->asked = ln_request(store_partition_pid(presence->messenger->store, partition), &request);
    messenger_add(&presence->messenger->counters.presence_seen, head.count);
}

/* Partitions are told in turn, so that no batch of the log carries all of them. */
static void
log_partition(struct presence *presence, uint8_t partition)
{
    struct seen *seen = &presence->seen[partition];
    uint32_t period = (now().s + partition) / PRESENCE_SEEN_S + 1;
    if (presence->table.users[partition].count == 0) {
        seen->period = period; /* who comes now has all of it */
    } else if (seen->period != period) {
        seen->period = period;
        log_some(presence, partition, true);
    } else if (seen->more || presence->table.users[partition].left) {
        log_some(presence, partition, seen->more);
    }
}

static void
stop_if_logged(struct presence *presence)
{
    bool under_way = false;
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        under_way = under_way || presence->seen[i].asked != 0;
    }
    if (presence->stopping && !under_way) {
        ln_stop(LN_EXIT_SHUTDOWN, "stopped");
    }
}

static void
log_answered(struct presence *presence, const struct ln_msg *answer)
{
    unsigned partition = 0;
    while (partition < STORE_PARTITIONS && presence->seen[partition].asked != answer->ref) {
        partition++;
    }
    if (partition == STORE_PARTITIONS) {
        return; /* asked for by an actor before this one */
    }
    presence->seen[partition].asked = 0;
    presence->table.users[partition].kept = false;
    if (answer->error != 0) {
        presence_table_relog(&presence->table, (uint8_t)partition); /* in the next period */
    } else if (presence->seen[partition].more) {
        log_some(presence, (uint8_t)partition, true);
    }
    stop_if_logged(presence);
}

/* The node stops; the store is still there. */
static void
stop(struct presence *presence)
{
    presence->stopping = true;
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        log_some(presence, (uint8_t)i, true);
    }
    stop_if_logged(presence);
}

/* ------------------------------------------------------------------------------------- the walk */

static void
tick_later(struct presence *presence)
{
    struct walk *walk = &presence->walk;
    uint64_t took_ms = (ln_now_ns() - walk->began_ns) / 1000000;
    uint64_t pause_ms = took_ms < PRESENCE_TICK_MS ? PRESENCE_TICK_MS - took_ms : 1;
    struct ln_msg *tick = ln_msg_new(PRESENCE_TICK, LN_REPLY, 0);
    walk->due_ns = ln_now_ns() + pause_ms * 1000000;
    (void)ln_send_after(pause_ms, ln_self(), &tick);
}

static void
walk_end(struct presence *presence)
{
    struct walk *walk = &presence->walk;
    bool idle = presence->table.users_count == 0;
    for (unsigned i = 0; idle && i < STORE_PARTITIONS; i++) {
        idle = presence->seen[i].asked == 0;
    }
    walk->ticking = !idle;
    measure(presence);
    if (walk->ticking) {
        tick_later(presence);
    }
}

/* After a slice that had much to tell comes a pause, so that what a second has to tell is spread
 * over it: in one go it would be in everybody's way. */
static void
go_onward(struct presence *presence)
{
    struct walk *walk = &presence->walk;
    uint64_t pause_ms = 0;
    if (walk->teller.slice_left <= 0) {
        pause_ms = PRESENCE_SLICE_UPDATES * UINT64_C(1000) /
                   presence->messenger->settings->presence_updates_per_s;
    }
    struct ln_msg *onward = ln_msg_new(PRESENCE_ONWARD, LN_REPLY, 0);
    walk->onward_ns = ln_now_ns() + pause_ms * 1000000;
    if (pause_ms > 0) {
        (void)ln_send_after(pause_ms, ln_self(), &onward);
    } else {
        ln_send(ln_self(), &onward);
    }
}

static void
fall_silent(struct presence *presence)
{
    struct walk *walk = &presence->walk;
    if (!walk->busy) {
        walk->busy = true;
        walk->teller.left = 0;
        messenger_count(&presence->messenger->counters.presence_busy);
    }
}

/* So many partitions and users as fit into a slice. */
static void
slice(struct presence *presence)
{
    struct walk *walk = &presence->walk;
    enum pressure pressure = messenger_pressure(presence->messenger);
    walk->teller.no_typing = pressure >= PRESSURE_TYPING;
    if (pressure >= PRESSURE_PRESENCE) {
        fall_silent(presence);
    }
    bool may_tell = walk->teller.left > 0;
    uint32_t now_s = now().s;
    walk->visit.places_left = PRESENCE_SLICE_PLACES;
    walk->teller.slice_left = PRESENCE_SLICE_UPDATES;
    while (walk->visited < STORE_PARTITIONS) {
        uint8_t partition = (uint8_t)(walk->first + walk->visited);
        if (!presence_table_walk(&presence->table, partition, &walk->visit, now_s, &walk->teller)) {
            break;
        }
        log_partition(presence, partition);
        walk->visited++;
    }
    if (may_tell && walk->teller.left == 0) {
        walk->next_first = (uint8_t)(walk->first + walk->visited); /* it had to leave off here */
    }
    batches_send(presence);
    if (walk->visited < STORE_PARTITIONS) {
        go_onward(presence);
    } else {
        walk_end(presence);
    }
}

static void
expect_time(struct presence *presence, uint64_t since_ns, uint64_t late_ms)
{
    if (ln_now_ns() > since_ns + late_ms * 1000000) {
        fall_silent(presence);
    }
}

static void
tick(struct presence *presence)
{
    struct walk *walk = &presence->walk;
    walk->busy = false;
    walk->began_ns = ln_now_ns();
    walk->first = walk->next_first;
    walk->visited = 0;
    walk->visit.place = 0;
    walk->teller = (struct presence_teller){
        .tell = tell_in_batches,
        .again = tell_again,
        .context = presence,
        .left = presence->messenger->settings->presence_updates_per_s,
    };
    presence->crowd_left = presence->messenger->settings->presence_updates_per_s;
    expect_time(presence, walk->due_ns, PRESENCE_LATE_MS);
    slice(presence);
}

static void
wake(struct presence *presence)
{
    struct walk *walk = &presence->walk;
    if (!walk->ticking) {
        walk->ticking = true;
        walk->began_ns = ln_now_ns();
        presence->crowd_left = presence->messenger->settings->presence_updates_per_s;
        tick_later(presence);
    }
}

/* After a call that may have brought the first user. */
static void
wake_actor(struct presence *presence)
{
    ln_pid pid = pid_get(presence);
    if (!presence->walk.ticking && pid != 0) { /* else it looks by itself when it starts */
        struct ln_msg *msg = ln_msg_new(PRESENCE_WAKE, LN_REPLY, 0);
        ln_send(pid, &msg);
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
    struct presence *presence = here(messenger);
    struct presence_now at = now();
    presence_table_foreground(&presence->table, partition_of(presence, user), user, ln_self(), &at,
                              lease_s(messenger));
    messenger_count(&messenger->counters.presence_signs);
    wake_actor(presence);
}

void
presence_background(struct messenger *messenger, uint64_t user)
{
    struct presence *presence = here(messenger);
    struct presence_now at = now();
    presence_table_background(&presence->table, partition_of(presence, user), user, ln_self(), &at);
}

void
presence_ended(struct messenger *messenger, uint64_t user)
{
    struct presence *presence = here(messenger);
    if (presence->table.leases.count > 0) {
        presence_table_background(&presence->table, partition_of(presence, user), user, ln_self(),
                                  NULL);
    }
}

void
presence_act(struct messenger *messenger, uint64_t user)
{
    struct presence *presence = here(messenger);
    struct presence_now at = now();
    presence_table_act(&presence->table, partition_of(presence, user), user, &at);
    wake_actor(presence);
}

static void
tell_at_once(void *context, ln_pid connection, const struct presence_update *update)
{
    struct messenger *messenger = context;
    messenger_count(&messenger->counters.presence_updates);
    send_update(connection, update);
}

/* Typing is to give way; counted. */
static bool
typing_gives_way(const struct presence *presence)
{
    struct messenger *messenger = presence->messenger;
    bool shed = presence->walk.busy || messenger_pressure(messenger) >= PRESSURE_TYPING;
    messenger_add(&messenger->counters.shed[PRESSURE_TYPING], shed);
    return shed;
}

void
presence_typing(struct messenger *messenger, const struct presence_typing *typing)
{
    struct presence *presence = here(messenger);
    struct presence_teller teller = {
        .tell = tell_at_once,
        .context = messenger,
        .left = typing_gives_way(presence) ? 0 : PRESENCE_SLICE_UPDATES,
    };
    uint32_t passed_over = presence_table_typing(
        &presence->table, partition_of(presence, typing->subject), typing, now().s, &teller);
    messenger_add(&messenger->counters.presence_dropped, passed_over);
}

bool
presence_may_tell_group(struct messenger *messenger, uint64_t user, uint64_t group, uint8_t kind)
{
    struct presence *presence = here(messenger);
    if (typing_gives_way(presence)) {
        messenger_count(&messenger->counters.presence_dropped);
        return false;
    }
    return typing_slots_due(&presence->typing, user, group, kind, now().s);
}

void
presence_forget(struct messenger *messenger, uint64_t user)
{
    struct presence *presence = here(messenger);
    presence_table_forget(&presence->table, partition_of(presence, user), user);
}

/* Who may see the user has changed, durably: those who watch must ask again. */
static void
rules_changed(struct presence *presence, const struct store_rules_notice *notice)
{
    uint8_t partition = partition_of(presence, notice->user);
    presence->ruled_at_ns[partition] = io_now_ns(ln_io());
    presence_table_unwatch_all(&presence->table, partition, notice->user, notice->watcher,
                               tell_again);
}

/* ------------------------------------------------------------------------------------- requests */

static void
answer(const struct presence *presence, struct ln_caller caller, const struct presence_ask *ask)
{
    struct presence_answer answer = {.seen_ms = ask->seen_ms};
    const struct presence_subject *subject =
        presence_table_find(&presence->table, partition_of(presence, ask->user), ask->user);
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
    uint8_t partition = partition_of(presence, ask->user);
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
        wake(presence);
    }
    answer(presence, caller, ask);
}

/* Members of a group who are at home here. */
static void
crowd_told(struct presence *presence, const struct ln_msg *msg)
{
    const struct presence_crowd *crowd = (const struct presence_crowd *)(const void *)msg->data;
    struct messenger *messenger = presence->messenger;
    struct presence_update update = {.subject = crowd->group,
                                     .user = crowd->user,
                                     .kind = PRESENCE_TYPING,
                                     .typing = crowd->kind,
                                     .in_group = true};
    if (typing_gives_way(presence)) {
        messenger_add(&messenger->counters.presence_dropped, crowd->count);
        return;
    }
    struct presence_teller teller = {
        .tell = tell_at_once, .context = messenger, .left = presence->crowd_left};
    uint32_t passed_over = 0;
    for (uint32_t i = 0; i < crowd->count; i++) {
        passed_over +=
            presence_table_tell_online(&presence->table, partition_of(presence, crowd->members[i]),
                                       crowd->members[i], &update, &teller);
    }
    presence->crowd_left = teller.left;
    messenger_add(&messenger->counters.presence_dropped, passed_over);
}

static void
unwatch(struct presence *presence, const struct ln_msg *msg)
{
    const struct presence_unwatch *unwatch =
        (const struct presence_unwatch *)(const void *)msg->data;
    for (uint32_t i = 0; i < unwatch->count; i++) {
        presence_table_unwatch(&presence->table, partition_of(presence, unwatch->subjects[i]),
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
        presence->seen[partition] = (struct seen){0};
        users->kept = false;
        presence_table_relog(table, (uint8_t)partition);
        presence_table_ask_again(table, (uint8_t)partition);
    }
}

static int
presence_init(void *state, const void *argument)
{
    struct presence *presence = *(struct presence *const *)argument;
    ((struct presence_actor *)state)->presence = presence;
    for (unsigned i = 0; i < presence->schedulers; i++) {
        presence->batches[i].count = 0;
    }
    presence->walk = (struct walk){0};
    if (presence->started) {
        go_on(presence);
    }
    presence->started = true;
    ln_random(&presence->typing.key, sizeof presence->typing.key);
    atomic_store_explicit(&presence->pid, ln_self(), memory_order_release);
    store_presence_set(presence->messenger->store, presence->scheduler, ln_self());
    if (presence->table.users_count > 0) {
        wake(presence);
    }
    return 0;
}

static void
presence_handle(void *state, struct ln_msg **msg)
{
    struct presence *presence = ((struct presence_actor *)state)->presence;
    if (((*msg)->flags & LN_MSG_ANSWER) != 0) {
        log_answered(presence, *msg);
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
        crowd_told(presence, *msg);
        break;
    case PRESENCE_WAKE:
        wake(presence);
        break;
    case PRESENCE_TICK:
        tick(presence);
        break;
    case PRESENCE_ONWARD:
        expect_time(presence, presence->walk.onward_ns, PRESENCE_BUSY_MS);
        slice(presence);
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
