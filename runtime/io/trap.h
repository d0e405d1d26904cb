/* SPDX-License-Identifier: Apache-2.0 */
/* trap.h - what interrupts a loop's code between two instructions: faults of the processor, and the
 * ticks of its own CPU time. What a loop is told of them is in io.h.
 *
 *     trap_open();                      the handlers, once and for the whole process
 *     struct trap trap = {0};
 *     trap_enter(&trap, &loop, true);   this thread, from now on: a stack for its handlers
 *     ... turns ...
 *     trap_leave(&trap);                may be entered again, with the same stack
 *     trap_close(&trap);
 *
 * A handler is set only where the signal has its default action: whoever came first (a sanitizer, a
 * program with a handler of its own) keeps it. A fault is first told to the loop whose code ran;
 * when that does not go on elsewhere, the signal's default action ends the process, with a core
 * where those are on.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"

#include <signal.h>
#include <time.h>

struct trap {
    unsigned char *stack; /* NULL: no handler can run here; faults end the process as ever */
    stack_t before;
    timer_t ticker;
    bool entered;
    bool ticking;
};

void trap_open(void);
/* The calling thread's; `ticks`: of its CPU time, as the loop wishes. Without memory for a stack it
 * does nothing. */
void trap_enter(struct trap *trap, const struct io_loop *loop, bool ticks);
void trap_leave(struct trap *trap);
void trap_close(struct trap *trap);
/* Whose code runs on the calling thread from now on; NULL: no loop's. */
void trap_set_loop(const struct io_loop *loop);

/* --------------------------------------------------------------------------- for the code above */

/* From a loop's `fault`: the loop goes on, on another stack, and its next fault is told again. */
void io_fault_over(void);
/* Runs run(argument); false when that faulted, whereupon its frames are thrown away: only for code
 * that looks and holds nothing. Any thread; where the fault's signal has another handler, that gets
 * it. */
MUST_CHECK bool io_fault_try(void (*run)(void *argument), void *argument);
/* The stack that io_fault_try may be under way on is left for good. */
void io_fault_forget(void);

/* For a process that ends: a line, a backtrace, a fault, straight to standard error. Any thread,
 * any handler. */
void io_say(const char *format, ...) PRINTF_LIKE(1, 2);
void io_say_backtrace(void);
void io_fault_print(const struct io_fault *fault, const char *where);
