/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stalled.h"

#include "store/partition.h"

void
stalled_add(struct stalled *stalled, struct partition *partition)
{
    ASSERT(!partition->stalled);
    partition->stalled = true;
    partition->stalled_next = NULL;
    if (stalled->last == NULL) {
        stalled->first = partition;
    } else {
        stalled->last->stalled_next = partition;
    }
    stalled->last = partition;
    stalled->count++;
}

void
stalled_wake(struct stalled *stalled)
{
    struct partition *partition = stalled->first;
    *stalled = (struct stalled){0};
    while (partition != NULL) {
        struct partition *next = partition->stalled_next;
        partition->stalled = false;
        partition_wake(partition);
        partition = next;
    }
}
