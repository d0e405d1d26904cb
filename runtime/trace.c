/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler's side: up to LN_TRACES_MAX recorders, each with a ring that its own thread alone
 * writes and reads. Whoever reads asks the scheduler for a copy, like every look (inspect.c), so
 * that nothing is shared and the simulation repeats it. A recorder that ended is kept until it was
 * read to its end, or stopped, or forgotten.
 *
 * The asker's side: a trace is a list of recorders, one for each scheduler with chosen actors. */
#include "runtime/trace.h"

#include "runtime/inspect_priv.h"
#include "runtime/message.h"
#include "runtime/text.h"
#include "runtime/trace_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct recorder {
    struct timer timer; /* first; its end, then its being forgotten */
    uint64_t id;
    enum ln_trace_state state;
    unsigned place; /* in `traces`, and its bit in `tracing` and an actor's `traced` */
    uint32_t pids_count, pids_left;
    ln_pid pids[LN_TRACE_ACTORS_MAX];
    uint32_t events_left; /* until its bound */
    uint32_t first, count;
    uint64_t dropped; /* since the last read */
    struct ln_trace_event events[LN_TRACE_KEPT];
};
_Static_assert(LN_TRACES_MAX <= 8, "an actor has a byte of bits");

struct start_request {
    uint32_t events_max, ms_max, pids_count;
    ln_pid pids[LN_TRACE_ACTORS_MAX];
};

struct start_answer {
    uint64_t id, now_ns;
};

struct read_request {
    uint64_t id;
    uint32_t max;
};

struct read_answer {
    enum ln_trace_state state;
    uint32_t count;
    uint64_t dropped;
    struct ln_trace_event events[];
};

/* --------------------------------------------------------------------- the scheduler: recording */

static void
recorder_free(struct scheduler *self, struct recorder *recorder)
{
    timer_cancel(&self->timers, &recorder->timer);
    self->traces[recorder->place] = NULL;
    free(recorder);
}

static void
recorder_forget(struct timer *timer)
{
    recorder_free(scheduler_current(), (struct recorder *)timer);
}

static void
recorder_end(struct scheduler *self, struct recorder *recorder, enum ln_trace_state state)
{
    uint8_t bit = (uint8_t)(1u << recorder->place);
    if (recorder->state != LN_TRACE_RUNS) {
        return;
    }
    recorder->state = state;
    self->tracing &= (uint8_t)~bit;
    for (uint32_t i = 0; i < recorder->pids_count; i++) {
        struct actor *actor = scheduler_find(self, recorder->pids[i]);
        if (actor != NULL) {
            actor->traced &= (uint8_t)~bit;
        }
    }
    timer_cancel(&self->timers, &recorder->timer);
    timer_set_after(&self->timers, &recorder->timer, LN_TRACE_FORGET_MS, recorder_forget);
}

static void
recorder_expired(struct timer *timer)
{
    recorder_end(scheduler_current(), (struct recorder *)timer, LN_TRACE_TIME_OVER);
}

static void
recorder_note(struct scheduler *self, struct recorder *recorder, const struct ln_trace_event *event)
{
    if (recorder->count < LN_TRACE_KEPT) {
        recorder->events[(recorder->first + recorder->count++) % LN_TRACE_KEPT] = *event;
    } else {
        recorder->dropped++;
    }
    if (--recorder->events_left == 0) {
        recorder_end(self, recorder, LN_TRACE_EVENTS_OVER);
    }
}

static void
note(struct scheduler *self, const struct actor *actor, const struct ln_trace_event *event)
{
    for (unsigned bits = actor->traced & self->tracing; bits != 0; bits &= bits - 1) {
        recorder_note(self, self->traces[__builtin_ctz(bits)], event);
    }
}

static struct ln_trace_event
event_of(const struct scheduler *self, const struct actor *actor, enum ln_trace_kind kind)
{
    return (struct ln_trace_event){
        .at_ns = io_now_ns(self->io), .actor = actor->pid, .kind = (uint8_t)kind};
}

static void
note_message(struct scheduler *self, const struct actor *actor, enum ln_trace_kind kind,
             ln_pid peer, const struct ln_msg *msg)
{
    struct ln_trace_event event = event_of(self, actor, kind);
    event.peer = peer;
    event.ref = msg->ref;
    event.tag = msg->tag;
    event.tag_name = ln_tag_name(actor->behaviour, msg->tag);
    event.bytes = msg->bytes;
    event.buffer_bytes = msg->buffer != NULL ? ln_buffer_bytes(msg->buffer) : 0;
    event.error = (msg->flags & LN_MSG_ANSWER) != 0 ? msg->error : 0;
    event.lane = msg->lane;
    event.flags = msg->flags & (uint8_t)~LN_MSG_HELD;
    note(self, actor, &event);
}

void
trace_sent(struct scheduler *self, const struct ln_msg *msg, ln_pid to)
{
    const struct actor *actor = scheduler_find(self, msg->from);
    /* What the runtime answers on the asker's own stack is nothing that the asker sent. */
    bool own = (msg->flags & LN_MSG_ANSWER) != 0 && msg->from == to;
    if (actor != NULL && actor->traced != 0 && (msg->flags & LN_MSG_SIGNAL) == 0 && !own) {
        note_message(self, actor, LN_TRACE_SENT, to, msg);
    }
}

void
trace_taken(struct scheduler *self, const struct actor *actor, const struct ln_msg *msg)
{
    if (actor->traced != 0) {
        note_message(self, actor, LN_TRACE_TAKEN, msg->from, msg);
    }
}

void
trace_ended(struct scheduler *self, struct actor *actor)
{
    struct ln_trace_event event = event_of(self, actor, LN_TRACE_ENDED);
    unsigned bits = actor->traced & self->tracing;
    note(self, actor, &event);
    for (; bits != 0; bits &= bits - 1) {
        struct recorder *recorder = self->traces[__builtin_ctz(bits)];
        if (--recorder->pids_left == 0) {
            recorder_end(self, recorder, LN_TRACE_ACTORS_ENDED);
        }
    }
}

/* ---------------------------------------------------------------------- the scheduler: requests */

static int
place_find(const struct scheduler *self)
{
    for (int place = 0; place < LN_TRACES_MAX; place++) {
        if (self->traces[place] == NULL) {
            return place;
        }
    }
    return -EAGAIN;
}

/* Each actor once, however often it was named. */
static uint32_t
actors_choose(struct scheduler *self, struct recorder *recorder,
              const struct start_request *request)
{
    uint8_t bit = (uint8_t)(1u << recorder->place);
    for (uint32_t i = 0; i < request->pids_count; i++) {
        struct actor *actor = scheduler_find(self, request->pids[i]);
        if (actor != NULL && (actor->traced & bit) == 0) {
            actor->traced |= bit;
            recorder->pids[recorder->pids_count++] = actor->pid;
        }
    }
    recorder->pids_left = recorder->pids_count;
    return recorder->pids_count;
}

static int
start(struct scheduler *self, const struct start_request *request, struct ln_msg **out)
{
    int place = place_find(self);
    if (place < 0) {
        return place;
    }
    struct recorder *recorder = calloc(1, sizeof *recorder);
    ASSERT(recorder != NULL && "out of memory");
    recorder->place = (unsigned)place;
    recorder->events_left = request->events_max;
    if (actors_choose(self, recorder, request) == 0) {
        free(recorder);
        return -ESRCH;
    }
    recorder->id = scheduler_ref(self);
    self->traces[place] = recorder;
    self->tracing |= (uint8_t)(1u << place);
    timer_set_after(&self->timers, &recorder->timer, request->ms_max, recorder_expired);
    *out = message_new(self, 0, LN_REPLY, sizeof(struct start_answer));
    *(struct start_answer *)(void *)(*out)->data =
        (struct start_answer){recorder->id, io_now_ns(self->io)};
    return 0;
}

static struct recorder *
recorder_find(const struct scheduler *self, uint64_t id)
{
    for (unsigned place = 0; place < LN_TRACES_MAX; place++) {
        if (self->traces[place] != NULL && self->traces[place]->id == id) {
            return self->traces[place];
        }
    }
    return NULL;
}

static int
read_out(struct scheduler *self, const struct read_request *request, struct ln_msg **out)
{
    struct recorder *recorder = recorder_find(self, request->id);
    if (recorder == NULL) {
        return -ESRCH;
    }
    uint32_t count = recorder->count < request->max ? recorder->count : request->max;
    *out = message_new(self, 0, LN_REPLY,
                       sizeof(struct read_answer) + count * sizeof recorder->events[0]);
    struct read_answer *answer = (struct read_answer *)(void *)(*out)->data;
    for (uint32_t i = 0; i < count; i++) {
        answer->events[i] = recorder->events[(recorder->first + i) % LN_TRACE_KEPT];
    }
    recorder->first = (recorder->first + count) % LN_TRACE_KEPT;
    recorder->count -= count;
    answer->count = count;
    answer->dropped = recorder->dropped;
    recorder->dropped = 0;
    if (recorder->count == 0) {
        answer->state = recorder->state;
    }
    if (answer->state != LN_TRACE_RUNS) {
        recorder_free(self, recorder);
    }
    return 0;
}

static int
stop(struct scheduler *self, const struct read_request *request)
{
    struct recorder *recorder = recorder_find(self, request->id);
    if (recorder != NULL) {
        recorder_end(self, recorder, LN_TRACE_TIME_OVER);
        recorder_free(self, recorder);
    }
    return 0;
}

void
trace_arrived(struct scheduler *self, struct ln_msg **msg)
{
    struct ln_caller caller = {.pid = (*msg)->from, .ref = (*msg)->ref};
    const void *request = (*msg)->data;
    struct ln_msg *answer = NULL;
    int error = (*msg)->tag == SIGNAL_TRACE_START  ? start(self, request, &answer)
                : (*msg)->tag == SIGNAL_TRACE_READ ? read_out(self, request, &answer)
                                                   : stop(self, request);
    if (((*msg)->flags & LN_MSG_REQUEST) != 0) {
        message_answer(caller, &answer, error);
    }
    ln_msg_free(msg);
}

void
traces_close(struct scheduler *self)
{
    for (unsigned place = 0; place < LN_TRACES_MAX; place++) {
        if (self->traces[place] != NULL) {
            recorder_free(self, self->traces[place]);
        }
    }
    self->tracing = 0;
}

/* ----------------------------------------------------------------------------- the asker's side */

struct part {
    unsigned scheduler;
    uint64_t id;
    enum ln_trace_state state;
};

struct ln_trace {
    struct ln_resource own; /* an actor's */
    struct ln_node *node;   /* another thread's; NULL: an actor's */
    uint64_t timeout_ms;
    uint64_t started_ns;
    uint32_t events_left; /* to be told */
    uint32_t parts_count;
    uint32_t turn; /* which part is read first */
    struct part parts[LN_TRACE_ACTORS_MAX];
};

/* Tells the schedulers; for an actor nothing yields, since that may be its end. */
static void
parts_stop(const struct ln_trace *trace)
{
    for (uint32_t i = 0; i < trace->parts_count; i++) {
        const struct part *part = &trace->parts[i];
        struct read_request request = {.id = part->id};
        if (part->state != LN_TRACE_RUNS) {
            continue;
        }
        if (trace->node != NULL) {
            struct look look = {.node = trace->node, .timeout_ms = trace->timeout_ms};
            /* A scheduler that does not answer ends it in time by itself. */
            (void)look_ask(&look, part->scheduler, SIGNAL_TRACE_STOP, &request, sizeof request);
            look_end(&look);
            continue;
        }
        struct scheduler *self = scheduler_current();
        struct ln_msg *signal = signal_new(self, SIGNAL_TRACE_STOP, sizeof request);
        memcpy(signal->data, &request, sizeof request);
        message_post(self, scheduler_pid(part->scheduler), &signal);
    }
}

static void
trace_release(struct ln_resource *resource)
{
    parts_stop((const struct ln_trace *)resource);
}

static int
part_start(struct ln_trace *trace, unsigned scheduler, const struct start_request *request)
{
    /* Whatever happens to an actor that asks: who began a recorder must know of it. */
    struct look look = {.node = trace->node, .timeout_ms = trace->timeout_ms, .whatever = true};
    int error = look_ask(&look, scheduler, SIGNAL_TRACE_START, request, sizeof *request);
    if (error == 0) {
        const struct start_answer *answer = look.data;
        trace->parts[trace->parts_count++] = (struct part){scheduler, answer->id, LN_TRACE_RUNS};
        if (trace->started_ns == 0 || answer->now_ns < trace->started_ns) {
            trace->started_ns = answer->now_ns;
        }
    }
    look_end(&look);
    return error;
}

/* On each scheduler those that live there. One without any of them is no error. */
static int
parts_start(struct ln_trace *trace, const struct ln_trace_options *options, unsigned schedulers)
{
    struct start_request request = {
        .events_max = options->events_max != 0 ? options->events_max : LN_TRACE_EVENTS,
        .ms_max = options->ms_max != 0 ? options->ms_max : LN_TRACE_MS,
    };
    request.ms_max = request.ms_max < LN_TRACE_MS_MAX ? request.ms_max : LN_TRACE_MS_MAX;
    trace->events_left = request.events_max;
    for (unsigned scheduler = 0; scheduler < schedulers; scheduler++) {
        request.pids_count = 0;
        for (uint32_t i = 0; i < options->pids_count; i++) {
            if (options->pids[i] != 0 && ln_pid_scheduler(options->pids[i]) == scheduler) {
                request.pids[request.pids_count++] = options->pids[i];
            }
        }
        int error = request.pids_count > 0 ? part_start(trace, scheduler, &request) : 0;
        if (error != 0 && error != -ESRCH) {
            return error;
        }
    }
    return trace->parts_count > 0 ? 0 : -ESRCH;
}

static bool
options_valid(const struct ln_trace_options *options)
{
    return options->pids_count > 0 && options->pids_count <= LN_TRACE_ACTORS_MAX;
}

int
ln_trace_start(const struct ln_trace_options *options, struct ln_trace **out)
{
    if (!options_valid(options)) {
        return -EINVAL;
    }
    struct ln_trace *trace = ln_alloc(sizeof *trace);
    ln_own(&trace->own, trace_release);
    int error = parts_start(trace, options, ln_schedulers());
    if (error != 0) {
        ln_trace_stop(&trace);
        return error;
    }
    *out = trace;
    return 0;
}

int
ln_node_trace_start(struct ln_node *node, const struct ln_trace_options *options,
                    uint64_t timeout_ms, struct ln_trace **out)
{
    if (!options_valid(options)) {
        return -EINVAL;
    }
    struct ln_trace *trace = calloc(1, sizeof *trace);
    ASSERT(trace != NULL && "out of memory");
    trace->node = node;
    trace->timeout_ms = timeout_ms;
    int error = parts_start(trace, options, node->schedulers_count);
    if (error != 0) {
        ln_trace_stop(&trace);
        return error;
    }
    *out = trace;
    return 0;
}

void
ln_trace_stop(struct ln_trace **trace)
{
    struct ln_trace *stopped = *trace;
    if (stopped == NULL) {
        return;
    }
    *trace = NULL;
    parts_stop(stopped);
    if (stopped->node != NULL) {
        free(stopped);
    } else {
        ln_disown(&stopped->own);
        ln_free(stopped);
    }
}

static int
part_read(const struct ln_trace *trace, struct part *part, struct ln_trace_event *out, uint32_t max,
          uint32_t *out_count, uint64_t *dropped)
{
    struct look look = {.node = trace->node, .timeout_ms = trace->timeout_ms};
    struct read_request request = {part->id, max};
    int error = look_ask(&look, part->scheduler, SIGNAL_TRACE_READ, &request, sizeof request);
    *out_count = 0;
    if (error == 0) {
        const struct read_answer *answer = look.data;
        memcpy(out, answer->events, answer->count * sizeof *out);
        *out_count = answer->count;
        *dropped += answer->dropped;
        part->state = answer->state;
    } else if (error == -ESRCH) { /* it was forgotten, or its scheduler has stopped */
        part->state = LN_TRACE_TIME_OVER;
        error = 0;
    }
    look_end(&look);
    return error;
}

/* Puts events that came from another scheduler between the `count` before them, by time. */
static void
events_merge(struct ln_trace_event *events, uint32_t count, uint32_t more)
{
    for (uint32_t i = count; i < count + more; i++) {
        struct ln_trace_event event = events[i];
        uint32_t at = i;
        for (; at > 0 && events[at - 1].at_ns > event.at_ns; at--) {
            events[at] = events[at - 1];
        }
        events[at] = event;
    }
}

/* When all its parts are over, what ended the last. */
static enum ln_trace_state
trace_state(const struct ln_trace *trace)
{
    enum ln_trace_state state = LN_TRACE_RUNS;
    if (trace->events_left == 0) {
        return LN_TRACE_EVENTS_OVER;
    }
    for (uint32_t i = 0; i < trace->parts_count; i++) {
        if (trace->parts[i].state == LN_TRACE_RUNS) {
            return LN_TRACE_RUNS;
        }
        state = trace->parts[i].state > state ? trace->parts[i].state : state;
    }
    return state;
}

int
ln_trace_read(struct ln_trace *trace, struct ln_trace_event *out, uint32_t max, uint32_t *out_count,
              struct ln_trace_news *news)
{
    uint32_t room = max < LN_TRACE_PAGE ? max : LN_TRACE_PAGE;
    room = room < trace->events_left ? room : trace->events_left;
    uint32_t count = 0;
    int error = 0;
    *news = (struct ln_trace_news){.started_ns = trace->started_ns};
    trace->turn++;
    for (uint32_t i = 0; i < trace->parts_count && error == 0 && count < room; i++) {
        struct part *part = &trace->parts[(trace->turn + i) % trace->parts_count];
        uint32_t more = 0;
        if (part->state == LN_TRACE_RUNS) {
            error = part_read(trace, part, out + count, room - count, &more, &news->dropped);
            events_merge(out, count, more);
            count += more;
        }
    }
    uint64_t counted = count + news->dropped;
    trace->events_left -= counted < trace->events_left ? (uint32_t)counted : trace->events_left;
    news->state = trace_state(trace);
    *out_count = count;
    return error;
}
