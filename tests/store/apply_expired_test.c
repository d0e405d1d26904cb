/* SPDX-License-Identifier: Apache-2.0 */
/* A chat in which some messages disappear and others grow too old, now and then, while the reader's
 * devices come and go: at rest both people's partitions, and the mark in the writer's inbox, tell
 * of each message whether a device took it in, or that nothing is said about it any more. */
#include "tests/store/chance.h"
#include "tests/store/world_spec.h"

enum { SEEDS = SEEDS_OF(12), MESSAGES = 60, TTL_MS = 1000, AGE_MS = 20000, DEVICES = 2 };

static const struct ledger_limits limits = {
    .inbox_entries_max = 1000, .inbox_bytes_max = 1 << 20, .devices_max = 3};

static struct store_entry entries[WORLD_PAGE_MAX];

struct letters {
    struct world *world;
    struct chance chance;
    uint64_t alice, bob;
    uint64_t said;
    bool taken[MESSAGES + 1];
    bool lasting; /* from now on nothing goes */
};

static void
say(struct letters *letters)
{
    if (letters->said == MESSAGES) {
        return;
    }
    uint64_t number = ++letters->said;
    bool soon = chance_below(&letters->chance, 3) == 0;
    struct result sent = world_send_for(letters->world, letters->alice, number, letters->bob, "m",
                                        soon ? TTL_MS : 0);
    assert_int_equal(sent.error, 0);
    assert_int_equal(sent.chat_number, number);
}

/* A device comes, and takes in some of what it is given: nothing that is over by then. */
static void
visit(struct letters *letters, uint16_t device)
{
    struct result attached = world_device_attach(letters->world, letters->bob, device);
    assert_int_equal(attached.error, 0);
    size_t count = world_inbox(letters->world, letters->bob, attached.acked, entries);
    size_t most = letters->lasting ? count : chance_below(&letters->chance, 5);
    uint64_t number = attached.acked;
    for (size_t i = 0; i < count && i < most; i++) {
        uint64_t over_ms = entries[i].message.expires_at_ms;
        if (entries[i].kind == STORE_ENTRY_MESSAGE &&
            (over_ms == 0 || over_ms > world_now_ms(letters->world))) {
            letters->taken[entries[i].message.chat_number] = true;
        }
        number = entries[i].number;
    }
    assert_int_equal(world_ack(letters->world, letters->bob, device, number).error, 0);
}

/* The node's memory goes now and then, at any place. */
static void
step(struct letters *letters)
{
    struct world *world = letters->world;
    switch (chance_below(&letters->chance, 10)) {
    case 0:
    case 1:
    case 2:
        say(letters);
        break;
    case 3:
    case 4:
        visit(letters, (uint16_t)(1 + chance_below(&letters->chance, DEVICES)));
        break;
    case 5:
        world_pass(world, chance_below(&letters->chance, 2000));
        break;
    case 6:
        (void)world_sweep(world);
        break;
    case 7:
        (void)world_expire(world, letters->bob, AGE_MS);
        break;
    case 8:
        world_settle(world);
        break;
    default:
        if (chance_below(&letters->chance, 4) == 0) {
            world_fold_out(world);
        }
        world_restart(world);
    }
}

static void
come_to_rest(struct letters *letters)
{
    (void)world_sweep(letters->world);
    letters->lasting = true;
    for (unsigned device = 1; device <= DEVICES; device++) {
        visit(letters, (uint16_t)device);
    }
    world_settle(letters->world);
}

/* What a device of alice's is told that comes now, and has been told nothing before. */
static struct store_entry_cursors
mark_of(struct letters *letters, struct expired *out)
{
    struct store_entry_cursors mark = {0};
    size_t count = world_inbox(letters->world, letters->alice, 0, entries);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].kind == STORE_ENTRY_CURSORS) {
            mark = entries[i].cursors;
        }
    }
    entry_cursors_expired(&mark, out);
    return mark;
}

static unsigned
expect_truth(struct letters *letters)
{
    struct expired told;
    struct store_entry_cursors mark = mark_of(letters, &told);
    unsigned apart = told.holes.count;
    for (uint64_t number = 1; number <= letters->said; number++) {
        bool told_delivered =
            number <= mark.peer_delivered && expired_of(&told, number) == EXPIRED_NOT;
        bool told_gone = expired_of(&told, number) == EXPIRED_GONE;
        bool unsaid = expired_of(&told, number) == EXPIRED_UNKNOWN;
        assert_true(unsaid || told_delivered == letters->taken[number]);
        assert_true(unsaid || told_gone == !letters->taken[number]);
    }
    assert_string_equal(world_expired_there(letters->world, letters->alice, letters->bob),
                        world_expired_text(&told));
    assert_string_equal(world_expired_here(letters->world, letters->bob, letters->alice),
                        world_expired_text(&told));
    return apart;
}

static void
nothing_false_is_told(void **state)
{
    (void)state;
    unsigned apart = 0;
    unsigned most = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        static struct letters letters;
        letters = (struct letters){.chance = {.state = seed}};
        letters.world = world_new(seed, &limits);
        letters.alice = world_user(letters.world, "alice", 1);
        letters.bob = world_user(letters.world, "bob", DEVICES);
        for (unsigned i = 0; i < 300; i++) {
            step(&letters);
        }
        come_to_rest(&letters);
        unsigned count = expect_truth(&letters);
        apart += count > 1;
        most += count == HOLES_MAX;
        world_free(&letters.world);
    }
    assert_true(apart > SEEDS / 2 && most > 0); /* else it proves little */
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("both partitions and the mark tell of each message whether a device took it in",
             nothing_false_is_told),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
