/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - threads for work that blocks: LMDB, password hashes, file calls.
 *
 * A pool has a number of threads for work that somebody waits for, sharing one queue, and one
 * thread at low priority with a queue of its own, so that a fold that takes seconds never keeps a
 * read waiting. While two works and more wait in that one, a helper at ordinary priority takes from
 * it, too. Long work has a thread and a queue of its own as well, at ordinary priority: two files
 * that are filled once kept two workers, and everybody's reads, for seconds.
 *
 *     worker_pool_start(2, work_finished, &pool);
 *     worker_pool_push(pool, work, IO_WORK_NORMAL);    any thread; work->run(work) is called on a
 *                                                      worker, then there work_finished(work)
 *     worker_pool_stop(pool);                          waits for what runs; what has not begun is
 *                                                      not run any more
 *
 * The pool borrows each work from push until `finished` has been called for it. It does not bound
 * its queues: whoever starts work does.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"

struct worker_pool;

typedef void worker_finished(struct io_work *work);

/* Starts `threads` normal threads, the low one, its helper and the long one. 0, -ENOMEM or -EAGAIN
 * (no more threads); nothing runs then. */
MUST_CHECK int worker_pool_start(unsigned threads, worker_finished *finished,
                                 struct worker_pool **out);

/* Never blocks for long. Any thread; not after worker_pool_stop has begun. */
void worker_pool_push(struct worker_pool *pool, struct io_work *work, enum io_priority priority);

/* Takes it out of its queue: true. False when it has begun. Any thread. */
MUST_CHECK bool worker_pool_withdraw(struct worker_pool *pool, struct io_work *work);

/* Waits for the running work, forgets the waiting, ends the threads and frees the pool. NULL is
 * allowed. */
void worker_pool_stop(struct worker_pool *pool);
