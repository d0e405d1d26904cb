/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/objectives.h"

static const struct {
    enum tally_delay delay;
    double percent;
    const char *name, *text;
} told[OBJECTIVES] = {
    [OBJECTIVE_SENT] = {TALLY_TO_ANSWER, 99, "p99_sent", "p99 to sent"},
    [OBJECTIVE_DELIVERY] = {TALLY_TO_SHOWN, 99, "p99_delivery", "p99 to delivery"},
    [OBJECTIVE_TICK] = {TALLY_TO_TICK, 99, "p99_tick", "p99 to delivered tick"},
    [OBJECTIVE_LOGIN] = {TALLY_LOGIN, 99, "p99_login", "p99 of a login"},
    [OBJECTIVE_BACK] = {TALLY_BACK, 100, "all_back", "the last one back"},
};

const char *
objective_name(enum objective objective)
{
    return told[objective].name;
}

const char *
objective_text(enum objective objective)
{
    return told[objective].text;
}

bool
objectives_stated(const struct objectives *objectives)
{
    for (unsigned i = 0; i < OBJECTIVES; i++) {
        if (objectives->wanted_ns[i] != 0) {
            return true;
        }
    }
    return false;
}

struct objective_found
objective_look(const struct objectives *objectives, enum objective objective,
               const struct tally *tally)
{
    const struct histogram *histogram = &tally->delays[told[objective].delay];
    struct objective_found found = {.wanted_ns = objectives->wanted_ns[objective],
                                    .found_ns =
                                        histogram_percentile(histogram, told[objective].percent)};
    found.stated = found.wanted_ns != 0;
    found.known = histogram->count > 0;
    found.kept = !found.stated || (found.known && found.found_ns <= found.wanted_ns);
    return found;
}
