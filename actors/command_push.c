/* SPDX-License-Identifier: Apache-2.0 */
/* setPush, clearPush, getPush: how the device is woken when it is offline. */
#include "actors/command.h"

#include "actors/push_office.h"
#include "net/url.h"

#include <errno.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- setPush */

static void
set_done(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    (void)answer;
    event_done(connection, pending->number, pending->ref);
}

static const struct request_kind request_set = {
    .tag = STORE_WAKE_SET, .done = set_done, .refused = command_refuse_own};

/* Why this node can't push there; NULL: it can. */
static const char *
set_fault(const struct push_office *office, const Linnet__V1__SetPush *set)
{
    struct url url;
    if (set->target_case == LINNET__V1__SET_PUSH__TARGET_WEBHOOK) {
        return office != NULL && office->webhook ? NULL
                                                 : "setPush.webhook: this node has no webhook";
    }
    if (office == NULL || !office->web) {
        return "setPush.webPush: this node does no Web Push";
    }
    const char *endpoint = set->web_push->endpoint;
    int error = url_parse(endpoint, strlen(endpoint), &url); /* which the check has tried */
    if (error != 0 || (!url.tls && !office->settings->push_private_endpoints)) {
        return "setPush.webPush.endpoint: not https";
    }
    return NULL;
}

static void
set_push(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__SetPush *set = frame->set_push;
    const char *fault = set_fault(connection->messenger->push, set);
    bool web = set->target_case == LINNET__V1__SET_PUSH__TARGET_WEB_PUSH;
    struct store_wake_set wake = {
        .user = connection->user,
        .device = connection->device,
        .kind = web ? STORE_WAKE_WEBPUSH : STORE_WAKE_WEBHOOK,
        .app_bytes = (uint16_t)set->app.len,
    };
    struct ln_buffer *buffer = NULL;
    if (fault != NULL) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
                    fault, 0);
        return;
    }
    if (web) {
        memcpy(wake.p256dh, set->web_push->p256dh.data, sizeof wake.p256dh);
        memcpy(wake.auth, set->web_push->auth.data, sizeof wake.auth);
        wake.endpoint_bytes = (uint16_t)strlen(set->web_push->endpoint);
    }
    if (web && !p256_public_valid(wake.p256dh)) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__BAD_FRAME,
                    "setPush.webPush.p256dh: no point of P-256", 0);
        return;
    }
    size_t bytes = (size_t)wake.endpoint_bytes + wake.app_bytes;
    if (bytes > 0) {
        buffer = ln_buffer_new(bytes);
        unsigned char *at = ln_buffer_data(buffer);
        if (web) {
            memcpy(at, set->web_push->endpoint, wake.endpoint_bytes);
        }
        if (wake.app_bytes > 0) {
            memcpy(at + wake.endpoint_bytes, set->app.data, wake.app_bytes);
        }
    }
    command_ask(connection, frame, &request_set, wake.user, &wake, sizeof wake, buffer);
}

const struct command_kind command_set_push = {set_push};

/* ------------------------------------------------------------------------------------ clearPush */

static const struct request_kind request_clear = {
    .tag = STORE_WAKE_CLEAR, .done = set_done, .refused = command_refuse_own};

static void
clear_push(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_wake_clear clear = {.user = connection->user, .device = connection->device};
    command_ask(connection, frame, &request_clear, clear.user, &clear, sizeof clear, NULL);
}

const struct command_kind command_clear_push = {clear_push};

/* -------------------------------------------------------------------------------------- getPush */

static void
push_event(struct connection *connection, const struct pending *pending, bool set,
           uint64_t set_at_ms)
{
    const struct push_office *office = connection->messenger->push;
    Linnet__V1__Push push = LINNET__V1__PUSH__INIT;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    unsigned char key[P256_PUBLIC_BYTES];
    if (office != NULL && office->web) {
        memcpy(key, office->vapid_public, sizeof key);
        push.web_push_key.data = key;
        push.web_push_key.len = sizeof key;
    }
    push.webhook = office != NULL && office->webhook;
    push.set = set;
    push.set_at_ms = set_at_ms;
    answer.result_case = LINNET__V1__ANSWER__RESULT_PUSH;
    answer.push = &push;
    event_answer_to(connection, pending->number, pending->ref, &answer);
}

static void
got(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    const struct store_wake_state *state =
        (const struct store_wake_state *)(const void *)answer->data;
    push_event(connection, pending, true, state->set_at_ms);
}

static void
not_got(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ENODATA) {
        push_event(connection, pending, false, 0);
    } else {
        command_refuse_own(connection, pending, error);
    }
}

static const struct request_kind request_get = {
    .tag = STORE_WAKE_GET, .done = got, .refused = not_got};

static void
get_push(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_device_id id = {.user = connection->user, .device = connection->device};
    command_ask(connection, frame, &request_get, id.user, &id, sizeof id, NULL);
}

const struct command_kind command_get_push = {get_push};
