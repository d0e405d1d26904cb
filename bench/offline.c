/* SPDX-License-Identifier: Apache-2.0 */
/* A circle: end 0 writes, line i is read by end i + 1. */
#include "bench/offline.h"

#include "bench/chance.h"
#include "bench/circle.h"

enum { NS_PER_S = 1000000000 };

struct offline {
    struct circle circle; /* first: it is the state that circle.h wants */
    uint32_t readers;
    uint32_t to_write; /* letters */
    uint32_t next;     /* in turn: the line that is next */
    bool filled;
    bool returning;
    uint64_t returning_ns; /* since when */
    bool *drained;         /* [readers] */
};

static void
join(uint32_t line, uint32_t *out_writer, uint32_t *out_reader)
{
    *out_writer = 0;
    *out_reader = line + 1;
}

/* Where chance says who is written to, some get more than others: so much room each has. */
static uint32_t
open_max(const struct options *options)
{
    enum { MORE = 64 };
    return options->random ? 2 * options->depth + MORE : options->depth;
}

/* -------------------------------------------------------------------------------------- filling */

/* The line that gets the next letter: the one whose turn it is, or the first behind it that has
 * room. In all of them together there is room for all letters. */
static struct line *
line_next(struct offline *offline)
{
    struct circle *circle = &offline->circle;
    if (circle->crowd->options->random) {
        offline->next = (uint32_t)chance_below(&circle->crowd->chance, offline->readers);
    }
    struct line *line = NULL;
    do {
        line = &circle->lines[offline->next];
        offline->next = (offline->next + 1) % offline->readers;
    } while (!audit_has_room(&line->audit));
    return line;
}

static void
fill(struct offline *offline, uint64_t now_ns)
{
    struct circle *circle = &offline->circle;
    struct crowd *crowd = circle->crowd;
    const struct client *client = &circle->ends[0].phone.client;
    while (offline->to_write > 0 && client_unanswered(client) < crowd->options->window &&
           circle_send(circle, line_next(offline), now_ns)) {
        offline->to_write--;
    }
    if (offline->to_write == 0 && client_unanswered(client) == 0 && !offline->filled) {
        offline->filled = true;
        tally_delay(&crowd->tally, TALLY_FILLED, crowd->start_ns, now_ns);
        crowd_tell(crowd, CROWD_QUIET);
    }
}

static void
go(struct offline *offline, const struct ln_msg *msg)
{
    struct circle *circle = &offline->circle;
    crowd_go(circle->crowd, msg);
    offline->to_write = offline->readers * circle->crowd->options->depth;
    fill(offline, crowd_now_ns());
    phone_flush(&circle->ends[0].phone);
}

/* ------------------------------------------------------------------------------------- draining */

/* All at once, or at a rate: then each at an instant that chance picks from as long as that takes,
 * as in a Poisson process of which the number of arrivals is known. */
static void
come_back(struct offline *offline, const struct crowd_go *go)
{
    const struct options *options = offline->circle.crowd->options;
    uint64_t *chance = &offline->circle.crowd->chance;
    double span_s = options->returns_per_s > 0 ? options->users / options->returns_per_s : 0;
    offline->returning = true;
    offline->returning_ns = go->start_ns;
    offline->circle.stopped = true;
    for (uint32_t i = 0; i < offline->readers; i++) {
        double share = (double)chance_below(chance, UINT32_MAX) / (double)UINT32_MAX;
        uint64_t delay_ns = (uint64_t)(span_s * share * NS_PER_S);
        crowd_deed_at(go->start_ns + delay_ns, i + 1, DEED_RETURN);
    }
}

static void
is_back(struct offline *offline, const struct crowd_deed *deed)
{
    struct circle *circle = &offline->circle;
    tally_delay(&circle->crowd->tally, TALLY_LAG, deed->due_ns, crowd_now_ns());
    phone_return(&circle->ends[deed->end].phone, deed->due_ns, 0);
}

static void
drained_note(struct offline *offline, uint32_t reader, uint64_t now_ns)
{
    struct tally *tally = &offline->circle.crowd->tally;
    const struct line *line = &offline->circle.lines[reader];
    if (offline->returning && !offline->drained[reader] && audit_all_shown(&line->audit)) {
        offline->drained[reader] = true;
        tally_delay(tally, TALLY_DRAINED, line->reader->phone.returned_ns, now_ns);
        tally_delay(tally, TALLY_EMPTIED, offline->returning_ns, now_ns);
    }
}

/* --------------------------------------------------------------------------------------- circle */

static void
moved(struct circle *circle, struct end *end, uint64_t now_ns)
{
    struct offline *offline = (struct offline *)circle;
    if (end != &circle->ends[0]) {
        drained_note(offline, (uint32_t)(end - circle->ends) - 1, now_ns);
    } else if (crowd_going(circle->crowd)) {
        fill(offline, now_ns);
    }
}

static void
welcomed(struct circle *circle, struct end *end)
{
    const struct offline *offline = (const struct offline *)circle;
    if (end != &circle->ends[0] && !offline->returning) {
        phone_leave(&end->phone);
    }
}

static int
offline_init(void *state, const void *argument)
{
    struct offline *offline = state;
    const struct crowd_place *place = argument;
    const struct options *options = place->crowd->options;
    uint32_t before = (place->crowd->actors_first + place->index) * options->readers;
    uint32_t readers = options->users - before;
    offline->readers = readers < options->readers ? readers : options->readers;
    offline->drained = ln_alloc(offline->readers * sizeof *offline->drained);
    struct circle_shape shape = {.ends = offline->readers + 1,
                                 .lines = offline->readers,
                                 .user_first = place->index * (options->readers + 1),
                                 .line_first = before,
                                 .open_max = open_max(options),
                                 .join = join,
                                 .moved = moved,
                                 .welcomed = welcomed};
    circle_init(&offline->circle, place, &shape);
    return 0;
}

static void
offline_handle(void *state, struct ln_msg **msg)
{
    struct offline *offline = state;
    const void *data = (*msg)->data;
    switch ((*msg)->tag) {
    case CROWD_GO:
        go(offline, *msg);
        break;
    case CROWD_RETURN:
        come_back(offline, data);
        break;
    case CROWD_DEED:
        is_back(offline, data);
        break;
    default:
        circle_handle(&offline->circle, *msg);
    }
}

static void
offline_terminate(void *state, const struct ln_reason *reason)
{
    struct offline *offline = state;
    (void)reason;
    circle_fini(&offline->circle);
}

const struct ln_behaviour offline_behaviour = {
    .name = "offline",
    .state_bytes = sizeof(struct offline),
    .init = offline_init,
    .handle = offline_handle,
    .terminate = offline_terminate,
    .memory_bytes_max = 1u << 31, /* what its readers have not been shown is remembered */
};
