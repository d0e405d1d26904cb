/* SPDX-License-Identifier: Apache-2.0 */
/* a_message.h - a message of which every field is told from the others. */
#pragma once

#include "store/entry.h"
#include "tests/spec.h"

static inline struct store_entry
a_message(void)
{
    return (struct store_entry){
        .number = 9,
        .peer = 17,
        .total_entries = 3,
        .total_bytes = 300,
        .kind = STORE_ENTRY_MESSAGE,
        .message =
            {
                .sender = 17,
                .sender_number = 5,
                .chat_number = 4,
                .time_ms = 1234,
                .sender_device = 2,
                .body_kind = 1,
                .sender_name_bytes = 5,
                .sender_name = "alice",
                .body = (const unsigned char *)"hello",
                .body_bytes = 5,
                .attachments = (const unsigned char *)"xy",
                .attachments_bytes = 2,
            },
    };
}

static inline void
check_message(const struct store_entry_message *message)
{
    assert_int_equal(message->sender, 17);
    assert_int_equal(message->sender_device, 2);
    assert_int_equal(message->sender_number, 5);
    assert_int_equal(message->chat_number, 4);
    assert_int_equal(message->time_ms, 1234);
    assert_memory_equal(message->sender_name, "alice", 5);
    assert_memory_equal(message->body, "hello", 5);
    assert_memory_equal(message->attachments, "xy", 2);
}
