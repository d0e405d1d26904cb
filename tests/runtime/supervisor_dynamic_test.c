/* SPDX-License-Identifier: Apache-2.0 */
/* Supervisors that start children on request, all of one kind. */
#include "runtime/inspect.h"
#include "runtime/supervisor.h"
#include "tests/runtime/diary.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

/* Of children that keep the diary, anywhere. */
static ln_pid
start_dynamic(enum ln_restart restart, uint32_t intensity, uint64_t *out_monitor)
{
    static struct ln_child template;
    template = (struct ln_child){.id = "child",
                                 .behaviour = &child_behaviour,
                                 .restart = restart,
                                 .elsewhere = true,
                                 .scheduler = LN_ANYWHERE};
    struct ln_supervision tree = {LN_DYNAMIC, intensity, 5000, &template, 1};
    return start_supervisor(&tree, out_monitor);
}

static void
dynamic_story(void)
{
    uint64_t monitor;
    ln_pid pid = start_dynamic(LN_TRANSIENT, 10, &monitor);
    ln_pid children[3];
    for (unsigned i = 0; i < 3; i++) {
        EXPECT(ln_supervisor_start_child(pid, &plans[i], sizeof plans[i], LN_FOREVER,
                                         &children[i]) == 0);
    }
    expect_diary("abc");
    stage_say(children[1], CRASH);
    expect_diary("Bb"); /* with its own argument */
    stage_say(children[0], STOP);
    expect_diary("A");
    unsigned failures = 1;
    ln_pid child = 0;
    struct plan failing = {.letter = 'd', .init_failures = &failures};
    EXPECT(ln_supervisor_start_child(pid, &failing, sizeof failing, LN_FOREVER, &child) == -EBUSY);
    EXPECT(child == 0);
    expect_diary("!");
    stop_supervisor(pid, monitor);
    stage_settle();
    EXPECT(strcmp(diary, "BC") == 0 || strcmp(diary, "CB") == 0); /* together */
    EXPECT(ln_supervisor_start_child(pid, &plans[0], sizeof plans[0], LN_FOREVER, &child) ==
           -ESRCH);
}

static void
starts_children_on_request(void **state)
{
    (void)state;
    stage_play(dynamic_story);
}

/* Two are asked for before either is answered: who waits for what is told by the reference. */
static void
requested_story(void)
{
    uint64_t monitor;
    ln_pid pid = start_dynamic(LN_TEMPORARY, 10, &monitor);
    unsigned failures = 1;
    struct plan failing = {.letter = 'd', .init_failures = &failures};
    uint64_t refused = ln_supervisor_request_child(pid, &failing, sizeof failing);
    uint64_t begun = ln_supervisor_request_child(pid, &plans[0], sizeof plans[0]);
    for (unsigned i = 0; i < 2; i++) {
        struct ln_msg *answer = stage_next();
        EXPECT((answer->flags & LN_MSG_ANSWER) != 0);
        EXPECT(answer->ref == (i == 0 ? refused : begun));
        EXPECT(answer->error == (i == 0 ? -EBUSY : 0));
        if (i == 1) {
            ln_pid child;
            EXPECT(answer->bytes == sizeof child);
            memcpy(&child, answer->data, sizeof child);
            stage_say(child, STOP);
        }
        ln_msg_free(&answer);
    }
    expect_diary("!aA");
    stop_supervisor(pid, monitor);
    EXPECT(ln_supervisor_request_child(pid, &plans[0], sizeof plans[0]) != refused);
    struct ln_msg *answer = stage_next();
    EXPECT((answer->flags & LN_MSG_ANSWER) != 0 && answer->error == -ESRCH);
    ln_msg_free(&answer);
}

static void
starts_children_that_are_not_waited_for(void **state)
{
    (void)state;
    stage_play(requested_story);
}

static void
many_story(void)
{
    enum { CHILDREN = 1000 };
    static struct plan quiet = {.letter = ' '};
    uint64_t monitor;
    ln_pid pid = start_dynamic(LN_TEMPORARY, 0, &monitor);
    ln_pid child;
    for (unsigned i = 0; i < CHILDREN; i++) {
        EXPECT(ln_supervisor_start_child(pid, &quiet, sizeof quiet, LN_FOREVER, &child) == 0);
        diary[0] = '\0';
        if (i % 3 == 0) {
            ln_kill(child, LN_EXIT_KILLED);
        }
    }
    stage_settle();
    struct ln_actor_info info;
    char text[LN_INSPECT_TEXT_MAX];
    EXPECT(ln_inspect_actor(pid, &info, text) == 0);
    EXPECT(strncmp(text, "dynamic, 666 running", 20) == 0);
    ln_kill(pid, LN_EXIT_KILLED);
    EXPECT(stage_down(monitor).kind == LN_EXIT_KILLED);
    stage_settle();
    struct ln_scheduler_info schedulers[STAGE_LOOPS];
    for (unsigned i = 0; i < STAGE_LOOPS; i++) {
        EXPECT(ln_inspect_scheduler(i, &schedulers[i]) == 0);
        EXPECT(schedulers[i].actors == (i == 0)); /* the root alone */
    }
}

static void
keeps_its_books(void **state)
{
    (void)state;
    stage_play(many_story);
}

static int
sleeper_init(void *state, const void *argument)
{
    uint32_t ms;
    (void)state;
    memcpy(&ms, argument, sizeof ms);
    return ms > 0 ? ln_sleep(ms) : 0;
}
static void
sleeper_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour sleeper = {
    .name = "sleeper", .init = sleeper_init, .handle = sleeper_handle};

static void
ask_for_sleeper(ln_pid supervisor, uint32_t ms)
{
    (void)ln_supervisor_request_child(supervisor, &ms, sizeof ms);
}

/* While one child starts, others end, and so many requests lie before their DOWNs that the slots of
 * the handles under which they were watched are given again. */
static void
late_down_story(void)
{
    enum { CHILDREN = 200, FIRST = 50, WATCHES = 2000 };
    static uint64_t watches[WATCHES];
    uint64_t monitor;
    uint32_t at_once = 0;
    ln_pid first[FIRST];
    struct ln_child template = {.id = "child", .behaviour = &sleeper, .restart = LN_TEMPORARY};
    struct ln_supervision tree = {LN_DYNAMIC, 0, 5000, &template, 1};
    ln_pid pid = start_supervisor(&tree, &monitor);
    for (unsigned i = 0; i < FIRST; i++) {
        EXPECT(ln_supervisor_start_child(pid, &at_once, sizeof at_once, LN_FOREVER, &first[i]) ==
               0);
    }
    ask_for_sleeper(pid, 50);
    for (unsigned i = 1; i < CHILDREN; i++) {
        ask_for_sleeper(pid, 0);
    }
    EXPECT(ln_sleep(5) == 0); /* it waits for the first of them */
    for (unsigned i = 0; i < WATCHES; i++) {
        watches[i] = ln_monitor(pid);
    }
    for (unsigned i = 0; i < FIRST; i++) {
        ln_kill(first[i], LN_EXIT_KILLED);
    }
    EXPECT(ln_sleep(5) == 0); /* their DOWNs have arrived; what was freed may soon be used again */
    for (unsigned i = 0; i < WATCHES; i++) {
        ln_demonitor(watches[i]);
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        struct ln_msg *answer = stage_next();
        EXPECT((answer->flags & LN_MSG_ANSWER) != 0 && answer->error == 0);
        ln_msg_free(&answer);
    }
    stage_settle();
    struct ln_child_counts counts;
    EXPECT(ln_supervisor_count_children(pid, LN_FOREVER, &counts) == 0);
    EXPECT(counts.active == CHILDREN);
    stop_supervisor(pid, monitor);
}

static void
keeps_its_books_while_it_starts(void **state)
{
    (void)state;
    stage_play(late_down_story);
}

static void
dynamic_slow_story(void)
{
    uint64_t monitor;
    struct plan slow = {.letter = 'a', .slow_end = true};
    struct ln_child template = {
        .id = "child", .behaviour = &child_behaviour, .shutdown_ms = 300, .restart = LN_TEMPORARY};
    struct ln_supervision tree = {LN_DYNAMIC, 0, 5000, &template, 1};
    ln_pid pid = start_supervisor(&tree, &monitor);
    ln_pid child;
    for (unsigned i = 0; i < 3; i++) {
        EXPECT(ln_supervisor_start_child(pid, &slow, sizeof slow, LN_FOREVER, &child) == 0);
    }
    uint64_t before_ns = ln_now_ns();
    stop_supervisor(pid, monitor);
    uint64_t took_ms = (ln_now_ns() - before_ns) / 1000000;
    EXPECT(took_ms >= 299 && took_ms < 400); /* one deadline for all */
    expect_diary("aaa###");
}

static void
dynamic_children_have_one_deadline(void **state)
{
    (void)state;
    stage_play(dynamic_slow_story);
}

static void
not_dynamic_story(void)
{
    uint64_t monitor;
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 3};
    ln_pid pid = start_supervisor(&tree, &monitor);
    ln_pid child;
    EXPECT(ln_supervisor_start_child(pid, NULL, 0, LN_FOREVER, &child) == -EINVAL);
    stage_say(pid, 1); /* what it does not understand it ignores */
    stop_supervisor(pid, monitor);
}

static void
tables_take_no_requests(void **state)
{
    (void)state;
    stage_play(not_dynamic_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a dynamic supervisor starts children on request and restarts them with their "
             "arguments",
             starts_children_on_request),
        SPEC("a child may be asked for without waiting: the answer comes under its reference",
             starts_children_that_are_not_waited_for),
        SPEC("a dynamic supervisor knows its children, however many come and go", keeps_its_books),
        SPEC(
            "a child that ends while others start is taken out of the books, whatever waits before "
            "its DOWN",
            keeps_its_books_while_it_starts),
        SPEC("dynamic children end under one deadline", dynamic_children_have_one_deadline),
        SPEC("a supervisor with a table starts no children on request", tables_take_no_requests),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
