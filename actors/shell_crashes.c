/* SPDX-License-Identifier: Apache-2.0 */
/* What the node remembers of actors that failed, and of those that held their scheduler too
 * long. */
#include "actors/shell_priv.h"
#include "runtime/crash.h"

#include <string.h>

enum {
    /* Of a scheduler, the newest: what is kept, and what an answer has room for. */
    SHOWN_MAX = LN_CRASHES_KEPT,
    /* A state of control characters only, escaped, and all that stands around it. */
    ROW_BYTES_MAX = 8 * LN_CRASH_STATE_BYTES,
};

static bool
row_fits(const struct shell_call *call)
{
    return call->out->bytes_max - call->out->bytes > ROW_BYTES_MAX;
}

static void
put_comma(struct shell_call *call)
{
    if (call->out->bytes > 1) {
        ln_text_print(call->out, ",");
    }
}

static void
put_crash(struct shell_call *call, const struct ln_crash *crash)
{
    struct ln_text *out = call->out;
    put_comma(call);
    ln_text_print(out, "{\"at_ms\":%lld,", (long long)crash->at_wall_ms);
    shell_put_pid(call, "pid", crash->pid);
    shell_put_pid(call, "parent", crash->parent);
    shell_put_text(call, "behaviour", crash->behaviour);
    shell_put_text(call, "name", crash->name);
    shell_put_text(call, "reason", crash->reason.text != NULL ? crash->reason.text : "error");
    shell_put_text(call, "file", crash->reason.file != NULL ? crash->reason.file : "");
    shell_put_text(call, "state", crash->state);
    ln_text_print(out,
                  "\"line\":%d,\"mailbox\":%u,\"reductions\":%u,\"memory_bytes\":%u,"
                  "\"messages\":[",
                  (int)crash->reason.line, crash->mailbox, crash->reductions, crash->memory_bytes);
    for (uint32_t i = 0; i < crash->messages_count; i++) {
        ln_text_print(out, "%s{", i > 0 ? "," : "");
        shell_put_pid(call, "from", crash->messages[i].from);
        shell_put_tag(call, crash->messages[i].tag, crash->messages[i].tag_name);
        ln_text_print(out, "\"bytes\":%u}", crash->messages[i].bytes);
    }
    ln_text_print(out, "]}");
}

/* -> [{"at_ms": ..., "pid": ..., "reason": ..., "messages": [...]}, ...] */
void
shell_crashes(struct shell_call *call)
{
    struct ln_crash *crashes = ln_alloc(SHOWN_MAX * sizeof *crashes);
    int error = 0;
    ln_text_print(call->out, "[");
    for (unsigned i = 0; i < ln_schedulers() && error == 0; i++) {
        uint32_t count = 0;
        error = ln_crashes_read(i, 0, crashes, SHOWN_MAX, &count);
        for (uint32_t k = 0; k < count && row_fits(call); k++) {
            put_crash(call, &crashes[k]);
        }
    }
    ln_text_print(call->out, "]");
    ln_free(crashes);
    if (error < 0) {
        shell_fail_errno(call, error, "crashes");
    }
}

static void
put_stall(struct shell_call *call, const struct ln_stall *stall)
{
    struct ln_text *out = call->out;
    put_comma(call);
    ln_text_print(out, "{\"at_ms\":%lld,", (long long)stall->at_wall_ms);
    shell_put_pid(call, "pid", stall->pid);
    shell_put_text(call, "behaviour", stall->behaviour);
    ln_text_print(out, "\"cpu_ms\":%llu,\"behaviour_count\":%llu,\"at\":\"",
                  (unsigned long long)stall->cpu_ms, (unsigned long long)stall->behaviour_count);
    for (uint32_t i = 0; i < stall->frames_count; i++) {
        ln_text_print(out, "%s", i > 0 ? " " : "");
        ln_frame_print(stall->frames[i], out);
    }
    ln_text_print(out, "\"}");
}

/* -> [{"at_ms": ..., "pid": ..., "cpu_ms": ..., "at": "..."}, ...] */
void
shell_stalls(struct shell_call *call)
{
    struct ln_stall *stalls = ln_alloc(SHOWN_MAX * sizeof *stalls);
    int error = 0;
    ln_text_print(call->out, "[");
    for (unsigned i = 0; i < ln_schedulers() && error == 0; i++) {
        uint32_t count = 0;
        error = ln_stalls_read(i, 0, stalls, SHOWN_MAX, &count);
        for (uint32_t k = 0; k < count && row_fits(call); k++) {
            put_stall(call, &stalls[k]);
        }
    }
    ln_text_print(call->out, "]");
    ln_free(stalls);
    if (error < 0) {
        shell_fail_errno(call, error, "stalls");
    }
}
