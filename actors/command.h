/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - a client's commands as the files that carry them out see them: command_NOUN.c, each
 * with its kinds, and one table of all of them in connection_command.c.
 *
 *     frame ── command_kind.run ──> request to a partition, a struct pending
 *                                                │ answer
 *            frame out <── request_kind.done ────┘ or .refused
 *
 * All of it runs in the connection's actor. Frames are borrowed.
 */
#pragma once

#include "actors/connection_priv.h"

/* How a command is begun. It answers at once, or leaves a pending. May yield. */
struct command_kind {
    void (*run)(struct connection *connection, const Linnet__V1__ClientFrame *frame);
};

/* What a partition was asked, and what comes of its answer. None of them yields. */
struct request_kind {
    uint32_t tag; /* the store's */
    /* None of them may overtake another to the same partition: what is said, and what changes where
     * it is heard. */
    bool ordered;
    void (*done)(struct connection *connection, const struct pending *pending,
                 const struct ln_msg *answer);
    /* NULL: command_refuse. */
    void (*refused)(struct connection *connection, const struct pending *pending, int error);
    /* True: the pending was taken, to be asked again. NULL: never. */
    bool (*put_off)(struct connection *connection, struct pending *pending,
                    const struct ln_msg *answer);
};

/* connection_pending.c */
/* Remembers the command until its request is answered. */
struct pending *command_pending(const struct request_kind *kind,
                                const Linnet__V1__ClientFrame *frame, uint64_t number);
/* Takes the pending; `request` is ln_request's reference, 0: it will be asked again. */
void command_pending_add(struct connection *connection, struct pending *pending, uint64_t request);
/* As the device gave it: 0 when the node numbered the message. */
uint64_t command_number(const struct pending *pending);
/* Asks the partition of a user or a group, with the struct that request.h names beside kind->tag,
 * and remembers the command. Takes the buffer (NULL: none). */
void command_ask(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                 const struct request_kind *kind, uint64_t owner, const void *data, size_t bytes,
                 struct ln_buffer *buffer);
/* The same for a pending of an ordered kind, which it takes; or the device has to start over. */
void command_ask_in_order(struct connection *connection, struct pending *pending, uint64_t owner,
                          const void *data, size_t bytes, struct ln_buffer *buffer);
/* The device's, or one of the node's when it gave none. */
uint64_t command_number_new(struct connection *connection, const Linnet__V1__ClientFrame *frame);
/* A partition's actor ended, and messages that were sent to it with it. Those behind them, which
 * its successor would accept, must not overtake: so the device sends all of them again, in
 * order. */
void command_start_over(struct connection *connection);

/* command_refuse.c */
/* Answers with what the store's error means. */
void command_refuse(struct connection *connection, uint64_t number, uint64_t ref, int error);
/* The same for requests about the device's own user: one who is gone is closed. */
void command_refuse_own(struct connection *connection, const struct pending *pending, int error);

/* command_device.c, command_list.c */
extern const struct command_kind command_list_devices, command_rename_device, command_revoke_device,
    command_create_link_code, command_list_chats;

/* command_chat.c */
/* Whom a chat means: 0 and the user's or group's id, or what the name's partition says. Yields for
 * a name. */
MUST_CHECK int command_chat_resolve(struct connection *connection, const Linnet__V1__Chat *chat,
                                    uint64_t *out_peer);
/* Whether a message has passed between the user and him, as far as the user's own partition knows.
 * 0, or why it can't tell. Yields. */
MUST_CHECK int command_met(struct connection *connection, uint64_t peer, bool *out);
static inline bool
command_chat_is_group(const Linnet__V1__Chat *chat)
{
    return chat->peer_case == LINNET__V1__CHAT__PEER_GROUP_ID;
}
/* The name in a command's chat could not be looked up; `field` names it ("markRead.chat"). */
void command_refuse_name(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                         const char *field, int error);

/* command_hold.c */
/* The same for a name that nobody has, where such are written to (settings.hold_unknown): the id
 * that whoever takes it will have. `said` is filled for the recipient's partition; `fresh`: it may
 * be the first message to him; *out_anew: he was not counted before, and is given back if that one
 * is refused. 0; -ENOENT; -EUSERS, -EMFILE: too many are written to. Yields. */
MUST_CHECK int command_hold(struct connection *connection, const char *name, bool fresh,
                            struct store_message *said, bool *out_anew);
void command_hold_back(const struct connection *connection, uint64_t recipient);

/* command_message.c */
extern const struct command_kind command_send_message;
/* Who says it, and what the device has not said of it: the number, if need be. */
struct store_message command_said(struct connection *connection,
                                  const Linnet__V1__ClientFrame *frame);
/* The body and attachments, whose lengths and kind go into *out. The caller's; NULL: neither. */
struct ln_buffer *command_body(const Linnet__V1__SendMessage *send, struct store_message *out);
/* Answers with `sent`; with what it was refused for. */
void command_sent(struct connection *connection, const struct pending *pending,
                  const struct ln_msg *answer);
void command_say_refused(struct connection *connection, const struct pending *pending, int error);

/* command_state.c */
extern const struct command_kind command_set_state;
extern const struct command_kind command_list_states;
extern const struct command_kind command_get_profile;
/* command_account.c */
extern const struct command_kind command_delete_account;
/* command_turn.c */
extern const struct command_kind command_get_turn_credentials;

/* command_change.c */
extern const struct command_kind command_hide_message;
/* A sendMessage that changes another. `said` has its recipient. */
void command_change(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                    const struct store_message *said);
/* command_call.c */
extern const struct command_kind command_call_offer, command_call_ringing, command_call_answer,
    command_call_candidate, command_call_hang_up;
/* command_ttl.c */
/* A modifyChat of a chat of two. */
void command_chat_ttl(struct connection *connection, const Linnet__V1__ClientFrame *frame);
/* command_push.c */
extern const struct command_kind command_set_push;
extern const struct command_kind command_clear_push;
extern const struct command_kind command_get_push;
/* command_cursor.c */
extern const struct command_kind command_ack;
extern const struct command_kind command_mark_read;
/* command_presence.c */
extern const struct command_kind command_set_active;
extern const struct command_kind command_get_presence;
extern const struct command_kind command_watch_presence;
extern const struct command_kind command_unwatch_presence;
/* command_typing.c */
extern const struct command_kind command_set_typing;
/* command_group.c */
extern const struct command_kind command_create_chat;
extern const struct command_kind command_modify_chat;
extern const struct command_kind command_join_chat;
/* command_group_look.c */
extern const struct command_kind command_get_chat;
extern const struct command_kind command_list_groups;
extern const struct command_kind command_get_chat_members;
extern const struct command_kind command_get_message_info;

/* command_history.c */
extern const struct command_kind command_get_history;
