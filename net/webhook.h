/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.h - what the operator's own server is sent to wake a device: JSON, and a signature that
 * shows who wrote it and when. docs/operations.md has the contract.
 *
 *     error = webhook_write(&wake, body, sizeof body, &count);
 *     error = webhook_sign(secret, secret_bytes, now_s, body, count, value, sizeof value);
 *
 * Plain functions on plain bytes; any thread with a stack for library code.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEBHOOK_SECRET_BYTES_MAX = 256,
    WEBHOOK_SIGNATURE_BYTES = 96, /* "t=1780000000,v1=" and 64 digits, terminated */
    WEBHOOK_KEY_BYTES = 64,       /* user, device, number and reason, terminated */
};

struct webhook_wake {
    uint64_t user;
    uint64_t number; /* of the inbox entry that it is woken for: a retry has the same */
    uint64_t time_ms;
    uint16_t device;
    uint16_t attempt; /* 1, 2 ... */
    bool call;        /* it is called; else a message waits, or a call that it has missed */
    bool test;        /* asked for by an operator */
    uint32_t ttl_s;   /* to be kept so long where it can't be delivered at once */
    const void *app;  /* what the client gave for its own use */
    size_t app_bytes;
};

/* The body. 0 or -ENOBUFS. */
MUST_CHECK int webhook_write(const struct webhook_wake *wake, char *out, size_t out_max,
                             size_t *out_count);

/* What tells that two requests are one: equal for all attempts of a wake. Terminated. */
void webhook_key(const struct webhook_wake *wake, char out[WEBHOOK_KEY_BYTES]);

/* The value of Linnet-Signature: HMAC-SHA256 over the seconds, a dot, and the body; terminated.
 * 0 or -ENOMEM. */
MUST_CHECK int webhook_sign(const void *secret, size_t secret_bytes, uint64_t now_s,
                            const void *body, size_t body_bytes, char out[WEBHOOK_SIGNATURE_BYTES]);
