/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator's door shows of single actors, of a whole node under sim. */
#include "actors/connection.h"
#include "actors/tag.h"
#include "runtime/text.h"
#include "store/ask.h"
#include "tests/actors/office.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

/* The pid of the first actor with this in its row of ps. */
static void
pid_find(const char *part, char pid[32])
{
    desk_ask(&desk, "ps");
    const char *at = strstr(desk.document, part);
    assert_non_null(at);
    while (strncmp(at, "{\"pid\":\"", 8) != 0) {
        at--;
    }
    (void)snprintf(pid, 32, "%.*s", (int)strcspn(at + 8, "\""), at + 8);
}

static void
knows_no_actor(const char *pid)
{
    char sentence[64];
    const char *const words[] = {"inspect", pid};
    desk_ask_list(&desk, words, 2);
    (void)snprintf(sentence, sizeof sentence, "there is no actor %s", pid);
    failed_with(SHELL_UNKNOWN, sentence);
}

/* -------------------------------------------------------------------------------------- inspect */

/* Inspects the first actor of a behaviour. */
static void
inspect_one(const char *behaviour)
{
    char pid[32];
    char member[64];
    const char *const words[] = {"inspect", pid};
    (void)snprintf(member, sizeof member, "\"behaviour\":\"%s\"", behaviour);
    pid_find(member, pid);
    desk_ask_list(&desk, words, 2);
}

static void
looks_at_one_actor(void **state)
{
    (void)state;
    inspect_one("shell");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"behaviour\":\"shell\",\"name\":\"shell\""));
    assert_true(says("\"text\":\"clients: 1\\u000a\""));
    assert_true(says("\"lanes\":{\"system\":0,\"reply\":0,\"durable\":0,\"lossy\":0},"
                     "\"lane_bytes\":{\"system\":0,\"reply\":0,\"durable\":0,\"lossy\":0}"));
    assert_true(says("\"links\":{\"count\":1,\"first\":[\"0.")); /* our connection */
    assert_true(says("\"watchers\":{\"count\":1,"));             /* its supervisor */
    assert_true(says("\"wait\":null,\"backtrace\":[]"));
    knows_no_actor("0.4000.1");
    knows_no_actor("200.1.1");
}

/* Sends the shell EXITs that are of none of its connections. */
static void
prankster_run(void *state)
{
    (void)state;
    do {
        ln_kill(ln_whereis("shell"), LN_EXIT_NORMAL);
    } while (ln_sleep(1) == 0);
}
static const struct ln_behaviour prankster = {.name = "prankster", .run = prankster_run};

static int
open_playground(void **state)
{
    (void)state;
    return office_open_with(
        (struct ln_child){.id = "prankster", .behaviour = &prankster, .restart = LN_TEMPORARY});
}

static void
counts_its_connections(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        inspect_one("shell");
        assert_true(says("\"text\":\"clients: 1\\u000a\""));
    }
}

static void
looks_at_what_an_actor_waits_for(void **state)
{
    (void)state;
    inspect_one("folder");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"state\":\"waiting\""));
    assert_true(says("\"wait\":{\"for\":\"message\",\"waited_us\":"));
    assert_true(says("\"backtrace\":[{\"at\":\"actors_shell_actor_test(+0x"));
}

enum { ORDERS = 3, ORDER_BYTES = 200, BELL = 1 };

/* Has more to do than it gets done. */
static void
waiter_run(void *state)
{
    (void)state;
    for (unsigned i = 0; i < ORDERS; i++) {
        struct ln_msg *order = ln_msg_new(BELL, LN_DURABLE, ORDER_BYTES);
        ln_send(ln_self(), &order);
    }
    struct ln_msg *bell = ln_msg_new(BELL, LN_LOSSY, 0);
    ln_send(ln_self(), &bell);
    (void)ln_sleep(LN_FOREVER);
}
static const struct ln_behaviour waiter = {.name = "waiter", .run = waiter_run};

static int
open_restaurant(void **state)
{
    (void)state;
    return office_open_with(
        (struct ln_child){.id = "waiter", .behaviour = &waiter, .restart = LN_TEMPORARY});
}

static void
shows_what_waits(void **state)
{
    (void)state;
    char bytes[128];
    inspect_one("waiter");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"lanes\":{\"system\":0,\"reply\":0,\"durable\":3,\"lossy\":1}"));
    (void)snprintf(bytes, sizeof bytes,
                   "\"lane_bytes\":{\"system\":0,\"reply\":0,\"durable\":%zu,\"lossy\":%zu}",
                   ORDERS * (sizeof(struct ln_msg) + ORDER_BYTES), sizeof(struct ln_msg));
    assert_true(says(bytes));
}

static void
names_tags(uint32_t first, uint32_t last)
{
    for (uint32_t tag = first; tag <= last; tag++) {
        assert_non_null(messenger_tag_name(tag));
    }
    assert_null(messenger_tag_name(first - 1));
    assert_null(messenger_tag_name(last + 1));
}

static void
names_all_tags(void **state)
{
    (void)state;
    names_tags(STORE_NAME_FIND, STORE_REPLACED);
    names_tags(ASK_STREAM, ASK_CALL_CHECK);
    names_tags(STORE_CALL_LOOK, STORE_CALL_TOLD);
    names_tags(CONNECTION_TICK, CONNECTION_LOOK);
    assert_string_equal(messenger_tag_name(STORE_MESSAGE), "STORE_MESSAGE");
    assert_string_equal(messenger_tag_name(CONNECTION_TICK), "CONNECTION_TICK");
}

/* -------------------------------------------------------------------------------------- crashes */

static void
cook_run(void *state)
{
    (void)state;
    ln_exit_at(LN_EXIT_ERROR, "the soup is \"gone\"", "kitchen.c", 12);
}

static void
cook_print(const void *state, struct ln_text *out)
{
    (void)state;
    ln_text_print(out, "stirring");
}
static const struct ln_behaviour cook = {.name = "cook", .run = cook_run, .print = cook_print};

static int
open_kitchen(void **state)
{
    (void)state;
    return office_open_with(
        (struct ln_child){.id = "cook", .behaviour = &cook, .restart = LN_TEMPORARY});
}

static void
shows_who_failed(void **state)
{
    (void)state;
    desk_ask(&desk, "crashes");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"behaviour\":\"cook\""));
    assert_true(says("\"reason\":\"the soup is \\\"gone\\\"\",\"file\":\"kitchen.c\""));
    assert_true(says("\"state\":\"stirring\",\"line\":12,"));
    assert_true(says("\"messages\":[]}]"));
    desk_ask(&desk, "status");
    assert_true(says("\"crashed\":1,\"stalls\":0"));
    desk_ask(&desk, "stalls");
    assert_string_equal(desk.document, "[]");
}

/* ----------------------------------------------------------------------------------------- kill */

static void
kills_who_is_named_and_he_is_started_again(void **state)
{
    (void)state;
    char before[32];
    char after[32];
    const char *const words[] = {"kill", before};
    pid_find("\"name\":\"listener\"", before);
    desk_ask_list(&desk, words, 2);
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"behaviour\":\"listener\",\"name\":\"listener\""));
    world_run(&world, 100);
    pid_find("\"name\":\"listener\"", after);
    assert_string_not_equal(before, after);
    desk_ask_list(&desk, words, 2);
    assert_int_equal(desk.status, SHELL_UNKNOWN);
}

static void
kills_one_of_a_behaviour_or_anyone(void **state)
{
    (void)state;
    desk_ask(&desk, "kill", "clock");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"behaviour\":\"clock\""));
    for (unsigned i = 0; i < 5; i++) {
        desk_ask(&desk, "kill", "partition");
        assert_int_equal(desk.status, SHELL_DONE);
        assert_true(says("\"behaviour\":\"partition\""));
        world_run(&world, 1200);
    }
    desk_ask(&desk, "kill", "any");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"parent\":\"0.")); /* everyone who may be killed has one */
    world_run(&world, 1000);
}

static void
kills_nobody_who_would_not_be_started_again(void **state)
{
    (void)state;
    char root[32];
    const char *const words[] = {"kill", root};
    pid_find("\"parent\":\"\"", root);
    desk_ask_list(&desk, words, 2);
    assert_int_equal(desk.status, SHELL_FAILED);
    assert_true(says("has no supervisor that would start it again"));
    desk_ask(&desk, "kill", "0.4000.1");
    failed_with(SHELL_UNKNOWN, "there is no actor 0.4000.1");
    desk_ask(&desk, "kill", "gardener");
    failed_with(SHELL_UNKNOWN, "there is no actor 'gardener' that has a supervisor");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        DOOR("inspect shows an actor's state, mailbox and relations", looks_at_one_actor),
        DOOR_TO("a stranger's EXIT is no end of one of the shell's connections",
                counts_its_connections, open_playground),
        DOOR("inspect shows what an actor waits for, and where its code stands",
             looks_at_what_an_actor_waits_for),
        SPEC("every tag of the node's own messages has a name to show", names_all_tags),
        DOOR_TO("inspect shows what waits in each lane, in messages and bytes", shows_what_waits,
                open_restaurant),
        DOOR_TO("an actor that failed is shown with its reason, place and state", shows_who_failed,
                open_kitchen),
        DOOR("who is named is killed, and started again by his supervisor",
             kills_who_is_named_and_he_is_started_again),
        DOOR("one of a behaviour is killed, or anyone who has a supervisor",
             kills_one_of_a_behaviour_or_anyone),
        DOOR("nobody is killed whom no supervisor would start again",
             kills_nobody_who_would_not_be_started_again),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
