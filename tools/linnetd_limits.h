/* SPDX-License-Identifier: Apache-2.0 */
/* linnetd_limits.h - how many descriptors the process may have, and who gets them.
 *
 * A connection takes one, and so do a segment of the log, a look into the folder, a question of the
 * shell. What the others need is kept out of the connections' reach, so that a crowd that wants in
 * costs those nothing who are in:
 *
 *     0 .. used    | connections, and a few to hear 503 or have a page | store, shell, passing
 *     rings, files                               connections_below                  limit
 *
 * Where the driver has room for sockets without a descriptor, and connections_max asks for more
 * than there are descriptors, the upper half of the connections' is for those who log in:
 * afterwards they give it back.
 *
 *                  | connections | and those who log in, 503, pages | tables, store, shell, passing
 *                     connections_settle_from            connections_below                limit
 *
 *     limit = linnetd_descriptors_raise();                        before anything is opened
 *     ... rings, store ...
 *     linnetd_descriptors_used(limit), and if limit is linnetd_descriptors_least: _share
 */
#pragma once

#include "actors/messenger.h"

#include <stdint.h>

struct descriptors {
    uint64_t limit; /* UINT64_MAX: there is none */
    uint64_t used;  /* with the rings and the store open, the listeners not yet */
    unsigned logs;
    unsigned cells;
    unsigned loops;
    unsigned steps; /* rows of the files that steps of messages are noted in (trace.h) */
    /* io_settled_max: connections that have logged in and take no descriptor of their own, and how
     * many of them share one. */
    uint64_t settled_max;
    uint32_t settled_each;
};

/* Raises the soft limit to the hard one, and returns what it is then; UINT64_MAX: there is none. */
uint64_t linnetd_descriptors_raise(void);

/* How many are open now. Where /proc does not tell, a share of the limit that a large node uses. */
uint64_t linnetd_descriptors_used(uint64_t limit);

/* The lowest limit with which such a node can work. */
uint64_t linnetd_descriptors_least(const struct descriptors *have);

/* Shares out a limit that is not below the least: *connections_max (what was asked for) is lowered
 * to what there is room for, *room (the largest) to what is left beside them. */
void linnetd_descriptors_share(const struct descriptors *have, uint32_t *connections_max,
                               struct messenger_room *room);
