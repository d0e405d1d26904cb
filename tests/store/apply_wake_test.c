/* SPDX-License-Identifier: Apache-2.0 */
#include "store/inbox.h"
#include "store/record_wake.h"
#include "tests/store/world_group.h"
#include "tests/store/world_spec.h"

#include <errno.h>
#include <string.h>

static struct world_plan plan = {
    .seed = 3, .limits = {.inbox_entries_max = 3, .inbox_bytes_max = 1 << 20, .devices_max = 3}};

/* ----------------------------------------------------------------------------------- vocabulary */

static bool
record_get(struct world *world, uint64_t user, uint16_t device, enum record_table table,
           struct store_value *out)
{
    uint8_t partition = world_partition(world, user);
    struct store_key key = record_key(partition, table, user, device);
    return delta_get(world_ledger(world, partition)->delta, &key, out) == DELTA_PRESENT;
}

static bool
is_due(struct world *world, uint64_t user, uint16_t device)
{
    struct store_value value;
    struct record_head head;
    bool recorded = record_get(world, user, device, RECORD_DUE, &value);
    if (world_head(world, user, &head)) {
        const struct record_cursor *cursor = inbox_cursor(&head, device);
        assert_int_equal(cursor != NULL && cursor->due, recorded);
    }
    return recorded;
}

static struct record_due
due_of(struct world *world, uint64_t user, uint16_t device)
{
    struct store_value value;
    struct record_due due;
    assert_true(record_get(world, user, device, RECORD_DUE, &value));
    assert_int_equal(record_due_decode(value, &due), 0);
    return due;
}

/* The id of the device's subscription; 0: there is none. */
static uint64_t
subscription(struct world *world, uint64_t user, uint16_t device)
{
    struct store_value value;
    struct record_wake wake;
    if (!record_get(world, user, device, RECORD_WAKE, &value)) {
        return 0;
    }
    assert_int_equal(record_wake_decode(value, &wake), 0);
    return wake.id;
}

static int
set(struct world *world, uint64_t user, uint16_t device)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_WAKE_SET,
        .wake_set = {.user = user,
                     .device = device,
                     .wake = {.kind = STORE_WAKE_WEBPUSH,
                              .endpoint = (const unsigned char *)"https://h/x",
                              .endpoint_bytes = 11,
                              .app = (const unsigned char *)"mine",
                              .app_bytes = 4}},
    };
    return world_apply(world, &command).error;
}

static int
clear(struct world *world, uint64_t user, uint16_t device, uint64_t id)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_WAKE_CLEAR,
        .wake_clear = {.user = user, .device = device, .id = id},
    };
    return world_apply(world, &command).error;
}

static int
woken(struct world *world, uint64_t user, uint16_t device, uint64_t id, uint64_t newest)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_WAKE_DONE,
        .wake_done = {.user = user, .device = device, .id = id, .newest = newest},
    };
    return world_apply(world, &command).error;
}

static uint64_t
last(struct world *world, uint64_t user)
{
    struct record_head head;
    assert_true(world_head(world, user, &head));
    return head.last.number;
}

/* How many effects of the last command say that a device is due. */
static unsigned
effects_due(struct world *world)
{
    const struct effects *effects = world_effects(world);
    unsigned count = 0;
    for (size_t i = 0; i < effects->count; i++) {
        count += effects->items[i].kind == EFFECT_DUE;
    }
    return count;
}

/* ---------------------------------------------------------------------------------------- specs */

static void
comes_due(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    assert_int_equal(set(world, bob, 1), 0);
    assert_false(is_due(world, bob, 1));
    (void)world_send(world, alice, 1, 1, bob, "one");
    assert_int_equal(effects_due(world), 1);
    assert_true(is_due(world, bob, 1));
    assert_false(is_due(world, bob, 2)); /* nobody asked to be told there */
    uint64_t first = last(world, bob);
    struct record_due due = due_of(world, bob, 1);
    assert_int_equal(due.number, first);
    world_pass(world, 1000);
    (void)world_send(world, alice, 1, 2, bob, "two");
    assert_int_equal(effects_due(world), 0);
    assert_int_equal(due_of(world, bob, 1).number, first); /* it names the same wake */
    assert_int_equal(due_of(world, bob, 1).since_ms, due.since_ms);
}

static void
is_quiet(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    assert_int_equal(set(world, alice, 1), 0);
    assert_int_equal(set(world, alice, 2), 0);
    (void)world_send_copied(world, alice, 1, 1, bob, "mine");
    world_settle(world);
    assert_false(is_due(world, alice, 2)); /* a copy of what she wrote herself */
    (void)world_ack(world, bob, 1, last(world, bob));
    (void)world_read(world, bob, alice, 1);
    world_settle(world);
    assert_true(last(world, alice) > 0);
    assert_false(is_due(world, alice, 1)); /* a receipt */
    (void)world_send(world, alice, 1, 2, alice, "to myself");
    assert_false(is_due(world, alice, 2));
}

/* 0: not any more. */
static void
mute(struct world *world, uint64_t user, uint64_t chat, bool of_group, uint64_t until_ms)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_STATE,
        .state = {.user = user,
                  .subject = chat | (of_group ? STORE_STATE_GROUP : 0),
                  .kind = STORE_STATE_MUTED,
                  .removed = until_ms == 0,
                  .states_max = WORLD_STATES_MAX,
                  .bytes_max = WORLD_STATE_MAX,
                  .value = {.bytes = (const unsigned char *)"m", .count = until_ms != 0 ? 1 : 0},
                  .quiet_until_ms = until_ms},
    };
    assert_int_equal(world_apply(world, &command).error, 0);
}

static void
is_quiet_where_muted(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t id = world_group(world, alice, 1, &bob, 1);
    world_settle(world);
    world_drain(world, bob);
    (void)set(world, bob, 1);
    mute(world, bob, alice, false, world_now_ms(world) + 1000);
    mute(world, bob, id, true, UINT64_C(1) << 52);
    (void)world_send(world, alice, 1, 2, bob, "quiet");
    (void)world_group_send(world, alice, 3, id, "quiet");
    world_settle(world);
    assert_false(is_due(world, bob, 1));
    world_drain(world, bob);
    world_pass(world, 1000);
    (void)world_send(world, alice, 1, 4, bob, "its time is over");
    assert_true(is_due(world, bob, 1));
    world_drain(world, bob);
    (void)world_group_send(world, alice, 5, id, "quiet for good");
    world_settle(world);
    assert_false(is_due(world, bob, 1));
    mute(world, bob, id, true, 0);
    assert_false(is_due(world, bob, 1)); /* what was muted stays so */
    (void)world_group_send(world, alice, 6, id, "loud again");
    world_settle(world);
    assert_true(is_due(world, bob, 1));
}

static void
is_quiet_where_muted_before_joining(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t carol = world_user(world, "carol", 1);
    uint64_t id = world_group(world, alice, 1, &bob, 1);
    (void)set(world, carol, 1);
    mute(world, carol, id, true, UINT64_C(1) << 52);
    world_fold_out(world);
    struct world_group_change add = {.kind = STORE_GROUP_ADD,
                                     .user = alice,
                                     .number = 2,
                                     .group = id,
                                     .subjects = 1,
                                     .ids = {carol}};
    assert_int_equal(world_group_change(world, &add).error, 0);
    (void)world_group_send(world, alice, 3, id, "quiet");
    world_settle(world);
    assert_false(is_due(world, carol, 1));
    mute(world, carol, id, true, 0);
    (void)world_group_send(world, alice, 4, id, "loud");
    world_settle(world);
    assert_true(is_due(world, carol, 1));
}

static void
ends_with_acknowledgement(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)set(world, bob, 1);
    (void)world_send(world, alice, 1, 1, bob, "one");
    uint64_t first = last(world, bob);
    (void)world_send(world, alice, 1, 2, bob, "two");
    assert_int_equal(world_ack(world, bob, 1, first).error, 0);
    assert_true(is_due(world, bob, 1));
    assert_int_equal(world_ack(world, bob, 1, last(world, bob)).error, 0);
    assert_false(is_due(world, bob, 1));
    (void)world_send(world, alice, 1, 3, bob, "three");
    assert_true(is_due(world, bob, 1));
    assert_int_equal(due_of(world, bob, 1).number, last(world, bob));
}

static void
ends_with_wake(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)set(world, bob, 1);
    uint64_t id = subscription(world, bob, 1);
    (void)world_send(world, alice, 1, 1, bob, "one");
    uint64_t first = last(world, bob);
    assert_int_equal(woken(world, bob, 1, id, first), 0);
    assert_false(is_due(world, bob, 1));
    assert_int_equal(woken(world, bob, 1, id, first), 0); /* told twice */
    assert_false(is_due(world, bob, 1));
    world_pass(world, 5000);
    (void)world_send(world, alice, 1, 2, bob, "two");
    assert_true(is_due(world, bob, 1));
    uint64_t since_ms = due_of(world, bob, 1).since_ms;
    uint64_t second = last(world, bob);
    world_pass(world, 5000);
    (void)world_send(world, alice, 1, 3, bob, "while it was woken for two");
    assert_int_equal(woken(world, bob, 1, id, second), 0);
    assert_int_equal(effects_due(world), 1);
    assert_true(is_due(world, bob, 1));
    assert_int_equal(due_of(world, bob, 1).number, last(world, bob));
    assert_true(due_of(world, bob, 1).since_ms >= since_ms + 5000);
    assert_int_equal(woken(world, bob, 1, id, last(world, bob) + 1), 0); /* of the future */
    assert_true(is_due(world, bob, 1));
}

static void
ends_with_subscription(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    (void)set(world, bob, 1);
    uint64_t id = subscription(world, bob, 1);
    (void)world_send(world, alice, 1, 1, bob, "one");
    assert_int_equal(clear(world, bob, 1, id + 1), 0); /* another one */
    assert_true(is_due(world, bob, 1));
    assert_int_equal(subscription(world, bob, 1), id);
    assert_int_equal(clear(world, bob, 1, id), 0);
    assert_false(is_due(world, bob, 1));
    assert_int_equal(subscription(world, bob, 1), 0);
    assert_int_equal(clear(world, bob, 1, 0), 0); /* none is left */
    assert_int_equal(woken(world, bob, 1, id, last(world, bob)), 0);
    (void)world_send(world, alice, 1, 2, bob, "two");
    assert_false(is_due(world, bob, 1));
    assert_int_equal(set(world, bob, 1), 0);
    assert_false(is_due(world, bob, 1)); /* what came before is nothing to wake it for */
    assert_int_equal(clear(world, bob, 1, 0), 0);
    assert_int_equal(subscription(world, bob, 1), 0);
    assert_int_equal(set(world, bob, 3), -ENOENT);
    assert_int_equal(clear(world, bob, 3, 0), -ENOENT);
    assert_int_equal(woken(world, bob, 3, 1, 1), -ENOENT);
    assert_int_equal(set(world, bob + 256, 1), -ENOENT);
}

static void
is_replaced(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)set(world, bob, 1);
    uint64_t old = subscription(world, bob, 1);
    (void)world_send(world, alice, 1, 1, bob, "one");
    (void)set(world, bob, 1);
    assert_true(subscription(world, bob, 1) > old);
    assert_true(is_due(world, bob, 1));
    assert_int_equal(woken(world, bob, 1, old, last(world, bob)), 0); /* there, not here */
    assert_true(is_due(world, bob, 1));
}

static void
goes_with_device(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 3);
    for (uint16_t device = 1; device <= 3; device++) {
        (void)set(world, bob, device);
    }
    (void)world_send(world, alice, 1, 1, bob, "one");
    (void)world_device_revoke(world, bob, 2);
    assert_false(is_due(world, bob, 2));
    assert_int_equal(subscription(world, bob, 2), 0);
    assert_true(is_due(world, bob, 1));
    assert_true(is_due(world, bob, 3));
    (void)world_remove(world, bob);
    for (uint16_t device = 1; device <= 3; device++) {
        assert_false(is_due(world, bob, device));
        assert_int_equal(subscription(world, bob, device), 0);
    }
}

/* What it missed is gone, and nothing is left to wake it for. */
static void
ends_with_resync(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    (void)set(world, bob, 1);
    for (uint64_t number = 1; number <= 4; number++) {
        assert_int_equal(world_send(world, alice, 1, number, bob, "x").error, 0);
        (void)world_ack(world, bob, 2, last(world, bob));
    }
    struct record_head head;
    assert_true(world_head(world, bob, &head));
    assert_int_equal(inbox_cursor(&head, 1)->state, RECORD_CURSOR_LOST);
    assert_true(is_due(world, bob, 1));
    assert_int_equal(world_device_attach(world, bob, 1).error, 0);
    assert_false(is_due(world, bob, 1));
}

static void
survives(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    (void)set(world, bob, 1);
    (void)set(world, bob, 2);
    uint64_t id = subscription(world, bob, 1);
    (void)world_send(world, alice, 1, 1, bob, "one");
    uint64_t number = due_of(world, bob, 1).number;
    for (unsigned cell = 0; cell < 8; cell++) {
        world_fold(world, cell);
    }
    (void)woken(world, bob, 2, subscription(world, bob, 2), number);
    world_restart(world);
    /* Whatever a command looks up is fetched from what was folded. */
    (void)world_send(world, alice, 1, 2, bob, "two");
    struct record_head head;
    assert_true(world_head(world, bob, &head));
    assert_true(head.cursors[0].due && head.cursors[0].wakes && head.cursors[0].woken < number);
    assert_true(head.cursors[1].due && head.cursors[1].woken == number);
    assert_int_equal(due_of(world, bob, 2).number, head.last.number);
    (void)woken(world, bob, 1, id, head.last.number);
    assert_false(is_due(world, bob, 1));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("a message makes those devices due that want to be woken, once", comes_due),
        IN_A_WORLD("receipts, copies and words to oneself wake nobody", is_quiet),
        IN_A_WORLD("a muted chat wakes nobody, one to one or group, as long as it is muted",
                   is_quiet_where_muted),
        IN_A_WORLD("so does a group that was muted before one was in it",
                   is_quiet_where_muted_before_joining),
        IN_A_WORLD("who has acknowledged all of it is not due any more", ends_with_acknowledgement),
        IN_A_WORLD("who was woken is due again only for something newer", ends_with_wake),
        IN_A_WORLD("without a subscription nobody is due", ends_with_subscription),
        IN_A_WORLD("what is done for an old subscription does not count for the new one",
                   is_replaced),
        IN_A_WORLD("with a device, or a user, go subscription and being due", goes_with_device),
        IN_A_WORLD("who comes back to nothing is not due", ends_with_resync),
        IN_A_WORLD("all of it is the same after folds and a start", survives),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
