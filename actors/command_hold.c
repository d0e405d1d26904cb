/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to a name that nobody has (store/hold.h). */
#include "actors/command.h"
#include "actors/name.h"
#include "store/hold.h"

#include <errno.h>
#include <string.h>

/* What the name's partition promises. */
static int
promise(const struct connection *connection, const struct store_name *name, bool known_only,
        struct store_name_held *out)
{
    const struct store *store = connection->messenger->store;
    struct store_name_hold hold = {.name = *name, .known_only = known_only};
    struct ln_msg *request = ln_msg_new(STORE_NAME_HOLD, LN_DURABLE, sizeof hold);
    memcpy(request->data, &hold, sizeof hold);
    struct ln_msg *answer = NULL;
    int error = ln_call(store_name_pid(store, name->text, name->bytes), &request,
                        CONNECTION_CALL_MS, &answer);
    if (error == 0) {
        memcpy(out, answer->data, sizeof *out);
        ln_msg_free(&answer);
    }
    return error;
}

static struct ln_msg *
hold_request(const struct connection *connection, uint64_t recipient, bool back)
{
    struct store_hold hold = {
        .user = connection->user,
        .recipient = recipient,
        .recipients_max = connection->messenger->settings->hold_recipients_max,
        .back = back,
    };
    struct ln_msg *request = ln_msg_new(STORE_HOLD, LN_DURABLE, sizeof hold);
    memcpy(request->data, &hold, sizeof hold);
    return request;
}

/* The sender's partition counts the recipient. */
static int
count(const struct connection *connection, uint64_t recipient, bool *out_anew)
{
    struct ln_msg *request = hold_request(connection, recipient, false);
    struct ln_msg *answer = NULL;
    int error = ln_call(store_user_pid(connection->messenger->store, connection->user), &request,
                        CONNECTION_CALL_MS, &answer);
    if (error == 0) {
        *out_anew = ((const struct store_hold_counted *)(const void *)answer->data)->anew;
        ln_msg_free(&answer);
    }
    return error;
}

void
command_hold_back(const struct connection *connection, uint64_t recipient)
{
    struct ln_msg *request = hold_request(connection, recipient, true);
    ln_send(store_user_pid(connection->messenger->store, connection->user), &request);
}

int
command_hold(struct connection *connection, const char *name, bool fresh,
             struct store_message *said, bool *out_anew)
{
    struct store_name wanted = {.bytes = 0};
    struct store_name_held held;
    size_t bytes = strlen(name);
    if (connection->messenger->settings->hold_unknown_ms == 0 || name_fault(name, bytes) != NULL ||
        bytes > sizeof wanted.text) {
        return -ENOENT;
    }
    wanted.bytes = (uint8_t)bytes;
    memcpy(wanted.text, name, bytes);
    int error = promise(connection, &wanted, !fresh || said->known_only, &held);
    if (error == -EUSERS && !fresh) {
        return -ENOENT;
    }
    if (error != 0) {
        return error;
    }
    said->recipient = held.user;
    said->holds = held.waits && fresh;
    if (!said->holds) {
        return 0;
    }
    error = count(connection, held.user, out_anew);
    if (error == -EMFILE) {
        messenger_count(&connection->messenger->counters.hold_refused);
        connection_rate_charge(connection, RATE_STRANGERS); /* a name was promised all the same */
    }
    return error;
}
