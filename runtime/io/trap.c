/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers run on a stack of their own, since a fiber's is small and may be what is used up. They
 * block no signal, so that a handler that never returns (the loop went on elsewhere) leaves nothing
 * to be undone: to the kernel, being on the alternate stack is a matter of the stack pointer alone.
 */
#include "runtime/io/trap.h"

#include <errno.h>
#include <execinfo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    /* A signal's frame has up to 11 KiB with the widest registers; the rest is for a backtrace. */
    STACK_BYTES = 128 * 1024,
    GUARD_BYTES = 4096,
    /* What Go took for the same purpose: nobody sends it by accident, and its default action is
     * none. */
    TICK_SIGNAL = SIGURG,
    FRAMES_MAX = 64,
    LINE_BYTES_MAX = 512,
    NS_PER_SECOND = 1000000000,
};

static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};

static _Thread_local const struct io_loop *loop_now;
static _Thread_local volatile sig_atomic_t faults_deep;
static _Thread_local sigjmp_buf *volatile way_out;

/* --------------------------------------------------------------------------------------- faults */

static uintptr_t
instruction_of(const void *context)
{
    const ucontext_t *state = context;
#if defined(__x86_64__)
    return (uintptr_t)state->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)state->uc_mcontext.pc;
#else
    (void)state;
    return 0;
#endif
}

/* Returning from the handler lets the instruction fault again, this time as the core shall show
 * it. */
static void
end_by_default(int number, const siginfo_t *info)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    (void)sigaction(number, &action, NULL);
    if (info->si_code <= 0) {
        (void)raise(number); /* sent by somebody: no instruction will fault again */
    }
}

static void
faulted(int number, siginfo_t *info, void *context)
{
    sigjmp_buf *out = way_out;
    if (out != NULL) {
        way_out = NULL;
        siglongjmp(*out, 1);
    }
    struct io_fault fault = {
        .signal = number, .address = (uintptr_t)info->si_addr, .place = instruction_of(context)};
    const struct io_loop *loop = loop_now;
    if (faults_deep++ == 0 && loop != NULL && loop->fault != NULL && info->si_code > 0) {
        loop->fault(loop->context, &fault);
    } else {
        io_fault_print(&fault, loop != NULL ? "in the runtime or a handler" : "in no scheduler");
    }
    end_by_default(number, info);
}

void
io_fault_over(void)
{
    faults_deep = 0;
}

void
io_fault_forget(void)
{
    way_out = NULL;
}

bool
io_fault_try(void (*run)(void *argument), void *argument)
{
    sigjmp_buf here;
    sigjmp_buf *before = way_out;
    if (sigsetjmp(here, 0) != 0) {
        way_out = before;
        return false;
    }
    way_out = &here;
    run(argument);
    way_out = before;
    return true;
}

void
io_say(const char *format, ...)
{
    char line[LINE_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t count = bytes < 0 ? 0 : (size_t)bytes < sizeof line ? (size_t)bytes : sizeof line - 1;
    ssize_t written = write(STDERR_FILENO, line, count);
    (void)written; /* there is nobody left to be told */
}

void
io_say_backtrace(void)
{
    void *frames[FRAMES_MAX];
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
}

void
io_fault_print(const struct io_fault *fault, const char *where)
{
    const char *name = sigabbrev_np(fault->signal);
    io_say("linnet: SIG%s at address %#lx, instruction %#lx, %s\n", name != NULL ? name : "?",
           (unsigned long)fault->address, (unsigned long)fault->place, where);
    io_say_backtrace();
}

/* ---------------------------------------------------------------------------------------- ticks */

static void
ticked(int number)
{
    const struct io_loop *loop = loop_now;
    int error = errno;
    (void)number;
    if (loop != NULL && loop->tick != NULL) {
        loop->tick(loop->context);
    }
    errno = error;
}

static void
ticker_start(struct trap *trap, const struct io_loop *loop)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TICK_SIGNAL};
    event._sigev_un._tid = gettid();
    if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &trap->ticker) != 0) {
        return; /* nobody is watched: a wish, like the threads' names */
    }
    struct timespec period = {.tv_sec = (time_t)(loop->tick_cpu_ns / NS_PER_SECOND),
                              .tv_nsec = (long)(loop->tick_cpu_ns % NS_PER_SECOND)};
    struct itimerspec times = {.it_interval = period, .it_value = period};
    int error = timer_settime(trap->ticker, 0, &times, NULL);
    ASSERT(error == 0);
    trap->ticking = true;
}

/* ----------------------------------------------------------------------------------------- life */

static void
handler_set(int number, const struct sigaction *action)
{
    struct sigaction before;
    int error = sigaction(number, NULL, &before);
    if (error == 0 && (before.sa_flags & SA_SIGINFO) == 0 && before.sa_handler == SIG_DFL) {
        error = sigaction(number, action, NULL);
    }
    ASSERT(error == 0);
}

void
trap_open(void)
{
    /* A backtrace loads its library at the first call: not inside a handler, then. */
    void *frames[1];
    (void)backtrace(frames, 1);
    struct sigaction fault = {.sa_sigaction = faulted,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    struct sigaction tick = {.sa_handler = ticked, .sa_flags = SA_ONSTACK | SA_RESTART};
    (void)sigemptyset(&fault.sa_mask);
    (void)sigemptyset(&tick.sa_mask);
    for (size_t i = 0; i < sizeof fault_signals / sizeof fault_signals[0]; i++) {
        handler_set(fault_signals[i], &fault);
    }
    handler_set(TICK_SIGNAL, &tick);
}

/* NULL without memory. */
static unsigned char *
stack_map(void)
{
    unsigned char *base = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return NULL;
    }
    (void)mprotect(base, GUARD_BYTES, PROT_NONE);
    return base;
}

void
trap_enter(struct trap *trap, const struct io_loop *loop, bool ticks)
{
    ASSERT(!trap->entered);
    if (trap->stack == NULL) {
        trap->stack = stack_map();
    }
    if (trap->stack == NULL) {
        return;
    }
    stack_t stack = {.ss_sp = trap->stack + GUARD_BYTES, .ss_size = STACK_BYTES};
    int error = sigaltstack(&stack, &trap->before);
    ASSERT(error == 0);
    trap->entered = true;
    trap_set_loop(loop);
    if (ticks && loop != NULL && loop->tick != NULL && loop->tick_cpu_ns > 0) {
        ticker_start(trap, loop);
    }
}

void
trap_leave(struct trap *trap)
{
    if (trap->ticking) {
        (void)timer_delete(trap->ticker);
        trap->ticking = false;
    }
    trap_set_loop(NULL);
    if (trap->entered) {
        int error = sigaltstack(&trap->before, NULL);
        ASSERT(error == 0);
        trap->entered = false;
    }
}

void
trap_close(struct trap *trap)
{
    ASSERT(!trap->entered);
    if (trap->stack != NULL) {
        int error = munmap(trap->stack, GUARD_BYTES + STACK_BYTES);
        ASSERT(error == 0);
        trap->stack = NULL;
    }
}

void
trap_set_loop(const struct io_loop *loop)
{
    loop_now = loop;
}
