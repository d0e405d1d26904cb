/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_json.h"
#include "tools/linnet_show.h"
#include "tools/linnet_table.h"

#include <stdio.h>

static uint64_t total;

static void
row_fill(struct linnet_table *table, yajl_val row)
{
    char share[LINNET_NUMBER_BYTES];
    uint64_t commands = linnet_json_number(row, "commands");
    linnet_table_number(table, linnet_json_number(row, "id"));
    linnet_table_number(table, commands);
    (void)snprintf(share, sizeof share, "%llu%%",
                   (unsigned long long)(total > 0 ? commands * 100 / total : 0));
    linnet_table_text(table, share);
    linnet_table_number(table, linnet_json_number(row, "error"));
}

static void
rows_print(yajl_val answer, const char *name, const char *title)
{
    const struct linnet_column columns[] = {
        {title, true}, {"COMMANDS", true}, {"SHARE", true}, {"ERROR", true}};
    yajl_val rows = linnet_json_member(answer, name);
    if (linnet_json_count(rows) > 0) {
        linnet_table_show(columns, 4, rows, row_fill);
    } else {
        printf("no %s\n", name);
    }
}

static void
hot_print(yajl_val answer)
{
    total = linnet_json_number(answer, "total");
    rows_print(answer, "users", "USER");
    printf("\n");
    rows_print(answer, "groups", "GROUP");
}

int
linnet_hot(struct linnet_call *call)
{
    const char *words[] = {"hot"};
    return linnet_show(call, words, 1, hot_print);
}
