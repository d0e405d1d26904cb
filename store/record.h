/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - what stands in a partition's tables: the keys, and the values behind them.
 *
 *     table      owner        a            b     value
 *     PARTITION  0            0            0     the partition's counters and streams      ledger.h
 *     NAME       hash         other hash   0     the user who has the name
 *     USER       user         0            0     name, time of creation
 *     PASSWORD   user         0            0     libsodium's Argon2id string
 *     DEVICE     user         device       0     token hash, name, command numbers given
 *     HEAD       user         0            0     how far the inbox reaches, each device's cursor
 *     INBOX      user         number       0     an entry                                  entry.h
 *     CHAT       user         peer         0     both directions' cursors, the chat's mark
 *     WINDOW     sender       device       0     numbers lately accepted here              window.h
 *     OUTBOX     0            destination  number  what another partition is told       payload.h
 *     WAKE       user         device       0     how the device is woken          record_wake.h
 *     DUE        user         device       0     it is to be woken                record_wake.h
 *     TOMBSTONE  recipient    sender       number  a message that was taken back       expiry.h
 *     EXPIRY     0            time         number  what is forgotten then              expiry.h
 *     LINK       user         0            0     the code that links a new device
 *
 * The calls that users are in are in record_call.h, what groups keep is in record_group.h, what
 * users have set in record_state.h, when they were last seen in record_presence.h.
 *
 * A value begins with its table and a version, is little-endian and unpadded, and is decoded
 * through the cursor: 0, or -EBADMSG with *out untouched. Encoding writes to a buffer of
 * RECORD_BYTES_MAX and tells how much. Plain values.
 *
 * A user who was removed leaves USER and HEAD behind, flagged: ids are never given again, and the
 * flagged records tell the fold which ranges are gone (record_implies).
 */
#pragma once

#include "runtime/check.h"
#include "store/account.h"
#include "store/cursor.h"
#include "store/expired.h"
#include "store/table.h"

enum record_table {
    RECORD_PARTITION = 1,
    RECORD_NAME = 2,
    RECORD_USER = 3,
    RECORD_PASSWORD = 4,
    RECORD_DEVICE = 5,
    RECORD_HEAD = 6,
    RECORD_INBOX = 7,
    RECORD_CHAT = 8,
    RECORD_WINDOW = 9,
    RECORD_OUTBOX = 10,
    RECORD_GROUP = 16,
    RECORD_SPREAD = 17,
    RECORD_MEMBER = 18,
    RECORD_GROUP_LOG = 19,
    RECORD_ROSTER = 20,
    RECORD_MEMBERSHIP = 21,
    RECORD_LEFT = 22,      /* group_left.h */
    RECORD_STATE = 26,     /* (user, kind, subject): what users have set */
    RECORD_STATE_SUM = 27, /* (user): how much of that there is */
    RECORD_LAST_SEEN = 38,
    RECORD_WAKE = 41,
    RECORD_DUE = 42,
    RECORD_HISTORY = 44, /* history_ledger.h */
    RECORD_HISTORY_BACK = 45,
    RECORD_HISTORY_AT = 46,
    RECORD_TOMBSTONE = 32,
    RECORD_EXPIRY = 33,
    RECORD_LINK = 24,
    RECORD_CALLS = 50, /* record_call.h */
};

enum {
    RECORD_VERSION = 1,
    RECORD_HEADER_BYTES = 2,
    /* The largest of those below: a head with STORE_DEVICES_LIMIT devices. */
    RECORD_BYTES_MAX = 1280,
};

static inline struct store_key
record_key(uint8_t partition, enum record_table table, uint64_t owner, uint64_t a)
{
    return (struct store_key){
        .partition = partition, .table = (uint8_t)table, .owner = owner, .a = a};
}

static inline struct store_key
record_key_outbox(uint8_t partition, uint8_t destination, uint64_t number)
{
    return (struct store_key){
        .partition = partition, .table = RECORD_OUTBOX, .a = destination, .b = number};
}

/* The key of a name; `seed` is the directory's. */
struct store_key record_key_name(uint64_t seed, const struct store_name *name);

/* Entries of a user's inbox above `after`, up to `to`. */
struct store_range record_range_inbox(uint8_t partition, uint64_t user, uint64_t after,
                                      uint64_t to);

/* The fold's question (fold.h): a head implies that the inbox up to its lowest cursor is gone, a
 * removed user that his chats and states are. */
bool record_implies(const struct table_entry *entry, unsigned index, struct store_range *out);

/* Table and version before a value. */
void record_begin(struct cursor_out *out, enum record_table table);
void record_expect(struct cursor_in *in, enum record_table table);
/* A name: its length in a byte, and its bytes. One longer than STORE_NAME_BYTES_MAX fails the
 * cursor. */
void record_put_name(struct cursor_out *out, const struct store_name *name);
void record_get_name(struct cursor_in *in, struct store_name *name);
bool record_names_equal(const struct store_name *x, const struct store_name *y);
/* A byte that is 0 or 1; any other fails the cursor. */
bool record_get_flag(struct cursor_in *in);

/* Of tokens or codes (STORE_TOKEN_HASH_BYTES); takes the same time wherever they differ. */
bool record_hashes_equal(const unsigned char *x, const unsigned char *y);

/* ------------------------------------------------------------------------------------- accounts */

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

/* -------------------------------------------------------------------------------------- inboxes */

/* How far something has got in an inbox: a number, and the messages and bytes from the inbox's
 * beginning up to it. */
struct record_place {
    uint64_t number;
    uint64_t entries;
    uint64_t bytes;
};

enum record_cursor_state {
    RECORD_CURSOR_HOLDS,   /* everything above `acked` is kept for it */
    RECORD_CURSOR_LOST,    /* it reached its limit: nothing is kept until it attaches again */
    RECORD_CURSOR_RESUMED, /* attached since: holds again, with a hole that it has to be told of */
    RECORD_CURSOR_EXPIRED, /* what it had not taken in grew too old: holds, with a hole likewise */
};

struct record_cursor {
    uint16_t device;
    uint8_t state;
    bool wakes;     /* it has a subscription, and is woken (wake.h) */
    bool due;       /* likewise: its DUE record is there */
    uint64_t woken; /* likewise: for the entry with this number, the last time; else 0 */
    struct record_place acked;
};

struct record_head {
    bool removed;
    bool unborn;        /* nobody's yet: hold.h */
    bool receipts_off;  /* the user neither tells nor is told what was read */
    uint64_t withdrawn; /* up to here own messages may have been taken back (withdrawn.h) */
    uint64_t missed;    /* number of STORE_ENTRY_MISSED, unless all have passed it */
    uint64_t copied;    /* the newest of what the user wrote elsewhere, unless all have passed it */
    uint16_t missed_of; /* the missed one's device */
    uint8_t holds;      /* how many recipients of the user are unborn, as far as is known here */
    uint16_t device_next;
    uint16_t devices;
    struct record_place low;  /* everything up to here is gone */
    struct record_place last; /* the newest entry */
    uint64_t newest; /* number of the newest one worth waking for; kept while a device wakes */
    struct record_cursor cursors[STORE_DEVICES_LIMIT];
};
size_t record_head_encode(const struct record_head *head, unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_head_decode(struct store_value value, struct record_head *out);

/* ---------------------------------------------------------------------------------------- chats */

struct record_ttl_alone {
    bool set;
    uint64_t ttl_ms;
};

/* A chat as one of the two sees it. What the peer wrote is numbered here, in the user's
 * partition. */
struct record_chat {
    uint64_t last; /* number of the newest message that the peer wrote to the user */
    uint64_t delivered;
    uint64_t read;
    uint64_t told_number; /* the stream's record that tells the peer of the next two; 0: none did */
    uint64_t told_delivered;
    uint64_t told_read;
    uint64_t peer_delivered; /* of what the user wrote, as the peer's partition told */
    uint64_t peer_read;
    uint64_t mark;  /* inbox number of the chat's mark; 0: there never was one */
    bool mark_peer; /* what the mark tells: the peer's cursors, the user's own */
    bool mark_own;
    bool held;               /* the peer is not there yet, and counts among record_head.holds */
    uint64_t held_until_ms;  /* no longer than that; 0: not known (an older linnet's record) */
    bool blocked;            /* the user has blocked the peer */
    uint64_t muted_until_ms; /* what the peer writes wakes none of the user's devices */
    uint64_t swallowed;      /* messages that the peer wrote while it was blocked */
    bool expired;            /* some of what one of the two wrote has: record_expired tells which */
    bool expired_due;        /* the peer's partition has not been told all of that yet */
    /* How long messages live that are sent from now on (0: for good), and who set it when. */
    uint64_t ttl_ms;
    uint64_t ttl_at_ms;
    uint64_t ttl_by;
    /* The same, set since by the user whom the peer has blocked, and by the peer whom the user has:
     * it holds for who set it alone. */
    struct record_ttl_alone ttl_alone, peer_ttl_alone;
};
/* Which of a chat's messages no device took in. Few chats have it: it stands at the end of their
 * records, and is decoded by itself. */
struct record_expired {
    struct expired here;  /* of what the peer wrote */
    struct expired there; /* of what the user wrote, as the peer's partition told */
};
/* `expired` is read where chat->expired says that there is something. */
size_t record_chat_encode(const struct record_chat *chat, const struct record_expired *expired,
                          unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_chat_decode(struct store_value value, struct record_chat *out);
/* Zeros: nothing has expired. */
MUST_CHECK int record_expired_decode(struct store_value value, struct record_expired *out);
