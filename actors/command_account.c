/* SPDX-License-Identifier: Apache-2.0 */
/* deleteAccount: from a device of the user, or with the password as the first command of a
 * connection. The actor waits for the store, so that what it says of the user's end comes behind
 * the answer. */
#include "actors/command.h"
#include "actors/connection_login.h"

#include <errno.h>
#include <string.h>

static int
user_remove(const struct connection *connection, uint64_t user)
{
    struct ln_msg *request =
        ln_msg_new(STORE_USER_REMOVE, LN_DURABLE, sizeof(struct store_user_id));
    struct ln_msg *answer = NULL;
    *(struct store_user_id *)(void *)request->data = (struct store_user_id){user};
    int error = ln_call(store_user_pid(connection->messenger->store, user), &request,
                        CONNECTION_CALL_MS, &answer);
    ln_msg_free(&answer);
    return error;
}

/* The name is free when this is said; a user who is gone was removed by somebody else. */
static void
remove_account(struct connection *connection, const Linnet__V1__ClientFrame *frame, uint64_t user)
{
    int error = user_remove(connection, user);
    if (error != 0 && error != -ENOENT) {
        command_refuse(connection, frame->number, frame->ref, error);
        return;
    }
    messenger_count(&connection->messenger->counters.accounts_deleted);
    event_done(connection, frame->number, frame->ref);
    connection_close(connection, PROTOCOL_CLOSE_REVOKED, "the user was removed");
}

/* 0, or why the password does not open the account. It is wiped: the frame's memory is another's
 * next. */
static int
password_check(struct connection *connection, const Linnet__V1__DeleteAccount *delete,
               uint64_t *out_user)
{
    int error = connection_password_check(connection, delete->name, delete->password, out_user);
    explicit_bzero(delete->password, strlen(delete->password));
    return error;
}

static void
delete_own(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__DeleteAccount *delete = frame->delete_account;
    uint64_t user = connection->user;
    struct store_name name;
    short_name_get(&connection->name, &name);
    if (strlen(delete->name) != name.bytes || memcmp(delete->name, name.text, name.bytes) != 0) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
                    "deleteAccount.name: not the name of this account", 0);
        return;
    }
    int error = delete->password[0] != '\0' ? password_check(connection, delete, &user) : 0;
    if (error != 0) {
        connection_login_refuse(connection, frame, error);
    } else {
        remove_account(connection, frame, connection->user);
    }
}

const struct command_kind command_delete_account = {delete_own};

void
connection_delete_account(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    uint64_t user = 0;
    int error = password_check(connection, frame->delete_account, &user);
    if (error != 0) {
        connection_login_refuse(connection, frame, error);
    } else {
        remove_account(connection, frame, user);
    }
}
