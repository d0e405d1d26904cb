/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h - what the programs of this folder share: a node, a process to measure in, a line for
 * each result.
 *
 *     ping_pong [--schedulers N] [--spin MICROSECONDS] [--count N]
 *
 * The measure is played twice in a process and told twice, as lines of JSON with a round: what was
 * never touched before costs page faults, which round 0 shows. A wrong result ends the program with
 * exit code 1.
 */
#pragma once

#include "runtime/linnet.h"

struct measure {
    unsigned schedulers; /* unless told otherwise */
    unsigned rounds;     /* 0: two */
    uint64_t count;      /* of what, the measure knows; unless told otherwise */
    void (*play)(void);  /* in a process on scheduler 0 */
};

int measure_main(const struct measure *measure, int count, char **arguments);

/* For `play`. */
uint64_t measure_count(void);
uint64_t measure_now_ns(void);
/* Tells what has passed since then, divided by `count`. */
void measure_ns(const char *what, uint64_t since_ns, uint64_t count);
/* Tells millions a second. */
void measure_rate(const char *what, uint64_t since_ns, uint64_t count);
void measure_tell(const char *what, const char *unit, double value);
uint64_t measure_resident_bytes(void);

/* Spawns on a scheduler, 0 to n - 1. */
ln_pid measure_spawn(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
                     unsigned scheduler);
/* Waits for a message of this tag and takes its number: the data is a uint64_t. */
uint64_t measure_receive(uint32_t tag);
/* Sends a number. */
void measure_send(ln_pid to, uint32_t tag, uint64_t number);
uint64_t measure_number(const struct ln_msg *msg);
/* Puts them into an order that follows from nothing but the count. */
void measure_shuffle(uint64_t *numbers, uint64_t count);
