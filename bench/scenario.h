/* SPDX-License-Identifier: Apache-2.0 */
/* scenario.h - what a run can be, and what each is made of. */
#pragma once

#include "bench/share.h"

#include <stdbool.h>

enum options_scenario {
    SCENARIO_CHAT,
    SCENARIO_IDLE,
    SCENARIO_ECHO,
    SCENARIO_OFFLINE,
    SCENARIO_AWAY,
    SCENARIO_STORM,
    SCENARIO_MIXED,
    SCENARIO_SOAK,
    SCENARIO_GROUP,
    SCENARIOS,
};

/* Sets of them, by bit. */
enum {
    SCENARIO_CHAT_BIT = 1 << SCENARIO_CHAT,
    SCENARIO_IDLE_BIT = 1 << SCENARIO_IDLE,
    SCENARIO_ECHO_BIT = 1 << SCENARIO_ECHO,
    SCENARIO_OFFLINE_BIT = 1 << SCENARIO_OFFLINE,
    SCENARIO_AWAY_BIT = 1 << SCENARIO_AWAY,
    SCENARIO_STORM_BIT = 1 << SCENARIO_STORM,
    SCENARIO_GROUP_BIT = 1 << SCENARIO_GROUP,
    /* Days: people come and go. */
    SCENARIO_DAY_BITS = 1 << SCENARIO_MIXED | 1 << SCENARIO_SOAK,
    /* Played by pairs, between two instants. */
    SCENARIO_PAIR_BITS = SCENARIO_CHAT_BIT | SCENARIO_STORM_BIT | SCENARIO_DAY_BITS,
    /* Messages are written, and every one is judged. */
    SCENARIO_JUDGED_BITS =
        SCENARIO_PAIR_BITS | SCENARIO_OFFLINE_BIT | SCENARIO_AWAY_BIT | SCENARIO_GROUP_BIT,
};

struct options;

/* "chat" */
const char *scenario_name(enum options_scenario scenario);
/* How many users there are, and how many of them each actor plays. */
struct share_whole scenario_whole(const struct options *options);

static inline bool
scenario_in(enum options_scenario scenario, unsigned bits)
{
    return (bits & 1u << scenario) != 0;
}
