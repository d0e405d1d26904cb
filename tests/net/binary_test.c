/* SPDX-License-Identifier: Apache-2.0 */
#include "net/binary.h"

#include <errno.h>
#include <string.h>

#include "tests/net/frames.h"
#include "tests/spec.h"

struct wire {
    const char *bytes;
    size_t count;
    const char *wrong; /* NULL: it is read */
};

#define WIRE(literal, wrong)                \
    {                                       \
        literal, sizeof(literal) - 1, wrong \
    }

static int
read_as(const ProtobufCMessageDescriptor *type, const struct wire *wire, struct arena *arena,
        ProtobufCMessage **out_message, struct protocol_error *out_error)
{
    struct schema_input input = {
        .type = type,
        .bytes = (const uint8_t *)wire->bytes,
        .count = wire->count,
        .arena = arena,
    };
    *out_error = (struct protocol_error){0};
    return binary_decode(&input, out_message, out_error);
}

static void
judge(const ProtobufCMessageDescriptor *type, const struct wire *wires, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        arena_init(&arena, NULL, 0, 1 << 20);
        ProtobufCMessage *message;
        struct protocol_error error;
        int rc = read_as(type, &wires[i], &arena, &message, &error);
        if (wires[i].wrong == NULL ? rc != 0
                                   : rc != -EPROTO || strcmp(error.text, wires[i].wrong) != 0) {
            fail_msg("wire %zu: %d, \"%s\"", i, rc, error.text);
        }
        arena_fini(&arena);
    }
}

static void
tells_what_is_wrong(void **state)
{
    (void)state;
    static const char not_a_field[] = "not a protobuf field";
    static const struct wire wires[] = {
        WIRE("\x08\x01", NULL),
        WIRE("\x08", "number: not an unsigned 64-bit number"),
        WIRE("\x08\x80", "number: not an unsigned 64-bit number"),
        WIRE("\x80", not_a_field),
        WIRE("\x00\x00", not_a_field),
        WIRE("\x04", not_a_field),
        /* numbers: 2^53 - 1, 2^53, 2^64 - 1, one bit more, an endless one */
        WIRE("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x0F", NULL),
        WIRE("\x08\x80\x80\x80\x80\x80\x80\x80\x10", "number: above 2^53 - 1"),
        WIRE("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "number: above 2^53 - 1"),
        WIRE("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02",
             "number: not an unsigned 64-bit number"),
        WIRE("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
             "number: not an unsigned 64-bit number"),
        /* given twice */
        WIRE("\x08\x01\x08\x01", "number: given twice"),
        WIRE("\x3A\x00\x3A\x00", "ping: given twice"),
        WIRE("\x2A\x00\x3A\x00", "ping: given beside another of which only one may be given"),
        WIRE("\x22\x06\x12\x01\x78\x1A\x01\x79",
             "sendMessage.text: given beside another of which only one may be given"),
        /* the wrong wire type */
        WIRE("\x09\x01\x00\x00\x00\x00\x00\x00\x00", "number: not of the field's wire type"),
        WIRE("\x0A\x01\x01", "number: not of the field's wire type"),
        WIRE("\x38\x01", "ping: not of the field's wire type"),
        /* lengths */
        WIRE("\x3A\x01", "ping: the frame ends within it"),
        WIRE("\x3A\x02\x0A\x01", "ping.data: the frame ends within it"),
        WIRE("\x3A\x04\x0A\x02\x41", "ping: the frame ends within it"),
        WIRE("\x3A\x03\x0A\x02\x41\x08\x01", "ping.data: the frame ends within it"),
        WIRE("\x3A\xFF\xFF\xFF\xFF\x0F", "ping: the frame ends within it"),
        WIRE("\x3A\x80\x80\x80\x80\x80\x00", "ping: the frame ends within it"),
        WIRE("\x3A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "ping: the frame ends within it"),
        /* strings */
        WIRE("\x1A\x03\x12\x01\x41", NULL),
        WIRE("\x1A\x03\x12\x01\xFF", "authenticate.token: not UTF-8"),
        WIRE("\x1A\x04\x12\x02\xC0\x80", "authenticate.token: not UTF-8"),
        WIRE("\x1A\x05\x12\x03\xED\xA0\x80", "authenticate.token: not UTF-8"),
        WIRE("\x1A\x03\x12\x01\x00", "authenticate.token: holds a U+0000"),
        WIRE("\x22\x08\x22\x00\x22\x04\x12\x02\xC3\x28",
             "sendMessage.attachments[1].mediaType: not UTF-8"),
        /* unknown fields: a varint, eight bytes, a string, four bytes; then cut ones and groups */
        WIRE("\xF8\x7F\x01", NULL),
        WIRE("\xF9\x7F\x01\x02\x03\x04\x05\x06\x07\x08", NULL),
        WIRE("\xFA\x7F\x02\xFF\x00", NULL),
        WIRE("\xFD\x7F\x01\x02\x03\x04", NULL),
        WIRE("\xF8\x7F\x80", not_a_field),
        WIRE("\xF9\x7F\x01\x02\x03\x04\x05\x06\x07", not_a_field),
        WIRE("\xFA\x7F\x02\xFF", not_a_field),
        WIRE("\xFD\x7F\x01\x02\x03", not_a_field),
        WIRE("\xFB\x7F\xFC\x7F", not_a_field),
        WIRE("\xFE\x7F", not_a_field),
        /* the largest field number, one above it, and a tag that is padded beyond 32 bits */
        WIRE("\xF8\xFF\xFF\xFF\x0F\x01", NULL),
        WIRE("\xF8\xFF\xFF\xFF\x1F\x01", not_a_field),
        WIRE("\x88\x80\x80\x80\x80\x00\x01", not_a_field),
    };
    judge(&linnet__v1__client_frame__descriptor, wires, sizeof(wires) / sizeof(*wires));
}

static void
minds_small_numbers(void **state)
{
    (void)state;
    static const struct wire devices[] = {
        WIRE("\x18\xFF\xFF\xFF\xFF\x0F", NULL),
        WIRE("\x18\x80\x80\x80\x80\x10", "device: not an unsigned 32-bit number"),
    };
    judge(&linnet__v1__sender__descriptor, devices, 2);
    static const struct wire reasons[] = {
        WIRE("\x10\x4D", NULL),
        WIRE("\x10\xFF\xFF\xFF\xFF\x07", NULL),
        /* It would be written as a negative number, which is none of its names either. */
        WIRE("\x10\x80\x80\x80\x80\x08", "reason: not one of its names"),
        WIRE("\x10\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "reason: not one of its names"),
    };
    judge(&linnet__v1__resync__descriptor, reasons, 4);
}

/* A message without fields has no table of them either. */
static void
passes_over_fields_of_the_empty(void **state)
{
    (void)state;
    static const struct wire wires[] = {
        WIRE("\x08\x01", NULL),
        WIRE("\x08", "not a protobuf field"),
    };
    judge(&linnet__v1__done__descriptor, wires, 2);
}

static void
remembers_number_and_ref(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, 1 << 20);
    ProtobufCMessage *message;
    struct protocol_error error;
    struct wire wire = WIRE("\x08\x05\x10\x06\x38\x01", NULL);
    assert_int_equal(
        read_as(&linnet__v1__client_frame__descriptor, &wire, &arena, &message, &error), -EPROTO);
    assert_int_equal(error.number, 5);
    assert_int_equal(error.ref, 6);
    arena_fini(&arena);
}

/* Both forms of protobuf-c and of ours hold the same. Unknown fields are not ours. */
static void
same_as_protobuf_c(const ProtobufCMessage *message, const struct wire *wire)
{
    static uint8_t ours[4096], theirs[4096], written[4096];
    ProtobufCMessage *read = protobuf_c_message_unpack(message->descriptor, NULL, wire->count,
                                                       (const uint8_t *)wire->bytes);
    assert_non_null(read);
    size_t count = protobuf_c_message_pack(message, ours);
    assert_true(count <= protobuf_c_message_pack(read, theirs));
    if (count == protobuf_c_message_get_packed_size(read)) {
        assert_memory_equal(ours, theirs, count);
    }
    assert_int_equal(binary_encode(message, written, sizeof(written)), count);
    assert_memory_equal(written, ours, count);
    protobuf_c_message_free_unpacked(read, NULL);
}

/* Every frame cut at every length, and with every byte changed in a few ways, is read or refused
 * with a reason; and what is read is what protobuf-c reads. */
static void
bears_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < client_frames_count; i++) {
        uint8_t bytes[1024];
        size_t count = protobuf_c_message_pack(client_frames[i].message, bytes);
        for (size_t at = 0; at < count * 5; at++) {
            static const uint8_t flips[] = {0, 1, 8, 0x80, 0xFF};
            uint8_t flip = flips[at % 5];
            bytes[at / 5] ^= flip;
            struct wire wire = {.bytes = (const char *)bytes, .count = flip == 0 ? at / 5 : count};
            struct arena arena;
            arena_init(&arena, NULL, 0, 1 << 20);
            ProtobufCMessage *message;
            struct protocol_error error;
            int rc =
                read_as(&linnet__v1__client_frame__descriptor, &wire, &arena, &message, &error);
            assert_true(rc == 0 || (rc == -EPROTO && error.text[0] != '\0'));
            if (rc == 0) {
                same_as_protobuf_c(message, &wire);
            }
            arena_fini(&arena);
            bytes[at / 5] ^= flip;
        }
    }
}

static void
stops_at_the_arenas_limit(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    size_t count = protobuf_c_message_pack(client_frames[2].message, bytes);
    struct wire wire = {.bytes = (const char *)bytes, .count = count};
    int rc = -ENOMEM;
    for (size_t room = 0; rc == -ENOMEM; room += 16) {
        _Alignas(16) unsigned char first[4096];
        struct arena arena;
        arena_init(&arena, first, room, 0);
        ProtobufCMessage *message;
        struct protocol_error error;
        rc = read_as(&linnet__v1__client_frame__descriptor, &wire, &arena, &message, &error);
        if (rc < 0) {
            assert_int_equal(rc, -ENOMEM);
            assert_string_equal(error.text, "needs too much memory");
        }
        assert_true(room < sizeof(first));
    }
    assert_int_equal(rc, 0);
}

static void
writes(const ProtobufCMessage *message)
{
    uint8_t theirs[4096], ours[4096];
    size_t count = protobuf_c_message_pack(message, theirs);
    for (size_t room = 0; room <= count + 3; room++) {
        memset(ours, 0xA5, sizeof(ours));
        assert_int_equal(binary_encode(message, ours, room), count);
        assert_int_equal(ours[room], 0xA5);
        if (room >= count) {
            assert_memory_equal(ours, theirs, count);
        }
    }
}

static void
writes_what_protobuf_c_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < client_frames_count; i++) {
        writes(client_frames[i].message);
    }
    for (size_t i = 0; i < server_frames_count; i++) {
        writes(server_frames[i].message);
    }
    /* Given, though it is empty; and long ones, whose lengths take two bytes. */
    char text[301];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    Linnet__V1__SendMessage send = LINNET__V1__SEND_MESSAGE__INIT;
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    writes(&frame.base);
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE;
    writes(&frame.base);
    frame.send_message = &send;
    send.chat = &chat;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    send.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
    writes(&frame.base);
    char none[] = "";
    send.text = none;
    writes(&frame.base);
    send.text = text;
    writes(&frame.base);
    send.body_case = LINNET__V1__SEND_MESSAGE__BODY_CONTENT;
    send.content = (ProtobufCBinaryData){0};
    writes(&frame.base);
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_NAME;
    chat.user_name = NULL;
    writes(&frame.base);
}

/* A list grows; what protobuf-c makes of it is the same. */
static void
reads_lists(void **state)
{
    (void)state;
    char bytes[2 * 40];
    for (size_t count = 0; count <= 40; count++) {
        struct arena arena;
        arena_init(&arena, NULL, 0, 1 << 20);
        memcpy(bytes + 2 * (count > 0 ? count - 1 : 0), "\x0A\x00", 2); /* groups: one more */
        struct wire wire = {.bytes = bytes, .count = 2 * count};
        ProtobufCMessage *message;
        struct protocol_error error;
        assert_int_equal(
            read_as(&linnet__v1__memberships__descriptor, &wire, &arena, &message, &error), 0);
        assert_int_equal(((Linnet__V1__Memberships *)message)->n_groups, count);
        same_as_protobuf_c(message, &wire);
        arena_fini(&arena);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what is wrong is told, with the field's path; unknown fields are passed over",
             tells_what_is_wrong),
        SPEC("numbers that don't fit their field are refused, not cut", minds_small_numbers),
        SPEC("fields of a message that has none are passed over", passes_over_fields_of_the_empty),
        SPEC("number and ref are kept for the answer to a frame that fails later",
             remembers_number_and_ref),
        SPEC("a damaged frame is read as protobuf-c reads it, or refused with a reason",
             bears_damage),
        SPEC("what is written is what protobuf-c writes, or does not fit and is counted",
             writes_what_protobuf_c_writes),
        SPEC("a list of any length is read", reads_lists),
        SPEC("a frame that needs more memory than the arena has is refused",
             stops_at_the_arenas_limit),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
