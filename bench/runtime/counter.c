/* SPDX-License-Identifier: Apache-2.0 */
/* One actor sends ten million messages to another, which counts them. After each thousand it waits
 * until they are counted: the receiver's limit stands, and nothing may be refused. */
#include "bench/runtime/measure.h"

enum { MESSAGES = 10000000, CREDIT = 1000, COUNT = 1, COUNTED, DONE };

struct counter {
    uint64_t counted;
};

static void
counter_handle(void *state, struct ln_msg **msg)
{
    struct counter *counter = state;
    if (++counter->counted % CREDIT == 0) {
        measure_send((*msg)->from, COUNTED, counter->counted);
    }
}
static const struct ln_behaviour counter = {
    .name = "counter", .state_bytes = sizeof(struct counter), .handle = counter_handle};

struct sender {
    ln_pid root, counter;
};

static void
sender_send(const struct sender *sender)
{
    for (unsigned i = 0; i < CREDIT; i++) {
        struct ln_msg *msg = ln_msg_new(COUNT, LN_DURABLE, 0);
        ln_send(sender->counter, &msg);
    }
}

static int
sender_init(void *state, const void *argument)
{
    struct sender *sender = state;
    *sender = *(const struct sender *)argument;
    sender_send(sender);
    return 0;
}

static void
sender_handle(void *state, struct ln_msg **msg)
{
    const struct sender *sender = state;
    ln_actor_check((*msg)->tag == COUNTED && ((*msg)->flags & LN_MSG_REFUSED) == 0);
    uint64_t counted = measure_number(*msg);
    if (counted < MESSAGES) {
        sender_send(sender);
    } else {
        measure_send(sender->root, DONE, counted);
        ln_stop(LN_EXIT_NORMAL, "all are counted");
    }
}
static const struct ln_behaviour sender = {.name = "sender",
                                           .state_bytes = sizeof(struct sender),
                                           .init = sender_init,
                                           .handle = sender_handle};

static void
play(void)
{
    struct sender argument = {.root = ln_self(),
                              .counter = measure_spawn(&counter, NULL, 0, ln_schedulers() - 1)};
    uint64_t since_ns = measure_now_ns();
    (void)measure_spawn(&sender, &argument, sizeof argument, 0);
    ln_actor_check(measure_receive(DONE) == MESSAGES);
    measure_rate(ln_schedulers() == 1 ? "counter" : "counter across", since_ns, MESSAGES);
    ln_kill(argument.counter, LN_EXIT_KILLED);
}

int
main(int count, char **arguments)
{
    return measure_main(&(struct measure){.schedulers = 1, .play = play}, count, arguments);
}
