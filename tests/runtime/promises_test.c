/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/promises.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

enum { STORIES = 5 };

static void
in_one_thread(void **state)
{
    (void)state;
    for (promises_seed = 1; promises_seed <= STORIES; promises_seed++) {
        stage_play_with(promises_story, &promises_options);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("order, ends, answers, timers, stale pids and supervision are as promised",
             in_one_thread),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
