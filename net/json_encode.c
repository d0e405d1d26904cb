/* SPDX-License-Identifier: Apache-2.0 */
/* The message is a tree, the walk a loop over a short stack of levels: the schema bounds its depth.
 * What doesn't fit is counted and not written, so that measuring and writing are one code. */
#include <string.h>

#include "net/base64.h"
#include "net/decimal.h"
#include "net/json.h"

enum {
    /* Longer field names than any schema of ours has; a test holds it to this. */
    KEY_BYTES_MAX = 64,
    /* A piece of bytes that becomes base64 at once; a multiple of three, so that padding comes only
     * at the end. */
    BASE64_PIECE_BYTES = 192,
};

struct level {
    const ProtobufCMessage *message;
    unsigned field; /* the next to look at */
    size_t element; /* of a repeated field, the next to write */
    bool written;   /* something, so that a comma comes next */
};

struct writer {
    char *out;
    size_t max;
    size_t used; /* beyond max: counted only */
    unsigned depth;
    struct level levels[SCHEMA_DEPTH_MAX];
};

static void
put(struct writer *writer, const void *text, size_t bytes)
{
    if (writer->used <= writer->max && bytes <= writer->max - writer->used) {
        memcpy(writer->out + writer->used, text, bytes);
    }
    writer->used += bytes;
}

static void
put_char(struct writer *writer, char c)
{
    if (writer->used < writer->max) {
        writer->out[writer->used] = c;
    }
    writer->used++;
}

static void
put_number(struct writer *writer, uint64_t value)
{
    char digits[DECIMAL_BYTES_MAX];
    put(writer, digits, decimal_write(value, digits));
}

static void
put_escaped(struct writer *writer, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "btnvfr"; /* from U+0008; U+000B has none in JSON */
    if (c == '"' || c == '\\') {
        put(writer, (char[]){'\\', (char)c}, 2);
    } else if (c >= '\b' && c <= '\r' && c != '\v') {
        put(writer, (char[]){'\\', letters[c - '\b']}, 2);
    } else {
        put(writer, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    }
}

/* Does any of the eight bytes have to be escaped? The usual word tricks: the high bit of a byte of
 * (word - n * ones) & ~word tells that it was below n, exactly so for the lowest such byte. */
static inline bool
any_escaped(const char *text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones << 7;
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    uint64_t quote = word ^ ones * '"';
    uint64_t backslash = word ^ ones * '\\';
    uint64_t control = (word - ones * 0x20) & ~word;
    return ((control | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs) != 0;
}

/* The first character from `text` on that has to be escaped; `end` if there is none. */
static const char *
first_escaped(const char *text, const char *end)
{
    while (end - text >= 8 && !any_escaped(text)) {
        text += 8;
    }
    while (text < end && (unsigned char)*text >= 0x20 && *text != '"' && *text != '\\') {
        text++;
    }
    return text;
}

static void
put_string(struct writer *writer, const char *text)
{
    const char *end = text + strlen(text);
    put_char(writer, '"');
    while (text < end) {
        const char *escaped = first_escaped(text, end);
        put(writer, text, (size_t)(escaped - text));
        if (escaped < end) {
            put_escaped(writer, (unsigned char)*escaped++);
        }
        text = escaped;
    }
    put_char(writer, '"');
}

static void
put_bytes(struct writer *writer, const ProtobufCBinaryData *data)
{
    put_char(writer, '"');
    const uint8_t *next = data->data;
    size_t left = data->len;
    while (left > 0) {
        char text[BASE64_PIECE_BYTES / 3 * 4];
        size_t piece = left < BASE64_PIECE_BYTES ? left : BASE64_PIECE_BYTES;
        base64_encode(next, piece, text);
        put(writer, text, base64_encoded_bytes(piece));
        next += piece;
        left -= piece;
    }
    put_char(writer, '"');
}

static void
put_enum(struct writer *writer, const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
    if (known != NULL) {
        put_char(writer, '"');
        put(writer, known->name, strlen(known->name));
        put_char(writer, '"');
    } else {
        /* A newer peer's; the mapping writes the number. */
        put_number(writer, (uint32_t)value);
    }
}

/* The field's value lies at `member`. A message is not written but becomes the next level. */
static void
put_value(struct writer *writer, const ProtobufCFieldDescriptor *field, const void *member)
{
    switch (schema_kind_of(field)) {
    case SCHEMA_UINT64:
        put_char(writer, '"');
        put_number(writer, *(const uint64_t *)member);
        put_char(writer, '"');
        break;
    case SCHEMA_UINT32:
        put_number(writer, *(const uint32_t *)member);
        break;
    case SCHEMA_BOOL:
        put(writer, *(const protobuf_c_boolean *)member ? "true" : "false",
            *(const protobuf_c_boolean *)member ? 4 : 5);
        break;
    case SCHEMA_ENUM:
        put_enum(writer, field->descriptor, *(const int *)member);
        break;
    case SCHEMA_STRING:
        put_string(writer, *(char *const *)member);
        break;
    case SCHEMA_BYTES:
        put_bytes(writer, member);
        break;
    case SCHEMA_MESSAGE:
        ASSERT(writer->depth < SCHEMA_DEPTH_MAX);
        writer->levels[writer->depth++] =
            (struct level){.message = *(ProtobufCMessage *const *)member};
        put_char(writer, '{');
        break;
    case SCHEMA_UNUSED:
        ASSERT(schema_kind_of(field) != SCHEMA_UNUSED);
    }
}

/* Whether a singular field has something to say: the set member of a oneof always, others beside
 * their default. */
static bool
field_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    const void *member = base + field->offset;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t set;
        memcpy(&set, base + field->quantifier_offset, sizeof(set));
        return set == field->id;
    }
    switch (schema_kind_of(field)) {
    case SCHEMA_UINT64:
        return *(const uint64_t *)member != 0;
    case SCHEMA_STRING:
        return *(char *const *)member != NULL && **(char *const *)member != '\0';
    case SCHEMA_BYTES:
        return ((const ProtobufCBinaryData *)member)->len != 0;
    case SCHEMA_MESSAGE:
        return *(ProtobufCMessage *const *)member != NULL;
    case SCHEMA_UINT32:
    case SCHEMA_BOOL:
    case SCHEMA_ENUM:
    case SCHEMA_UNUSED:
        break;
    }
    return *(const uint32_t *)member != 0;
}

static void
put_key(struct writer *writer, struct level *level, const ProtobufCFieldDescriptor *field)
{
    char key[KEY_BYTES_MAX];
    if (level->written) {
        put_char(writer, ',');
    }
    level->written = true;
    put_char(writer, '"');
    put(writer, key, schema_key_of(field->name, key));
    put(writer, "\":", 2);
}

/* The next element of the level's repeated field; behind the last, on to the next field. */
static void
put_element(struct writer *writer, struct level *level, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)level->message;
    size_t count = *(const size_t *)(base + field->quantifier_offset);
    if (count == 0) {
        level->field++;
        return;
    }
    if (level->element == count) {
        put_char(writer, ']');
        level->element = 0;
        level->field++;
        return;
    }
    if (level->element == 0) {
        put_key(writer, level, field);
        put_char(writer, '[');
    } else {
        put_char(writer, ',');
    }
    /* All repeated fields of the schema are of messages; a test holds it to this. */
    void *const *elements = *(void *const *const *)(base + field->offset);
    put_value(writer, field, &elements[level->element++]);
}

/* Passes over a oneof's members that are not set: nearly all of a frame's fields. */
static void
skip_unset(struct level *level)
{
    const ProtobufCMessageDescriptor *type = level->message->descriptor;
    const char *base = (const char *)level->message;
    for (; level->field < type->n_fields; level->field++) {
        const ProtobufCFieldDescriptor *field = &type->fields[level->field];
        uint32_t set;
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
            return;
        }
        memcpy(&set, base + field->quantifier_offset, sizeof(set));
        if (set == field->id) {
            return;
        }
    }
}

size_t
json_encode(const ProtobufCMessage *message, void *out, size_t out_bytes_max)
{
    struct writer writer;
    writer.out = out;
    writer.max = out_bytes_max;
    writer.used = 0;
    writer.depth = 1;
    writer.levels[0] = (struct level){.message = message};
    put_char(&writer, '{');
    while (writer.depth > 0) {
        struct level *level = &writer.levels[writer.depth - 1];
        const ProtobufCMessageDescriptor *type = level->message->descriptor;
        skip_unset(level);
        if (level->field == type->n_fields) {
            put_char(&writer, '}');
            writer.depth--;
            continue;
        }
        const ProtobufCFieldDescriptor *field = &type->fields[level->field];
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            put_element(&writer, level, field);
            continue;
        }
        level->field++;
        if (field_present(level->message, field)) {
            put_key(&writer, level, field);
            put_value(&writer, field, (const char *)level->message + field->offset);
        }
    }
    return writer.used;
}
