/* SPDX-License-Identifier: Apache-2.0 */
/* When users were last seen, as their partitions keep it: from the apply up to the requests. */
#include "store/presence.h"

#include "store/record_presence.h"
#include "tests/spec.h"
#include "tests/store/hand.h"
#include "tests/store/rig.h"
#include "tests/store/world.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------------------------ the apply */

static const struct ledger_limits limits = {
    .inbox_entries_max = 100, .inbox_bytes_max = 1 << 20, .devices_max = 3};

static void
world_seen(struct world *world, uint64_t user, uint64_t at_ms)
{
    unsigned char pair[COMMAND_PAIR_BYTES];
    struct command command = {.kind = COMMAND_SEEN,
                              .partition = world_partition(world, user),
                              .seen = {.count = 1, .bytes = pair}};
    command_pair_put(pair, 0, user, at_ms);
    assert_int_equal(world_apply(world, &command).error, 0);
}

/* 0: it is known that there is no record. */
static uint64_t
world_seen_at(struct world *world, uint64_t user)
{
    uint8_t partition = world_partition(world, user);
    struct store_key key = record_key(partition, RECORD_LAST_SEEN, user, 0);
    struct record_last_seen seen;
    struct store_value value;
    enum delta_found found = delta_get(world_ledger(world, partition)->delta, &key, &value);
    if (found == DELTA_ABSENT) {
        return 0;
    }
    if (found != DELTA_PRESENT) {
        struct table_entry entry;
        assert_true(table_get(world_folded_table(world), &key, &entry));
        value = entry.value;
    }
    assert_int_equal(record_last_seen_decode(value, &seen), 0);
    return seen.at_ms;
}

static void
the_newest_command_wins(void **state)
{
    (void)state;
    struct world *world = world_new(1, &limits);
    uint64_t alice = world_user(world, "alice", 1);
    world_seen(world, alice, 1000);
    world_seen(world, alice, 5000);
    assert_int_equal(world_seen_at(world, alice), 5000);
    world_seen(world, alice, 4000);
    assert_int_equal(world_seen_at(world, alice), 4000);
    world_free(&world);
}

static void
outlives_folds_and_restarts(void **state)
{
    (void)state;
    struct world *world = world_new(2, &limits);
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    world_seen(world, alice, 1000);
    world_fold_all(world);
    world_seen(world, bob, 2000);
    world_restart(world);
    assert_int_equal(world_seen_at(world, alice), 1000);
    assert_int_equal(world_seen_at(world, bob), 2000);
    world_free(&world);
}

static void
goes_with_its_user(void **state)
{
    (void)state;
    struct world *world = world_new(3, &limits);
    uint64_t alice = world_user(world, "alice", 1);
    world_seen(world, alice, 1000);
    (void)world_remove(world, alice);
    assert_int_equal(world_seen_at(world, alice), 0);
    world_free(&world);
}

static void
a_record_that_is_none_is_refused(void **state)
{
    (void)state;
    unsigned char bytes[RECORD_BYTES_MAX];
    struct record_last_seen seen = {.at_ms = 77};
    struct store_value value = {.bytes = bytes, .count = record_last_seen_encode(&seen, bytes)};
    seen.at_ms = 0;
    assert_int_equal(record_last_seen_decode(value, &seen), 0);
    assert_int_equal(seen.at_ms, 77);
    value.count--;
    assert_int_equal(record_last_seen_decode(value, &seen), -EBADMSG);
    value.count += 2;
    assert_int_equal(record_last_seen_decode(value, &seen), -EBADMSG);
    value.count--;
    bytes[0] = RECORD_HEAD;
    assert_int_equal(record_last_seen_decode(value, &seen), -EBADMSG);
}

/* --------------------------------------------------------------------------------- the requests */

static struct rig rig;
static uint64_t alice_id, bob_id;

static int
seen(struct rig *r, uint64_t to, uint32_t count, const struct store_seen_user *users,
     uint32_t users_held)
{
    struct ln_msg *request = ln_msg_new(STORE_SEEN, LN_DURABLE, sizeof(struct store_seen));
    *(struct store_seen *)(void *)request->data = (struct store_seen){.count = count};
    if (users_held > 0) {
        request->buffer = ln_buffer_new(users_held * sizeof *users);
        memcpy(ln_buffer_data(request->buffer), users, users_held * sizeof *users);
    }
    int error = ln_call(store_user_pid(r->store, to), &request, 20000, NULL);
    return error;
}

static int
seen_get(struct rig *r, uint64_t user, uint64_t watcher, struct store_seen_at *out)
{
    struct ln_msg *request = ln_msg_new(STORE_SEEN_GET, LN_DURABLE, sizeof(struct store_seen_get));
    *(struct store_seen_get *)(void *)request->data =
        (struct store_seen_get){.user = user, .watcher = watcher};
    struct ln_msg *answer = NULL;
    int error = ln_call(store_user_pid(r->store, user), &request, 20000, &answer);
    if (error == 0) {
        memcpy(out, answer->data, sizeof *out);
    }
    ln_msg_free(&answer);
    return error;
}

static void
seen_story(struct rig *r)
{
    struct store_seen_at at;
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice_id) == 0);
    RIG_CHECK(r, hand_user_create(r->store, "bob", true, &bob_id) == 0);
    RIG_CHECK(r, seen_get(r, alice_id, bob_id, &at) == 0 && at.at_ms == 0 && !at.met);
    RIG_CHECK(r, at.sees_online && at.sees_last_seen);
    struct hand_message hello = {.from = bob_id, .to = alice_id, .number = 1, .text = "hi"};
    RIG_CHECK(r, hand_message(r->store, &hello, NULL) == 0);
    struct store_seen_user user = {.user = alice_id, .at_ms = 123456};
    RIG_CHECK(r, seen(r, alice_id, 1, &user, 1) == 0);
    RIG_CHECK(r, seen_get(r, alice_id, bob_id, &at) == 0 && at.at_ms == 123456 && at.met);
    RIG_CHECK(r, seen_get(r, alice_id + 256, bob_id, &at) == -ENOENT);
    RIG_CHECK(r, seen_get(r, alice_id, 0, &at) == -EINVAL);
}

/* The next life: nothing was forgotten. */
static void
seen_again_story(struct rig *r)
{
    struct store_seen_at at;
    RIG_CHECK(r, seen_get(r, alice_id, bob_id, &at) == 0 && at.at_ms == 123456 && at.met);
    RIG_CHECK(r, hand_user_remove(r->store, alice_id) == 0);
    (void)ln_sleep(1000); /* the name's partition has heard of it, too */
    struct store_seen_user user = {.user = alice_id, .at_ms = 999999};
    uint64_t before = 0;
    struct store_stats stats;
    store_stats_read(r->store, &stats);
    before = stats.commands;
    RIG_CHECK(r, seen(r, alice_id, 1, &user, 1) == 0); /* nothing to note, so nothing is logged */
    store_stats_read(r->store, &stats);
    RIG_CHECK(r, stats.commands == before);
    RIG_CHECK(r, seen_get(r, alice_id, bob_id, &at) == -ENOENT);
}

static void
answers_what_was_told(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        rig_open(&rig, seed);
        rig_play(&rig, seen_story);
        rig_play(&rig, seen_again_story);
        rig_close(&rig);
    }
}

static void
bad_story(struct rig *r)
{
    static struct store_seen_user users[STORE_SEEN_MAX + 1];
    RIG_CHECK(r, hand_user_create(r->store, "alice", true, &alice_id) == 0);
    for (unsigned i = 0; i <= STORE_SEEN_MAX; i++) {
        users[i] = (struct store_seen_user){.user = alice_id, .at_ms = i + 1};
    }
    RIG_CHECK(r, seen(r, alice_id, 0, users, 0) == -EINVAL);
    RIG_CHECK(r, seen(r, alice_id, STORE_SEEN_MAX + 1, users, STORE_SEEN_MAX + 1) == -EINVAL);
    RIG_CHECK(r, seen(r, alice_id, 2, users, 1) == -EINVAL); /* fewer than it says */
    RIG_CHECK(r, seen(r, alice_id, 1, users, 0) == -EINVAL);
    RIG_CHECK(r, seen(r, alice_id, STORE_SEEN_MAX, users, STORE_SEEN_MAX) == 0);
    users[0].at_ms = 0;
    RIG_CHECK(r, seen(r, alice_id, 1, users, 1) == -EINVAL);
    users[0] = (struct store_seen_user){.user = 0, .at_ms = 1};
    RIG_CHECK(r, seen(r, alice_id, 1, users, 1) == -EINVAL);
    uint64_t other = alice_id;
    while (store_user_partition(r->store, other) == store_user_partition(r->store, alice_id)) {
        other++;
    }
    users[0] = (struct store_seen_user){.user = other, .at_ms = 1};
    RIG_CHECK(r, seen(r, alice_id, 1, users, 1) == -EINVAL);
}

static void
refuses_what_makes_no_sense(void **state)
{
    (void)state;
    rig_play_once(&rig, 4, bad_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("of what was told of a user the newest command is kept", the_newest_command_wins),
        SPEC("an instant outlives folds and restarts", outlives_folds_and_restarts),
        SPEC("it goes with its user", goes_with_its_user),
        SPEC("a record that is cut, too long or another's is refused",
             a_record_that_is_none_is_refused),
        SPEC("what was told is answered, in the next life too, until the user is removed",
             answers_what_was_told),
        SPEC("requests that make no sense are refused", refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
