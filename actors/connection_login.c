/* SPDX-License-Identifier: Apache-2.0 */
/* Who is it? A token is checked against its device's hash; a password against its user's, and then
 * gives a new device with a new token. Straight-line code: only this connection waits.
 *
 * Whoever asks with a wrong name waits as long as with a wrong password, and is told the same. */
#include "actors/connection_priv.h"
#include "actors/name.h"
#include "actors/tree.h"
#include "runtime/supervisor.h"
#include "store/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    /* The partition may be being started again: the first time again at once, then after a
     * pause. */
    ATTACH_TRIES = 6,
    ATTACH_PAUSE_MS = 20,
    /* Longer than nearly all batches of the log take. */
    LINK_STEP_MS = 250,
};

/* ------------------------------------------------------------------------------------- refusing */

struct refusal {
    int error;
    Linnet__V1__Error__Code code;
    const char *text;
    uint64_t retry_after_ms;
};

/* The last row is for every other error. */
static const struct refusal refusals[] = {
    {-EACCES, LINNET__V1__ERROR__CODE__WRONG_CREDENTIALS, "no such user, or not this password", 0},
    {-EKEYREJECTED, LINNET__V1__ERROR__CODE__TOKEN_INVALID,
     "not a token of this node's, or revoked", 0},
    {-EMFILE, LINNET__V1__ERROR__CODE__TOO_MANY_DEVICES,
     "the user has as many devices as the node allows", 0},
    {-EILSEQ, LINNET__V1__ERROR__CODE__NAME_INVALID,
     "authenticate.passwordLogin.name: not a name that a user can have", 0},
    {-EAGAIN, LINNET__V1__ERROR__CODE__OVERLOADED, "too many logins at once", 1000},
    {-EDQUOT, LINNET__V1__ERROR__CODE__RATE_LIMITED,
     "more new users than this address or this node may have in an hour", 0},
    {-ENOSPC, LINNET__V1__ERROR__CODE__STORAGE_FULL, "the node's disk is full", 5000},
    {0, LINNET__V1__ERROR__CODE__INTERNAL, "the node failed during the login", 1000},
};

static const struct refusal *
refusal_of(int error)
{
    const struct refusal *refusal = refusals;
    while (refusal->error != 0 && refusal->error != error) {
        refusal++;
    }
    return refusal;
}

/* `frame` is NULL for a token in the upgrade request; `text` NULL for the error's own. What passes
 * is the node's fault, and not counted as a try. */
static void
login_refuse(struct connection *connection, const Linnet__V1__ClientFrame *frame, int error,
             const char *text)
{
    const struct refusal *refusal = refusal_of(error);
    messenger_count(&connection->messenger->counters.logins_failed);
    uint64_t wait_ms = error == -EDQUOT ? connection_rate_registration_wait_ms(connection)
                                        : refusal->retry_after_ms;
    event_error(connection, frame != NULL ? frame->number : 0, frame != NULL ? frame->ref : 0,
                refusal->code, text != NULL ? text : refusal->text, wait_ms);
    if (protocol_error_passes(refusal->code)) {
        return;
    }
    connection->logins++;
    connection_rate_charge(connection, RATE_FAILED_LOGINS);
    if (connection->logins >= CONNECTION_LOGINS_MAX) {
        connection_close(connection, PROTOCOL_CLOSE_UNAUTHENTICATED, "too many failed logins");
    }
}

/* Whether too many logins from its address have failed: then none is tried, good or bad, so that
 * nobody learns which. */
static bool
login_put_off(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    uint64_t wait_ms = connection_rate_wait_ms(connection, RATE_FAILED_LOGINS);
    if (wait_ms > 0) {
        messenger_count(&connection->messenger->counters.rate_refused[RATE_FAILED_LOGINS]);
        event_error(connection, frame != NULL ? frame->number : 0, frame != NULL ? frame->ref : 0,
                    LINNET__V1__ERROR__CODE__RATE_LIMITED, rate_class_refusal(RATE_FAILED_LOGINS),
                    wait_ms);
    }
    return wait_ms > 0;
}

/* ----------------------------------------------------------------------------- asking the store */

static int
ask(ln_pid partition, struct ln_msg **request, void *out, size_t out_bytes)
{
    struct ln_msg *answer = NULL;
    int error = ln_call(partition, request, CONNECTION_CALL_MS, &answer);
    if (error == 0) {
        ASSERT(answer->bytes >= out_bytes);
        memcpy(out, answer->data, out_bytes);
        ln_msg_free(&answer);
    }
    return error;
}

static struct ln_msg *
request_new(enum store_tag tag, const void *data, size_t bytes)
{
    struct ln_msg *request = ln_msg_new(tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    return request;
}

static int
user_find(struct messenger *messenger, const struct store_name *name, uint64_t *out_user)
{
    struct ln_msg *request = request_new(STORE_NAME_FIND, name, sizeof *name);
    struct store_user_id found;
    ln_pid partition = store_name_pid(messenger->store, name->text, name->bytes);
    int error = ask(partition, &request, &found, sizeof found);
    if (error == 0) {
        *out_user = found.user;
    }
    return error;
}

/* The hash is left empty for who has none. */
static int
password_get(struct messenger *messenger, uint64_t user, char hash[AUTH_PASSWORD_HASH_BYTES])
{
    struct store_user_id id = {user};
    struct ln_msg *request = request_new(STORE_PASSWORD_GET, &id, sizeof id);
    struct store_password password;
    int error = ask(store_user_pid(messenger->store, user), &request, &password, sizeof password);
    if (error == -ENODATA || error == -ENOENT) {
        return 0;
    }
    if (error == 0) {
        size_t bytes = password.bytes < AUTH_PASSWORD_HASH_BYTES ? password.bytes : 0;
        memcpy(hash, password.text, bytes);
        hash[bytes] = '\0';
    }
    return error;
}

static struct store_name
name_of(const char *text)
{
    struct store_name name = {0};
    size_t bytes = strnlen(text, sizeof name.text);
    name.bytes = (uint8_t)bytes;
    memcpy(name.text, text, bytes);
    return name;
}

static int
device_add(struct messenger *messenger, uint64_t user, const char *device_name,
           struct auth_token *out)
{
    struct store_device_add add = {.user = user, .name = name_of(device_name)};
    ln_random(out->secret, sizeof out->secret);
    auth_token_hash(out->secret, add.token_hash);
    struct ln_msg *request = request_new(STORE_DEVICE_ADD, &add, sizeof add);
    struct store_device_added added;
    int error = ask(store_user_pid(messenger->store, user), &request, &added, sizeof added);
    if (error == 0) {
        out->user = user;
        out->device = added.device;
    }
    return error;
}

static int
user_register(struct connection *connection, const struct store_name *name, struct auth_job *job,
              uint64_t *out_user)
{
    if (name_fault(name->text, name->bytes) != NULL) {
        return -EILSEQ;
    }
    if (!connection_rate_registers(connection)) {
        return -EDQUOT;
    }
    ln_work(auth_hash_job, job, false);
    if (job->error != 0) {
        return job->error;
    }
    struct store_user_create create = {.name = *name};
    create.password_bytes = (uint8_t)strnlen(job->hash, sizeof create.password - 1);
    memcpy(create.password, job->hash, create.password_bytes);
    struct ln_msg *request = request_new(STORE_USER_CREATE, &create, sizeof create);
    struct store_user_created created;
    ln_pid partition = store_name_pid(connection->messenger->store, name->text, name->bytes);
    int error = ask(partition, &request, &created, sizeof created);
    if (error == 0) {
        *out_user = created.user;
    }
    return error == -EEXIST ? -EACCES : error;
}

/* ---------------------------------------------------------------------------------- moving home */

/* What is left of the input goes along only when the connection moves. */
static struct connection_start *
start_new(const struct connection *connection, struct http_text answer,
          const struct websocket_input *left)
{
    size_t bytes = left != NULL ? left->count : 0;
    struct connection_start *start = ln_alloc(sizeof *start + answer.count + bytes);
    start->messenger = connection->messenger;
    start->moved = true;
    start->form = connection->form;
    start->device = connection->device;
    start->user = connection->user;
    start->address = connection->address;
    start->since_tenths = connection->since_tenths;
    short_name_get(&connection->name, &start->name);
    start->answer_bytes = (uint32_t)answer.count;
    start->input_bytes = (uint32_t)bytes;
    if (answer.count > 0) {
        memcpy(start->bytes, answer.bytes, answer.count);
    }
    if (bytes > 0) {
        memcpy(start->bytes + answer.count, left->bytes, bytes);
    }
    return start;
}

/* The connection goes on as a new actor at `home`; this one ends. What the socket still brings
 * stays in the kernel. */
static void
move(struct connection *connection, struct connection_start *start, unsigned home)
{
    struct handoff *handoff = ln_alloc(sizeof *handoff);
    ln_stop(LN_EXIT_NORMAL, "moved home, or the peer left");
    if (ln_socket_detach(&connection->socket, &start->descriptor) != 0) {
        return;
    }
    if (handoff_offer(&connection->messenger->handoffs, start->descriptor, handoff) != 0) {
        io_close(ln_io(), start->descriptor, true);
        return;
    }
    char name[TREE_NAME_BYTES];
    tree_connections_name(home, name);
    start->ticket = handoff->ticket;
    ln_pid moved;
    int error = ln_supervisor_start_child(ln_whereis(name), start, connection_start_bytes(start),
                                          LN_FOREVER, &moved);
    if (error != 0) {
        messenger_count(&connection->messenger->counters.connections_refused);
    }
    handoff_end(handoff);
}

enum token_state { TOKEN_KNOWN, TOKEN_NEW, TOKEN_UNPROVEN };

/* It is known who speaks, or who claims to. When the connection moves, that takes what is left of
 * the input. */
static void
go_home(struct connection *connection, const struct auth_token *token, enum token_state state,
        struct http_text answer, struct websocket_input *left)
{
    unsigned home = store_user_home(connection->messenger->store, token->user);
    bool moves = home != ln_scheduler();
    connection->user = token->user;
    connection->device = token->device;
    connection->phase = CONNECTION_ENTERING;
    struct connection_start *start = start_new(connection, answer, moves ? left : NULL);
    if (state == TOKEN_NEW) {
        auth_token_print(token, start->new_token);
    }
    start->proves = state == TOKEN_UNPROVEN;
    if (start->proves) {
        auth_token_hash(token->secret, start->token_hash);
    }
    if (moves) {
        left->count = 0;
        move(connection, start, home);
    } else {
        connection_enter(connection, start);
    }
    ln_free(start);
}

/* ----------------------------------------------------------------------------------- logging in */

static int
token_check(struct connection *connection, const struct auth_token *token)
{
    struct store_device_check check = {.user = token->user, .device = token->device};
    auth_token_hash(token->secret, check.token_hash);
    struct ln_msg *request = request_new(STORE_DEVICE_CHECK, &check, sizeof check);
    struct store_user user;
    ln_pid partition = store_user_pid(connection->messenger->store, token->user);
    int error = ask(partition, &request, &user, sizeof user);
    if (error == 0) {
        short_name_set(&connection->name, &user.name);
    }
    return error == -EACCES || error == -ENOENT ? -EKEYREJECTED : error;
}

int
connection_token_check(struct connection *connection, const char *text, size_t bytes,
                       struct auth_token *out)
{
    if (auth_token_parse(text, bytes, out) != 0) {
        return -EKEYREJECTED;
    }
    return token_check(connection, out);
}

/* Who came with a token in the request has nothing else to offer. He is nobody: whoever he claimed
 * to be is neither charged nor shown for it. */
static void
token_refuse(struct connection *connection, int error)
{
    if (!connection->attached) {
        connection->user = 0;
        connection->device = 0;
    }
    login_refuse(connection, NULL, error, NULL);
    if (protocol_error_passes(refusal_of(error)->code)) {
        connection_close(connection, PROTOCOL_CLOSE_INTERNAL, "the token could not be checked");
    } else {
        connection_close(connection, PROTOCOL_CLOSE_UNAUTHENTICATED, "the token was refused");
    }
}

/* Whether too many from its address have failed: then he is sent away. */
static bool
token_put_off(struct connection *connection, struct http_text answer)
{
    if (connection_rate_wait_ms(connection, RATE_FAILED_LOGINS) == 0) {
        return false;
    }
    ln_socket_send(connection->socket, answer.bytes, answer.count);
    (void)login_put_off(connection, NULL);
    connection_close(connection, PROTOCOL_CLOSE_RATE_LIMITED,
                     rate_class_refusal(RATE_FAILED_LOGINS));
    return true;
}

void
connection_login_token(struct connection *connection, struct http_text text,
                       struct http_text answer, struct websocket_input *left)
{
    struct auth_token token;
    if (token_put_off(connection, answer)) {
        return;
    }
    if (auth_token_parse(text.bytes, text.count, &token) != 0) {
        ln_socket_send(connection->socket, answer.bytes, answer.count);
        token_refuse(connection, -EKEYREJECTED);
        return;
    }
    go_home(connection, &token, TOKEN_UNPROVEN, answer, left);
}

/* An id that nobody has: what is asked of its partition takes as long as of anybody's. */
static uint64_t
nobody(void)
{
    uint64_t id = 0;
    ln_random(&id, sizeof id);
    return (id & (PROTOCOL_NUMBER_MAX >> 1)) | 1;
}

/* The user of a name and password; with open registration a name that nobody has becomes a user. */
static int
password_user(struct connection *connection, const char *text, const char *password, bool registers,
              uint64_t *out_user)
{
    struct messenger *messenger = connection->messenger;
    struct store_name name = name_of(text);
    struct auth_job job = {.password = password,
                           .password_bytes = strlen(password),
                           .cost = {.operations = messenger->settings->password_ops,
                                    .memory_bytes = messenger->settings->password_memory_bytes}};
    short_name_set(&connection->name, &name);
    int error = user_find(messenger, &name, out_user);
    if (error == -ENOENT && registers) {
        return user_register(connection, &name, &job, out_user);
    }
    if (error != 0 && error != -ENOENT) {
        return error;
    }
    bool known = error == 0;
    error = password_get(messenger, known ? *out_user : nobody(), job.hash);
    if (error != 0) {
        return error;
    }
    ln_work(auth_verify_job, &job, false);
    return known || job.error != 0 ? job.error : -EACCES;
}

/* As password_user, while there are not too many who want to know at once. */
static int
password_counted(struct connection *connection, const char *name, const char *password,
                 bool registers, uint64_t *out_user)
{
    struct messenger *messenger = connection->messenger;
    struct messenger_counters *counters = &messenger->counters;
    /* Counted first, so that no two schedulers take the last place. */
    messenger_count(&counters->logins_pending);
    connection->login_counted = true; /* the connection's end uncounts it, too */
    bool room =
        messenger_counted(&counters->logins_pending) <= messenger->settings->logins_pending_max;
    int error = room ? password_user(connection, name, password, registers, out_user) : -EAGAIN;
    connection->login_counted = false;
    messenger_uncount(&counters->logins_pending);
    return error;
}

static int
login_password(struct connection *connection, const Linnet__V1__PasswordLogin *login,
               struct auth_token *out)
{
    struct messenger *messenger = connection->messenger;
    bool registers = messenger->settings->registration == REGISTRATION_OPEN;
    uint64_t user = 0;
    int error = password_counted(connection, login->name, login->password, registers, &user);
    return error == 0 ? device_add(messenger, user, login->device_name, out) : error;
}

int
connection_password_check(struct connection *connection, const char *name, const char *password,
                          uint64_t *out_user)
{
    return password_counted(connection, name, password, false, out_user);
}

void
connection_login_refuse(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                        int error)
{
    login_refuse(connection, frame, error, NULL);
}

/* A wrong name and a wrong code are told alike. The store counts the tries. */
static int
link_redeem(struct connection *connection, const Linnet__V1__LinkLogin *login,
            struct auth_token *out)
{
    struct messenger *messenger = connection->messenger;
    struct store_link_redeem redeem = {.name = name_of(login->device_name)};
    struct store_name name = name_of(login->name);
    short_name_set(&connection->name, &name);
    int error = user_find(messenger, &name, &redeem.user);
    if (error != 0) {
        return error == -ENOENT ? -EACCES : error;
    }
    if (auth_code_hash(redeem.user, login->code, redeem.code_hash) != 0) {
        return -EACCES;
    }
    ln_random(out->secret, sizeof out->secret);
    auth_token_hash(out->secret, redeem.token_hash);
    struct ln_msg *request = request_new(STORE_LINK_REDEEM, &redeem, sizeof redeem);
    struct store_device_added added;
    error = ask(store_user_pid(messenger->store, redeem.user), &request, &added, sizeof added);
    if (error == 0) {
        out->user = redeem.user;
        out->device = added.device;
    }
    return error;
}

/* How long a refusal took would tell whether there is such a user, and a code: that is written
 * down, a name that nobody has is not. So refusals leave at full steps of time. */
static int
login_link(struct connection *connection, const Linnet__V1__LinkLogin *login,
           struct auth_token *out)
{
    uint64_t began_ns = ln_now_ns();
    int error = link_redeem(connection, login, out);
    if (error == -EACCES) {
        uint64_t took_ms = (ln_now_ns() - began_ns) / 1000000;
        if (ln_sleep(LINK_STEP_MS - took_ms % LINK_STEP_MS) != 0) {
            return -ECANCELED;
        }
    }
    return error;
}

static void
link_refuse(struct connection *connection, const Linnet__V1__ClientFrame *frame, int error)
{
    login_refuse(connection, frame, error,
                 error == -EACCES ? "no such user, or not a code that is good" : NULL);
}

static void
password_refuse(struct connection *connection, const Linnet__V1__ClientFrame *frame, int error)
{
    const char *name = frame->authenticate->password_login->name;
    const char *fault = error == -EILSEQ ? name_fault(name, strlen(name)) : NULL;
    char text[PROTOCOL_ERROR_TEXT_BYTES];
    if (fault != NULL) {
        (void)snprintf(text, sizeof text, "authenticate.passwordLogin.name: %s", fault);
    }
    login_refuse(connection, frame, error, fault != NULL ? text : NULL);
}

static int
authenticate(struct connection *connection, const Linnet__V1__Authenticate *by,
             struct auth_token *out)
{
    int error;
    switch ((int)by->method_case) {
    case LINNET__V1__AUTHENTICATE__METHOD_TOKEN:
        return connection_token_check(connection, by->token, strlen(by->token), out);
    case LINNET__V1__AUTHENTICATE__METHOD_LINK_CODE:
        error = login_link(connection, by->link_code, out);
        explicit_bzero(by->link_code->code, strlen(by->link_code->code));
        return error;
    default:
        error = login_password(connection, by->password_login, out);
        /* The frame's memory is another's next. */
        explicit_bzero(by->password_login->password, strlen(by->password_login->password));
        return error;
    }
}

static void
authenticated(struct connection *connection, const Linnet__V1__Authenticate *by)
{
    struct messenger_counters *counters = &connection->messenger->counters;
    switch ((int)by->method_case) {
    case LINNET__V1__AUTHENTICATE__METHOD_TOKEN:
        messenger_count(&counters->logins_token);
        break;
    case LINNET__V1__AUTHENTICATE__METHOD_LINK_CODE:
        messenger_count(&counters->logins_link);
        break;
    default:
        messenger_count(&counters->logins_password);
        break;
    }
}

void
connection_authenticate(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                        struct websocket_input *left)
{
    const Linnet__V1__Authenticate *by = frame->authenticate;
    bool new_device = by->method_case != LINNET__V1__AUTHENTICATE__METHOD_TOKEN;
    struct auth_token token;
    if (login_put_off(connection, frame)) {
        return;
    }
    int error = authenticate(connection, by, &token);
    if (error == 0) {
        authenticated(connection, by);
        go_home(connection, &token, new_device ? TOKEN_NEW : TOKEN_KNOWN,
                (struct http_text){NULL, 0}, left);
    } else if (by->method_case == LINNET__V1__AUTHENTICATE__METHOD_PASSWORD_LOGIN) {
        password_refuse(connection, frame, error);
    } else if (by->method_case == LINNET__V1__AUTHENTICATE__METHOD_LINK_CODE) {
        link_refuse(connection, frame, error);
    } else {
        login_refuse(connection, frame, error, NULL);
    }
}

/* ------------------------------------------------------------------------------------- entering */

/* Again while the partition is being started anew. */
static int
attach(struct connection *connection, const unsigned char *token_hash, struct store_attached *out)
{
    int error = connection_attach(connection, token_hash, out);
    for (unsigned tries = 1; tries < ATTACH_TRIES && error == -ESRCH; tries++) {
        if (tries > 1 && ln_sleep(ATTACH_PAUSE_MS) != 0) {
            return -ECANCELED;
        }
        error = connection_attach(connection, token_hash, out);
    }
    return error;
}

static void
welcome(struct connection *connection, const struct connection_start *start,
        const struct store_attached *attached)
{
    const struct store_name *user = start->proves ? &attached->name : &start->name;
    char name[STORE_NAME_BYTES_MAX + 1];
    char token[AUTH_TOKEN_TEXT_BYTES];
    memcpy(name, user->text, user->bytes);
    name[user->bytes] = '\0';
    memcpy(token, start->new_token, sizeof token);
    const struct protocol_limits *settings = &connection->messenger->limits;
    Linnet__V1__Limits limits = LINNET__V1__LIMITS__INIT;
    limits.message_bytes_max = settings->message_bytes_max;
    limits.attachments_max = settings->attachments_max;
    limits.frame_bytes_max = settings->frame_bytes_max;
    limits.commands_unanswered_max = settings->commands_unanswered_max;
    limits.command_window = PROTOCOL_COMMAND_WINDOW;
    limits.unacknowledged_entries_max = settings->unacknowledged_entries_max;
    limits.unacknowledged_bytes_max = settings->unacknowledged_bytes_max;
    limits.idle_timeout_ms = settings->idle_timeout_ms;
    limits.presence_interval_ms = settings->presence_interval_ms;
    limits.presence_watches_max = settings->presence_watches_max;
    limits.group_members_max = settings->group_members_max;
    limits.call_ring_ms = settings->call_ring_ms;
    limits.history_days = settings_history_days(connection->messenger->settings);
    limits.history_until_read = settings_history_until_read(connection->messenger->settings);
    Linnet__V1__Welcome event = LINNET__V1__WELCOME__INIT;
    event.user_id = connection->user;
    event.name = name;
    event.device = connection->device;
    event.token = token;
    event.next_command = attached->next_command;
    event.inbox_acknowledged = attached->acked;
    event.server_time_ms = (uint64_t)ln_wall_ms();
    event.limits = &limits;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_WELCOME;
    frame.welcome = &event;
    event_send(connection, &frame);
}

void
connection_enter(struct connection *connection, const struct connection_start *start)
{
    struct store_attached attached;
    /* Again: others from its address may have failed since. */
    if (start->proves && token_put_off(connection, (struct http_text){(const char *)start->bytes,
                                                                      start->answer_bytes})) {
        return;
    }
    int error = attach(connection, start->proves ? start->token_hash : NULL, &attached);
    ln_socket_send(connection->socket, start->bytes, start->answer_bytes);
    if (start->proves && error != 0) {
        token_refuse(connection, error == -EACCES || error == -ENOENT ? -EKEYREJECTED : error);
        return;
    }
    if (error == -ENOENT) {
        connection_close(connection, PROTOCOL_CLOSE_REVOKED, "the device or the user was removed");
        return;
    }
    if (error != 0) {
        connection_close(connection, PROTOCOL_CLOSE_INTERNAL, "the inbox could not be reached");
        return;
    }
    if (start->proves) {
        messenger_count(&connection->messenger->counters.logins_token);
        short_name_set(&connection->name, &attached.name);
    }
    connection->node_number = attached.node_number;
    connection->devices = attached.devices;
    connection->phase = CONNECTION_READY;
    connection_watch_idle(connection);
    connection->counted = true;
    messenger_count(&connection->messenger->counters.devices);
    welcome(connection, start, &attached);
    if (connection->settles) {
        ln_socket_settle(connection->socket);
    }
    connection_feed(connection, &attached);
}
