/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/own_end.h"

#include "runtime/fiber.h"
#include "runtime/scheduler.h"

static struct io_driver *expected;
static bool met;

LN_NORETURN void __real_check_failed(const char *what, const char *file, int line);
LN_NORETURN void __wrap_check_failed(const char *what, const char *file, int line);

void
own_end_expect(struct io_driver *driver)
{
    expected = driver;
    met = false;
}

bool
own_end_met(void)
{
    return met;
}

bool
own_end_disk_failed(const struct io_driver *driver)
{
    struct sim_struck struck;
    sim_struck(driver, &struck);
    return struck.write_errors + struck.sync_errors + struck.read_errors + struck.full > 0;
}

LN_NORETURN void
__wrap_check_failed(const char *what, const char *file, int line)
{
    struct scheduler *scheduler = scheduler_self;
    bool inside = scheduler != NULL && scheduler->current != NULL;
    if (!inside || expected == NULL || sim_crashed(expected) || !own_end_disk_failed(expected)) {
        __real_check_failed(what, file, line);
    }
    static struct fiber nowhere; /* nobody comes back to it */
    struct actor *actor = scheduler->current;
    if (actor->fiber == scheduler->running) {
        actor->fiber = NULL; /* the scheduler frees it, as what ran last */
    }
    met = true;
    sim_crash(expected);
    fiber_switch(&nowhere, &scheduler->host);
    __builtin_unreachable();
}
