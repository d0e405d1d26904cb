/* SPDX-License-Identifier: Apache-2.0 */
/* A node, spoken to by the thread of the test and others that are no scheduler's. */
#include "runtime/bounds.h"
#include "runtime/io/sim.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <pthread.h>
#include <stdatomic.h>

enum tag { ECHO = 1, FAIL, SILENCE, COUNT, COUNTED, SPAWN, END };
enum { LOOPS = 2, THREADS = 3, LETTERS = 20000, LOOKS = 20000 };

struct counter {
    uint64_t next[THREADS];
    uint64_t count;
};

static const struct ln_behaviour service;

/* Answers as it is asked, and checks that what each thread sent arrives in order. */
static void
service_handle(void *state, struct ln_msg **msg)
{
    struct counter *counter = state;
    const uint64_t *words = (const uint64_t *)(const void *)(*msg)->data;
    switch ((enum tag)(*msg)->tag) {
    case ECHO:
        ln_reply(ln_caller(*msg), msg);
        return;
    case FAIL:
        ln_reply_error(ln_caller(*msg), -EDOM);
        return;
    case SILENCE:
        EXPECT(ln_sleep(50) == 0); /* longer than the asker waits; its answer comes too late */
        return;
    case COUNT:
        EXPECT(counter->next[words[0]]++ == words[1]);
        counter->count++;
        return;
    case COUNTED: {
        struct ln_msg *answer = ln_msg_new(0, LN_REPLY, sizeof counter->count);
        memcpy(answer->data, &counter->count, sizeof counter->count);
        ln_reply(ln_caller(*msg), &answer);
        return;
    }
    case SPAWN: {
        struct ln_spawn_options options = {.elsewhere = true, .scheduler = (int)words[0]};
        struct ln_msg *answer = ln_msg_new(0, LN_REPLY, sizeof(ln_pid));
        ln_pid pid = 0;
        EXPECT(ln_spawn(&service, NULL, 0, &options, &pid) == 0);
        memcpy(answer->data, &pid, sizeof pid);
        ln_reply(ln_caller(*msg), &answer);
        return;
    }
    case END:
        ln_stop(LN_EXIT_NORMAL, "told to");
        return;
    }
}
static const struct ln_behaviour service = {
    .name = "service", .state_bytes = sizeof(struct counter), .handle = service_handle};

static ln_pid
spawn_service(struct ln_node *node, uint64_t scheduler)
{
    ln_pid pid = 0;
    size_t bytes = sizeof pid;
    EXPECT(ln_node_call(node, ln_node_root_pid(node), SPAWN, &scheduler, sizeof scheduler,
                        LN_FOREVER, &pid, &bytes) == 0);
    EXPECT(bytes == sizeof pid);
    return pid;
}

static void
end_service(struct ln_node *node, ln_pid pid)
{
    EXPECT(ln_node_send(node, pid, END, LN_DURABLE, NULL, 0) == 0);
    /* Behind it in order: it finds nobody, or is not answered. */
    EXPECT(ln_node_call(node, pid, ECHO, NULL, 0, LN_FOREVER, NULL, NULL) == -ESRCH);
}

/* --------------------------------------------------------------------------------------- asking */

static void
asks_and_learns(void **state)
{
    (void)state;
    NEEDS_IO_URING();
    struct io_driver *driver;
    struct ln_node *node = stage_open(&service, LOOPS, &driver);
    for (unsigned i = 0; i < LOOPS; i++) {
        ln_pid pid = spawn_service(node, i);
        char answer[8] = "";
        size_t bytes = sizeof answer;
        EXPECT(ln_node_call(node, pid, ECHO, "hello", 6, LN_FOREVER, answer, &bytes) == 0);
        EXPECT(bytes == 6 && strcmp(answer, "hello") == 0);
        bytes = 2; /* cut, and told */
        EXPECT(ln_node_call(node, pid, ECHO, "HELLO", 6, LN_FOREVER, answer, &bytes) == 0);
        EXPECT(bytes == 6 && strcmp(answer, "HEllo") == 0);
        EXPECT(ln_node_call(node, pid, FAIL, NULL, 0, LN_FOREVER, NULL, NULL) == -EDOM);
        EXPECT(ln_node_call(node, pid, SILENCE, NULL, 0, 1, NULL, NULL) == -ETIMEDOUT);
        end_service(node, pid);
        EXPECT(ln_node_call(node, pid, ECHO, NULL, 0, LN_FOREVER, NULL, NULL) == -ESRCH);
        EXPECT(ln_node_send(node, pid, ECHO, LN_DURABLE, NULL, 0) == 0); /* no error, no one */
    }
    EXPECT(ln_node_call(node, 0, ECHO, NULL, 0, LN_FOREVER, NULL, NULL) == -ESRCH);
    EXPECT(ln_node_send(node, (ln_pid)LOOPS << 56 | 1, ECHO, LN_DURABLE, NULL, 0) == -ESRCH);
    stage_close(&node, driver);
}

/* ---------------------------------------------------------------------------------------- order */

struct sender {
    struct ln_node *node;
    ln_pid to;
    uint64_t number;
};

static void *
send_many(void *argument)
{
    const struct sender *sender = argument;
    for (uint64_t i = 0; i < LETTERS;) {
        uint64_t words[2] = {sender->number, i};
        int error = ln_node_send(sender->node, sender->to, COUNT, LN_REPLY, words, sizeof words);
        EXPECT(error == 0 || error == -EAGAIN);
        i += error == 0;
    }
    return NULL;
}

static void
arrives_in_order(void **state)
{
    (void)state;
    NEEDS_IO_URING();
    struct io_driver *driver;
    struct ln_node *node = stage_open(&service, LOOPS, &driver);
    ln_pid pid = spawn_service(node, 1);
    pthread_t threads[THREADS];
    struct sender senders[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){node, pid, i};
        EXPECT(pthread_create(&threads[i], NULL, send_many, &senders[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    uint64_t counted = 0;
    size_t bytes = sizeof counted;
    EXPECT(ln_node_call(node, pid, COUNTED, NULL, 0, LN_FOREVER, &counted, &bytes) == 0);
    EXPECT(counted == (uint64_t)THREADS * LETTERS);
    stage_close(&node, driver);
}

static void
has_a_bound(void **state)
{
    (void)state;
    struct io_driver *driver;
    EXPECT(sim_open(&(struct sim_options){.seed = 1, .loops = 1, .root = "."}, &driver) == 0);
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &service, NULL, 0);
    EXPECT(ln_node_start(node) == 0); /* and nothing runs before the join */
    ln_pid root = ln_node_root_pid(node);
    for (uint64_t i = 0; i < LN_DOOR_MAX - 1; i++) {
        uint64_t words[2] = {0, i};
        EXPECT(ln_node_send(node, root, COUNT, LN_DURABLE, words, sizeof words) == 0);
    }
    EXPECT(ln_node_send(node, root, END, LN_DURABLE, NULL, 0) == 0);
    EXPECT(ln_node_send(node, root, END, LN_DURABLE, NULL, 0) == -EAGAIN);
    EXPECT(ln_node_join(node).kind == LN_EXIT_NORMAL); /* told by the last that fitted */
    EXPECT(ln_node_send(node, root, END, LN_DURABLE, NULL, 0) == -ESRCH);
    ln_node_close(&node);
    io_driver_close(driver);
}

/* ---------------------------------------------------------------------------------------- names */

static void
names_from_outside(void **state)
{
    (void)state;
    NEEDS_IO_URING();
    struct io_driver *driver;
    struct ln_node *node = stage_open(&service, LOOPS, &driver);
    for (unsigned i = 0; i < LOOPS; i++) {
        ln_pid pid = spawn_service(node, i);
        EXPECT(ln_node_whereis(node, "a") == 0);
        EXPECT(ln_node_register(node, "a", pid) == 0);
        EXPECT(ln_node_whereis(node, "a") == pid);
        EXPECT(ln_node_register(node, "b", pid) == -EEXIST);
        EXPECT(ln_node_register(node, "", pid) == -EINVAL);
        EXPECT(ln_node_unregister(node, "a") == 0 && ln_node_whereis(node, "a") == 0);
        EXPECT(ln_node_unregister(node, "a") == -ENOENT);
        EXPECT(ln_node_register(node, "a", pid) == 0);
        end_service(node, pid);
        EXPECT(ln_node_whereis(node, "a") == 0); /* a stale name never resolves */
        EXPECT(ln_node_register(node, "a", pid) == -ESRCH);
    }
    stage_close(&node, driver);
}

static atomic_bool looking;

static void *
look_often(void *argument)
{
    const struct sender *looker = argument;
    for (unsigned i = 0; i < LOOKS || atomic_load(&looking); i++) {
        ln_pid found = ln_node_whereis(looker->node, "fleeting");
        EXPECT(found == 0 || found == looker->to);
    }
    return NULL;
}

static void
names_under_eyes(void **state)
{
    (void)state;
    NEEDS_IO_URING();
    struct io_driver *driver;
    struct ln_node *node = stage_open(&service, LOOPS, &driver);
    ln_pid pid = spawn_service(node, 1);
    struct sender looker = {.node = node, .to = pid};
    pthread_t threads[THREADS];
    atomic_store(&looking, true);
    for (unsigned i = 0; i < THREADS; i++) {
        EXPECT(pthread_create(&threads[i], NULL, look_often, &looker) == 0);
    }
    for (unsigned i = 0; i < 500; i++) {
        EXPECT(ln_node_register(node, "fleeting", pid) == 0);
        EXPECT(ln_node_unregister(node, "fleeting") == 0);
    }
    atomic_store(&looking, false);
    for (unsigned i = 0; i < THREADS; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
    stage_close(&node, driver);
}

/* ------------------------------------------------------------------------------------- stopping */

static void *
ask_until_it_stops(void *argument)
{
    const struct sender *asker = argument;
    int error;
    do {
        error = ln_node_call(asker->node, asker->to, ECHO, NULL, 0, LN_FOREVER, NULL, NULL);
        EXPECT(error == 0 || error == -ESRCH);
    } while (error == 0);
    return NULL;
}

static void
stops_amid_questions(void **state)
{
    (void)state;
    NEEDS_IO_URING();
    for (unsigned round = 0; round < 20; round++) {
        struct io_driver *driver;
        struct ln_node *node = stage_open(&service, LOOPS, &driver);
        struct sender asker = {.node = node, .to = spawn_service(node, round % LOOPS)};
        pthread_t threads[THREADS];
        for (unsigned i = 0; i < THREADS; i++) {
            EXPECT(pthread_create(&threads[i], NULL, ask_until_it_stops, &asker) == 0);
        }
        ln_node_stop(node);
        for (unsigned i = 0; i < THREADS; i++) {
            EXPECT(pthread_join(threads[i], NULL) == 0); /* none waits for ever */
        }
        stage_close(&node, driver);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a thread outside asks an actor and learns its answer, its error, its end or that it "
             "is silent",
             asks_and_learns),
        SPEC("what several threads send arrives in the order of each", arrives_in_order),
        SPEC("a door has a bound, at which a send is refused", has_a_bound),
        SPEC("a thread outside gives, takes and finds names; a stale one never resolves",
             names_from_outside),
        SPEC("names come and go while other threads look", names_under_eyes),
        SPEC("who asks while the node stops is answered", stops_amid_questions),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
