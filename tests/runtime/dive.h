/* SPDX-License-Identifier: Apache-2.0 */
/* dive.h - a stack overflow, for stories whose actors end by one. */
#pragma once

/* Calls itself until the stack is used up, a kilobyte a time; never comes back from dive(0). */
unsigned dive(unsigned depth);
