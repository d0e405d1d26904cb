/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h - what this process has taken of the processor, to the microsecond: what work costs
 * whatever else the machine does. */
#pragma once

#include <sys/resource.h>

/* Of all threads, in user space and kernel; 0: it is not told. */
static inline double
cpu_seconds(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) {
        return 0;
    }
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
