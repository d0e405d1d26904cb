/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { SAY = 1, BURST, CRASH };
enum { BURST_MESSAGES = 100 };

static void
mortal_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if ((*msg)->tag == BURST) { /* last words, then the end */
        for (uint32_t i = 0; i < BURST_MESSAGES; i++) {
            stage_say((*msg)->from, SAY);
        }
        ln_exit(LN_EXIT_ERROR, "burst");
    }
    ln_actor_check((*msg)->tag != CRASH);
}
static const struct ln_behaviour mortal = {.name = "mortal", .handle = mortal_handle};

static ln_pid
spawn_mortal(int scheduler, uint64_t *out_monitor)
{
    ln_pid pid;
    struct ln_spawn_options options = {.elsewhere = true,
                                       .scheduler = scheduler,
                                       .monitor = out_monitor != NULL,
                                       .out_monitor = out_monitor};
    EXPECT(ln_spawn(&mortal, NULL, 0, &options, &pid) == 0);
    return pid;
}

static void
down_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        uint64_t first, second;
        ln_pid pid = spawn_mortal(scheduler, &first);
        second = ln_monitor(pid);
        EXPECT(first != second);
        stage_say(pid, CRASH);
        EXPECT(stage_down(second).kind == LN_EXIT_ERROR); /* each monitor has its own DOWN */
        EXPECT(stage_down(first).kind == LN_EXIT_ERROR);
        stage_expect_silence(10);
    }
}

static void
tells_of_an_end(void **state)
{
    (void)state;
    stage_play(down_story);
}

static void
last_words_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        uint64_t monitor;
        ln_pid pid = spawn_mortal(scheduler, &monitor);
        stage_say(pid, BURST);
        for (unsigned i = 0; i < BURST_MESSAGES; i++) {
            stage_expect(SAY, NULL, 0); /* the DOWN never comes before */
        }
        stage_expect(LN_TAG_DOWN, NULL, 0);
    }
}

static void
comes_after_the_last_words(void **state)
{
    (void)state;
    stage_play(last_words_story);
}

static void
no_one_story(void)
{
    uint64_t monitor;
    ln_pid pid = spawn_mortal(0, &monitor);
    ln_kill(pid, LN_EXIT_KILLED);
    (void)stage_down(monitor);
    EXPECT(stage_down(ln_monitor(pid)).kind == LN_EXIT_NOPROC);
    EXPECT(stage_down(ln_monitor((ln_pid)1 << 56 | (ln_pid)99 << 32)).kind == LN_EXIT_NOPROC);
    EXPECT(stage_down(ln_monitor((ln_pid)200 << 56 | (ln_pid)99 << 32)).kind == LN_EXIT_NOPROC);
    EXPECT(stage_down(ln_monitor(0)).kind == LN_EXIT_NOPROC);
}

static void
tells_of_no_one(void **state)
{
    (void)state;
    stage_play(no_one_story);
}

static void
demonitor_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        uint64_t monitor;
        ln_pid pid = spawn_mortal(scheduler, &monitor);
        ln_demonitor(monitor);
        ln_demonitor(monitor); /* twice: nothing */
        stage_say(pid, CRASH);
        stage_expect_silence(10);

        /* On its way, or in the mailbox already. */
        pid = spawn_mortal(scheduler, &monitor);
        ln_kill(pid, LN_EXIT_KILLED);
        ln_demonitor(monitor);
        stage_expect_silence(10);
        pid = spawn_mortal(scheduler, &monitor);
        ln_kill(pid, LN_EXIT_KILLED);
        stage_settle();
        ln_demonitor(monitor);
        stage_expect_silence(10);
    }
}

static void
is_silent_after_demonitor(void **state)
{
    (void)state;
    stage_play(demonitor_story);
}

static void
watching_run(void *state)
{
    ln_pid watched = *(ln_pid *)state;
    (void)ln_monitor(watched);
    (void)ln_monitor(watched);
    (void)ln_sleep(20);
}

static int
watching_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(ln_pid));
    return 0;
}
static const struct ln_behaviour watching = {
    .name = "watching", .state_bytes = sizeof(ln_pid), .init = watching_init, .run = watching_run};

/* The watchers end first: their monitors go with them. */
static void
dead_watchers_story(void)
{
    uint64_t monitor, watchers[10];
    ln_pid pid = spawn_mortal(1, &monitor);
    for (unsigned i = 0; i < 10; i++) {
        ln_pid watcher;
        struct ln_spawn_options options = {.elsewhere = true,
                                           .scheduler = (int)i % STAGE_LOOPS,
                                           .monitor = true,
                                           .out_monitor = &watchers[i]};
        EXPECT(ln_spawn(&watching, &pid, sizeof pid, &options, &watcher) == 0);
    }
    for (unsigned i = 0; i < 10; i++) {
        (void)stage_down(watchers[i]);
    }
    stage_say(pid, CRASH);
    (void)stage_down(monitor);
}

static void
ends_with_the_watcher(void **state)
{
    (void)state;
    stage_play(dead_watchers_story);
}

static void
child_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        struct ln_spawn_options options = {
            .elsewhere = true, .scheduler = scheduler, .tell_parent = true};
        struct ln_relations relations;
        ln_pid pid;
        EXPECT(ln_spawn(&mortal, NULL, 0, &options, &pid) == 0);
        EXPECT(ln_inspect_relations(pid, &relations) == 0);
        EXPECT(relations.watchers_count == 1 && relations.watchers[0] == ln_self());
        stage_say(pid, BURST);
        for (unsigned i = 0; i < BURST_MESSAGES; i++) {
            stage_expect(SAY, NULL, 0);
        }
        struct ln_msg *msg = stage_next();
        const struct ln_down *down = (const struct ln_down *)(const void *)msg->data;
        EXPECT(msg->tag == LN_TAG_DOWN && msg->ref == 0 && msg->from == pid);
        EXPECT(down->pid == pid && down->reason.kind == LN_EXIT_ERROR);
        ln_msg_free(&msg);
        stage_expect_silence(10);
    }
}

static void
is_told_to_a_parent(void **state)
{
    (void)state;
    stage_play(child_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("each monitor tells of an end exactly once", tells_of_an_end),
        SPEC("a DOWN comes after everything its actor had sent", comes_after_the_last_words),
        SPEC("a monitor of no one tells so at once", tells_of_no_one),
        SPEC("no DOWN comes after a demonitor, wherever it was by then", is_silent_after_demonitor),
        SPEC("a monitor ends with its watcher", ends_with_the_watcher),
        SPEC("a child that tells its parent does so once, after its last words",
             is_told_to_a_parent),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
