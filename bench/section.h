/* SPDX-License-Identifier: Apache-2.0 */
/* section.h - the part of the generator that one process plays: its threads' crowds, their actors
 * and users, led by the conductor's words (section_message.h).
 *
 * A process, which either has the conductor beside it or, at the other end of a relay, in another
 * process. It carries out one word after the other; a new one ends what is still under way of the
 * last.
 */
#pragma once

#include "bench/crowd.h"
#include "bench/pace.h"
#include "bench/section_message.h"
#include "bench/users.h"

/* Made before the node, freed after its threads have stopped; the section actor's meanwhile. */
struct section {
    const struct options *options;
    struct io_driver *driver;
    struct section_begin begin;
    struct users users;
    struct crowd *crowds[OPTIONS_THREADS_MAX];
    struct pace *paces[OPTIONS_THREADS_MAX];
};

/* Never NULL. Borrows both. */
struct section *section_new(const struct options *options, struct io_driver *driver);
/* NULL is allowed. */
void section_free(struct section *section);

struct section_start {
    struct section *section;
    ln_pid owner;     /* the conductor, or 0 with ... */
    io_socket socket; /* ... the way to it; taken */
};
/* Its argument: a struct section_start. */
extern const struct ln_behaviour section_behaviour;
