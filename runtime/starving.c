/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/starving.h"

struct starving *
starving_add(struct scheduler *scheduler, struct ln_socket *socket)
{
    struct starving *starving = slab_alloc(&scheduler->slab, sizeof *starving);
    *starving = (struct starving){.socket = socket, .previous = scheduler->starving_last};
    *scheduler->starving_last = starving;
    scheduler->starving_last = &starving->next;
    return starving;
}

void
starving_remove(struct scheduler *scheduler, struct starving *starving)
{
    *starving->previous = starving->next;
    if (starving->next != NULL) {
        starving->next->previous = starving->previous;
    } else {
        scheduler->starving_last = starving->previous;
    }
    slab_free(&scheduler->slab, starving, sizeof *starving);
}
