/* SPDX-License-Identifier: Apache-2.0 */
/* record_account.h - what is kept of a user and his devices: NAME, USER, PASSWORD, DEVICE, LINK. As
 * record.h has it.
 */
#pragma once

#include "store/record.h"

struct record_name {
    uint64_t user;
    bool promised;          /* nobody has it yet: who takes it will have this id (hold.h) */
    struct store_name name; /* in full: two names may share their hashes */
};
size_t record_name_encode(const struct record_name *name, unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_name_decode(struct store_value value, struct record_name *out);

struct record_user {
    bool removed;
    uint64_t created_at_ms;
    struct store_name name;
};
size_t record_user_encode(const struct record_user *user, unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_user_decode(struct store_value value, struct record_user *out);

struct record_password {
    uint8_t bytes;
    char text[STORE_PASSWORD_BYTES_MAX];
};
size_t record_password_encode(const struct record_password *password,
                              unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_password_decode(struct store_value value, struct record_password *out);

struct record_device {
    unsigned char token_hash[STORE_TOKEN_HASH_BYTES];
    uint64_t added_at_ms;
    uint64_t range; /* of command numbers, the last that was given out at an attach */
    struct store_name name;
    uint64_t seen_at_ms;   /* when it was last attached; 0: not known (an older linnet's record) */
    uint64_t warned_at_ms; /* when the user's others were told that it is about to go; 0: never */
};
size_t record_device_encode(const struct record_device *device,
                            unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_device_decode(struct store_value value, struct record_device *out);

/* The code that a new device comes with. */
struct record_link {
    uint16_t device; /* that asked for it: the code goes with it */
    unsigned char code_hash[STORE_TOKEN_HASH_BYTES];
    uint64_t expires_at_ms;
    uint8_t tries; /* wrong ones that are left */
};
size_t record_link_encode(const struct record_link *link, unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_link_decode(struct store_value value, struct record_link *out);
