/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_date.h"

#include <errno.h>
#include <string.h>

enum {
    DATE_BYTES = 29,
    DAYS_BEFORE_1970 = 719162, /* from the first day of the year 1 on */
};

/* A number of `digits` digits; -1: there is something else. */
static int
digits_at(const char *text, unsigned digits)
{
    int value = 0;
    for (unsigned i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* 1 to 12; 0: none. */
static int
month_at(const char *text)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int month = 0; month < 12; month++) {
        if (memcmp(text, names + 3 * (size_t)month, 3) == 0) {
            return month + 1;
        }
    }
    return 0;
}

static bool
is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970 on. */
static int64_t
days_until(int year, int month, int day)
{
    int64_t before = year - 1;
    int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - DAYS_BEFORE_1970;
    for (int m = 1; m < month; m++) {
        days += days_of(year, m);
    }
    return days + day - 1;
}

int
http_date_parse(struct http_text text, uint64_t *out)
{
    const char *at = text.bytes;
    if (text.count != DATE_BYTES || memcmp(at + 3, ", ", 2) != 0 || memcmp(at + 19, ":", 1) != 0 ||
        memcmp(at + 22, ":", 1) != 0 || memcmp(at + 25, " GMT", 4) != 0 || at[7] != ' ' ||
        at[11] != ' ' || at[16] != ' ') {
        return -EINVAL;
    }
    int day = digits_at(at + 5, 2);
    int month = month_at(at + 8);
    int year = digits_at(at + 12, 4);
    int hour = digits_at(at + 17, 2);
    int minute = digits_at(at + 20, 2);
    int second = digits_at(at + 23, 2);
    if (year < 1970 || month == 0 || day < 1 || day > days_of(year, month) || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
        return -EINVAL;
    }
    int64_t minutes = (days_until(year, month, day) * 24 + hour) * 60 + minute;
    *out = (uint64_t)(minutes * 60 + second);
    return 0;
}
