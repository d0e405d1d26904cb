/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about users: their names, devices and states. */
#include "tests/store/world.h"

#include <string.h>

static struct store_name
name_of(const char *text)
{
    struct store_name name = {.bytes = (uint8_t)strlen(text)};
    ASSERT(strlen(text) <= STORE_NAME_BYTES_MAX);
    memcpy(name.text, text, name.bytes);
    return name;
}

struct result
world_claim(struct world *world, const char *text)
{
    struct store_name name = name_of(text);
    struct command command = {
        .partition = key_partition_of_name(world_seed(world), name.text, name.bytes),
        .kind = COMMAND_NAME_CLAIM,
        .claim = {.name = name, .password = (const unsigned char *)"$argon", .password_bytes = 6},
    };
    return world_apply(world, &command);
}

bool
world_name(struct world *world, const char *text, uint64_t *out_user)
{
    struct store_name name = name_of(text);
    struct store_key key = record_key_name(world_seed(world), &name);
    struct record_name record;
    struct store_value value;
    if (!world_get(world, &key, &value)) {
        return false;
    }
    int error = record_name_decode(value, &record);
    ASSERT(error == 0);
    *out_user = record.user;
    return true;
}

static struct result
device_command(struct world *world, enum command_kind kind, uint64_t user, uint16_t device)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = kind,
        .device = {.user = user, .device = device},
    };
    return world_apply(world, &command);
}

struct result
world_remove(struct world *world, uint64_t user)
{
    return world_remove_from(world, user, NULL, 0);
}

struct result
world_remove_from(struct world *world, uint64_t user, const uint64_t *groups, uint32_t count)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_USER_REMOVE,
        .user_remove = {.user = user,
                        .groups = {.count = count, .bytes = (const unsigned char *)groups}}};
    return world_apply(world, &command);
}

struct result
world_device_attach(struct world *world, uint64_t user, uint16_t device)
{
    return device_command(world, COMMAND_DEVICE_ATTACH, user, device);
}

struct result
world_device_revoke(struct world *world, uint64_t user, uint16_t device)
{
    return device_command(world, COMMAND_DEVICE_REVOKE, user, device);
}

struct result
world_device_add(struct world *world, uint64_t user, const char *name)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_DEVICE_ADD,
        .device_add = {.user = user, .name = name_of(name)},
    };
    memset(command.device_add.token_hash, 0x5a, STORE_TOKEN_HASH_BYTES);
    return world_apply(world, &command);
}

struct result
world_device_rename(struct world *world, uint64_t user, uint16_t device, const char *name)
{
    return world_device_rename_as(world, user, 0, device, name);
}

struct result
world_device_rename_as(struct world *world, uint64_t user, uint64_t number, uint16_t device,
                       const char *name)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_DEVICE_RENAME,
        .rename =
            {.user = user, .number = number, .by = 1, .device = device, .name = name_of(name)},
    };
    return world_apply(world, &command);
}

struct result
world_link_create(struct world *world, uint64_t user, unsigned char code, uint32_t lifetime_ms,
                  uint8_t tries)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_LINK_CREATE,
        .link_create = {.user = user, .device = 1, .lifetime_ms = lifetime_ms, .tries = tries},
    };
    command.link_create.code_hash[0] = code;
    return world_apply(world, &command);
}

struct result
world_link_redeem(struct world *world, uint64_t user, unsigned char code)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_LINK_REDEEM,
        .link_redeem = {.add = {.user = user, .name = name_of("linked")}},
    };
    command.link_redeem.code_hash[0] = code;
    return world_apply(world, &command);
}

struct result
world_device_unseen(struct world *world, uint64_t user, uint16_t device, uint64_t seen_at_ms,
                    enum command_unseen_verdict verdict)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_DEVICE_UNSEEN,
        .unseen = {.user = user,
                   .device = device,
                   .seen_at_ms = seen_at_ms,
                   .unlink_at_ms = world_now_ms(world) + 1000,
                   .verdict = (uint8_t)verdict},
    };
    return world_apply(world, &command);
}

struct result
world_state(struct world *world, uint64_t user, uint8_t kind, uint64_t subject, const char *value)
{
    return world_state_as(world, user, 0, kind, subject, value);
}

struct result
world_state_as(struct world *world, uint64_t user, uint64_t number, uint8_t kind, uint64_t subject,
               const char *value)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_STATE,
        .state = {.user = user,
                  .number = number,
                  .subject = subject,
                  .device = 1,
                  .kind = kind,
                  .removed = value == NULL,
                  .states_max = WORLD_STATES_MAX,
                  .bytes_max = WORLD_STATE_MAX},
    };
    if (value != NULL) {
        command.state.value =
            (struct store_value){.bytes = (const unsigned char *)value, .count = strlen(value)};
    }
    return world_apply(world, &command);
}

void
world_drain(struct world *world, uint64_t user)
{
    struct record_head head;
    bool present = world_head(world, user, &head);
    ASSERT(present);
    for (unsigned i = 0; head.last.number > 0 && i < head.devices; i++) {
        (void)world_ack(world, user, head.cursors[i].device, head.last.number);
    }
}

uint64_t
world_user(struct world *world, const char *name, unsigned devices)
{
    struct result result = world_claim(world, name);
    world_settle(world);
    for (unsigned i = 0; result.error == 0 && i < devices; i++) {
        (void)world_device_add(world, result.user, "phone");
    }
    if (result.error == 0) {
        world_drain(world, result.user); /* that the others were linked */
    }
    return result.error == 0 ? result.user : 0;
}
