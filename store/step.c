/* SPDX-License-Identifier: Apache-2.0 */
#include "store/step.h"

#include "store/checksum.h"

#include <stddef.h>

enum {
    KIND_SHIFT = 56,
    TICKS_SHIFT = 16,
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are written as they lie");
_Static_assert(sizeof(uint64_t[STEP_WORDS]) == STEP_BYTES, "the size that is promised");

uint64_t
step_mark(uint64_t seed, uint64_t sender, uint16_t device, uint64_t number)
{
    uint64_t id[3] = {sender, device, number};
    uint64_t mark = checksum_bytes(seed, id, sizeof id);
    return mark != 0 ? mark : 1;
}

void
step_pack(const struct step *step, uint64_t out[STEP_WORDS])
{
    out[0] = step->mark;
    out[1] = (step->user & STEP_USER_MAX) | (uint64_t)step->kind << KIND_SHIFT;
    out[2] = step->number;
    out[3] = step->device | step->ticks << TICKS_SHIFT;
}

bool
step_unpack(const uint64_t words[STEP_WORDS], struct step *out)
{
    uint64_t kind = words[1] >> KIND_SHIFT;
    if (kind == STEP_NONE || kind >= STEP_KINDS) {
        return false;
    }
    *out = (struct step){
        .kind = (enum step_kind)kind,
        .device = (uint16_t)words[3],
        .mark = words[0],
        .user = words[1] & STEP_USER_MAX,
        .number = words[2],
        .ticks = words[3] >> TICKS_SHIFT,
    };
    return true;
}

const char *
step_kind_name(enum step_kind kind)
{
    static const char *const names[] = {
        "none",    "accepted", "durable",      "repeated", "refused",  "answered", "queued",
        "written", "pushed",   "acknowledged", "read",     "given up", "expired",  "missed",
    };
    _Static_assert(sizeof names / sizeof names[0] == STEP_KINDS, "every kind has a name");
    ASSERT((unsigned)kind < STEP_KINDS);
    return names[kind];
}
