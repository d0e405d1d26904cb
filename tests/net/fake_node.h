/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.h - a client of ours and a node that says what the test writes, over a pair of byte
 * streams.
 *
 * Both directions are written in JSON, whatever form the connection has; what the client tells its
 * owner is a line of text. A conversation reads like its transcript:
 *
 *     alice_connects(&talk);
 *     node_says(&talk, "{\"welcome\":{\"userId\":1,\"device\":1,\"nextCommand\":1}}");
 *     alice_hears(&talk, "welcome 1/1");
 *     assert_int_equal(alice_writes(&talk, 2, "hi"), 1);
 *     node_hears(&talk, "{\"number\":\"1\",\"sendMessage\":{\"chat\":{...},\"text\":\"hi\"}}");
 */
#pragma once
#include "net/client.h"

struct talk {
    struct client client;
    struct client_config config;
    struct client_login login;
    struct arena client_arena;
    struct arena node_arena;
    struct websocket node;
    bool node_open;      /* it has answered the upgrade */
    bool node_refuses;   /* it answers the next upgrade with 401 */
    size_t piece_bytes;  /* the client's input comes in pieces of this size; 0: whole */
    uint64_t chance;     /* state of the client's random numbers */
    char token[64];      /* that came with the upgrade */
    char heard[64][600]; /* commands the node got, and has not been asked for */
    unsigned heard_first, heard_end;
    char told[64][300]; /* events the client told, and has not been asked for */
    unsigned told_first, told_end;
};

/* True while a call into the client runs: for a test that takes its memory away. A call that then
 * says -ENOMEM is made again. */
extern bool talk_in_client;

void talk_init(struct talk *talk, enum protocol_form form);
void talk_fini(struct talk *talk);

/* A new connection: request, answer and all that can be done without the test's word. */
void alice_connects(struct talk *talk);

/* The client's output goes to the node, now. Commands do this by themselves. */
void node_reads(struct talk *talk);

/* The node's next command was this; "" if there was none. "close 1000 reason" for a close, "pong"
 * for a pong. */
void node_hears(struct talk *talk, const char *json);

void node_says(struct talk *talk, const char *json);
void node_sends(struct talk *talk, enum frame_opcode opcode, const void *bytes, size_t count);
void node_closes(struct talk *talk, unsigned code, const char *reason);

/* The client's next event was this; "" if there was none. */
void alice_hears(struct talk *talk, const char *text);

/* client_send of a text to a user; the number or an error. */
int alice_writes(struct talk *talk, uint64_t user_id, const char *text);
/* What the node hears of that, when it is for Bob, user 2. */
#define COMMAND(number, text)                                                                   \
    "{\"number\":\"" number "\",\"ref\":\"1002\",\"sendMessage\":{\"chat\":{\"userId\":\"2\"}," \
    "\"text\":\"" text "\"}}"

/* The node tells of a message of Bob's, "hey". */
void bob_writes(struct talk *talk, unsigned inbox_number, unsigned number);

/* What arrives at the client as it is. */
void alice_receives(struct talk *talk, const void *bytes, size_t count);
