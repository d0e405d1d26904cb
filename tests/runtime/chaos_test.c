/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Hundreds of fools do whatever comes to their minds: spawn, link, watch, ask, kill, crash, sleep,
 * hoard. Each keeps books on what it was promised:
 *
 *     a monitor tells of an end exactly once, and not at all after a demonitor
 *     a request is answered exactly once
 *     numbers sent by one to another arrive in order
 *
 * and when all is over the stage counts what is left of their memory. */

enum { BOOK_MAX = 16, KNOWN_MAX = 64, FOOLS_MAX = 150, FOOLS_IN_ALL = 600, PATIENCE_MS = 30000 };
enum tag { ASK = 1, CHAT, NUMBER, ALARM, GO_ON };

struct fool {
    uint64_t chance;
    uint64_t monitors[BOOK_MAX]; /* promised a DOWN */
    uint64_t requests[BOOK_MAX]; /* promised an answer */
    struct ln_caller owed[BOOK_MAX];
    uint64_t timers[BOOK_MAX];
    void *memory[BOOK_MAX];
    struct ln_msg *kept;
    uint64_t numbers_sent;
    ln_pid mate;
    ln_pid numbers_from; /* the one whose numbers are checked */
    uint64_t number_last;
    bool asked_idle; /* by the last message's handler */
};

static _Atomic ln_pid known[KNOWN_MAX];
static atomic_uint alive, spawned;

static uint64_t
chance(struct fool *fool, uint64_t below)
{
    fool->chance ^= fool->chance << 13;
    fool->chance ^= fool->chance >> 7;
    fool->chance ^= fool->chance << 17;
    return (fool->chance >> 11) % below;
}

static ln_pid
someone(struct fool *fool)
{
    return atomic_load_explicit(&known[chance(fool, KNOWN_MAX)], memory_order_relaxed);
}

/* Where `value` stands in a book; with 0: a free place, or BOOK_MAX. */
static unsigned
book_find(const uint64_t *book, uint64_t value)
{
    unsigned i = 0;
    while (i < BOOK_MAX && book[i] != value) {
        i++;
    }
    return i;
}

static void
book_strike(uint64_t *book, uint64_t value)
{
    unsigned i = book_find(book, value);
    EXPECT(value != 0 && i < BOOK_MAX); /* it was promised, and has not been kept before */
    book[i] = 0;
}

/* -------------------------------------------------------------------------------------- follies */

static const struct ln_behaviour fools[4];

static void
spawn_one(struct fool *fool)
{
    if (atomic_load(&alive) >= FOOLS_MAX || atomic_load(&spawned) >= FOOLS_IN_ALL) {
        return;
    }
    unsigned place = book_find(fool->monitors, 0);
    uint64_t seed = chance(fool, UINT64_MAX) | 1;
    struct ln_spawn_options options = {
        .link = chance(fool, 4) == 0,
        .monitor = place < BOOK_MAX && chance(fool, 2) == 0,
        .elsewhere = true,
        .scheduler = chance(fool, 3) == 0 ? LN_ANYWHERE : (int)chance(fool, ln_schedulers()),
        .out_monitor = place < BOOK_MAX ? &fool->monitors[place] : NULL,
        .name = chance(fool, 8) == 0 ? "the fool on the hill" : NULL,
    };
    const struct ln_behaviour *behaviour = &fools[chance(fool, 4)];
    ln_pid pid;
    int error = chance(fool, 2) == 0 ? ln_spawn(behaviour, &seed, sizeof seed, &options, &pid)
                                     : ln_start(behaviour, &seed, sizeof seed, &options, &pid);
    if (error == 0) {
        atomic_store_explicit(&known[chance(fool, KNOWN_MAX)], pid, memory_order_relaxed);
    } else {
        EXPECT(error == -EEXIST || error == -EDOM || error == -ESRCH || error == -ECANCELED);
    }
}

static struct ln_msg *
some_message(struct fool *fool, enum tag tag)
{
    static const enum ln_lane lanes[] = {LN_REPLY, LN_DURABLE, LN_DURABLE, LN_SYSTEM};
    struct ln_msg *msg = ln_msg_new(tag, lanes[chance(fool, 4)], chance(fool, 400));
    if (chance(fool, 4) == 0) {
        msg->buffer = ln_buffer_new(100);
    }
    return msg;
}

static void
chat(struct fool *fool)
{
    struct ln_msg *msg = some_message(fool, CHAT);
    if (chance(fool, 3) == 0) {
        msg->lane = LN_LOSSY;
        msg->key = (uint32_t)chance(fool, 3);
    }
    ln_send(someone(fool), &msg);
}

/* Numbers to one mate, in one lane. */
static void
send_numbers(struct fool *fool)
{
    for (unsigned i = 0; i < 3; i++) {
        struct ln_msg *msg = ln_msg_new(NUMBER, LN_REPLY, sizeof fool->numbers_sent);
        fool->numbers_sent++;
        memcpy(msg->data, &fool->numbers_sent, sizeof fool->numbers_sent);
        ln_send(fool->mate, &msg);
    }
}

static void
ask(struct fool *fool)
{
    unsigned place = book_find(fool->requests, 0);
    struct ln_msg *msg = some_message(fool, ASK);
    if (place < BOOK_MAX && chance(fool, 2) == 0) {
        /* The book is written first: the answer may be here already. */
        fool->requests[place] = ln_request(someone(fool), &msg);
        return;
    }
    struct ln_msg *answer = NULL;
    int error = ln_call(someone(fool), &msg, chance(fool, 20), &answer);
    EXPECT(error == 0 || error == -ESRCH || error == -EAGAIN || error == -ETIMEDOUT ||
           error == -ECANCELED || error == -EDOM);
    EXPECT((error == 0) == (answer != NULL) && msg == NULL);
    if (chance(fool, 2) == 0) { /* or it is kept until the end */
        ln_msg_free(&answer);
    }
}

static void
watch(struct fool *fool)
{
    unsigned place = (unsigned)chance(fool, BOOK_MAX);
    if (fool->monitors[place] == 0) {
        fool->monitors[place] = ln_monitor(someone(fool));
    } else if (chance(fool, 2) == 0) {
        uint64_t monitor = fool->monitors[place];
        fool->monitors[place] = 0;
        ln_demonitor(monitor);
    }
}

static void
link_up(struct fool *fool)
{
    if (chance(fool, 2) == 0) {
        ln_link(someone(fool));
    } else {
        ln_unlink(someone(fool));
    }
}

static void
set_alarm(struct fool *fool)
{
    unsigned place = (unsigned)chance(fool, BOOK_MAX);
    struct ln_msg *msg = some_message(fool, ALARM);
    int error = ln_cancel_timer(fool->timers[place]);
    EXPECT(error == 0 || error == -ENOENT);
    ln_pid to = chance(fool, 2) == 0 ? ln_self() : someone(fool);
    fool->timers[place] = ln_send_after(chance(fool, 30), to, &msg);
}

static void
hoard(struct fool *fool)
{
    unsigned place = (unsigned)chance(fool, BOOK_MAX);
    ln_free(fool->memory[place]);
    fool->memory[place] = chance(fool, 2) == 0 ? ln_alloc(chance(fool, 20000)) : NULL;
}

static void
add_one(void *argument)
{
    ++*(unsigned *)argument;
}

static void
rest(struct fool *fool)
{
    unsigned worked = 0;
    switch (chance(fool, 4)) {
    case 0:
        ln_yield();
        break;
    case 1:
        ln_work(add_one, &worked, (enum ln_work_kind)chance(fool, 3));
        EXPECT(worked == 1);
        break;
    default:
        (void)ln_sleep(chance(fool, 5));
        break;
    }
}

static void
do_harm(struct fool *fool)
{
    static const enum ln_exit_kind kinds[] = {LN_EXIT_SHUTDOWN, LN_EXIT_KILLED, LN_EXIT_ERROR,
                                              LN_EXIT_NORMAL};
    switch (chance(fool, 12)) {
    case 0:
        ln_exit(kinds[chance(fool, 3)], "a fool's end");
    case 1:
        ln_actor_check(fool == NULL);
        break;
    case 2:
        ln_stop(kinds[chance(fool, 3)], "a fool's wish");
        break;
    case 3:
        ln_kill(ln_self(), kinds[chance(fool, 4)]);
        break;
    case 4:
    case 5:
        ln_kill(someone(fool), kinds[chance(fool, 4)]);
        break;
    default:
        break;
    }
}

static void
be_foolish(struct fool *fool)
{
    switch (chance(fool, 12)) {
    case 0:
    case 1:
        spawn_one(fool);
        break;
    case 2:
        chat(fool);
        break;
    case 3:
        send_numbers(fool);
        break;
    case 4:
    case 5:
        ask(fool);
        break;
    case 6:
        watch(fool);
        break;
    case 7:
        link_up(fool);
        break;
    case 8:
        set_alarm(fool);
        break;
    case 9:
        hoard(fool);
        break;
    case 10:
        rest(fool);
        break;
    default:
        do_harm(fool);
        break;
    }
}

/* -------------------------------------------------------------------------------- what comes in */

static void
asked(struct fool *fool, struct ln_msg **msg)
{
    struct ln_caller caller = ln_caller(*msg);
    unsigned place = (unsigned)chance(fool, BOOK_MAX);
    switch (chance(fool, 5)) {
    case 0:
        ln_reply(caller, msg);
        break;
    case 1:
        ln_reply_error(caller, -EDOM);
        break;
    case 2:
        ln_reply_error(fool->owed[place], -EDOM); /* an old debt, or none */
        fool->owed[place] = caller;
        break;
    case 3:
        rest(fool);
        ln_reply(caller, msg);
        break;
    default: /* never, until we end */
        break;
    }
}

static void
numbered(struct fool *fool, const struct ln_msg *msg)
{
    uint64_t number;
    memcpy(&number, msg->data, sizeof number);
    if (fool->numbers_from == 0) {
        fool->numbers_from = msg->from;
    }
    if (fool->numbers_from == msg->from) {
        EXPECT(number == fool->number_last + 1 || fool->number_last == 0);
        fool->number_last = number;
    }
}

static void
take(struct fool *fool, struct ln_msg **msg)
{
    EXPECT(((*msg)->flags & LN_MSG_SIGNAL) == 0);
    if (((*msg)->flags & LN_MSG_ANSWER) != 0) {
        EXPECT(((*msg)->flags & LN_MSG_ASYNC) != 0);
        book_strike(fool->requests, (*msg)->ref);
    } else if (((*msg)->flags & LN_MSG_REQUEST) != 0) {
        asked(fool, msg);
    } else if ((*msg)->tag == LN_TAG_DOWN) {
        book_strike(fool->monitors, (*msg)->ref);
    } else if ((*msg)->tag == LN_TAG_STOP) {
        ln_stop(LN_EXIT_SHUTDOWN, "stopped");
    } else if ((*msg)->tag == NUMBER) {
        numbered(fool, *msg);
    } else if ((*msg)->tag == CHAT && chance(fool, 3) == 0) {
        ln_send(someone(fool), msg); /* passed on, refused or not */
    } else if (chance(fool, 20) == 0) {
        ln_msg_free(&fool->kept);
        fool->kept = *msg;
        *msg = NULL;
    }
}

/* ---------------------------------------------------------------------------------------- fools */

static void
fool_released(struct ln_resource *resource)
{
    (void)resource;
    atomic_fetch_sub(&alive, 1);
}

struct fool_state {
    struct fool fool; /* first */
    struct ln_resource own;
};

static int
fool_init(void *state, const void *argument)
{
    struct fool *fool = state;
    atomic_fetch_add(&alive, 1);
    atomic_fetch_add(&spawned, 1);
    ln_own(&((struct fool_state *)state)->own, fool_released);
    memcpy(&fool->chance, argument, sizeof fool->chance);
    (void)chance(fool, 2);
    fool->mate = someone(fool);
    if (chance(fool, 10) == 0) {
        return -EDOM;
    }
    if (chance(fool, 4) == 0) {
        be_foolish(fool);
    }
    struct ln_msg *msg = ln_msg_new(GO_ON, LN_DURABLE, 0);
    ln_send(ln_self(), &msg);
    return 0;
}

static void
fool_handle(void *state, struct ln_msg **msg)
{
    struct fool *fool = state;
    bool again = (*msg)->tag == GO_ON && (*msg)->flags == LN_MSG_HELD;
    EXPECT(fool->asked_idle || (*msg)->tag != LN_TAG_TIMEOUT);
    /* A message of the system lane may have overtaken it. */
    fool->asked_idle = fool->asked_idle && (*msg)->lane == LN_SYSTEM;
    if (chance(fool, 5) == 0) {
        fool->asked_idle = true;
        ln_idle_after(chance(fool, 5));
    }
    take(fool, msg);
    if (chance(fool, 3) == 0) {
        be_foolish(fool);
    }
    if (again) {
        struct ln_msg *next = ln_msg_new(GO_ON, LN_DURABLE, 0);
        (void)ln_send_after(1 + chance(fool, 5), ln_self(), &next);
    }
}

static void
fool_run(void *state)
{
    struct fool *fool = state;
    struct ln_msg *msg;
    int error;
    do {
        error = ln_receive(chance(fool, 5), &msg);
        if (error == 0) {
            take(fool, &msg);
            if (chance(fool, 2) == 0) { /* or it is kept until the end */
                ln_msg_free(&msg);
            }
        }
        be_foolish(fool);
    } while (error != -ECANCELED);
}

static void
fool_terminate(void *state, const struct ln_reason *reason)
{
    struct fool *fool = state;
    EXPECT(reason->kind != LN_EXIT_KILLED);
    if (chance(fool, 3) == 0) {
        be_foolish(fool);
    }
}

#define FOOL                                                                                  \
    .state_bytes = sizeof(struct fool_state), .init = fool_init, .terminate = fool_terminate, \
    .durable_max = 2, .lossy_max = 1
static const struct ln_behaviour fools[4] = {
    {.name = "fool", FOOL, .handle = fool_handle},
    {.name = "trapping fool", FOOL, .handle = fool_handle, .trap_exit = true},
    {.name = "running fool", FOOL, .run = fool_run},
    {.name = "running, trapping fool", FOOL, .run = fool_run, .trap_exit = true},
};

/* ------------------------------------------------------------------------------------ the story */

static uint64_t story_seed;

static void
chaos_story(void)
{
    struct fool first = {.chance = (story_seed + 1) * 0x9e3779b97f4a7c15u};
    uint64_t monitors[BOOK_MAX];
    atomic_store(&alive, 0);
    atomic_store(&spawned, 0);
    for (unsigned i = 0; i < KNOWN_MAX; i++) {
        atomic_store(&known[i], chance(&first, 2) == 0 ? chance(&first, UINT64_MAX) : 0);
    }
    for (unsigned i = 0; i < BOOK_MAX; i++) {
        uint64_t seed = chance(&first, UINT64_MAX) | 1;
        struct ln_spawn_options options = {.elsewhere = true,
                                           .scheduler = (int)(i % ln_schedulers()),
                                           .monitor = true,
                                           .out_monitor = &monitors[i]};
        ln_pid pid;
        EXPECT(ln_spawn(&fools[i % 4], &seed, sizeof seed, &options, &pid) == 0);
        atomic_store(&known[i], pid);
    }
    EXPECT(ln_sleep(200) == 0);
    atomic_store(&spawned, FOOLS_IN_ALL); /* no more */
    for (unsigned waited = 0; atomic_load(&alive) > 0 && waited < PATIENCE_MS; waited += 10) {
        for (unsigned i = 0; i < KNOWN_MAX; i++) {
            ln_kill(atomic_load(&known[i]), waited % 20 == 0 ? LN_EXIT_SHUTDOWN : LN_EXIT_KILLED);
        }
        EXPECT(ln_sleep(10) == 0);
        if (waited >= 100) {
            break; /* whom nobody knows any more the node's end will find */
        }
    }
    for (unsigned i = 0; i < BOOK_MAX; i++) {
        ln_demonitor(monitors[i]);
    }
    struct ln_msg *msg;
    while (ln_receive(0, &msg) == 0) { /* what the fools said to us, and nothing of the dead */
        EXPECT(msg->tag != LN_TAG_DOWN);
        ln_msg_free(&msg);
    }
}

static void
in_one_thread(void **state)
{
    (void)state;
    for (story_seed = 0; story_seed < SEEDS_OF(10); story_seed++) {
        stage_play(chaos_story);
    }
}

static void
in_two_threads(void **state)
{
    (void)state;
    for (story_seed = 100; story_seed < 110; story_seed++) {
        stage_play_threads(chaos_story, 2);
    }
}

static void
until_the_power_goes(void **state)
{
    (void)state;
    for (story_seed = 200; story_seed < 200 + SEEDS_OF(30); story_seed++) {
        (void)stage_play_until(chaos_story, story_seed, 100 * story_seed);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("whatever fools do, promises are kept and nothing is left of them", in_one_thread),
        SPEC("the same in two threads at once", in_two_threads),
        SPEC("the same until the power goes", until_the_power_goes),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
