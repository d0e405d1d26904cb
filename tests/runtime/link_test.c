/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { LINK = 1, UNLINK, CRASH, STOP, GONE };

/* Links to whom it is told to; says when it ends. */
struct pal {
    ln_pid told;
};

static int
pal_init(void *state, const void *argument)
{
    *(struct pal *)state = *(const struct pal *)argument;
    return 0;
}

static ln_pid
pid_in(const struct ln_msg *msg)
{
    ln_pid pid;
    memcpy(&pid, msg->data, sizeof pid);
    return pid;
}

static void
pal_handle(void *state, struct ln_msg **msg)
{
    struct pal *pal = state;
    switch ((*msg)->tag) {
    case LINK:
        ln_link(pid_in(*msg));
        break;
    case UNLINK:
        ln_unlink(pid_in(*msg));
        break;
    case CRASH:
        ln_exit(LN_EXIT_ERROR, "told to");
    case STOP:
        ln_stop(LN_EXIT_NORMAL, "told to");
        break;
    default: /* an EXIT, where they are trapped */
        ln_send(pal->told, msg);
        break;
    }
}

static void
pal_terminate(void *state, const struct ln_reason *reason)
{
    const struct pal *pal = state;
    struct ln_msg *msg = ln_msg_new(GONE, LN_DURABLE, sizeof *reason);
    memcpy(msg->data, reason, sizeof *reason);
    ln_send(pal->told, &msg);
}

static const struct ln_behaviour pal_behaviour = {
    .name = "pal",
    .state_bytes = sizeof(struct pal),
    .init = pal_init,
    .handle = pal_handle,
    .terminate = pal_terminate,
};
static const struct ln_behaviour trapping_behaviour = {
    .name = "trapping pal",
    .state_bytes = sizeof(struct pal),
    .init = pal_init,
    .handle = pal_handle,
    .terminate = pal_terminate,
    .trap_exit = true,
};

static ln_pid
spawn_pal(const struct ln_behaviour *behaviour, int scheduler)
{
    ln_pid pid;
    struct pal pal = {ln_self()};
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = scheduler};
    EXPECT(ln_spawn(behaviour, &pal, sizeof pal, &there, &pid) == 0);
    return pid;
}

static void
tell(ln_pid who, enum tag what, ln_pid whom)
{
    struct ln_msg *msg = ln_msg_new(what, LN_DURABLE, sizeof whom);
    memcpy(msg->data, &whom, sizeof whom);
    ln_send(who, &msg);
}

static struct ln_reason
expect_gone(void)
{
    struct ln_reason reason;
    stage_expect(GONE, &reason, sizeof reason);
    return reason;
}

/* Each pair of schedulers, for each of which `play` is called. */
static void
for_each_pair(void (*play)(int first, int second))
{
    for (int first = 0; first < STAGE_LOOPS; first++) {
        for (int second = 0; second < STAGE_LOOPS; second++) {
            play(first, second);
        }
    }
}

static void
die_together(int first, int second)
{
    ln_pid one = spawn_pal(&pal_behaviour, first);
    ln_pid other = spawn_pal(&pal_behaviour, second);
    tell(one, LINK, other);
    stage_settle();
    tell(other, CRASH, 0); /* the link holds in both directions */
    EXPECT(expect_gone().kind == LN_EXIT_ERROR);
    struct ln_reason reason = expect_gone();
    EXPECT(reason.kind == LN_EXIT_ERROR && strcmp(reason.text, "told to") == 0);
    stage_expect_silence(10);
}

static void
together_story(void)
{
    for_each_pair(die_together);
}

static void
linked_actors_die_together(void **state)
{
    (void)state;
    stage_play(together_story);
}

static void
part_in_peace(int first, int second)
{
    ln_pid one = spawn_pal(&pal_behaviour, first);
    ln_pid other = spawn_pal(&pal_behaviour, second);
    tell(one, LINK, other);
    tell(other, LINK, one); /* the same link */
    stage_settle();
    tell(one, STOP, 0);
    EXPECT(expect_gone().kind == LN_EXIT_NORMAL);
    stage_expect_silence(10);
    tell(other, STOP, 0);
    (void)expect_gone();
}

static void
peace_story(void)
{
    for_each_pair(part_in_peace);
}

static void
normal_ends_kill_nobody(void **state)
{
    (void)state;
    stage_play(peace_story);
}

static void
unlink_first(int first, int second)
{
    ln_pid one = spawn_pal(&pal_behaviour, first);
    ln_pid other = spawn_pal(&pal_behaviour, second);
    tell(one, LINK, other);
    stage_settle();
    tell(one, UNLINK, other);
    stage_settle();
    tell(other, CRASH, 0);
    (void)expect_gone();
    stage_expect_silence(10);
    tell(one, UNLINK, other); /* of the dead: nothing */
    tell(one, STOP, 0);
    (void)expect_gone();
}

static void
unlink_story(void)
{
    for_each_pair(unlink_first);
}

static void
unlinked_actors_live(void **state)
{
    (void)state;
    stage_play(unlink_story);
}

static void
trap(int first, int second)
{
    struct ln_down down;
    ln_pid one = spawn_pal(&trapping_behaviour, first);
    ln_pid other = spawn_pal(&pal_behaviour, second);
    tell(one, LINK, other);
    stage_settle();
    tell(other, CRASH, 0);
    (void)expect_gone();
    stage_expect(LN_TAG_EXIT, &down, sizeof down);
    EXPECT(down.pid == other && down.reason.kind == LN_EXIT_ERROR);
    other = spawn_pal(&pal_behaviour, second);
    tell(one, LINK, other);
    stage_settle();
    tell(other, STOP, 0);
    (void)expect_gone();
    stage_expect(LN_TAG_EXIT, &down, sizeof down); /* of a normal end, too */
    EXPECT(down.pid == other && down.reason.kind == LN_EXIT_NORMAL);
    tell(one, STOP, 0);
    (void)expect_gone();
}

static void
trap_story(void)
{
    for_each_pair(trap);
}

static void
exits_are_trapped(void **state)
{
    (void)state;
    stage_play(trap_story);
}

static void
link_to_the_dead(int first, int second)
{
    ln_pid dead = spawn_pal(&pal_behaviour, second);
    tell(dead, STOP, 0);
    (void)expect_gone();
    stage_settle();
    ln_pid one = spawn_pal(&pal_behaviour, first);
    tell(one, LINK, dead);
    EXPECT(expect_gone().kind == LN_EXIT_NOPROC);
    ln_pid trapping = spawn_pal(&trapping_behaviour, first);
    tell(trapping, LINK, dead);
    struct ln_down down;
    stage_expect(LN_TAG_EXIT, &down, sizeof down);
    EXPECT(down.pid == dead && down.reason.kind == LN_EXIT_NOPROC);
    tell(trapping, STOP, 0);
    (void)expect_gone();
}

static void
dead_story(void)
{
    for_each_pair(link_to_the_dead);
}

static void
a_link_to_the_dead_kills(void **state)
{
    (void)state;
    stage_play(dead_story);
}

static void
self_story(void)
{
    ln_link(ln_self());
    ln_unlink(ln_self());
    stage_expect_silence(10);
}

static void
a_link_to_oneself_is_none(void **state)
{
    (void)state;
    stage_play(self_story);
}

/* Many, linked in a ring over both schedulers: one falls, all fall. */
static void
ring_story(void)
{
    enum { RING = 50 };
    ln_pid ring[RING];
    for (int i = 0; i < RING; i++) {
        ring[i] = spawn_pal(&pal_behaviour, i % STAGE_LOOPS);
    }
    for (int i = 0; i < RING; i++) {
        tell(ring[i], LINK, ring[(i + 1) % RING]);
    }
    stage_settle();
    tell(ring[7], CRASH, 0);
    for (int i = 0; i < RING; i++) {
        EXPECT(expect_gone().kind == LN_EXIT_ERROR);
    }
}

static void
a_ring_falls(void **state)
{
    (void)state;
    stage_play(ring_story);
}

/* -------------------------------------------------------------------- processes and their links */

static void
crash_run(void *state)
{
    (void)state;
    (void)ln_sleep(10);
    ln_exit(LN_EXIT_ERROR, "at ten");
}

static void
wait_run(void *state)
{
    (void)state;
    int error = ln_sleep(LN_FOREVER);
    EXPECT(error == -ECANCELED);
}

static const struct ln_behaviour crashing_process = {.name = "crash", .run = crash_run};
static const struct ln_behaviour waiting_process = {.name = "wait", .run = wait_run};

static void
linking_run(void *state)
{
    (void)state;
    ln_pid dead = (ln_pid)3 << 32 | 7; /* never was */
    ln_link(dead);
    EXPECT(ln_sleep(LN_FOREVER) == -ECANCELED); /* so it does not wait for ever */
}
static const struct ln_behaviour linking_process = {.name = "linking", .run = linking_run};

static void
process_story(void)
{
    uint64_t monitor;
    ln_pid pid;
    struct ln_spawn_options watched = {.monitor = true, .out_monitor = &monitor};
    EXPECT(ln_spawn(&linking_process, NULL, 0, &watched, &pid) == 0);
    EXPECT(stage_down(monitor).kind == LN_EXIT_NOPROC);
    EXPECT(ln_spawn(&waiting_process, NULL, 0, &watched, &pid) == 0);
    stage_settle();
    ln_link(pid);
    ln_unlink(pid);
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
    struct ln_spawn_options linked = {.link = true, .elsewhere = true, .scheduler = 1};
    EXPECT(ln_spawn(&crashing_process, NULL, 0, &linked, &pid) == 0);
    struct ln_down down;
    stage_expect(LN_TAG_EXIT, &down, sizeof down);
    EXPECT(down.pid == pid && strcmp(down.reason.text, "at ten") == 0);
}

static void
a_waiting_process_is_cancelled(void **state)
{
    (void)state;
    stage_play_trapping(process_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("linked actors die together, of one reason", linked_actors_die_together),
        SPEC("a normal end kills nobody", normal_ends_kill_nobody),
        SPEC("who is unlinked lives on", unlinked_actors_live),
        SPEC("who traps exits gets them as messages", exits_are_trapped),
        SPEC("a link to the dead kills, or tells", a_link_to_the_dead_kills),
        SPEC("a link to oneself is none", a_link_to_oneself_is_none),
        SPEC("a ring of links falls as one", a_ring_falls),
        SPEC("a waiting process is cancelled and unwinds", a_waiting_process_is_cancelled),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
