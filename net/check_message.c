/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static_assert(PROTOCOL_REFERENCE_BYTES_MAX == 255 && PROTOCOL_MEDIA_TYPE_BYTES_MAX == 127,
              "in texts");

/* What is wrong with one of a list's elements. */
static int
fail_attachment(struct protocol_error *out_error, size_t index, const char *wrong)
{
    out_error->code = LINNET__V1__ERROR__CODE__BAD_FRAME;
    (void)snprintf(out_error->text, sizeof(out_error->text), "sendMessage.attachments[%zu].%s",
                   index, wrong);
    return -EPROTO;
}

static int
attachment_check(size_t index, const Linnet__V1__Attachment *attachment,
                 struct protocol_error *out_error)
{
    size_t reference_bytes = strlen(attachment->reference);
    if (reference_bytes == 0 || reference_bytes > PROTOCOL_REFERENCE_BYTES_MAX) {
        return fail_attachment(out_error, index, "reference: not 1 to 255 bytes");
    }
    if (strlen(attachment->media_type) > PROTOCOL_MEDIA_TYPE_BYTES_MAX) {
        return fail_attachment(out_error, index, "mediaType: above 127 bytes");
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

int
check_send_message(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                   struct protocol_error *out_error)
{
    const Linnet__V1__SendMessage *send = frame->send_message;
    int rc = check_chat_any("sendMessage.chat", "sendMessage.chat.userName", send->chat, out_error);
    if (rc < 0) {
        return rc;
    }
    if (send->n_attachments > limits->attachments_max) {
        return check_fail_amount(out_error, "sendMessage: the number of attachments",
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
        return check_fail_amount(out_error, "sendMessage: its length in bytes", bytes,
                                 limits->message_bytes_max);
    }
    if (send->ttl_ms != 0 &&
        (send->ttl_ms < PROTOCOL_TTL_MS_MIN || send->ttl_ms > PROTOCOL_TTL_MS_MAX)) {
        return check_fail(out_error, "sendMessage.ttlMs: not a second to 366 days");
    }
    if (send->content_kind > PROTOCOL_CONTENT_KIND_MAX) {
        return check_fail(out_error, "sendMessage.contentKind: above 255");
    }
    bool deletes = send->change != NULL && send->change->kind == LINNET__V1__CHANGE__KIND__DELETE;
    if (bytes == 0 && !deletes) {
        return check_fail(out_error, "sendMessage: neither content, text nor attachments");
    }
    return send->change != NULL ? check_change(send->change, bytes, out_error) : 0;
}

int
check_mark_read(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                struct protocol_error *out_error)
{
    const Linnet__V1__MarkRead *mark = frame->mark_read;
    (void)limits;
    int rc = check_chat_any("markRead.chat", "markRead.chat.userName", mark->chat, out_error);
    if (rc < 0) {
        return rc;
    }
    return mark->chat_number == 0 ? check_fail(out_error, "markRead.chatNumber: 0") : 0;
}
