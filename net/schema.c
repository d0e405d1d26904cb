/* SPDX-License-Identifier: Apache-2.0 */
#include "net/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/utf8.h"

enum {
    /* Of a key that is quoted back to its sender. */
    QUOTED_BYTES_MAX = 40,
};

static char
upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

static bool
key_is_camel_of(const char *name, const char *key, size_t bytes)
{
    const char *end = key + bytes;
    for (; *name != '\0'; name++, key++) {
        char wanted = *name;
        if (wanted == '_') {
            name++;
            wanted = upper(*name);
        }
        if (key == end || *key != wanted) {
            return false;
        }
    }
    return key == end;
}

const ProtobufCFieldDescriptor *
schema_field_by_key(const ProtobufCMessageDescriptor *type, const char *key, size_t bytes)
{
    if (bytes == 0) {
        return NULL;
    }
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (field->name[0] != key[0]) {
            continue;
        }
        if (key_is_camel_of(field->name, key, bytes) ||
            (strlen(field->name) == bytes && memcmp(field->name, key, bytes) == 0)) {
            return field;
        }
    }
    return NULL;
}

size_t
schema_key_of(const char *name, char *out)
{
    char *next = out;
    for (; *name != '\0'; name++) {
        if (*name == '_') {
            name++;
            *next++ = upper(*name);
        } else {
            *next++ = *name;
        }
    }
    return (size_t)(next - out);
}

const char *
schema_string_wrong(const uint8_t *bytes, size_t count)
{
    if (!utf8_valid(bytes, count)) {
        return "not UTF-8";
    }
    /* protobuf-c keeps strings terminated: it would cut this one in silence. */
    if (memchr(bytes, 0, count) != NULL) {
        return "holds a U+0000";
    }
    return NULL;
}

void
schema_note_number(const ProtobufCFieldDescriptor *field, uint64_t value,
                   struct protocol_error *out_error)
{
    if (field->offset == offsetof(Linnet__V1__ClientFrame, number)) {
        out_error->number = value;
    } else if (field->offset == offsetof(Linnet__V1__ClientFrame, ref)) {
        out_error->ref = value;
    }
}

/* Appends what fits, and cuts between characters. */
static size_t
text_append(char *text, size_t used, const char *more, size_t bytes)
{
    size_t room = PROTOCOL_ERROR_TEXT_BYTES - 1 - used;
    if (bytes > room) {
        bytes = room;
        while (bytes > 0 && ((unsigned char)more[bytes] & 0xC0) == 0x80) {
            bytes--;
        }
    }
    memcpy(text + used, more, bytes);
    text[used + bytes] = '\0';
    return used + bytes;
}

static size_t
text_append_path(char *text, const struct schema_path *path)
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < path->depth; i++) {
        const struct schema_level *level = &path->levels[i];
        if (level->field == NULL) {
            break;
        }
        char key[PROTOCOL_ERROR_TEXT_BYTES];
        ASSERT(strlen(level->field->name) < sizeof(key));
        size_t bytes = schema_key_of(level->field->name, key);
        used = text_append(text, used, ".", i > 0 ? 1 : 0);
        used = text_append(text, used, key, bytes);
        if (level->field->label == PROTOBUF_C_LABEL_REPEATED && level->elements > 0) {
            char index[16];
            int written = snprintf(index, sizeof(index), "[%u]", level->elements - 1);
            used = text_append(text, used, index, (size_t)written);
        }
    }
    return used;
}

int
schema_fail(const struct schema_path *path, struct protocol_error *out_error, const char *text)
{
    out_error->code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    size_t used = text_append_path(out_error->text, path);
    used = text_append(out_error->text, used, ": ", used > 0 ? 2 : 0);
    text_append(out_error->text, used, text, strlen(text));
    return -EPROTO;
}

int
schema_fail_unknown(const struct schema_path *path, struct protocol_error *out_error,
                    const char *key, size_t bytes)
{
    static const char unknown[] = "unknown field \"";
    out_error->code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    char *text = out_error->text;
    size_t used = text_append_path(text, path);
    used = text_append(text, used, ": ", used > 0 ? 2 : 0);
    used = text_append(text, used, unknown, sizeof(unknown) - 1);
    bool cut = bytes > QUOTED_BYTES_MAX;
    if (cut) {
        bytes = QUOTED_BYTES_MAX;
        while (bytes > 0 && ((unsigned char)key[bytes] & 0xC0) == 0x80) {
            bytes--;
        }
    }
    size_t quoted = used;
    used = text_append(text, used, key, bytes);
    for (; quoted < used; quoted++) {
        if ((unsigned char)text[quoted] < 0x20 || text[quoted] == 0x7F) {
            text[quoted] = '?';
        }
    }
    used = text_append(text, used, "...", cut ? 3 : 0);
    text_append(text, used, "\"", 1);
    return -EPROTO;
}

int
schema_fail_memory(struct protocol_error *out_error)
{
    out_error->code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    static const char text[] = "needs too much memory";
    text_append(out_error->text, 0, text, sizeof(text) - 1);
    return -ENOMEM;
}

const char *
schema_expected(const ProtobufCFieldDescriptor *field)
{
    switch (schema_kind_of(field)) {
    case SCHEMA_UINT64:
        return "not an unsigned 64-bit number";
    case SCHEMA_UINT32:
        return "not an unsigned 32-bit number";
    case SCHEMA_BOOL:
        return "not true or false";
    case SCHEMA_ENUM:
        return "not one of its names";
    case SCHEMA_STRING:
        return "not a string";
    case SCHEMA_BYTES:
        return "not base64";
    case SCHEMA_MESSAGE:
        return "not an object";
    case SCHEMA_UNUSED:
        break;
    }
    return "not of its type";
}
