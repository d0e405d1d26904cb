/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/text.h"

#include "runtime/check.h"

#include <stdarg.h>
#include <stdio.h>

void
ln_text_init(struct ln_text *text, char *room, size_t bytes_max)
{
    ASSERT(bytes_max >= 1);
    *text = (struct ln_text){.data = room, .bytes_max = bytes_max};
    room[0] = '\0';
}

void
ln_text_print(struct ln_text *text, const char *format, ...)
{
    size_t room = text->bytes_max - text->bytes;
    va_list arguments;
    va_start(arguments, format);
    int bytes = vsnprintf(text->data + text->bytes, room, format, arguments);
    va_end(arguments);
    ASSERT(bytes >= 0);
    if ((size_t)bytes >= room) {
        text->cut = true;
        text->bytes = text->bytes_max - 1;
    } else {
        text->bytes += (size_t)bytes;
    }
}

void
ln_text_json(struct ln_text *text, const char *string)
{
    for (const char *at = string; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\') {
            ln_text_print(text, "\\%c", byte);
        } else if (byte < ' ') {
            ln_text_print(text, "\\u%04x", byte);
        } else {
            ln_text_print(text, "%c", byte);
        }
    }
}
