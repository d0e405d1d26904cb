/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"
#include "runtime/io/sim.h"
#include "runtime/text.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <stdatomic.h>

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
        EXPECT(info.lanes[LN_DURABLE] == 2 && info.lanes[LN_SYSTEM] == 0);
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

static void
relations_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        struct ln_relations found;
        ln_pid pid = spawn_counter(scheduler, NULL);
        uint64_t monitors[LN_RELATIONS_MAX + 1];
        for (unsigned i = 0; i <= LN_RELATIONS_MAX; i++) {
            monitors[i] = ln_monitor(pid);
        }
        ln_link(pid);
        stage_settle();
        EXPECT(ln_inspect_relations(pid, &found) == 0);
        EXPECT(found.links_count == 1 && found.links[0] == ln_self());
        EXPECT(found.watchers_count == LN_RELATIONS_MAX + 1 && found.watching_count == 0);
        EXPECT(found.watchers[LN_RELATIONS_MAX - 1] == ln_self());
        EXPECT(ln_inspect_relations(ln_self(), &found) == 0);
        EXPECT(found.links_count == 1 && found.links[0] == pid && found.watchers_count == 0);
        EXPECT(found.watching_count == LN_RELATIONS_MAX + 1 && found.watching[0] == pid);
        for (unsigned i = 0; i <= LN_RELATIONS_MAX; i++) {
            ln_demonitor(monitors[i]);
        }
        ln_unlink(pid);
        ln_kill(pid, LN_EXIT_KILLED);
        stage_settle();
        EXPECT(ln_inspect_relations(pid, &found) == -ESRCH);
    }
}

static void
shows_its_relations(void **state)
{
    (void)state;
    stage_play(relations_story);
}

static void
timers_story(void)
{
    enum { TIMERS = 6000, RECORD_BYTES = 64, NOTES = 6 };
    struct ln_scheduler_info before;
    struct ln_scheduler_info after;
    EXPECT(ln_inspect_scheduler(0, &before) == 0);
    for (unsigned i = 0; i < TIMERS; i++) {
        struct ln_msg *msg = ln_msg_new(COUNT, LN_DURABLE, 0);
        (void)ln_send_after(3600 * UINT64_C(1000), ln_self(), &msg);
    }
    EXPECT(ln_inspect_scheduler(0, &after) == 0);
    uint64_t grown = after.memory_used_bytes - before.memory_used_bytes;
    EXPECT(grown >= (TIMERS + TIMERS / NOTES) * (uint64_t)RECORD_BYTES);
    EXPECT(grown < (TIMERS + TIMERS / NOTES + NOTES) * (uint64_t)RECORD_BYTES + 1024);
    EXPECT(after.memory_mapped_bytes >= after.memory_used_bytes);
}

static void
counts_timers(void **state)
{
    (void)state;
    stage_play(timers_story);
}

/* A mailbox full to the brim, and an actor that does not look into it. */
static void
flooded_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    if ((*msg)->tag == NAP) {
        (void)ln_sleep(1000);
    }
}
static const struct ln_behaviour flooded = {
    .name = "flooded", .handle = flooded_handle, .durable_max = 1000};

static void
flooded_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        char text[LN_INSPECT_TEXT_MAX];
        struct ln_actor_info info;
        ln_pid pid = 0;
        uint64_t monitor;
        struct ln_spawn_options options = {
            .elsewhere = true, .scheduler = scheduler, .monitor = true, .out_monitor = &monitor};
        EXPECT(ln_spawn(&flooded, NULL, 0, &options, &pid) == 0);
        stage_say(pid, NAP);
        stage_settle();
        for (unsigned i = 0; i < 1000; i++) {
            stage_say(pid, NAP); /* each would take a second */
        }
        stage_settle();
        uint64_t before_ns = ln_now_ns();
        EXPECT(ln_inspect_actor(pid, &info, text) == 0 && info.lanes[LN_DURABLE] == 1000);
        EXPECT(info.lane_bytes[LN_DURABLE] == 1000 * sizeof(struct ln_msg));
        EXPECT(info.lane_bytes[LN_REPLY] == 0);
        ln_kill(pid, LN_EXIT_SHUTDOWN);
        EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
        EXPECT(ln_now_ns() - before_ns < UINT64_C(100) * 1000000);
    }
}

static void
answers_under_flood(void **state)
{
    (void)state;
    stage_play(flooded_story);
}

static void
looks_from_outside(void **state)
{
    (void)state;
    NEEDS_IO_URING();
    struct io_driver *driver;
    struct ln_node *node = stage_open(&counter, 2, &driver);
    ln_pid root = ln_node_root_pid(node);
    struct ln_actor_info info;
    struct ln_relations found;
    struct ln_wait_info wait;
    struct ln_scheduler_info before, after;
    char text[LN_INSPECT_TEXT_MAX];
    uint32_t slot = 0;
    uint32_t count = 0;
    EXPECT(ln_node_inspect_scheduler(node, 0, &before, LN_FOREVER) == 0);
    EXPECT(ln_node_send(node, root, COUNT, LN_DURABLE, NULL, 0) == 0);
    EXPECT(ln_node_inspect_list(node, 0, &slot, &info, 1, &count, LN_FOREVER) == 0);
    EXPECT(count == 1 && slot == 0 && info.pid == root);
    do {
        EXPECT(ln_node_inspect_actor(node, root, &info, text, LN_FOREVER) == 0);
    } while (info.reductions == 0);
    EXPECT(strcmp(text, "count 101") == 0 && info.lanes[LN_DURABLE] == 0);
    EXPECT(ln_node_inspect_relations(node, root, &found, LN_FOREVER) == 0);
    EXPECT(found.links_count == 0 && found.watchers_count == 0);
    EXPECT(ln_node_send(node, root, NAP, LN_DURABLE, NULL, 0) == 0);
    do {
        EXPECT(ln_node_inspect_wait(node, root, &wait, LN_FOREVER) == 0);
    } while (wait.what == NULL);
    EXPECT(strcmp(wait.what, "time") == 0 && wait.frames_count > 3 && wait.timeout_ms == 1000);
    EXPECT(ln_node_inspect_wait(node, root + 1, &wait, LN_FOREVER) == -ESRCH);
    EXPECT(ln_node_inspect_scheduler(node, 0, &after, LN_FOREVER) == 0);
    EXPECT(after.now_ns > before.now_ns && after.busy_ns > before.busy_ns);
    EXPECT(after.io_enters >= before.io_enters && after.turns > before.turns);
    EXPECT(after.lately_ns > 0 && after.lately_busy_ns <= after.lately_ns);
    EXPECT(ln_node_inspect_actor(node, root + 1, &info, text, LN_FOREVER) == -ESRCH);
    EXPECT(ln_node_inspect_scheduler(node, 2, &after, LN_FOREVER) == -ESRCH);
    stage_close(&node, driver);
}

/* ---------------------------------------------------------------------------- flooded mailboxes */

static void
deaf_run(void *state)
{
    (void)state;
    (void)ln_sleep(1000000);
}
static const struct ln_behaviour deaf = {
    .name = "deaf", .run = deaf_run, .durable_max = 100000, .stack_bytes = 16384};

/* Each has as many messages as a page may count. */
static void
flooded_pages_story(void)
{
    enum { DEAF = 3, MESSAGES = 16384 };
    static struct ln_actor_info page[LN_INSPECT_PAGE];
    ln_pid pids[DEAF];
    for (unsigned i = 0; i < DEAF; i++) {
        EXPECT(ln_spawn(&deaf, NULL, 0, NULL, &pids[i]) == 0);
        for (unsigned n = 0; n < MESSAGES; n++) {
            stage_say(pids[i], 1);
        }
    }
    unsigned found = 0;
    uint32_t slot = 0;
    do {
        uint32_t count = 0;
        unsigned full = 0;
        EXPECT(ln_inspect_list(ln_scheduler(), &slot, page, LN_INSPECT_PAGE, &count) == 0);
        for (uint32_t i = 0; i < count; i++) {
            full += page[i].mailbox >= MESSAGES;
        }
        EXPECT(full <= 1);
        found += full;
    } while (slot != 0);
    EXPECT(found == DEAF);
    for (unsigned i = 0; i < DEAF; i++) {
        ln_kill(pids[i], LN_EXIT_KILLED);
    }
}

static void
flooded_pages_are_short(void **state)
{
    (void)state;
    stage_play_once(flooded_pages_story, &(struct sim_options){.seed = 1},
                    &(struct ln_node_options){0});
}

/* ------------------------------------------------------------------------------ work elsewhere */

static struct ln_work_info
long_work(void)
{
    struct ln_scheduler_info info = {0};
    EXPECT(ln_inspect_scheduler(ln_scheduler(), &info) == 0);
    return info.work[LN_WORK_LONG];
}

static void
wait_for_long(uint64_t under_way)
{
    while (long_work().under_way != under_way) {
        ln_yield();
    }
}

static void
take_a_ms(void *argument)
{
    struct io *io = argument;
    uint64_t until_ns = io_now_ns(io) + 1000000;
    while (io_now_ns(io) < until_ns) {
    }
}

static atomic_bool let_go;

static void
hold(void *argument)
{
    (void)argument;
    while (!atomic_load(&let_go)) {
    }
}

static void
hold_run(void *state)
{
    (void)state;
    ln_work(hold, NULL, LN_WORK_LONG);
}
static const struct ln_behaviour holder = {.name = "holder", .run = hold_run};

static void
work_story(void)
{
    static const struct ln_job errand = {.run = hold, .kind = LN_WORK_LONG};
    ln_pid pid;
    for (unsigned kind = 0; kind < LN_WORK_KINDS; kind++) {
        struct ln_scheduler_info info;
        ln_work(take_a_ms, ln_io(), kind);
        EXPECT(ln_inspect_scheduler(ln_scheduler(), &info) == 0);
        EXPECT(info.work[kind].under_way == 0 && info.work[kind].done == 1);
        EXPECT(info.work[kind].run_ns >= 1000000);
        EXPECT(info.work[kind].run_ns_max == info.work[kind].run_ns);
    }
    atomic_store(&let_go, false);
    for (unsigned i = 0; i < 2; i++) { /* one runs, the other waits for it */
        EXPECT(ln_spawn(&holder, NULL, 0, NULL, &pid) == 0);
    }
    wait_for_long(2);
    EXPECT(ln_work_for(&errand, NULL, 0, 5) == -ETIMEDOUT); /* taken back: it had not begun */
    EXPECT(long_work().under_way == 2 && long_work().done == 1 && long_work().taken_back == 1);
    EXPECT(long_work().oldest_ns >= 5000000 && long_work().queued_ns >= 5000000);
    atomic_store(&let_go, true);
    wait_for_long(0);
    EXPECT(long_work().done == 3 && long_work().oldest_ns == 0);
    EXPECT(long_work().queued_ns_max >= 5000000 && long_work().queued_ns >= 10000000);
    atomic_store(&let_go, false);
    do { /* until a worker has taken it: it runs on without us */
        EXPECT(ln_work_for(&errand, NULL, 0, 5) == -ETIMEDOUT);
    } while (long_work().under_way == 0);
    EXPECT(long_work().under_way == 1 && long_work().done == 3);
    atomic_store(&let_go, true);
    wait_for_long(0);
    EXPECT(long_work().done == 4);
}

static void
counts_work(void **state)
{
    (void)state;
    stage_play_threads(work_story, 1);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an actor shows what it is, has and holds, even while it is busy", shows_an_actor),
        SPEC("all actors are listed, page by page", lists_all_actors),
        SPEC("a scheduler counts what happens on it", counts_what_happens),
        SPEC("and what its actors wait for on other threads, by its kind", counts_work),
        SPEC("links and monitors are shown from both ends", shows_its_relations),
        SPEC("a scheduler's memory counts its timers, and the places where they are noted",
             counts_timers),
        SPEC("a flooded actor answers introspection and its supervisor at once",
             answers_under_flood),
        SPEC("any thread may look, and sees how busy a scheduler is", looks_from_outside),
        SPEC("a page of a list is the shorter, the more its mailboxes hold",
             flooded_pages_are_short),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
