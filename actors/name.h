/* SPDX-License-Identifier: Apache-2.0 */
/* name.h - which names users can have: asked wherever one is made.
 *
 * 1 to 64 bytes of UTF-8, compared byte by byte. Not in it: control characters and those that show
 * nothing or turn the writing's direction (two names that look alike would differ), '/' and '@',
 * which are kept for addresses, and blanks at its ends. It is not made of digits and dots alone, so
 * that it is never taken for a user's number or an actor's pid. Pure; any thread.
 */
#pragma once

#include "runtime/check.h"

#include <stddef.h>

/* NULL: a good name; else what is wrong with it, as the end of a sentence ("is empty"). A
 * literal. */
MUST_CHECK const char *name_fault(const char *name, size_t bytes);

/* Puts '?' in the place of every byte of what names may not hold since it can't be seen, or since a
 * terminal would obey it: whatever clients wrote may be shown to a person then. `text` is UTF-8. */
void name_blot(char *text);
