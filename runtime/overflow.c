/* SPDX-License-Identifier: Apache-2.0 */
/* A stack overflow ends its actor alone only where nobody else can be hurt: when all code that is
 * thrown away in the middle is the actor's own. So the frames are walked, from the faulting
 * instruction up to the function of the runtime that called the actor, and each must be the
 * actor's:
 *
 *     not shared code   the layers whose structures many actors share lie in a section of their
 *                       own, `linnet_text`, put there by the build (cmake/linnet.cmake); the linker
 *                       knows its bounds
 *     of the program    the same loaded object as the behaviour's functions: so libc and every
 *                       other shared library is none, nor is liblinnet where that is one
 *     entered rightly   the first frame that is not the actor's is in the section `linnet_entry`:
 *                       functions that have nothing half done while they call an actor
 *
 * Why that is sound. A library or the runtime that has begun something and not finished it has a
 * frame on this stack, and every frame is looked at: one that called back (qsort's comparison, a
 * `match`, a codec) is found between actor frames, though the fault is in the callback. No lock is
 * held and no list half changed, but by the actor's own code, and what that alone can reach ends
 * with it. The unwinder reads the tables that compilers write for every function on both processors
 * that we run on; a function without one ends the walk before an entry is found, and then the node
 * ends, as it does whenever anything here fails. Walking is safe in the handler for the same
 * reason: the interrupted instruction is the actor's, so this thread holds no lock of the loader or
 * of malloc.
 *
 * What is not covered. A library that is linked statically into the program and called by an actor
 * directly counts as the actor's own code, unless the build puts it into `linnet_text`, too. Memory
 * that actors share by their own doing is their own affair, as it is with ln_exit. An overflow in a
 * library or in the runtime, on an actor's stack, ends the node. A frame larger than the guard can
 * jump over it. Where the linker was not told of `linnet_text`, nothing is an actor's. */
#include "runtime/overflow.h"

#include "runtime/scheduler.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <unwind.h>

/* Bounds of sections, made by the linker. Weak: in a shared library there need not be any. */
#define SECTION_BOUND extern const char __attribute__((weak, visibility("hidden")))
SECTION_BOUND __start_linnet_text[];  // NOLINT: the linker chose the names of these four
SECTION_BOUND __stop_linnet_text[];   // NOLINT
SECTION_BOUND __start_linnet_entry[]; // NOLINT
SECTION_BOUND __stop_linnet_entry[];  // NOLINT

struct walk {
    uintptr_t fault_place;
    uintptr_t object_start, object_end; /* of the behaviour */
    unsigned depth, depth_max;
    bool entered;
};

static bool
within(uintptr_t place, const char *start, const char *end)
{
    return place >= (uintptr_t)start && place < (uintptr_t)end;
}

static bool
is_actor_code(const struct walk *walk, uintptr_t place)
{
    return place >= walk->object_start && place < walk->object_end &&
           !within(place, __start_linnet_text, __stop_linnet_text);
}

static _Unwind_Reason_Code
step(struct _Unwind_Context *context, void *argument)
{
    struct walk *walk = argument;
    int before = 0;
    uintptr_t place = _Unwind_GetIPInfo(context, &before);
    if (walk->depth == 0 && place != walk->fault_place) {
        return _URC_NO_REASON; /* the handler's own frames */
    }
    /* A return address may lie behind the last instruction of its function. */
    place -= before ? 0 : 1;
    if (within(place, __start_linnet_entry, __stop_linnet_entry)) {
        walk->entered = walk->depth > 0;
        return _URC_END_OF_STACK;
    }
    if (!is_actor_code(walk, place) || walk->depth == walk->depth_max) {
        return _URC_END_OF_STACK;
    }
    walk->depth++;
    return _URC_NO_REASON;
}

/* The runtime's own code, of which the section must know. */
static uintptr_t
code_of_others(void)
{
    return (uintptr_t)scheduler_turn;
}

/* Where the behaviour's own functions were loaded. */
static bool
object_find(const struct ln_behaviour *behaviour, struct walk *walk)
{
    struct dl_find_object found;
    uintptr_t code =
        behaviour->run != NULL ? (uintptr_t)behaviour->run : (uintptr_t)behaviour->handle;
    if (_dl_find_object((void *)code, &found) != 0) { // NOLINT(performance-no-int-to-ptr)
        return false;
    }
    walk->object_start = (uintptr_t)found.dlfo_map_start;
    walk->object_end = (uintptr_t)found.dlfo_map_end;
    uintptr_t runtime = code_of_others();
    bool together = runtime >= walk->object_start && runtime < walk->object_end;
    return !together || within(code_of_others(), __start_linnet_text, __stop_linnet_text);
}

bool
overflow_is_actors(const struct scheduler *self, const struct io_fault *fault, unsigned *out_depth)
{
    enum { FRAME_BYTES_MIN = sizeof(void *) };
    const struct fiber *fiber = self->running;
    if (self->current == NULL || fiber == NULL || !fiber_guards(fiber, fault->address)) {
        return false;
    }
    struct walk walk = {.fault_place = fault->place,
                        .depth_max = (unsigned)(fiber->stack_bytes / FRAME_BYTES_MIN)};
    if (!object_find(self->current->behaviour, &walk)) {
        return false;
    }
    (void)_Unwind_Backtrace(step, &walk);
    *out_depth = walk.depth;
    return walk.entered;
}
