/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/name.h"

#include "net/utf8.h"
#include "store/account.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The next character of valid UTF-8; moves *at behind it. */
static uint32_t
character_next(const unsigned char **at)
{
    uint32_t lead = *(*at)++;
    if (lead < 0x80) {
        return lead;
    }
    unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t character = lead & (0x3fu >> more);
    for (; more > 0; more--) {
        character = character << 6 | (*(*at)++ & 0x3fu);
    }
    return character;
}

/* Unicode's Cc, and of Cf and Z those that people can't see or that reorder what they see. */
static bool
character_hidden(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };
    for (unsigned i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (character >= hidden[i].first && character <= hidden[i].last) {
            return true;
        }
    }
    return false;
}

void
name_blot(char *text)
{
    unsigned char *at = (unsigned char *)text;
    while (*at != '\0') {
        const unsigned char *next = at;
        bool hidden = character_hidden(character_next(&next));
        size_t bytes = (size_t)(next - at);
        memset(at, '?', hidden ? bytes : 0);
        at += bytes;
    }
}

static bool
character_blank(uint32_t character)
{
    return character == ' ' || character == 0xa0 || (character >= 0x2000 && character <= 0x200a) ||
           character == 0x3000;
}

const char *
name_fault(const char *name, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)name;
    const unsigned char *end = at + bytes;
    bool first_blank = false;
    bool last_blank = false;
    bool number = true;
    if (bytes == 0) {
        return "is empty";
    }
    if (bytes > STORE_NAME_BYTES_MAX) {
        return "has more than 64 bytes";
    }
    if (!utf8_valid(at, bytes)) {
        return "is not UTF-8";
    }
    while (at < end) {
        bool first = at == (const unsigned char *)name;
        uint32_t character = character_next(&at);
        if (character_hidden(character)) {
            return "has a control character or one that can't be seen";
        }
        if (character == '/' || character == '@') {
            return "has a '/' or '@', which names don't";
        }
        last_blank = character_blank(character);
        first_blank = first_blank || (first && last_blank);
        number = number && ((character >= '0' && character <= '9') || character == '.');
    }
    if (first_blank || last_blank) {
        return "begins or ends with a blank";
    }
    return number ? "is a number, which names aren't" : NULL;
}
