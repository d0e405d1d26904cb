/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/trace.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <stdlib.h>

enum tag { HELLO = 1, ASK, ANSWER, LATER };
enum { PAGE = LN_TRACE_PAGE, LATER_MS = 20, MS = 1000000 };

/* --------------------------------------------------------------------------------------- actors */

static void
echo_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if ((*msg)->tag == ASK) {
        struct ln_msg *answer = ln_msg_new(ANSWER, LN_REPLY, 3);
        answer->buffer = ln_buffer_new(100);
        ln_reply(ln_caller(*msg), &answer);
    } else if ((*msg)->tag == LATER) {
        ln_pid from = (*msg)->from;
        struct ln_msg *later = ln_msg_new(HELLO, LN_DURABLE, 5);
        (void)ln_send_after(LATER_MS, from, &later);
    }
}
/* It has no name for HELLO. */
static const char *
echo_tag_name(uint32_t tag)
{
    return tag == ASK ? "ASK" : tag == ANSWER ? "ANSWER" : tag == LATER ? "LATER" : NULL;
}
static const struct ln_behaviour echo = {
    .name = "echo", .handle = echo_handle, .tag_name = echo_tag_name};

static ln_pid
spawn_echo(unsigned scheduler)
{
    ln_pid pid;
    struct ln_spawn_options options = {.elsewhere = true, .scheduler = (int)scheduler};
    EXPECT(ln_spawn(&echo, NULL, 0, &options, &pid) == 0);
    stage_settle();
    return pid;
}

static struct ln_trace *
begin(const ln_pid *pids, uint32_t count, uint32_t events_max, uint32_t ms_max)
{
    struct ln_trace *trace = NULL;
    struct ln_trace_options options = {
        .pids = pids, .pids_count = count, .events_max = events_max, .ms_max = ms_max};
    EXPECT(ln_trace_start(&options, &trace) == 0);
    return trace;
}

static void
ask(ln_pid pid)
{
    struct ln_msg *msg = ln_msg_new(ASK, LN_DURABLE, 7);
    EXPECT(ln_call(pid, &msg, LN_FOREVER, NULL) == 0);
}

/* All that was recorded by now. */
static struct ln_trace_event events[2 * LN_TRACE_KEPT];
static uint32_t count;
static struct ln_trace_news news;

static void
read_all(struct ln_trace *trace)
{
    uint32_t more;
    uint64_t dropped = 0;
    count = 0;
    do {
        EXPECT(ln_trace_read(trace, events + count, PAGE, &more, &news) == 0);
        count += more;
        dropped += news.dropped;
    } while (more > 0);
    news.dropped = dropped;
    for (uint32_t i = 0; i < count; i++) {
        EXPECT(events[i].at_ns >= (i > 0 ? events[i - 1].at_ns : news.started_ns));
    }
}

static bool
event_is(uint32_t at, enum ln_trace_kind kind, ln_pid actor, ln_pid peer, uint32_t tag,
         uint32_t bytes)
{
    const struct ln_trace_event *event = &events[at];
    return at < count && event->kind == kind && event->actor == actor && event->peer == peer &&
           event->tag == tag && event->bytes == bytes;
}

/* -------------------------------------------------------------------------------------- stories */

static void
messages_story(void)
{
    for (unsigned scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = spawn_echo(scheduler);
        ln_pid other = spawn_echo(scheduler);
        stage_say(pid, HELLO);
        stage_settle(); /* before the trace */
        struct ln_trace *trace = begin(&pid, 1, 0, 0);
        ask(pid);
        ask(other);
        stage_say(pid, HELLO);
        stage_settle();
        read_all(trace);
        EXPECT(count == 3 && news.state == LN_TRACE_RUNS && news.dropped == 0);
        EXPECT(event_is(0, LN_TRACE_TAKEN, pid, ln_self(), ASK, 7));
        EXPECT(event_is(1, LN_TRACE_SENT, pid, ln_self(), ANSWER, 3));
        EXPECT(event_is(2, LN_TRACE_TAKEN, pid, ln_self(), HELLO, 0));
        EXPECT(strcmp(events[0].tag_name, "ASK") == 0 && strcmp(events[1].tag_name, "ANSWER") == 0);
        EXPECT(events[2].tag_name == NULL);
        EXPECT(events[0].flags == LN_MSG_REQUEST && events[0].lane == LN_DURABLE);
        EXPECT(events[1].flags == LN_MSG_ANSWER && events[1].lane == LN_REPLY);
        EXPECT(events[0].ref != 0 && events[0].ref == events[1].ref && events[2].ref == 0);
        EXPECT(events[0].buffer_bytes == 0 && events[1].buffer_bytes == 100);
        read_all(trace);
        EXPECT(count == 0 && news.state == LN_TRACE_RUNS);
        ln_trace_stop(&trace);
        EXPECT(trace == NULL);
        ln_kill(pid, LN_EXIT_KILLED);
        ln_kill(other, LN_EXIT_KILLED);
    }
}

static void
tells_what_is_sent_and_taken(void **state)
{
    (void)state;
    stage_play(messages_story);
}

static void
call_story(void)
{
    ln_pid self = ln_self();
    ln_pid pid = spawn_echo(STAGE_LOOPS - 1);
    struct ln_trace *trace = begin(&self, 1, 0, 0);
    ask(pid);
    struct ln_msg *msg = ln_msg_new(ASK, LN_DURABLE, 7);
    EXPECT(ln_call(pid + 1, &msg, LN_FOREVER, NULL) == -ESRCH);
    read_all(trace); /* its own questions are no messages between actors */
    EXPECT(count == 4);
    EXPECT(event_is(0, LN_TRACE_SENT, self, pid, ASK, 7));
    EXPECT(event_is(1, LN_TRACE_TAKEN, self, pid, ANSWER, 3) && events[1].error == 0);
    EXPECT(event_is(2, LN_TRACE_SENT, self, pid + 1, ASK, 7));
    EXPECT(events[3].kind == LN_TRACE_TAKEN && events[3].error == -ESRCH);
    EXPECT(events[3].ref == events[2].ref);
    ln_trace_stop(&trace);
    ln_kill(pid, LN_EXIT_KILLED);
}

static void
tells_of_the_one_who_calls(void **state)
{
    (void)state;
    stage_play(call_story);
}

static void
timer_story(void)
{
    ln_pid pid = spawn_echo(0);
    struct ln_trace *trace = begin(&pid, 1, 0, 0);
    stage_say(pid, LATER);
    stage_expect(HELLO, NULL, 0);
    read_all(trace);
    EXPECT(count == 2);
    EXPECT(event_is(0, LN_TRACE_TAKEN, pid, ln_self(), LATER, 0));
    EXPECT(event_is(1, LN_TRACE_SENT, pid, ln_self(), HELLO, 5));
    EXPECT(events[1].at_ns - events[0].at_ns >= (uint64_t)LATER_MS * MS);
    ln_trace_stop(&trace);
    ln_kill(pid, LN_EXIT_KILLED);
}

static void
a_timer_sends_when_it_fires(void **state)
{
    (void)state;
    stage_play(timer_story);
}

static void
many_story(void)
{
    ln_pid pids[LN_TRACE_ACTORS_MAX];
    for (unsigned i = 0; i < LN_TRACE_ACTORS_MAX; i++) {
        pids[i] = spawn_echo(i % STAGE_LOOPS);
    }
    pids[2] = pids[0];
    struct ln_trace *trace = begin(pids, LN_TRACE_ACTORS_MAX, 0, 0);
    for (unsigned i = 0; i < LN_TRACE_ACTORS_MAX; i++) {
        ask(pids[i]);
        EXPECT(ln_sleep(1) == 0); /* time stands still while one runs */
    }
    read_all(trace);
    EXPECT(count == 2 * LN_TRACE_ACTORS_MAX);
    for (unsigned i = 0; i < LN_TRACE_ACTORS_MAX; i++) { /* the clock is one for all */
        EXPECT(event_is(2 * i, LN_TRACE_TAKEN, pids[i], ln_self(), ASK, 7));
        EXPECT(event_is(2 * i + 1, LN_TRACE_SENT, pids[i], ln_self(), ANSWER, 3));
    }
    ln_trace_stop(&trace);
}

static void
follows_many_over_all_schedulers(void **state)
{
    (void)state;
    stage_play(many_story);
}

static void
events_bound_story(void)
{
    ln_pid pids[] = {spawn_echo(0), spawn_echo(1)};
    struct ln_trace *trace = begin(pids, 2, 5, 0);
    for (unsigned i = 0; i < 10; i++) {
        ask(pids[i % 2]);
    }
    read_all(trace);
    EXPECT(count == 5 && news.dropped == 0 && news.state == LN_TRACE_EVENTS_OVER);
    ln_trace_stop(&trace);
}

static void
ends_after_so_many_events(void **state)
{
    (void)state;
    stage_play(events_bound_story);
}

static void
time_bound_story(void)
{
    ln_pid pid = spawn_echo(1);
    struct ln_trace *trace = begin(&pid, 1, 0, 100);
    ask(pid);
    EXPECT(ln_sleep(200) == 0);
    ask(pid);
    read_all(trace);
    EXPECT(count == 2 && news.state == LN_TRACE_TIME_OVER);
    ln_trace_stop(&trace);
    trace = begin(&pid, 1, 0, 100);
    ask(pid);
    EXPECT(ln_sleep(200 + LN_TRACE_FORGET_MS) == 0);
    read_all(trace); /* nobody came for it */
    EXPECT(count == 0 && news.state == LN_TRACE_TIME_OVER);
    ln_trace_stop(&trace);
    ln_kill(pid, LN_EXIT_KILLED);
}

static void
ends_when_its_time_is_over(void **state)
{
    (void)state;
    stage_play(time_bound_story);
}

static void
end_story(void)
{
    ln_pid pids[] = {spawn_echo(0), spawn_echo(0), spawn_echo(1)};
    struct ln_trace *trace = begin(pids, 3, 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        read_all(trace);
        EXPECT(count == 0 && news.state == LN_TRACE_RUNS);
        ask(pids[i]);
        ln_kill(pids[i], LN_EXIT_KILLED);
        stage_settle();
        uint32_t more;
        EXPECT(ln_trace_read(trace, events, PAGE, &more, &news) == 0);
        EXPECT(more == 3 && events[2].kind == LN_TRACE_ENDED && events[2].actor == pids[i]);
    }
    EXPECT(news.state == LN_TRACE_ACTORS_ENDED);
    read_all(trace);
    EXPECT(count == 0 && news.state == LN_TRACE_ACTORS_ENDED);
    ln_trace_stop(&trace);
}

static void
ends_with_the_last_of_its_actors(void **state)
{
    (void)state;
    stage_play(end_story);
}

static void
overload_story(void)
{
    enum { MESSAGES = 3 * LN_TRACE_KEPT };
    for (unsigned scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = spawn_echo(scheduler);
        struct ln_trace *trace = begin(&pid, 1, UINT32_MAX, 0);
        for (unsigned i = 0; i < MESSAGES; i++) {
            stage_say(pid, HELLO);
        }
        stage_settle();
        read_all(trace);
        EXPECT(count == LN_TRACE_KEPT && news.dropped == MESSAGES - LN_TRACE_KEPT);
        EXPECT(news.state == LN_TRACE_RUNS);
        stage_say(pid, HELLO);
        stage_settle();
        read_all(trace); /* there is room again */
        EXPECT(count == 1 && news.dropped == 0);
        ln_trace_stop(&trace);
        ln_kill(pid, LN_EXIT_KILLED);
    }
}

static void
drops_and_counts_what_finds_no_room(void **state)
{
    (void)state;
    stage_play(overload_story);
}

static void
tracer_run(void *state)
{
    ln_pid pid = *(const ln_pid *)state;
    struct ln_trace *trace = begin(&pid, 1, 0, LN_TRACE_MS_MAX);
    (void)ln_sleep(LN_FOREVER);
    EXPECT(trace != NULL); /* and leaves it as it is */
}

static int
tracer_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(ln_pid));
    return 0;
}
static const struct ln_behaviour tracer = {
    .name = "tracer", .state_bytes = sizeof(ln_pid), .init = tracer_init, .run = tracer_run};

static void
owner_story(void)
{
    for (unsigned scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = spawn_echo(scheduler);
        ln_pid tracers[LN_TRACES_MAX];
        struct ln_trace *trace = NULL;
        struct ln_trace_options options = {.pids = &pid, .pids_count = 1};
        for (unsigned i = 0; i < LN_TRACES_MAX; i++) {
            EXPECT(ln_spawn(&tracer, &pid, sizeof pid, NULL, &tracers[i]) == 0);
        }
        stage_settle();
        EXPECT(ln_trace_start(&options, &trace) == -EAGAIN && trace == NULL);
        for (unsigned i = 0; i < LN_TRACES_MAX; i++) {
            ln_kill(tracers[i], i % 2 == 0 ? LN_EXIT_KILLED : LN_EXIT_SHUTDOWN);
        }
        stage_settle();
        trace = begin(&pid, 1, 0, 0);
        ask(pid);
        read_all(trace);
        EXPECT(count == 2);
        ln_trace_stop(&trace);
        ln_kill(pid, LN_EXIT_KILLED);
    }
}

static void
ends_with_its_owner(void **state)
{
    (void)state;
    stage_play(owner_story);
}

static void
errors_story(void)
{
    ln_pid pids[LN_TRACE_ACTORS_MAX + 1] = {spawn_echo(1)};
    struct ln_trace *trace = NULL;
    struct ln_trace_options options = {.pids = pids};
    EXPECT(ln_trace_start(&options, &trace) == -EINVAL);
    options.pids_count = LN_TRACE_ACTORS_MAX + 1;
    EXPECT(ln_trace_start(&options, &trace) == -EINVAL);
    ln_kill(pids[0], LN_EXIT_KILLED);
    stage_settle();
    pids[1] = (ln_pid)99 << 56 | 5;
    options.pids_count = 3; /* gone, nowhere, and no pid at all */
    EXPECT(ln_trace_start(&options, &trace) == -ESRCH);
    EXPECT(trace == NULL);
    ln_trace_stop(&trace);
}

static void
needs_an_actor_that_is_there(void **state)
{
    (void)state;
    stage_play(errors_story);
}

static void
traces_from_outside(void **state)
{
    (void)state;
    NEEDS_IO_URING();
    struct io_driver *driver;
    struct ln_node *node = stage_open(&echo, 2, &driver);
    ln_pid root = ln_node_root_pid(node);
    struct ln_trace *trace = NULL;
    uint32_t taken = 0;
    struct ln_trace_options options = {.pids = &root, .pids_count = 1};
    EXPECT(ln_node_trace_start(node, &options, LN_FOREVER, &trace) == 0);
    for (unsigned i = 0; i < 10; i++) {
        EXPECT(ln_node_send(node, root, HELLO, LN_DURABLE, "12", 2) == 0);
    }
    while (taken < 10) {
        EXPECT(ln_trace_read(trace, events, PAGE, &count, &news) == 0);
        for (uint32_t i = 0; i < count; i++) {
            EXPECT(event_is(i, LN_TRACE_TAKEN, root, 0, HELLO, 2));
        }
        taken += count;
    }
    EXPECT(taken == 10 && news.state == LN_TRACE_RUNS);
    ln_trace_stop(&trace);
    options.pids_count = 0;
    EXPECT(ln_node_trace_start(node, &options, LN_FOREVER, &trace) == -EINVAL);
    EXPECT(ln_node_trace_start(
               node, &(struct ln_trace_options){.pids = &(ln_pid){root + 1}, .pids_count = 1},
               LN_FOREVER, &trace) == -ESRCH);
    options.pids_count = 1;
    options.ms_max = LN_TRACE_MS_MAX; /* runs when the node ends */
    EXPECT(ln_node_trace_start(node, &options, LN_FOREVER, &trace) == 0);
    stage_close(&node, driver);
    free(trace); /* it was ours, and the node that it asked is gone */
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a trace tells what an actor sends and takes, in order and by the names that its "
             "behaviour gives, and nothing of others",
             tells_what_is_sent_and_taken),
        SPEC("who calls is seen to take the answer, or the error", tells_of_the_one_who_calls),
        SPEC("a timer's message is sent when it fires", a_timer_sends_when_it_fires),
        SPEC("a trace follows many actors over all schedulers, in the order of time",
             follows_many_over_all_schedulers),
        SPEC("a trace ends after so many events", ends_after_so_many_events),
        SPEC("a trace ends when its time is over, and is forgotten when nobody reads it",
             ends_when_its_time_is_over),
        SPEC("a trace ends with the last of its actors", ends_with_the_last_of_its_actors),
        SPEC("what finds no room in the ring is dropped, and the reader is told how much",
             drops_and_counts_what_finds_no_room),
        SPEC("a trace ends with the actor that began it; there are only so many at a time",
             ends_with_its_owner),
        SPEC("a trace needs an actor that is there", needs_an_actor_that_is_there),
        SPEC("any thread may trace", traces_from_outside),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
