/* SPDX-License-Identifier: Apache-2.0 */
/* Through the store's table of who is due, partition by partition: at the start, and now and then,
 * since notices may be lost and there may have been no room. One page at a time. */
#include "actors/push_priv.h"

#include "store/store.h"

#include <string.h>

enum {
    PARTITIONS = 256,
    SWEEP_EVERY_MS = 5 * 60 * 1000,
    SWEEP_ROWS = 256,
};

static void
sweep_after(uint64_t pause_ms)
{
    struct ln_msg *msg = ln_msg_new(PUSH_SWEEP, LN_REPLY, 0);
    (void)ln_send_after(pause_ms, ln_self(), &msg);
}

/* Asks for the next page, of the next partition that is at home here. */
static void
ask_page(struct push *push)
{
    struct push_sweep *sweep = &push->sweep;
    const struct store *store = push->messenger->store;
    while (sweep->partition < PARTITIONS &&
           store_partition_home(store, (uint8_t)sweep->partition) != ln_scheduler()) {
        sweep->partition++;
    }
    if (sweep->partition == PARTITIONS) {
        *sweep = (struct push_sweep){0};
        sweep_after(SWEEP_EVERY_MS);
        return;
    }
    struct ln_msg *request =
        ln_msg_new(STORE_WAKE_LIST, LN_DURABLE, sizeof(struct store_wake_list));
    *(struct store_wake_list *)(void *)request->data =
        (struct store_wake_list){.user = sweep->user, .device = sweep->device, .max = SWEEP_ROWS};
    sweep->ref = ln_request(store_partition_pid(store, (uint8_t)sweep->partition), &request);
}

void
push_sweep_begin(struct push *push)
{
    push->sweep = (struct push_sweep){.runs = true};
    ask_page(push);
}

void
push_sweep_tick(struct push *push)
{
    if (push->sweep.runs) {
        ask_page(push); /* it had stopped for want of room, or of an answer */
    } else {
        push_sweep_begin(push);
    }
}

/* Takes the page in; false: there was no room for all of it, which comes again. */
static bool
take_page(struct push *push, const struct ln_msg *answer)
{
    const struct store_wake_page *page = (const struct store_wake_page *)(const void *)answer->data;
    const unsigned char *rows = answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
    struct store_wake_due due;
    for (uint32_t i = 0; i < page->count && rows != NULL; i++) {
        memcpy(&due, rows + i * sizeof due, sizeof due);
        if (!push_due(push, &due)) {
            return false;
        }
        push->sweep.user = due.user;
        push->sweep.device = due.device;
    }
    push->sweep.user = page->user;
    push->sweep.device = page->device;
    return true;
}

bool
push_sweep_answered(struct push *push, const struct ln_msg *answer)
{
    struct push_sweep *sweep = &push->sweep;
    if (sweep->ref == 0 || answer->ref != sweep->ref) {
        return false;
    }
    sweep->ref = 0;
    if (answer->error != 0 || !take_page(push, answer)) {
        sweep_after(PUSH_AGAIN_MS);
        return true;
    }
    const struct store_wake_page *page = (const struct store_wake_page *)(const void *)answer->data;
    if (!page->more) {
        sweep->partition++;
        sweep->user = 0;
        sweep->device = 0;
    }
    ask_page(push);
    return true;
}
