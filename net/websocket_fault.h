/* SPDX-License-Identifier: Apache-2.0 */
/* websocket_fault.h - what the other end of a WebSocket can do wrong, and the codes with which
 * connections are closed.
 *
 * Each fault has the code of RFC 6455, section 7.4, that its sender is told, and a sentence that
 * fits a close frame:
 *
 *     const char *text = websocket_fault_text(fault);
 *     bytes = websocket_close_encode(&ws, websocket_fault_code(fault), text, key, out);
 *
 * Tables and no state; any thread.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stdint.h>

enum websocket_code {
    WEBSOCKET_CODE_NORMAL = 1000,
    WEBSOCKET_CODE_GOING_AWAY = 1001,
    WEBSOCKET_CODE_PROTOCOL_ERROR = 1002,
    WEBSOCKET_CODE_UNSUPPORTED = 1003,
    WEBSOCKET_CODE_NONE = 1005, /* never on the wire: a close that carries no code */
    WEBSOCKET_CODE_BAD_TEXT = 1007,
    WEBSOCKET_CODE_POLICY = 1008,
    WEBSOCKET_CODE_TOO_BIG = 1009,
    WEBSOCKET_CODE_INTERNAL = 1011,
    WEBSOCKET_CODE_RESTART = 1012,
    WEBSOCKET_CODE_TRY_LATER = 1013,
};

/* What the peer did wrong. */
enum websocket_fault {
    WEBSOCKET_FAULT_NONE,
    WEBSOCKET_FAULT_RESERVED_BITS,
    WEBSOCKET_FAULT_RESERVED_OPCODE,
    WEBSOCKET_FAULT_CONTROL_FRAGMENTED,
    WEBSOCKET_FAULT_CONTROL_TOO_LONG,
    WEBSOCKET_FAULT_LENGTH_NOT_MINIMAL,
    WEBSOCKET_FAULT_LENGTH_TOO_LARGE,
    WEBSOCKET_FAULT_NOT_MASKED,
    WEBSOCKET_FAULT_MASKED,
    WEBSOCKET_FAULT_NOTHING_TO_CONTINUE,
    WEBSOCKET_FAULT_MESSAGE_INTERRUPTED,
    WEBSOCKET_FAULT_CLOSE_TRUNCATED,
    WEBSOCKET_FAULT_CLOSE_CODE,
    WEBSOCKET_FAULT_TEXT_REFUSED,
    WEBSOCKET_FAULT_BINARY_REFUSED,
    WEBSOCKET_FAULT_TEXT_NOT_UTF8,
    WEBSOCKET_FAULT_REASON_NOT_UTF8,
    WEBSOCKET_FAULT_FRAME_TOO_BIG,
    WEBSOCKET_FAULT_MESSAGE_TOO_BIG,
    WEBSOCKET_FAULTS,
};

/* The code to close with; a sentence for the peer and the log, at most WEBSOCKET_REASON_BYTES_MAX,
 * lives forever. */
uint16_t websocket_fault_code(enum websocket_fault fault);
const char *websocket_fault_text(enum websocket_fault fault);

/* May a close carry it? 1000 to 1003, 1007 to 1014, 3000 to 4999. */
bool websocket_code_valid(unsigned code);
