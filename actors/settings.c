/* SPDX-License-Identifier: Apache-2.0 */
/* Values are read by kind into a field found by its offset. */
#include "actors/settings.h"

#include "actors/settings_priv.h"
#include "net/url.h"
#include "net/utf8.h"
#include "store/history.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

/* ---------------------------------------------------------------------------------- one setting */

/* What a number may be written with behind it: rising, each without a rest in the next. */
struct units {
    const char *noun;
    const char *letters;
    uint64_t each[4];
    uint64_t bare; /* without a letter */
    uint64_t exact;
};
static const struct units units_none = {.noun = "number", .letters = "", .bare = 1, .exact = 1};
static const struct units units_bytes = {
    .noun = "size",
    .letters = "KMGT",
    .each = {UINT64_C(1) << 10, UINT64_C(1) << 20, UINT64_C(1) << 30, UINT64_C(1) << 40},
    .bare = 1,
    .exact = 1,
};
static const struct units units_span = {
    .noun = "time (s, m, h or d behind it)",
    .letters = "smhd",
    .each = {1000, UINT64_C(60000), UINT64_C(3600000), STORE_DAY_MS},
    .bare = STORE_DAY_MS,
    .exact = 1000,
};

static const struct units *
units_of(const struct setting *setting)
{
    return setting->kind == SETTING_BYTES  ? &units_bytes
           : setting->kind == SETTING_SPAN ? &units_span
                                           : &units_none;
}

/* The letter's place; -1: it is none. Sizes may be written small. */
static int
unit_find(const struct units *units, char letter)
{
    int written = units == &units_bytes ? letter & ~0x20 : letter;
    const char *at = written != '\0' ? strchr(units->letters, written) : NULL;
    return at != NULL ? (int)(at - units->letters) : -1;
}

/* Digits and perhaps a unit. False: something else, or beyond 64 bits. */
static bool
number_parse(const char *text, const struct units *units, uint64_t *out)
{
    uint64_t value = 0;
    uint64_t factor = units->bare;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
            return false;
        }
    }
    if (at == text) {
        return false;
    }
    if (*at != '\0') {
        int unit = unit_find(units, *at);
        if (unit < 0 || at[1] != '\0') {
            return false;
        }
        factor = units->each[unit];
    }
    return !__builtin_mul_overflow(value, factor, out);
}

static void
number_store(struct settings *settings, const struct setting *setting, uint64_t value)
{
    char *field = (char *)settings + setting->offset;
    if (setting->bytes == sizeof(uint64_t)) {
        memcpy(field, &value, sizeof value);
        return;
    }
    ASSERT(setting->bytes == sizeof(uint32_t) && value <= UINT32_MAX);
    uint32_t narrow = (uint32_t)value;
    memcpy(field, &narrow, sizeof narrow);
}

static uint64_t
number_load(const struct settings *settings, const struct setting *setting)
{
    const char *field = (const char *)settings + setting->offset;
    uint64_t value = 0;
    uint32_t narrow = 0;
    if (setting->bytes == sizeof value) {
        memcpy(&value, field, sizeof value);
        return value;
    }
    memcpy(&narrow, field, sizeof narrow);
    return narrow;
}

/* As it would be written: the largest unit that leaves nothing behind. */
static void
number_print(uint64_t value, const struct units *units, struct ln_text *out)
{
    size_t unit = strlen(units->letters);
    while (unit > 0 && (value == 0 || value % units->each[unit - 1] != 0)) {
        unit--;
    }
    ln_text_print(out, "%llu",
                  (unsigned long long)(unit > 0 ? value / units->each[unit - 1] : value));
    if (unit > 0) {
        ln_text_print(out, "%c", units->letters[unit - 1]);
    }
}

/* A span's word. False: it has none such. */
static bool
word_parse(const struct setting *setting, const char *text, uint64_t *out)
{
    const char *const *words = setting->choices;
    for (unsigned i = 0; words != NULL && words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i == 0 ? setting->low : setting->high;
            return true;
        }
    }
    return false;
}

static void
words_print(const struct setting *setting, struct ln_text *out)
{
    const char *const *words = setting->choices;
    for (unsigned i = 0; words != NULL && words[i] != NULL; i++) {
        ln_text_print(out, " or %s", words[i]);
    }
}

static int
number_set(struct settings *settings, const struct setting *setting, const char *value,
           struct ln_text *wrong)
{
    const struct units *units = units_of(setting);
    uint64_t number = 0;
    bool read = word_parse(setting, value, &number) || number_parse(value, units, &number);
    if (read && number >= setting->low && number <= setting->high) {
        number_store(settings, setting, number);
        return 0;
    }
    ln_text_print(wrong, "%s: '%s' is no %s from ", setting->name, value, units->noun);
    number_print(setting->low, units, wrong);
    ln_text_print(wrong, " to ");
    number_print(setting->high, units, wrong);
    words_print(setting, wrong);
    return -EINVAL;
}

static int
switch_set(struct settings *settings, const struct setting *setting, const char *value,
           struct ln_text *wrong)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i]) == 0) {
            bool on = i % 2 == 1;
            memcpy((char *)settings + setting->offset, &on, sizeof on);
            return 0;
        }
    }
    ln_text_print(wrong, "%s: '%s' is neither true nor false", setting->name, value);
    return -EINVAL;
}

static int
choice_set(struct settings *settings, const struct setting *setting, const char *value,
           struct ln_text *wrong)
{
    for (unsigned i = 0; setting->choices[i] != NULL; i++) {
        if (strcmp(value, setting->choices[i]) == 0) {
            number_store(settings, setting, i);
            return 0;
        }
    }
    ln_text_print(wrong, "%s: '%s' is none of", setting->name, value);
    for (unsigned i = 0; setting->choices[i] != NULL; i++) {
        ln_text_print(wrong, "%s %s", i == 0 ? "" : ",", setting->choices[i]);
    }
    return -EINVAL;
}

static int
text_set(struct settings *settings, const struct setting *setting, const char *value,
         struct ln_text *wrong)
{
    size_t bytes = strlen(value);
    if (bytes < setting->low || bytes > setting->high) {
        ln_text_print(wrong, "%s: %zu bytes, where %llu to %llu can stand", setting->name, bytes,
                      (unsigned long long)setting->low, (unsigned long long)setting->high);
        return -EINVAL;
    }
    if (!utf8_valid((const unsigned char *)value, bytes)) {
        ln_text_print(wrong, "%s: not UTF-8", setting->name);
        return -EINVAL;
    }
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7f) {
            ln_text_print(wrong, "%s: a control character at byte %zu", setting->name, i + 1);
            return -EINVAL;
        }
    }
    memcpy((char *)settings + setting->offset, value, bytes + 1);
    return 0;
}

int
settings_set_at(struct settings *settings, unsigned place, enum settings_origin origin,
                const char *value, struct ln_text *wrong)
{
    unsigned count = 0;
    const struct setting *setting = &settings_table(&count)[place];
    /* A value that loses against a later origin must be good all the same. */
    struct settings losing;
    bool loses = settings->origins[place] > origin;
    if (loses) {
        losing = *settings;
        settings = &losing;
    }
    int error = 0;
    switch (setting->kind) {
    case SETTING_NUMBER:
    case SETTING_BYTES:
    case SETTING_SPAN:
        error = number_set(settings, setting, value, wrong);
        break;
    case SETTING_SWITCH:
        error = switch_set(settings, setting, value, wrong);
        break;
    case SETTING_CHOICE:
        error = choice_set(settings, setting, value, wrong);
        break;
    case SETTING_TEXT:
        error = text_set(settings, setting, value, wrong);
        break;
    }
    if (error == 0 && !loses) {
        settings->origins[place] = (uint8_t)origin;
        settings->lines[place] = 0;
    }
    return error;
}

int
settings_set(struct settings *settings, enum settings_origin origin, const char *name,
             const char *value, struct ln_text *wrong)
{
    int place = settings_find(name, strlen(name));
    if (place < 0) {
        settings_print_unknown(name, wrong);
        return place;
    }
    return settings_set_at(settings, (unsigned)place, origin, value, wrong);
}

/* The longest, where that has a word; 0 is as it is, beside its own. */
static bool
longest_print(uint64_t value, const struct setting *setting, struct ln_text *out)
{
    const char *const *words = setting->choices;
    if (words == NULL || words[1] == NULL || value != setting->high) {
        return false;
    }
    ln_text_print(out, "%s", words[1]);
    return true;
}

static void
measure_print(uint64_t value, const struct setting *setting, bool exact, struct ln_text *out)
{
    const struct units *units = units_of(setting);
    if (exact) {
        number_print(value / units->exact, &units_none, out);
    } else if (!longest_print(value, setting, out)) {
        number_print(value, units, out);
    }
}

void
settings_print_value(const struct settings *settings, const struct setting *setting, bool exact,
                     struct ln_text *out)
{
    switch (setting->kind) {
    case SETTING_NUMBER:
    case SETTING_BYTES:
    case SETTING_SPAN:
        measure_print(number_load(settings, setting), setting, exact, out);
        break;
    case SETTING_SWITCH:
        ln_text_print(out, "%s",
                      *((const char *)settings + setting->offset) != 0 ? "true" : "false");
        break;
    case SETTING_CHOICE:
        ln_text_print(out, "%s", setting->choices[number_load(settings, setting)]);
        break;
    case SETTING_TEXT:
        ln_text_print(out, "%s", (const char *)settings + setting->offset);
        break;
    }
}

/* --------------------------------------------------------------------------------- all together */

bool
settings_history_until_read(const struct settings *settings)
{
    return settings->history_ms == 0 && settings->delete_after == DELETE_AFTER_READ;
}

uint64_t
settings_history_ms(const struct settings *settings)
{
    uint64_t ms = settings->history_ms;
    if (settings_history_until_read(settings)) {
        ms = settings->inbox_age_ms;
        if (ms == 0) {
            return STORE_HISTORY_FOREVER;
        }
    }
    return ms < SETTINGS_HISTORY_FOREVER_DAYS * STORE_DAY_MS ? ms : STORE_HISTORY_FOREVER;
}

uint32_t
settings_history_days(const struct settings *settings)
{
    uint64_t ms = settings_history_ms(settings);
    return ms == STORE_HISTORY_FOREVER ? SETTINGS_HISTORY_FOREVER_DAYS
                                       : (uint32_t)((ms + STORE_DAY_MS - 1) / STORE_DAY_MS);
}

uint64_t
settings_group_log_ms(const struct settings *settings)
{
    uint64_t ms = settings->group_log_ms;
    ms = settings->edit_window_ms > ms ? settings->edit_window_ms : ms;
    return settings->delete_window_ms > ms ? settings->delete_window_ms : ms;
}

/* In the JSON form content is base64, four bytes for three; the rest of the frame around it. */
static uint64_t
frame_bytes_least(uint64_t message_bytes)
{
    enum { AROUND_BYTES = 1024 };
    return (message_bytes + 2) / 3 * 4 + AROUND_BYTES;
}

/* Where pushes go, and who they are from. */
static void
push_check(const struct settings *settings, struct ln_text *wrong)
{
    const char *subject = settings->push_subject;
    struct url url;
    if (subject[0] != '\0' &&
        ((strncmp(subject, "mailto:", 7) != 0 && strncmp(subject, "https://", 8) != 0) ||
         strcspn(subject, " \"\\") != strlen(subject))) {
        ln_text_print(wrong, "push_subject: '%s' is neither mailto: nor https:\n", subject);
    }
    if (settings->push_webhook[0] != '\0' &&
        url_parse(settings->push_webhook, strlen(settings->push_webhook), &url) != 0) {
        ln_text_print(wrong, "push_webhook: '%s' is no URL of http or https\n",
                      settings->push_webhook);
    }
    if (settings->push_retry_max_ms < settings->push_retry_ms) {
        ln_text_print(wrong, "push_retry_max_ms: below push_retry_ms = %u\n",
                      settings->push_retry_ms);
    }
}

int
settings_check(const struct settings *settings, struct ln_text *wrong)
{
    const struct protocol_limits *limits = &settings->limits;
    size_t before = wrong->bytes;
    struct io_address address;
    if (io_address_parse(settings->listen, &address) < 0) {
        ln_text_print(wrong,
                      "listen: '%s' is no address with a port, as 127.0.0.1:4222 or [::1]:4222\n",
                      settings->listen);
    }
    if (limits->frame_bytes_max < frame_bytes_least(limits->message_bytes_max)) {
        ln_text_print(wrong,
                      "frame_bytes_max: a message of message_bytes_max = %u needs frames of %llu "
                      "bytes, since the JSON form writes content in base64\n",
                      limits->message_bytes_max,
                      (unsigned long long)frame_bytes_least(limits->message_bytes_max));
    }
    if (limits->unacknowledged_bytes_max < limits->message_bytes_max) {
        ln_text_print(wrong,
                      "unacknowledged_bytes_max: below message_bytes_max = %u, one message "
                      "would not fit\n",
                      limits->message_bytes_max);
    }
    if (settings->inbox_bytes_max < limits->message_bytes_max) {
        ln_text_print(wrong, "inbox_bytes_max: below message_bytes_max = %u\n",
                      limits->message_bytes_max);
    }
    if (settings->presence_updates_per_s < settings->presence_watchers_max) {
        ln_text_print(
            wrong,
            "presence_updates_per_s: below presence_watchers_max = %u, a user with so many "
            "watchers could never be told of\n",
            settings->presence_watchers_max);
    }
    push_check(settings, wrong);
    if ((settings->store_cells & (settings->store_cells - 1)) != 0) {
        ln_text_print(wrong, "store_cells: %u is no power of two\n", settings->store_cells);
    }
    if (settings->store_delta_bytes > 0 && settings->store_delta_bytes < STORE_DELTA_BYTES_MIN) {
        ln_text_print(wrong, "store_delta_bytes: below 16M, nothing would have room\n");
    }
    if (settings->store_replay_bytes < settings->store_segment_bytes) {
        ln_text_print(wrong,
                      "store_replay_bytes: below store_segment_bytes = %u, no log would "
                      "ever be short enough\n",
                      settings->store_segment_bytes);
    }
    if (settings->store_reserve_bytes < settings->store_segment_bytes) {
        ln_text_print(wrong,
                      "store_reserve_bytes: below store_segment_bytes = %u, on a full disk what is "
                      "given up would make no room for a segment\n",
                      settings->store_segment_bytes);
    }
    return wrong->bytes == before && !wrong->cut ? 0 : -EINVAL;
}
