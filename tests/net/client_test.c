/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/net/fake_node.h"
#include "tests/spec.h"

/* Each conversation is held in both forms, with whole input and with input in pieces of one
 * byte. */
typedef void conversation(struct talk *talk);

static void
hold(conversation *held)
{
    for (int i = 0; i < 4; i++) {
        struct talk talk;
        talk_init(&talk, i % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON);
        talk.piece_bytes = i < 2 ? 0 : 1;
        held(&talk);
        node_hears(&talk, "");
        alice_hears(&talk, "");
        talk_fini(&talk);
    }
}

#define CONVERSATION(name)                      \
    static void name##_talk(struct talk *talk); \
    static void name(void **state)              \
    {                                           \
        (void)state;                            \
        hold(name##_talk);                      \
    }                                           \
    static void name##_talk(struct talk *talk)

static void
welcomes(struct talk *talk, const char *more)
{
    char json[512];
    snprintf(json, sizeof(json), "{\"welcome\":{\"userId\":1,\"device\":3%s}}", more);
    node_says(talk, json);
    alice_hears(talk, "welcome 1/3");
}

static void
node_sent(struct talk *talk, unsigned number)
{
    char json[256];
    snprintf(
        json, sizeof(json),
        "{\"answer\":{\"number\":%u,\"sent\":{\"id\":{\"userId\":1,\"device\":3,\"number\":%u},"
        "\"chatNumber\":1}}}",
        number, number);
    node_says(talk, json);
}

/* ---- Logging in ---- */

CONVERSATION(logs_in_with_a_token)
{
    assert_string_equal(client_state_name(client_state(&talk->client)), "off");
    alice_connects(talk);
    assert_string_equal(talk->token, "secret");
    assert_int_equal(client_state(&talk->client), CLIENT_LOGGING_IN);
    node_hears(talk, "");
    welcomes(talk, ",\"nextCommand\":5");
    assert_int_equal(client_state(&talk->client), CLIENT_READY);
    assert_int_equal(client_next_number(&talk->client), 5);
}

CONVERSATION(logs_in_with_a_token_in_a_frame)
{
    talk->login.token_in_frame = true;
    alice_connects(talk);
    assert_string_equal(talk->token, "");
    node_hears(talk, "{\"authenticate\":{\"token\":\"secret\"}}");
    welcomes(talk, "");
}

CONVERSATION(logs_in_with_a_password)
{
    talk->login =
        (struct client_login){.name = "alice", .password = "correct horse", .device_name = "phone"};
    alice_connects(talk);
    node_hears(talk, "{\"authenticate\":{\"passwordLogin\":{\"name\":\"alice\",\"password\":"
                     "\"correct horse\",\"deviceName\":\"phone\"}}}");
    welcomes(talk, ",\"token\":\"fresh\",\"nextCommand\":1");
}

CONVERSATION(hears_a_refused_login)
{
    talk->login = (struct client_login){.name = "alice", .password = "guess"};
    alice_connects(talk);
    node_hears(
        talk, "{\"authenticate\":{\"passwordLogin\":{\"name\":\"alice\",\"password\":\"guess\"}}}");
    node_says(talk, "{\"answer\":{\"error\":{\"code\":\"WRONG_CREDENTIALS\"}}}");
    alice_hears(talk, "refused 0 ref 0 WRONG_CREDENTIALS for good");
    assert_int_equal(client_state(&talk->client), CLIENT_LOGGING_IN);
    node_closes(talk, PROTOCOL_CLOSE_UNAUTHENTICATED, "log in");
    node_hears(talk, "close 4001 ");
    alice_hears(talk, "closed 4001 by node: log in");
    assert_int_equal(client_state(&talk->client), CLIENT_OFF);
}

CONVERSATION(hears_a_refused_upgrade)
{
    talk->node_refuses = true;
    alice_connects(talk);
    alice_hears(talk, "closed 401 by node: the server refused the WebSocket");
    assert_int_equal(client_state(&talk->client), CLIENT_OFF);
    talk->node_refuses = false;
    alice_connects(talk);
    welcomes(talk, "");
}

CONVERSATION(begins_anew_in_any_state)
{
    /* The request is not even sent; then the answer comes by half; then the login is lost. */
    assert_int_equal(client_connect(&talk->client, &talk->login), 0);
    assert_int_equal(client_connect(&talk->client, &talk->login), 0);
    alice_receives(talk, "HTTP/1.1 101 Switching", 22);
    assert_int_equal(client_state(&talk->client), CLIENT_UPGRADING);
    alice_connects(talk);
    assert_int_equal(client_state(&talk->client), CLIENT_LOGGING_IN);
    alice_connects(talk);
    welcomes(talk, "");
    alice_connects(talk);
    welcomes(talk, "");
}

CONVERSATION(leaves_what_is_no_websocket)
{
    assert_int_equal(client_connect(&talk->client, &talk->login), 0);
    alice_receives(talk, "220 mail.example ESMTP\r\n\r\n", 26);
    assert_true(strncmp(talk->told[0], "closed 0 by us: ", 16) == 0);
    talk->told_end = 0;
    assert_int_equal(client_close(&talk->client, PROTOCOL_CLOSE_NORMAL), -ENOTCONN);
}

static void
refuses_texts_that_cant_stand_in_a_request(void **state)
{
    (void)state;
    struct talk talk;
    talk_init(&talk, PROTOCOL_JSON);
    talk.login.token = "two\r\nlines";
    assert_int_equal(client_connect(&talk.client, &talk.login), -EINVAL);
    assert_int_equal(client_state(&talk.client), CLIENT_OFF);
    assert_int_equal(client_held_bytes(&talk.client), 0);
    talk_fini(&talk);
}

/* ---- Writing ---- */

CONVERSATION(writes_texts_of_any_length)
{
    enum { LONGEST = 511, STEP = 10 };
    char text[LONGEST + 1];
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":1");
    for (unsigned bytes = 1, number = 1; bytes <= LONGEST; bytes += STEP, number++) {
        char command[LONGEST + 128];
        memset(text, 'a' + (int)(bytes % 26), bytes);
        text[bytes] = '\0';
        (void)snprintf(command, sizeof(command),
                       "{\"number\":\"%u\",\"ref\":\"1002\",\"sendMessage\":{\"chat\":{\"userId\":"
                       "\"2\"},\"text\":\"%s\"}}",
                       number, text);
        assert_int_equal(alice_writes(talk, 2, text), number);
        node_hears(talk, command);
        node_sent(talk, number);
        char sent[64];
        (void)snprintf(sent, sizeof(sent), "sent %u ref 1002", number);
        alice_hears(talk, sent);
    }
}

CONVERSATION(numbers_its_messages)
{
    assert_int_equal(alice_writes(talk, 2, "early"), -ENOTCONN);
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":7");
    assert_int_equal(alice_writes(talk, 2, "one"), 7);
    assert_int_equal(alice_writes(talk, 2, "two"), 8);
    node_hears(talk, COMMAND("7", "one"));
    node_hears(talk, COMMAND("8", "two"));
    assert_int_equal(client_unanswered(&talk->client), 2);
    node_sent(talk, 7);
    alice_hears(talk, "sent 7 ref 1002");
    node_sent(talk, 8);
    alice_hears(talk, "sent 8 ref 1002");
    assert_int_equal(client_unanswered(&talk->client), 0);
    assert_int_equal(client_held_bytes(&talk->client), 0);
}

CONVERSATION(sends_again_what_was_not_answered)
{
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":1");
    assert_int_equal(alice_writes(talk, 2, "one"), 1);
    assert_int_equal(alice_writes(talk, 2, "two"), 2);
    assert_int_equal(alice_writes(talk, 2, "three"), 3);
    node_hears(talk, COMMAND("1", "one"));
    node_hears(talk, COMMAND("2", "two"));
    node_hears(talk, COMMAND("3", "three"));
    node_sent(talk, 2);
    alice_hears(talk, "sent 2 ref 1002");
    /* The stream ends without a word; while it is away alice writes on. */
    talk->node_open = false;
    assert_int_equal(client_connect(&talk->client, &talk->login), 0);
    assert_int_equal(alice_writes(talk, 2, "four"), 4);
    node_hears(talk, "");
    /* The node knows of 3: one that was lost on the way is no reason to go back. */
    welcomes(talk, ",\"nextCommand\":4");
    node_hears(talk, COMMAND("1", "one"));
    node_hears(talk, COMMAND("3", "three"));
    node_hears(talk, COMMAND("4", "four"));
    assert_int_equal(alice_writes(talk, 2, "five"), 5);
    node_hears(talk, COMMAND("5", "five"));
}

CONVERSATION(goes_on_with_its_own_number)
{
    client_resume(&talk->client, 10, 100);
    assert_int_equal(alice_writes(talk, 2, "offline"), 10);
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":20,\"inboxAcknowledged\":100");
    node_hears(talk, COMMAND("10", "offline"));
    assert_int_equal(alice_writes(talk, 2, "online"), 11);
    node_hears(talk, COMMAND("11", "online"));
}

static int
alice_restores(struct talk *talk, uint64_t number, const char *text)
{
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat.user_id = 2;
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = &chat;
    message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
    message.text = (char *)(uintptr_t)text;
    return client_restore(&talk->client, &message, 1002, number);
}

CONVERSATION(restores_an_outbox)
{
    assert_int_equal(alice_restores(talk, 1, "early"), -EINVAL);
    client_resume(&talk->client, 10, 100);
    assert_int_equal(alice_restores(talk, 0, "x"), -EINVAL);
    assert_int_equal(alice_restores(talk, 10, "x"), -EINVAL);
    assert_int_equal(alice_restores(talk, 7, "seven"), 0);
    assert_int_equal(alice_restores(talk, 7, "x"), -EINVAL);
    assert_int_equal(alice_restores(talk, 9, "nine"), 0);
    assert_int_equal(alice_restores(talk, 8, "x"), -EINVAL);
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":9,\"inboxAcknowledged\":100");
    node_hears(talk, COMMAND("7", "seven"));
    node_hears(talk, COMMAND("9", "nine"));
    assert_int_equal(alice_restores(talk, 9, "x"), -EINVAL);
    assert_int_equal(alice_writes(talk, 2, "ten"), 10);
    node_hears(talk, COMMAND("10", "ten"));
}

CONVERSATION(stays_within_the_window)
{
    client_resume(&talk->client, 1, 0);
    for (int i = 1; i <= 64; i++) {
        assert_int_equal(alice_writes(talk, 2, "x"), i);
    }
    assert_int_equal(alice_writes(talk, 2, "x"), -EAGAIN);
    alice_connects(talk);
    welcomes(talk, ",\"limits\":{\"commandsUnansweredMax\":60}");
    talk->heard_first = talk->heard_end; /* sixty of them */
    assert_int_equal(talk->heard_end, 60);
    node_hears(talk, "");
    talk->heard_first = talk->heard_end = 0;
    /* All but the first are answered: there would be credit, but 65 would be too far from 1. */
    for (unsigned i = 2; i <= 64; i++) {
        node_sent(talk, i);
    }
    talk->heard_first = talk->heard_end = 0;
    talk->told_first = talk->told_end = 0;
    assert_int_equal(client_unanswered(&talk->client), 1);
    assert_int_equal(alice_writes(talk, 2, "x"), -EAGAIN);
    node_sent(talk, 1);
    alice_hears(talk, "sent 1 ref 1002");
    assert_int_equal(alice_writes(talk, 2, "x"), 65);
    node_hears(talk, COMMAND("65", "x"));
}

CONVERSATION(stays_within_the_credit)
{
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":1,\"limits\":{\"commandsUnansweredMax\":2}");
    assert_int_equal(client_ping(&talk->client, 9), 0);
    assert_int_equal(alice_writes(talk, 2, "one"), 1);
    assert_int_equal(client_ping(&talk->client, 10), -EAGAIN);
    assert_int_equal(alice_writes(talk, 2, "two"), 2);
    assert_int_equal(alice_writes(talk, 2, "three"), -EAGAIN);
    node_hears(talk, "{\"ref\":\"9\",\"ping\":{}}");
    node_hears(talk, COMMAND("1", "one"));
    node_hears(talk, "");
    node_says(talk, "{\"pong\":{\"ref\":9}}");
    alice_hears(talk, "pong ref 9");
    node_hears(talk, COMMAND("2", "two"));
}

CONVERSATION(keeps_what_passes_and_drops_what_does_not)
{
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":1");
    assert_int_equal(alice_writes(talk, 2, "one"), 1);
    assert_int_equal(alice_writes(talk, 2, "two"), 2);
    node_hears(talk, COMMAND("1", "one"));
    node_hears(talk, COMMAND("2", "two"));
    node_says(talk, "{\"answer\":{\"number\":1,\"error\":{\"code\":\"RATE_LIMITED\"}}}");
    alice_hears(talk, "refused 1 ref 1002 RATE_LIMITED");
    node_says(talk, "{\"answer\":{\"number\":2,\"error\":{\"code\":\"UNKNOWN_USER\"}}}");
    alice_hears(talk, "refused 2 ref 1002 UNKNOWN_USER for good");
    assert_int_equal(client_unanswered(&talk->client), 1);
    assert_int_equal(client_resend(&talk->client, 2), -ENOENT);
    assert_int_equal(client_resend(&talk->client, 1), 0);
    assert_int_equal(client_resend(&talk->client, 1), -ENOENT);
    node_reads(talk);
    node_hears(talk, COMMAND("1", "one"));
    node_says(talk, "{\"answer\":{\"number\":1,\"error\":{\"code\":\"OVERLOADED\"}}}");
    alice_hears(talk, "refused 1 ref 1002 OVERLOADED");
    /* A new connection is a new try. */
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":3");
    node_hears(talk, COMMAND("1", "one"));
    assert_int_equal(client_discard(&talk->client, 1), 0);
    assert_int_equal(client_discard(&talk->client, 1), -ENOENT);
    assert_int_equal(client_unanswered(&talk->client), 0);
    node_sent(talk, 1);
    alice_hears(talk, "sent 1 ref 0");
}

CONVERSATION(writes_no_frame_that_a_node_refuses)
{
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":1,\"limits\":{\"messageBytesMax\":4,\"attachmentsMax\":1}");
    assert_int_equal(alice_writes(talk, 2, "12345"), -EMSGSIZE);
    assert_int_equal(alice_writes(talk, 2, ""), -EINVAL);
    assert_int_equal(alice_writes(talk, 0, "x"), -EINVAL);
    assert_int_equal(alice_writes(talk, 2, "\xFF"), -EINVAL);
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    Linnet__V1__Attachment attachment = LINNET__V1__ATTACHMENT__INIT;
    Linnet__V1__Attachment *attachments[] = {&attachment, &attachment};
    uint64_t number;
    attachment.reference = (char[]){"r"};
    message.attachments = attachments;
    message.n_attachments = 1;
    assert_int_equal(client_send(&talk->client, &message, 0, &number), -EINVAL);
    message.chat = &chat;
    assert_int_equal(client_send(&talk->client, &message, 0, &number), -EINVAL);
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_NAME;
    chat.user_name = (char[]){"b\x80"};
    assert_int_equal(client_send(&talk->client, &message, 0, &number), -EINVAL);
    chat.user_name = (char[]){"bob"};
    message.n_attachments = 2;
    assert_int_equal(client_send(&talk->client, &message, 0, &number), -EMSGSIZE);
    message.n_attachments = 1;
    attachment.media_type = (char[]){"\xC3"};
    assert_int_equal(client_send(&talk->client, &message, 0, &number), -EINVAL);
    attachment.media_type = (char[]){""};
    assert_int_equal(client_send(&talk->client, &message, 0, &number), 0);
    assert_int_equal(number, 1);
    assert_int_equal(client_mark_read(&talk->client, &chat, 0, 0), -EINVAL);
    node_reads(talk);
    node_hears(talk, "{\"number\":\"1\",\"sendMessage\":{\"chat\":{\"userName\":\"bob\"},"
                     "\"attachments\":[{\"reference\":\"r\"}]}}");
}

/* ---- Reading ---- */

CONVERSATION(hears_and_acknowledges)
{
    assert_int_equal(client_ping(&talk->client, 1), -ENOTCONN);
    alice_connects(talk);
    welcomes(talk, "");
    bob_writes(talk, 5, 1);
    alice_hears(talk, "message 5 2/1/1 \"hey\"");
    node_says(talk, "{\"receipts\":{\"inboxNumber\":6,\"chat\":{\"userId\":2},\"readerUserId\":2,"
                    "\"delivered\":4,\"read\":3}}");
    alice_hears(talk, "receipts 2 delivered 4 read 3");
    node_says(talk, "{\"messageChanged\":{\"inboxNumber\":7,\"id\":{\"userId\":2,\"device\":1,"
                    "\"number\":9},\"chat\":{\"userId\":2},\"kind\":\"DELETED\",\"authorUserId\":2,"
                    "\"chatNumber\":5,\"sender\":{\"userId\":2}}}");
    alice_hears(talk, "changed 5 of 2");
    assert_int_equal(client_ack(&talk->client, 6), 0);
    assert_int_equal(client_ack(&talk->client, 6), 0);
    assert_int_equal(client_ack(&talk->client, 5), 0);
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat.user_id = 2;
    assert_int_equal(client_mark_read(&talk->client, &chat, 1, 77), 0);
    node_reads(talk);
    node_hears(talk, "{\"ack\":{\"inboxNumber\":\"6\"}}");
    node_hears(talk,
               "{\"ref\":\"77\",\"markRead\":{\"chat\":{\"userId\":\"2\"},\"chatNumber\":\"1\"}}");
    node_says(talk, "{\"answer\":{\"ref\":77,\"done\":{}}}");
    alice_hears(talk, "done ref 77");
    /* Without a ref nothing is answered, so however many there are the next command may go. */
    for (uint64_t i = 0; i < 200; i++) {
        assert_int_equal(client_mark_read(&talk->client, &chat, 2 + i, 0), 0);
    }
    assert_int_equal(client_ping(&talk->client, 78), 0);
    assert_int_equal(client_acknowledged(&talk->client), 6);
}

CONVERSATION(tells_what_came_before)
{
    alice_connects(talk);
    welcomes(talk, "");
    bob_writes(talk, 5, 1);
    bob_writes(talk, 6, 2);
    alice_hears(talk, "message 5 2/1/1 \"hey\"");
    alice_hears(talk, "message 6 2/1/2 \"hey\"");
    /* Under another inbox number the same message is the same. */
    bob_writes(talk, 7, 1);
    alice_hears(talk, "duplicate 7 2/1/1 \"hey\"");
    assert_int_equal(client_ack(&talk->client, 5), 0);
    node_reads(talk);
    node_hears(talk, "{\"ack\":{\"inboxNumber\":\"5\"}}");
    alice_connects(talk);
    welcomes(talk, ",\"inboxAcknowledged\":5");
    bob_writes(talk, 6, 2);
    alice_hears(talk, "duplicate 6 2/1/2 \"hey\"");
    bob_writes(talk, 8, 3);
    alice_hears(talk, "message 8 2/1/3 \"hey\"");
}

CONVERSATION(remembers_more_than_the_last_ids)
{
    alice_connects(talk);
    welcomes(talk, "");
    for (unsigned i = 1; i <= 60; i++) {
        bob_writes(talk, i, i);
        char line[64];
        snprintf(line, sizeof(line), "message %u 2/1/%u \"hey\"", i, i);
        alice_hears(talk, line);
    }
    /* By its inbox number, long after its id is forgotten. */
    alice_connects(talk);
    welcomes(talk, "");
    bob_writes(talk, 1, 1);
    alice_hears(talk, "duplicate 1 2/1/1 \"hey\"");
}

CONVERSATION(says_again_what_the_node_forgot)
{
    alice_connects(talk);
    welcomes(talk, "");
    bob_writes(talk, 5, 1);
    alice_hears(talk, "message 5 2/1/1 \"hey\"");
    /* Acknowledged while the connection is already gone. */
    talk->node_open = false;
    assert_int_equal(client_connect(&talk->client, &talk->login), 0);
    assert_int_equal(client_ack(&talk->client, 5), 0);
    node_reads(talk);
    welcomes(talk, ",\"inboxAcknowledged\":4");
    node_hears(talk, "{\"ack\":{\"inboxNumber\":\"5\"}}");
}

CONVERSATION(starts_afresh_after_a_resync)
{
    alice_connects(talk);
    welcomes(talk, "");
    node_says(talk, "{\"resync\":{\"inboxNumber\":50,\"reason\":\"INBOX_FULL\"}}");
    alice_hears(talk, "resync 50");
    assert_int_equal(client_ack(&talk->client, 50), 0);
    node_reads(talk);
    node_hears(talk, "{\"ack\":{\"inboxNumber\":\"50\"}}");
}

static void
tomorrow_happens(struct talk *talk)
{
    if (talk->config.form == PROTOCOL_JSON) {
        static const char json[] = "{\"tomorrow\":{\"a\":[1,2]}}";
        node_sends(talk, FRAME_TEXT, json, sizeof(json) - 1);
    } else {
        node_sends(talk, FRAME_BINARY, "\xFA\x7F\x01?", 4);
    }
}

CONVERSATION(passes_over_what_is_newer)
{
    alice_connects(talk);
    tomorrow_happens(talk);
    welcomes(talk, "");
    tomorrow_happens(talk);
    node_says(talk, "{\"answer\":{\"ref\":1,\"tomorrow\":{}}}");
    bob_writes(talk, 1, 1);
    alice_hears(talk, "message 1 2/1/1 \"hey\"");
}

/* ---- The WebSocket's own ---- */

CONVERSATION(answers_pings)
{
    alice_connects(talk);
    welcomes(talk, "");
    node_sends(talk, FRAME_PING, "?", 1);
    node_hears(talk, "pong");
    node_sends(talk, FRAME_PONG, "", 0);
}

CONVERSATION(shows_a_sign_of_life_that_asks_for_none)
{
    assert_int_equal(client_beat(&talk->client), -ENOTCONN);
    alice_connects(talk);
    welcomes(talk, ",\"limits\":{\"commandsUnansweredMax\":1}");
    for (unsigned i = 0; i < 3; i++) { /* it is no command that credit would count */
        assert_int_equal(client_beat(&talk->client), 0);
        node_reads(talk);
        node_hears(talk, "pong");
    }
    assert_int_equal(client_ping(&talk->client, 1), 0);
    assert_int_equal(client_close(&talk->client, PROTOCOL_CLOSE_NORMAL), 0);
    assert_int_equal(client_beat(&talk->client), -ENOTCONN);
}

CONVERSATION(closes)
{
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":1");
    assert_int_equal(client_close(&talk->client, PROTOCOL_CLOSE_NORMAL), 0);
    node_reads(talk);
    node_hears(talk, "close 1000 ");
    assert_int_equal(client_close(&talk->client, PROTOCOL_CLOSE_NORMAL), -ENOTCONN);
    assert_int_equal(client_ping(&talk->client, 1), -ENOTCONN);
    /* What is written now waits for the next connection. */
    assert_int_equal(alice_writes(talk, 2, "late"), 1);
    assert_int_equal(client_ack(&talk->client, 1), 0);
    node_closes(talk, 1000, "");
    alice_hears(talk, "closed 1000 by node: ");
    node_hears(talk, "");
    alice_connects(talk);
    welcomes(talk, "");
    node_hears(talk, "{\"ack\":{\"inboxNumber\":\"1\"}}");
    node_hears(talk, COMMAND("1", "late"));
}

CONVERSATION(hears_why_it_was_closed)
{
    alice_connects(talk);
    welcomes(talk, "");
    node_closes(talk, PROTOCOL_CLOSE_REPLACED, "this device connected anew");
    node_hears(talk, "close 4002 ");
    alice_hears(talk, "closed 4002 by node: this device connected anew");
    /* What follows a close is nobody's. */
    alice_receives(talk, "anything", 8);
    alice_connects(talk);
    node_closes(talk, WEBSOCKET_CODE_NONE, NULL);
    node_hears(talk, "close 1005 ");
    alice_hears(talk, "closed 1005 by node: ");
}

static void
leaves_a_node_that_makes_no_sense(void **state)
{
    (void)state;
    static const char *const nonsense[][2] = {
        {"{\"pong\":{}}", "an event before the welcome"},
        {"{\"welcome\":{}}", "a welcome for nobody"},
        {"{\"welcome\":{\"userId\":1,\"device\":4}}", "a welcome for another device"},
        {"w{\"welcome\":{\"userId\":1,\"device\":3}}", "a second welcome"},
        {"w{\"newMessage\":{}}", "a message without id, chat or sender"},
        {"w{\"newMessage\":{\"id\":{},\"chat\":{},\"sender\":{}}}", "a message with no proper id"},
        {"w{\"newMessage\":{\"id\":{\"number\":1,\"device\":65536},\"chat\":{},\"sender\":{}}}",
         "a message with no proper id"},
        {"w{\"newMessage\":{\"inboxNumber\":9,\"id\":{\"number\":1},\"chat\":{},\"sender\":{}}}",
         "inbox numbers don't rise"},
        {"w{\"receipts\":{}}", "a chat's state without chat"},
        {"w{\"messageChanged\":{\"inboxNumber\":1}}", "a change without id, chat or sender"},
        {"w{\"answer\":{\"number\":1,\"sent\":{}}}", "an answer without the message's id"},
    };
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
        struct talk talk;
        talk_init(&talk, i % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY);
        /* An earlier connection, on which alice was welcomed as device 3. */
        alice_connects(&talk);
        welcomes(&talk, "");
        alice_connects(&talk);
        const char *json = nonsense[i][0];
        if (*json == 'w') {
            json++;
            welcomes(&talk, "");
            bob_writes(&talk, 9, 1);
            alice_hears(&talk, "message 9 2/1/1 \"hey\"");
        }
        node_says(&talk, json);
        char line[200];
        snprintf(line, sizeof(line), "closed 1002 by us: %s", nonsense[i][1]);
        alice_hears(&talk, line);
        snprintf(line, sizeof(line), "close 1002 %s", nonsense[i][1]);
        node_hears(&talk, line);
        talk_fini(&talk);
    }
}

static void
leaves_a_node_that_breaks_the_form(void **state)
{
    (void)state;
    struct talk talk;
    talk_init(&talk, PROTOCOL_JSON);
    alice_connects(&talk);
    node_sends(&talk, FRAME_TEXT, "{\"pong\":1}", 10);
    alice_hears(&talk, "closed 1002 by us: pong: not an object");
    node_hears(&talk, "close 1002 pong: not an object");
    alice_connects(&talk);
    node_sends(&talk, FRAME_BINARY, "\x32\x00", 2);
    assert_true(strncmp(talk.told[0], "closed 1003 by us: ", 19) == 0);
    talk_fini(&talk);
    talk_init(&talk, PROTOCOL_BINARY);
    alice_connects(&talk);
    node_sends(&talk, FRAME_TEXT, "{}", 2);
    assert_true(strncmp(talk.told[0], "closed 1003 by us: ", 19) == 0);
    talk_fini(&talk);
}

/* ---- At rest ---- */

CONVERSATION(is_small_at_rest)
{
    assert_true(sizeof(talk->client) <= 320);
    alice_connects(talk);
    welcomes(talk, ",\"nextCommand\":1");
    assert_int_equal(client_held_bytes(&talk->client), 0);
    bob_writes(talk, 1, 1);
    alice_hears(talk, "message 1 2/1/1 \"hey\"");
    assert_true(sizeof(talk->client) + client_held_bytes(&talk->client) < 1024);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a token goes with the upgrade request, and the welcome is the first event",
             logs_in_with_a_token),
        SPEC("a token may go in a frame instead", logs_in_with_a_token_in_a_frame),
        SPEC("a password goes in a frame, never in the request", logs_in_with_a_password),
        SPEC("a refused login is told, and so is the close that follows", hears_a_refused_login),
        SPEC("a refused upgrade is told with its status, and another may be tried",
             hears_a_refused_upgrade),
        SPEC("a new connection may begin in any state of the old one", begins_anew_in_any_state),
        SPEC("a stream that is no WebSocket is left", leaves_what_is_no_websocket),
        SPEC("a token that would break the request is refused",
             refuses_texts_that_cant_stand_in_a_request),
        SPEC("messages are numbered from the welcome's next command on", numbers_its_messages),
        SPEC("long texts and short ones come as they were written", writes_texts_of_any_length),
        SPEC("after a reconnect the unanswered messages are sent again, in order, as they were",
             sends_again_what_was_not_answered),
        SPEC("a device that has kept its count goes on with it, whatever the node says",
             goes_on_with_its_own_number),
        SPEC("an earlier process's messages are restored under their numbers", restores_an_outbox),
        SPEC("no message is numbered beyond the window of the oldest unanswered one",
             stays_within_the_window),
        SPEC("no more commands are unanswered on the wire than the node allows",
             stays_within_the_credit),
        SPEC("a refusal that passes keeps the message, any other drops it",
             keeps_what_passes_and_drops_what_does_not),
        SPEC("what a node would refuse as malformed is refused before it is numbered",
             writes_no_frame_that_a_node_refuses),
        SPEC("messages and receipts are told, acknowledgements and read marks written",
             hears_and_acknowledges),
        SPEC("what was given before is told as a duplicate, by inbox number and by id",
             tells_what_came_before),
        SPEC("an inbox number is remembered when the id no longer is",
             remembers_more_than_the_last_ids),
        SPEC("an acknowledgement that the node didn't get is said again after the welcome",
             says_again_what_the_node_forgot),
        SPEC("a resync is told and acknowledged like an entry", starts_afresh_after_a_resync),
        SPEC("events and results of a newer node are passed over", passes_over_what_is_newer),
        SPEC("pings of the WebSocket are answered", answers_pings),
        SPEC("a sign of life that asks for none is a pong, and no command",
             shows_a_sign_of_life_that_asks_for_none),
        SPEC("a close is said once, and what is written later waits for the next connection",
             closes),
        SPEC("the node's reason for a close is told", hears_why_it_was_closed),
        SPEC("a node that makes no sense is left, and told why", leaves_a_node_that_makes_no_sense),
        SPEC("a node that breaks the form is left", leaves_a_node_that_breaks_the_form),
        SPEC("a client at rest holds less than 1 KiB", is_small_at_rest),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
