/* SPDX-License-Identifier: Apache-2.0 */
/* p256.h - keys on the curve P-256: agreeing on a secret (ECDH), signing (ES256).
 *
 *     error = p256_open(scalar, &key);
 *     p256_public(key, public);                          65 bytes, uncompressed
 *     error = p256_agree(key, peer_public, secret);
 *     error = p256_sign(key, text, text_bytes, signature);
 *     p256_close(&key);
 *
 * A private key is 32 bytes that the caller drew, so that chance stays where it belongs; only what
 * a signature draws for itself is libcrypto's. All of it is libcrypto's work and needs a stack for
 * library code (docs/runtime.md); about 50 to 100 us each.
 *
 * FIPS 186-4 for the curve, RFC 7518, 3.4 for the form of signatures.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    P256_SCALAR_BYTES = 32,
    P256_PUBLIC_BYTES = 65, /* 4, x, y */
    P256_SECRET_BYTES = 32, /* the point's x */
    P256_SIGNATURE_BYTES = 64,
};

struct p256_key;

/* A key of the caller's to close. 0; -EINVAL: the number is 0, or not below the curve's order;
 * -ENOMEM. */
MUST_CHECK int p256_open(const unsigned char scalar[P256_SCALAR_BYTES], struct p256_key **out);
/* Frees and nulls it; NULL inside is allowed. */
void p256_close(struct p256_key **key);

/* The public half. */
void p256_public(const struct p256_key *key, unsigned char out[P256_PUBLIC_BYTES]);

/* The secret that the key shares with whoever has the private half of `peer`. 0; -EINVAL: `peer` is
 * no point of the curve; -ENOMEM. */
MUST_CHECK int p256_agree(const struct p256_key *key, const unsigned char peer[P256_PUBLIC_BYTES],
                          unsigned char out[P256_SECRET_BYTES]);

/* Whether these bytes are a public key. */
MUST_CHECK bool p256_public_valid(const unsigned char public_key[P256_PUBLIC_BYTES]);

/* ES256: r and s behind each other, big-endian. 0 or -ENOMEM. Any number of threads may sign with
 * one key at once. */
MUST_CHECK int p256_sign(const struct p256_key *key, const void *bytes, size_t count,
                         unsigned char out[P256_SIGNATURE_BYTES]);
