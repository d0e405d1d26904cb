/* SPDX-License-Identifier: Apache-2.0 */
/* What people see, told as conversations, on several seeds each. */
#include "tests/sim/judge.h"
#include "tests/sim/world.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(6) };

static struct world world;
static struct person *alice, *bob;

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    alice = world_person(&world, "alice");
    bob = world_person(&world, "bob");
    assert_true(world_settle(&world));
}

static void
end(void)
{
    assert_true(world_settle(&world));
    judge_rest(&world);
    if (world.broken[0] != '\0') {
        print_error("seed %llu: %s\n", (unsigned long long)world.seed, world.broken);
    }
    assert_string_equal(world.broken, "");
    world_close(&world);
}

static void
bob_hears_what_alice_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        person_says(alice, bob, 1);
        assert_true(world_settle(&world));
        assert_int_equal(person_heard(bob, alice), 1);
        assert_int_equal(person_ticks_sent(alice, bob), 1);
        assert_int_equal(person_ticks_delivered(alice, bob), 1);
        assert_int_equal(person_ticks_read(alice, bob), 1);
        end();
    }
}

static void
nothing_is_delivered_to_who_is_away(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        person_leaves(bob);
        person_says(alice, bob, 20);
        assert_true(world_settle(&world));
        assert_int_equal(person_ticks_sent(alice, bob), 20);
        assert_int_equal(person_ticks_delivered(alice, bob), 0);
        person_returns(bob);
        assert_true(world_settle(&world));
        assert_int_equal(person_heard(bob, alice), 20);
        assert_int_equal(person_ticks_delivered(alice, bob), 20);
        end();
    }
}

static void
a_tick_says_delivered_before_it_says_read(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        bob->reads = false;
        person_says(alice, bob, 3);
        assert_true(world_settle(&world));
        assert_int_equal(person_ticks_delivered(alice, bob), 3);
        assert_int_equal(person_ticks_read(alice, bob), 0);
        bob->reads = true;
        person_is_cut(bob); /* and reads what it has when it is back */
        end();
    }
}

static void
a_thousand_messages_both_ways_keep_their_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        for (int i = 0; i < 50; i++) {
            person_says(alice, bob, 10);
            person_says(bob, alice, 10);
            world_run(&world, 3);
        }
        assert_true(world_settle(&world));
        assert_int_equal(person_heard(bob, alice), 500);
        assert_int_equal(person_heard(alice, bob), 500);
        end();
    }
}

static void
a_long_absence_is_caught_up_page_by_page(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        begin(seed);
        person_leaves(bob);
        person_says(alice, bob, 2000);
        assert_true(world_settle(&world));
        person_returns(bob);
        assert_true(world_settle(&world));
        assert_int_equal(person_heard(bob, alice), 2000);
        end();
    }
}

static void
cut_connections_cost_a_reconnect_and_nothing_else(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        begin(seed);
        for (int i = 0; i < 25; i++) {
            person_says(alice, bob, 1 + (uint32_t)(seed % 4));
            person_says(bob, alice, 1);
            world_run(&world, (seed * 7 + (uint64_t)i * 13) % 5);
            person_is_cut(i % 3 == 0 ? alice : bob);
            world_run(&world, (seed + (uint64_t)i * 11) % 60);
        }
        end();
    }
}

static void
a_restarted_node_goes_on_where_it_was(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        person_says(alice, bob, 5);
        world_run(&world, 1);
        world_restart(&world);
        person_says(alice, bob, 5);
        assert_true(world_settle(&world));
        assert_int_equal(person_heard(bob, alice), 10);
        end();
    }
}

static void
the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    uint64_t digests[2];
    for (int run = 0; run < 2; run++) {
        begin(7);
        person_says(alice, bob, 50);
        person_says(bob, alice, 50);
        assert_true(world_settle(&world));
        digests[run] = sim_digest(world.driver);
        end();
    }
    assert_true(digests[0] == digests[1]);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("bob hears what alice says, and alice sees three ticks", bob_hears_what_alice_says),
        SPEC("nothing is delivered to who is away, and all of it on return",
             nothing_is_delivered_to_who_is_away),
        SPEC("a tick says delivered before it says read",
             a_tick_says_delivered_before_it_says_read),
        SPEC("a thousand messages both ways keep their order",
             a_thousand_messages_both_ways_keep_their_order),
        SPEC("a long absence is caught up page by page", a_long_absence_is_caught_up_page_by_page),
        SPEC("cut connections cost a reconnect and nothing else: 1,000 cuts",
             cut_connections_cost_a_reconnect_and_nothing_else),
        SPEC("a restarted node goes on where it was", a_restarted_node_goes_on_where_it_was),
        SPEC("the same seed is the same run", the_same_seed_is_the_same_run),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
