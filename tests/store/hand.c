/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/hand.h"

#include <string.h>

enum { TIMEOUT_MS = 20000 };

static struct ln_msg *
request(uint32_t tag, const void *data, size_t bytes)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_DURABLE, bytes);
    memcpy(msg->data, data, bytes);
    return msg;
}

/* Calls; copies out_bytes of the answer. */
static int
call(ln_pid pid, struct ln_msg *msg, void *out, size_t out_bytes)
{
    struct ln_msg *answer = NULL;
    int error = ln_call(pid, &msg, TIMEOUT_MS, &answer);
    if (error == 0 && out != NULL) {
        memcpy(out, answer->data, out_bytes);
    }
    ln_msg_free(&answer);
    ln_msg_free(&msg);
    return error;
}

/* Calls; copies the answer and the rows in its buffer. */
static int
call_rows(ln_pid pid, struct ln_msg *msg, struct store_rows *out_rows, void *out, size_t out_bytes)
{
    struct ln_msg *answer = NULL;
    int error = ln_call(pid, &msg, TIMEOUT_MS, &answer);
    if (error == 0) {
        memcpy(out_rows, answer->data, sizeof(*out_rows));
        if (answer->buffer != NULL) {
            size_t bytes = ln_buffer_bytes(answer->buffer);
            memcpy(out, ln_buffer_data(answer->buffer), bytes < out_bytes ? bytes : out_bytes);
        }
    }
    ln_msg_free(&answer);
    return error;
}

static struct store_name
name_of(const char *text)
{
    struct store_name name = {.bytes = (uint8_t)strlen(text)};
    memcpy(name.text, text, name.bytes);
    return name;
}

int
hand_user_create(struct store *store, const char *text, bool with_device, uint64_t *out_user)
{
    struct store_user_create create = {.name = name_of(text), .with_device = with_device};
    struct store_user_created created = {0};
    create.password_bytes = 4;
    memcpy(create.password, "$pw$", 4);
    memset(create.token_hash, 1, sizeof(create.token_hash));
    int error =
        call(store_name_pid(store, text, strlen(text)),
             request(STORE_USER_CREATE, &create, sizeof(create)), &created, sizeof(created));
    *out_user = created.user;
    return error;
}

int
hand_name_find(struct store *store, const char *text, uint64_t *out_user)
{
    struct store_name name = name_of(text);
    struct store_user_id found = {0};
    int error = call(store_name_pid(store, text, strlen(text)),
                     request(STORE_NAME_FIND, &name, sizeof(name)), &found, sizeof(found));
    *out_user = found.user;
    return error;
}

int
hand_user_get(struct store *store, uint64_t user, struct store_user *out)
{
    struct store_user_id id = {user};
    return call(store_user_pid(store, user), request(STORE_USER_GET, &id, sizeof(id)), out,
                sizeof(*out));
}

int
hand_user_remove(struct store *store, uint64_t user)
{
    struct store_user_id id = {user};
    return call(store_user_pid(store, user), request(STORE_USER_REMOVE, &id, sizeof(id)), NULL, 0);
}

int
hand_password_get(struct store *store, uint64_t user, struct store_password *out)
{
    struct store_user_id id = {user};
    return call(store_user_pid(store, user), request(STORE_PASSWORD_GET, &id, sizeof(id)), out,
                sizeof(*out));
}

int
hand_password_set(struct store *store, uint64_t user, const char *text)
{
    struct store_password password = {.user = user, .bytes = (uint8_t)strlen(text)};
    memcpy(password.text, text, password.bytes);
    return call(store_user_pid(store, user),
                request(STORE_PASSWORD_SET, &password, sizeof(password)), NULL, 0);
}

int
hand_device_add(struct store *store, uint64_t user, unsigned char hash, uint16_t *out_device)
{
    struct store_device_add add = {.user = user, .name = name_of("phone")};
    struct store_device_added added = {0};
    memset(add.token_hash, hash, sizeof(add.token_hash));
    int error = call(store_user_pid(store, user), request(STORE_DEVICE_ADD, &add, sizeof(add)),
                     &added, sizeof(added));
    *out_device = added.device;
    return error;
}

int
hand_device_check(struct store *store, uint64_t user, uint16_t device, unsigned char hash)
{
    struct store_device_check check = {.user = user, .device = device};
    memset(check.token_hash, hash, sizeof(check.token_hash));
    return call(store_user_pid(store, user), request(STORE_DEVICE_CHECK, &check, sizeof(check)),
                NULL, 0);
}

int
hand_device_revoke(struct store *store, uint64_t user, uint16_t device)
{
    struct store_device_id id = {.user = user, .device = device};
    return call(store_user_pid(store, user), request(STORE_DEVICE_REVOKE, &id, sizeof(id)), NULL,
                0);
}

int
hand_device_list(struct store *store, uint64_t user, struct store_device *out, uint32_t max,
                 uint32_t *out_count)
{
    struct store_user_id id = {user};
    struct store_rows rows = {0};
    int error = call_rows(store_user_pid(store, user), request(STORE_DEVICE_LIST, &id, sizeof(id)),
                          &rows, out, max * sizeof(*out));
    *out_count = rows.count;
    return error;
}

int
hand_user_list(struct store *store, uint8_t partition, uint64_t after, uint32_t max,
               struct store_user *out, struct store_rows *out_rows)
{
    struct store_list list = {.after = after, .max = max};
    return call_rows(store_partition_pid(store, partition),
                     request(STORE_USER_LIST, &list, sizeof(list)), out_rows, out,
                     max * sizeof(*out));
}

int
hand_chats(struct store *store, uint64_t user, uint64_t after, uint32_t max, struct store_chat *out,
           struct store_rows *out_rows)
{
    struct store_list list = {.user = user, .after = after, .max = max};
    return call_rows(store_user_pid(store, user), request(STORE_CHATS, &list, sizeof(list)),
                     out_rows, out, max * sizeof(*out));
}

int
hand_attach(struct store *store, uint64_t user, uint16_t device, struct store_attached *out)
{
    return hand_attach_for(store, user, device, ln_self(), out);
}

int
hand_attach_for(struct store *store, uint64_t user, uint16_t device, ln_pid session,
                struct store_attached *out)
{
    struct store_attach attach = {.user = user, .device = device, .session = session};
    return call(store_user_pid(store, user), request(STORE_ATTACH, &attach, sizeof(attach)), out,
                sizeof(*out));
}

int
hand_attach_proving(struct store *store, uint64_t user, uint16_t device, unsigned char hash,
                    struct store_attached *out)
{
    struct store_attach attach = {
        .user = user, .device = device, .proves = true, .session = ln_self()};
    memset(attach.token_hash, hash, sizeof(attach.token_hash));
    return call(store_user_pid(store, user), request(STORE_ATTACH, &attach, sizeof(attach)), out,
                sizeof(*out));
}

int
hand_attach_again(struct store *store, uint64_t user, uint16_t device, struct store_attached *out)
{
    struct store_attach attach = {
        .user = user, .device = device, .again = true, .session = ln_self()};
    return call(store_user_pid(store, user), request(STORE_ATTACH, &attach, sizeof(attach)), out,
                sizeof(*out));
}

int
hand_detach(struct store *store, uint64_t user, uint16_t device)
{
    struct store_detach detach = {.user = user, .device = device, .session = ln_self()};
    return call(store_user_pid(store, user), request(STORE_DETACH, &detach, sizeof(detach)), NULL,
                0);
}

struct ln_msg *
hand_message_request(const struct hand_message *message)
{
    struct store_message data = {
        .recipient = message->to,
        .sender = message->from,
        .number = message->number,
        .sender_device = message->device == 0 ? 1 : message->device,
        .body_kind = 1,
        .content_kind = message->content_kind,
        .copy = message->copy,
        .ttl_ms = message->ttl_ms,
        .body_bytes = (uint32_t)strlen(message->text),
        .sender_name = name_of("who"),
    };
    struct ln_msg *msg = request(STORE_MESSAGE, &data, sizeof(data));
    if (data.body_bytes > 0) {
        msg->buffer = ln_buffer_new(data.body_bytes);
        memcpy(ln_buffer_data(msg->buffer), message->text, data.body_bytes);
    }
    return msg;
}

int
hand_message(struct store *store, const struct hand_message *message, struct store_sent *out)
{
    struct store_sent sent;
    return call(store_user_pid(store, message->to), hand_message_request(message),
                out != NULL ? out : &sent, sizeof(sent));
}

void
hand_message_ask(struct store *store, const struct hand_message *message)
{
    struct ln_msg *request = hand_message_request(message);
    (void)ln_request(store_user_pid(store, message->to), &request);
}

bool
hand_accepted(void)
{
    struct ln_msg *answer = NULL;
    int error = ln_receive(60000, &answer);
    bool accepted = error == 0 && answer->error == 0;
    ln_msg_free(&answer);
    return accepted;
}

int
hand_ack(struct store *store, uint64_t user, uint16_t device, uint64_t number)
{
    struct store_ack ack = {.user = user, .device = device, .number = number};
    return call(store_user_pid(store, user), request(STORE_ACK, &ack, sizeof(ack)), NULL, 0);
}

int
hand_ack_read(struct store *store, const struct store_ack *ack, struct store_marked *out)
{
    return call(store_user_pid(store, ack->user), request(STORE_ACK, ack, sizeof(*ack)), out,
                sizeof(*out));
}

int
hand_read(struct store *store, uint64_t user, uint64_t peer, uint64_t chat_number)
{
    struct store_read read = {.user = user, .peer = peer, .chat_number = chat_number};
    return call(store_user_pid(store, user), request(STORE_READ, &read, sizeof(read)), NULL, 0);
}

int
hand_inbox(struct store *store, const struct store_inbox *inbox, struct ln_msg **out_answer)
{
    struct ln_msg *msg = request(STORE_INBOX, inbox, sizeof(*inbox));
    return ln_call(store_user_pid(store, inbox->user), &msg, TIMEOUT_MS, out_answer);
}

int
hand_wake_set(struct store *store, uint64_t user, uint16_t device)
{
    static const char text[] = "https://h/app";
    struct store_wake_set set = {.user = user,
                                 .device = device,
                                 .kind = STORE_WAKE_WEBPUSH,
                                 .endpoint_bytes = 10,
                                 .app_bytes = 3};
    struct ln_msg *msg = request(STORE_WAKE_SET, &set, sizeof(set));
    msg->buffer = ln_buffer_new(sizeof text - 1);
    memcpy(ln_buffer_data(msg->buffer), text, sizeof text - 1);
    return call(store_user_pid(store, user), msg, NULL, 0);
}

int
hand_wake_clear(struct store *store, uint64_t user, uint16_t device, uint64_t id)
{
    struct store_wake_clear clear = {.user = user, .device = device, .id = id};
    return call(store_user_pid(store, user), request(STORE_WAKE_CLEAR, &clear, sizeof(clear)), NULL,
                0);
}

int
hand_wake_get(struct store *store, uint64_t user, uint16_t device, struct store_wake_state *out)
{
    struct store_device_id id = {.user = user, .device = device};
    return call(store_user_pid(store, user), request(STORE_WAKE_GET, &id, sizeof(id)), out,
                sizeof(*out));
}

int
hand_wake_done(struct store *store, const struct store_wake_state *state)
{
    struct store_wake_done done = {.user = state->set.user,
                                   .device = state->set.device,
                                   .id = state->id,
                                   .newest = state->newest};
    return call(store_user_pid(store, done.user), request(STORE_WAKE_DONE, &done, sizeof(done)),
                NULL, 0);
}

int
hand_state(struct store *store, uint64_t user, uint8_t kind, uint64_t subject, const char *value)
{
    struct store_state state = {
        .user = user,
        .subject = subject,
        .kind = kind,
        .value_bytes = value != NULL ? (uint32_t)strlen(value) : 0,
    };
    uint32_t tag = value != NULL ? STORE_STATE_SET : STORE_STATE_REMOVE;
    struct ln_msg *msg = request(tag, &state, sizeof(state));
    if (state.value_bytes > 0) {
        msg->buffer = ln_buffer_new(state.value_bytes);
        memcpy(ln_buffer_data(msg->buffer), value, state.value_bytes);
    }
    return call(store_user_pid(store, user), msg, NULL, 0);
}

int
hand_rule(struct store *store, uint64_t user, enum store_sees what, uint8_t audience,
          uint64_t exception)
{
    struct store_state state = {
        .user = user,
        .kind = (uint8_t)(STORE_STATE_RULE + what),
        .value_bytes = (uint32_t)rule_bytes(exception != 0),
    };
    struct ln_msg *msg = request(STORE_STATE_SET, &state, sizeof(state));
    msg->buffer = ln_buffer_new(state.value_bytes);
    rule_begin(audience, exception != 0, ln_buffer_data(msg->buffer));
    if (exception != 0) {
        rule_except(ln_buffer_data(msg->buffer), 0, exception);
    }
    return call(store_user_pid(store, user), msg, NULL, 0);
}

int
hand_states(struct store *store, const struct store_state_list *list, struct ln_msg **out_answer)
{
    struct ln_msg *msg = request(STORE_STATE_LIST, list, sizeof(*list));
    return ln_call(store_user_pid(store, list->user), &msg, TIMEOUT_MS, out_answer);
}

int
hand_may_see(struct store *store, uint64_t subject, uint64_t watcher, enum store_sees what,
             bool *out_yes)
{
    struct store_may_see see = {.subject = subject, .watcher = watcher, .what = (uint8_t)what};
    struct store_visible seen = {0};
    int error = call(store_user_pid(store, subject), request(STORE_MAY_SEE, &see, sizeof(see)),
                     &seen, sizeof(seen));
    *out_yes = seen.yes;
    return error;
}

int
hand_profile(struct store *store, uint64_t subject, uint64_t watcher, struct ln_msg **out_answer)
{
    struct store_may_see see = {.subject = subject, .watcher = watcher};
    struct ln_msg *msg = request(STORE_PROFILE, &see, sizeof(see));
    return ln_call(store_user_pid(store, subject), &msg, TIMEOUT_MS, out_answer);
}
