/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a user who was removed. */
#include "store/history.h"
#include "tests/spec.h"
#include "tests/store/world_group.h"

#include <stdio.h>
#include <string.h>

static const struct ledger_limits limits = {.inbox_entries_max = 100,
                                            .inbox_bytes_max = 1 << 20,
                                            .devices_max = 3,
                                            .history_ms = STORE_HISTORY_FOREVER};

static void
apply(struct world *world, uint64_t user, struct command command)
{
    command.partition = world_partition(world, user);
    assert_int_equal(world_apply(world, &command).error, 0);
}

/* Everything that a user can have. */
static void
live(struct world *world, uint64_t alice, uint64_t bob)
{
    unsigned char seen[COMMAND_PAIR_BYTES];
    command_pair_put(seen, 0, alice, world_now_ms(world));
    uint64_t id = world_group(world, alice, 1, &bob, 1);
    struct result sent = world_send_copied(world, alice, 1, 2, bob, "from her");
    struct result got = world_send(world, bob, 1, 2, alice, "to her");
    struct world_change deletion = {.kind = STORE_CHANGE_DELETE,
                                    .sender = bob,
                                    .number = 3,
                                    .recipient = alice,
                                    .chat_number = got.chat_number,
                                    .original = got.entry,
                                    .text = ""};
    assert_int_equal(sent.error, 0);
    (void)world_send_for(world, bob, 4, alice, "disappears", 1000);
    assert_int_equal(world_change(world, &deletion).error, 0);
    (void)world_group_send(world, bob, 5, id, "to the group");
    (void)world_state(world, alice, STORE_STATE_CONTACT, bob, "bobby");
    (void)world_state(world, alice, STORE_STATE_PROFILE, 0, "me");
    (void)world_link_create(world, alice, 'c', 60000, 3);
    apply(world, alice,
          (struct command){.kind = COMMAND_SEEN, .seen = {.count = 1, .bytes = seen}});
    apply(world, alice,
          (struct command){.kind = COMMAND_WAKE_SET,
                           .wake_set = {.user = alice,
                                        .device = 1,
                                        .wake = {.kind = STORE_WAKE_WEBPUSH,
                                                 .endpoint = (const unsigned char *)"https://h/x",
                                                 .endpoint_bytes = 11}}});
    (void)world_send(world, bob, 1, 6, alice, "wakes");
    apply(world, alice,
          (struct command){.kind = COMMAND_HOLD,
                           .hold = {.user = alice, .recipient = 77, .recipients_max = 5}});
    world_settle(world);
}

/* Which tables have rows of hers. */
static const char *
tables_of(struct world *world, uint64_t user)
{
    static char text[128];
    struct table_cursor at;
    struct table_entry entry;
    size_t used = 0;
    uint8_t table = 0;
    text[0] = '\0';
    for (table_seek(world_folded_table(world), &(struct store_key){0}, &at); table_at(&at, &entry);
         table_next(&at)) {
        if (entry.key.partition == world_partition(world, user) && entry.key.owner == user &&
            entry.key.table != table) {
            table = entry.key.table;
            used += (size_t)snprintf(text + used, sizeof text - used, "%u ", table);
        }
    }
    return text;
}

/* That there was one, and the numbers of her devices' last commands; that messages were taken back
 * goes by its time. */
static void
leaves_nothing(struct world *world, uint64_t alice)
{
    char expected[64];
    world_pass(world, 2000000);
    (void)world_sweep(world);
    world_fold_all(world);
    (void)snprintf(expected, sizeof expected, "%u %u %u ", RECORD_USER, RECORD_HEAD, RECORD_WINDOW);
    assert_string_equal(tables_of(world, alice), expected);
}

static void
forgets_what_was_folded(void **state)
{
    (void)state;
    struct world *world = world_new(9, &limits);
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    live(world, alice, bob);
    world_fold_all(world);
    assert_true(strlen(tables_of(world, alice)) > strlen("3 4 5 6 7 8 "));
    assert_int_equal(world_remove(world, alice).error, 0);
    world_settle(world);
    world_fold_all(world);
    leaves_nothing(world, alice);
    world_free(&world);
}

static void
forgets_what_was_not(void **state)
{
    (void)state;
    struct world *world = world_new(10, &limits);
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    live(world, alice, bob);
    assert_int_equal(world_remove(world, alice).error, 0);
    world_settle(world);
    world_fold_all(world);
    leaves_nothing(world, alice);
    world_restart(world);
    world_fold_all(world);
    leaves_nothing(world, alice);
    world_free(&world);
}

/* What others do about her afterwards, and what was on its way, brings nothing back. */
static void
stays_forgotten(void **state)
{
    (void)state;
    struct world *world = world_new(11, &limits);
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    struct world_change deletion = {.kind = STORE_CHANGE_DELETE,
                                    .sender = alice,
                                    .number = 9,
                                    .recipient = bob,
                                    .chat_number = 1,
                                    .text = ""};
    live(world, alice, bob);
    world_history(world, STORE_HISTORY_OFF);
    assert_int_equal(world_change(world, &deletion).error, 0); /* hers is on its way */
    assert_int_equal(world_remove(world, alice).error, 0);
    for (unsigned cell = 0; cell < WORLD_CELLS; cell++) {
        world_freeze(world, cell); /* what comes now is for the next fold */
    }
    (void)world_send(world, bob, 1, 10, alice, "to nobody");
    (void)world_ack(world, bob, 1, 0);
    world_drain(world, bob);
    (void)world_read(world, bob, alice, 1);
    world_settle(world);
    for (unsigned cell = 0; cell < WORLD_CELLS; cell++) {
        world_folded(world, cell);
    }
    leaves_nothing(world, alice);
    world_free(&world);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("of who was removed nothing is left on the disk but that there was one",
             forgets_what_was_folded),
        SPEC("nor of what had not come to rest yet", forgets_what_was_not),
        SPEC("and nothing comes back by what was on its way", stays_forgotten),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
