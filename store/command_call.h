/* SPDX-License-Identifier: Apache-2.0 */
/* command_call.h - what a log holds of calls (command.h, call.h). */
#pragma once

#include "store/entry.h"

/* In the caller's partition. */
struct command_call_offer {
    uint64_t callee;
    uint32_t ring_ms;
    struct store_entry_call call; /* without state and times */
};

/* ANSWER, END, CHECK: of a user who is in it. */
struct command_call {
    uint64_t user;
    struct store_call_id id;
    uint16_t device; /* who answers, hangs up */
    uint8_t reason;  /* END: enum store_call_reason */
    bool present;    /* CHECK: the user's device in the call has a session */
    uint32_t content_bytes;
    const unsigned char *content; /* ANSWER */
};
