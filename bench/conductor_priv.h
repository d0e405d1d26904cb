/* SPDX-License-Identifier: Apache-2.0 */
/* conductor_priv.h - the conductor's own: its state, how it waits for sections (conductor_wait.c),
 * and how it plays a scenario from the first login to the last letter (conductor_play.c).
 * conductor.c is the run around that: sections, users, the end. */
#pragma once

#include "bench/conductor.h"
#include "bench/progress.h"
#include "bench/sampler.h"

enum {
    NS_PER_S = 1000000000,
    NS_PER_MS = 1000000,
    LOOK_MS = 100, /* how soon an interrupt is seen */
};

struct conductor {
    struct run *run;
    struct linnet_client client;
    struct sections sections;
    struct progress progress;
    struct sampler sampler;
    bool finishing;
};

/* What sections are told. */
struct word {
    enum section_tag tag;
    const void *data;
    size_t bytes;
};

/* The first reason is kept. */
void run_fail(struct run *run, const char *why);

/* -------------------------------------------------------------------------------------- waiting */

/* Takes note of what one section says, if one does soon. A progress line each second. True: it took
 * so much longer that the machine was paused, and the node with it; nobody is to blame for what did
 * not happen meanwhile. */
bool conductor_listen(struct conductor *conductor, uint64_t until_ns);
/* Is it over, one way or the other? What has to be tidied up is tidied up in a run that failed,
 * too. */
bool conductor_failed(const struct conductor *conductor);
void conductor_tell(struct conductor *conductor, enum section_tag tag);
uint64_t from_now_ns(uint64_t delay_ms);

void await_instant(struct conductor *conductor, uint64_t until_ns);
/* Until all sections have carried a word out. False: they have not, and nothing has moved for so
 * long that nothing will, or the run has failed. */
MUST_CHECK bool await_done(struct conductor *conductor, enum section_tag tag, uint64_t patience_ms);
/* The same of a word that only `at_once_max` sections may be about at a time: tells it, too. */
MUST_CHECK bool await_in_turns(struct conductor *conductor, const struct word *word,
                               uint32_t at_once_max, uint64_t patience_ms);

/* -------------------------------------------------------------------------------------- playing */

/* idle: the node before it has what the run costs it. What it has used before and keeps would hide
 * that, so this is before users are made for the run; but what pairs took is not the others'. */
void found_read(struct conductor *conductor);
/* idle: its pairs, if there are any, write alone; then the others come and are silent; then the
 * pairs write beside them. */
void play_idle(struct conductor *conductor);
/* All but idle. */
void play_traffic(struct conductor *conductor);
/* A little more than the actors': they know why. */
uint64_t conductor_patience_ms(const struct options *options);
