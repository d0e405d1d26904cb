/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { ADD = 1, FAIL, LATER, RELEASE, NEVER, CRASH, STOP, TWICE, RELAY, SLOW, PLAIN };

struct clerk {
    struct ln_caller later[8];
    unsigned later_count;
};

static void
answer(struct ln_caller caller, uint32_t value)
{
    struct ln_msg *msg = ln_msg_new(ADD, LN_DURABLE, sizeof value);
    memcpy(msg->data, &value, sizeof value);
    ln_reply(caller, &msg);
    EXPECT(msg == NULL);
}

static uint32_t
value_of(const struct ln_msg *msg)
{
    uint32_t value = 0;
    EXPECT(msg->bytes >= sizeof value);
    memcpy(&value, msg->data, sizeof value);
    return value;
}

static void
clerk_handle(void *state, struct ln_msg **msg)
{
    struct clerk *clerk = state;
    switch ((enum tag)(*msg)->tag) {
    case ADD:
        answer(ln_caller(*msg), value_of(*msg) + 1);
        break;
    case FAIL:
        ln_reply_error(ln_caller(*msg), -EDOM);
        break;
    case LATER:
        clerk->later[clerk->later_count++] = ln_caller(*msg);
        break;
    case RELEASE:
        while (clerk->later_count > 0) {
            answer(clerk->later[--clerk->later_count], 77);
        }
        break;
    case TWICE:
        answer(ln_caller(*msg), 1);
        answer(ln_caller(*msg), 2);
        ln_reply_error(ln_caller(*msg), -EIO);
        break;
    case RELAY:
        ln_send((*msg)->from, msg); /* no request any more: an ordinary message */
        break;
    case SLOW:
        (void)ln_sleep(50);
        answer(ln_caller(*msg), 50);
        break;
    case CRASH:
        ln_actor_check((*msg)->tag != CRASH);
        break;
    case STOP:
        ln_stop(LN_EXIT_NORMAL, "");
        break;
    case NEVER:
    case PLAIN:
        break;
    }
}
static const struct ln_behaviour clerk = {
    .name = "clerk", .state_bytes = sizeof(struct clerk), .handle = clerk_handle, .durable_max = 3};

static ln_pid
spawn_clerk(int scheduler)
{
    ln_pid pid;
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = scheduler};
    EXPECT(ln_spawn(&clerk, NULL, 0, &there, &pid) == 0);
    return pid;
}

static struct ln_msg *
request(uint32_t tag, uint32_t value)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_DURABLE, sizeof value);
    memcpy(msg->data, &value, sizeof value);
    return msg;
}

static int
call(ln_pid to, uint32_t tag, uint64_t timeout_ms)
{
    struct ln_msg *msg = request(tag, 0);
    return ln_call(to, &msg, timeout_ms, NULL);
}

static void
answer_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = spawn_clerk(scheduler);
        for (uint32_t i = 0; i < 100; i++) {
            struct ln_msg *msg = request(ADD, i);
            struct ln_msg *answer = NULL;
            EXPECT(ln_call(pid, &msg, 1000, &answer) == 0);
            EXPECT(msg == NULL && value_of(answer) == i + 1);
            ln_msg_free(&answer);
        }
        EXPECT(call(pid, SLOW, 1000) == 0);
        EXPECT(call(pid, FAIL, 1000) == -EDOM);
    }
}

static void
gets_its_answer(void **state)
{
    (void)state;
    stage_play(answer_story);
}

static void
death_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        EXPECT(call(spawn_clerk(scheduler), CRASH, LN_FOREVER) == -ESRCH);
        ln_pid pid = spawn_clerk(scheduler);
        stage_say(pid, STOP);
        EXPECT(call(pid, ADD, LN_FOREVER) == -ESRCH); /* behind it in the mailbox */
        EXPECT(call(pid, ADD, LN_FOREVER) == -ESRCH); /* long gone */
    }
    EXPECT(call(0, ADD, LN_FOREVER) == -ESRCH);
    EXPECT(call((ln_pid)255 << 56 | 3, ADD, LN_FOREVER) == -ESRCH);
}

static void
learns_of_death(void **state)
{
    (void)state;
    stage_play(death_story);
}

static void
timeout_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = spawn_clerk(scheduler);
        uint64_t before_ns = ln_now_ns();
        EXPECT(call(pid, LATER, 30) == -ETIMEDOUT);
        EXPECT(ln_now_ns() - before_ns >= 30 * 1000000ull);
        EXPECT(ln_now_ns() - before_ns < 40 * 1000000ull);
        stage_say(pid, RELEASE);
        EXPECT(call(pid, ADD, 1000) == 0); /* the late answer is no answer to this */
        EXPECT(call(pid, NEVER, 0) == -ETIMEDOUT);
        stage_expect_silence(20);
    }
    EXPECT(call(ln_self(), ADD, 10) == -ETIMEDOUT); /* who asks himself waits in vain */
    stage_expect(ADD, NULL, 0);
}

static void
times_out(void **state)
{
    (void)state;
    stage_play(timeout_story);
}

static void
twice_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        struct ln_scheduler_info before, after;
        ln_pid pid = spawn_clerk(scheduler);
        EXPECT(ln_inspect_scheduler((unsigned)scheduler, &before) == 0);
        struct ln_msg *msg = request(TWICE, 0);
        struct ln_msg *answer = NULL;
        EXPECT(ln_call(pid, &msg, 1000, &answer) == 0);
        EXPECT(value_of(answer) == 1);
        ln_msg_free(&answer);
        EXPECT(ln_inspect_scheduler((unsigned)scheduler, &after) == 0);
        EXPECT(after.answers_late == before.answers_late + 2);
        stage_expect_silence(10);
    }
}

static void
is_answered_once(void **state)
{
    (void)state;
    stage_play(twice_story);
}

static void
full_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = spawn_clerk(scheduler);
        stage_say(pid, PLAIN);
        struct ln_msg *slow = request(SLOW, 0);
        uint64_t ref = ln_request(pid, &slow);
        stage_settle(); /* it sleeps in its handler */
        for (unsigned i = 0; i < 3; i++) {
            stage_say(pid, PLAIN);
        }
        stage_settle();
        EXPECT(call(pid, ADD, LN_FOREVER) == -EAGAIN);
        stage_say(pid, PLAIN);
        struct ln_msg *back = stage_next();
        EXPECT(back->tag == PLAIN && (back->flags & LN_MSG_REFUSED) != 0 && back->from == pid);
        ln_send(pid, &back); /* another try is as welcome as the first */
        back = stage_next();
        EXPECT(back->tag == PLAIN && (back->flags & LN_MSG_REFUSED) != 0);
        ln_msg_free(&back);
        struct ln_msg *answer = stage_next();
        EXPECT(answer->ref == ref && answer->error == 0);
        ln_msg_free(&answer);
        EXPECT(call(pid, ADD, 1000) == 0);
    }
}

static void
is_refused_when_full(void **state)
{
    (void)state;
    stage_play(full_story);
}

/* Naps at each message. */
static void
napping_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
    (void)ln_sleep(100);
}
static const struct ln_behaviour napping = {.name = "napping",
                                            .handle = napping_handle,
                                            .durable_bytes_max = 10000,
                                            .lossy_bytes_max = 10000};

static void
send_bytes(ln_pid to, enum ln_lane lane, size_t bytes, size_t shared)
{
    struct ln_msg *msg = ln_msg_new(PLAIN, lane, bytes);
    msg->buffer = shared > 0 ? ln_buffer_new(shared) : NULL;
    ln_send(to, &msg);
}

static void
full_of_bytes_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid;
        struct ln_spawn_options there = {.elsewhere = true, .scheduler = scheduler};
        struct ln_scheduler_info before, after;
        EXPECT(ln_spawn(&napping, NULL, 0, &there, &pid) == 0);
        stage_say(pid, PLAIN);
        stage_settle(); /* it sleeps in its handler */
        EXPECT(ln_inspect_scheduler((unsigned)scheduler, &before) == 0);
        send_bytes(pid, LN_DURABLE, 4000, 0);
        send_bytes(pid, LN_DURABLE, 0, 4000);
        send_bytes(pid, LN_DURABLE, 3000, 0);
        struct ln_msg *back = stage_next();
        EXPECT(back->bytes == 3000 && (back->flags & LN_MSG_REFUSED) != 0 && back->from == pid);
        ln_msg_free(&back);
        struct ln_msg *large = ln_msg_new(ADD, LN_DURABLE, 3000);
        EXPECT(ln_call(pid, &large, LN_FOREVER, NULL) == -EAGAIN);
        send_bytes(pid, LN_LOSSY, 9000, 0);
        send_bytes(pid, LN_LOSSY, 0, 9000);
        stage_settle();
        EXPECT(ln_inspect_scheduler((unsigned)scheduler, &after) == 0);
        EXPECT(after.messages_refused - before.messages_refused == 2);
        EXPECT(after.lossy_dropped - before.lossy_dropped == 1);
        large = ln_msg_new(ADD, LN_REPLY, 20000); /* is never refused */
        EXPECT(ln_call(pid, &large, 1000, NULL) == -ETIMEDOUT);
        send_bytes(pid, LN_DURABLE, 4000, 0); /* there is room again */
        stage_expect_silence(1000);
    }
}

static void
is_refused_when_full_of_bytes(void **state)
{
    (void)state;
    stage_play(full_of_bytes_story);
}

static void
request_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = spawn_clerk(scheduler);
        struct ln_msg *msg = request(ADD, 5);
        uint64_t first = ln_request(pid, &msg);
        msg = request(FAIL, 5);
        uint64_t second = ln_request(pid, &msg);
        EXPECT(first != second);
        struct ln_msg *answer = stage_next();
        EXPECT(answer->ref == first && answer->error == 0 && value_of(answer) == 6);
        EXPECT((answer->flags & LN_MSG_ANSWER) != 0);
        ln_msg_free(&answer);
        answer = stage_next();
        EXPECT(answer->ref == second && answer->error == -EDOM);
        ln_msg_free(&answer);
        msg = request(CRASH, 0);
        uint64_t third = ln_request(pid, &msg);
        answer = stage_next();
        EXPECT(answer->ref == third && answer->error == -ESRCH);
        ln_msg_free(&answer);
        stage_expect_silence(10);
    }
}

static void
requests_are_answered_as_messages(void **state)
{
    (void)state;
    stage_play(request_story);
}

static void
relay_story(void)
{
    ln_pid pid = spawn_clerk(1);
    struct ln_msg *msg = request(RELAY, 9);
    (void)ln_request(pid, &msg);
    msg = stage_next();
    EXPECT(msg->tag == RELAY && msg->flags == LN_MSG_HELD && msg->from == pid);
    EXPECT(value_of(msg) == 9);
    ln_msg_free(&msg);
    stage_say(pid, STOP); /* with it goes what it still owed */
    msg = stage_next();
    EXPECT(msg->error == -ESRCH);
    ln_msg_free(&msg);
}

static void
a_request_sent_on_is_a_message(void **state)
{
    (void)state;
    stage_play(relay_story);
}

/* ----------------------------------------------------------------------------- callers that end */

struct caller {
    ln_pid clerk;
    ln_pid told;
};

static int
caller_init(void *state, const void *argument)
{
    *(struct caller *)state = *(const struct caller *)argument;
    return 0;
}

static void
caller_run(void *state)
{
    const struct caller *caller = state;
    struct ln_msg *msg = request(NEVER, 0);
    int32_t error = ln_call(caller->clerk, &msg, LN_FOREVER, NULL);
    msg = ln_msg_new(PLAIN, LN_DURABLE, sizeof error);
    memcpy(msg->data, &error, sizeof error);
    ln_send(caller->told, &msg);
}
static const struct ln_behaviour caller = {
    .name = "caller", .state_bytes = sizeof(struct caller), .init = caller_init, .run = caller_run};

static void
cancel_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        uint64_t monitor;
        ln_pid pid;
        int32_t error;
        struct caller argument = {spawn_clerk(1), ln_self()};
        struct ln_spawn_options options = {
            .elsewhere = true, .scheduler = scheduler, .monitor = true, .out_monitor = &monitor};
        EXPECT(ln_spawn(&caller, &argument, sizeof argument, &options, &pid) == 0);
        stage_settle();
        ln_kill(pid, LN_EXIT_SHUTDOWN);
        stage_expect(PLAIN, &error, sizeof error);
        EXPECT(error == -ECANCELED);
        (void)stage_down(monitor);
        stage_say(argument.clerk, STOP); /* its answer finds nobody */
    }
}

static void
a_cancelled_call_returns(void **state)
{
    (void)state;
    stage_play(cancel_story);
}

/* --------------------------------------------------------------------------------------- timers */

static void
timer_story(void)
{
    struct ln_msg *msg = request(ADD, 1);
    uint64_t before_ns = ln_now_ns();
    (void)ln_send_after(50, ln_self(), &msg);
    EXPECT(msg == NULL);
    msg = request(ADD, 2);
    uint64_t cancelled = ln_send_after(20, ln_self(), &msg);
    msg = request(ADD, 3);
    (void)ln_send_after(10, ln_self(), &msg);
    EXPECT(ln_cancel_timer(cancelled) == 0);
    EXPECT(ln_cancel_timer(cancelled) == -ENOENT);
    msg = stage_next();
    EXPECT(value_of(msg) == 3 && msg->from == ln_self());
    ln_msg_free(&msg);
    msg = stage_next();
    EXPECT(value_of(msg) == 1 && ln_now_ns() - before_ns >= 50 * 1000000ull);
    ln_msg_free(&msg);
    EXPECT(ln_cancel_timer(0) == -ENOENT);
    msg = request(ADD, 4);
    (void)ln_send_after(LN_FOREVER, ln_self(), &msg); /* goes with us */
    stage_expect_silence(1000);
}

static void
timers_send(void **state)
{
    (void)state;
    stage_play(timer_story);
}

/* --------------------------------------------------------------------------- answered at once */

static unsigned beats;

static void
beat_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    beats++;
    if ((*msg)->tag != STOP) {
        ln_send(ln_self(), msg);
    } else {
        ln_stop(LN_EXIT_NORMAL, "asked to");
    }
}
static const struct ln_behaviour heart = {.name = "heart", .handle = beat_handle};

static void
at_once_story(void)
{
    enum { CALLS = 10000 };
    ln_pid pid;
    ln_pid nobody = ln_self() + ((ln_pid)1 << 20);
    beats = 0;
    EXPECT(ln_spawn(&heart, NULL, 0, NULL, &pid) == 0);
    stage_say(pid, PLAIN);
    for (unsigned i = 0; i < CALLS; i++) {
        struct ln_msg *msg = ln_msg_new(ADD, LN_DURABLE, 0);
        EXPECT(ln_call(nobody, &msg, LN_FOREVER, NULL) == -ESRCH);
    }
    EXPECT(beats >= CALLS / 1000); /* of a turn's messages there are far fewer */
    stage_say(pid, STOP);
}

static void
at_once_is_no_turn_without_end(void **state)
{
    (void)state;
    stage_play(at_once_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a call gets its answer, or the callee's error", gets_its_answer),
        SPEC("a call learns that its callee ended, or never was", learns_of_death),
        SPEC("a call times out, and a late answer reaches nobody", times_out),
        SPEC("a request is answered once, more is counted", is_answered_once),
        SPEC("at a full mailbox a call gets -EAGAIN and a message comes back",
             is_refused_when_full),
        SPEC("so it is where no more bytes fit, and what may be lost is dropped and counted",
             is_refused_when_full_of_bytes),
        SPEC("a request's answer comes as a message, exactly once",
             requests_are_answered_as_messages),
        SPEC("a request that is sent on is an ordinary message", a_request_sent_on_is_a_message),
        SPEC("a call in an actor that is ended returns and lets it unwind",
             a_cancelled_call_returns),
        SPEC("a timer sends at its time, unless it is cancelled", timers_send),
        SPEC("calls that are answered at once end a turn like any others",
             at_once_is_no_turn_without_end),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
