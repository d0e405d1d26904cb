/* SPDX-License-Identifier: Apache-2.0 */
/* record_wake.h - the records of devices that want to be woken (wake.h):
 *
 *     WAKE  user  device  0   the subscription
 *     DUE   user  device  0   present while the device is due: for which entry, since when
 *
 * As record.h's others. */
#pragma once

#include "store/record.h"
#include "store/wake.h"

enum {
    RECORD_WAKE_BYTES_MAX = RECORD_HEADER_BYTES + 8 + 8 + 1 + STORE_WAKE_P256DH_BYTES +
                            STORE_WAKE_AUTH_BYTES + 2 + STORE_WAKE_ENDPOINT_BYTES_MAX + 2 +
                            STORE_WAKE_APP_BYTES_MAX,
    RECORD_DUE_BYTES = RECORD_HEADER_BYTES + 8 + 8,
};

/* Borrows the endpoint and the client's own. */
struct record_wake {
    uint64_t id;
    uint64_t set_at_ms;
    uint8_t kind;
    uint16_t endpoint_bytes;
    uint16_t app_bytes;
    const unsigned char *endpoint;
    const unsigned char *app;
    unsigned char p256dh[STORE_WAKE_P256DH_BYTES];
    unsigned char auth[STORE_WAKE_AUTH_BYTES];
};
size_t record_wake_encode(const struct record_wake *wake, unsigned char out[RECORD_WAKE_BYTES_MAX]);
MUST_CHECK int record_wake_decode(struct store_value value, struct record_wake *out);

struct record_due {
    uint64_t number;
    uint64_t since_ms;
};
size_t record_due_encode(const struct record_due *due, unsigned char out[RECORD_DUE_BYTES]);
MUST_CHECK int record_due_decode(struct store_value value, struct record_due *out);

/* Kind, lengths and bytes as they are in records and commands alike; `id` and `set_at_ms` are not
 * among them. What no subscription can be fails the cursor. */
void record_put_subscription(struct cursor_out *out, const struct record_wake *wake);
void record_get_subscription(struct cursor_in *in, struct record_wake *wake);
