/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_json.h"
#include "tools/linnet_list.h"
#include "tools/linnet_show.h"

#include <stdio.h>

/* ----------------------------------------------------------------------------------------- list */

static void
group_fill(struct linnet_table *table, yajl_val row)
{
    linnet_table_number(table, linnet_json_number(row, "group"));
    linnet_table_text(table, linnet_json_text(row, "name"));
    linnet_table_number(table, linnet_json_number(row, "members"));
    linnet_table_number(table, linnet_json_number(row, "messages"));
    linnet_table_number(table, linnet_json_number(row, "updates"));
    linnet_table_time(table, linnet_json_number(row, "created_at_ms"));
}

int
linnet_group_list(struct linnet_call *call)
{
    static const struct linnet_column columns[] = {{"GROUP", true},   {"NAME", false},
                                                   {"MEMBERS", true}, {"MESSAGES", true},
                                                   {"UPDATES", true}, {"CREATED", false}};
    const char *words[3] = {"group", "list"};
    return linnet_list(call, words, 2, columns, sizeof columns / sizeof columns[0], group_fill);
}

/* ----------------------------------------------------------------------------------------- show */

static void
head_print(yajl_val group)
{
    char text[LINNET_NUMBER_BYTES];
    printf("%s    group %llu, of user %llu, created %s UTC\n", linnet_json_text(group, "name"),
           (unsigned long long)linnet_json_number(group, "group"),
           (unsigned long long)linnet_json_number(group, "creator"),
           linnet_time_text(linnet_json_number(group, "created_at_ms"), text));
    printf(
        "%llu members; messages up to %llu, whose senders are known from %llu on; %llu updates\n",
        (unsigned long long)linnet_json_number(group, "members_count"),
        (unsigned long long)linnet_json_number(group, "messages"),
        (unsigned long long)linnet_json_number(group, "kept_after") + 1,
        (unsigned long long)linnet_json_number(group, "updates"));
    printf("delivered to all up to %llu, read by all up to %llu; %s to be told\n",
           (unsigned long long)linnet_json_number(group, "delivered_all"),
           (unsigned long long)linnet_json_number(group, "read_all"),
           linnet_json_true(group, "due") ? "receipts wait" : "no receipts wait");
    printf("partition %llu, %llu records in its outbox\n",
           (unsigned long long)linnet_json_number(group, "partition"),
           (unsigned long long)linnet_json_number(group, "outbox"));
}

static void
leaders_print(yajl_val leaders)
{
    for (size_t i = 0; i < linnet_json_count(leaders); i++) {
        yajl_val row = linnet_json_at(leaders, i);
        printf("%s %llu\n", linnet_json_text(row, "role"),
               (unsigned long long)linnet_json_number(row, "user"));
    }
}

static void
group_print(yajl_val group)
{
    head_print(group);
    leaders_print(linnet_json_member(group, "leaders"));
}

int
linnet_group_show(struct linnet_call *call)
{
    const char *words[] = {"group", "show", call->words[0]};
    return linnet_show(call, words, 3, group_print);
}

/* -------------------------------------------------------------------------------------- members */

static void
member_fill(struct linnet_table *table, yajl_val row)
{
    linnet_table_number(table, linnet_json_number(row, "user"));
    linnet_table_text(table, linnet_json_text(row, "role"));
    linnet_table_number(table, linnet_json_number(row, "joined"));
    linnet_table_number(table, linnet_json_number(row, "delivered"));
    linnet_table_number(table, linnet_json_number(row, "read"));
}

int
linnet_group_members(struct linnet_call *call)
{
    static const struct linnet_column columns[] = {
        {"USER", true}, {"ROLE", false}, {"JOINED", true}, {"DELIVERED", true}, {"READ", true}};
    const char *words[4] = {"group", "members", call->words[0]};
    return linnet_list(call, words, 3, columns, sizeof columns / sizeof columns[0], member_fill);
}
