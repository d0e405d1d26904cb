/* SPDX-License-Identifier: Apache-2.0 */
/* What people set, about chats, each other and themselves; and how they leave for good. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include "tests/store/chance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct world world;
/* Alice has two devices, Bob has one. */
static struct wire alice[2], bob;
static uint64_t alice_id, bob_id;

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    for (int i = 0; i < 2; i++) {
        (void)wire_join(&alice[i], &world, i == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY, "alice");
    }
    bob_id = wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    alice_id = wire_number(alice[0].heard[0], "userId");
    world_run(&world, 50); /* the first device has been told of the second */
}

static void
end(void)
{
    wire_end(&alice[0]);
    wire_end(&alice[1]);
    wire_end(&bob);
    world_close(&world);
}

/* Says it; ID stands for Alice's id, and for Bob's: "@a", "@b". */
static void
says(struct wire *wire, const char *text)
{
    char command[1024];
    size_t at = 0;
    for (; *text != '\0'; text++) {
        if (text[0] == '@') {
            text++;
            at += (size_t)snprintf(command + at, sizeof command - at, "%" PRIu64,
                                   *text == 'a' ? alice_id : bob_id);
        } else {
            command[at++] = *text;
        }
    }
    command[at] = '\0';
    wire_say(wire, command);
}

/* Says it with this ref, and is answered with this in the answer. */
static void
says_and_hears(struct wire *wire, unsigned ref, const char *text, const char *part)
{
    char command[1024];
    char answer[64];
    (void)snprintf(command, sizeof command, "{\"ref\":\"%u\",%s}", ref, text);
    (void)snprintf(answer, sizeof answer, "{\"answer\":{\"ref\":\"%u\"", ref);
    says(wire, command);
    const char *frame = wire_heard_soon(wire, answer);
    if (frame == NULL || strstr(frame, part) == NULL) {
        fail_msg("%s: %s", command, frame != NULL ? frame : "no answer");
    }
}

static void
says_and_is_done(struct wire *wire, unsigned ref, const char *text)
{
    says_and_hears(wire, ref, text, "\"done\":{}");
}

/* ------------------------------------------------------------------------------------- settings */

/* Each kind as it is set and as it is told; and as it is told when it is back at its default. */
static const struct {
    const char *set;
    const char *told;
    const char *back;
    const char *told_back;
} kinds[] = {
    {"\"chat\":{\"userId\":\"@b\"},\"archived\":true", "\"archived\":true",
     "\"chat\":{\"userId\":\"@b\"},\"archived\":false", "\"archived\":false"},
    {"\"chat\":{\"userId\":\"@b\"},\"mutedUntilMs\":\"1780000000000\"",
     "\"mutedUntilMs\":\"1780000000000\"", "\"chat\":{\"userId\":\"@b\"},\"mutedUntilMs\":\"0\"",
     "\"mutedUntilMs\":\"0\""},
    {"\"chat\":{\"userId\":\"@b\"},\"pinned\":\"3\"", "\"pinned\":\"3\"",
     "\"chat\":{\"userId\":\"@b\"},\"pinned\":\"0\"", "\"pinned\":\"0\""},
    {"\"chat\":{\"groupId\":\"700\"},\"pinned\":\"4\"",
     "\"chat\":{\"groupId\":\"700\"},\"pinned\":\"4\"",
     "\"chat\":{\"groupId\":\"700\"},\"pinned\":\"0\"",
     "\"chat\":{\"groupId\":\"700\"},\"pinned\":\"0\""},
    {"\"chat\":{\"userId\":\"@b\"},\"draft\":{\"text\":\"hi b\"}", "\"draft\":{\"text\":\"hi b\"}",
     "\"chat\":{\"userId\":\"@b\"},\"draft\":{}", "\"draft\":{}"},
    {"\"chat\":{\"userName\":\"bob\"},\"contact\":{\"name\":\"Bobby\"}",
     "\"contact\":{\"name\":\"Bobby\"}",
     "\"chat\":{\"userName\":\"bob\"},\"contact\":{\"removed\":true}",
     "\"contact\":{\"removed\":true}"},
    {"\"chat\":{\"userId\":\"@b\"},\"blocked\":true", "\"blocked\":true",
     "\"chat\":{\"userId\":\"@b\"},\"blocked\":false", "\"blocked\":false"},
    {"\"profile\":{\"displayName\":\"Alice\",\"about\":\"at sea\",\"picture\":{\"reference\":\"m/"
     "1\"}}",
     "\"profile\":{\"displayName\":\"Alice\",\"about\":\"at sea\",\"picture\":{\"reference\":\"m/"
     "1\"}}",
     "\"profile\":{}", "\"profile\":{}"},
    {"\"readReceipts\":false", "\"readReceipts\":false", "\"readReceipts\":true",
     "\"readReceipts\":true"},
    {"\"lastSeenRule\":{\"who\":\"CONTACTS\",\"exceptions\":[{\"userId\":\"@b\"}]}",
     "\"lastSeenRule\":{\"who\":\"CONTACTS\",\"exceptions\":[{\"userId\":\"", "\"lastSeenRule\":{}",
     "\"lastSeenRule\":{}"},
    {"\"onlineRule\":{\"who\":\"NOBODY\"}", "\"onlineRule\":{\"who\":\"NOBODY\"}",
     "\"onlineRule\":{\"who\":\"EVERYONE\"}", "\"onlineRule\":{}"},
    {"\"profileRule\":{\"exceptions\":[{\"userId\":\"@b\"}]}",
     "\"profileRule\":{\"exceptions\":[{\"userId\":\"", "\"profileRule\":{}", "\"profileRule\":{}"},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Whether the newest state told holds this. */
static void
expect_told(struct wire *wire, const char *part)
{
    const char *newest = NULL;
    (void)wire_waiting(wire, 1000);
    for (unsigned i = 0; i < wire->heard_count; i++) {
        newest = strncmp(wire->heard[i], "{\"state\"", 8) == 0 ? wire->heard[i] : newest;
    }
    if (newest == NULL || strstr(newest, part) == NULL) {
        fail_msg("%s: %s", part, newest != NULL ? newest : "nothing was told");
    }
    assert_true(wire_number(newest, "inboxNumber") > 0);
}

static void
every_kind_reaches_the_other_device(void **state)
{
    (void)state;
    begin(1);
    for (unsigned i = 0; i < KINDS; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "\"setState\":{%s}", kinds[i].set);
        says_and_is_done(&alice[i % 2], 10 + i, text);
        expect_told(&alice[1 - i % 2], kinds[i].told);
        expect_told(&alice[i % 2], kinds[i].told); /* and the one that set it */
        says_and_hears(&alice[1], 100 + i, "\"listStates\":{}", kinds[i].told);
    }
    for (unsigned i = 0; i < KINDS; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "\"setState\":{%s}", kinds[i].back);
        says_and_is_done(&alice[1], 200 + i, text);
        expect_told(&alice[0], kinds[i].told_back);
    }
    says_and_hears(&alice[0], 300, "\"listStates\":{}", "\"states\":{}");
    assert_null(wire_heard_soon(&bob, "\"state\""));
    end();
}

static void
a_list_comes_in_pages(void **state)
{
    (void)state;
    begin(2);
    char text[256];
    for (unsigned i = 0; i < 7; i++) {
        (void)snprintf(text, sizeof text,
                       "\"setState\":{\"chat\":{\"userId\":\"%u\"},\"pinned\":\"1\"}", 100 + i);
        says_and_is_done(&alice[0], 10 + i, text);
    }
    says_and_is_done(&alice[0], 30, "\"setState\":{\"chat\":{\"userId\":\"@b\"},\"blocked\":true}");
    says_and_hears(&alice[1], 40, "\"listStates\":{\"max\":\"3\"}", "\"userId\":\"102\"");
    const char *page = wire_heard_soon(&alice[1], "\"ref\":\"40\"");
    assert_null(strstr(page, "\"userId\":\"103\""));
    char next[32];
    assert_int_equal(sscanf(strstr(page, "\"next\""), "\"next\":\"%31[0-9]\"", next), 1);
    (void)snprintf(text, sizeof text, "\"listStates\":{\"max\":\"200\",\"after\":\"%s\"}", next);
    says_and_hears(&alice[1], 41, text, "\"userId\":\"103\"");
    page = wire_heard_soon(&alice[1], "\"ref\":\"41\"");
    assert_non_null(strstr(page, "\"blocked\":true"));
    assert_null(strstr(page, "\"next\""));
    assert_null(strstr(page, "\"userId\":\"102\""));
    says_and_hears(&alice[1], 42, "\"listStates\":{\"kind\":\"BLOCKED\"}", "\"blocked\":true");
    assert_null(strstr(wire_heard_soon(&alice[1], "\"ref\":\"42\""), "pinned"));
    says_and_hears(&alice[1], 43, "\"listStates\":{\"after\":\"7x\"}",
                   "listStates.after: not what");
    says_and_hears(&alice[1], 44, "\"listStates\":{\"after\":\"-7\"}",
                   "listStates.after: not what");
    end();
}

static void
what_can_t_be_set_is_refused(void **state)
{
    (void)state;
    world_open(&world, 3);
    world.settings.states_max = 2;
    world_restart(&world);
    bob_id = wire_join(&bob, &world, PROTOCOL_JSON, "bob");
    says_and_hears(&bob, 1, "\"setState\":{\"chat\":{\"userId\":\"@b\"},\"blocked\":true}",
                   "\"code\":\"NOT_PERMITTED\"");
    says_and_hears(&bob, 2, "\"setState\":{\"chat\":{\"userName\":\"nobody\"},\"blocked\":true}",
                   "\"text\":\"setState.chat.userName: no such user\"");
    says_and_hears(&bob, 3, "\"getProfile\":{\"chat\":{\"userName\":\"nobody\"}}",
                   "\"text\":\"getProfile.chat.userName: no such user\"");
    says_and_hears(&bob, 4, "\"getProfile\":{\"chat\":{\"userId\":\"256\"}}",
                   "\"text\":\"getProfile.chat.userId: no such user\"");
    says_and_is_done(&bob, 5, "\"setState\":{\"chat\":{\"userId\":\"7\"},\"archived\":true}");
    says_and_is_done(&bob, 6, "\"setState\":{\"chat\":{\"userId\":\"8\"},\"archived\":true}");
    says_and_hears(&bob, 7, "\"setState\":{\"chat\":{\"userId\":\"9\"},\"archived\":true}",
                   "\"code\":\"TOO_MANY_STATES\"");
    says_and_is_done(&bob, 8, "\"setState\":{\"chat\":{\"userId\":\"9\"},\"archived\":false}");
    wire_end(&bob);
    world_close(&world);
}

/* -------------------------------------------------------------------------------------- profile */

static void
a_profile_is_shown_as_its_user_wants(void **state)
{
    (void)state;
    begin(4);
    const char *ask = "\"getProfile\":{\"chat\":{\"userId\":\"@a\"}}";
    says_and_hears(&bob, 1, ask, "\"name\":\"alice\"}}");
    says_and_is_done(&alice[0], 2, "\"setState\":{\"profile\":{\"about\":\"at sea\"}}");
    says_and_hears(&bob, 3, ask, "\"name\":\"alice\",\"profile\":{\"about\":\"at sea\"}}");
    says_and_is_done(&alice[0], 4, "\"setState\":{\"profileRule\":{\"who\":\"CONTACTS\"}}");
    says_and_hears(&bob, 5, ask, "\"name\":\"alice\"}}");
    says_and_hears(&alice[1], 6, ask, "\"at sea\"");
    says_and_is_done(&alice[0], 7, "\"setState\":{\"chat\":{\"userId\":\"@b\"},\"contact\":{}}");
    says_and_hears(&bob, 8, ask, "\"at sea\"");
    says_and_is_done(&alice[0], 9, "\"setState\":{\"chat\":{\"userId\":\"@b\"},\"blocked\":true}");
    says_and_hears(&bob, 10, ask, "\"name\":\"alice\"}}");
    end();
}

/* -------------------------------------------------------------------------- blocks and receipts */

static void
alice_stores_all(void)
{
    (void)wire_waiting(&alice[0], 1000);
    wire_acknowledge(&alice[0]);
}

static void
the_blocked_are_answered_and_not_heard(void **state)
{
    (void)state;
    begin(5);
    const char *write = "\"sendMessage\":{\"chat\":{\"userId\":\"@a\"},\"text\":\"let me in\"}";
    says_and_is_done(&alice[0], 1, "\"setState\":{\"chat\":{\"userId\":\"@b\"},\"blocked\":true}");
    says_and_hears(&bob, 2, write, "\"sent\"");
    uint64_t number = wire_number(wire_heard_soon(&bob, "\"ref\":\"2\""), "chatNumber");
    assert_true(number > UINT64_C(1) << 52);
    assert_null(wire_heard_soon(&alice[0], "let me in"));
    assert_null(wire_heard_soon(&alice[1], "let me in"));
    says_and_is_done(&alice[0], 3, "\"setState\":{\"chat\":{\"userId\":\"@b\"},\"blocked\":false}");
    says_and_hears(&bob, 4, "\"sendMessage\":{\"chat\":{\"userId\":\"@a\"},\"text\":\"thanks\"}",
                   "\"chatNumber\":\"1\"");
    assert_non_null(wire_heard_soon(&alice[1], "thanks"));
    assert_null(wire_heard_soon(&alice[1], "let me in"));
    alice_stores_all();
    assert_non_null(wire_heard_soon(&bob, "\"delivered\":\"1\""));
    end();
}

static void
read_receipts_can_be_switched_off(void **state)
{
    (void)state;
    begin(6);
    says_and_is_done(&alice[0], 1, "\"setState\":{\"readReceipts\":false}");
    says_and_hears(&bob, 2, "\"sendMessage\":{\"chat\":{\"userId\":\"@a\"},\"text\":\"hi\"}",
                   "\"sent\"");
    says_and_is_done(&alice[0], 3,
                     "\"markRead\":{\"chat\":{\"userId\":\"@b\"},\"chatNumber\":\"1\"}");
    assert_non_null(wire_heard_soon(&bob, "\"delivered\":\"1\""));
    assert_null(wire_heard_soon(&bob, "\"read\":\"1\""));
    assert_non_null(wire_heard_soon(&alice[1], "\"read\":\"1\"")); /* her other device knows */
    says_and_hears(&alice[0], 4, "\"sendMessage\":{\"chat\":{\"userId\":\"@b\"},\"text\":\"ho\"}",
                   "\"sent\"");
    says_and_is_done(&bob, 5, "\"markRead\":{\"chat\":{\"userId\":\"@a\"},\"chatNumber\":\"1\"}");
    char receipt[128];
    (void)snprintf(receipt, sizeof receipt, "\"readerUserId\":\"%" PRIu64 "\",\"delivered\":\"1\"}",
                   bob_id);
    assert_non_null(wire_heard_soon(&alice[1], receipt)); /* delivered, and no word of read */
    end();
}

/* ------------------------------------------------------------------------------------- the end */

static void
who_leaves_is_told_when_it_is_done(void **state)
{
    (void)state;
    for (uint64_t seed = 7; seed < 11; seed++) {
        begin(seed);
        says_and_is_done(&alice[0], 1, "\"setState\":{\"profile\":{\"about\":\"at sea\"}}");
        says_and_hears(&alice[0], 2, "\"deleteAccount\":{\"name\":\"bob\"}",
                       "\"code\":\"NOT_PERMITTED\"");
        says_and_is_done(&alice[0], 3, "\"deleteAccount\":{\"name\":\"alice\"}");
        assert_int_equal(wire_closed(&alice[0]), PROTOCOL_CLOSE_REVOKED);
        assert_int_equal(wire_closed(&alice[1]), PROTOCOL_CLOSE_REVOKED);
        says_and_hears(&bob, 4, "\"getProfile\":{\"chat\":{\"userId\":\"@a\"}}",
                       "\"code\":\"UNKNOWN_USER\"");
        says_and_hears(&bob, 5, "\"sendMessage\":{\"chat\":{\"userId\":\"@a\"},\"text\":\"?\"}",
                       "\"code\":\"UNKNOWN_USER\"");
        struct wire again; /* the name is free, and another's */
        (void)wire_join(&again, &world, PROTOCOL_JSON, "alice");
        assert_true(wire_number(again.heard[0], "userId") != alice_id);
        says_and_hears(&again, 6, "\"listStates\":{}", "\"states\":{}");
        wire_end(&again);
        struct wire late;
        wire_open(&late, &world, PROTOCOL_JSON);
        wire_upgrade(&late, "");
        char login[PROTOCOL_TOKEN_BYTES_MAX + 64];
        (void)snprintf(login, sizeof login, "{\"authenticate\":{\"token\":\"%s\"}}",
                       alice[1].token);
        wire_say(&late, login);
        wire_expect(&late, "TOKEN_INVALID");
        wire_end(&late);
        end();
    }
}

static void
who_has_no_device_leaves_by_password(void **state)
{
    (void)state;
    begin(11);
    struct wire wire;
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_upgrade(&wire, "");
    wire_say(&wire, "{\"deleteAccount\":{\"name\":\"nobody\",\"password\":\"x\"}}");
    wire_expect(&wire, "WRONG_CREDENTIALS"); /* where registration is open, too */
    wire_say(&wire, "{\"deleteAccount\":{\"name\":\"alice\"}}");
    wire_expect(&wire, "WRONG_CREDENTIALS");
    wire_say(&wire, "{\"deleteAccount\":{\"name\":\"alice\",\"password\":\"not hers\"}}");
    wire_expect(&wire, "WRONG_CREDENTIALS");
    wire_say(&wire, "{\"ref\":\"1\",\"deleteAccount\":{\"name\":\"alice\",\"password\":"
                    "\"correct horse\"}}");
    wire_expect(&wire, "{\"answer\":{\"ref\":\"1\",\"done\":{}}}");
    assert_int_equal(wire_closed(&wire), PROTOCOL_CLOSE_REVOKED);
    assert_int_equal(wire_closed(&alice[0]), PROTOCOL_CLOSE_REVOKED);
    wire_end(&wire);
    wire_open(&wire, &world, PROTOCOL_JSON);
    wire_upgrade(&wire, "");
    for (unsigned i = 0; i < 5; i++) {
        wire_say(&wire, "{\"deleteAccount\":{\"name\":\"bob\",\"password\":\"a guess\"}}");
        wire_expect(&wire, "WRONG_CREDENTIALS");
    }
    assert_int_equal(wire_closed(&wire), PROTOCOL_CLOSE_UNAUTHENTICATED);
    wire_end(&wire);
    end();
}

/* -------------------------------------------------------------------------------------- crashes */

enum { CHATS = 3, STEPS = 30, STORY_SEEDS = SEEDS_OF(12) };

/* A device as its client keeps it: values by chat; 0: at the default. */
struct phone {
    struct wire wire;
    unsigned taken; /* frames */
    uint64_t stored;
    uint64_t pinned[CHATS];
};

/* What was said of a chat, and how far it was answered. */
struct said {
    uint64_t values[STEPS];
    unsigned count;
    unsigned answered; /* the first so many are settled: a later one may be, too */
};

static struct phone phones[2];
static struct said said[CHATS];

/* Takes in what has come: each state is newer than the one before. */
static void
take_in(struct phone *phone)
{
    for (; phone->taken < phone->wire.heard_count; phone->taken++) {
        const char *frame = phone->wire.heard[phone->taken];
        if (strncmp(frame, "{\"state\"", 8) != 0) {
            continue;
        }
        uint64_t chat = wire_number(frame, "userId") - 100;
        uint64_t number = wire_number(frame, "inboxNumber");
        assert_true(chat < CHATS);
        if (number > phone->stored) {
            phone->stored = number;
            phone->pinned[chat] = wire_number(frame, "pinned");
        }
    }
}

static void
phone_acks(struct phone *phone)
{
    char command[128];
    if (phone->stored > 0 && !phone->wire.ended) {
        (void)snprintf(command, sizeof command, "{\"ack\":{\"inboxNumber\":\"%" PRIu64 "\"}}",
                       phone->stored);
        wire_say(&phone->wire, command);
    }
}

static void
phone_returns(struct phone *phone)
{
    take_in(phone);
    wire_end(&phone->wire);
    wire_return(&phone->wire);
    phone->taken = 0;
}

/* One of the phones pins a chat, or takes the pin back; the answer may not come. */
static void
phone_pins(struct phone *phone, unsigned step, uint64_t chat, bool back)
{
    char command[256];
    struct said *of = &said[chat];
    uint64_t value = back ? 0 : step + 1;
    of->values[of->count++] = value;
    (void)snprintf(command, sizeof command,
                   "{\"ref\":\"%u\",\"setState\":{\"chat\":{\"userId\":\"%" PRIu64
                   "\"},\"pinned\":\"%" PRIu64 "\"}}",
                   step + 1, 100 + chat, value);
    wire_say(&phone->wire, command);
}

static bool
answered(struct phone *phone, unsigned step)
{
    char answer[64];
    (void)snprintf(answer, sizeof answer, "{\"answer\":{\"ref\":\"%u\",\"done\"", step + 1);
    for (unsigned i = 0; i < phone->wire.heard_count; i++) {
        if (strncmp(phone->wire.heard[i], answer, strlen(answer)) == 0) {
            return true;
        }
    }
    return false;
}

/* At rest both phones and the node agree, on something that was said no earlier than what was last
 * answered. */
static void
expect_agreement(void)
{
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 2; i++) {
            (void)wire_waiting(&phones[i].wire, 1000);
            take_in(&phones[i]);
            phone_acks(&phones[i]);
        }
    }
    wire_say(&phones[0].wire, "{\"ref\":\"999\",\"listStates\":{}}");
    const char *list = wire_heard_soon(&phones[0].wire, "\"ref\":\"999\"");
    assert_non_null(list);
    for (unsigned chat = 0; chat < CHATS; chat++) {
        char part[64];
        uint64_t value = phones[0].pinned[chat];
        assert_int_equal(phones[1].pinned[chat], value);
        (void)snprintf(part, sizeof part, "{\"userId\":\"%u\"}", 100 + chat);
        const char *row = strstr(list, part);
        assert_int_equal(row != NULL ? wire_number(row, "pinned") : 0, value);
        bool possible = said[chat].answered == 0 && value == 0;
        unsigned first = said[chat].answered > 0 ? said[chat].answered - 1 : 0;
        for (unsigned i = first; i < said[chat].count; i++) {
            possible = possible || said[chat].values[i] == value;
        }
        assert_true(possible);
    }
}

static void
story(uint64_t seed)
{
    struct chance chance = {.state = seed};
    world_open(&world, seed);
    memset(phones, 0, sizeof phones);
    memset(said, 0, sizeof said);
    for (unsigned i = 0; i < 2; i++) {
        (void)wire_join(&phones[i].wire, &world, PROTOCOL_JSON, "alice");
    }
    world_run(&world, 50);
    for (unsigned step = 0; step < STEPS; step++) {
        struct phone *phone = &phones[chance_below(&chance, 2)];
        uint64_t chat = chance_below(&chance, CHATS);
        phone_pins(phone, step, chat, chance_below(&chance, 3) == 0);
        uint64_t what = chance_below(&chance, 6);
        if (what == 0) {
            world_crash_within(&world, chance_below(&chance, 60), 20);
        } else if (what == 1) {
            world_run(&world, chance_below(&chance, 3)); /* the line is cut in the middle */
        } else {
            (void)wire_waiting(&phone->wire, 200);
        }
        if (answered(phone, step)) {
            said[chat].answered = said[chat].count;
        }
        for (unsigned i = 0; i < 2; i++) {
            if (what < 2) {
                phone_returns(&phones[i]);
            }
            take_in(&phones[i]);
            if (chance_below(&chance, 2) == 0) {
                phone_acks(&phones[i]);
            }
        }
    }
    expect_agreement();
    wire_end(&phones[0].wire);
    wire_end(&phones[1].wire);
    world_close(&world);
}

static void
devices_agree_after_crashes_and_cuts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= STORY_SEEDS; seed++) {
        print_message("seed %u\n", (unsigned)seed); /* the last one told is the one that failed */
        story(seed);
    }
}

/* The power goes at each of the first events behind the command: then either nothing has happened,
 * or the account is gone for good; and it can be said again until it is. */
static void
an_account_is_deleted_or_not(void **state)
{
    (void)state;
    unsigned gone = 0;
    unsigned there = 0;
    for (uint64_t events = 1; events <= 61; events += 4) {
        begin(30 + events);
        char token[PROTOCOL_TOKEN_BYTES_MAX + 1];
        memcpy(token, alice[0].token, sizeof token);
        says(&alice[0], "{\"ref\":\"1\",\"deleteAccount\":{\"name\":\"alice\"}}");
        world_crash_within(&world, events, 50);
        bool done = wire_heard(&alice[0], 0, "\"ref\":\"1\",\"done\"") != NULL;
        char login[PROTOCOL_TOKEN_BYTES_MAX + 64];
        (void)snprintf(login, sizeof login, "{\"authenticate\":{\"token\":\"%s\"}}", token);
        struct wire again;
        wire_open(&again, &world, PROTOCOL_JSON);
        wire_upgrade(&again, "");
        wire_say(&again, login);
        const char *answer = wire_hear(&again);
        assert_non_null(answer);
        if (strstr(answer, "TOKEN_INVALID") != NULL) {
            gone++;
        } else {
            assert_non_null(strstr(answer, "welcome"));
            assert_false(done);
            there++;
            says_and_is_done(&again, 2, "\"deleteAccount\":{\"name\":\"alice\"}");
            assert_int_equal(wire_closed(&again), PROTOCOL_CLOSE_REVOKED);
        }
        wire_end(&again);
        world_run(&world, 2000); /* what was under way between the partitions arrives */
        (void)wire_join(&again, &world, PROTOCOL_JSON, "alice"); /* the name is free */
        assert_true(wire_number(again.heard[0], "userId") != alice_id);
        wire_end(&again);
        end();
    }
    assert_true(gone > 0 && there > 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what is set on one device reaches the others, and a list tells all of it",
             every_kind_reaches_the_other_device),
        SPEC("a list comes in pages, of all kinds or of one", a_list_comes_in_pages),
        SPEC("what can't be set is refused", what_can_t_be_set_is_refused),
        SPEC("a profile is shown as its user wants, and never to the blocked",
             a_profile_is_shown_as_its_user_wants),
        SPEC("what the blocked write is answered, and never heard or delivered",
             the_blocked_are_answered_and_not_heard),
        SPEC("with read receipts off they are neither told nor heard",
             read_receipts_can_be_switched_off),
        SPEC("who deletes the account is told when the name is free, and every device is closed",
             who_leaves_is_told_when_it_is_done),
        SPEC("who has no device any more deletes it by password",
             who_has_no_device_leaves_by_password),
        SPEC("after crashes and cuts all devices agree, on what was answered or said later",
             devices_agree_after_crashes_and_cuts),
        SPEC("an account is deleted or not, wherever the power goes", an_account_is_deleted_or_not),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
