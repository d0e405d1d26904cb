/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/xmpp.h"

#include <errno.h>
#include <string.h>

/* The ">" of the tag that begins at `at`, or NULL: it is not there yet. Within quotes it is
 * text. */
static const char *
tag_end(const char *at, const char *end)
{
    char quote = '\0';
    for (; at < end; at++) {
        if (quote != '\0') {
            if (*at == quote) {
                quote = '\0';
            }
        } else if (*at == '\'' || *at == '"') {
            quote = *at;
        } else if (*at == '>') {
            return at;
        }
    }
    return NULL;
}

static bool
begins(const char *at, const char *end, const char *text)
{
    size_t count = strlen(text);
    return (size_t)(end - at) >= count && memcmp(at, text, count) == 0;
}

/* By how much a tag changes the depth. */
static int
tag_depth(const char *tag, const char *last)
{
    if (tag[1] == '/') {
        return -1;
    }
    return last[-1] == '/' ? 0 : 1;
}

static bool
opens(const char *tag, const char *last)
{
    return begins(tag, last, "<stream:stream ") || begins(tag, last, "<?xml ");
}

int
xmpp_next(const char *bytes, size_t count, struct xmpp_stanza *out)
{
    const char *end = bytes + count;
    const char *first = bytes;
    while (first < end && strchr(" \t\r\n", *first) != NULL) {
        first++;
    }
    if (first < end && *first != '<') {
        return -EPROTO;
    }
    int depth = 0;
    for (const char *tag = first; tag != NULL && tag < end;) {
        const char *last = tag_end(tag, end);
        if (last == NULL) {
            return 0;
        }
        bool opening = depth == 0 && opens(tag, last);
        depth += opening ? 0 : tag_depth(tag, last);
        if (depth < 0) {
            return -EPROTO;
        }
        if (depth == 0) {
            *out = (struct xmpp_stanza){first, (size_t)(last + 1 - first), opening};
            return (int)(last + 1 - bytes);
        }
        tag = memchr(last, '<', (size_t)(end - last));
    }
    return 0;
}

bool
xmpp_named(const struct xmpp_stanza *stanza, const char *name)
{
    size_t count = strlen(name);
    return stanza->bytes > count + 1 && memcmp(stanza->text + 1, name, count) == 0 &&
           strchr(" />", stanza->text[count + 1]) != NULL;
}

const char *
xmpp_behind(const struct xmpp_stanza *stanza, const char *text)
{
    size_t count = strlen(text);
    const char *found = memmem(stanza->text, stanza->bytes, text, count);
    return found != NULL ? found + count : NULL;
}
