/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/diary.h"

#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

char diary[DIARY_BYTES];

static void
note(char letter)
{
    size_t end = strlen(diary);
    EXPECT(end + 1 < sizeof diary);
    diary[end] = letter;
    diary[end + 1] = '\0';
}

void
expect_diary(const char *expected)
{
    stage_settle();
    if (strcmp(diary, expected) != 0) {
        (void)fprintf(stderr, "the diary says \"%s\", not \"%s\"\n", diary, expected);
    }
    EXPECT(strcmp(diary, expected) == 0);
    diary[0] = '\0';
}

static int
child_init(void *state, const void *argument)
{
    struct plan *plan = state;
    *plan = *(const struct plan *)argument;
    if (plan->init_failures != NULL && *plan->init_failures > 0) {
        --*plan->init_failures;
        note('!');
        return -EBUSY;
    }
    note(plan->letter);
    return 0;
}

static void
child_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_actor_check((*msg)->tag != CRASH);
    if ((*msg)->tag == STOP) {
        ln_stop(LN_EXIT_NORMAL, "told to");
    }
}

static void
child_terminate(void *state, const struct ln_reason *reason)
{
    const struct plan *plan = state;
    (void)reason;
    if (plan->slow_end && ln_sleep(LN_FOREVER) == -ECANCELED) {
        note('#');
        return;
    }
    note((char)(plan->letter - 'a' + 'A'));
}

const struct ln_behaviour child_behaviour = {
    .name = "child",
    .state_bytes = sizeof(struct plan),
    .init = child_init,
    .handle = child_handle,
    .terminate = child_terminate,
};

const struct plan plans[] = {{.letter = 'a'}, {.letter = 'b'}, {.letter = 'c'}};

/* A family of three, named "a", "b" and "c", the second on the other scheduler. */
void
family(struct ln_child *children, enum ln_restart restart)
{
    static const char *const names[] = {"a", "b", "c"};
    for (unsigned i = 0; i < 3; i++) {
        children[i] = (struct ln_child){
            .id = names[i],
            .name = names[i],
            .behaviour = &child_behaviour,
            .argument = &plans[i],
            .bytes = sizeof plans[i],
            .restart = restart,
            .elsewhere = true,
            .scheduler = (int)i % 2,
        };
    }
}

ln_pid
start_supervisor(const struct ln_supervision *tree, uint64_t *out_monitor)
{
    ln_pid pid = 0;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = out_monitor};
    diary[0] = '\0';
    EXPECT(ln_start(&ln_supervisor, tree, sizeof *tree, &options, &pid) == 0);
    return pid;
}

void
stop_supervisor(ln_pid pid, uint64_t monitor)
{
    ln_kill(pid, LN_EXIT_SHUTDOWN);
    EXPECT(stage_down(monitor).kind == LN_EXIT_SHUTDOWN);
}
