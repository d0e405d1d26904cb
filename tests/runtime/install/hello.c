/* SPDX-License-Identifier: Apache-2.0 */
#include <linnet/node.h>
#include <stdio.h>

static void
greet(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)printf("Hello from actor %s!\n", (const char *)(*msg)->data);
}

static void
root_run(void *state)
{
    static const struct ln_behaviour greeter = {.name = "greeter", .handle = greet};
    (void)state;
    for (unsigned char i = 0; i < 2; i++) {
        ln_pid pid;
        struct ln_msg *msg = ln_msg_new(1, LN_DURABLE, 2);
        msg->data[0] = 'A' + i;
        ln_actor_check(ln_spawn(&greeter, NULL, 0, NULL, &pid) == 0);
        ln_send(pid, &msg);
    }
    ln_yield();
}

int
main(void)
{
    static const struct ln_behaviour root = {.name = "root", .run = root_run};
    return ln_node_run(&root, NULL, 0);
}
