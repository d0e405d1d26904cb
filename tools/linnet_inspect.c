/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/name.h"
#include "tools/linnet_call.h"
#include "tools/linnet_json.h"
#include "tools/linnet_table.h"

#include <stdio.h>
#include <string.h>

/* An actor's state, in which its clients' words may stand. */
static void
lines_print(yajl_val text)
{
    char *rest = YAJL_GET_STRING(text);
    while (rest != NULL && *rest != '\0') {
        char *line = strsep(&rest, "\n");
        name_blot(line);
        printf("%s\n", line);
    }
}

static void
actor_print(yajl_val tree)
{
    yajl_val actor = linnet_json_member(tree, "actor");
    char memory[LINNET_NUMBER_BYTES];
    const char *name = linnet_json_text(actor, "name");
    printf("pid            %s\n", linnet_json_text(actor, "pid"));
    printf("behaviour      %s\n", linnet_json_text(actor, "behaviour"));
    printf("name           %s\n", name[0] != '\0' ? name : "-");
    printf("parent         %s\n", linnet_json_text(actor, "parent"));
    printf("state          %s\n", linnet_json_text(actor, "state"));
    printf("mailbox        %llu\n", (unsigned long long)linnet_json_number(actor, "mailbox"));
    printf("reductions     %llu\n", (unsigned long long)linnet_json_number(actor, "reductions"));
    printf("memory         %s\n",
           linnet_bytes_text(linnet_json_number(actor, "memory_bytes"), memory));
    printf("\n");
    lines_print(linnet_json_member(tree, "text"));
}

static void
devices_print(yajl_val devices)
{
    static const struct linnet_column columns[] = {
        {"DEVICE", true},  {"NAME", false}, {"ADDED", false}, {"ACKED", true},
        {"WAITING", true}, {"BYTES", true}, {"", false},
    };
    struct linnet_table table;
    linnet_table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < linnet_json_count(devices); i++) {
        yajl_val row = linnet_json_at(devices, i);
        linnet_table_number(&table, linnet_json_number(row, "device"));
        linnet_table_text(&table, linnet_json_text(row, "name"));
        linnet_table_time(&table, linnet_json_number(row, "added_at_ms"));
        linnet_table_number(&table, linnet_json_number(row, "acked"));
        linnet_table_number(&table, linnet_json_number(row, "waiting"));
        linnet_table_bytes(&table, linnet_json_number(row, "waiting_bytes"));
        linnet_table_text(&table, linnet_json_true(row, "resync") ? "resync" : "");
    }
    linnet_table_print(&table);
    linnet_table_fini(&table);
}

static void
user_print(yajl_val tree)
{
    yajl_val inbox = linnet_json_member(tree, "inbox");
    yajl_val partition = linnet_json_member(tree, "partition");
    char time[LINNET_NUMBER_BYTES];
    char bytes[LINNET_NUMBER_BYTES];
    printf("user           %llu\n", (unsigned long long)linnet_json_number(tree, "user"));
    printf("name           %s\n", linnet_json_text(tree, "name"));
    printf("created        %s UTC\n",
           linnet_time_text(linnet_json_number(tree, "created_at_ms"), time));
    printf("inbox          %llu messages, %s, numbers above %llu up to %llu\n",
           (unsigned long long)linnet_json_number(inbox, "entries"),
           linnet_bytes_text(linnet_json_number(inbox, "bytes"), bytes),
           (unsigned long long)linnet_json_number(inbox, "low"),
           (unsigned long long)linnet_json_number(inbox, "last"));
    printf("partition      %llu of cell %llu on scheduler %llu, %s\n",
           (unsigned long long)linnet_json_number(partition, "number"),
           (unsigned long long)linnet_json_number(partition, "cell"),
           (unsigned long long)linnet_json_number(partition, "scheduler"),
           linnet_json_text(partition, "pid"));
    const char *session = linnet_json_text(tree, "session");
    printf("session        %s\n", session[0] != '\0' ? session : "none: offline");
    printf("\n");
    devices_print(linnet_json_member(tree, "devices"));
}

int
linnet_inspect(struct linnet_call *call)
{
    const char *words[] = {"inspect", call->words[0]};
    if (call->json) {
        return linnet_ask_print(&call->client, words, 2, false);
    }
    yajl_val tree = NULL;
    int code = linnet_ask_tree(&call->client, words, 2, &tree);
    if (code == SHELL_DONE && linnet_json_member(tree, "actor") != NULL) {
        actor_print(tree);
    } else if (code == SHELL_DONE) {
        user_print(tree);
    }
    yajl_tree_free(tree);
    return code;
}
