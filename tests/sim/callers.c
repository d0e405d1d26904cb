/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/callers.h"

#include "tests/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct callers callers;

static struct wire *const wires[] = {&callers.alice[0], &callers.alice[1], &callers.bob[0],
                                     &callers.bob[1], &callers.carol};
static const char *const names[] = {"alice", "alice", "bob", "bob", "carol"};
enum { PATIENCE_MS = 5000 };
enum { WIRES = sizeof wires / sizeof wires[0], TEXT_BYTES = 2048 };

void
callers_begin_with(uint64_t seed, void (*set)(struct settings *settings), struct ln_child guest)
{
    memset(&callers, 0, sizeof callers);
    world_fresh(&callers.world, seed);
    callers.world.set = set;
    callers.world.guest = guest;
    world_begin(&callers.world);
    for (int i = 0; i < WIRES; i++) {
        (void)wire_join(wires[i], &callers.world, i % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY,
                        names[i]);
        memcpy(callers.tokens[i], wires[i]->token, sizeof wires[i]->token);
    }
    callers.alice_id = wire_number(callers.alice[0].heard[0], "userId");
    callers.bob_id = wire_number(callers.bob[0].heard[0], "userId");
    callers.carol_id = wire_number(callers.carol.heard[0], "userId");
    world_run(&callers.world, 50); /* the first devices have been told of the second */
}

static void
set(struct settings *settings)
{
    settings->limits.call_ring_ms = CALLERS_RING_MS;
}

void
callers_begin(uint64_t seed)
{
    callers_begin_with(seed, set, (struct ln_child){0});
}

void
callers_end(void)
{
    for (int i = 0; i < WIRES; i++) {
        if (wires[i]->world != NULL) {
            wire_end(wires[i]);
        }
    }
    world_close(&callers.world);
}

/* ------------------------------------------------------------------------------------- speaking */

static uint64_t
id_of(char letter)
{
    return letter == 'a' ? callers.alice_id : letter == 'b' ? callers.bob_id : callers.carol_id;
}

static void
fill(const char *text, char out[TEXT_BYTES])
{
    size_t at = 0;
    for (; *text != '\0'; text++) {
        if (text[0] == '@') {
            at += (size_t)snprintf(out + at, TEXT_BYTES - at, "%" PRIu64, id_of(*++text));
        } else if (text[0] == '#') {
            size_t digits = strspn(text + 1, "0123456789");
            at += (size_t)snprintf(out + at, TEXT_BYTES - at,
                                   "{\"userId\":\"%" PRIu64 "\",\"device\":1,\"number\":\"%.*s\"}",
                                   callers.alice_id, (int)digits, text + 1);
            text += digits;
        } else {
            out[at++] = *text;
        }
        assert_true(at < TEXT_BYTES - 1);
    }
    out[at] = '\0';
}

void
callers_say(struct wire *wire, const char *text)
{
    char command[TEXT_BYTES];
    fill(text, command);
    wire_say(wire, command);
}

const char *
callers_await(struct wire *wire, const char *part)
{
    char wanted[TEXT_BYTES];
    fill(part, wanted);
    const char *frame = wire_hear(wire);
    while (frame != NULL && strstr(frame, wanted) == NULL) {
        frame = wire_hear(wire);
    }
    if (frame == NULL) {
        for (unsigned i = 0; i < wire->heard_count; i++) {
            print_message("heard %s\n", wire->heard[i]);
        }
        fail_msg("never heard %s (closed with %u)", wanted, wire->close_code);
    }
    return frame;
}

const char *
callers_await_call(struct wire *wire, const char *part)
{
    char ack[128];
    const char *frame = callers_await(wire, "{\"call\":{\"inboxNumber\"");
    char wanted[TEXT_BYTES];
    fill(part, wanted);
    if (strstr(frame, wanted) == NULL) {
        fail_msg("expected %s, heard %s", wanted, frame);
    }
    (void)snprintf(ack, sizeof ack, "{\"ack\":{\"inboxNumber\":\"%" PRIu64 "\"}}",
                   wire_number(frame, "inboxNumber"));
    wire_say(wire, ack);
    return frame;
}

/* The first frame from this one on that has the part in it; NULL: none comes. */
static const char *
find(struct wire *wire, unsigned from, const char *part)
{
    for (unsigned ms = 0; ms < PATIENCE_MS; ms++) {
        for (; from < wire->heard_count; from++) {
            if (strstr(wire->heard[from], part) != NULL) {
                return wire->heard[from];
            }
        }
        world_run(wire->world, 1);
    }
    return NULL;
}

void
callers_ask(struct wire *wire, unsigned ref, const char *text, const char *part)
{
    char command[TEXT_BYTES];
    char answer[64];
    unsigned from = wire->heard_count;
    (void)snprintf(command, sizeof command, "{\"ref\":\"%u\",%s}", ref, text);
    (void)snprintf(answer, sizeof answer, "\"ref\":\"%u\"", ref);
    callers_say(wire, command);
    const char *frame = find(wire, from, answer);
    if (frame == NULL || strstr(frame, part) == NULL) {
        fail_msg("%s: expected %s, heard %s", command, part, frame != NULL ? frame : "nothing");
    }
}

bool
callers_hear(struct wire *wire, uint64_t ms, const char *part)
{
    bool found = false;
    (void)wire_waiting(wire, ms);
    for (; wire->heard_at < wire->heard_count; wire->heard_at++) {
        found = found || strstr(wire->heard[wire->heard_at], part) != NULL;
    }
    return found;
}

unsigned
callers_count(const struct wire *wire, const char *part)
{
    char wanted[TEXT_BYTES];
    unsigned count = 0;
    fill(part, wanted);
    for (unsigned i = 0; i < wire->heard_count; i++) {
        count += strstr(wire->heard[i], wanted) != NULL ? 1 : 0;
    }
    return count;
}

/* ----------------------------------------------------------------------------- coming and going */

void
callers_leave(struct wire *wire)
{
    wire_end(wire);
    wire->world = NULL; /* it is not there */
    world_run(&callers.world, 50);
}

void
callers_return(struct wire *wire)
{
    for (int i = 0; i < WIRES; i++) {
        if (wires[i] == wire) {
            wire_open(wire, &callers.world, i % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY);
            wire_login(wire, callers.tokens[i]);
        }
    }
}

void
callers_ring(unsigned number)
{
    char offer[256];
    (void)snprintf(offer, sizeof offer,
                   "\"number\":\"%u\",\"callOffer\":{\"chat\":{\"userId\":\"@b\"},\"content\":"
                   "\"b2ZmZXI=\"}",
                   number);
    callers_ask(&callers.alice[0], 900 + number, offer, "\"sent\"");
    for (int i = 0; i < 2; i++) {
        if (callers.bob[i].world != NULL) {
            (void)callers_await_call(&callers.bob[i], "\"content\":\"b2ZmZXI=\"");
        }
    }
    for (int i = 0; i < 2; i++) {
        (void)callers_await_call(&callers.alice[i], "\"state\":\"RINGING\"");
    }
}

void
callers_talk(unsigned number)
{
    char answer[128];
    callers_ring(number);
    (void)snprintf(answer, sizeof answer, "\"callAnswer\":{\"call\":#%u,\"content\":\"YW5zd2Vy\"}",
                   number);
    callers_ask(&callers.bob[0], 800 + number, answer, "\"done\"");
    (void)callers_await_call(&callers.alice[0], "\"content\":\"YW5zd2Vy\"");
    (void)callers_await_call(&callers.alice[1], "\"state\":\"ANSWERED\"");
    (void)callers_await_call(&callers.bob[0], "\"state\":\"ANSWERED\"");
    (void)callers_await_call(&callers.bob[1], "\"answeringDevice\":1");
}
