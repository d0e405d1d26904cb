/* SPDX-License-Identifier: Apache-2.0 */
/* Two actors send one message to and fro. With two schedulers each has its own. */
#include "bench/runtime/measure.h"

enum { TRIPS = 1000000, TRIPS_ACROSS = 100000, BALL, DONE };

struct player {
    ln_pid root;
    uint64_t left, seen;
};

static int
player_init(void *state, const void *argument)
{
    struct player *player = state;
    *player = *(const struct player *)argument;
    return 0;
}

static void
player_handle(void *state, struct ln_msg **msg)
{
    struct player *player = state;
    player->seen++;
    /* Who was given no number of trips returns whatever comes. */
    if (player->left > 0 && --player->left == 0) {
        measure_send(player->root, DONE, player->seen);
    } else {
        ln_send((*msg)->from, msg);
    }
}
static const struct ln_behaviour player = {.name = "player",
                                           .state_bytes = sizeof(struct player),
                                           .init = player_init,
                                           .handle = player_handle};

/* Serves the first ball as if the other had sent it. */
static void
server_handle(void *state, struct ln_msg **msg)
{
    const struct player *server = state;
    if ((*msg)->from == server->root) {
        ln_send(measure_number(*msg), msg);
    } else {
        player_handle(state, msg);
    }
}
static const struct ln_behaviour server = {.name = "server",
                                           .state_bytes = sizeof(struct player),
                                           .init = player_init,
                                           .handle = server_handle};

static void
play(void)
{
    bool across = ln_schedulers() > 1;
    uint64_t trips = across ? TRIPS_ACROSS : TRIPS;
    struct player serves = {.root = ln_self(), .left = trips};
    struct player returns = {.root = ln_self()};
    ln_pid here = measure_spawn(&server, &serves, sizeof serves, 0);
    ln_pid there = measure_spawn(&player, &returns, sizeof returns, across ? 1 : 0);
    uint64_t since_ns = measure_now_ns();
    measure_send(here, BALL, there);
    ln_actor_check(measure_receive(DONE) == trips);
    measure_ns(across ? "ping-pong across" : "ping-pong", since_ns, 2 * trips);
    ln_kill(here, LN_EXIT_KILLED);
    ln_kill(there, LN_EXIT_KILLED);
}

int
main(int count, char **arguments)
{
    return measure_main(&(struct measure){.schedulers = 1, .play = play}, count, arguments);
}
