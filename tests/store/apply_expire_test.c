/* SPDX-License-Identifier: Apache-2.0 */
/* What waits in an inbox for too long goes, and nobody is left in the dark about it. */
#include "store/inbox.h"
#include "tests/store/world_spec.h"

#include <errno.h>

enum { HOUR_MS = 3600000 };

static struct world_plan plan = {
    .seed = 2, .limits = {.inbox_entries_max = 100, .inbox_bytes_max = 1 << 20, .devices_max = 3}};

static struct store_entry entries[WORLD_PAGE_MAX];

/* Sends messages first to last. Returns the inbox number of the last. */
static uint64_t
send(struct world *world, uint64_t from, uint64_t to, uint64_t first, uint64_t last)
{
    uint64_t number = 0;
    for (uint64_t i = first; i <= last; i++) {
        assert_int_equal(world_send(world, from, 1, i, to, "m").error, 0);
        const struct effects *effects = world_effects(world);
        number = effects->items[effects->count - 1].number;
    }
    return number;
}

static struct record_chat
chat_of(struct world *world, uint64_t user, uint64_t peer)
{
    struct record_chat chat = {0};
    (void)world_chat(world, user, peer, &chat);
    return chat;
}

/* The newest mark of the chat in the inbox. */
static struct store_entry_cursors
mark_of(struct world *world, uint64_t user, uint64_t peer)
{
    struct store_entry_cursors mark = {0};
    size_t count = world_inbox(world, user, 0, entries);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].kind == STORE_ENTRY_CURSORS && entries[i].peer == peer) {
            mark = entries[i].cursors;
        }
    }
    return mark;
}

static const char *
expired_of_mark(const struct store_entry_cursors *mark)
{
    struct expired expired;
    entry_cursors_expired(mark, &expired);
    return world_expired_text(&expired);
}

static void
old_messages_go(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t second = send(world, alice, bob, 1, 2);
    world_pass(world, HOUR_MS);
    (void)send(world, alice, bob, 3, 3);
    assert_true(world_expire(world, bob, HOUR_MS));
    const struct effects *effects = world_effects(world);
    assert_int_equal(effects->items[0].kind, EFFECT_RESYNC);
    assert_int_equal(effects->items[0].device, 1);
    assert_int_equal(world_inbox(world, bob, 0, entries), 1);
    assert_int_equal(entries[0].message.chat_number, 3);
    assert_false(world_expire(world, bob, HOUR_MS)); /* nothing is that old any more */

    struct result back = world_device_attach(world, bob, 1);
    assert_true(back.resync);
    assert_true(back.expired);
    assert_int_equal(back.acked, second);
    assert_int_equal(world_ack(world, bob, 1, back.acked).error, 0);
    back = world_device_attach(world, bob, 1);
    assert_false(back.resync);
    assert_false(back.expired);
}

static void
the_sender_learns(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t first = send(world, alice, bob, 1, 1);
    (void)world_ack(world, bob, 1, first);
    (void)send(world, alice, bob, 2, 4);
    world_pass(world, HOUR_MS);
    assert_true(world_expire(world, bob, HOUR_MS));
    world_settle(world);
    struct store_entry_cursors mark = mark_of(world, alice, bob);
    assert_int_equal(mark.peer_delivered, 1);
    assert_string_equal(expired_of_mark(&mark), "2-4");
    assert_string_equal(world_expired_there(world, alice, bob), "2-4");

    /* What comes later is delivered, and the hole stays one. */
    uint64_t fifth = send(world, alice, bob, 5, 5);
    (void)world_device_attach(world, bob, 1);
    (void)world_ack(world, bob, 1, fifth);
    world_settle(world);
    mark = mark_of(world, alice, bob);
    assert_int_equal(mark.peer_delivered, 5);
    assert_string_equal(expired_of_mark(&mark), "2-4");
}

static void
holes_grow_or_follow(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)send(world, alice, bob, 1, 2);
    world_pass(world, HOUR_MS);
    assert_true(world_expire(world, bob, HOUR_MS));
    (void)send(world, alice, bob, 3, 4);
    world_pass(world, HOUR_MS);
    assert_true(world_expire(world, bob, HOUR_MS));
    assert_string_equal(world_expired_here(world, bob, alice), "1-4"); /* nothing lies between */
    (void)world_ack(world, bob, 1, send(world, alice, bob, 5, 5));
    (void)send(world, alice, bob, 6, 6);
    world_pass(world, HOUR_MS);
    assert_true(world_expire(world, bob, HOUR_MS));
    assert_string_equal(world_expired_here(world, bob, alice), "1-4 6-6");
    world_settle(world);
    assert_string_equal(world_expired_there(world, alice, bob), "1-4 6-6");
    struct store_entry_cursors mark = mark_of(world, alice, bob);
    assert_string_equal(expired_of_mark(&mark), "1-4 6-6");
}

/* When there are too many nothing is said up to the end of the lowest, rather than something
 * false. */
static void
the_lowest_of_too_many_goes(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    for (uint64_t i = 1; i <= UINT64_C(2) * (HOLES_MAX + 1); i += 2) {
        (void)send(world, alice, bob, i, i);
        world_pass(world, HOUR_MS);
        assert_true(world_expire(world, bob, HOUR_MS));
        (void)world_ack(world, bob, 1, send(world, alice, bob, i + 1, i + 1));
        world_settle(world);
    }
    assert_string_equal(world_expired_there(world, alice, bob),
                        "3-3 5-5 7-7 9-9 11-11 13-13 15-15 17-17 ?1");
    world_fold_all(world);
    world_restart(world);
    struct store_entry_cursors mark = mark_of(world, alice, bob);
    assert_string_equal(expired_of_mark(&mark), "3-3 5-5 7-7 9-9 11-11 13-13 15-15 17-17 ?1");
    assert_int_equal(mark.peer_delivered, 18);
    assert_string_equal(world_expired_here(world, bob, alice),
                        "3-3 5-5 7-7 9-9 11-11 13-13 15-15 17-17 ?1");
}

/* At most one receipt of a chat is under way: what expires meanwhile is told behind it. */
static void
one_receipt_is_under_way(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_ack(world, bob, 1, send(world, alice, bob, 1, 1)); /* a receipt */
    const struct ledger_stream *stream =
        &world_ledger(world, world_partition(world, bob))->streams[world_partition(world, alice)];
    assert_int_equal(stream->out_last - stream->out_acked, 1);
    (void)send(world, alice, bob, 2, 2);
    world_pass(world, HOUR_MS);
    assert_true(world_expire(world, bob, HOUR_MS));
    assert_int_equal(stream->out_last - stream->out_acked, 1);
    world_settle(world);
    assert_string_equal(world_expired_there(world, alice, bob), "2-2");
    assert_int_equal(stream->out_last, stream->out_acked);
}

/* Nothing is lost to anybody: the other device has taken it in. */
static void
what_another_device_has_did_not_expire(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    uint64_t last = send(world, alice, bob, 1, 2);
    (void)world_ack(world, bob, 1, last);
    world_pass(world, HOUR_MS);
    assert_true(world_expire(world, bob, HOUR_MS));
    const struct effects *effects = world_effects(world);
    assert_int_equal(effects->count, 1);
    assert_int_equal(effects->items[0].device, 2); /* which has a hole */
    assert_false(world_device_attach(world, bob, 1).resync);
    assert_true(world_device_attach(world, bob, 2).expired);
    world_settle(world);
    assert_string_equal(world_expired_there(world, alice, bob), "");
    assert_int_equal(chat_of(world, alice, bob).peer_delivered, 2);
}

static void
without_devices_too(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 0);
    (void)send(world, alice, bob, 1, 3);
    world_pass(world, HOUR_MS);
    assert_true(world_expire(world, bob, HOUR_MS));
    assert_int_equal(world_inbox(world, bob, 0, entries), 0);
    world_settle(world);
    assert_string_equal(world_expired_there(world, alice, bob), "1-3");
    uint16_t device = world_device_add(world, bob, "phone").device;
    assert_false(world_device_attach(world, bob, device).resync); /* it never had a place in it */
}

/* A device that was lost for want of room before is told of that when it comes. */
static void
a_lost_device_stays_lost(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 2);
    for (uint64_t i = 1; i <= 101; i++) {
        (void)world_ack(world, bob, 1, send(world, alice, bob, i, i));
    }
    uint64_t last = send(world, alice, bob, 102, 103);
    world_pass(world, HOUR_MS);
    assert_true(world_expire(world, bob, HOUR_MS));
    struct result back = world_device_attach(world, bob, 2);
    assert_true(back.resync);
    assert_false(back.expired);
    assert_int_equal(back.acked, last);
    assert_true(world_device_attach(world, bob, 1).expired);
}

/* Judged before the device acknowledged, applied after it. */
static void
an_old_verdict_does_nothing(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    uint64_t last = send(world, alice, bob, 1, 2);
    struct command expire = {
        .partition = world_partition(world, bob),
        .kind = COMMAND_INBOX_EXPIRE,
        .ack = {.user = bob, .number = last, .total_entries = 2, .total_bytes = 1},
    };
    (void)world_ack(world, bob, 1, last);
    (void)world_apply(world, &expire);
    assert_int_equal(world_effects(world)->count, 0);
    assert_false(world_device_attach(world, bob, 1).resync);
    (void)world_remove(world, bob);
    (void)world_apply(world, &expire);
    assert_int_equal(world_effects(world)->count, 0);
}

static void
expires_over_folds_and_restarts(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    (void)send(world, alice, bob, 1, 3);
    world_fold_all(world);
    world_restart(world);
    world_pass(world, HOUR_MS);
    (void)send(world, alice, bob, 4, 4);
    assert_true(world_expire(world, bob, HOUR_MS));
    world_restart(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), 1);
    world_fold_all(world);
    world_settle(world);
    world_restart(world);
    assert_true(world_device_attach(world, bob, 1).expired);
    assert_string_equal(world_expired_there(world, alice, bob), "1-3");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("what is too old goes, and its device has a hole", old_messages_go),
        IN_A_WORLD("the sender learns what no device took in", the_sender_learns),
        IN_A_WORLD("a hole grows until something is delivered behind it, then there is another",
                   holes_grow_or_follow),
        IN_A_WORLD("of too many holes the lowest goes, and nothing is said up to its end",
                   the_lowest_of_too_many_goes),
        IN_A_WORLD("what expires is told behind the receipt that is under way",
                   one_receipt_is_under_way),
        IN_A_WORLD("what another device has taken in did not expire",
                   what_another_device_has_did_not_expire),
        IN_A_WORLD("an inbox without devices expires, too", without_devices_too),
        IN_A_WORLD("a device that was lost before hears why it was", a_lost_device_stays_lost),
        IN_A_WORLD("what was judged before an acknowledgement does nothing after it",
                   an_old_verdict_does_nothing),
        IN_A_WORLD("what expired stays so over folds and restarts",
                   expires_over_folds_and_restarts),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
