/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/idle.h"

#include "bench/chance.h"
#include "bench/phone.h"

#include <string.h>

enum { ENDS = 2, MS_PER_S = 1000, RESEND_MS_MIN = 10, BEAT_SLACK_MS = 63 };

struct idle {
    struct phone phones[ENDS];
    uint8_t ends;
    /* What each end has been told, a bit each: */
    uint8_t welcomed, answered, shown;
    uint8_t beat_end; /* whose heartbeat is next */
    bool ready, greeted, beats;
};

static struct crowd *
crowd_of(const struct idle *idle)
{
    return idle->phones[0].crowd;
}

/* ------------------------------------------------------------------------------------- greeting */

static void
greet(struct idle *idle, uint32_t end)
{
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat.user_id = idle->phones[1 - end].client.user_id;
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = &chat;
    message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
    message.text = (char[]){"hello"};
    uint64_t number = 0;
    int error = client_send(&idle->phones[end].client, &message, 0, &number);
    if (error < 0) {
        crowd_fail(crowd_of(idle), "%s can't write: %s", idle->phones[end].user->name,
                   strerrordesc_np(-error));
    }
}

static uint8_t
all_ends(const struct idle *idle)
{
    return (uint8_t)((1u << idle->ends) - 1);
}

/* Tells when they have done so; one who is alone has nobody to greet. */
static void
greeted_tell(struct idle *idle)
{
    uint8_t all = all_ends(idle);
    bool done = idle->ends < ENDS || (idle->answered == all && idle->shown == all);
    if (!idle->greeted && done) {
        idle->greeted = true;
        crowd_tell(crowd_of(idle), CROWD_QUIET);
    }
}

static void
greet_each_other(struct idle *idle)
{
    for (uint32_t i = 0; i < idle->ends && idle->ends == ENDS; i++) {
        greet(idle, i);
        phone_flush(&idle->phones[i]);
    }
    greeted_tell(idle);
}

/* ----------------------------------------------------------------------------------- heartbeats */

static void
beat_after(uint64_t delay_ms)
{
    struct ln_msg *msg = ln_msg_new(CROWD_BEAT, LN_REPLY, 0);
    (void)ln_send_after_slack(delay_ms, BEAT_SLACK_MS, ln_self(), &msg);
}

static uint64_t
beat_ms(const struct idle *idle)
{
    return (uint64_t)crowd_of(idle)->options->heartbeat_s * MS_PER_S / idle->ends;
}

/* The ends take turns, so that one timer is enough for both. */
static void
beat(struct idle *idle)
{
    struct phone *phone = &idle->phones[idle->beat_end];
    idle->beat_end = (uint8_t)((idle->beat_end + 1) % idle->ends);
    bool one_way = phone->crowd->options->one_way;
    /* -ENOTCONN: it is being called again. */
    int error = one_way ? client_beat(&phone->client) : client_ping(&phone->client, crowd_now_ns());
    if (error == 0) {
        tally_add(&phone->crowd->tally, TALLY_BEATS, 1);
        phone_flush(phone);
    }
    beat_after(beat_ms(idle));
}

/* All are there, and the silence begins; not again when pairs write beside them. */
static void
beats_begin(struct idle *idle)
{
    struct crowd *crowd = crowd_of(idle);
    if (!idle->beats && crowd->options->heartbeat_s > 0) {
        idle->beats = true;
        beat_after(chance_below(&crowd->chance, beat_ms(idle)) + 1);
    }
}

static void
welcomed(struct idle *idle, uint32_t end)
{
    idle->welcomed = (uint8_t)(idle->welcomed | 1u << end);
    if (!idle->ready && idle->welcomed == all_ends(idle)) {
        idle->ready = true;
        crowd_tell(crowd_of(idle), CROWD_READY);
    }
}

/* --------------------------------------------------------------------------------------- events */

static void
refused(struct phone *phone, const struct client_event *event)
{
    if (event->number == 0 || event->final) {
        crowd_fail(phone->crowd, "%s was refused: %s", phone->user->name, event->error->text);
        return;
    }
    uint64_t after_ms = event->error->retry_after_ms;
    struct ln_msg *msg = ln_msg_new(CROWD_RESEND, LN_REPLY, sizeof(struct crowd_resend));
    *(struct crowd_resend *)(void *)msg->data = (struct crowd_resend){event->number, phone->end};
    tally_add(&phone->crowd->tally, TALLY_PUT_OFF, 1);
    (void)ln_send_after(after_ms > RESEND_MS_MIN ? after_ms : RESEND_MS_MIN, ln_self(), &msg);
}

static void
happened(struct idle *idle, uint32_t end, const struct client_event *event)
{
    struct phone *phone = &idle->phones[end];
    int error = 0;
    switch (event->kind) {
    case CLIENT_WELCOME:
        welcomed(idle, end);
        break;
    case CLIENT_MESSAGE:
    case CLIENT_DUPLICATE:
        idle->shown = (uint8_t)(idle->shown | 1u << end);
        error = client_ack(&phone->client, event->message->inbox_number);
        break;
    case CLIENT_CHANGED:
        error = client_ack(&phone->client, event->changed->inbox_number);
        break;
    case CLIENT_RECEIPTS:
        error = client_ack(&phone->client, event->receipts->inbox_number);
        break;
    case CLIENT_RESYNC:
        error = client_ack(&phone->client, event->resync->inbox_number);
        break;
    case CLIENT_SENT:
        idle->answered = (uint8_t)(idle->answered | 1u << end);
        break;
    case CLIENT_REFUSED:
        refused(phone, event);
        break;
    case CLIENT_CLOSED:
        if (phone_may_return(phone, event)) {
            phone_cut(phone);
        }
        break;
    case CLIENT_PONG:
        tally_delay(&phone->crowd->tally, TALLY_BEAT, event->ref, crowd_now_ns());
        break;
    case CLIENT_DONE:
    case CLIENT_UPDATE:
    case CLIENT_GROUP_RECEIPTS:
    case CLIENT_GAP:
    case CLIENT_ANSWERED:
        break;
    }
    ASSERT(error == 0);
}

static void
received(struct idle *idle, uint32_t end, const struct ln_socket_event *data)
{
    struct phone *phone = &idle->phones[end];
    struct client_input input = {data->data, data->bytes};
    struct client_event event;
    while (phone->socket == data->socket && phone_next(phone, &input, &event)) {
        happened(idle, end, &event);
    }
    phone_flush(phone);
    if (!idle->greeted && idle->answered == all_ends(idle)) {
        greeted_tell(idle);
    }
}

static void
socket_event(struct idle *idle, struct ln_msg *msg)
{
    const struct ln_socket_event *event = ln_socket_event(msg);
    for (uint32_t end = 0; end < idle->ends; end++) {
        if (idle->phones[end].socket != event->socket) {
            continue;
        }
        if (msg->tag == LN_TAG_DATA) {
            received(idle, end, event);
        } else if (msg->tag == LN_TAG_CLOSED) {
            phone_cut(&idle->phones[end]);
        }
        return;
    }
}

/* ------------------------------------------------------------------------------------ behaviour */

static int
idle_init(void *state, const void *argument)
{
    struct idle *idle = state;
    const struct crowd_place *place = argument;
    uint32_t first = ENDS * place->index;
    uint32_t left = place->crowd->users->count - first;
    idle->ends = (uint8_t)(left < ENDS ? left : ENDS);
    for (uint32_t end = 0; end < idle->ends; end++) {
        phone_init(&idle->phones[end], place->crowd, first + end, end);
        crowd_call_after(0, end);
    }
    return 0;
}

static void
finish(struct idle *idle)
{
    for (uint32_t end = 0; end < idle->ends; end++) {
        phone_close(&idle->phones[end]);
    }
    ln_stop(LN_EXIT_NORMAL, "finished");
}

static void
idle_handle(void *state, struct ln_msg **msg)
{
    struct idle *idle = state;
    const void *data = (*msg)->data;
    switch ((*msg)->tag) {
    case CROWD_CALL:
        phone_call(&idle->phones[((const struct crowd_call *)data)->end]);
        break;
    case CROWD_RESEND: {
        const struct crowd_resend *again = data;
        struct phone *phone = &idle->phones[again->end];
        /* -ENOENT: a new connection has sent it meanwhile. */
        (void)!client_resend(&phone->client, again->number);
        phone_flush(phone);
        break;
    }
    case CROWD_BEAT:
        beat(idle);
        break;
    case CROWD_GREET:
        greet_each_other(idle);
        break;
    case CROWD_GO:
        crowd_go(crowd_of(idle), *msg);
        beats_begin(idle);
        break;
    case CROWD_STOP:
        crowd_tell(crowd_of(idle), CROWD_QUIET);
        break;
    case CROWD_FINISH:
    case CROWD_ABANDON:
        finish(idle);
        break;
    default:
        socket_event(idle, *msg);
        break;
    }
}

static void
idle_terminate(void *state, const struct ln_reason *reason)
{
    struct idle *idle = state;
    (void)reason;
    for (uint32_t end = 0; end < idle->ends; end++) {
        phone_fini(&idle->phones[end]);
    }
}

const struct ln_behaviour idle_behaviour = {
    .name = "idle",
    .state_bytes = sizeof(struct idle),
    .init = idle_init,
    .handle = idle_handle,
    .terminate = idle_terminate,
};
