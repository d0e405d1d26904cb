/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - assertions that stay on in release, and results that must be looked at.
 *
 * ASSERT is for what the program itself promises (an invariant of shared structures): when it fails
 * the node ends. It is never used on bytes from outside and never has side effects. ASSERT_SLOW is
 * for checks that cost more than the code they guard: debug builds only. An actor's own trouble is
 * not for here: see ln_actor_check in linnet.h.
 */
#pragma once

#include "runtime/api.h"

#define MUST_CHECK LN_MUST_CHECK
#define NORETURN LN_NORETURN
#define PRINTF_LIKE(text, first) LN_PRINTF_LIKE(text, first)

/* Prints what failed and where, with a backtrace, to standard error and aborts. Any thread; never
 * returns. */
NORETURN void check_failed(const char *what, const char *file, int line);

#define ASSERT(condition)                                 \
    do {                                                  \
        if (__builtin_expect(!(condition), 0)) {          \
            check_failed(#condition, __FILE__, __LINE__); \
        }                                                 \
    } while (0)

#if defined(LINNET_SLOW_ASSERTIONS)
#define ASSERT_SLOW(condition) ASSERT(condition)
#else
#define ASSERT_SLOW(condition) ((void)sizeof(condition))
#endif
