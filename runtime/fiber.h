/* SPDX-License-Identifier: Apache-2.0 */
/* fiber.h - a stack and the place where its code stopped.
 *
 *     fiber_switch(here, there);     returns when somebody switches back to `here`
 *
 * A fiber stays on its thread. The switch saves what the ABI calls callee-saved, except the
 * floating-point control words, which nobody here changes; it is announced to AddressSanitizer and
 * ThreadSanitizer in fiber.c alone.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fiber {
    void *stack_pointer; /* of a fiber that is not running */
    struct fiber *next;  /* for whoever keeps it in a list */
    void (*entry)(void *argument);
    void *argument;
    unsigned char *stack; /* lowest usable byte; NULL: a thread's own stack */
    size_t stack_bytes;
    void *sanitizer_stack; /* AddressSanitizer's fake stack while it is not running */
    void *sanitizer_fiber; /* ThreadSanitizer's */
    unsigned valgrind_stack;
};

/* Below each stack, without access: so wide that no function steps over it, unless its frame alone
 * is larger. */
enum { FIBER_GUARD_BYTES = 16 * 1024 };

/* Whether guards take a mapping of their own: because the kernel has no other, or `forced` from now
 * on. Any thread. */
bool fiber_guards_by_mapping(bool forced);

/* Allocates a fiber with a guarded stack of `stack_bytes` (rounded up to pages). It starts in
 * entry(argument) at the first switch to it; entry must not return. NULL without memory or
 * mappings. */
struct fiber *fiber_new(size_t stack_bytes, void (*entry)(void *argument), void *argument);
/* NULL is allowed. Not the running one. */
void fiber_free(struct fiber *fiber);

/* Makes `fiber` stand for the calling thread's own stack. */
void fiber_init_thread(struct fiber *fiber);
void fiber_fini_thread(struct fiber *fiber);

void fiber_switch(struct fiber *from, struct fiber *to);
/* Throws away everything on the running fiber's stack and calls its entry again. */
NORETURN void fiber_restart(struct fiber *running);

/* Whether an access to the address says that the fiber has used up its stack. */
bool fiber_guards(const struct fiber *fiber, uintptr_t address);
/* Where the code of a fiber of this thread stopped, which is not running, and where that was called
 * from: up to `max` addresses, the innermost first, each inside the instruction that called. How
 * many. It reads that stack and changes nothing; some hundred nanoseconds each. */
unsigned fiber_backtrace(const struct fiber *fiber, uint64_t *out, unsigned max);
/* Bytes of its stack that were ever touched; for introspection, costs a system call. */
size_t fiber_touched_bytes(const struct fiber *fiber);
