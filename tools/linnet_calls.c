/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_json.h"
#include "tools/linnet_list.h"

#include <stdio.h>

static void
call_fill(struct linnet_table *table, yajl_val row)
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

int
linnet_calls(struct linnet_call *call)
{
    static const struct linnet_column columns[] = {
        {"CALLER/DEVICE/NUMBER", false}, {"CALLEE", true}, {"STATE", false}, {"SINCE", false}};
    const char *words[2] = {"calls"};
    return linnet_list(call, words, 1, columns, sizeof columns / sizeof columns[0], call_fill);
}
