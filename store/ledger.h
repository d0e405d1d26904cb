/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.h - a partition's data as apply sees it: the delta, and the few numbers that nearly every
 * command moves.
 *
 * Those numbers (the newest inbox number, the newest id, how far each stream has got, which groups
 * are due to be told of) are kept here and written to the delta as one record when it is frozen, so
 * that together with the record they are always those of one log position.
 *
 *     ledger_get(ledger, &key, &value)       whether there is one; it must be known to the delta
 *     ledger_put(ledger, &key, bytes, count)
 *
 * Numbers. Inbox numbers come from one counter per partition: epoch << 22 | counter, just counted
 * up. The epoch is the seconds since 2020 at the last start, or one more than the counter had
 * reached if that is more. So a number is never given twice, whatever was lost, as long as a
 * restored past began its epoch later than the lost future did. Below 2^53 until 2088. User ids:
 * (seconds << 14 | counter) << 8 | partition, likewise counted up.
 *
 * Owned by its partition's scheduler; no call yields.
 */
#pragma once

#include "runtime/check.h"
#include "store/delta.h"
#include "store/group_due.h"
#include "store/record.h"

enum {
    LEDGER_NUMBER_COUNTER_BITS =
        22, /* four million entries a second in one partition before the epoch runs ahead */
    LEDGER_USER_COUNTER_BITS = 14,
    LEDGER_STREAM_BYTES = 1 + 3 * 8,
    LEDGER_BYTES_MAX =
        RECORD_HEADER_BYTES + 4 * 8 + 4 + 8 + 2 + 2 + STORE_PARTITIONS * LEDGER_STREAM_BYTES,
    LEDGER_DUE_BYTES = 8 + 1,
    /* Due groups in one record; further ones stand in records of their own. A partition makes some
     * thousands due in the quarter of a second that they stay so. */
    LEDGER_DUE_MAX = 1 << 16,
};
/* 2020-01-01 00:00 UTC. */
#define LEDGER_EPOCH_MS UINT64_C(1577836800000)

struct ledger_limits {
    uint32_t inbox_entries_max; /* of each device */
    uint64_t inbox_bytes_max;
    uint16_t devices_max;
    uint64_t history_ms; /* 0: what all devices have is gone; UINT64_MAX: it stays */
};

struct ledger_stream {
    uint64_t out_last;  /* number of the newest record to that partition */
    uint64_t out_acked; /* it has applied everything up to here */
    uint64_t in;        /* what came from that partition is applied up to here */
    uint64_t frozen;    /* out_last at the last freeze: what is above was never given to a fold */
};

struct ledger {
    uint8_t partition;
    uint64_t seed; /* of the data directory */
    struct delta *delta;
    uint64_t last_number;
    uint64_t last_user; /* its upper 45 bits */
    uint64_t last_time_ms;
    struct ledger_limits limits;
    bool changed;           /* since the last freeze */
    uint64_t outbox;        /* records of all streams that are not acknowledged */
    uint64_t outbox_bytes;  /* of them */
    uint64_t frozen_number; /* last_number at the last freeze: no fold has seen what is above */
    struct group_dues due;
    uint32_t due_pages; /* records with more of them, as last written */
    struct ledger_stream streams[STORE_PARTITIONS];
};

void ledger_init(struct ledger *ledger, uint8_t partition, uint64_t seed);
void ledger_fini(struct ledger *ledger);

/* For a start: what LMDB has of the partition, from its record. 0 or -EBADMSG. */
MUST_CHECK int ledger_load(struct ledger *ledger, struct store_value value);
/* Then, of each page from 1 to ledger->due_pages, more of what is due; and where it stands. */
MUST_CHECK int ledger_load_due(struct ledger *ledger, struct store_value value);
struct store_key ledger_key(uint8_t partition, uint32_t page);

/* Whether there is such a record; *out is borrowed until the delta's next change. It must be known
 * to the delta. */
bool ledger_get(const struct ledger *ledger, const struct store_key *key, struct store_value *out);
void ledger_put(struct ledger *ledger, const struct store_key *key, const void *bytes,
                size_t count);
/* Room for a record that is long, to be encoded where it stays: as table_put_room. */
unsigned char *ledger_put_room(struct ledger *ledger, const struct store_key *key, size_t bytes);
void ledger_delete(struct ledger *ledger, const struct store_key *key);

static inline uint8_t
ledger_partition_of(const struct ledger *ledger, uint64_t user)
{
    return key_partition_of_id(ledger->seed, user);
}

/* Begins an epoch: at every start. */
void ledger_open(struct ledger *ledger, uint64_t time_ms, const struct ledger_limits *limits);
/* The next inbox number, the next user id. */
uint64_t ledger_number_next(struct ledger *ledger);
uint64_t ledger_user_next(struct ledger *ledger);

/* Seconds since 2020, 0 before. */
uint64_t ledger_seconds(uint64_t time_ms);

/* Writes the partition's record, if it changed, and freezes the delta (delta_freeze). */
const struct table *ledger_freeze(struct ledger *ledger);
