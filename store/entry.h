/* SPDX-License-Identifier: Apache-2.0 */
/* entry.h - an entry of an inbox: a message, what became of one later, or the mark that a chat's
 * cursors have moved.
 *
 * A user's inbox is stored once, as a row of entries with rising numbers; each device has a cursor
 * into it. Entries leave the store as shared buffers, one of them with a push, several in a page,
 * in one format:
 *
 *     size_t at = 0;
 *     struct store_entry entry;
 *     while (entry_next(buffer, bytes, &at, &entry)) {
 *         switch (entry.kind) { ... entry.message.body, entry.message.body_bytes ... }
 *     }
 *
 * What an entry points to lies in the buffer. Plain values: any thread.
 */
#pragma once

#include "runtime/check.h"
#include "store/call.h"
#include "store/key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_entry_kind {
    STORE_ENTRY_MESSAGE =
        1, /* somebody wrote to the user, or another of the user's devices wrote to somebody */
    STORE_ENTRY_CURSORS =
        2, /* delivered or read in a chat moved: a state, at most one entry per chat */
    STORE_ENTRY_STATE =
        3, /* one of the user's states (state.h) changed; `peer` is its subject: set, at most one
              entry per kind and subject */
    STORE_ENTRY_GROUP_MESSAGE = 4,  /* somebody wrote to a group, perhaps the user himself */
    STORE_ENTRY_GROUP_UPDATE = 5,   /* what a group is, or who is in it, has changed */
    STORE_ENTRY_CHANGE = 6,         /* a message was edited or deleted */
    STORE_ENTRY_MISSED = 7,         /* what another of the user's devices did found no room: set, at
                                       most one entry */
    STORE_ENTRY_DEVICE = 8,         /* one of the user's devices came, went, or is about to */
    STORE_ENTRY_CALL = 9,           /* what became of a call: one entry at most of each */
    STORE_ENTRY_GROUP_CURSORS = 10, /* what the user has read, or missed: a state */
    STORE_ENTRY_GROUP_COUNTS = 11,  /* how many have what the user wrote to the group: a state */
    STORE_ENTRY_GROUP_CHANGE = 12,  /* a message of a group was edited or deleted */
    STORE_ENTRY_CHAT_TTL = 13,      /* how long messages of a chat of two live: `update` tells */
};

enum store_change_kind {
    STORE_CHANGE_EDIT = 1,   /* its author has written it anew */
    STORE_CHANGE_DELETE = 2, /* its author has taken it back, for everyone */
    STORE_CHANGE_HIDE = 3,   /* the inbox's own user does not want to see it any more */
};

struct store_entry_message {
    uint64_t sender;
    uint64_t sender_number; /* with sender and sender_device: the message's id */
    uint64_t chat_number;
    uint64_t time_ms; /* when the sender's message was accepted */
    uint16_t sender_device;
    uint8_t body_kind; /* as it was sent; the store does not look into it */
    uint8_t sender_name_bytes;
    uint8_t content_kind; /* the sender's word for what it is; 0: none. Not looked into either */
    bool deleted;         /* taken back before it was read here: body and attachments are gone */
    bool edited;          /* in a history: it was written anew since */
    const char *sender_name;
    const unsigned char *body;
    uint32_t body_bytes;
    const unsigned char *attachments;
    uint32_t attachments_bytes;
    uint64_t expires_at_ms; /* nobody is given it from then on; 0: it stays */
    /* Of the copy for its sender's devices: its entry in the recipient's inbox. Else 0. */
    uint64_t original;
    /* A group's, in an inbox: the entry of the message that came there before it, and of one that
     * lies further back, by which an older one is found (group_find.h). 0: none. */
    uint64_t before, post;
};

/* What was done to a message, by another that has its own id and time. The message's chat_number is
 * that of the one that was changed. */
struct store_entry_change {
    enum store_change_kind kind;
    uint64_t author; /* of the one that was changed */
    struct store_entry_message message;
};

/* Cursors only grow. A pair is meant to be told when its flag is set. */
struct store_entry_cursors {
    bool peer_moved; /* how far the peer has got in what the user wrote */
    uint64_t peer_delivered;
    uint64_t peer_read;
    /* What no device of the peer took in in time (expired.h). No bytes: all was. */
    uint8_t expired_bytes;
    const unsigned char *expired;
    bool
        own_moved; /* how far the user has read of what the peer wrote, on another device perhaps */
    uint64_t own_delivered;
    uint64_t own_read;
};

/* One change of a group, decided in its partition and numbered there. */
struct store_entry_update {
    uint64_t update;      /* 1, 2, 3 ... in the group */
    uint64_t chat_number; /* it comes behind this message */
    uint64_t time_ms;
    uint64_t author;
    uint64_t value;    /* TTL, RIGHTS */
    uint32_t members;  /* the group has so many now */
    uint16_t subjects; /* ids, little-endian: who was added, removed, promoted */
    uint16_t text_bytes;
    uint8_t kind; /* enum store_group_change_kind */
    const unsigned char *subject_ids;
    const char *text;
};

struct store_entry_group_cursors {
    bool own_moved; /* how far the user has read, on another device perhaps */
    bool gap_moved; /* messages that were not kept, since no device of the user had room */
    uint64_t delivered;
    uint64_t read;
    uint64_t gap_from, gap_to;
};

enum { STORE_GROUP_COUNTS_MAX = 16, STORE_GROUP_COUNT_BYTES = 8 + 4 + 4 + 4 };
/* Of members who were to get the message: how many have it, how many have read it, for how many it
 * expired before. */
struct store_group_count {
    uint64_t chat_number;
    uint32_t delivered;
    uint32_t read;
    uint32_t expired;
};
struct store_entry_group_counts {
    uint64_t delivered_all; /* everything up to here is delivered to all, read by all */
    uint64_t read_all;
    uint32_t members;
    uint8_t count;               /* the newest of the user's messages that not all have read */
    const unsigned char *counts; /* STORE_GROUP_COUNT_BYTES each: entry_group_count */
};
struct store_group_count entry_group_count(const struct store_entry_group_counts *counts,
                                           unsigned index);

struct store_entry_state {
    uint8_t kind;
    bool removed; /* back at its default: there is no value */
    const unsigned char *value;
    uint32_t value_bytes;
};

enum store_device_change {
    STORE_DEVICE_LINKED = 1,
    STORE_DEVICE_RENAMED = 2,
    STORE_DEVICE_REVOKED = 3,
    STORE_DEVICE_WARNED = 4,   /* unseen for long: unlinked at `unlink_at_ms`, if it stays away */
    STORE_DEVICE_UNLINKED = 5, /* it stayed away */
};

/* The entry's peer is the user himself. */
struct store_entry_device {
    uint8_t change;
    uint16_t device;
    uint64_t time_ms;
    uint64_t unlink_at_ms; /* WARNED */
    uint8_t name_bytes;
    const char *name;
};

/* The entry's peer is the other one, whoever called. */
struct store_entry_call {
    struct store_call_id id;
    uint8_t state;   /* enum store_call_state */
    uint8_t outcome; /* ENDED: enum store_call_outcome; else 0 */
    bool video;
    uint16_t device; /* the callee's that answered; 0: none has */
    uint64_t started_at_ms;
    uint64_t ring_until_ms;
    uint64_t answered_at_ms; /* 0: it was not */
    uint64_t ended_at_ms;    /* ENDED */
    uint8_t name_bytes;
    const char *name; /* the caller's */
    uint32_t content_bytes;
    const unsigned char *content; /* to the callee the offer, to the caller the answer */
};

struct store_entry {
    uint64_t number; /* its place in the inbox */
    uint64_t peer;   /* the chat: the other user, whoever of the two wrote, or the group */
    /* Messages and their bytes in this inbox from its beginning up to this entry: differences tell
     * what waits. */
    uint64_t total_entries;
    uint64_t total_bytes;
    enum store_entry_kind kind;
    bool quiet; /* not kept: it is being put into an inbox, and wakes nobody */
    union {
        struct store_entry_message message;
        struct store_entry_cursors cursors;
        struct store_entry_change change;
        struct store_entry_update update;
        struct store_entry_group_cursors group_cursors;
        struct store_entry_group_counts group_counts;
        struct store_entry_state state;
        struct store_entry_device device;
        uint16_t missed_of; /* the device that did it all, and misses nothing; 0: several did */
        struct store_entry_call call;
    };
};

/* Whether it is something said, as opposed to the mark of a state: limits count these. (Of a state
 * there is one entry at most that tells its value, but any number that tell that it is gone.) */
static inline bool
entry_takes_room(const struct store_entry *entry)
{
    return entry->kind == STORE_ENTRY_MESSAGE || entry->kind == STORE_ENTRY_GROUP_MESSAGE ||
           entry->kind == STORE_ENTRY_GROUP_UPDATE || entry->kind == STORE_ENTRY_CHANGE ||
           entry->kind == STORE_ENTRY_CHAT_TTL || entry->kind == STORE_ENTRY_GROUP_CHANGE ||
           entry->kind == STORE_ENTRY_DEVICE || entry->kind == STORE_ENTRY_CALL ||
           (entry->kind == STORE_ENTRY_STATE && entry->state.removed);
}

enum {
    ENTRY_NAME_BYTES_MAX = 64,
    /* Before each entry of a buffer: its number and its length. */
    ENTRY_PREFIX_BYTES = 12,
};

/* What the entry says: its message, or its change's. NULL: it says nothing that has a body. */
static inline const struct store_entry_message *
entry_said(const struct store_entry *entry)
{
    switch ((int)entry->kind) {
    case STORE_ENTRY_MESSAGE:
    case STORE_ENTRY_GROUP_MESSAGE:
        return &entry->message;
    case STORE_ENTRY_CHANGE:
    case STORE_ENTRY_GROUP_CHANGE:
        return &entry->change.message;
    default:
        return NULL;
    }
}

/* Goes through a buffer of entries from *at (0 at first) on; false at its end. The store made the
 * buffer: an entry that can't be decoded ends the node. */
bool entry_next(const unsigned char *bytes, size_t count, size_t *at, struct store_entry *out);

/* ------------------------------------------------------------------------------ the store's own */

/* When it came to be; 0: it does not tell, being state. */
uint64_t entry_time_ms(const struct store_entry *entry);
/* The bytes of its record. */
size_t entry_bytes(const struct store_entry *entry);
/* Writes the record, entry_bytes of them, without its number, which is in the key. */
void entry_encode(const struct store_entry *entry, unsigned char *out);
/* 0, or -EBADMSG with *out untouched. Borrows the bytes. */
MUST_CHECK int entry_decode(uint64_t number, const unsigned char *bytes, size_t count,
                            struct store_entry *out);
/* A message's fields alone, as entries and streams (payload.h) hold them. Reading borrows the
 * bytes. */
struct cursor_in;
struct cursor_out;
size_t entry_message_bytes(const struct store_entry_message *message);
void entry_put_message(struct cursor_out *out, const struct store_entry_message *message);
void entry_get_message(struct cursor_in *in, struct store_entry_message *out);
/* entry_change.c: the same of a change. */
size_t entry_change_bytes(const struct store_entry_change *change);
void entry_put_change(struct cursor_out *out, const struct store_entry_change *change);
void entry_get_change(struct cursor_in *in, struct store_entry_change *out);
/* entry_group.c: the same for what groups say. */
size_t entry_update_bytes(const struct store_entry_update *update);
void entry_put_update(struct cursor_out *out, const struct store_entry_update *update);
void entry_get_update(struct cursor_in *in, struct store_entry_update *out);
size_t entry_group_counts_bytes(const struct store_entry_group_counts *counts);
void entry_put_group_counts(struct cursor_out *out, const struct store_entry_group_counts *counts);
void entry_get_group_counts(struct cursor_in *in, struct store_entry_group_counts *out);
/* Writes one of counts.counts. */
void entry_set_group_count(unsigned char *counts, unsigned index,
                           const struct store_group_count *count);
size_t entry_group_cursors_bytes(const struct store_entry_group_cursors *cursors);
void entry_put_group_cursors(struct cursor_out *out,
                             const struct store_entry_group_cursors *cursors);
void entry_get_group_cursors(struct cursor_in *in, struct store_entry_group_cursors *out);

/* Takes out what it said: only that it is gone is left. */
void entry_blank(struct store_entry_message *message);

/* Whether the record is that of something said whose time is over. */
bool entry_expired(struct store_value record, uint64_t now_ms);
/* entry_device.c: of a device. */
size_t entry_device_bytes(const struct store_entry_device *device);
void entry_put_device(struct cursor_out *out, const struct store_entry_device *device);
void entry_get_device(struct cursor_in *in, struct store_entry_device *out);

/* entry_call.c: of a call. */
size_t entry_call_bytes(const struct store_entry_call *call);
void entry_put_call(struct cursor_out *out, const struct store_entry_call *call);
void entry_get_call(struct cursor_in *in, struct store_entry_call *out);
/* Whether the user is woken for it: it rings, or he has missed it. */
bool entry_call_wakes(uint64_t user, const struct store_entry_call *call);

/* Writes number and length of a record that follows: ENTRY_PREFIX_BYTES. */
void entry_prefix(uint64_t number, size_t record_bytes, unsigned char *out);
