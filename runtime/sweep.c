/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is kept for a sweep but where it is: who comes behind that place is met in this round,
 * who comes before it in the next. */
#include "runtime/sweep.h"

#include "runtime/message.h"

void
ln_sweep(struct ln_sweep *sweep, const struct ln_behaviour *behaviour, uint32_t tag, uint32_t slots)
{
    struct scheduler *self = scheduler_current();
    ln_pid from = actor_current()->pid;
    sweep->slots = pool_records(&self->actors);
    sweep->next += sweep->next == 0 ? 1 : 0; /* nobody's */
    for (; slots > 0 && sweep->next < sweep->slots; slots--, sweep->next++) {
        const struct actor *actor = scheduler_actor_at(self, sweep->next);
        if (actor == NULL || actor->behaviour != behaviour) {
            continue;
        }
        struct ln_msg *msg = message_new(self, tag, LN_LOSSY, 0);
        msg->key = tag;
        msg->from = from;
        message_deliver(self, actor->pid, &msg);
    }
    if (sweep->next >= sweep->slots) {
        sweep->next = 0;
    }
}
