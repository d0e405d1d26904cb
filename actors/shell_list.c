/* SPDX-License-Identifier: Apache-2.0 */
/* Lists over all partitions, in their order, a page at a time. */
#include "actors/shell_priv.h"

#include <stdio.h>

enum { PARTITIONS = 256 };

/* "partition.number" */
static bool
place_parse(const char *text, uint64_t *out_partition, uint64_t *out_after)
{
    return shell_number_parse(&text, PARTITIONS - 1, out_partition) && *text++ == '.' &&
           shell_number_parse(&text, UINT64_MAX, out_after) && *text == '\0';
}

void
shell_list(struct shell_call *call, const char *what, shell_list_partition *list)
{
    uint64_t partition = 0;
    uint64_t after = 0;
    int error = 0;
    if (call->count == 1 && !place_parse(call->words[0], &partition, &after)) {
        shell_fail(call, SHELL_USAGE, "%s: '%s' is no place to go on from", what, call->words[0]);
        return;
    }
    ln_text_print(call->out, "[");
    for (; partition < PARTITIONS; partition++) {
        bool more = list(call, (unsigned)partition, &after, &error);
        if (error < 0) {
            shell_fail_errno(call, error, what);
            return;
        }
        if (more) {
            (void)snprintf(call->next, sizeof call->next, "%llu.%llu",
                           (unsigned long long)partition, (unsigned long long)after);
            break;
        }
        after = 0;
    }
    ln_text_print(call->out, "]");
}
