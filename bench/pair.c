/* SPDX-License-Identifier: Apache-2.0 */
/* A circle of two ends and two lines; line i is written by end i and read by the other. */
#include "bench/pair.h"

#include "bench/backlog.h"
#include "bench/circle.h"
#include "bench/storm.h"

enum { ENDS = 2 };

struct pair {
    struct circle circle; /* first: it is the state that circle.h wants */
    struct backlog backlogs[ENDS];
    uint32_t cuts_due; /* by storms of the span; each is made, however late its instant is told */
    bool writing;      /* between go and stop */
};

static void
join(uint32_t line, uint32_t *out_writer, uint32_t *out_reader)
{
    *out_writer = line;
    *out_reader = ENDS - 1 - line;
}

/* -------------------------------------------------------------------------------------- writing */

static bool
open_loop(const struct pair *pair)
{
    return pair->circle.crowd->options->rate_per_s > 0;
}

/* Writes what is due, or in a closed loop as much as there is room for. */
static void
end_write(struct pair *pair, uint32_t end, uint64_t now_ns)
{
    struct circle *circle = &pair->circle;
    struct line *line = &circle->lines[end];
    struct backlog *backlog = &pair->backlogs[end];
    while (!open_loop(pair) && pair->writing && circle_has_room(circle, line)) {
        if (!circle_send(circle, line, now_ns)) {
            return;
        }
    }
    while (backlog->count > 0 && circle_has_room(circle, line) &&
           circle_send(circle, line, backlog_first(backlog))) {
        backlog_pop(backlog);
        circle->waiting--;
    }
}

static void
due(struct pair *pair, uint32_t end, uint64_t due_ns, uint64_t now_ns)
{
    struct circle *circle = &pair->circle;
    if (!backlog_push(&pair->backlogs[end], due_ns)) {
        tally_add(&circle->crowd->tally, TALLY_SKIPPED, 1);
        return;
    }
    circle->waiting++;
    end_write(pair, end, now_ns);
    phone_flush(&circle->ends[end].phone);
}

/* ---------------------------------------------------------------------------------------- deeds */

static void
deed(struct pair *pair, const struct crowd_deed *deed)
{
    struct tally *tally = &pair->circle.crowd->tally;
    struct end *end = &pair->circle.ends[deed->end];
    uint64_t now_ns = crowd_now_ns();
    tally_delay(tally, TALLY_LAG, deed->due_ns, now_ns);
    if (deed->deed == DEED_WRITE) {
        due(pair, deed->end, deed->due_ns, now_ns);
    } else if (deed->deed == DEED_MOVE) {
        pair->cuts_due--;
        phone_drop(&end->phone, deed->due_ns);
    }
}

static void
moved(struct circle *circle, struct end *end, uint64_t now_ns)
{
    end_write((struct pair *)circle, (uint32_t)(end - circle->ends), now_ns);
}

/* Who was cut by a storm is to be seen back: how long it took belongs to what is measured. */
static bool
quiet(const struct circle *circle)
{
    const struct pair *pair = (const struct pair *)circle;
    bool seeking = circle->ends[0].phone.seeking || circle->ends[1].phone.seeking;
    return pair->cuts_due == 0 && (circle->crowd->options->storms == 0 || !seeking);
}

/* -------------------------------------------------------------------------------------- section */

static void
go(struct pair *pair, const struct ln_msg *msg)
{
    struct circle *circle = &pair->circle;
    struct crowd *crowd = circle->crowd;
    crowd_go(crowd, msg);
    if (((const struct crowd_go *)(const void *)msg->data)->writes == 0) {
        return;
    }
    pair->writing = true;
    circle->stopped = false;
    circle->quiet_told = false;
    uint64_t now_ns = crowd_now_ns();
    for (uint32_t i = 0; i < ENDS; i++) {
        for (uint32_t storm = 0; storm < crowd->options->storms; storm++) {
            pair->cuts_due++;
            crowd_deed_at(storm_at_ns(&crowd->tally.span, storm, crowd->options->storms), i,
                          DEED_MOVE);
        }
        end_write(pair, i, now_ns);
        phone_flush(&circle->ends[i].phone);
    }
}

static void
stop(struct pair *pair)
{
    pair->writing = false;
    pair->circle.stopped = true;
    circle_quiet_tell(&pair->circle);
}

/* -------------------------------------------------------------------------------- the behaviour */

static int
pair_init(void *state, const void *argument)
{
    struct pair *pair = state;
    const struct crowd_place *place = argument;
    struct circle_shape shape = {.ends = ENDS,
                                 .lines = ENDS,
                                 .user_first = ENDS * place->index,
                                 .line_first = ENDS * (place->crowd->actors_first + place->index),
                                 .open_max = AUDIT_OPEN_MAX,
                                 .join = join,
                                 .moved = moved,
                                 .quiet = quiet};
    circle_init(&pair->circle, place, &shape);
    return 0;
}

static void
pair_handle(void *state, struct ln_msg **msg)
{
    struct pair *pair = state;
    const void *data = (*msg)->data;
    if (((*msg)->flags & LN_MSG_REFUSED) != 0) {
        return;
    }
    switch ((*msg)->tag) {
    case CROWD_DEED:
        deed(pair, data);
        break;
    case CROWD_GO:
        go(pair, *msg);
        break;
    case CROWD_STOP:
        stop(pair);
        break;
    default:
        circle_handle(&pair->circle, *msg);
    }
}

static void
pair_terminate(void *state, const struct ln_reason *reason)
{
    struct pair *pair = state;
    (void)reason;
    circle_fini(&pair->circle);
}

const struct ln_behaviour pair_behaviour = {
    .name = "pair",
    .state_bytes = sizeof(struct pair),
    .init = pair_init,
    .handle = pair_handle,
    .terminate = pair_terminate,
};
