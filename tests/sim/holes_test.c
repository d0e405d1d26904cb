/* SPDX-License-Identifier: Apache-2.0 */
/* Twice in a chat something disappears before any device of its reader took it in, and something
 * that stays lies between and behind. Whenever a device of the writer comes by, was it told of
 * each, was it away meanwhile, was its inbox given up, or is it linked only then: it shows the same
 * beside each message as the others, and what is so. The reader's devices show none of it, and
 * agree, too. The power fails at each place of the story. */
#include "tests/sim/keeper.h"
#include "tests/sim/person.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    SEEDS = 2, /* of each place */
    TTL_MS = 1000,
    SOON_MS = TTL_MS + 200, /* found by whoever acknowledges what lies behind it */
    LATE_MS = 25000,        /* found by the node's look at what is due */
    ROOM = 20,              /* entries of an inbox */
    FLOOD = 12,             /* twice that is more */
    PLACES = 9,
    ROUNDS_MAX = 100,
    EVENTS = 60, /* at one of so many the power fails */
    FIRST_GONE = 2 * FLOOD + 1,
    LAST = FIRST_GONE + 4,
};

/* Devices of each of the two: one that comes and goes; one that comes once at first, and at the
 * end; one that comes at the end, and whose inbox is full by then; one that is linked at the
 * end. */
enum { EARLY, OLD, FULL, LINKED, EACH };
enum { ALICE, BOB, PEOPLE };

static struct world world;
static struct keeper devices[PEOPLE][EACH];
static bool here[PEOPLE][EACH];
static unsigned fails_at, place;
static uint64_t away_ms;

typedef unsigned long long number;

static void
with_little_room(struct settings *settings)
{
    settings->inbox_entries_max = ROOM;
}

/* -------------------------------------------------------------------------------- coming, going */

static void
goes(unsigned person, unsigned which)
{
    keeper_takes_in(&devices[person][which]);
    wire_end(&devices[person][which].wire);
    here[person][which] = false;
}

static void
comes(unsigned person, unsigned which)
{
    keeper_returns(&devices[person][which], &world);
    here[person][which] = true;
}

static void
links(unsigned person, unsigned which)
{
    struct keeper *device = &devices[person][which];
    (void)wire_join(&device->wire, &world, which % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY,
                    person == ALICE ? "alice" : "bob");
    memcpy(device->token, device->wire.token, sizeof device->token);
    device->user = keeper_number(device->wire.heard[0], "userId");
    here[person][which] = true;
}

static void
all_take_in(uint64_t ms)
{
    world_run(&world, ms);
    for (unsigned i = 0; i < PEOPLE * EACH; i++) {
        if (here[i / EACH][i % EACH]) {
            keeper_takes_in(&devices[i / EACH][i % EACH]);
            keeper_acks(&devices[i / EACH][i % EACH]);
        }
    }
}

/* Here the power may fail, and whoever was there comes back. */
static void
go_on(void)
{
    bool there[PEOPLE][EACH];
    if (++place != fails_at) {
        return;
    }
    memcpy(there, here, sizeof there);
    for (unsigned i = 0; i < PEOPLE * EACH; i++) {
        if (there[i / EACH][i % EACH]) {
            goes(i / EACH, i % EACH);
        }
    }
    world_crash_within(&world, world_chance(&world, EVENTS), 50);
    for (unsigned i = 0; i < PEOPLE * EACH; i++) {
        if (there[i / EACH][i % EACH]) {
            comes(i / EACH, i % EACH);
        }
    }
}

/* Until all who are here have said what they have to say, and taken in what there is. */
static void
settle(void)
{
    unsigned quiet = 0;
    for (unsigned round = 0; quiet < 3 && round < ROUNDS_MAX; round++) {
        bool settled = true;
        all_take_in(50);
        for (unsigned i = 0; i < PEOPLE * EACH; i++) {
            settled = settled &&
                      (!here[i / EACH][i % EACH] || keeper_settled(&devices[i / EACH][i % EACH]));
        }
        quiet = settled ? quiet + 1 : 0;
    }
    assert_int_equal(quiet, 3);
}

/* ------------------------------------------------------------------------------------ the story */

static void
alice_writes(unsigned count, const char *more)
{
    for (unsigned i = 0; i < count; i++) {
        keeper_says(&devices[ALICE][EARLY],
                    "\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":\"letter\"%s}",
                    (number)devices[BOB][EARLY].user, more);
    }
}

static void
bob_reads(uint64_t chat_number)
{
    char command[128];
    (void)snprintf(command, sizeof command,
                   "{\"markRead\":{\"chat\":{\"userId\":\"%llu\"},\"chatNumber\":\"%llu\"}}",
                   (number)devices[ALICE][EARLY].user, (number)chat_number);
    wire_say(&devices[BOB][EARLY].wire, command);
}

/* Nobody of Bob's is there; then he is, and what stays lies behind it. */
static void
some_disappear(unsigned count)
{
    goes(BOB, EARLY);
    alice_writes(count, ",\"ttlMs\":\"1000\"");
    go_on();
    settle();
    world_run(&world, away_ms);
    go_on();
    alice_writes(1, "");
    go_on();
    settle();
    comes(BOB, EARLY);
    go_on();
    settle();
}

static void
begin(uint64_t seed)
{
    memset(devices, 0, sizeof devices);
    memset(here, 0, sizeof here);
    place = 0;
    world_fresh(&world, seed);
    world.set = with_little_room;
    world_begin(&world);
    for (unsigned person = 0; person < PEOPLE; person++) {
        for (unsigned which = 0; which < LINKED; which++) {
            links(person, which);
        }
    }
    for (unsigned i = 0; i < PEOPLE * EACH; i++) {
        devices[i / EACH][i % EACH].user = devices[i / EACH][EARLY].user;
        devices[i / EACH][i % EACH].peer = devices[PEOPLE - 1 - i / EACH][EARLY].user;
    }
    settle(); /* each has been told of the others */
    for (unsigned person = 0; person < PEOPLE; person++) {
        goes(person, OLD);
        goes(person, FULL);
    }
}

static void
tell_the_story(void)
{
    alice_writes(FLOOD, "");
    settle();
    comes(ALICE, OLD);
    comes(BOB, OLD);
    settle();
    goes(ALICE, OLD);
    goes(BOB, OLD);
    alice_writes(FLOOD, "");
    settle();
    some_disappear(1);
    bob_reads(FIRST_GONE + 1);
    go_on();
    settle();
    some_disappear(2);
    bob_reads(FIRST_GONE + 1); /* as a client does that can't know */
    for (unsigned i = 0; i < PEOPLE * 2; i++) {
        comes(i / 2, OLD + i % 2);
    }
    for (unsigned person = 0; person < PEOPLE; person++) {
        links(person, LINKED);
    }
    settle();
    for (unsigned i = 0; i < PEOPLE * EACH; i++) {
        wire_say(&devices[i / EACH][i % EACH].wire, "{\"listChats\":{}}");
    }
    all_take_in(500);
}

/* -------------------------------------------------------------------------------------- the end */

static char
so(uint64_t chat_number)
{
    bool first = chat_number == FIRST_GONE;
    bool second = chat_number == FIRST_GONE + 2 || chat_number == FIRST_GONE + 3;
    if (first || second) {
        return 'x';
    }
    return chat_number < LAST ? 'r' : 'd';
}

static void
expect_agreement(void)
{
    for (unsigned which = 0; which < EACH; which++) {
        const struct keeper *alices = &devices[ALICE][which];
        const struct keeper *bobs = &devices[BOB][which];
        for (uint64_t chat_number = 1; chat_number <= LAST; chat_number++) {
            char tick = so(chat_number);
            assert_int_equal(keeper_tick(&alices->listed, chat_number), tick);
            if (which != LINKED) { /* which knows it from the list alone */
                assert_int_equal(keeper_tick(&alices->ticks, chat_number), tick);
            }
            assert_true(tick != 'x' || !bobs->came[chat_number]);
        }
        assert_int_equal(keeper_tick(&alices->listed, LAST + 1), 's');
        assert_int_equal(bobs->unread_told, LAST - FIRST_GONE - 1);
        assert_int_equal(bobs->listed.holes_count, 0);
        assert_int_equal(alices->resyncs, which == FULL);
        assert_int_equal(bobs->resyncs, which == FULL);
    }
}

static void
whoever_comes_shows_the_same(void **state)
{
    (void)state;
    for (fails_at = 0; fails_at <= PLACES; fails_at++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            print_message("fails at %u, seed %u\n", fails_at, (unsigned)seed);
            away_ms = seed % 2 == 0 ? LATE_MS : SOON_MS;
            begin(seed);
            tell_the_story();
            assert_int_equal(place, PLACES);
            expect_agreement();
            for (unsigned i = 0; i < PEOPLE * EACH; i++) {
                wire_end(&devices[i / EACH][i % EACH].wire);
            }
            world_close(&world);
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("whichever device of the two comes, and whenever the power fails: of what disappeared "
             "apart it shows what the others show, and what is so",
             whoever_comes_shows_the_same),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
