/* SPDX-License-Identifier: Apache-2.0 */
/* Where a message has got to, from the steps that were noted on its way (store/trace.h). */
#include "actors/shell_priv.h"
#include "store/trace.h"

#include <errno.h>
#include <string.h>

/* The part behind the last '/', which is cut off: names may have one, numbers not. NULL: none. */
static const char *
cut_last(char *text)
{
    char *slash = strrchr(text, '/');
    if (slash == NULL) {
        return NULL;
    }
    *slash = '\0';
    return slash + 1;
}

static bool
number_of(const char *text, uint64_t high, uint64_t *out)
{
    return text != NULL && shell_number_parse(&text, high, out) && *text == '\0';
}

/* "alice/1/17". False: the call has failed. Yields. */
static bool
id_read(struct shell_call *call, struct trace *out)
{
    char text[2 * STORE_NAME_BYTES_MAX];
    uint64_t device = 0;
    const char *word = call->words[0];
    bool fits = strlen(word) < sizeof text;
    if (fits) {
        memcpy(text, word, strlen(word) + 1);
    }
    if (!fits || !number_of(cut_last(text), UINT64_MAX, &out->number) ||
        !number_of(cut_last(text), UINT16_MAX, &device)) {
        shell_fail(call, SHELL_USAGE, "'%s' is no message: USER/DEVICE/NUMBER", word);
        return false;
    }
    out->device = (uint16_t)device;
    int error = shell_user_find(call, text, &out->sender);
    if (error == -ENOENT) {
        shell_fail(call, SHELL_UNKNOWN, "there is no user '%s'", text);
    } else if (error < 0) {
        shell_fail_errno(call, error, "msg trace");
    }
    return error == 0;
}

/* In the protocol's words where the system's would mislead. */
static const char *
reason_of(int error)
{
    switch (error) {
    case ESTALE:
        return "TOO_OLD: the number is below the window";
    case EDQUOT:
        return "RECIPIENT_FULL: no device has room for it";
    case EUSERS:
        return "RATE_LIMITED: too many first messages";
    case ETIME:
        return "TOO_LATE: the message is too old to be changed";
    case EIDRM:
        return "GONE: the message was deleted";
    default:
        break;
    }
    const char *reason = strerrordesc_np(error);
    return reason != NULL ? reason : "unknown";
}

static void
put_step(struct shell_call *call, const struct step *step)
{
    static const char *const numbers[STEP_KINDS] = {
        [STEP_DURABLE] = "chat_number",   [STEP_REPEATED] = "chat_number",
        [STEP_ANSWERED] = "chat_number",  [STEP_READ] = "chat_number",
        [STEP_QUEUED] = "inbox_number",   [STEP_WRITTEN] = "inbox_number",
        [STEP_PUSHED] = "inbox_number",   [STEP_ACKNOWLEDGED] = "inbox_number",
        [STEP_GIVEN_UP] = "inbox_number", [STEP_EXPIRED] = "inbox_number",
        [STEP_REFUSED] = "errno",
    };
    ln_text_print(call->out, "{");
    shell_put_number(call, "time_us", step->ticks * STEP_TICK_US);
    shell_put_text(call, "step", step_kind_name(step->kind));
    shell_put_number(call, "user_id", step->user);
    if (step->device != 0) {
        shell_put_number(call, "device", step->device);
    }
    if (numbers[step->kind] != NULL) {
        shell_put_number(call, numbers[step->kind], step->number);
    }
    if (step->kind == STEP_REFUSED) {
        shell_put_text(call, "reason", reason_of((int)step->number));
    }
    shell_put_end(call, "},");
}

/* user/device/number -> {"message": {...}, "steps": [{"time_us": ..., "step": ...}, ...], ...} */
void
shell_msg_trace(struct shell_call *call)
{
    struct trace trace = {0};
    if (!id_read(call, &trace)) {
        return;
    }
    int error = trace_find(call->messenger->store, &trace);
    if (error == -ENODATA) {
        shell_fail(call, SHELL_FAILED, "no steps are kept: trace_bytes_max is 0");
        return;
    }
    if (error < 0) {
        shell_fail_errno(call, error, "msg trace");
        return;
    }
    ln_text_print(call->out, "{\"message\":{");
    shell_put_number(call, "user_id", trace.sender);
    shell_put_number(call, "device", trace.device);
    shell_put_number(call, "number", trace.number);
    shell_put_end(call, "},\"steps\":[");
    for (unsigned i = 0; i < trace.count && shell_row_fits(call); i++) {
        put_step(call, &trace.rows[i]);
    }
    shell_put_end(call, "],");
    ln_text_print(call->out, "\"cut\":%s,", trace.cut ? "true" : "false");
    shell_put_number(call, "missed", trace.missed);
    shell_put_number(call, "bytes_read", trace.bytes);
    shell_put_number(call, "oldest_ms", trace.oldest_ms);
    shell_put_number(call, "now_ms", (uint64_t)ln_wall_ms());
    shell_put_end(call, "}");
    trace_free(&trace);
}
