/* SPDX-License-Identifier: Apache-2.0 */
/* Users made, or removed, by a file: lines in, pages to the node, lines out. A page is read on a
 * worker thread, since a pipe may keep us waiting; a line that can't be read is told and passed
 * over, and the rest goes on. */
#include "runtime/linnet.h"
#include "runtime/text.h"
#include "tools/linnet_call.h"
#include "tools/linnet_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct import {
    FILE *from;
    bool json;
    bool removes;  /* the users are removed instead */
    uint64_t line; /* of the file, the last that was read */
    uint64_t failures;
    bool ended, failed;            /* the file's end; it could not be read to there */
    char *names[SHELL_IMPORT_MAX]; /* the page's */
    char *devices[SHELL_IMPORT_MAX];
    unsigned count;
};

static void
line_failed(struct import *import, const char *why)
{
    import->failures++;
    (void)fprintf(stderr, "linnet: line %llu: %s\n", (unsigned long long)import->line, why);
}

static void
line_take(struct import *import, const char *name, const char *device)
{
    char *name_copy = strdup(name);
    char *device_copy = strdup(device);
    ASSERT(name_copy != NULL && device_copy != NULL);
    import->names[import->count] = name_copy;
    import->devices[import->count] = device_copy;
    import->count++;
}

static void
line_read_json(struct import *import, const char *line)
{
    char why[256] = "";
    yajl_val tree = yajl_tree_parse(line, why, sizeof why);
    if (!YAJL_IS_OBJECT(tree) || !YAJL_IS_STRING(linnet_json_member(tree, "name"))) {
        line_failed(import, "no JSON object with a \"name\"");
    } else {
        line_take(import, linnet_json_text(tree, "name"), linnet_json_text(tree, "device"));
    }
    yajl_tree_free(tree);
}

static void
line_read(struct import *import, char *line, size_t bytes)
{
    if (memchr(line, '\0', bytes) != NULL) {
        line_failed(import, "a zero byte");
        return;
    }
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0') {
        return;
    }
    if (line[0] == '{') {
        line_read_json(import, line);
        return;
    }
    char *comma = strchr(line, ',');
    if (comma != NULL) {
        *comma = '\0';
    }
    line_take(import, line, comma != NULL ? comma + 1 : "");
}

/* For ln_work: the next page. */
static void
page_read(void *argument)
{
    struct import *import = argument;
    char *line = NULL;
    size_t room = 0;
    import->count = 0;
    while (import->count < SHELL_IMPORT_MAX) {
        ssize_t bytes = getline(&line, &room, import->from);
        if (bytes < 0) {
            import->ended = true;
            import->failed = ferror(import->from) != 0;
            break;
        }
        import->line++;
        line_read(import, line, (size_t)bytes);
    }
    free(line);
}

/* One object a line, failed ones too: scripts read them with a line's number in hand. */
static void
row_print_json(yajl_val row, bool removes)
{
    enum { ROW_BYTES = 1024 };
    char room[ROW_BYTES];
    struct ln_text text;
    const char *fault = linnet_json_text(row, "error");
    ln_text_init(&text, room, sizeof room);
    ln_text_print(&text, "{\"name\":\"");
    ln_text_json(&text, linnet_json_text(row, "name"));
    if (fault[0] != '\0') {
        ln_text_print(&text, "\",\"error\":\"");
        ln_text_json(&text, fault);
        ln_text_print(&text, "\"}");
    } else if (removes) {
        ln_text_print(&text, "\",\"removed\":true}");
    } else {
        ln_text_print(&text, "\",\"user\":%llu,\"device\":%llu,\"token\":\"%s\"}",
                      (unsigned long long)linnet_json_number(row, "user"),
                      (unsigned long long)linnet_json_number(row, "device"),
                      linnet_json_text(row, "token"));
    }
    printf("%s\n", room);
}

static void
row_print(struct import *import, yajl_val row)
{
    const char *fault = linnet_json_text(row, "error");
    import->failures += fault[0] != '\0';
    if (import->json) {
        row_print_json(row, import->removes);
    } else if (fault[0] != '\0') {
        (void)fprintf(stderr, "linnet: %s: %s\n", linnet_json_text(row, "name"), fault);
    } else if (import->removes) {
        printf("removed %s\n", linnet_json_text(row, "name"));
    } else {
        printf("%s,%llu,%s\n", linnet_json_text(row, "name"),
               (unsigned long long)linnet_json_number(row, "user"), linnet_json_text(row, "token"));
    }
}

static int
page_import(struct linnet_call *call, struct import *import, const char **words)
{
    unsigned count = 0;
    yajl_val rows = NULL;
    words[count++] = import->removes ? "users" : "user";
    words[count++] = import->removes ? "remove" : "import";
    for (unsigned i = 0; i < import->count; i++) {
        words[count++] = import->names[i];
        if (!import->removes) {
            words[count++] = import->devices[i];
        }
    }
    int code = linnet_ask_tree(&call->client, words, count, &rows);
    for (size_t i = 0; i < linnet_json_count(rows); i++) {
        row_print(import, linnet_json_at(rows, i));
    }
    yajl_tree_free(rows);
    return code;
}

static int
pages_import(struct linnet_call *call, struct import *import)
{
    const char **words = calloc(SHELL_WORDS_MAX, sizeof *words);
    int code = SHELL_DONE;
    ASSERT(words != NULL);
    while (code == SHELL_DONE && !import->ended) {
        ln_work(page_read, import, LN_WORK_NORMAL);
        if (import->count > 0) {
            code = page_import(call, import, words);
        }
        /* Whoever reads the other end of a pipe sees what has been made, page by page. */
        (void)fflush(stdout);
        for (unsigned i = 0; i < import->count; i++) {
            free(import->names[i]);
            free(import->devices[i]);
        }
    }
    free(words);
    return code;
}

static int
file_work(struct linnet_call *call, bool removes)
{
    const char *path = call->words[0];
    bool standard = strcmp(path, "-") == 0;
    struct import *import = calloc(1, sizeof *import);
    ASSERT(import != NULL);
    import->json = call->json;
    import->removes = removes;
    import->from = standard ? stdin : fopen(path, "re");
    if (import->from == NULL) {
        (void)fprintf(stderr, "linnet: %s: %s\n", path, strerrordesc_np(errno));
        free(import);
        return SHELL_FAILED;
    }
    int code = pages_import(call, import);
    if (import->failed) {
        (void)fprintf(stderr, "linnet: %s: it could not be read to its end\n", path);
    }
    if (code == SHELL_DONE && (import->failed || import->failures > 0)) {
        code = SHELL_FAILED;
    }
    if (!standard) {
        (void)fclose(import->from);
    }
    free(import);
    return code;
}

int
linnet_user_import(struct linnet_call *call)
{
    return file_work(call, false);
}

int
linnet_users_remove(struct linnet_call *call)
{
    return file_work(call, true);
}
