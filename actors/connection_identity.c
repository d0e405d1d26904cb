/* SPDX-License-Identifier: Apache-2.0 */
/* Who is it? A token is checked against its device's hash; a password against its user's, and then
 * gives a new device with a new token, as a link's code does.
 *
 * Whoever asks with a wrong name waits as long as with a wrong password, and is told the same. */
#include "actors/connection_login.h"
#include "actors/name.h"
#include "store/request.h"

#include <errno.h>
#include <string.h>

/* Longer than nearly all batches of the log take. */
enum { LINK_STEP_MS = 250 };

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

/* -------------------------------------------------------------------------------------- a token */

int
connection_token_check(struct connection *connection, const char *text, size_t bytes,
                       struct auth_token *out)
{
    if (auth_token_parse(text, bytes, out) != 0) {
        return -EKEYREJECTED;
    }
    struct store_device_check check = {.user = out->user, .device = out->device};
    auth_token_hash(out->secret, check.token_hash);
    struct ln_msg *request = request_new(STORE_DEVICE_CHECK, &check, sizeof check);
    struct store_user user;
    ln_pid partition = store_user_pid(connection->messenger->store, out->user);
    int error = ask(partition, &request, &user, sizeof user);
    if (error == 0) {
        short_name_set(&connection->name, &user.name);
    }
    return error == -EACCES || error == -ENOENT ? -EKEYREJECTED : error;
}

/* ----------------------------------------------------------------------------------- a password */

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

/* An id that nobody has: what is asked of its partition takes as long as of anybody's. */
static uint64_t
nobody(void)
{
    uint64_t id = 0;
    ln_random(&id, sizeof id);
    return (id & (PROTOCOL_NUMBER_MAX >> 1)) | 1;
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
    ln_work(auth_hash_job, job, LN_WORK_NORMAL);
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
    ln_work(auth_verify_job, &job, LN_WORK_NORMAL);
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

int
connection_password_login(struct connection *connection, const Linnet__V1__PasswordLogin *login,
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

/* --------------------------------------------------------------------------------------- a code */

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
int
connection_link_login(struct connection *connection, const Linnet__V1__LinkLogin *login,
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
