/* SPDX-License-Identifier: Apache-2.0 */
/* What an actor that waits shows of that: for what, for how long, and where its code stands. */
#include "runtime/crash.h"
#include "runtime/inspect.h"
#include "runtime/text.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum { WAIT_MS = 5000, GO_ON = 1, ASK = 7 };
enum way { BY_SLEEP, BY_CALL, BY_RECEIVE, BY_CHOICE, BY_WORK, BY_YIELD, WAYS };

struct waiter {
    enum way way;
    ln_pid callee;
    void **returns_to; /* of a function that waits, as it knows it itself */
};

static bool
match_none(const struct ln_msg *msg, void *context)
{
    (void)msg;
    (void)context;
    return false;
}

static void
work_nothing(void *argument)
{
    (void)argument;
}

static __attribute__((noinline)) void
wait_somehow(const struct waiter *waiter)
{
    struct ln_msg *msg = NULL;
    int error = 0;
    *waiter->returns_to = __builtin_return_address(0);
    switch (waiter->way) {
    case BY_SLEEP:
        error = ln_sleep(WAIT_MS);
        break;
    case BY_CALL:
        msg = ln_msg_new(ASK, LN_DURABLE, 0);
        error = ln_call(waiter->callee, &msg, WAIT_MS, NULL);
        break;
    case BY_RECEIVE:
        error = ln_receive(LN_FOREVER, &msg);
        break;
    case BY_CHOICE:
        error = ln_receive_match(match_none, NULL, WAIT_MS, &msg);
        break;
    case BY_WORK:
        for (;;) {
            ln_work(work_nothing, NULL, LN_WORK_NORMAL);
        }
    case BY_YIELD:
    case WAYS:
        for (;;) {
            ln_yield();
        }
    }
    EXPECT(error == -ECANCELED);
}

static int
waiter_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(struct waiter));
    return 0;
}

static void
waiter_run(void *state)
{
    wait_somehow(state);
    __asm__ volatile("" : : : "memory"); /* no tail call */
}

static void
waiter_handle(void *state, struct ln_msg **msg)
{
    (void)msg;
    wait_somehow(state);
    __asm__ volatile("" : : : "memory");
}
static const char *
waiter_tag_name(uint32_t tag)
{
    return tag == ASK ? "ASK" : NULL;
}
static const struct ln_behaviour waiting_process = {.name = "process",
                                                    .tag_name = waiter_tag_name,
                                                    .state_bytes = sizeof(struct waiter),
                                                    .init = waiter_init,
                                                    .run = waiter_run};
static const struct ln_behaviour waiting_handler = {.name = "handler",
                                                    .tag_name = waiter_tag_name,
                                                    .state_bytes = sizeof(struct waiter),
                                                    .init = waiter_init,
                                                    .handle = waiter_handle};

/* One that never answers. */
static void
silent_run(void *state)
{
    struct ln_msg *msg;
    (void)state;
    while (ln_receive(LN_FOREVER, &msg) == 0) {
    }
}
static const struct ln_behaviour silent = {.name = "silent", .run = silent_run};

static unsigned
frame_place(const struct ln_wait_info *info, const void *return_address)
{
    unsigned i = 0;
    while (i < info->frames_count && info->frames[i] != (uintptr_t)return_address - 1) {
        i++;
    }
    return i;
}

static void
expect_wait(enum way way, const struct ln_wait_info *info, ln_pid callee)
{
    static const char *const names[WAYS] = {
        [BY_SLEEP] = "time",      [BY_CALL] = "answer",
        [BY_RECEIVE] = "message", [BY_CHOICE] = "chosen message",
        [BY_WORK] = "worker",
    };
    EXPECT(names[way] == NULL || (info->what != NULL && strcmp(info->what, names[way]) == 0));
    EXPECT(info->callee == (way == BY_CALL ? callee : 0));
    EXPECT(info->tag == (way == BY_CALL ? ASK : 0));
    EXPECT((way == BY_CALL) == (info->tag_name != NULL && strcmp(info->tag_name, "ASK") == 0));
    if (way != BY_YIELD) {
        EXPECT(info->cancellable == (way != BY_WORK));
        EXPECT(info->timeout_ms == (way == BY_RECEIVE || way == BY_WORK ? LN_FOREVER : WAIT_MS));
    }
    if (way == BY_SLEEP) {
        EXPECT(info->waited_ns >= UINT64_C(20) * 1000000);
        EXPECT(info->waited_ns < (uint64_t)WAIT_MS * 1000000);
    }
}

static void
expect_frame(uint64_t frame, const char *end)
{
    char room[256];
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    ln_frame_print(frame, &text);
    EXPECT(strstr(room, end) != NULL);
}

static void
wait_story(void)
{
    for (unsigned turn = 0; turn < 2 * STAGE_LOOPS * WAYS; turn++) {
        int scheduler = (int)(turn % STAGE_LOOPS);
        enum way way = turn / STAGE_LOOPS % WAYS;
        bool process = turn < STAGE_LOOPS * WAYS;
        void *returns_to = NULL;
        ln_pid callee;
        ln_pid pid;
        struct ln_wait_info info;
        struct ln_spawn_options options = {.elsewhere = true, .scheduler = scheduler};
        EXPECT(ln_spawn(&silent, NULL, 0, NULL, &callee) == 0);
        struct waiter waiter = {way, callee, &returns_to};
        EXPECT(ln_spawn(process ? &waiting_process : &waiting_handler, &waiter, sizeof waiter,
                        &options, &pid) == 0);
        if (!process) {
            EXPECT(ln_inspect_wait(pid, &info) == 0); /* at rest it has no stack */
            EXPECT(info.what == NULL && info.frames_count == 0);
            stage_say(pid, GO_ON);
        }
        while (returns_to == NULL) {
            ln_yield(); /* on another scheduler it runs when it likes to */
        }
        EXPECT(way >= BY_WORK || ln_sleep(20) == 0);
        do {
            ln_yield();
            EXPECT(ln_inspect_wait(pid, &info) == 0);
        } while (info.what == NULL && way != BY_YIELD);
        expect_wait(way, &info, callee);
        unsigned place = frame_place(&info, returns_to);
        EXPECT(place >= 2 && place + 1 < info.frames_count);
        expect_frame(info.frames[place], process ? " in waiter_run)" : " in waiter_handle)");
        ln_kill(pid, LN_EXIT_KILLED);
        ln_kill(callee, LN_EXIT_KILLED);
        int error;
        do { /* a worker is waited for */
            stage_settle();
            error = ln_inspect_wait(pid, &info);
        } while (error == 0);
        EXPECT(error == -ESRCH);
    }
}

static void
shows_what_it_waits_for(void **state)
{
    (void)state;
    stage_play(wait_story);
}

static void
asker_run(void *state)
{
    struct ln_msg *msg = ln_msg_new(ASK, LN_DURABLE, 0);
    uint64_t ref = ln_request(*(const ln_pid *)state, &msg);
    EXPECT(ln_receive_answer(ref, WAIT_MS, &msg) == -ECANCELED);
}

static int
asker_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(ln_pid));
    return 0;
}
static const struct ln_behaviour asker = {
    .name = "asker", .state_bytes = sizeof(ln_pid), .init = asker_init, .run = asker_run};

static void
request_story(void)
{
    ln_pid callee;
    ln_pid pid;
    struct ln_wait_info info;
    EXPECT(ln_spawn(&silent, NULL, 0, NULL, &callee) == 0);
    EXPECT(ln_spawn(&asker, &callee, sizeof callee, NULL, &pid) == 0);
    stage_settle();
    EXPECT(ln_inspect_wait(pid, &info) == 0);
    EXPECT(strcmp(info.what, "requested answer") == 0 && info.timeout_ms == WAIT_MS);
    ln_kill(pid, LN_EXIT_KILLED);
}

static void
tells_requests_from_choices(void **state)
{
    (void)state;
    stage_play(request_story);
}

static void
own_wait_story(void)
{
    struct ln_wait_info info;
    EXPECT(ln_inspect_wait(ln_self(), &info) == 0); /* by the scheduler on this very stack */
    EXPECT(info.what == NULL && info.frames_count == 0);
    EXPECT(ln_inspect_wait(0, &info) == -ESRCH);
    EXPECT(ln_inspect_wait((ln_pid)99 << 56 | 5, &info) == -ESRCH);
}

static void
never_reads_a_stack_that_runs(void **state)
{
    (void)state;
    stage_play(own_wait_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an actor that waits shows for what, for how long, and where its code stands",
             shows_what_it_waits_for),
        SPEC("who waits for the answer to a request is told from who chooses a message",
             tells_requests_from_choices),
        SPEC("the stack of an actor that runs is not read", never_reads_a_stack_that_runs),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
