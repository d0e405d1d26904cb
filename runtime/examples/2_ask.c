/* SPDX-License-Identifier: Apache-2.0 */
/* Step 2: ask and answer, between two schedulers.
 *
 *     ninja -C build/release 2_ask && build/release/runtime/examples/2_ask
 *
 * ln_call waits for the answer; others run meanwhile. The callee's error is the call's result, and
 * so are its end, a full mailbox and the time that ran out: a caller never hangs. */
#include <linnet/io/uring.h>
#include <linnet/node.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum tag { SQUARE_ROOT = 1 };

static void
oracle_handle(void *state, struct ln_msg **msg)
{
    int number, root = 0;
    (void)state;
    memcpy(&number, (*msg)->data, sizeof number);
    if (number < 0) {
        ln_reply_error(ln_caller(*msg), -EDOM);
        return;
    }
    ln_actor_check(number != 666); /* it ends, and it alone */
    while ((root + 1) * (root + 1) <= number) {
        root++;
    }
    struct ln_msg *answer = ln_msg_new(SQUARE_ROOT, LN_REPLY, sizeof root);
    memcpy(answer->data, &root, sizeof root);
    ln_reply(ln_caller(*msg), &answer);
}

static const struct ln_behaviour oracle = {.name = "oracle", .handle = oracle_handle};

static void
ask(ln_pid pid, int number)
{
    struct ln_msg *question = ln_msg_new(SQUARE_ROOT, LN_DURABLE, sizeof number);
    memcpy(question->data, &number, sizeof number);
    struct ln_msg *answer;
    int error = ln_call(pid, &question, 1000, &answer);
    if (error != 0) {
        (void)printf("%d: %s\n", number, strerrordesc_np(-error));
        return;
    }
    int root;
    memcpy(&root, answer->data, sizeof root);
    (void)printf("%d: %d\n", number, root);
    ln_msg_free(&answer);
}

static void
root_run(void *state)
{
    (void)state;
    ln_pid pid;
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = 1};
    if (ln_spawn(&oracle, NULL, 0, &there, &pid) != 0) {
        ln_exit(LN_EXIT_ERROR, "no room for an oracle");
    }
    (void)printf("here is scheduler %u, there is %u\n", ln_scheduler(), ln_pid_scheduler(pid));
    ask(pid, 1764);
    ask(pid, -1);
    ask(pid, 666);  /* learns that the oracle has ended ... */
    ask(pid, 1764); /* ... for good: nobody started it again. That is step 3 */
}

static const struct ln_behaviour root = {.name = "root", .run = root_run};

int
main(void)
{
    char why[256];
    struct io_driver *driver;
    if (uring_open(&(struct uring_options){.loops = 2}, &driver, why, sizeof why) != 0) {
        (void)fprintf(stderr, "%s\n", why);
        return 1;
    }
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &root, NULL, 0);
    if (ln_node_start(node) != 0) {
        return 1;
    }
    struct ln_reason reason = ln_node_join(node);
    ln_node_close(&node);
    io_driver_close(driver);
    return reason.kind == LN_EXIT_NORMAL ? 0 : 1;
}
