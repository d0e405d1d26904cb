/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/settings.h"

#include "actors/settings_priv.h"

#include <string.h>

enum {
    NAME_COLUMNS = 27, /* the longest name and a blank */
    FLAG_COLUMNS = 35, /* with --, and what kind of value follows */
};

const char *
settings_origin_name(enum settings_origin origin)
{
    switch (origin) {
    case SETTINGS_DEFAULT:
        return "default";
    case SETTINGS_FILE:
        return "file";
    case SETTINGS_ENVIRONMENT:
        return "environment";
    case SETTINGS_FLAG:
        return "flag";
    }
    return "unknown";
}

/* A value as people read it: what 0 means in words. */
static void
value_print(const struct settings *settings, const struct setting *setting, struct ln_text *out)
{
    size_t before = out->bytes;
    settings_print_value(settings, setting, false, out);
    if (setting->zero != NULL && out->bytes == before + 1 && out->data[before] == '0') {
        ln_text_print(out, " (%s)", setting->zero);
    }
}

void
settings_print(const struct settings *settings, bool origins, struct ln_text *out)
{
    unsigned count = 0;
    const struct setting *table = settings_table(&count);
    for (unsigned i = 0; i < count; i++) {
        char room[256];
        struct ln_text value;
        ln_text_init(&value, room, sizeof room);
        value_print(settings, &table[i], &value);
        if (!origins) {
            ln_text_print(out, "%-*s %s\n", NAME_COLUMNS, table[i].name, room);
            continue;
        }
        ln_text_print(out, "%-*s %-24s %s", NAME_COLUMNS, table[i].name, room,
                      settings_origin_name((enum settings_origin)settings->origins[i]));
        if (settings->lines[i] != 0) {
            ln_text_print(out, ", line %u", settings->lines[i]);
        }
        ln_text_print(out, "\n");
    }
}

/* {"name":"spin_us","value":5,"text":"5","origin":"default","line":0}: sizes are bytes in
 * `value` and spans seconds, as written in `text`. */
static void
setting_print_json(const struct settings *settings, unsigned place, const struct setting *setting,
                   struct ln_text *out)
{
    char room[256];
    struct ln_text value;
    bool quoted = setting->kind == SETTING_TEXT || setting->kind == SETTING_CHOICE;
    ln_text_init(&value, room, sizeof room);
    settings_print_value(settings, setting, true, &value);
    ln_text_print(out, "{\"name\":\"%s\",\"value\":%s", setting->name, quoted ? "\"" : "");
    ln_text_json(out, room);
    ln_text_init(&value, room, sizeof room);
    value_print(settings, setting, &value);
    ln_text_print(out, "%s,\"text\":\"", quoted ? "\"" : "");
    ln_text_json(out, room);
    ln_text_print(out, "\",\"origin\":\"%s\",\"line\":%u}",
                  settings_origin_name((enum settings_origin)settings->origins[place]),
                  settings->lines[place]);
}

void
settings_print_json(const struct settings *settings, struct ln_text *out)
{
    unsigned count = 0;
    const struct setting *table = settings_table(&count);
    ln_text_print(out, "[");
    for (unsigned i = 0; i < count; i++) {
        ln_text_print(out, "%s", i == 0 ? "" : ",");
        setting_print_json(settings, i, &table[i], out);
    }
    ln_text_print(out, "]");
}

static const char *
kind_name(const struct setting *setting)
{
    switch (setting->kind) {
    case SETTING_NUMBER:
        return "N";
    case SETTING_BYTES:
        return "SIZE";
    case SETTING_SPAN:
        return "TIME";
    case SETTING_SWITCH:
        return "";
    case SETTING_CHOICE:
        return "WORD";
    case SETTING_TEXT:
        return "TEXT";
    }
    return "";
}

/* A frame of its own: all defaults take most of one. */
static __attribute__((noinline)) void
flag_print(const struct setting *setting, struct ln_text *out)
{
    char flag[64];
    struct ln_text text;
    ln_text_init(&text, flag, sizeof flag);
    ln_text_print(&text, "--");
    for (const char *at = setting->name; *at != '\0'; at++) {
        ln_text_print(&text, "%c", *at == '_' ? '-' : *at);
    }
    ln_text_print(&text, " %s", kind_name(setting));
    ln_text_print(out, "  %-*s %s [", FLAG_COLUMNS, flag, setting->help);
    for (unsigned c = 0; setting->choices != NULL && setting->choices[c] != NULL; c++) {
        ln_text_print(out, "%s%s", c == 0 ? "" : "|", setting->choices[c]);
    }
    ln_text_print(out, "%s", setting->choices != NULL ? "; " : "");
}

void
settings_print_help(struct ln_text *out)
{
    struct settings defaults;
    unsigned count = 0;
    const struct setting *table = settings_table(&count);
    settings_init(&defaults);
    for (unsigned i = 0; i < count; i++) {
        flag_print(&table[i], out);
        value_print(&defaults, &table[i], out);
        ln_text_print(out, "]\n");
    }
}
