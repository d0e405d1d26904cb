/* SPDX-License-Identifier: Apache-2.0 */
/* killer.h - kills actors of the node now and then, whichever has a supervisor, as `linnet kill
 * any` does: whoever is concerned calls again, and no promise is broken.
 *
 * An actor of its own, since an answer may be long in coming: whom it asks may be who ends.
 */
#pragma once

#include "runtime/linnet.h"

#include <stdatomic.h>
#include <stdint.h>

struct killer {
    const char *data; /* the node's data directory */
    double per_s;     /* below ten restarts in ten seconds, which a supervisor takes for a fault */
    uint64_t seed;
    _Atomic uint64_t kills; /* that the node has confirmed */
};

/* Its argument: a struct killer *, which lives longer. Until it is killed. */
extern const struct ln_behaviour killer_behaviour;
