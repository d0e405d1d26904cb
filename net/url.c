/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443, PORT_MAX = 65535, PORT_DIGITS_MAX = 5 };

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char
lower(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c | 0x20);
    }
    return c;
}

static bool
is_hex(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

static bool
is_name(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.';
}

/* RFC 3986, 2: what a path and a query are made of. */
static bool
is_target(char c)
{
    return c > ' ' && c < 0x7f && strchr("\"<>\\^`{|}#", c) == NULL;
}

/* Where the piece that begins at `at` and is made of such characters ends. */
static const char *
span(const char *at, const char *end, bool (*is)(char c))
{
    while (at < end && is(*at)) {
        at++;
    }
    return at;
}

static bool
is_address(char c)
{
    return is_hex(c) || c == ':' || c == '.';
}

/* Moves *at behind the host. */
static bool
host_parse(const char **at, const char *end, struct http_text *out)
{
    bool bracketed = *at < end && **at == '[';
    const char *begin = *at + bracketed;
    const char *stop = span(begin, end, bracketed ? is_address : is_name);
    *out = (struct http_text){begin, (size_t)(stop - begin)};
    if (bracketed) {
        if (stop == end || *stop != ']' || memchr(begin, ':', out->count) == NULL) {
            return false;
        }
        stop++;
    }
    *at = stop;
    return out->count > 0 && out->count <= URL_HOST_BYTES_MAX && *begin != '.' && *begin != '-';
}

/* Moves *at behind the port, which is left as it is when there is none. */
static bool
port_parse(const char **at, const char *end, uint16_t *port)
{
    if (*at == end || **at != ':') {
        return true;
    }
    const char *begin = *at + 1;
    const char *stop = span(begin, end, is_digit);
    unsigned number = 0;
    if (stop == begin || stop - begin > PORT_DIGITS_MAX) {
        return false;
    }
    for (const char *digit = begin; digit < stop; digit++) {
        number = number * 10 + (unsigned)(*digit - '0');
    }
    *at = stop;
    *port = (uint16_t)number;
    return number > 0 && number <= PORT_MAX;
}

static bool
scheme_parse(const char *text, size_t count, struct url *out, const char **at)
{
    static const char plain[] = "http://";
    static const char secure[] = "https://";
    size_t plain_bytes = sizeof plain - 1;
    size_t secure_bytes = sizeof secure - 1;
    if (count > secure_bytes &&
        http_text_is_nocase((struct http_text){text, secure_bytes}, secure)) {
        *out = (struct url){.tls = true, .port = PORT_HTTPS};
        *at = text + secure_bytes;
        return true;
    }
    if (count > plain_bytes && http_text_is_nocase((struct http_text){text, plain_bytes}, plain)) {
        *out = (struct url){.tls = false, .port = PORT_HTTP};
        *at = text + plain_bytes;
        return true;
    }
    return false;
}

int
url_parse(const char *text, size_t count, struct url *out)
{
    const char *end = text + count;
    const char *at;
    struct url url;
    if (count > URL_BYTES_MAX) {
        return -EMSGSIZE;
    }
    if (!scheme_parse(text, count, &url, &at)) {
        return -EINVAL;
    }
    const char *authority = at;
    if (!host_parse(&at, end, &url.host) || !port_parse(&at, end, &url.port)) {
        return -EINVAL;
    }
    url.authority = (struct http_text){authority, (size_t)(at - authority)};
    if ((at < end && *at != '/') || span(at, end, is_target) != end) {
        return -EINVAL;
    }
    url.target = at < end ? (struct http_text){at, (size_t)(end - at)} : (struct http_text){"/", 1};
    *out = url;
    return 0;
}

bool
url_host_is_address(const struct url *url)
{
    const char *end = url->host.bytes + url->host.count;
    if (memchr(url->host.bytes, ':', url->host.count) != NULL) {
        return true;
    }
    /* No name of a host ends with a label of digits. */
    const char *last = end;
    while (last > url->host.bytes && is_digit(last[-1])) {
        last--;
    }
    return last < end && (last == url->host.bytes || last[-1] == '.');
}

void
url_origin(const struct url *url, char out[URL_ORIGIN_BYTES])
{
    bool bracketed = memchr(url->host.bytes, ':', url->host.count) != NULL;
    char port[PORT_DIGITS_MAX + 2] = "";
    if (url->port != (url->tls ? PORT_HTTPS : PORT_HTTP)) {
        (void)snprintf(port, sizeof port, ":%u", url->port);
    }
    int written = snprintf(out, URL_ORIGIN_BYTES, "http%s://%s%.*s%s%s", url->tls ? "s" : "",
                           bracketed ? "[" : "", (int)url->host.count, url->host.bytes,
                           bracketed ? "]" : "", port);
    ASSERT(written > 0 && written < URL_ORIGIN_BYTES);
    for (char *at = out; *at != '\0'; at++) {
        *at = lower(*at);
    }
}
