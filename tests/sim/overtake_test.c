/* SPDX-License-Identifier: Apache-2.0 */
/* Alice has messages under way, few or many, to partitions that take their time; one of these is
 * started anew, and what she says to it next must not come before what was lost. */
#include "store/store_priv.h"
#include "tests/seeds.h"
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(4), PEOPLE = 12, ROUNDS = 5, A_WHILE_MS = 200 };

static struct world world;
static struct wire alice;
static uint64_t alice_id;
static struct friend
{
    struct wire wire;
    uint64_t id;
    struct partition *partition;
    ln_pid pid; /* the partition's actor */
}
friends[PEOPLE];
static unsigned said; /* by Alice, on this connection */

/* --------------------------------------------------------------------------- who takes his time */

static ln_pid idler; /* takes requests and answers none */

static void
idler_run(void *state)
{
    (void)state;
    while (ln_sleep(1000) == 0) {
    }
}

static int
idler_start(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    idler = ln_self();
    return 0;
}

static const struct ln_behaviour idler_behaviour = {
    .name = "idler", .state_bytes = 8, .init = idler_start, .run = idler_run};

/* ----------------------------------------------------------------------------------- the people */

static struct partition *
partition_of(uint64_t user)
{
    return &world.store->partitions[store_user_partition(world.store, user)];
}

/* Whether the friend of this place shares a partition with nobody before. */
static bool
is_apart(unsigned place)
{
    bool apart = friends[place].partition != partition_of(alice_id);
    for (unsigned i = 0; i < place; i++) {
        apart = apart && friends[i].partition != friends[place].partition;
    }
    return apart;
}

static void
begin(uint64_t seed, unsigned people)
{
    struct ln_child guest = {.id = "idler", .behaviour = &idler_behaviour, .restart = LN_TEMPORARY};
    world_open_with(&world, seed, guest);
    alice_id = wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    said = 0;
    for (unsigned i = 0, names = 0; i < people; names++) {
        struct friend *friend = &friends[i];
        char name[16];
        (void)snprintf(name, sizeof name, "friend%u", names);
        friend->id = wire_join(&friend->wire, &world, PROTOCOL_JSON, name);
        friend->partition = partition_of(friend->id);
        friend->pid = store_pid_get(&friend->partition->pid);
        if (is_apart(i)) {
            i++;
        } else {
            wire_end(&friend->wire);
        }
    }
}

static void
end(unsigned people)
{
    wire_end(&alice);
    for (unsigned i = 0; i < people; i++) {
        wire_end(&friends[i].wire);
    }
    assert_string_equal(world.broken, "");
    world_close(&world);
}

static void
alice_writes(const struct friend *friend)
{
    char text[160];
    said++;
    (void)snprintf(text, sizeof text,
                   "{\"ref\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
                   "\"text\":\"no %u\"}}",
                   said, (unsigned long long)friend->id, said);
    wire_say(&alice, text);
}

/* Whether her node has cut her off, and why. */
static bool
alice_has_to_start_over(void)
{
    world_run(&world, A_WHILE_MS);
    if (alice.close_code == 0) {
        return false;
    }
    assert_int_equal(wire_closed(&alice), PROTOCOL_CLOSE_INTERNAL);
    return true;
}

/* Nothing of what is said to him is answered. */
static void
idle(const struct friend *friend)
{
    store_pid_set(&friend->partition->pid, idler);
}

/* What idled for him has ended, and his partition has its own actor again. */
static void
start_anew(const struct friend *friend)
{
    store_partition_started(world.store, friend->partition, friend->pid);
}

/* ------------------------------------------------------------------------------------ many, few */

enum { IDLE = PEOPLE - 1 };

/* Alice has so many under way, the first of them to the first friend. The last one's partition goes
 * on answering. */
static void
alice_has_under_way(unsigned count)
{
    for (unsigned i = 0; i < IDLE; i++) {
        idle(&friends[i]);
    }
    for (unsigned n = 0; n < count; n++) {
        alice_writes(&friends[n == 0 ? 0 : 1 + n % (IDLE - 1)]);
    }
    assert_false(alice_has_to_start_over());
    assert_null(wire_heard(&alice, 0, "\"sent\""));
}

static const unsigned counts[] = {1, 2, 8, 9, 30, 60};

static void
what_was_lost_is_not_overtaken(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        begin(1 + i % SEEDS, PEOPLE);
        alice_has_under_way(counts[i]);
        start_anew(&friends[0]);
        alice_writes(&friends[1]);
        alice_writes(&friends[IDLE]);
        assert_false(alice_has_to_start_over());
        assert_non_null(wire_heard(&friends[IDLE].wire, 0, "\"newMessage\""));
        alice_writes(&friends[0]);
        assert_true(alice_has_to_start_over());
        assert_null(wire_heard(&friends[0].wire, 0, "\"newMessage\""));
        end(PEOPLE);
    }
}

/* Her own partition is, which counts as any. */
static void
another_starts_anew(void)
{
    struct partition *own = partition_of(alice_id);
    store_partition_started(world.store, own, store_pid_get(&own->pid));
}

static void
others_starts_concern_nobody(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        begin(1 + i % SEEDS, PEOPLE);
        another_starts_anew();
        alice_has_under_way(counts[i]);
        another_starts_anew();
        alice_writes(&friends[0]);
        alice_writes(&friends[0]);
        assert_false(alice_has_to_start_over());
        start_anew(&friends[0]);
        alice_writes(&friends[0]);
        assert_true(alice_has_to_start_over());
        end(PEOPLE);
    }
}

/* -------------------------------------------------------------------------- while it is started */

enum { STEPS = 3 };

/* What store_partition_started does, one by one. */
static void
start_step(const struct friend *friend, unsigned step)
{
    switch (step) {
    case 0:
        atomic_fetch_add(&world.store->starts_begun, 1);
        break;
    case 1:
        store_pid_set(&friend->partition->pid, friend->pid);
        break;
    default:
        atomic_fetch_add(&world.store->starts_through, 1);
        break;
    }
}

static void
said_at(unsigned first, unsigned second)
{
    unsigned steps = 0;
    begin(1 + (first + second) % SEEDS, 1);
    idle(&friends[0]);
    while (steps < first) {
        start_step(&friends[0], steps++);
    }
    alice_writes(&friends[0]);
    assert_false(alice_has_to_start_over());
    while (steps < second) {
        start_step(&friends[0], steps++);
    }
    alice_writes(&friends[0]);
    assert_int_equal(alice_has_to_start_over(), first < 2 && second >= 2);
    end(1);
}

static void
no_moment_of_a_start_is_missed(void **state)
{
    (void)state;
    for (unsigned first = 0; first <= STEPS; first++) {
        for (unsigned second = first; second <= STEPS; second++) {
            said_at(first, second);
        }
    }
}

/* --------------------------------------------------------------------- in an order of their own */

/* To each friend in each round; `ref` tells which. How often an answer came before one that was
 * asked for earlier. */
static unsigned
answers_out_of_order(void)
{
    uint8_t answered[ROUNDS * PEOPLE + 1] = {0};
    uint64_t last = 0;
    unsigned count = 0;
    alice.heard_at = alice.heard_count;
    for (unsigned n = 0; n < ROUNDS * PEOPLE; n++) {
        alice_writes(&friends[n % PEOPLE]);
    }
    for (unsigned n = 0; n < ROUNDS * PEOPLE; n++) {
        const char *frame = wire_expect(&alice, "\"sent\"");
        uint64_t ref = wire_number(frame, "ref");
        assert_in_range(ref, 1, ROUNDS * PEOPLE);
        assert_int_equal(wire_number(frame, "chatNumber"), 1 + (ref - 1) / PEOPLE);
        assert_int_equal(answered[ref]++, 0);
        count += ref < last;
        last = ref;
    }
    return count;
}

static void
each_answer_is_its_commands(void **state)
{
    unsigned count = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, PEOPLE);
        count += answers_out_of_order();
        end(PEOPLE);
    }
    assert_true(count > 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what was lost with a partition's actor is not overtaken, however much is under way",
             what_was_lost_is_not_overtaken),
        SPEC("a start of another partition costs nobody anything, and hides none",
             others_starts_concern_nobody),
        SPEC("no moment of a partition's start is missed", no_moment_of_a_start_is_missed),
        SPEC("many answers come in an order of their own, and each is its command's",
             each_answer_is_its_commands),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
