/* SPDX-License-Identifier: Apache-2.0 */
/* bare.h - what the programs share that measure the machine, with no runtime between: a thread's
 * place, a clock, a line of JSON for each result, as measure.h's. */
#pragma once

#include <stdint.h>

/* Binds the calling thread to a core. Ends the program where that is not allowed. */
void bare_pin(unsigned core);
uint64_t bare_now_ns(void);
/* Tells the time from `since_ns` to now, divided by `count`. */
void bare_tell(const char *what, uint64_t since_ns, double count);
