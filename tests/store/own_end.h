/* SPDX-License-Identifier: Apache-2.0 */
/* own_end.h - a node that ends itself because its disk has failed, and a test that lives on.
 *
 * The node calls check_failed, as it should. In a program linked with -Wl,--wrap=check_failed that
 * is looked at here first: when a write or a sync of the simulated disk has failed before, the
 * machine goes dark (as for sim_crash), the actor is left where it stands, its scheduler's turn is
 * over, and sim_run returns. Anything else ends the program as ever.
 *
 *     own_end_expect(driver);            after each sim_open
 *     ... sim_run ...
 *     if (own_end_met()) { bury, boot again }
 */
#pragma once

#include "runtime/io/sim.h"

/* NULL: not any more. */
void own_end_expect(struct io_driver *driver);
/* Since the last own_end_expect. */
bool own_end_met(void);
/* Whether the disk of this driver has failed anything yet. */
bool own_end_disk_failed(const struct io_driver *driver);
