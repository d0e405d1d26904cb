/* SPDX-License-Identifier: Apache-2.0 */
/* Step 1: one actor gets one message.
 *
 *     ninja -C build/release 1_hello && build/release/runtime/examples/1_hello
 *
 * A behaviour is a table: a name, how large its state is, what it does with a message. The root is
 * an actor like any other, here a process: a function with a stack of its own. When the root
 * returns, the node ends. */
#include <linnet/node.h>

#include <stdio.h>
#include <string.h>

enum tag { GREET = 1, GREETED };

struct greeter {
    unsigned greeted;
};

static void
greeter_handle(void *state, struct ln_msg **msg)
{
    struct greeter *greeter = state;
    (void)printf("Hello, %s! You are number %u.\n", (char *)(*msg)->data, ++greeter->greeted);
    struct ln_msg *answer = ln_msg_new(GREETED, LN_DURABLE, 0);
    ln_send((*msg)->from, &answer);
} /* what is left in *msg is freed */

static const struct ln_behaviour greeter = {
    .name = "greeter", .state_bytes = sizeof(struct greeter), .handle = greeter_handle};

static void
root_run(void *state)
{
    static const char *const names[] = {"Joe", "Robert", "Mike"};
    (void)state;
    ln_pid pid;
    if (ln_spawn(&greeter, NULL, 0, NULL, &pid) != 0) {
        ln_exit(LN_EXIT_ERROR, "no room for a greeter");
    }
    for (unsigned i = 0; i < 3; i++) {
        struct ln_msg *msg = ln_msg_new(GREET, LN_DURABLE, strlen(names[i]) + 1);
        memcpy(msg->data, names[i], strlen(names[i]) + 1);
        ln_send(pid, &msg); /* msg is NULL now: a sent message is nobody else's */
    }
    for (unsigned i = 0; i < 3; i++) {
        struct ln_msg *answer;
        if (ln_receive(1000, &answer) != 0) {
            ln_exit(LN_EXIT_ERROR, "no answer");
        }
        ln_msg_free(&answer);
    }
}

static const struct ln_behaviour root = {.name = "root", .run = root_run};

int
main(void)
{
    return ln_node_run(&root, NULL, 0);
}
