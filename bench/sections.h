/* SPDX-License-Identifier: Apache-2.0 */
/* sections.h - the sections of a run as the conductor sees them: where they are, what they were
 * told, how far they have come, what they have found.
 *
 *     sections_start(run, list)               here, or in processes of their own
 *     sections_tell(list, SECTION_MAKE, ...)
 *     sections_note(list, msg)                what one of them says
 *     sections_done(list, SECTION_MAKE)       have all carried it out?
 *     sections_end(list)
 *
 * From inside the conductor.
 */
#pragma once

#include "bench/section.h"
#include "bench/series.h"
#include "bench/worker.h"

struct seat {
    ln_pid pid;           /* of the section, or of the relay to it */
    struct worker worker; /* pid 0: it is here */
    struct share share;
    struct section_news news;
    uint32_t told;             /* enum section_tag: the last word; 0: none */
    struct meter_look *meters; /* by enum tally_delay, as of its last look */
    bool gone;
};

struct sections {
    const struct options *options;
    struct section *here; /* borrowed; with one process */
    uint32_t count;
    struct seat *seats;      /* the conductor's memory */
    struct tally found;      /* what they told of their findings */
    struct histogram *alone; /* of TALLY_ALONE, by enum tally_delay; the conductor's memory */
    uint64_t looks;          /* asked for */
    bool ending;             /* their ends are expected */
    bool failed;             /* and why, the first time */
    char why[AUDIT_TEXT_BYTES];
};

/* Starts them and tells each its share. `here`: who plays where one process is enough. */
void sections_start(struct sections *sections, const struct options *options, struct section *here,
                    const struct section_begin *begin);
/* To all that are there; `bytes` of data at `data`. */
void sections_tell(struct sections *sections, enum section_tag tag, const void *data, size_t bytes);
/* The same to those that were not told it last, in order, as long as fewer than `at_once_max` are
 * about it: to be called again as they get done. */
void sections_tell_some(struct sections *sections, enum section_tag tag, const void *data,
                        size_t bytes, uint32_t at_once_max);
/* Takes note of what one of them said, or of its end. Yields when a process has ended. */
void sections_note(struct sections *sections, const struct ln_msg *msg);
/* Have all that are there heard, or carried out, this word? */
bool sections_heard(const struct sections *sections, enum section_tag tag);
bool sections_done(const struct sections *sections, enum section_tag tag);
/* Of all together. */
uint64_t sections_count(const struct sections *sections, enum tally_counter counter);
struct section_news sections_news(const struct sections *sections);
/* Asks all of them for a look at what they have counted; have all answered the last time? Adds what
 * they answered to *look. */
void sections_look(struct sections *sections);
bool sections_looked(const struct sections *sections);
void sections_looked_at(const struct sections *sections, struct series_look *look);
/* Lets all of them go, and waits for the processes. */
void sections_end(struct sections *sections);
