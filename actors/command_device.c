/* SPDX-License-Identifier: Apache-2.0 */
/* listDevices, renameDevice, revokeDevice, createLinkCode: the user's devices, asked for by one of
 * them. */
#include "actors/command.h"
#include "actors/event.h"

#include <errno.h>
#include <string.h>

/* The user exists, as this connection's device shows; so it is the device that does not. */
static void
refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ENOENT) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__UNKNOWN_DEVICE, "device: the user has no such device",
                    0);
    } else {
        command_refuse_own(connection, pending, error);
    }
}

static void
done(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    (void)answer;
    event_done(connection, command_number(pending), pending->ref);
}

/* ----------------------------------------------------------------------------------------- list */

static void
listed(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    const struct store_rows *rows = (const struct store_rows *)(const void *)answer->data;
    const struct store_device *devices = rows->count > 0 ? ln_buffer_data(answer->buffer) : NULL;
    event_devices(connection, pending, devices, rows->count);
}

static const struct request_kind request_list = {
    .tag = STORE_DEVICE_LIST, .done = listed, .refused = command_refuse_own};

static void
list(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_user_id id = {.user = connection->user};
    command_ask(connection, frame, &request_list, id.user, &id, sizeof id, NULL);
}

const struct command_kind command_list_devices = {list};

/* --------------------------------------------------------------------------------------- rename */

static const struct request_kind request_rename = {
    .tag = STORE_DEVICE_RENAME, .done = done, .refused = refused};

static void
rename_device(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const char *name = frame->rename_device->name;
    struct store_device_rename rename = {
        .user = connection->user,
        .number = frame->number,
        .by = connection->device,
        .device = (uint16_t)frame->rename_device->device,
        .name = {.bytes = (uint8_t)strlen(name)},
    };
    memcpy(rename.name.text, name, rename.name.bytes);
    command_ask(connection, frame, &request_rename, rename.user, &rename, sizeof rename, NULL);
}

const struct command_kind command_rename_device = {rename_device};

/* --------------------------------------------------------------------------------------- revoke */

/* The one that is gone already is revoked. */
static void
revocation_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -EALREADY) {
        done(connection, pending, NULL);
    } else {
        refused(connection, pending, error);
    }
}

static const struct request_kind request_revoke = {
    .tag = STORE_DEVICE_REVOKE, .done = done, .refused = revocation_refused};

/* Its own: then the store's notice closes this connection before the answer is here. */
static void
revoke(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_device_id id = {.user = connection->user,
                                 .device = (uint16_t)frame->revoke_device->device};
    command_ask(connection, frame, &request_revoke, id.user, &id, sizeof id, NULL);
}

const struct command_kind command_revoke_device = {revoke};

/* ----------------------------------------------------------------------------------- link codes */

/* The pending keeps the chance that the code is made of. */
static void
code_created(struct connection *connection, const struct pending *pending,
             const struct ln_msg *answer)
{
    const struct store_link_created *created =
        (const struct store_link_created *)(const void *)answer->data;
    unsigned char chance[sizeof pending->inbox];
    char code[AUTH_CODE_TEXT_BYTES];
    memcpy(chance, &pending->inbox, sizeof chance);
    auth_code_print(chance, code);
    event_link_code(connection, pending, code, created->expires_at_ms);
    explicit_bzero(code, sizeof code);
}

static const struct request_kind request_code = {
    .tag = STORE_LINK_CREATE, .done = code_created, .refused = command_refuse_own};

static void
create_code(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const struct settings *settings = connection->messenger->settings;
    struct store_link_create create = {
        .user = connection->user,
        .device = connection->device,
        .lifetime_ms = settings->link_code_s * 1000,
        .tries = (uint8_t)settings->link_code_tries,
    };
    char code[AUTH_CODE_TEXT_BYTES];
    unsigned char chance[sizeof(uint64_t)] = {0};
    ln_random(chance, AUTH_CODE_CHANCE_BYTES);
    auth_code_print(chance, code);
    int error = auth_code_hash(connection->user, code, create.code_hash);
    ASSERT(error == 0);
    struct pending *pending = command_pending(&request_code, frame, frame->number);
    memcpy(&pending->inbox, chance, sizeof pending->inbox);
    struct ln_msg *request = ln_msg_new(STORE_LINK_CREATE, LN_DURABLE, sizeof create);
    memcpy(request->data, &create, sizeof create);
    command_pending_add(
        connection, pending,
        ln_request(store_user_pid(connection->messenger->store, connection->user), &request));
    explicit_bzero(code, sizeof code);
}

const struct command_kind command_create_link_code = {create_code};
