/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"

static_assert(PROTOCOL_CALL_CONTENT_BYTES_MAX == 16384, "its text tells the bound");

/* `path` is the command's. */
static int
check_content(const char *path, const ProtobufCBinaryData *content, bool may_be_empty,
              struct protocol_error *out_error)
{
    if (content->len > PROTOCOL_CALL_CONTENT_BYTES_MAX) {
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__MESSAGE_TOO_LARGE, path,
                                "its content is above 16384 bytes");
    }
    if (content->len == 0 && !may_be_empty) {
        return check_fail_field(out_error, LINNET__V1__ERROR__CODE__BAD_FRAME, path, "no content");
    }
    return 0;
}

static int
check_call_id(const char *path, const Linnet__V1__MessageId *id, struct protocol_error *out_error)
{
    bool whole = id != NULL && id->user_id != 0 && id->number != 0 && id->device != 0 &&
                 id->device <= UINT16_MAX;
    return whole ? 0
                 : check_fail_field(out_error, LINNET__V1__ERROR__CODE__BAD_FRAME, path,
                                    "not the id of a call: userId, device, number");
}

int
check_call_offer(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                 struct protocol_error *out_error)
{
    const Linnet__V1__CallOffer *offer = frame->call_offer;
    (void)limits;
    int rc = check_chat("callOffer.chat", "callOffer.chat.userName", offer->chat, out_error);
    return rc < 0 ? rc : check_content("callOffer", &offer->content, true, out_error);
}

int
check_call_ringing(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                   struct protocol_error *out_error)
{
    (void)limits;
    return check_call_id("callRinging.call", frame->call_ringing->call, out_error);
}

int
check_call_answer(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                  struct protocol_error *out_error)
{
    const Linnet__V1__CallAnswer *answer = frame->call_answer;
    (void)limits;
    int rc = check_call_id("callAnswer.call", answer->call, out_error);
    return rc < 0 ? rc : check_content("callAnswer", &answer->content, true, out_error);
}

int
check_call_candidate(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                     struct protocol_error *out_error)
{
    const Linnet__V1__CallCandidate *candidate = frame->call_candidate;
    (void)limits;
    int rc = check_call_id("callCandidate.call", candidate->call, out_error);
    return rc < 0 ? rc : check_content("callCandidate", &candidate->content, false, out_error);
}

int
check_call_hang_up(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
                   struct protocol_error *out_error)
{
    const Linnet__V1__CallHangUp *end = frame->call_hang_up;
    (void)limits;
    if ((unsigned)end->reason > LINNET__V1__CALL_HANG_UP__REASON__FAILED) {
        return check_fail(out_error, "callHangUp.reason: none that this node knows");
    }
    return check_call_id("callHangUp.call", end->call, out_error);
}
