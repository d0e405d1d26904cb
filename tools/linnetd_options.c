/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnetd_options.h"

#include "runtime/io/posix_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* A few hundred times the settings there are: something else was named by mistake. */
    CONFIG_BYTES_MAX = 256 << 10,
};

static const char help_before[] =
    "usage: linnetd --data DIR --listen ADDR:PORT [--config FILE] [--SETTING VALUE ...]\n"
    "       linnetd --check-config [the same flags]\n"
    "\n"
    "Runs a node in the foreground until SIGINT or SIGTERM, which drains and stops it; a second\n"
    "signal ends it at once. `linnet --data DIR` looks into it and adds users.\n"
    "\n"
    "  --config FILE                       read settings from this file: `name = value` lines\n"
    "  --check-config                      read everything, say what is wrong, and exit\n"
    "  --help, --version\n"
    "\n"
    "Settings: a flag wins over LINNET_NAME in the environment, that over the file, that over the\n"
    "default. Sizes may end in K, M, G or T.\n"
    "\n";

static const char help_after[] =
    "\n"
    "Exit codes: 0 stopped as asked, 1 failed, 2 wrong flags or configuration, 3 can't listen,\n"
    "4 data directory in use or unusable, 5 data damaged, 6 no io_uring, 128 + N second signal "
    "N.\n";

static void
help_print(void)
{
    static char room[SETTINGS_TEXT_BYTES];
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    settings_print_help(&text);
    printf("%s%s%s", help_before, room, help_after);
}

/* The file's text, NUL-terminated and the caller's to free. There is no io driver yet: this file
 * says how to open it. */
static int
config_load(const char *path, char **out, struct ln_text *wrong)
{
    char *text = NULL;
    uint64_t bytes = 0;
    io_file file = -1;
    int error = posix_file_open(path, IO_OPEN_READ, &file);
    if (error < 0) {
        ln_text_print(wrong, "%s: can't be opened: %s\n", path, strerrordesc_np(-error));
        return error;
    }
    error = posix_file_size(file, &bytes);
    if (error == 0 && bytes > CONFIG_BYTES_MAX) {
        ln_text_print(wrong, "%s: %llu bytes, above %d: no configuration\n", path,
                      (unsigned long long)bytes, CONFIG_BYTES_MAX);
        error = -EFBIG;
        goto out;
    }
    text = calloc(1, CONFIG_BYTES_MAX + 1);
    ASSERT(text != NULL);
    ssize_t got = error == 0 ? posix_file_read(file, text, CONFIG_BYTES_MAX, 0) : error;
    if (got < 0) {
        error = (int)got;
        ln_text_print(wrong, "%s: can't be read: %s\n", path, strerrordesc_np(-error));
    } else if (strlen(text) != (size_t)got) {
        error = -EINVAL;
        ln_text_print(wrong, "%s: a zero byte at %zu: no text file\n", path, strlen(text));
    } else {
        *out = text;
        text = NULL;
    }
out:
    free(text);
    posix_file_close(file);
    return error;
}

static int
config_read(const char *path, struct settings *settings, struct ln_text *wrong)
{
    char *text = NULL;
    int error = config_load(path, &text, wrong);
    if (error == 0) {
        error = settings_read_text(settings, path, text, wrong);
    }
    free(text);
    return error;
}

struct command_line {
    const char *config; /* NULL: none */
    enum linnetd_action action;
};

/* "--config FILE" and "--config=FILE". True: it was that flag. */
static bool
config_flag(int argc, char **argv, int *index, const char **out, struct ln_text *wrong)
{
    const char *flag = argv[*index];
    size_t bytes = strlen("--config");
    if (strncmp(flag, "--config", bytes) != 0 || (flag[bytes] != '\0' && flag[bytes] != '=')) {
        return false;
    }
    if (flag[bytes] == '=') {
        *out = flag + bytes + 1;
    } else if (*index + 1 < argc) {
        *out = argv[++*index];
    } else {
        ln_text_print(wrong, "--config: its file is missing\n");
    }
    ++*index;
    return true;
}

/* A flag that is no setting. */
static void
own_flag(struct command_line *line, const char *flag, struct ln_text *wrong)
{
    if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0) {
        help_print();
        line->action = LINNETD_DONE;
    } else if (strcmp(flag, "--version") == 0) {
        printf("linnetd %s\n", LINNET_VERSION);
        line->action = LINNETD_DONE;
    } else if (strcmp(flag, "--check-config") == 0) {
        line->action = LINNETD_CHECK_CONFIG;
    } else if (strncmp(flag, "--", 2) == 0) {
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(flag + 2, "="), flag + 2);
        settings_print_unknown(name, wrong);
        ln_text_print(wrong, "\nlinnetd --help lists them\n");
    } else {
        ln_text_print(wrong, "'%s': linnetd takes flags alone\n", flag);
    }
}

static void
arguments_read(int argc, char **argv, struct settings *settings, struct command_line *line,
               struct ln_text *wrong)
{
    int index = 1;
    while (index < argc && line->action != LINNETD_DONE) {
        if (config_flag(argc, argv, &index, &line->config, wrong)) {
            continue;
        }
        /* Each mistake is told in `wrong`; the rest is read all the same. */
        if (settings_read_argument(settings, argc, argv, &index, wrong) == -ENOENT) {
            own_flag(line, argv[index], wrong);
            index++;
        }
    }
}

int
linnetd_options_read(int argc, char **argv, struct settings *settings,
                     enum linnetd_action *out_action, struct ln_text *wrong)
{
    struct command_line line = {.action = LINNETD_RUN};
    settings_init(settings);
    arguments_read(argc, argv, settings, &line, wrong);
    if (line.action == LINNETD_DONE) {
        *out_action = line.action;
        return 0;
    }
    if (line.config != NULL) {
        /* What is wrong is told in `wrong`, here and below: one run names it all. */
        (void)!config_read(line.config, settings, wrong);
    }
    (void)!settings_read_environment(settings, environ, wrong);
    if (wrong->bytes == 0) {
        (void)!settings_check(settings, wrong);
    }
    if (wrong->bytes != 0) {
        return -EINVAL;
    }
    *out_action = line.action;
    return 0;
}
