/* SPDX-License-Identifier: Apache-2.0 */
#include "store/apply_priv.h"
#include "store/window.h"

#include <errno.h>

static struct window
window_of(const struct ledger *ledger, const struct store_key *key)
{
    struct window window = {0};
    struct store_value value;
    if (ledger_get(ledger, key, &value)) {
        int error = window_read(value, &window);
        ASSERT(error == 0);
    }
    return window;
}

/* Numbers of the node's own come once; 0: the device gave none. */
static bool
is_remembered(uint64_t number)
{
    return number != 0 && number < STORE_NODE_NUMBER_MIN;
}

void
need_number(const struct needs *needs, const struct store_entry_message *message)
{
    if (is_remembered(message->sender_number)) {
        need(needs, RECORD_WINDOW, message->sender, message->sender_device);
    }
}

bool
apply_number_is_new(const struct apply *apply, const struct store_entry_message *message)
{
    struct window_entry entry;
    if (!is_remembered(message->sender_number)) {
        return true;
    }
    struct store_key key = record_key(apply->ledger->partition, RECORD_WINDOW, message->sender,
                                      message->sender_device);
    struct window window = window_of(apply->ledger, &key);
    switch (window_find(&window, message->sender_number, &entry)) {
    case WINDOW_NEW:
        return true;
    case WINDOW_DUPLICATE:
        apply->result->duplicate = true;
        apply->result->chat_number = entry.chat_number;
        apply->result->time_ms = entry.time_ms;
        return false;
    case WINDOW_TOO_OLD:
        apply->result->error = -ESTALE;
        return false;
    }
    ASSERT(false);
}

bool
apply_number_unused(const struct ledger *ledger, uint64_t user, uint16_t device, uint64_t number)
{
    struct window_entry entry;
    if (!is_remembered(number)) {
        return true;
    }
    struct store_key key = record_key(ledger->partition, RECORD_WINDOW, user, device);
    struct window window = window_of(ledger, &key);
    return window_find(&window, number, &entry) == WINDOW_NEW;
}

void
apply_number_accept(const struct apply *apply, const struct store_entry_message *message)
{
    if (!is_remembered(message->sender_number)) {
        return;
    }
    struct window_entry entry = {
        .number = message->sender_number,
        .time_ms = message->time_ms,
        .chat_number = message->chat_number,
    };
    struct store_key key = record_key(apply->ledger->partition, RECORD_WINDOW, message->sender,
                                      message->sender_device);
    struct window window = window_of(apply->ledger, &key);
    unsigned char *bytes = effects_scratch(apply->effects, WINDOW_BYTES_MAX);
    ledger_put(apply->ledger, &key, bytes, window_add(&window, &entry, bytes));
}
