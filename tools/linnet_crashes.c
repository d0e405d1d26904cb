/* SPDX-License-Identifier: Apache-2.0 */
/* Actors that failed, actors that held their scheduler too long, and actors that are to end. */
#include "tools/linnet_json.h"
#include "tools/linnet_show.h"
#include "tools/linnet_table.h"

#include <stdio.h>

static void
crash_print(yajl_val crash)
{
    char at[LINNET_NUMBER_BYTES];
    const char *name = linnet_json_text(crash, "name");
    printf("%s  %s  %s%s%s: %s (%s:%llu)\n",
           linnet_time_text(linnet_json_number(crash, "at_ms"), at), linnet_json_text(crash, "pid"),
           linnet_json_text(crash, "behaviour"), name[0] != '\0' ? ", " : "", name,
           linnet_json_text(crash, "reason"), linnet_json_text(crash, "file"),
           (unsigned long long)linnet_json_number(crash, "line"));
    printf("  parent %s, mailbox %llu, messages handled %llu, memory %llu bytes\n",
           linnet_json_text(crash, "parent"),
           (unsigned long long)linnet_json_number(crash, "mailbox"),
           (unsigned long long)linnet_json_number(crash, "reductions"),
           (unsigned long long)linnet_json_number(crash, "memory_bytes"));
    const char *state = linnet_json_text(crash, "state");
    if (state[0] != '\0') {
        printf("  state: %s\n", state);
    }
    yajl_val messages = linnet_json_member(crash, "messages");
    for (size_t i = 0; i < linnet_json_count(messages); i++) {
        yajl_val msg = linnet_json_at(messages, i);
        char tag[LINNET_NUMBER_BYTES];
        printf("%s%s from %s (%llu bytes)", i == 0 ? "  handled last: " : ", ",
               linnet_tag_text(msg, tag), linnet_json_text(msg, "from"),
               (unsigned long long)linnet_json_number(msg, "bytes"));
    }
    printf("%s", linnet_json_count(messages) > 0 ? "\n" : "");
}

static void
stall_print(yajl_val stall)
{
    char at[LINNET_NUMBER_BYTES];
    printf("%s  %s  %s: held its scheduler for %llu ms of CPU time, number %llu there\n",
           linnet_time_text(linnet_json_number(stall, "at_ms"), at), linnet_json_text(stall, "pid"),
           linnet_json_text(stall, "behaviour"),
           (unsigned long long)linnet_json_number(stall, "cpu_ms"),
           (unsigned long long)linnet_json_number(stall, "behaviour_count"));
    printf("  at %s\n", linnet_json_text(stall, "at"));
}

/* Each of what the node kept, newest first per scheduler. */
static void
each_print(yajl_val rows, const char *none, void (*print)(yajl_val row))
{
    for (size_t i = 0; i < linnet_json_count(rows); i++) {
        print(linnet_json_at(rows, i));
    }
    if (linnet_json_count(rows) == 0) {
        printf("%s\n", none);
    }
}

static void
crashes_print(yajl_val rows)
{
    each_print(rows, "no actor has failed since the start", crash_print);
}

int
linnet_crashes(struct linnet_call *call)
{
    const char *words[] = {"crashes"};
    return linnet_show(call, words, 1, crashes_print);
}

static void
stalls_print(yajl_val rows)
{
    each_print(rows, "no actor has held its scheduler too long since the start", stall_print);
}

int
linnet_stalls(struct linnet_call *call)
{
    const char *words[] = {"stalls"};
    return linnet_show(call, words, 1, stalls_print);
}

static void
killed_print(yajl_val tree)
{
    const char *name = linnet_json_text(tree, "name");
    printf("killed %s %s%s%s\n", linnet_json_text(tree, "behaviour"), linnet_json_text(tree, "pid"),
           name[0] != '\0' ? ", " : "", name);
}

int
linnet_kill(struct linnet_call *call)
{
    const char *words[] = {"kill", call->words[0]};
    return linnet_show(call, words, 2, killed_print);
}
