/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/promises.h"

#include "runtime/supervisor.h"
#include "tests/runtime/stage.h"

enum {
    WATCHERS = 6,
    ROUNDS = 12,
    ASKS_MAX = 4,
    NUMBERS_MAX = 12,
    SERVANTS = 4,
    TORMENTS = 12,
    PATIENCE_MS = 10000,
    WATCHER_STACK_BYTES = 32 * 1024,
};
#define NS_PER_MS UINT64_C(1000000)

enum tag { NUMBER = 1, ASK, ALARM, BEGIN };

uint64_t promises_seed;
const struct ln_node_options promises_options = {.actors_max = 20};

static uint64_t
chance(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % below;
}

/* --------------------------------------------------------------------- who lives and is watched */

enum ending { STOPS, EXITS, KILLS_ITSELF, SLEEPS_THEN_STOPS, WAITS_TO_BE_KILLED, ENDINGS };

struct subject {
    ln_pid watcher;
    uint32_t numbers;
    enum ending ending;
};

static int
subject_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(struct subject));
    stage_say(ln_self(), BEGIN);
    return 0;
}

static void
subject_count(const struct subject *subject)
{
    for (uint64_t number = 1; number <= subject->numbers; number++) {
        struct ln_msg *msg = ln_msg_new(NUMBER, LN_REPLY, sizeof number);
        memcpy(msg->data, &number, sizeof number);
        ln_send(subject->watcher, &msg);
        if (subject->ending == SLEEPS_THEN_STOPS && number % 4 == 0) {
            (void)ln_sleep(1);
        }
    }
}

/* False: its end is up to others. */
static bool
subject_ends(const struct subject *subject)
{
    subject_count(subject);
    switch (subject->ending) {
    case EXITS:
        ln_exit(LN_EXIT_ERROR, "as planned");
    case KILLS_ITSELF:
        ln_kill(ln_self(), LN_EXIT_KILLED);
        return true;
    case WAITS_TO_BE_KILLED:
        return false;
    case STOPS:
    case SLEEPS_THEN_STOPS:
    case ENDINGS:
        break;
    }
    return true;
}

static void
subject_take(struct ln_msg **msg)
{
    if (((*msg)->flags & LN_MSG_REQUEST) != 0) {
        ln_reply(ln_caller(*msg), msg);
    }
}

static void
subject_handle(void *state, struct ln_msg **msg)
{
    if ((*msg)->tag == BEGIN) {
        if (subject_ends(state)) {
            ln_stop(LN_EXIT_NORMAL, "");
        }
    } else {
        subject_take(msg);
    }
}

static void
subject_run(void *state)
{
    struct ln_msg *msg = NULL;
    while (ln_receive(LN_FOREVER, &msg) == 0) {
        if (msg->tag == BEGIN && subject_ends(state)) {
            return;
        }
        subject_take(&msg);
        ln_msg_free(&msg);
    }
}

static const struct ln_behaviour subjects[] = {
    {.name = "subject",
     .state_bytes = sizeof(struct subject),
     .init = subject_init,
     .handle = subject_handle},
    {.name = "running subject",
     .state_bytes = sizeof(struct subject),
     .init = subject_init,
     .run = subject_run},
};

/* -------------------------------------------------------------------------------- who watches */

struct watch {
    uint64_t chance;
    ln_pid pid;
    struct subject plan;
    uint64_t monitor;
    uint64_t asks[ASKS_MAX]; /* 0: answered */
    unsigned unanswered;
    uint64_t last;
    bool down, exited, alarmed;
    uint64_t alarm_from_ns, alarm_ms;
};

static void
watch_ended(const struct watch *watch, const struct ln_msg *msg)
{
    struct ln_down down;
    memcpy(&down, msg->data, sizeof down);
    EXPECT(down.pid == watch->pid);
    switch (watch->plan.ending) {
    case EXITS:
        EXPECT(down.reason.kind == LN_EXIT_ERROR);
        break;
    case STOPS:
    case SLEEPS_THEN_STOPS:
        EXPECT(down.reason.kind == LN_EXIT_NORMAL);
        break;
    case KILLS_ITSELF:
    case WAITS_TO_BE_KILLED:
    case ENDINGS:
        EXPECT(down.reason.kind == LN_EXIT_KILLED);
        break;
    }
}

static void
watch_numbered(struct watch *watch, const struct ln_msg *msg)
{
    uint64_t number;
    memcpy(&number, msg->data, sizeof number);
    EXPECT(msg->from == watch->pid && !watch->down && !watch->exited);
    EXPECT(number == watch->last + 1);
    watch->last = number;
}

static void
watch_answered(struct watch *watch, const struct ln_msg *msg)
{
    unsigned at = 0;
    while (at < ASKS_MAX && watch->asks[at] != msg->ref) {
        at++;
    }
    EXPECT(at < ASKS_MAX && (msg->error == 0 || msg->error == -ESRCH));
    watch->asks[at] = 0;
    watch->unanswered--;
}

static void
watch_take(struct watch *watch, const struct ln_msg *msg)
{
    if ((msg->flags & LN_MSG_ANSWER) != 0) {
        watch_answered(watch, msg);
    } else if (msg->tag == NUMBER) {
        watch_numbered(watch, msg);
    } else if (msg->tag == LN_TAG_DOWN) {
        EXPECT(msg->ref == watch->monitor && !watch->down);
        watch->down = true;
        watch_ended(watch, msg);
    } else if (msg->tag == LN_TAG_EXIT) {
        EXPECT(!watch->exited);
        watch->exited = true;
        watch_ended(watch, msg);
    } else {
        EXPECT(msg->tag == ALARM && !watch->alarmed);
        watch->alarmed = true;
        uint64_t took_ns = io_now_ns(ln_io()) - watch->alarm_from_ns;
        EXPECT(took_ns >= watch->alarm_ms * NS_PER_MS);
    }
}

static void
watch_take_within(struct watch *watch, uint64_t ms)
{
    struct ln_msg *msg = NULL;
    EXPECT(ln_receive(ms, &msg) == 0);
    watch_take(watch, msg);
    ln_msg_free(&msg);
}

static void
watch_begin(struct watch *watch, ln_pid self)
{
    uint64_t luck = watch->chance;
    *watch = (struct watch){.chance = luck};
    watch->plan = (struct subject){.watcher = self,
                                   .numbers = (uint32_t)chance(&watch->chance, NUMBERS_MAX),
                                   .ending = (enum ending)chance(&watch->chance, ENDINGS)};
    watch->alarm_ms = chance(&watch->chance, 40);
    struct ln_msg *alarm = ln_msg_new(ALARM, LN_REPLY, 0);
    watch->alarm_from_ns = io_now_ns(ln_io());
    (void)ln_send_after(watch->alarm_ms, self, &alarm);
    struct ln_spawn_options options = {.link = true,
                                       .monitor = true,
                                       .out_monitor = &watch->monitor,
                                       .elsewhere = true,
                                       .scheduler = (int)chance(&watch->chance, ln_schedulers())};
    EXPECT(ln_spawn(&subjects[chance(&watch->chance, 2)], &watch->plan, sizeof watch->plan,
                    &options, &watch->pid) == 0);
}

static void
watch_ask(struct watch *watch)
{
    for (unsigned i = 0; i < ASKS_MAX; i++) {
        if (chance(&watch->chance, 3) == 0) {
            (void)ln_sleep(chance(&watch->chance, 3));
        }
        struct ln_msg *ask = ln_msg_new(ASK, LN_DURABLE, 8);
        watch->asks[i] = ln_request(watch->pid, &ask);
        watch->unanswered++;
    }
    if (watch->plan.ending == WAITS_TO_BE_KILLED) {
        (void)ln_sleep(chance(&watch->chance, 4));
        ln_kill(watch->pid, LN_EXIT_KILLED);
    }
}

/* Its actor is gone, and its slot may have a new one. */
static void
watch_stale(struct watch *watch)
{
    struct ln_msg *ask = ln_msg_new(ASK, LN_DURABLE, 0);
    EXPECT(ln_call(watch->pid, &ask, PATIENCE_MS, NULL) == -ESRCH);
    watch->monitor = ln_monitor(watch->pid);
    EXPECT(stage_down(watch->monitor).kind == LN_EXIT_NOPROC);
    stage_say(watch->pid, BEGIN);
}

static void
watcher_run(void *state)
{
    struct watch *watch = state;
    ln_pid before = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        watch_begin(watch, ln_self());
        watch_ask(watch);
        while (!watch->down || !watch->exited || !watch->alarmed || watch->unanswered > 0) {
            watch_take_within(watch, PATIENCE_MS);
        }
        if (watch->plan.ending != WAITS_TO_BE_KILLED) {
            EXPECT(watch->last == watch->plan.numbers);
        }
        watch_stale(watch);
        struct ln_msg *ask = ln_msg_new(ASK, LN_DURABLE, 0);
        EXPECT(ln_call(before, &ask, PATIENCE_MS, NULL) == -ESRCH);
        before = watch->pid;
    }
}

static int
watcher_init(void *state, const void *argument)
{
    memcpy(&((struct watch *)state)->chance, argument, sizeof(uint64_t));
    return 0;
}

static const struct ln_behaviour watcher = {
    .name = "watcher",
    .state_bytes = sizeof(struct watch),
    .init = watcher_init,
    .run = watcher_run,
    .trap_exit = true,
    .stack_bytes = WATCHER_STACK_BYTES,
};

/* ---------------------------------------------------------------------------------- supervision */

static const struct ln_behaviour servant = {
    .name = "servant",
    .state_bytes = sizeof(struct subject),
    .handle = subject_handle,
};

static const char *const servant_names[SERVANTS] = {"first", "second", "third", "fourth"};

/* Whoever has the name now, and is not `old`. */
static ln_pid
servant_find(const char *name, ln_pid old)
{
    for (unsigned ms = 0; ms < PATIENCE_MS; ms++) {
        ln_pid pid = ln_whereis(name);
        if (pid != 0 && pid != old) {
            return pid;
        }
        (void)ln_sleep(1);
    }
    bool there_again = false;
    EXPECT(there_again);
    return 0;
}

static void
tormentor_run(void *state)
{
    uint64_t luck = *(uint64_t *)state;
    static const enum ln_exit_kind kinds[] = {LN_EXIT_KILLED, LN_EXIT_ERROR};
    for (unsigned i = 0; i < TORMENTS; i++) {
        const char *name = servant_names[chance(&luck, SERVANTS)];
        ln_pid old = servant_find(name, 0);
        ln_kill(old, kinds[chance(&luck, 2)]);
        ln_pid pid = servant_find(name, old);
        struct ln_msg *ask = ln_msg_new(ASK, LN_DURABLE, 0);
        EXPECT(ln_call(pid, &ask, PATIENCE_MS, NULL) == 0);
        (void)ln_sleep(chance(&luck, 20));
    }
}

static int
tormentor_init(void *state, const void *argument)
{
    memcpy(state, argument, sizeof(uint64_t));
    return 0;
}

static const struct ln_behaviour tormentor = {
    .name = "tormentor",
    .state_bytes = sizeof(uint64_t),
    .init = tormentor_init,
    .run = tormentor_run,
};

static ln_pid
supervise(struct ln_child children[SERVANTS], struct ln_supervision *tree)
{
    for (unsigned i = 0; i < SERVANTS; i++) {
        children[i] = (struct ln_child){.id = servant_names[i],
                                        .name = servant_names[i],
                                        .behaviour = &servant,
                                        .elsewhere = true,
                                        .scheduler = (int)(i % ln_schedulers())};
    }
    *tree = (struct ln_supervision){LN_ONE_FOR_ONE, TORMENTS, 1, children, SERVANTS};
    ln_pid pid;
    EXPECT(ln_start(&ln_supervisor, tree, sizeof *tree, NULL, &pid) == 0);
    return pid;
}

/* ------------------------------------------------------------------------------------ the story */

void
promises_story(void)
{
    uint64_t luck = (promises_seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    struct ln_child children[SERVANTS];
    struct ln_supervision tree;
    uint64_t monitors[WATCHERS + 1];
    ln_pid supervisor = supervise(children, &tree);
    for (unsigned i = 0; i <= WATCHERS; i++) {
        uint64_t seed = chance(&luck, UINT64_MAX) | 1;
        struct ln_spawn_options options = {.monitor = true,
                                           .out_monitor = &monitors[i],
                                           .elsewhere = true,
                                           .scheduler = (int)(i % ln_schedulers())};
        ln_pid pid;
        EXPECT(ln_spawn(i < WATCHERS ? &watcher : &tormentor, &seed, sizeof seed, &options, &pid) ==
               0);
    }
    for (unsigned i = 0; i <= WATCHERS; i++) {
        EXPECT(stage_down(monitors[i]).kind == LN_EXIT_NORMAL);
    }
    uint64_t monitor = ln_monitor(supervisor);
    ln_kill(supervisor, LN_EXIT_SHUTDOWN);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
    for (unsigned i = 0; i < SERVANTS; i++) {
        EXPECT(ln_whereis(servant_names[i]) == 0);
    }
}
