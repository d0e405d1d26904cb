/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/push.h"

#include "actors/push_priv.h"
#include "actors/push_retry.h"
#include "actors/tag.h"
#include "runtime/text.h"
#include "store/store.h"
#include "store/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LOSSY_MAX = 65536 };

void
push_name(unsigned scheduler, char out[PUSH_NAME_BYTES])
{
    int bytes = snprintf(out, PUSH_NAME_BYTES, "push.%u", scheduler);
    ASSERT(bytes > 0 && bytes < PUSH_NAME_BYTES);
}

void
push_couriers_name(unsigned scheduler, char out[PUSH_NAME_BYTES])
{
    int bytes = snprintf(out, PUSH_NAME_BYTES, "couriers.%u", scheduler);
    ASSERT(bytes > 0 && bytes < PUSH_NAME_BYTES);
}

/* ---------------------------------------------------------------------------------------- lists */

static void
line_init(struct push_line *line)
{
    *line = (struct push_line){.end = &line->first};
}

void
push_line_add(struct push_line *line, struct push_wake *wake)
{
    ASSERT(wake->previous == NULL && wake->heap_at == 0);
    wake->next = NULL;
    wake->previous = line->end;
    *line->end = wake;
    line->end = &wake->next;
    line->count++;
}

void
push_line_add_first(struct push_line *line, struct push_wake *wake)
{
    struct push_wake *second = line->first;
    if (second == NULL) {
        push_line_add(line, wake);
        return;
    }
    ASSERT(wake->previous == NULL && wake->heap_at == 0);
    wake->next = second;
    wake->previous = &line->first;
    second->previous = &wake->next;
    line->first = wake;
    line->count++;
}

void
push_line_remove(struct push_line *line, struct push_wake *wake)
{
    *wake->previous = wake->next;
    if (wake->next != NULL) {
        wake->next->previous = wake->previous;
    } else {
        line->end = wake->previous;
    }
    wake->next = NULL;
    wake->previous = NULL;
    line->count--;
}

/* Whose request it was; NULL: nobody's any more. */
static struct push_wake *
busy_find(const struct push *push, uint64_t ref)
{
    struct push_wake *at = push->busy.first;
    while (at != NULL && at->ref != ref) {
        at = at->next;
    }
    return at;
}

/* --------------------------------------------------------------------------------------- a wake */

void
push_note(struct push *push, const struct push_wake *wake, enum push_step_kind kind, int status)
{
    int64_t wall_ms = ln_wall_ms();
    struct push_step step = {
        .at_ms = wall_ms > 0 ? (uint64_t)wall_ms : 0,
        .user = wake->user,
        .device = wake->device,
        .number = wake->number,
        .kind = (uint8_t)kind,
        .attempt = wake->attempts,
        .status = (int16_t)status,
        .test = wake->test,
    };
    push_trace_add(&push->trace, &step);
    if (kind == PUSH_STEP_ACCEPTED && !wake->test) {
        trace_step(push->messenger->store, STEP_PUSHED, 0, wake->user, wake->device, wake->newest);
    }
}

/* One timer, for the first of them. */
static void
timer_set(struct push *push)
{
    uint64_t next_ns = push_table_next_ns(&push->table);
    if (next_ns == UINT64_MAX || (push->timer != 0 && push->timer_ns <= next_ns)) {
        return;
    }
    if (push->timer != 0) {
        (void)ln_cancel_timer(push->timer);
    }
    uint64_t now_ns = ln_now_ns();
    uint64_t wait_ms = next_ns > now_ns ? (next_ns - now_ns) / PUSH_NS_PER_MS + 1 : 1;
    struct ln_msg *tick = ln_msg_new(PUSH_TICK, LN_REPLY, 0);
    push->timer = ln_send_after(wait_ms, ln_self(), &tick);
    push->timer_ns = next_ns;
}

void
push_wait(struct push *push, struct push_wake *wake, enum push_wake_state state, uint64_t pause_ms)
{
    wake->state = (uint8_t)state;
    ln_msg_free(&wake->state_msg);
    push_table_wait(&push->table, wake, ln_now_ns() + pause_ms * PUSH_NS_PER_MS);
    timer_set(push);
}

void
push_forget(struct push *push, struct push_wake *wake)
{
    push_table_remove(&push->table, &wake);
    messenger_uncount(&push->messenger->counters.push_waiting);
}

static struct push_wake *
wake_add(struct push *push, uint64_t user, uint16_t device, bool test)
{
    struct push_wake *wake = push_table_add(&push->table, user, device, test);
    if (wake != NULL) {
        messenger_count(&push->messenger->counters.push_waiting);
    }
    return wake;
}

/* Somebody calls. What waits, for whatever reason of ours, goes before all others; what is under
 * way goes on, and the store is asked once more behind it. */
static void
hasten(struct push *push, struct push_wake *wake)
{
    wake->urgent = true;
    if (wake->state == PUSH_READY) { /* for what was known before */
        push_unready(push, wake);
        push_wait(push, wake, PUSH_WAITING, 0);
    }
    if (wake->state == PUSH_WAITING || wake->state == PUSH_COOLING) {
        push_table_hasten(&push->table, wake, wake->rest_ns > ln_now_ns() ? wake->rest_ns : 0);
        timer_set(push);
    }
}

bool
push_due(struct push *push, const struct store_wake_due *due)
{
    struct push_wake *wake = push_table_find(&push->table, due->user, due->device, false);
    int64_t wall_ms = ln_wall_ms();
    uint64_t delay_ms = push->settings->push_delay_ms;
    if (wake != NULL) {
        wake->again = wake->again || wake->state != PUSH_WAITING;
        if (due->urgent) {
            hasten(push, wake);
        }
        return true;
    }
    wake = wake_add(push, due->user, due->device, false);
    if (wake == NULL) {
        messenger_count(&push->messenger->counters.push_missed);
        return false;
    }
    uint64_t since_ms = wall_ms > (int64_t)due->due_at_ms ? (uint64_t)wall_ms - due->due_at_ms : 0;
    wake->number = due->due_for;
    messenger_count(&push->messenger->counters.push_queued);
    push_note(push, wake, PUSH_STEP_QUEUED, 0);
    push_wait(push, wake, PUSH_WAITING, since_ms < delay_ms ? delay_ms - since_ms : 0);
    if (due->urgent) {
        hasten(push, wake);
    }
    return true;
}

/* ----------------------------------------------------------------------------- asking the store */

static void
request_begin(struct push *push, struct push_wake *wake, enum push_wake_state state, uint32_t tag,
              const void *data, size_t bytes)
{
    struct ln_msg *request = ln_msg_new(tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    wake->state = (uint8_t)state;
    wake->ref = ln_request(store_user_pid(push->messenger->store, wake->user), &request);
    push_line_add(&push->busy, wake);
}

static void
ask(struct push *push, struct push_wake *wake)
{
    struct store_device_id id = {.user = wake->user, .device = wake->device};
    wake->again = false;
    wake->urgent = false;
    push->asked++;
    request_begin(push, wake, PUSH_ASKING, STORE_WAKE_GET, &id, sizeof id);
}

void
push_tell(struct push *push, struct push_wake *wake)
{
    if (wake->clear) {
        struct store_wake_clear clear = {
            .user = wake->user, .device = wake->device, .id = wake->id};
        request_begin(push, wake, PUSH_TELLING, STORE_WAKE_CLEAR, &clear, sizeof clear);
    } else {
        struct store_wake_done done = {
            .user = wake->user, .device = wake->device, .id = wake->id, .newest = wake->newest};
        request_begin(push, wake, PUSH_TELLING, STORE_WAKE_DONE, &done, sizeof done);
    }
}

/* Whether the store may do it another time. */
static bool
passes(int error)
{
    return error == -EAGAIN || error == -ESRCH || error == -ETIMEDOUT || error == -ENOSPC;
}

static void
asked(struct push *push, struct push_wake *wake, struct ln_msg **answer)
{
    push->asked--;
    if ((*answer)->error == 0) {
        wake->state_msg = *answer;
        *answer = NULL;
        if (wake->urgent) { /* which it may not have known of yet */
            push_wait(push, wake, PUSH_WAITING, 0);
        } else {
            push_consider(push, wake);
        }
    } else if (wake->test) {
        ln_reply_error(wake->caller, (*answer)->error);
        push_forget(push, wake);
    } else if (passes((*answer)->error)) {
        push_wait(push, wake, PUSH_WAITING, PUSH_AGAIN_MS);
    } else {
        push_forget(push, wake); /* device or subscription have gone */
    }
}

void
push_cool(struct push *push, struct push_wake *wake)
{
    wake->attempts = 0;
    push_wait(push, wake, wake->urgent ? PUSH_WAITING : PUSH_COOLING,
              wake->urgent ? 0 : push->settings->push_interval_ms);
}

static void
told(struct push *push, struct push_wake *wake, int error)
{
    if (passes(error)) {
        push_wait(push, wake, PUSH_UNTOLD, PUSH_AGAIN_MS);
    } else if (error == 0 && !wake->clear) {
        push_cool(push, wake);
    } else {
        push_forget(push, wake);
    }
}

static void
answered(struct push *push, struct ln_msg **answer)
{
    if (push_sweep_answered(push, *answer)) {
        return;
    }
    struct push_wake *wake = busy_find(push, (*answer)->ref);
    if (wake == NULL) {
        return;
    }
    push_line_remove(&push->busy, wake);
    switch ((enum push_wake_state)wake->state) {
    case PUSH_ASKING:
        asked(push, wake, answer);
        break;
    case PUSH_SENDING:
        push_reported(push, wake, *answer);
        break;
    case PUSH_TELLING:
        told(push, wake, (*answer)->error);
        break;
    case PUSH_WAITING:
    case PUSH_READY:
    case PUSH_UNTOLD:
    case PUSH_COOLING:
        ASSERT(false);
    }
}

/* ----------------------------------------------------------------------------------------- time */

/* Its pause is over. */
static void
resume(struct push *push, struct push_wake *wake)
{
    if (wake->state == PUSH_UNTOLD) {
        push_tell(push, wake);
    } else if (wake->state == PUSH_COOLING && !wake->again) {
        push_forget(push, wake);
    } else {
        ask(push, wake);
    }
}

void
push_pump(struct push *push)
{
    struct push_wake *wake = NULL;
    while (push->asked < PUSH_ASKED_MAX && push->ready.count < PUSH_READY_MAX &&
           (wake = push_table_due(&push->table, ln_now_ns())) != NULL) {
        resume(push, wake);
    }
    push_dispatch(push);
    /* What had to wait for room in the line goes on when an answer comes. */
    bool room = push->asked < PUSH_ASKED_MAX && push->ready.count < PUSH_READY_MAX;
    if (room) {
        timer_set(push);
    }
}

/* ------------------------------------------------------------------------------------ operators */

static void
test(struct push *push, struct ln_msg *msg)
{
    const struct push_device *device = (const struct push_device *)(const void *)msg->data;
    bool there = push_table_find(&push->table, device->user, device->device, true) != NULL;
    struct push_wake *wake = there ? NULL : wake_add(push, device->user, device->device, true);
    if (wake == NULL) {
        ln_reply_error(ln_caller(msg), there ? -EBUSY : -EAGAIN);
        return;
    }
    wake->caller = ln_caller(msg);
    ask(push, wake);
}

static void
show(struct push *push, struct ln_msg *msg)
{
    const struct push_device *asked_for = (const struct push_device *)(const void *)msg->data;
    struct ln_msg *answer = ln_msg_new(PUSH_SHOW, LN_REPLY, sizeof(struct push_shown));
    struct push_shown *shown = (struct push_shown *)(void *)answer->data;
    struct push_step step;
    uint32_t count = 0;
    uint64_t at = 0;
    while (push_trace_next(&push->trace, &at, asked_for->user, &step)) {
        count++;
    }
    uint32_t passed_over = count > PUSH_SHOWN_MAX ? count - PUSH_SHOWN_MAX : 0;
    shown->count = count - passed_over;
    if (shown->count > 0) {
        answer->buffer = ln_buffer_new(shown->count * sizeof step);
        unsigned char *out = ln_buffer_data(answer->buffer);
        at = 0;
        while (push_trace_next(&push->trace, &at, asked_for->user, &step)) {
            if (passed_over > 0) {
                passed_over--;
            } else {
                memcpy(out, &step, sizeof step);
                out += sizeof step;
            }
        }
    }
    ln_reply(ln_caller(msg), &answer);
}

/* ---------------------------------------------------------------------------------------- actor */

static void
push_release(struct ln_resource *resource)
{
    struct push *push = (void *)((unsigned char *)resource - offsetof(struct push, own));
    atomic_fetch_sub_explicit(&push->messenger->counters.push_waiting, push->table.count,
                              memory_order_relaxed);
    push_table_fini(&push->table);
}

static int
push_init(void *state, const void *argument)
{
    struct push *push = state;
    push->messenger = *(struct messenger *const *)argument;
    push->settings = push->messenger->settings;
    line_init(&push->busy);
    line_init(&push->ready);
    push_table_init(&push->table, push->settings->push_waiting_max);
    ln_own(&push->own, push_release);
    push_trace_init(&push->trace);
    /* First the notices, then the sweep: nobody becomes due in between unseen. */
    store_waker_set(push->messenger->store, ln_scheduler(), ln_self());
    push_sweep_begin(push);
    return 0;
}

static void
push_handle(void *state, struct ln_msg **msg)
{
    struct push *push = state;
    if (((*msg)->flags & LN_MSG_ANSWER) != 0) {
        answered(push, msg);
        push_pump(push);
        return;
    }
    switch ((*msg)->tag) {
    case STORE_WAKE_DUE:
        (void)push_due(push, (const struct store_wake_due *)(const void *)(*msg)->data);
        break;
    case PUSH_TICK:
        push->timer = 0;
        push_pump(push);
        break;
    case PUSH_SWEEP:
        push_sweep_tick(push);
        break;
    case PUSH_TEST:
        test(push, *msg);
        break;
    case PUSH_SHOW:
        show(push, *msg);
        break;
    case LN_TAG_DOWN:
        push_courier_down(push, ((const struct ln_down *)(const void *)(*msg)->data)->pid);
        push_pump(push);
        break;
    default:
        break;
    }
}

static void
push_print(const void *state, struct ln_text *out)
{
    const struct push *push = state;
    ln_text_print(out, "%u devices in mind, %u of them asked about, %u ready, %u servers%s",
                  push->table.count, push->asked, push->ready.count, push->origins.count,
                  push->sweep.runs ? ", sweeping" : "");
}

const struct ln_behaviour push_behaviour = {
    .name = "push",
    .tag_name = messenger_tag_name,
    .state_bytes = sizeof(struct push),
    .init = push_init,
    .handle = push_handle,
    .print = push_print,
    .lossy_max = LOSSY_MAX,
    .lossy_bytes_max = LOSSY_MAX * 256,
};
