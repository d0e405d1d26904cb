/* SPDX-License-Identifier: Apache-2.0 */
/* Where values come from. libinih, as Debian builds it, tells names and values but neither lines
 * nor more than one mistake. So it gets its text line by line from a reader of ours that counts
 * them; a line that is followed by the next one without having become a setting was no good. */
#include "actors/settings.h"

#include "actors/settings_priv.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    /* inih's INI_MAX_LINE, less what it needs behind: a longer line would reach it in pieces. */
    LINE_BYTES_MAX = 197,
    /* "logins-pending-max" and the like, and a NUL. */
    NAME_BYTES = 64,
};

/* --------------------------------------------------------------------------------------- a file */

struct reading {
    struct settings *settings;
    struct ln_text *wrong;
    const char *path;
    const char *at; /* the next line */
    unsigned line;  /* of the one that inih has now */
    bool unclaimed; /* it should become a setting and has not yet */
    bool failed;
};

static void PRINTF_LIKE(2, 3) blame(struct reading *reading, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ln_text_print(reading->wrong, "%s:%u: %s\n", reading->path, reading->line, text);
    reading->failed = true;
}

/* The line that inih had is through. */
static void
line_settle(struct reading *reading)
{
    if (reading->unclaimed) {
        blame(reading, "neither 'name = value' nor a comment");
        reading->unclaimed = false;
    }
}

/* What fgets would do, for inih. What is blamed here goes on as a blank line. */
static char *
line_next(char *room, int room_bytes, void *stream)
{
    struct reading *reading = stream;
    ASSERT(room_bytes > LINE_BYTES_MAX + 2);
    line_settle(reading);
    if (*reading->at == '\0') {
        return NULL;
    }
    /* An indented line would be more of the value above it; here it begins a setting as any
     * other. */
    const char *line = reading->at + strspn(reading->at, " \t\r");
    size_t bytes = strcspn(line, "\n");
    reading->at = line + bytes + (line[bytes] == '\n');
    reading->line++;
    if (bytes > LINE_BYTES_MAX) {
        blame(reading, "%zu bytes, where %d can stand", bytes, LINE_BYTES_MAX);
        bytes = 0;
    } else if (line[0] == '[') {
        blame(reading, "a section, where there are none");
        bytes = 0;
    }
    reading->unclaimed = bytes > 0 && line[0] != '#' && line[0] != ';';
    memcpy(room, line, bytes);
    memcpy(room + bytes, "\n", 2);
    return room;
}

static int
line_taken(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    struct settings *settings = reading->settings;
    char wrong_room[256];
    struct ln_text wrong;
    ln_text_init(&wrong, wrong_room, sizeof wrong_room);
    (void)section;
    reading->unclaimed = false;
    int place = settings_find(name, strlen(name));
    if (place < 0) {
        settings_print_unknown(name, &wrong);
        blame(reading, "%s", wrong_room);
        return 1;
    }
    if (settings->lines[place] != 0) {
        blame(reading, "%s was already set in line %u", name, settings->lines[place]);
        return 1;
    }
    if (settings_set_at(settings, (unsigned)place, SETTINGS_FILE, value, &wrong) < 0) {
        blame(reading, "%s", wrong_room);
        return 1;
    }
    settings->lines[place] = (uint16_t)reading->line;
    return 1;
}

int
settings_read_text(struct settings *settings, const char *path, const char *text,
                   struct ln_text *wrong)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors begin UTF-8 files with it */
    if (strncmp(text, mark, strlen(mark)) == 0) {
        text += strlen(mark);
    }
    struct reading reading = {.settings = settings, .wrong = wrong, .path = path, .at = text};
    memset(settings->lines, 0, sizeof settings->lines);
    /* Everything that can be wrong has been told by then. */
    (void)ini_parse_stream(line_next, &reading, line_taken, &reading);
    return reading.failed ? -EINVAL : 0;
}

/* --------------------------------------------------------------------------------- surroundings */

/* "LINNET_SPIN_US" of `spin_us`. */
static void
variable_name(const char *name, char out[NAME_BYTES])
{
    static const char prefix[] = "LINNET_";
    size_t bytes = strlen(prefix);
    memcpy(out, prefix, bytes);
    for (; *name != '\0'; name++) {
        ASSERT(bytes < NAME_BYTES - 1);
        out[bytes++] = (char)toupper((unsigned char)*name);
    }
    out[bytes] = '\0';
}

/* The variable's value, or NULL. The environment is given, not getenv's: tests bring their own. */
static const char *
variable_find(char *const *environment, const char *name)
{
    size_t bytes = strlen(name);
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, name, bytes) == 0 && (*environment)[bytes] == '=') {
            return *environment + bytes + 1;
        }
    }
    return NULL;
}

int
settings_read_environment(struct settings *settings, char *const *environment,
                          struct ln_text *wrong)
{
    unsigned count = 0;
    const struct setting *table = settings_table(&count);
    int worst = 0;
    for (unsigned i = 0; i < count; i++) {
        char name[NAME_BYTES];
        variable_name(table[i].name, name);
        const char *value = variable_find(environment, name);
        if (value == NULL) {
            continue;
        }
        char room[256];
        struct ln_text why;
        ln_text_init(&why, room, sizeof room);
        if (settings_set_at(settings, i, SETTINGS_ENVIRONMENT, value, &why) < 0) {
            ln_text_print(wrong, "environment %s: %s\n", name, room);
            worst = -EINVAL;
        }
    }
    return worst;
}

int
settings_read_argument(struct settings *settings, int argc, char *const *argv, int *index,
                       struct ln_text *wrong)
{
    const char *flag = argv[*index];
    if (strncmp(flag, "--", 2) != 0) {
        return -ENOENT;
    }
    size_t bytes = strcspn(flag + 2, "=");
    int place = settings_find(flag + 2, bytes);
    if (place < 0) {
        return -ENOENT;
    }
    unsigned count = 0;
    const struct setting *setting = &settings_table(&count)[place];
    const char *value = "true";
    if (flag[2 + bytes] == '=') {
        value = flag + 2 + bytes + 1;
    } else if (setting->kind != SETTING_SWITCH) {
        value = ++*index < argc ? argv[*index] : NULL;
    }
    if (value == NULL) {
        ln_text_print(wrong, "%s: its value is missing\n", flag);
        return -EINVAL;
    }
    ++*index;
    char room[256];
    struct ln_text why;
    ln_text_init(&why, room, sizeof room);
    if (settings_set_at(settings, (unsigned)place, SETTINGS_FLAG, value, &why) < 0) {
        ln_text_print(wrong, "--%.*s: %s\n", (int)bytes, flag + 2, room);
        return -EINVAL;
    }
    return 0;
}
