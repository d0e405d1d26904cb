/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/accounts.h"

#include "actors/name.h"

#include <errno.h>
#include <string.h>

bool
accounts_name(const char *text, struct store_name *out)
{
    size_t bytes = strlen(text);
    memset(out, 0, sizeof *out);
    if (bytes == 0 || bytes > sizeof out->text) {
        return false;
    }
    out->bytes = (uint8_t)bytes;
    memcpy(out->text, text, bytes);
    return true;
}

static struct ln_msg *
request_new(uint32_t tag, const void *data, size_t bytes)
{
    struct ln_msg *request = ln_msg_new(tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    return request;
}

/* Asks, and copies the answer's data: `out` may be NULL. */
static int
ask(ln_pid partition, struct ln_msg *request, void *out, size_t out_bytes)
{
    struct ln_msg *answer = NULL;
    int error = ln_call(partition, &request, ACCOUNTS_TIMEOUT_MS, &answer);
    if (error < 0) {
        return error;
    }
    if (out != NULL) {
        ASSERT(answer != NULL && answer->bytes >= out_bytes);
        memcpy(out, answer->data, out_bytes);
    }
    ln_msg_free(&answer);
    return 0;
}

/* ------------------------------------------------------------------------------------ passwords */

/* On a worker thread, since it takes tens of milliseconds. `out` gets the hash. */
static int
password_hash(struct messenger *messenger, const char *password, char *out, uint8_t *out_bytes)
{
    size_t bytes = strlen(password);
    if (bytes == 0 || bytes > PROTOCOL_PASSWORD_BYTES_MAX) {
        return -EINVAL;
    }
    struct auth_job job = {
        .password = password,
        .password_bytes = bytes,
        .cost = {messenger->settings->password_ops, messenger->settings->password_memory_bytes},
    };
    ln_work(auth_hash_job, &job, LN_WORK_NORMAL);
    if (job.error != 0) {
        return job.error;
    }
    size_t hash_bytes = strlen(job.hash);
    ASSERT(hash_bytes < STORE_PASSWORD_BYTES_MAX);
    memcpy(out, job.hash, hash_bytes);
    *out_bytes = (uint8_t)hash_bytes;
    return 0;
}

/* ---------------------------------------------------------------------------------------- users */

int
accounts_add(struct messenger *messenger, const char *name, const char *password,
             uint64_t *out_user)
{
    struct store_user_create create = {0};
    struct store_user_created created;
    if (name_fault(name, strlen(name)) != NULL || !accounts_name(name, &create.name)) {
        return -EINVAL;
    }
    int error = 0;
    if (password != NULL) {
        error = password_hash(messenger, password, create.password, &create.password_bytes);
    }
    if (error == 0) {
        error =
            ask(store_name_pid(messenger->store, create.name.text, create.name.bytes),
                request_new(STORE_USER_CREATE, &create, sizeof create), &created, sizeof created);
    }
    if (error == 0) {
        *out_user = created.user;
    }
    return error;
}

int
accounts_find(struct messenger *messenger, const char *name, uint64_t *out_user)
{
    struct store_name find;
    struct store_user_id found;
    if (!accounts_name(name, &find)) {
        return -ENOENT;
    }
    int error = ask(store_name_pid(messenger->store, find.text, find.bytes),
                    request_new(STORE_NAME_FIND, &find, sizeof find), &found, sizeof found);
    if (error == 0) {
        *out_user = found.user;
    }
    return error;
}

int
accounts_get(struct messenger *messenger, uint64_t user, struct store_user *out)
{
    struct store_user_id id = {.user = user};
    return ask(store_user_pid(messenger->store, user), request_new(STORE_USER_GET, &id, sizeof id),
               out, sizeof *out);
}

int
accounts_password_set(struct messenger *messenger, const char *name, const char *password)
{
    struct store_password set = {0};
    int error = accounts_find(messenger, name, &set.user);
    if (error == 0) {
        error = password_hash(messenger, password, set.text, &set.bytes);
    }
    if (error == 0) {
        error = ask(store_user_pid(messenger->store, set.user),
                    request_new(STORE_PASSWORD_SET, &set, sizeof set), NULL, 0);
    }
    return error;
}

int
accounts_remove(struct messenger *messenger, const char *name)
{
    struct store_user_id id = {0};
    int error = accounts_find(messenger, name, &id.user);
    if (error == 0) {
        error = ask(store_user_pid(messenger->store, id.user),
                    request_new(STORE_USER_REMOVE, &id, sizeof id), NULL, 0);
    }
    return error;
}

int
accounts_token(struct messenger *messenger, const char *name, const char *device,
               char out_token[AUTH_TOKEN_TEXT_BYTES])
{
    struct auth_token token = {0};
    struct store_device_add add = {0};
    struct store_device_added added;
    int error = accounts_find(messenger, name, &token.user);
    if (error < 0) {
        return error;
    }
    if (device[0] != '\0' && !accounts_name(device, &add.name)) {
        return -EINVAL;
    }
    ln_random(token.secret, sizeof token.secret);
    auth_token_hash(token.secret, add.token_hash);
    add.user = token.user;
    error = ask(store_user_pid(messenger->store, token.user),
                request_new(STORE_DEVICE_ADD, &add, sizeof add), &added, sizeof added);
    if (error == 0) {
        token.device = added.device;
        auth_token_print(&token, out_token);
    }
    return error;
}

int
accounts_revoke(struct messenger *messenger, const char *name, uint16_t device)
{
    struct store_device_id id = {.device = device};
    int error = accounts_find(messenger, name, &id.user);
    if (error < 0) {
        return error;
    }
    error = ask(store_user_pid(messenger->store, id.user),
                request_new(STORE_DEVICE_REVOKE, &id, sizeof id), NULL, 0);
    return error == -ENOENT || error == -EALREADY ? -ENODEV : error;
}

/* ---------------------------------------------------------------------------------------- lists */

int
accounts_list(struct messenger *messenger, uint8_t partition, uint64_t after,
              struct ln_msg **out_answer)
{
    struct store_list list = {.after = after};
    struct ln_msg *request = request_new(STORE_USER_LIST, &list, sizeof list);
    return ln_call(store_partition_pid(messenger->store, partition), &request, ACCOUNTS_TIMEOUT_MS,
                   out_answer);
}

int
accounts_devices(struct messenger *messenger, uint64_t user, struct ln_msg **out_answer)
{
    struct store_user_id id = {.user = user};
    struct ln_msg *request = request_new(STORE_DEVICE_LIST, &id, sizeof id);
    return ln_call(store_user_pid(messenger->store, user), &request, ACCOUNTS_TIMEOUT_MS,
                   out_answer);
}

const struct store_device *
accounts_device_list(const struct ln_msg *answer, uint32_t *out_count)
{
    const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
    *out_count = answer->buffer != NULL ? rows->count : 0;
    return answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
}
