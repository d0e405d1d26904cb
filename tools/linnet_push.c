/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_json.h"
#include "tools/linnet_show.h"
#include "tools/linnet_table.h"

#include <stdio.h>
#include <string.h>

/* A status as it was, or why there was none. Numbers of documents have no sign for linnet_json. */
static const char *
status_text(yajl_val row, char out[LINNET_NUMBER_BYTES])
{
    yajl_val value = linnet_json_member(row, "status");
    long long status = YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : 0;
    if (status < 0) {
        (void)snprintf(out, LINNET_NUMBER_BYTES, "%s", strerrordesc_np((int)-status));
    } else if (status > 0) {
        (void)snprintf(out, LINNET_NUMBER_BYTES, "%lld", status);
    } else {
        out[0] = '\0';
    }
    return out;
}

/* ----------------------------------------------------------------------------------------- show */

static void
step_fill(struct linnet_table *table, yajl_val row)
{
    char text[LINNET_NUMBER_BYTES];
    linnet_table_time(table, linnet_json_number(row, "at_ms"));
    linnet_table_text(table, linnet_json_text(row, "step"));
    linnet_table_number(table, linnet_json_number(row, "entry"));
    linnet_table_number(table, linnet_json_number(row, "attempt"));
    linnet_table_text(table, status_text(row, text));
    linnet_table_text(table, linnet_json_true(row, "test") ? "test" : "");
}

static void
device_print(yajl_val device)
{
    static const struct linnet_column columns[] = {
        {"TIME", false},   {"STEP", false},   {"ENTRY", true},
        {"ATTEMPT", true}, {"STATUS", false}, {"", false},
    };
    const char *kind = linnet_json_text(device, "kind");
    char text[LINNET_NUMBER_BYTES];
    printf("device %llu    %s\n", (unsigned long long)linnet_json_number(device, "device"),
           linnet_json_text(device, "name"));
    if (kind[0] == '\0') {
        printf("  is not woken: it has left no subscription\n");
    } else {
        printf("  by %s%s%s, set %s UTC\n", kind,
               linnet_json_text(device, "server")[0] != '\0' ? " at " : "",
               linnet_json_text(device, "server"),
               linnet_time_text(linnet_json_number(device, "set_at_ms"), text));
        printf("  %s%s\n", linnet_json_true(device, "due") ? "due since " : "not due",
               linnet_json_true(device, "due")
                   ? linnet_time_text(linnet_json_number(device, "due_at_ms"), text)
                   : "");
    }
    yajl_val steps = linnet_json_member(device, "steps");
    if (linnet_json_count(steps) > 0) {
        linnet_table_show(columns, sizeof columns / sizeof columns[0], steps, step_fill);
    }
}

static void
user_print(yajl_val user)
{
    yajl_val devices = linnet_json_member(user, "devices");
    for (size_t i = 0; i < linnet_json_count(devices); i++) {
        device_print(linnet_json_at(devices, i));
    }
}

int
linnet_push_show(struct linnet_call *call)
{
    const char *words[] = {"push", "show", call->words[0]};
    return linnet_show(call, words, 3, user_print);
}

/* ----------------------------------------------------------------------------------------- test */

static void
tested_print(yajl_val devices)
{
    for (size_t i = 0; i < linnet_json_count(devices); i++) {
        yajl_val row = linnet_json_at(devices, i);
        char text[LINNET_NUMBER_BYTES];
        const char *why = linnet_json_text(row, "why");
        printf("device %llu: %s%s%s\n", (unsigned long long)linnet_json_number(row, "device"),
               status_text(row, text), why[0] != '\0' ? ": " : "", why);
    }
}

int
linnet_push_test(struct linnet_call *call)
{
    const char *words[] = {"push", "test", call->words[0], call->words[1]};
    return linnet_show(call, words, 2 + call->count, tested_print);
}
