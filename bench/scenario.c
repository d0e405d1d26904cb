/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/scenario.h"

#include "bench/options.h"

const char *
scenario_name(enum options_scenario scenario)
{
    static const char *const names[SCENARIOS] = {"chat",  "idle",  "echo", "offline",
                                                 "storm", "mixed", "soak", "group"};
    return names[scenario];
}

struct share_whole
scenario_whole(const struct options *options)
{
    if (options->scenario == SCENARIO_OFFLINE) {
        uint32_t writers = (options->users + options->readers - 1) / options->readers;
        return (struct share_whole){options->users + writers, options->readers + 1};
    }
    if (options->scenario == SCENARIO_GROUP || scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        return (struct share_whole){options->users, options->members};
    }
    return (struct share_whole){options->users, options->scenario == SCENARIO_ECHO ? 1 : 2};
}
