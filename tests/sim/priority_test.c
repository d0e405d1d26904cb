/* SPDX-License-Identifier: Apache-2.0 */
/* What gives way when a scheduler has more to do than it can: typing first, then presence, then
 * receipts; messages never. Each turn of an actor takes time here, and a crowd floods the node with
 * one class or all of them, while Alice writes to Bob. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    CROWD = 16,
    STEP_MS = 10,
    FLOOD_MS = 2000,
    EACH_MS = 20, /* Alice writes */
    MESSAGES = FLOOD_MS / EACH_MS,
    /* What each of the crowd has to acknowledge and read. */
    FEED = FLOOD_MS / STEP_MS,
};

static struct world world;
static struct wire alice, bob, crowd[CROWD];
static uint64_t alice_id, bob_id, crowd_ids[CROWD];
static uint64_t fed[CROWD][FEED]; /* inbox numbers */
static unsigned written;          /* by Alice to Bob */
static uint64_t group_id;         /* of all of them */

/* What came of a flood. */
struct outcome {
    uint64_t typing, presence, receipts; /* shed */
    uint64_t held, told, reads;
    uint64_t slowest_ms; /* from Alice's send to Bob's screen */
};

static const struct messenger_counters *
counters(void)
{
    return &world.messenger.counters;
}

/* A command with the numbers in the places of its #. */
static void
say(struct wire *wire, const char *format, uint64_t first, uint64_t second)
{
    char text[256];
    const uint64_t numbers[] = {first, second};
    size_t bytes = 0;
    unsigned taken = 0;
    for (const char *at = format; *at != '\0'; at++) {
        assert_true(bytes + 24 < sizeof text);
        if (*at == '#') {
            bytes += (size_t)snprintf(text + bytes, sizeof text - bytes, "%llu",
                                      (unsigned long long)numbers[taken++]);
        } else {
            text[bytes++] = *at;
        }
    }
    text[bytes] = '\0';
    wire_say(wire, text);
}

static void
set(struct settings *settings)
{
    settings->limits.unacknowledged_entries_max = 1000;
}

/* ----------------------------------------------------------------------------------- the people */

/* Alice watches the crowd, and the crowd her; each has FEED messages of hers. */
static void
begin(uint64_t seed)
{
    world_fresh(&world, seed);
    world.set = set;
    world_begin(&world);
    written = 0;
    alice_id = wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    bob_id = wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    for (unsigned i = 0; i < CROWD; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "member%u", i);
        crowd_ids[i] = wire_join(&crowd[i], &world, PROTOCOL_JSON, name);
        for (unsigned n = 0; n < FEED; n++) {
            say(&alice, "{\"sendMessage\":{\"chat\":{\"userId\":\"#\"},\"text\":\"hello\"}}",
                crowd_ids[i], 0);
        }
        (void)wire_waiting(&crowd[i], 300);
        for (unsigned n = 0; n < FEED; n++) {
            fed[i][n] = wire_number(wire_expect(&crowd[i], "newMessage"), "inboxNumber");
        }
        say(&alice, "{\"watchPresence\":{\"chat\":{\"userId\":\"#\"}}}", crowd_ids[i], 0);
        say(&crowd[i], "{\"watchPresence\":{\"chat\":{\"userId\":\"#\"}}}", alice_id, 0);
    }
    world_run(&world, 2000);
}

/* All are in one group, and the crowd watches itself: what one of them tells is told to all. */
static void
gather(void)
{
    char text[1024];
    size_t used = (size_t)snprintf(text, sizeof text,
                                   "{\"ref\":\"1\",\"createChat\":{\"name\":\"crowd\","
                                   "\"participants\":[{\"userId\":\"%llu\"}",
                                   (unsigned long long)bob_id);
    for (unsigned i = 0; i < CROWD; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, ",{\"userId\":\"%llu\"}",
                                 (unsigned long long)crowd_ids[i]);
    }
    (void)snprintf(text + used, sizeof text - used, "]}}");
    alice.heard_at = alice.heard_count;
    wire_say(&alice, text);
    group_id = wire_number(wire_expect(&alice, "\"groupId\""), "groupId");
    for (unsigned i = 0; i < CROWD; i++) {
        for (unsigned j = 0; j < i; j++) {
            say(&crowd[i], "{\"sendMessage\":{\"chat\":{\"userId\":\"#\"},\"text\":\"hello\"}}",
                crowd_ids[j], 0);
        }
    }
    world_run(&world, 1000);
    for (unsigned i = 0; i < CROWD; i++) {
        for (unsigned j = 0; j < CROWD; j++) {
            if (i != j) {
                say(&crowd[i], "{\"watchPresence\":{\"chat\":{\"userId\":\"#\"}}}", crowd_ids[j],
                    0);
            }
        }
    }
    world_run(&world, 2000);
}

static void
end_both(void)
{
    wire_end(&alice);
    wire_end(&bob);
    world_close(&world);
}

static void
end(void)
{
    for (unsigned i = 0; i < CROWD; i++) {
        wire_end(&crowd[i]);
    }
    end_both();
}

/* ----------------------------------------------------------------------------------- the floods */

enum {
    TYPES = 1 << 0,
    SHOWS = 1 << 1,
    READS = 1 << 2,
    ALL = TYPES | SHOWS | READS,
    GATHERED = 1 << 3, /* who shows himself is watched by all of them */
    TYPES_TO_ALL = 1 << 4 | GATHERED,
};

/* What one of the crowd says at a step. */
static void
flood(unsigned member, unsigned kinds, unsigned step)
{
    struct wire *wire = &crowd[member];
    if ((kinds & TYPES) != 0) {
        say(wire, "{\"setTyping\":{\"chat\":{\"userId\":\"#\"},\"kind\":\"TYPING\"}}", alice_id, 0);
    }
    if ((kinds & TYPES_TO_ALL) == TYPES_TO_ALL) {
        say(wire,
            step % 2 == 0 ? "{\"setTyping\":{\"chat\":{\"groupId\":\"#\"},\"kind\":\"TYPING\"}}"
                          : "{\"setTyping\":{\"chat\":{\"groupId\":\"#\"}}}",
            group_id, 0);
    }
    if ((kinds & SHOWS) != 0) {
        wire_say(wire,
                 step % 2 == 0 ? "{\"setActive\":{\"foreground\":true}}" : "{\"setActive\":{}}");
        say(wire, "{\"getPresence\":{\"chat\":{\"userId\":\"#\"}}}", alice_id, 0);
    }
    if ((kinds & READS) != 0) {
        say(wire, "{\"ack\":{\"inboxNumber\":\"#\"}}", fed[member][step], 0);
        say(wire, "{\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"#\"}}", alice_id,
            step + 1);
    }
}

static uint64_t
now_ms(void)
{
    return sim_now_ns(world.driver) / 1000000;
}

/* Bob sees them in their order, each once; how long the slowest took. */
static uint64_t
look_at_bob(const uint64_t sent_ms[], unsigned *seen)
{
    uint64_t slowest_ms = 0;
    while (bob.heard_at < bob.heard_count) {
        const char *frame = bob.heard[bob.heard_at++];
        char wanted[64];
        (void)snprintf(wanted, sizeof wanted, "\"text\":\"message %u\"", *seen);
        if (strstr(frame, "newMessage") != NULL) {
            assert_non_null(strstr(frame, wanted));
            uint64_t took_ms = now_ms() - sent_ms[*seen];
            slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
            (*seen)++;
        }
    }
    return slowest_ms;
}

static struct outcome
counted(void)
{
    return (struct outcome){
        .typing = messenger_counted(&counters()->shed[PRESSURE_TYPING]),
        .presence = messenger_counted(&counters()->shed[PRESSURE_PRESENCE]),
        .receipts = messenger_counted(&counters()->shed[PRESSURE_RECEIPTS]),
        .held = messenger_counted(&counters()->receipts_held),
        .told = messenger_counted(&counters()->presence_events),
        .reads = messenger_counted(&counters()->reads),
    };
}

/* The crowd floods, and Alice writes; then it is quiet, and all that was to come has come. */
static struct outcome
run(unsigned kinds, uint64_t work_us)
{
    static uint64_t sent_ms[MESSAGES];
    unsigned seen = 0;
    struct outcome before = counted();
    uint64_t slowest_ms = 0;
    bob.heard_at = bob.heard_count;
    sim_work_cost_set(world.driver, work_us * 1000);
    for (unsigned step = 0; step < FLOOD_MS / STEP_MS + 100; step++) {
        for (unsigned i = 0; i < CROWD && step < FEED; i++) {
            flood(i, kinds, step);
        }
        if (step * STEP_MS % EACH_MS == 0 && step < FEED) {
            unsigned n = step * STEP_MS / EACH_MS;
            say(&alice, "{\"sendMessage\":{\"chat\":{\"userId\":\"#\"},\"text\":\"message #\"}}",
                bob_id, n);
            sent_ms[n] = now_ms();
        }
        world_run(&world, STEP_MS);
        uint64_t slow_ms = look_at_bob(sent_ms, &seen);
        slowest_ms = slow_ms > slowest_ms ? slow_ms : slowest_ms;
    }
    sim_work_cost_set(world.driver, 0);
    world_run(&world, 3000);
    assert_int_equal(seen, MESSAGES);
    struct outcome after = counted();
    struct outcome out = {.typing = after.typing - before.typing,
                          .presence = after.presence - before.presence,
                          .receipts = after.receipts - before.receipts,
                          .held = after.held - before.held,
                          .told = after.told - before.told,
                          .reads = after.reads - before.reads,
                          .slowest_ms = slowest_ms};
    return out;
}

/* ------------------------------------------------------------------------------- what gives way */

enum { SEEDS = 2, EACH = CROWD * FEED, SLOW_MS = 800 };

/* All of them, with so much work to each actor's turn. */
static struct outcome
one(uint64_t seed, unsigned kinds, uint64_t work_us)
{
    begin(seed);
    if ((kinds & GATHERED) != 0) {
        gather();
    }
    struct outcome out = run(kinds, work_us);
    if ((kinds & READS) != 0) {
        assert_int_equal(out.reads, EACH);
    }
    assert_in_range(out.slowest_ms, 0, SLOW_MS);
    end();
    return out;
}

static void
nothing_gives_way_while_there_is_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct outcome out = one(seed, ALL, 100);
        assert_int_equal(out.typing + out.presence + out.receipts + out.held, 0);
        assert_true(out.told > 50);
    }
}

/* The more each turn takes, the more gives way, one class after the other. */
static void
typing_goes_first_then_presence_then_receipts(void **state)
{
    (void)state;
    unsigned typing_alone = 0;
    unsigned no_receipts = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        for (uint64_t work_us = 300; work_us <= 1600; work_us += work_us / 4) {
            struct outcome out = one(seed, ALL, work_us);
            assert_true(out.typing + EACH / 16 >= out.presence); /* one begins between two frames */
            assert_true(out.held == 0 || out.presence > 0);
            typing_alone += out.typing > 0 && out.presence == 0 && out.held == 0;
            no_receipts += out.presence > 0 && out.held == 0;
        }
        struct outcome worst = one(seed, ALL, 2000);
        assert_true(worst.typing > EACH / 2 && worst.presence > EACH / 2);
        assert_true(worst.receipts > EACH / 4);
    }
    assert_true(typing_alone >= SEEDS && no_receipts > 0);
}

static void
each_flood_is_held_up_in_its_own_class(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        assert_true(one(seed, TYPES, 2500).typing > EACH / 8);
        assert_true(one(seed, SHOWS, 2500).presence > EACH / 8);
        assert_true(one(seed, READS, 2500).receipts > EACH / 8);
    }
}

/* Each of the crowd has sixteen to tell, who are on all schedulers. */
static void
what_is_told_to_many_is_held_up_likewise(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct outcome typing = one(seed, TYPES_TO_ALL, 2500);
        assert_true(typing.typing > EACH / 8);
        struct outcome showing = one(seed, SHOWS | GATHERED, 2500);
        assert_true(showing.presence > EACH / 8);
        struct outcome all = one(seed, ALL | TYPES_TO_ALL, 2000);
        assert_true(all.typing > EACH / 2 && all.presence > EACH / 2);
    }
}

/* While there is time all of it is told. */
static void
what_is_told_to_many_is_told(void **state)
{
    (void)state;
    begin(1);
    gather();
    struct outcome out = run(SHOWS | TYPES_TO_ALL, 20);
    assert_int_equal(out.typing + out.presence + out.receipts + out.held, 0);
    assert_true(out.told > 2ULL * CROWD * (CROWD - 1));
    assert_non_null(wire_heard(&crowd[0], 0, "{\"typing\":{\"chat\":{\"groupId\""));
    end();
}

/* --------------------------------------------------------------------------- receipts held back */

static void
press_to(enum pressure pressure)
{
    for (unsigned i = 0; i < world.schedulers; i++) {
        pressure_note(&world.messenger.gauges[i], pressure, sim_now_ns(world.driver));
    }
}

static void
press(void)
{
    press_to(PRESSURE_RECEIPTS);
}

/* Whatever comes before. */
static void
await(struct wire *wire, const char *part)
{
    const char *frame = wire_hear(wire);
    while (frame != NULL && strstr(frame, part) == NULL) {
        frame = wire_hear(wire);
    }
    assert_non_null(frame);
}

static void
two_people(void)
{
    world_open(&world, 1);
    alice_id = wire_join(&alice, &world, PROTOCOL_JSON, "alice");
    bob_id = wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    for (unsigned n = 0; n < 5; n++) {
        say(&alice, "{\"sendMessage\":{\"chat\":{\"userId\":\"#\"},\"text\":\"hello\"}}", bob_id,
            0);
        fed[0][n] = wire_number(wire_expect(&bob, "newMessage"), "inboxNumber");
    }
    (void)wire_waiting(&bob, 100);
    bob.heard_at = bob.heard_count;
    alice.heard_at = alice.heard_count;
}

static void
what_is_held_when_its_client_leaves_is_kept(void **state)
{
    (void)state;
    two_people();
    press();
    say(&bob, "{\"ack\":{\"inboxNumber\":\"#\"}}", fed[0][4], 0);
    say(&bob, "{\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"5\"}}", alice_id, 0);
    world_run(&world, 20);
    assert_int_equal(messenger_counted(&counters()->receipts_held), 2);
    assert_int_equal(messenger_counted(&counters()->acks), 0);
    wire_end(&bob);
    await(&alice, "\"read\":\"5\"");
    wire_return(&bob);
    assert_int_equal(wire_waiting(&bob, 1000), 0);
    end_both();
}

static void
one_that_is_refused_takes_none_with_it(void **state)
{
    (void)state;
    two_people();
    press();
    for (unsigned n = 4; n <= 6; n++) {
        say(&bob, "{\"ref\":\"7\",\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"#\"}}",
            alice_id, n);
    }
    (void)wire_expect(&bob, "OUT_OF_RANGE");
    (void)wire_expect(&bob, "\"done\"");
    (void)wire_expect(&bob, "\"done\"");
    await(&alice, "\"read\":\"5\"");
    assert_int_equal(wire_waiting(&bob, 1000), 0);
    end_both();
}

/* Marks of the chat, an acknowledgement between them: one request, and one event for Alice. */
static void
what_is_held_of_an_ack_and_marks_is_told_at_once(void **state)
{
    (void)state;
    two_people();
    press();
    unsigned from = alice.heard_count;
    say(&bob, "{\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"3\"}}", alice_id, 0);
    say(&bob, "{\"ref\":\"7\",\"ack\":{\"inboxNumber\":\"#\"}}", fed[0][4], 0);
    say(&bob, "{\"ref\":\"8\",\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"5\"}}",
        alice_id, 0);
    await(&alice, "\"delivered\":\"5\",\"read\":\"5\"");
    assert_int_equal(wire_heard_times(&alice, from, "\"receipts\""), 1);
    assert_non_null(strstr(wire_expect(&bob, "\"done\""), "\"ref\":\"7\""));
    assert_non_null(strstr(wire_expect(&bob, "\"done\""), "\"ref\":\"8\""));
    end_both();
}

static void
an_ack_that_is_held_is_not_refused_with_a_mark(void **state)
{
    (void)state;
    two_people();
    press();
    say(&bob, "{\"ref\":\"7\",\"ack\":{\"inboxNumber\":\"#\"}}", fed[0][4], 0);
    say(&bob, "{\"ref\":\"8\",\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"6\"}}",
        alice_id, 0);
    assert_non_null(strstr(wire_expect(&bob, "\"done\""), "\"ref\":\"7\""));
    assert_non_null(strstr(wire_expect(&bob, "OUT_OF_RANGE"), "\"ref\":\"8\""));
    await(&alice, "\"delivered\":\"5\"");
    end_both();
}

/* More than a connection looks through. */
static void
those_that_share_a_request_are_answered_in_their_order(void **state)
{
    enum { MARKS = 12 };
    (void)state;
    char text[160];
    two_people();
    press();
    for (unsigned n = 1; n <= MARKS; n++) {
        (void)snprintf(text, sizeof text,
                       "{\"ref\":\"%u\",\"markRead\":{\"chat\":{\"userId\":\"#\"},"
                       "\"chatNumber\":\"%u\"}}",
                       n, 1 + n % 5);
        if (n == MARKS / 2) {
            (void)snprintf(text, sizeof text, "{\"ref\":\"%u\",\"ack\":{\"inboxNumber\":\"#\"}}",
                           n);
        }
        say(&bob, text, n == MARKS / 2 ? fed[0][4] : alice_id, 0);
    }
    for (unsigned n = 1; n <= MARKS; n++) {
        (void)snprintf(text, sizeof text, "\"ref\":\"%u\"", n);
        assert_non_null(strstr(wire_expect(&bob, "\"done\""), text));
    }
    await(&alice, "\"read\":\"5\"");
    end_both();
}

/* Alice is told of each by itself. */
static void
bob_takes_and_reads_all(void)
{
    say(&bob, "{\"ack\":{\"inboxNumber\":\"#\"}}", fed[0][4], 0);
    world_run(&world, 20);
    say(&bob, "{\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"5\"}}", alice_id, 0);
}

/* Bob has read it all, and Alice, who knows that he has it, is about to be told. */
static void
tick_under_way(enum pressure pressure)
{
    bob_takes_and_reads_all();
    world_run(&world, 2);
    press_to(pressure);
    alice.heard_at = alice.heard_count;
}

static void
ticks_leave_with_what_else_there_is(void **state)
{
    (void)state;
    two_people();
    tick_under_way(PRESSURE_RECEIPTS);
    assert_int_equal(wire_waiting(&alice, 100), 0);
    wire_say(&alice, "{\"ping\":{}}");
    assert_int_equal(wire_waiting(&alice, 50), 2);
    (void)wire_expect(&alice, "\"read\":\"5\"");
    (void)wire_expect(&alice, "\"pong\"");
    end_both();
}

static void
ticks_leave_alone_where_nothing_else_does(void **state)
{
    (void)state;
    two_people();
    tick_under_way(PRESSURE_RECEIPTS);
    assert_int_equal(wire_waiting(&alice, 200), 0);
    assert_int_equal(wire_waiting(&alice, 100), 1);
    (void)wire_expect(&alice, "\"read\":\"5\"");
    end_both();
}

static void
ticks_leave_at_once_while_receipts_need_not_give_way(void **state)
{
    (void)state;
    for (enum pressure pressure = PRESSURE_NONE; pressure < PRESSURE_RECEIPTS; pressure++) {
        two_people();
        tick_under_way(pressure);
        assert_int_equal(wire_waiting(&alice, 50), 1);
        (void)wire_expect(&alice, "\"read\":\"5\"");
        end_both();
    }
}

/* Alice has heard that it was delivered; behind what she hears next nothing more comes from the
 * inbox before she acknowledges some of it. */
static void
the_tick_that_uses_up_the_credit_leaves_at_once(void **state)
{
    (void)state;
    two_people();
    world.messenger.limits.unacknowledged_entries_max = 2;
    tick_under_way(PRESSURE_RECEIPTS);
    assert_int_equal(wire_waiting(&alice, 50), 1);
    (void)wire_expect(&alice, "\"read\":\"5\"");
    end_both();
}

/* The tick for what was delivered has used up Alice's credit, so the one for what was read waits
 * for a page. She acknowledges before the pressure comes, which would hold that back, too. */
static void
a_tick_of_a_page_leaves_at_once(void **state)
{
    (void)state;
    two_people();
    world.messenger.limits.unacknowledged_entries_max = 1;
    bob_takes_and_reads_all();
    assert_int_equal(wire_waiting(&alice, 1000), 1);
    uint64_t number = wire_number(wire_expect(&alice, "\"delivered\":\"5\""), "inboxNumber");
    world.messenger.limits.unacknowledged_entries_max = 10;
    say(&alice, "{\"ack\":{\"inboxNumber\":\"#\"}}", number, 0);
    assert_int_equal(wire_waiting(&alice, 1), 0);
    press();
    assert_int_equal(wire_waiting(&alice, 50), 1);
    (void)wire_expect(&alice, "\"read\":\"5\"");
    assert_int_equal(messenger_counted(&counters()->receipts_held), 0);
    end_both();
}

/* They take two places of those that may be unanswered, not all: the client is read on. */
static void
those_that_nobody_waits_for_hold_up_none(void **state)
{
    (void)state;
    two_people();
    press();
    for (unsigned n = 0; n < 100; n++) {
        say(&bob, "{\"markRead\":{\"chat\":{\"userId\":\"#\"},\"chatNumber\":\"#\"}}", alice_id,
            n < 5 ? n + 1 : 5 + n % 2); /* some are beyond the last */
    }
    wire_say(&bob, "{\"ping\":{}}");
    assert_int_equal(wire_waiting(&bob, 50), 1);
    (void)wire_expect(&bob, "\"pong\"");
    assert_int_equal(messenger_counted(&counters()->receipts_held), 100);
    (void)wire_expect(&bob, "OUT_OF_RANGE");
    await(&alice, "\"read\":\"5\"");
    assert_int_equal(wire_waiting(&bob, 1000), 0);
    end_both();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("nothing gives way while there is time", nothing_gives_way_while_there_is_time),
        SPEC("with too much to do typing goes first, then presence, then receipts are put together",
             typing_goes_first_then_presence_then_receipts),
        SPEC("each flood is held up in its own class, and messages keep their pace",
             each_flood_is_held_up_in_its_own_class),
        SPEC("what is told to all in a group, or to all who watch, is told while there is time",
             what_is_told_to_many_is_told),
        SPEC("with too much to do it is held up likewise",
             what_is_told_to_many_is_held_up_likewise),
        SPEC("receipts that are held when their client leaves are kept",
             what_is_held_when_its_client_leaves_is_kept),
        SPEC("one that is refused takes none with it", one_that_is_refused_takes_none_with_it),
        SPEC("what is held of an acknowledgement and marks is told at once",
             what_is_held_of_an_ack_and_marks_is_told_at_once),
        SPEC("an acknowledgement that is held is not refused with a mark",
             an_ack_that_is_held_is_not_refused_with_a_mark),
        SPEC("those that share a request are answered in their order",
             those_that_share_a_request_are_answered_in_their_order),
        SPEC("those that nobody waits for hold up none", those_that_nobody_waits_for_hold_up_none),
        SPEC("ticks leave with what else there is for their reader",
             ticks_leave_with_what_else_there_is),
        SPEC("ticks leave alone where nothing else does",
             ticks_leave_alone_where_nothing_else_does),
        SPEC("ticks leave at once while only typing or presence gives way",
             ticks_leave_at_once_while_receipts_need_not_give_way),
        SPEC("a tick that uses up its reader's credit leaves at once",
             the_tick_that_uses_up_the_credit_leaves_at_once),
        SPEC("a tick of a page leaves at once", a_tick_of_a_page_leaves_at_once),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
