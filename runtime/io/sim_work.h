/* SPDX-License-Identifier: Apache-2.0 */
/* sim_work.h - worker jobs under the simulation.
 *
 * A job's body runs whole at one later instant on the one thread; its done follows after the time
 * the job is said to have taken: a seeded one plus what its file calls cost. Normal jobs overlap
 * and overtake one another, as on several threads; low ones run one after the other in their
 * order, as where the low thread is never helped (worker.h), and so do long ones. Jobs that wait
 * when the driver closes or the power goes, or that are withdrawn, never run.
 */
#pragma once

#include "runtime/io/sim_loop.h"

struct sim_work_queue *sim_work_queue_new(struct sim *sim);
void sim_work_queue_free(struct sim_work_queue *queue);
/* Adds to the time that the running job will have taken; without one it is nothing. */
void sim_work_charge(struct sim *sim, uint64_t cost_ns);

/* They stand in the table of io_priv.h. */
void sim_work_start(struct io *io, struct io_work *work, enum io_priority priority);
bool sim_work_withdraw(struct io *io, struct io_work *work);
