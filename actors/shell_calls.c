/* SPDX-License-Identifier: Apache-2.0 */
/* linnet calls: which calls are under way. Each is known to both partitions; it is shown by its
 * caller's. */
#include "actors/shell_priv.h"

#include "store/request.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 10000 };

static int
ask(struct shell_call *call, unsigned partition, uint64_t after, struct ln_msg **out_answer)
{
    struct ln_msg *request =
        ln_msg_new(STORE_CALL_LIST, LN_DURABLE, sizeof(struct store_call_list));
    *(struct store_call_list *)(void *)request->data = (struct store_call_list){.user = after};
    return ln_call(store_partition_pid(call->messenger->store, (uint8_t)partition), &request,
                   TIMEOUT_MS, out_answer);
}

static void
row_print(struct shell_call *call, const struct store_call_row *row)
{
    ln_text_print(
        call->out,
        "%s{\"caller\":%llu,\"device\":%u,\"number\":%llu,\"callee\":%llu,\"callee_device\":%u,"
        "\"video\":%s,\"state\":\"%s\",\"started_at_ms\":%llu,\"answered_at_ms\":%llu}",
        call->out->bytes == 1 ? "" : ",", (unsigned long long)row->id.caller, row->id.device,
        (unsigned long long)row->id.number, (unsigned long long)row->peer, row->callee_device,
        row->video ? "true" : "false", row->answered_at_ms != 0 ? "answered" : "ringing",
        (unsigned long long)row->started_at_ms, (unsigned long long)row->answered_at_ms);
}

/* A partition's callers above *after, as far as they fit. True: there are more. */
static bool
partition_list(struct shell_call *call, unsigned partition, uint64_t *after, int *out_error)
{
    struct store_call_page page;
    do {
        struct ln_msg *answer = NULL;
        *out_error = ask(call, partition, *after, &answer);
        if (*out_error < 0) {
            return false;
        }
        memcpy(&page, answer->data, sizeof page);
        const struct store_call_row *rows =
            answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
        for (uint32_t i = 0; i < page.count && rows != NULL; i++) {
            if (rows[i].user == rows[i].id.caller) {
                if (!shell_row_fits(call)) {
                    ln_msg_free(&answer);
                    return true;
                }
                row_print(call, &rows[i]);
            }
            *after = rows[i].user;
        }
        *after = page.user;
        ln_msg_free(&answer);
    } while (page.more);
    return false;
}

/* [cursor] -> [{"caller": ..., "callee": ..., "state": ...}, ...] in the order of partitions */
void
shell_calls(struct shell_call *call)
{
    shell_list(call, "calls", partition_list);
}
