/* SPDX-License-Identifier: Apache-2.0 */
/* From the end to the beginning: then the length of a message is known when it is written, and one
 * walk along the descriptors is enough, where protobuf-c takes one for the lengths and one for the
 * bytes, and in each of them for each inner message another. */
#include "net/binary.h"

#include <string.h>

enum { VARINT_BITS = 7, VARINT_MORE = 0x80, TAG_SHIFT = 3, TAG_VARINT = 0, TAG_BYTES = 2 };

/* What has been written lies from `at` on. */
struct back {
    uint8_t *begin;
    uint8_t *at;
    bool full; /* it did not fit; what is there then means nothing */
};

static void
bytes_put(struct back *out, const void *bytes, size_t count)
{
    if (count > (size_t)(out->at - out->begin)) {
        out->full = true;
        return;
    }
    out->at -= count;
    if (count > 0) {
        memcpy(out->at, bytes, count);
    }
}

static void
varint_put(struct back *out, uint64_t value)
{
    if (value < VARINT_MORE && out->at > out->begin) {
        *--out->at = (uint8_t)value;
        return;
    }
    size_t count = 1;
    for (uint64_t rest = value >> VARINT_BITS; rest > 0; rest >>= VARINT_BITS) {
        count++;
    }
    if (count > (size_t)(out->at - out->begin)) {
        out->full = true;
        return;
    }
    out->at -= count;
    for (size_t i = 0; i + 1 < count; i++, value >>= VARINT_BITS) {
        out->at[i] = (uint8_t)(value | VARINT_MORE);
    }
    out->at[count - 1] = (uint8_t)value;
}

static void
tag_put(struct back *out, const ProtobufCFieldDescriptor *field, unsigned wire_type)
{
    varint_put(out, (uint64_t)field->id << TAG_SHIFT | wire_type);
}

static void message_put(struct back *out, const ProtobufCMessage *message);

static void
inner_put(struct back *out, const ProtobufCFieldDescriptor *field, // NOLINT(misc-no-recursion)
          const ProtobufCMessage *inner)
{
    const uint8_t *end = out->at;
    message_put(out, inner);
    varint_put(out, (uint64_t)(end - out->at));
    tag_put(out, field, TAG_BYTES);
}

static void
list_put(struct back *out, const ProtobufCFieldDescriptor *field, // NOLINT(misc-no-recursion)
         const uint8_t *message)
{
    size_t count = *(const size_t *)(const void *)(message + field->quantifier_offset);
    ProtobufCMessage *const *list =
        *(ProtobufCMessage *const *const *)(const void *)(message + field->offset);
    while (count > 0) {
        inner_put(out, field, list[--count]);
    }
}

static void
number_put(struct back *out, const ProtobufCFieldDescriptor *field, uint64_t value, bool given)
{
    if (value != 0 || given) {
        varint_put(out, value);
        tag_put(out, field, TAG_VARINT);
    }
}

static void
text_put(struct back *out, const ProtobufCFieldDescriptor *field, const void *bytes, size_t count,
         bool given)
{
    if (count > 0 || given) {
        bytes_put(out, bytes, count);
        varint_put(out, count);
        tag_put(out, field, TAG_BYTES);
    }
}

/* `given`: it is told even when it is what it would be without being told. */
static void
value_put(struct back *out, const ProtobufCFieldDescriptor *field, // NOLINT(misc-no-recursion)
          const void *at, bool given)
{
    switch (schema_kind_of(field)) {
    case SCHEMA_UINT64:
        number_put(out, field, *(const uint64_t *)at, given);
        break;
    case SCHEMA_UINT32:
        number_put(out, field, *(const uint32_t *)at, given);
        break;
    case SCHEMA_BOOL:
        number_put(out, field, *(const protobuf_c_boolean *)at != 0, given);
        break;
    case SCHEMA_ENUM:
        number_put(out, field, (uint64_t)(int64_t) * (const int *)at, given);
        break;
    case SCHEMA_STRING: {
        const char *text = *(const char *const *)at;
        bool none = text == NULL || text == field->default_value;
        text_put(out, field, text, none ? 0 : strlen(text), given && !none);
        break;
    }
    case SCHEMA_BYTES: {
        const ProtobufCBinaryData *data = at;
        text_put(out, field, data->data, data->len, given);
        break;
    }
    case SCHEMA_MESSAGE: {
        const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)at;
        if (inner != NULL) {
            inner_put(out, field, inner);
        }
        break;
    }
    case SCHEMA_UNUSED:
        ASSERT(false);
    }
}

/* Calls itself as deep as the schema is (SCHEMA_DEPTH_MAX). */
static void
message_put(struct back *out, const ProtobufCMessage *message) // NOLINT(misc-no-recursion)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const uint8_t *bytes = (const uint8_t *)message;
    for (unsigned i = type->n_fields; i-- > 0;) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        bool oneof = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            list_put(out, field, bytes);
        } else if (!oneof || *(const uint32_t *)(const void *)(bytes + field->quantifier_offset) ==
                                 field->id) {
            value_put(out, field, bytes + field->offset, oneof);
        }
    }
}

size_t
binary_encode(const ProtobufCMessage *message, void *out, size_t out_bytes_max)
{
    struct back back = {.begin = out, .at = (uint8_t *)out + out_bytes_max};
    message_put(&back, message);
    if (back.full) {
        return protobuf_c_message_get_packed_size(message);
    }
    size_t count = out_bytes_max - (size_t)(back.at - back.begin);
    if (count < out_bytes_max) {
        memmove(out, back.at, count);
    }
    return count;
}
