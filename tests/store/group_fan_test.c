/* SPDX-License-Identifier: Apache-2.0 */
/* What a large group says reaches its members in rounds (store/fan.h), in a whole store. */
#include "runtime/linnet.h"
#include "store/group.h"
#include "store/store_priv.h"
#include "tests/spec.h"
#include "tests/store/company.h"
#include "tests/store/hand.h"
#include "tests/store/told.h"

enum {
    LARGE = 1000,
    SHORTEST_MS = 12, /* of so many members */
    LONGEST_MS = 60,  /* 48, and what the machine takes */
};

static struct rig rig;
static uint64_t owner, group, number;
static uint64_t ids[LARGE];

/* The first of the members is the story's; `count` of them are in the group. */
static void
gather(struct rig *r, unsigned count)
{
    struct store_attached attached;
    company_create(r, &owner, ids, LARGE);
    group = company_group(r, owner, 1, ids, (uint16_t)count);
    number = 2;
    (void)ln_sleep(2000);
    RIG_CHECK(r, hand_attach(r->store, ids[0], 1, &attached) == 0);
    RIG_CHECK(r, hand_ack(r->store, ids[0], 1, attached.last) == 0);
    (void)ln_sleep(2000);
}

static struct partition *
home(const struct rig *r)
{
    return &r->store->partitions[store_user_partition(r->store, group)];
}

static void
say(struct rig *r)
{
    company_done(r, company_say(r, owner, group, number++, 10));
}

/* How many entries the next push has; 0: none comes within the time. */
static unsigned
pushed_within(struct rig *r, uint64_t ms)
{
    struct ln_msg *msg = NULL;
    struct store_entry entry;
    unsigned count = 0;
    size_t at = 0;
    if (ln_receive(ms, &msg) != 0) {
        return 0;
    }
    RIG_CHECK(r, msg->tag == STORE_PUSH);
    while (entry_next(ln_buffer_data(msg->buffer), ln_buffer_bytes(msg->buffer), &at, &entry)) {
        count++;
    }
    ln_msg_free(&msg);
    return count;
}

/* One goes at once; two that are said when it has arrived everywhere wait for the next round. */
static void
say_one_and_two(struct rig *r)
{
    say(r);
    RIG_CHECK(r, pushed_within(r, LONGEST_MS) == 1);
    say(r);
    say(r);
    RIG_CHECK(r, home(r)->fan.messages == 2);
}

static void
together_story(struct rig *r)
{
    gather(r, LARGE);
    say_one_and_two(r);
    uint64_t begun_ns = home(r)->fan.begun_ns;
    RIG_CHECK(r, pushed_within(r, LONGEST_MS) == 2);
    uint64_t waited_ns = ln_now_ns() - begun_ns;
    RIG_CHECK(r, waited_ns >= UINT64_C(1000000) * SHORTEST_MS);
    RIG_CHECK(r, waited_ns <= UINT64_C(1000000) * LONGEST_MS);
    (void)ln_sleep(2000);
    RIG_CHECK(r, home(r)->ledger.outbox == 0);
}

static void
what_is_said_during_a_round_comes_together(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        rig_play_once(&rig, seed, together_story);
    }
}

static void
small_story(struct rig *r)
{
    gather(r, 40);
    say(r);
    say(r);
    RIG_CHECK(r, home(r)->fan.begun_ns == 0 && home(r)->fan.messages == 0);
    RIG_CHECK(r, pushed_within(r, LONGEST_MS) > 0);
}

static void
a_small_group_has_no_rounds(void **state)
{
    (void)state;
    rig_play_once(&rig, 1, small_story);
}

static void
killed_story(struct rig *r)
{
    gather(r, LARGE);
    say_one_and_two(r);
    ln_kill(store_pid_get(&home(r)->pid), LN_EXIT_KILLED);
    RIG_CHECK(r, pushed_within(r, 1000) == 2);
    (void)ln_sleep(2000);
    say_one_and_two(r); /* nothing of the round before is left, nor of its timer */
    RIG_CHECK(r, pushed_within(r, LONGEST_MS) == 2);
}

static void
what_waits_outlives_its_partition(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        rig_play_once(&rig, seed, killed_story);
    }
}

/* As while it waits for LMDB, or for room. */
static void
held_up_story(struct rig *r)
{
    gather(r, LARGE);
    say_one_and_two(r);
    home(r)->fetching = true;
    RIG_CHECK(r, pushed_within(r, LONGEST_MS) == 2);
    home(r)->fetching = false;
}

static void
a_round_begins_though_its_partition_is_held_up(void **state)
{
    (void)state;
    rig_play_once(&rig, 1, held_up_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what a large group says while a round is under way comes with the next, together",
             what_is_said_during_a_round_comes_together),
        SPEC("a small group has no rounds", a_small_group_has_no_rounds),
        SPEC("what waits for its round outlives its partition's actor",
             what_waits_outlives_its_partition),
        SPEC("a round begins though its partition waits for something else",
             a_round_begins_though_its_partition_is_held_up),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
