/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting inside an actor: for an answer, a message, an instant, an operation of io. (A worker:
 * work.c.) */
#include "runtime/actor.h"
#include "runtime/bounds.h"
#include "runtime/file.h"
#include "runtime/message.h"
#include "runtime/node_priv.h"

#include <errno.h>
#include <string.h>

enum { WAIT_PENDING = 1 };

bool
wait_possible(struct scheduler *self, const struct actor *actor)
{
    return (!actor->cancelled || actor->cancelled_waits < LN_CANCELLED_WAITS_MAX) &&
           scheduler_can_park(self);
}

/* A cancelled actor is expected to unwind. One that goes on waiting is ended where it stands. */
static void
wait_allowed(struct scheduler *self, struct actor *actor)
{
    if (actor->cancelled && ++actor->cancelled_waits > LN_CANCELLED_WAITS_MAX) {
        ln_exit(LN_EXIT_KILLED, "cancelled, and went on waiting");
    }
    if (!scheduler_can_park(self)) {
        ln_exit(LN_EXIT_ERROR, "no memory or mapping for a stack");
    }
}

void
wait_again(struct wait *wait, enum wait_kind kind)
{
    memset(wait, 0, sizeof *wait);
    wait->kind = (uint8_t)kind;
    wait->scheduler = scheduler_current();
    wait->actor = actor_current();
    ASSERT(wait->actor->wait == NULL);
    wait->actor->wait = wait;
    wait->cancellable = true;
    wait->result = WAIT_PENDING;
}

void
wait_begin(struct wait *wait, enum wait_kind kind)
{
    wait_allowed(scheduler_current(), actor_current());
    wait_again(wait, kind);
}

void
wait_end(struct wait *wait, int result)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = wait->actor;
    ASSERT(actor->wait == wait && wait->result == WAIT_PENDING);
    timer_cancel(&self->timers, &wait->timer);
    wait->result = result;
    actor->wait = NULL;
    if (actor->run_state == ACTOR_WAITING) {
        scheduler_ready(self, actor);
    }
}

void
wait_end_by_io(struct wait *wait, int result)
{
    scheduler_enter(wait->scheduler);
    if (wait->result == WAIT_PENDING) {
        wait_end(wait, result);
    }
}

static void
wait_expired(struct timer *timer)
{
    wait_end((struct wait *)timer, -ETIMEDOUT);
}

static bool
turn_is_over(struct scheduler *self)
{
    bool over = self->turn_receives >= self->node->turn_messages || self->turn_expired;
    if (!over || !scheduler_can_park(self)) {
        return false;
    }
    self->stats.turns_cut += self->turn_expired != 0;
    return true;
}

/* It was answered at once. Whoever goes on asking so waits for nobody, and its turn ends like any
 * other's. */
static int
answered_at_once(struct scheduler *self, const struct wait *wait)
{
    self->turn_receives++;
    if (turn_is_over(self)) {
        scheduler_ready(self, wait->actor);
        scheduler_park(self);
    }
    return wait->result;
}

int
wait_for(struct wait *wait, uint64_t timeout_ms)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = wait->actor;
    ASSERT(self->current == actor);
    if (wait->result != WAIT_PENDING) {
        return answered_at_once(self, wait);
    }
    bool cancelled = actor->cancelled && wait->cancellable;
    if (cancelled || timeout_ms == 0) {
        wait_end(wait, cancelled ? -ECANCELED : -ETIMEDOUT);
        return wait->result;
    }
    if (timeout_ms != LN_FOREVER) {
        timer_set_after(&self->timers, &wait->timer, timeout_ms, wait_expired);
    }
    wait->since_ns = self->now_ns;
    wait->timeout_ms = timeout_ms;
    actor->run_state = ACTOR_WAITING;
    scheduler_park(self);
    ASSERT(wait->result != WAIT_PENDING);
    return wait->result;
}

int
ln_sleep(uint64_t timeout_ms)
{
    struct wait wait;
    if (timeout_ms == 0) {
        ln_yield();
        return actor_current()->cancelled ? -ECANCELED : 0;
    }
    wait_begin(&wait, WAIT_TIME);
    int error = wait_for(&wait, timeout_ms);
    return error == -ETIMEDOUT ? 0 : error;
}

void
ln_yield(void)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = actor_current();
    wait_allowed(self, actor);
    scheduler_ready(self, actor);
    scheduler_park(self);
}

/* ------------------------------------------------------------------------------------- messages */

static bool
match_any(const struct ln_msg *msg, void *context)
{
    (void)msg;
    (void)context;
    return true;
}

bool
wait_chooses(const struct wait *wait)
{
    return wait->kind == WAIT_MESSAGE && wait->match != match_any &&
           wait->match != request_is_answered_by;
}

bool
wait_is_for_request(const struct wait *wait)
{
    return wait->kind == WAIT_MESSAGE && wait->match == request_is_answered_by;
}

/* What to receive: anything that `match` accepts, or, with a ref, what lies behind that request. */
struct wish {
    bool (*match)(const struct ln_msg *msg, void *context);
    void *context;
    uint64_t ref;
};

static struct ln_msg *
wish_look(struct actor *actor, const struct wish *wish)
{
    struct process *process = actor_process(actor);
    if (wish->match == match_any) {
        return actor_pop(actor);
    }
    return wish->ref != 0 ? mailbox_pop_behind(&actor->mailbox, &process->marks, wish->ref,
                                               wish->match, wish->context)
                          : actor_pop_match(actor, wish->match, wish->context);
}

/* A process's turn ends like any other's: after so many messages, or looks for one, or when it has
 * had its time. */
static void
end_turn_when_over(struct scheduler *self)
{
    if (turn_is_over(self)) {
        ln_yield();
    }
}

static int
receive(const struct wish *wish, uint64_t timeout_ms, struct ln_msg **out)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = actor_current();
    end_turn_when_over(self);
    uint64_t now_ms = scheduler_now_ms(self);
    uint64_t until_ms = timeout_ms < LN_FOREVER - now_ms ? now_ms + timeout_ms : LN_FOREVER;
    struct ln_msg *msg;
    /* A loop, since a message that was there when the wait ended may have been replaced by a newer
     * one of its key before we ran. */
    while ((msg = wish_look(actor, wish)) == NULL) {
        struct wait wait;
        wait_begin(&wait, WAIT_MESSAGE);
        wait.match = wish->match;
        wait.match_context = wish->context;
        int error = wait_for(&wait, timeout_ms);
        if (error != 0) {
            self->turn_receives++;
            return error;
        }
        now_ms = scheduler_now_ms(self);
        timeout_ms = until_ms == LN_FOREVER ? LN_FOREVER
                     : until_ms > now_ms    ? until_ms - now_ms
                                            : 0;
    }
    self->turn_receives++;
    self->turn_steps++;
    message_hold(self, msg);
    message_open(self, actor, msg);
    *out = msg;
    return 0;
}

int
ln_receive_match(bool (*match)(const struct ln_msg *msg, void *context), void *context,
                 uint64_t timeout_ms, struct ln_msg **out)
{
    struct wish wish = {.match = match, .context = context};
    return receive(&wish, timeout_ms, out);
}

int
ln_receive_answer(uint64_t ref, uint64_t timeout_ms, struct ln_msg **out)
{
    ln_actor_check(ref != 0 && actor_current()->behaviour->run != NULL);
    struct answer_look look = {.ref = ref, .looks = &scheduler_current()->stats.answer_looks};
    struct wish wish = {.match = request_is_answered_by, .context = &look, .ref = ref};
    return receive(&wish, timeout_ms, out);
}

int
ln_receive(uint64_t timeout_ms, struct ln_msg **out)
{
    return ln_receive_match(match_any, NULL, timeout_ms, out);
}

/* ---------------------------------------------------------------------------------------- files */

struct file_wait {
    struct io_op op;
    struct wait wait;
};

static void
file_done(struct io_op *op, int32_t result)
{
    struct file_wait *file = (struct file_wait *)op;
    ASSERT(result <= 0);
    wait_end_by_io(&file->wait, result);
}

int
ln_file_write_sync(io_file file, const struct iovec *pieces, unsigned count, uint64_t offset)
{
    struct file_wait write = {.op = {.done = file_done, .buffer = IO_BUFFER_NONE}};
    wait_begin(&write.wait, WAIT_FILE);
    write.wait.cancellable = false;
    io_write_sync(scheduler_current()->io, &write.op, file, pieces, count, offset);
    return wait_for(&write.wait, LN_FOREVER);
}
