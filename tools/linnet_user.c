/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_json.h"
#include "tools/linnet_show.h"
#include "tools/linnet_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
added_print(yajl_val tree)
{
    printf("added %s, user %llu\n", linnet_json_text(tree, "name"),
           (unsigned long long)linnet_json_number(tree, "user"));
}

int
linnet_user_add(struct linnet_call *call)
{
    const char *words[] = {"user", "add", call->words[0], call->password};
    return linnet_show(call, words, call->password != NULL ? 4 : 3, added_print);
}

/* A command whose answer says only that it was done. */
static int
done(struct linnet_call *call, const char **words, unsigned count, const char *sentence)
{
    if (call->json) {
        return linnet_ask_print(&call->client, words, count, false);
    }
    struct linnet_answer answer;
    int code = linnet_ask(&call->client, words, count, &answer);
    if (code == SHELL_DONE) {
        printf("%s %s\n", sentence, words[2]);
    }
    return code;
}

int
linnet_user_passwd(struct linnet_call *call)
{
    const char *words[] = {"user", "passwd", call->words[0], call->password};
    return done(call, words, 4, "changed the password of");
}

int
linnet_user_remove(struct linnet_call *call)
{
    const char *words[] = {"user", "remove", call->words[0]};
    if (strcmp(call->words[0], "-") == 0) {
        return linnet_users_remove(call);
    }
    return done(call, words, 3, "removed");
}

int
linnet_user_revoke(struct linnet_call *call)
{
    const char *words[] = {"user", "revoke", call->words[0], call->words[1]};
    return done(call, words, 4, "revoked a device of");
}

static void
token_print(yajl_val tree)
{
    printf("%s\n", linnet_json_text(tree, "token"));
}

int
linnet_user_token(struct linnet_call *call)
{
    const char *words[] = {"user", "token", call->words[0], call->words[1]};
    return linnet_show(call, words, 2 + call->count, token_print);
}

/* ----------------------------------------------------------------------------------------- list */

struct user {
    char *name;
    uint64_t user, devices, waiting, created_at_ms;
};

struct users {
    struct user *list;
    size_t count, max;
};

static void
page_take(void *context, yajl_val page)
{
    struct users *users = context;
    size_t count = linnet_json_count(page);
    if (users->count + count > users->max) {
        users->max = 2 * (users->count + count);
        users->list = reallocarray(users->list, users->max, sizeof *users->list);
        ASSERT(users->list != NULL);
    }
    for (size_t i = 0; i < count; i++) {
        yajl_val row = linnet_json_at(page, i);
        users->list[users->count] = (struct user){
            .name = strdup(linnet_json_text(row, "name")),
            .user = linnet_json_number(row, "user"),
            .devices = linnet_json_number(row, "devices"),
            .waiting = linnet_json_number(row, "waiting"),
            .created_at_ms = linnet_json_number(row, "created_at_ms"),
        };
        ASSERT(users->list[users->count].name != NULL);
        users->count++;
    }
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct user *)a)->name, ((const struct user *)b)->name);
}

static void
users_print(const struct users *users)
{
    static const struct linnet_column columns[] = {
        {"NAME", false}, {"USER", true}, {"DEVICES", true}, {"WAITING", true}, {"CREATED", false}};
    struct linnet_table table;
    linnet_table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < users->count; i++) {
        const struct user *user = &users->list[i];
        linnet_table_text(&table, user->name);
        linnet_table_number(&table, user->user);
        linnet_table_number(&table, user->devices);
        linnet_table_number(&table, user->waiting);
        linnet_table_time(&table, user->created_at_ms);
    }
    linnet_table_print(&table);
    linnet_table_fini(&table);
}

int
linnet_user_list(struct linnet_call *call)
{
    const char *words[3] = {"user", "list"};
    if (call->json) {
        return linnet_ask_print(&call->client, words, 2, true);
    }
    struct users users = {0};
    int code = linnet_ask_pages(&call->client, words, 2, page_take, &users);
    if (code == SHELL_DONE) {
        if (users.count > 0) {
            qsort(users.list, users.count, sizeof users.list[0], by_name);
        }
        users_print(&users);
    }
    for (size_t i = 0; i < users.count; i++) {
        free(users.list[i].name);
    }
    free(users.list);
    return code;
}

/* -------------------------------------------------------------------------------------- export */

int
linnet_user_export(struct linnet_call *call)
{
    const char *words[4] = {"user", "export", call->words[0]};
    return call->json ? linnet_ask_print(&call->client, words, 3, true)
                      : linnet_ask_lines(&call->client, words, 3);
}
