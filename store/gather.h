/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - what an acknowledgement acknowledges: looked up before the command is logged, so that
 * apply need not.
 *
 * A device says "everything up to number n". Which chats that moves, and how many messages and
 * bytes lie up to n, is in the entries between the device's cursor and n, and those may be in LMDB.
 *
 *     gather_start(&gather, &asked, gather_base(&head, cursor), pairs);
 *     gather.now_ms = ...;
 *     if (gather_one(&gather, delta)) { ... gather.ack ... } else: start again
 *     page_start(&page, delta, &gather.range, rows);
 *     while (page_next(&page, &key, &value) && gather_add(&gather, key.a, value)) {}
 *     gather_end(&gather, page.cut);
 *     ... gather.ack, and if gather.left: acknowledge again for the rest ...
 *
 * What has expired by then, and lies there still, is delivered to nobody: the device was not given
 * it. It is swept (expiry.h) before the acknowledgement passes over it, so that its sender is told:
 *
 *     if (gather.expired > 0) { page_start(...); count = gather_expired(&gather, &page, rows); }
 *
 * Plain values.
 */
#pragma once

#include "store/command.h"
#include "store/page.h"
#include "store/record_inbox.h"

enum { GATHER_PAIRS_BYTES = COMMAND_PAIRS_MAX * COMMAND_PAIR_BYTES };

/* Embedded. */
struct gather {
    struct command_ack ack; /* out; number is less than was asked for when `left` */
    bool left;
    bool fleeting;            /* some of it expires at some time */
    uint64_t now_ms;          /* 0: nothing has expired */
    uint32_t expired;         /* so many have: EXPIRY_ROWS_MAX at most */
    struct store_range range; /* the entries to go through; partition 0: the caller sets it */
    uint64_t reached;
    uint32_t entries;
    uint32_t counted; /* of these, those that take room: totals count them */
    unsigned char *pairs;
};

/* From where on a device's acknowledgement counts. */
const struct record_place *gather_base(const struct record_head *head,
                                       const struct record_cursor *cursor);
/* `pairs` (GATHER_PAIRS_BYTES) is borrowed until the command has been encoded. */
void gather_start(struct gather *gather, const struct command_ack *asked,
                  const struct record_place *base, unsigned char *pairs);
/* The entry at the number that is acknowledged, which is in memory mostly, and mostly the only one
 * that matters. True: so it was, and all is gathered. False: all of it is to be gone through, from
 * gather_start on. */
bool gather_one(struct gather *gather, const struct delta *delta);
/* False: no more fit into one command. */
bool gather_add(struct gather *gather, uint64_t number, struct store_value record);
/* Those of the page that have expired, up to where the gathering got, as rows of a sweep's command
 * (EXPIRY_ROWS_MAX of EXPIRY_ROW_BYTES); how many. The page is the one that was gathered, from its
 * beginning. */
uint32_t gather_expired(const struct gather *gather, struct page *page, unsigned char *rows);
/* Adds what the page has from before an instant, for an inbox that expires. State, which has no
 * time, goes with what came behind it. Ends the gathering. */
void gather_old(struct gather *gather, struct page *page, uint64_t before_ms);
/* `cut`: there may be more entries than were added. */
void gather_end(struct gather *gather, bool cut);
