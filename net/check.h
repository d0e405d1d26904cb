/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - does a decoded command make sense by itself? Asked once for both forms; what passes
 * need not be checked again. The nouns' files are check_NOUN.c, the table of all commands is in
 * check.c.
 *
 * Each returns 0, or -EPROTO with what is wrong in *out_error. Frames are borrowed. Any thread;
 * never yields.
 */
#pragma once

#include "net/protocol.h"

/* What is wrong, in words. BAD_FRAME. */
MUST_CHECK int check_fail(struct protocol_error *out_error, const char *text);
/* What is wrong with which field. */
MUST_CHECK int check_fail_field(struct protocol_error *out_error, Linnet__V1__Error__Code code,
                                const char *path, const char *wrong);
/* More than this node takes. MESSAGE_TOO_LARGE. */
MUST_CHECK int check_fail_amount(struct protocol_error *out_error, const char *what, size_t amount,
                                 size_t max);

/* Whether the text holds one of Unicode's Cc, which a terminal that shows it would obey. */
bool check_holds_control(const char *text);
/* A user's name as far as it can be judged without the directory. */
MUST_CHECK int check_name(const char *path, const char *name, struct protocol_error *out_error);
/* Of a device: may be empty. check_device.c. */
MUST_CHECK int check_device_name(const char *path, const char *name,
                                 struct protocol_error *out_error);
/* A chat of two. `path` and `name_path`: of the chat, and of its userName. */
MUST_CHECK int check_chat(const char *path, const char *name_path, const Linnet__V1__Chat *chat,
                          struct protocol_error *out_error);
/* The same, or a group. */
MUST_CHECK int check_chat_any(const char *path, const char *name_path, const Linnet__V1__Chat *chat,
                              struct protocol_error *out_error);
/* A group alone. */
MUST_CHECK int check_chat_group(const char *path, const Linnet__V1__Chat *chat,
                                struct protocol_error *out_error);

typedef int check_command(const Linnet__V1__ClientFrame *frame,
                          const struct protocol_limits *limits, struct protocol_error *out_error);

/* check_login.c */
check_command check_authenticate;
/* check_push.c */
check_command check_set_push;
/* check_message.c */
check_command check_send_message;
check_command check_mark_read;
/* check_presence.c */
check_command check_set_typing;
check_command check_get_presence;
check_command check_watch_presence;
check_command check_unwatch_presence;
/* check_group.c */
check_command check_create_chat;
check_command check_modify_chat;
check_command check_join_chat;
check_command check_get_chat;
check_command check_get_chat_members;
check_command check_get_message_info;
/* check_people.c */
check_command check_set_state;
check_command check_list_states;
check_command check_get_profile;
check_command check_delete_account;
/* check_change.c */
check_command check_hide_message;
/* `bytes`: of the body and attachments beside it. */
MUST_CHECK int check_change(const Linnet__V1__Change *change, size_t bytes,
                            struct protocol_error *out_error);
/* check_call.c */
check_command check_call_offer, check_call_ringing, check_call_answer, check_call_candidate,
    check_call_hang_up;
/* check_device.c */
check_command check_rename_device, check_revoke_device;

/* check_history.c */
check_command check_get_history;
