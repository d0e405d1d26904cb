/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - the processes of the generator beside the conductor's own.
 *
 * A worker is this program again, called with the command line of the first and the word `worker`
 * before it, and a socket to the conductor in place WORKER_SOCKET. It belongs to a process group of
 * its own, so that a terminal's Ctrl-C is the conductor's alone; when that is gone, the worker ends
 * by itself.
 *
 *     worker_start(options, &worker)
 *     ... a relay speaks through worker.socket ...
 *     worker_wait(&worker, text)                when the relay has ended
 */
#pragma once

#include "bench/options.h"

#include <sys/types.h>

enum { WORKER_SOCKET = 3, WORKER_TEXT_BYTES = 80 };

struct worker {
    pid_t pid;
    int socket; /* whoever speaks through it takes it */
};

/* Starts one. 0, or a negative errno. */
MUST_CHECK int worker_start(const struct options *options, struct worker *out);
/* Waits for its end: blocks. Prints how it ended: "was killed by signal 9 (Killed)". */
void worker_wait(const struct worker *worker, char out[WORKER_TEXT_BYTES]);

/* What a worker does: its share, until the conductor says that it is over. The exit code. */
int worker_run(const struct options *options);
