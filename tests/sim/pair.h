/* SPDX-License-Identifier: Apache-2.0 */
/* pair.h - Alice and Bob, who have written to each other, and what they say and hear about
 * presence.
 *
 *     pair_begin(seed);
 *     pair_say(&pair.bob, PAIR_WATCH, pair.alice_id);
 *     (void)pair_expect(&pair.bob, "\"presence\"");
 *     pair_end();
 *
 * One pair at a time.
 */
#pragma once

#include "actors/presence.h"
#include "tests/seeds.h"
#include "tests/sim/wire.h"

enum { SEEDS = SEEDS_OF(4) };
#define SECOND UINT64_C(1000)
#define INTERVAL_MS (5 * SECOND)
/* Two signs may be missed; the walk is a second late at most. */
#define LEASE_MS (15 * SECOND)

struct pair {
    struct world world;
    struct wire alice, bob;
    uint64_t alice_id, bob_id;
};
extern struct pair pair;

/* Commands; an id goes to the place of the #. */
#define PAIR_ACTIVE "{\"setActive\":{\"foreground\":true}}"
#define PAIR_AWAY "{\"setActive\":{}}"
#define PAIR_WATCH "{\"ref\":\"7\",\"watchPresence\":{\"chat\":{\"userId\":\"#\"}}}"
#define PAIR_UNWATCH "{\"ref\":\"8\",\"unwatchPresence\":{\"chat\":{\"userId\":\"#\"}}}"
#define PAIR_GET "{\"ref\":\"9\",\"getPresence\":{\"chat\":{\"userId\":\"#\"}}}"
#define PAIR_TYPES "{\"setTyping\":{\"chat\":{\"userId\":\"#\"},\"kind\":\"TYPING\"}}"
#define PAIR_RECORDS "{\"setTyping\":{\"chat\":{\"userId\":\"#\"},\"kind\":\"RECORDING\"}}"
#define PAIR_STOPS "{\"setTyping\":{\"chat\":{\"userId\":\"#\"}}}"
#define PAIR_WRITE "{\"sendMessage\":{\"chat\":{\"userId\":\"#\"},\"text\":\"hello\"}}"

/* A world in which signs of life are due every INTERVAL_MS, a connection watches three users, and a
 * user is watched by two connections; and both in it, met and at rest. */
void pair_begin(uint64_t seed);
/* The second step alone. */
void pair_enrol(uint64_t seed);
void pair_end(void);

uint64_t pair_now_ms(void);
/* A command with the id in the place of its #. */
void pair_say(struct wire *wire, const char *text, uint64_t id);
/* The next frame that is no message, no receipt and no `sent`, within so long; NULL: none. */
const char *pair_hear(struct wire *wire, uint64_t ms);
/* The same, and the test fails when it is not there or does not have `part` in it. */
const char *pair_expect(struct wire *wire, const char *part);
/* The next frame with this in it, whatever came before. */
const char *pair_await(struct wire *wire, const char *part);
/* What has come is passed over. */
void pair_hush(struct wire *wire);
/* One writes to the other, who acknowledges. */
void pair_meet(struct wire *from, uint64_t to, struct wire *recipient);

/* lastSeenMs of a frame; 0: it has none. */
uint64_t pair_last_seen(const char *frame);
/* Instants are kept in seconds. */
void pair_assert_seen(uint64_t seen_ms, uint64_t at_ms);
struct presence_size pair_size(void);
