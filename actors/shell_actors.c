/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at actors: pids, and lists in pages. */
#include "actors/shell_priv.h"
#include "runtime/bounds.h"

#include <stdio.h>

void
shell_pid_print(ln_pid pid, char out[SHELL_PID_BYTES])
{
    (void)snprintf(out, SHELL_PID_BYTES, "%u.%u.%u", (unsigned)(pid >> 56),
                   (unsigned)(pid >> 32) & LN_ACTORS_MAX, (unsigned)pid);
}

bool
shell_number_parse(const char **at, uint64_t high, uint64_t *out)
{
    const char *start = *at;
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9' && value <= high; ++*at) {
        value = value * 10 + (uint64_t)(**at - '0');
    }
    *out = value;
    return *at != start && value <= high;
}

bool
shell_pid_parse(const char *text, ln_pid *out)
{
    uint64_t scheduler = 0;
    uint64_t slot = 0;
    uint64_t generation = 0;
    if (!shell_number_parse(&text, LN_SCHEDULERS_MAX - 1, &scheduler) || *text++ != '.' ||
        !shell_number_parse(&text, LN_ACTORS_MAX, &slot) || *text++ != '.' ||
        !shell_number_parse(&text, UINT32_MAX, &generation) || *text != '\0') {
        return false;
    }
    *out = scheduler << 56 | slot << 32 | generation;
    return true;
}

/* ---------------------------------------------------------------------------------------- lists */

void
shell_actor_print(struct shell_call *call, const struct ln_actor_info *info, uint64_t count)
{
    char pid[SHELL_PID_BYTES];
    char parent[SHELL_PID_BYTES] = "";
    shell_pid_print(info->pid, pid);
    if (info->parent != 0) {
        shell_pid_print(info->parent, parent);
    }
    ln_text_print(call->out, "{\"pid\":\"%s\",\"parent\":\"%s\",\"behaviour\":\"%s\",", pid, parent,
                  info->behaviour);
    shell_put_text(call, "name", info->name);
    if (count > 1) {
        ln_text_print(call->out, "\"count\":%llu,", (unsigned long long)count);
    }
    ln_text_print(
        call->out, "\"mailbox\":%u,\"reductions\":%u,\"memory_bytes\":%llu,\"state\":\"%s\"}",
        info->mailbox, info->reductions, (unsigned long long)info->memory_bytes, info->state);
}

/* The actors of one scheduler from *slot on, while they fit. True: there are more of them. */
static bool
actors_print(struct shell_call *call, unsigned scheduler, uint32_t *slot,
             struct ln_actor_info *page, int *out_error)
{
    enum { ROW_BYTES = 384 }; /* names and behaviours are short; escaped ones end the page early */
    do {
        uint32_t room = (uint32_t)((call->out->bytes_max - call->out->bytes) / ROW_BYTES);
        uint32_t count = 0;
        if (room < LN_INSPECT_PAGE) {
            return true;
        }
        *out_error = ln_inspect_list(scheduler, slot, page, LN_INSPECT_PAGE, &count);
        if (*out_error < 0) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            ln_text_print(call->out, "%s", call->out->bytes == 1 ? "" : ",");
            shell_actor_print(call, &page[i], 1);
        }
    } while (*slot != 0);
    return false;
}

/* [cursor] -> [{"pid": ...}, ...] */
void
shell_ps(struct shell_call *call)
{
    uint64_t scheduler = 0;
    uint64_t slot = 0;
    if (call->count == 1) {
        const char *at = call->words[0];
        if (!shell_number_parse(&at, LN_SCHEDULERS_MAX - 1, &scheduler) || *at++ != '.' ||
            !shell_number_parse(&at, LN_ACTORS_MAX, &slot) || *at != '\0') {
            shell_fail(call, SHELL_USAGE, "ps: '%s' is no place to go on from", call->words[0]);
            return;
        }
    }
    struct ln_actor_info *page = ln_alloc(LN_INSPECT_PAGE * sizeof *page);
    int error = 0;
    ln_text_print(call->out, "[");
    while (scheduler < ln_schedulers()) {
        uint32_t from = (uint32_t)slot;
        bool more = actors_print(call, (unsigned)scheduler, &from, page, &error);
        if (error < 0) {
            break;
        }
        if (more) {
            (void)snprintf(call->next, sizeof call->next, "%u.%u", (unsigned)scheduler, from);
            break;
        }
        scheduler++;
        slot = 0;
    }
    ln_text_print(call->out, "]");
    ln_free(page);
    if (error < 0) {
        shell_fail_errno(call, error, "ps");
    }
}
