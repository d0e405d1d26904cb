/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/node_priv.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { SAY = 1, CRASH, STOP, EXIT, ECHO, DONE };

/* ------------------------------------------------------------------------------ a small theatre */

/* Says to its parent what becomes of it. */
struct player {
    ln_pid told; /* who is told */
    int32_t init_error;
    bool crash_in_init, crash_in_terminate, wait_in_terminate, wait_in_init;
    uint32_t handled;
};

static int
player_init(void *state, const void *argument)
{
    struct player *player = state;
    *player = *(const struct player *)argument;
    if (player->wait_in_init) {
        int error = ln_sleep(100);
        if (error != 0) {
            return error;
        }
    }
    ln_actor_check(!player->crash_in_init);
    return player->init_error;
}

static void
player_handle(void *state, struct ln_msg **msg)
{
    struct player *player = state;
    player->handled++;
    switch ((enum tag)(*msg)->tag) {
    case SAY:
        ln_send(player->told, msg);
        break;
    case ECHO:
        ln_send((*msg)->from, msg);
        break;
    case CRASH:
        ln_actor_check((*msg)->tag != CRASH);
        break;
    case STOP:
        ln_stop(LN_EXIT_NORMAL, "asked to stop");
        break;
    case EXIT:
        ln_exit(LN_EXIT_SHUTDOWN, "asked to exit");
    case DONE:
        break;
    }
}

static void
player_terminate(void *state, const struct ln_reason *reason)
{
    struct player *player = state;
    if (player->wait_in_terminate && ln_sleep(1000) == -ECANCELED) {
        return;
    }
    ln_actor_check(!player->crash_in_terminate);
    struct ln_msg *msg = ln_msg_new(DONE, LN_DURABLE, sizeof *reason);
    memcpy(msg->data, reason, sizeof *reason);
    ln_send(player->told, &msg);
}

static const struct ln_behaviour player_behaviour = {
    .name = "player",
    .state_bytes = sizeof(struct player),
    .init = player_init,
    .handle = player_handle,
    .terminate = player_terminate,
};

static ln_pid
spawn_player(struct player player, uint64_t *out_monitor)
{
    ln_pid pid = 0;
    player.told = ln_self();
    struct ln_spawn_options options = {.monitor = out_monitor != NULL, .out_monitor = out_monitor};
    EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, &options, &pid) == 0);
    EXPECT(pid != 0 && pid != ln_self());
    return pid;
}

static void
expect_terminated(enum ln_exit_kind kind)
{
    struct ln_reason reason;
    stage_expect(DONE, &reason, sizeof reason);
    EXPECT(reason.kind == kind);
}

/* --------------------------------------------------------------------------------------- living */

static void
handles_story(void)
{
    ln_pid pid = spawn_player((struct player){0}, NULL);
    for (unsigned i = 0; i < 1000; i++) {
        stage_say(pid, SAY);
    }
    for (unsigned i = 0; i < 1000; i++) {
        stage_expect(SAY, NULL, 0);
    }
    stage_say(pid, STOP);
    expect_terminated(LN_EXIT_NORMAL);
}

static void
handles_what_it_gets(void **state)
{
    (void)state;
    stage_play(handles_story);
}

static void
failing_init_story(void)
{
    uint64_t monitor;
    ln_pid pid = 0;
    struct player player = {.told = ln_self(), .init_error = -EPERM};
    EXPECT(ln_start(&player_behaviour, &player, sizeof player, NULL, &pid) == -EPERM);
    EXPECT(pid == 0);
    (void)spawn_player(player, &monitor);
    struct ln_reason reason = stage_down(monitor);
    EXPECT(reason.kind == LN_EXIT_ERROR && reason.line == -EPERM);
    EXPECT(strcmp(reason.text, "init failed") == 0);
    stage_expect_silence(10); /* terminate does not follow an init that failed */
}

static void
ends_when_init_fails(void **state)
{
    (void)state;
    stage_play(failing_init_story);
}

static void
crashing_init_story(void)
{
    ln_pid pid = 0;
    struct player player = {.told = ln_self(), .crash_in_init = true};
    EXPECT(ln_start(&player_behaviour, &player, sizeof player, NULL, &pid) == -ESRCH);
    stage_expect_silence(10);
}

static void
crashes_in_init(void **state)
{
    (void)state;
    stage_play(crashing_init_story);
}

static void
killed_in_init_story(void)
{
    uint64_t monitor;
    ln_pid pid = spawn_player((struct player){.wait_in_init = true}, &monitor);
    ln_yield();
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
    stage_expect_silence(10);
}

static void
is_ended_in_its_init(void **state)
{
    (void)state;
    stage_play(killed_in_init_story);
}

static void
start_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid = 0;
        struct player player = {.told = ln_self(), .wait_in_init = true};
        struct ln_spawn_options there = {.elsewhere = true, .scheduler = scheduler};
        uint64_t before_ns = ln_now_ns();
        EXPECT(ln_start(&player_behaviour, &player, sizeof player, &there, &pid) == 0);
        EXPECT(ln_now_ns() - before_ns >= 100 * 1000000ull);
        EXPECT(ln_pid_scheduler(pid) == (unsigned)scheduler);
        stage_say(pid, SAY);
        stage_expect(SAY, NULL, 0);
        stage_say(pid, STOP);
        expect_terminated(LN_EXIT_NORMAL);
    }
}

static void
start_waits_for_init(void **state)
{
    (void)state;
    stage_play(start_story);
}

/* --------------------------------------------------------------------------------------- ending */

static void
crash_story(void)
{
    uint64_t monitor;
    ln_pid pid = spawn_player((struct player){0}, &monitor);
    stage_say(pid, CRASH);
    stage_say(pid, SAY); /* waits behind, and is dropped */
    expect_terminated(LN_EXIT_ERROR);
    struct ln_reason reason = stage_down(monitor);
    EXPECT(reason.kind == LN_EXIT_ERROR && reason.line > 0);
    EXPECT(strstr(reason.file, "actor_test.c") != NULL);
    EXPECT(strstr(reason.text, "CRASH") != NULL);
    stage_expect_silence(10);
}

static void
crashes_alone(void **state)
{
    (void)state;
    stage_play(crash_story);
}

static void
exit_story(void)
{
    uint64_t monitor;
    ln_pid pid = spawn_player((struct player){0}, &monitor);
    stage_say(pid, EXIT);
    expect_terminated(LN_EXIT_SHUTDOWN);
    EXPECT(strcmp(stage_down(monitor).text, "asked to exit") == 0);
}

static void
exits_at_once(void **state)
{
    (void)state;
    stage_play(exit_story);
}

static void
kill_story(void)
{
    static const enum ln_exit_kind kinds[] = {LN_EXIT_SHUTDOWN, LN_EXIT_ERROR, LN_EXIT_KILLED};
    for (unsigned i = 0; i < 3; i++) {
        uint64_t monitor;
        ln_pid pid = spawn_player((struct player){0}, &monitor);
        stage_say(pid, SAY);
        stage_expect(SAY, NULL, 0);
        ln_kill(pid, kinds[i]);
        if (kinds[i] != LN_EXIT_KILLED) {
            expect_terminated(kinds[i]);
        }
        EXPECT(stage_down(monitor).kind == kinds[i]);
        stage_expect_silence(10);
        ln_kill(pid, LN_EXIT_KILLED); /* to no one */
    }
}

static void
is_killed(void **state)
{
    (void)state;
    stage_play(kill_story);
}

static void
crash_in_terminate_story(void)
{
    uint64_t monitor;
    ln_pid pid = spawn_player((struct player){.crash_in_terminate = true}, &monitor);
    stage_say(pid, STOP);
    EXPECT(stage_down(monitor).kind == LN_EXIT_NORMAL); /* the first reason stays */
}

static void
crashes_in_terminate(void **state)
{
    (void)state;
    stage_play(crash_in_terminate_story);
}

static void
killed_in_terminate_story(void)
{
    uint64_t monitor;
    ln_pid pid = spawn_player((struct player){.wait_in_terminate = true}, &monitor);
    stage_say(pid, STOP);
    EXPECT(ln_sleep(100) == 0);
    uint64_t before_ns = ln_now_ns();
    ln_kill(pid, LN_EXIT_KILLED);
    EXPECT(stage_down(monitor).kind == LN_EXIT_KILLED);
    EXPECT(ln_now_ns() - before_ns < 500 * 1000000ull);
    stage_expect_silence(10);
}

static void
is_killed_in_terminate(void **state)
{
    (void)state;
    stage_play(killed_in_terminate_story);
}

static void
terminate_waits_story(void)
{
    uint64_t monitor;
    ln_pid pid = spawn_player((struct player){.wait_in_terminate = true}, &monitor);
    stage_say(pid, SAY);
    stage_expect(SAY, NULL, 0);
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    expect_terminated(LN_EXIT_SHUTDOWN);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
}

static void
may_wait_in_terminate(void **state)
{
    (void)state;
    stage_play(terminate_waits_story);
}

/* --------------------------------------------------------------------------------- what it owns */

static unsigned released;
static void
count_release(struct ln_resource *resource)
{
    (void)resource;
    released++;
}

/* Holds one of everything, then goes as its argument says. */
struct hoarder {
    struct ln_resource first, second;
    struct ln_msg *kept;
};

static int
hoarder_init(void *state, const void *argument)
{
    struct hoarder *hoarder = state;
    (void)argument;
    struct ln_resource *inside = ln_alloc(sizeof *inside); /* a resource within owned memory */
    ln_own(inside, count_release);
    ln_own(&hoarder->first, count_release);
    ln_own(&hoarder->second, count_release);
    (void)memset(ln_alloc(100000), 1, 100000);
    ln_free(ln_alloc(10));
    (void)ln_msg_new(SAY, LN_DURABLE, 100); /* never sent */
    struct ln_msg *later = ln_msg_new(SAY, LN_DURABLE, 0);
    later->buffer = ln_buffer_new(1000);
    (void)ln_send_after(1000000, ln_self(), &later);
    (void)ln_monitor(ln_self());
    return 0;
}

static void
hoarder_handle(void *state, struct ln_msg **msg)
{
    struct hoarder *hoarder = state;
    uint32_t tag = (*msg)->tag;
    if (tag == SAY) {
        hoarder->kept = *msg; /* a received one, kept */
        *msg = NULL;
    }
    ln_actor_check(tag != CRASH);
    if (tag == STOP) {
        ln_stop(LN_EXIT_NORMAL, "");
    }
}

static const struct ln_behaviour hoarder_behaviour = {
    .name = "hoarder",
    .state_bytes = sizeof(struct hoarder),
    .init = hoarder_init,
    .handle = hoarder_handle,
};

static void
hoarder_story(void)
{
    for (unsigned way = 0; way < 3; way++) {
        ln_pid pid;
        uint64_t monitor;
        released = 0;
        struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
        EXPECT(ln_spawn(&hoarder_behaviour, NULL, 0, &options, &pid) == 0);
        struct ln_msg *say = ln_msg_new(SAY, LN_DURABLE, 10);
        say->buffer = ln_buffer_new(100);
        ln_send(pid, &say);
        stage_settle();
        if (way == 2) {
            ln_kill(pid, LN_EXIT_KILLED);
        } else {
            stage_say(pid, way == 0 ? STOP : CRASH);
        }
        (void)stage_down(monitor);
        EXPECT(released == 3); /* and the stage expects all memory home */
    }
}

static void
leaves_nothing_behind(void **state)
{
    (void)state;
    stage_play(hoarder_story);
}

static void
disown_story(void)
{
    struct ln_resource resources[3];
    released = 0;
    for (unsigned i = 0; i < 3; i++) {
        ln_own(&resources[i], count_release);
    }
    ln_disown(&resources[1]);
    ln_disown(&resources[2]);
    ln_disown(&resources[0]);
    EXPECT(released == 0);
}

static void
disowns(void **state)
{
    (void)state;
    stage_play(disown_story);
}

/* ------------------------------------------------------------------------------ pids and limits */

static void
stale_pid_story(void)
{
    uint64_t monitor;
    ln_pid first = spawn_player((struct player){0}, &monitor);
    ln_kill(first, LN_EXIT_KILLED);
    (void)stage_down(monitor);
    for (unsigned i = 0; i < 3000; i++) {
        ln_pid other = spawn_player((struct player){0}, &monitor);
        EXPECT(other != first);
        stage_say(first, SAY);
        ln_kill(other, LN_EXIT_KILLED);
        (void)stage_down(monitor);
    }
    stage_expect_silence(10);
}

static void
stale_pids_reach_nobody(void **state)
{
    (void)state;
    stage_play_with(stale_pid_story, &(struct ln_node_options){.actors_max = 4});
    stage_play(stale_pid_story);
}

static void
foreign_pid_story(void)
{
    ln_pid here = spawn_player((struct player){0}, NULL);
    /* The same slot and generation on the other scheduler, where nobody is. */
    ln_pid there = here ^ (ln_pid)1 << 56;
    stage_say(there, SAY);
    stage_say((ln_pid)77 << 56 | 5, SAY);
    stage_say(0, SAY);
    stage_expect_silence(10);
    EXPECT(ln_register("foreign", there) == -ESRCH);
    stage_say(here, STOP);
    expect_terminated(LN_EXIT_NORMAL);
}

static void
pids_name_their_scheduler(void **state)
{
    (void)state;
    stage_play(foreign_pid_story);
}

static void
full_story(void)
{
    ln_pid pids[8];
    ln_pid pid;
    struct player player = {.told = ln_self()};
    unsigned count = 0;
    while (ln_spawn(&player_behaviour, &player, sizeof player, NULL, &pid) == 0) {
        EXPECT(count < 8);
        pids[count++] = pid;
    }
    EXPECT(count == 7); /* the root is the eighth */
    EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, NULL, &pid) == -EAGAIN);
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = 1};
    EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, &there, &pid) == 0);
    stage_say(pids[3], STOP);
    expect_terminated(LN_EXIT_NORMAL);
    EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, NULL, &pid) == 0);
}

static void
is_refused_at_the_limit(void **state)
{
    (void)state;
    stage_play_with(full_story, &(struct ln_node_options){.actors_max = 8});
}

/* ------------------------------------------------------------------------------------ elsewhere */

static void
anywhere_story(void)
{
    unsigned on_scheduler[STAGE_LOOPS] = {0};
    ln_pid pid;
    struct player player = {.told = ln_self()};
    struct ln_spawn_options options = {.elsewhere = true, .scheduler = LN_ANYWHERE};
    for (unsigned i = 0; i < 100; i++) {
        EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, &options, &pid) == 0);
        on_scheduler[ln_pid_scheduler(pid)]++;
    }
    EXPECT(on_scheduler[0] >= 45 && on_scheduler[1] >= 45);
}

static void
spreads_the_load(void **state)
{
    (void)state;
    stage_play(anywhere_story);
}

static void
elsewhere_story(void)
{
    uint64_t monitor = 0;
    ln_pid pid = 0;
    struct player player = {.told = ln_self(), .init_error = -EPERM};
    struct ln_spawn_options there = {
        .elsewhere = true, .scheduler = 1, .monitor = true, .out_monitor = &monitor, .name = "far"};
    EXPECT(ln_start(&player_behaviour, &player, sizeof player, &there, &pid) == -EPERM);
    EXPECT(pid == 0 && monitor == 0);
    stage_expect_silence(10); /* no DOWN of an actor that the caller never knew */
    player.init_error = 0;
    player.crash_in_init = true;
    EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, &there, &pid) == 0);
    EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR); /* its own reason, not NOPROC */
    player.crash_in_init = false;
    EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, &there, &pid) == 0);
    EXPECT(ln_whereis("far") == pid);
    EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, &there, &pid) == -EEXIST);
    there.name = "";
    EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, &there, &pid) == -EINVAL);
    there.name = "a name of sixty-four bytes, which is one more than there is room for";
    EXPECT(ln_spawn(&player_behaviour, &player, sizeof player, &there, &pid) == -EINVAL);
}

static void
starts_elsewhere(void **state)
{
    (void)state;
    stage_play(elsewhere_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an actor handles what it gets, in order, until it stops", handles_what_it_gets),
        SPEC("an init that fails ends the actor, and its starter learns the error",
             ends_when_init_fails),
        SPEC("an init that crashes ends the actor, and its starter learns that", crashes_in_init),
        SPEC("an actor can be ended while its init waits", is_ended_in_its_init),
        SPEC("a start waits for the init, here and elsewhere", start_waits_for_init),
        SPEC("a failed check ends one actor and says where; its neighbours go on", crashes_alone),
        SPEC("an exit leaves from anywhere", exits_at_once),
        SPEC("an actor can be ended by others; only a kill spares it terminate", is_killed),
        SPEC("a crash in terminate keeps the first reason", crashes_in_terminate),
        SPEC("a kill reaches an actor that waits in terminate", is_killed_in_terminate),
        SPEC("terminate may wait", may_wait_in_terminate),
        SPEC("however an actor ends, nothing that it owned is left", leaves_nothing_behind),
        SPEC("what is disowned is not released", disowns),
        SPEC("a stale pid never reaches a new actor", stale_pids_reach_nobody),
        SPEC("a pid means an actor of its scheduler and of no other", pids_name_their_scheduler),
        SPEC("no actor is spawned above the limit, until one has ended", is_refused_at_the_limit),
        SPEC("actors that may live anywhere are spread", spreads_the_load),
        SPEC("a spawn elsewhere misses nothing of the child's life", starts_elsewhere),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
