/* SPDX-License-Identifier: Apache-2.0 */
/* command_change.h - commands about what was said before (command.h). Plain values; decoding
 * borrows. */
#pragma once

#include "store/entry.h"

/* Also GROUP_REVISE: its owner and peer are the group, and until_ms and kept_until_ms count from
 * the message's time, which the group knows, as it knows the author. */
struct command_change {
    uint64_t owner;         /* of the inbox that it goes to, and whose partition decides */
    uint64_t peer;          /* of the chat */
    bool in_group;          /* HIDE: the peer is a group */
    uint64_t until_ms;      /* it is refused from then on; 0: never */
    uint64_t kept_until_ms; /* how long it has to be remembered that a message was taken back */
    uint64_t original;      /* the changed message's entry in that inbox, 0: not known */
    uint64_t expires_at_ms; /* one to one: when it disappears; 0: it stays */
    struct store_entry_change change; /* as command_message.message */
};

struct command_chat_ttl {
    uint64_t recipient;
    uint64_t user;
    uint64_t number;
    uint64_t ttl_ms;
    uint16_t device;
    bool met; /* a message has passed, as the partition of who sets it knows */
};

struct command_sweep {
    uint32_t count;
    const unsigned char *rows; /* expiry_row_get */
};
