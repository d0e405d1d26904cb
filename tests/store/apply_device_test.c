/* SPDX-License-Identifier: Apache-2.0 */
#include "store/inbox.h"
#include "tests/store/world_spec.h"

#include <errno.h>

static struct world_plan plan = {
    .seed = 2, .limits = {.inbox_entries_max = 3, .inbox_bytes_max = 1 << 20, .devices_max = 3}};

static struct record_cursor
cursor_of(struct world *world, uint64_t user, uint16_t device)
{
    struct record_head head;
    bool present = world_head(world, user, &head);
    assert_true(present);
    struct record_cursor *cursor = inbox_cursor(&head, device);
    assert_non_null(cursor);
    return *cursor;
}

static void
adds_up_to_the_limit(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 0);
    assert_int_equal(world_device_add(world, alice, "a").device, 1);
    assert_int_equal(world_effects(world)->items[0].kind, EFFECT_DEVICES);
    assert_int_equal(world_effects(world)->items[0].devices, 1);
    assert_int_equal(world_device_add(world, alice, "b").device, 2);
    assert_int_equal(world_device_add(world, alice, "c").device, 3);
    assert_int_equal(world_device_add(world, alice, "d").error, -EMFILE);
    assert_int_equal(world_device_revoke(world, alice, 2).error, 0);
    assert_int_equal(world_device_add(world, alice, "d").device, 4); /* a number is given once */
    assert_int_equal(world_device_add(world, alice + 256, "x").error, -ENOENT);
}

static void
revokes(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    assert_int_equal(world_device_revoke(world, alice, 1).error, 0);
    const struct effects *effects = world_effects(world);
    assert_int_equal(effects->count, 3);
    assert_int_equal(effects->items[0].kind, EFFECT_REVOKED);
    assert_int_equal(effects->items[0].device, 1);
    assert_int_equal(effects->items[1].kind, EFFECT_DEVICES);
    assert_int_equal(effects->items[1].devices, 1);
    assert_int_equal(effects->items[2].kind, EFFECT_PUSH); /* the others hear of it */
    assert_int_equal(world_device_revoke(world, alice, 1).error, -EALREADY);
    assert_int_equal(world_effects(world)->count, 0);
    assert_int_equal(world_device_revoke(world, alice, 3).error, -ENOENT); /* there never was one */
    assert_int_equal(world_device_revoke(world, alice, 0).error, -ENOENT);
    assert_int_equal(world_device_attach(world, alice, 1).error, -ENOENT);
    assert_int_equal(world_ack(world, alice, 1, 0).error, -ENOENT);
    assert_int_equal(world_device_attach(world, alice, 2).error, 0);
    assert_int_equal(world_device_revoke(world, alice + 256, 2).error, -ENOENT);
}

static void
gives_ranges(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t range = 0;
    for (unsigned i = 0; i < 10; i++) {
        struct result result = world_device_attach(world, alice, 1); /* the clock stands still */
        assert_int_equal(result.error, 0);
        assert_true(result.range >= range + (UINT64_C(1) << LEDGER_NUMBER_COUNTER_BITS));
        assert_true(result.range < UINT64_C(1) << 52);
        range = result.range;
    }
    world_pass(world, 3600000);
    assert_true(world_device_attach(world, alice, 1).range > range + (UINT64_C(3000) << 22));
}

static void
attaches_where_it_was(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 1, bob, "one");
    uint64_t first = world_effects(world)->items[0].number;
    (void)world_send(world, alice, 1, 2, bob, "two");
    uint64_t second = world_effects(world)->items[0].number;
    assert_int_equal(world_effects(world)->items[0].previous, first);
    struct result result = world_device_attach(world, bob, 1);
    assert_int_equal(result.acked, 0);
    assert_int_equal(result.last, second);
    assert_int_equal(result.devices, 1);
    assert_false(result.resync);
    (void)world_ack(world, bob, 1, first);
    assert_int_equal(world_device_attach(world, bob, 1).acked, first);
}

static void
first_device_gets_what_waited(void **state)
{
    struct world *world = *state;
    static struct store_entry entries[WORLD_PAGE_MAX];
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 0);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(world_send(world, alice, 1, i, bob, "early").error, 0);
    }
    assert_int_equal(world_send(world, alice, 1, 4, bob, "too much").error, -EDQUOT);
    uint16_t device = world_device_add(world, bob, "phone").device;
    struct result attached = world_device_attach(world, bob, device);
    assert_int_equal(world_inbox(world, bob, attached.acked, entries), 3);
}

/* alice's third device lags; the limit is three messages. */
static void
limits_concern_one_device(void **state)
{
    struct world *world = *state;
    static struct store_entry entries[WORLD_PAGE_MAX];
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    uint64_t last = 0;
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(world_send(world, alice, 1, i, bob, "m").error, 0);
        last = world_effects(world)->items[0].number;
        (void)world_ack(world, bob, 1, last);
    }
    assert_int_equal(world_send(world, alice, 1, 4, bob, "m").error, 0);
    const struct effects *effects = world_effects(world);
    assert_int_equal(effects->items[0].kind, EFFECT_RESYNC);
    assert_int_equal(effects->items[0].device, 2);
    assert_int_equal(effects->items[1].kind, EFFECT_PUSH);
    assert_int_equal(cursor_of(world, bob, 2).state, RECORD_CURSOR_LOST);
    assert_int_equal(world_inbox(world, bob, 0, entries), 1); /* what device 1 has not stored yet */

    /* A lost device takes nothing, so it does not keep the sender going either. */
    (void)world_send(world, alice, 1, 5, bob, "m");
    (void)world_send(world, alice, 1, 6, bob, "m");
    assert_int_equal(world_send(world, alice, 1, 7, bob, "m").error, -EDQUOT);
    assert_int_equal(world_inbox(world, bob, last, entries), 3);

    /* Back again it has a hole, told until it has acknowledged where it begins. */
    struct result back = world_device_attach(world, bob, 2);
    assert_true(back.resync);
    assert_int_equal(back.acked, last);
    assert_true(world_device_attach(world, bob, 2).resync);
    assert_int_equal(world_ack(world, bob, 2, back.acked).error, 0);
    assert_false(world_device_attach(world, bob, 2).resync);
    assert_int_equal(world_inbox(world, bob, back.acked, entries), 3);
}

static void
resumes_without_a_hole(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    uint64_t numbers[4];
    for (uint64_t i = 0; i < 3; i++) {
        (void)world_send(world, alice, 1, i + 1, bob, "m");
        numbers[i] = world_effects(world)->items[0].number;
    }
    (void)world_ack(world, bob, 1, numbers[0]);
    (void)world_send(world, alice, 1, 4, bob,
                     "m"); /* device 2 is lost, but device 1 keeps 2 to 4 */
    (void)world_device_revoke(world, bob, 1);
    struct record_cursor cursor = cursor_of(world, bob, 2);
    assert_int_equal(cursor.state, RECORD_CURSOR_RESUMED); /* message 1 is gone for it */
    assert_int_equal(cursor.acked.number, numbers[0]);

    uint64_t carol = world_user(world, "carol", 2);
    for (uint64_t i = 0; i < 3; i++) {
        (void)world_send(world, alice, 1, i + 10, carol, "m");
        numbers[i] = world_effects(world)->items[0].number;
    }
    (void)world_ack(world, carol, 1, numbers[0]);
    (void)world_ack(world, carol, 2, numbers[0]);
    (void)world_send(world, alice, 1, 14, carol, "m");
    (void)world_ack(world, carol, 1, numbers[1]);
    (void)world_send(world, alice, 1, 15, carol, "m"); /* now device 2 is lost, at message 1 */
    assert_int_equal(cursor_of(world, carol, 2).state, RECORD_CURSOR_LOST);
    assert_true(world_device_attach(world, carol, 2).resync);
}

static void
the_last_place_is_kept_for_somebody(void **state)
{
    struct world *world = *state;
    static struct store_entry entries[WORLD_PAGE_MAX];
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, alice, 1, 1, bob, "m");
    (void)world_device_revoke(world, bob, 1);
    assert_int_equal(world_inbox(world, bob, 0, entries), 1);
    uint16_t device = world_device_add(world, bob, "new phone").device;
    assert_int_equal(world_device_attach(world, bob, device).acked, 0);
}

static void
a_late_retry_renames_nothing(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 2);
    struct record_device device;
    assert_int_equal(world_device_rename_as(world, alice, 5, 2, "kitchen").error, 0);
    assert_int_equal(world_device_rename_as(world, alice, 6, 2, "hall").error, 0);
    assert_true(world_device_rename_as(world, alice, 5, 2, "kitchen").duplicate);
    assert_true(world_device(world, alice, 2, &device));
    assert_memory_equal(device.name.text, "hall", 4);
    (void)world_device_revoke(world, alice, 2);
    assert_int_equal(world_device_rename_as(world, alice, 6, 2, "hall").error, 0);
}

static void
an_old_ack_does_not_end_a_resync(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    uint64_t first = 0;
    for (uint64_t i = 1; i <= 4; i++) {
        (void)world_send(world, alice, 1, i, bob, "m");
        const struct effects *effects = world_effects(world);
        uint64_t number = effects->items[effects->count - 1].number;
        first = first == 0 ? number : first;
        (void)world_ack(world, bob, 1, number);
    }
    assert_int_equal(world_ack(world, bob, 2, first).error, 0); /* sent before it knew */
    struct result back = world_device_attach(world, bob, 2);
    assert_true(back.resync);
    assert_int_equal(world_ack(world, bob, 2, first).error, 0);
    assert_true(world_device_attach(world, bob, 2).resync);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("devices are added up to the limit, each with a number of its own",
                   adds_up_to_the_limit),
        IN_A_WORLD("a revoked device is gone, and its session is told", revokes),
        IN_A_WORLD("each attach gives a range of command numbers above all before", gives_ranges),
        IN_A_WORLD("a device attaches where its acknowledgements ended", attaches_where_it_was),
        IN_A_WORLD("the first device gets what came before it", first_device_gets_what_waited),
        IN_A_WORLD("a device at its limit loses its place when another can take the message",
                   limits_concern_one_device),
        IN_A_WORLD("what is still there for somebody is still there for a lost device",
                   resumes_without_a_hole),
        IN_A_WORLD("without devices the inbox waits for the next one",
                   the_last_place_is_kept_for_somebody),
        IN_A_WORLD("a device is renamed once by a command, however late it is sent again",
                   a_late_retry_renames_nothing),
        IN_A_WORLD("only acknowledging the new beginning ends a resync",
                   an_old_ack_does_not_end_a_resync),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
