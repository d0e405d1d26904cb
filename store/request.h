/* SPDX-License-Identifier: Apache-2.0 */
/* request.h - what is asked of a partition, what it answers, and what it tells sessions unasked.
 *
 * Requests go to the pid of a user's partition (store_user_pid) or of a name's (store_name_pid), by
 * ln_call or ln_request, in the durable lane. Data and answer are the structs named beside the tag.
 * An answer with error 0 is durable: it outlives the machine's power.
 *
 *     struct ln_msg *request = ln_msg_new(STORE_READ, LN_DURABLE, sizeof(struct store_read));
 *     struct store_read *read = (struct store_read *)request->data;
 *     *read = (struct store_read){.user = bob, .peer = alice, .chat_number = 17};
 *     error = ln_call(store_user_pid(store, bob), &request, timeout_ms, NULL);
 *
 * Errors, the same everywhere:
 *     -ENOENT     no such user, name or device
 *     -EINVAL     the request makes no sense (a length beyond its array, number 0)
 *     -ENOSPC     the disk is full: only what frees space is taken, and reads
 *     -EAGAIN     more work than the partition can queue; the same again later
 * With -EAGAIN from ln_request and ln_call alike nothing has been decided. A request whose answer
 * was lost (-ESRCH, -ETIMEDOUT) may or may not have been done.
 */
#pragma once

#include "runtime/linnet.h"
#include "store/account.h"
#include "store/call.h"
#include "store/device.h"
#include "store/entry.h"
#include "store/expired.h"
#include "store/wake.h"

enum {
    STORE_WINDOW = 64,     /* a retry is recognised so far below the highest accepted number */
    STORE_ROWS_MAX = 1000, /* in one answer */
    STORE_PAGE_BYTES_MAX = 1 << 20,
    STORE_BODY_BYTES_MAX = 512 << 10, /* body and attachments; the protocol's limit is lower */
};

/* A message that is to disappear does so within a year. */
#define STORE_TTL_MS_MAX (UINT64_C(366) * 24 * 3600 * 1000)

/* Numbers from here on are given by the node to messages whose device gave none; they are never
 * sent again, so no window looks after them. */
#define STORE_NODE_NUMBER_MIN (UINT64_C(1) << 52)
/* Numbers in a chat from here on are of messages that are never delivered, since the recipient has
 * blocked the sender: no cursor gets there. */
#define STORE_SWALLOWED_MIN (UINT64_C(1) << 52)

enum store_tag {
    STORE_TAG_FIRST = 0x00010000,
    /* To a name's partition. */
    STORE_NAME_FIND,   /* store_name -> store_user_id; -ENOENT */
    STORE_USER_CREATE, /* store_user_create -> store_user_created; -EEXIST: the name is taken */
    /* To a user's partition. */
    STORE_USER_GET,     /* store_user_id -> store_user */
    STORE_USER_REMOVE,  /* store_user_id -> nothing; the name is free again when it is answered */
    STORE_PASSWORD_GET, /* store_user_id -> store_password; -ENODATA: there is none */
    STORE_PASSWORD_SET, /* store_password -> nothing */
    STORE_DEVICE_ADD,   /* store_device_add -> store_device_added; -EMFILE: no more are allowed */
    STORE_DEVICE_CHECK, /* store_device_check -> store_user; -EACCES: not this token */
    STORE_DEVICE_LIST,  /* store_user_id -> store_rows, buffer: struct store_device [count] */
    /* store_device_id -> nothing; sessions are told. -EALREADY: it is one no more */
    STORE_DEVICE_REVOKE,
    STORE_ATTACH, /* store_attach -> store_attached; -EBUSY: see `again` */
    STORE_DETACH, /* store_detach -> nothing */
    /* store_message, buffer -> store_sent; -ESTALE: below the window; -EDQUOT: no device has
     * room */
    STORE_MESSAGE,
    /* store_ack -> nothing, or with a peer store_marked; -ERANGE: beyond what is in the inbox, and
     * then nothing is read either */
    STORE_ACK,
    STORE_READ,  /* store_read -> store_marked; -ERANGE: beyond the chat's last message */
    STORE_INBOX, /* store_inbox -> store_page, buffer: entries (entry_next) */
    STORE_CHATS, /* store_list -> store_rows, buffer: struct store_chat [count] */
    /* To any partition: those of its users. */
    STORE_USER_LIST, /* store_list -> store_rows, buffer: struct store_user [count] */

    /* To attached sessions, unasked. */
    STORE_PUSH,    /* store_push, buffer: entries (entry_next) */
    STORE_BEHIND,  /* store_notice: it took no push; none follows until it has read its inbox */
    STORE_RESYNC,  /* store_notice: the device reached its limit, lost its place; attach it again */
    STORE_REVOKED, /* store_notice: the device, or (0) the user, was removed */
    STORE_DEVICES, /* store_notice: the user has so many devices now */
    STORE_REPLACED, /* store_notice: its device was attached for another session */

    /* How devices are woken (wake.h). To a user's partition. */
    STORE_WAKE_SET = STORE_TAG_FIRST + 0xA0, /* store_wake_set, buffer -> nothing */
    STORE_WAKE_CLEAR,                        /* store_wake_clear -> nothing */
    /* store_device_id -> store_wake_state, buffer; -ENODATA: there is no subscription */
    STORE_WAKE_GET,
    STORE_WAKE_DONE, /* store_wake_done -> nothing */
    /* To any partition: store_wake_list -> store_wake_page, buffer: struct store_wake_due
     * [count] */
    STORE_WAKE_LIST,
    /* To the waker, unasked: store_wake_due */
    STORE_WAKE_DUE,
    /* To the partition of the user whose inbox it goes to: an edit, a deletion (change.h). */
    /* store_change, buffer -> store_sent; -ETIME: too late; -EIDRM: the message was taken back */
    STORE_CHANGE = STORE_TAG_FIRST + 0x80,
    /* Devices, to a user's partition. */
    STORE_DEVICE_RENAME = STORE_TAG_FIRST + 0x60, /* store_device_rename -> nothing */
    STORE_LINK_CREATE,                            /* store_link_create -> store_link_created */
    /* store_link_redeem -> store_device_added; -EACCES: not the user's code, or no longer; -EMFILE:
     * no more devices are allowed, the code stays good */
    STORE_LINK_REDEEM,

    /* Calls (call.h). To the partition of who is to be called: */
    STORE_CALL_LOOK = STORE_TAG_FIRST + 0xE0, /* store_call_look -> store_call_looked */
    /* To the partition of who does it. store_call_act, buffer -> store_sent; -EBUSY: the caller is
     * in a call; -ESTALE */
    STORE_CALL_OFFER,
    STORE_CALL_ANSWER, /* store_call_act, buffer -> nothing; -EIDRM: it is over, for this device */
    STORE_CALL_END,    /* store_call_act -> nothing; -EIDRM: another device has it */
    /* store_call_act, buffer -> nothing; -EIDRM; -EPROTO: not (yet) this one's to say. Passed on
     * to those who are there. */
    STORE_CALL_SIGNAL,
    /* To any partition: store_call_list -> store_call_page, buffer: struct store_call_row
     * [count] */
    STORE_CALL_LIST,
    /* To attached sessions, unasked: store_call_told, buffer. */
    STORE_CALL_TOLD,

    STORE_TAG_INTERNAL = 0x00010100, /* between the store's own actors */
};

/* A device comes online. From the answer on, `session` (usually the caller) is told everything that
 * is new for the device; it replaces another session of the same device, which is told so. */
struct store_attach {
    uint64_t user;
    uint16_t device;
    /* It has been the device's session before, and is to be so anew if it still is: else -EBUSY,
     * and the one that replaced it stays. */
    bool again;
    /* It is not known yet whether it is the device: the hash of the token that it brought is
     * compared with the device's, and the answer names the user. Else -EACCES. */
    bool proves;
    /* Of a second. Told to the session that it replaces: whose is the newer one? */
    uint32_t since_tenths;
    ln_pid session;
    unsigned char token_hash[STORE_TOKEN_HASH_BYTES];
};
struct store_attached {
    uint64_t acked; /* the inbox begins above it */
    uint64_t last;  /* pushes follow this; what lies between the two is read by STORE_INBOX */
    uint64_t next_command; /* never used by this device */
    uint64_t node_number;  /* likewise, for what the device does not number: from here on upwards */
    bool resync;  /* everything up to `acked` was given up; stays so until it is acknowledged */
    bool expired; /* resync: since it had grown too old, not for want of room */
    uint16_t devices;
    struct store_name name; /* the user's, for one that proves who it is */
};
struct store_detach {
    uint64_t user;
    uint16_t device;
    ln_pid session; /* only if it is still this one */
};

/* The buffer holds the body, then the attachments, whatever the caller makes of them. */
struct store_message {
    uint64_t recipient;
    uint64_t sender;
    uint64_t number; /* of the sender's device, or from STORE_NODE_NUMBER_MIN on */
    uint16_t sender_device;
    uint8_t body_kind;
    uint8_t content_kind; /* the sender's word for what it is; 0: none */
    bool copy;            /* the sender has other devices: his inbox gets a copy */
    bool known_only;      /* a first message is refused, with -EUSERS */
    bool holds; /* the recipient's id is a name's promise: he may not be there yet (hold.h) */
    uint32_t hold_max; /* messages that may wait for such a one; 0: none */
    uint32_t body_bytes;
    uint32_t attachments_bytes;
    struct store_name sender_name;
    uint64_t ttl_ms; /* it disappears so long after it was accepted; 0: it stays */
};
struct store_sent {
    uint64_t chat_number;
    uint64_t time_ms;
    uint64_t
        entry; /* its number in the recipient's inbox; 0: a duplicate's is not known any more */
    uint64_t expires_at_ms; /* 0: it stays */
    uint64_t looks; /* of a deletion in a group: entries that are looked at for it, at most */
    bool duplicate; /* it had been accepted before; the values are those of then */
};

struct store_ack {
    uint64_t user;
    uint64_t number;
    uint64_t peer; /* not 0: what this one wrote is read as well, as by store_read, and before */
    uint64_t chat_number;
    uint16_t device;
};
struct store_read {
    uint64_t user; /* who has read */
    uint64_t peer; /* what this one wrote */
    uint64_t chat_number;
};
struct store_marked {
    int error;  /* of STORE_ACK: why nothing is read, as of STORE_READ; the rest is done */
    bool moved; /* false: the user had read as far before */
};

struct store_inbox {
    uint64_t user;
    uint64_t after;       /* entries above this number */
    uint32_t entries_max; /* 0: STORE_ROWS_MAX */
    uint32_t bytes_max;   /* of the buffer, but one entry at least; 0: STORE_PAGE_BYTES_MAX */
    uint16_t device; /* whose session is not behind any more when this was the end; 0: nobody's */
};
struct store_page {
    uint64_t last; /* the newest entry's number when this was read */
    uint32_t count;
    bool more; /* false: everything up to `last` is here, and pushes go on after it */
};

struct store_list {
    uint64_t user;  /* STORE_CHATS: whose */
    uint64_t after; /* rows above this id */
    uint32_t max;   /* 0: STORE_ROWS_MAX */
};
struct store_rows {
    uint32_t count;
    bool more;
};
struct store_chat {
    uint64_t peer;
    uint64_t last; /* number of the newest message that the peer wrote */
    uint64_t delivered;
    uint64_t read;           /* how far the user got in them */
    uint64_t peer_delivered; /* how far the peer got in what the user wrote */
    uint64_t peer_read;
    struct expired peer_expired; /* what no device of the peer took in in time */
    uint64_t ttl_ms;             /* how long messages live that are sent now; 0: for good */
};

struct store_push {
    uint64_t user;
    uint64_t number;
    uint64_t previous; /* the entry before it: who has not seen that one reads the inbox first */
};
struct store_notice {
    uint64_t user;
    uint64_t last; /* BEHIND: the inbox's newest number */
    uint16_t device;
    uint16_t devices;
    uint32_t since_tenths; /* REPLACED: as the other session said when it was attached */
};
