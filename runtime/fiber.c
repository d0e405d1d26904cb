/* SPDX-License-Identifier: Apache-2.0 */
/* A fresh stack is laid out as if fiber_swap had just left it: saved registers and the address of
 * fiber_begin, which then calls entry(argument) with the stack aligned to 16. The guard is memory
 * without access below the stack: installed with MADV_GUARD_INSTALL (Linux 6.13), which costs no
 * mapping of its own, else with mprotect, which splits the mapping in two: with the kernel's
 * default of 65,530 mappings a process can then hold about 32,000 stacks. */
#include "runtime/fiber.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unwind.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#endif

#if defined(FIBER_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(FIBER_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

#if defined(LINNET_VALGRIND)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#if defined(FIBER_ASAN) || defined(FIBER_TSAN)
enum { STACK_FACTOR = 4 }; /* a sanitizer's frames are larger */
#else
enum { STACK_FACTOR = 1 };
#endif

enum { PAGE_BYTES = 4096, ADVICE_GUARD_INSTALL = 102 };

/* Where a fresh stack holds what fiber_begin takes from its registers, in words above its end. */
#if defined(__x86_64__)
enum { SAVED_ENTRY = 2 /* r13 */, SAVED_ARGUMENT = 3 /* r12 */, SAVED_RETURN = 6, SAVED_WORDS = 9 };
#elif defined(__aarch64__)
enum {
    SAVED_ARGUMENT = 0 /* x19 */,
    SAVED_ENTRY = 1,
    SAVED_RETURN = 11 /* x30 */,
    SAVED_WORDS = 20
};
#else
#error "this processor needs its fiber_*.S"
#endif

void fiber_swap(void **save_stack_pointer, void *load_stack_pointer);
void fiber_begin(void);
void fiber_above(void *stack_pointer, void (*call)(void *argument), void *argument);
extern const char fiber_above_called[]; /* where its call returns to */
NORETURN void fiber_jump(void *stack_top, void (*entry)(void *argument), void *argument);

static unsigned char *
stack_top(const struct fiber *fiber)
{
    return fiber->stack + fiber->stack_bytes;
}

static void
stack_lay_out(struct fiber *fiber)
{
    uintptr_t *words = (uintptr_t *)(void *)stack_top(fiber) - SAVED_WORDS;
    memset(words, 0, SAVED_WORDS * sizeof *words);
    words[SAVED_ENTRY] = (uintptr_t)fiber->entry;
    words[SAVED_ARGUMENT] = (uintptr_t)fiber->argument;
    words[SAVED_RETURN] = (uintptr_t)fiber_begin;
    fiber->stack_pointer = words;
}

/* For the whole process, as its mappings are. Relaxed: either way the guard is good. */
static atomic_bool guards_mapped;

static bool
guard_install(unsigned char *base)
{
    bool light = !atomic_load_explicit(&guards_mapped, memory_order_relaxed) &&
                 madvise(base, FIBER_GUARD_BYTES, ADVICE_GUARD_INSTALL) == 0;
    return light || mprotect(base, FIBER_GUARD_BYTES, PROT_NONE) == 0;
}

/* Whether the kernel installs guards, and they guard: an emulator (qemu-user) may answer that it
 * did and forget it. So mincore is told to write its answer into the guard, which it must refuse;
 * reading or writing there ourselves would have to survive a fault. */
static bool
guards_are_installed(unsigned char *page)
{
    return madvise(page, PAGE_BYTES, ADVICE_GUARD_INSTALL) == 0 &&
           mincore(page, PAGE_BYTES, page) != 0 && errno == EFAULT;
}

bool
fiber_guards_by_mapping(bool forced)
{
#if defined(LINNET_VALGRIND)
    forced = true; /* it reads what it believes to be memory */
#endif
    bool mapped = forced;
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!forced && page != MAP_FAILED) {
        mapped = !guards_are_installed(page);
    }
    if (page != MAP_FAILED) {
        (void)munmap(page, PAGE_BYTES);
    }
    atomic_store_explicit(&guards_mapped, mapped, memory_order_relaxed);
    return mapped;
}

struct fiber *
fiber_new(size_t stack_bytes, void (*entry)(void *argument), void *argument)
{
    size_t usable = (stack_bytes * STACK_FACTOR + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    unsigned char *base = mmap(NULL, FIBER_GUARD_BYTES + usable, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED) {
        return NULL;
    }
    if (!guard_install(base)) {
        (void)munmap(base, FIBER_GUARD_BYTES + usable);
        return NULL;
    }
    struct fiber *fiber = calloc(1, sizeof *fiber);
    if (fiber == NULL) {
        (void)munmap(base, FIBER_GUARD_BYTES + usable);
        return NULL;
    }
    fiber->entry = entry;
    fiber->argument = argument;
    fiber->stack = base + FIBER_GUARD_BYTES;
    fiber->stack_bytes = usable;
#if defined(FIBER_TSAN)
    fiber->sanitizer_fiber = __tsan_create_fiber(0);
#endif
    fiber->valgrind_stack =
        VALGRIND_STACK_REGISTER(fiber->stack, fiber->stack + fiber->stack_bytes);
    stack_lay_out(fiber);
    return fiber;
}

void
fiber_free(struct fiber *fiber)
{
    if (fiber == NULL) {
        return;
    }
    ASSERT(fiber->stack != NULL);
    VALGRIND_STACK_DEREGISTER(fiber->valgrind_stack);
#if defined(FIBER_TSAN)
    __tsan_destroy_fiber(fiber->sanitizer_fiber);
#endif
#if defined(FIBER_ASAN)
    __asan_unpoison_memory_region(fiber->stack, fiber->stack_bytes);
#endif
    int error = munmap(fiber->stack - FIBER_GUARD_BYTES, FIBER_GUARD_BYTES + fiber->stack_bytes);
    ASSERT(error == 0);
    free(fiber);
}

void
fiber_init_thread(struct fiber *fiber)
{
    memset(fiber, 0, sizeof *fiber);
#if defined(FIBER_TSAN)
    fiber->sanitizer_fiber = __tsan_get_current_fiber();
#endif
}

void
fiber_fini_thread(struct fiber *fiber)
{
    ASSERT(fiber->stack == NULL);
}

#if defined(FIBER_ASAN)
/* The thread's own stack has no bounds of ours: the fiber that it switched to learns them here, for
 * the way back. */
static _Thread_local const void *thread_stack;
static _Thread_local size_t thread_stack_bytes;

static void
swap_announced(struct fiber *from, struct fiber *to)
{
    const void *bottom = to->stack != NULL ? to->stack : thread_stack;
    size_t bytes = to->stack != NULL ? to->stack_bytes : thread_stack_bytes;
    __sanitizer_start_switch_fiber(&from->sanitizer_stack, bottom, bytes);
    fiber_swap(&from->stack_pointer, to->stack_pointer);
    __sanitizer_finish_switch_fiber(from->sanitizer_stack, NULL, NULL);
}

static void
entry_announced(void *argument)
{
    struct fiber *fiber = argument;
    const void *from = NULL;
    size_t from_bytes = 0;
    __sanitizer_finish_switch_fiber(NULL, &from, &from_bytes);
    if (thread_stack == NULL) {
        thread_stack = from;
        thread_stack_bytes = from_bytes;
    }
    fiber->entry(fiber->argument);
}
#endif

void
fiber_switch(struct fiber *from, struct fiber *to)
{
    ASSERT(from != to);
#if defined(FIBER_TSAN)
    __tsan_switch_to_fiber(to->sanitizer_fiber, 0);
#endif
#if defined(FIBER_ASAN)
    uintptr_t *words = to->stack_pointer;
    if (to->stack != NULL && words == (uintptr_t *)(void *)stack_top(to) - SAVED_WORDS &&
        words[SAVED_ENTRY] == (uintptr_t)to->entry) {
        words[SAVED_ENTRY] = (uintptr_t)entry_announced;
        words[SAVED_ARGUMENT] = (uintptr_t)to;
    }
    swap_announced(from, to);
#else
    fiber_swap(&from->stack_pointer, to->stack_pointer);
#endif
}

void
fiber_restart(struct fiber *running)
{
    ASSERT(running->stack != NULL);
#if defined(FIBER_TSAN)
    /* The abandoned calls would stay on ThreadSanitizer's shadow stack for ever: it gets a new
     * one. */
    void *old = running->sanitizer_fiber;
    running->sanitizer_fiber = __tsan_create_fiber(0);
    __tsan_switch_to_fiber(running->sanitizer_fiber, 0);
    __tsan_destroy_fiber(old);
#endif
#if defined(FIBER_ASAN)
    __asan_handle_no_return();
#endif
    fiber_jump(stack_top(running), running->entry, running->argument);
}

bool
fiber_guards(const struct fiber *fiber, uintptr_t address)
{
    uintptr_t stack = (uintptr_t)fiber->stack;
    return stack != 0 && address < stack && address >= stack - FIBER_GUARD_BYTES;
}

struct backtrace {
    uint64_t *places;
    unsigned count, max;
    bool there; /* on the other stack */
};

static _Unwind_Reason_Code
backtrace_step(struct _Unwind_Context *context, void *argument)
{
    struct backtrace *trace = argument;
    uintptr_t place = _Unwind_GetIP(context);
    if (!trace->there) {
        trace->there = place == (uintptr_t)fiber_above_called;
        return _URC_NO_REASON;
    }
    if (trace->count == trace->max || place == 0) {
        return _URC_END_OF_STACK;
    }
    trace->places[trace->count++] = place - 1;
    return _URC_NO_REASON;
}

static void
backtrace_take(void *trace)
{
    (void)_Unwind_Backtrace(backtrace_step, trace);
}

/* The unwinder reads the tables that compilers write for every function, as for exceptions, and
 * ends at one that has none: so neither our code nor a library's needs frame pointers. */
unsigned
fiber_backtrace(const struct fiber *fiber, uint64_t *out, unsigned max)
{
    ASSERT(fiber->stack != NULL);
    struct backtrace trace = {.places = out, .max = max};
    fiber_above(fiber->stack_pointer, backtrace_take, &trace);
    return trace.count;
}

size_t
fiber_touched_bytes(const struct fiber *fiber)
{
    unsigned char present[256];
    size_t pages = fiber->stack_bytes / PAGE_BYTES;
    size_t touched = 0;
    if (pages > sizeof present || mincore(fiber->stack, fiber->stack_bytes, present) != 0) {
        return fiber->stack_bytes;
    }
    for (size_t i = 0; i < pages; i++) {
        touched += present[i] & 1;
    }
    return touched * PAGE_BYTES;
}
