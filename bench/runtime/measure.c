/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/runtime/measure.h"

#include "bench/chance.h"
#include "bench/process.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_BYTES = 64 * 1024 };

static struct io_driver *driver;
static const struct measure *played;
static unsigned round_now;
static uint64_t count_wanted;

uint64_t
measure_count(void)
{
    return count_wanted;
}

uint64_t
measure_now_ns(void)
{
    return io_now_ns(ln_io());
}

void
measure_tell(const char *what, const char *unit, double value)
{
    (void)printf("{\"measure\": \"%s\", \"round\": %u, \"unit\": \"%s\", \"value\": %.2f}\n", what,
                 round_now, unit, value);
    (void)fflush(stdout);
}

void
measure_ns(const char *what, uint64_t since_ns, uint64_t count)
{
    measure_tell(what, "ns", (double)(measure_now_ns() - since_ns) / (double)count);
}

void
measure_rate(const char *what, uint64_t since_ns, uint64_t count)
{
    measure_tell(what, "M/s", (double)count * 1000 / (double)(measure_now_ns() - since_ns));
}

uint64_t
measure_resident_bytes(void)
{
    uint64_t bytes = 0;
    int error = process_resident(driver, 0, &bytes);
    ln_actor_check(error == 0);
    return bytes;
}

ln_pid
measure_spawn(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
              unsigned scheduler)
{
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = (int)scheduler};
    ln_pid pid = 0;
    int error = ln_spawn(behaviour, argument, bytes, &there, &pid);
    ln_actor_check(error == 0);
    return pid;
}

void
measure_send(ln_pid to, uint32_t tag, uint64_t number)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_DURABLE, sizeof number);
    memcpy(msg->data, &number, sizeof number);
    ln_send(to, &msg);
}

uint64_t
measure_number(const struct ln_msg *msg)
{
    uint64_t number;
    ln_actor_check(msg->bytes == sizeof number);
    memcpy(&number, msg->data, sizeof number);
    return number;
}

uint64_t
measure_receive(uint32_t tag)
{
    struct ln_msg *msg = NULL;
    int error = ln_receive(LN_FOREVER, &msg);
    ln_actor_check(error == 0 && msg->tag == tag);
    uint64_t number = measure_number(msg);
    ln_msg_free(&msg);
    return number;
}

void
measure_shuffle(uint64_t *numbers, uint64_t count)
{
    uint64_t chance = count;
    for (uint64_t left = count; left > 1; left--) {
        uint64_t other = chance_below(&chance, left);
        uint64_t kept = numbers[other];
        numbers[other] = numbers[left - 1];
        numbers[left - 1] = kept;
    }
}

static void
root_run(void *state)
{
    (void)state;
    unsigned rounds = played->rounds != 0 ? played->rounds : 2;
    for (round_now = 0; round_now < rounds; round_now++) {
        played->play();
    }
}
static const struct ln_behaviour root = {
    .name = "root", .run = root_run, .stack_bytes = STACK_BYTES};

static int
run(const struct uring_options *options)
{
    char why[256];
    if (uring_open(options, &driver, why, sizeof why) != 0) {
        (void)fprintf(stderr, "%s\n", why);
        return 1;
    }
    /* Who measures holds a scheduler for long, and means it. */
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){.watchdog_ms = LN_NEVER});
    ln_node_root(node, &root, NULL, 0);
    int error = ln_node_start(node);
    struct ln_reason reason = {.kind = LN_EXIT_ERROR, .text = "did not start"};
    if (error == 0) {
        reason = ln_node_join(node);
    }
    ln_node_close(&node);
    io_driver_close(driver);
    if (reason.kind != LN_EXIT_NORMAL) {
        (void)fprintf(stderr, "%s:%d: %s\n", reason.file != NULL ? reason.file : "?", reason.line,
                      reason.text);
        return 1;
    }
    return 0;
}

int
measure_main(const struct measure *measure, int count, char **arguments)
{
    struct uring_options options = {.loops = measure->schedulers};
    played = measure;
    count_wanted = measure->count;
    for (int i = 1; i < count; i += 2) {
        unsigned value = i + 1 < count ? (unsigned)strtoul(arguments[i + 1], NULL, 10) : 0;
        if (strcmp(arguments[i], "--schedulers") == 0 && value > 0) {
            options.loops = value;
        } else if (strcmp(arguments[i], "--spin") == 0 && i + 1 < count) {
            options.spin_us = value;
        } else if (strcmp(arguments[i], "--count") == 0 && value > 0) {
            count_wanted = value;
        } else {
            (void)fprintf(stderr, "usage: %s [--schedulers N] [--spin MICROSECONDS] [--count N]\n",
                          arguments[0]);
            return 2;
        }
    }
    return run(&options);
}
