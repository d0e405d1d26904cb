/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - what stands in a partition's tables: the keys, and the values behind them.
 *
 *     table      owner        a            b     value
 *     PARTITION  0            0            0     the partition's counters and streams      ledger.h
 *     NAME       hash         other hash   0     the user who has the name         record_account.h
 *     USER       user         0            0     name, time of creation                      there
 *     PASSWORD   user         0            0     libsodium's Argon2id string                 there
 *     DEVICE     user         device       0     token hash, name, command numbers given     there
 *     LINK       user         0            0     the code that links a new device            there
 *     HEAD       user         0            0     how far inbox and devices have got  record_inbox.h
 *     INBOX      user         number       0     an entry (in LMDB in runs, runs.h)         entry.h
 *     CHAT       user         peer         0     both directions' cursors, its mark   record_chat.h
 *     WINDOW     sender       device       0     numbers lately accepted here              window.h
 *     OUTBOX     0            destination  number  what another partition is told         payload.h
 *     WAKE       user         device       0     how the device is woken              record_wake.h
 *     DUE        user         device       0     it is to be woken                            there
 *     TOMBSTONE  recipient    sender       number  a message that was taken back           expiry.h
 *     EXPIRY     0            time         number  what is forgotten then                  expiry.h
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
    /* The largest of those that say nothing else: a head with STORE_DEVICES_LIMIT devices. */
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

/* The fold's question (fold.h): a head implies that the inbox up to its lowest cursor is gone (from
 * where that was before), a removed user that his chats and states are. */
bool record_implies(const struct table_entry *entry, const struct store_value *before,
                    unsigned index, struct store_range *out);

/* Table and version before a value; the second of a table whose values have several. */
static inline void
record_begin_version(struct cursor_out *out, enum record_table table, uint8_t version)
{
    cursor_put_u8(out, (uint8_t)table);
    cursor_put_u8(out, version);
}

static inline void
record_begin(struct cursor_out *out, enum record_table table)
{
    record_begin_version(out, table, RECORD_VERSION);
}

/* Which version it is, up to the newest. */
MUST_CHECK static inline uint8_t
record_expect_version(struct cursor_in *in, enum record_table table, uint8_t newest)
{
    uint8_t found = cursor_get_u8(in);
    uint8_t version = cursor_get_u8(in);
    if (found != table || version < RECORD_VERSION || version > newest) {
        cursor_in_fail(in);
    }
    return version;
}

static inline void
record_expect(struct cursor_in *in, enum record_table table)
{
    (void)!record_expect_version(in, table, RECORD_VERSION);
}

/* A name: its length in a byte, and its bytes. One longer than STORE_NAME_BYTES_MAX fails the
 * cursor. */
void record_put_name(struct cursor_out *out, const struct store_name *name);
void record_get_name(struct cursor_in *in, struct store_name *name);
bool record_names_equal(const struct store_name *x, const struct store_name *y);
/* A byte that is 0 or 1; any other fails the cursor. */
static inline bool
record_get_flag(struct cursor_in *in)
{
    uint8_t flag = cursor_get_u8(in);
    if (flag > 1) {
        cursor_in_fail(in);
    }
    return flag == 1;
}

/* Of tokens or codes (STORE_TOKEN_HASH_BYTES); takes the same time wherever they differ. */
bool record_hashes_equal(const unsigned char *x, const unsigned char *y);
