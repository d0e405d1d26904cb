/* SPDX-License-Identifier: Apache-2.0 */
#include "net/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(GATHER_TAIL_BYTES_MAX <= UINT8_MAX, "tail_bytes holds it");

static uint32_t
smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A small announced size is taken at once. A larger one doubles what there is, so that copying
 * stays linear; only where the end of the message is known there is no need to go beyond it. */
static uint32_t
capacity_choose(uint32_t kept_bytes, uint32_t capacity, const struct gather_need *need)
{
    uint32_t least = kept_bytes + need->now_bytes;
    uint32_t announced = kept_bytes + need->announced_bytes;
    uint32_t chosen = need->announced_bytes <= GATHER_TRUST_BYTES ? announced : least;
    if (chosen < 2 * capacity) {
        chosen = need->last ? smaller(2 * capacity, announced) : 2 * capacity;
    }
    return smaller(chosen, need->message_bytes_max + GATHER_TAIL_BYTES_MAX);
}

int
gather_reserve(struct gather **gather, const struct gather_need *need)
{
    struct gather *old = *gather;
    uint32_t kept_bytes = old == NULL ? 0 : old->message_bytes + old->tail_bytes;
    uint32_t capacity = old == NULL ? 0 : old->capacity;
    if (old != NULL && capacity - kept_bytes >= need->now_bytes) {
        return 0;
    }
    ASSERT(need->now_bytes <= need->announced_bytes);
    uint32_t chosen = capacity_choose(kept_bytes, capacity, need);
    struct gather *grown = realloc(old, sizeof(*grown) + chosen);
    if (grown == NULL) {
        return -ENOMEM;
    }
    if (old == NULL) {
        memset(grown, 0, sizeof(*grown));
    }
    grown->capacity = chosen;
    ASSERT(chosen - kept_bytes >= need->now_bytes);
    *gather = grown;
    return 0;
}

void
gather_settle(struct gather **gather)
{
    struct gather *kept = *gather;
    if (kept == NULL) {
        return;
    }
    if (kept->lent == GATHER_LENT_MESSAGE) {
        kept->message_bytes = 0;
        kept->opcode = FRAME_CONTINUATION;
    } else if (kept->lent == GATHER_LENT_TAIL) {
        kept->tail_bytes = 0;
    }
    kept->lent = GATHER_LENT_NOTHING;
    if (!gather_message_open(kept) && kept->tail_bytes == 0) {
        gather_free(gather);
    }
}

void
gather_free(struct gather **gather)
{
    free(*gather);
    *gather = NULL;
}
