/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that come with a code, and what the others hear of them. */
#include "store/inbox.h"
#include "tests/store/world_spec.h"

#include <errno.h>
#include <string.h>

enum { CODE = 7, WRONG = 8, MINUTE_MS = 60000, TRIES = 3 };

static struct world_plan plan = {
    .seed = 2, .limits = {.inbox_entries_max = 4, .inbox_bytes_max = 1 << 20, .devices_max = 3}};

static struct store_entry entries[WORLD_PAGE_MAX];

/* The newest entry of the inbox is news of the device. */
static void
expect_news(struct world *world, uint64_t user, enum store_device_change change, uint16_t device,
            const char *name)
{
    size_t count = world_inbox(world, user, 0, entries);
    assert_true(count > 0);
    const struct store_entry *newest = &entries[count - 1];
    assert_int_equal(newest->kind, STORE_ENTRY_DEVICE);
    assert_int_equal(newest->peer, user);
    assert_int_equal(newest->device.change, change);
    assert_int_equal(newest->device.device, device);
    assert_int_equal(newest->device.name_bytes, strlen(name));
    assert_memory_equal(newest->device.name, name, strlen(name));
}

static void
links_once(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    struct result created = world_link_create(world, alice, CODE, MINUTE_MS, TRIES);
    assert_int_equal(created.error, 0);
    struct result linked = world_link_redeem(world, alice, CODE);
    assert_int_equal(linked.error, 0);
    assert_int_equal(linked.device, 2);
    const struct effects *effects = world_effects(world);
    assert_int_equal(effects->items[0].kind, EFFECT_DEVICES);
    assert_int_equal(effects->items[0].devices, 2);
    expect_news(world, alice, STORE_DEVICE_LINKED, 2, "linked");
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EACCES);
    assert_int_equal(world_device_attach(world, alice, 2).error, 0);
    assert_int_equal(world_device_attach(world, alice, 3).error, -ENOENT);
}

/* The code and the device are changed by one apply, which is in the log or is not. */
static void
links_once_over_a_crash(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    (void)world_link_create(world, alice, CODE, MINUTE_MS, TRIES);
    world_restart(world);
    assert_int_equal(world_link_redeem(world, alice, CODE).error, 0);
    world_restart(world);
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EACCES);
    world_fold_all(world);
    world_restart(world);
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EACCES);
    assert_int_equal(world_device_attach(world, alice, 2).error, 0);
}

static void
codes_expire(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t expires_at_ms = world_link_create(world, alice, CODE, MINUTE_MS, TRIES).time_ms;
    world_pass(world, MINUTE_MS);
    struct result again = world_link_create(world, alice, CODE, MINUTE_MS, TRIES);
    assert_int_equal(again.time_ms, expires_at_ms + MINUTE_MS); /* a new one, in its place */
    world_pass(world, MINUTE_MS + 1);
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EACCES);
    assert_int_equal(world_link_redeem(world, alice + 256, CODE).error, -EACCES);
    assert_int_equal(world_link_create(world, alice + 256, CODE, MINUTE_MS, TRIES).error, -ENOENT);
}

static void
tries_are_bounded(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    (void)world_link_create(world, alice, CODE, MINUTE_MS, TRIES);
    for (unsigned i = 0; i < TRIES - 1; i++) {
        assert_int_equal(world_link_redeem(world, alice, WRONG).error, -EACCES);
    }
    assert_int_equal(world_link_redeem(world, alice, CODE).error, 0);
    (void)world_link_create(world, alice, CODE, MINUTE_MS, TRIES);
    for (unsigned i = 0; i < TRIES; i++) {
        assert_int_equal(world_link_redeem(world, alice, WRONG).error, -EACCES);
    }
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EACCES); /* void by now */
}

static void
a_code_waits_for_room(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 3);
    (void)world_link_create(world, alice, CODE, MINUTE_MS, TRIES);
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EMFILE);
    assert_int_equal(world_device_revoke(world, alice, 2).error, 0);
    expect_news(world, alice, STORE_DEVICE_REVOKED, 2, "phone");
    assert_int_equal(world_link_redeem(world, alice, CODE).device, 4);
}

static uint64_t
seen_at(struct world *world, uint64_t user, uint16_t device)
{
    struct record_device record;
    bool found = world_device(world, user, device, &record);
    assert_true(found);
    return record.seen_at_ms;
}

static int
ask_by(struct world *world, uint64_t user, uint16_t device)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_LINK_CREATE,
        .link_create = {.user = user, .device = device, .lifetime_ms = MINUTE_MS, .tries = TRIES}};
    command.link_create.code_hash[0] = CODE;
    return world_apply(world, &command).error;
}

/* Whoever has a stolen device is shown its code: that must not bring the next device. */
static void
a_code_goes_with_its_device(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    assert_int_equal(ask_by(world, alice, 2), 0);
    world_fold_out(world);
    assert_int_equal(world_device_revoke(world, alice, 2).error, 0);
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EACCES);
    assert_int_equal(ask_by(world, alice, 2), -ENOENT); /* asked before it knew */
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EACCES);
    /* One that another device shows is nobody else's business. */
    assert_int_equal(ask_by(world, alice, 1), 0);
    assert_int_equal(world_device_add(world, alice, "third").device, 3);
    assert_int_equal(world_device_revoke(world, alice, 3).error, 0);
    assert_int_equal(world_link_redeem(world, alice, CODE).error, 0);
}

static void
a_code_goes_with_a_device_unseen_for_long(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t seen = seen_at(world, alice, 2);
    assert_int_equal(ask_by(world, alice, 2), 0);
    world_fold_out(world);
    (void)world_device_unseen(world, alice, 2, seen, UNSEEN_WARN);
    (void)world_device_unseen(world, alice, 2, seen, UNSEEN_UNLINK);
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EACCES);
}

static void
a_removed_user_has_no_code(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    (void)world_link_create(world, alice, CODE, MINUTE_MS, TRIES);
    assert_int_equal(world_remove(world, alice).error, 0);
    assert_int_equal(world_link_redeem(world, alice, CODE).error, -EACCES);
}

static void
renames(void **state)
{
    struct world *world = *state;
    struct record_device device;
    uint64_t alice = world_user(world, "alice", 2);
    assert_int_equal(world_device_rename(world, alice, 2, "tablet").error, 0);
    assert_true(world_device(world, alice, 2, &device));
    assert_int_equal(device.name.bytes, 6);
    expect_news(world, alice, STORE_DEVICE_RENAMED, 2, "tablet");
    size_t count = world_inbox(world, alice, 0, entries);
    assert_int_equal(world_device_rename(world, alice, 2, "tablet").error, 0);
    assert_int_equal(world_inbox(world, alice, 0, entries), count); /* that is no news */
    assert_int_equal(world_device_rename(world, alice, 3, "tablet").error, -ENOENT);
    assert_int_equal(world_device_rename(world, alice + 256, 1, "tablet").error, -ENOENT);
}

static void
warns_then_unlinks(void **state)
{
    struct world *world = *state;
    struct record_device device;
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t seen = seen_at(world, alice, 2);
    (void)world_device_unseen(world, alice, 2, seen, UNSEEN_UNLINK); /* nobody was warned */
    assert_true(world_device(world, alice, 2, &device));
    (void)world_device_unseen(world, alice, 2, seen, UNSEEN_WARN);
    expect_news(world, alice, STORE_DEVICE_WARNED, 2, "phone");
    size_t count = world_inbox(world, alice, 0, entries);
    assert_true(entries[count - 1].device.unlink_at_ms > entries[count - 1].device.time_ms);
    (void)world_device_unseen(world, alice, 2, seen, UNSEEN_WARN); /* once */
    assert_int_equal(world_inbox(world, alice, 0, entries), count);
    (void)world_device_unseen(world, alice, 2, seen, UNSEEN_UNLINK);
    assert_false(world_device(world, alice, 2, &device));
    assert_int_equal(world_effects(world)->items[0].kind, EFFECT_REVOKED);
    expect_news(world, alice, STORE_DEVICE_UNLINKED, 2, "phone");
    (void)world_device_unseen(world, alice, 2, seen, UNSEEN_UNLINK); /* it is gone */
    assert_int_equal(world_device_attach(world, alice, 2).error, -ENOENT);
}

static void
who_comes_back_stays(void **state)
{
    struct world *world = *state;
    struct record_device device;
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t seen = seen_at(world, alice, 2);
    (void)world_device_unseen(world, alice, 2, seen, UNSEEN_WARN);
    world_pass(world, 5);
    assert_int_equal(world_device_attach(world, alice, 2).error, 0);
    (void)world_device_unseen(world, alice, 2, seen, UNSEEN_UNLINK); /* judged before that */
    assert_true(world_device(world, alice, 2, &device));
    assert_int_equal(device.seen_at_ms, seen + 5);
    assert_int_equal(device.warned_at_ms, 0);
    world_pass(world, 5);
    (void)world_device_unseen(world, alice, 2, seen + 5, UNSEEN_ANEW);
    assert_int_equal(seen_at(world, alice, 2), seen + 10);
}

static void
the_last_device_stays(void **state)
{
    struct world *world = *state;
    struct record_device device;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t seen = seen_at(world, alice, 1);
    (void)world_device_unseen(world, alice, 1, seen, UNSEEN_WARN);
    (void)world_device_unseen(world, alice, 1, seen, UNSEEN_UNLINK);
    assert_true(world_device(world, alice, 1, &device));
}

/* bob's inbox is full on all his devices: no message fits, and no news, of which a mark tells. */
static void
news_never_refuse(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    for (uint64_t i = 1; i <= 4; i++) {
        assert_int_equal(world_send(world, alice, 1, i, bob, "m").error, 0);
    }
    assert_int_equal(world_send(world, alice, 1, 5, bob, "m").error, -EDQUOT);
    assert_int_equal(world_device_rename(world, bob, 1, "his").error, 0);
    assert_int_equal(world_device_rename(world, bob, 1, "mine").error, 0);
    assert_int_equal(world_inbox(world, bob, 0, entries), 5);
    assert_int_equal(entries[4].kind, STORE_ENTRY_MISSED);
    struct record_device device;
    assert_true(world_device(world, bob, 1, &device));
    assert_memory_equal(device.name.text, "mine", 4);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("a code links one device, and the others hear of it", links_once),
        IN_A_WORLD("a code links one device over crashes and folds", links_once_over_a_crash),
        IN_A_WORLD("a code ends with its time, and with the next one", codes_expire),
        IN_A_WORLD("wrong codes are counted, and the last one voids the code", tries_are_bounded),
        IN_A_WORLD("a code stays good while the user has too many devices", a_code_waits_for_room),
        IN_A_WORLD("a code goes with the device that asked for it", a_code_goes_with_its_device),
        IN_A_WORLD("a code goes with a device that is unlinked, too",
                   a_code_goes_with_a_device_unseen_for_long),
        IN_A_WORLD("the code of a removed user is gone", a_removed_user_has_no_code),
        IN_A_WORLD("a device is renamed, and the others hear of it", renames),
        IN_A_WORLD("a device unseen for long is warned of once, then unlinked", warns_then_unlinks),
        IN_A_WORLD("a device that comes back in time stays", who_comes_back_stays),
        IN_A_WORLD("a user's last device is not unlinked", the_last_device_stays),
        IN_A_WORLD("a full inbox takes no news but that they are missing, and refuses no change",
                   news_never_refuse),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
