/* SPDX-License-Identifier: Apache-2.0 */
/* Groups on the client's side: commands that take a number and are kept like messages, commands
 * that only ask, and what comes unasked. */
#include "net/client.h"

#include <errno.h>
#include <stdio.h>

#include "tests/net/fake_node.h"
#include "tests/spec.h"

#define CREATE(number) \
    "{\"number\":\"" number "\",\"ref\":\"7\",\"createChat\":{\"name\":\"walkers\"}}"

static void
begin(struct talk *talk, int form)
{
    talk_init(talk, form);
    alice_connects(talk);
    node_says(talk, "{\"welcome\":{\"userId\":1,\"device\":3,\"nextCommand\":5,\"limits\":{"
                    "\"groupMembersMax\":\"2\"}}}");
    alice_hears(talk, "welcome 1/3");
}

static int
creates(struct talk *talk, const char *name, size_t participants)
{
    Linnet__V1__Participant bob = LINNET__V1__PARTICIPANT__INIT;
    bob.user_case = LINNET__V1__PARTICIPANT__USER_USER_ID;
    bob.user_id = 2;
    Linnet__V1__Participant *list[] = {&bob, &bob};
    Linnet__V1__CreateChat create = LINNET__V1__CREATE_CHAT__INIT;
    create.name = (char *)(uintptr_t)name;
    create.n_participants = participants;
    create.participants = list;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_CHAT;
    frame.create_chat = &create;
    uint64_t number = 0;
    int rc = client_command(&talk->client, &frame, 7, &number);
    node_reads(talk);
    return rc < 0 ? rc : (int)number;
}

static void
keeps_a_change_until_it_is_answered(void **state)
{
    (void)state;
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        struct talk talk;
        begin(&talk, form);
        assert_int_equal(creates(&talk, "walkers", 0), 5);
        node_hears(&talk, CREATE("5"));
        assert_int_equal(client_unanswered(&talk.client), 1);
        alice_connects(&talk);
        node_says(&talk, "{\"welcome\":{\"userId\":1,\"device\":3,\"nextCommand\":5}}");
        alice_hears(&talk, "welcome 1/3");
        node_reads(&talk);
        node_hears(&talk, CREATE("5"));
        node_says(&talk,
                  "{\"answer\":{\"number\":5,\"ref\":7,\"chat\":{\"chat\":{\"groupId\":9}}}}");
        alice_hears(&talk, "answered 5 ref 7 with 6");
        assert_int_equal(client_unanswered(&talk.client), 0);
        assert_int_equal(creates(&talk, "walkers", 0), 6);
        node_hears(&talk, CREATE("6"));
        node_says(&talk, "{\"answer\":{\"number\":6,\"error\":{\"code\":\"UNKNOWN_USER\"}}}");
        alice_hears(&talk, "refused 6 ref 7 UNKNOWN_USER for good");
        assert_int_equal(client_unanswered(&talk.client), 0);
        talk_fini(&talk);
    }
}

static void
writes_no_change_that_a_node_refuses(void **state)
{
    (void)state;
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        struct talk talk;
        begin(&talk, form);
        assert_int_equal(creates(&talk, "", 0), -EINVAL);
        assert_int_equal(creates(&talk, "not UTF-8: \xFF", 0), -EINVAL);
        assert_int_equal(creates(&talk, "walkers", 2), -EINVAL); /* and alice: above two */
        node_hears(&talk, "");
        assert_int_equal(creates(&talk, "walkers", 0), 5);
        talk_fini(&talk);
    }
}

static void
asks_and_is_answered(void **state)
{
    (void)state;
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        struct talk talk;
        Linnet__V1__ListGroups list = LINNET__V1__LIST_GROUPS__INIT;
        Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
        frame.ref = 3;
        frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_LIST_GROUPS;
        frame.list_groups = &list;
        talk_init(&talk, form);
        assert_int_equal(client_ask(&talk.client, &frame), -ENOTCONN);
        talk_fini(&talk);
        begin(&talk, form);
        assert_int_equal(client_ask(&talk.client, &frame), 0);
        node_reads(&talk);
        node_hears(&talk, "{\"ref\":\"3\",\"listGroups\":{}}");
        node_says(&talk, "{\"answer\":{\"ref\":3,\"groups\":{}}}");
        alice_hears(&talk, "answered 0 ref 3 with 8");
        talk_fini(&talk);
    }
}

#define UPDATE(inbox, update)                                                                \
    "{\"chatUpdate\":{\"inboxNumber\":" inbox ",\"chat\":{\"groupId\":9},\"update\":" update \
    ",\"left\":{}}}"

static void
is_told_of_groups(void **state)
{
    (void)state;
    for (int form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        struct talk talk;
        begin(&talk, form);
        node_says(&talk, UPDATE("10", "1"));
        alice_hears(&talk, "update 10 9/1");
        node_says(&talk,
                  "{\"groupReceipts\":{\"inboxNumber\":11,\"chat\":{\"groupId\":9},\"counts\":["
                  "{\"chatNumber\":1}]}}");
        alice_hears(&talk, "group receipts of 9, 1 counts");
        node_says(&talk, "{\"chatGap\":{\"inboxNumber\":12,\"chat\":{\"groupId\":9},"
                         "\"fromChatNumber\":3,\"toChatNumber\":4}}");
        alice_hears(&talk, "gap 3 to 4");
        /* What was not acknowledged comes again. */
        alice_connects(&talk);
        node_says(&talk, "{\"welcome\":{\"userId\":1,\"device\":3}}");
        alice_hears(&talk, "welcome 1/3");
        node_says(&talk, UPDATE("10", "1"));
        alice_hears(&talk, "update 10 9/1 again");
        node_says(&talk, UPDATE("13", "2"));
        alice_hears(&talk, "update 13 9/2");
        /* A history tells what was told before, and stands in no inbox. */
        node_says(&talk, UPDATE("0", "1"));
        alice_hears(&talk, "update 0 9/1");
        node_says(&talk, UPDATE("14", "3"));
        alice_hears(&talk, "update 14 9/3");
        talk_fini(&talk);
    }
}

static void
leaves_a_node_that_makes_no_sense(void **state)
{
    (void)state;
    static const char *const nonsense[][2] = {
        {"{\"chatUpdate\":{\"inboxNumber\":11}}", "an update without chat, or out of order"},
        {UPDATE("10", "1"), "an update without chat, or out of order"},
        {"{\"groupReceipts\":{}}", "a chat's state without chat"},
        {"{\"chatGap\":{}}", "a chat's state without chat"},
    };
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
        struct talk talk;
        char closed[200];
        begin(&talk, i % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY);
        node_says(&talk, UPDATE("10", "1"));
        alice_hears(&talk, "update 10 9/1");
        node_says(&talk, nonsense[i][0]);
        (void)snprintf(closed, sizeof(closed), "closed 1002 by us: %s", nonsense[i][1]);
        alice_hears(&talk, closed);
        talk_fini(&talk);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a change is numbered and kept like a message until it is answered",
             keeps_a_change_until_it_is_answered),
        SPEC("what a node would refuse is refused before it is numbered",
             writes_no_change_that_a_node_refuses),
        SPEC("what only asks is answered with its ref, and not kept", asks_and_is_answered),
        SPEC("updates are told once as new, receipts and gaps as they come", is_told_of_groups),
        SPEC("a node that makes no sense is left, and told why", leaves_a_node_that_makes_no_sense),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
