/* SPDX-License-Identifier: Apache-2.0 */
/* sleeper.h - Bob has left a subscription and is offline, Alice is there, and the operator's server
 * wakes his device.
 *
 *     sleeper_begin(seed);
 *     sleeper_say();
 *     world_run(&sleeper.world, QUIET_MS);
 *     assert_int_equal(sleeper.hook.count, 1);
 *     sleeper_end();
 *
 * One bedroom at a time.
 */
#pragma once

#include "tests/sim/hook.h"
#include "tests/sim/wire.h"

enum {
    DELAY_MS = 1000,
    INTERVAL_MS = 5000,
    RETRY_MS = 500,
    ATTEMPTS_MAX = 4,
    TIMEOUT_MS = 2000,
    RING_MS = 10000,
    QUIET_MS = 60000, /* longer than all of them together */
};

struct sleeper {
    struct world world;
    struct wire alice, bob;
    struct hook hook;
    char alice_token[PROTOCOL_TOKEN_BYTES_MAX + 1], bob_token[PROTOCOL_TOKEN_BYTES_MAX + 1];
};
extern struct sleeper sleeper;

void sleeper_begin(uint64_t seed);
/* The same with other settings: what sleeper_set says, and more. */
void sleeper_begin_with(uint64_t seed, void (*settings)(struct settings *settings));
void sleeper_set(struct settings *settings);
void sleeper_end(void);

/* Somebody more leaves a subscription and goes. */
void sleeper_subscribe(const char *name);
void sleeper_come(struct wire *wire, const char *token);
/* Alice sends a message, to Bob or another one. */
void sleeper_say(void);
void sleeper_say_to(const char *name);
/* The next frame that has `part` in it; what comes before is passed over. */
const char *sleeper_hear_until(struct wire *wire, const char *part);
/* The number of the next message that Bob is shown; he acknowledges it. */
uint64_t sleeper_bob_hears(void);
void sleeper_bob_acknowledges(uint64_t number);
/* Between this push and the next one. */
uint64_t sleeper_pause_ms(unsigned before);
