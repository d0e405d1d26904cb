/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/workload.h"

#include "runtime/larger.h"

void
workload_add(struct ln_work_info sums[LN_WORK_KINDS], const struct ln_scheduler_info *info)
{
    for (unsigned kind = 0; kind < LN_WORK_KINDS; kind++) {
        struct ln_work_info *sum = &sums[kind];
        const struct ln_work_info *more = &info->work[kind];
        sum->under_way += more->under_way;
        sum->oldest_ns = larger(sum->oldest_ns, more->oldest_ns);
        sum->done += more->done;
        sum->taken_back += more->taken_back;
        sum->queued_ns += more->queued_ns;
        sum->queued_ns_max = larger(sum->queued_ns_max, more->queued_ns_max);
        sum->run_ns += more->run_ns;
        sum->run_ns_max = larger(sum->run_ns_max, more->run_ns_max);
    }
}

const char *
workload_kind_name(enum ln_work_kind kind)
{
    static const char *const names[LN_WORK_KINDS] = {
        [LN_WORK_NORMAL] = "normal", [LN_WORK_LOW] = "low", [LN_WORK_LONG] = "long"};
    return names[kind];
}
