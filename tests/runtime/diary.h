/* SPDX-License-Identifier: Apache-2.0 */
/* diary.h - children of supervisors that write what happens to them into a diary, in letters: "a"
 * started and "A" ended, "!" for an init that failed, "#" for one that took too long to end.
 *
 *     family(children, LN_PERMANENT);
 *     pid = start_supervisor(&tree, &monitor);
 *     expect_diary("abc");
 *     stop_supervisor(pid, monitor);
 *     expect_diary("CBA");
 *
 * Both schedulers may write: under the simulation they share a thread.
 */
#pragma once

#include "runtime/supervisor.h"

enum { DIARY_BYTES = 256 };
extern char diary[DIARY_BYTES];

/* When all is at rest; empties it. */
void expect_diary(const char *expected);

/* What a child may be told. */
enum { CRASH = 1, STOP };

struct plan {
    char letter;
    unsigned *init_failures; /* so many inits fail */
    bool slow_end;           /* longer than its supervisor waits */
};
extern const struct ln_behaviour child_behaviour; /* its argument is a plan */
extern const struct plan plans[3];                /* 'a', 'b', 'c' */

/* A family of three, named "a", "b" and "c", the second on the other scheduler. */
void family(struct ln_child *children, enum ln_restart restart);

ln_pid start_supervisor(const struct ln_supervision *tree, uint64_t *out_monitor);
void stop_supervisor(ln_pid pid, uint64_t monitor);
