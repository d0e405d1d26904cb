/* SPDX-License-Identifier: Apache-2.0 */
/* yajl reads the text and calls back for each piece; the path knows which message and field the
 * piece belongs to, and the descriptor how it is stored. The innermost level is in one of these
 * states:
 *
 *     field == NULL          a key comes, or the end of the map
 *     field, not in_array    the field's value comes
 *     field, in_array        an element comes, or the end of the array
 *
 * and beside them the reader may be skipping: what comes then belongs to an unknown field's value.
 *
 * yajl's own leniencies are closed before it sees the text: it takes overlong UTF-8, and makes
 * question marks of lone surrogates. Keys given twice it leaves to us. */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "net/base64.h"
#include "net/decimal.h"
#include "net/json.h"
#include "net/utf8.h"

enum {
    /* A repeated field's first room, doubled when it is full. */
    ELEMENTS_MIN = 4,
    /* Longer names than any enum of ours has. */
    ENUM_NAME_BYTES_MAX = 64,
};

/* A message that is being filled; beside the path's level of the same depth. */
struct filling {
    ProtobufCMessage *message;
    bool in_array;
    size_t room; /* of the array, in elements */
};

struct reader {
    struct schema_path path;
    struct filling fillings[SCHEMA_DEPTH_MAX];
    const struct schema_input *input;
    struct protocol_error *error;
    ProtobufCMessage *root;
    bool skip;
    unsigned skip_depth; /* maps and arrays open inside of the skipped value */
    int rc;
    jmp_buf without_memory; /* where yajl's allocator goes when there is none */
};

/* ---- Failing, and finding out where we are ---- */

static int
fail(struct reader *reader, const char *text)
{
    reader->rc = schema_fail(&reader->path, reader->error, text);
    return 0;
}

static int
fail_memory(struct reader *reader)
{
    reader->rc = schema_fail_memory(reader->error);
    return 0;
}

static struct schema_level *
level_of(struct reader *reader)
{
    return &reader->path.levels[reader->path.depth - 1];
}

static struct filling *
filling_of(struct reader *reader)
{
    return &reader->fillings[reader->path.depth - 1];
}

/* Sets the oneof that the field is a member of to it; false if another one is set. */
static bool
oneof_set(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    uint32_t set;
    char *quantifier = (char *)message + field->quantifier_offset;
    memcpy(&set, quantifier, sizeof(set));
    if (set != 0) {
        return false;
    }
    memcpy(quantifier, &field->id, sizeof(field->id));
    return true;
}

/* A value other than null comes: may it? NULL if not, else the field it is for. */
static const ProtobufCFieldDescriptor *
value_begin(struct reader *reader)
{
    if (reader->path.depth == 0) {
        fail(reader, "not a JSON object");
        return NULL;
    }
    struct schema_level *level = level_of(reader);
    const struct filling *filling = filling_of(reader);
    const ProtobufCFieldDescriptor *field = level->field;
    if (filling->in_array) {
        level->elements++;
    } else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        fail(reader, "not an array");
        return NULL;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && !oneof_set(filling->message, field)) {
        fail(reader, SCHEMA_TEXT_ONEOF);
        return NULL;
    }
    return field;
}

static void *
member_of(struct reader *reader, const ProtobufCFieldDescriptor *field)
{
    return (char *)filling_of(reader)->message + field->offset;
}

/* The value is stored. Arrays go on until their end. */
static int
value_end(struct reader *reader)
{
    level_of(reader)->field = NULL;
    return 1;
}

/* True if what comes is inside of an unknown field; a single value is over with this. */
static bool
skip_value(struct reader *reader)
{
    if (!reader->skip) {
        return false;
    }
    reader->skip = reader->skip_depth > 0;
    return true;
}

static int
skip_open(struct reader *reader)
{
    if (reader->skip_depth == PROTOCOL_DEPTH_MAX) {
        return fail(reader, "nested too deep");
    }
    reader->skip_depth++;
    return 1;
}

static int
skip_close(struct reader *reader)
{
    reader->skip_depth--;
    reader->skip = reader->skip_depth > 0;
    return 1;
}

/* ---- Storing values ---- */

static int
store_number(struct reader *reader, const ProtobufCFieldDescriptor *field, const char *text,
             size_t bytes)
{
    uint64_t value;
    int rc = decimal_parse(text, bytes, &value);
    if (rc == -EINVAL) {
        return fail(reader, schema_expected(field));
    }
    void *member = member_of(reader, field);
    if (schema_kind_of(field) == SCHEMA_UINT64) {
        if (rc < 0 || value > PROTOCOL_NUMBER_MAX) {
            return fail(reader, SCHEMA_TEXT_ABOVE_MAX);
        }
        *(uint64_t *)member = value;
    } else {
        uint32_t max = schema_kind_of(field) == SCHEMA_ENUM ? INT32_MAX : UINT32_MAX;
        if (rc < 0 || value > max) {
            return fail(reader, schema_expected(field));
        }
        *(uint32_t *)member = (uint32_t)value;
    }
    if (reader->root->descriptor == &linnet__v1__client_frame__descriptor &&
        reader->path.depth == 1) {
        schema_note_number(field, value, reader->error);
    }
    return value_end(reader);
}

static int
store_enum(struct reader *reader, const ProtobufCFieldDescriptor *field, const char *text,
           size_t bytes)
{
    char name[ENUM_NAME_BYTES_MAX + 1] = "";
    if (bytes <= ENUM_NAME_BYTES_MAX && memchr(text, 0, bytes) == NULL) {
        memcpy(name, text, bytes);
    }
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, name);
    if (value == NULL && !reader->input->skip_unknown) {
        return fail(reader, schema_expected(field));
    }
    *(int *)member_of(reader, field) = value != NULL ? value->value : 0;
    return value_end(reader);
}

static int
store_text(struct reader *reader, const ProtobufCFieldDescriptor *field, const char *text,
           size_t bytes)
{
    const char *wrong = schema_string_wrong((const uint8_t *)text, bytes);
    if (wrong != NULL) {
        return fail(reader, wrong);
    }
    char *copy = arena_alloc(reader->input->arena, bytes + 1);
    if (copy == NULL) {
        return fail_memory(reader);
    }
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    *(char **)member_of(reader, field) = copy;
    return value_end(reader);
}

static int
store_bytes(struct reader *reader, const ProtobufCFieldDescriptor *field, const char *text,
            size_t bytes)
{
    uint8_t *data = arena_alloc(reader->input->arena, base64_decoded_bytes_max(bytes));
    if (data == NULL) {
        return fail_memory(reader);
    }
    size_t count;
    if (base64_decode(text, bytes, data, &count) < 0) {
        return fail(reader, schema_expected(field));
    }
    *(ProtobufCBinaryData *)member_of(reader, field) =
        (ProtobufCBinaryData){.data = data, .len = count};
    return value_end(reader);
}

static ProtobufCMessage *
message_new(struct reader *reader, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = arena_alloc(reader->input->arena, type->sizeof_message);
    if (message != NULL) {
        protobuf_c_message_init(type, message);
    }
    return message;
}

/* Puts the message behind the others of the field's array. */
static bool
element_append(struct reader *reader, const ProtobufCFieldDescriptor *field,
               ProtobufCMessage *message)
{
    struct filling *filling = filling_of(reader);
    ProtobufCMessage ***array = member_of(reader, field);
    size_t *count = (size_t *)(void *)((char *)filling->message + field->quantifier_offset);
    if (*count == filling->room) {
        size_t room = filling->room > 0 ? filling->room * 2 : ELEMENTS_MIN;
        ProtobufCMessage **larger = arena_alloc(reader->input->arena, room * sizeof(void *));
        if (larger == NULL) {
            return false;
        }
        if (*count > 0) {
            memcpy(larger, *array, *count * sizeof(void *));
        }
        *array = larger;
        filling->room = room;
    }
    (*array)[(*count)++] = message;
    return true;
}

/* ---- What yajl calls; 0 ends the parse ---- */

static int
on_null(void *context)
{
    struct reader *reader = context;
    if (skip_value(reader)) {
        return 1;
    }
    if (reader->path.depth == 0) {
        return fail(reader, "not a JSON object");
    }
    if (filling_of(reader)->in_array) {
        level_of(reader)->elements++;
        return fail(reader, schema_expected(level_of(reader)->field));
    }
    return value_end(reader);
}

static int
on_boolean(void *context, int value)
{
    struct reader *reader = context;
    if (skip_value(reader)) {
        return 1;
    }
    const ProtobufCFieldDescriptor *field = value_begin(reader);
    if (field == NULL) {
        return 0;
    }
    if (schema_kind_of(field) != SCHEMA_BOOL) {
        return fail(reader, schema_expected(field));
    }
    *(protobuf_c_boolean *)member_of(reader, field) = value;
    return value_end(reader);
}

static int
on_number(void *context, const char *text, size_t bytes)
{
    struct reader *reader = context;
    if (skip_value(reader)) {
        return 1;
    }
    const ProtobufCFieldDescriptor *field = value_begin(reader);
    if (field == NULL) {
        return 0;
    }
    enum schema_kind kind = schema_kind_of(field);
    if (kind != SCHEMA_UINT64 && kind != SCHEMA_UINT32 && kind != SCHEMA_ENUM) {
        return fail(reader, schema_expected(field));
    }
    return store_number(reader, field, text, bytes);
}

static int
on_string(void *context, const unsigned char *string, size_t bytes)
{
    struct reader *reader = context;
    if (skip_value(reader)) {
        return 1;
    }
    const ProtobufCFieldDescriptor *field = value_begin(reader);
    if (field == NULL) {
        return 0;
    }
    const char *text = (const char *)string;
    switch (schema_kind_of(field)) {
    case SCHEMA_UINT64:
    case SCHEMA_UINT32:
        return store_number(reader, field, text, bytes);
    case SCHEMA_ENUM:
        return store_enum(reader, field, text, bytes);
    case SCHEMA_STRING:
        return store_text(reader, field, text, bytes);
    case SCHEMA_BYTES:
        return store_bytes(reader, field, text, bytes);
    case SCHEMA_BOOL:
    case SCHEMA_MESSAGE:
    case SCHEMA_UNUSED:
        break;
    }
    return fail(reader, schema_expected(field));
}

static int
on_map_start(void *context)
{
    struct reader *reader = context;
    if (reader->skip) {
        return skip_open(reader);
    }
    const ProtobufCFieldDescriptor *field = NULL;
    if (reader->root != NULL) {
        field = value_begin(reader);
        if (field == NULL) {
            return 0;
        }
        if (schema_kind_of(field) != SCHEMA_MESSAGE) {
            return fail(reader, schema_expected(field));
        }
    }
    ProtobufCMessage *message =
        message_new(reader, field != NULL ? field->descriptor : reader->input->type);
    if (message == NULL) {
        return fail_memory(reader);
    }
    if (field == NULL) {
        reader->root = message;
    } else if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        *(ProtobufCMessage **)member_of(reader, field) = message;
    } else if (!element_append(reader, field, message)) {
        return fail_memory(reader);
    }
    unsigned depth = reader->path.depth++;
    ASSERT(depth < SCHEMA_DEPTH_MAX);
    reader->path.levels[depth] = (struct schema_level){.type = message->descriptor};
    reader->fillings[depth] = (struct filling){.message = message};
    return 1;
}

static int
on_map_key(void *context, const unsigned char *string, size_t bytes)
{
    struct reader *reader = context;
    if (reader->skip) {
        return 1;
    }
    struct schema_level *level = level_of(reader);
    const char *key = (const char *)string;
    const ProtobufCFieldDescriptor *field = schema_field_by_key(level->type, key, bytes);
    if (field == NULL && reader->input->skip_unknown) {
        reader->skip = true;
        return 1;
    }
    if (field == NULL) {
        reader->rc = schema_fail_unknown(&reader->path, reader->error, key, bytes);
        return 0;
    }
    level->field = field;
    level->elements = 0;
    return schema_field_claim(level, field) ? 1 : fail(reader, SCHEMA_TEXT_TWICE);
}

static int
on_map_end(void *context)
{
    struct reader *reader = context;
    if (reader->skip) {
        return skip_close(reader);
    }
    reader->path.depth--;
    if (reader->path.depth == 0 || filling_of(reader)->in_array) {
        return 1;
    }
    return value_end(reader);
}

static int
on_array_start(void *context)
{
    struct reader *reader = context;
    if (reader->skip) {
        return skip_open(reader);
    }
    if (reader->path.depth == 0) {
        return fail(reader, "not a JSON object");
    }
    struct filling *filling = filling_of(reader);
    struct schema_level *level = level_of(reader);
    if (filling->in_array || level->field->label != PROTOBUF_C_LABEL_REPEATED) {
        level->elements += filling->in_array;
        return fail(reader, schema_expected(level->field));
    }
    filling->in_array = true;
    filling->room = 0;
    return 1;
}

static int
on_array_end(void *context)
{
    struct reader *reader = context;
    if (reader->skip) {
        return skip_close(reader);
    }
    filling_of(reader)->in_array = false;
    return value_end(reader);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map_start,
    .yajl_map_key = on_map_key,
    .yajl_end_map = on_map_end,
    .yajl_start_array = on_array_start,
    .yajl_end_array = on_array_end,
};

/* ---- yajl's memory ----
 *
 * It is the arena's. yajl doesn't look whether it got any, so where there is none the allocator
 * doesn't come back to it: it jumps to who called yajl, which owns nothing besides and needs no
 * unwinding. */

/* In front of each piece, since realloc isn't told how large it was. */
struct piece {
    _Alignas(max_align_t) size_t bytes;
};

static void *
piece_alloc(void *context, size_t bytes)
{
    struct reader *reader = context;
    struct piece *piece = arena_alloc(reader->input->arena, sizeof(*piece) + bytes);
    if (piece == NULL) {
        fail_memory(reader);
        longjmp(reader->without_memory, 1);
    }
    piece->bytes = bytes;
    return piece + 1;
}

static void *
piece_realloc(void *context, void *pointer, size_t bytes)
{
    if (pointer == NULL) {
        return piece_alloc(context, bytes);
    }
    struct reader *reader = context;
    struct piece *piece = (struct piece *)pointer - 1;
    if (arena_extend(reader->input->arena, piece, sizeof(*piece) + piece->bytes,
                     sizeof(*piece) + bytes)) {
        piece->bytes = bytes;
        return pointer;
    }
    void *copy = piece_alloc(context, bytes);
    memcpy(copy, pointer, piece->bytes < bytes ? piece->bytes : bytes);
    return copy;
}

static void
piece_free(void *context, void *pointer)
{
    (void)context;
    (void)pointer;
}

/* ---- The whole text ---- */

/* The UTF-16 unit of a \uXXXX at `next`; negative if there is none, which yajl will complain
 * about. */
static int
escape_unit(const uint8_t *next, const uint8_t *end)
{
    if (end - next < 6 || next[0] != '\\' || next[1] != 'u') {
        return -1;
    }
    int unit = 0;
    for (int i = 2; i < 6; i++) {
        int c = next[i] | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

/* The first escaped surrogate without its other half; NULL if there is none. Backslashes are
 * nowhere but in strings. */
static const uint8_t *
lone_surrogate(const uint8_t *next, const uint8_t *end)
{
    while ((next = memchr(next, '\\', (size_t)(end - next))) != NULL) {
        int unit = escape_unit(next, end);
        if (unit < 0xD800 || unit > 0xDFFF) {
            next += end - next < 2 ? 1 : 2;
            continue;
        }
        int low = escape_unit(next + 6, end);
        if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
            return next;
        }
        next += 12;
    }
    return NULL;
}

/* In yajl's words. */
static int
fail_syntax(struct reader *reader, yajl_handle handle, size_t at)
{
    const struct schema_input *input = reader->input;
    const char *words = (const char *)yajl_get_error(handle, 0, input->bytes, input->count);
    char text[PROTOCOL_ERROR_TEXT_BYTES];
    int words_bytes = (int)strcspn(words, "\n");
    (void)snprintf(text, sizeof(text), "not JSON near byte %zu: %.*s", at, words_bytes, words);
    reader->path.depth = 0;
    fail(reader, text);
    return reader->rc;
}

static int
fail_at(struct reader *reader, const char *what, const uint8_t *where)
{
    char text[PROTOCOL_ERROR_TEXT_BYTES];
    (void)snprintf(text, sizeof(text), "not JSON at byte %td: %s", where - reader->input->bytes,
                   what);
    fail(reader, text);
    return reader->rc;
}

static int
json_parse(struct reader *reader)
{
    const struct schema_input *input = reader->input;
    yajl_alloc_funcs memory = {
        .malloc = piece_alloc,
        .realloc = piece_realloc,
        .free = piece_free,
        .ctx = reader,
    };
    if (setjmp(reader->without_memory) != 0) {
        return reader->rc;
    }
    yajl_handle handle = yajl_alloc(&callbacks, &memory, reader);
    if (yajl_config(handle, yajl_dont_validate_strings, 1) == 0) {
        return -EINVAL;
    }
    yajl_status status = yajl_parse(handle, input->bytes, input->count);
    if (status == yajl_status_error) {
        return fail_syntax(reader, handle, yajl_get_bytes_consumed(handle));
    }
    if (status == yajl_status_ok && yajl_complete_parse(handle) == yajl_status_error) {
        return fail_syntax(reader, handle, input->count);
    }
    return reader->rc;
}

int
json_decode(const struct schema_input *input, ProtobufCMessage **out_message,
            struct protocol_error *out_error)
{
    struct reader reader;
    reader.path.depth = 0;
    reader.input = input;
    reader.error = out_error;
    reader.root = NULL;
    reader.skip = false;
    reader.skip_depth = 0;
    reader.rc = 0;
    const uint8_t *end = input->bytes + input->count;
    if (!utf8_valid(input->bytes, input->count)) {
        fail(&reader, "not UTF-8");
        return reader.rc;
    }
    const uint8_t *lone = lone_surrogate(input->bytes, end);
    if (lone != NULL) {
        return fail_at(&reader, "a lone surrogate", lone);
    }
    int rc = json_parse(&reader);
    if (rc < 0) {
        return rc;
    }
    *out_message = reader.root;
    return 0;
}
