/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/name.h"
#include "tools/linnet_json.h"
#include "tools/linnet_show.h"
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

/* Those that it is tied to, as far as the node tells them one by one. */
static void
pids_print(yajl_val tree, const char *name)
{
    yajl_val pids = linnet_json_member(tree, name);
    yajl_val first = linnet_json_member(pids, "first");
    uint64_t count = linnet_json_number(pids, "count");
    size_t shown = linnet_json_count(first);
    printf("%-14s", name);
    for (size_t i = 0; i < shown; i++) {
        printf(" %s", YAJL_GET_STRING(linnet_json_at(first, i)));
    }
    if (shown < count) {
        printf(" and %llu more", (unsigned long long)(count - shown));
    }
    printf("%s\n", count == 0 ? " -" : "");
}

/* "3 durable (1.2 KiB)", with the bytes of what is there. */
static void
lane_print(yajl_val tree, const char *lane, const char *shown, const char *between)
{
    char text[LINNET_NUMBER_BYTES];
    uint64_t bytes = linnet_json_number(linnet_json_member(tree, "lane_bytes"), lane);
    printf("%s%llu %s", between,
           (unsigned long long)linnet_json_number(linnet_json_member(tree, "lanes"), lane), shown);
    if (bytes > 0) {
        printf(" (%s)", linnet_bytes_text(bytes, text));
    }
}

static void
mailbox_print(yajl_val tree)
{
    printf("mailbox        %llu",
           (unsigned long long)linnet_json_number(linnet_json_member(tree, "actor"), "mailbox"));
    lane_print(tree, "system", "system", ": ");
    lane_print(tree, "reply", "replies", ", ");
    lane_print(tree, "durable", "durable", ", ");
    lane_print(tree, "lossy", "lossy", ", ");
    printf("\n");
}

/* "waits for      answer of 0.12.0 to request STORE_MESSAGE, for 12.5 ms of 5000 at most" */
static void
wait_print(yajl_val wait)
{
    const char *callee = linnet_json_text(wait, "callee");
    uint64_t waited_us = linnet_json_number(wait, "waited_us");
    uint64_t timeout_ms = linnet_json_number(wait, "timeout_ms");
    printf("waits for      %s", linnet_json_text(wait, "for"));
    if (callee[0] != '\0') {
        char tag[LINNET_NUMBER_BYTES];
        printf(" of %s to request %s", callee, linnet_tag_text(wait, tag));
    }
    printf(", for %llu.%llu ms", (unsigned long long)(waited_us / 1000),
           (unsigned long long)(waited_us / 100 % 10));
    if (timeout_ms > 0) {
        printf(" of %llu at most", (unsigned long long)timeout_ms);
    }
    printf("%s\n", linnet_json_true(wait, "cancellable") ? "" : ", which can't be cut short");
}

static void
backtrace_print(yajl_val frames)
{
    for (size_t i = 0; i < linnet_json_count(frames); i++) {
        printf("%-14s %s\n", i == 0 ? "at" : "", linnet_json_text(linnet_json_at(frames, i), "at"));
    }
}

static void
actor_print(yajl_val tree)
{
    yajl_val actor = linnet_json_member(tree, "actor");
    yajl_val wait = linnet_json_member(tree, "wait");
    char memory[LINNET_NUMBER_BYTES];
    const char *name = linnet_json_text(actor, "name");
    printf("pid            %s\n", linnet_json_text(actor, "pid"));
    printf("behaviour      %s\n", linnet_json_text(actor, "behaviour"));
    printf("name           %s\n", name[0] != '\0' ? name : "-");
    printf("parent         %s\n", linnet_json_text(actor, "parent"));
    printf("state          %s\n", linnet_json_text(actor, "state"));
    mailbox_print(tree);
    printf("reductions     %llu\n", (unsigned long long)linnet_json_number(actor, "reductions"));
    printf("memory         %s\n",
           linnet_bytes_text(linnet_json_number(actor, "memory_bytes"), memory));
    pids_print(tree, "links");
    pids_print(tree, "watchers");
    pids_print(tree, "watching");
    if (YAJL_IS_OBJECT(wait)) {
        wait_print(wait);
    }
    backtrace_print(linnet_json_member(tree, "backtrace"));
    printf("\n");
    lines_print(linnet_json_member(tree, "text"));
}

static void
device_fill(struct linnet_table *table, yajl_val row)
{
    linnet_table_number(table, linnet_json_number(row, "device"));
    linnet_table_text(table, linnet_json_text(row, "name"));
    const char *connection = linnet_json_text(row, "connection");
    linnet_table_text(table, connection[0] != '\0' ? connection : "offline");
    linnet_table_time(table, linnet_json_number(row, "added_at_ms"));
    linnet_table_time(table, linnet_json_number(row, "seen_at_ms"));
    linnet_table_number(table, linnet_json_number(row, "acked"));
    linnet_table_number(table, linnet_json_number(row, "waiting"));
    linnet_table_bytes(table, linnet_json_number(row, "waiting_bytes"));
    linnet_table_text(table, linnet_json_true(row, "resync") ? "resync" : "");
}

static void
devices_print(yajl_val devices)
{
    static const struct linnet_column columns[] = {
        {"DEVICE", true},  {"NAME", false}, {"CONNECTION", false},
        {"ADDED", false},  {"SEEN", false}, {"ACKED", true},
        {"WAITING", true}, {"BYTES", true}, {"", false},
    };
    linnet_table_show(columns, sizeof columns / sizeof columns[0], devices, device_fill);
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
    printf("\n");
    devices_print(linnet_json_member(tree, "devices"));
}

static void
found_print(yajl_val tree)
{
    if (linnet_json_member(tree, "actor") != NULL) {
        actor_print(tree);
    } else {
        user_print(tree);
    }
}

int
linnet_inspect(struct linnet_call *call)
{
    const char *words[] = {"inspect", call->words[0]};
    return linnet_show(call, words, 2, found_print);
}
