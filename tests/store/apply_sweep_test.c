/* SPDX-License-Identifier: Apache-2.0 */
/* What disappears when its time has come, and what does not. */
#include "store/expiry.h"
#include "store/request.h"
#include "tests/store/world_spec.h"

#include <errno.h>

static const struct ledger_limits limits = {
    .inbox_entries_max = 1000, .inbox_bytes_max = 100000, .devices_max = 3};

static struct store_entry entries[WORLD_PAGE_MAX];
static uint64_t alice, bob;

static int
begin(void **state)
{
    struct world *world = world_new(11, &limits);
    alice = world_user(world, "alice", 1);
    bob = world_user(world, "bob", 1);
    *state = world;
    return 0;
}

static void
goes_when_due(void **state)
{
    struct world *world = *state;
    (void)world_send_for(world, alice, 1, bob, "soon", 5000);
    (void)world_send(world, alice, 1, 2, bob, "stays");
    (void)world_send_for(world, alice, 3, bob, "later", 9000);
    world_settle(world);
    world_pass(world, 4999);
    assert_int_equal(world_sweep(world), 0);
    assert_int_equal(world_inbox(world, bob, 0, entries), 3);
    assert_int_equal(entries[0].message.expires_at_ms, world_now_ms(world) + 1);
    world_pass(world, 1);
    assert_int_equal(world_sweep(world), 2); /* alice's own devices have a copy each */
    assert_int_equal(world_inbox(world, alice, 0, entries), 1);
    assert_int_equal(world_inbox(world, bob, 0, entries), 2);
    assert_memory_equal(entries[0].message.body, "stays", 5);
    assert_memory_equal(entries[1].message.body, "later", 5);
    assert_int_equal(world_sweep(world), 0);
}

static void
outlives_folds_and_restarts(void **state)
{
    struct world *world = *state;
    (void)world_send_for(world, alice, 1, bob, "soon", 5000);
    world_settle(world);
    world_fold_out(world);
    world_restart(world);
    world_pass(world, 5000);
    assert_int_equal(world_sweep(world), 2);
    assert_int_equal(world_inbox(world, bob, 0, entries), 0);
    world_fold_out(world);
    world_restart(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), 0);
    assert_int_equal(world_sweep(world), 0);
    struct store_range all = expiry_range(world_partition(world, bob));
    struct table_cursor at;
    struct table_entry entry;
    table_seek(world_folded_table(world), &all.low, &at);
    assert_false(table_at(&at, &entry) && !key_less(&all.high, &entry.key)); /* nothing is left */
}

static void
passes_by_what_was_fetched(void **state)
{
    struct world *world = *state;
    (void)world_send_for(world, alice, 1, bob, "soon", 5000);
    (void)world_inbox(world, bob, 0, entries);
    (void)world_ack(world, bob, 1, entries[0].number);
    (void)world_send(world, alice, 1, 2, bob, "stays");
    world_pass(world, 5000);
    (void)world_sweep(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), 1);
    struct record_chat chat;
    assert_true(world_chat(world, bob, alice, &chat));
    assert_int_equal(chat.delivered, 1);
}

/* By a cursor of its own, which no acknowledgement of what comes behind takes back. */
static void
the_sender_learns_what_nobody_took_in(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    (void)world_send(world, alice, 1, 1, bob, "stays");
    (void)world_send_for(world, alice, 2, bob, "soon", 5000);
    (void)world_send_for(world, alice, 3, bob, "soon", 5000);
    (void)world_send(world, alice, 1, 4, bob, "stays");
    world_settle(world);
    world_fold_out(world);
    world_restart(world);
    world_pass(world, 5000);
    assert_int_equal(world_sweep(world), 4);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_string_equal(world_expired_there(world, alice, bob), "2-3");
    assert_int_equal(chat.peer_delivered, 0);
    assert_int_equal(world_inbox(world, bob, 0, entries), 2);
    (void)world_ack(world, bob, 1, entries[1].number);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.peer_delivered, 4);
    assert_string_equal(world_expired_there(world, alice, bob), "2-3");
}

static void
the_sender_learns_in_whatever_order_they_go(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    (void)world_send_for(world, alice, 1, bob, "later", 4000);
    (void)world_send_for(world, alice, 2, bob, "soon", 1500);
    world_pass(world, 1500);
    (void)world_sweep(world);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_string_equal(world_expired_there(world, alice, bob), "2-2");
    world_fold_out(world);
    world_restart(world);
    world_pass(world, 2500);
    (void)world_sweep(world);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_string_equal(world_expired_there(world, alice, bob), "1-2");
    assert_true(world_chat(world, bob, alice, &chat));
    assert_false(chat.expired_due);
    assert_int_equal(world_sweep(world), 0);
}

/* What disappeared in the midst of what then grows too old makes one hole with it. */
static void
what_grows_too_old_takes_in_what_disappeared(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    for (uint64_t i = 1; i <= 4; i++) {
        (void)world_send(world, alice, 1, i, bob, "m");
    }
    size_t count = world_inbox(world, bob, 0, entries);
    (void)world_ack(world, bob, 1, entries[count - 1].number);
    (void)world_send(world, alice, 1, 5, bob, "plain");
    (void)world_send(world, alice, 1, 6, bob, "plain");
    (void)world_send_for(world, alice, 7, bob, "soon", 1000);
    (void)world_send(world, alice, 1, 8, bob, "plain");
    world_pass(world, 1000);
    (void)world_sweep(world);
    assert_true(world_expire(world, bob, 1000));
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_string_equal(world_expired_there(world, alice, bob), "5-8");
}

static void
what_one_device_has_did_not_expire(void **state)
{
    struct world *world = *state;
    uint64_t carol = world_user(world, "carol", 2);
    struct record_chat chat;
    (void)world_send_for(world, alice, 1, carol, "soon", 5000);
    (void)world_inbox(world, carol, 0, entries);
    (void)world_ack(world, carol, 1, entries[0].number);
    world_pass(world, 5000);
    (void)world_sweep(world);
    world_settle(world);
    assert_int_equal(world_inbox(world, carol, 0, entries), 0); /* the other is not given it */
    assert_true(world_chat(world, alice, carol, &chat));
    assert_int_equal(chat.peer_delivered, 1);
    assert_string_equal(world_expired_there(world, alice, carol), "");
}

static void
a_gap_is_acknowledged_over(void **state)
{
    struct world *world = *state;
    (void)world_send_for(world, alice, 1, bob, "soon", 5000);
    (void)world_send(world, alice, 1, 2, bob, "stays");
    world_pass(world, 5000);
    (void)world_sweep(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), 1);
    assert_int_equal(world_ack(world, bob, 1, entries[0].number).error, 0);
    struct record_head head;
    assert_true(world_head(world, bob, &head));
    assert_int_equal(head.low.entries, head.last.entries); /* nothing waits, nothing counts */
}

/* Nobody is given what has expired, however late the sweep comes. */
static void
an_acknowledgement_delivers_nothing_that_has_expired(void **state)
{
    struct world *world = *state;
    struct record_chat chat;
    (void)world_send(world, alice, 1, 1, bob, "stays");
    (void)world_send_for(world, alice, 2, bob, "soon", 5000);
    (void)world_send(world, alice, 1, 3, bob, "stays");
    (void)world_send_for(world, alice, 4, bob, "last", 5000);
    world_settle(world);
    world_fold_out(world);
    world_restart(world);
    world_pass(world, 5000);
    (void)world_inbox(world, bob, 0, entries);
    (void)world_ack(world, bob, 1, entries[3].number);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_int_equal(chat.peer_delivered, 3);
    assert_string_equal(world_expired_there(world, alice, bob), "2-2 4-4");
    (void)world_sweep(world);
    world_settle(world);
    assert_true(world_chat(world, alice, bob, &chat));
    assert_string_equal(world_expired_there(world, alice, bob), "2-2 4-4");
    assert_int_equal(chat.peer_delivered, 3);
}

static void
is_swept_twice_without_harm(void **state)
{
    struct world *world = *state;
    unsigned char bytes[EXPIRY_ROW_BYTES];
    unsigned char record[EXPIRY_BYTES];
    uint64_t number = world_send_for(world, alice, 1, bob, "soon", 5000).entry;
    struct expiry expiry = {.kind = EXPIRY_ENTRY, .user = bob, .a = number};
    struct expiry_row row = {.at_ms = world_now_ms(world) + 5000,
                             .number = number,
                             .record = {.bytes = record, .count = sizeof(record)}};
    expiry_encode(&expiry, record);
    expiry_row_put(bytes, 0, &row);
    for (size_t i = 0; i < 2; i++) {
        struct command command = {.partition = world_partition(world, bob),
                                  .kind = COMMAND_SWEEP,
                                  .sweep = {.count = 1, .rows = bytes}};
        (void)world_apply(world, &command);
        assert_int_equal(world_inbox(world, bob, 0, entries), i);
        (void)world_send(world, alice, 1, 2, bob, "stays");
        assert_int_equal(world_inbox(world, bob, 0, entries), 1);
    }
}

static void
forgets_who_is_gone(void **state)
{
    struct world *world = *state;
    (void)world_send_for(world, alice, 1, bob, "soon", 5000);
    (void)world_remove(world, bob);
    world_settle(world);
    world_pass(world, 5000);
    assert_int_equal(world_sweep(world), 2);
    assert_int_equal(world_sweep(world), 0);
}

static void
tombstones_go_too(void **state)
{
    struct world *world = *state;
    (void)world_send(world, alice, 1, 1, bob, "oops");
    struct world_change change = {.kind = STORE_CHANGE_DELETE,
                                  .sender = alice,
                                  .number = 2,
                                  .recipient = bob,
                                  .chat_number = 1,
                                  .text = ""};
    assert_false(world_change(world, &change).duplicate);
    change.number = 3;
    world_pass(world, 999999);
    assert_int_equal(world_sweep(world), 0);
    assert_true(world_change(world, &change).duplicate);
    world_pass(world, 1);
    assert_int_equal(world_sweep(world), 1);
    change.number = 4;
    assert_false(world_change(world, &change).duplicate); /* nothing remembers it */
}

static void
edits_disappear_alike(void **state)
{
    struct world *world = *state;
    (void)world_send_for(world, alice, 1, bob, "soon", 5000);
    struct world_change edit = {.kind = STORE_CHANGE_EDIT,
                                .sender = alice,
                                .number = 2,
                                .recipient = bob,
                                .chat_number = 1,
                                .ttl_ms = 5000,
                                .text = "sooner"};
    (void)world_change(world, &edit);
    world_pass(world, 5000);
    (void)world_sweep(world);
    assert_int_equal(world_inbox(world, bob, 0, entries), 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        AMONG_THEM("a message leaves both inboxes when its time has come, and no other does",
                   goes_when_due),
        AMONG_THEM("what is due outlives folds and restarts, and leaves nothing behind",
                   outlives_folds_and_restarts),
        AMONG_THEM("what was acknowledged before is not missed", passes_by_what_was_fetched),
        AMONG_THEM("the sender learns what disappeared before anybody took it in",
                   the_sender_learns_what_nobody_took_in),
        AMONG_THEM("and learns of a lower number that disappears later",
                   the_sender_learns_in_whatever_order_they_go),
        AMONG_THEM("what grows too old makes one hole with what disappeared in its midst",
                   what_grows_too_old_takes_in_what_disappeared),
        AMONG_THEM("what one device has in time did not expire",
                   what_one_device_has_did_not_expire),
        AMONG_THEM("a device acknowledges over what has disappeared", a_gap_is_acknowledged_over),
        AMONG_THEM("an acknowledgement delivers nothing that has expired, though nobody swept it",
                   an_acknowledgement_delivers_nothing_that_has_expired),
        AMONG_THEM("to sweep twice does no harm", is_swept_twice_without_harm),
        AMONG_THEM("what was due for a user who is gone goes quietly", forgets_who_is_gone),
        AMONG_THEM("a tombstone goes when nobody could change the message any more",
                   tombstones_go_too),
        AMONG_THEM("an edit disappears as a message does", edits_disappear_alike),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
