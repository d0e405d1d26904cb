/* SPDX-License-Identifier: Apache-2.0 */
/* payload_call.h - what the partitions of the two in a call tell each other of it (payload.h,
 * call.h). */
#pragma once

#include "store/entry.h"

enum payload_call_step {
    PAYLOAD_CALL_OFFERED = 1,   /* caller's -> callee's, with the offer */
    PAYLOAD_CALL_ANSWERED = 2,  /* callee's -> caller's, with the answer */
    PAYLOAD_CALL_END_ASKED = 3, /* callee's -> caller's, for `reason` */
    PAYLOAD_CALL_ENDED = 4,     /* caller's -> callee's */
};

struct payload_call {
    uint8_t step;
    uint8_t reason; /* enum store_call_reason */
    bool one_way;   /* OFFERED: the caller has blocked the callee, whose own calls reach nobody */
    uint64_t callee;
    struct store_entry_call call;
};
