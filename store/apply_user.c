/* SPDX-License-Identifier: Apache-2.0 */
/* A user stands in two partitions: the name in one, everything else in the other. Both are changed
 * or neither is: the partition where the request arrives decides, and what follows in the other
 * goes through its outbox, which nothing refuses. The request is answered when that is done. */
#include "store/apply_group.h"
#include "store/apply_priv.h"
#include "store/chat.h"
#include "store/due.h"
#include "store/inbox.h"
#include "store/outbox.h"

#include <errno.h>
#include <string.h>

bool
apply_name_get(const struct ledger *ledger, const struct store_name *name, struct record_name *out)
{
    struct store_key key = record_key_name(ledger->seed, name);
    struct store_value value;
    if (!ledger_get(ledger, &key, &value)) {
        return false;
    }
    int error = record_name_decode(value, out);
    ASSERT(error == 0);
    return true;
}

static void
need_claim(const struct needs *needs, const struct command *command)
{
    need_name(needs, &command->claim.name);
}

static void
run_claim(const struct apply *apply, const struct command *command)
{
    const struct command_name_claim *claim = &command->claim;
    struct ledger *ledger = apply->ledger;
    struct record_name record;
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_BYTES_MAX);
    bool known = apply_name_get(ledger, &claim->name, &record);
    bool promised = known && record.promised && record_names_equal(&record.name, &claim->name);
    if (known && !promised) {
        apply->result->error = -EEXIST; /* also when another name has the same hashes */
        return;
    }
    record = (struct record_name){.user = promised ? record.user : ledger_user_next(ledger),
                                  .name = claim->name};
    struct store_key key = record_key_name(ledger->seed, &claim->name);
    ledger_put(ledger, &key, bytes, record_name_encode(&record, bytes));

    struct payload payload = {
        .kind = PAYLOAD_USER_CREATE,
        .create =
            {
                .user = record.user,
                .created_at_ms = apply->time_ms,
                .name = claim->name,
                .password = claim->password,
                .password_bytes = claim->password_bytes,
                .promised = promised,
                .with_device = claim->with_device,
                .device_name = claim->device_name,
            },
    };
    memcpy(payload.create.token_hash, claim->token_hash, STORE_TOKEN_HASH_BYTES);
    apply->result->user = record.user;
    apply->result->device = claim->with_device ? 1 : 0;
    apply->result->stream_to = ledger_partition_of(ledger, record.user);
    apply->result->stream_number =
        outbox_put(ledger, apply->effects, apply->result->stream_to, &payload);
}

const struct apply_command_kind apply_name_claim = {need_claim, run_claim};

static void
password_put(const struct apply *apply, uint64_t user, const unsigned char *text, uint8_t count)
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_PASSWORD, user, 0);
    struct record_password record = {.bytes = count};
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_BYTES_MAX);
    memcpy(record.text, text, count);
    ledger_put(apply->ledger, &key, bytes, record_password_encode(&record, bytes));
}

static void
user_put(const struct apply *apply, uint64_t user, const struct record_user *record)
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_USER, user, 0);
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_BYTES_MAX);
    ledger_put(apply->ledger, &key, bytes, record_user_encode(record, bytes));
}

static void
user_get(const struct ledger *ledger, uint64_t user, struct record_user *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_USER, user, 0);
    struct store_value value;
    bool present = ledger_get(ledger, &key, &value);
    ASSERT(present);
    int error = record_user_decode(value, out);
    ASSERT(error == 0);
}

static void
need_create(const struct needs *needs, const struct payload *payload)
{
    if (payload->create.promised) {
        need(needs, RECORD_HEAD, payload->create.user, 0);
    }
}

/* What was written to him before he was there (hold.h) is in his inbox then. */
static void
head_begin(const struct ledger *ledger, const struct payload_user_create *create,
           struct record_head *out)
{
    if (!create->promised || !inbox_head_find(ledger, create->user, out)) {
        *out = (struct record_head){.device_next = 1};
    }
    out->unborn = false;
}

static void
run_create(const struct apply *apply, const struct payload *payload)
{
    const struct payload_user_create *create = &payload->create;
    struct ledger *ledger = apply->ledger;
    struct record_user user = {.created_at_ms = create->created_at_ms, .name = create->name};
    struct record_head head;
    head_begin(ledger, create, &head);
    user_put(apply, create->user, &user);
    if (create->password_bytes > 0) {
        password_put(apply, create->user, create->password, create->password_bytes);
    }
    if (create->with_device) {
        struct command_device_add add = {.user = create->user, .name = create->device_name};
        memcpy(add.token_hash, create->token_hash, STORE_TOKEN_HASH_BYTES);
        (void)apply_device_new(apply, &head, &add);
    }
    inbox_head_put(ledger, create->user, &head);
}

const struct apply_payload_kind apply_user_create = {need_create, run_create};

static void
need_remove(const struct needs *needs, const struct command *command)
{
    const struct command_user_remove *remove = &command->user_remove;
    need(needs, RECORD_HEAD, remove->user, 0);
    need(needs, RECORD_USER, remove->user, 0);
    need(needs, RECORD_CALLS, remove->user, 0);
    for (uint32_t i = 0; i < remove->groups.count; i++) {
        uint64_t group = command_id_at(&remove->groups, i);
        need(needs, RECORD_MEMBERSHIP, remove->user, group);
        need(needs, RECORD_ROSTER, group, 0);
    }
    for (uint32_t i = 0; i < remove->waiting.count; i++) {
        need(needs, RECORD_CHAT, remove->user, command_id_at(&remove->waiting, i));
    }
}

/* As he would himself; each group tells its other members. */
static void
leave_groups(const struct apply *apply, const struct command_user_remove *remove)
{
    for (uint32_t i = 0; i < remove->groups.count; i++) {
        struct record_membership membership;
        uint64_t group = command_id_at(&remove->groups, i);
        if (membership_get(apply->ledger, remove->user, group, &membership) && !membership.gone) {
            apply_group_missing(apply, group, remove->user);
        }
    }
}

/* Who wrote to him before he was there counts him until he has taken something in. */
static void
end_waits(const struct apply *apply, const struct command_user_remove *remove)
{
    for (uint32_t i = 0; i < remove->waiting.count; i++) {
        struct record_chat chat;
        uint64_t peer = command_id_at(&remove->waiting, i);
        struct payload payload = {.kind = PAYLOAD_RECEIPT,
                                  .receipt = {.reader = remove->user, .peer = peer}};
        if (chat_get(apply->ledger, remove->user, peer, &chat) && chat_is_unheard(&chat)) {
            (void)outbox_put(apply->ledger, apply->effects,
                             ledger_partition_of(apply->ledger, peer), &payload);
        }
    }
}

/* The records of his chats, and what of his inbox is in LMDB, are deleted by the next fold
 * (record_implies). */
static void
run_remove(const struct apply *apply, const struct command *command)
{
    uint64_t user = command->user_remove.user;
    struct ledger *ledger = apply->ledger;
    struct record_head head;
    struct record_user record;
    struct store_key key;
    if (!inbox_head_get(ledger, user, &head)) {
        apply->result->error = -ENOENT;
        return;
    }
    user_get(ledger, user, &record);
    for (unsigned i = 0; i < head.devices; i++) {
        key = record_key(ledger->partition, RECORD_DEVICE, user, head.cursors[i].device);
        ledger_delete(ledger, &key);
        due_unsubscribe(ledger, user, &head.cursors[i]);
    }
    key = record_key(ledger->partition, RECORD_PASSWORD, user, 0);
    ledger_delete(ledger, &key);
    key = record_key(ledger->partition, RECORD_LAST_SEEN, user, 0);
    ledger_delete(ledger, &key);
    key = record_key(ledger->partition, RECORD_LINK, user, 0);
    ledger_delete(ledger, &key);
    inbox_empty(ledger, user, &head);
    head.devices = 0;
    head.removed = true;
    inbox_head_put(ledger, user, &head);
    record.removed = true;
    user_put(apply, user, &record);
    apply_call_leave(apply, user, 0);
    leave_groups(apply, &command->user_remove);
    end_waits(apply, &command->user_remove);

    struct payload payload = {.kind = PAYLOAD_NAME_RELEASE,
                              .release = {.user = user, .name = record.name}};
    apply->result->stream_to =
        key_partition_of_name(ledger->seed, record.name.text, record.name.bytes);
    apply->result->stream_number =
        outbox_put(ledger, apply->effects, apply->result->stream_to, &payload);
    struct effect effect = {.kind = EFFECT_REVOKED, .user = user};
    effects_add(apply->effects, &effect);
}

const struct apply_command_kind apply_user_remove = {need_remove, run_remove};

static void
need_release(const struct needs *needs, const struct payload *payload)
{
    need_name(needs, &payload->release.name);
}

static void
run_release(const struct apply *apply, const struct payload *payload)
{
    const struct payload_name_release *release = &payload->release;
    struct record_name record;
    if (apply_name_get(apply->ledger, &release->name, &record) && record.user == release->user) {
        struct store_key key = record_key_name(apply->ledger->seed, &release->name);
        ledger_delete(apply->ledger, &key);
    }
}

const struct apply_payload_kind apply_name_release = {need_release, run_release};

static void
need_password(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->password.user, 0);
}

static void
run_password(const struct apply *apply, const struct command *command)
{
    const struct command_password_set *password = &command->password;
    struct record_head head;
    if (!inbox_head_get(apply->ledger, password->user, &head)) {
        apply->result->error = -ENOENT;
        return;
    }
    password_put(apply, password->user, password->text, password->bytes);
}

const struct apply_command_kind apply_password_set = {need_password, run_password};
