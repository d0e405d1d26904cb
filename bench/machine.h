/* SPDX-License-Identifier: Apache-2.0 */
/* machine.h - what a run ran on, as /proc tells: a figure without it says little. */
#pragma once

#include "runtime/io/io.h"
#include "runtime/text.h"

enum { MACHINE_TEXT_BYTES = 96 };

struct machine {
    unsigned cores;
    char cpu[MACHINE_TEXT_BYTES];
    char kernel[MACHINE_TEXT_BYTES];
};

/* What can't be read is 0 or empty. Blocks for microseconds. */
void machine_read(struct io_driver *driver, struct machine *out);
/* One JSON object. */
void machine_print_json(const struct machine *machine, struct ln_text *out);
