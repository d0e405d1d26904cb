/* SPDX-License-Identifier: Apache-2.0 */
/* What the runtime costs, by itself. Lines of JSON: nanoseconds per operation, bytes per actor.
 *
 *     bench_runtime                     all of it
 *     bench_runtime --spin 20           loops look for 20 us before they sleep
 *
 * `message` is one of a ping-pong: a send, a turn, a handler. `cross` is the same between two
 * schedulers, where it measures the distance between two cores and, without --spin, how fast a
 * sleeping thread is woken. */
#include "bench/process.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 1000000,
    CROSS_ROUNDS = 100000,
    SPAWNS_PER_TURN = 1000,
    BEHAVIOURS = 1000000,
    BEHAVIOUR_STATE_BYTES = 64,
    PROCESSES = 20000, /* each has a mapping: the kernel's default is 65,530 of them */
    WARM = 1000,
};

static struct io_driver *driver;

static uint64_t
now_ns(void)
{
    return io_now_ns(ln_io());
}

static void
told(const char *what, uint64_t since_ns, uint64_t count)
{
    double each_ns = (double)(now_ns() - since_ns) / (double)count;
    (void)printf("{\"what\": \"%s\", \"count\": %" PRIu64 ", \"ns\": %.1f}\n", what, count,
                 each_ns);
    (void)fflush(stdout);
}

/* ------------------------------------------------------------------------------------ ping-pong */

static void
pong_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_send((*msg)->from, msg);
}
static const struct ln_behaviour pong = {.name = "pong", .handle = pong_handle};

struct ping {
    ln_pid pong;
    uint64_t left;
};

static int
ping_init(void *state, const void *argument)
{
    struct ping *ping = state;
    *ping = *(const struct ping *)argument;
    struct ln_msg *msg = ln_msg_new(1, LN_DURABLE, 0);
    ln_send(ping->pong, &msg);
    return 0;
}

static void
ping_handle(void *state, struct ln_msg **msg)
{
    struct ping *ping = state;
    if (--ping->left == 0) {
        ln_stop(LN_EXIT_NORMAL, "done");
    } else {
        ln_send(ping->pong, msg);
    }
}
static const struct ln_behaviour ping = {
    .name = "ping", .state_bytes = sizeof(struct ping), .init = ping_init, .handle = ping_handle};

static void
play_ping_pong(const char *what, int scheduler, uint64_t rounds)
{
    struct ping argument = {.left = rounds};
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = scheduler};
    struct ln_spawn_options watched = {.monitor = true};
    ln_pid pid;
    struct ln_msg *down = NULL;
    int error = ln_spawn(&pong, NULL, 0, &there, &argument.pong);
    uint64_t since_ns = now_ns();
    error = error != 0 ? error : ln_spawn(&ping, &argument, sizeof argument, &watched, &pid);
    error = error != 0 ? error : ln_receive(LN_FOREVER, &down);
    ln_actor_check(error == 0);
    told(what, since_ns, 2 * rounds);
    ln_msg_free(&down);
    ln_kill(argument.pong, LN_EXIT_KILLED);
}

/* -------------------------------------------------------------------------------- calls, spawns */

static void
clerk_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_reply(ln_caller(*msg), msg);
}
static const struct ln_behaviour clerk = {.name = "clerk", .handle = clerk_handle};

static void
play_calls(void)
{
    ln_pid pid;
    int error = ln_spawn(&clerk, NULL, 0, NULL, &pid);
    uint64_t since_ns = now_ns();
    for (unsigned i = 0; i < ROUNDS && error == 0; i++) {
        struct ln_msg *msg = ln_msg_new(1, LN_DURABLE, 0);
        error = ln_call(pid, &msg, 1000, NULL);
    }
    ln_actor_check(error == 0);
    told("call", since_ns, ROUNDS);
    ln_kill(pid, LN_EXIT_KILLED);
}

static void
idle_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour idle = {
    .name = "idle", .state_bytes = BEHAVIOUR_STATE_BYTES, .handle = idle_handle};

static void
play_spawns(void)
{
    int error = 0;
    uint64_t since_ns = now_ns();
    for (unsigned i = 0; i < ROUNDS && error == 0; i++) {
        ln_pid pid;
        error = ln_spawn(&idle, NULL, 0, NULL, &pid);
        ln_kill(pid, LN_EXIT_KILLED);
        if (i % SPAWNS_PER_TURN == 0) {
            ln_yield();
        }
    }
    ln_yield();
    ln_actor_check(error == 0);
    told("spawn and end", since_ns, ROUNDS);
}

/* -------------------------------------------------------------------------------------- at rest */

static void
rest_run(void *state)
{
    (void)state;
    (void)ln_sleep(LN_FOREVER);
}
static const struct ln_behaviour resting = {.name = "resting", .run = rest_run};

static uint64_t
resident_bytes(void)
{
    uint64_t bytes = 0;
    int error = process_resident(driver, 0, &bytes);
    ln_actor_check(error == 0);
    return bytes;
}

static void
play_rest(const char *what, const struct ln_behaviour *behaviour, uint64_t count)
{
    ln_pid *pids = ln_alloc(count * sizeof *pids);
    memset(pids, 0, count * sizeof *pids); /* resident before we look */
    ln_yield();
    uint64_t before_bytes = resident_bytes();
    int error = 0;
    for (uint64_t i = 0; i < count && error == 0; i++) {
        error = ln_spawn(behaviour, NULL, 0, NULL, &pids[i]);
        if (i % SPAWNS_PER_TURN == 0) {
            ln_yield();
        }
    }
    ln_yield();
    ln_actor_check(error == 0);
    (void)printf("{\"what\": \"%s\", \"count\": %" PRIu64 ", \"bytes\": %" PRIu64 "}\n", what,
                 count, (resident_bytes() - before_bytes) / count);
    for (uint64_t i = 0; i < count; i++) {
        ln_kill(pids[i], LN_EXIT_KILLED);
    }
    ln_yield();
    ln_free(pids);
}

/* -------------------------------------------------------------------------------------- program */

static void
root_run(void *state)
{
    (void)state;
    play_ping_pong("warm-up", LN_HERE, WARM);
    play_ping_pong("message", LN_HERE, ROUNDS);
    if (ln_schedulers() > 1) {
        play_ping_pong("cross", 1, CROSS_ROUNDS);
    }
    play_calls();
    play_spawns();
    play_rest("behaviour at rest, with 64 bytes of state", &idle, BEHAVIOURS);
    play_rest("process at rest", &resting, PROCESSES);
}
static const struct ln_behaviour root = {.name = "root", .run = root_run, .stack_bytes = 65536};

int
main(int count, char **arguments)
{
    char why[256];
    struct uring_options options = {.loops = 2};
    if (count == 3 && strcmp(arguments[1], "--spin") == 0) {
        options.spin_us = (unsigned)strtoul(arguments[2], NULL, 10);
    } else if (count != 1) {
        (void)fprintf(stderr, "usage: bench_runtime [--spin MICROSECONDS]\n");
        return 2;
    }
    if (uring_open(&options, &driver, why, sizeof why) != 0) {
        (void)fprintf(stderr, "%s\n", why);
        return 1;
    }
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &root, NULL, 0);
    int error = ln_node_start(node);
    struct ln_reason reason = {.kind = LN_EXIT_ERROR, .text = "did not start"};
    if (error == 0) {
        reason = ln_node_join(node);
    }
    ln_node_close(&node);
    io_driver_close(driver);
    if (reason.kind != LN_EXIT_NORMAL) {
        (void)fprintf(stderr, "%s\n", reason.text);
        return 1;
    }
    return 0;
}
