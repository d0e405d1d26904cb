/* SPDX-License-Identifier: Apache-2.0 */
/* What init is given, and what it finds in the state: small arguments wait in the state's place. */
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

enum { STATE_BYTES = 40, LARGE = 5000 };

static size_t argument_bytes; /* of the actor that begins */
static unsigned begun;

static bool
is_pattern(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != (unsigned char)(i * 7 + count)) {
            return false;
        }
    }
    return true;
}

static int
heir_init(void *state, const void *argument)
{
    static const unsigned char zeroes[STATE_BYTES];
    ln_actor_check(is_pattern(argument, argument_bytes));
    ln_actor_check(memcmp(state, zeroes, STATE_BYTES) == 0);
    memset(state, 0xff, STATE_BYTES);
    ln_yield(); /* others begin and end meanwhile */
    ln_actor_check(is_pattern(argument, argument_bytes));
    begun++;
    return 0;
}

static void
heir_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}

static void
heir_run(void *state)
{
    (void)state;
    struct ln_msg *msg = NULL;
    ln_actor_check(ln_receive(LN_FOREVER, &msg) == -ECANCELED);
}
static const struct ln_behaviour heir = {
    .name = "heir", .state_bytes = STATE_BYTES, .init = heir_init, .handle = heir_handle};
static const struct ln_behaviour heir_process = {
    .name = "heir", .state_bytes = STATE_BYTES, .init = heir_init, .run = heir_run};

static void
sizes_story(void)
{
    static const size_t sizes[] = {0, 1, 16, 39, 40, 41, 64, 65, 127, 128, 129, LARGE};
    unsigned char argument[LARGE];
    begun = 0;
    for (unsigned i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        argument_bytes = sizes[i / 2];
        for (size_t at = 0; at < argument_bytes; at++) {
            argument[at] = (unsigned char)(at * 7 + argument_bytes);
        }
        struct ln_spawn_options there = {.elsewhere = true, .scheduler = (int)(i / 2 % 2)};
        ln_pid pid;
        EXPECT(ln_start(i % 2 == 0 ? &heir : &heir_process, argument, argument_bytes, &there,
                        &pid) == 0);
        EXPECT(begun == i + 1);
        ln_kill(pid, LN_EXIT_KILLED);
    }
}

static void
reaches_init(void **state)
{
    (void)state;
    stage_play(sizes_story);
}

static unsigned blank_handles;

static void
blank_handle(void *state, struct ln_msg **msg)
{
    (void)msg;
    static const unsigned char zeroes[STATE_BYTES];
    ln_actor_check(memcmp(state, zeroes, STATE_BYTES) == 0);
    blank_handles++;
}
static const struct ln_behaviour blank = {
    .name = "blank", .state_bytes = STATE_BYTES, .handle = blank_handle};

static void
no_init_story(void)
{
    unsigned char argument[STATE_BYTES];
    memset(argument, 0xff, sizeof argument);
    blank_handles = 0;
    ln_pid pid;
    uint64_t monitor;
    EXPECT(ln_spawn_monitor(&blank, argument, sizeof argument, &pid, &monitor) == 0);
    stage_say(pid, 1);
    (void)ln_sleep(1);
    EXPECT(blank_handles == 1);
    ln_kill(pid, LN_EXIT_KILLED);
    (void)stage_down(monitor);
}

static void
is_not_left_in_the_state(void **state)
{
    (void)state;
    stage_play(no_init_story);
}

static void
never_begun_story(void)
{
    unsigned char argument[LARGE];
    memset(argument, 0, sizeof argument);
    begun = 0;
    for (size_t bytes = 8; bytes <= LARGE; bytes *= 5) {
        ln_pid pid;
        uint64_t monitor;
        EXPECT(ln_spawn_monitor(&heir, argument, bytes, &pid, &monitor) == 0);
        ln_kill(pid, LN_EXIT_KILLED);
        (void)stage_down(monitor);
    }
    EXPECT(begun == 0); /* and the stage expects all memory home */
}

static void
goes_with_who_never_began(void **state)
{
    (void)state;
    stage_play(never_begun_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an argument of any size reaches init and stays while that waits; the state is zeroed",
             reaches_init),
        SPEC("without an init the state is zeroed, whatever the argument",
             is_not_left_in_the_state),
        SPEC("the argument of an actor that is killed before its init is released",
             goes_with_who_never_began),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
