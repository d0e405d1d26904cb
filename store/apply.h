/* SPDX-License-Identifier: Apache-2.0 */
/* apply.h - what a command does: the only code that changes a partition's data.
 *
 * Called for every command of the log, in the order of the log, after it is durable; and again for
 * the tail of the log at a start. It decides (duplicate, too old, no such user, no room), writes to
 * the ledger, and writes down what is to be told. It is a function of the ledger and the command:
 * no clock, no chance, no address, no setting, nothing read but what is in the delta. A refusal is
 * a value.
 *
 *     apply_needs(ledger, &command, on_key, context);       what must be known to the delta before
 *     apply_command(ledger, &command, &effects, &result);   after it is durable
 *
 * What the two must agree on is checked: reading an unknown key ends the node. On the partition's
 * scheduler, never yields.
 */
#pragma once

#include "store/command.h"
#include "store/effects.h"
#include "store/ledger.h"

/* The answer to a command's request. Which fields are set depends on its kind. */
struct result {
    int error; /* 0, or the request's error (request.h) */
    uint64_t user;
    uint16_t device;
    uint16_t devices;
    bool duplicate;
    bool resync;
    bool expired;
    bool moved; /* READ, GROUP_READ: the cursor */
    bool waits; /* NAME_HOLD: nobody has the name yet; HOLD: he was not counted before */
    uint64_t chat_number;
    uint64_t time_ms;
    uint64_t expires_at_ms;
    uint64_t looks; /* GROUP_REVISE: entries that it costs to find the message in all inboxes */
    uint64_t entry; /* its number in the recipient's inbox; 0: not known any more */
    uint64_t acked;
    uint64_t last;
    uint64_t range; /* of command numbers */
    /* It is complete only when the record `stream_number` of the stream to `stream_to` is
     * acknowledged. 0: at once. */
    uint64_t stream_number;
    uint8_t stream_to;
};

void apply_needs(const struct ledger *ledger, const struct command *command,
                 void (*each)(void *context, const struct store_key *key), void *context);

/* Whether what a stream's record needs hangs on what those before it do: then its needs hold only
 * when those have been applied. */
bool apply_stream_follows(const struct command_stream *stream);

/* Adds to the effects. */
void apply_command(struct ledger *ledger, const struct command *command, struct effects *effects,
                   struct result *out);

/* What the command would do is given up, for good. The records of a stream that it brings count as
 * received: else those behind them could not be, and they themselves would be sent again. */
void apply_give_up(struct ledger *ledger, const struct log_command *logged);

/* Whether nothing was accepted under this number of a device's, nor could have been: its window
 * must be known. */
bool apply_number_unused(const struct ledger *ledger, uint64_t user, uint16_t device,
                         uint64_t number);
