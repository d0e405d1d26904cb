/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/users.h"

#include "tools/linnet_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
users_init(struct users *users, uint32_t count)
{
    *users = (struct users){.count = count, .list = calloc(count, sizeof *users->list)};
    ASSERT(users->list != NULL);
}

void
users_fini(struct users *users)
{
    free(users->list);
    *users = (struct users){0};
}

/* --------------------------------------------------------------------------------------- making */

/* What the node says of a page of them. */
static int
page_take(struct user *page, uint32_t count, yajl_val rows, char why[USERS_TEXT_BYTES])
{
    for (uint32_t i = 0; i < count; i++) {
        yajl_val row = linnet_json_at(rows, i);
        const char *token = linnet_json_text(row, "token");
        if (token[0] == '\0' || strlen(token) >= sizeof page[i].token) {
            const char *fault = linnet_json_text(row, "error");
            (void)snprintf(why, USERS_TEXT_BYTES, "user %s: %s", page[i].name,
                           fault[0] != '\0' ? fault : "the node gave no token");
            return SHELL_FAILED;
        }
        (void)snprintf(page[i].token, sizeof page[i].token, "%s", token);
    }
    return SHELL_DONE;
}

static int
page_make(struct user *page, uint32_t count, struct linnet_client *client,
          char why[USERS_TEXT_BYTES])
{
    unsigned words_count = 0;
    const char **words = calloc(2 * (size_t)count + 2, sizeof *words);
    ASSERT(words != NULL);
    words[words_count++] = "user";
    words[words_count++] = "import";
    for (uint32_t i = 0; i < count; i++) {
        words[words_count++] = page[i].name;
        words[words_count++] = "bench";
    }
    yajl_val rows = NULL;
    int code = linnet_ask_tree(client, words, words_count, &rows);
    if (code == SHELL_DONE) {
        code = page_take(page, count, rows, why);
        yajl_tree_free(rows);
    }
    free(words);
    return code;
}

int
users_make(struct users *users, struct linnet_client *client, const char *prefix,
           char why[USERS_TEXT_BYTES])
{
    if (strlen(prefix) > USERS_PREFIX_BYTES_MAX) {
        (void)snprintf(why, USERS_TEXT_BYTES, "--keep-users: longer than %d bytes",
                       USERS_PREFIX_BYTES_MAX);
        return SHELL_FAILED;
    }
    for (uint32_t i = 0; i < users->count; i++) {
        struct user *user = &users->list[i];
        (void)snprintf(user->name, sizeof user->name, "%s%u", prefix, i + 1);
    }
    users->fresh = true;
    for (uint32_t made = 0; made < users->count;) {
        uint32_t count = users->count - made;
        count = count < SHELL_IMPORT_MAX ? count : SHELL_IMPORT_MAX;
        int code = page_make(users->list + made, count, client, why);
        if (code != SHELL_DONE) {
            return code;
        }
        made += count;
    }
    return SHELL_DONE;
}

int
users_remove(struct users *users, struct linnet_client *client)
{
    for (; users->removed < users->count; users->removed++) {
        const char *words[] = {"user", "remove", users->list[users->removed].name};
        struct linnet_answer answer;
        int code = linnet_ask(client, words, 3, &answer);
        if (code != SHELL_DONE) {
            return code;
        }
    }
    return SHELL_DONE;
}

int
users_node_pid(struct linnet_client *client, uint32_t *out_pid)
{
    const char *words[] = {"status"};
    yajl_val status = NULL;
    int code = linnet_ask_tree(client, words, 1, &status);
    if (code == SHELL_DONE) {
        *out_pid = (uint32_t)linnet_json_number(status, "process");
        yajl_tree_free(status);
    }
    return code;
}

/* -------------------------------------------------------------------------------------- loading */

/* "name,id,token", or a token alone. */
static bool
line_take(struct user *user, char *line)
{
    char *last = strrchr(line, ',');
    char *token = last != NULL ? last + 1 : line;
    size_t bytes = strlen(token);
    if (bytes == 0 || bytes >= sizeof user->token) {
        return false;
    }
    memcpy(user->token, token, bytes + 1);
    if (last != NULL) {
        line[strcspn(line, ",")] = '\0';
        (void)snprintf(user->name, sizeof user->name, "%s", line);
    }
    return true;
}

int
users_load(struct users *users, char *text, char why[USERS_TEXT_BYTES])
{
    uint32_t loaded = 0;
    for (uint32_t number = 1; loaded < users->count && *text != '\0'; number++) {
        size_t bytes = strcspn(text, "\n");
        char *next = text + bytes + (text[bytes] == '\n');
        text[bytes] = '\0';
        text[strcspn(text, "\r")] = '\0';
        struct user *user = &users->list[loaded];
        (void)snprintf(user->name, sizeof user->name, "token %u", number);
        if (text[0] != '\0' && !line_take(user, text)) {
            (void)snprintf(why, USERS_TEXT_BYTES, "--tokens: line %u has no token", number);
            return -EINVAL;
        }
        loaded += text[0] != '\0';
        text = next;
    }
    if (loaded < users->count) {
        (void)snprintf(why, USERS_TEXT_BYTES, "--tokens: %u of them, and %u users are to log in",
                       loaded, users->count);
        return -EINVAL;
    }
    return 0;
}
