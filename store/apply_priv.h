/* SPDX-License-Identifier: Apache-2.0 */
/* apply_priv.h - apply.h's parts, one per noun. */
#pragma once

#include "store/apply.h"

/* What a part gets. */
struct apply {
    struct ledger *ledger;
    struct effects *effects;
    struct result *result;
    uint64_t time_ms;
};

/* apply_user.c */
void apply_name_claim(const struct apply *apply, const struct command_name_claim *claim);
void apply_user_create(const struct apply *apply, const struct payload_user_create *create);
void apply_user_remove(const struct apply *apply, uint64_t user);
void apply_name_release(const struct apply *apply, const struct payload_name_release *release);
void apply_password_set(const struct apply *apply, const struct command_password_set *password);

/* apply_device.c */
void apply_device_add(const struct apply *apply, const struct command_device_add *add);
void apply_device_attach(const struct apply *apply, const struct command_device *device);
void apply_device_revoke(const struct apply *apply, const struct command_device *device);
/* Adds a device to a head that has room for it, and its record. Returns its number. */
uint16_t apply_device_new(const struct apply *apply, struct record_head *head,
                          const struct command_device_add *add);

/* apply_window.c */
/* Whether the sender's device has not used the number yet; else the result says what to answer. */
bool apply_number_is_new(const struct apply *apply, const struct store_entry_message *message);
/* It has now, for this message. */
void apply_number_accept(const struct apply *apply, const struct store_entry_message *message);

/* apply_message.c */
void apply_message(const struct apply *apply, const struct command_message *message);
void apply_copy(const struct apply *apply, const struct payload_copy *copy);

/* apply_cursor.c */
void apply_ack(const struct apply *apply, const struct command_ack *ack);
void apply_read(const struct apply *apply, const struct command_read *read);
void apply_receipt(const struct apply *apply, const struct payload_receipt *receipt);

/* apply_stream.c */
void apply_stream(const struct apply *apply, const struct command_stream *stream);
void apply_stream_ack(const struct apply *apply, const struct command_stream_ack *ack);
