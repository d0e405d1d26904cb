/* SPDX-License-Identifier: Apache-2.0 */
/* A tick goes through the partitions in slices, between which everybody else has a turn:
 *
 *     TICK ── slice ── ONWARD ── slice ── ONWARD ── slice ──(a second after the tick)── TICK
 *
 * Nobody known: no tick, until a call finds the table empty and sends WAKE. */
#include "actors/presence_priv.h"

#include <string.h>

/* --------------------------------------------------------------------------- telling in batches */

static void
batch_send(struct presence *presence, unsigned scheduler)
{
    struct presence_batch *batch = &presence->batches[scheduler];
    size_t bytes = batch->count * sizeof batch->told[0];
    if (bytes > 0) {
        struct ln_msg *msg = ln_msg_new(PRESENCE_UPDATES, LN_LOSSY, bytes);
        memcpy(msg->data, batch->told, bytes);
        batch->count = 0;
        ln_send(presence_actor_pid(presence_at(presence->messenger->presences, scheduler)), &msg);
    }
}

static void
batches_send(struct presence *presence)
{
    for (unsigned i = 0; i < presence->schedulers; i++) {
        batch_send(presence, i);
    }
}

static void
tell_in_batches(void *context, ln_pid connection, const struct presence_update *update)
{
    struct presence *presence = context;
    unsigned scheduler = ln_pid_scheduler(connection);
    messenger_count(&presence->messenger->counters.presence_updates);
    if (scheduler == presence->scheduler) {
        presence_tell(connection, update);
        return;
    }
    struct presence_batch *batch = &presence->batches[scheduler];
    batch->told[batch->count++] =
        (struct presence_told){.connection = connection, .update = *update};
    if (batch->count == PRESENCE_BATCH) {
        batch_send(presence, scheduler);
    }
}

/* ------------------------------------------------------------------------------------- the walk */

static void
measure(struct presence *presence)
{
    counter_set(&presence->users, presence->table.users_count);
    counter_set(&presence->leases, presence->table.leases.count);
    counter_set(&presence->watches, presence->table.watches_count);
    counter_set(&presence->bytes, presence_table_bytes(&presence->table));
}

static void
tick_later(struct presence *presence)
{
    struct presence_walk *walk = &presence->walk;
    uint64_t took_ms = (ln_now_ns() - walk->began_ns) / 1000000;
    uint64_t pause_ms = took_ms < PRESENCE_TICK_MS ? PRESENCE_TICK_MS - took_ms : 1;
    struct ln_msg *tick = ln_msg_new(PRESENCE_TICK, LN_REPLY, 0);
    walk->due_ns = ln_now_ns() + pause_ms * 1000000;
    (void)ln_send_after(pause_ms, ln_self(), &tick);
}

static void
walk_end(struct presence *presence)
{
    struct presence_walk *walk = &presence->walk;
    walk->ticking = presence->table.users_count > 0 || presence_seen_under_way(presence);
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
    struct presence_walk *walk = &presence->walk;
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
    struct presence_walk *walk = &presence->walk;
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
    struct presence_walk *walk = &presence->walk;
    enum pressure pressure = messenger_pressure(presence->messenger);
    walk->teller.no_typing = pressure >= PRESSURE_TYPING;
    if (pressure >= PRESSURE_PRESENCE) {
        fall_silent(presence);
    }
    bool may_tell = walk->teller.left > 0;
    uint32_t now_s = presence_clock().s;
    walk->visit.places_left = PRESENCE_SLICE_PLACES;
    walk->teller.slice_left = PRESENCE_SLICE_UPDATES;
    while (walk->visited < STORE_PARTITIONS) {
        uint8_t partition = (uint8_t)(walk->first + walk->visited);
        if (!presence_table_walk(&presence->table, partition, &walk->visit, now_s, &walk->teller)) {
            break;
        }
        presence_seen_visit(presence, partition);
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

void
presence_tick(struct presence *presence)
{
    struct presence_walk *walk = &presence->walk;
    walk->busy = false;
    walk->began_ns = ln_now_ns();
    walk->first = walk->next_first;
    walk->visited = 0;
    walk->visit.place = 0;
    walk->teller = (struct presence_teller){
        .tell = tell_in_batches,
        .again = presence_tell_again,
        .context = presence,
        .left = presence->messenger->settings->presence_updates_per_s,
    };
    presence->crowd_left = presence->messenger->settings->presence_updates_per_s;
    expect_time(presence, walk->due_ns, PRESENCE_LATE_MS);
    slice(presence);
}

void
presence_onward(struct presence *presence)
{
    expect_time(presence, presence->walk.onward_ns, PRESENCE_BUSY_MS);
    slice(presence);
}

void
presence_wake(struct presence *presence)
{
    struct presence_walk *walk = &presence->walk;
    if (!walk->ticking) {
        walk->ticking = true;
        walk->began_ns = ln_now_ns();
        presence->crowd_left = presence->messenger->settings->presence_updates_per_s;
        tick_later(presence);
    }
}

void
presence_wake_actor(struct presence *presence)
{
    ln_pid pid = presence_actor_pid(presence);
    if (!presence->walk.ticking && pid != 0) { /* else it looks by itself when it starts */
        struct ln_msg *msg = ln_msg_new(PRESENCE_WAKE, LN_REPLY, 0);
        ln_send(pid, &msg);
    }
}
