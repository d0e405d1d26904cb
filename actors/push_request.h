/* SPDX-License-Identifier: Apache-2.0 */
/* push_request.h - a push as the bytes of an HTTP request. Wake-only: it says that something waits,
 * and nothing of what.
 *
 *     struct push_order order = {...};
 *     error = push_url(office, &order, &url);
 *     error = push_request_write(office, &order, &draw, out, sizeof out, &count);
 *
 * Needs a stack for library code. Borrows all it is given.
 */
#pragma once

#include "actors/push_office.h"
#include "net/webpush.h"
#include "store/wake.h"

enum {
    PUSH_REQUEST_BYTES_MAX = 8192,
    /* An authorization is good for so long. */
    PUSH_CLAIM_S = 12 * 60 * 60,
    PUSH_FIELDS_BYTES = 1536,
    PUSH_TEXT_BYTES_MAX = 64 + (STORE_WAKE_APP_BYTES_MAX + 2) / 3 * 4,
};

struct push_order {
    struct store_wake_set set;
    const unsigned char *endpoint; /* set.endpoint_bytes of them, then the client's own */
    uint64_t number;               /* of the inbox entry that it is woken for */
    uint32_t ttl_s;                /* to be kept so long where it can't be delivered at once */
    uint16_t attempt;              /* 1, 2 ... */
    bool call;                     /* it rings */
    bool test;
};

/* What is drawn and read off the clock for one request. */
struct push_draw {
    struct webpush_secrets secrets;
    uint64_t wall_ms;
    const char *authorization; /* for Web Push: webpush_authorize's */
};

/* Room to write one in: too much for an actor's stack. */
struct push_scratch {
    unsigned char body[WEBPUSH_BODY_BYTES_MAX];
    char text[PUSH_TEXT_BYTES_MAX];
    char fields[PUSH_FIELDS_BYTES];
};

/* Where it goes; it points into the order or the settings. 0; -EINVAL; -EOPNOTSUPP: this node does
 * not push so. */
MUST_CHECK int push_url(const struct push_office *office, const struct push_order *order,
                        struct url *out);

/* 0; -EINVAL: keys that are none; -ENOBUFS; -ENOMEM. */
MUST_CHECK int push_request_write(const struct push_office *office, const struct push_order *order,
                                  const struct push_draw *draw, struct push_scratch *scratch,
                                  char *out, size_t out_max, size_t *out_count);
