/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h - a client without manners: says exactly what it is told to, and shows what it hears.
 *
 *     struct wire wire;
 *     wire_open(&wire, &world, PROTOCOL_JSON);
 *     wire_upgrade(&wire, "");
 *     wire_say(&wire, "{\"ping\":{}}");
 *     wire_expect(&wire, "\"UNAUTHENTICATED\"");         the next frame has this in it
 *     assert_int_equal(wire_closed(&wire), PROTOCOL_CLOSE_UNAUTHENTICATED);
 *     wire_end(&wire);
 *
 * Whatever the form on the wire, both directions are JSON here. To be ended before its world is
 * closed; a crash in between cuts it.
 */
#pragma once

#include "tests/sim/world.h"

enum { WIRE_HEARD_MAX = 8192, WIRE_ANSWER_BYTES = 65536 };

struct wire {
    struct world *world;
    struct sim_peer *peer; /* of this life of the world: it ends with it */
    unsigned life;
    enum protocol_form form;
    bool connected;
    bool upgraded;
    bool ended;          /* the stream, by the node */
    unsigned close_code; /* of the node's close frame; 0: there was none */
    struct websocket websocket;
    char answer[WIRE_ANSWER_BYTES]; /* HTTP: head and body */
    size_t answer_bytes;
    char *heard[WIRE_HEARD_MAX];
    unsigned heard_count, heard_at;
    char token[PROTOCOL_TOKEN_BYTES_MAX + 1]; /* as of the last welcome that had one */
};

/* Connects. */
void wire_open(struct wire *wire, struct world *world, enum protocol_form form);
/* The same, and logs in with a password; registers where that is open. The user's id. */
uint64_t wire_join(struct wire *wire, struct world *world, enum protocol_form form,
                   const char *name);
void wire_end(struct wire *wire);
/* Behind its end: it comes back as the device that it was, with the token that it had. */
void wire_return(struct wire *wire);

/* Bytes as they are. */
void wire_send(struct wire *wire, const void *bytes, size_t count);
/* Sends a whole HTTP request, waits for the end of the stream, returns what came. */
const char *wire_ask(struct wire *wire, const char *request);
/* Upgrades /chat with `fields` (each with its CRLF) in the request. */
void wire_upgrade(struct wire *wire, const char *fields);
/* One frame, masked, with this payload. */
void wire_frame(struct wire *wire, enum frame_opcode opcode, const void *bytes, size_t count);
/* A command, in the wire's form. */
void wire_say(struct wire *wire, const char *json);
/* Logs in with a password; registers where that is open. Fails the test when it can't. */
void wire_enrol(struct wire *wire, const char *name);
/* With a token in the upgrade request. Likewise. */
void wire_login(struct wire *wire, const char *token);
/* The same, where the node may be unable to: false, and the stream has ended. */
bool wire_tries_login(struct wire *wire, const char *token);

/* The next frame; NULL: the stream ended before, or nothing came for half a (virtual) minute. Good
 * until the wire's end. */
const char *wire_hear(struct wire *wire);
/* The same, and the test fails when it is not there or does not have `part` in it. */
const char *wire_expect(struct wire *wire, const char *part);
/* Lets `ms` pass; how many frames are there that nobody has asked for. */
unsigned wire_waiting(struct wire *wire, uint64_t ms);
/* Waits until the stream has ended; the code of the close frame. */
unsigned wire_closed(struct wire *wire);
/* The first frame of those heard, from index `from` on, with this in it; NULL: none. */
const char *wire_heard(const struct wire *wire, unsigned from, const char *part);
/* How many those are. */
unsigned wire_heard_times(const struct wire *wire, unsigned from, const char *part);
/* The same as wire_heard of all, and of what comes within a second. */
const char *wire_heard_soon(struct wire *wire, const char *part);
/* Acknowledges all entries of the inbox that were heard, if there are any. */
void wire_acknowledge(struct wire *wire);
/* What was heard is not needed any more. */
void wire_forget(struct wire *wire);
/* The number behind `"name":"` in a frame; the test fails when there is none. */
uint64_t wire_number(const char *frame, const char *name);
/* The same; 0: there is none. */
uint64_t wire_number_in(const char *frame, const char *name);
