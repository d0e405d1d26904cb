/* SPDX-License-Identifier: Apache-2.0 */
/* Following the messages of an actor, or of all the actors of a user who is online. The trace is
 * the connection's: it goes on from one request of the tool to the next, and ends with it. */
#include "actors/accounts.h"
#include "actors/shell_priv.h"
#include "runtime/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    /* A request is answered after so long although nothing has happened: what a tool that has gone
     * leaves its trace on for. */
    PATIENCE_MS = 200,
    LOOK_MS = 20,
    EVENTS_MAX = 1000000,
};

/* ------------------------------------------------------------------------------------ beginning */

/* The connections of a user. 0 with how many, -ENOENT: no such user, or -ESRCH: offline. */
static int
user_actors(struct shell_call *call, ln_pid pids[LN_TRACE_ACTORS_MAX], uint32_t *out_count)
{
    uint64_t user = 0;
    struct ln_msg *answer = NULL;
    int error = shell_user_find(call, call->words[0], &user);
    if (error == 0) {
        error = accounts_devices(call->messenger, user, &answer);
    }
    if (error < 0) {
        return error;
    }
    ASSERT(answer != NULL);
    uint32_t devices_count = 0;
    const struct store_device *devices = accounts_device_list(answer, &devices_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < devices_count && count < LN_TRACE_ACTORS_MAX; i++) {
        if (devices[i].session != 0) {
            pids[count++] = devices[i].session;
        }
    }
    ln_msg_free(&answer);
    *out_count = count;
    return count > 0 ? 0 : -ESRCH;
}

/* "name", up to `high` */
static bool
bound_read(struct shell_call *call, const char *what, const char *word, uint64_t high,
           uint32_t *out)
{
    uint64_t value = 0;
    const char *at = word;
    if (!shell_number_parse(&at, high, &value) || *at != '\0' || value == 0) {
        shell_fail(call, SHELL_USAGE, "trace: '%s' is no number of %s from 1 to %llu", word, what,
                   (unsigned long long)high);
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* False: the call has failed. */
static bool
trace_begin(struct shell_call *call)
{
    ln_pid pids[LN_TRACE_ACTORS_MAX];
    struct ln_trace_options options = {.pids = pids, .pids_count = 1};
    bool actor = shell_pid_parse(call->words[0], &pids[0]);
    if (!bound_read(call, "events", call->words[1], EVENTS_MAX, &options.events_max) ||
        !bound_read(call, "milliseconds", call->words[2], LN_TRACE_MS_MAX, &options.ms_max)) {
        return false;
    }
    int error = actor ? 0 : user_actors(call, pids, &options.pids_count);
    if (error == 0) {
        error = ln_trace_start(&options, call->trace);
    }
    if (error == -ENOENT) {
        shell_fail(call, SHELL_UNKNOWN, "there is no user '%s'", call->words[0]);
    } else if (error == -ESRCH && actor) {
        shell_fail(call, SHELL_UNKNOWN, "there is no actor %s", call->words[0]);
    } else if (error == -ESRCH) {
        shell_fail(call, SHELL_FAILED, "'%s' is offline: there is no actor to trace",
                   call->words[0]);
    } else if (error == -EAGAIN) {
        shell_fail(call, SHELL_FAILED, "there are %d traces already: end one of them",
                   LN_TRACES_MAX);
    } else if (error < 0) {
        shell_fail_errno(call, error, "trace");
    }
    return error == 0;
}

/* --------------------------------------------------------------------------------------- events */

static void
put_comma(struct shell_call *call)
{
    ln_text_print(call->out, "%s", call->out->bytes > 1 ? "," : "");
}

static void
put_event(struct shell_call *call, const struct ln_trace_event *event, uint64_t started_ns)
{
    static const char *const kinds[] = {"sent", "taken", "ended"};
    static const char *const lanes[] = {"system", "reply", "durable", "lossy"};
    uint64_t since_ns = event->at_ns > started_ns ? event->at_ns - started_ns : 0;
    put_comma(call);
    ln_text_print(call->out, "{");
    shell_put_number(call, "at_us", since_ns / 1000);
    shell_put_text(call, "event", kinds[event->kind]);
    shell_put_pid(call, "actor", event->actor);
    if (event->kind != LN_TRACE_ENDED) {
        if (event->peer != 0) {
            shell_put_pid(call, "peer", event->peer);
        }
        shell_put_tag(call, event->tag, event->tag_name);
        shell_put_number(call, "bytes", event->bytes + event->buffer_bytes);
        shell_put_text(call, "lane", lanes[event->lane]);
        shell_put_text(call, "as",
                       (event->flags & LN_MSG_REFUSED) != 0   ? "refused"
                       : (event->flags & LN_MSG_REQUEST) != 0 ? "request"
                       : (event->flags & LN_MSG_ANSWER) != 0  ? "answer"
                                                              : "message");
        ln_text_print(call->out, "\"errno\":%d,", -(int)event->error);
    }
    shell_put_end(call, "}");
}

static void
put_news(struct shell_call *call, const struct ln_trace_news *news)
{
    static const char *const reasons[] = {"", "actors ended", "time", "count"};
    if (news->dropped > 0) {
        put_comma(call);
        ln_text_print(call->out, "{\"event\":\"dropped\",\"count\":%llu}",
                      (unsigned long long)news->dropped);
    }
    if (news->state != LN_TRACE_RUNS) {
        put_comma(call);
        ln_text_print(call->out, "{\"event\":\"over\",\"reason\":\"%s\"}", reasons[news->state]);
    }
}

/* What has happened, or happens soon. */
static int
trace_page(struct shell_call *call, struct ln_trace_news *news)
{
    struct ln_trace_event *events = ln_alloc(LN_TRACE_PAGE * sizeof *events);
    uint32_t count = 0;
    int error = 0;
    for (unsigned ms = 0; error == 0; ms += LOOK_MS) {
        error = ln_trace_read(*call->trace, events, LN_TRACE_PAGE, &count, news);
        if (count > 0 || news->dropped > 0 || news->state != LN_TRACE_RUNS || ms >= PATIENCE_MS) {
            break;
        }
        error = error == 0 ? ln_sleep(LOOK_MS) : error;
    }
    for (uint32_t i = 0; error == 0 && i < count; i++) {
        put_event(call, &events[i], news->started_ns);
    }
    ln_free(events);
    return error;
}

/* pid or user, events, milliseconds [cursor] -> [{"at_us": ..., "event": "sent", ...}, ...] */
void
shell_trace(struct shell_call *call)
{
    struct ln_trace_news news = {0};
    if (call->count < 4) {
        ln_trace_stop(call->trace);
        if (!trace_begin(call)) {
            return;
        }
    }
    if (*call->trace == NULL) {
        shell_fail(call, SHELL_USAGE, "trace: there is none to go on with");
        return;
    }
    ln_text_print(call->out, "[");
    int error = trace_page(call, &news);
    if (error < 0) {
        shell_fail_errno(call, error, "trace");
    } else {
        put_news(call, &news);
        ln_text_print(call->out, "]");
    }
    if (error == 0 && news.state == LN_TRACE_RUNS) {
        (void)snprintf(call->next, sizeof call->next, "on");
    } else {
        ln_trace_stop(call->trace);
    }
}
