/* SPDX-License-Identifier: Apache-2.0 */
/* sim_host.h - names of hosts under the simulation: those that a test has given (sim_host_add), and
 * numeric addresses. To look one up takes a worker a few milliseconds. */
#pragma once

#include "runtime/io/sim_priv.h"

/* Whether nobody answers there (sim_host_silence). */
bool sim_host_is_silent(const struct sim *sim, const struct io_address *address);

/* Stands in the table of io_priv.h. */
int sim_host_resolve(struct io_driver *driver, const char *host, uint16_t port,
                     struct io_address out[IO_RESOLVE_MAX], unsigned *out_count);
