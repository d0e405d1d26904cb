/* SPDX-License-Identifier: Apache-2.0 */
#include "net/check.h"
#include "net/url.h"

#include <string.h>

static_assert(PROTOCOL_PUSH_APP_BYTES_MAX == 1024 && PROTOCOL_PUSH_POINT_BYTES == 65 &&
                  PROTOCOL_PUSH_AUTH_BYTES == 16,
              "in texts");

static int
check_web_push(const Linnet__V1__WebPush *push, struct protocol_error *out_error)
{
    struct url url;
    if (url_parse(push->endpoint, strlen(push->endpoint), &url) != 0) {
        return check_fail(out_error, "setPush.webPush.endpoint: no URL of https");
    }
    if (push->p256dh.len != PROTOCOL_PUSH_POINT_BYTES || push->p256dh.data[0] != 4) {
        return check_fail(out_error, "setPush.webPush.p256dh: no uncompressed point of 65 bytes");
    }
    if (push->auth.len != PROTOCOL_PUSH_AUTH_BYTES) {
        return check_fail(out_error, "setPush.webPush.auth: not 16 bytes");
    }
    return 0;
}

int
check_set_push(const Linnet__V1__ClientFrame *frame, const struct protocol_limits *limits,
               struct protocol_error *out_error)
{
    const Linnet__V1__SetPush *set = frame->set_push;
    (void)limits;
    if (set->target_case == LINNET__V1__SET_PUSH__TARGET__NOT_SET) {
        return check_fail(out_error, "setPush: neither webPush nor webhook");
    }
    if (set->app.len > PROTOCOL_PUSH_APP_BYTES_MAX) {
        return check_fail(out_error, "setPush.app: above 1024 bytes");
    }
    return set->target_case == LINNET__V1__SET_PUSH__TARGET_WEB_PUSH
               ? check_web_push(set->web_push, out_error)
               : 0;
}
