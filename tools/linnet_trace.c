/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of an actor or a user, as they happen: the node answers page by page until the trace
 * is over. Whoever interrupts the tool closes its connection, and that ends the trace. */
#include "runtime/trace.h"
#include "tools/linnet_call.h"
#include "tools/linnet_json.h"
#include "tools/linnet_table.h"

#include <stdio.h>
#include <string.h>

/* "+0.012345  0.12.0  sent   0.13.0   request STORE_MESSAGE, 12 bytes" */
static void
event_print(yajl_val event)
{
    const char *kind = linnet_json_text(event, "event");
    unsigned long long at_us = linnet_json_number(event, "at_us");
    printf("+%llu.%06llu  %-12s %-6s", at_us / 1000000, at_us % 1000000,
           linnet_json_text(event, "actor"), kind);
    if (strcmp(kind, "ended") != 0) {
        char tag[LINNET_NUMBER_BYTES];
        int error = (int)linnet_json_number(event, "errno");
        bool sent = strcmp(kind, "sent") == 0;
        const char *peer = linnet_json_text(event, "peer");
        printf(" %s %-12s %s %s, %llu bytes, %s", sent ? "to  " : "from",
               peer[0] != '\0' ? peer : "-", linnet_json_text(event, "as"),
               linnet_tag_text(event, tag), (unsigned long long)linnet_json_number(event, "bytes"),
               linnet_json_text(event, "lane"));
        printf("%s%s", error != 0 ? ": " : "", error != 0 ? strerrordesc_np(error) : "");
    }
    printf("\n");
}

static void
page_print(void *context, yajl_val page)
{
    (void)context;
    for (size_t i = 0; i < linnet_json_count(page); i++) {
        yajl_val event = linnet_json_at(page, i);
        const char *kind = linnet_json_text(event, "event");
        if (strcmp(kind, "dropped") == 0) {
            printf("%llu more, for which there was no room\n",
                   (unsigned long long)linnet_json_number(event, "count"));
        } else if (strcmp(kind, "over") == 0) {
            printf("the trace is over: %s\n", linnet_json_text(event, "reason"));
        } else {
            event_print(event);
        }
    }
    (void)fflush(stdout);
}

int
linnet_trace(struct linnet_call *call)
{
    char count[LINNET_NUMBER_BYTES];
    char ms[LINNET_NUMBER_BYTES];
    (void)snprintf(count, sizeof count, "%llu", (unsigned long long)call->trace_count);
    (void)snprintf(ms, sizeof ms, "%llu000", (unsigned long long)call->trace_seconds);
    if (call->trace_seconds == 0 || call->trace_seconds > LN_TRACE_MS_MAX / 1000) {
        (void)fprintf(stderr, "linnet: --seconds: '%llu' is no number from 1 to %d\n",
                      (unsigned long long)call->trace_seconds, LN_TRACE_MS_MAX / 1000);
        return SHELL_USAGE;
    }
    const char *words[5] = {"trace", call->words[0], count, ms};
    return call->json ? linnet_ask_print(&call->client, words, 4, true)
                      : linnet_ask_pages(&call->client, words, 4, page_print, NULL);
}
