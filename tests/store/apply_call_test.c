/* SPDX-License-Identifier: Apache-2.0 */
/* Calls, as the partitions of the two in them decide. */
#include "store/history_ledger.h"
#include "store/inbox.h"
#include "store/record_call.h"
#include "store/state.h"
#include "tests/store/world_spec.h"

#include <errno.h>
#include <string.h>

enum { RING_MS = 60000, LATER_MS = 2000 };

static struct world_plan plan = {
    .seed = 4, .limits = {.inbox_entries_max = 12, .inbox_bytes_max = 1 << 20, .devices_max = 3}};

static struct store_entry entries[WORLD_PAGE_MAX];

/* ----------------------------------------------------------------------------------- vocabulary */

static struct store_call_id
call_of(uint64_t caller, uint64_t number)
{
    return (struct store_call_id){.caller = caller, .device = 1, .number = number};
}

/* By the caller's first device. */
static struct result
offer(struct world *world, uint64_t caller, uint64_t number, uint64_t callee)
{
    struct command command = {
        .partition = world_partition(world, caller),
        .kind = COMMAND_CALL_OFFER,
        .call_offer = {.callee = callee,
                       .ring_ms = RING_MS,
                       .call = {.id = call_of(caller, number),
                                .state = STORE_CALL_RINGING,
                                .video = true,
                                .name = "caller",
                                .name_bytes = 6,
                                .content = (const unsigned char *)"offer",
                                .content_bytes = 5}},
    };
    return world_apply(world, &command);
}

static struct result
act(struct world *world, enum command_kind kind, uint64_t user, uint16_t device,
    struct store_call_id id, uint8_t reason)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = kind,
        .call = {.user = user, .device = device, .id = id, .reason = reason},
    };
    if (kind == COMMAND_CALL_ANSWER) {
        command.call.content = (const unsigned char *)"answer";
        command.call.content_bytes = 6;
    }
    return world_apply(world, &command);
}

static int
answer(struct world *world, uint64_t user, uint16_t device, struct store_call_id id)
{
    return act(world, COMMAND_CALL_ANSWER, user, device, id, 0).error;
}

static int
hang_up(struct world *world, uint64_t user, uint16_t device, struct store_call_id id,
        enum store_call_reason reason)
{
    return act(world, COMMAND_CALL_END, user, device, id, (uint8_t)reason).error;
}

static void
look(struct world *world, uint64_t user, struct store_call_id id, bool present)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_CALL_CHECK,
        .call = {.user = user, .id = id, .present = present},
    };
    assert_int_equal(world_apply(world, &command).error, 0);
}

/* The only entry of the inbox that is of a call, or the newest of several; NULL: there is none. */
static const struct store_entry *
told_entry(struct world *world, uint64_t user)
{
    size_t count = world_inbox(world, user, 0, entries);
    for (size_t i = count; i > 0; i--) {
        if (entries[i - 1].kind == STORE_ENTRY_CALL) {
            return &entries[i - 1];
        }
    }
    return NULL;
}

static const struct store_entry_call *
told(struct world *world, uint64_t user)
{
    const struct store_entry *entry = told_entry(world, user);
    return entry != NULL ? &entry->call : NULL;
}

static size_t
told_count(struct world *world, uint64_t user)
{
    size_t found = 0;
    size_t count = world_inbox(world, user, 0, entries);
    for (size_t i = 0; i < count; i++) {
        found += entries[i].kind == STORE_ENTRY_CALL ? 1 : 0;
    }
    return found;
}

static void
expect_ringing(struct world *world, uint64_t user, uint64_t caller)
{
    const struct store_entry_call *call = told(world, user);
    assert_non_null(call);
    assert_int_equal(call->id.caller, caller);
    assert_int_equal(call->state, STORE_CALL_RINGING);
    assert_int_equal(call->device, 0);
    assert_int_equal(call->content_bytes, 5);
    assert_memory_equal(call->content, "offer", 5);
}

static void
expect_ended(struct world *world, uint64_t user, enum store_call_outcome outcome,
             uint64_t duration_ms)
{
    const struct store_entry_call *call = told(world, user);
    assert_non_null(call);
    assert_int_equal(call->state, STORE_CALL_ENDED);
    assert_int_equal(call->outcome, outcome);
    assert_int_equal(call->content_bytes, 0);
    assert_memory_equal(call->name, "caller", 6);
    if (duration_ms == 0) {
        assert_int_equal(call->answered_at_ms, 0);
    } else {
        assert_int_equal(call->ended_at_ms - call->answered_at_ms, duration_ms);
    }
}

static bool
in_a_call(struct world *world, uint64_t user)
{
    struct store_key key = record_key(world_partition(world, user), RECORD_CALLS, user, 0);
    struct store_value value;
    return world_get(world, &key, &value);
}

/* Both have the same to say, and are in no call any more. */
static void
expect_over(struct world *world, uint64_t alice, uint64_t bob, enum store_call_outcome outcome,
            uint64_t duration_ms)
{
    world_settle(world);
    expect_ended(world, alice, outcome, duration_ms);
    expect_ended(world, bob, outcome, duration_ms);
    assert_false(in_a_call(world, alice));
    assert_false(in_a_call(world, bob));
    assert_int_equal(told_count(world, alice), 1);
    assert_int_equal(told_count(world, bob), 1);
}

struct two {
    struct world *world;
    uint64_t alice, bob;
    struct store_call_id id;
};

/* Alice, who has two devices, calls Bob, who has two. */
static struct two
ringing(void **state)
{
    struct two two = {.world = *state};
    two.alice = world_user(two.world, "alice", 2);
    two.bob = world_user(two.world, "bob", 2);
    two.id = call_of(two.alice, 7);
    assert_int_equal(offer(two.world, two.alice, 7, two.bob).error, 0);
    world_settle(two.world);
    return two;
}

static struct two
talking(void **state)
{
    struct two two = ringing(state);
    assert_int_equal(answer(two.world, two.bob, 2, two.id), 0);
    world_settle(two.world);
    return two;
}

/* --------------------------------------------------------------------------------- a call's way */

static void
rings(void **state)
{
    struct two two = ringing(state);
    expect_ringing(two.world, two.bob, two.alice);
    const struct store_entry_call *own = told(two.world, two.alice);
    assert_non_null(own);
    assert_int_equal(own->state, STORE_CALL_RINGING);
    assert_int_equal(own->content_bytes, 0);
    assert_int_equal(own->ring_until_ms - own->started_at_ms, RING_MS);
}

static void
rings_alone(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    assert_int_equal(offer(world, alice, 7, bob).error, 0);
    assert_null(told(world, alice));
}

static void
answers(void **state)
{
    struct two two = talking(state);
    const struct store_entry_call *call = told(two.world, two.alice);
    assert_int_equal(call->state, STORE_CALL_ANSWERED);
    assert_int_equal(call->device, 2);
    assert_memory_equal(call->content, "answer", 6);
    call = told(two.world, two.bob);
    assert_int_equal(call->state, STORE_CALL_ANSWERED);
    assert_int_equal(call->device, 2);
    assert_int_equal(call->content_bytes, 0);
    assert_int_equal(told_count(two.world, two.bob), 1);
}

static void
answers_once(void **state)
{
    struct two two = talking(state);
    assert_int_equal(answer(two.world, two.bob, 2, two.id), 0);
    assert_int_equal(answer(two.world, two.bob, 1, two.id), -EIDRM);
    assert_int_equal(answer(two.world, two.alice, 1, two.id), -EIDRM);
    assert_int_equal(told_count(two.world, two.bob), 1);
    assert_int_equal(told(two.world, two.bob)->device, 2);
}

static void
ends(void **state)
{
    struct two two = talking(state);
    world_pass(two.world, 90000);
    assert_int_equal(hang_up(two.world, two.bob, 2, two.id, STORE_CALL_HANG_UP), 0);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_TALKED, 90000);
    assert_int_equal(hang_up(two.world, two.bob, 2, two.id, STORE_CALL_HANG_UP), 0);
    assert_int_equal(hang_up(two.world, two.alice, 1, two.id, STORE_CALL_HANG_UP), 0);
    assert_int_equal(told_count(two.world, two.bob), 1);
}

static void
ends_by_caller(void **state)
{
    struct two two = talking(state);
    world_pass(two.world, 1000);
    assert_int_equal(hang_up(two.world, two.alice, 1, two.id, STORE_CALL_FAIL), 0);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_FAILED, 1000);
}

static void
ends_by_one_in_it(void **state)
{
    struct two two = talking(state);
    assert_int_equal(hang_up(two.world, two.bob, 1, two.id, STORE_CALL_DECLINE), -EIDRM);
    assert_int_equal(hang_up(two.world, two.alice, 2, two.id, STORE_CALL_HANG_UP), -EIDRM);
    assert_int_equal(told(two.world, two.bob)->state, STORE_CALL_ANSWERED);
}

static void
declines(void **state)
{
    struct two two = ringing(state);
    assert_int_equal(hang_up(two.world, two.bob, 1, two.id, STORE_CALL_DECLINE), 0);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_DECLINED, 0);
    assert_int_equal(answer(two.world, two.bob, 2, two.id), -EIDRM);
}

static void
says_busy(void **state)
{
    struct two two = ringing(state);
    assert_int_equal(hang_up(two.world, two.bob, 1, two.id, STORE_CALL_REJECT_BUSY), 0);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_BUSY, 0);
}

static void
cancels(void **state)
{
    struct two two = ringing(state);
    assert_int_equal(hang_up(two.world, two.alice, 2, two.id, STORE_CALL_CANCEL), -EIDRM);
    assert_int_equal(hang_up(two.world, two.alice, 1, two.id, STORE_CALL_CANCEL), 0);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_CANCELLED, 0);
}

/* What each says is on its way to the other: it was cancelled, and both say so. */
static void
crosses(void **state)
{
    struct two two = ringing(state);
    assert_int_equal(hang_up(two.world, two.alice, 1, two.id, STORE_CALL_CANCEL), 0);
    assert_int_equal(answer(two.world, two.bob, 1, two.id), 0);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_CANCELLED, 0);
}

static void
rings_out(void **state)
{
    struct two two = ringing(state);
    world_pass(two.world, RING_MS - 1);
    assert_int_equal(world_sweep(two.world), 0);
    assert_int_equal(told(two.world, two.bob)->state, STORE_CALL_RINGING);
    world_pass(two.world, LATER_MS);
    assert_int_equal(world_sweep(two.world), 1);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_MISSED, 0);
    assert_int_equal(answer(two.world, two.bob, 1, two.id), -EIDRM);
}

static void
repeats(void **state)
{
    struct two two = ringing(state);
    struct result again = offer(two.world, two.alice, 7, two.bob);
    assert_int_equal(again.error, 0);
    assert_true(again.duplicate);
    assert_int_equal(hang_up(two.world, two.alice, 1, two.id, STORE_CALL_CANCEL), 0);
    assert_true(offer(two.world, two.alice, 7, two.bob).duplicate);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_CANCELLED, 0);
    assert_int_equal(offer(two.world, two.alice, 71, two.bob).error, 0);
    assert_int_equal(offer(two.world, two.alice, 6, two.bob).error, -ESTALE);
}

/* ----------------------------------------------------------------------------- who may not ring */

static void
one_at_a_time(void **state)
{
    struct two two = ringing(state);
    uint64_t carol = world_user(two.world, "carol", 1);
    assert_int_equal(offer(two.world, two.alice, 8, carol).error, -EBUSY);
    assert_int_equal(offer(two.world, two.bob, 8, carol).error, -EBUSY);
    assert_int_equal(hang_up(two.world, two.bob, 1, two.id, STORE_CALL_DECLINE), 0);
    assert_int_equal(offer(two.world, two.bob, 8, carol).error, 0);
}

static void
engaged(void **state)
{
    struct two two = talking(state);
    uint64_t carol = world_user(two.world, "carol", 1);
    assert_int_equal(offer(two.world, carol, 3, two.bob).error, 0);
    world_settle(two.world);
    expect_ended(two.world, carol, STORE_CALL_BUSY, 0);
    assert_false(in_a_call(two.world, carol));
    expect_ended(two.world, two.bob, STORE_CALL_BUSY, 0);
    assert_int_equal(told_count(two.world, two.bob), 2);
    assert_int_equal(hang_up(two.world, two.bob, 2, two.id, STORE_CALL_HANG_UP), 0);
    world_settle(two.world);
    assert_false(in_a_call(two.world, two.bob));
}

/* More than are remembered, before any of their partitions has heard of it. */
static void
engaged_for_many(void **state)
{
    struct two two = talking(state);
    uint64_t callers[RECORD_CALLS_MAX + 1];
    for (unsigned i = 0; i < RECORD_CALLS_MAX + 1; i++) {
        char name[] = {'c', (char)('0' + i), '\0'};
        callers[i] = world_user(two.world, name, 1);
        assert_int_equal(offer(two.world, callers[i], 3, two.bob).error, 0);
    }
    world_settle(two.world);
    for (unsigned i = 0; i < RECORD_CALLS_MAX + 1; i++) {
        expect_ended(two.world, callers[i], STORE_CALL_BUSY, 0);
    }
    assert_int_equal(told_count(two.world, two.bob), 1 + RECORD_CALLS_MAX + 1);
}

/* Both call at once: the call of the lower id rings, the other gives way, and both say so. */
static void
glares(void **state)
{
    struct world *world = *state;
    uint64_t users[2] = {world_user(world, "alice", 1), world_user(world, "bob", 1)};
    unsigned first = users[0] < users[1] ? 0 : 1;
    uint64_t winner = users[first];
    uint64_t other = users[1 - first];
    assert_int_equal(offer(world, winner, 5, other).error, 0);
    assert_int_equal(offer(world, other, 6, winner).error, 0);
    world_settle(world);
    expect_ringing(world, other, winner);
    expect_ended(world, winner, STORE_CALL_CANCELLED, 0);
    assert_int_equal(answer(world, other, 1, call_of(winner, 5)), 0);
    assert_int_equal(hang_up(world, winner, 1, call_of(winner, 5), STORE_CALL_HANG_UP), 0);
    world_settle(world);
    assert_false(in_a_call(world, winner));
    assert_false(in_a_call(world, other));
}

static void
blocked(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    assert_int_equal(world_state(world, bob, STORE_STATE_BLOCKED, alice, "").error, 0);
    world_drain(world, bob);
    assert_int_equal(offer(world, alice, 7, bob).error, 0);
    world_settle(world);
    assert_null(told(world, bob));
    assert_false(in_a_call(world, bob));
    world_pass(world, RING_MS + LATER_MS);
    assert_int_equal(world_sweep(world), 1);
    world_settle(world);
    expect_ended(world, alice, STORE_CALL_MISSED, 0);
    assert_null(told(world, bob));
}

/* What the inbox says of the user's newest call stands in the history of the chat, too. */
static bool
kept(struct world *world, uint64_t user, uint64_t peer)
{
    struct store_entry entry;
    struct store_value value;
    uint8_t partition = world_partition(world, user);
    const struct store_entry *newest = told_entry(world, user);
    assert_non_null(newest);
    const struct store_entry_call *call = &newest->call;
    uint64_t number = newest->number;
    struct store_key key = history_key(partition, user, peer, number);
    struct store_key at = history_key_at(partition, user, peer, HISTORY_CALL | number, false);
    if (!world_get(world, &key, &value)) {
        assert_false(world_get(world, &at, &value));
        return false;
    }
    assert_int_equal(entry_decode(number, value.bytes, value.count, &entry), 0);
    assert_int_equal(entry.kind, STORE_ENTRY_CALL);
    assert_int_equal(entry.call.outcome, call->outcome);
    assert_int_equal(entry.call.ended_at_ms, call->ended_at_ms);
    assert_true(world_get(world, &at, &value));
    return true;
}

static void
stays_in_histories(void **state)
{
    struct world *world = *state;
    unsigned char rows[COMMAND_HISTORY_ROW_BYTES];
    world_history(world, STORE_HISTORY_FOREVER);
    uint64_t alice = world_user(world, "alice", 2);
    uint64_t bob = world_user(world, "bob", 1);
    assert_int_equal(offer(world, alice, 7, bob).error, 0);
    world_settle(world);
    assert_int_equal(answer(world, bob, 1, call_of(alice, 7)), 0);
    world_settle(world);
    assert_false(kept(world, alice, bob)); /* not before it is over */
    assert_false(kept(world, bob, alice));
    world_pass(world, LATER_MS);
    assert_int_equal(hang_up(world, bob, 1, call_of(alice, 7), STORE_CALL_HANG_UP), 0);
    world_settle(world);
    world_fold_all(world);
    world_restart(world);
    assert_true(kept(world, alice, bob));
    assert_true(kept(world, bob, alice));
    struct command_history_row row = {
        .user = bob, .chat = alice, .chat_number = HISTORY_CALL | told_entry(world, bob)->number};
    command_history_put(rows, 0, &row);
    struct command command = {.partition = world_partition(world, bob),
                              .kind = COMMAND_HISTORY,
                              .history = {.count = 1, .rows = rows}};
    (void)world_apply(world, &command);
    assert_false(kept(world, bob, alice));
    assert_true(kept(world, alice, bob));
    world_history(world, STORE_HISTORY_OFF);
    assert_int_equal(offer(world, alice, 8, bob).error, 0);
    world_settle(world);
    assert_int_equal(hang_up(world, bob, 1, call_of(alice, 8), STORE_CALL_DECLINE), 0);
    world_settle(world);
    assert_false(kept(world, alice, bob));
}

/* Who has blocked the other one calls him, whose own call still rings nobody: his call rings. */
static void
blocked_glares(void **state)
{
    struct world *world = *state;
    uint64_t users[2] = {world_user(world, "alice", 1), world_user(world, "bob", 1)};
    for (unsigned i = 0; i < 2; i++) { /* whoever has the lower id */
        uint64_t blocker = users[i];
        uint64_t other = users[1 - i];
        assert_int_equal(world_state(world, blocker, STORE_STATE_BLOCKED, other, "").error, 0);
        assert_int_equal(offer(world, other, 10 + i, blocker).error, 0);
        world_settle(world);
        assert_int_equal(offer(world, blocker, 20 + i, other).error, 0);
        world_settle(world);
        assert_int_equal(answer(world, other, 1, call_of(blocker, 20 + i)), 0);
        world_settle(world);
        assert_int_equal(hang_up(world, other, 1, call_of(blocker, 20 + i), STORE_CALL_HANG_UP), 0);
        world_settle(world);
        assert_false(in_a_call(world, blocker));
        assert_false(in_a_call(world, other));
        assert_int_equal(world_state(world, blocker, STORE_STATE_BLOCKED, other, NULL).error, 0);
        world_drain(world, blocker);
        world_drain(world, other);
    }
}

static void
full(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_user(world, "alice", 1);
    uint64_t bob = world_user(world, "bob", 1);
    for (uint64_t number = 1; number <= 12; number++) {
        assert_int_equal(world_send(world, alice, 1, number, bob, "x").error, 0);
    }
    assert_int_equal(offer(world, alice, 13, bob).error, 0);
    world_settle(world);
    expect_ended(world, alice, STORE_CALL_FAILED, 0);
    assert_null(told(world, bob));
    size_t count = world_inbox(world, bob, 0, entries);
    assert_int_equal(entries[count - 1].kind, STORE_ENTRY_MISSED);
    assert_false(in_a_call(world, bob));
}

/* ------------------------------------------------------------------------------- who is no more */

static void
user_is_gone(void **state)
{
    struct two two = talking(state);
    world_pass(two.world, 1000);
    assert_int_equal(world_remove(two.world, two.bob).error, 0);
    world_settle(two.world);
    expect_ended(two.world, two.alice, STORE_CALL_FAILED, 1000);
    assert_false(in_a_call(two.world, two.bob));
    assert_int_equal(offer(two.world, two.alice, 8, two.bob).error, 0);
    world_settle(two.world);
    expect_ended(two.world, two.alice, STORE_CALL_FAILED, 0);
}

static void
caller_is_gone(void **state)
{
    struct two two = ringing(state);
    assert_int_equal(world_remove(two.world, two.alice).error, 0);
    world_settle(two.world);
    expect_ended(two.world, two.bob, STORE_CALL_FAILED, 0);
    assert_false(in_a_call(two.world, two.alice));
    assert_false(in_a_call(two.world, two.bob));
}

static void
device_is_gone(void **state)
{
    struct two two = talking(state);
    world_pass(two.world, 1000);
    assert_int_equal(world_device_revoke(two.world, two.bob, 1).error, 0);
    assert_int_equal(told(two.world, two.alice)->state, STORE_CALL_ANSWERED);
    assert_int_equal(world_device_revoke(two.world, two.bob, 2).error, 0);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_TALKED, 1000);
}

static void
callers_device_is_gone(void **state)
{
    struct two two = ringing(state);
    assert_int_equal(world_device_revoke(two.world, two.alice, 1).error, 0);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_CANCELLED, 0);
}

static size_t
looks(struct world *world)
{
    size_t found = 0;
    world_pass(world, STORE_CALL_LOOK_MS + RING_MS);
    (void)world_sweep(world);
    const struct effects *effects = world_effects(world);
    for (size_t i = 0; i < effects->count; i++) {
        found += effects->items[i].kind == EFFECT_CALL_LOOK ? 1 : 0;
    }
    return found;
}

static void
left(void **state)
{
    struct two two = talking(state);
    assert_true(looks(two.world) > 0);
    look(two.world, two.bob, two.id, false);
    look(two.world, two.bob, two.id, true);
    look(two.world, two.bob, two.id, false);
    assert_int_equal(told(two.world, two.alice)->state, STORE_CALL_ANSWERED);
    assert_true(looks(two.world) > 0);
    look(two.world, two.bob, two.id, false);
    world_settle(two.world);
    assert_int_equal(told(two.world, two.alice)->outcome, STORE_CALL_FAILED);
    assert_int_equal(told(two.world, two.bob)->outcome, STORE_CALL_FAILED);
    assert_int_equal(looks(two.world), 0);
}

/* --------------------------------------------------------------------------------- over crashes */

/* A start between any two steps, and a fold: each does what it would have. */
static void
survives(void **state)
{
    struct two two = ringing(state);
    world_fold_all(two.world);
    world_restart(two.world);
    expect_ringing(two.world, two.bob, two.alice);
    assert_int_equal(answer(two.world, two.bob, 2, two.id), 0);
    world_restart(two.world);
    world_settle(two.world);
    world_fold_all(two.world);
    assert_int_equal(told(two.world, two.alice)->state, STORE_CALL_ANSWERED);
    assert_int_equal(told_count(two.world, two.alice), 1);
    world_pass(two.world, 5000);
    assert_int_equal(hang_up(two.world, two.bob, 2, two.id, STORE_CALL_HANG_UP), 0);
    world_restart(two.world);
    world_fold_all(two.world);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_TALKED, 5000);
}

static void
rings_out_over_a_crash(void **state)
{
    struct two two = ringing(state);
    world_fold_all(two.world);
    world_restart(two.world);
    world_pass(two.world, RING_MS + LATER_MS);
    assert_int_equal(world_sweep(two.world), 1);
    world_restart(two.world);
    expect_over(two.world, two.alice, two.bob, STORE_CALL_MISSED, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_A_WORLD("an offer rings on all devices of the callee, and the caller's others are told",
                   rings),
        IN_A_WORLD("who calls from his only device is told nothing of it", rings_alone),
        IN_A_WORLD("the first device that answers has the call; both sides' others are told",
                   answers),
        IN_A_WORLD("it may say so again, another device may not", answers_once),
        IN_A_WORLD("a call that was answered ends with the same duration for both, and once", ends),
        IN_A_WORLD("the caller ends it as well; one that failed says so", ends_by_caller),
        IN_A_WORLD("a device that is not in it does not end it", ends_by_one_in_it),
        IN_A_WORLD("any device of the callee declines; nothing is answered after that", declines),
        IN_A_WORLD("a callee's device may say that it is busy", says_busy),
        IN_A_WORLD("the device that calls takes it back, another of the caller's does not",
                   cancels),
        IN_A_WORLD("an answer that meets a hang-up on its way is none", crosses),
        IN_A_WORLD("what nobody answers in time is missed, and can't be answered then", rings_out),
        IN_A_WORLD("an offer that is repeated rings once, however late", repeats),
        IN_A_WORLD("a user is in one call at a time", one_at_a_time),
        IN_A_WORLD("who is in a call is busy, and learns who called", engaged),
        IN_A_WORLD("so he does when very many call at once", engaged_for_many),
        IN_A_WORLD("of two who call each other at once one rings", glares),
        IN_A_WORLD("how a call ended stands in both histories, where they are kept",
                   stays_in_histories),
        IN_A_WORLD("who has blocked the other one rings him, though that one calls",
                   blocked_glares),
        IN_A_WORLD("one who is blocked rings nobody, and calls until time is over", blocked),
        IN_A_WORLD("where no device has room a call fails, and something is said to be missing",
                   full),
        IN_A_WORLD("a callee who is removed has left the call, and can't be called", user_is_gone),
        IN_A_WORLD("so has a caller", caller_is_gone),
        IN_A_WORLD("a device that is revoked hangs up, if it was in it", device_is_gone),
        IN_A_WORLD("one that called does, too", callers_device_is_gone),
        IN_A_WORLD("whose device is away at two looks on end has left the call", left),
        IN_A_WORLD("a call goes on over crashes and folds between any two steps", survives),
        IN_A_WORLD("one that rings is missed after a crash, too", rings_out_over_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
