/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/workload.h"

#include <string.h>

static uint64_t
larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void
add(struct ln_work_info *sum, const struct ln_work_info *more)
{
    sum->under_way += more->under_way;
    sum->done += more->done;
    sum->queued_ns += more->queued_ns;
    sum->queued_ns_max = larger(sum->queued_ns_max, more->queued_ns_max);
    sum->run_ns += more->run_ns;
    sum->run_ns_max = larger(sum->run_ns_max, more->run_ns_max);
}

void
workload_read(struct ln_work_info out[LN_WORK_KINDS])
{
    struct ln_scheduler_info info;
    memset(out, 0, LN_WORK_KINDS * sizeof out[0]);
    for (unsigned i = 0; i < ln_schedulers(); i++) {
        if (ln_inspect_scheduler(i, &info) != 0) {
            continue;
        }
        for (unsigned kind = 0; kind < LN_WORK_KINDS; kind++) {
            add(&out[kind], &info.work[kind]);
        }
    }
}

const char *
workload_kind_name(enum ln_work_kind kind)
{
    static const char *const names[LN_WORK_KINDS] = {
        [LN_WORK_NORMAL] = "normal", [LN_WORK_LOW] = "low", [LN_WORK_LONG] = "long"};
    return names[kind];
}
