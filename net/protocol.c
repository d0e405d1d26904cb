/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding is two questions: is this a frame of the schema (the forms answer), and does the command
 * make sense by itself (check.c, after decoding, once for both forms). */
#include "net/protocol.h"

#include <errno.h>
#include <string.h>

#include "net/binary.h"
#include "net/check.h"
#include "net/json.h"
#include "net/schema.h"

/* Error codes from here on pass; see the schema. */
enum {
    CODE_PASSES_MIN = 40,
};

const struct protocol_limits protocol_limits_default = {
    .message_bytes_max = 32 << 10,
    .attachments_max = 16,
    .frame_bytes_max = 64 << 10,
    .commands_unanswered_max = 64,
    .unacknowledged_entries_max = 256,
    .unacknowledged_bytes_max = 256 << 10,
    .idle_timeout_ms = 5 * 60 * 1000,
    .presence_interval_ms = 60 * 1000,
    .presence_watches_max = 256,
    .group_members_max = 1024,
    .call_ring_ms = 60 * 1000,
};

static const char *const form_names[] = {
    [PROTOCOL_BINARY] = "linnet.v1.proto",
    [PROTOCOL_JSON] = "linnet.v1.json",
};

const char *
protocol_form_name(enum protocol_form form)
{
    ASSERT(form == PROTOCOL_BINARY || form == PROTOCOL_JSON);
    return form_names[form];
}

int
protocol_form_of(const char *name, size_t bytes, enum protocol_form *out_form)
{
    for (enum protocol_form form = PROTOCOL_BINARY; form <= PROTOCOL_JSON; form++) {
        if (strlen(form_names[form]) == bytes && memcmp(form_names[form], name, bytes) == 0) {
            *out_form = form;
            return 0;
        }
    }
    return -ENOENT;
}

static int
decode(const struct protocol_decoder *decoder, struct schema_input *input,
       ProtobufCMessage **out_message, struct protocol_error *out_error)
{
    out_error->number = 0;
    out_error->ref = 0;
    input->arena = decoder->arena;
    if (input->count == 0) {
        /* In protobuf's form an empty frame is a frame with nothing set; pointers to nothing are
         * left behind here. */
        return check_fail(out_error, "empty");
    }
    return decoder->form == PROTOCOL_BINARY ? binary_decode(input, out_message, out_error)
                                            : json_decode(input, out_message, out_error);
}

int
protocol_decode_client(const struct protocol_decoder *decoder, const void *bytes, size_t count,
                       Linnet__V1__ClientFrame **out_frame, struct protocol_error *out_error)
{
    const struct protocol_limits *limits =
        decoder->limits != NULL ? decoder->limits : &protocol_limits_default;
    struct schema_input input = {
        .type = &linnet__v1__client_frame__descriptor,
        .bytes = bytes,
        .count = count,
    };
    ProtobufCMessage *message = NULL;
    int rc = decode(decoder, &input, &message, out_error);
    if (rc < 0) {
        return rc;
    }
    Linnet__V1__ClientFrame *frame = (Linnet__V1__ClientFrame *)message;
    ASSERT(frame != NULL);
    rc = protocol_check_client(frame, limits, out_error);
    if (rc < 0) {
        out_error->number = frame->number <= PROTOCOL_COMMAND_NUMBER_MAX ? frame->number : 0;
        out_error->ref = frame->ref;
        return rc;
    }
    *out_frame = frame;
    return 0;
}

int
protocol_decode_server(const struct protocol_decoder *decoder, const void *bytes, size_t count,
                       Linnet__V1__ServerFrame **out_frame, struct protocol_error *out_error)
{
    struct schema_input input = {
        .type = &linnet__v1__server_frame__descriptor,
        .bytes = bytes,
        .count = count,
        .skip_unknown = true,
    };
    ProtobufCMessage *message = NULL;
    int rc = decode(decoder, &input, &message, out_error);
    if (rc < 0) {
        return rc;
    }
    *out_frame = (Linnet__V1__ServerFrame *)message;
    return 0;
}

size_t
protocol_encoded_bytes(enum protocol_form form, const ProtobufCMessage *message)
{
    return form == PROTOCOL_BINARY ? protobuf_c_message_get_packed_size(message)
                                   : json_encode(message, NULL, 0);
}

int
protocol_encode(enum protocol_form form, const ProtobufCMessage *message, void *out,
                size_t out_bytes_max, size_t *out_bytes)
{
    *out_bytes = form == PROTOCOL_JSON ? json_encode(message, out, out_bytes_max)
                                       : binary_encode(message, out, out_bytes_max);
    return *out_bytes > out_bytes_max ? -ENOBUFS : 0;
}

const char *
protocol_error_name(Linnet__V1__Error__Code code)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&linnet__v1__error__code__descriptor, code);
    return value != NULL ? value->name : "UNKNOWN";
}

bool
protocol_error_passes(Linnet__V1__Error__Code code)
{
    return (int)code >= CODE_PASSES_MIN;
}
