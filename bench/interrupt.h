/* SPDX-License-Identifier: Apache-2.0 */
/* interrupt.h - what Ctrl-C means: the run ends early and tidies up; a second one ends the process
 * at once. The same goes for SIGTERM. */
#pragma once

#include <stdbool.h>

/* From now on. By main, before there are threads. */
void interrupt_catch(void);
/* Any thread. */
bool interrupted(void);
