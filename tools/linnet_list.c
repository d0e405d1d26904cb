/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_list.h"

#include "tools/linnet_json.h"

struct list {
    struct linnet_table table;
    void (*fill)(struct linnet_table *table, yajl_val row);
};

static void
page_take(void *context, yajl_val page)
{
    struct list *list = context;
    for (size_t i = 0; i < linnet_json_count(page); i++) {
        list->fill(&list->table, linnet_json_at(page, i));
    }
}

int
linnet_list(struct linnet_call *call, const char **words, unsigned count,
            const struct linnet_column *columns, unsigned columns_count,
            void (*fill)(struct linnet_table *table, yajl_val row))
{
    struct list list = {.fill = fill};
    if (call->json) {
        return linnet_ask_print(&call->client, words, count, true);
    }
    linnet_table_init(&list.table, columns, columns_count);
    int code = linnet_ask_pages(&call->client, words, count, page_take, &list);
    if (code == SHELL_DONE) {
        linnet_table_print(&list.table);
    }
    linnet_table_fini(&list.table);
    return code;
}
