/* SPDX-License-Identifier: Apache-2.0 */
/* push.h - wakes the devices of a scheduler's users that have something waiting and are offline:
 * when, how often, for how long. One actor per scheduler, beside the partitions that are at home
 * there.
 *
 *     store: a device is due ──notice, sweep──> WAITING (push_delay_ms)
 *                                                  │ its time has come
 *                                                  v
 *        acknowledged in time: suppressed <── ASKING the store ──> READY ──> SENDING (courier.h)
 *                                                  ^                            │
 *                                                  └── pause ── it may pass <───┤
 *            COOLING (push_interval_ms) <── TELLING the store <── accepted, ────┘
 *                                                                 refused, gone
 *
 * What must not be lost is the store's (store/wake.h): who is due, and for what a device was woken.
 * So this actor may be killed at any instant; it sweeps through the store's table when it starts,
 * and now and then, and a notice that was lost costs a delay. A device is sent one push, however
 * much waits, until something newer comes; then the next, not before push_interval_ms have passed.
 * A push is sent again when its success could not be noted: with the same key, by which the webhook
 * knows it, and the same topic, by which a push service replaces it.
 *
 * Why one per scheduler: notices stay on their core, and nothing is shared but counters. Couriers
 * are its own, so a server has push_host_connections_max connections from each.
 */
#pragma once

#include "actors/push_trace.h"
#include "runtime/linnet.h"

enum push_tag {
    PUSH_TICK = 0x00100000, /* its own: somebody's time has come */
    PUSH_SWEEP,             /* its own: time to look through the store's table */
    PUSH_TEST,              /* push_device -> courier_report: sends one, now */
    PUSH_SHOW,              /* push_device -> push_shown, buffer: struct push_step [count] */
};

struct push_device {
    uint64_t user;
    uint16_t device; /* PUSH_SHOW: 0 */
};
struct push_shown {
    uint32_t count; /* the newest ones, oldest first */
};

enum {
    PUSH_SHOWN_MAX = 256,
    PUSH_NAME_BYTES = 16,
};

/* "push.3": the actor of a scheduler; "couriers.3": its couriers' supervisor. */
void push_name(unsigned scheduler, char out[PUSH_NAME_BYTES]);
void push_couriers_name(unsigned scheduler, char out[PUSH_NAME_BYTES]);

/* Its argument is a struct messenger *, whose `push` is set. */
extern const struct ln_behaviour push_behaviour;
