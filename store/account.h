/* SPDX-License-Identifier: Apache-2.0 */
/* account.h - users, their names, passwords and devices, as requests and answers carry them
 * (request.h).
 *
 * A user is a number that the store gives and never gives again; a device is a number within its
 * user, likewise. The store keeps neither passwords nor tokens: of a password libsodium's Argon2id
 * string, of a token's secret the BLAKE2b hash. Plain values.
 */
#pragma once

#include "runtime/linnet.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_NAME_BYTES_MAX = 64,
    STORE_PASSWORD_BYTES_MAX = 128, /* libsodium's Argon2id strings */
    STORE_TOKEN_HASH_BYTES = 32,    /* BLAKE2b */
    STORE_DEVICES_LIMIT = 32,       /* of a user, whatever the setting: they share a record */
};

struct store_name {
    uint8_t bytes;
    char text[STORE_NAME_BYTES_MAX];
};

struct store_user_id {
    uint64_t user;
};

/* With a device in the same breath: for import, tests and registration. Its token is made of the
 * ids in the answer and of the secret whose hash is given here. */
struct store_user_create {
    struct store_name name;
    uint8_t password_bytes; /* 0: none */
    char password[STORE_PASSWORD_BYTES_MAX];
    bool with_device;
    unsigned char token_hash[STORE_TOKEN_HASH_BYTES];
    struct store_name device_name;
};
struct store_user_created {
    uint64_t user;
    uint16_t device; /* 0: none was asked for */
};

struct store_user {
    uint64_t user;
    uint64_t created_at_ms;
    uint64_t inbox_low;                  /* everything up to here is gone */
    uint64_t inbox_last;                 /* the newest entry's number */
    uint64_t inbox_entries, inbox_bytes; /* messages between the two */
    uint16_t devices;
    struct store_name name;
};

struct store_password {
    uint64_t user;
    uint8_t bytes;
    char text[STORE_PASSWORD_BYTES_MAX];
};

struct store_device_id {
    uint64_t user;
    uint16_t device;
};
struct store_device_add {
    uint64_t user;
    unsigned char token_hash[STORE_TOKEN_HASH_BYTES];
    struct store_name name;
};
struct store_device_added {
    uint16_t device;
};
struct store_device_check {
    uint64_t user;
    uint16_t device;
    unsigned char token_hash[STORE_TOKEN_HASH_BYTES];
};
struct store_device {
    uint64_t added_at_ms;
    uint64_t seen_at_ms;     /* when it was last attached, to within STORE_SEEN_MS; 0: unknown */
    uint64_t acked;          /* its cursor in the inbox */
    uint64_t entries, bytes; /* messages that wait above it */
    ln_pid session;          /* that is attached for it; 0: it is offline */
    uint16_t device;
    bool resync;
    struct store_name name;
};
