/* SPDX-License-Identifier: Apache-2.0 */
/* One random script, played under different folds and restarts: what is visible must be the
 * same. */
#include "tests/spec.h"
#include "tests/store/chance.h"
#include "tests/store/world.h"

#include <stdio.h>

static const struct ledger_limits limits = {
    .inbox_entries_max = 6, .inbox_bytes_max = 2000, .devices_max = 3};

enum {
    USERS = 8,
    STEPS = 600,
    SEEDS = SEEDS_OF(12),
};

struct script {
    struct world *world;
    struct chance chance;
    uint64_t users[USERS];
    uint64_t numbers[USERS];
    unsigned made;
};

static uint64_t
pick(struct script *script, uint64_t below)
{
    return chance_below(&script->chance, below);
}

static void
send(struct script *script)
{
    static const char text[] = "0123456789012345678901234567890123456789";
    uint64_t from = pick(script, USERS);
    uint64_t to = pick(script, USERS);
    uint16_t device = (uint16_t)(1 + pick(script, 3));
    uint64_t number = ++script->numbers[from];
    if (pick(script, 4) == 0 && number > 70) {
        number -= pick(script, 70);
    }
    const char *body = text + pick(script, sizeof(text));
    if (pick(script, 3) == 0) {
        (void)world_send_copied(script->world, script->users[from], device, number,
                                script->users[to], body);
    } else {
        (void)world_send(script->world, script->users[from], device, number, script->users[to],
                         body);
    }
}

static void
acknowledge(struct script *script)
{
    struct record_head head;
    uint64_t user = script->users[pick(script, USERS)];
    uint64_t back = pick(script, 4);
    if (world_head(script->world, user, &head) && head.devices > 0) {
        uint64_t number = head.last.number > back ? head.last.number - back : 0;
        uint16_t device = head.cursors[pick(script, head.devices)].device;
        uint64_t peer = pick(script, 2) == 0 ? script->users[pick(script, USERS)] : 0;
        (void)world_ack_read(script->world, user, device, number, peer, 1 + pick(script, 9));
    }
}

static void
read_chat(struct script *script)
{
    struct record_chat chat;
    uint64_t user = script->users[pick(script, USERS)];
    uint64_t peer = script->users[pick(script, USERS)];
    uint64_t back = pick(script, 3);
    if (world_chat(script->world, user, peer, &chat) && chat.last > back) {
        (void)world_read(script->world, user, peer, chat.last - back);
    }
}

static void
change_devices(struct script *script)
{
    uint64_t user = script->users[pick(script, USERS)];
    uint64_t what = pick(script, 4);
    uint16_t device = (uint16_t)(1 + pick(script, 6));
    if (what == 0) {
        (void)world_device_add(script->world, user, "tablet");
    } else if (what == 1) {
        (void)world_device_revoke(script->world, user, device);
    } else {
        (void)world_device_attach(script->world, user, device);
    }
}

static void
replace_user(struct script *script)
{
    char name[16];
    uint64_t slot = pick(script, USERS);
    (void)snprintf(name, sizeof(name), "user%u", script->made++);
    (void)world_remove(script->world, script->users[slot]);
    script->users[slot] = world_user(script->world, name, 1 + (unsigned)pick(script, 3));
    script->numbers[slot] = 0;
}

static void
step(struct script *script)
{
    uint64_t what = pick(script, 100);
    world_pass(script->world, pick(script, 50));
    if (what < 45) {
        send(script);
    } else if (what < 65) {
        acknowledge(script);
    } else if (what < 75) {
        read_chat(script);
    } else if (what < 92) {
        (void)world_step(script->world, pick(script, 1 << 16));
    } else if (what < 99) {
        change_devices(script);
    } else {
        replace_user(script);
    }
}

/* Plays a script; `fold_every` 0: never. */
static struct world *
play(uint64_t seed, unsigned fold_every, unsigned restart_every)
{
    struct script script = {.world = world_new(seed, &limits), .chance = {.state = seed}};
    struct chance folds = {.state = seed + 1000};
    for (unsigned i = 0; i < USERS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "user%u", script.made++);
        script.users[i] = world_user(script.world, name, i % 4);
    }
    for (unsigned i = 1; i <= STEPS; i++) {
        step(&script);
        if (fold_every > 0 && i % fold_every == 0) {
            /* In two steps, so that all generations of the delta are seen. */
            world_fold_on(script.world, (unsigned)chance_below(&folds, WORLD_CELLS));
        }
        if (i % restart_every == 0) {
            world_restart(script.world);
        }
    }
    return script.world;
}

static void
expect_alike(struct world *first, struct world *second)
{
    for (unsigned p = 0; p < STORE_PARTITIONS; p++) {
        assert_int_equal(world_sum(first, (uint8_t)p), world_sum(second, (uint8_t)p));
    }
}

static void
same_log_same_data(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world *first = play(seed, 7, STEPS + 1);
        struct world *second = play(seed, 7, STEPS + 1);
        expect_alike(first, second);
        world_free(&first);
        world_free(&second);
    }
}

static void
folds_are_invisible(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world *plain = play(seed, 0, STEPS + 1);
        struct world *folded = play(seed, 3, STEPS + 1);
        expect_alike(plain, folded);
        world_free(&plain);
        world_free(&folded);
    }
}

static void
snapshot_and_tail_equal_the_whole(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world *whole = play(seed, 0, 150); /* each restart applies the whole log */
        struct world *tail = play(seed, 2, 150);  /* each applies what no fold has taken over */
        expect_alike(whole, tail);
        world_free(&whole);
        world_free(&tail);
    }
}

static void
the_sum_sees_a_difference(void **state)
{
    (void)state;
    struct world *first = play(1, 3, STEPS + 1);
    struct world *second = play(1, 3, STEPS + 1);
    unsigned differing = 0;
    world_settle(first);
    world_settle(second);
    expect_alike(first, second);
    uint64_t user = world_user(second, "one more", 1);
    (void)world_send(second, 5, 1, 1, user, "m");
    for (unsigned p = 0; p < STORE_PARTITIONS; p++) {
        differing += world_sum(first, (uint8_t)p) != world_sum(second, (uint8_t)p);
    }
    assert_in_range(differing, 1, 2);
    world_free(&first);
    world_free(&second);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the same log makes the same data", same_log_same_data),
        SPEC("when folds run can't be seen", folds_are_invisible),
        SPEC("what was folded and the tail of the log make the same as the whole log",
             snapshot_and_tail_equal_the_whole),
        SPEC("the comparison would see a single message's difference", the_sum_sees_a_difference),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
