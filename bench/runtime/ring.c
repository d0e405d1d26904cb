/* SPDX-License-Identifier: Apache-2.0 */
/* A token goes round a ring of 503 actors, and counts its hops down. Whoever finds it at zero tells
 * its own number. */
#include "bench/runtime/measure.h"

#include <string.h>

enum { ACTORS = 503, HOPS = 5000000, LINK, TOKEN, DONE };

struct knot {
    ln_pid root, next;
    uint64_t number;
};

static int
knot_init(void *state, const void *argument)
{
    struct knot *knot = state;
    *knot = *(const struct knot *)argument;
    return 0;
}

static void
knot_handle(void *state, struct ln_msg **msg)
{
    struct knot *knot = state;
    uint64_t number = measure_number(*msg);
    if ((*msg)->tag == LINK) {
        knot->next = number;
    } else if (number == 0) {
        measure_send(knot->root, DONE, knot->number);
    } else {
        number--;
        memcpy((*msg)->data, &number, sizeof number);
        ln_send(knot->next, msg);
    }
}
static const struct ln_behaviour knot = {
    .name = "knot", .state_bytes = sizeof(struct knot), .init = knot_init, .handle = knot_handle};

static void
play(void)
{
    static ln_pid pids[ACTORS];
    for (unsigned i = 0; i < ACTORS; i++) {
        struct knot argument = {.root = ln_self(), .number = i};
        pids[i] = measure_spawn(&knot, &argument, sizeof argument, 0);
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        measure_send(pids[i], LINK, pids[(i + 1) % ACTORS]);
    }
    uint64_t since_ns = measure_now_ns();
    measure_send(pids[0], TOKEN, HOPS);
    ln_actor_check(measure_receive(DONE) == HOPS % ACTORS);
    measure_ns("ring", since_ns, HOPS);
    for (unsigned i = 0; i < ACTORS; i++) {
        ln_kill(pids[i], LN_EXIT_KILLED);
    }
}

int
main(int count, char **arguments)
{
    return measure_main(&(struct measure){.schedulers = 1, .play = play}, count, arguments);
}
