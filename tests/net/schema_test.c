/* SPDX-License-Identifier: Apache-2.0 */
#include "net/schema.h"

#include <errno.h>
#include <string.h>

#include "tests/spec.h"

/* What the codecs assume of the schema, asked of every message that a frame can hold. */
static void
fits_type(const ProtobufCMessageDescriptor *type, unsigned depth) /* NOLINT(misc-no-recursion) */
{
    assert_true(depth <= SCHEMA_DEPTH_MAX);
    assert_true(type->n_fields <= SCHEMA_FIELDS_MAX);
    const ProtobufCFieldDescriptor *oneof = NULL;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
            assert_true(oneof == NULL || oneof->quantifier_offset == field->quantifier_offset);
            oneof = field;
        }
        assert_true(i == 0 || type->fields[i - 1].id < field->id);
        enum schema_kind kind = schema_kind_of(field);
        assert_true(kind != SCHEMA_UNUSED);
        assert_true(strlen(field->name) <= 64);
        assert_true(field->label != PROTOBUF_C_LABEL_REQUIRED);
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            assert_int_equal(kind, SCHEMA_MESSAGE);
        }
        char key[64];
        size_t bytes = schema_key_of(field->name, key);
        assert_ptr_equal(schema_field_by_key(type, key, bytes), field);
        assert_ptr_equal(schema_field_by_key(type, field->name, strlen(field->name)), field);
        if (kind == SCHEMA_MESSAGE) {
            fits_type(field->descriptor, depth + 1);
        }
    }
}

static void
fits_the_codecs(void **state)
{
    (void)state;
    fits_type(&linnet__v1__client_frame__descriptor, 1);
    fits_type(&linnet__v1__server_frame__descriptor, 1);
}

static void
finds_fields(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *name;
    } keys[] = {
        {"inboxNumber", "inbox_number"},
        {"inbox_number", "inbox_number"},
        {"serverTimeMs", "server_time_ms"},
        {"server_timeMs", NULL},
        {"inboxnumber", NULL},
        {"InboxNumber", NULL},
        {"inboxNumbe", NULL},
        {"inboxNumberr", NULL},
        {"inbox_Number", NULL},
        {"i", NULL},
        {"", NULL},
    };
    const ProtobufCMessageDescriptor *type = &linnet__v1__new_message__descriptor;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const ProtobufCFieldDescriptor *field =
            schema_field_by_key(type, keys[i].key, strlen(keys[i].key));
        if (keys[i].name == NULL) {
            assert_null(field);
        } else {
            assert_string_equal(field->name, keys[i].name);
        }
    }
}

static const ProtobufCFieldDescriptor *
field_named(const ProtobufCMessageDescriptor *type, const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(type, name);
}

static void
names_the_place(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *frame = &linnet__v1__client_frame__descriptor;
    const ProtobufCMessageDescriptor *send = &linnet__v1__send_message__descriptor;
    struct schema_path path = {.depth = 3};
    path.levels[0] =
        (struct schema_level){.type = frame, .field = field_named(frame, "send_message")};
    path.levels[1] = (struct schema_level){
        .type = send, .field = field_named(send, "attachments"), .elements = 3};
    path.levels[2] = (struct schema_level){.type = &linnet__v1__attachment__descriptor};
    struct protocol_error error = {0};
    assert_int_equal(schema_fail(&path, &error, "wrong"), -EPROTO);
    assert_string_equal(error.text, "sendMessage.attachments[2]: wrong");
    path.levels[2].field = field_named(path.levels[2].type, "media_type");
    assert_int_equal(schema_fail(&path, &error, "wrong"), -EPROTO);
    assert_string_equal(error.text, "sendMessage.attachments[2].mediaType: wrong");
    path.depth = 0;
    assert_int_equal(schema_fail(&path, &error, "wrong"), -EPROTO);
    assert_string_equal(error.text, "wrong");
}

static void
quotes_with_care(void **state)
{
    (void)state;
    struct schema_path path = {.depth = 0};
    struct protocol_error error = {0};
    assert_int_equal(schema_fail_unknown(&path, &error, "a\n\x7F", 3), -EPROTO);
    assert_string_equal(error.text, "unknown field \"a??\"");
    char umlauts[401] = "";
    for (size_t i = 0; i < sizeof(umlauts) - 1; i += 2) {
        memcpy(umlauts + i, "\xC3\xA4", 2);
    }
    assert_int_equal(schema_fail_unknown(&path, &error, umlauts + 1, 119), -EPROTO);
    size_t quoted = strlen(error.text) - strlen("unknown field \"...\"");
    assert_true(quoted <= 40 && quoted % 2 == 1);
    assert_int_equal(schema_fail(&path, &error, umlauts), -EPROTO);
    assert_int_equal(strlen(error.text), PROTOCOL_ERROR_TEXT_BYTES - 2);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the schema uses no more than the codecs know", fits_the_codecs),
        SPEC("a key is a field's lowerCamelCase or its original name, and nothing between",
             finds_fields),
        SPEC("an error names the field by its path, with the index of an element", names_the_place),
        SPEC("what a peer wrote is quoted cut between characters and without control characters",
             quotes_with_care),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
