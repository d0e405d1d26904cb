/* SPDX-License-Identifier: Apache-2.0 */
/* Requests about a user's devices. */
#include "store/inbox.h"
#include "store/partition_priv.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------------------- added, revoked */

static bool
valid_device_add(const struct ask *ask)
{
    return partition_valid_user(ask) &&
           partition_valid_name(&ASK_DATA(store_device_add, ask)->name);
}

static enum ask_outcome
run_device_add(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_device_add *add = ASK_DATA(store_device_add, ask);
    struct command command = {
        .kind = COMMAND_DEVICE_ADD,
        .device_add = {.user = add->user, .name = add->name},
    };
    memcpy(command.device_add.token_hash, add->token_hash, STORE_TOKEN_HASH_BYTES);
    return partition_log_for_user(partition, ask, &command, add->user, act);
}

static void
answer_device_added(struct ask *ask, const struct result *result)
{
    struct store_device_added added = {.device = result->device};
    ask_answer(ask, &added, sizeof(added), NULL);
}

static enum ask_outcome
run_device_revoke(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_device_id *device = ASK_DATA(store_device_id, ask);
    struct command command = {
        .kind = COMMAND_DEVICE_REVOKE,
        .device = {.user = device->user, .device = device->device},
    };
    return partition_log_for_user(partition, ask, &command, device->user, act);
}

/* --------------------------------------------------------------------------- attached, detached */

static enum ask_outcome
log_attach(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_attach *attach = ASK_DATA(store_attach, ask);
    struct command command = {
        .kind = COMMAND_DEVICE_ATTACH,
        .device = {.user = attach->user, .device = attach->device},
    };
    return partition_log_for_user(partition, ask, &command, attach->user, act);
}

/* A wrong token is refused before there is a command, so that it writes nothing. What both look up
 * is fetched at once. */
static enum ask_outcome
run_attach(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_attach *attach = ASK_DATA(store_attach, ask);
    if (!attach->proves) {
        return log_attach(partition, ask, act);
    }
    struct store_device_check check = {.user = attach->user, .device = attach->device};
    struct store_user user;
    memcpy(check.token_hash, attach->token_hash, sizeof check.token_hash);
    if (!partition_knows_device(partition, attach->user, attach->device)) {
        (void)log_attach(partition, ask, false);
        return ASK_MISSING;
    }
    int error = partition_device_check(partition, &check, &user);
    if (error != 0) {
        return act ? partition_refuse(ask, error) : ASK_READY;
    }
    return log_attach(partition, ask, act);
}

static enum ask_outcome
run_detach(struct partition *partition, struct ask *ask, bool act)
{
    if (!act) {
        return ASK_READY;
    }
    journal_pass(partition->journal, ask);
    return ASK_TAKEN;
}

/* --------------------------------------------------------------------------------------- rename */

static bool
valid_rename(const struct ask *ask)
{
    return partition_valid_user(ask) &&
           partition_valid_name(&ASK_DATA(store_device_rename, ask)->name);
}

static enum ask_outcome
run_rename(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_device_rename *rename = ASK_DATA(store_device_rename, ask);
    struct command command = {
        .kind = COMMAND_DEVICE_RENAME,
        .rename = {.user = rename->user,
                   .number = rename->number,
                   .by = rename->by,
                   .device = rename->device,
                   .name = rename->name},
    };
    return partition_log_for_user(partition, ask, &command, rename->user, act);
}

/* ---------------------------------------------------------------------------------------- codes */

static bool
valid_link_create(const struct ask *ask)
{
    return partition_valid_user(ask) && ASK_DATA(store_link_create, ask)->tries > 0;
}

static enum ask_outcome
run_link_create(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_link_create *create = ASK_DATA(store_link_create, ask);
    struct command command = {
        .kind = COMMAND_LINK_CREATE,
        .link_create = {.user = create->user,
                        .device = create->device,
                        .lifetime_ms = create->lifetime_ms,
                        .tries = create->tries},
    };
    memcpy(command.link_create.code_hash, create->code_hash, STORE_TOKEN_HASH_BYTES);
    return partition_log(partition, ask, &command, act);
}

static void
answer_link_created(struct ask *ask, const struct result *result)
{
    struct store_link_created created = {.expires_at_ms = result->time_ms};
    ask_answer(ask, &created, sizeof(created), NULL);
}

static bool
valid_link_redeem(const struct ask *ask)
{
    return partition_valid_user(ask) &&
           partition_valid_name(&ASK_DATA(store_link_redeem, ask)->name);
}

/* Guesses without a code to hit are refused here: only tries that a code had are logged. */
static enum ask_outcome
run_link_redeem(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_link_redeem *redeem = ASK_DATA(store_link_redeem, ask);
    struct store_key key = record_key(partition->ledger.partition, RECORD_LINK, redeem->user, 0);
    struct store_value value;
    struct command command = {
        .kind = COMMAND_LINK_REDEEM,
        .link_redeem = {.add = {.user = redeem->user, .name = redeem->name}},
    };
    memcpy(command.link_redeem.code_hash, redeem->code_hash, STORE_TOKEN_HASH_BYTES);
    memcpy(command.link_redeem.add.token_hash, redeem->token_hash, STORE_TOKEN_HASH_BYTES);
    enum ask_outcome outcome = partition_log(partition, ask, &command, false);
    if (outcome != ASK_READY || !act) {
        return outcome;
    }
    if (!ledger_get(&partition->ledger, &key, &value)) {
        return partition_refuse(ask, -EACCES);
    }
    return partition_log(partition, ask, &command, true);
}

/* ------------------------------------------------------------------------------------ the kinds */

const struct ask_kind ask_device_add = {
    .bytes = sizeof(struct store_device_add),
    .needs_space = true,
    .valid = valid_device_add,
    .run = run_device_add,
    .answer = answer_device_added,
};
const struct ask_kind ask_device_revoke = {
    .bytes = sizeof(struct store_device_id),
    .valid = partition_valid_user,
    .run = run_device_revoke,
};
const struct ask_kind ask_attach = {
    .bytes = sizeof(struct store_attach),
    .valid = partition_valid_user,
    .run = run_attach,
    .answer = partition_answer_attach,
};
const struct ask_kind ask_detach = {
    .bytes = sizeof(struct store_detach),
    .valid = partition_valid_user,
    .run = run_detach,
    .passed = partition_detached,
};
const struct ask_kind ask_device_rename = {
    .bytes = sizeof(struct store_device_rename),
    .needs_space = true,
    .valid = valid_rename,
    .run = run_rename,
};
const struct ask_kind ask_link_create = {
    .bytes = sizeof(struct store_link_create),
    .needs_space = true,
    .valid = valid_link_create,
    .run = run_link_create,
    .answer = answer_link_created,
};
const struct ask_kind ask_link_redeem = {
    .bytes = sizeof(struct store_link_redeem),
    .needs_space = true,
    .valid = valid_link_redeem,
    .run = run_link_redeem,
    .answer = answer_device_added,
};
