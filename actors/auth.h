/* SPDX-License-Identifier: Apache-2.0 */
/* auth.h - passwords and device tokens; with message_handle.h the home of libsodium above
 * runtime/io.
 *
 * A token says who its device claims to be and carries a secret; the node keeps only the secret's
 * BLAKE2b hash:
 *
 *     token = base64url(version 1 byte | user 8 | device 2 | secret 24), little-endian, no padding
 *
 * A password is kept as libsodium's Argon2id string. Hashing and verifying take tens of
 * milliseconds and as many mebibytes as the settings say: on worker threads only, through ln_work.
 * The rest is quick: any thread.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct io;

enum {
    AUTH_SECRET_BYTES = 24,     /* 192 bits of chance: no one guesses one among all users' tokens */
    AUTH_TOKEN_TEXT_BYTES = 48, /* with its NUL */
    AUTH_HASH_BYTES = 32,
    AUTH_PASSWORD_HASH_BYTES = 128, /* with its NUL */
    /* 40 bits: with a handful of tries, and minutes to try in, nobody guesses one. */
    AUTH_CODE_CHANCE_BYTES = 5,
    AUTH_CODE_TEXT_BYTES = 10, /* with its dash and its NUL */
};

struct auth_token {
    uint64_t user;
    uint16_t device;
    unsigned char secret[AUTH_SECRET_BYTES];
};

/* Readies libsodium, and makes it draw its chance (salts) from `io`; what it draws for itself once
 * in a process is not from there. Before anything else, once per driver. 0 or -ENOSYS. */
MUST_CHECK int auth_open(struct io *io);

void auth_token_print(const struct auth_token *token, char out[AUTH_TOKEN_TEXT_BYTES]);
/* 0, or -EINVAL: not a token of ours. */
MUST_CHECK int auth_token_parse(const char *text, size_t bytes, struct auth_token *out);
/* What the store keeps of the secret. */
void auth_token_hash(const unsigned char secret[AUTH_SECRET_BYTES],
                     unsigned char out[AUTH_HASH_BYTES]);

/* A code that people carry from one device to another: eight of Crockford's 32 letters and digits,
 * so that none is taken for another, with a dash in the middle. */
void auth_code_print(const unsigned char chance[AUTH_CODE_CHANCE_BYTES],
                     char out[AUTH_CODE_TEXT_BYTES]);
/* What the store keeps of a user's code, however it was typed: small letters, o for 0, i and l for
 * 1, with or without dashes and spaces. 0, or -EINVAL: it is none. */
MUST_CHECK int auth_code_hash(uint64_t user, const char *text, unsigned char out[AUTH_HASH_BYTES]);

/* What one hash costs. */
struct auth_cost {
    uint64_t operations;
    uint64_t memory_bytes;
};

/* For ln_work. The caller fills all but `error`. */
struct auth_job {
    const char *password;
    size_t password_bytes;
    struct auth_cost cost;
    char hash[AUTH_PASSWORD_HASH_BYTES]; /* written by auth_hash_job, read by auth_verify_job */
    int error;                           /* 0; -ENOMEM; verify: -EACCES, not this password */
};
void auth_hash_job(void *job);
/* An empty `hash` is a user who has none or does not exist: it takes as long and says -EACCES. */
void auth_verify_job(void *job);
