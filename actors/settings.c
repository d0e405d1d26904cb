/* SPDX-License-Identifier: Apache-2.0 */
/* Values are read by kind into a field found by its offset. */
#include "actors/settings.h"

#include "actors/settings_priv.h"
#include "net/url.h"
#include "net/utf8.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

/* ---------------------------------------------------------------------------------- one setting */

/* Digits and, for sizes, one letter. False: something else, or beyond 64 bits. */
static bool
number_parse(const char *text, bool sized, uint64_t *out)
{
    static const char units[] = "KMGT";
    uint64_t value = 0;
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
    if (sized && *at != '\0') {
        const char *unit = strchr(units, *at & ~0x20);
        if (unit == NULL || at[1] != '\0') {
            return false;
        }
        uint64_t factor = UINT64_C(1) << (10 * (unsigned)(unit - units + 1));
        return !__builtin_mul_overflow(value, factor, out);
    }
    *out = value;
    return *at == '\0';
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
number_print(uint64_t value, bool sized, struct ln_text *out)
{
    static const char units[] = "KMGT";
    unsigned unit = 0;
    while (sized && value != 0 && value % 1024 == 0 && unit < 4) {
        value /= 1024;
        unit++;
    }
    ln_text_print(out, "%llu", (unsigned long long)value);
    if (unit > 0) {
        ln_text_print(out, "%c", units[unit - 1]);
    }
}

static int
number_set(struct settings *settings, const struct setting *setting, const char *value,
           struct ln_text *wrong)
{
    bool sized = setting->kind == SETTING_BYTES;
    uint64_t number = 0;
    if (number_parse(value, sized, &number) && number >= setting->low && number <= setting->high) {
        number_store(settings, setting, number);
        return 0;
    }
    ln_text_print(wrong, "%s: '%s' is no %s from ", setting->name, value,
                  sized ? "size" : "number");
    number_print(setting->low, sized, wrong);
    ln_text_print(wrong, " to ");
    number_print(setting->high, sized, wrong);
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

void
settings_print_value(const struct settings *settings, const struct setting *setting, bool exact,
                     struct ln_text *out)
{
    switch (setting->kind) {
    case SETTING_NUMBER:
    case SETTING_BYTES:
        number_print(number_load(settings, setting), setting->kind == SETTING_BYTES && !exact, out);
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
    return settings->limits.history_days == 0 && settings->delete_after == DELETE_AFTER_READ;
}

uint32_t
settings_history_days(const struct settings *settings)
{
    if (!settings_history_until_read(settings)) {
        return settings->limits.history_days;
    }
    return settings->inbox_age_days != 0 ? settings->inbox_age_days : SETTINGS_HISTORY_FOREVER;
}

uint64_t
settings_group_log_ms(const struct settings *settings)
{
    uint64_t ms = settings->group_log_days * STORE_DAY_MS;
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
