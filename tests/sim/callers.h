/* SPDX-License-Identifier: Apache-2.0 */
/* callers.h - Alice and Bob with two devices each, and Carol with one, who call each other.
 *
 *     callers_begin(seed);
 *     callers_ring(7);
 *     callers_say(&callers.bob[0], "{\"callAnswer\":{\"call\":#7}}");
 *     (void)callers_await(&callers.alice[0], "\"ANSWERED\"");
 *     callers_end();
 *
 * In what is said and awaited @a, @b and @c stand for their ids, and #N for the id of the call that
 * Alice's first device began as its command N. One town at a time.
 */
#pragma once

#include "tests/sim/wire.h"

struct callers {
    struct world world;
    struct wire alice[2], bob[2], carol;
    uint64_t alice_id, bob_id, carol_id;
    char tokens[5][PROTOCOL_TOKEN_BYTES_MAX + 1]; /* in this order */
};
extern struct callers callers;

enum { CALLERS_RING_MS = 20000, CALLERS_LOOKS_MS = 100000 };

/* A world in which a call rings for CALLERS_RING_MS; all have enrolled and are at rest. */
void callers_begin(uint64_t seed);
/* The same, with more to set, and a guest. */
void callers_begin_with(uint64_t seed, void (*set)(struct settings *settings),
                        struct ln_child guest);
void callers_end(void);

void callers_say(struct wire *wire, const char *text);
/* The next frame with this in it, whatever came before; the test fails when it does not come. */
const char *callers_await(struct wire *wire, const char *part);
/* The same of an entry about a call; it is acknowledged. */
const char *callers_await_call(struct wire *wire, const char *part);
/* Says it with this ref, and is answered with this in the answer; what else comes is left to be
 * awaited. */
void callers_ask(struct wire *wire, unsigned ref, const char *text, const char *part);
/* Whether a frame with this in it has come, or comes within so long, that nobody has asked for;
 * what there was is passed over. */
bool callers_hear(struct wire *wire, uint64_t ms, const char *part);
/* How many of all the frames that have come so far have this in them. */
unsigned callers_count(const struct wire *wire, const char *part);
/* Goes; comes back. */
void callers_leave(struct wire *wire);
void callers_return(struct wire *wire);
/* Alice's first device calls Bob, as its command `number`, and all of Bob's devices that are there
 * ring. */
void callers_ring(unsigned number);
/* And Bob's first device answers. */
void callers_talk(unsigned number);
