/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim.h"
#include "runtime/supervisor.h"
#include "tests/runtime/diary.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

static void
say_to(const char *name, uint32_t tag)
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
        ln_work(rest, NULL, LN_WORK_NORMAL);
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
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
