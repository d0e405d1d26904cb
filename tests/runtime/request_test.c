/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that ask with ln_request and wait for the answer with ln_receive_answer. How much a
 * receive looks at is counted. */
#include "runtime/node_priv.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { ECHO = 1, LATER, NEVER, OLD, GO, REPORT };
enum { OLD_MESSAGES = 100000, PATIENCE_MS = 1000 };

/* Answers with what it got: at once, after a while, or never. */
static void
echo_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if ((*msg)->tag == LATER) {
        (void)ln_sleep(50);
    }
    if ((*msg)->tag != NEVER) {
        ln_reply(ln_caller(*msg), msg);
    }
}
static const struct ln_behaviour echo = {.name = "echo", .handle = echo_handle};

static ln_pid
spawn_echo(int scheduler)
{
    ln_pid pid;
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = scheduler};
    EXPECT(ln_spawn(&echo, NULL, 0, &there, &pid) == 0);
    return pid;
}

static uint64_t
ask(ln_pid to, uint32_t tag, uint32_t value)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_DURABLE, sizeof value);
    memcpy(msg->data, &value, sizeof value);
    return ln_request(to, &msg);
}

static void
expect_answer(uint64_t ref, uint32_t value)
{
    struct ln_msg *answer = NULL;
    EXPECT(ln_receive_answer(ref, PATIENCE_MS, &answer) == 0);
    EXPECT(answer->ref == ref && answer->error == 0 && (answer->flags & LN_MSG_ANSWER) != 0);
    EXPECT(memcmp(answer->data, &value, sizeof value) == 0);
    ln_msg_free(&answer);
}

/* In a lane that refuses nothing. */
static void
old_messages(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct ln_msg *old = ln_msg_new(OLD, LN_REPLY, sizeof i);
        memcpy(old->data, &i, sizeof i);
        ln_send(ln_self(), &old);
    }
}

static void
expect_old_messages(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value;
        stage_expect(OLD, &value, sizeof value);
        EXPECT(value == i);
    }
    stage_expect_silence(10);
}

static uint64_t
looks(void)
{
    return scheduler_current()->stats.answer_looks;
}

static void
fresh_story(void)
{
    old_messages(OLD_MESSAGES);
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = spawn_echo(scheduler);
        uint64_t before = looks();
        expect_answer(ask(pid, ECHO, 1), 1); /* that it waits for */
        EXPECT(looks() - before == 2);       /* when it comes, and when it is taken */
        uint64_t ref = ask(pid, ECHO, 2);
        stage_settle();
        before = looks();
        expect_answer(ref, 2); /* that waits already */
        EXPECT(looks() - before == 1);
        before = looks();
        ref = ask(0, ECHO, 3); /* to no one: answered within the asking */
        struct ln_msg *answer;
        EXPECT(ln_receive_answer(ref, 0, &answer) == 0 && answer->error == -ESRCH);
        EXPECT(looks() - before == 1);
        ln_msg_free(&answer);
    }
    expect_old_messages(OLD_MESSAGES);
}

static void
finds_a_fresh_answer(void **state)
{
    (void)state;
    stage_play(fresh_story);
}

static void
several_story(void)
{
    enum { SEVERAL = 8 };
    uint64_t refs[SEVERAL];
    ln_pid pid = spawn_echo(1);
    old_messages(1000);
    for (uint32_t i = 0; i < SEVERAL; i++) {
        refs[i] = ask(pid, ECHO, i);
    }
    stage_settle();
    uint64_t before = looks();
    for (uint32_t i = 0; i < SEVERAL; i++) {
        uint32_t which = (i * 3 + 1) % SEVERAL;
        expect_answer(refs[which], which);
    }
    EXPECT(looks() - before <= (uint64_t)SEVERAL * SEVERAL); /* each other's answers at most */
    expect_old_messages(1000);
}

static void
finds_the_answers_of_several(void **state)
{
    (void)state;
    stage_play(several_story);
}

/* What marks a request's place is taken out of the queue, or was never in it. */
static void
moving_story(void)
{
    struct ln_msg *msg;
    ln_pid pid = spawn_echo(0);
    uint64_t first = ask(pid, ECHO, 1); /* the queue is empty */
    stage_settle();
    old_messages(3);
    uint64_t second = ask(pid, ECHO, 2); /* behind three old ones, of which none is left soon */
    stage_settle();
    for (unsigned i = 0; i < 4; i++) {
        EXPECT(ln_receive(0, &msg) == 0 && (i > 0 || msg->ref == first));
        ln_msg_free(&msg);
    }
    old_messages(10);
    uint64_t before = looks();
    expect_answer(second, 2);
    EXPECT(looks() - before == 1);
    expect_old_messages(10);
}

static void
places_move_with_the_queue(void **state)
{
    (void)state;
    stage_play(moving_story);
}

/* More requests, with messages between them, than places are kept for. */
static void
old_request_story(void)
{
    ln_pid pid = spawn_echo(1);
    uint64_t old = ask(pid, LATER, 7);
    for (uint32_t i = 0; i < 3 * MAILBOX_MARKS; i++) {
        stage_say(ln_self(), GO);
        expect_answer(ask(pid, ECHO, i), i);
    }
    expect_answer(old, 7);
    for (uint32_t i = 0; i < 3 * MAILBOX_MARKS; i++) {
        stage_expect(GO, NULL, 0);
    }
}

static void
finds_an_old_answer(void **state)
{
    (void)state;
    stage_play(old_request_story);
}

static void
again_story(void)
{
    struct ln_msg *answer = NULL;
    ln_pid pid = spawn_echo(1);
    stage_say(ln_self(), GO);
    uint64_t ref = ask(pid, LATER, 1);
    EXPECT(ln_receive_answer(ref, 0, &answer) == -ETIMEDOUT);
    EXPECT(ln_receive_answer(ref, 20, &answer) == -ETIMEDOUT && answer == NULL);
    expect_answer(ref, 1);
    ref = ask(pid, LATER, 2);
    EXPECT(ln_receive_answer(ref, 20, &answer) == -ETIMEDOUT);
    stage_expect(GO, NULL, 0);
    answer = stage_next(); /* as any other message */
    EXPECT(answer->ref == ref);
    ln_msg_free(&answer);
}

static void
may_wait_again(void **state)
{
    (void)state;
    stage_play(again_story);
}

static void
forget_story(void)
{
    struct ln_msg *answer;
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = spawn_echo(scheduler);
        uint64_t before = scheduler_current()->stats.answers_late;
        uint64_t first = ask(pid, LATER, 1);
        uint64_t second = ask(pid, ECHO, 2);
        uint64_t third = ask(pid, ECHO, 3);
        EXPECT(ln_receive_answer(first, 10, &answer) == -ETIMEDOUT);
        ln_forget_answer(third);
        ln_forget_answer(first);
        expect_answer(second, 2);
        stage_expect_silence(100);
        EXPECT(scheduler_current()->stats.answers_late - before == 2);
        uint64_t fourth = ask(pid, ECHO, 4);
        uint64_t fifth = ask(pid, ECHO, 5);
        stage_settle();
        ln_forget_answer(fourth); /* it waits already */
        expect_answer(fifth, 5);
        stage_expect_silence(100);
        (void)ask(pid, NEVER, 6);
        ln_forget_answer(ask(pid, NEVER, 7)); /* until this process ends, or that actor */
    }
}

static void
given_up_answers_reach_nobody(void **state)
{
    (void)state;
    stage_play(forget_story);
}

static void
waiting_run(void *state)
{
    (void)state;
    struct ln_msg *answer = NULL;
    ln_pid parent = ln_whereis("parent");
    uint64_t ref = ask(parent, NEVER, 1);
    ln_forget_answer(ask(parent, NEVER, 2));
    int error = ln_receive_answer(ref, LN_FOREVER, &answer);
    struct ln_msg *report = ln_msg_new(REPORT, LN_DURABLE, sizeof error);
    memcpy(report->data, &error, sizeof error);
    ln_send(parent, &report);
}
static const struct ln_behaviour waiting = {.name = "waiting", .run = waiting_run};

static void
cancelled_story(void)
{
    ln_pid pid;
    int error = 0;
    EXPECT(ln_register("parent", ln_self()) == 0);
    EXPECT(ln_spawn(&waiting, NULL, 0, NULL, &pid) == 0);
    struct ln_msg *first = stage_next();
    struct ln_msg *second = stage_next();
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    stage_expect(REPORT, &error, sizeof error);
    EXPECT(error == -ECANCELED);
    ln_msg_free(&first);
    ln_msg_free(&second);
}

static void
a_cancelled_wait_returns(void **state)
{
    (void)state;
    stage_play(cancelled_story);
}

static void
receiving_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    struct ln_msg *answer;
    EXPECT(ln_receive_answer((*msg)->tag, 0, &answer) == 0); /* does not get so far */
}
static const struct ln_behaviour receiving = {.name = "receiving", .handle = receiving_handle};

static void
forgetting_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_forget_answer((*msg)->tag);
}
static const struct ln_behaviour forgetting = {.name = "forgetting", .handle = forgetting_handle};

static void
behaviour_story(void)
{
    static const struct ln_behaviour *const both[] = {&receiving, &forgetting};
    for (unsigned i = 0; i < 2; i++) {
        ln_pid pid;
        uint64_t monitor;
        EXPECT(ln_spawn_monitor(both[i], NULL, 0, &pid, &monitor) == 0);
        stage_say(pid, GO);
        EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
    }
}

static void
behaviours_handle(void **state)
{
    (void)state;
    stage_play(behaviour_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a fresh answer is found without a look at a hundred thousand older messages",
             finds_a_fresh_answer),
        SPEC("so are those of several requests, in whatever order", finds_the_answers_of_several),
        SPEC("so it is when what the request was made behind is gone", places_move_with_the_queue),
        SPEC("an old answer is found however many were asked for since", finds_an_old_answer),
        SPEC("an answer that does not come in time may be waited for again", may_wait_again),
        SPEC("an answer that was given up reaches nobody, whether it waits or comes late",
             given_up_answers_reach_nobody),
        SPEC("who is ended while he waits for an answer returns and unwinds",
             a_cancelled_wait_returns),
        SPEC("a behaviour that waits so is ended: its answers come to its handler",
             behaviours_handle),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
