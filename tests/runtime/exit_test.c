/* SPDX-License-Identifier: Apache-2.0 */
/* Ends as values, in order; and full queues that wait for one another. */
#include "runtime/scheduler.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { SAY = 1, BURST, CRASH, NEXT, PUSH };
enum { BURST_MESSAGES = 100, RING = 8, PUSHES = 200 };

static void
mortal_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    for (uint32_t i = 0; (*msg)->tag == BURST && i < BURST_MESSAGES; i++) {
        stage_say((*msg)->from, SAY);
    }
    ln_exit_at(LN_EXIT_ERROR, "burst", "somewhere.c", 42);
}
static const struct ln_behaviour mortal = {.name = "mortal", .handle = mortal_handle};

static void
last_words_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        ln_pid pid;
        struct ln_spawn_options options = {.link = true, .elsewhere = true, .scheduler = scheduler};
        EXPECT(ln_spawn(&mortal, NULL, 0, &options, &pid) == 0);
        stage_say(pid, BURST);
        for (unsigned i = 0; i < BURST_MESSAGES; i++) {
            stage_expect(SAY, NULL, 0); /* the EXIT never comes before */
        }
        struct ln_down down;
        stage_expect(LN_TAG_EXIT, &down, sizeof down);
        EXPECT(down.pid == pid && down.reason.kind == LN_EXIT_ERROR && down.reason.line == 42);
        EXPECT(strcmp(down.reason.text, "burst") == 0);
        EXPECT(strcmp(down.reason.file, "somewhere.c") == 0);
    }
}

static void
comes_after_the_last_words(void **state)
{
    (void)state;
    stage_play_trapping(last_words_story);
}

static void
trap_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    EXPECT(!ln_trap_exit(true));
    EXPECT(ln_spawn_link(&mortal, NULL, 0, &pid) == 0);
    stage_say(pid, CRASH);
    stage_expect(LN_TAG_EXIT, NULL, 0); /* and we live */
    EXPECT(ln_trap_exit(false));
    EXPECT(ln_spawn_monitor(&mortal, NULL, 0, &pid, &monitor) == 0);
    stage_say(pid, CRASH);
    EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
    stage_expect_silence(10);
}

static void
traps_when_it_likes(void **state)
{
    (void)state;
    stage_play(trap_story);
}

static void
kinds_have_names(void **state)
{
    static const char *const names[] = {"normal",       "shutdown", "killed", "noproc",
                                        "noconnection", "timeout",  "error"};
    (void)state;
    for (unsigned kind = LN_EXIT_NORMAL; kind <= LN_EXIT_ERROR; kind++) {
        assert_string_equal(ln_exit_kind_name((enum ln_exit_kind)kind), names[kind]);
    }
}

static void
sleeper_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour sleeper = {.name = "sleeper", .handle = sleeper_handle};

/* The slot of a pid, brought to the last generation before the numbers begin anew. */
static void
generation_story(void)
{
    ln_pid first;
    uint64_t monitor;
    EXPECT(ln_spawn_monitor(&sleeper, NULL, 0, &first, &monitor) == 0);
    uint32_t slot = pid_slot(first);
    ln_kill(first, LN_EXIT_KILLED);
    (void)stage_down(monitor);
    struct actor *left = pool_at(&scheduler_current()->actors, slot, ACTOR_BYTES);
    EXPECT(left->pid == (uint32_t)first + 1);
    left->pid = (uint32_t)first - 1; /* 2^32 - 2 spawns later */
    ln_pid pid;
    unsigned spawns = 0;
    do { /* a freed slot rests: others come first */
        EXPECT(ln_spawn_monitor(&sleeper, NULL, 0, &pid, &monitor) == 0);
        EXPECT(pid != first);
        ln_kill(pid, LN_EXIT_KILLED);
        (void)stage_down(monitor);
        spawns++;
    } while (pid_slot(pid) != slot);
    EXPECT(spawns >= POOL_FIRST / 2);
    do {
        EXPECT(ln_spawn_monitor(&sleeper, NULL, 0, &pid, &monitor) == 0);
        ln_kill(pid, LN_EXIT_KILLED);
        (void)stage_down(monitor);
    } while (pid_slot(pid) != slot);
    EXPECT(pid == first); /* only the 2^32nd spawn of the slot has its number again */
}

static void
pids_come_late_again(void **state)
{
    (void)state;
    stage_play(generation_story);
}

/* ----------------------------------------------------------------------------- full queues */

struct link {
    ln_pid next, root;
    uint32_t pushed, refused;
};

/* Each calls and sends to the next, whose queue has room for one or two, and is called and sent to
 * by the one before, all at once. */
static void
link_handle(void *state, struct ln_msg **msg)
{
    struct link *link = state;
    if ((*msg)->tag == NEXT) {
        memcpy(&link->next, (*msg)->data, sizeof link->next);
        link->root = (*msg)->from;
        return;
    }
    if (((*msg)->flags & LN_MSG_REFUSED) != 0) {
        link->refused++;
        return;
    }
    if (((*msg)->flags & LN_MSG_REQUEST) != 0) {
        ln_reply(ln_caller(*msg), msg);
        return;
    }
    if ((*msg)->tag != PUSH || link->pushed == PUSHES) {
        return;
    }
    for (; link->pushed < PUSHES; link->pushed++) {
        struct ln_msg *call = ln_msg_new(SAY, LN_DURABLE, 0);
        stage_say(link->next, SAY);
        int error = ln_call(link->next, &call, 20, NULL);
        /* Who waits for one that waits learns it: in no case for ever. */
        EXPECT(error == 0 || error == -EAGAIN || error == -ETIMEDOUT);
        ln_msg_free(&call);
    }
    stage_say(link->root, PUSH);
}
static const struct ln_behaviour tiny = {
    .name = "link", .state_bytes = sizeof(struct link), .handle = link_handle, .durable_max = 2};

static void
ring_story(void)
{
    ln_pid ring[RING];
    for (int i = 0; i < RING; i++) {
        struct ln_spawn_options options = {.elsewhere = true, .scheduler = i % STAGE_LOOPS};
        EXPECT(ln_spawn(&tiny, NULL, 0, &options, &ring[i]) == 0);
    }
    for (unsigned i = 0; i < RING; i++) {
        struct ln_msg *next = ln_msg_new(NEXT, LN_REPLY, sizeof *ring);
        memcpy(next->data, &ring[(i + 1) % RING], sizeof *ring);
        ln_send(ring[i], &next);
    }
    stage_settle();
    for (unsigned i = 0; i < RING; i++) {
        struct ln_msg *push = ln_msg_new(PUSH, LN_REPLY, 0);
        ln_send(ring[i], &push);
    }
    for (unsigned i = 0; i < RING; i++) {
        stage_expect(PUSH, NULL, 0); /* all get through */
    }
}

static void
full_queues_do_not_deadlock(void **state)
{
    (void)state;
    stage_play(ring_story);
    stage_play_threads(ring_story, STAGE_LOOPS);
}

/* ---------------------------------------------------------------------- ends that are asked for */

static const enum ln_exit_kind every_kind[] = {
    LN_EXIT_NORMAL,       LN_EXIT_SHUTDOWN, LN_EXIT_KILLED, LN_EXIT_NOPROC,
    LN_EXIT_NOCONNECTION, LN_EXIT_TIMEOUT,  LN_EXIT_ERROR};
enum { KINDS = sizeof every_kind / sizeof every_kind[0] };

struct order {
    ln_pid victim;
    enum ln_exit_kind kind;
};

static int
orderer_init(void *state, const void *argument)
{
    (void)state;
    const struct order *order = argument;
    ln_kill(order->victim, order->kind);
    return 0;
}

static void
orderer_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour orderer = {
    .name = "orderer", .init = orderer_init, .handle = orderer_handle};

/* Lets another ask for it, from its own scheduler: whoever that is. */
static ln_pid
let_kill(ln_pid victim, enum ln_exit_kind kind)
{
    ln_pid pid;
    struct order order = {victim, kind};
    struct ln_spawn_options there = {.elsewhere = true, .scheduler = (int)(kind % STAGE_LOOPS)};
    EXPECT(ln_start(&orderer, &order, sizeof order, &there, &pid) == 0);
    return pid;
}

static void
trapped_ends_story(void)
{
    (void)ln_trap_exit(true);
    for (unsigned i = 0; i < KINDS; i++) {
        if (every_kind[i] == LN_EXIT_KILLED) {
            continue;
        }
        ln_pid asker = let_kill(ln_self(), every_kind[i]);
        struct ln_msg *msg = stage_next();
        if (every_kind[i] == LN_EXIT_SHUTDOWN) {
            EXPECT(msg->tag == LN_TAG_STOP);
        } else {
            const struct ln_down *down = (const struct ln_down *)(const void *)msg->data;
            EXPECT(msg->tag == LN_TAG_EXIT && msg->from == asker && down->pid == asker);
            EXPECT(down->reason.kind == every_kind[i]);
        }
        ln_msg_free(&msg);
    }
    ln_kill(ln_self(), LN_EXIT_NORMAL); /* of oneself it is one, too */
    struct ln_down down;
    stage_expect(LN_TAG_EXIT, &down, sizeof down);
    EXPECT(down.pid == ln_self());
    stage_expect_silence(10);
}

static void
trapped_ends_are_messages(void **state)
{
    (void)state;
    stage_play(trapped_ends_story);
}

static void
trapper_run(void *state)
{
    (void)state;
    (void)ln_trap_exit(true);
    EXPECT(ln_sleep(LN_FOREVER) == -ECANCELED);
}
static const struct ln_behaviour trapper = {.name = "trapper", .run = trapper_run};

static void
waiter_run(void *state)
{
    (void)state;
    EXPECT(ln_sleep(LN_FOREVER) == -ECANCELED);
}
static const struct ln_behaviour waiter = {.name = "waiter", .run = waiter_run};

static void
self_run(void *state)
{
    (void)state;
    ln_kill(ln_self(), LN_EXIT_NORMAL);
    EXPECT(ln_sleep(LN_FOREVER) == -ECANCELED);
}
static const struct ln_behaviour self_ending = {.name = "self-ending", .run = self_run};

static void
other_ends_story(void)
{
    uint64_t monitor;
    ln_pid pid;
    for (unsigned i = 0; i < KINDS; i++) {
        EXPECT(ln_spawn_monitor(&waiter, NULL, 0, &pid, &monitor) == 0);
        stage_settle();
        (void)let_kill(pid, LN_EXIT_NORMAL); /* is nothing to it */
        stage_expect_silence(10);
        if (every_kind[i] != LN_EXIT_NORMAL) {
            (void)let_kill(pid, every_kind[i]);
            EXPECT(stage_down(monitor).kind == every_kind[i]);
        }
    }
    EXPECT(ln_spawn_monitor(&self_ending, NULL, 0, &pid, &monitor) == 0);
    EXPECT(stage_down(monitor).kind == LN_EXIT_NORMAL);
    EXPECT(ln_spawn_monitor(&trapper, NULL, 0, &pid, &monitor) == 0);
    stage_settle();
    (void)let_kill(pid, LN_EXIT_ERROR);
    stage_expect_silence(10);
    (void)let_kill(pid, LN_EXIT_KILLED);
    EXPECT(stage_down(monitor).kind == LN_EXIT_KILLED);
}

static void
others_end_of_them(void **state)
{
    (void)state;
    stage_play(other_ends_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an EXIT comes after everything its actor had sent, and says why and where it ended",
             comes_after_the_last_words),
        SPEC("an actor traps exits from when it likes until when it likes", traps_when_it_likes),
        SPEC("an end that is asked for is a message to who traps exits, and tells who asks",
             trapped_ends_are_messages),
        SPEC("who traps none ends of it, except of a normal one that is not its own wish; nobody "
             "traps a kill",
             others_end_of_them),
        SPEC("every kind of end has a name", kinds_have_names),
        SPEC("a pid comes again only with the 2^32nd spawn of its slot", pids_come_late_again),
        SPEC("a ring of actors with full queues that call each other does not deadlock",
             full_queues_do_not_deadlock),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
