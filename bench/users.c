/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/users.h"

#include "tools/linnet_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names and tokens lie behind each other: with a million users each byte is a megabyte. */
struct users_text {
    struct users_text *next;
    size_t used;
    char room[(64 << 10) - 16];
};

static const char *
text_keep(struct users *users, const char *text)
{
    size_t bytes = strlen(text) + 1;
    ASSERT(bytes <= sizeof users->texts->room);
    if (users->texts == NULL || bytes > sizeof users->texts->room - users->texts->used) {
        struct users_text *texts = malloc(sizeof *texts);
        ASSERT(texts != NULL);
        texts->next = users->texts;
        texts->used = 0;
        users->texts = texts;
    }
    char *kept = users->texts->room + users->texts->used;
    memcpy(kept, text, bytes);
    users->texts->used += bytes;
    return kept;
}

void
users_init(struct users *users, uint32_t count)
{
    *users = (struct users){.count = count, .list = calloc(count, sizeof *users->list)};
    ASSERT(users->list != NULL);
}

void
users_fini(struct users *users)
{
    while (users->texts != NULL) {
        struct users_text *texts = users->texts;
        users->texts = texts->next;
        free(texts);
    }
    free(users->list);
    *users = (struct users){0};
}

/* --------------------------------------------------------------------------------------- making */

/* What the node says of a page of them. */
static int
page_take(struct users *users, uint32_t count, yajl_val rows, char why[USERS_TEXT_BYTES])
{
    for (uint32_t i = 0; i < count; i++) {
        struct user *user = &users->list[users->made];
        yajl_val row = linnet_json_at(rows, i);
        const char *token = linnet_json_text(row, "token");
        if (token[0] == '\0' || strlen(token) > PROTOCOL_TOKEN_BYTES_MAX) {
            const char *fault = linnet_json_text(row, "error");
            (void)snprintf(why, USERS_TEXT_BYTES, "user %s: %s", user->name,
                           fault[0] != '\0' ? fault : "the node gave no token");
            return SHELL_FAILED;
        }
        user->token = text_keep(users, token);
        user->id = linnet_json_number(row, "user");
        users->made++;
    }
    return SHELL_DONE;
}

void
users_name(struct users *users, const char *prefix, uint32_t first)
{
    char name[PROTOCOL_NAME_BYTES_MAX + 1];
    ASSERT(strlen(prefix) <= USERS_PREFIX_BYTES_MAX);
    for (uint32_t i = 0; i < users->count; i++) {
        (void)snprintf(name, sizeof name, "%s%u", prefix, first + i + 1);
        users->list[i].name = text_keep(users, name);
    }
    users->fresh = true;
}

int
users_make(struct users *users, struct linnet_client *client, char why[USERS_TEXT_BYTES])
{
    uint32_t count = users->count - users->made;
    count = count < SHELL_IMPORT_MAX ? count : SHELL_IMPORT_MAX;
    unsigned words_count = 0;
    const char **words = calloc(2 * (size_t)count + 2, sizeof *words);
    ASSERT(words != NULL);
    words[words_count++] = "user";
    words[words_count++] = "import";
    for (uint32_t i = 0; i < count; i++) {
        words[words_count++] = users->list[users->made + i].name;
        words[words_count++] = "bench";
    }
    yajl_val rows = NULL;
    int code = linnet_ask_tree(client, words, words_count, &rows);
    if (code == SHELL_DONE) {
        code = page_take(users, count, rows, why);
        yajl_tree_free(rows);
    }
    free(words);
    return code;
}

/* The page's answer. */
static int
removed_take(struct users *users, uint32_t count, yajl_val answer)
{
    for (uint32_t i = 0; i < count; i++) {
        yajl_val row = linnet_json_at(answer, i);
        const char *fault = linnet_json_text(row, "error");
        if (fault[0] != '\0') {
            (void)fprintf(stderr, "linnet-bench: user %s is not removed: %s\n",
                          users->list[users->removed].name, fault);
            return SHELL_FAILED;
        }
        users->removed++;
    }
    return SHELL_DONE;
}

int
users_remove(struct users *users, struct linnet_client *client)
{
    uint32_t count = users->made - users->removed;
    count = count < SHELL_IMPORT_MAX ? count : SHELL_IMPORT_MAX;
    const char **words = calloc((size_t)count + 2, sizeof *words);
    ASSERT(words != NULL);
    words[0] = "users";
    words[1] = "remove";
    for (uint32_t i = 0; i < count; i++) {
        words[2 + i] = users->list[users->removed + i].name;
    }
    yajl_val answer = NULL;
    int code = linnet_ask_tree(client, words, count + 2, &answer);
    if (code == SHELL_DONE) {
        code = removed_take(users, count, answer);
        yajl_tree_free(answer);
    }
    free(words);
    return code;
}

/* -------------------------------------------------------------------------------------- loading */

/* What stands before the next comma; 0: it is no id. */
static uint64_t
id_read(const char *text)
{
    char *end = NULL;
    unsigned long long id = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == ',' ? id : 0;
}

/* "name,id,token", or a token alone. */
static bool
line_take(struct users *users, struct user *user, char *line, uint32_t number)
{
    char name[PROTOCOL_NAME_BYTES_MAX + 1];
    char *last = strrchr(line, ',');
    char *token = last != NULL ? last + 1 : line;
    size_t bytes = strlen(token);
    if (bytes == 0 || bytes > PROTOCOL_TOKEN_BYTES_MAX) {
        return false;
    }
    user->token = text_keep(users, token);
    if (last != NULL) {
        char *end = line + strcspn(line, ",");
        *end = '\0';
        user->id = end < last ? id_read(end + 1) : 0;
        (void)snprintf(name, sizeof name, "%s", line);
    } else {
        (void)snprintf(name, sizeof name, "token %u", number);
    }
    user->name = text_keep(users, name);
    return true;
}

int
users_load(struct users *users, char *text, uint32_t skip, char why[USERS_TEXT_BYTES])
{
    uint64_t wanted = (uint64_t)skip + users->count;
    uint64_t seen = 0;
    for (uint32_t number = 1; seen < wanted && *text != '\0'; number++) {
        size_t bytes = strcspn(text, "\n");
        char *next = text + bytes + (text[bytes] == '\n');
        text[bytes] = '\0';
        text[strcspn(text, "\r")] = '\0';
        if (text[0] != '\0' && seen >= skip &&
            !line_take(users, &users->list[seen - skip], text, number)) {
            (void)snprintf(why, USERS_TEXT_BYTES, "--tokens: line %u has no token", number);
            return -EINVAL;
        }
        seen += text[0] != '\0';
        text = next;
    }
    if (seen < wanted) {
        (void)snprintf(why, USERS_TEXT_BYTES,
                       "--tokens: %llu of them, and %llu users are to log in",
                       (unsigned long long)seen, (unsigned long long)wanted);
        return -EINVAL;
    }
    return 0;
}

int
users_ids(const struct users *users, char why[USERS_TEXT_BYTES])
{
    for (uint32_t i = 0; i < users->count; i++) {
        if (users->list[i].id == 0) {
            (void)snprintf(why, USERS_TEXT_BYTES,
                           "--tokens: the id of %s is not known: who stays away needs a line as "
                           "`linnet user import` prints it",
                           users->list[i].name);
            return -EINVAL;
        }
    }
    return 0;
}
