/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught;

static void
signalled(int number)
{
    (void)number;
    caught = 1;
}

void
interrupt_catch(void)
{
    /* The first resets itself: the second does what it always did. */
    struct sigaction action = {.sa_handler = signalled, .sa_flags = SA_RESETHAND | SA_RESTART};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool
interrupted(void)
{
    return caught != 0;
}
