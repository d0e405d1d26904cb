/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - where something prints itself: bounded, always NUL-terminated, remembering that it was
 * cut.
 *
 * Called from anywhere, by one thread at a time for each text; nothing yields. */
#pragma once

#include "runtime/linnet.h"

LN_BEGIN

struct ln_text {
    char *data;
    size_t bytes;     /* written, without the NUL */
    size_t bytes_max; /* room, with the NUL */
    bool cut;
};

/* Prints into `room`, the caller's. bytes_max >= 1. */
LN_API void ln_text_init(struct ln_text *text, char *room, size_t bytes_max);
/* Appends, as printf(3) does. What does not fit is left out, and the text remembers that it was
 * cut. */
LN_API void ln_text_print(struct ln_text *text, const char *format, ...) LN_PRINTF_LIKE(2, 3);
/* The same for a string within a JSON string: quotes, backslashes and control characters
 * escaped. */
LN_API void ln_text_json(struct ln_text *text, const char *string);

/* What a behaviour calls a tag, or the runtime one of its own ("EXIT"); a literal, NULL when it has
 * no name. Any thread. */
LN_API const char *ln_tag_name(const struct ln_behaviour *behaviour, uint32_t tag);

LN_END
