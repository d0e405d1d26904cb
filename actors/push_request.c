/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/push_request.h"

#include "net/base64.h"
#include "net/http_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)PUSH_TEXT_BYTES_MAX <= (int)WEBPUSH_TEXT_BYTES_MAX,
               "what a push says fits into one");

int
push_url(const struct push_office *office, const struct push_order *order, struct url *out)
{
    if (order->set.kind == STORE_WAKE_WEBHOOK) {
        *out = office->webhook_url;
        return office->webhook ? 0 : -EOPNOTSUPP;
    }
    if (!office->web) {
        return -EOPNOTSUPP;
    }
    int error = url_parse((const char *)order->endpoint, order->set.endpoint_bytes, out);
    if (error == 0 && !out->tls && !office->settings->push_private_endpoints) {
        error = -EINVAL;
    }
    return error == 0 ? 0 : -EINVAL;
}

static const unsigned char *
app_of(const struct push_order *order)
{
    return order->endpoint != NULL ? order->endpoint + order->set.endpoint_bytes : NULL;
}

/* ---------------------------------------------------------------------------------- the webhook */

static int
webhook_request(const struct push_office *office, const struct push_order *order,
                const struct push_draw *draw, struct push_scratch *scratch,
                struct http_client_request *out)
{
    struct webhook_wake wake = {
        .user = order->set.user,
        .device = order->set.device,
        .number = order->number,
        .time_ms = draw->wall_ms,
        .attempt = order->attempt,
        .call = order->call,
        .test = order->test,
        .ttl_s = order->ttl_s,
        .app = app_of(order),
        .app_bytes = order->set.app_bytes,
    };
    char key[WEBHOOK_KEY_BYTES];
    char signature[WEBHOOK_SIGNATURE_BYTES] = "";
    webhook_key(&wake, key);
    int error =
        webhook_write(&wake, (char *)scratch->body, WEBPUSH_BODY_BYTES_MAX, &out->body_bytes);
    if (error == 0) {
        error = webhook_sign(office->secret, office->secret_bytes, draw->wall_ms / 1000,
                             scratch->body, out->body_bytes, signature);
    }
    int written = snprintf(scratch->fields, PUSH_FIELDS_BYTES,
                           "Content-Type: application/json\r\n"
                           "Idempotency-Key: \"%s\"\r\n"
                           "Linnet-Signature: %s\r\n"
                           "User-Agent: linnet/" LINNET_VERSION "\r\n",
                           key, signature);
    ASSERT(written > 0 && written < PUSH_FIELDS_BYTES);
    return error;
}

/* ------------------------------------------------------------------------------------- Web Push */

/* What the app is told: that something waits, whether that rings, and what it gave to be reminded
 * of. */
static size_t
text_write(const struct push_order *order, char out[PUSH_TEXT_BYTES_MAX])
{
    int head = snprintf(out, PUSH_TEXT_BYTES_MAX, "{\"type\":\"%s\",\"reason\":\"%s\",\"app\":\"",
                        order->test ? "test" : "wake", order->call ? "call" : "message");
    ASSERT(head > 0 && head < 48);
    size_t at = (size_t)head;
    base64_encode(app_of(order), order->set.app_bytes, out + at);
    at += base64_encoded_bytes(order->set.app_bytes);
    out[at] = '"';
    out[at + 1] = '}';
    return at + 2;
}

/* RFC 8030, 5.2 to 5.4: a later push replaces one of the same topic that the service still holds. A
 * call's is held for a moment only, so it takes no message's place. */
static int
webpush_request(const struct push_order *order, const struct push_draw *draw,
                struct push_scratch *scratch, struct http_client_request *out)
{
    struct webpush_keys keys;
    memcpy(keys.p256dh, order->set.p256dh, sizeof keys.p256dh);
    memcpy(keys.auth, order->set.auth, sizeof keys.auth);
    int error =
        webpush_encrypt(&keys, &draw->secrets, scratch->text, text_write(order, scratch->text),
                        scratch->body, WEBPUSH_BODY_BYTES_MAX, &out->body_bytes);
    int written = snprintf(scratch->fields, PUSH_FIELDS_BYTES,
                           "TTL: %u\r\n"
                           "Urgency: %s\r\n"
                           "Topic: %s\r\n"
                           "Content-Encoding: aes128gcm\r\n"
                           "Content-Type: application/octet-stream\r\n"
                           "Authorization: %s\r\n"
                           "User-Agent: linnet/" LINNET_VERSION "\r\n",
                           order->ttl_s, order->call ? "high" : "normal",
                           order->call ? "linnet-call" : "linnet", draw->authorization);
    ASSERT(written > 0 && written < PUSH_FIELDS_BYTES);
    return error;
}

int
push_request_write(const struct push_office *office, const struct push_order *order,
                   const struct push_draw *draw, struct push_scratch *scratch, char *out,
                   size_t out_max, size_t *out_count)
{
    struct url url;
    struct http_client_request request = {
        .method = "POST", .url = &url, .fields = scratch->fields, .body = scratch->body};
    int error = push_url(office, order, &url);
    if (error != 0) {
        return error;
    }
    error = order->set.kind == STORE_WAKE_WEBHOOK
                ? webhook_request(office, order, draw, scratch, &request)
                : webpush_request(order, draw, scratch, &request);
    return error == 0 ? http_client_write(&request, out, out_max, out_count) : error;
}
