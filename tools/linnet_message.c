/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_json.h"
#include "tools/linnet_show.h"
#include "tools/linnet_table.h"

#include <stdio.h>
#include <string.h>

static uint64_t first_us;

/* "inbox 900000000000018", "chat 5", "No space left on device" */
static void
detail_print(yajl_val step, char *out, size_t out_bytes)
{
    const char *reason = linnet_json_text(step, "reason");
    uint64_t chat = linnet_json_number(step, "chat_number");
    uint64_t inbox = linnet_json_number(step, "inbox_number");
    if (reason[0] != '\0') {
        (void)snprintf(out, out_bytes, "%s", reason);
    } else if (chat != 0) {
        (void)snprintf(out, out_bytes, "chat %llu", (unsigned long long)chat);
    } else if (inbox != 0) {
        (void)snprintf(out, out_bytes, "inbox %llu", (unsigned long long)inbox);
    } else {
        out[0] = '\0';
    }
}

static void
step_row(struct linnet_table *table, yajl_val step)
{
    char text[LINNET_NUMBER_BYTES + 16];
    char second[LINNET_NUMBER_BYTES];
    uint64_t time_us = linnet_json_number(step, "time_us");
    uint64_t since_us = time_us - first_us;
    uint64_t device = linnet_json_number(step, "device");
    (void)snprintf(text, sizeof text, "%s.%05llu", linnet_time_text(time_us / 1000, second),
                   (unsigned long long)(time_us % 1000000 / 10));
    linnet_table_text(table, text);
    (void)snprintf(text, sizeof text, "+%llu.%05llu", (unsigned long long)(since_us / 1000000),
                   (unsigned long long)(since_us % 1000000 / 10));
    linnet_table_text(table, text);
    linnet_table_text(table, linnet_json_text(step, "step"));
    linnet_table_number(table, linnet_json_number(step, "user_id"));
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)device);
    linnet_table_text(table, device != 0 ? text : "-");
    detail_print(step, text, sizeof text);
    linnet_table_text(table, text);
}

static void
trace_print(yajl_val trace)
{
    static const struct linnet_column columns[] = {{"TIME", false},  {"SINCE", true},
                                                   {"STEP", false},  {"USER", true},
                                                   {"DEVICE", true}, {"NUMBER", false}};
    yajl_val steps = linnet_json_member(trace, "steps");
    uint64_t oldest_ms = linnet_json_number(trace, "oldest_ms");
    uint64_t now_ms = linnet_json_number(trace, "now_ms");
    uint64_t missed = linnet_json_number(trace, "missed");
    char since[LINNET_NUMBER_BYTES];
    char span[LINNET_NUMBER_BYTES];
    if (linnet_json_count(steps) > 0) {
        first_us = linnet_json_number(linnet_json_at(steps, 0), "time_us");
        linnet_table_show(columns, 6, steps, step_row);
    } else {
        printf("no step of this message is kept\n");
    }
    if (linnet_json_true(trace, "cut")) {
        printf("and more than can be shown\n");
    }
    if (missed > 0) {
        printf("%llu steps of any message were not noted, for want of time\n",
               (unsigned long long)missed);
    }
    if (oldest_ms > 0) {
        printf("steps are kept since %s (%s)\n", linnet_time_text(oldest_ms, since),
               linnet_span_text(now_ms > oldest_ms ? now_ms - oldest_ms : 0, span));
    }
}

int
linnet_msg_trace(struct linnet_call *call)
{
    const char *words[] = {"msg", "trace", call->words[0]};
    return linnet_show(call, words, 3, trace_print);
}
