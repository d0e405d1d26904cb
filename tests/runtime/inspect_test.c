/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"
#include "runtime/text.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum tag { COUNT = 1, NAP };

struct counter {
    uint32_t count;
};

static int
counter_init(void *state, const void *argument)
{
    (void)argument;
    ((struct counter *)state)->count = 100;
    (void)ln_alloc(1000);
    return 0;
}

static void
counter_handle(void *state, struct ln_msg **msg)
{
    ((struct counter *)state)->count++;
    if ((*msg)->tag == NAP) {
        (void)ln_sleep(1000);
    }
}

static void
counter_print(const void *state, struct ln_text *out)
{
    ln_text_print(out, "count %u", ((const struct counter *)state)->count);
}
static const struct ln_behaviour counter = {.name = "counter",
                                            .state_bytes = sizeof(struct counter),
                                            .init = counter_init,
                                            .handle = counter_handle,
                                            .print = counter_print};

static ln_pid
spawn_counter(int scheduler, const char *name)
{
    ln_pid pid;
    struct ln_spawn_options options = {.name = name, .elsewhere = true, .scheduler = scheduler};
    EXPECT(ln_spawn(&counter, NULL, 0, &options, &pid) == 0);
    return pid;
}

static void
actor_story(void)
{
    char text[LN_INSPECT_TEXT_MAX];
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        struct ln_actor_info info;
        ln_pid pid = spawn_counter(scheduler, scheduler == 0 ? "one" : "two");
        stage_settle();
        EXPECT(ln_inspect_actor(pid, &info, text) == 0);
        EXPECT(info.pid == pid && info.parent == ln_self() && info.mailbox == 0);
        EXPECT(strcmp(info.name, scheduler == 0 ? "one" : "two") == 0);
        EXPECT(strcmp(info.behaviour, "counter") == 0 && strcmp(info.state, "idle") == 0);
        EXPECT(info.reductions == 0 && info.memory_bytes >= 1000 && info.memory_bytes < 2000);
        EXPECT(strcmp(text, "count 100") == 0);
        stage_say(pid, NAP);
        stage_say(pid, COUNT);
        stage_say(pid, COUNT);
        stage_settle();
        EXPECT(ln_inspect_actor(pid, &info, text) == 0); /* busy as it is */
        EXPECT(strcmp(info.state, "waiting") == 0 && info.mailbox == 2 && info.reductions == 1);
        EXPECT(info.memory_bytes > 4000); /* with the stack it keeps */
        EXPECT(strcmp(text, "count 101") == 0);
        ln_kill(pid, LN_EXIT_KILLED);
        stage_settle();
        EXPECT(ln_inspect_actor(pid, &info, text) == -ESRCH);
    }
    struct ln_actor_info info;
    EXPECT(ln_inspect_actor(0, &info, text) == -ESRCH);
    EXPECT(ln_inspect_actor((ln_pid)99 << 56 | 5, &info, text) == -ESRCH);
}

static void
shows_an_actor(void **state)
{
    (void)state;
    stage_play(actor_story);
}

static unsigned
list_all(unsigned scheduler, uint32_t page, unsigned *out_counters)
{
    static struct ln_actor_info infos[LN_INSPECT_PAGE];
    unsigned all = 0;
    uint32_t slot = 0, count;
    *out_counters = 0;
    do {
        EXPECT(ln_inspect_list(scheduler, &slot, infos, page, &count) == 0);
        EXPECT(count <= page);
        for (uint32_t i = 0; i < count; i++) {
            EXPECT(ln_pid_scheduler(infos[i].pid) == scheduler);
            *out_counters += strcmp(infos[i].behaviour, "counter") == 0;
        }
        all += count;
    } while (slot != 0);
    return all;
}

static void
list_story(void)
{
    enum { COUNTERS = 1000 };
    unsigned counters;
    for (int i = 0; i < COUNTERS; i++) {
        (void)spawn_counter(i % STAGE_LOOPS, NULL);
    }
    for (unsigned scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        unsigned all = list_all(scheduler, 7, &counters);
        EXPECT(counters == COUNTERS / STAGE_LOOPS);
        EXPECT(all == counters + (scheduler == 0)); /* and the root */
        EXPECT(list_all(scheduler, LN_INSPECT_PAGE, &counters) == all);
    }
}

static void
lists_all_actors(void **state)
{
    (void)state;
    stage_play(list_story);
}

static void
scheduler_story(void)
{
    for (unsigned scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        struct ln_scheduler_info before, after;
        EXPECT(ln_inspect_scheduler(scheduler, &before) == 0);
        EXPECT(before.index == scheduler);
        ln_pid pid = spawn_counter((int)scheduler, NULL);
        for (unsigned i = 0; i < 10; i++) {
            stage_say(pid, COUNT);
        }
        stage_settle();
        EXPECT(ln_inspect_scheduler(scheduler, &after) == 0);
        EXPECT(after.spawned == before.spawned + 1 && after.actors == before.actors + 1);
        EXPECT(after.messages >= before.messages + 10 && after.turns > before.turns);
        EXPECT(after.memory_used_bytes > before.memory_used_bytes);
        ln_kill(pid, LN_EXIT_ERROR);
        stage_say(pid, COUNT);
        stage_settle();
        stage_say(pid, COUNT);
        stage_settle();
        EXPECT(ln_inspect_scheduler(scheduler, &after) == 0);
        EXPECT(after.ended == before.ended + 1 && after.crashed == before.crashed + 1);
        EXPECT(after.messages_dropped >= before.messages_dropped + 2);
        EXPECT(after.actors == before.actors);
    }
}

static void
counts_what_happens(void **state)
{
    (void)state;
    stage_play(scheduler_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an actor shows what it is, has and holds, even while it is busy", shows_an_actor),
        SPEC("all actors are listed, page by page", lists_all_actors),
        SPEC("a scheduler counts what happens on it", counts_what_happens),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
