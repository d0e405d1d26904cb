/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <stdio.h>

enum tag { REGISTER = 1, UNREGISTER, STOP, LOOK };

struct order {
    char name[LN_NAME_BYTES_MAX + 2];
    int32_t error;
};

/* Registers itself as it is told, and answers with the error. */
static void
citizen_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    struct order *order = (struct order *)(void *)(*msg)->data;
    switch ((enum tag)(*msg)->tag) {
    case REGISTER:
        order->error = ln_register(order->name, ln_self());
        break;
    case UNREGISTER:
        order->error = ln_unregister(order->name);
        break;
    case LOOK:
        order->error = ln_whereis(order->name) == (*msg)->from ? 0 : -ENOENT;
        break;
    case STOP:
        ln_stop(LN_EXIT_NORMAL, "");
        return;
    }
    ln_reply(ln_caller(*msg), msg);
}
static const struct ln_behaviour citizen = {.name = "citizen", .handle = citizen_handle};

static ln_pid
spawn_citizen(int scheduler, const char *name, uint64_t *out_monitor)
{
    ln_pid pid = 0;
    struct ln_spawn_options options = {.name = name,
                                       .elsewhere = true,
                                       .scheduler = scheduler,
                                       .monitor = out_monitor != NULL,
                                       .out_monitor = out_monitor};
    EXPECT(ln_spawn(&citizen, NULL, 0, &options, &pid) == 0);
    return pid;
}

static int
order(ln_pid who, enum tag what, const char *name)
{
    struct ln_msg *msg = ln_msg_new(what, LN_DURABLE, sizeof(struct order));
    struct ln_msg *answer = NULL;
    (void)snprintf((char *)msg->data, LN_NAME_BYTES_MAX + 2, "%s", name);
    EXPECT(ln_call(who, &msg, LN_FOREVER, &answer) == 0);
    int error = ((struct order *)(void *)answer->data)->error;
    ln_msg_free(&answer);
    return error;
}

static void
names_story(void)
{
    for (int scheduler = 0; scheduler < STAGE_LOOPS; scheduler++) {
        uint64_t monitor;
        ln_pid pid = spawn_citizen(scheduler, NULL, &monitor);
        EXPECT(ln_whereis("a") == 0);
        EXPECT(order(pid, REGISTER, "a") == 0);
        EXPECT(ln_whereis("a") == pid);
        EXPECT(order(pid, REGISTER, "b") == -EEXIST); /* one name each */
        EXPECT(order(pid, UNREGISTER, "b") == -ENOENT);
        EXPECT(order(pid, UNREGISTER, "a") == 0);
        EXPECT(ln_whereis("a") == 0);
        EXPECT(order(pid, UNREGISTER, "a") == -ENOENT);
        EXPECT(order(pid, REGISTER, "b") == 0);
        stage_say(pid, STOP);
        (void)stage_down(monitor);
        EXPECT(ln_whereis("b") == 0); /* gone before the DOWN */
    }
}

static void
names_come_and_go(void **state)
{
    (void)state;
    stage_play(names_story);
}

static void
taken_story(void)
{
    ln_pid first = spawn_citizen(0, "the name", NULL);
    ln_pid second = spawn_citizen(1, NULL, NULL);
    ln_pid pid = 0;
    EXPECT(order(second, REGISTER, "the name") == -EEXIST);
    EXPECT(ln_spawn(&citizen, NULL, 0, &(struct ln_spawn_options){.name = "the name"}, &pid) ==
           -EEXIST);
    EXPECT(ln_whereis("the name") == first && pid == 0);
    EXPECT(ln_register("the name", second) == -EEXIST);
    EXPECT(ln_register("another", second) == 0); /* on the other scheduler, from here */
    EXPECT(ln_whereis("another") == second);
    EXPECT(order(second, UNREGISTER, "the name") == 0); /* and from there */
    EXPECT(ln_whereis("the name") == 0);
    EXPECT(ln_unregister("another") == 0 && ln_unregister("another") == -ENOENT);
    ln_kill(second, LN_EXIT_KILLED);
    stage_settle();
    EXPECT(ln_register("another", second) == -ESRCH);
    EXPECT(ln_register("another", (ln_pid)STAGE_LOOPS << 56 | 1) == -ESRCH);
}

static void
a_name_has_one_owner(void **state)
{
    (void)state;
    stage_play(taken_story);
}

static void
bad_names_story(void)
{
    char name[LN_NAME_BYTES_MAX + 2];
    memset(name, 'x', sizeof name);
    name[LN_NAME_BYTES_MAX + 1] = '\0';
    EXPECT(ln_register(name, ln_self()) == -EINVAL);
    EXPECT(ln_whereis(name) == 0);
    EXPECT(ln_unregister(name) == -ENOENT);
    EXPECT(ln_register("", ln_self()) == -EINVAL);
    EXPECT(ln_whereis("") == 0);
    name[LN_NAME_BYTES_MAX] = '\0';
    EXPECT(ln_register(name, ln_self()) == 0);
    EXPECT(ln_whereis(name) == ln_self());
    EXPECT(ln_unregister(name) == 0);
}

static void
names_have_limits(void **state)
{
    (void)state;
    stage_play(bad_names_story);
}

/* The table grows while others read it. */
static void
many_story(void)
{
    enum { CITIZENS = 2000 };
    static ln_pid pids[CITIZENS];
    char name[16];
    for (int i = 0; i < CITIZENS; i++) {
        (void)snprintf(name, sizeof name, "citizen %d", i);
        pids[i] = spawn_citizen(i % (int)ln_schedulers(), name, NULL);
    }
    for (int i = 0; i < CITIZENS; i++) {
        (void)snprintf(name, sizeof name, "citizen %d", i);
        EXPECT(ln_whereis(name) == pids[i]);
    }
    EXPECT(ln_register("root", ln_self()) == 0);
    for (int i = 0; i < CITIZENS; i++) {
        if (i % 100 == 0) {
            EXPECT(order(pids[i], LOOK, "root") == 0);
        }
        ln_kill(pids[i], LN_EXIT_KILLED);
    }
    stage_settle();
    for (int i = 0; i < CITIZENS; i++) {
        (void)snprintf(name, sizeof name, "citizen %d", i);
        EXPECT(ln_whereis(name) == 0);
    }
}

static void
many_names(void **state)
{
    (void)state;
    stage_play(many_story);
    stage_play_threads(many_story, 2);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a name is found everywhere until it is given back or its actor ends",
             names_come_and_go),
        SPEC("a name has one owner in the whole node, and is given and taken from anywhere in it",
             a_name_has_one_owner),
        SPEC("a name has one to sixty-three bytes", names_have_limits),
        SPEC("thousands of names come and go while others look", many_names),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
