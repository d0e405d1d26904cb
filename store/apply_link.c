/* SPDX-License-Identifier: Apache-2.0 */
/* A new device comes with a code that one of the user's others has asked for. */
#include "store/apply_priv.h"
#include "store/inbox.h"

#include <errno.h>
#include <string.h>

static struct store_key
link_key(const struct ledger *ledger, uint64_t user)
{
    return record_key(ledger->partition, RECORD_LINK, user, 0);
}

/* False: there is none. */
static bool
link_get(const struct apply *apply, uint64_t user, struct record_link *out)
{
    struct store_key key = link_key(apply->ledger, user);
    struct store_value value;
    if (!ledger_get(apply->ledger, &key, &value)) {
        return false;
    }
    int error = record_link_decode(value, out);
    ASSERT(error == 0);
    return true;
}

static void
link_put(const struct apply *apply, uint64_t user, const struct record_link *link)
{
    struct store_key key = link_key(apply->ledger, user);
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_BYTES_MAX);
    ledger_put(apply->ledger, &key, bytes, record_link_encode(link, bytes));
}

/* Whoever had the device may know the code. */
void
apply_link_void(const struct apply *apply, uint64_t user, uint16_t device)
{
    struct store_key key = link_key(apply->ledger, user);
    struct record_link link;
    if (link_get(apply, user, &link) && link.device == device) {
        ledger_delete(apply->ledger, &key);
    }
}

static void
need_create(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->link_create.user, 0);
}

/* Only a device that the user has may ask for a code; it may have been revoked a moment ago. */
static void
run_create(const struct apply *apply, const struct command *command)
{
    const struct command_link_create *create = &command->link_create;
    struct record_head head;
    if (!inbox_head_get(apply->ledger, create->user, &head) ||
        inbox_cursor(&head, create->device) == NULL) {
        apply->result->error = -ENOENT;
        return;
    }
    struct record_link link = {
        .device = create->device,
        .expires_at_ms = apply->time_ms + create->lifetime_ms,
        .tries = create->tries,
    };
    memcpy(link.code_hash, create->code_hash, STORE_TOKEN_HASH_BYTES);
    link_put(apply, create->user, &link);
    apply->result->time_ms = link.expires_at_ms;
}

const struct apply_command_kind apply_link_create = {need_create, run_create};

static void
need_redeem(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->link_redeem.add.user, 0);
    need(needs, RECORD_LINK, command->link_redeem.add.user, 0);
}

/* A wrong code: another try is gone, and with the last one the code. */
static void
spend_try(const struct apply *apply, uint64_t user, struct record_link *link)
{
    struct store_key key = link_key(apply->ledger, user);
    link->tries--;
    if (link->tries == 0) {
        ledger_delete(apply->ledger, &key);
    } else {
        link_put(apply, user, link);
    }
    apply->result->error = -EACCES;
}

/* The code goes in the same apply in which the device comes. For a user who has as many as are
 * allowed it stays: one of them can be revoked first. */
static void
run_redeem(const struct apply *apply, const struct command *command)
{
    const struct command_link_redeem *redeem = &command->link_redeem;
    uint64_t user = redeem->add.user;
    struct store_key key = link_key(apply->ledger, user);
    struct record_head head;
    struct record_link link;
    if (!inbox_head_get(apply->ledger, user, &head) || !link_get(apply, user, &link)) {
        apply->result->error = -EACCES;
        return;
    }
    if (apply->time_ms > link.expires_at_ms) {
        ledger_delete(apply->ledger, &key);
        apply->result->error = -EACCES;
    } else if (!record_hashes_equal(link.code_hash, redeem->code_hash)) {
        spend_try(apply, user, &link);
    } else if (apply_device_link(apply, &head, &redeem->add)) {
        ledger_delete(apply->ledger, &key);
    }
}

const struct apply_command_kind apply_link_redeem = {need_redeem, run_redeem};
