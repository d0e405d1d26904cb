/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/scenario.h"

#include "bench/options.h"

const char *
scenario_name(enum options_scenario scenario)
{
    static const char *const names[SCENARIOS] = {"chat",  "idle",  "echo", "offline", "away",
                                                 "storm", "mixed", "soak", "group"};
    return names[scenario];
}

struct share_whole
scenario_whole(const struct options *options)
{
    if (scenario_in(options->scenario, SCENARIO_OFFLINE_BIT | SCENARIO_AWAY_BIT)) {
        uint32_t writers = (options->users + options->readers - 1) / options->readers;
        bool away = options->scenario == SCENARIO_AWAY;
        return (struct share_whole){.users = options->users + writers,
                                    .users_each = options->readers + 1,
                                    .absent_each = away ? options->readers : 0};
    }
    if (options->scenario == SCENARIO_GROUP || scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        return (struct share_whole){.users = options->users, .users_each = options->members};
    }
    return (struct share_whole){.users = options->users,
                                .users_each = options->scenario == SCENARIO_ECHO ? 1 : 2};
}
