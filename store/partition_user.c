/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that make users and set their passwords. */
#include "store/partition_priv.h"
#include "store/record_account.h"

#include <errno.h>
#include <string.h>

bool
partition_valid_name(const struct store_name *name)
{
    return name->bytes <= STORE_NAME_BYTES_MAX;
}

bool
partition_owns_name(const struct ask *ask, const struct store_name *name)
{
    return name->bytes > 0 && name->bytes <= STORE_NAME_BYTES_MAX &&
           key_partition_of_name(ask->partition->ledger.seed, name->text, name->bytes) ==
               ask->partition->ledger.partition;
}

bool
partition_valid_user(const struct ask *ask)
{
    uint64_t user = ASK_DATA(store_user_id, ask)->user; /* the first field of all that use this */
    return user != 0 && key_partition_of_id(ask->partition->ledger.seed, user) ==
                            ask->partition->ledger.partition;
}

/* --------------------------------------------------------------------------------------- a user */

static bool
valid_user_create(const struct ask *ask)
{
    const struct store_user_create *create = ASK_DATA(store_user_create, ask);
    return partition_valid_name(&create->name) && create->name.bytes > 0 &&
           create->password_bytes <= STORE_PASSWORD_BYTES_MAX &&
           partition_valid_name(&create->device_name);
}

/* And not only promised (hold.h). */
static bool
name_is_taken(struct store_value value)
{
    struct record_name record;
    int error = record_name_decode(value, &record);
    ASSERT(error == 0);
    return !record.promised;
}

static enum ask_outcome
run_user_create(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_user_create *create = ASK_DATA(store_user_create, ask);
    struct store_key key = record_key_name(partition->ledger.seed, &create->name);
    struct store_value value;
    struct command command = {
        .kind = COMMAND_NAME_CLAIM,
        .claim =
            {
                .name = create->name,
                .password = (const unsigned char *)create->password,
                .password_bytes = create->password_bytes,
                .with_device = create->with_device,
                .device_name = create->device_name,
            },
    };
    memcpy(command.claim.token_hash, create->token_hash, STORE_TOKEN_HASH_BYTES);
    if (key.partition != partition->ledger.partition) {
        return act ? partition_refuse(ask, -EINVAL) : ASK_READY;
    }
    if (delta_get(partition->ledger.delta, &key, &value) == DELTA_PRESENT && name_is_taken(value)) {
        return act ? partition_refuse(ask, -EEXIST) : ASK_READY;
    }
    return partition_log(partition, ask, &command, act);
}

static void
answer_user_created(struct ask *ask, const struct result *result)
{
    struct store_user_created created = {.user = result->user, .device = result->device};
    ask_answer(ask, &created, sizeof(created), NULL);
}

/* ----------------------------------------------------------------------------------- a password */

static bool
valid_password(const struct ask *ask)
{
    return partition_valid_user(ask) &&
           ASK_DATA(store_password, ask)->bytes <= STORE_PASSWORD_BYTES_MAX;
}

static enum ask_outcome
run_password_set(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_password *password = ASK_DATA(store_password, ask);
    struct command command = {
        .kind = COMMAND_PASSWORD_SET,
        .password = {.user = password->user,
                     .bytes = password->bytes,
                     .text = (const unsigned char *)password->text},
    };
    return partition_log_for_user(partition, ask, &command, password->user, act);
}

/* ------------------------------------------------------------------------------------ the kinds */

const struct ask_kind ask_user_create = {
    .bytes = sizeof(struct store_user_create),
    .needs_space = true,
    .valid = valid_user_create,
    .run = run_user_create,
    .answer = answer_user_created,
};
const struct ask_kind ask_password_set = {
    .bytes = sizeof(struct store_password),
    .needs_space = true,
    .valid = valid_password,
    .run = run_password_set,
};
