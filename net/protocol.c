/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding is two questions: is this a frame of the schema (the forms answer), and does the command
 * make sense by itself (answered here, after decoding, once for both forms). */
#include "net/protocol.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/binary.h"
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

/* ---- Does the command make sense by itself? ---- */

/* What is wrong with which field. */
static int
refuse(struct protocol_error *out_error, Linnet__V1__Error__Code code, const char *path,
       const char *wrong)
{
    out_error->code = code;
    (void)snprintf(out_error->text, sizeof(out_error->text), "%s: %s", path, wrong);
    return -EPROTO;
}

/* The same for one of a list's elements. */
static int
refuse_attachment(struct protocol_error *out_error, size_t index, const char *wrong)
{
    out_error->code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    (void)snprintf(out_error->text, sizeof(out_error->text), "sendMessage.attachments[%zu].%s",
                   index, wrong);
    return -EPROTO;
}

/* More than this node takes. */
static int
refuse_amount(struct protocol_error *out_error, const char *what, size_t amount, size_t max)
{
    out_error->code = LINNET__V1__ERROR__CODE__MESSAGE_TOO_LARGE;
    (void)snprintf(out_error->text, sizeof(out_error->text), "%s, %zu, is above %zu", what, amount,
                   max);
    return -EPROTO;
}

static int
refuse_frame(struct protocol_error *out_error, const char *text)
{
    out_error->code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    (void)snprintf(out_error->text, sizeof(out_error->text), "%s", text);
    return -EPROTO;
}

/* Their texts tell the bounds as numbers. */
static_assert(PROTOCOL_NAME_BYTES_MAX == 64 && PROTOCOL_DEVICE_NAME_BYTES_MAX == 64, "in texts");
static_assert(PROTOCOL_PASSWORD_BYTES_MAX == 1024 && PROTOCOL_TOKEN_BYTES_MAX == 256, "in texts");
static_assert(PROTOCOL_REFERENCE_BYTES_MAX == 255 && PROTOCOL_PING_BYTES_MAX == 125, "in texts");
static_assert(PROTOCOL_MEDIA_TYPE_BYTES_MAX == 127, "in texts");

/* Unicode's Cc, which a terminal that shows the text would obey. */
static bool
holds_control(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (; *at != '\0'; at++) {
        if (*at < 0x20 || *at == 0x7F || (*at == 0xC2 && at[1] < 0xA0)) {
            return true;
        }
    }
    return false;
}

/* A user's name as far as it can be judged without the directory. */
static int
name_check(const char *path, const char *name, struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__NAME_INVALID;
    size_t bytes = strlen(name);
    if (bytes == 0) {
        return refuse(out_error, code, path, "empty");
    }
    if (bytes > PROTOCOL_NAME_BYTES_MAX) {
        return refuse(out_error, code, path, "above 64 bytes");
    }
    if (holds_control(name)) {
        return refuse(out_error, code, path, "holds a control character");
    }
    return 0;
}

static int
authenticate_check(const Linnet__V1__Authenticate *authenticate, struct protocol_error *out_error)
{
    if (authenticate->method_case == LINNET__V1__AUTHENTICATE__METHOD_TOKEN) {
        size_t bytes = strlen(authenticate->token);
        if (bytes == 0 || bytes > PROTOCOL_TOKEN_BYTES_MAX) {
            return refuse(out_error, LINNET__V1__ERROR__CODE__TOKEN_INVALID, "authenticate.token",
                          "not 1 to 256 bytes");
        }
        return 0;
    }
    if (authenticate->method_case != LINNET__V1__AUTHENTICATE__METHOD_PASSWORD_LOGIN) {
        return refuse_frame(out_error, "authenticate: neither passwordLogin nor token");
    }
    const Linnet__V1__PasswordLogin *login = authenticate->password_login;
    int rc = name_check("authenticate.passwordLogin.name", login->name, out_error);
    if (rc < 0) {
        return rc;
    }
    size_t password_bytes = strlen(login->password);
    if (password_bytes == 0 || password_bytes > PROTOCOL_PASSWORD_BYTES_MAX) {
        return refuse(out_error, LINNET__V1__ERROR__CODE__WRONG_CREDENTIALS,
                      "authenticate.passwordLogin.password", "not 1 to 1024 bytes");
    }
    if (strlen(login->device_name) > PROTOCOL_DEVICE_NAME_BYTES_MAX) {
        return refuse(out_error, LINNET__V1__ERROR__CODE__NAME_INVALID,
                      "authenticate.passwordLogin.deviceName", "above 64 bytes");
    }
    if (holds_control(login->device_name)) {
        return refuse(out_error, LINNET__V1__ERROR__CODE__NAME_INVALID,
                      "authenticate.passwordLogin.deviceName", "holds a control character");
    }
    return 0;
}

/* `path` and `name_path`: of the chat, and of its userName. */
static int
chat_check(const char *path, const char *name_path, const Linnet__V1__Chat *chat,
           struct protocol_error *out_error)
{
    const Linnet__V1__Error__Code code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    if (chat == NULL || chat->peer_case == LINNET__V1__CHAT__PEER__NOT_SET) {
        return refuse(out_error, code, path, "names neither userId nor userName");
    }
    if (chat->peer_case == LINNET__V1__CHAT__PEER_USER_NAME) {
        return name_check(name_path, chat->user_name, out_error);
    }
    return chat->user_id == 0 ? refuse(out_error, code, path, "userId is 0") : 0;
}

static int
attachment_check(size_t index, const Linnet__V1__Attachment *attachment,
                 struct protocol_error *out_error)
{
    size_t reference_bytes = strlen(attachment->reference);
    if (reference_bytes == 0 || reference_bytes > PROTOCOL_REFERENCE_BYTES_MAX) {
        return refuse_attachment(out_error, index, "reference: not 1 to 255 bytes");
    }
    if (strlen(attachment->media_type) > PROTOCOL_MEDIA_TYPE_BYTES_MAX) {
        return refuse_attachment(out_error, index, "mediaType: above 127 bytes");
    }
    return 0;
}

static size_t
body_bytes(const Linnet__V1__SendMessage *send)
{
    switch ((int)send->body_case) {
    case LINNET__V1__SEND_MESSAGE__BODY_CONTENT:
        return send->content.len;
    case LINNET__V1__SEND_MESSAGE__BODY_TEXT:
        return strlen(send->text);
    default:
        return 0;
    }
}

static int
send_message_check(const Linnet__V1__SendMessage *send, const struct protocol_limits *limits,
                   struct protocol_error *out_error)
{
    int rc = chat_check("sendMessage.chat", "sendMessage.chat.userName", send->chat, out_error);
    if (rc < 0) {
        return rc;
    }
    if (send->n_attachments > limits->attachments_max) {
        return refuse_amount(out_error, "sendMessage: the number of attachments",
                             send->n_attachments, limits->attachments_max);
    }
    size_t bytes = body_bytes(send);
    for (size_t i = 0; i < send->n_attachments; i++) {
        const Linnet__V1__Attachment *attachment = send->attachments[i];
        rc = attachment_check(i, attachment, out_error);
        if (rc < 0) {
            return rc;
        }
        bytes += strlen(attachment->reference) + strlen(attachment->media_type);
    }
    if (bytes > limits->message_bytes_max) {
        return refuse_amount(out_error, "sendMessage: its length in bytes", bytes,
                             limits->message_bytes_max);
    }
    if (bytes == 0) {
        return refuse_frame(out_error, "sendMessage: neither content, text nor attachments");
    }
    return 0;
}

static int
mark_read_check(const Linnet__V1__MarkRead *mark, struct protocol_error *out_error)
{
    int rc = chat_check("markRead.chat", "markRead.chat.userName", mark->chat, out_error);
    if (rc < 0) {
        return rc;
    }
    return mark->chat_number == 0 ? refuse_frame(out_error, "markRead.chatNumber: 0") : 0;
}

int
protocol_check_client(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                      struct protocol_error *out_error)
{
    if (frame->number > PROTOCOL_COMMAND_NUMBER_MAX) {
        return refuse_frame(out_error, "number: above 2^52 - 1");
    }
    switch ((int)frame->command_case) {
    case LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE:
        return authenticate_check(frame->authenticate, out_error);
    case LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE:
        return send_message_check(frame->send_message, limits, out_error);
    case LINNET__V1__CLIENT_FRAME__COMMAND_ACK:
        return frame->ack->inbox_number == 0 ? refuse_frame(out_error, "ack.inboxNumber: 0") : 0;
    case LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ:
        return mark_read_check(frame->mark_read, out_error);
    case LINNET__V1__CLIENT_FRAME__COMMAND_PING:
        return frame->ping->data.len > PROTOCOL_PING_BYTES_MAX
                   ? refuse_frame(out_error, "ping.data: above 125 bytes")
                   : 0;
    default:
        return refuse_frame(out_error, "no command, or none that this node knows");
    }
}

/* ---- The two forms ---- */

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
        return refuse_frame(out_error, "empty");
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
    if (form == PROTOCOL_JSON) {
        size_t bytes = json_encode(message, out, out_bytes_max);
        if (bytes > out_bytes_max) {
            return -ENOBUFS;
        }
        *out_bytes = bytes;
        return 0;
    }
    if (protobuf_c_message_get_packed_size(message) > out_bytes_max) {
        return -ENOBUFS;
    }
    *out_bytes = protobuf_c_message_pack(message, out);
    return 0;
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
