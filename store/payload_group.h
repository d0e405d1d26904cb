/* SPDX-License-Identifier: Apache-2.0 */
/* payload_group.h - what the partitions of a group and of its members tell each other (payload.h).
 * Plain values; decoding borrows. */
#pragma once

#include "store/command_group.h"
#include "store/hole.h"

/* creator's -> group's: there is a new group. */
struct payload_group_begin {
    uint64_t group;
    uint64_t creator;
    uint64_t created_at_ms;
    uint64_t ttl_ms;
    uint8_t rights;
    uint8_t name_bytes;
    const char *name;
    struct command_ids members; /* without the creator */
};

/* group's -> members': once to each partition that has members; that a message was deleted, and
 * that the group is no more, also to those that had some. */
struct payload_group_message {
    uint64_t group;
    struct store_entry_message message;
};
struct payload_group_update {
    uint64_t group;
    uint64_t log_low;                 /* up to here no message is deleted any more */
    struct store_entry_update update; /* CREATED: its subjects are those who live there */
};
struct payload_group_changed {
    uint64_t group;
    uint64_t kept_until_ms; /* until then the message may be taken back */
    struct store_entry_change change;
};

/* members' -> group's: how far those who live there have got. */
struct payload_group_receipts {
    uint64_t group;
    uint32_t count;
    const unsigned char *rows; /* PAYLOAD_RECEIPT_BYTES each */
};
enum { PAYLOAD_RECEIPT_BYTES = 5 * 8 };
struct payload_group_receipt {
    uint64_t user;
    uint64_t delivered;
    uint64_t read;
    struct hole expired; /* one more; 0, 0: none */
};
void payload_receipt_put(unsigned char *rows, uint32_t index,
                         const struct payload_group_receipt *receipt);
void payload_receipt_get(const struct payload_group_receipts *receipts, uint32_t index,
                         struct payload_group_receipt *out);

/* group's -> a sender's. */
struct payload_group_counts {
    uint64_t group;
    uint64_t user;
    struct store_entry_group_counts counts;
};

/* member's -> group's: no such user, or not any more. */
struct payload_group_absent {
    uint64_t group;
    uint64_t user;
};
