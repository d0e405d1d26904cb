/* SPDX-License-Identifier: Apache-2.0 */
/* An actor overflows its stack; the program says that it lives on. */
#include <linnet/node.h>
#include <stdio.h>

static __attribute__((noinline)) unsigned
dive(unsigned depth) // NOLINT(misc-no-recursion)
{
    volatile unsigned room[64];
    room[0] = depth;
    room[63] = depth < 100000000 ? dive(depth + 1) : 0;
    return room[0] + room[63];
}

static void
deep_run(void *state)
{
    (void)state;
    (void)dive(0);
}

static void
root_run(void *state)
{
    static const struct ln_behaviour deep = {.name = "deep", .run = deep_run};
    struct ln_spawn_options options = {.monitor = true};
    struct ln_msg *down;
    ln_pid pid;
    (void)state;
    ln_actor_check(ln_spawn(&deep, NULL, 0, &options, &pid) == 0);
    ln_actor_check(ln_receive(10000, &down) == 0 && down->tag == LN_TAG_DOWN);
    const struct ln_down *said = (const struct ln_down *)(const void *)down->data;
    (void)printf("%s: %s\n", said->reason.file, said->reason.text);
}

int
main(void)
{
    static const struct ln_behaviour root = {.name = "root", .run = root_run, .stack_bytes = 65536};
    return ln_node_run(&root, NULL, 0);
}
