/* SPDX-License-Identifier: Apache-2.0 */
/* chat_ttl.h - the request to set how long messages of a chat of two live (request.h): those that
 * either of them sends from then on.
 *
 * It is decided in the other one's partition, as a message would be, in order with those; the
 * user's own partition is told behind it. Where both set it at once the later one holds, by the
 * clocks of the partitions, for both. A message has to have passed in the chat.
 */
#pragma once

#include "store/request.h"

enum {
    /* store_chat_ttl -> store_sent, without numbers; -ENOMSG: they have not met */
    STORE_CHAT_TTL = STORE_TAG_FIRST + 0x88,
};

struct store_chat_ttl {
    uint64_t recipient; /* the other one */
    uint64_t user;      /* who sets it, as his device's command `number` */
    uint64_t number;
    uint64_t ttl_ms; /* 0: for good */
    uint16_t device;
    bool met; /* a message has passed, as the user's own partition knows */
};
