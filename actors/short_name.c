/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/short_name.h"

#include "runtime/check.h"
#include "runtime/linnet.h"

#include <string.h>

/* Of a long one. */
static char *
block(const struct short_name *name)
{
    char *text;
    memcpy(&text, name->text, sizeof text);
    return text;
}

void
short_name_set(struct short_name *name, const struct store_name *from)
{
    ASSERT(from->bytes <= sizeof from->text);
    if (name->bytes > SHORT_NAME_BYTES) {
        ln_free(block(name));
    }
    name->bytes = from->bytes;
    if (from->bytes <= SHORT_NAME_BYTES) {
        memcpy(name->text, from->text, from->bytes);
        return;
    }
    char *text = ln_alloc(from->bytes);
    memcpy(text, from->text, from->bytes);
    memcpy(name->text, &text, sizeof text);
}

void
short_name_get(const struct short_name *name, struct store_name *out)
{
    const char *text = name->bytes > SHORT_NAME_BYTES ? block(name) : name->text;
    out->bytes = name->bytes;
    memcpy(out->text, text, name->bytes);
}
