/* SPDX-License-Identifier: Apache-2.0 */
/* The rounds of what large groups say (fan.h), at work. A stream that has something else to say
 * takes what waits in it along. */
#include "store/partition_priv.h"
#include "store/store_priv.h"

void
partition_fan_flush(struct partition *partition)
{
    if (fan_begin(&partition->fan, ln_now_ns(), partition->sends_due) ||
        !fan_is_due(&partition->fan) || partition->fan_waiting) {
        return;
    }
    struct ln_msg *msg = ln_msg_new(ASK_FAN_WATCH, LN_REPLY, 0);
    partition->fan_waiting = true;
    ln_send(store_pid_get(&partition->pid), &msg);
}

void
partition_fan_watch(const struct partition *partition)
{
    struct ln_msg *msg = ln_msg_new(ASK_FAN, LN_REPLY, 0);
    (void)ln_send_after(fan_wait_ms(&partition->fan, ln_now_ns()), ln_self(), &msg);
}

void
partition_fan_tick(struct partition *partition)
{
    partition->fan_waiting = false;
    partition_fan_flush(partition);
    partition_streams_send(partition, false); /* though nothing else may move here for a while */
}

void
partition_fan_resume(struct partition *partition)
{
    partition->fan = (struct fan){0};
    partition->fan_waiting = false;
}
