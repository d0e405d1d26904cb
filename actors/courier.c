/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/courier.h"

#include "actors/messenger.h"
#include "actors/tag.h"
#include "net/http_client.h"
#include "runtime/socket.h"
#include "runtime/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    CHUNK_BYTES = 1024,
    /* A claim is signed anew when so much of it is left: clocks differ. */
    CLAIM_LEAST_S = 60 * 60,
    /* Until it is tried again whether a name may be looked up. */
    PLACE_WAIT_MS = 50,
    /* What was found is used for so long, so that a server that many are woken by needs no
     * place. */
    LOOKED_UP_S = 60,
};

enum courier_phase {
    COURIER_IDLE,
    COURIER_HANDSHAKE, /* the request waits for it */
    COURIER_ASKING,    /* the request is sent */
};

/* A name, as a worker looks it up. */
struct look_up {
    struct io_driver *driver;
    _Atomic uint64_t *place; /* messenger.h; NULL: it has none */
    char host[URL_HOST_BYTES_MAX + 1];
    uint16_t port;
    int error;
    unsigned count;
    struct io_address addresses[IO_RESOLVE_MAX];
};

struct courier {
    struct ln_resource own; /* the session, the order's buffer, the count */
    struct messenger *messenger;
    const struct push_office *office;
    struct ln_socket *socket;      /* NULL: no connection */
    struct tls_client *tls;        /* NULL: none, or plain http */
    char origin[URL_ORIGIN_BYTES]; /* of the connection */
    uint8_t kind;                  /* enum store_wake_kind: whose orders may take it */
    uint8_t phase;
    bool kept;  /* the connection has carried a request before this one */
    bool heard; /* something of the response has come */
    struct ln_caller caller;
    struct courier_order order;
    struct ln_buffer *buffer; /* the order's */
    uint64_t timer;
    uint64_t deadline_ns;
    uint64_t claimed_until_s; /* of the authorization, which is for claimed_for */
    char claimed_for[URL_ORIGIN_BYTES];
    char authorization[WEBPUSH_AUTHORIZATION_BYTES_MAX];
    struct look_up look;
    uint64_t looked_until_ns; /* its addresses are good */
    size_t request_bytes;
    struct push_scratch scratch;
    char request[PUSH_REQUEST_BYTES_MAX];
    struct http_client http;
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

/* ----------------------------------------------------------------------------------- connecting */

static void
look_up_run(void *argument)
{
    struct look_up *look = argument;
    look->error = io_resolve(look->driver, look->host, look->port, look->addresses, &look->count);
}

/* Its place is free again: not when nobody waits for it any more, but when no worker has to do with
 * it. */
static void
look_up_over(void *argument)
{
    const struct look_up *look = argument;
    if (look->place != NULL) {
        atomic_store_explicit(look->place, 0, memory_order_relaxed);
    }
}

static const struct ln_job look_up_job = {.run = look_up_run, .release = look_up_over};

static uint64_t
left_ms(const struct courier *courier)
{
    uint64_t now_ns = ln_now_ns();
    return courier->deadline_ns > now_ns ? (courier->deadline_ns - now_ns) / 1000000 : 0;
}

/* Workers look up names as long as whoever answers for them takes, seconds if he likes, and have
 * everything else to do beside: so of names that clients gave fewer are under way than there are
 * workers, and one of a user's. What the operator gave needs no place. 0, or -EBUSY. */
static int
find_place(struct courier *courier)
{
    struct messenger *messenger = courier->messenger;
    uint64_t user = courier->order.set.user;
    if (courier->order.set.kind == STORE_WAKE_WEBHOOK) {
        return 0;
    }
    for (unsigned i = 0; i < messenger->look_ups_max; i++) {
        if (atomic_load_explicit(&messenger->look_ups[i], memory_order_relaxed) == user) {
            return -EBUSY;
        }
    }
    for (unsigned i = 0; i < messenger->look_ups_max; i++) {
        uint64_t nobody = 0;
        if (atomic_compare_exchange_strong(&messenger->look_ups[i], &nobody, user)) {
            courier->look.place = &messenger->look_ups[i];
            return 0;
        }
    }
    return -EBUSY;
}

/* Whose turn it is not waits where all do who wait, not in a courier; only the operator's test
 * waits here, for half its time. 0, -EBUSY, or -ECANCELED. Yields. */
static int
take_place(struct courier *courier)
{
    int error;
    while ((error = find_place(courier)) == -EBUSY && courier->order.test &&
           left_ms(courier) > courier->office->settings->push_timeout_ms / 2) {
        if (ln_sleep(PLACE_WAIT_MS) != 0) {
            return -ECANCELED;
        }
    }
    return error;
}

/* The host's addresses, into courier->look. 0 or a negative errno. Yields. */
static int
look_up(struct courier *courier, const struct url *url)
{
    struct look_up *look = &courier->look;
    uint64_t now_ns = ln_now_ns();
    if (now_ns < courier->looked_until_ns && look->port == url->port &&
        strlen(look->host) == url->host.count &&
        memcmp(look->host, url->host.bytes, url->host.count) == 0) {
        return 0;
    }
    courier->looked_until_ns = 0;
    *look = (struct look_up){.driver = courier->messenger->driver, .port = url->port};
    memcpy(look->host, url->host.bytes, url->host.count);
    int error = take_place(courier);
    if (error == 0) {
        error = ln_work_for(&look_up_job, look, sizeof *look, left_ms(courier));
    }
    if (error != 0) {
        return error;
    }
    look_up_over(look); /* whom nobody waits for is released by the runtime */
    if (look->error != 0) {
        return look->error == -EAGAIN ? -EHOSTUNREACH : look->error;
    }
    courier->looked_until_ns = now_ns + LOOKED_UP_S * UINT64_C(1000000000);
    return 0;
}

/* Whether a client may send us there. The operator may go where he likes. */
static bool
may_go(const struct courier *courier, const struct io_address *address)
{
    return courier->order.set.kind == STORE_WAKE_WEBHOOK ||
           courier->office->settings->push_private_endpoints || io_address_is_public(address);
}

/* To the first of the host's addresses that answers. 0 or a negative errno. Yields. */
static int
dial(struct courier *courier, const struct url *url)
{
    const struct look_up *look = &courier->look;
    int error = look_up(courier, url);
    if (error != 0) {
        return error;
    }
    error = -EACCES;
    for (unsigned i = 0; i < look->count; i++) {
        if (!may_go(courier, &look->addresses[i])) {
            continue;
        }
        /* One that is silent leaves time to the others. */
        uint64_t share_ms = left_ms(courier) / (look->count - i);
        error = ln_socket_connect(&look->addresses[i], share_ms, &courier->socket);
        if (error == 0 || error == -ECANCELED) {
            break;
        }
    }
    if (error != 0) {
        courier->looked_until_ns = 0; /* it may have moved */
    }
    return error;
}

static const char *
dial_fault(int error)
{
    switch (error) {
    case -ENOENT:
        return "there is no such host";
    case -EACCES:
        return "the host is not in the public network (push_private_endpoints)";
    case -EHOSTUNREACH:
        return "the host's name could not be looked up";
    case -EBUSY:
        return "too many names are being looked up";
    default:
        return strerrordesc_np(-error);
    }
}

/* 0, or a negative errno with why. */
static int
connect_to(struct courier *courier, const struct url *url, const char **out_why)
{
    char host[URL_HOST_BYTES_MAX + 1] = "";
    int error = dial(courier, url);
    if (error != 0) {
        *out_why = dial_fault(error);
        return error;
    }
    url_origin(url, courier->origin);
    courier->kind = courier->order.set.kind;
    if (url->tls) {
        memcpy(host, url->host.bytes, url->host.count);
        error = tls_client_new(courier->office->trust, host, &courier->tls);
        *out_why = "libssl makes no connection";
    }
    return error;
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
        error = connect_to(courier, &url, &why);
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
