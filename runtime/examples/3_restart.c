/* SPDX-License-Identifier: Apache-2.0 */
/* Step 3: a crash, and a supervisor that starts again what crashed.
 *
 *     ninja -C build/release 3_restart && build/release/runtime/examples/3_restart
 *
 * The counter is found by its name, so that those who use it need not know that it is another one
 * now. What it had counted is lost: what must outlive a crash belongs elsewhere. */
#include <linnet/node.h>
#include <linnet/supervisor.h>

#include <stdio.h>

enum tag { COUNT = 1, CRASH };

struct counter {
    unsigned count;
};

static int
counter_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    (void)printf("counter: started\n");
    return 0;
}

static void
counter_handle(void *state, struct ln_msg **msg)
{
    struct counter *counter = state;
    ln_actor_check((*msg)->tag != CRASH);
    (void)printf("counter: %u\n", ++counter->count);
}

static void
counter_terminate(void *state, const struct ln_reason *reason)
{
    (void)state;
    (void)printf("counter: ends, %s: %s\n", ln_exit_kind_name(reason->kind), reason->text);
}

static const struct ln_behaviour counter = {.name = "counter",
                                            .state_bytes = sizeof(struct counter),
                                            .init = counter_init,
                                            .handle = counter_handle,
                                            .terminate = counter_terminate};

static const struct ln_child children[] = {
    {.id = "counter", .name = "counter", .behaviour = &counter, .restart = LN_PERMANENT},
};
/* More than three restarts within five seconds would end the supervisor, too. */
static const struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 1};

static void
root_run(void *state)
{
    static const enum tag letters[] = {COUNT, COUNT, CRASH, COUNT};
    (void)state;
    ln_pid supervisor;
    if (ln_start(&ln_supervisor, &tree, sizeof tree, NULL, &supervisor) != 0) {
        ln_exit(LN_EXIT_ERROR, "the tree did not grow");
    }
    for (unsigned i = 0; i < 4; i++) {
        struct ln_msg *msg = ln_msg_new(letters[i], LN_DURABLE, 0);
        ln_send(ln_whereis("counter"), &msg);
        (void)ln_sleep(10);
    }
    uint64_t monitor = ln_monitor(supervisor);
    struct ln_msg *down;
    ln_kill(supervisor, LN_EXIT_SHUTDOWN);
    if (ln_receive(1000, &down) == 0) {
        (void)printf("root: %s\n", down->ref == monitor ? "the tree has ended" : "who is that?");
        ln_msg_free(&down);
    }
}

static const struct ln_behaviour root = {.name = "root", .run = root_run};

int
main(void)
{
    return ln_node_run(&root, NULL, 0);
}
