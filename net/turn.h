/* SPDX-License-Identifier: Apache-2.0 */
/* turn.h - credentials for a TURN server that are good for a while, in the way that coturn calls
 * its REST API (draft-uberti-behave-turn-rest): the server knows the secret and nothing of users.
 *
 *     username = seconds since 1970 at which it ends ":" user
 *     password = base64(HMAC-SHA1(secret, username))
 *
 * Through OpenSSL. Plain values; any thread, never yields.
 */
#pragma once

#include "runtime/check.h"

#include <stddef.h>
#include <stdint.h>

enum {
    TURN_USERNAME_BYTES = 20 + 1 + 20 + 1,
    TURN_PASSWORD_BYTES = 28 + 1, /* base64 of SHA-1's 20 bytes */
};

struct turn_credentials {
    char username[TURN_USERNAME_BYTES];
    char password[TURN_PASSWORD_BYTES];
};

/* 0, or -ENOSYS: OpenSSL was built without SHA-1. */
MUST_CHECK int turn_credentials_make(const void *secret, size_t bytes, uint64_t ends_at_s,
                                     uint64_t user, struct turn_credentials *out);
