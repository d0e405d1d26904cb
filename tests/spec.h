/* SPDX-License-Identifier: Apache-2.0 */
/* spec.h - how a test reads: a list of sentences, each with the function that shows it.
 *
 *     static void drops_it(void **state) { ... }
 *     int main(void)
 *     {
 *         static const struct CMUnitTest specs[] = {
 *             SPEC("a message to a dead actor is dropped and counted", drops_it),
 *         };
 *         return cmocka_run_group_tests(specs, NULL, NULL);
 *     }
 */
#pragma once
#include "tests/seeds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SPEC(title, function)                 \
    {                                         \
        (title), (function), NULL, NULL, NULL \
    }

/* Leaves out a case that needs io_uring and threads where there is only the simulated machine. */
#if defined(LINNET_SIM_ONLY)
#define NEEDS_IO_URING() skip()
#else
#define NEEDS_IO_URING() ((void)0)
#endif
