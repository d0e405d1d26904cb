/* SPDX-License-Identifier: Apache-2.0 */
/* A hundred actors; each sends a ping to all others, and when all have answered it does so again,
 * until it has seen 20,000 round trips. */
#include "bench/runtime/measure.h"

#include <string.h>

enum {
    ACTORS = 100,
    PEERS = ACTORS - 1,
    LAPS = 20000 / PEERS,
    GO = 1,
    PING,
    PONG,
    DONE,
};

struct talker {
    ln_pid root;
    ln_pid peers[ACTORS];
    uint64_t trips, pings;
};

static void
ping_all(const struct talker *talker)
{
    for (unsigned i = 0; i < ACTORS; i++) {
        if (talker->peers[i] != ln_self()) {
            struct ln_msg *ping = ln_msg_new(PING, LN_DURABLE, 0);
            ln_send(talker->peers[i], &ping);
        }
    }
}

static void
talker_handle(void *state, struct ln_msg **msg)
{
    struct talker *talker = state;
    switch ((*msg)->tag) {
    case GO:
        talker->root = (*msg)->from;
        memcpy(talker->peers, (*msg)->data, sizeof talker->peers);
        ping_all(talker);
        break;
    case PING:
        talker->pings++;
        (*msg)->tag = PONG;
        ln_send((*msg)->from, msg);
        break;
    case PONG:
        if (++talker->trips % PEERS == 0 && talker->trips < (uint64_t)LAPS * PEERS) {
            ping_all(talker);
        }
        break;
    default:
        ln_exit(LN_EXIT_ERROR, "not a message for a talker");
    }
    if (talker->trips == (uint64_t)LAPS * PEERS && talker->pings == talker->trips) {
        measure_send(talker->root, DONE, talker->trips + talker->pings);
    }
}
static const struct ln_behaviour talker = {
    .name = "talker", .state_bytes = sizeof(struct talker), .handle = talker_handle};

static void
play(void)
{
    static ln_pid pids[ACTORS];
    for (unsigned i = 0; i < ACTORS; i++) {
        pids[i] = measure_spawn(&talker, NULL, 0, i % ln_schedulers());
    }
    uint64_t since_ns = measure_now_ns();
    for (unsigned i = 0; i < ACTORS; i++) {
        struct ln_msg *go = ln_msg_new(GO, LN_DURABLE, sizeof pids);
        memcpy(go->data, pids, sizeof pids);
        ln_send(pids[i], &go);
    }
    uint64_t total = 0;
    for (unsigned i = 0; i < ACTORS; i++) {
        total += measure_receive(DONE);
    }
    ln_actor_check(total == UINT64_C(2) * ACTORS * LAPS * PEERS);
    measure_rate("all to all", since_ns, total);
    for (unsigned i = 0; i < ACTORS; i++) {
        ln_kill(pids[i], LN_EXIT_KILLED);
    }
}

int
main(int count, char **arguments)
{
    return measure_main(&(struct measure){.schedulers = 2, .play = play}, count, arguments);
}
