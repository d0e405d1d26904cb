/* SPDX-License-Identifier: Apache-2.0 */
/* webpush.h - what a push service is sent: a message that only the subscription's browser or app
 * can read (RFC 8291 over RFC 8188's aes128gcm), and who it is from (RFC 8292, VAPID).
 *
 *     struct webpush_secrets secrets;                  drawn anew for each message
 *     error = webpush_encrypt(&keys, &secrets, text, bytes, body, sizeof body, &body_bytes);
 *     error = webpush_authorize(key, &claim, value, sizeof value);       "vapid t=..., k=..."
 *
 * A message is one record. Chance and time are the caller's. Plain functions on plain bytes; as
 * p256.h they need a stack for library code.
 */
#pragma once

#include "net/p256.h"

#include <stdint.h>

enum {
    WEBPUSH_AUTH_BYTES = 16,
    WEBPUSH_SALT_BYTES = 16,
    /* Salt, the record's size, the length of the key, the key: RFC 8188, 2.1. */
    WEBPUSH_HEAD_BYTES = WEBPUSH_SALT_BYTES + 4 + 1 + P256_PUBLIC_BYTES,
    /* What follows the text: the delimiter and the tag. */
    WEBPUSH_TAIL_BYTES = 1 + 16,
    /* RFC 8030, 7.2: a push service takes bodies up to here, whichever it is. */
    WEBPUSH_BODY_BYTES_MAX = 4096,
    WEBPUSH_TEXT_BYTES_MAX = WEBPUSH_BODY_BYTES_MAX - WEBPUSH_HEAD_BYTES - WEBPUSH_TAIL_BYTES,
    WEBPUSH_SUBJECT_BYTES_MAX = 128,
    WEBPUSH_ORIGIN_BYTES_MAX = 288,
    /* Of the value of Authorization: base64 of everything in it, and what is between. */
    WEBPUSH_AUTHORIZATION_BYTES_MAX = 1024,
    /* RFC 8292, 2: a claim is good for a day at most. */
    WEBPUSH_CLAIM_S_MAX = 24 * 60 * 60,
};

/* The subscription's: PushSubscription.getKey("p256dh") and ("auth"). */
struct webpush_keys {
    unsigned char p256dh[P256_PUBLIC_BYTES];
    unsigned char auth[WEBPUSH_AUTH_BYTES];
};

/* Never used twice. */
struct webpush_secrets {
    unsigned char salt[WEBPUSH_SALT_BYTES];
    unsigned char scalar[P256_SCALAR_BYTES];
};

/* The body to be sent with Content-Encoding: aes128gcm. 0; -EINVAL: the keys are no keys, or the
 * scalar is none (draw again: it happens once in 2^32 draws); -EMSGSIZE: the text is too long;
 * -ENOBUFS: `out` is too small; -ENOMEM. */
MUST_CHECK int webpush_encrypt(const struct webpush_keys *keys,
                               const struct webpush_secrets *secrets, const void *text,
                               size_t text_bytes, unsigned char *out, size_t out_max,
                               size_t *out_bytes);

struct webpush_claim {
    const char *origin;  /* of the endpoint: "https://push.example.net" */
    const char *subject; /* whom a push service may write to: "mailto:..." or "https:..." */
    uint64_t expires_s;  /* since 1970 */
};

/* The value of the Authorization field, terminated. 0; -EINVAL: origin or subject have characters
 * that JSON would have to escape; -ENOBUFS; -ENOMEM. */
MUST_CHECK int webpush_authorize(const struct p256_key *key, const struct webpush_claim *claim,
                                 char *out, size_t out_max);
