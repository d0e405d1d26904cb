/* SPDX-License-Identifier: Apache-2.0 */
/* record_state.h - the records behind state.h: one per state, and a user's sum of them.
 *
 * A state that is removed leaves no record. Plain values.
 */
#pragma once

#include "store/record.h"
#include "store/state.h"

enum { RECORD_STATE_BYTES_MAX = RECORD_HEADER_BYTES + 8 + 8 + 4 + STORE_STATE_BYTES_MAX };

struct record_state {
    uint64_t mark; /* inbox number of the entry that tells of it; 0: there never was one */
    uint64_t quiet_until_ms;  /* MUTED: as in struct store_state */
    struct store_value value; /* borrowed */
};
struct store_key record_key_state(uint8_t partition, uint64_t user, uint8_t kind, uint64_t subject);
size_t record_state_encode(const struct record_state *state,
                           unsigned char out[RECORD_STATE_BYTES_MAX]);
MUST_CHECK int record_state_decode(struct store_value value, struct record_state *out);

struct record_state_sum {
    uint32_t states;
    uint32_t bytes; /* of their values */
};
size_t record_state_sum_encode(const struct record_state_sum *sum,
                               unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_state_sum_decode(struct store_value value, struct record_state_sum *out);
