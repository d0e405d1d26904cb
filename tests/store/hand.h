/* SPDX-License-Identifier: Apache-2.0 */
/* hand.h - the store's requests as plain calls, for scripts. Each waits for its answer; errors are
 * ln_call's. */
#pragma once

#include "store/request.h"
#include "store/rule.h"
#include "store/store.h"

int hand_user_create(struct store *store, const char *name, bool with_device, uint64_t *out_user);
int hand_name_find(struct store *store, const char *name, uint64_t *out_user);
int hand_user_get(struct store *store, uint64_t user, struct store_user *out);
int hand_user_remove(struct store *store, uint64_t user);
int hand_password_get(struct store *store, uint64_t user, struct store_password *out);
int hand_password_set(struct store *store, uint64_t user, const char *text);
int hand_device_add(struct store *store, uint64_t user, unsigned char hash, uint16_t *out_device);
int hand_device_check(struct store *store, uint64_t user, uint16_t device, unsigned char hash);
int hand_device_revoke(struct store *store, uint64_t user, uint16_t device);
/* Rows copied out; at most `max`. */
int hand_device_list(struct store *store, uint64_t user, struct store_device *out, uint32_t max,
                     uint32_t *out_count);
int hand_user_list(struct store *store, uint8_t partition, uint64_t after, uint32_t max,
                   struct store_user *out, struct store_rows *out_rows);
int hand_chats(struct store *store, uint64_t user, uint64_t after, uint32_t max,
               struct store_chat *out, struct store_rows *out_rows);
/* state.h; `value` NULL: the state is removed. */
int hand_state(struct store *store, uint64_t user, uint8_t kind, uint64_t subject,
               const char *value);
/* With one exception, or (0) none. */
int hand_rule(struct store *store, uint64_t user, enum store_sees what, uint8_t audience,
              uint64_t exception);
/* The answer, to be freed: its buffer holds the states. */
int hand_states(struct store *store, const struct store_state_list *list,
                struct ln_msg **out_answer);
int hand_may_see(struct store *store, uint64_t subject, uint64_t watcher, enum store_sees what,
                 bool *out_yes);
/* The answer, to be freed: its buffer holds the profile. */
int hand_profile(struct store *store, uint64_t subject, uint64_t watcher,
                 struct ln_msg **out_answer);
/* The session is the caller. */
int hand_attach(struct store *store, uint64_t user, uint16_t device, struct store_attached *out);
/* Another pid is. */
int hand_attach_for(struct store *store, uint64_t user, uint16_t device, ln_pid session,
                    struct store_attached *out);
/* As one that has brought a token, of which every byte of the hash is `hash`. */
int hand_attach_proving(struct store *store, uint64_t user, uint16_t device, unsigned char hash,
                        struct store_attached *out);
/* As one that has been the device's session before. */
int hand_attach_again(struct store *store, uint64_t user, uint16_t device,
                      struct store_attached *out);
int hand_detach(struct store *store, uint64_t user, uint16_t device);

struct hand_message {
    uint64_t from;
    uint64_t to;
    uint64_t number;
    uint16_t device; /* 0: 1 */
    bool copy;
    uint8_t content_kind;
    uint64_t ttl_ms; /* 0: it stays */
    const char *text;
};
struct ln_msg *hand_message_request(const struct hand_message *message);
int hand_message(struct store *store, const struct hand_message *message, struct store_sent *out);
/* Asks for it and does not wait: hand_accepted takes the answer. */
void hand_message_ask(struct store *store, const struct hand_message *message);
/* Takes the answer to some message of hand_message_request: whether it came within a minute, and
 * said that the message was accepted. */
bool hand_accepted(void);
int hand_ack(struct store *store, uint64_t user, uint16_t device, uint64_t number);
/* What the user has read is asked for with it. */
int hand_ack_read(struct store *store, const struct store_ack *ack, struct store_marked *out);
int hand_read(struct store *store, uint64_t user, uint64_t peer, uint64_t chat_number);
/* The answer, to be freed: its buffer holds the entries. */
int hand_inbox(struct store *store, const struct store_inbox *inbox, struct ln_msg **out_answer);

/* How devices are woken. The endpoint is "https://h/" and the app's own "app". */
int hand_wake_set(struct store *store, uint64_t user, uint16_t device);
int hand_wake_clear(struct store *store, uint64_t user, uint16_t device, uint64_t id);
int hand_wake_get(struct store *store, uint64_t user, uint16_t device,
                  struct store_wake_state *out);
int hand_wake_done(struct store *store, const struct store_wake_state *state);
