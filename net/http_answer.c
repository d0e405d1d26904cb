/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_answer.h"

#include "net/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *
http_status_name(unsigned status)
{
    static const struct {
        unsigned status;
        const char *name;
    } names[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].status == status) {
            return names[i].name;
        }
    }
    return "Unknown";
}

struct http_answer
http_text_answer(unsigned status, const char *text)
{
    return (struct http_answer){
        .status = status,
        .type = "text/plain; charset=utf-8",
        .body = text,
        .body_bytes = strlen(text),
    };
}

struct http_answer
http_fault_answer(enum http_fault fault)
{
    struct http_answer answer = http_text_answer(http_fault_status(fault), http_fault_text(fault));
    if (answer.status == 405) {
        answer.fields = "Allow: GET, HEAD\r\n";
    }
    return answer;
}

enum {
    DATE_BYTES = sizeof("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
    DAY_SECONDS = 24 * 60 * 60,
};

#define DATE_S_MAX INT64_C(253402300799) /* the last second of year 9999: four digits */

struct date {
    unsigned year, month, day, weekday; /* month, day and weekday from 0; Sunday is 0 */
};

static bool
is_leap_year(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static struct date
date_of(unsigned days_since_1970)
{
    static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    /* 1 January 1970 was a Thursday. */
    struct date date = {.year = 1970, .weekday = (days_since_1970 + 4) % 7};
    date.day = days_since_1970;
    while (date.day >= 365U + is_leap_year(date.year)) {
        date.day -= 365U + is_leap_year(date.year);
        date.year++;
    }
    for (;; date.month++) {
        unsigned days = month_days[date.month] + (date.month == 1 && is_leap_year(date.year));
        if (date.day < days) {
            return date;
        }
        date.day -= days;
    }
}

/* RFC 9110, 5.6.7. Not left to strftime, whose names follow the locale. */
static void
date_print(int64_t date_s, char out[DATE_BYTES])
{
    static const char weekdays[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    out[0] = '\0';
    if (date_s <= 0 || date_s > DATE_S_MAX) {
        return;
    }
    struct date date = date_of((unsigned)(date_s / DAY_SECONDS));
    unsigned second = (unsigned)(date_s % DAY_SECONDS);
    int used = snprintf(out, DATE_BYTES, "Date: %.3s, %02u %.3s %04u %02u:%02u:%02u GMT\r\n",
                        &weekdays[(size_t)3 * date.weekday], (date.day + 1) % 100,
                        &months[(size_t)3 * date.month], date.year % 10000, second / 3600 % 100,
                        second / 60 % 60, second % 60);
    ASSERT(used == DATE_BYTES - 1);
}

int
http_answer_head_write(const struct http_answer *answer, char *out, size_t out_bytes,
                       size_t *out_count)
{
    ASSERT(answer->status != 204 || answer->body_bytes == 0);
    char date[DATE_BYTES];
    date_print(answer->date_s, date);
    char type[128] = "";
    if (answer->type != NULL) {
        int used = snprintf(type, sizeof(type), "Content-Type: %s\r\n", answer->type);
        ASSERT(used > 0 && (size_t)used < sizeof(type));
    }
    /* RFC 9110, 8.6: an answer that never has a body must not tell its length. */
    static const char chunked[] = "Transfer-Encoding: chunked\r\n";
    char length[64] = "";
    if (answer->chunked) {
        ASSERT(answer->body_bytes == 0);
        memcpy(length, chunked, sizeof(chunked));
    } else if (answer->status != 204) {
        int used = snprintf(length, sizeof(length), "Content-Length: %zu\r\n", answer->body_bytes);
        ASSERT(used > 0 && (size_t)used < sizeof(length));
    }
    const char *connection = answer->keep_alive ? "keep-alive" : "close";
    int used = snprintf(out, out_bytes, "HTTP/1.1 %u %s\r\n%s%s%sConnection: %s\r\n%s\r\n",
                        answer->status, http_status_name(answer->status), date, type, length,
                        connection, answer->fields == NULL ? "" : answer->fields);
    if (used < 0 || (size_t)used >= out_bytes) {
        return -ENOBUFS;
    }
    *out_count = (size_t)used;
    return 0;
}

size_t
http_chunk_head_write(size_t bytes, char out[HTTP_CHUNK_HEAD_BYTES])
{
    int used = snprintf(out, HTTP_CHUNK_HEAD_BYTES, "%zx\r\n", bytes);
    ASSERT(used > 0 && used < (int)HTTP_CHUNK_HEAD_BYTES);
    return (size_t)used;
}

int
http_answer_write(const struct http_answer *answer, char *out, size_t out_bytes, size_t *out_count)
{
    size_t head_bytes;
    int result = http_answer_head_write(answer, out, out_bytes, &head_bytes);
    if (result < 0) {
        return result;
    }
    size_t body_bytes = answer->head_only ? 0 : answer->body_bytes;
    if (out_bytes - head_bytes < body_bytes) {
        return -ENOBUFS;
    }
    if (body_bytes > 0) {
        memcpy(out + head_bytes, answer->body, body_bytes);
    }
    *out_count = head_bytes + body_bytes;
    return 0;
}
