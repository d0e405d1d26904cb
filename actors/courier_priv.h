/* SPDX-License-Identifier: Apache-2.0 */
/* courier_priv.h - a courier as its files see it:
 *
 *     courier.c          its life: an order, the request, the response, a report
 *     courier_connect.c  to whom it speaks: names looked up, connections made
 */
#pragma once

#include "actors/courier.h"
#include "net/http_client.h"
#include "net/url.h"
#include "runtime/socket.h"

/* A name, as a worker looks it up. */
struct courier_look_up {
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
    struct courier_look_up look;
    uint64_t looked_until_ns; /* its addresses are good */
    size_t request_bytes;
    struct push_scratch scratch;
    char request[PUSH_REQUEST_BYTES_MAX];
    struct http_client http;
};

/* courier_connect.c */
/* Leaves courier->socket connected to the URL's host, with a session where it is https. 0, or a
 * negative errno with why; half of it may be there then. Yields. */
int courier_connect(struct courier *courier, const struct url *url, const char **out_why);
