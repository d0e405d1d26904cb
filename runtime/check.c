/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/check.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BACKTRACE_FRAMES_MAX = 64 };

void
check_failed(const char *what, const char *file, int line)
{
    void *frames[BACKTRACE_FRAMES_MAX];
    (void)fprintf(stderr, "linnet: assertion failed: %s (%s:%d)\n", what, file, line);
    int count = backtrace(frames, BACKTRACE_FRAMES_MAX);
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
    abort();
}
