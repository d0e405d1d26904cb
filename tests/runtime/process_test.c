/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/file.h"
#include "runtime/inspect.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { PING = 1, PONG, OTHER, STATE };

/* ------------------------------------------------------------------------------------ receiving */

static bool
has_tag(const struct ln_msg *msg, void *tag)
{
    return msg->tag == *(const uint32_t *)tag;
}

static void
selective_story(void)
{
    uint32_t wanted = PONG;
    struct ln_msg *msg;
    stage_say(ln_self(), PING);
    stage_say(ln_self(), OTHER);
    stage_say(ln_self(), PONG);
    stage_say(ln_self(), PING);
    EXPECT(ln_receive_match(has_tag, &wanted, 1000, &msg) == 0);
    EXPECT(msg->tag == PONG);
    ln_msg_free(&msg);
    EXPECT(ln_receive_match(has_tag, &wanted, 10, &msg) == -ETIMEDOUT);
    stage_expect(PING, NULL, 0);
    stage_expect(OTHER, NULL, 0);
    stage_expect(PING, NULL, 0);
    stage_expect_silence(10);
}

static void
receives_what_it_wants(void **state)
{
    (void)state;
    stage_play(selective_story);
}

static void
timeout_story(void)
{
    struct ln_msg *msg;
    uint64_t before_ns = ln_now_ns();
    EXPECT(ln_receive(0, &msg) == -ETIMEDOUT);
    EXPECT(ln_now_ns() == before_ns); /* it did not even yield */
    EXPECT(ln_receive(25, &msg) == -ETIMEDOUT);
    EXPECT(ln_now_ns() - before_ns >= 25 * 1000000ull);
    EXPECT(ln_now_ns() - before_ns < 30 * 1000000ull);
    stage_say(ln_self(), PING);
    EXPECT(ln_receive(0, &msg) == 0);
    ln_msg_free(&msg);
}

static void
receive_times_out(void **state)
{
    (void)state;
    stage_play(timeout_story);
}

/* A lossy message that woke a waiter is renewed by one it does not want, before it runs. */
struct pusher {
    ln_pid to;
};

static int
pusher_init(void *state, const void *argument)
{
    *(struct pusher *)state = *(const struct pusher *)argument;
    return 0;
}

static void
push(ln_pid to, uint32_t value)
{
    struct ln_msg *msg = ln_msg_new(STATE, LN_LOSSY, sizeof value);
    msg->key = 1;
    memcpy(msg->data, &value, sizeof value);
    ln_send(to, &msg);
}

static void
pusher_run(void *state)
{
    const struct pusher *pusher = state;
    push(pusher->to, 1); /* wanted: wakes */
    push(pusher->to, 2); /* not wanted: in its place */
    (void)ln_sleep(10);
    push(pusher->to, 3); /* not wanted, not waking */
    push(pusher->to, 1); /* renewed to a wanted one */
}
static const struct ln_behaviour pusher = {
    .name = "pusher", .state_bytes = sizeof(struct pusher), .init = pusher_init, .run = pusher_run};

static bool
is_one(const struct ln_msg *msg, void *context)
{
    uint32_t value;
    (void)context;
    memcpy(&value, msg->data, sizeof value);
    return msg->tag == STATE && value == 1;
}

static void
renewed_story(void)
{
    ln_pid pid;
    struct pusher argument = {ln_self()};
    uint64_t before_ns = ln_now_ns();
    EXPECT(ln_spawn(&pusher, &argument, sizeof argument, NULL, &pid) == 0);
    struct ln_msg *msg;
    EXPECT(ln_receive_match(is_one, NULL, 1000, &msg) == 0);
    EXPECT(ln_now_ns() - before_ns >= 10 * 1000000ull);
    ln_msg_free(&msg);
    EXPECT(ln_spawn(&pusher, &argument, sizeof argument, NULL, &pid) == 0);
    (void)ln_sleep(5);
    before_ns = ln_now_ns();
    EXPECT(ln_receive_match(is_one, NULL, 3, &msg) == -ETIMEDOUT); /* the timeout goes on */
    EXPECT(ln_now_ns() - before_ns < 5 * 1000000ull);
    EXPECT(ln_receive_match(is_one, NULL, 1000, &msg) == 0);
    ln_msg_free(&msg);
}

static void
waits_on_when_it_was_renewed(void **state)
{
    (void)state;
    stage_play(renewed_story);
}

/* ------------------------------------------------------------------------------------- sleeping */

static void
spin_run(void *state)
{
    (void)state;
    for (;;) {
        ln_yield(); /* never looks whether it shall end */
    }
}
static const struct ln_behaviour spinner = {.name = "spinner", .run = spin_run};

static void
stubborn_run(void *state)
{
    unsigned waits = 0;
    (void)state;
    for (;;) {
        EXPECT(ln_sleep(1000000) == -ECANCELED);
        EXPECT(++waits < 1000);
    }
}
static const struct ln_behaviour stubborn = {.name = "stubborn", .run = stubborn_run};

static void
stubborn_story(void)
{
    static const struct ln_behaviour *const behaviours[] = {&spinner, &stubborn};
    for (unsigned i = 0; i < 2; i++) {
        for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
            ln_pid pid;
            uint64_t monitor;
            struct ln_spawn_options options = {.elsewhere = true,
                                               .scheduler = scheduler,
                                               .monitor = true,
                                               .out_monitor = &monitor};
            EXPECT(ln_spawn(behaviours[i], NULL, 0, &options, &pid) == 0);
            EXPECT(ln_sleep(1) == 0);
            ln_kill(pid, LN_EXIT_SHUTDOWN);
            EXPECT(stage_down(monitor).kind == LN_EXIT_KILLED);
        }
    }
}

static void
who_will_not_unwind_is_ended(void **state)
{
    (void)state;
    stage_play(stubborn_story);
}

static void
self_kill_run(void *state)
{
    (void)state;
    ln_kill(ln_self(), LN_EXIT_SHUTDOWN);
    struct ln_msg *msg;
    EXPECT(ln_receive(LN_FOREVER, &msg) == -ECANCELED);
}
static const struct ln_behaviour self_killer = {.name = "self killer", .run = self_kill_run};

static void
self_kill_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
    EXPECT(ln_spawn(&self_killer, NULL, 0, &options, &pid) == 0);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
}

static void
who_ends_himself_is_cancelled(void **state)
{
    (void)state;
    stage_play(self_kill_story);
}

static void
long_run(void *state)
{
    (void)state;
    uint64_t before_ns = ln_now_ns();
    EXPECT(ln_sleep(7) == 0);
    EXPECT(ln_now_ns() - before_ns >= 7 * 1000000ull);
    EXPECT(ln_sleep(0) == 0);
}
static const struct ln_behaviour sleeper = {.name = "sleeper", .run = long_run};

static void
many_story(void)
{
    enum { SLEEPERS = 300 };
    static uint64_t monitors[SLEEPERS];
    for (unsigned i = 0; i < SLEEPERS; i++) {
        ln_pid pid;
        struct ln_spawn_options options = {.elsewhere = true,
                                           .scheduler = LN_ANYWHERE,
                                           .monitor = true,
                                           .out_monitor = &monitors[i]};
        EXPECT(ln_spawn(&sleeper, NULL, 0, &options, &pid) == 0);
    }
    for (unsigned i = 0; i < SLEEPERS; i++) {
        EXPECT(stage_down(monitors[i]).kind == LN_EXIT_NORMAL);
    }
}

static void
many_sleep_at_once(void **state)
{
    (void)state;
    stage_play(many_story);
}

/* -------------------------------------------------------------- handlers that wait keep a stack */

struct nap {
    uint32_t naps;
};

static void
nap_handle(void *state, struct ln_msg **msg)
{
    struct nap *nap = state;
    ln_pid from = (*msg)->from;
    unsigned char stays[2000];
    memset(stays, (int)(from >> 32), sizeof stays);
    EXPECT(ln_sleep(5) == 0);
    for (unsigned i = 0; i < sizeof stays; i++) {
        EXPECT(stays[i] == (unsigned char)(from >> 32));
    }
    nap->naps++;
    ln_send(from, msg);
}
static const struct ln_behaviour napper = {
    .name = "napper", .state_bytes = sizeof(struct nap), .handle = nap_handle};

static void
nap_story(void)
{
    enum { NAPPERS = 100, ROUNDS = 3 };
    static ln_pid nappers[NAPPERS];
    for (unsigned i = 0; i < NAPPERS; i++) {
        EXPECT(ln_spawn(&napper, NULL, 0, NULL, &nappers[i]) == 0);
        for (unsigned round = 0; round < ROUNDS; round++) {
            stage_say(nappers[i], PING);
        }
    }
    for (unsigned i = 0; i < NAPPERS * ROUNDS; i++) {
        stage_expect(PING, NULL, 0);
    }
}

static unsigned
stacks(void)
{
    struct ln_scheduler_info info;
    EXPECT(ln_inspect_scheduler(0, &info) == 0);
    return info.stacks;
}

static void
stacks_story(void)
{
    enum { NAPPERS = 500 };
    static ln_pid nappers[NAPPERS];
    for (unsigned i = 0; i < NAPPERS; i++) {
        EXPECT(ln_spawn(&napper, NULL, 0, NULL, &nappers[i]) == 0);
    }
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < NAPPERS; i++) {
            stage_say(nappers[i], PING);
        }
        EXPECT(ln_sleep(1) == 0);
        EXPECT(stacks() >= NAPPERS && stacks() < NAPPERS + 5);
        for (unsigned i = 0; i < NAPPERS; i++) {
            stage_expect(PING, NULL, 0);
        }
        EXPECT(stacks() >= NAPPERS); /* kept while they may be needed soon again */
    }
    for (unsigned second = 0; second < 3; second++) {
        EXPECT(ln_sleep(1000) == 0);
    }
    EXPECT(stacks() < 70);
}

static void
idle_stacks_go(void **state)
{
    (void)state;
    stage_play(stacks_story);
}

static void
handlers_wait(void **state)
{
    (void)state;
    stage_play(nap_story);
}

/* ------------------------------------------------------------------------------- workers, files */

static void
add_one(void *argument)
{
    ++*(unsigned *)argument;
}

static void
work_run(void *state)
{
    unsigned count = 0;
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        ln_work(add_one, &count, i % 2 == 0 ? LN_WORK_LOW : LN_WORK_NORMAL);
        EXPECT(count == i + 1);
    }
}
static const struct ln_behaviour worker = {.name = "worker", .run = work_run};

static void
work_story(void)
{
    uint64_t monitors[20];
    for (unsigned i = 0; i < 20; i++) {
        ln_pid pid;
        struct ln_spawn_options options = {.elsewhere = true,
                                           .scheduler = (int)i % STAGE_LOOPS,
                                           .monitor = true,
                                           .out_monitor = &monitors[i]};
        EXPECT(ln_spawn(&worker, NULL, 0, &options, &pid) == 0);
        if (i % 4 == 0) { /* in the middle of it: the worker's result is waited for all the same */
            (void)ln_sleep(1);
            ln_kill(pid, LN_EXIT_KILLED);
        }
    }
    for (unsigned i = 0; i < 20; i++) {
        (void)stage_down(monitors[i]);
    }
}

static void
work_is_waited_for(void **state)
{
    (void)state;
    stage_play(work_story);
}

static void
file_story(void)
{
    io_file file;
    struct iovec pieces[2] = {{(void *)(uintptr_t) "durable ", 8},
                              {(void *)(uintptr_t) "words", 5}};
    char read[16] = {0};
    struct io_driver *driver = stage_driver();
    int flags = IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE;
    EXPECT(io_file_open(driver, "words", flags, &file) == 0);
    EXPECT(ln_file_write_sync(file, pieces, 2, 3) == 0);
    EXPECT(io_file_read(driver, file, read, sizeof read, 3) == 13);
    EXPECT(memcmp(read, "durable words", 13) == 0);
    io_file_close(driver, file);
}

static void
files_are_written(void **state)
{
    (void)state;
    stage_play(file_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a process receives what it wants, the rest waits in order", receives_what_it_wants),
        SPEC("a receive times out, at once when it shall", receive_times_out),
        SPEC("a waiter goes on waiting when what woke it was renewed to something else",
             waits_on_when_it_was_renewed),
        SPEC("who is ended and will not unwind is ended where he stands",
             who_will_not_unwind_is_ended),
        SPEC("who ends himself does not wait for ever", who_ends_himself_is_cancelled),
        SPEC("hundreds sleep at once, none too short", many_sleep_at_once),
        SPEC("a handler that waits keeps its stack while others run", handlers_wait),
        SPEC("stacks that nobody needs for a while are given back", idle_stacks_go),
        SPEC("work on another thread is waited for, even by who is killed", work_is_waited_for),
        SPEC("what is written to a file is there afterwards", files_are_written),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
