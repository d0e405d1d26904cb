/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong. The places where it does ask here; what follows is theirs to play. */
#include "runtime/io/sim_priv.h"

bool
sim_fault(struct sim *sim, uint32_t one_in, uint64_t *struck)
{
    if (one_in == 0 || sim->crashed || !sim_chance_one_in(&sim->fault_chance, one_in)) {
        return false;
    }
    (*struck)++;
    return true;
}

uint64_t
sim_fault_delay_ns(struct sim *sim, uint64_t max_ns, uint64_t otherwise_ns)
{
    return 1 + sim_chance_below(&sim->fault_chance, max_ns ? max_ns : otherwise_ns);
}

void
sim_faults_set(struct io_driver *driver, const struct sim_faults *faults)
{
    sim_of(driver)->options.faults = *faults;
}

void
sim_struck(const struct io_driver *driver, struct sim_struck *out)
{
    *out = sim_of(driver)->struck;
}
