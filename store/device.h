/* SPDX-License-Identifier: Apache-2.0 */
/* device.h - what is asked about devices beyond account.h: names, and linking a new device from one
 * that the user has.
 *
 * A code is made by whoever asks for it and is shown once: the store keeps its hash, for how long
 * it is good, and how often a wrong one may still be tried. A user has one code at a time. It is
 * used up in the same apply that adds the device, so no crash makes two devices of it. Plain
 * values.
 */
#pragma once

#include "store/account.h"

struct store_device_rename {
    uint64_t user;
    uint64_t number; /* of the command; 0: its device gave none, and it is done each time */
    uint16_t by;     /* that device */
    uint16_t device;
    struct store_name name;
};

/* Replaces the code that the user has. -ENOENT: he has no such device, or not any more. */
struct store_link_create {
    uint64_t user;
    uint16_t device; /* which asks for it */
    uint8_t tries;   /* wrong codes until it is void */
    uint32_t lifetime_ms;
    unsigned char code_hash[STORE_TOKEN_HASH_BYTES];
};
struct store_link_created {
    uint64_t expires_at_ms;
};

/* The token of the new device is made of the ids in the answer and of the secret whose hash is
 * given here. */
struct store_link_redeem {
    uint64_t user;
    unsigned char code_hash[STORE_TOKEN_HASH_BYTES];
    unsigned char token_hash[STORE_TOKEN_HASH_BYTES];
    struct store_name name;
};
