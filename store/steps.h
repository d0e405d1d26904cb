/* SPDX-License-Identifier: Apache-2.0 */
/* steps.h - notes the steps of messages (step.h) on a scheduler, and carries them to its files.
 *
 *     steps_moment(steps);                                               what follows is at once
 *     steps_note(steps, STEP_QUEUED, mark, user, device, number);        40 ns; never waits
 *     steps_note(steps, STEP_QUEUED, mark, user, another, number);       asks no clock
 *
 * Notes fill one half of a buffer while a worker writes the other, when it is full or a second old.
 * When both are taken notes are dropped and counted, and the next that finds room is preceded by
 * one that says how many are missing: nobody waits for the disk. A full one is given none: what is
 * left there is for messages to leave.
 *
 * The struct outlives its writer, an actor of the same scheduler (post.h); halves that were not
 * written at the end are written by steps_fini.
 *
 * On one scheduler, but for what says otherwise.
 */
#pragma once

#include "runtime/linnet.h"
#include "store/counter.h"
#include "store/post.h"
#include "store/step_file.h"

struct store;

enum {
    /* Steps in each half: half a megabyte, about half a second of a scheduler with all it can
     * do. */
    STEPS_HALF = 16384,
    STEPS_DELAY_MS = 1000,
    /* How many rows a trace shows. */
    STEPS_ROWS_MAX = 4096,
    STEPS_BYTES_MIN = 1 << 20,
};

struct steps_half {
    uint64_t *words; /* STEPS_HALF steps */
    uint32_t count;
};

/* What a worker is given. */
struct steps_write {
    struct step_files *files;
    const struct steps_half *half;
    int error;
    bool done;
};

struct steps {
    struct store *store; /* NULL: none are kept */
    struct io *io;
    struct steps_half halves[2];
    unsigned filling;
    uint64_t missed; /* since the last note that found room */
    uint64_t ticks;  /* of the moment; 0: no note has asked the clock yet */
    bool kicked;
    struct step_files files;
    struct steps_write write; /* under way, unless files is NULL */
    struct post post;
    _Atomic ln_pid pid;
    /* Any thread reads them. */
    struct counter noted, dropped, failed, bytes, oldest_ticks;
};

/* `bytes_max` 0: nothing is kept, and nothing looked at. 0 or a negative errno. Waits for the
 * disk. */
MUST_CHECK int steps_init(struct steps *steps, struct store *store, const struct step_place *place);
void steps_fini(struct steps *steps);

/* The next note asks the clock; those behind it have happened at the same time, until this is
 * called again. Asking takes as long as all else of a note. */
static inline void
steps_moment(struct steps *steps)
{
    steps->ticks = 0;
}

void steps_note(struct steps *steps, enum step_kind kind, uint64_t mark, uint64_t user,
                uint16_t device, uint64_t number);

/* The writer. Its argument is a struct steps *. It answers a request of ASK_STEPS when all that was
 * noted before has been written. */
extern const struct ln_behaviour steps_behaviour;
