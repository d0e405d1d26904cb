/* SPDX-License-Identifier: Apache-2.0 */
/* world_spec.h - specs of which each plays in a world (world.h) of its own, which is its state:
 *
 *     static struct world_plan plan = {.seed = 2, .limits = {.inbox_entries_max = 3, ...}};
 *
 *     ... specs[] = { IN_A_WORLD("a revoked device is gone", revokes), ...
 */
#pragma once

#include "tests/spec.h"
#include "tests/store/world.h"

struct world_plan {
    uint64_t seed;
    struct ledger_limits limits;
};

/* cmocka's setup, of a struct world_plan, and its teardown. */
int world_begin(void **state);
int world_end(void **state);

/* By `plan`. */
#define IN_A_WORLD(title, function)                        \
    {                                                      \
        (title), (function), world_begin, world_end, &plan \
    }
/* By a setup of the spec's own, `begin`, which leaves a world in *state, and people in it. */
#define AMONG_THEM(title, function)                 \
    {                                               \
        (title), (function), begin, world_end, NULL \
    }
