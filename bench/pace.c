/* SPDX-License-Identifier: Apache-2.0 */
/* A completion of io is no message. It becomes one by answering a request: the pacer asks itself,
 * keeps the caller, sets the timer; when it fires the completion answers, and the answer is the
 * message. That an answer may be given from a completion on the same scheduler is how the runtime's
 * own sockets do it.
 *
 *     REQUEST: set the timer  ->  completion: ln_reply  ->  ANSWER: tell who is due, request again
 */
#include "bench/pace.h"

#include "bench/day.h"
#include "bench/schedule.h"
#include "runtime/io/posix_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

enum { NEXT = 1, NS_PER_S = 1000000000, CROWDS_MAX = OPTIONS_THREADS_MAX * SHARE_PROCESSES_MAX };

struct pace {
    struct io_op op; /* of the timer, polled from the first to the last turn */
    struct crowd *crowd;
    struct schedule schedule; /* of messages alone; or ... */
    struct day day;           /* ... of whole days */
    bool days;
    struct day_due due; /* the next */
    double rate_per_s;
    struct ln_caller caller; /* ourselves, while the timer runs */
    uint64_t end_ns;
    io_file timer;
    bool running; /* the timer is set */
    bool stopped; /* nothing more is told */
};

struct pace *
pace_new(struct crowd *crowd, double rate_per_s)
{
    io_file timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer < 0) {
        return NULL;
    }
    struct pace *pace = calloc(1, sizeof *pace);
    ASSERT(pace != NULL);
    pace->crowd = crowd;
    pace->timer = timer;
    pace->stopped = true;
    pace->rate_per_s = rate_per_s;
    return pace;
}

void
pace_free(struct pace *pace)
{
    if (pace != NULL) {
        posix_file_close(pace->timer);
        day_fini(&pace->day);
        free(pace);
    }
}

/* The ring's: the timer has fired. */
static void
fired(struct io_op *op, int32_t result)
{
    struct pace *pace = (struct pace *)op;
    if (result >= 0 && pace->running) {
        struct ln_msg *nothing = NULL;
        pace->running = false;
        ln_reply(pace->caller, &nothing);
    }
}

/* Asks itself for the next. */
static void
next_request(void)
{
    struct ln_msg *msg = ln_msg_new(NEXT, LN_REPLY, 0);
    (void)ln_request(ln_self(), &msg);
}

static void
timer_set(struct pace *pace, struct ln_caller caller)
{
    uint64_t at_ns = pace->crowd->start_ns + pace->due.at_ns;
    struct itimerspec at = {
        .it_value = {.tv_sec = (time_t)(at_ns / NS_PER_S), .tv_nsec = (long)(at_ns % NS_PER_S)}};
    pace->caller = caller;
    pace->running = true;
    int result = timerfd_settime(pace->timer, TFD_TIMER_ABSTIME, &at, NULL);
    ASSERT(result == 0);
}

static void
due_next(struct pace *pace)
{
    struct schedule_due due;
    if (pace->days) {
        day_next(&pace->day, &pace->due);
        return;
    }
    schedule_next(&pace->schedule, &due);
    pace->due = (struct day_due){.at_ns = due.at_ns, .user = due.direction, .deed = DEED_WRITE};
}

/* It is due whatever becomes of it: how late it is told, or that its actor takes no more. */
static void
due_count(struct tally *tally, const struct crowd_deed *deed)
{
    if (deed->deed == DEED_WRITE || deed->deed == DEED_POST) {
        tally_add(tally, TALLY_DUE, 1);
        tally_add(tally, TALLY_DUE_INSIDE, tally_measures(tally, deed->due_ns) ? 1 : 0);
    }
}

static void
due_send(struct pace *pace)
{
    struct crowd *crowd = pace->crowd;
    uint32_t each = crowd->options->whole.users_each;
    struct ln_msg *msg = ln_msg_new(CROWD_DEED, LN_DURABLE, sizeof(struct crowd_deed));
    struct crowd_deed *deed = (struct crowd_deed *)(void *)msg->data;
    *deed = (struct crowd_deed){.due_ns = crowd->start_ns + pace->due.at_ns,
                                .end = pace->due.user % each,
                                .deed = pace->due.deed};
    due_count(&crowd->tally, deed);
    ln_send(crowd->actors[pace->due.user / each], &msg);
}

/* All that is due by now. False: that was the last of the span. */
static bool
due_tell(struct pace *pace)
{
    uint64_t now_ns = crowd_now_ns();
    while (pace->crowd->start_ns + pace->due.at_ns <= now_ns) {
        if (pace->crowd->start_ns + pace->due.at_ns >= pace->end_ns) {
            return false;
        }
        due_send(pace);
        due_next(pace);
    }
    return true;
}

/* Whoever was late for a timer, the whole generator maybe, has not told yet what was due until the
 * end of the span: that comes before the word to stop. */
static void
pace_stop(struct pace *pace)
{
    struct crowd *crowd = pace->crowd;
    if (!pace->stopped) {
        (void)due_tell(pace);
    }
    pace->stopped = true;
    for (uint32_t i = 0; i < crowd->actors_count; i++) {
        if (crowd->actors[i] != 0) {
            struct ln_msg *msg = ln_msg_new(CROWD_STOP, LN_REPLY, 0);
            ln_send(crowd->actors[i], &msg);
        }
    }
}

/* Each time it goes it is the same schedule. */
static void
schedule_begin(struct pace *pace)
{
    const struct options *options = pace->crowd->options;
    uint64_t seed = options->seed * CROWDS_MAX + pace->crowd->index;
    uint32_t users = options->whole.users_each * pace->crowd->writers_count;
    pace->days = scenario_in(options->scenario, SCENARIO_DAY_BITS);
    if (pace->days) {
        day_fini(&pace->day);
        day_init(&pace->day, seed, users, &options->habits);
    } else {
        schedule_init(&pace->schedule, seed, pace->rate_per_s, users);
    }
}

static void
pace_go(struct pace *pace, const struct ln_msg *msg)
{
    struct crowd *crowd = pace->crowd;
    crowd_go(crowd, msg);
    bool writes = ((const struct crowd_go *)(const void *)msg->data)->writes != 0;
    pace->stopped = !writes || crowd->writers_count == 0;
    if (pace->stopped) {
        return;
    }
    pace->end_ns = crowd->tally.span.until_ns;
    if (!pace->op.active) {
        pace->op.done = fired;
        io_poll(ln_io(), &pace->op, pace->timer);
    }
    schedule_begin(pace);
    due_next(pace);
    next_request();
}

/* ------------------------------------------------------------------------------------ behaviour */

static int
pace_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(struct pace_start));
    return 0;
}

static void
pace_handle(void *state, struct ln_msg **msg)
{
    struct pace *pace = ((const struct pace_start *)state)->pace;
    if (((*msg)->flags & LN_MSG_REFUSED) != 0) {
        tally_add(&pace->crowd->tally, TALLY_SKIPPED, 1);
    } else if (((*msg)->flags & LN_MSG_REQUEST) != 0) {
        timer_set(pace, ln_caller(*msg));
    } else if (((*msg)->flags & LN_MSG_ANSWER) != 0) {
        if (!pace->stopped && due_tell(pace)) {
            next_request();
        }
    } else if ((*msg)->tag == CROWD_GO) {
        pace_go(pace, *msg);
    } else if ((*msg)->tag == CROWD_STOP) {
        pace_stop(pace);
    } else if ((*msg)->tag == CROWD_FINISH || (*msg)->tag == CROWD_ABANDON) {
        ln_stop(LN_EXIT_NORMAL, "finished");
    }
}

const struct ln_behaviour pace_behaviour = {
    .name = "pace",
    .state_bytes = sizeof(struct pace_start),
    .init = pace_init,
    .handle = pace_handle,
};
