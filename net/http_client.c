/* SPDX-License-Identifier: Apache-2.0 */
/* A response ends where RFC 9112, 6.3 says, in its order; what could be read in two ways is
 * malformed, since whoever stands between may have read it in the other one. */
#include "net/http_client.h"

#include "net/http_date.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    CHUNK_LINE_BYTES_MAX = 1024,
    CHUNK_DIGITS_MAX = 8,
    LENGTH_DIGITS_MAX = 12,
};

/* -------------------------------------------------------------------------------------- request */

int
http_client_write(const struct http_client_request *request, char *out, size_t out_max,
                  size_t *out_count)
{
    const struct url *url = request->url;
    if (!http_token_valid((struct http_text){request->method, strlen(request->method)})) {
        return -EINVAL;
    }
    int head = snprintf(
        out, out_max, "%s %.*s HTTP/1.1\r\nHost: %.*s\r\n%sContent-Length: %zu\r\n\r\n",
        request->method, (int)url->target.count, url->target.bytes, (int)url->authority.count,
        url->authority.bytes, request->fields, request->body_bytes);
    if (head < 0 || (size_t)head >= out_max || request->body_bytes > out_max - (size_t)head) {
        return -ENOBUFS;
    }
    if (request->body_bytes > 0) {
        memcpy(out + head, request->body, request->body_bytes);
    }
    *out_count = (size_t)head + request->body_bytes;
    return 0;
}

/* -------------------------------------------------------------------------------- head's fields */

/* Digits and nothing else. */
static bool
number_parse(struct http_text text, unsigned digits_max, uint64_t *out)
{
    uint64_t value = 0;
    if (text.count == 0 || text.count > digits_max) {
        return false;
    }
    for (size_t i = 0; i < text.count; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(text.bytes[i] - '0');
    }
    *out = value;
    return true;
}

/* RFC 9110, 10.2.3; what is neither of its forms is as if it were not there. */
static void
retry_after_read(struct http_client *client, const struct http_head *head)
{
    struct http_text value;
    if (!http_field(head, "retry-after", &value)) {
        return;
    }
    if (!number_parse(value, LENGTH_DIGITS_MAX, &client->retry_after_s)) {
        client->retry_after_s = 0;
        (void)http_date_parse(value, &client->retry_at_s);
    }
}

static bool
keeps(const struct http_response *response)
{
    if (http_field_lists(&response->head, "connection", "close")) {
        return false;
    }
    return response->minor > 0 || http_field_lists(&response->head, "connection", "keep-alive");
}

/* How its body ends. False: in two ways, or in none that is known. */
static bool
body_begin(struct http_client *client, const struct http_head *head)
{
    struct http_text value;
    unsigned lengths = http_field_count(head, "content-length");
    unsigned codings = http_field_count(head, "transfer-encoding");
    if (client->status == 204 || client->status == 304) {
        client->phase = HTTP_CLIENT_OVER;
        return true;
    }
    if (codings > 0) {
        bool chunked = codings == 1 && lengths == 0 &&
                       http_field(head, "transfer-encoding", &value) &&
                       http_text_is_nocase(value, "chunked");
        client->phase = HTTP_CLIENT_CHUNK_SIZE;
        return chunked;
    }
    if (lengths == 0) {
        client->phase = HTTP_CLIENT_UNTIL_END;
        client->keeps = false;
        return true;
    }
    bool known = lengths == 1 && http_field(head, "content-length", &value) &&
                 number_parse(value, LENGTH_DIGITS_MAX, &client->left);
    client->phase = client->left > 0 ? HTTP_CLIENT_BODY : HTTP_CLIENT_OVER;
    return known;
}

static enum http_client_verdict
head_read(struct http_client *client, const struct http_response *response)
{
    if (response->status < 200) {
        /* A switch of protocols was not asked for. */
        bool on = response->status != 101 && ++client->interim <= HTTP_CLIENT_INTERIM_MAX;
        client->head_bytes = 0;
        return on ? HTTP_CLIENT_MORE : HTTP_CLIENT_MALFORMED;
    }
    client->status = response->status;
    client->keeps = keeps(response);
    retry_after_read(client, &response->head);
    if (!body_begin(client, &response->head)) {
        return HTTP_CLIENT_MALFORMED;
    }
    return client->left > HTTP_CLIENT_BODY_BYTES_MAX ? HTTP_CLIENT_TOO_LARGE : HTTP_CLIENT_MORE;
}

/* Takes bytes of the head as far as it goes; *at moves behind them. */
static enum http_client_verdict
head_input(struct http_client *client, const char *bytes, size_t count, size_t *at)
{
    struct http_response response;
    size_t room = sizeof client->head - client->head_bytes;
    size_t before = client->head_bytes;
    size_t taken = count - *at < room ? count - *at : room;
    memcpy(client->head + before, bytes + *at, taken);
    enum http_fault fault = http_response_parse(client->head, before + taken, &response);
    if (fault == HTTP_INCOMPLETE) {
        client->head_bytes = (uint16_t)(before + taken);
        *at += taken;
        return HTTP_CLIENT_MORE;
    }
    if (fault != HTTP_OK) {
        return HTTP_CLIENT_MALFORMED;
    }
    *at += response.head.count - before;
    return head_read(client, &response);
}

/* ----------------------------------------------------------------------------------------- body */

static void
excerpt_add(struct http_client *client, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count && client->excerpt_bytes + 1 < HTTP_CLIENT_EXCERPT_BYTES; i++) {
        bool visible = bytes[i] > ' ' && bytes[i] < 0x7f;
        client->excerpt[client->excerpt_bytes] = ' ';
        if (visible) {
            client->excerpt[client->excerpt_bytes] = bytes[i];
        }
        client->excerpt_bytes++;
    }
}

/* Takes bytes of the body, at most `left`; *at moves behind them. */
static enum http_client_verdict
body_input(struct http_client *client, const char *bytes, size_t count, size_t *at)
{
    uint64_t taken = count - *at;
    if (client->phase != HTTP_CLIENT_UNTIL_END) {
        taken = taken < client->left ? taken : client->left;
        client->left -= taken;
    }
    excerpt_add(client, bytes + *at, taken);
    client->body_bytes += taken;
    *at += taken;
    return client->body_bytes > HTTP_CLIENT_BODY_BYTES_MAX ? HTTP_CLIENT_TOO_LARGE
                                                           : HTTP_CLIENT_MORE;
}

/* A line is gathered where the head was. True: it has ended, without its end. */
static bool
line_input(struct http_client *client, const char *bytes, size_t count, size_t *at,
           struct http_text *out)
{
    while (*at < count && client->line_bytes < CHUNK_LINE_BYTES_MAX) {
        char c = bytes[(*at)++];
        client->head[client->line_bytes++] = c;
        if (c == '\n') {
            *out = (struct http_text){client->head, client->line_bytes};
            client->line_bytes = 0;
            return true;
        }
    }
    return false;
}

/* Takes the line's end away. False: it is not CR LF, or there is a CR before. */
static bool
line_ends(struct http_text *line)
{
    if (line->count < 2 || line->bytes[line->count - 2] != '\r') {
        return false;
    }
    line->count -= 2;
    return memchr(line->bytes, '\r', line->count) == NULL;
}

/* "1f", perhaps with extensions behind a semicolon. */
static bool
chunk_size_parse(struct http_text line, uint64_t *out)
{
    uint64_t value = 0;
    size_t i = 0;
    for (; i < line.count && i <= CHUNK_DIGITS_MAX; i++) {
        char c = line.bytes[i];
        char low = (char)(c | 0x20);
        if (c >= '0' && c <= '9') {
            value = value << 4 | (uint64_t)(c - '0');
        } else if (low >= 'a' && low <= 'f') {
            value = value << 4 | (uint64_t)(low - 'a' + 10);
        } else {
            break;
        }
    }
    *out = value;
    return i > 0 && i <= CHUNK_DIGITS_MAX &&
           (i == line.count || line.bytes[i] == ';' || line.bytes[i] == ' ');
}

static enum http_client_verdict
chunk_line(struct http_client *client, struct http_text line)
{
    if (!line_ends(&line)) {
        return HTTP_CLIENT_MALFORMED;
    }
    if (client->phase == HTTP_CLIENT_CHUNK_END) {
        client->phase = HTTP_CLIENT_CHUNK_SIZE;
        return line.count == 0 ? HTTP_CLIENT_MORE : HTTP_CLIENT_MALFORMED;
    }
    if (client->phase == HTTP_CLIENT_TRAILER) {
        client->body_bytes += line.count;
        client->phase = line.count == 0 ? HTTP_CLIENT_OVER : HTTP_CLIENT_TRAILER;
    } else {
        if (!chunk_size_parse(line, &client->left)) {
            return HTTP_CLIENT_MALFORMED;
        }
        client->phase = client->left > 0 ? HTTP_CLIENT_CHUNK : HTTP_CLIENT_TRAILER;
    }
    return client->left + client->body_bytes > HTTP_CLIENT_BODY_BYTES_MAX ? HTTP_CLIENT_TOO_LARGE
                                                                          : HTTP_CLIENT_MORE;
}

static enum http_client_verdict
chunked_input(struct http_client *client, const char *bytes, size_t count, size_t *at)
{
    struct http_text line;
    if (client->phase == HTTP_CLIENT_CHUNK) {
        enum http_client_verdict verdict = body_input(client, bytes, count, at);
        client->phase = client->left > 0 ? HTTP_CLIENT_CHUNK : HTTP_CLIENT_CHUNK_END;
        return verdict;
    }
    if (line_input(client, bytes, count, at, &line)) {
        return chunk_line(client, line);
    }
    return client->line_bytes < CHUNK_LINE_BYTES_MAX ? HTTP_CLIENT_MORE : HTTP_CLIENT_MALFORMED;
}

/* ------------------------------------------------------------------------------------- together */

void
http_client_begin(struct http_client *client)
{
    size_t state_bytes = offsetof(struct http_client, head);
    memset(client, 0, state_bytes);
}

static enum http_client_verdict
step(struct http_client *client, const char *bytes, size_t count, size_t *at)
{
    switch ((enum http_client_phase)client->phase) {
    case HTTP_CLIENT_HEAD:
        return head_input(client, bytes, count, at);
    case HTTP_CLIENT_BODY: {
        enum http_client_verdict verdict = body_input(client, bytes, count, at);
        client->phase = client->left > 0 ? HTTP_CLIENT_BODY : HTTP_CLIENT_OVER;
        return verdict;
    }
    case HTTP_CLIENT_UNTIL_END:
        return body_input(client, bytes, count, at);
    case HTTP_CLIENT_CHUNK_SIZE:
    case HTTP_CLIENT_CHUNK:
    case HTTP_CLIENT_CHUNK_END:
    case HTTP_CLIENT_TRAILER:
        return chunked_input(client, bytes, count, at);
    case HTTP_CLIENT_OVER:
        client->keeps = false;
        *at = count;
        return HTTP_CLIENT_DONE;
    }
    ASSERT(false);
}

enum http_client_verdict
http_client_input(struct http_client *client, const void *bytes, size_t count)
{
    size_t at = 0;
    while (at < count && client->verdict <= HTTP_CLIENT_DONE) {
        client->verdict = (uint8_t)step(client, bytes, count, &at);
        if (client->verdict == HTTP_CLIENT_MORE && client->phase == HTTP_CLIENT_OVER) {
            client->verdict = HTTP_CLIENT_DONE;
        }
    }
    return (enum http_client_verdict)client->verdict;
}

enum http_client_verdict
http_client_end(struct http_client *client)
{
    client->keeps = false;
    if (client->verdict == HTTP_CLIENT_MORE) {
        client->verdict =
            client->phase == HTTP_CLIENT_UNTIL_END ? HTTP_CLIENT_DONE : HTTP_CLIENT_CUT;
    }
    return (enum http_client_verdict)client->verdict;
}

uint64_t
http_client_retry_after_ms(const struct http_client *client, uint64_t wall_ms)
{
    if (client->retry_at_s > 0) {
        uint64_t at_ms = client->retry_at_s * 1000;
        return at_ms > wall_ms ? at_ms - wall_ms : 0;
    }
    return client->retry_after_s * 1000;
}
