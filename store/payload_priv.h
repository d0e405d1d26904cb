/* SPDX-License-Identifier: Apache-2.0 */
/* payload_priv.h - payload.h's parts: how each kind is written and read, behind the record's header
 * and the kind. A noun that brings more than a few has a file of its own (payload_NOUN.c), and each
 * of its kinds a line in the table of payload.c. */
#pragma once

#include "store/cursor.h"
#include "store/payload.h"

struct payload_coding {
    size_t (*bytes)(const struct payload *payload);
    void (*put)(struct cursor_out *out, const struct payload *payload);
    void (*get)(struct cursor_in *in, struct payload *out);
};

/* payload_call.c */
extern const struct payload_coding payload_call;
/* payload_group.c */
extern const struct payload_coding payload_group_begin, payload_group_message, payload_group_update,
    payload_group_receipts, payload_group_counts, payload_group_absent, payload_group_changed;
