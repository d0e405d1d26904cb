/* SPDX-License-Identifier: Apache-2.0 */
/* command_priv.h - command.h's parts: how each kind of command is written and read.
 *
 * A noun that brings more than a few has a file of its own (command_NOUN.c), and each of its kinds
 * a line in the table of command.c. Reading marks the cursor as failed for what can't be right, so
 * that apply may rely on what it is given.
 */
#pragma once

#include "store/command.h"
#include "store/cursor.h"

/* Behind the time, which all have. */
struct command_coding {
    const char *name;
    void (*put)(struct cursor_out *out, const struct command *command);
    void (*get)(struct cursor_in *in, struct command *out); /* out->time_ms is set */
};

/* command_state.c */
void command_put_state(struct cursor_out *out, const struct command *command);
void command_get_state(struct cursor_in *in, struct command *command);

/* command_change.c */
void command_put_change(struct cursor_out *out, const struct command *command);
void command_get_change(struct cursor_in *in, struct command *out);
void command_put_chat_ttl(struct cursor_out *out, const struct command *command);
void command_get_chat_ttl(struct cursor_in *in, struct command *command);
void command_put_user_remove(struct cursor_out *out, const struct command *command);
void command_get_user_remove(struct cursor_in *in, struct command *command);
void command_put_sweep(struct cursor_out *out, const struct command *command);
void command_get_sweep(struct cursor_in *in, struct command *out);

/* Fails the cursor for a message that no request can bring. */
void command_check_message(struct cursor_in *in, const struct command *command,
                           const struct store_entry_message *message);
void command_put_pairs(struct cursor_out *out, const struct command_pairs *pairs);
void command_get_pairs(struct cursor_in *in, struct command_pairs *out);
/* 0 or 1; any other byte fails the cursor. */
bool command_get_flag(struct cursor_in *in);

/* command_wake.c */
void command_put_wake_set(struct cursor_out *out, const struct command *command);
void command_get_wake_set(struct cursor_in *in, struct command *out);
void command_put_wake_clear(struct cursor_out *out, const struct command *command);
void command_get_wake_clear(struct cursor_in *in, struct command *out);
void command_put_wake_done(struct cursor_out *out, const struct command *command);
void command_get_wake_done(struct cursor_in *in, struct command *out);
/* command_group.c */
void command_put_group_create(struct cursor_out *out, const struct command *command);
void command_get_group_create(struct cursor_in *in, struct command *out);
void command_put_group_change(struct cursor_out *out, const struct command *command);
void command_get_group_change(struct cursor_in *in, struct command *out);
void command_put_group_report(struct cursor_out *out, const struct command *command);
void command_get_group_report(struct cursor_in *in, struct command *out);
void command_put_group_tell(struct cursor_out *out, const struct command *command);
void command_get_group_tell(struct cursor_in *in, struct command *out);

/* command_call.c */
void command_put_call_offer(struct cursor_out *out, const struct command *command);
void command_get_call_offer(struct cursor_in *in, struct command *command);
void command_put_call(struct cursor_out *out, const struct command *command);
void command_get_call(struct cursor_in *in, struct command *command);

/* command_history.c */
void command_put_old_history(struct cursor_out *out, const struct command *command);
void command_get_old_history(struct cursor_in *in, struct command *out);
/* command_hold.c */
void command_put_name_hold(struct cursor_out *out, const struct command *command);
void command_get_name_hold(struct cursor_in *in, struct command *out);
void command_put_hold(struct cursor_out *out, const struct command *command);
void command_get_hold(struct cursor_in *in, struct command *out);

/* command_device.c */
void device_rename_put(struct cursor_out *out, const struct command *command);
void device_rename_get(struct cursor_in *in, struct command *out);
void link_create_put(struct cursor_out *out, const struct command *command);
void link_create_get(struct cursor_in *in, struct command *out);
void link_redeem_put(struct cursor_out *out, const struct command *command);
void link_redeem_get(struct cursor_in *in, struct command *out);
void device_unseen_put(struct cursor_out *out, const struct command *command);
void device_unseen_get(struct cursor_in *in, struct command *out);
