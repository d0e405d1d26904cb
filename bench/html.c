/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/html.h"

#include "net/utf8.h"

#include <string.h>

static const char *
entity(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Bytes of the character that begins here; 0: it is none, or one that XML 1.0 forbids. */
static size_t
character_bytes(const char *at)
{
    enum { CHARACTER_BYTES_MAX = 4 };
    const unsigned char *bytes = (const unsigned char *)at;
    if (bytes[0] < ' ' || bytes[0] == 0x7f) {
        return bytes[0] == '\n' || bytes[0] == '\t' ? 1 : 0;
    }
    bool beyond = strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0;
    size_t left = strnlen(at, CHARACTER_BYTES_MAX);
    for (size_t count = 1; count <= left && !beyond; count++) {
        if (utf8_valid(bytes, count)) {
            return count;
        }
    }
    return 0;
}

void
html_text(struct ln_text *out, const char *string)
{
    while (*string != '\0') {
        const char *name = entity(*string);
        size_t bytes = character_bytes(string);
        if (name != NULL) {
            ln_text_print(out, "%s", name);
        } else if (bytes == 0) {
            ln_text_print(out, "?");
        } else {
            ln_text_print(out, "%.*s", (int)bytes, string);
        }
        string += bytes == 0 ? 1 : bytes;
    }
}
