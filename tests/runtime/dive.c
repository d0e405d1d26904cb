/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/dive.h"

/* A frame of a kilobyte, which no compiler may cut down to what is used of it. */
__attribute__((noinline)) unsigned
dive(unsigned depth) // NOLINT(misc-no-recursion)
{
    volatile unsigned room[256];
    __asm__ volatile("" : : "r"(room) : "memory");
    room[0] = depth;
    room[255] = depth < 100000000 ? dive(depth + 1) : 0;
    return room[0] + room[255];
}
