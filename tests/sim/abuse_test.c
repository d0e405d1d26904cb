/* SPDX-License-Identifier: Apache-2.0 */
/* What a user, and an address, may do of each class of command; and that a flood of one class
 * leaves the others alone. */
#include "tests/sim/wire.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum {
    LIMIT = 10,
    ONE_SCHEDULER = 42, /* a seed with which the world has no more */
};

#define HOME "X-Forwarded-For: 203.0.113.7\r\n"
#define ELSEWHERE "X-Forwarded-For: 203.0.113.8\r\n"

static struct world world;
static struct wire alice, phone, bob;
static uint64_t alice_id, bob_id;
static unsigned number;

static void
upgrade(struct wire *wire, const char *fields)
{
    wire_open(wire, &world, PROTOCOL_JSON);
    wire_upgrade(wire, fields);
}

static void
say_password(struct wire *wire, const char *name, const char *password)
{
    char command[256];
    (void)snprintf(command, sizeof command,
                   "{\"authenticate\":{\"passwordLogin\":{\"name\":\"%s\",\"password\":\"%s\","
                   "\"deviceName\":\"wire\"}}}",
                   name, password);
    wire_say(wire, command);
}

static uint64_t
enrol(struct wire *wire, const char *name, const char *fields)
{
    upgrade(wire, fields);
    say_password(wire, name, "correct horse");
    return wire_number(wire_expect(wire, "\"welcome\""), "userId");
}

static void
begin(uint64_t seed)
{
    world_open(&world, seed);
    number = 0;
    alice_id = enrol(&alice, "alice", HOME);
    bob_id = enrol(&bob, "bob", ELSEWHERE);
}

static void
end(void)
{
    wire_end(&alice);
    wire_end(&bob);
    world_close(&world);
}

static void
write_to(struct wire *wire, uint64_t user)
{
    char text[160];
    (void)snprintf(text, sizeof text,
                   "{\"number\":\"%u\",\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},"
                   "\"text\":\"x\"}}",
                   ++number, (unsigned long long)user);
    wire_say(wire, text);
}

/* The answer to what was asked with this ref, whatever comes before it. */
static const char *
answer_to(struct wire *wire, const char *ref)
{
    const char *heard;
    do {
        heard = wire_hear(wire);
        assert_non_null(heard);
    } while (strstr(heard, "\"answer\"") == NULL || strstr(heard, ref) == NULL);
    return heard;
}

/* The answer to the last message. */
static const char *
answer_to_last(struct wire *wire)
{
    char ref[32];
    (void)snprintf(ref, sizeof ref, "\"number\":\"%u\"", number);
    return answer_to(wire, ref);
}

static bool
limited(const char *answer)
{
    bool is = strstr(answer, "\"code\":\"RATE_LIMITED\"") != NULL;
    if (is) {
        assert_in_range(wire_number(answer, "retryAfterMs"), 1, 3600000);
    }
    return is;
}

/* --------------------------------------------------------------------------------------- floods */

struct flood {
    enum rate_class class;
    const char *before, *after; /* the other user's id, in a command with a ref */
};

static const struct flood floods[] = {
    {RATE_CHANGES, NULL, NULL}, /* messages */
    {RATE_RECEIPTS, "{\"ref\":\"9\",\"markRead\":{\"chat\":{\"userId\":\"",
     "\"},\"chatNumber\":\"1\"}}"},
    {RATE_PRESENCE, "{\"ref\":\"9\",\"unwatchPresence\":{\"chat\":{\"userId\":\"", "\"}}}"},
    {RATE_QUERIES, "{\"ref\":\"9\",\"getPresence\":{\"chat\":{\"userId\":\"", "\"}}}"},
};
enum { FLOODS = sizeof floods / sizeof floods[0] };

/* One of the class; whether it was refused. */
static bool
one(const struct flood *flood)
{
    char command[256];
    if (flood->before == NULL) {
        write_to(&alice, bob_id);
        return limited(answer_to_last(&alice));
    }
    (void)snprintf(command, sizeof command, "%s%llu%s", flood->before, (unsigned long long)bob_id,
                   flood->after);
    wire_say(&alice, command);
    return limited(answer_to(&alice, "\"ref\":\"9\""));
}

static void
a_flood_leaves_the_other_classes_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FLOODS; i++) {
        begin(i + 1);
        write_to(&bob, alice_id); /* something to mark as read */
        (void)answer_to_last(&bob);
        world.settings.user_rates[floods[i].class] = LIMIT;
        unsigned passed = 0;
        while (!one(&floods[i])) {
            passed++;
        }
        assert_in_range(passed, LIMIT, LIMIT + 2); /* they take time, in which some comes back */
        for (unsigned j = 0; j < FLOODS; j++) {
            assert_int_equal(one(&floods[j]), i == j);
        }
        uint64_t refused =
            messenger_counted(&world.messenger.counters.rate_refused[floods[i].class]);
        assert_int_equal(refused, 2);
        (void)wire_waiting(&alice, 60000);
        assert_false(one(&floods[i]));
        end();
    }
}

/* It is read again, and again: never refused, however much it counts. */
static void
acknowledgements_are_never_refused(void **state)
{
    (void)state;
    begin(11);
    world.settings.user_rates[RATE_RECEIPTS] = LIMIT;
    write_to(&bob, alice_id);
    uint64_t inbox = wire_number(wire_expect(&alice, "\"newMessage\""), "inboxNumber");
    char ack[96];
    (void)snprintf(ack, sizeof ack, "{\"ref\":\"9\",\"ack\":{\"inboxNumber\":\"%llu\"}}",
                   (unsigned long long)inbox);
    for (unsigned i = 0; i < 3 * LIMIT; i++) {
        wire_say(&alice, ack);
        assert_non_null(strstr(answer_to(&alice, "\"ref\":\"9\""), "\"done\""));
    }
    assert_true(one(&floods[1])); /* but what can wait has to */
    end();
}

/* -------------------------------------------------------------------------- users and addresses */

static void
a_users_connections_share_its_rate(void **state)
{
    (void)state;
    begin(21);
    world.settings.user_rates[RATE_CHANGES] = LIMIT;
    assert_int_equal(enrol(&phone, "alice", ELSEWHERE), alice_id);
    while (!one(&floods[0])) {
    }
    write_to(&phone, bob_id);
    assert_true(limited(answer_to_last(&phone)));
    write_to(&bob, alice_id);
    assert_false(limited(answer_to_last(&bob)));
    wire_end(&phone);
    end();
}

static void
an_addresses_users_share_its_rate(void **state)
{
    (void)state;
    begin(22);
    world.settings.address_rates[RATE_CHANGES] = LIMIT;
    uint64_t carol_id = enrol(&phone, "carol", HOME);
    assert_int_not_equal(carol_id, alice_id);
    while (!one(&floods[0])) {
    }
    write_to(&phone, bob_id);
    assert_true(limited(answer_to_last(&phone)));
    write_to(&bob, alice_id);
    assert_false(limited(answer_to_last(&bob)));
    wire_end(&phone);
    end();
}

/* ------------------------------------------------------------------------------------ strangers */

static void
strangers_are_limited_and_friends_are_not(void **state)
{
    (void)state;
    static const char *const names[] = {"p1", "p2", "p3", "p4"};
    uint64_t ids[4];
    begin(31);
    world.settings.user_rates[RATE_STRANGERS] = 3;
    for (unsigned i = 0; i < 4; i++) {
        ids[i] = enrol(&phone, names[i], ELSEWHERE);
        wire_end(&phone);
    }
    for (unsigned i = 0; i < 4; i++) {
        write_to(&alice, ids[i]);
        assert_int_equal(limited(answer_to_last(&alice)), i == 3);
        write_to(&alice, ids[0]); /* whom she knows */
        assert_false(limited(answer_to_last(&alice)));
    }
    (void)wire_waiting(&alice, 20 * 60 * 1000 + 1000); /* a third of an hour */
    write_to(&alice, ids[3]);
    assert_false(limited(answer_to_last(&alice)));
    end();
}

static const char *
makes_a_group(const uint64_t ids[], unsigned from, unsigned count)
{
    char text[512];
    size_t bytes = (size_t)snprintf(text, sizeof text,
                                    "{\"ref\":\"5\",\"createChat\":{\"name\":\"we\","
                                    "\"participants\":[");
    for (unsigned i = from; i < from + count; i++) {
        bytes += (size_t)snprintf(text + bytes, sizeof text - bytes, "%s{\"userId\":\"%llu\"}",
                                  i > from ? "," : "", (unsigned long long)ids[i]);
    }
    (void)snprintf(text + bytes, sizeof text - bytes, "]}}");
    wire_say(&alice, text);
    const char *heard = wire_hear(&alice);
    while (heard != NULL && strstr(heard, "\"ref\":\"5\"") == NULL) {
        heard = wire_hear(&alice);
    }
    assert_non_null(heard);
    return heard;
}

static void
who_is_put_into_a_group_costs_as_much_as_a_stranger(void **state)
{
    (void)state;
    static const char *const names[] = {"p1", "p2", "p3", "p4", "p5", "p6"};
    uint64_t ids[6];
    char add[256];
    begin(32);
    world.settings.user_rates[RATE_STRANGERS] = 5;
    for (unsigned i = 0; i < 6; i++) {
        ids[i] = enrol(&phone, names[i], ELSEWHERE);
        wire_end(&phone);
    }
    const char *made = makes_a_group(ids, 0, 3);
    assert_false(limited(made));
    uint64_t group = wire_number(made, "groupId");
    (void)snprintf(
        add, sizeof add,
        "{\"ref\":\"5\",\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},\"add\":{"
        "\"participants\":[{\"userId\":\"%llu\"},{\"userId\":\"%llu\"},{\"userId\":\"%llu\"}]}}}",
        (unsigned long long)group, (unsigned long long)ids[3], (unsigned long long)ids[4],
        (unsigned long long)ids[5]);
    wire_say(&alice, add);
    const char *heard = wire_hear(&alice);
    while (strstr(heard, "\"ref\":\"5\"") == NULL) {
        heard = wire_hear(&alice);
    }
    assert_true(limited(heard));
    assert_in_range(wire_number(heard, "retryAfterMs"), 11 * 60 * 1000, 13 * 60 * 1000);
    write_to(&alice, ids[3]); /* there are two left */
    assert_false(limited(answer_to_last(&alice)));
    assert_true(limited(makes_a_group(ids, 4, 2)));
    assert_false(limited(makes_a_group(ids, 4, 1)));
    end();
}

/* Three in the group, or to be, and what was answered. */
static const char *
with_three(const char *before, const uint64_t ids[3], const char *after)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "%s\"participants\":[{\"userId\":\"%llu\"},{\"userId\":\"%llu\"},"
                   "{\"userId\":\"%llu\"}]%s",
                   before, (unsigned long long)ids[0], (unsigned long long)ids[1],
                   (unsigned long long)ids[2], after);
    wire_say(&alice, text);
    return answer_to(&alice, "\"ref\":\"5\"");
}

static void
enrol_six(uint64_t ids[6])
{
    char name[8];
    for (unsigned i = 0; i < 6; i++) {
        (void)snprintf(name, sizeof name, "p%u", i);
        ids[i] = enrol(&phone, name, ELSEWHERE);
        wire_end(&phone);
    }
}

static uint64_t refused_of(enum rate_class class)
{
    return messenger_counted(&world.messenger.counters.rate_refused[class]);
}

static void
what_was_accepted_is_answered_when_strangers_are_spent(void **state)
{
    (void)state;
    static const char create[] = "{\"ref\":\"5\",\"number\":\"1\",\"createChat\":{\"name\":\"we\",";
    uint64_t ids[6];
    char add[160];
    begin(33);
    world.settings.user_rates[RATE_STRANGERS] = 6;
    world.settings.user_rates[RATE_GROUPS] = 5;
    enrol_six(ids);
    uint64_t group = wire_number(with_three(create, ids, "}}"), "groupId");
    (void)snprintf(
        add, sizeof add,
        "{\"ref\":\"5\",\"number\":\"2\",\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},"
        "\"add\":{",
        (unsigned long long)group);
    assert_false(limited(with_three(add, ids + 3, "}}}")));
    /* All six are spent. */
    const char *again = with_three(create, ids, "}}");
    assert_non_null(strstr(again, "\"duplicate\":true"));
    assert_int_equal(wire_number(again, "groupId"), group);
    assert_non_null(strstr(with_three(add, ids + 3, "}}}"), "\"duplicate\":true"));
    /* What is refused for their sake costs no group either: four of five were taken. */
    for (unsigned i = 0; i < 5; i++) {
        assert_true(limited(makes_a_group(ids, i, 1)));
    }
    assert_int_equal(refused_of(RATE_STRANGERS), 5);
    assert_int_equal(refused_of(RATE_GROUPS), 0);
    end();
}

static void
who_has_been_met_is_no_stranger_in_a_group(void **state)
{
    (void)state;
    uint64_t ids[2];
    begin(36);
    world.settings.user_rates[RATE_STRANGERS] = 1;
    ids[0] = bob_id;
    ids[1] = enrol(&phone, "carol", ELSEWHERE);
    wire_end(&phone);
    write_to(&bob, alice_id); /* so they have met */
    (void)answer_to_last(&bob);
    for (unsigned i = 0; i < 3; i++) {
        assert_false(limited(makes_a_group(ids, 0, 1)));
    }
    assert_false(limited(makes_a_group(ids, 0, 2)));
    assert_true(limited(makes_a_group(ids, 1, 1)));
    assert_false(limited(makes_a_group(ids, 0, 1)));
    end();
}

static void
what_the_group_refuses_costs_no_strangers(void **state)
{
    (void)state;
    uint64_t ids[6];
    char add[160];
    begin(34);
    world.settings.user_rates[RATE_STRANGERS] = 3;
    enrol_six(ids);
    wire_say(&bob, "{\"ref\":\"5\",\"createChat\":{\"name\":\"we\"}}");
    uint64_t group = wire_number(answer_to(&bob, "\"ref\":\"5\""), "groupId");
    (void)snprintf(add, sizeof add,
                   "{\"ref\":\"5\",\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},\"add\":{",
                   (unsigned long long)group);
    for (unsigned i = 0; i < 3; i++) {
        assert_non_null(strstr(with_three(add, ids, "}}}"), "UNKNOWN_CHAT"));
    }
    assert_false(limited(makes_a_group(ids, 0, 3)));
    assert_true(limited(makes_a_group(ids, 3, 1)));
    end();
}

static void
an_offer_that_was_accepted_is_answered_when_strangers_are_spent(void **state)
{
    (void)state;
    char offer[128];
    begin(35);
    world.settings.user_rates[RATE_STRANGERS] = 1;
    uint64_t carol_id = enrol(&phone, "carol", ELSEWHERE);
    (void)snprintf(
        offer, sizeof offer,
        "{\"number\":\"1\",\"ref\":\"5\",\"callOffer\":{\"chat\":{\"userId\":\"%llu\"}}}",
        (unsigned long long)carol_id);
    wire_say(&alice, offer);
    assert_false(limited(answer_to(&alice, "\"ref\":\"5\"")));
    wire_say(&alice, offer);
    assert_non_null(strstr(answer_to(&alice, "\"ref\":\"5\""), "\"duplicate\":true"));
    (void)snprintf(
        offer, sizeof offer,
        "{\"number\":\"2\",\"ref\":\"6\",\"callOffer\":{\"chat\":{\"userId\":\"%llu\"}}}",
        (unsigned long long)bob_id);
    wire_say(&alice, offer);
    assert_true(limited(answer_to(&alice, "\"ref\":\"6\"")));
    wire_end(&phone);
    end();
}

/* ---------------------------------------------------------------------------------- registering */

static bool
registers(const char *name, const char *fields)
{
    upgrade(&phone, fields);
    say_password(&phone, name, "correct horse");
    const char *heard = wire_hear(&phone);
    bool may = strstr(heard, "\"welcome\"") != NULL;
    assert_true(may || (limited(heard) && wire_number(heard, "retryAfterMs") > 1000));
    wire_end(&phone);
    return may;
}

static void
an_address_registers_so_many_in_an_hour(void **state)
{
    (void)state;
    char name[16];
    begin(43);
    world.settings.address_rates[RATE_REGISTRATIONS] = 4;
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(name, sizeof name, "p%u", i);
        assert_int_equal(registers(name, "X-Forwarded-For: 203.0.113.9\r\n"), i < 4);
    }
    assert_true(registers("p4", "X-Forwarded-For: 203.0.113.10\r\n"));
    /* Who is there already may log in. */
    assert_true(registers("p0", "X-Forwarded-For: 203.0.113.9\r\n"));
    (void)wire_waiting(&alice, 15 * 60 * 1000 + 1000); /* a quarter of an hour */
    assert_true(registers("p5", "X-Forwarded-For: 203.0.113.9\r\n"));
    assert_false(registers("p6", "X-Forwarded-For: 203.0.113.9\r\n"));
    end();
}

/* A household has 256 networks of 64 bits. */
static void
an_ipv6_site_registers_four_times_as_many(void **state)
{
    (void)state;
    char name[16];
    char fields[80];
    begin(45);
    world.settings.address_rates[RATE_REGISTRATIONS] = 2;
    for (unsigned i = 0; i < 12; i++) {
        (void)snprintf(name, sizeof name, "p%u", i);
        (void)snprintf(fields, sizeof fields, "X-Forwarded-For: 2001:db8:1:%x::7\r\n", i);
        assert_int_equal(registers(name, fields), i < 8);
    }
    assert_true(registers("q1", "X-Forwarded-For: 2001:db8:2:1::7\r\n"));
    assert_true(registers("q2", "X-Forwarded-For: 203.0.113.9\r\n"));
    end();
}

/* Who has many addresses takes all places that those are remembered in. */
static void
what_a_node_registers_is_not_forgotten(void **state)
{
    (void)state;
    char name[16];
    char fields[64];
    begin(46);
    (void)wire_waiting(&alice, 5000);
    world.settings.registrations_per_hour = 40;
    limiter_fini(&world.messenger.addresses);
    limiter_init(&world.messenger.addresses, 1);
    for (unsigned i = 0; i < 48; i++) {
        (void)snprintf(name, sizeof name, "p%u", i);
        (void)snprintf(fields, sizeof fields, "X-Forwarded-For: 203.0.113.%u\r\n", 20 + i);
        assert_int_equal(registers(name, fields), i < 40);
    }
    end();
}

static void
a_node_registers_so_many_in_an_hour(void **state)
{
    (void)state;
    char name[16];
    char fields[64];
    begin(44);
    (void)wire_waiting(&alice, 5000); /* that two have registered is forgotten */
    world.settings.registrations_per_hour = 6;
    for (unsigned i = 0; i < 8; i++) {
        (void)snprintf(name, sizeof name, "p%u", i);
        (void)snprintf(fields, sizeof fields, "X-Forwarded-For: 203.0.113.%u\r\n", 20 + i);
        assert_int_equal(registers(name, fields), i < 6);
    }
    assert_int_equal(messenger_counted(&world.messenger.counters.rate_refused[RATE_REGISTRATIONS]),
                     2);
    end();
}

/* --------------------------------------------------------------------------------------- logins */

static void
failed_logins_are_limited_per_address(void **state)
{
    (void)state;
    begin(41);
    world.settings.address_rates[RATE_FAILED_LOGINS] = 8;
    /* Five end a connection: it takes more than one. */
    unsigned failed = 0;
    bool told = false;
    while (!told) {
        upgrade(&phone, HOME);
        say_password(&phone, "alice", "wrong");
        const char *heard = wire_hear(&phone);
        told = limited(heard);
        failed += !told;
        assert_true(told || strstr(heard, "WRONG_CREDENTIALS") != NULL);
        assert_in_range(failed, 0, 8);
        wire_end(&phone);
    }
    assert_int_equal(failed, 8);
    end();
}

static void
the_right_password_has_to_wait_too(void **state)
{
    (void)state;
    begin(42);
    world.settings.address_rates[RATE_FAILED_LOGINS] = 3;
    for (unsigned i = 0; i < 3; i++) {
        upgrade(&phone, HOME);
        say_password(&phone, "alice", "wrong");
        assert_non_null(wire_expect(&phone, "WRONG_CREDENTIALS"));
        wire_end(&phone);
    }
    upgrade(&phone, HOME);
    say_password(&phone, "alice", "correct horse");
    assert_true(limited(wire_hear(&phone)));
    wire_end(&phone);
    /* A token in the request has one try. */
    wire_open(&phone, &world, PROTOCOL_JSON);
    wire_upgrade(&phone, HOME "Authorization: Bearer x\r\n");
    assert_true(limited(wire_hear(&phone)));
    assert_int_equal(wire_closed(&phone), PROTOCOL_CLOSE_RATE_LIMITED);
    wire_end(&phone);
    /* Others are not held up, and who is logged in stays so. */
    assert_int_equal(enrol(&phone, "alice", ELSEWHERE), alice_id);
    wire_end(&phone);
    write_to(&alice, bob_id);
    assert_false(limited(answer_to_last(&alice)));
    (void)wire_waiting(&alice, 20 * 60 * 1000 + 1000);
    assert_int_equal(enrol(&phone, "alice", HOME), alice_id);
    wire_end(&phone);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a flood of one class of commands leaves the others alone",
             a_flood_leaves_the_other_classes_alone),
        SPEC("acknowledgements count, and are never refused", acknowledgements_are_never_refused),
        SPEC("all connections of a user share its rate", a_users_connections_share_its_rate),
        SPEC("all users of an address share its rate", an_addresses_users_share_its_rate),
        SPEC("first messages are limited, later ones are not",
             strangers_are_limited_and_friends_are_not),
        SPEC("who is put into a group costs as much as one who is written to first",
             who_is_put_into_a_group_costs_as_much_as_a_stranger),
        SPEC("a retry of a group's creation or filling is answered when the strangers are spent",
             what_was_accepted_is_answered_when_strangers_are_spent),
        SPEC("who has been met costs no stranger when he is put into a group",
             who_has_been_met_is_no_stranger_in_a_group),
        SPEC("an addition that the group refuses costs no strangers",
             what_the_group_refuses_costs_no_strangers),
        SPEC("a retry of an offer is answered when the strangers are spent",
             an_offer_that_was_accepted_is_answered_when_strangers_are_spent),
        SPEC("an address registers so many users in an hour, and logs in as before",
             an_address_registers_so_many_in_an_hour),
        SPEC("an IPv6 network of 48 bits registers as many users as four addresses",
             an_ipv6_site_registers_four_times_as_many),
        SPEC("what a node has registered is remembered however many addresses there were",
             what_a_node_registers_is_not_forgotten),
        SPEC("a node registers so many users in an hour", a_node_registers_so_many_in_an_hour),
        SPEC("failed logins are limited per address, over all its connections",
             failed_logins_are_limited_per_address),
        SPEC("after too many failed logins none is tried, and others are not held up",
             the_right_password_has_to_wait_too),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
