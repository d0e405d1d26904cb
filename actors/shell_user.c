/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/accounts.h"
#include "actors/name.h"
#include "actors/shell_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Says why a name can't be one. True: it can't. */
static bool
name_refused(struct shell_call *call, const char *name)
{
    const char *fault = name_fault(name, strlen(name));
    if (fault != NULL) {
        shell_fail(call, SHELL_FAILED, "'%s': a user's name that %s", name, fault);
    }
    return fault != NULL;
}

static bool
password_refused(struct shell_call *call, const char *password)
{
    size_t bytes = strlen(password);
    if (bytes == 0 || bytes > PROTOCOL_PASSWORD_BYTES_MAX) {
        shell_fail(call, SHELL_FAILED, "a password has 1 to %d bytes, this one %zu",
                   PROTOCOL_PASSWORD_BYTES_MAX, bytes);
        return true;
    }
    return false;
}

/* The end of every command below. */
static void
user_failed(struct shell_call *call, int error, const char *what)
{
    const char *name = call->words[0];
    if (error == -ENOENT) {
        shell_fail(call, SHELL_UNKNOWN, "there is no user '%s'", name);
    } else if (error == -EEXIST) {
        shell_fail(call, SHELL_FAILED, "there is a user '%s' already", name);
    } else if (error == -EMFILE) {
        shell_fail(call, SHELL_FAILED, "'%s' has %u devices, as many as devices_max allows", name,
                   call->messenger->settings->devices_max);
    } else {
        shell_fail_errno(call, error, what);
    }
}

/* name [password] -> {"name": ..., "user": number} */
void
shell_user_add(struct shell_call *call)
{
    const char *name = call->words[0];
    const char *password = call->count > 1 ? call->words[1] : NULL;
    uint64_t user = 0;
    if (name_refused(call, name) || (password != NULL && password_refused(call, password))) {
        return;
    }
    int error = accounts_add(call->messenger, name, password, &user);
    if (error < 0) {
        user_failed(call, error, "user add");
        return;
    }
    ln_text_print(call->out, "{");
    shell_put_text(call, "name", name);
    ln_text_print(call->out, "\"user\":%llu}", (unsigned long long)user);
}

/* name password -> {"name": ...} */
void
shell_user_passwd(struct shell_call *call)
{
    if (password_refused(call, call->words[1])) {
        return;
    }
    int error = accounts_password_set(call->messenger, call->words[0], call->words[1]);
    if (error < 0) {
        user_failed(call, error, "user passwd");
        return;
    }
    ln_text_print(call->out, "{");
    shell_put_text(call, "name", call->words[0]);
    ln_text_print(call->out, "\"changed\":true}");
}

static const char *
item_fault(const struct accounts_item *item)
{
    switch (item->error) {
    case -EEXIST:
        return "there is such a user already";
    case -EINVAL: {
        const char *fault = name_fault(item->name, strlen(item->name));
        return fault != NULL ? fault : "the device's name is too long";
    }
    case -ENOENT:
        return "there is no such user";
    case -EAGAIN:
        return "the node has too much to do";
    case -ENOSPC:
        return "the disk is full";
    case -ECANCELED:
        return "it was not tried";
    case -ESRCH:
    case -ETIMEDOUT:
        return "no answer from the store, which may have done it";
    default:
        return strerrordesc_np(-item->error);
    }
}

/* name... -> [{"name": ..., "removed": true} or {"name": ..., "error": ...}] */
void
shell_users_remove(struct shell_call *call)
{
    struct accounts_item *items = ln_alloc(call->count * sizeof *items);
    memset(items, 0, call->count * sizeof *items);
    for (unsigned i = 0; i < call->count; i++) {
        items[i].name = call->words[i];
    }
    int error = accounts_remove_many(call->messenger, items, call->count);
    if (error < 0) {
        shell_fail_errno(call, error, "users remove");
        ln_free(items);
        return;
    }
    ln_text_print(call->out, "[");
    for (unsigned i = 0; i < call->count; i++) {
        ln_text_print(call->out, "%s{", i > 0 ? "," : "");
        shell_put_text(call, "name", items[i].name);
        if (items[i].error != 0) {
            shell_put_text(call, "error", item_fault(&items[i]));
            shell_put_end(call, "}");
        } else {
            ln_text_print(call->out, "\"removed\":true}");
        }
    }
    ln_text_print(call->out, "]");
    ln_free(items);
}

/* name -> {"name": ...} */
void
shell_user_remove(struct shell_call *call)
{
    int error = accounts_remove(call->messenger, call->words[0]);
    if (error < 0) {
        user_failed(call, error, "user remove");
        return;
    }
    ln_text_print(call->out, "{");
    shell_put_text(call, "name", call->words[0]);
    ln_text_print(call->out, "\"removed\":true}");
}

/* name [device] -> {"name": ..., "token": ...} */
void
shell_user_token(struct shell_call *call)
{
    char token[AUTH_TOKEN_TEXT_BYTES];
    const char *device = call->count > 1 ? call->words[1] : "";
    struct store_name unused;
    if (device[0] != '\0' && !accounts_name(device, &unused)) {
        shell_fail(call, SHELL_FAILED, "a device's name has at most %d bytes",
                   STORE_NAME_BYTES_MAX);
        return;
    }
    int error = accounts_token(call->messenger, call->words[0], device, token);
    if (error < 0) {
        user_failed(call, error, "user token");
        return;
    }
    ln_text_print(call->out, "{");
    shell_put_text(call, "name", call->words[0]);
    ln_text_print(call->out, "\"token\":\"%s\"}", token);
}

/* name device -> {"name": ..., "revoked": number} */
void
shell_user_revoke(struct shell_call *call)
{
    const char *at = call->words[1];
    uint64_t device = 0;
    if (!shell_number_parse(&at, UINT16_MAX, &device) || *at != '\0' || device == 0) {
        shell_fail(call, SHELL_USAGE, "user revoke: '%s' is no number of a device", call->words[1]);
        return;
    }
    int error = accounts_revoke(call->messenger, call->words[0], (uint16_t)device);
    if (error == -ENODEV) {
        shell_fail(call, SHELL_UNKNOWN, "'%s' has no device %llu", call->words[0],
                   (unsigned long long)device);
        return;
    }
    if (error < 0) {
        user_failed(call, error, "user revoke");
        return;
    }
    ln_text_print(call->out, "{");
    shell_put_text(call, "name", call->words[0]);
    ln_text_print(call->out, "\"revoked\":%llu}", (unsigned long long)device);
}

/* ----------------------------------------------------------------------------------------- list */

static void
row_print(struct shell_call *call, const struct store_user *user)
{
    ln_text_print(call->out, "%s{", call->out->bytes == 1 ? "" : ",");
    shell_put_name(call, &user->name);
    ln_text_print(call->out,
                  "\"user\":%llu,\"devices\":%u,\"waiting\":%llu,\"created_at_ms\":%llu}",
                  (unsigned long long)user->user, user->devices,
                  (unsigned long long)user->inbox_entries, (unsigned long long)user->created_at_ms);
}

/* A partition's users above *after, as far as they fit. True: there are more. */
static bool
partition_list(struct shell_call *call, unsigned partition, uint64_t *after, int *out_error)
{
    struct store_rows rows;
    do {
        struct ln_msg *answer = NULL;
        *out_error = accounts_list(call->messenger, (uint8_t)partition, *after, &answer);
        if (*out_error < 0) {
            return false;
        }
        memcpy(&rows, answer->data, sizeof rows);
        const struct store_user *users =
            answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
        for (uint32_t i = 0; i < rows.count && users != NULL; i++) {
            if (!shell_row_fits(call)) {
                ln_msg_free(&answer);
                return true;
            }
            row_print(call, &users[i]);
            *after = users[i].user;
        }
        ln_msg_free(&answer);
    } while (rows.more);
    return false;
}

/* [cursor] -> [{"name": ..., "user": ...}, ...] in the order of partitions */
void
shell_user_list(struct shell_call *call)
{
    shell_list(call, "user list", partition_list);
}

/* --------------------------------------------------------------------------------------- import */

static void
item_print(struct shell_call *call, const struct accounts_item *item)
{
    ln_text_print(call->out, "%s{", call->out->bytes == 1 ? "" : ",");
    shell_put_text(call, "name", item->name);
    if (item->error != 0) {
        shell_put_text(call, "error", item_fault(item));
        call->out->data[--call->out->bytes] = '\0'; /* its comma */
        ln_text_print(call->out, "}");
        return;
    }
    char token[AUTH_TOKEN_TEXT_BYTES];
    auth_token_print(&item->token, token);
    ln_text_print(call->out, "\"user\":%llu,\"device\":%u,\"token\":\"%s\"}",
                  (unsigned long long)item->token.user, item->token.device, token);
}

/* (name device)... -> [{"name": ..., "user": ..., "token": ...} or {"name": ..., "error": ...}] */
void
shell_user_import(struct shell_call *call)
{
    const char *const *word = call->words;
    unsigned count = call->count / 2;
    if (call->count % 2 != 0) {
        shell_fail(call, SHELL_USAGE, "user import: a name without its device");
        return;
    }
    struct accounts_item *items = ln_alloc(count * sizeof *items);
    for (unsigned i = 0; i < count; i++) {
        items[i].name = *word++;
        items[i].device_name = *word++;
    }
    int error = accounts_import(call->messenger, items, count);
    if (error < 0) {
        shell_fail_errno(call, error, "user import");
    } else {
        ln_text_print(call->out, "[");
        for (unsigned i = 0; i < count; i++) {
            item_print(call, &items[i]);
        }
        ln_text_print(call->out, "]");
    }
    explicit_bzero(items, count * sizeof *items);
    ln_free(items);
}
