/* SPDX-License-Identifier: Apache-2.0 */
/* payload.h - what one partition tells another through its outbox.
 *
 * Each ordered pair of partitions has one stream, numbered 1, 2, 3 ... A payload is written to the
 * outbox in the same apply as its cause, sent until its number has been acknowledged, and applied
 * exactly once at the other end (docs/guarantees.md). It can't be refused there: what no longer
 * fits (a user who is gone) is passed over.
 *
 *     struct payload payload = {.kind = PAYLOAD_RECEIPT, .receipt = {.reader = bob, ...}};
 *     outbox_put(ledger, destination, &payload);
 *
 * Decoding borrows the bytes. Plain values.
 */
#pragma once

#include "runtime/check.h"
#include "store/account.h"
#include "store/entry.h"
#include "store/expired.h"
#include "store/payload_call.h"
#include "store/payload_group.h"
#include "store/table.h"

enum payload_kind {
    PAYLOAD_USER_CREATE = 1,  /* name's partition -> user's: the name is taken for this user */
    PAYLOAD_NAME_RELEASE = 2, /* user's -> name's: the user is gone */
    PAYLOAD_RECEIPT = 3,      /* recipient's -> sender's: how far the recipient got in the chat */
    PAYLOAD_COPY = 4, /* recipient's -> sender's: a message for the sender's other devices */
    PAYLOAD_GROUP_BEGIN = 16,
    PAYLOAD_GROUP_MESSAGE = 17,
    PAYLOAD_GROUP_UPDATE = 18,
    PAYLOAD_GROUP_RECEIPTS = 19,
    PAYLOAD_GROUP_COUNTS = 20,
    PAYLOAD_GROUP_ABSENT = 21,
    PAYLOAD_GROUP_CHANGED = 22,
    PAYLOAD_CHAT_TTL = 23, /* recipient's -> sender's: how long messages of their chat live */
    PAYLOAD_EXPIRED = 32,  /* a receipt that tells, too, of what no device took in */
    PAYLOAD_CHANGE = 46,   /* recipient's -> sender's: a change of one, likewise */
    PAYLOAD_CALL = 64,     /* between the two in a call */
    PAYLOAD_KINDS,
};

struct payload_user_create {
    uint64_t user;
    uint64_t created_at_ms;
    struct store_name name;
    const unsigned char *password; /* the Argon2id string */
    uint8_t password_bytes;
    bool promised; /* what was written to the name before waits under this id (hold.h) */
    bool with_device;
    unsigned char token_hash[STORE_TOKEN_HASH_BYTES];
    struct store_name device_name;
};

struct payload_name_release {
    uint64_t user;
    struct store_name name;
};

struct payload_receipt {
    uint64_t reader;
    uint64_t peer; /* who wrote what was read */
    uint64_t delivered;
    uint64_t read;
    struct expired expired; /* PAYLOAD_EXPIRED alone: all of it */
};

struct payload_copy {
    uint64_t peer; /* to whom message.sender wrote it */
    struct store_entry_message message;
};

struct payload_change {
    uint64_t peer; /* to whom change.message.sender wrote it */
    struct store_entry_change change;
};

struct payload_chat_ttl {
    uint64_t peer;
    uint64_t user; /* who set it */
    uint64_t ttl_ms;
    uint64_t time_ms;
    bool alone; /* the peer has blocked him: it holds for him alone */
};

struct payload {
    enum payload_kind kind;
    union {
        struct payload_user_create create;
        struct payload_name_release release;
        struct payload_receipt receipt;
        struct payload_copy copy;
        struct payload_group_begin group_begin;
        struct payload_group_message group_message;
        struct payload_group_update group_update;
        struct payload_group_receipts group_receipts;
        struct payload_group_counts group_counts;
        struct payload_group_absent group_absent;
        struct payload_group_changed group_changed;
        struct payload_change change;
        struct payload_call call;
        struct payload_chat_ttl chat_ttl;
    };
};

/* Whether it tells how far a reader has got (payload.receipt). */
static inline bool
payload_is_receipt(const struct payload *payload)
{
    return payload->kind == PAYLOAD_RECEIPT || payload->kind == PAYLOAD_EXPIRED;
}

size_t payload_bytes(const struct payload *payload);
/* Writes payload_bytes of them. */
void payload_encode(const struct payload *payload, unsigned char *out);
/* 0, or -EBADMSG with *out untouched. */
MUST_CHECK int payload_decode(struct store_value value, struct payload *out);
/* The group whose message the record is; 0: it is something else. */
uint64_t payload_group(struct store_value value);

/* Records on their way to another partition lie one behind the other, each behind its length. */
enum { PAYLOAD_LENGTH_BYTES = 4 };
/* Writes PAYLOAD_LENGTH_BYTES and the record. */
void payload_pack(struct store_value record, unsigned char *out);
/* The record at *at (0 at first), moving that on; borrowed. False at the end, and where what is
 * left is no whole record: then *at is not the end. */
bool payload_next(struct store_value records, size_t *at, struct store_value *out);
