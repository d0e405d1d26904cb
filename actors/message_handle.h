/* SPDX-License-Identifier: Apache-2.0 */
/* message_handle.h - what a sender is given with a message, and brings back to change it later.
 *
 * Nothing is kept of a message that has been delivered, neither who wrote it nor when. So the node
 * gives its author a handle: a proof that it has said these things itself. Who changes the message
 * brings the handle, the number and the time, and the node finds out whether they belong together.
 *
 *     handle = tag 8 bytes | entry ^ mask 8 bytes | end 8 bytes
 *     tag    = SipHash-2-4(key 1, recipient | sender | chat number | time | entry | end)
 *     mask   = SipHash-2-4(key 2, tag)
 *
 * `entry` is where the message stands in its recipient's inbox, so that one that is taken back soon
 * enough need not be given out; masked, since it would tell how much the recipient is written to.
 * `end` is when it disappears, if it does: then what it is edited to must not stay. A
 * forged handle passes once in 2^64, and would let someone change his own message late.
 *
 * The keys are derived from the data directory's secret: handles outlive restarts. Plain values;
 * any thread, never yields.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_HANDLE_BYTES = 24, MESSAGE_HANDLE_KEY_BYTES = 16 };

struct message_handle_keys {
    unsigned char tag[MESSAGE_HANDLE_KEY_BYTES];
    unsigned char mask[MESSAGE_HANDLE_KEY_BYTES];
};

void message_handle_keys_derive(struct message_handle_keys *keys, const void *secret, size_t bytes);

/* What a handle proves. */
struct message_handle_facts {
    uint64_t recipient;
    uint64_t sender;
    uint64_t chat_number;
    uint64_t time_ms;
    uint64_t entry;         /* 0: not known */
    uint64_t expires_at_ms; /* 0: it stays */
};

void message_handle_make(const struct message_handle_keys *keys,
                         const struct message_handle_facts *facts,
                         unsigned char out[MESSAGE_HANDLE_BYTES]);

/* Whether the handle is that of what `facts` says, but for the entry and the end, which are filled
 * in. */
bool message_handle_open(const struct message_handle_keys *keys, const void *handle, size_t bytes,
                         struct message_handle_facts *facts);
