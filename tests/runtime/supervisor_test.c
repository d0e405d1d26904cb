/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"
#include "runtime/io/sim.h"
#include "runtime/supervisor.h"
#include "runtime/supervisor_priv.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <stdio.h>

/* Children write what happens to them into a diary, in letters: "a" started, "A" ended. Both
 * schedulers may write: under the simulation they share a thread. */
static char diary[256];

static void
note(char letter)
{
    size_t end = strlen(diary);
    EXPECT(end + 1 < sizeof diary);
    diary[end] = letter;
    diary[end + 1] = '\0';
}

static void
expect_diary(const char *expected)
{
    stage_settle();
    if (strcmp(diary, expected) != 0) {
        (void)fprintf(stderr, "the diary says \"%s\", not \"%s\"\n", diary, expected);
    }
    EXPECT(strcmp(diary, expected) == 0);
    diary[0] = '\0';
}

enum tag { CRASH = 1, STOP };

struct plan {
    char letter;
    unsigned *init_failures; /* so many inits fail */
    bool slow_end;           /* longer than its supervisor waits */
};

static int
child_init(void *state, const void *argument)
{
    struct plan *plan = state;
    *plan = *(const struct plan *)argument;
    if (plan->init_failures != NULL && *plan->init_failures > 0) {
        --*plan->init_failures;
        note('!');
        return -EBUSY;
    }
    note(plan->letter);
    return 0;
}

static void
child_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_actor_check((*msg)->tag != CRASH);
    if ((*msg)->tag == STOP) {
        ln_stop(LN_EXIT_NORMAL, "told to");
    }
}

static void
child_terminate(void *state, const struct ln_reason *reason)
{
    const struct plan *plan = state;
    (void)reason;
    if (plan->slow_end && ln_sleep(LN_FOREVER) == -ECANCELED) {
        note('#');
        return;
    }
    note((char)(plan->letter - 'a' + 'A'));
}

static const struct ln_behaviour child_behaviour = {
    .name = "child",
    .state_bytes = sizeof(struct plan),
    .init = child_init,
    .handle = child_handle,
    .terminate = child_terminate,
};

static const struct plan plans[] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = 'c'}};

/* A family of three, named "a", "b" and "c", the second on the other scheduler. */
static void
family(struct ln_child *children, enum ln_restart restart)
{
    static const char *const names[] = {"a", "b", "c"};
    for (unsigned i = 0; i < 3; i++) {
        children[i] = (struct ln_child){
            .id = names[i],
            .name = names[i],
            .behaviour = &child_behaviour,
            .argument = &plans[i],
            .bytes = sizeof plans[i],
            .restart = restart,
            .elsewhere = true,
            .scheduler = (int)i % 2,
        };
    }
}

static ln_pid
start_supervisor(const struct ln_supervision *tree, uint64_t *out_monitor)
{
    ln_pid pid = 0;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = out_monitor};
    diary[0] = '\0';
    EXPECT(ln_start(&ln_supervisor, tree, sizeof *tree, &options, &pid) == 0);
    return pid;
}

static void
stop_supervisor(ln_pid pid, uint64_t monitor)
{
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
}

static void
say_to(const char *name, enum tag tag)
{
    EXPECT(ln_whereis(name) != 0);
    stage_say(ln_whereis(name), tag);
}

/* ----------------------------------------------------------------------------------- strategies */

static void
play_strategy(enum ln_strategy strategy, const char *after_crash)
{
    uint64_t monitor;
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    struct ln_supervision tree = {strategy, 3, 5000, children, 3};
    ln_pid pid = start_supervisor(&tree, &monitor);
    expect_diary("abc");
    say_to("b", CRASH);
    expect_diary(after_crash);
    EXPECT(ln_whereis("a") != 0 && ln_whereis("b") != 0 && ln_whereis("c") != 0);
    stop_supervisor(pid, monitor);
    expect_diary("CBA"); /* in reverse, each after the one before */
    EXPECT(ln_whereis("a") == 0 && ln_whereis("b") == 0 && ln_whereis("c") == 0);
}

static void
one_for_one_story(void)
{
    play_strategy(LN_ONE_FOR_ONE, "Bb");
}

static void
one_for_all_story(void)
{
    play_strategy(LN_ONE_FOR_ALL, "BCAabc");
}

static void
rest_for_one_story(void)
{
    play_strategy(LN_REST_FOR_ONE, "BCbc");
}

static void
restarts_one(void **state)
{
    (void)state;
    stage_play(one_for_one_story);
}

static void
restarts_all(void **state)
{
    (void)state;
    stage_play(one_for_all_story);
}

static void
restarts_the_rest(void **state)
{
    (void)state;
    stage_play(rest_for_one_story);
}

/* -------------------------------------------------------------------------------- restart types */

static void
types_story(void)
{
    uint64_t monitor;
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    children[1].restart = LN_TRANSIENT;
    children[2].restart = LN_TEMPORARY;
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 10, 5000, children, 3};
    ln_pid pid = start_supervisor(&tree, &monitor);
    expect_diary("abc");
    say_to("a", STOP);
    expect_diary("Aa"); /* permanent: always */
    say_to("b", CRASH);
    expect_diary("Bb"); /* transient: when it failed */
    ln_kill(ln_whereis("b"), LN_EXIT_KILLED);
    expect_diary("b");
    say_to("b", STOP);
    expect_diary("B"); /* and not when it was through */
    say_to("c", CRASH);
    expect_diary("C"); /* temporary: never */
    stop_supervisor(pid, monitor);
    expect_diary("A");
}

static void
restarts_by_type(void **state)
{
    (void)state;
    stage_play(types_story);
}

static void
shutdown_story(void)
{
    uint64_t monitor;
    struct ln_child children[3];
    family(children, LN_TRANSIENT);
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 10, 5000, children, 3};
    ln_pid pid = start_supervisor(&tree, &monitor);
    expect_diary("abc");
    ln_kill(ln_whereis("a"), LN_EXIT_SHUTDOWN);
    expect_diary("A"); /* a shutdown is no failure */
    stop_supervisor(pid, monitor);
    expect_diary("CB");
}

static void
a_shutdown_is_no_failure(void **state)
{
    (void)state;
    stage_play(shutdown_story);
}

/* ------------------------------------------------------------------------------------ intensity */

static void
play_intensity(uint32_t intensity)
{
    uint64_t monitor;
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    struct ln_supervision tree = {LN_ONE_FOR_ONE, intensity, 1000, children, 3};
    (void)start_supervisor(&tree, &monitor);
    for (uint32_t i = 0; i < intensity; i++) {
        say_to("c", CRASH);
        stage_settle();
        EXPECT(ln_whereis("c") != 0);
    }
    diary[0] = '\0';
    say_to("c", CRASH);
    expect_diary("CBA"); /* one too many: it takes the others along, in order */
    struct ln_reason reason = stage_down(monitor);
    EXPECT(reason.kind == LN_EXIT_ERROR);
}

static void
intensity_story(void)
{
    play_intensity(0);
    play_intensity(1);
    play_intensity(4);
}

static void
gives_up_after_too_many(void **state)
{
    (void)state;
    stage_play(intensity_story);
}

static void
slowly_story(void)
{
    uint64_t monitor;
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 2, 100, children, 3};
    ln_pid pid = start_supervisor(&tree, &monitor);
    for (unsigned i = 0; i < 20; i++) {
        say_to("a", CRASH);
        EXPECT(ln_sleep(60) == 0); /* two within any hundred milliseconds */
        EXPECT(ln_whereis("a") != 0);
    }
    stop_supervisor(pid, monitor);
}

static void
old_restarts_are_forgotten(void **state)
{
    (void)state;
    stage_play(slowly_story);
}

/* -------------------------------------------------------------------------------- failing inits */

static void
first_init_story(void)
{
    unsigned failures = 1;
    struct plan plan = {.letter = 'b', .init_failures = &failures};
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    children[1].argument = &plan;
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 3};
    ln_pid pid = 0;
    diary[0] = '\0';
    EXPECT(ln_start(&ln_supervisor, &tree, sizeof tree, NULL, &pid) == -EBUSY);
    expect_diary("a!A"); /* those before it are stopped, those behind never start */
    EXPECT(ln_whereis("a") == 0);
}

static void
fails_with_its_child(void **state)
{
    (void)state;
    stage_play(first_init_story);
}

static void
later_init_story(void)
{
    unsigned failures = 0;
    uint64_t monitor;
    struct plan plan = {.letter = 'b', .init_failures = &failures};
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    children[1].argument = &plan;
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 3};
    (void)start_supervisor(&tree, &monitor);
    expect_diary("abc");
    failures = 2;
    say_to("b", CRASH);
    expect_diary("B!!b"); /* tried until it works: three restarts */
    failures = 100;
    say_to("b", CRASH);
    expect_diary("BCA"); /* the fourth is one too many */
    EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
}

static void
failing_restarts_count(void **state)
{
    (void)state;
    stage_play(later_init_story);
}

/* --------------------------------------------------------------------------------------- ending */

static void
slow_story(void)
{
    uint64_t monitor;
    struct plan slow = {.letter = 'b', .slow_end = true};
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    children[1].argument = &slow;
    children[1].shutdown_ms = 200;
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 3};
    ln_pid pid = start_supervisor(&tree, &monitor);
    expect_diary("abc");
    uint64_t before_ns = ln_now_ns();
    stop_supervisor(pid, monitor);
    uint64_t took_ms = (ln_now_ns() - before_ns) / 1000000;
    EXPECT(took_ms >= 200 && took_ms < 300);
    expect_diary("C#A"); /* killed after its time, and only then the next */
}

static void
kills_who_takes_too_long(void **state)
{
    (void)state;
    stage_play(slow_story);
}

static void
crashed_story(void)
{
    uint64_t monitor;
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 3};
    struct ln_child branch = {
        .id = "branch", .behaviour = &ln_supervisor, .argument = &tree, .bytes = sizeof tree};
    struct ln_supervision trunk = {LN_ONE_FOR_ONE, 3, 5000, &branch, 1};
    ln_pid pid = start_supervisor(&trunk, &monitor);
    expect_diary("abc");
    ln_kill(pid, LN_EXIT_KILLED);
    EXPECT(stage_down(monitor).kind == LN_EXIT_KILLED);
    expect_diary(""); /* killed, without last words */
    EXPECT(ln_whereis("a") == 0 && ln_whereis("b") == 0 && ln_whereis("c") == 0);
}

static void
takes_its_children_along(void **state)
{
    (void)state;
    stage_play(crashed_story);
}

/* A supervisor elsewhere, below another one. Borrows the tree. */
static struct ln_child
branch_of(const struct ln_supervision *tree)
{
    return (struct ln_child){.id = "branch",
                             .name = "branch",
                             .behaviour = &ln_supervisor,
                             .argument = tree,
                             .bytes = sizeof *tree,
                             .elsewhere = true,
                             .scheduler = 1};
}

static void
killed_branch_story(void)
{
    uint64_t monitor;
    struct ln_child children[3];
    family(children, LN_PERMANENT);
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 3};
    struct ln_child branch = branch_of(&tree);
    struct ln_supervision trunk = {LN_ONE_FOR_ONE, 3, 5000, &branch, 1};
    ln_pid pid = start_supervisor(&trunk, &monitor);
    expect_diary("abc");
    ln_kill(ln_whereis("branch"), LN_EXIT_KILLED);
    EXPECT(ln_sleep(100) == 0);
    EXPECT(ln_whereis("a") != 0 && ln_whereis("b") != 0 && ln_whereis("c") != 0);
    diary[0] = '\0';
    stop_supervisor(pid, monitor);
    expect_diary("CBA");
}

static void
rest(void *argument)
{
    (void)argument;
}

/* Once at work it can't be hurried. */
static void
lingering_run(void *state)
{
    (void)state;
    do {
        ln_work(rest, NULL, false);
    } while (ln_sleep(0) == 0);
}
static const struct ln_behaviour lingering = {.name = "lingering", .run = lingering_run};

static void
lingering_story(void)
{
    uint64_t monitor;
    struct ln_child leaves[2] = {
        {.id = "here", .name = "here", .behaviour = &lingering},
        {.id = "there", .name = "there", .behaviour = &lingering, .elsewhere = true},
    };
    struct ln_supervision tree = {LN_ONE_FOR_ONE, 0, 0, leaves, 2};
    struct ln_child branch = branch_of(&tree);
    struct ln_supervision trunk = {LN_ONE_FOR_ONE, 1, 5000, &branch, 1};
    ln_pid pid = start_supervisor(&trunk, &monitor);
    ln_pid here = ln_whereis("here");
    ln_pid there = ln_whereis("there");
    ln_kill(ln_whereis("branch"), LN_EXIT_KILLED);
    EXPECT(ln_sleep(1000) == 0);
    EXPECT(ln_whereis("here") != 0 && ln_whereis("here") != here);
    EXPECT(ln_whereis("there") != 0 && ln_whereis("there") != there);
    stop_supervisor(pid, monitor); /* which a second restart would have ended */
}

static void
waits_for_names(void **state)
{
    (void)state;
    stage_play_machine(lingering_story,
                       &(struct sim_options){.work_delay_ns_max = UINT64_C(40000000)});
}

static void
a_killed_branch_grows_again(void **state)
{
    (void)state;
    stage_play(killed_branch_story);
}

/* -------------------------------------------------------------------------------------- dynamic */

static void
dynamic_story(void)
{
    uint64_t monitor;
    struct ln_child template = {.id = "child",
                                .behaviour = &child_behaviour,
                                .restart = LN_TRANSIENT,
                                .elsewhere = true,
                                .scheduler = LN_ANYWHERE};
    struct ln_supervision tree = {LN_DYNAMIC, 10, 5000, &template, 1};
    ln_pid pid = start_supervisor(&tree, &monitor);
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

static void
many_story(void)
{
    enum { CHILDREN = 1000 };
    static struct plan quiet = {.letter = ' '};
    uint64_t monitor;
    struct ln_child template = {.id = "child",
                                .behaviour = &child_behaviour,
                                .restart = LN_TEMPORARY,
                                .elsewhere = true,
                                .scheduler = LN_ANYWHERE};
    struct ln_supervision tree = {LN_DYNAMIC, 0, 5000, &template, 1};
    ln_pid pid = start_supervisor(&tree, &monitor);
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
    struct ln_msg *request = ln_msg_new(SUPERVISOR_START_CHILD, LN_DURABLE, sizeof ms);
    memcpy(request->data, &ms, sizeof ms);
    (void)ln_request(supervisor, &request);
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

/* ------------------------------------------------------------------------ a parent that ends */

static void
ward_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour ward = {.name = "ward", .handle = ward_handle};
static const struct ln_child wards[] = {{.behaviour = &ward, .name = "ward"}};

static void
parent_run(void *state)
{
    const struct ln_supervision supervision = {
        .children = wards, .children_count = 1, .intensity = 1, .period_ms = 1000};
    ln_pid pid;
    (void)state;
    EXPECT(ln_start(&ln_supervisor, &supervision, sizeof supervision,
                    &(struct ln_spawn_options){.link = true}, &pid) == 0);
    EXPECT(ln_whereis("ward") != 0);
    ln_unlink(pid);
    ln_kill(pid, LN_EXIT_NORMAL); /* asked by its parent */
    uint64_t monitor = ln_monitor(pid);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
    EXPECT(ln_whereis("ward") == 0);
    EXPECT(ln_start(&ln_supervisor, &supervision, sizeof supervision,
                    &(struct ln_spawn_options){.link = true}, &pid) == 0);
    ln_exit(LN_EXIT_ERROR, "and leaves it behind");
}
static const struct ln_behaviour parent = {.name = "parent", .run = parent_run};

static void
parent_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    EXPECT(ln_spawn_monitor(&parent, NULL, 0, &pid, &monitor) == 0);
    EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
    stage_settle();
    EXPECT(ln_whereis("ward") == 0);
}

static void
ends_with_its_parent(void **state)
{
    (void)state;
    stage_play(parent_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("one_for_one restarts the child that ended, and stops all in reverse", restarts_one),
        SPEC("one_for_all restarts all", restarts_all),
        SPEC("rest_for_one restarts the child and those behind it", restarts_the_rest),
        SPEC("permanent children are restarted always, transient ones when they failed, temporary "
             "ones never",
             restarts_by_type),
        SPEC("a shutdown is no failure", a_shutdown_is_no_failure),
        SPEC("more restarts than its intensity end the supervisor and its children",
             gives_up_after_too_many),
        SPEC("restarts older than the period are forgotten", old_restarts_are_forgotten),
        SPEC("a supervisor whose child's first init fails fails with it", fails_with_its_child),
        SPEC("a restart whose init fails counts, and is tried again", failing_restarts_count),
        SPEC("who takes longer to end than he may is killed", kills_who_takes_too_long),
        SPEC("a supervisor that its parent has linked to itself ends with it, and its children",
             ends_with_its_parent),
        SPEC("a supervisor that is killed takes its children along, and theirs",
             takes_its_children_along),
        SPEC("a branch that was killed grows again", a_killed_branch_grows_again),
        SPEC(
            "a branch that was killed starts at the first try, once those it left have given their "
            "names back",
            waits_for_names),
        SPEC("a dynamic supervisor starts children on request and restarts them with their "
             "arguments",
             starts_children_on_request),
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
