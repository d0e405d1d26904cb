/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/push_trace.h"

#include "runtime/linnet.h"

void
push_trace_init(struct push_trace *trace)
{
    *trace = (struct push_trace){.steps = ln_alloc(PUSH_TRACE_STEPS * sizeof trace->steps[0])};
}

void
push_trace_add(struct push_trace *trace, const struct push_step *step)
{
    trace->steps[trace->count++ % PUSH_TRACE_STEPS] = *step;
}

bool
push_trace_next(const struct push_trace *trace, uint64_t *at, uint64_t user, struct push_step *out)
{
    uint64_t oldest = trace->count > PUSH_TRACE_STEPS ? trace->count - PUSH_TRACE_STEPS : 0;
    if (*at < oldest) {
        *at = oldest;
    }
    while (*at < trace->count) {
        const struct push_step *step = &trace->steps[(*at)++ % PUSH_TRACE_STEPS];
        if (step->user == user) {
            *out = *step;
            return true;
        }
    }
    return false;
}

const char *
push_step_name(enum push_step_kind kind)
{
    static const char *const names[PUSH_STEP_KINDS] = {
        [PUSH_STEP_QUEUED] = "queued",   [PUSH_STEP_SUPPRESSED] = "suppressed",
        [PUSH_STEP_SENT] = "sent",       [PUSH_STEP_ACCEPTED] = "accepted",
        [PUSH_STEP_RETRIED] = "retried", [PUSH_STEP_DROPPED] = "dropped",
        [PUSH_STEP_GONE] = "gone",
    };
    ASSERT(kind < PUSH_STEP_KINDS);
    return names[kind];
}
