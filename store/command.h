/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - what a partition's log holds: everything that ever changes its data, and nothing that
 * is not in here.
 *
 * A command is a request, the time at which the partition took it in, and what had to be looked up
 * for it. It does not say what comes of it: apply.h decides that, after it is durable, and decides
 * the same whenever it is applied again.
 *
 *     count = command_encode(&command, buffer, bytes_max, &body_bytes);        into the log (log.h)
 *     error = command_decode(&logged, &command);                               out of it
 *
 * In the log a command's head names partition, kind and version; the body begins with its time,
 * then the fields below in their order, little-endian. Decoding checks every length and borrows the
 * bytes. Plain values.
 */
#pragma once

#include "runtime/check.h"
#include "store/command_call.h"
#include "store/command_change.h"
#include "store/command_group.h"
#include "store/command_history.h"
#include "store/command_stream.h"
#include "store/entry.h"
#include "store/hold.h"
#include "store/log.h"
#include "store/payload.h"
#include "store/record_wake.h"
#include "store/request.h"
#include "store/state.h"

enum command_kind {
    COMMAND_OPEN = 1,       /* a start: a new epoch, and the limits in force from here on */
    COMMAND_NAME_CLAIM = 2, /* a user is to be made, if the name is free */
    COMMAND_USER_REMOVE = 3,
    COMMAND_PASSWORD_SET = 4,
    COMMAND_DEVICE_ADD = 5,
    COMMAND_DEVICE_ATTACH = 6,
    COMMAND_DEVICE_REVOKE = 7,
    COMMAND_MESSAGE = 8,
    COMMAND_ACK = 9,
    COMMAND_READ = 10,
    COMMAND_STREAM = 11,        /* something out of another partition's outbox */
    COMMAND_STREAM_ACK = 12,    /* another partition has applied what it was sent, up to a number */
    COMMAND_STREAM_ROUND = 13,  /* as STREAM: messages of one group that lie there together */
    COMMAND_ACK_READ = 15,      /* ACK and READ of one user, told at once; 14 was told otherwise */
    COMMAND_GROUP_CREATE = 16,  /* in the creator's partition */
    COMMAND_GROUP_CHANGE = 17,  /* in the group's */
    COMMAND_GROUP_MESSAGE = 18, /* as MESSAGE; its recipient is the group */
    COMMAND_GROUP_READ = 19,    /* in the member's; as READ, its peer is the group */
    COMMAND_GROUP_REPORT = 20,  /* in a member's: cursors that have moved go to the group's */
    COMMAND_GROUP_TELL = 21,    /* in the group's: what came of that goes to the senders */
    COMMAND_GROUP_REVISE = 22,  /* as CHANGE, of a group's message: in the group's */
    COMMAND_CHAT_TTL = 23,      /* one to one, in the other one's */
    COMMAND_DEVICE_RENAME = 32,
    COMMAND_LINK_CREATE = 33,   /* a code for a new device, in place of the one before */
    COMMAND_LINK_REDEEM = 34,   /* a new device comes with a code */
    COMMAND_DEVICE_UNSEEN = 35, /* a round found it unseen for long, or seen again */
    COMMAND_INBOX_EXPIRE = 36,  /* what is too old in an inbox goes */
    COMMAND_STATE = 40,         /* a user sets or removes one of his states */
    COMMAND_CHANGE = 48,        /* a message is edited or deleted */
    COMMAND_SWEEP = 49,         /* what is due (expiry.h) */
    COMMAND_SEEN = 60,          /* users were seen, each at an instant */
    COMMAND_CALL_OFFER = 64,
    COMMAND_CALL_ANSWER = 65,
    COMMAND_CALL_END = 66,
    COMMAND_CALL_CHECK = 67, /* whether who is in a call is still there */
    COMMAND_WAKE_SET = 68,
    COMMAND_WAKE_CLEAR = 69,
    COMMAND_WAKE_DONE = 70, /* the device was woken, or nobody tries any more */
    COMMAND_HISTORY = 72,   /* messages of histories have grown too old */
    COMMAND_NAME_HOLD = 76, /* in a name's partition: whoever takes the name will have this id */
    COMMAND_HOLD = 77,      /* in a sender's: he writes to somebody who is not there yet */
    COMMAND_KINDS = 80,     /* above all of them */
};

enum {
    COMMAND_VERSION = 1,
    /* Longer lists are cut by whoever makes the command, so that no single apply holds a
     * scheduler. */
    COMMAND_PAIRS_MAX = 1000,
    COMMAND_PAIR_BYTES = 16,
    COMMAND_ROUND_MAX = 32,
    COMMAND_ROUND_BYTES_MAX = 32 << 10, /* of several: what is long gains nothing by company */
    /* Everything but bodies, attachments and lists. */
    COMMAND_FIXED_BYTES_MAX = 512,
    COMMAND_BYTES_MAX =
        COMMAND_FIXED_BYTES_MAX + STORE_BODY_BYTES_MAX + COMMAND_PAIRS_MAX * COMMAND_PAIR_BYTES,
};

struct command_open {
    uint32_t inbox_entries_max;
    uint64_t inbox_bytes_max;
    uint16_t devices_max;
    uint64_t history_ms;
};

struct command_name_claim {
    struct store_name name;
    const unsigned char *password;
    uint8_t password_bytes;
    bool with_device;
    unsigned char token_hash[STORE_TOKEN_HASH_BYTES];
    struct store_name device_name;
};

struct command_password_set {
    uint64_t user;
    uint8_t bytes;
    const unsigned char *text;
};

struct command_device_add {
    uint64_t user;
    unsigned char token_hash[STORE_TOKEN_HASH_BYTES];
    struct store_name name;
};

/* Also USER_REMOVE, whose device is 0. */
struct command_device {
    uint64_t user;
    uint16_t device;
};

struct command_device_rename {
    uint64_t user;
    uint64_t number; /* of the command, as the device `by` gave it; 0: none */
    uint16_t by;
    uint16_t device;
    struct store_name name;
};

struct command_link_create {
    uint64_t user;
    uint16_t device; /* which asks for it */
    uint32_t lifetime_ms;
    uint8_t tries;
    unsigned char code_hash[STORE_TOKEN_HASH_BYTES];
};

struct command_link_redeem {
    unsigned char code_hash[STORE_TOKEN_HASH_BYTES];
    struct command_device_add add; /* if it is the code */
};

/* What a round decided of a device that was last seen at `seen_at_ms`; if it has been seen since,
 * nothing. */
enum command_unseen_verdict {
    UNSEEN_ANEW = 1, /* counts from now on: it is attached, or nobody knows when it was */
    UNSEEN_WARN = 2,
    UNSEEN_UNLINK = 3,
};
struct command_device_unseen {
    uint64_t user;
    uint64_t seen_at_ms;
    uint64_t unlink_at_ms; /* WARN: no sooner */
    uint16_t device;
    uint8_t verdict;
};

struct command_message {
    uint64_t recipient;
    bool copy;
    bool begins;       /* it may be the first for a user who is not there yet (hold.h) */
    uint32_t hold_max; /* messages that may wait for such a one; 0: none */
    struct store_entry_message message; /* its chat_number is 0, its time_ms the command's */
};

/* Pairs of numbers, packed as they are in the log. */
struct command_pairs {
    uint32_t count;
    const unsigned char *bytes;
};
/* In an acknowledgement's pairs: the peer is a group. */
#define COMMAND_PAIR_GROUP (UINT64_C(1) << 63)
void command_pair_put(unsigned char *bytes, uint32_t index, uint64_t first, uint64_t second);
void command_pair_get(const struct command_pairs *pairs, uint32_t index, uint64_t *out_first,
                      uint64_t *out_second);

/* Also INBOX_EXPIRE, whose device is 0. */
struct command_ack {
    uint64_t user;
    uint16_t device;
    uint64_t number;
    uint64_t total_entries; /* of the entry at that number, or of the last one before it */
    uint64_t total_bytes;
    struct command_pairs
        chats;     /* (peer, highest chat number) of what lies between the device's cursor and it */
    uint64_t peer; /* ACK_READ: whose messages the user has read, up to chat_number; else 0 */
    uint64_t chat_number;
};

struct command_read {
    uint64_t user;
    uint64_t peer;
    uint64_t chat_number;
};

struct command_stream_ack {
    uint8_t destination;
    uint64_t number;
    uint64_t bytes; /* of what is acknowledged now */
    struct command_pairs
        receipts; /* (reader, peer) of the receipts among what is acknowledged now */
};

struct command_wake_set {
    uint64_t user;
    uint16_t device;
    struct record_wake wake; /* without id and time */
};

struct command_wake_clear {
    uint64_t user;
    uint64_t id; /* 0: whichever it is */
    uint16_t device;
};

struct command_wake_done {
    uint64_t user;
    uint64_t id;
    uint64_t newest;
    uint16_t device;
};

struct command_state {
    uint64_t user;
    uint64_t number; /* of the command, as `device` gave it; 0: none */
    uint64_t subject;
    uint16_t device;
    uint8_t kind;
    bool removed;        /* there is no value */
    uint32_t states_max; /* as the settings were when it was asked for */
    uint32_t bytes_max;
    struct store_value value;
    uint64_t quiet_until_ms; /* MUTED alone, as in store_state */
};

struct command {
    uint8_t partition;
    enum command_kind kind;
    uint64_t time_ms;
    union {
        struct command_open open;
        struct command_name_claim claim;
        struct command_password_set password;
        struct command_device_add device_add;
        struct command_device device;
        struct command_user_remove user_remove;
        struct command_message message;
        struct command_ack ack;
        struct command_read read;
        struct command_stream stream;
        struct command_stream_round stream_round;
        struct command_stream_ack stream_ack;
        struct command_pairs seen; /* (user, when) */
        struct command_wake_set wake_set;
        struct command_wake_clear wake_clear;
        struct command_wake_done wake_done;
        struct command_state state;
        struct command_group_create group_create;
        struct command_group_change group_change;
        struct command_group_tell group_tell;
        uint64_t group_report;
        struct command_history history;
        struct store_name name_hold;
        struct store_hold hold;
        struct command_change change;
        struct command_sweep sweep;
        struct command_chat_ttl chat_ttl;
        struct command_device_rename rename;
        struct command_link_create link_create;
        struct command_link_redeem link_redeem;
        struct command_device_unseen unseen;
        struct command_call_offer call_offer;
        struct command_call call;
    };
};

/* Writes the body; it must fit. Returns its length. */
size_t command_encode(const struct command *command, unsigned char *out, size_t bytes_max);

/* 0; -EBADMSG when the body is not one of its kind, -EPROTO when kind or version are of a later
 * linnet; *out is undefined then. */
MUST_CHECK int command_decode(const struct log_command *logged, struct command *out);

/* How many commands it is as much work as: a round as many as its messages. */
uint32_t command_weight(const struct command *command);

/* "MESSAGE" and so on. */
const char *command_kind_name(enum command_kind kind);
