/* SPDX-License-Identifier: Apache-2.0 */
/* apply_priv.h - apply.h's parts, one file per noun. Each kind of command, and of what streams
 * bring, is a pair: what must be known before it is applied, and what it does. The tables of all
 * kinds stand in apply.c and apply_stream.c. */
#pragma once

#include "store/apply.h"
#include "store/record_account.h"
#include "store/record_chat.h"
#include "store/record_inbox.h"

struct expiry;

/* What a part gets. */
struct apply {
    struct ledger *ledger;
    struct effects *effects;
    struct result *result;
    uint64_t time_ms;
};

/* The key is among those that must be known. */
struct needs {
    const struct ledger *ledger;
    void (*each)(void *context, const struct store_key *key);
    void *context;
};
void need(const struct needs *needs, enum record_table table, uint64_t owner, uint64_t a);
void need_key(const struct needs *needs, const struct store_key *key);
void need_name(const struct needs *needs, const struct store_name *name);
void need_key(const struct needs *needs, const struct store_key *key);

struct apply_command_kind {
    void (*needs)(const struct needs *needs, const struct command *command); /* NULL: nothing */
    void (*run)(const struct apply *apply, const struct command *command);
};
struct apply_payload_kind {
    void (*needs)(const struct needs *needs, const struct payload *payload); /* NULL: nothing */
    void (*run)(const struct apply *apply, const struct payload *payload);
};

/* apply_user.c */
extern const struct apply_command_kind apply_name_claim;
extern const struct apply_command_kind apply_user_remove;
extern const struct apply_command_kind apply_password_set;
extern const struct apply_payload_kind apply_user_create;
extern const struct apply_payload_kind apply_name_release;

/* False: nobody has it, nor is anybody promised it. Its key is known. */
bool apply_name_get(const struct ledger *ledger, const struct store_name *name,
                    struct record_name *out);

/* apply_hold.c */
extern const struct apply_command_kind apply_name_hold;
extern const struct apply_command_kind apply_hold;
/* The peer counts no more, if he did; the caller writes both. */
void apply_hold_end(struct record_head *head, struct record_chat *chat);
/* The count that the expiry names has come to its end, unless it was given a later one. */
void apply_hold_due(const struct apply *apply, const struct expiry *expiry, uint64_t at_ms);

/* apply_device.c */
extern const struct apply_command_kind apply_device_add;
extern const struct apply_command_kind apply_device_attach;
extern const struct apply_command_kind apply_device_revoke;
/* Adds a device to a head that has room for it, and its record. Returns its number. */
uint16_t apply_device_new(const struct apply *apply, struct record_head *head,
                          const struct command_device_add *add);
extern const struct apply_command_kind apply_device_rename;
extern const struct apply_command_kind apply_device_unseen;
/* The same for a user who may have others, which are told; writes the head. False: refused, as the
 * result says. */
bool apply_device_link(const struct apply *apply, struct record_head *head,
                       const struct command_device_add *add);
/* Removes the device that the news are of and its link code, and tells its session and the others;
 * writes the head. */
void apply_device_remove(const struct apply *apply, uint64_t user, struct record_head *head,
                         const struct store_entry_device *news);
/* Puts news of a device that is called `name` into the inbox; the head is the caller's to write. */
void apply_device_news(const struct apply *apply, uint64_t user, struct record_head *head,
                       const struct store_entry_device *news, const struct store_name *name);
/* False: there is no such device. */
bool apply_device_get(const struct apply *apply, uint64_t user, uint16_t device,
                      struct record_device *out);
void apply_device_put(const struct apply *apply, uint64_t user, uint16_t device,
                      const struct record_device *record);

/* apply_expire.c */
extern const struct apply_command_kind apply_inbox_expire;
/* What no device of the user took in of what the peer wrote, above `after`, up to `to`. */
struct apply_expired {
    uint64_t user;
    uint64_t peer;
    uint64_t after;
    uint64_t to;
};
/* Notes it, and tells the peer; what another device has is none of it. */
void apply_chat_expired(const struct apply *apply, const struct apply_expired *expired,
                        struct record_head *head);

/* apply_link.c */
extern const struct apply_command_kind apply_link_create;
extern const struct apply_command_kind apply_link_redeem;
/* The device is gone, and with it a code that it asked for. RECORD_LINK must be known. */
void apply_link_void(const struct apply *apply, uint64_t user, uint16_t device);

/* apply_window.c */
/* What the two below look up. */
void need_number(const struct needs *needs, const struct store_entry_message *message);
/* Whether the sender's device has not used the number yet; else the result says what to answer. */
bool apply_number_is_new(const struct apply *apply, const struct store_entry_message *message);
/* It has now, for this message. */
void apply_number_accept(const struct apply *apply, const struct store_entry_message *message);

/* apply_message.c */
extern const struct apply_command_kind apply_message;
extern const struct apply_payload_kind apply_copy;

/* The message lives no longer than that (0: for good), or as long as it says if that is shorter. */
void apply_live_for(const struct apply *apply, uint64_t ttl_ms,
                    struct store_entry_message *message);
/* Notes when an entry that was just added to the user's inbox expires, if it does. */
void apply_expiry(const struct apply *apply, uint64_t user, const struct store_entry *entry);
/* What one device of the user did, for the others, if there are any; where none has room they are
 * told that something is missing. False: there is no such user. */
bool apply_own_entry(const struct apply *apply, uint64_t user, struct store_entry *entry);
/* The same, whether there are others or not; the head is the user's, and is put. */
void apply_own_append(const struct apply *apply, uint64_t user, struct record_head *head,
                      struct store_entry *entry);

/* apply_change.c */
extern const struct apply_command_kind apply_change;
extern const struct apply_payload_kind apply_changed;
/* Takes body and attachments out of a message in the user's inbox, which has been read into
 * `entry`. */
void apply_wipe(const struct apply *apply, uint64_t user, struct store_entry *entry);

/* apply_edits.c */
/* A message whose edits may wait in the user's inbox. */
struct apply_edited {
    uint64_t user;
    uint64_t by; /* its author, or the group that it was written to */
    uint64_t chat_number;
};
/* What the two below look up. */
void apply_edits_need(const struct needs *needs, const struct apply_edited *edited);
/* The entry is an edit; until then the message may be taken back. `low`: the inbox's. */
void apply_edits_note(const struct apply *apply, const struct apply_edited *edited, uint64_t low,
                      uint64_t number, uint64_t kept_until_ms);
/* Takes the message's edits out of the inbox; nothing is noted of them any more. */
void apply_edits_take_out(const struct apply *apply, const struct apply_edited *edited,
                          uint64_t low);

/* apply_chat_ttl.c */
extern const struct apply_command_kind apply_chat_ttl;
extern const struct apply_payload_kind apply_chat_ttl_set;

/* apply_sweep.c */
extern const struct apply_command_kind apply_sweep;

/* apply_cursor.c */
/* Of a command_ack, whichever command has it. */
void apply_need_ack(const struct needs *needs, const struct command *command);
extern const struct apply_command_kind apply_ack;
extern const struct apply_command_kind apply_read;
extern const struct apply_payload_kind apply_receipt;

/* apply_presence.c */
extern const struct apply_command_kind apply_seen;
/* apply_wake.c */
extern const struct apply_command_kind apply_wake_set;
extern const struct apply_command_kind apply_wake_clear;
extern const struct apply_command_kind apply_wake_done;

/* apply_state.c */
extern const struct apply_command_kind apply_state;

/* apply_stream.c */
extern const struct apply_command_kind apply_stream;
extern const struct apply_command_kind apply_stream_ack;
extern const struct apply_command_kind apply_stream_round;

/* apply_group*.c */
extern const struct apply_command_kind apply_group_create, apply_group_change, apply_group_message,
    apply_group_read, apply_group_report, apply_group_tell, apply_group_revise;
extern const struct apply_payload_kind apply_group_begin, apply_group_message_in,
    apply_group_update, apply_group_receipts, apply_group_counts, apply_group_absent,
    apply_group_changed;
/* apply_group_member.c: the group said these, in this order: each member gets all of them before
 * the next gets any. */
void apply_group_said(const struct apply *apply, uint64_t group,
                      const struct store_entry_message *messages, uint32_t count);

/* apply_call.c */
extern const struct apply_command_kind apply_call_offer, apply_call_answer, apply_call_end,
    apply_call_check;
/* Time has come for the call that the expiry names. */
void apply_call_due(const struct apply *apply, const struct expiry *expiry, uint64_t at_ms);
/* The device is gone, or (0) the user: so is what it was in. Writes the head by itself. */
void apply_call_leave(const struct apply *apply, uint64_t user, uint16_t device);
/* apply_call_peer.c */
extern const struct apply_payload_kind apply_call_told;

/* apply_history.c */
extern const struct apply_command_kind apply_history;
