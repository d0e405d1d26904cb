/* SPDX-License-Identifier: Apache-2.0 */
/* Who is sent to next, by whom, and what comes of it. */
#include "actors/push_priv.h"

#include "actors/push_retry.h"
#include "runtime/supervisor.h"

#include <errno.h>
#include <string.h>

enum { COURIER_START_MS = 5000 };

static uint64_t
wall_now_ms(void)
{
    int64_t wall_ms = ln_wall_ms();
    return wall_ms > 0 ? (uint64_t)wall_ms : 0;
}

static uint32_t
chance(void)
{
    uint32_t drawn;
    ln_random(&drawn, sizeof drawn);
    return drawn;
}

static struct push_order
order_of(const struct push_wake *wake)
{
    struct ln_buffer *buffer = wake->state_msg->buffer;
    return (struct push_order){
        .set = push_state(wake)->set,
        .endpoint = buffer != NULL ? ln_buffer_data(buffer) : NULL,
    };
}

/* ------------------------------------------------------------------------------------- the end */

/* The push is over: it was accepted, or nobody will try any more. A call's speaks for nothing
 * that came before or behind it, as nobody keeps it once the call is over: what the device was due
 * for before stays so in the store, and here it is remembered that the call was seen to. */
static void
conclude(struct push *push, struct push_wake *wake, bool gone)
{
    const struct store_wake_state *state = push_state(wake);
    bool more = wake->call && state->due_for != wake->number;
    wake->newest = wake->call ? wake->number : state->newest;
    wake->rung = wake->call ? wake->number : wake->rung;
    wake->id = state->id;
    wake->clear = gone;
    ln_msg_free(&wake->state_msg);
    if (more && !gone) {
        wake->again = true;
        push_cool(push, wake);
    } else {
        push_tell(push, wake);
    }
}

static void
drop(struct push *push, struct push_wake *wake, int status)
{
    messenger_count(&push->messenger->counters.push_dropped);
    push_note(push, wake, PUSH_STEP_DROPPED, status);
    conclude(push, wake, false);
}

/* What an operator asked for is answered, whatever it was. */
static void
test_over(struct push *push, struct push_wake *wake, const struct ln_msg *answer)
{
    struct ln_msg *report = NULL;
    if (answer->error != 0) {
        ln_reply_error(wake->caller, answer->error);
    } else {
        report = ln_msg_new(PUSH_TEST, LN_REPLY, sizeof(struct courier_report));
        memcpy(report->data, answer->data, sizeof(struct courier_report));
        ln_reply(wake->caller, &report);
    }
    push_forget(push, wake);
}

/* ---------------------------------------------------------------------------------- considering */

/* Whether it was tried for so long, or so often, that it is given up. How long a call is worth
 * trying is how long it rings; since when the device is due says nothing of it. */
static bool
is_hopeless(const struct push *push, const struct push_wake *wake)
{
    const struct settings *settings = push->settings;
    uint64_t due_at_ms = push_state(wake)->due_at_ms;
    uint64_t now_ms = wall_now_ms();
    uint64_t age_s = now_ms > due_at_ms ? (now_ms - due_at_ms) / 1000 : 0;
    return wake->attempts >= settings->push_attempts_max ||
           (!wake->call && wake->attempts > 0 && age_s > settings->push_ttl_s);
}

/* How long it has to acknowledge yet. */
static uint64_t
delay_left_ms(const struct push *push, const struct push_wake *wake)
{
    uint64_t until_ms = push_state(wake)->due_at_ms + push->settings->push_delay_ms;
    uint64_t now_ms = wall_now_ms();
    uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    /* A wall clock that was set back makes nobody wait for longer. */
    return left_ms < push->settings->push_delay_ms ? left_ms : push->settings->push_delay_ms;
}

/* Calls stand in front, and find room where there is none for others. */
static void
ready(struct push *push, struct push_wake *wake, struct push_origin *origin)
{
    origin->waiting++;
    wake->origin = origin;
    wake->state = PUSH_READY;
    if (wake->call) {
        push_line_add_first(&push->ready, wake);
    } else {
        push_line_add(&push->ready, wake);
    }
}

void
push_unready(struct push *push, struct push_wake *wake)
{
    push_line_remove(&push->ready, wake);
    wake->origin->waiting--;
    wake->origin = NULL;
}

/* Into the line of those that are ready, unless where it goes is to be left alone. */
static void
line_up(struct push *push, struct push_wake *wake)
{
    struct push_order order = order_of(wake);
    struct url url;
    char origin_text[URL_ORIGIN_BYTES];
    int error = push_url(push->messenger->push, &order, &url);
    if (error != 0) {
        /* The operator may offer it again one day: it stays due, and a sweep finds it. */
        push_note(push, wake, PUSH_STEP_DROPPED, error);
        push_forget(push, wake);
        return;
    }
    url_origin(&url, origin_text);
    uint64_t now_ns = ln_now_ns();
    struct push_origin *origin =
        push_origin_get(&push->origins, origin_text, order.set.kind, now_ns);
    if (origin == NULL) {
        push_wait(push, wake, PUSH_WAITING, PUSH_AGAIN_MS);
    } else if (origin->resume_ns > now_ns) {
        uint64_t rest_ms = (origin->resume_ns - now_ns) / PUSH_NS_PER_MS + 1;
        push_wait(push, wake, PUSH_WAITING, rest_ms + chance() % (rest_ms / 4 + 1));
    } else if (origin->waiting >= (wake->call ? 2U : 1U) * PUSH_READY_OF_ORIGIN_MAX) {
        push_wait(push, wake, PUSH_WAITING, PUSH_LINE_MS + chance() % PUSH_LINE_MS);
    } else {
        ready(push, wake, origin);
    }
}

/* A test goes where an operator wants to see it go, at once and past all pauses. */
static void
line_up_test(struct push *push, struct push_wake *wake)
{
    struct push_order order = order_of(wake);
    struct url url;
    char origin_text[URL_ORIGIN_BYTES];
    int error = push_url(push->messenger->push, &order, &url);
    struct push_origin *origin = NULL;
    if (error == 0) {
        url_origin(&url, origin_text);
        origin = push_origin_get(&push->origins, origin_text, order.set.kind, ln_now_ns());
        error = origin != NULL ? 0 : -EAGAIN;
    }
    if (error != 0) {
        ln_reply_error(wake->caller, error);
        push_forget(push, wake);
        return;
    }
    ready(push, wake, origin);
}

/* How long the call rings yet; 0: nobody calls, or the device was woken for it. */
static uint64_t
rings_ms(const struct push *push, const struct push_wake *wake)
{
    const struct store_wake_state *state = push_state(wake);
    uint64_t now_ms = wall_now_ms();
    uint64_t left_ms = state->ring_until_ms > now_ms ? state->ring_until_ms - now_ms : 0;
    uint64_t most_ms = push->settings->limits.call_ring_ms; /* wherever the wall clock was set */
    if (state->call == 0 || state->call == wake->rung) {
        return 0;
    }
    return left_ms < most_ms ? left_ms : most_ms;
}

/* What it is woken for; another one than before has all its attempts, but a message that a call
 * came before has what it had left. */
static void
name_reason(struct push_wake *wake, bool call, uint64_t number)
{
    if (wake->number == number && wake->call == call) {
        return;
    }
    if (call && !wake->call) {
        wake->aside = wake->number;
        wake->aside_attempts = wake->attempts;
    }
    wake->attempts = !call && number == wake->aside ? wake->aside_attempts : 0;
    wake->number = number;
    wake->call = call;
}

void
push_consider(struct push *push, struct push_wake *wake)
{
    const struct store_wake_state *state = push_state(wake);
    if (wake->test) {
        line_up_test(push, wake);
        return;
    }
    if (!state->due) {
        messenger_count(&push->messenger->counters.push_suppressed);
        push_note(push, wake, PUSH_STEP_SUPPRESSED, 0);
        if (wake->again) {
            push_wait(push, wake, PUSH_WAITING, push->settings->push_delay_ms);
        } else {
            push_forget(push, wake);
        }
        return;
    }
    bool call = rings_ms(push, wake) > 0;
    name_reason(wake, call, call ? state->call : state->due_for);
    uint64_t left_ms = call && !state->online ? 0 : delay_left_ms(push, wake);
    if (left_ms > 0 && wake->attempts == 0) {
        push_wait(push, wake, PUSH_WAITING, left_ms);
    } else if (is_hopeless(push, wake)) {
        drop(push, wake, 0);
    } else {
        line_up(push, wake);
    }
}

/* ------------------------------------------------------------------------------------- couriers */

/* A courier without an order, best one whose connection leads there; PUSH_COURIERS_MAX: none. */
static unsigned
courier_idle(const struct push *push, const struct push_origin *origin)
{
    unsigned found = PUSH_COURIERS_MAX;
    for (unsigned i = 0; i < push->couriers_count; i++) {
        const struct push_courier *courier = &push->couriers[i];
        if (courier->pid == 0 || courier->busy) {
            continue;
        }
        if (courier->origin == origin) {
            return i;
        }
        found = i;
    }
    return found;
}

/* A new one. PUSH_COURIERS_MAX: there are as many as there may be, or it did not start. Yields. */
static unsigned
courier_start(struct push *push)
{
    struct courier_start start = {.messenger = push->messenger};
    char name[PUSH_NAME_BYTES];
    ln_pid pid = 0;
    unsigned place = 0;
    while (place < push->couriers_count && push->couriers[place].pid != 0) {
        place++;
    }
    if (place >= push->settings->push_connections_max) {
        return PUSH_COURIERS_MAX;
    }
    push_couriers_name(ln_scheduler(), name);
    if (ln_supervisor_start_child(ln_whereis(name), &start, sizeof start, COURIER_START_MS, &pid) !=
        0) {
        return PUSH_COURIERS_MAX;
    }
    push->couriers[place] = (struct push_courier){.pid = pid, .monitor = ln_monitor(pid)};
    if (place == push->couriers_count) {
        push->couriers_count++;
    }
    return place;
}

void
push_courier_down(struct push *push, ln_pid pid)
{
    for (unsigned i = 0; i < push->couriers_count; i++) {
        if (push->couriers[i].pid == pid) {
            push->couriers[i].pid = 0; /* a busy one's order is answered by the runtime */
        }
    }
}

/* The one that had this order has none any more. One that ended leaves its place at once, and not
 * when LN_TAG_DOWN comes, so that nothing is sent to it meanwhile. */
static void
courier_free(struct push *push, const struct push_wake *wake, bool ended)
{
    struct push_courier *courier = &push->couriers[wake->courier];
    if (courier->pid == wake->courier_pid) {
        courier->busy = false;
        courier->pid = ended ? 0 : courier->pid;
    }
}

/* -------------------------------------------------------------------------------------- sending */

static void
send(struct push *push, struct push_wake *wake, unsigned place)
{
    struct push_courier *courier = &push->couriers[place];
    struct ln_msg *request = ln_msg_new(COURIER_SEND, LN_DURABLE, sizeof(struct courier_order));
    struct courier_order *order = (struct courier_order *)(void *)request->data;
    wake->attempts++;
    order->set = push_state(wake)->set;
    order->number = wake->number;
    order->ttl_s =
        wake->call ? (uint32_t)(rings_ms(push, wake) / 1000) : push->settings->push_ttl_s;
    order->attempt = wake->attempts;
    order->call = wake->call;
    order->test = wake->test;
    if (wake->state_msg->buffer != NULL) {
        request->buffer = ln_buffer_get(wake->state_msg->buffer);
    }
    wake->state = PUSH_SENDING;
    wake->courier = place;
    wake->courier_pid = courier->pid;
    wake->origin->waiting--;
    wake->origin->busy++;
    push->clients_busy += wake->origin->kind != STORE_WAKE_WEBHOOK;
    courier->busy = true;
    courier->origin = wake->origin;
    messenger_count(&push->messenger->counters.push_attempts);
    push_note(push, wake, PUSH_STEP_SENT, 0);
    wake->ref = ln_request(courier->pid, &request);
    push_line_add(&push->busy, wake);
}

/* So many couriers may be under way to servers that clients named. A quarter is the webhook's,
 * where there is one: no client keeps the operator's server waiting. */
static unsigned
clients_most(const struct push *push)
{
    unsigned most = push->settings->push_connections_max;
    return push->messenger->push->webhook && most > 1 ? most - (most + 3) / 4 : most;
}

static bool
may_go_now(const struct push *push, const struct push_wake *wake)
{
    bool clients = wake->origin->kind != STORE_WAKE_WEBHOOK;
    return wake->test || (wake->origin->busy < push->settings->push_host_connections_max &&
                          (!clients || push->clients_busy < clients_most(push)));
}

/* The first in the line that may have a courier. */
static struct push_wake *
next_ready(const struct push *push)
{
    struct push_wake *wake = push->ready.first;
    while (wake != NULL && !may_go_now(push, wake)) {
        wake = wake->next;
    }
    return wake;
}

void
push_dispatch(struct push *push)
{
    struct push_wake *wake;
    while ((wake = next_ready(push)) != NULL) {
        unsigned place = courier_idle(push, wake->origin);
        if (place == PUSH_COURIERS_MAX) {
            place = courier_start(push);
        }
        if (place == PUSH_COURIERS_MAX) {
            return;
        }
        push_line_remove(&push->ready, wake);
        send(push, wake, place);
    }
}

/* ------------------------------------------------------------------------------------- reported */

/* The server is in trouble, or wants to be left alone: all who go there wait, not this one only. A
 * 429 by itself is for the device that it was said to, which waits anyway. */
static void
server_failed(struct push *push, struct push_origin *origin, const struct courier_report *report)
{
    const struct settings *settings = push->settings;
    bool busy = report->status == 429 || report->status >= 500;
    uint64_t now_ns = ln_now_ns();
    if (!push_is_of_server(report->status)) {
        return;
    }
    if (report->status > 0 && !busy) {
        push_origin_good(origin);
        return;
    }
    if (report->status == 429 && !push_origin_limits(origin)) {
        return;
    }
    unsigned failures = push_origin_bad(origin, now_ns);
    uint64_t pause_ms = push_pause_ms(failures, settings->push_retry_ms / 4 + 1,
                                      settings->push_retry_max_ms, chance());
    if (report->retry_after_ms > pause_ms) {
        pause_ms = report->retry_after_ms < settings->push_retry_max_ms
                       ? report->retry_after_ms
                       : settings->push_retry_max_ms;
    }
    push_origin_pause(origin, now_ns, pause_ms);
}

static void
again_later(struct push *push, struct push_wake *wake, const struct courier_report *report)
{
    const struct settings *settings = push->settings;
    if (is_hopeless(push, wake)) {
        drop(push, wake, report->status);
        return;
    }
    uint64_t pause_ms = push_pause_ms(wake->attempts, settings->push_retry_ms,
                                      settings->push_retry_max_ms, chance());
    uint64_t asked_ms = report->retry_after_ms < settings->push_retry_max_ms
                            ? report->retry_after_ms
                            : settings->push_retry_max_ms;
    messenger_count(&push->messenger->counters.push_retried);
    push_note(push, wake, PUSH_STEP_RETRIED, report->status);
    wake->rest_ns = ln_now_ns() + asked_ms * PUSH_NS_PER_MS;
    bool own_pause = pause_ms > asked_ms && !wake->urgent;
    push_wait(push, wake, PUSH_WAITING, own_pause ? pause_ms : asked_ms);
}

void
push_reported(struct push *push, struct push_wake *wake, const struct ln_msg *answer)
{
    static const struct courier_report lost = {.status = -ESRCH};
    const struct courier_report *report = &lost; /* the courier ended */
    struct push_origin *origin = wake->origin;
    if (answer->error == 0) {
        report = (const struct courier_report *)(const void *)answer->data;
    }
    courier_free(push, wake, answer->error != 0);
    origin->busy--;
    push->clients_busy -= origin->kind != STORE_WAKE_WEBHOOK;
    wake->origin = NULL;
    enum push_verdict verdict =
        push_verdict_of((enum store_wake_kind)push_state(wake)->set.kind, report->status);
    if (verdict == PUSH_ACCEPTED) {
        messenger_count(&push->messenger->counters.push_accepted);
        wake->newest = push_state(wake)->newest; /* the message that the trace is to show it of */
        push_note(push, wake, PUSH_STEP_ACCEPTED, report->status);
    }
    if (answer->error == 0) {
        server_failed(push, origin, report);
    }
    if (wake->test) {
        test_over(push, wake, answer);
        return;
    }
    switch (verdict) {
    case PUSH_ACCEPTED:
        conclude(push, wake, false);
        break;
    case PUSH_GONE:
        messenger_count(&push->messenger->counters.push_gone);
        push_note(push, wake, PUSH_STEP_GONE, report->status);
        conclude(push, wake, true);
        break;
    case PUSH_REFUSED:
        drop(push, wake, report->status);
        break;
    case PUSH_AGAIN:
        if (report->status == -EBUSY) { /* nobody was asked: no attempt */
            wake->attempts--;
            push_wait(push, wake, PUSH_WAITING, PUSH_AGAIN_MS + chance() % PUSH_AGAIN_MS);
        } else {
            again_later(push, wake, report);
        }
        break;
    }
}
