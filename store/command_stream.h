/* SPDX-License-Identifier: Apache-2.0 */
/* command_stream.h - commands (command.h) that bring what lay in another partition's outbox. */
#pragma once

#include "store/key.h"
#include "store/log.h"

#include <stdbool.h>
#include <stdint.h>

struct command_stream {
    uint8_t source;
    uint64_t number;
    struct store_value payload;
};

/* Several records of a stream, GROUP_MESSAGE all of them and of the same group. */
struct command_stream_round {
    uint8_t source;
    uint64_t first;             /* its number */
    uint32_t count;             /* COMMAND_ROUND_MAX at most */
    struct store_value records; /* as payload_next reads them */
};

/* The records of a stream that a command brings, whatever the rest of it is. False: none. */
struct command_received {
    uint8_t source;
    uint64_t first;
    uint64_t last;
};
bool command_receives(const struct log_command *logged, struct command_received *out);
