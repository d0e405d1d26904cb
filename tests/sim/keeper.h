/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.h - a device of one of two people, which keeps all that it is told, as an app would show
 * it: both chats, what became of their messages, how far everybody got, what its user has set,
 * calls.
 *
 *     keeper_says(&keeper, "\"sendMessage\":{...}");     under the next number
 *     keeper_takes_in(&keeper);                         what has come by now
 *     wire_end(&keeper.wire);
 *     keeper_returns(&keeper, &world);                  says again what was not answered
 *
 * What it keeps outlives its connections and the node.
 */
#pragma once

#include "runtime/check.h"
#include "tests/sim/wire.h"

enum {
    KEEPER_MESSAGES_MAX = 256,
    KEEPER_CALLS_MAX = 64,
    KEEPER_COMMANDS_MAX = 256,
    KEEPER_COMMAND_BYTES = 320,
    KEEPER_TEXT_BYTES = 24,
    KEEPER_HANDLE_BYTES = 64,
    KEEPER_STATES = 3,
    KEEPER_HOLES_MAX = 8,
};

/* What a message is shown by, and what it says now. */
struct kept_message {
    uint64_t time_ms, user, device, number;
    uint64_t chat_number;
    char text[KEEPER_TEXT_BYTES]; /* "": it was deleted */
    bool hidden;
    char handle[KEEPER_HANDLE_BYTES]; /* of its user's own */
    uint64_t expires_at_ms;           /* 0: it stays */
};

struct kept_chat {
    struct kept_message messages[KEEPER_MESSAGES_MAX];
    unsigned count;
    uint64_t last; /* of the peer's; of the group's */
    uint64_t read; /* by the user */
};

/* How far the peer has got in what the user wrote. */
struct kept_ticks {
    uint64_t delivered, read;
    uint64_t unknown;
    unsigned holes_count;
    struct {
        uint64_t after, to;
    } holes[KEEPER_HOLES_MAX];
};

struct kept_call {
    uint64_t user, device, number;
    uint64_t ended_at_ms;
    char progress[KEEPER_TEXT_BYTES], outcome[KEEPER_TEXT_BYTES];
};

struct keeper {
    struct wire wire;
    unsigned at; /* frames of the wire that it has taken in */
    char token[PROTOCOL_TOKEN_BYTES_MAX + 1];
    uint64_t user, peer, group;
    uint64_t inbox; /* the highest entry that it has stored */
    uint64_t acked; /* and said so */
    struct kept_chat two, many;
    struct kept_ticks ticks;
    struct kept_ticks listed;       /* as listChats told last */
    bool came[KEEPER_MESSAGES_MAX]; /* of the peer's, by number */
    char group_name[KEEPER_TEXT_BYTES];
    char states[KEEPER_STATES][KEEPER_TEXT_BYTES]; /* "": at its default */
    struct kept_call calls[KEEPER_CALLS_MAX];
    unsigned calls_count;
    unsigned said;
    char commands[KEEPER_COMMANDS_MAX][KEEPER_COMMAND_BYTES];
    bool answered[KEEPER_COMMANDS_MAX];
    unsigned accepted[2]; /* messages that stay, to the peer, to the group */
    uint64_t unread_told;
    bool unread_known;
    unsigned resyncs;
};

/* Names of the states, in their places. */
extern const char *const keeper_state_names[KEEPER_STATES];

/* What an app shows beside the user's message of that number: 'r'ead, 'd'elivered, 's'ent, 'x': it
 * has expired, '?': nothing is known. */
char keeper_tick(const struct kept_ticks *ticks, uint64_t number);

/* The number behind `"name":`; 0: it is left out. */
uint64_t keeper_number(const char *frame, const char *name);

void keeper_says(struct keeper *keeper, const char *format, ...) PRINTF_LIKE(2, 3);
/* Everything that it has stored. */
void keeper_acks(struct keeper *keeper);
void keeper_takes_in(struct keeper *keeper);
/* Comes back, and says again what was not answered. */
void keeper_returns(struct keeper *keeper, struct world *world);
/* Nothing is unanswered, or unacknowledged. */
bool keeper_settled(const struct keeper *keeper);
