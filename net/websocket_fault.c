/* SPDX-License-Identifier: Apache-2.0 */
#include "net/websocket_fault.h"

#include <stddef.h>

static const struct {
    uint16_t code;
    const char *text;
} faults[WEBSOCKET_FAULTS] = {
    [WEBSOCKET_FAULT_NONE] = {WEBSOCKET_CODE_NORMAL, "nothing was wrong"},
    [WEBSOCKET_FAULT_RESERVED_BITS] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                       "a reserved bit is set, but no extension was agreed on"},
    [WEBSOCKET_FAULT_RESERVED_OPCODE] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                         "the frame has a reserved opcode"},
    [WEBSOCKET_FAULT_CONTROL_FRAGMENTED] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                            "a control frame must not be fragmented"},
    [WEBSOCKET_FAULT_CONTROL_TOO_LONG] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                          "a control frame carries at most 125 bytes"},
    [WEBSOCKET_FAULT_LENGTH_NOT_MINIMAL] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                            "the frame's length is not in its shortest form"},
    [WEBSOCKET_FAULT_LENGTH_TOO_LARGE] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                          "the frame's length exceeds 63 bits"},
    [WEBSOCKET_FAULT_NOT_MASKED] = {WEBSOCKET_CODE_PROTOCOL_ERROR, "a client must mask its frames"},
    [WEBSOCKET_FAULT_MASKED] = {WEBSOCKET_CODE_PROTOCOL_ERROR, "a server must not mask its frames"},
    [WEBSOCKET_FAULT_NOTHING_TO_CONTINUE] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                             "a continuation frame without a message to continue"},
    [WEBSOCKET_FAULT_MESSAGE_INTERRUPTED] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                             "a new message before the last one's final frame"},
    [WEBSOCKET_FAULT_CLOSE_TRUNCATED] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                         "a close frame with half a code"},
    [WEBSOCKET_FAULT_CLOSE_CODE] = {WEBSOCKET_CODE_PROTOCOL_ERROR,
                                    "a close frame with a code that must not be sent"},
    [WEBSOCKET_FAULT_TEXT_REFUSED] = {WEBSOCKET_CODE_UNSUPPORTED,
                                      "text messages are not accepted here, only binary ones"},
    [WEBSOCKET_FAULT_BINARY_REFUSED] = {WEBSOCKET_CODE_UNSUPPORTED,
                                        "binary messages are not accepted here, only text"},
    [WEBSOCKET_FAULT_TEXT_NOT_UTF8] = {WEBSOCKET_CODE_BAD_TEXT,
                                       "the text message is not valid UTF-8"},
    [WEBSOCKET_FAULT_REASON_NOT_UTF8] = {WEBSOCKET_CODE_BAD_TEXT,
                                         "the reason in the close frame is not valid UTF-8"},
    [WEBSOCKET_FAULT_FRAME_TOO_BIG] = {WEBSOCKET_CODE_TOO_BIG,
                                       "the frame is larger than is accepted here"},
    [WEBSOCKET_FAULT_MESSAGE_TOO_BIG] = {WEBSOCKET_CODE_TOO_BIG,
                                         "the message is larger than is accepted here"},
};

uint16_t
websocket_fault_code(enum websocket_fault fault)
{
    ASSERT(fault < WEBSOCKET_FAULTS);
    return faults[fault].code;
}

const char *
websocket_fault_text(enum websocket_fault fault)
{
    ASSERT(fault < WEBSOCKET_FAULTS);
    return faults[fault].text;
}

bool
websocket_code_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
