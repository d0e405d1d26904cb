/* SPDX-License-Identifier: Apache-2.0 */
/* A sitter asks in its init and in its handler, as it is told, and passes on what it is told. */
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { ASK = 1, PLAIN, ASK_THEN_CALL, LEAVE, QUIET };
enum { NANOSECONDS_PER_MS = 1000000 };

/* How many messages the sitter had handled before it was told, and when that was. */
struct told {
    uint64_t now_ns;
    uint32_t handled;
};

struct sitter {
    ln_pid parent;
    uint64_t ask_in_init_ms;
    uint64_t then_ms; /* asks for it, too, in the same handler, unless 0 */
    bool again;       /* asks anew when it is told */
    uint32_t handled;
};

static int
sitter_init(void *state, const void *argument)
{
    struct sitter *sitter = state;
    *sitter = *(const struct sitter *)argument;
    ln_idle_after(sitter->ask_in_init_ms);
    return 0;
}

static void
ask(const struct sitter *sitter, uint64_t timeout_ms)
{
    ln_idle_after(timeout_ms);
    if (sitter->then_ms != 0) {
        ln_idle_after(sitter->then_ms);
    }
}

static void
sitter_told(struct sitter *sitter, const struct ln_msg *msg)
{
    EXPECT(msg->from == ln_self() && msg->bytes == 0 && msg->ref == 0);
    struct ln_msg *told = ln_msg_new(LN_TAG_TIMEOUT, LN_DURABLE, sizeof(struct told));
    *(struct told *)(void *)told->data = (struct told){ln_now_ns(), sitter->handled};
    ln_send(sitter->parent, &told);
    if (sitter->again) {
        ln_idle_after(10);
    }
}

static void
sitter_handle(void *state, struct ln_msg **msg)
{
    struct sitter *sitter = state;
    if ((*msg)->tag == LN_TAG_TIMEOUT) {
        sitter_told(sitter, *msg);
        return;
    }
    sitter->handled++;
    uint64_t timeout_ms = 0;
    memcpy(&timeout_ms, (*msg)->data, (*msg)->bytes);
    switch ((enum tag)(*msg)->tag) {
    case ASK:
        ask(sitter, timeout_ms);
        break;
    case ASK_THEN_CALL: /* and nobody answers */
        ask(sitter, timeout_ms);
        {
            struct ln_msg *request = ln_msg_new(QUIET, LN_DURABLE, 0);
            EXPECT(ln_call(sitter->parent, &request, 50, NULL) == -ETIMEDOUT);
        }
        break;
    case LEAVE:
        ask(sitter, timeout_ms);
        ln_exit(LN_EXIT_NORMAL, "leaves");
    case PLAIN:
    case QUIET:
        break;
    }
}
static const struct ln_behaviour sitter = {.name = "sitter",
                                           .state_bytes = sizeof(struct sitter),
                                           .init = sitter_init,
                                           .handle = sitter_handle};

static ln_pid
sit(struct sitter argument)
{
    ln_pid pid;
    argument.parent = ln_self();
    EXPECT(ln_spawn(&sitter, &argument, sizeof argument, NULL, &pid) == 0);
    return pid;
}

static void
say(ln_pid to, uint32_t tag, uint64_t timeout_ms)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_DURABLE, sizeof timeout_ms);
    memcpy(msg->data, &timeout_ms, sizeof timeout_ms);
    ln_send(to, &msg);
}

/* That it is told `ms` after now, or a little more, having handled so many messages. */
static void
expect_told(uint64_t ms, uint32_t handled)
{
    uint64_t before_ns = ln_now_ns();
    struct told told;
    stage_expect(LN_TAG_TIMEOUT, &told, sizeof told);
    EXPECT(told.now_ns - before_ns >= ms * NANOSECONDS_PER_MS);
    EXPECT(told.now_ns - before_ns < (ms + 5) * NANOSECONDS_PER_MS);
    EXPECT(told.handled == handled);
}

static void
told_story(void)
{
    ln_pid pid = sit((struct sitter){.ask_in_init_ms = 30});
    expect_told(30, 0);
    stage_expect_silence(100); /* once */
    say(pid, ASK, 70);
    expect_told(70, 1);
    stage_expect_silence(200);
}

static void
is_told(void **state)
{
    (void)state;
    stage_play(told_story);
}

static void
ended_story(void)
{
    ln_pid pid = sit((struct sitter){.ask_in_init_ms = 30});
    EXPECT(ln_sleep(20) == 0);
    stage_say(pid, PLAIN);
    stage_expect_silence(100);
    say(pid, ASK, 30); /* two in one turn: the second asks for nothing */
    stage_say(pid, PLAIN);
    stage_expect_silence(100);
    say(pid, ASK, 30);
    EXPECT(ln_sleep(20) == 0);
    say(pid, ASK, 30); /* anew, from here on */
    expect_told(30, 5);
    stage_expect_silence(100);
}

static void
any_message_ends_it(void **state)
{
    (void)state;
    stage_play(ended_story);
}

/* Timers of one millisecond fire in the order in which they were set. */
static void
last_moment_story(void)
{
    ln_pid pid = sit((struct sitter){.ask_in_init_ms = LN_FOREVER});
    stage_settle();
    say(pid, ASK, 30);
    struct ln_msg *plain = ln_msg_new(PLAIN, LN_DURABLE, 0);
    (void)ln_send_after(30, pid, &plain);
    stage_expect_silence(100);
}

static void
the_last_moment_is_in_time(void **state)
{
    (void)state;
    stage_play(last_moment_story);
}

static void
again_story(void)
{
    ln_pid pid = sit((struct sitter){.ask_in_init_ms = 10, .again = true});
    for (unsigned i = 0; i < 5; i++) {
        expect_told(10, 0);
    }
    stage_say(pid, PLAIN);
    stage_expect_silence(100);
}

static void
may_be_told_again(void **state)
{
    (void)state;
    stage_play(again_story);
}

static void
replaced_story(void)
{
    ln_pid pid = sit((struct sitter){.ask_in_init_ms = LN_FOREVER, .then_ms = 40});
    stage_expect_silence(100);
    say(pid, ASK, 10);
    expect_told(40, 1);
    say(pid, ASK, 0);
    expect_told(40, 2);
    pid = sit((struct sitter){.ask_in_init_ms = 10, .then_ms = LN_FOREVER});
    expect_told(10, 0);
    say(pid, ASK, 10);
    stage_expect_silence(100);
}

static void
the_last_asking_counts(void **state)
{
    (void)state;
    stage_play(replaced_story);
}

/* What waits is handled first; a turn of the sitter is one message long here. */
static void
waiting_story(void)
{
    ln_pid pid = sit((struct sitter){.ask_in_init_ms = LN_FOREVER});
    stage_settle();
    say(pid, ASK, 0);
    say(pid, ASK, 0);
    say(pid, ASK, 0);
    expect_told(0, 3);
    stage_expect_silence(50);
    say(pid, ASK, 0);
    stage_say(pid, PLAIN);
    stage_expect_silence(50);
    (void)sit((struct sitter){.ask_in_init_ms = 0});
    expect_told(0, 0);
}

static void
what_waits_comes_first(void **state)
{
    (void)state;
    stage_play(waiting_story);
    stage_play_with(waiting_story, &(struct ln_node_options){.turn_messages = 1});
}

static void
handler_story(void)
{
    ln_pid pid = sit((struct sitter){.ask_in_init_ms = LN_FOREVER});
    stage_settle();
    say(pid, ASK_THEN_CALL, 30);
    struct ln_msg *request = stage_next();
    EXPECT(request->tag == QUIET && request->from == pid);
    expect_told(50 + 30, 1);
    ln_msg_free(&request);
}

static void
begins_behind_the_handler(void **state)
{
    (void)state;
    stage_play(handler_story);
}

static void
end_story(void)
{
    uint64_t monitor;
    ln_pid pid = sit((struct sitter){.ask_in_init_ms = 30});
    monitor = ln_monitor(pid);
    EXPECT(ln_sleep(20) == 0);
    ln_kill(pid, LN_EXIT_KILLED); /* while its time runs */
    EXPECT(stage_down(monitor).kind == LN_EXIT_KILLED);
    pid = sit((struct sitter){.ask_in_init_ms = LN_FOREVER});
    monitor = ln_monitor(pid);
    say(pid, LEAVE, 30); /* before it runs */
    EXPECT(stage_down(monitor).kind == LN_EXIT_NORMAL);
    stage_expect_silence(100);
    (void)sit((struct sitter){.ask_in_init_ms = 30}); /* is alive when the node ends */
    stage_settle();
}

static void
ends_with_its_actor(void **state)
{
    (void)state;
    stage_play(end_story);
}

static void
run_asks(void *state)
{
    (void)state;
    ln_idle_after(10);
}
static const struct ln_behaviour asking_process = {.name = "asking process", .run = run_asks};

static void
process_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    EXPECT(ln_spawn_monitor(&asking_process, NULL, 0, &pid, &monitor) == 0);
    EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
}

static void
a_process_receives(void **state)
{
    (void)state;
    stage_play(process_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a behaviour that asks is told once when no message came for so long", is_told),
        SPEC("any message ends the asking, also one of the same turn", any_message_ends_it),
        SPEC("a message of the last moment is in time", the_last_moment_is_in_time),
        SPEC("who was told may ask again, until a message comes", may_be_told_again),
        SPEC("of several askings the last counts, for ever takes them back",
             the_last_asking_counts),
        SPEC("what waits is handled before a timeout of nothing is told", what_waits_comes_first),
        SPEC("the time begins when the handler returns, however long it waited",
             begins_behind_the_handler),
        SPEC("an asking ends with its actor, whenever that is", ends_with_its_actor),
        SPEC("a process that asks is ended: its receive has a timeout", a_process_receives),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
