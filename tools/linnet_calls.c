/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_call.h"
#include "tools/linnet_json.h"
#include "tools/linnet_table.h"

#include <stdio.h>
#include <string.h>

static void
row_add(struct linnet_table *table, yajl_val row)
{
    char id[3 * LINNET_NUMBER_BYTES];
    (void)snprintf(id, sizeof id, "%llu/%llu/%llu",
                   (unsigned long long)linnet_json_number(row, "caller"),
                   (unsigned long long)linnet_json_number(row, "device"),
                   (unsigned long long)linnet_json_number(row, "number"));
    linnet_table_text(table, id);
    linnet_table_number(table, linnet_json_number(row, "callee"));
    linnet_table_text(table, linnet_json_text(row, "state"));
    linnet_table_time(table, linnet_json_number(row, "started_at_ms"));
}

static void
page_take(void *context, yajl_val page)
{
    struct linnet_table *table = context;
    for (size_t i = 0; i < linnet_json_count(page); i++) {
        row_add(table, linnet_json_at(page, i));
    }
}

int
linnet_calls(struct linnet_call *call)
{
    static const struct linnet_column columns[] = {
        {"CALLER/DEVICE/NUMBER", false}, {"CALLEE", true}, {"STATE", false}, {"SINCE", false}};
    const char *words[2] = {"calls"};
    struct linnet_table table;
    if (call->json) {
        return linnet_ask_print(&call->client, words, 1, true);
    }
    linnet_table_init(&table, columns, sizeof columns / sizeof columns[0]);
    int code = linnet_ask_pages(&call->client, words, 1, page_take, &table);
    if (code == SHELL_DONE) {
        linnet_table_print(&table);
    }
    linnet_table_fini(&table);
    return code;
}
