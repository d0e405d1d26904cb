/* SPDX-License-Identifier: Apache-2.0 */
/* record_group.h - what groups keep in tables (record.h).
 *
 *     table        owner   a        value
 *     GROUP        group   0        what it is, its counters, its admins        in its partition
 *     SPREAD       group   0        how many members each partition has
 *     MEMBER       group   user     role, cursors; stays when he leaves
 *     GROUP_LOG    group   number   who wrote the message when: for some days
 *     ROSTER       group   0        those of its members who live here          in each of theirs
 *     MEMBERSHIP   user    group    how far the user got in it
 */
#pragma once

#include "store/group.h"
#include "store/holes.h"
#include "store/record.h"

/* The fold's question (record_implies): of a group that was deleted who was in it and who wrote
 * what are gone. */
bool record_group_implies(const struct table_entry *entry, unsigned index, struct store_range *out);

/* A short text within its record. */
struct record_text {
    uint16_t bytes;
    const char *text;
};

/* Decoding borrows the texts and admins from the value. */
struct record_group {
    bool deleted;
    bool invited;
    uint8_t rights;
    uint64_t created_at_ms;
    uint64_t creator;
    uint64_t last;    /* message */
    uint64_t log_low; /* rows of GROUP_LOG up to here are gone */
    uint64_t update;
    uint64_t ttl_ms;
    uint64_t receipts; /* counts what moved a member's cursor, so that a tell knows what it told */
    uint64_t delivered_all;
    uint64_t read_all;
    uint32_t members;
    unsigned char invite[STORE_GROUP_INVITE_BYTES];
    struct record_text name, description, picture;
    uint16_t owners_count; /* of the admins; they stand first */
    uint16_t admins_count; /* each part in the order of promotion */
    uint64_t admins[STORE_GROUP_ADMINS_MAX];
};
enum {
    RECORD_GROUP_BYTES_MAX = RECORD_HEADER_BYTES + 3 + 9 * 8 + 4 + STORE_GROUP_INVITE_BYTES +
                             3 * 2 + STORE_GROUP_NAME_BYTES_MAX +
                             STORE_GROUP_DESCRIPTION_BYTES_MAX + STORE_GROUP_PICTURE_BYTES_MAX + 4 +
                             STORE_GROUP_ADMINS_MAX * 8,
};
size_t record_group_encode(const struct record_group *group,
                           unsigned char out[RECORD_GROUP_BYTES_MAX]);
MUST_CHECK int record_group_decode(struct store_value value, struct record_group *out);

struct record_spread {
    uint16_t members[STORE_PARTITIONS];
    uint64_t left[STORE_PARTITIONS / 64]; /* partitions that had members, and have none any more */
};
enum { RECORD_SPREAD_BYTES_MAX = RECORD_HEADER_BYTES + 2 + STORE_PARTITIONS * 3 };
size_t record_spread_encode(const struct record_spread *spread,
                            unsigned char out[RECORD_SPREAD_BYTES_MAX]);
MUST_CHECK int record_spread_decode(struct store_value value, struct record_spread *out);

/* A member's cursors only grow, and pass over what he was not given: what was said while he was
 * away does not concern him, what his devices did not take in in time or had no room for is counted
 * as expired. */
struct record_member {
    uint8_t role;
    uint64_t joined; /* messages above it concern him */
    uint64_t left;   /* NOBODY: and up to it */
    uint64_t since;  /* he came (back) behind this one: all who have a later one are all but him */
    uint64_t delivered;
    uint64_t read;
    struct holes gaps;    /* while he was away */
    struct holes expired; /* what he will never have */
};
size_t record_member_encode(const struct record_member *member,
                            unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_member_decode(struct store_value value, struct record_member *out);

struct record_group_log {
    uint64_t sender;
    uint64_t sender_number;
    uint64_t time_ms;
    uint64_t expires_at_ms; /* as told; 0: it stays */
    uint16_t sender_device;
    bool deleted; /* for everyone */
};
size_t record_group_log_encode(const struct record_group_log *row,
                               unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_group_log_decode(struct store_value value, struct record_group_log *out);

/* The ids are read and written in place: record_roster_at. */
struct record_roster {
    uint32_t count;
    const unsigned char *ids;
};
static inline size_t
record_roster_bytes(uint32_t count)
{
    return RECORD_HEADER_BYTES + 4 + (size_t)count * sizeof(uint64_t);
}
size_t record_roster_encode(const uint64_t *ids, uint32_t count, unsigned char *out);
MUST_CHECK int record_roster_decode(struct store_value value, struct record_roster *out);
uint64_t record_roster_at(const struct record_roster *roster, uint32_t index);

/* What somebody writes without having read what was written before: more of it counts as unread. */
enum { RECORD_OWN_MAX = 8 };
struct record_membership {
    uint8_t role;
    bool gone;
    uint64_t joined;
    uint64_t last;
    uint64_t delivered;
    uint64_t read;
    uint8_t own_unread; /* of the messages above `read`, the user's own: so many are known */
    uint64_t own[RECORD_OWN_MAX]; /* their numbers, rising */
    uint64_t told_delivered;      /* what the group's partition has been told */
    uint64_t told_read;
    uint64_t gap_from, gap_to; /* messages that his full inbox did not take, as the mark says */
    uint64_t mark;             /* inbox number of STORE_ENTRY_GROUP_CURSORS; 0: never */
    uint64_t counts;           /* and of STORE_ENTRY_GROUP_COUNTS */
    uint64_t muted_until_ms;   /* messages wake none of the user's devices */
    bool mark_own;             /* what the mark tells: the cursors, the gap */
    bool mark_gap;
    struct hole away;     /* when he was no member, the last time: not unread */
    struct hole expired;  /* what no device took in in time, or had room for: to be reported yet */
    uint64_t entry;       /* inbox number of the newest message that was put there; 0: never */
    uint64_t post;        /* and of the one that later ones point back to (group_find.h) */
    uint64_t post_number; /* that one's number in the group */
    /* While a history is kept: what the user was last told that all have, and have read. */
    uint64_t all_delivered, all_read;
};
size_t record_membership_encode(const struct record_membership *membership,
                                unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_membership_decode(struct store_value value, struct record_membership *out);
/* A message of his own, above what he has read; and after `read` has moved. */
void membership_own_add(struct record_membership *membership, uint64_t chat_number);
void membership_own_read(struct record_membership *membership);
