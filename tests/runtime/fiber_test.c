/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/fiber.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024 };

static struct fiber host;
static struct fiber *fibers[4];
static char trail[64];

static void
leave_mark(char mark)
{
    size_t end = strlen(trail);
    trail[end] = mark;
    trail[end + 1] = '\0';
}

static void
visit(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;
    for (;;) {
        leave_mark((char)('a' + self));
        fiber_switch(fibers[self], &host);
        leave_mark((char)('A' + self));
        fiber_switch(fibers[self], self == 3 ? &host : fibers[self + 1]);
    }
}

static void
goes_on_where_it_stopped(void **state)
{
    (void)state;
    trail[0] = '\0';
    fiber_init_thread(&host);
    for (unsigned i = 0; i < 4; i++) {
        fibers[i] = fiber_new(STACK_BYTES, visit, (void *)(uintptr_t)i);
        assert_non_null(fibers[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        fiber_switch(&host, fibers[i]);
    }
    fiber_switch(&host, fibers[0]);
    assert_string_equal(trail, "abcdABCD");
    for (unsigned i = 0; i < 4; i++) {
        fiber_free(fibers[i]);
    }
    fiber_fini_thread(&host);
}

/* More values than any ABI keeps in registers, changed round by round; between two rounds the other
 * fiber changes its own. */
enum { CARRY_ROUNDS = 50 };

static double
carry(unsigned start, struct fiber *here, struct fiber *there)
{
    double a = start + 0.5, b = a * 2, c = b + 3, d = c * 1.25, e = d - 1, f = e * 0.75;
    uint64_t k = start, l = k * 3 + 1, m = l * 5 + 2, n = m * 7 + 3, o = n * 11 + 4, p = o * 13 + 5;
    for (unsigned i = 0; i < CARRY_ROUNDS; i++) {
        a = a * 1.001 + b / 7;
        b = b * 0.999 + c / 11;
        c = c * 1.002 - d / 13;
        d = d * 0.998 + e / 17;
        e = e * 1.003 - f / 19;
        f = f * 0.997 + a / 23;
        k = k * 31 + l, l = l * 37 + m, m = m * 41 + n, n = n * 43 + o, o = o * 47 + p, p += k;
        if (here != NULL) {
            fiber_switch(here, there);
        }
    }
    return a + b + c + d + e + f + (double)((k ^ l ^ m ^ n ^ o ^ p) % 1000003);
}

static double carried[2];

static void
carry_run(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;
    carried[self] = carry(self, fibers[self], self == 0 ? fibers[1] : fibers[0]);
    fiber_switch(fibers[self], self == 0 ? fibers[1] : &host);
}

static void
carries_values(void **state)
{
    (void)state;
    fiber_init_thread(&host);
    for (unsigned i = 0; i < 2; i++) {
        fibers[i] = fiber_new(STACK_BYTES, carry_run, (void *)(uintptr_t)i);
        assert_non_null(fibers[i]);
    }
    fiber_switch(&host, fibers[0]);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(carried[i] == carry(i, NULL, NULL));
        fiber_free(fibers[i]);
    }
    fiber_fini_thread(&host);
}

static double
spread(double a, int b, double c)
{
    return a * 3 + b + c / 7;
}

static double found;

static void
compute(void *argument)
{
    (void)argument;
    volatile double sum = 0;
    for (int i = 0; i < 100; i++) {
        sum += spread(i, i + 1, sum);
        char text[64];
        (void)snprintf(text, sizeof text, "%d %.3f", i, sum); /* needs an aligned stack */
        fiber_switch(fibers[0], &host);
    }
    found = sum;
    fiber_switch(fibers[0], &host);
}

static void
keeps_registers_and_alignment(void **state)
{
    (void)state;
    fiber_init_thread(&host);
    fibers[0] = fiber_new(STACK_BYTES, compute, NULL);
    volatile double sum = 0;
    for (int i = 0; i < 100; i++) {
        fiber_switch(&host, fibers[0]);
        sum += spread(i, i + 1, sum);
    }
    fiber_switch(&host, fibers[0]);
    assert_true(sum == found);
    fiber_free(fibers[0]);
}

static unsigned restarts;

static void
restart_deep(unsigned depth) // NOLINT(misc-no-recursion)
{
    volatile char room[512];
    room[0] = (char)depth;
    if (depth > 0) {
        restart_deep(depth - 1);
    } else if (restarts++ < 10000) {
        fiber_restart(fibers[0]);
    }
    room[1] = room[0];
}

static void
restarting(void *argument)
{
    assert_ptr_equal(argument, &restarts);
    restart_deep(50);
    fiber_switch(fibers[0], &host);
}

static void
restarts_on_a_clean_stack(void **state)
{
    (void)state;
    restarts = 0;
    fiber_init_thread(&host);
    fibers[0] = fiber_new(STACK_BYTES, restarting, &restarts);
    fiber_switch(&host, fibers[0]);
    assert_int_equal(restarts, 10001);
    fiber_free(fibers[0]);
}

static void
descend(unsigned depth) // NOLINT(misc-no-recursion)
{
    volatile char room[1024];
    room[0] = (char)depth;
    room[1023] = room[0];
    if (depth > 0) {
        descend(depth - 1);
    }
    room[2] = room[1];
}

static void
overflow(void *argument)
{
    (void)argument;
    descend(1000000);
    _exit(0);
}

static void
overflowing_faults(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(STDERR_FILENO);
        fiber_init_thread(&host);
        struct fiber *below = fiber_new(STACK_BYTES, overflow, NULL);
        struct fiber *above = fiber_new(STACK_BYTES, overflow, NULL);
        fiber_switch(&host, below > above ? below : above);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
touch(void *argument)
{
    char room[20000];
    memset(room, (int)(uintptr_t)argument, sizeof room);
    __asm__ volatile("" : : "r"(room) : "memory"); /* or a compiler would leave it out */
    fiber_switch(fibers[0], &host);
}

static void
counts_touched_pages(void **state)
{
    (void)state;
    fiber_init_thread(&host);
    fibers[0] = fiber_new(STACK_BYTES, touch, NULL);
    size_t before = fiber_touched_bytes(fibers[0]);
    assert_true(before <= 8192);
    fiber_switch(&host, fibers[0]);
    size_t after = fiber_touched_bytes(fibers[0]);
    assert_true(after >= before + 16384 && after <= fibers[0]->stack_bytes);
    fiber_free(fibers[0]);
}

/* Return addresses as the functions themselves know them. */
static void *returns[3];

static __attribute__((noinline)) void
stop_below(void)
{
    returns[0] = __builtin_return_address(0);
    fiber_switch(fibers[0], &host);
    __asm__ volatile("" : : : "memory"); /* no tail call */
}

static __attribute__((noinline)) void
stop_between(volatile char *room)
{
    returns[1] = __builtin_return_address(0);
    room[0]++;
    stop_below();
    room[0]++;
}

static __attribute__((noinline)) void
stop_above(unsigned bytes)
{
    char room[2000];
    returns[2] = __builtin_return_address(0);
    room[bytes] = 0;
    stop_between(room + bytes);
    assert_int_equal(room[bytes], 2);
}

static void
stopping(void *argument)
{
    assert_ptr_equal(argument, returns);
    stop_above(70);
    if (restarts++ == 0) {
        fiber_restart(fibers[0]);
    }
    fiber_switch(fibers[0], &host);
}

static void
tells_where_it_stopped(void **state)
{
    (void)state;
    restarts = 0;
    fiber_init_thread(&host);
    fibers[0] = fiber_new(STACK_BYTES, stopping, returns);
    for (unsigned round = 0; round < 2; round++) { /* begun, and begun again */
        uint64_t places[32];
        unsigned at = 0;
        fiber_switch(&host, fibers[0]);
        unsigned count = fiber_backtrace(fibers[0], places, 32);
        while (at < count && places[at] != (uintptr_t)returns[0] - 1) {
            at++;
        }
        assert_true(at + 3 <= count && count < 32); /* it ended by itself */
        assert_true(places[at + 1] == (uintptr_t)returns[1] - 1);
        assert_true(places[at + 2] == (uintptr_t)returns[2] - 1);
        assert_int_equal(fiber_backtrace(fibers[0], places, 2), 2);
        assert_int_equal(fiber_backtrace(fibers[0], places, 0), 0);
    }
    fiber_switch(&host, fibers[0]);
    assert_int_equal(restarts, 2);
    fiber_free(fibers[0]);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a fiber goes on where it stopped, whoever switches to it", goes_on_where_it_stopped),
        SPEC("a switch keeps what the ABI keeps, and the stack aligned",
             keeps_registers_and_alignment),
        SPEC("twelve values live across a switch, whatever another fiber does meanwhile",
             carries_values),
        SPEC("a restart throws the stack away and begins anew", restarts_on_a_clean_stack),
        SPEC("running over the end of a stack faults", overflowing_faults),
        SPEC("a fiber that stopped tells where, and who called that", tells_where_it_stopped),
        SPEC("pages of a stack count when they were touched", counts_touched_pages),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
