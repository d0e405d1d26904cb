/* SPDX-License-Identifier: Apache-2.0 */
/* How a user's devices are woken, and what became of the last pushes. An endpoint is a secret of
 * its device, who has it can push: its server is shown, and no more. */
#include "actors/accounts.h"
#include "actors/courier.h"
#include "actors/push.h"
#include "actors/shell_priv.h"
#include "net/url.h"
#include "store/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PUSH_CALL_MS = 10000 };

static void
push_failed(struct shell_call *call, int error, const char *what)
{
    if (error == -ENOENT) {
        shell_fail(call, SHELL_UNKNOWN, "there is no user '%s'", call->words[0]);
    } else {
        shell_fail_errno(call, error, what);
    }
}

/* True: this node does not push, and the answer says so. */
static bool
push_is_off(struct shell_call *call)
{
    if (call->messenger->push == NULL) {
        shell_fail(call, SHELL_FAILED,
                   "this node does not push: neither push_subject nor push_webhook is set");
    }
    return call->messenger->push == NULL;
}

/* The push actor of a user. */
static ln_pid
push_of(const struct shell_call *call, uint64_t user)
{
    char name[PUSH_NAME_BYTES];
    push_name(store_user_home(call->messenger->store, user), name);
    return ln_whereis(name);
}

/* A request about a device; the answer is the caller's. */
static int
ask(ln_pid to, uint32_t tag, const void *data, size_t bytes, uint64_t timeout_ms,
    struct ln_msg **out_answer)
{
    struct ln_msg *request = ln_msg_new(tag, LN_DURABLE, bytes);
    memcpy(request->data, data, bytes);
    return ln_call(to, &request, timeout_ms, out_answer);
}

static int
wake_get(struct shell_call *call, uint64_t user, uint16_t device, struct ln_msg **out_answer)
{
    struct store_device_id id = {.user = user, .device = device};
    return ask(store_user_pid(call->messenger->store, user), STORE_WAKE_GET, &id, sizeof id,
               PUSH_CALL_MS, out_answer);
}

/* ----------------------------------------------------------------------------------------- show */

/* The steps of one device, oldest first. */
static void
steps_print(struct shell_call *call, const struct ln_msg *shown, uint16_t device)
{
    const struct push_shown *head = (const struct push_shown *)(const void *)shown->data;
    const unsigned char *rows = shown->buffer != NULL ? ln_buffer_data(shown->buffer) : NULL;
    bool first = true;
    ln_text_print(call->out, "\"steps\":[");
    for (uint32_t i = 0; i < head->count && rows != NULL; i++) {
        struct push_step step;
        memcpy(&step, rows + i * sizeof step, sizeof step);
        if (step.device != device) {
            continue;
        }
        ln_text_print(call->out,
                      "%s{\"at_ms\":%llu,\"step\":\"%s\",\"entry\":%llu,\"attempt\":%u,"
                      "\"status\":%d,\"test\":%s}",
                      first ? "" : ",", (unsigned long long)step.at_ms,
                      push_step_name((enum push_step_kind)step.kind),
                      (unsigned long long)step.number, step.attempt, step.status,
                      step.test ? "true" : "false");
        first = false;
    }
    ln_text_print(call->out, "]");
}

/* Where a subscription leads: its server, not the endpoint. */
static void
target_print(struct shell_call *call, const struct ln_msg *answer)
{
    const struct store_wake_state *state =
        (const struct store_wake_state *)(const void *)answer->data;
    char origin[URL_ORIGIN_BYTES] = "";
    struct url url;
    if (state->set.kind == STORE_WAKE_WEBPUSH && answer->buffer != NULL &&
        url_parse(ln_buffer_data(answer->buffer), state->set.endpoint_bytes, &url) == 0) {
        url_origin(&url, origin);
    }
    shell_put_text(call, "kind", state->set.kind == STORE_WAKE_WEBPUSH ? "web push" : "webhook");
    shell_put_text(call, "server", origin);
    shell_put_number(call, "set_at_ms", state->set_at_ms);
    ln_text_print(call->out, "\"due\":%s,\"online\":%s,", state->due ? "true" : "false",
                  state->online ? "true" : "false");
    shell_put_number(call, "due_at_ms", state->due_at_ms);
    shell_put_number(call, "woken", state->woken);
    shell_put_number(call, "acked", state->acked);
}

static int
device_print(struct shell_call *call, uint64_t user, const struct store_device *device,
             const struct ln_msg *shown)
{
    struct ln_msg *answer = NULL;
    int error = wake_get(call, user, device->device, &answer);
    if (error != 0 && error != -ENODATA && error != -ENOENT) {
        return error;
    }
    ln_text_print(call->out, "{");
    shell_put_number(call, "device", device->device);
    shell_put_name(call, &device->name);
    if (answer != NULL) {
        target_print(call, answer);
    }
    steps_print(call, shown, device->device);
    ln_text_print(call->out, "}");
    ln_msg_free(&answer);
    return 0;
}

static int
devices_print(struct shell_call *call, uint64_t user, const struct ln_msg *shown)
{
    struct ln_msg *answer = NULL;
    uint32_t count = 0;
    int error = accounts_devices(call->messenger, user, &answer);
    if (error < 0) {
        return error;
    }
    const struct store_device *devices = accounts_device_list(answer, &count);
    ln_text_print(call->out, "{\"user\":%llu,\"devices\":[", (unsigned long long)user);
    for (uint32_t i = 0; i < count && error == 0; i++) {
        ln_text_print(call->out, "%s", i == 0 ? "" : ",");
        error = device_print(call, user, &devices[i], shown);
    }
    ln_text_print(call->out, "]}");
    ln_msg_free(&answer);
    return error;
}

/* user -> {"user": ..., "devices": [{"device": ..., "kind": ..., "steps": [...]}, ...]} */
void
shell_push_show(struct shell_call *call)
{
    struct push_device asked = {0};
    struct ln_msg *shown = NULL;
    if (push_is_off(call)) {
        return;
    }
    int error = shell_user_find(call, call->words[0], &asked.user);
    if (error == 0) {
        error =
            ask(push_of(call, asked.user), PUSH_SHOW, &asked, sizeof asked, PUSH_CALL_MS, &shown);
    }
    if (error == 0) {
        error = devices_print(call, asked.user, shown);
    }
    ln_msg_free(&shown);
    if (error < 0) {
        push_failed(call, error, "push show");
    }
}

/* ----------------------------------------------------------------------------------------- test */

/* Sends one, and prints what came of it. 0, -ENODATA: the device has no subscription. */
static int
test_device(struct shell_call *call, uint64_t user, uint16_t device, unsigned *count)
{
    struct push_device asked = {.user = user, .device = device};
    struct ln_msg *answer = NULL;
    uint64_t timeout_ms = PUSH_CALL_MS + call->messenger->settings->push_timeout_ms;
    int error = ask(push_of(call, user), PUSH_TEST, &asked, sizeof asked, timeout_ms, &answer);
    if (error != 0) {
        return error;
    }
    const struct courier_report *report = (const struct courier_report *)(const void *)answer->data;
    ln_text_print(call->out, "%s{\"device\":%u,\"status\":%d,", *count == 0 ? "" : ",", device,
                  report->status);
    shell_put_text(call, "why", report->why);
    shell_put_end(call, "}");
    ++*count;
    ln_msg_free(&answer);
    return 0;
}

static int
test_devices(struct shell_call *call, uint64_t user, uint64_t only, unsigned *count)
{
    struct ln_msg *answer = NULL;
    uint32_t devices_count = 0;
    int error = accounts_devices(call->messenger, user, &answer);
    if (error < 0) {
        return error;
    }
    const struct store_device *devices = accounts_device_list(answer, &devices_count);
    ln_text_print(call->out, "[");
    for (uint32_t i = 0; i < devices_count && error == 0; i++) {
        if (only == 0 || only == devices[i].device) {
            error = test_device(call, user, devices[i].device, count);
            error = error == -ENODATA ? 0 : error;
        }
    }
    ln_text_print(call->out, "]");
    ln_msg_free(&answer);
    return error;
}

/* user [device] -> [{"device": ..., "status": HTTP's or a negative errno, "why": ...}, ...] */
void
shell_push_test(struct shell_call *call)
{
    uint64_t user = 0;
    uint64_t only = 0;
    unsigned count = 0;
    if (push_is_off(call)) {
        return;
    }
    const char *at = call->count > 1 ? call->words[1] : "0";
    if (!shell_number_parse(&at, UINT16_MAX, &only) || *at != '\0') {
        shell_fail(call, SHELL_USAGE, "push test: '%s' is no device's number", call->words[1]);
        return;
    }
    int error = shell_user_find(call, call->words[0], &user);
    if (error == 0) {
        error = test_devices(call, user, only, &count);
    }
    if (error < 0) {
        push_failed(call, error, "push test");
    } else if (count == 0) {
        shell_fail(call, SHELL_FAILED, "'%s' has no %s that wants to be woken", call->words[0],
                   only == 0 ? "device" : "such device");
    }
}
