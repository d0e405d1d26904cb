/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of actors with fan-out 10 and a million leaves. A leaf tells its parent its number and
 * ends, every other one the sum of what its children told. */
#include "bench/runtime/measure.h"

enum { LEAVES = 1000000, FAN_OUT = 10, SUM = 1 };

struct node {
    ln_pid parent;
    uint64_t first, leaves, sum;
    unsigned waits;
    bool top;
};

static const struct ln_behaviour node;

static int
node_init(void *state, const void *argument)
{
    struct node *mine = state;
    *mine = *(const struct node *)argument;
    if (mine->leaves == 1) {
        measure_send(mine->parent, SUM, mine->first);
        ln_stop(LN_EXIT_NORMAL, "told");
        return 0;
    }
    mine->waits = FAN_OUT;
    struct node child = {.parent = ln_self(), .leaves = mine->leaves / FAN_OUT};
    for (unsigned i = 0; i < FAN_OUT; i++) {
        child.first = mine->first + i * child.leaves;
        (void)measure_spawn(&node, &child, sizeof child,
                            mine->top ? i % ln_schedulers() : ln_scheduler());
    }
    return 0;
}

static void
node_handle(void *state, struct ln_msg **msg)
{
    struct node *mine = state;
    mine->sum += measure_number(*msg);
    if (--mine->waits == 0) {
        measure_send(mine->parent, SUM, mine->sum);
        ln_stop(LN_EXIT_NORMAL, "told");
    }
}
static const struct ln_behaviour node = {
    .name = "node", .state_bytes = sizeof(struct node), .init = node_init, .handle = node_handle};

static void
play(void)
{
    struct node argument = {.parent = ln_self(), .leaves = LEAVES, .top = true};
    uint64_t since_ns = measure_now_ns();
    (void)measure_spawn(&node, &argument, sizeof argument, 0);
    ln_actor_check(measure_receive(SUM) == (uint64_t)LEAVES * (LEAVES - 1) / 2);
    measure_tell(ln_schedulers() == 1 ? "tree" : "tree, 2 schedulers", "ms",
                 (double)(measure_now_ns() - since_ns) / 1e6);
}

int
main(int count, char **arguments)
{
    return measure_main(&(struct measure){.schedulers = 1, .play = play}, count, arguments);
}
