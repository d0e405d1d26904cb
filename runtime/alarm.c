/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/alarm.h"

#include "runtime/message.h"
#include "runtime/node_priv.h"

#include <errno.h>
#include <string.h>

enum {
    ALARM_REFERENCE = 1u << 31, /* in what ln_send_after returns */
    ALARM_DATA_BYTES = 8,
    ALARM_WHOLE = UINT8_MAX, /* `bytes`, when the message is kept as it is */
};

struct alarm {
    struct timer timer;
    uint32_t generation;     /* how often the record was given back */
    uint32_t owner;          /* its slot */
    uint32_t next, previous; /* alarms of the owner, the newest first; 0: none */
    ln_pid to;
    uint32_t tag;
    uint8_t lane, bytes;
    union {
        unsigned char data[ALARM_DATA_BYTES];
        struct ln_msg *msg;
    };
};
_Static_assert(sizeof(struct alarm) == ALARM_BYTES, "an alarm is a cache line");

static inline struct alarm *
alarm_at(const struct scheduler *self, uint32_t number)
{
    return pool_at(&self->alarms, number, ALARM_BYTES);
}

static inline void
alarm_link(struct scheduler *self, struct actor *owner, struct alarm *alarm, uint32_t number)
{
    alarm->owner = pid_slot(owner->pid);
    alarm->previous = 0;
    alarm->next = owner->alarms;
    if (alarm->next != 0) {
        alarm_at(self, alarm->next)->previous = number;
    }
    owner->alarms = number;
}

static inline void
alarm_unlink(struct scheduler *self, const struct alarm *alarm)
{
    if (alarm->next != 0) {
        alarm_at(self, alarm->next)->previous = alarm->previous;
    }
    if (alarm->previous != 0) {
        alarm_at(self, alarm->previous)->next = alarm->next;
    } else {
        scheduler_actor_at(self, alarm->owner)->alarms = alarm->next;
    }
}

/* Keeps what is sent of the message, and frees it; or keeps it as it is. Takes *msg. */
static inline void
message_keep(struct alarm *alarm, struct ln_msg **msg)
{
    struct ln_msg *kept = *msg;
    if (kept->bytes > ALARM_DATA_BYTES || kept->key != 0 || kept->buffer != NULL) {
        alarm->bytes = ALARM_WHOLE;
        alarm->msg = kept;
        *msg = NULL;
        return;
    }
    alarm->tag = kept->tag;
    alarm->lane = kept->lane;
    alarm->bytes = (uint8_t)kept->bytes;
    memcpy(alarm->data, kept->data, kept->bytes);
    ln_msg_free(msg);
}

static struct ln_msg *
message_made(struct scheduler *self, const struct alarm *alarm)
{
    if (alarm->bytes == ALARM_WHOLE) {
        return alarm->msg;
    }
    struct ln_msg *msg = message_new(self, alarm->tag, alarm->lane, alarm->bytes);
    memcpy(msg->data, alarm->data, alarm->bytes);
    msg->from = scheduler_actor_at(self, alarm->owner)->pid;
    return msg;
}

/* What points at it knows its number. */
static inline uint32_t
alarm_number(const struct scheduler *self, const struct alarm *alarm)
{
    return alarm->previous != 0 ? alarm_at(self, alarm->previous)->next
                                : scheduler_actor_at(self, alarm->owner)->alarms;
}

static void
alarm_fire(struct timer *timer)
{
    struct alarm *alarm = (struct alarm *)timer;
    struct scheduler *self = scheduler_current();
    struct ln_msg *msg = message_made(self, alarm);
    ln_pid to = alarm->to;
    uint32_t number = alarm_number(self, alarm);
    alarm_unlink(self, alarm);
    alarm->generation++;
    pool_give(&self->alarms, number);
    message_post(self, to, &msg);
}

/* It is stale and in no list any more. */
static void
alarm_drop(struct scheduler *self, struct alarm *alarm, uint32_t number)
{
    timer_cancel(&self->timers, &alarm->timer);
    if (alarm->bytes == ALARM_WHOLE) {
        ln_msg_free(&alarm->msg);
    }
    pool_give(&self->alarms, number);
}

/* Puts the number into the ring and drops the one that has been there longest. */
static inline void
alarm_drop_soon(struct scheduler *self, uint32_t number)
{
    uint32_t *place = &self->alarms_cancelled[self->alarms_cancelled_next++ % ALARMS_CANCELLED];
    uint32_t oldest = *place;
    *place = number;
    if (oldest != 0) {
        struct alarm *alarm = alarm_at(self, oldest);
        alarm_unlink(self, alarm);
        alarm_drop(self, alarm, oldest);
    }
}

void
alarms_settle(struct scheduler *self)
{
    if (self->alarms_cancelled_next == 0) {
        return;
    }
    for (unsigned i = 0; i < ALARMS_CANCELLED; i++) {
        alarm_drop_soon(self, 0);
    }
    self->alarms_cancelled_next = 0;
}

void
alarms_release(struct scheduler *self, struct actor *actor)
{
    if (actor->alarms != 0) {
        alarms_settle(self);
    }
    while (actor->alarms != 0) {
        uint32_t number = actor->alarms;
        struct alarm *alarm = alarm_at(self, number);
        alarm->generation++;
        actor->alarms = alarm->next;
        alarm_drop(self, alarm, number);
    }
}

uint64_t
ln_send_after_slack(uint64_t delay_ms, uint64_t slack_ms, ln_pid to, struct ln_msg **msg)
{
    struct scheduler *self = scheduler_current();
    message_renew(self, *msg);
    message_let_go(self, *msg);
    uint32_t number = pool_take(&self->alarms);
    struct alarm *alarm = alarm_at(self, number);
    alarm->to = to;
    message_keep(alarm, msg);
    alarm_link(self, self->current, alarm, number);
    timer_set_within(&self->timers, &alarm->timer, delay_ms, slack_ms, alarm_fire);
    return (uint64_t)alarm->generation << 32 | ALARM_REFERENCE | number;
}

uint64_t
ln_send_after(uint64_t delay_ms, ln_pid to, struct ln_msg **msg)
{
    return ln_send_after_slack(delay_ms, 0, to, msg);
}

int
ln_cancel_timer(uint64_t timer)
{
    struct scheduler *self = scheduler_current();
    uint32_t number = (uint32_t)timer ^ ALARM_REFERENCE;
    /* When the node closes, owners can't be found any more, and each takes its own along. */
    if (number >= pool_records(&self->alarms) || self->node->closing) {
        return -ENOENT;
    }
    struct alarm *alarm = alarm_at(self, number);
    if (alarm->generation != timer >> 32 || !timer_is_set(&alarm->timer)) {
        return -ENOENT;
    }
    alarm->generation++;
    timer_prefetch(&alarm->timer);
    __builtin_prefetch(alarm_at(self, alarm->next), 1);
    __builtin_prefetch(alarm_at(self, alarm->previous), 1);
    alarm_drop_soon(self, number);
    return 0;
}
