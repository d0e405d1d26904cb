/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/objectives.h"

static const struct {
    enum tally_delay delay;
    const char *name, *text;
} told[OBJECTIVES] = {
    [OBJECTIVE_SENT] = {TALLY_TO_ANSWER, "p99_sent", "p99 to sent"},
    [OBJECTIVE_DELIVERY] = {TALLY_TO_SHOWN, "p99_delivery", "p99 to delivery"},
    [OBJECTIVE_TICK] = {TALLY_TO_TICK, "p99_tick", "p99 to delivered tick"},
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

struct objective_found
objective_look(const struct objectives *objectives, enum objective objective,
               const struct tally *tally)
{
    static const double p99 = 99;
    const struct histogram *histogram = &tally->delays[told[objective].delay];
    struct objective_found found = {.wanted_ns = objectives->p99_ns[objective],
                                    .p99_ns = histogram_percentile(histogram, p99)};
    found.stated = found.wanted_ns != 0;
    found.kept = !found.stated || (histogram->count > 0 && found.p99_ns <= found.wanted_ns);
    return found;
}

bool
objectives_kept(const struct objectives *objectives, const struct tally *tally)
{
    for (unsigned i = 0; i < OBJECTIVES; i++) {
        if (!objective_look(objectives, (enum objective)i, tally).kept) {
            return false;
        }
    }
    return true;
}
