/* SPDX-License-Identifier: Apache-2.0 */
/* desk.h - an operator at the shell of a node under sim: asks, and waits for the answer.
 *
 *     struct desk desk;
 *     desk_open(&desk, &world);
 *     desk_ask(&desk, "user", "add", "alice");
 *     assert_int_equal(desk.status, SHELL_DONE);
 *     assert_string_equal(desk.document, "...");
 *     desk_close(&desk);
 */
#pragma once

#include "actors/shell_wire.h"
#include "tests/sim/world.h"

struct desk {
    struct world *world;
    struct sim_peer *peer; /* NULL: not connected */
    bool connected, closed;
    char *received;
    size_t bytes;
    unsigned status;      /* of the last answer; 99: there was none */
    const char *next;     /* where its next page begins */
    const char *document; /* its JSON */
};

void desk_open(struct desk *desk, struct world *world);
void desk_close(struct desk *desk);
/* Connects, if it is not. */
void desk_connect(struct desk *desk);
/* Sends bytes as they are. */
void desk_send(struct desk *desk, const void *bytes, size_t count);
/* Lets virtual time pass until an answer is there, or the connection was closed, or `ms` are over.
 * True: an answer. */
bool desk_wait(struct desk *desk, uint64_t ms);
/* Asks in these words and waits for the answer; fails the test when none comes. */
void desk_ask_list(struct desk *desk, const char *const *words, unsigned count);
#define desk_ask(desk, ...)                                              \
    do {                                                                 \
        static const char *const words_[] = {__VA_ARGS__};               \
        desk_ask_list((desk), words_, sizeof words_ / sizeof words_[0]); \
    } while (0)
