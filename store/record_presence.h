/* SPDX-License-Identifier: Apache-2.0 */
/* record_presence.h - when a user was last seen (record.h).
 *
 *     table      owner   a  b   value
 *     LAST_SEEN  user    0  0   an instant
 *
 * A record of its own, since it changes every minute and is written without looking at anything
 * else.
 */
#pragma once

#include "store/record.h"

struct record_last_seen {
    uint64_t at_ms;
};
size_t record_last_seen_encode(const struct record_last_seen *seen,
                               unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_last_seen_decode(struct store_value value, struct record_last_seen *out);
