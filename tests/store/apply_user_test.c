/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/world_spec.h"

#include <errno.h>
#include <stdio.h>

static struct world_plan plan = {
    .seed = 1, .limits = {.inbox_entries_max = 100, .inbox_bytes_max = 1 << 20, .devices_max = 3}};

static bool
record_present(struct world *world, uint64_t user, enum record_table table, uint64_t a)
{
    uint8_t partition = world_partition(world, user);
    struct store_key key = record_key(partition, table, user, a);
    struct store_value value;
    return delta_get(world_ledger(world, partition)->delta, &key, &value) == DELTA_PRESENT;
}

static void
creates_all(void **state)
{
    struct world *world = *state;
    struct record_head head;
    uint64_t found = 0;
    struct result result = world_claim(world, "alice");
    assert_int_equal(result.error, 0);
    assert_true(result.stream_number > 0);
    assert_false(world_head(world, result.user, &head)); /* until the stream has been carried */
    world_settle(world);
    assert_true(world_head(world, result.user, &head));
    assert_int_equal(head.devices, 0);
    assert_true(record_present(world, result.user, RECORD_USER, 0));
    assert_true(record_present(world, result.user, RECORD_PASSWORD, 0));
    assert_true(world_name(world, "alice", &found));
    assert_int_equal(found, result.user);
}

static void
refuses_taken_names(void **state)
{
    struct world *world = *state;
    uint64_t found = 0;
    struct result first = world_claim(world, "alice");
    struct result second = world_claim(world, "alice");
    assert_int_equal(second.error, -EEXIST);
    assert_int_equal(second.stream_number, 0);
    world_settle(world);
    assert_true(world_name(world, "alice", &found));
    assert_int_equal(found, first.user);
}

static void
tells_ids_apart(void **state)
{
    struct world *world = *state;
    uint64_t ids[200];
    for (unsigned i = 0; i < 200; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "user%u", i);
        ids[i] = world_claim(world, name).user;
        assert_true(ids[i] > 0 && ids[i] < UINT64_C(1) << 53);
        for (unsigned j = 0; j < i; j++) {
            assert_int_not_equal(ids[i], ids[j]);
        }
    }
}

static void
never_gives_an_id_twice(void **state)
{
    struct world *world = *state;
    struct result first = world_claim(world, "alice");
    world_settle(world);
    (void)world_remove(world, first.user);
    world_settle(world);
    struct result second = world_claim(world, "alice");
    assert_int_equal(second.error, 0);
    assert_true(second.user > first.user);
    world_restart(world); /* the clock stands still, the epoch rises all the same */
    struct result third = world_claim(world, "alicia");
    assert_int_not_equal(third.user, second.user);
}

static void
creates_with_a_device(void **state)
{
    struct world *world = *state;
    struct record_head head;
    struct command command = {
        .kind = COMMAND_NAME_CLAIM,
        .claim = {.name = {.bytes = 3, .text = "eve"}, .with_device = true},
    };
    command.partition = key_partition_of_name(world_ledger(world, 0)->seed, "eve", 3);
    struct result result = world_apply(world, &command);
    assert_int_equal(result.device, 1);
    world_settle(world);
    assert_true(world_head(world, result.user, &head));
    assert_int_equal(head.devices, 1);
    assert_int_equal(head.cursors[0].device, 1);
    assert_true(record_present(world, result.user, RECORD_DEVICE, 1));
    assert_false(record_present(world, result.user, RECORD_PASSWORD, 0));
    assert_int_equal(world_device_add(world, result.user, "second").device, 2);
}

static void
removes_all(void **state)
{
    struct world *world = *state;
    struct record_head head;
    uint64_t found;
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    (void)world_send(world, bob, 1, 1, alice, "hello");
    struct result result = world_remove(world, alice);
    assert_int_equal(result.error, 0);
    assert_int_equal(world_effects(world)->items[0].kind, EFFECT_REVOKED);
    assert_int_equal(world_effects(world)->items[0].device, 0);
    assert_false(world_head(world, alice, &head));
    assert_false(record_present(world, alice, RECORD_DEVICE, 1));
    assert_false(record_present(world, alice, RECORD_DEVICE, 2));
    assert_false(record_present(world, alice, RECORD_PASSWORD, 0));
    assert_true(world_name(world, "alice", &found)); /* until the stream has been carried */
    world_settle(world);
    assert_false(world_name(world, "alice", &found));
    assert_int_equal(world_send(world, bob, 1, 2, alice, "still there?").error, -ENOENT);
    assert_int_equal(world_remove(world, alice).error, -ENOENT);
}

static void
keeps_a_name_taken_again(void **state)
{
    struct world *world = *state;
    uint64_t found = 0;
    uint64_t alice = world_user(world, "alice", 1);
    (void)world_remove(world, alice);
    world_settle(world);
    uint64_t other = world_user(world, "alice", 1);
    assert_int_equal(world_remove(world, alice).error, -ENOENT);
    world_settle(world);
    assert_true(world_name(world, "alice", &found));
    assert_int_equal(found, other);
}

/* Counts what stands for LMDB. */
static unsigned
folded_records(const struct world *world, enum record_table table, uint64_t user)
{
    unsigned count = 0;
    struct table_cursor at;
    struct table_entry entry;
    struct store_key lowest = {0};
    for (table_seek(world_folded_table(world), &lowest, &at); table_at(&at, &entry);
         table_next(&at)) {
        count += entry.key.table == table && entry.key.owner == user;
    }
    return count;
}

static void
leaves_nothing_folded(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    for (unsigned i = 0; i < 10; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "friend%u", i);
        uint64_t friend = world_user(world, name, 1);
        (void)world_send(world, friend, 1, 1, alice, "hello");
    }
    unsigned cell = world_partition(world, alice) % WORLD_CELLS;
    world_fold(world, cell);
    assert_int_equal(folded_records(world, RECORD_CHAT, alice), 10);
    assert_int_equal(folded_records(world, RECORD_INBOX, alice), 10);
    (void)world_remove(world, alice);
    world_fold(world, cell);
    assert_int_equal(folded_records(world, RECORD_CHAT, alice), 0);
    assert_int_equal(folded_records(world, RECORD_INBOX, alice), 0);
    assert_int_equal(folded_records(world, RECORD_DEVICE, alice), 0);
    assert_int_equal(folded_records(world, RECORD_PASSWORD, alice), 0);
    assert_int_equal(folded_records(world, RECORD_HEAD, alice), 1); /* that there was such a user */
}

static void
sets_passwords(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 0);
    struct command command = {
        .partition = world_partition(world, alice),
        .kind = COMMAND_PASSWORD_SET,
        .password = {.user = alice, .bytes = 3, .text = (const unsigned char *)"$x$"},
    };
    assert_int_equal(world_apply(world, &command).error, 0);
    struct store_key key = record_key(command.partition, RECORD_PASSWORD, alice, 0);
    struct store_value value;
    struct record_password password;
    assert_true(ledger_get(world_ledger(world, command.partition), &key, &value));
    assert_int_equal(record_password_decode(value, &password), 0);
    assert_int_equal(password.bytes, 3);
    assert_memory_equal(password.text, "$x$", 3);
    command.password.user = alice + 256;
    command.partition = world_partition(world, alice + 256);
    assert_int_equal(world_apply(world, &command).error, -ENOENT);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        IN_A_WORLD("a user exists in both partitions once the stream is carried", creates_all),
        IN_A_WORLD("a name that is taken is refused", refuses_taken_names),
        IN_A_WORLD("ids of users differ and stay below 2^53", tells_ids_apart),
        IN_A_WORLD("an id is never given twice", never_gives_an_id_twice),
        IN_A_WORLD("a user can come with a device", creates_with_a_device),
        IN_A_WORLD("a removed user is gone from both partitions", removes_all),
        IN_A_WORLD("a name given to another user stays the other's", keeps_a_name_taken_again),
        IN_A_WORLD("a fold deletes what a removed user had in LMDB", leaves_nothing_folded),
        IN_A_WORLD("a password is set for a user who exists, and for no other", sets_passwords),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
