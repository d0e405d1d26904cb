/* SPDX-License-Identifier: Apache-2.0 */
/* day.h - what a population does, and when: the plan of a run, fixed before it begins.
 *
 *     day_init(&day, seed, users, &habits);
 *     day_next(&day, &due);          due.at_ns since the start; due.user does due.deed
 *     day_fini(&day);
 *
 * Each user is online or away. Who is online writes, changes that, pings, changes networks and
 * leaves, each after a while that forgets how long it has lasted; who is away returns likewise: a
 * Markov process in continuous time. Of all users together it is one process, whose next step is
 * drawn by the number of those who are online and away: no heap, and no step costs more for a
 * larger crowd. It depends on the seed alone; what the node does delays nothing.
 *
 * The day has no hours: each of its minutes is like the others.
 *
 * Plain memory; any thread.
 */
#pragma once

#include "bench/deed.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a user, on a day. */
struct day_habits {
    double online;   /* the share of the day, above 0 and below 1 */
    double messages; /* written, all of them while online; above 0 */
    double posts;    /* the share of these that goes to the group */
    double changes;  /* edits and deletions */
    double returns;  /* as often as one comes online, and leaves again; above 0 */
    double moves;    /* changes of network while online */
    double asleep;   /* the share of leaves that are a phone that falls asleep */
    double beat_s;   /* seconds of the day between two pings while online; 0: none */
    double factor;   /* so many times as fast as a day passes; above 0 */
};

struct day {
    uint64_t chance;
    double at_ns;
    struct day_habits habits;
    double rates[DEEDS]; /* a nanosecond, of one user who is online; DEED_RETURN: away */
    uint32_t *places;    /* all users: those who are online, then those who are away */
    uint32_t users, online;
    uint32_t leaving; /* who is away in the beginning, and has yet to leave */
};

struct day_due {
    uint64_t at_ns;
    uint32_t user;
    enum deed deed;
};

/* In the beginning all are online, since they have just logged in; those who are away then leave
 * within the first second. */
void day_init(struct day *day, uint64_t seed, uint32_t users, const struct day_habits *habits);
void day_fini(struct day *day);
/* The next step; its instant is never before the one of the call before. */
void day_next(struct day *day, struct day_due *out);
/* How many messages a second such a population writes. */
double day_rate_per_s(const struct day_habits *habits, uint32_t users);
