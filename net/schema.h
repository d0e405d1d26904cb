/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - what the schema's descriptors tell, for both forms: which field a name means, whether
 * a field may come (again) here, and where in a frame we are when something is wrong.
 *
 * A decoder walks a frame with a schema_path: one level for each message it is inside of. Both
 * decoders ask the same questions here, so that the same mistake gets the same words in both forms.
 *
 * For net/binary.c and net/json_*.c. No memory but the caller's.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/protocol.h"
#include "runtime/check.h"

enum {
    /* Messages within messages: the schema has four (frame, command or event, chat or limits). A
     * test holds it to this. */
    SCHEMA_DEPTH_MAX = 6,
    /* Fields of one message: they are bits of a word. A test holds the schema to this, too. */
    SCHEMA_FIELDS_MAX = 64,
};

/* The types of fields that the schema uses, of the eighteen that protobuf has. A test holds it to
 * them. */
enum schema_kind {
    SCHEMA_UINT64,
    SCHEMA_UINT32,
    SCHEMA_BOOL,
    SCHEMA_ENUM,
    SCHEMA_STRING,
    SCHEMA_BYTES,
    SCHEMA_MESSAGE, /* the only one that may be repeated */
    SCHEMA_UNUSED,
};

/* The same mistake, the same words. */
#define SCHEMA_TEXT_ABOVE_MAX "above 2^53 - 1"
#define SCHEMA_TEXT_CUT "the frame ends within it"
#define SCHEMA_TEXT_TWICE "given twice"
#define SCHEMA_TEXT_ONEOF "given beside another of which only one may be given"

/* What a decoder is given; all borrowed. */
struct schema_input {
    const ProtobufCMessageDescriptor *type;
    const uint8_t *bytes;
    size_t count;
    struct arena *arena;
    bool
        /* JSON's unknown fields, for reading a newer node; the binary form skips them always */
        skip_unknown;
};

/* A message that is being read. */
struct schema_level {
    const ProtobufCMessageDescriptor *type;
    const ProtobufCFieldDescriptor *field; /* whose value is being read; NULL: between two */
    const ProtobufCFieldDescriptor *oneof; /* the member given of the only oneof; NULL: none */
    uint64_t seen;                         /* a bit for each of type's fields */
    uint32_t elements;                     /* of the repeated field that is being read, so far */
};

struct schema_path {
    unsigned depth; /* levels in use */
    struct schema_level levels[SCHEMA_DEPTH_MAX];
};

/* Of what kind a field's values are. */
static inline enum schema_kind
schema_kind_of(const ProtobufCFieldDescriptor *field)
{
    static const uint8_t kinds[] = {
        [PROTOBUF_C_TYPE_INT32] = SCHEMA_UNUSED,    [PROTOBUF_C_TYPE_SINT32] = SCHEMA_UNUSED,
        [PROTOBUF_C_TYPE_SFIXED32] = SCHEMA_UNUSED, [PROTOBUF_C_TYPE_INT64] = SCHEMA_UNUSED,
        [PROTOBUF_C_TYPE_SINT64] = SCHEMA_UNUSED,   [PROTOBUF_C_TYPE_SFIXED64] = SCHEMA_UNUSED,
        [PROTOBUF_C_TYPE_UINT32] = SCHEMA_UINT32,   [PROTOBUF_C_TYPE_FIXED32] = SCHEMA_UNUSED,
        [PROTOBUF_C_TYPE_UINT64] = SCHEMA_UINT64,   [PROTOBUF_C_TYPE_FIXED64] = SCHEMA_UNUSED,
        [PROTOBUF_C_TYPE_FLOAT] = SCHEMA_UNUSED,    [PROTOBUF_C_TYPE_DOUBLE] = SCHEMA_UNUSED,
        [PROTOBUF_C_TYPE_BOOL] = SCHEMA_BOOL,       [PROTOBUF_C_TYPE_ENUM] = SCHEMA_ENUM,
        [PROTOBUF_C_TYPE_STRING] = SCHEMA_STRING,   [PROTOBUF_C_TYPE_BYTES] = SCHEMA_BYTES,
        [PROTOBUF_C_TYPE_MESSAGE] = SCHEMA_MESSAGE,
    };
    return (enum schema_kind)kinds[field->type];
}

/* The field that a JSON key means, by its lowerCamelCase or its original name; NULL if none. */
const ProtobufCFieldDescriptor *schema_field_by_key(const ProtobufCMessageDescriptor *type,
                                                    const char *key, size_t bytes);

/* Writes a field's lowerCamelCase name; returns its length. `out` has room for strlen(name). */
size_t schema_key_of(const char *name, char *out);

/* True if the field was not there before in this message; notes that it is now. */
static inline bool
schema_field_claim(struct schema_level *level, const ProtobufCFieldDescriptor *field)
{
    size_t index = (size_t)(field - level->type->fields);
    ASSERT(index < SCHEMA_FIELDS_MAX);
    uint64_t before = level->seen;
    level->seen = before | UINT64_C(1) << index;
    return level->seen != before;
}

/* What is wrong with a string field's bytes; NULL if nothing is. */
const char *schema_string_wrong(const uint8_t *bytes, size_t count);

/* Keeps a client frame's number or ref, so that an error met later can be answered to it. Other
 * fields are ignored. */
void schema_note_number(const ProtobufCFieldDescriptor *field, uint64_t value,
                        struct protocol_error *out_error);

/* Notes what is wrong where the path stands ("sendMessage.chat.userId: " and the text) and returns
 * -EPROTO. A path without levels gives the text alone. */
int schema_fail(const struct schema_path *path, struct protocol_error *out_error, const char *text);

/* The same for a key that the innermost message doesn't have. */
int schema_fail_unknown(const struct schema_path *path, struct protocol_error *out_error,
                        const char *key, size_t bytes);

/* What a value of the field should have been: "not an unsigned 64-bit number", "not an object". */
const char *schema_expected(const ProtobufCFieldDescriptor *field);

/* The arena's limit was met; returns -ENOMEM. */
int schema_fail_memory(struct protocol_error *out_error);
