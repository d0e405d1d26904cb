/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/courier.h"

#include "actors/courier_priv.h"
#include "actors/messenger.h"
#include "actors/tag.h"
#include "runtime/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    CHUNK_BYTES = 1024,
    /* A claim is signed anew when so much of it is left: clocks differ. */
    CLAIM_LEAST_S = 60 * 60,
};

enum courier_phase {
    COURIER_IDLE,
    COURIER_HANDSHAKE, /* the request waits for it */
    COURIER_ASKING,    /* the request is sent */
};

static struct push_order
order_of(const struct courier *courier)
{
    return (struct push_order){
        .set = courier->order.set,
        .endpoint = courier->buffer != NULL ? ln_buffer_data(courier->buffer) : NULL,
        .number = courier->order.number,
        .ttl_s = courier->order.ttl_s,
        .attempt = courier->order.attempt,
        .call = courier->order.call,
        .test = courier->order.test,
    };
}

/* ------------------------------------------------------------------------------- the connection */

static void
courier_release(struct ln_resource *resource)
{
    struct courier *courier = (void *)((unsigned char *)resource - offsetof(struct courier, own));
    tls_client_free(&courier->tls);
    ln_buffer_put(&courier->buffer);
    messenger_uncount(&courier->messenger->counters.push_couriers);
}

static void
hang_up(struct courier *courier)
{
    tls_client_free(&courier->tls);
    ln_socket_close(&courier->socket, true);
    courier->origin[0] = '\0';
    courier->kept = false;
}

/* Says what has come of the order, which is over. */
static void
report(struct courier *courier, int status, const char *why)
{
    struct ln_msg *answer = ln_msg_new(COURIER_SEND, LN_REPLY, sizeof(struct courier_report));
    struct courier_report *out = (struct courier_report *)(void *)answer->data;
    int64_t wall_ms = ln_wall_ms();
    out->status = (int16_t)status;
    if (status > 0) {
        out->retry_after_ms =
            http_client_retry_after_ms(&courier->http, wall_ms > 0 ? (uint64_t)wall_ms : 0);
    }
    (void)snprintf(out->why, sizeof out->why, "%s", why);
    (void)ln_cancel_timer(courier->timer);
    courier->phase = COURIER_IDLE;
    ln_buffer_put(&courier->buffer);
    ln_reply(courier->caller, &answer);
}

static void
fail(struct courier *courier, int error, const char *why)
{
    hang_up(courier);
    report(courier, error, why);
}

/* The connection broke: on a kept one that had said nothing yet the order begins anew. */
static void
broken(struct courier *courier, int error, const char *why)
{
    bool again = courier->kept && !courier->heard;
    hang_up(courier);
    if (courier->phase == COURIER_IDLE) {
        return;
    }
    if (again) {
        struct ln_msg *anew = ln_msg_new(COURIER_BEGIN, LN_REPLY, 0);
        courier->phase = COURIER_HANDSHAKE;
        ln_send(ln_self(), &anew);
    } else {
        report(courier, error, why);
    }
}

/* -------------------------------------------------------------------------------- bytes out, in */

/* What TLS has for the server. */
static void
flush(struct courier *courier)
{
    unsigned char bytes[CHUNK_BYTES];
    size_t count;
    while ((count = tls_client_output(courier->tls, bytes, sizeof bytes)) > 0) {
        ln_socket_send(courier->socket, bytes, count);
    }
}

/* The request leaves as soon as the server may be spoken to. False: the session failed. */
static bool
say(struct courier *courier)
{
    if (courier->phase != COURIER_HANDSHAKE) {
        return true;
    }
    if (courier->tls == NULL) {
        ln_socket_send(courier->socket, courier->request, courier->request_bytes);
    } else if (!tls_client_ready(courier->tls)) {
        return true;
    } else if (tls_client_write(courier->tls, courier->request, courier->request_bytes) != 0) {
        return false;
    }
    courier->phase = COURIER_ASKING;
    return true;
}

static void
responded(struct courier *courier)
{
    int status = courier->http.status;
    if (courier->http.keeps) {
        courier->kept = true;
    } else {
        hang_up(courier);
    }
    report(courier, status, courier->http.excerpt);
}

/* The verdict on what has come of the response so far. */
static void
judge(struct courier *courier, enum http_client_verdict verdict)
{
    switch (verdict) {
    case HTTP_CLIENT_MORE:
        break;
    case HTTP_CLIENT_DONE:
        responded(courier);
        break;
    case HTTP_CLIENT_MALFORMED:
        fail(courier, -EBADMSG, "the response is no HTTP/1.1");
        break;
    case HTTP_CLIENT_TOO_LARGE:
        fail(courier, -EMSGSIZE, "the response is too large");
        break;
    case HTTP_CLIENT_CUT:
        broken(courier, -ECONNRESET, "the response was cut off");
        break;
    }
}

/* Text of the server. */
static void
hear(struct courier *courier, const void *bytes, size_t count)
{
    if (courier->phase != COURIER_ASKING) { /* nobody has asked */
        broken(courier, -EPROTO, "the server spoke first");
        return;
    }
    courier->heard = true;
    judge(courier, http_client_input(&courier->http, bytes, count));
}

static void
hear_tls(struct courier *courier, const void *bytes, size_t count)
{
    unsigned char text[CHUNK_BYTES];
    ssize_t got = tls_client_input(courier->tls, bytes, count);
    bool said = got == 0 && say(courier);
    flush(courier);
    while (said && courier->tls != NULL &&
           (got = tls_client_read(courier->tls, text, sizeof text)) > 0) {
        hear(courier, text, (size_t)got);
    }
    if (courier->tls == NULL) {
        return;
    }
    if (got == -EPIPE) {
        if (courier->phase == COURIER_ASKING) {
            judge(courier, http_client_end(&courier->http));
        } else {
            broken(courier, -ECONNRESET, "the server hung up");
        }
    } else if (got < 0 || !said) {
        broken(courier, -EPROTO, tls_client_fault(courier->tls));
    }
}

static void
data(struct courier *courier, const struct ln_socket_event *event)
{
    if (event->socket != courier->socket) {
        return;
    }
    if (courier->tls != NULL) {
        hear_tls(courier, event->data, event->bytes);
    } else {
        hear(courier, event->data, event->bytes);
    }
}

/* Without TLS the stream's end may be the body's; with TLS only the server's word ends it, else
 * whoever cuts the stream could end it. */
static void
closed(struct courier *courier, const struct ln_socket_event *event)
{
    if (event->socket != courier->socket) {
        return;
    }
    if (event->error == 0 && courier->tls == NULL && courier->phase == COURIER_ASKING) {
        judge(courier, http_client_end(&courier->http));
    } else {
        broken(courier, event->error != 0 ? event->error : -ECONNRESET, "the server hung up");
    }
}

/* ---------------------------------------------------------------------------------------- order */

/* One authorization serves for all pushes to a server until it grows old: what it costs to check is
 * the server's. */
static int
authorize(struct courier *courier, const struct url *url, uint64_t now_s)
{
    char origin[URL_ORIGIN_BYTES];
    url_origin(url, origin);
    if (strcmp(courier->claimed_for, origin) == 0 &&
        courier->claimed_until_s > now_s + CLAIM_LEAST_S) {
        return 0;
    }
    struct webpush_claim claim = {
        .origin = origin,
        .subject = courier->office->settings->push_subject,
        .expires_s = now_s + PUSH_CLAIM_S,
    };
    courier->claimed_for[0] = '\0';
    int error = webpush_authorize(courier->office->vapid, &claim, courier->authorization,
                                  sizeof courier->authorization);
    if (error == 0) {
        courier->claimed_until_s = claim.expires_s;
        memcpy(courier->claimed_for, origin, sizeof origin);
    }
    return error;
}

static int
write_request(struct courier *courier, const struct url *url)
{
    struct push_order order = order_of(courier);
    int64_t wall_ms = ln_wall_ms();
    struct push_draw draw = {.wall_ms = wall_ms > 0 ? (uint64_t)wall_ms : 0,
                             .authorization = courier->authorization};
    if (order.set.kind == STORE_WAKE_WEBPUSH) {
        int error = authorize(courier, url, draw.wall_ms / 1000);
        if (error != 0) {
            return error;
        }
        ln_random(&draw.secrets, sizeof draw.secrets);
    }
    return push_request_write(courier->office, &order, &draw, &courier->scratch, courier->request,
                              sizeof courier->request, &courier->request_bytes);
}

/* Whether the connection that is there leads there. One to the operator's server is for the
 * webhook's orders alone, as an endpoint of the same origin has passed no may_go yet. */
static bool
leads_to(const struct courier *courier, const struct url *url)
{
    char origin[URL_ORIGIN_BYTES];
    url_origin(url, origin);
    return courier->kind == courier->order.set.kind && strcmp(courier->origin, origin) == 0;
}

/* Over the connection that is there, if it leads there. */
static void
begin(struct courier *courier)
{
    struct push_order order = order_of(courier);
    struct url url;
    const char *why = "the subscription can't be pushed to";
    int error = push_url(courier->office, &order, &url);
    if (error == 0) {
        error = write_request(courier, &url);
    }
    if (error != 0) {
        report(courier, error, why);
        return;
    }
    if (courier->socket != NULL && !leads_to(courier, &url)) {
        hang_up(courier);
    }
    courier->phase = COURIER_HANDSHAKE;
    courier->heard = false;
    http_client_begin(&courier->http);
    if (courier->socket == NULL) {
        error = courier_connect(courier, &url, &why);
    }
    if (error != 0) {
        fail(courier, error, why);
        return;
    }
    bool said = say(courier);
    if (courier->tls != NULL) {
        flush(courier);
    }
    if (!said) {
        broken(courier, -EPROTO, tls_client_fault(courier->tls));
    }
}

static void
take_order(struct courier *courier, struct ln_msg *msg)
{
    uint64_t timeout_ms = courier->office->settings->push_timeout_ms;
    struct ln_msg *timeout = ln_msg_new(COURIER_TIMEOUT, LN_REPLY, 0);
    ln_actor_check(courier->phase == COURIER_IDLE);
    memcpy(&courier->order, msg->data, sizeof courier->order);
    courier->caller = ln_caller(msg);
    courier->buffer = msg->buffer;
    msg->buffer = NULL;
    courier->deadline_ns = ln_now_ns() + timeout_ms * UINT64_C(1000000);
    courier->timer = ln_send_after(timeout_ms, ln_self(), &timeout);
    begin(courier);
}

/* ---------------------------------------------------------------------------------------- actor */

static int
courier_init(void *state, const void *argument)
{
    struct courier *courier = state;
    courier->messenger = ((const struct courier_start *)argument)->messenger;
    courier->office = courier->messenger->push;
    ln_own(&courier->own, courier_release);
    messenger_count(&courier->messenger->counters.push_couriers);
    ln_idle_after(COURIER_IDLE_MS);
    return 0;
}

static void
courier_handle(void *state, struct ln_msg **msg)
{
    struct courier *courier = state;
    switch ((*msg)->tag) {
    case COURIER_SEND:
        take_order(courier, *msg);
        break;
    case LN_TAG_DATA:
        data(courier, ln_socket_event(*msg));
        break;
    case LN_TAG_CLOSED:
        closed(courier, ln_socket_event(*msg));
        break;
    case COURIER_BEGIN:
        if (courier->phase != COURIER_IDLE && courier->socket == NULL) {
            begin(courier);
        }
        break;
    case COURIER_TIMEOUT:
        if (courier->phase != COURIER_IDLE && courier->deadline_ns <= ln_now_ns()) {
            fail(courier, -ETIMEDOUT, "the server did not answer in time");
        }
        break;
    case LN_TAG_TIMEOUT:
        if (courier->phase == COURIER_IDLE) {
            ln_stop(LN_EXIT_NORMAL, "nothing to carry");
        }
        break;
    default:
        break;
    }
    ln_idle_after(COURIER_IDLE_MS);
}

static void
courier_print(const void *state, struct ln_text *out)
{
    static const char *const phases[] = {"idle", "in a handshake", "waiting for a response"};
    const struct courier *courier = state;
    ln_text_print(out, "%s, %s", phases[courier->phase],
                  courier->origin[0] != '\0' ? courier->origin : "not connected");
}

const struct ln_behaviour courier_behaviour = {
    .name = "courier",
    .tag_name = messenger_tag_name,
    .state_bytes = sizeof(struct courier),
    .init = courier_init,
    .handle = courier_handle,
    .print = courier_print,
};
